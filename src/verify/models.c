/*
 * models.c
 *		The fold of registrations and decisions: versions, stages, what is
 *		current, aliases.
 *
 * It keeps what there is now: each model, each version that was moved, each
 * alias that was ever set, in about 100 bytes each.  Rows that are written
 * once, of versions and of production, are compared with the events as bags.
 * What of an event the statements look at must be as the verbs write it, else
 * they have to look.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "audit/fold.h"
#include "base/bag.h"
#include "base/hash.h"
#include "types/stage.h"
#include "verify/kept.h"
#include "verify/verify.h"

typedef struct Model
{
	int64		id;				/* hash key */
	int64		registered;		/* number of its last version */
	int64		current;		/* 0 for none */
	int64		aliases;		/* as the events tell, whose row was not seen */
} Model;

typedef struct VersionKey
{
	int64		model;
	int64		version;
} VersionKey;

/* A version that was moved. */
typedef struct Version
{
	VersionKey	key;
	MrStage		stage;
	TimestampTz since;
} Version;

typedef struct AliasKey
{
	int64		model;
	const char *name;
	int			len;
} AliasKey;

typedef struct ModelAlias
{
	AliasKey	key;
	int64		version;		/* 0: removed */
	TimestampTz since;
	int64		team;
	bool		seen;			/* its row */
} ModelAlias;

typedef struct Models
{
	MemoryContext context;
	HTAB	   *models;
	HTAB	   *versions;
	HTAB	   *aliases;
	int64		registered;		/* versions of all models */
	int64		staged;			/* rows of versions with their stage */
	MrBagKey	bag_key;
	MrBag		told_versions;
	MrBag		versions_bag;
	MrBag		told_production;
	MrBag		production_bag;
} Models;

static uint32
hash_alias(const void *key, Size size)
{
	const AliasKey *alias = key;

	return hash_combine(hash_bytes((const unsigned char *) alias->name, alias->len),
						murmurhash32((uint32) alias->model));
}

static int
match_alias(const void *a, const void *b, Size size)
{
	const AliasKey *x = a;
	const AliasKey *y = b;

	return x->model == y->model && x->len == y->len ? memcmp(x->name, y->name, x->len) : 1;
}

static HTAB *
make_table(MemoryContext context, const char *name, Size keysize, Size entrysize)
{
	HASHCTL		control = {.keysize = keysize,.entrysize = entrysize,.hcxt = context,
	.hash = hash_alias,.match = match_alias};
	int			how = keysize == sizeof(AliasKey) ? HASH_FUNCTION | HASH_COMPARE : HASH_BLOBS;

	return hash_create(name, 1024, &control, HASH_ELEM | HASH_CONTEXT | how);
}

static void *
begin(MemoryContext context)
{
	Models	   *models = MemoryContextAllocZero(context, sizeof(Models));

	models->context = context;
	models->models = make_table(context, "modelreg verify models", sizeof(int64), sizeof(Model));
	models->versions = make_table(context, "modelreg verify versions", sizeof(VersionKey), sizeof(Version));
	models->aliases = make_table(context, "modelreg verify aliases", sizeof(AliasKey), sizeof(ModelAlias));
	mr_bag_key(&models->bag_key);
	return models;
}

static Model *
keep_model(Models *models, int64 id)
{
	return mr_verify_keep(models->models, &id, sizeof(int64), sizeof(Model));
}

static Version *
keep_version(Models *models, int64 model, int64 number)
{
	VersionKey	key = {model, number};
	Version    *version = mr_verify_keep(models->versions, &key, sizeof(key), sizeof(Version));

	if (version != NULL && version->stage == MR_STAGE_NONE)
		version->stage = MR_STAGE_EXPERIMENTAL;
	return version;
}

