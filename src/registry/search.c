/*
 * search.c
 *		modelreg.search_versions().
 *
 * The arguments become filters, all names among them checked against the
 * caller's rights; search_read.c reads one index; what matches comes back
 * here and becomes rows.  Nothing is locked, nothing is written, and no SQL
 * runs, so that the cost depends on no plan.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/row.h"
#include "base/settings.h"
#include "base/snapshot.h"
#include "lineage/lineage.h"
#include "registry/registry_tables.h"
#include "registry/search_scan.h"
#include "registry/search_tables.h"
#include "types/model_uri.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_search_versions);

#define PAGE_MAX 10000
#define PARAM_VALUE_SHOWN 100	/* characters that the fold of params keeps */

enum
{
	ARG_MODEL, ARG_TEAM, ARG_NAME_PATTERN, ARG_WORDS, ARG_STAGE, ARG_TAG_KEY,
	ARG_TAG_VALUE, ARG_PARAM_KEY, ARG_PARAM_VALUE, ARG_METRIC,
	ARG_METRIC_MIN, ARG_METRIC_MAX, ARG_LOWEST_FIRST, ARG_RUN,
	ARG_SNAPSHOT, ARG_COMMIT, ARG_REGISTERED_SINCE, ARG_REGISTERED_UNTIL,
	ARG_LAST_FILTER = ARG_REGISTERED_UNTIL,
	ARG_AFTER, ARG_PAGE_SIZE
};

/* Columns of the result. */
enum
{
	OUT_MODEL, OUT_VERSION, OUT_STAGE, OUT_REGISTERED_AT, OUT_URI,
	OUT_PERMANENT_ID, OUT_DESCRIPTION, OUT_METRIC_VALUE, OUT_KEY, OUT_COLUMNS
};

static void
raise_incomplete(const char *given, const char *missing)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is given without %s", given, missing),
			 mr_reason("invalid_filter")));
}

/* The filter `given` says nothing without the filter `needed`. */
static void
require_with(FunctionCallInfo fcinfo, int given, int needed,
			 const char *given_name, const char *needed_name)
{
	if (!PG_ARGISNULL(given) && PG_ARGISNULL(needed))
		raise_incomplete(given_name, needed_name);
}

/* The teams to look in: the one that was named, or all that are readable. */
static void
read_teams(FunctionCallInfo fcinfo, MrSearchFilters *filters)
{
	if (!PG_ARGISNULL(ARG_MODEL))
	{
		filters->model = palloc(sizeof(MrModel));
		*filters->model = mr_require_model(mr_arg_text(fcinfo, ARG_MODEL, "model"),
										   MR_READER, GetActiveSnapshot());
	}
	if (PG_ARGISNULL(ARG_TEAM) && filters->model == NULL)
	{
		filters->teams = mr_readable_teams(&filters->nteams);
		return;
	}
	filters->teams = palloc(sizeof(int64));
	filters->nteams = 1;
	if (!PG_ARGISNULL(ARG_TEAM))
		filters->teams[0] = mr_require_team(mr_arg_text(fcinfo, ARG_TEAM, "team"),
											MR_READER).id;
	else
		filters->teams[0] = filters->model->team.id;
}

static void
read_words(FunctionCallInfo fcinfo, MrSearchFilters *filters)
{
	if (PG_ARGISNULL(ARG_WORDS))
		return;
	filters->words = mr_search_words(mr_arg_text(fcinfo, ARG_WORDS, "words"));
	if (filters->words.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("words has no word to search for"),
				 mr_reason("invalid_filter")));
}

static void
read_pairs(FunctionCallInfo fcinfo, MrSearchFilters *filters)
{
	require_with(fcinfo, ARG_TAG_VALUE, ARG_TAG_KEY, "tag_value", "tag_key");
	require_with(fcinfo, ARG_PARAM_KEY, ARG_PARAM_VALUE, "param_key",
				 "param_value");
	require_with(fcinfo, ARG_PARAM_VALUE, ARG_PARAM_KEY, "param_value",
				 "param_key");
	filters->tag_key = mr_arg_text_or_null(fcinfo, ARG_TAG_KEY);
	filters->tag_value = mr_arg_text_or_null(fcinfo, ARG_TAG_VALUE);
	filters->param_key = mr_arg_text_or_null(fcinfo, ARG_PARAM_KEY);
	filters->param_value = mr_arg_text_or_null(fcinfo, ARG_PARAM_VALUE);
	if (filters->param_value != NULL)
		filters->param_value[pg_mbcharcliplen(filters->param_value,
											  strlen(filters->param_value),
											  PARAM_VALUE_SHOWN)] = '\0';
}

