/*
 * trace.c
 *		trace_prediction(): what stood behind one answer of an endpoint.
 *
 * Which version answered is known from the log, or from the receipt, which
 * names the step of a schedule, be it one that another schedule replaced before
 * the step opened; else it is computed from the schedule of
 * that time.  The schedule says what was planned: a server that had not heard of it
 * yet did something else, so what was computed is never certain.  The statements run
 * as the caller, who sees what he may read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/owner.h"
#include "base/stmt.h"
#include "serving/endpoint.h"
#include "serving/receipt.h"
#include "serving/route.h"
#include "serving/schedule_row.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_trace_prediction);

enum
{
	ARG_ENDPOINT, ARG_REQUEST_KEY, ARG_AT, ARG_RECEIPT, ARG_MAX_DEPTH
};

/* Columns of the result; the statements give all but the last two. */
enum
{
	OUT_BASIS = 10, OUT_CERTAIN, OUT_COLUMNS
};

typedef struct Trace
{
	FunctionCallInfo fcinfo;
	ReturnSetInfo *rsinfo;
	Snapshot	snapshot;
	MrEndpoint	endpoint;
	text	   *key;			/* or NULL */
	const MrSchedule *schedule;
	int			step;
	TimestampTz at;				/* of the answer, as far as is known */
	MrArm	   *arms;			/* that answered, or one of which did */
	int			narms;
	Datum		output;
	bool		has_output;
	const char *basis;
	bool		certain;
} Trace;

/*
 * What was logged of a key last, in some time; versions that only saw the
 * request are left out, by the step of the receipt, else by that of the time.
 */
#define LOGGED(condition) \
	"SELECT p.at, p.model_id, p.version, p.event, p.step, p.output FROM modelreg.prediction p " \
	"WHERE p.endpoint_id = $1 AND p.request_key = $2 AND p.at >= $3 AND NOT EXISTS (SELECT FROM modelreg.traffic_arm a " \
	"WHERE a.endpoint_id = p.endpoint_id AND a.seq = COALESCE(p.event, $4) AND a.step = COALESCE(p.step, $5) " \
	"AND a.model_id = p.model_id AND a.version = p.version AND a.share = 0) AND " condition " ORDER BY p.at DESC, p.recorded_at DESC LIMIT 1"

static MrStmt logged_at_stmt = {
	LOGGED("p.at <= $6"),
	6, {INT8OID, TEXTOID, TIMESTAMPTZOID, INT8OID, INT4OID, TIMESTAMPTZOID}, NULL
};

static MrStmt logged_receipt_stmt = {
	LOGGED("p.event = $4 AND p.step = $5"),
	5, {INT8OID, TEXTOID, TIMESTAMPTZOID, INT8OID, INT4OID}, NULL
};

/*
 * The name that a team or a model had at a time; what a client's clock puts
 * before the first one had that.
 */
#define NAME_THEN(what, id, at) \
	"(SELECT n.name FROM modelreg." what "_name n WHERE n." what "_id = " id \
	" ORDER BY n.since > " at ", CASE WHEN n.since > " at " THEN n.since END, n.since DESC LIMIT 1)"

/* Clocks of servers are not ours. */
#define CLOCK_SLACK USECS_PER_HOUR

/* The event that laid down the schedule, and the one that had replaced it by then. */
static MrStmt traffic_stmt = {
	"SELECT 'traffic', x.kind, " NAME_THEN("team", "e.team_id", "$7") " || '.' || e.name, NULL::text, NULL::integer, x.seq, x.at, NULL::integer, 'sha256:' || encode(s.hash, 'hex'), "
	"jsonb_strip_nulls(jsonb_build_object('endpoint_id', e.id, 'receipt', x.seq || '.' || $3, 'since', $4, 'request_key', $5, 'position', $6, 'predicted', CASE WHEN $5 IS NOT NULL THEN $7 END, "
	"'rollout', s.rollout, 'replaced_by', r.seq, 'replaced_at', r.at, 'role', x.who->>'role', 'reason', p.body)) "
	"FROM modelreg.event x JOIN modelreg.traffic_schedule s ON s.endpoint_id = x.chain_id AND s.seq = x.seq "
	"JOIN modelreg.endpoint e ON e.id = x.chain_id LEFT JOIN modelreg.payload p ON p.digest = x.prose "
	"LEFT JOIN LATERAL (SELECT n.seq, n.at FROM modelreg.traffic_schedule n WHERE n.endpoint_id = s.endpoint_id AND n.seq > s.seq ORDER BY n.seq LIMIT 1) r ON r.at <= $7 "
	"WHERE x.chain = 6 AND x.chain_id = $1 AND x.seq = $2",
	7, {INT8OID, INT8OID, INT4OID, TIMESTAMPTZOID, TEXTOID, INT4OID, TIMESTAMPTZOID}, NULL
};

