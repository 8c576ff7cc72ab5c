/*
 * past.c
 *		What a model's names of versions stood for at a time.
 *
 * What is current has a table of its own.  For aliases and stages we begin
 * with the present, which mostly has been so for long, and else go back
 * along the model's decisions, at most modelreg.search_scan_limit of them.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "audit/audit.h"
#include "audit/audit_tables.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/settings.h"
#include "registry/past.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"

/* The decisions of a model, from the last one back. */
typedef struct Walk
{
	MrTable    *table;
	MrScan	   *scan;
	int			nread;
	TimestampTz at;				/* of the event found last */
	void	   *stored;			/* its column, in the slot */
	Jsonb	   *what;			/* the same, detoasted if need be */
} Walk;

static void
walk_begin(Walk *walk, const MrPast *past)
{
	Datum		keys[2] = {Int16GetDatum(MR_CHAIN_DECISIONS), Int64GetDatum(past->model)};

	walk->table = mr_table_open_read("event");
	walk->scan = mr_scan_begin(walk->table, "event_pkey", 2, keys, past->snapshot);
	walk->nread = 0;
	walk->what = NULL;
}

static bool
walk_next(Walk *walk)
{
	if (!mr_scan_next(walk->scan, true))
		return false;
	if (++walk->nread > mr_search_scan_limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are more than %d decisions to look back along",
						mr_search_scan_limit),
				 errhint("Raise modelreg.search_scan_limit, or ask the view modelreg.transitions."),
				 mr_reason("scan_limit")));
	if (walk->what != NULL && walk->what != walk->stored)
		pfree(walk->what);
	walk->at = DatumGetTimestampTz(mr_table_get(walk->table, EVENT_AT, NULL));
	walk->stored = DatumGetPointer(mr_table_get(walk->table, EVENT_WHAT, NULL));
	walk->what = DatumGetJsonbP(PointerGetDatum(walk->stored));
	return true;
}

static void
walk_end(Walk *walk)
{
	mr_scan_end(walk->scan);
	mr_table_close(walk->table);
}

static bool
get_string(JsonbContainer *object, const char *key, JsonbValue *value)
{
	return mr_json_find(object, key, value) && value->type == jbvString;
}

static int32
get_int(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!mr_json_find(object, key, &value) || value.type != jbvNumeric)
		return 0;
	return DatumGetInt32(DirectFunctionCall1(numeric_int4,
											 NumericGetDatum(value.val.numeric)));
}

/* When a version was registered; false when there is no such version. */
static bool
registered_at(MrTable *table, const MrPast *past, int32 version, TimestampTz *at)
{
	Datum		keys[2] = {Int64GetDatum(past->model), Int32GetDatum(version)};

	if (!mr_table_find(table, "version_pkey", 2, keys, past->snapshot))
		return false;
	*at = DatumGetTimestampTz(mr_table_get(table, VERSION_REGISTERED_AT, NULL));
	return true;
}

static int32
last_number(MrTable *table, const MrPast *past)
{
	Datum		key = Int64GetDatum(past->model);
	MrScan	   *scan = mr_scan_begin(table, "version_pkey", 1, &key, past->snapshot);
	int32		last = 0;

	if (mr_scan_next(scan, true))
		last = DatumGetInt32(mr_table_get(table, VERSION_VERSION, NULL));
	mr_scan_end(scan);
	return last;
}

/* Numbers have no gap and grow with time, so halving finds the last one. */
int32
mr_past_latest(const MrPast *past)
{
	MrTable    *table = mr_table_open_read("version");
	int32		low = 0;
	int32		high = last_number(table, past);
	int32		middle = high;	/* mostly it is the last of all */

	while (low < high)
	{
		TimestampTz at;

		if (registered_at(table, past, middle, &at) && at <= past->at)
			low = middle;
		else
			high = middle - 1;
		middle = low + (high - low + 1) / 2;
	}
	mr_table_close(table);
	return low;
}

