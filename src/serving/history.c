/*
 * history.c
 *		traffic_between: which versions had traffic in a span of time, and how much.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/owner.h"
#include "base/stmt.h"
#include "serving/endpoint.h"

PG_FUNCTION_INFO_V1(modelreg_traffic_between);

#define COLUMNS 9

/*
 * The schedules of the span are those that were laid down in it and the last
 * one before; each of their steps lasts until the next one, or until another
 * schedule replaced it.  Found by the indexes, however long the history is.
 */
static MrStmt traffic = {
	"WITH schedule AS (SELECT s.seq, lead(s.at, 1, $3) OVER (ORDER BY s.seq) AS until FROM ("
	"(SELECT seq, at FROM modelreg.traffic_schedule WHERE endpoint_id = $1 AND at <= $2 ORDER BY at DESC, seq DESC LIMIT 1) "
	"UNION ALL SELECT seq, at FROM modelreg.traffic_schedule WHERE endpoint_id = $1 AND at > $2 AND at < $3) s), "
	"step AS (SELECT x.seq, x.step, GREATEST(x.opens, $2) AS since, "
	"LEAST(lead(x.opens, 1, 'infinity') OVER (PARTITION BY x.seq ORDER BY x.step), x.until) AS until "
	"FROM (SELECT DISTINCT a.seq, a.step, a.opens, s.until FROM schedule s JOIN modelreg.traffic_arm a "
	"ON a.endpoint_id = $1 AND a.seq = s.seq) x), "
	"lasting AS (SELECT t.*, EXTRACT(epoch FROM t.until - t.since) AS seconds FROM step t WHERE t.since < t.until) "
	"SELECT $4 || '.' || m.name, m.id, a.version, CASE WHEN a.share = 0 THEN 'shadow' ELSE 'serving' END, "
	"min(l.since), max(l.until), sum(l.seconds)::float8, (sum(l.seconds * a.share) / 1000000)::float8, "
	"(sum(l.seconds * a.share) / 10000 / (SELECT sum(seconds) FROM lasting))::float8 "
	"FROM lasting l JOIN modelreg.traffic_arm a ON a.endpoint_id = $1 AND a.seq = l.seq AND a.step = l.step "
	"JOIN modelreg.model m ON m.id = a.model_id "
	"GROUP BY m.id, m.name, a.version, a.share = 0 ORDER BY m.name, m.id, a.version, a.share = 0",
	4, {INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}, NULL
};

static void
put_row(ReturnSetInfo *rsinfo, uint64 row)
{
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		values[i] = mr_stmt_value(row, i + 1, &nulls[i]);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* As the owner: the endpoint is one that the caller may read. */
static void
put_rows(ReturnSetInfo *rsinfo, Datum *values, Snapshot snapshot)
{
	MrOwnerScope scope;
	uint64		n;

	mr_owner_begin(&scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	n = mr_stmt_read_as_of(&traffic, values, NULL, snapshot, 0);
	for (uint64 row = 0; row < n; row++)
		put_row(rsinfo, row);
	SPI_finish();
	mr_owner_end(&scope);
}

/* Until when: nothing is known of the time after now. */
static TimestampTz
until_arg(FunctionCallInfo fcinfo)
{
	TimestampTz now = GetCurrentTimestamp();

	return PG_ARGISNULL(2) ? now : Min(PG_GETARG_TIMESTAMPTZ(2), now);
}

/*
 * modelreg.traffic_between(endpoint text, since timestamptz, until timestamptz):
 *		a row for each version and role.
 *
 * until: null for now.  Errors: 42704 for the endpoint, 22023 for a span that
 * ends before it begins.
 */
Datum
modelreg_traffic_between(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = GetActiveSnapshot();
	char	   *address = mr_arg_text(fcinfo, 0, "endpoint");
	MrEndpoint	endpoint = mr_require_endpoint(address, MR_READER, snapshot);
	Datum		values[4] = {Int64GetDatum(endpoint.id)};

	mr_arg_require(fcinfo, 1, "since");
	values[1] = PG_GETARG_DATUM(1);
	values[2] = TimestampTzGetDatum(until_arg(fcinfo));
	values[3] = CStringGetTextDatum(endpoint.team.name);
	if (!PG_ARGISNULL(2) && PG_GETARG_TIMESTAMPTZ(2) < DatumGetTimestampTz(values[1]))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a span of time ends before it begins"),
				 errhint("Exchange since and until."),
				 mr_reason("invalid_span")));
	InitMaterializedSRF(fcinfo, 0);
	put_rows((ReturnSetInfo *) fcinfo->resultinfo, values, snapshot);
	return (Datum) 0;
}