#define VERSION \
	"v AS (SELECT r.*, " NAME_THEN("team", "m.team_id", "$3") " || '.' || " NAME_THEN("model", "m.id", "$3") " AS model, m.retired_at, 'modelreg:' || r.identity || '/' || r.model_id || '/' || r.version AS permanent_id " \
	"FROM modelreg.version r JOIN modelreg.model m ON m.id = r.model_id WHERE r.model_id = $1 AND r.version = $2)"

/* The decision by which it was in the stage in which it served. */
#define DECISION \
	"d AS (SELECT t.* FROM modelreg.transitions t WHERE t.model_id = $1 AND t.version = $2 AND t.at <= $3 " \
	"ORDER BY t.to_stage = 'Archived', t.number DESC LIMIT 1)"

/* The version, the decision that let it in, and all that it was made from. */
static MrStmt version_stmt = {
	"WITH " VERSION ", " DECISION ", part AS ("
	"SELECT 1 AS nr, 'version' AS part, 'version' AS kind, CASE WHEN v.retired_at <= $3 THEN v.permanent_id ELSE 'models:/' || v.model || '/' || v.version END AS address, "
	"$4::text AS role, 0 AS depth, v.version::bigint AS number, v.registered_at AS at, $5::integer AS share, 'sha256:' || encode(v.hash, 'hex') AS digest, "
	"jsonb_build_object('permanent_id', v.permanent_id, 'registered_by', v.who->>'role') || CASE WHEN $6 IS NULL THEN '{}' ELSE jsonb_build_object('output', $6) END AS detail, NULL::bigint AS node_id FROM v "
	"UNION ALL SELECT 2, 'decision', d.kind, v.model, d.to_stage, NULL, d.number, d.at, NULL, d.evidence, "
	"jsonb_strip_nulls(jsonb_build_object('from_stage', d.from_stage, 'to_stage', d.to_stage, 'policy', d.policy, 'policy_digest', 'sha256:' || d.policy_digest, "
	"'request', d.request, 'by_policy', d.by_policy, 'role', d.role, 'reason', d.reason)), NULL FROM d CROSS JOIN v "
	"UNION ALL SELECT 3, 'lineage', u.kind, u.address, u.role, u.depth, NULL, u.recorded_at, NULL, n.digest::text, "
	"jsonb_strip_nulls(jsonb_build_object('node_id', u.node_id, 'uri', n.uri, 'rows', n.rows, 'by_supersession', CASE WHEN u.by_supersession THEN true END)), u.node_id "
	"FROM v CROSS JOIN LATERAL modelreg.upstream(v.permanent_id, NULL, NULL, $7) u LEFT JOIN modelreg.node n ON n.id = u.node_id) "
	"SELECT p.part, p.kind, p.address, p.role, p.depth, p.number, p.at, p.share, p.digest, p.detail FROM part p "
	"ORDER BY p.nr, p.depth, p.role COLLATE \"C\", p.address COLLATE \"C\", p.node_id",
	7, {INT8OID, INT4OID, TIMESTAMPTZOID, TEXTOID, INT4OID, JSONBOID, INT4OID}, NULL
};

static void
raise_not_enough(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a prediction is known by its request key and time, or by its receipt"),
			 errhint("Give request_key and at, or receipt, or all of them."),
			 mr_reason("invalid_argument")));
}

/* Take the step that a receipt names; false where there is none. */
static bool
take_step(Trace *trace, const MrReceipt *receipt)
{
	if (!mr_receipt_is_known(receipt, trace->endpoint.id, trace->snapshot))
		return false;
	trace->schedule = mr_schedule_load(trace->endpoint.id, receipt->event, NULL, trace->snapshot);
	trace->step = receipt->step;
	/* a forged arm may be of none of its steps */
	return trace->step < trace->schedule->nsteps;
}