static ModelAlias *
keep_alias(Models *models, int64 model, const JsonbValue *name)
{
	AliasKey	key = {model, name->val.string.val, name->val.string.len};
	ModelAlias *alias = hash_search(models->aliases, &key, HASH_FIND, NULL);

	if (alias != NULL)
		return alias;
	key.name = MemoryContextStrdup(models->context, pnstrdup(key.name, key.len));
	return mr_verify_keep(models->aliases, &key, sizeof(key), sizeof(ModelAlias));
}

/* A number from 1; false for anything else. */
static bool
read_number(const JsonbValue *value, int64 *number)
{
	return mr_json_to_int(value, number) && *number > 0;
}

/* The same, or null, which becomes 0. */
static bool
read_number_or_null(const JsonbValue *value, int64 *number)
{
	*number = 0;
	return value->type == jbvNull || read_number(value, number);
}

/* MR_STAGE_NONE for what is no stage's name as it is written. */
static MrStage
read_stage(const JsonbValue *value)
{
	MrStage		stage;

	if (value->type != jbvString)
		return MR_STAGE_NONE;
	stage = mr_stage_lookup(value->val.string.val, value->val.string.len);
	if (stage != MR_STAGE_NONE &&
		memcmp(mr_stage_name(stage), value->val.string.val, value->val.string.len) != 0)
		return MR_STAGE_NONE;
	return stage;
}

/* Versions are numbered 1, 2, 3 in the order of their events. */
static bool
take_registered(void *state, const MrEventRow *event)
{
	static const char *const names[] = {"hash", "version"};
	Models	   *models = state;
	Model	   *model = keep_model(models, event->chain_id);
	JsonbValue	values[lengthof(names)];
	int64		row[6] = {event->chain_id};

	if (model == NULL || !mr_json_read(&event->what->root, names, lengthof(names), values) ||
		!mr_verify_read_hex(&values[0], (uint8 *) &row[2]) || !read_number(&values[1], &row[1]) ||
		row[1] != model->registered + 1)
		return false;
	model->registered++;
	models->registered++;
	mr_bag_add(&models->told_versions, &models->bag_key, row, lengthof(row));
	return true;
}

static bool
take_move(Models *models, const MrEventRow *event, const JsonbValue *move)
{
	static const char *const names[] = {"to", "from", "version"};
	JsonbValue	values[lengthof(names)];
	MrStage		to;
	int64		number;
	Version    *version;

	if (move->type != jbvBinary ||
		!mr_json_read(move->val.binary.data, names, lengthof(names), values) ||
		!read_number(&values[2], &number))
		return false;
	to = read_stage(&values[0]);
	version = keep_version(models, event->chain_id, number);
	if (version == NULL || to == MR_STAGE_NONE || read_stage(&values[1]) != version->stage)
		return false;
	version->stage = to;
	version->since = event->at;
	return true;
}

static bool
take_moves(Models *models, const MrEventRow *event, const JsonbValue *moves)
{
	JsonbContainer *array = moves->val.binary.data;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	move;

	if (moves->type != jbvBinary || !JsonContainerIsArray(array))
		return false;
	iterator = JsonbIteratorInit(array);
	while ((token = JsonbIteratorNext(&iterator, &move, true)) != WJB_DONE)
		if (token == WJB_ELEM && !take_move(models, event, &move))
			return false;
	return true;
}

/* Promotions, rollbacks and what else moves versions. */
static bool
take_transition(void *state, const MrEventRow *event)
{
	static const char *const names[] = {"moves", "current", "replaced", "previous_seq"};
	Models	   *models = state;
	Model	   *model = keep_model(models, event->chain_id);
	JsonbValue	values[lengthof(names)];
	int64		replaced;
	int64		row[6] = {event->chain_id, event->seq, event->team, event->at};

	if (model == NULL || !mr_json_read(&event->what->root, names, lengthof(names), values) ||
		!read_number_or_null(&values[1], &row[4]) || !read_number_or_null(&values[2], &replaced) ||
		!read_number_or_null(&values[3], &row[5]) || replaced != model->current ||
		!take_moves(models, event, &values[0]))
		return false;
	if (row[4] != model->current)
		mr_bag_add(&models->told_production, &models->bag_key, row, lengthof(row));
	model->current = row[4];
	return true;
}