/* NaN is above all numbers, and is found only by who asks for it. */
static void
read_metric(FunctionCallInfo fcinfo, MrSearchFilters *filters)
{
	require_with(fcinfo, ARG_METRIC_MIN, ARG_METRIC, "metric_min", "metric");
	require_with(fcinfo, ARG_METRIC_MAX, ARG_METRIC, "metric_max", "metric");
	filters->metric = mr_arg_text_or_null(fcinfo, ARG_METRIC);
	filters->metric_min = PG_ARGISNULL(ARG_METRIC_MIN) ?
		-get_float8_infinity() : PG_GETARG_FLOAT8(ARG_METRIC_MIN);
	if (!PG_ARGISNULL(ARG_METRIC_MAX))
		filters->metric_max = PG_GETARG_FLOAT8(ARG_METRIC_MAX);
	else
		filters->metric_max = isnan(filters->metric_min) ?
			filters->metric_min : get_float8_infinity();
	mr_arg_require(fcinfo, ARG_LOWEST_FIRST, "lowest_first");
	filters->lowest_first = PG_GETARG_BOOL(ARG_LOWEST_FIRST);
	if (filters->lowest_first && filters->metric == NULL)
		raise_incomplete("lowest_first", "metric");
}

static void
read_filters(FunctionCallInfo fcinfo, MrSearch *search)
{
	MrSearchFilters *filters = &search->filters;

	read_teams(fcinfo, filters);
	filters->name_pattern = mr_arg_text_or_null(fcinfo, ARG_NAME_PATTERN);
	read_words(fcinfo, filters);
	filters->stage = PG_ARGISNULL(ARG_STAGE) ? MR_STAGE_NONE :
		PG_GETARG_MRSTAGE(ARG_STAGE);
	read_pairs(fcinfo, filters);
	read_metric(fcinfo, filters);
	if (!PG_ARGISNULL(ARG_RUN))
		filters->run = mr_node_require(mr_arg_text(fcinfo, ARG_RUN, "run"),
									   search->snapshot);
	if (!PG_ARGISNULL(ARG_SNAPSHOT))
		mr_search_origin_add(search, MR_NODE_KIND_SNAPSHOT,
							 mr_arg_text(fcinfo, ARG_SNAPSHOT, "snapshot"));
	if (!PG_ARGISNULL(ARG_COMMIT))
		mr_search_origin_add(search, MR_NODE_KIND_COMMIT,
							 mr_arg_text(fcinfo, ARG_COMMIT, "commit"));
	filters->since = PG_ARGISNULL(ARG_REGISTERED_SINCE) ? DT_NOBEGIN :
		PG_GETARG_TIMESTAMPTZ(ARG_REGISTERED_SINCE);
	filters->until = PG_ARGISNULL(ARG_REGISTERED_UNTIL) ? DT_NOEND :
		PG_GETARG_TIMESTAMPTZ(ARG_REGISTERED_UNTIL);
}

static Oid
filter_type(int argument)
{
	switch (argument)
	{
		case ARG_METRIC_MIN:
		case ARG_METRIC_MAX:
			return FLOAT8OID;
		case ARG_LOWEST_FIRST:
			return BOOLOID;
		case ARG_REGISTERED_SINCE:
		case ARG_REGISTERED_UNTIL:
			return TIMESTAMPTZOID;
		default:
			return TEXTOID;
	}
}

/* A fingerprint of the filters, so that a key is not used with others. */
static void
fingerprint(FunctionCallInfo fcinfo, MrSearch *search)
{
	uint8		hash[MR_HASH_LEN];
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i <= ARG_LAST_FILTER; i++)
		if (i == ARG_STAGE)
			mr_encode_datum(&buf, INT4OID,
							Int32GetDatum(search->filters.stage), false);
		else
			mr_encode_datum(&buf, filter_type(i), PG_GETARG_DATUM(i),
							PG_ARGISNULL(i));
	mr_sha256(buf.data, buf.len, hash);
	memcpy(search->print, hash, MR_SEARCH_PRINT_LEN);
	pfree(buf.data);
}

static int
read_page_size(FunctionCallInfo fcinfo)
{
	int			size;

	mr_arg_require(fcinfo, ARG_PAGE_SIZE, "page_size");
	size = PG_GETARG_INT32(ARG_PAGE_SIZE);
	if (size < 1 || size > PAGE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page_size must be between 1 and %d: %d", PAGE_MAX, size),
				 mr_reason("invalid_page_size")));
	return size;
}

static void
open_tables(MrSearch *search)
{
	search->models = mr_table_open_read("model");
	search->versions = mr_table_open_read("version");
	search->stages = mr_table_open_read("version_stage");
	search->tags = mr_table_open_read("tag");
	search->params = mr_table_open_read("param");
	search->metrics = mr_table_open_read("metric");
	search->descriptions = mr_table_open_read("description");
	search->payloads = mr_table_open_read("payload");
	search->latest = RegisterSnapshot(mr_latest_snapshot());
}