static void
begin_by_receipt(Trace *trace, const text *text)
{
	MrReceipt	receipt = mr_receipt_parse(text);

	if (!take_step(trace, &receipt))
		mr_receipt_raise_unknown(text_to_cstring(text), &trace->endpoint);
	if (trace->at == DT_NOBEGIN)
		trace->at = trace->schedule->steps[trace->step].opens;
	trace->basis = "receipt";
}

static void
begin_by_time(Trace *trace)
{
	trace->schedule = mr_endpoint_schedule_at(&trace->endpoint, trace->at, trace->snapshot);
	trace->step = mr_schedule_step_at(trace->schedule, trace->at);
	trace->basis = "computed";
}

/* What is asked about: the endpoint by the names of that time, the step. */
static void
begin(Trace *trace)
{
	FunctionCallInfo fcinfo = trace->fcinfo;
	char	   *endpoint = mr_arg_text(fcinfo, ARG_ENDPOINT, "endpoint");

	trace->at = PG_ARGISNULL(ARG_AT) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(ARG_AT);
	trace->key = PG_ARGISNULL(ARG_REQUEST_KEY) ? NULL : PG_GETARG_TEXT_PP(ARG_REQUEST_KEY);
	if (PG_ARGISNULL(ARG_RECEIPT) && (trace->key == NULL || PG_ARGISNULL(ARG_AT)))
		raise_not_enough();
	trace->endpoint = PG_ARGISNULL(ARG_AT) ?
		mr_require_endpoint(endpoint, MR_READER, trace->snapshot) :
		mr_require_endpoint_at(endpoint, trace->at);
	if (PG_ARGISNULL(ARG_RECEIPT))
		begin_by_time(trace);
	else
		begin_by_receipt(trace, PG_GETARG_TEXT_PP(ARG_RECEIPT));
}

static const MrStep *
step_of(const Trace *trace)
{
	return &trace->schedule->steps[trace->step];
}

static void
set_one_arm(Trace *trace, int64 model, int32 version)
{
	trace->arms = palloc(sizeof(MrArm));
	trace->arms->model = model;
	trace->arms->version = version;
	trace->narms = 1;
}

/* The key's; the salts of two schedules may differ. */
static int32
position_of_key(const Trace *trace)
{
	return mr_route_position(trace->schedule->salt, VARDATA_ANY(trace->key),
							 VARSIZE_ANY_EXHDR(trace->key));
}

/* By the key's position; without a key it may be any arm with a share. */
static void
compute_arms(Trace *trace)
{
	const MrSegments *segments = &step_of(trace)->segments;
	const MrArm *arm;
	MrSplit		split;

	if (trace->key != NULL)
	{
		arm = mr_segments_at(segments, position_of_key(trace));
		set_one_arm(trace, arm->model, arm->version);
		return;
	}
	split = mr_split_of(segments);
	trace->arms = palloc(split.n * sizeof(MrArm));
	for (int i = 0; i < split.n; i++)
		trace->arms[i] = split.shares[i].arm;
	trace->narms = split.n;
}

/* Run the statement that finds what was logged; false for nothing. */
static bool
find_logged(Trace *trace)
{
	bool		by_receipt = strcmp(trace->basis, "receipt") == 0;
	Datum		values[6] = {Int64GetDatum(trace->endpoint.id), PointerGetDatum(trace->key),
		TimestampTzGetDatum(step_of(trace)->opens - (by_receipt ? CLOCK_SLACK : 0)),
		Int64GetDatum(trace->schedule->seq), Int32GetDatum(trace->step),
	TimestampTzGetDatum(trace->at)};

	return mr_stmt_read_as_of(by_receipt ? &logged_receipt_stmt : &logged_at_stmt,
							  values, NULL, trace->snapshot, 0) > 0;
}

/* A server that was behind names a step of an earlier schedule in its receipt. */
static void
follow_logged_receipt(Trace *trace)
{
	bool		none;
	MrReceipt	receipt = {.event = DatumGetInt64(mr_stmt_value(0, 4, &none))};

	if (none)
		return;
	receipt.step = DatumGetInt32(mr_stmt_value(0, 5, &none));
	(void) take_step(trace, &receipt);
}