static bool
point_alias(Models *models, const MrEventRow *event, const JsonbValue *name, int64 version)
{
	Model	   *model = keep_model(models, event->chain_id);
	ModelAlias *alias;

	if (model == NULL || name->type != jbvString)
		return false;
	alias = keep_alias(models, event->chain_id, name);
	if (alias == NULL)
		return false;
	model->aliases += (version != 0) - (alias->version != 0);
	alias->version = version;
	alias->since = event->at;
	alias->team = event->team;
	return true;
}

/* Members of a decision about an alias, which has no others: it moves no version. */
static bool
read_alias(const MrEventRow *event, const char *const *names, int n, JsonbValue *values)
{
	return JsonContainerSize(&event->what->root) == n &&
		mr_json_read(&event->what->root, names, n, values);
}

static bool
take_alias_set(void *state, const MrEventRow *event)
{
	static const char *const names[] = {"alias", "version", "replaced"};
	JsonbValue	values[lengthof(names)];
	int64		version;

	return read_alias(event, names, lengthof(names), values) &&
		read_number(&values[1], &version) && point_alias(state, event, &values[0], version);
}

static bool
take_alias_removed(void *state, const MrEventRow *event)
{
	static const char *const names[] = {"alias", "replaced"};
	JsonbValue	values[lengthof(names)];

	return read_alias(event, names, lengthof(names), values) &&
		point_alias(state, event, &values[0], 0);
}

/* Any other decision, of whatever room, is a transition or moves nothing. */
static bool
take_other(void *state, const MrEventRow *event)
{
	JsonbContainer *what = &event->what->root;

	if (!JsonContainerIsObject(what))
		return false;
	if (mr_json_has(what, "moves") || mr_json_has(what, "current"))
		return take_transition(state, event);
	return true;
}

static const MrFoldStep steps[] = {
	{MR_CHAIN_DECISIONS, "alias_set", take_alias_set},
	{MR_CHAIN_DECISIONS, "alias_removed", take_alias_removed},
	{MR_CHAIN_DECISIONS, NULL, take_other},
	{MR_CHAIN_REGISTRATIONS, "version_registered", take_registered},
};

static bool
has_null(const bool *nulls, int n)
{
	for (int i = 0; i < n; i++)
		if (nulls[i])
			return true;
	return false;
}

/* A version, its stage, and whether both are of one team. */
static bool
take_version_row(void *state, const Datum *values, const bool *nulls)
{
	Models	   *models = state;
	VersionKey	key;
	uint8		hash[MR_HASH_LEN];
	int64		row[6];
	Version    *version;

	if (has_null(nulls, 7) || !mr_verify_read_hash(values[2], false, hash) ||
		!DatumGetBool(values[6]))
		return false;
	row[0] = key.model = DatumGetInt64(values[0]);
	row[1] = key.version = DatumGetInt32(values[1]);
	memcpy(&row[2], hash, MR_HASH_LEN);
	mr_bag_add(&models->versions_bag, &models->bag_key, row, lengthof(row));
	models->staged++;
	version = hash_search(models->versions, &key, HASH_FIND, NULL);
	return DatumGetMrStage(values[4]) == (version ? version->stage : MR_STAGE_EXPERIMENTAL) &&
		DatumGetTimestampTz(values[5]) == (version ? version->since : DatumGetTimestampTz(values[3]));
}

