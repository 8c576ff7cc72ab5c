/*
 * get.c
 *		Finding one version: by number, alias, stage, address, permanent id.
 *
 * Nothing here locks, and all of it works on a hot standby.  A version is
 * found as the caller's snapshot sees it.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "audit/audit.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/row.h"
#include "lineage/lineage.h"
#include "registry/past.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "types/model_uri.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_get_version);
PG_FUNCTION_INFO_V1(modelreg_get_by_alias);
PG_FUNCTION_INFO_V1(modelreg_resolve);

/* Columns of get_by_alias() and resolve(); get_version() has more. */
enum
{
	OUT_MODEL, OUT_VERSION, OUT_URI, OUT_PERMANENT_ID, OUT_MODEL_ID,
	OUT_STAGE, OUT_REGISTERED_AT, OUT_COLUMNS,
	OUT_STAGE_SINCE = OUT_COLUMNS, OUT_CURRENT, OUT_ALIASES, OUT_TAGS,
	OUT_OCCURRED_AT, OUT_ROLE, OUT_RUN, OUT_DESCRIPTION, OUT_SIGNATURE,
	OUT_PARAMS, OUT_ALL_COLUMNS
};

/* Which model is asked about, and when. */
typedef struct Target
{
	MrTeam		team;
	int64		id;
	char	   *name;			/* the present one, without the team */
	int32		current;		/* 0 for none */
	bool		retired;
	bool		past;			/* asked is what was so at a time */
	TimestampTz at;
	Snapshot	snapshot;
} Target;

char *
mr_permanent_id(Datum identity, int64 model, int32 version)
{
	return mr_model_uri_permanent(DatumGetUUIDP(identity), model, version);
}

/* The model whose row is in the table's slot. */
static void
read_target(MrTable *table, const MrTeam *team, Target *target)
{
	bool		none;
	bool		live;
	Datum		current = mr_table_get(table, MODEL_CURRENT_VERSION, &none);

	target->team = *team;
	target->team.name = pstrdup(team->name);
	target->id = DatumGetInt64(mr_table_get(table, MODEL_ID, NULL));
	target->name = TextDatumGetCString(mr_table_get(table, MODEL_NAME, NULL));
	target->current = none ? 0 : DatumGetInt32(current);
	(void) mr_table_get(table, MODEL_RETIRED_AT, &live);
	target->retired = !live;
}

/* The model of an id, for a reader of its team. */
static bool
find_target_by_id(int64 id, Target *target)
{
	MrTable    *table = mr_table_open_read("model");
	Datum		key = Int64GetDatum(id);
	const MrTeam *team = NULL;

	if (mr_table_find(table, "model_pkey", 1, &key, target->snapshot))
		team = mr_team_by_id(DatumGetInt64(mr_table_get(table, MODEL_TEAM_ID, NULL)));
	if (team != NULL)
		read_target(table, team, target);
	mr_table_close(table);
	return team != NULL;
}

/* The model of a name, by the names of the time that is asked about. */
static void
require_target(const char *qualified, Target *target)
{
	MrTable    *table;
	MrTeam		team;

	if (target->past)
	{
		if (!find_target_by_id(mr_require_model_at(qualified, target->at).id, target))
			elog(ERROR, "model \"%s\" is missing", qualified);
		return;
	}
	table = mr_table_open_read("model");
	team = mr_model_open(table, qualified, target->snapshot);
	read_target(table, &team, target);
	mr_table_close(table);
}

static char *
target_address(const Target *target)
{
	return psprintf("%s.%s", target->team.name, target->name);
}

static MrPast
past_of(const Target *target)
{
	MrPast		past = {target->id, target->at, target->snapshot};

	return past;
}

static int
detail_time(const Target *target)
{
	return target->past ? errdetail("As of %s.", timestamptz_to_str(target->at)) : 0;
}

static void
raise_no_version(const Target *target, int32 version)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" has no version %d", target_address(target),
					version),
			 detail_time(target),
			 errhint("The view modelreg.versions lists them."),
			 mr_reason("version_not_found")));
}