/* Take what the log has of the key, if it has anything. */
static void
look_into_log(Trace *trace)
{
	bool		none;

	if (trace->key == NULL || !find_logged(trace))
		return;
	set_one_arm(trace, DatumGetInt64(mr_stmt_value(0, 2, &none)),
				DatumGetInt32(mr_stmt_value(0, 3, &none)));
	trace->at = DatumGetTimestampTz(mr_stmt_value(0, 1, &none));
	trace->output = mr_stmt_value(0, 6, &none);
	trace->has_output = !none;
	trace->basis = "logged";
	follow_logged_receipt(trace);
}

static void
put_rows(Trace *trace, MrStmt *stmt, Datum *args, const char *arg_nulls)
{
	uint64		n = mr_stmt_read_as_of(stmt, args, arg_nulls, trace->snapshot, 0);
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS] = {false};

	values[OUT_BASIS] = CStringGetTextDatum(trace->basis);
	values[OUT_CERTAIN] = BoolGetDatum(trace->certain);
	for (uint64 row = 0; row < n; row++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < OUT_BASIS; i++)
			values[i] = mr_stmt_value(row, i + 1, &nulls[i]);
		tuplestore_putvalues(trace->rsinfo->setResult, trace->rsinfo->setDesc, values, nulls);
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
put_traffic(Trace *trace)
{
	Datum		args[7] = {Int64GetDatum(trace->endpoint.id), Int64GetDatum(trace->schedule->seq),
		Int32GetDatum(trace->step), TimestampTzGetDatum(step_of(trace)->opens),
		PointerGetDatum(trace->key),
		Int32GetDatum(trace->key == NULL ? 0 : position_of_key(trace)),
	TimestampTzGetDatum(trace->at)};
	const char *nulls = trace->key == NULL ? "    nn " : "       ";

	put_rows(trace, &traffic_stmt, args, nulls);
}

/* What was logged may have had no part in the traffic: then it has no role. */
static void
put_version(Trace *trace, const MrArm *arm)
{
	MrSplit		split = mr_split_of(&step_of(trace)->segments);
	int32		share = mr_split_weight(&split, arm);
	MrRole		role = mr_step_role(step_of(trace), arm);
	bool		takes_part = role >= MR_ROLE_SHADOW;
	Datum		args[7] = {Int64GetDatum(arm->model), Int32GetDatum(arm->version),
		TimestampTzGetDatum(trace->at),
		takes_part ? CStringGetTextDatum(mr_role_name(role)) : (Datum) 0, Int32GetDatum(share),
	trace->output, trace->fcinfo->args[ARG_MAX_DEPTH].value};
	char		nulls[8] = "       ";

	nulls[3] = takes_part ? ' ' : 'n';
	nulls[5] = trace->has_output ? ' ' : 'n';
	nulls[6] = trace->fcinfo->args[ARG_MAX_DEPTH].isnull ? 'n' : ' ';
	put_rows(trace, &version_stmt, args, nulls);
}

static void
run(Trace *trace)
{
	compute_arms(trace);
	look_into_log(trace);
	trace->certain = strcmp(trace->basis, "computed") != 0 && trace->narms == 1 &&
		mr_chain_is_final(MR_CHAIN_ENDPOINT, trace->endpoint.id, trace->at, trace->snapshot);
	put_traffic(trace);
	for (int i = 0; i < trace->narms; i++)
		put_version(trace, &trace->arms[i]);
}

/*
 * modelreg.trace_prediction(endpoint text, request_key text, at timestamptz,
 *		receipt text, max_depth integer) returns a table: the event that laid
 *		down the schedule, the version, the decision that let it in, and a row
 *		per node that it was made from
 *
 * Errors: 22004 and 22023 for arguments, 42704 for an endpoint or receipt
 * that is not there.
 */
Datum
modelreg_trace_prediction(PG_FUNCTION_ARGS)
{
	Trace		trace = {.fcinfo = fcinfo,.snapshot = GetActiveSnapshot()};
	MrCallerScope scope;

	begin(&trace);
	InitMaterializedSRF(fcinfo, 0);
	trace.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	mr_caller_begin(&scope);
	run(&trace);
	mr_caller_end(&scope);
	return (Datum) 0;
}