int32
mr_past_current(const MrPast *past)
{
	MrTable    *table = mr_table_open_read("production");
	Datum		keys[2] = {Int64GetDatum(past->model), TimestampTzGetDatum(past->at)};
	MrScan	   *scan = mr_scan_begin_to(table, "production_at", 2, keys, past->snapshot);
	int32		version = 0;
	bool		isnull;

	if (mr_scan_next(scan, true))
	{
		Datum		value = mr_table_get(table, PRODUCTION_VERSION, &isnull);

		version = isnull ? 0 : DatumGetInt32(value);
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return version;
}

/* Where the alias points now, if it has done so since that time. */
static int32
alias_since(const MrPast *past, const char *alias)
{
	MrTable    *table = mr_table_open_read("alias");
	Datum		keys[2] = {Int64GetDatum(past->model), CStringGetTextDatum(alias)};
	int32		version = 0;

	if (mr_table_find(table, "alias_pkey", 2, keys, past->snapshot) &&
		DatumGetTimestampTz(mr_table_get(table, ALIAS_SINCE, NULL)) <= past->at)
		version = DatumGetInt32(mr_table_get(table, ALIAS_VERSION, NULL));
	mr_table_close(table);
	return version;
}

int32
mr_past_alias(const MrPast *past, const char *alias)
{
	int32		version = alias_since(past, alias);
	Walk		walk;
	JsonbValue	name;

	if (version != 0)
		return version;
	walk_begin(&walk, past);
	while (walk_next(&walk))
		if (walk.at <= past->at && get_string(&walk.what->root, "alias", &name) &&
			name.val.string.len == strlen(alias) &&
			memcmp(name.val.string.val, alias, name.val.string.len) == 0)
		{
			version = get_int(&walk.what->root, "version"); /* 0: removed */
			break;
		}
	walk_end(&walk);
	return version;
}

/* The stage that a version had before its first move after that time. */
typedef struct Before
{
	int32		version;		/* hash key */
	MrStage		stage;
} Before;

static void
note_moves(HTAB *before, Jsonb *what)
{
	JsonbValue	moves;
	int			n;

	if (getKeyJsonValueFromContainer(&what->root, "moves", strlen("moves"), &moves) == NULL ||
		moves.type != jbvBinary)
		return;
	n = JsonContainerSize(moves.val.binary.data);
	for (int i = 0; i < n; i++)
	{
		JsonbValue *move = getIthJsonbValueFromContainer(moves.val.binary.data, i);
		int32		version = get_int(move->val.binary.data, "version");
		Before	   *entry = hash_search(before, &version, HASH_ENTER, NULL);
		JsonbValue	stage;

		if (get_string(move->val.binary.data, "from", &stage))
			entry->stage = mr_stage_lookup(stage.val.string.val, stage.val.string.len);
	}
}

/* The versions that moved after that time, with the stages they had then. */
static HTAB *
read_moves(const MrPast *past)
{
	HASHCTL		control = {.keysize = sizeof(int32),.entrysize = sizeof(Before)};
	HTAB	   *before;
	Walk		walk;

	control.hcxt = CurrentMemoryContext;
	before = hash_create("modelreg moves", 64, &control,
						 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	walk_begin(&walk, past);
	while (walk_next(&walk) && walk.at > past->at)
		note_moves(before, walk.what);
	walk_end(&walk);
	return before;
}

/* The newest version up to one that is in the stage and has not moved. */
static int32
newest_unmoved(const MrPast *past, MrStage stage, int32 up_to, HTAB *before)
{
	MrTable    *table = mr_table_open_read("version_stage");
	Datum		keys[3] = {Int64GetDatum(past->model), MrStageGetDatum(stage),
	Int32GetDatum(up_to)};
	MrScan	   *scan = mr_scan_begin_to(table, "version_stage_of_model", 3, keys,
										past->snapshot);
	int32		newest = 0;

	while (newest == 0 && mr_scan_next(scan, true))
	{
		int32		version = DatumGetInt32(mr_table_get(table, VERSION_STAGE_VERSION, NULL));

		if (hash_search(before, &version, HASH_FIND, NULL) == NULL)
			newest = version;
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return newest;
}

int32
mr_past_newest_in_stage(const MrPast *past, MrStage stage)
{
	int32		latest = mr_past_latest(past);
	HTAB	   *before = read_moves(past);
	int32		newest = newest_unmoved(past, stage, latest, before);
	HASH_SEQ_STATUS status;
	Before	   *entry;

	hash_seq_init(&status, before);
	while ((entry = hash_seq_search(&status)) != NULL)
		if (entry->stage == stage && entry->version <= latest &&
			entry->version > newest)
			newest = entry->version;
	hash_destroy(before);
	return newest;
}

MrStage
mr_past_stage(const MrPast *past, int32 version)
{
	TimestampTz since = 0;
	MrStage		stage = mr_version_stage(past->model, version, past->snapshot, &since);
	HTAB	   *before;
	Before	   *entry;

	if (since <= past->at)
		return stage;
	before = read_moves(past);
	entry = hash_search(before, &version, HASH_FIND, NULL);
	if (entry != NULL)
		stage = entry->stage;
	hash_destroy(before);
	return stage;
}