static void
raise_none_in_stage(const Target *target, MrStage stage)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 stage == MR_STAGE_PRODUCTION ?
			 errmsg("no version of \"%s\" is current in Production",
					target_address(target)) :
			 errmsg("no version of \"%s\" is in stage %s",
					target_address(target), mr_stage_name(stage)),
			 detail_time(target),
			 errhint("The view modelreg.versions shows the stage of each."),
			 mr_reason("no_version_in_stage")));
}

static void
raise_no_alias(const Target *target, const char *alias)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" has no alias \"%s\"",
					target_address(target), mr_text_clip(alias)),
			 detail_time(target),
			 errhint("modelreg.set_alias() points one at a version."),
			 mr_reason("alias_not_found")));
}

static int32
latest_version(const Target *target)
{
	MrPast		past = past_of(target);
	int32		version;

	if (!target->past)
		past.at = DT_NOEND;
	version = mr_past_latest(&past);
	if (version == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version yet", target_address(target)),
				 detail_time(target),
				 errhint("modelreg.register_version() makes one."),
				 mr_reason("version_not_found")));
	return version;
}

static int32
newest_in_stage_now(const Target *target, MrStage stage)
{
	MrTable    *table = mr_table_open_read("version_stage");
	Datum		keys[2] = {Int64GetDatum(target->id), MrStageGetDatum(stage)};
	MrScan	   *scan = mr_scan_begin(table, "version_stage_of_model", 2, keys,
									 target->snapshot);
	int32		version = 0;

	if (mr_scan_next(scan, true))
		version = DatumGetInt32(mr_table_get(table, VERSION_STAGE_VERSION, NULL));
	mr_scan_end(scan);
	mr_table_close(table);
	return version;
}

/* In Production the current one, in another stage the newest. */
static int32
version_in_stage(const Target *target, MrStage stage)
{
	bool		production = stage == MR_STAGE_PRODUCTION;
	MrPast		past = past_of(target);
	int32		version;

	if (target->past)
		version = production ? mr_past_current(&past) :
			mr_past_newest_in_stage(&past, stage);
	else
		version = production ? target->current :
			newest_in_stage_now(target, stage);
	if (version == 0)
		raise_none_in_stage(target, stage);
	return version;
}

/* Where an alias points now, and (birth not NULL) what its row says of the version. */
static int32
alias_now(const Target *target, const char *alias, MrVersionBirth *birth)
{
	MrTable    *table = mr_table_open_read("alias");
	Datum		keys[2] = {Int64GetDatum(target->id), CStringGetTextDatum(alias)};
	int32		version = 0;

	if (mr_table_find(table, "alias_pkey", 2, keys, target->snapshot))
	{
		version = DatumGetInt32(mr_table_get(table, ALIAS_VERSION, NULL));
		if (birth != NULL)
		{
			birth->identity = *DatumGetUUIDP(mr_table_get(table, ALIAS_VERSION_IDENTITY, NULL));
			birth->registered_at = DatumGetTimestampTz(mr_table_get(table, ALIAS_VERSION_REGISTERED_AT, NULL));
		}
	}
	mr_table_close(table);
	if (version == 0)
		raise_no_alias(target, alias);
	return version;
}

static int32
alias_then(const Target *target, const char *alias)
{
	MrPast		past = past_of(target);
	int32		version = mr_past_alias(&past, alias);

	if (version == 0)
		raise_no_alias(target, alias);
	return version;
}

/* The version that an address with names stands for, if the model has it. */
static int32
choose_version(const Target *target, const MrModelUri *uri)
{
	switch (uri->kind)
	{
		case MR_URI_VERSION:
			return uri->version;
		case MR_URI_LATEST:
			return latest_version(target);
		case MR_URI_STAGE:
			return version_in_stage(target, uri->stage);
		case MR_URI_ALIAS:
			return target->past ? alias_then(target, uri->alias) :
				alias_now(target, uri->alias, NULL);
		default:
			break;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is the address of a model, not of a version",
					mr_model_uri_print(uri)),
			 errhint("Say which one: append /14, /latest, /Production or @champion."),
			 mr_reason("not_a_version")));
	return 0;
}

