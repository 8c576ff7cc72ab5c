/*
 * changes.c
 *		Which endpoints changed since somebody looked.
 *
 * For who follows many: one call says all that notifications would have told.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "access/access.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/grow.h"
#include "base/hash.h"
#include "serving/endpoint.h"
#include "serving/serving_tables.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_changes);

enum
{
	OUT_ENDPOINT_ID, OUT_ENDPOINT, OUT_LAST_EVENT, OUT_ETAG, OUT_RETIRED_AT,
	OUT_COLUMNS
};

/* What the caller knows of an endpoint. */
typedef struct Known
{
	int64		endpoint;		/* first, for mr_id_compare() */
	int64		number;
} Known;

typedef struct Since
{
	Known	   *known;			/* by endpoint */
	int			n;
} Since;

static void
raise_invalid(const char *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid member \"%s\" of argument \"since\"", mr_text_clip(key)),
			 errhint("Give numbers by the ids of endpoints, as in '{\"3\": 17}'."),
			 mr_reason("invalid_argument")));
}

static Known
parse_member(const JsonbValue *key, const JsonbValue *value)
{
	char	   *name = pnstrdup(key->val.string.val, key->val.string.len);
	Known		known;
	MrFault		fault;

	if (!mr_number_scan(name, strlen(name), PG_INT64_MAX - 1, "id", &known.endpoint, &fault) ||
		!mr_json_to_int(value, &known.number))
		raise_invalid(name);
	return known;
}

static Since
parse_since(Jsonb *json)
{
	Since		since = {0};
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;

	if (json == NULL)
		return since;
	since.known = palloc(Max(JB_ROOT_COUNT(json), 1) * sizeof(Known));
	it = JsonbIteratorInit(&json->root);
	(void) JsonbIteratorNext(&it, &key, true);	/* WJB_BEGIN_OBJECT */
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&it, &value, true);
		since.known[since.n++] = parse_member(&key, &value);
	}
	qsort(since.known, since.n, sizeof(Known), mr_id_compare);
	return since;
}

static void
put_endpoint(ReturnSetInfo *rsinfo, MrTable *table, const MrTeam *team)
{
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS] = {false};
	MrEndpoint	endpoint;

	mr_endpoint_read(table, team, &endpoint);
	values[OUT_ENDPOINT_ID] = Int64GetDatum(endpoint.id);
	values[OUT_ENDPOINT] = CStringGetTextDatum(mr_endpoint_address(&endpoint));
	values[OUT_LAST_EVENT] = Int64GetDatum(endpoint.seq);
	values[OUT_ETAG] = CStringGetTextDatum(mr_endpoint_etag(endpoint.schedule_seq,
														   endpoint.schedule_hash));
	values[OUT_RETIRED_AT] = mr_table_get(table, ENDPOINT_RETIRED_AT, &nulls[OUT_RETIRED_AT]);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static bool
is_known(const Since *since, int64 endpoint, int64 number)
{
	const Known *known = since->n == 0 ? NULL :
		bsearch(&endpoint, since->known, since->n, sizeof(Known), mr_id_compare);

	return known != NULL && known->number == number;
}

/* The live endpoints of a team. */
static void
put_team(ReturnSetInfo *rsinfo, MrTable *table, int64 id, const Since *since,
		 Snapshot snapshot)
{
	Datum		key = Int64GetDatum(id);
	MrScan	   *scan = mr_scan_begin(table, "endpoint_live_name", 1, &key, snapshot);

	while (mr_scan_next(scan, false))
	{
		/* each look may find that the right to read the team is gone */
		const MrTeam *team = mr_team_by_id(id);

		if (team != NULL &&
			!is_known(since, DatumGetInt64(mr_table_get(table, ENDPOINT_ID, NULL)),
					  DatumGetInt64(mr_table_get(table, ENDPOINT_SEQ, NULL))))
			put_endpoint(rsinfo, table, team);
	}
	mr_scan_end(scan);
}

/* Those that the caller knows and that were retired. */
static void
put_retired(ReturnSetInfo *rsinfo, MrTable *table, const Since *since,
			Snapshot snapshot)
{
	for (int i = 0; i < since->n; i++)
	{
		Datum		key = Int64GetDatum(since->known[i].endpoint);
		const MrTeam *team;
		bool		live = true;

		CHECK_FOR_INTERRUPTS();
		if (!mr_table_find(table, "endpoint_pkey", 1, &key, snapshot))
			continue;
		(void) mr_table_get(table, ENDPOINT_RETIRED_AT, &live);
		team = mr_team_by_id(DatumGetInt64(mr_table_get(table, ENDPOINT_TEAM_ID, NULL)));
		if (!live && team != NULL)
			put_endpoint(rsinfo, table, team);
	}
}

/*
 * modelreg.changes(since jsonb) returns setof record: the endpoints that the
 * caller may read and whose last event is another one than since says.
 *
 * Errors: 22023.
 */
Datum
modelreg_changes(PG_FUNCTION_ARGS)
{
	Since		since = parse_since(mr_arg_object_or_null(fcinfo, 0, "since"));
	Snapshot	snapshot = GetActiveSnapshot();
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MrTable    *table;
	int64	   *teams;
	int			nteams;

	InitMaterializedSRF(fcinfo, 0);
	table = mr_table_open_read("endpoint");
	teams = mr_readable_teams(&nteams);
	for (int i = 0; i < nteams; i++)
		put_team(rsinfo, table, teams[i], &since, snapshot);
	put_retired(rsinfo, table, &since, snapshot);
	mr_table_close(table);
	return (Datum) 0;
}