static bool
take_production_row(void *state, const Datum *values, const bool *nulls)
{
	Models	   *models = state;
	int64		row[6];

	if (has_null(nulls, 4))
		return false;
	for (int i = 0; i < 4; i++)
		row[i] = DatumGetInt64(values[i]);
	row[4] = nulls[4] ? 0 : DatumGetInt32(values[4]);
	row[5] = nulls[5] ? 0 : DatumGetInt64(values[5]);
	mr_bag_add(&models->production_bag, &models->bag_key, row, lengthof(row));
	return (nulls[4] || row[4] > 0) && (nulls[5] || row[5] > 0);
}

static bool
take_alias_row(void *state, const Datum *values, const bool *nulls)
{
	Models	   *models = state;
	AliasKey	key;
	Model	   *model;
	ModelAlias *alias;
	text	   *name;

	if (has_null(nulls, 6) || !DatumGetBool(values[5]))
		return false;
	key.model = DatumGetInt64(values[0]);
	name = DatumGetTextPP(values[1]);
	key.name = VARDATA_ANY(name);
	key.len = VARSIZE_ANY_EXHDR(name);
	alias = hash_search(models->aliases, &key, HASH_FIND, NULL);
	model = hash_search(models->models, &key.model, HASH_FIND, NULL);
	if (alias == NULL || model == NULL || alias->seen || alias->version == 0 ||
		alias->version != DatumGetInt32(values[2]) ||
		alias->since != DatumGetTimestampTz(values[3]) || alias->team != DatumGetInt64(values[4]))
		return false;
	alias->seen = true;
	model->aliases--;
	return true;
}

/* A model that lives has a row for each of its aliases. */
static bool
take_live_model(void *state, const Datum *values, const bool *nulls)
{
	Models	   *models = state;
	int64		id = DatumGetInt64(values[0]);
	Model	   *model = hash_search(models->models, &id, HASH_FIND, NULL);

	return !nulls[0] && (model == NULL || model->aliases == 0);
}

static bool
take_head(void *state, const Datum *values, const bool *nulls)
{
	Models	   *models = state;
	int64		id = DatumGetInt64(values[0]);
	Model	   *model = hash_search(models->models, &id, HASH_FIND, NULL);

	return !has_null(nulls, 2) && DatumGetInt32(values[1]) == (model ? model->registered : 0);
}

static const MrFoldRows rows[] = {
	{"SELECT v.model_id, v.version, v.hash, v.registered_at, s.stage, s.since, s.team_id = v.team_id "
		"FROM modelreg.version v FULL JOIN modelreg.version_stage s ON s.model_id = v.model_id AND s.version = v.version",
	take_version_row},
	{"SELECT r.model_id, r.seq, r.team_id, r.at, r.version, r.previous_seq FROM modelreg.production r", take_production_row},
	{"SELECT r.model_id, r.alias, r.version, r.since, r.team_id, m.id IS NOT NULL AND m.retired_at IS NULL AND COALESCE((SELECT "
		"v.identity IS NOT DISTINCT FROM r.version_identity AND v.registered_at IS NOT DISTINCT FROM r.version_registered_at "
		"FROM modelreg.version v WHERE v.model_id = r.model_id AND v.version = r.version), true) "
		"FROM modelreg.alias r LEFT JOIN modelreg.model m ON m.id = r.model_id",
	take_alias_row},
	{"SELECT m.id FROM modelreg.model m WHERE m.retired_at IS NULL", take_live_model},
	{"SELECT h.id, h.last_version FROM modelreg.registration_head h", take_head},
};

static bool
end(void *state)
{
	Models	   *models = state;

	return models->staged == models->registered &&
		mr_bag_equal(&models->told_versions, &models->versions_bag) &&
		mr_bag_equal(&models->told_production, &models->production_bag);
}

static const char *const shows[] = {
	"production", "stages", "aliases", "registrations", "version(model_id, version)",
	"version_stage(model_id, version)", "production(model_id, seq)", "alias(model_id, alias)",
};

const MrFold mr_verify_models_fold = {
	shows, lengthof(shows), steps, lengthof(steps), rows, lengthof(rows), begin, end
};