/* Leave the row of a version in the table's slot. */
static bool
find_version(MrTable *table, const Target *target, int32 version)
{
	Datum		keys[2] = {Int64GetDatum(target->id), Int32GetDatum(version)};

	return mr_table_find(table, "version_pkey", 2, keys, target->snapshot) &&
		!(target->past &&
		  DatumGetTimestampTz(mr_table_get(table, VERSION_REGISTERED_AT, NULL)) > target->at);
}

/*
 * The stage of a version, and (since not NULL) from when on, as a snapshot sees
 * it; MR_STAGE_NONE when there is no such version.
 */
MrStage
mr_version_stage(int64 model, int32 version, Snapshot snapshot,
				 TimestampTz *since)
{
	MrTable    *table = mr_table_open_read("version_stage");
	MrStage		stage = mr_version_stage_in(table, model, version, snapshot, since);

	mr_table_close(table);
	return stage;
}

/* The same in the table version_stage, for who asks for one after another. */
MrStage
mr_version_stage_in(MrTable *table, int64 model, int32 version,
					Snapshot snapshot, TimestampTz *since)
{
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};

	if (!mr_table_find(table, "version_stage_pkey", 2, keys, snapshot))
		return MR_STAGE_NONE;
	if (since != NULL)
		*since = DatumGetTimestampTz(mr_table_get(table, VERSION_STAGE_SINCE, NULL));
	return DatumGetMrStage(mr_table_get(table, VERSION_STAGE_STAGE, NULL));
}

/* What is current is in Production, and its stage need not be looked up. */
static MrStage
stage_of(const Target *target, int32 version)
{
	MrPast		past = past_of(target);

	if (target->past)
		return mr_past_stage(&past, version);
	if (version == target->current)
		return MR_STAGE_PRODUCTION;
	return mr_version_stage(target->id, version, target->snapshot, NULL);
}

/* The columns that all getters have. */
static void
fill_common(const Target *target, int32 version, const MrVersionBirth *birth,
			Datum *values, bool *nulls)
{
	mr_set_text(values, nulls, OUT_MODEL, target_address(target));
	values[OUT_VERSION] = Int32GetDatum(version);
	mr_set_text(values, nulls, OUT_URI, target->retired ? NULL :
				mr_model_uri_of_version(target->team.name, target->name, version));
	mr_set_text(values, nulls, OUT_PERMANENT_ID,
				mr_model_uri_permanent(&birth->identity, target->id, version));
	values[OUT_MODEL_ID] = Int64GetDatum(target->id);
	mr_set_text(values, nulls, OUT_STAGE, mr_stage_name(stage_of(target, version)));
	values[OUT_REGISTERED_AT] = TimestampTzGetDatum(birth->registered_at);
}

/* The same of the version in the table's slot. */
static void
fill_from_row(MrTable *table, const Target *target, Datum *values, bool *nulls)
{
	MrVersionBirth birth;

	birth.identity = *DatumGetUUIDP(mr_table_get(table, VERSION_IDENTITY, NULL));
	birth.registered_at = DatumGetTimestampTz(mr_table_get(table, VERSION_REGISTERED_AT, NULL));
	fill_common(target, DatumGetInt32(mr_table_get(table, VERSION_VERSION, NULL)),
				&birth, values, nulls);
}

/*
 * modelreg.get_by_alias(model text, alias text) returns record
 *
 * Errors: 42704 for model or alias.
 */
Datum
modelreg_get_by_alias(PG_FUNCTION_ARGS)
{
	char	   *name = mr_arg_text(fcinfo, 0, "model");
	char	   *alias = mr_arg_text(fcinfo, 1, "alias");
	Target		target = {.snapshot = GetActiveSnapshot()};
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS] = {false};
	MrVersionBirth birth;
	int32		version;

	require_target(name, &target);
	version = alias_now(&target, alias, &birth);
	fill_common(&target, version, &birth, values, nulls);
	return mr_make_record(fcinfo, values, nulls);
}