static void
close_tables(MrSearch *search)
{
	mr_table_close(search->models);
	mr_table_close(search->versions);
	mr_table_close(search->stages);
	mr_table_close(search->tags);
	mr_table_close(search->params);
	mr_table_close(search->metrics);
	mr_table_close(search->descriptions);
	mr_table_close(search->payloads);
	UnregisterSnapshot(search->latest);
}

/* The description of a version now; NULL for none and for a redacted one. */
static char *
fetch_description(MrSearch *search, const MrSearchRow *row)
{
	MrTable    *table = search->descriptions;
	Datum		payload;

	if (!mr_search_find(search, table, "description_pkey", row->model,
						row->version))
		return NULL;
	payload = mr_table_get(table, DESCRIPTION_PAYLOAD, NULL);
	return mr_payload_read(search->payloads, DatumGetByteaPP(payload), search->latest);
}

static void
set_version(MrSearch *search, const MrSearchRow *row, Datum *values,
			bool *nulls)
{
	const MrSearchModel *model = search->model;

	mr_set_text(values, nulls, OUT_MODEL,
				psprintf("%s.%s", model->team_name, model->name));
	values[OUT_VERSION] = Int32GetDatum(row->version);
	values[OUT_REGISTERED_AT] = TimestampTzGetDatum(row->registered_at);
	nulls[OUT_VERSION] = nulls[OUT_REGISTERED_AT] = false;
	mr_set_text(values, nulls, OUT_STAGE, mr_stage_name(row->stage));
	mr_set_text(values, nulls, OUT_URI,
				mr_model_uri_of_version(model->team_name, model->name, row->version));
	mr_set_text(values, nulls, OUT_PERMANENT_ID,
				mr_permanent_id(row->identity, row->model, row->version));
	mr_set_text(values, nulls, OUT_DESCRIPTION, fetch_description(search, row));
	values[OUT_METRIC_VALUE] = Float8GetDatum(row->value);
	nulls[OUT_METRIC_VALUE] = search->filters.metric == NULL;
}

static void
put_row(MrSearch *search, const MrSearchRow *row, const MrSearchPlace *place)
{
	Datum		values[OUT_COLUMNS] = {0};
	bool		nulls[OUT_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	if (row != NULL)
		set_version(search, row, values, nulls);
	mr_set_text(values, nulls, OUT_KEY, mr_search_key_print(search, place));
	tuplestore_putvalues(search->rsinfo->setResult, search->rsinfo->setDesc,
						 values, nulls);
}

/* Show a version that matches; false when the page is full with it. */
bool
mr_search_emit(MrSearch *search, const MrSearchRow *row,
			   const MrSearchPlace *place)
{
	put_row(search, row, place);
	search->shown_at = search->scanned;
	return ++search->emitted < search->page_size;
}

/*
 * Go on to the next row?  Not when as many as are allowed were looked at;
 * then a row says from where, unless one with a version says so already.
 */
bool
mr_search_pause(MrSearch *search, const MrSearchPlace *place)
{
	if (search->scanned < mr_search_scan_limit)
		return true;
	if (search->emitted == 0 || search->shown_at != search->scanned)
		put_row(search, NULL, place);
	return false;
}

/*
 * modelreg.search_versions(filters, after text, page_size integer)
 *
 * A row per version that matches all filters, each with its key; a last row
 * with nothing but a key when the search stopped at
 * modelreg.search_scan_limit.  Errors: 42704 for a model, team or node, 22023
 * for a filter, key or size.
 */
Datum
modelreg_search_versions(PG_FUNCTION_ARGS)
{
	MrSearch	search = {0};
	MrSearchPlace after = {0};

	search.snapshot = GetActiveSnapshot();
	read_filters(fcinfo, &search);
	search.page_size = read_page_size(fcinfo);
	search.path = mr_search_choose_path(&search.filters);
	fingerprint(fcinfo, &search);
	if (!PG_ARGISNULL(ARG_AFTER))
		mr_search_key_parse(&search, mr_arg_text(fcinfo, ARG_AFTER, "after"),
							&after);
	InitMaterializedSRF(fcinfo, 0);
	search.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	search.row_context = AllocSetContextCreate(CurrentMemoryContext,
											   "modelreg search row",
											   ALLOCSET_DEFAULT_SIZES);
	search.known = palloc0(MR_SEARCH_KNOWN * sizeof(MrSearchModel));
	open_tables(&search);
	mr_search_run(&search, PG_ARGISNULL(ARG_AFTER) ? NULL : &after);
	close_tables(&search);
	return (Datum) 0;
}