/* A permanent id finds its version whatever became of the names. */
static MrTable *
open_permanent(const MrModelUri *uri, Target *target)
{
	MrTable    *table = mr_table_open_read("version");

	if (!find_target_by_id(uri->model_id, target) ||
		!find_version(table, target, uri->version) ||
		memcmp(DatumGetUUIDP(mr_table_get(table, VERSION_IDENTITY, NULL)),
			   &uri->identity, UUID_LEN) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("version \"%s\" does not exist or you may not read it",
						mr_model_uri_print(uri)),
				 detail_time(target),
				 errhint("The view modelreg.versions lists the permanent ids."),
				 mr_reason("version_not_found")));
	return table;
}

/* The row of the model's version of a number, in the table's slot. */
static MrTable *
open_number(const Target *target, int32 version)
{
	MrTable    *table = mr_table_open_read("version");

	if (!find_version(table, target, version))
		raise_no_version(target, version);
	return table;
}

/* The row of the version that an address stands for, in the table's slot. */
static MrTable *
open_uri(const MrModelUri *uri, Target *target)
{
	if (uri->kind == MR_URI_PERMANENT)
		return open_permanent(uri, target);
	require_target(psprintf("%s.%s", uri->team, uri->name), target);
	return open_number(target, choose_version(target, uri));
}

/* The same as the snapshot sees it now, for an address as text. */
MrTable *
mr_version_open(const char *address, Snapshot snapshot)
{
	Target		target = {.snapshot = snapshot};
	MrModelUri	uri;

	mr_model_uri_parse(address, NULL, &uri);
	return open_uri(&uri, &target);
}

/* The same for a model by its name and a number. */
MrTable *
mr_version_open_number(const char *model, int32 version, Snapshot snapshot)
{
	Target		target = {.snapshot = snapshot};

	require_target(model, &target);
	return open_number(&target, version);
}

/*
 * modelreg.resolve(uri text, at timestamptz) returns record
 *
 * at NULL: now.  Otherwise names, aliases and stages are those of that time.
 * Errors: 22P02 for what is no address, 22023 for that of a model, 42704,
 * 54000 when there are too many decisions to look back along.
 */
Datum
modelreg_resolve(PG_FUNCTION_ARGS)
{
	char	   *text = mr_arg_text(fcinfo, 0, "uri");
	Target		target = {.snapshot = GetActiveSnapshot()};
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS] = {false};
	MrModelUri	uri;
	MrTable    *table;
	Datum		result;

	mr_model_uri_parse(text, NULL, &uri);
	target.past = !PG_ARGISNULL(1);
	target.at = target.past ? PG_GETARG_TIMESTAMPTZ(1) : 0;
	table = open_uri(&uri, &target);
	fill_from_row(table, &target, values, nulls);
	result = mr_make_record(fcinfo, values, nulls);
	mr_table_close(table);
	return result;
}

/* The aliases of a version as a JSON array, in byte order; false for none. */
static bool
read_aliases(const Target *target, int32 version, Datum *aliases)
{
	MrTable    *table = mr_table_open_read("alias");
	Datum		keys[2] = {Int64GetDatum(target->id), Int32GetDatum(version)};
	MrScan	   *scan = mr_scan_begin(table, "alias_version", 2, keys, target->snapshot);
	JsonbParseState *state = NULL;
	int			n = 0;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	while (mr_scan_next(scan, false))
	{
		JsonbValue	value = {.type = jbvString};

		value.val.string.val = TextDatumGetCString(mr_table_get(table, ALIAS_ALIAS, NULL));
		value.val.string.len = strlen(value.val.string.val);
		pushJsonbValue(&state, WJB_ELEM, &value);
		n++;
	}
	mr_scan_end(scan);
	mr_table_close(table);
	*aliases = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
	return n > 0;
}

/* The tags of a version as a JSON object; false for none. */
static bool
read_tags(const Target *target, int32 version, Datum *tags)
{
	MrTable    *table = mr_table_open_read("tag");
	Datum		keys[2] = {Int64GetDatum(target->id), Int32GetDatum(version)};
	MrScan	   *scan = mr_scan_begin(table, "tag_pkey", 2, keys, target->snapshot);
	MrJson		json;
	int			n = 0;

	mr_json_begin(&json);
	while (mr_scan_next(scan, false))
	{
		mr_json_add_text(&json, TextDatumGetCString(mr_table_get(table, TAG_KEY, NULL)),
						 TextDatumGetCString(mr_table_get(table, TAG_VALUE, NULL)));
		n++;
	}
	mr_scan_end(scan);
	mr_table_close(table);
	*tags = JsonbPGetDatum(mr_json_end(&json));
	return n > 0;
}

/* The JSON that a payload column of the version in the slot names. */
static void
set_json(MrTable *table, AttrNumber attno, Datum *values, bool *nulls, int column)
{
	Datum		digest = mr_table_get(table, attno, &nulls[column]);
	char	   *body = nulls[column] ? NULL :
		mr_payload_fetch(DatumGetByteaPP(digest));

	nulls[column] = body == NULL;
	values[column] = body == NULL ? (Datum) 0 :
		DirectFunctionCall1(jsonb_in, CStringGetDatum(body));
}

static char *
run_address(MrTable *table, Snapshot snapshot)
{
	bool		isnull;
	Datum		run = mr_table_get(table, VERSION_RUN_ID, &isnull);
	MrNode		node;

	if (isnull || !mr_node_get(DatumGetInt64(run), snapshot, &node))
		return NULL;
	return mr_node_address(&node, snapshot);
}

static char *
role_of(Jsonb *who)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(&who->root, "role", strlen("role"), &value) == NULL ||
		value.type != jbvString)
		return NULL;
	return mr_json_cstring(&value);
}

/* The columns that only get_version() has. */
static void
fill_rest(MrTable *table, const Target *target, Datum *values, bool *nulls)
{
	int32		version = DatumGetInt32(values[OUT_VERSION]);
	bytea	   *description = mr_description_digest(target->id, version, target->snapshot);
	TimestampTz since = 0;

	(void) mr_version_stage(target->id, version, target->snapshot, &since);
	values[OUT_STAGE_SINCE] = TimestampTzGetDatum(since);
	values[OUT_CURRENT] = BoolGetDatum(version == target->current);
	nulls[OUT_ALIASES] = !read_aliases(target, version, &values[OUT_ALIASES]);
	nulls[OUT_TAGS] = !read_tags(target, version, &values[OUT_TAGS]);
	values[OUT_OCCURRED_AT] = mr_table_get(table, VERSION_OCCURRED_AT,
										   &nulls[OUT_OCCURRED_AT]);
	mr_set_text(values, nulls, OUT_ROLE,
			 role_of(DatumGetJsonbP(mr_table_get(table, VERSION_WHO, NULL))));
	mr_set_text(values, nulls, OUT_RUN, run_address(table, target->snapshot));
	mr_set_text(values, nulls, OUT_DESCRIPTION,
			 description ? mr_payload_fetch(description) : NULL);
	set_json(table, VERSION_SIGNATURE, values, nulls, OUT_SIGNATURE);
	set_json(table, VERSION_PARAMS, values, nulls, OUT_PARAMS);
}

/*
 * modelreg.get_version(model text, version integer) returns record
 *
 * Errors: 42704 for model or version.
 */
Datum
modelreg_get_version(PG_FUNCTION_ARGS)
{
	char	   *name = mr_arg_text(fcinfo, 0, "model");
	Target		target = {.snapshot = GetActiveSnapshot()};
	Datum		values[OUT_ALL_COLUMNS];
	bool		nulls[OUT_ALL_COLUMNS] = {false};
	MrTable    *table;
	Datum		result;

	mr_arg_require(fcinfo, 1, "version");
	require_target(name, &target);
	table = open_number(&target, PG_GETARG_INT32(1));
	fill_from_row(table, &target, values, nulls);
	fill_rest(table, &target, values, nulls);
	result = mr_make_record(fcinfo, values, nulls);
	mr_table_close(table);
	return result;
}
