/*
 * quality.c
 *		Observations of versions while they serve: the verb record_quality.
 *
 * An observation is a row and no event, and locks nothing, so that any number
 * of processes record without waiting for each other.  Only where a rollout
 * that guards the metric runs, the transaction looks at its guards before it
 * commits.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/marks.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/settings.h"
#include "base/snapshot.h"
#include "base/stmt.h"
#include "governance/member.h"
#include "registry/registry.h"
#include "serving/endpoint.h"
#include "serving/guard_verdict.h"
#include "serving/quality.h"
#include "serving/quality_tables.h"
#include "serving/rollout_guard.h"
#include "serving/schedule_row.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_record_quality);

#define METRIC_NAME_MAX 255		/* bytes */

/* So that sums of as many rows as there can be stay within their types. */
#define TOTAL_MAX 1e300
#define COUNT_MAX INT64CONST(1000000000000)

/* Positions of the verb's arguments. */
enum
{
	ARG_ENDPOINT, ARG_VERSION, ARG_METRIC, ARG_WINDOW_START, ARG_VALUE,
	ARG_TOTAL, ARG_COUNT, ARG_WINDOW_END, ARG_MODEL, ARG_REQUEST_ID
};

static void
check_number(StringInfo mistakes, const char *name, float8 number)
{
	if (isnan(number) || isinf(number))
		mr_mistake(mistakes, "%s is no finite number.", name);
	else if (fabs(number) > TOTAL_MAX)
		mr_mistake(mistakes, "%s is beyond %g.", name, TOTAL_MAX);
}

static void
check_count(StringInfo mistakes, int64 count, float8 total)
{
	if (count < 0)
		mr_mistake(mistakes, "count is negative.");
	else if (count > COUNT_MAX)
		mr_mistake(mistakes, "count is above " INT64_FORMAT ".", COUNT_MAX);
	else if (count == 0 && total != 0)
		mr_mistake(mistakes, "total of no observations is not 0.");
}

/* One value, which is one observation, or the total over a count of them. */
static MrObserved
parse_observed(FunctionCallInfo fcinfo, StringInfo mistakes)
{
	MrObserved	observed = {0};

	if (PG_ARGISNULL(ARG_VALUE) && !PG_ARGISNULL(ARG_TOTAL) && !PG_ARGISNULL(ARG_COUNT))
	{
		observed.total = PG_GETARG_FLOAT8(ARG_TOTAL);
		observed.n = PG_GETARG_INT64(ARG_COUNT);
		check_number(mistakes, "total", observed.total);
		check_count(mistakes, observed.n, observed.total);
	}
	else if (!PG_ARGISNULL(ARG_VALUE) && PG_ARGISNULL(ARG_TOTAL) && PG_ARGISNULL(ARG_COUNT))
	{
		observed.total = PG_GETARG_FLOAT8(ARG_VALUE);
		observed.n = 1;
		check_number(mistakes, "value", observed.total);
	}
	else
		mr_mistake(mistakes, "there is neither one value alone nor a total with a count.");
	return observed;
}

/*
 * The clocks of who observes and of the server may differ by as much as the
 * setting allows.
 */
static void
check_window(StringInfo mistakes, const MrObservation *observation)
{
	TimestampTz latest = observation->recorded_at + (int64) mr_max_clock_skew * 1000;

	if (TIMESTAMP_NOT_FINITE(observation->window_start) ||
		TIMESTAMP_NOT_FINITE(observation->window_end))
		mr_mistake(mistakes, "the window is not finite.");
	else if (observation->window_end < observation->window_start)
		mr_mistake(mistakes, "the window ends before it starts.");
	else if (observation->window_end > latest)
		mr_mistake(mistakes, "the window ends in the future.");
}

/* What needs no look at a table; error 22023 lists all that is wrong. */
static MrObservation
parse_observation(FunctionCallInfo fcinfo)
{
	MrObservation observation = {.metric = mr_arg_text(fcinfo, ARG_METRIC, "metric"),
	.recorded_at = GetCurrentTimestamp()};
	StringInfoData mistakes;

	mr_arg_require(fcinfo, ARG_VERSION, "version");
	mr_arg_require(fcinfo, ARG_WINDOW_START, "window_start");
	observation.arm.version = PG_GETARG_INT32(ARG_VERSION);
	observation.window_start = PG_GETARG_TIMESTAMPTZ(ARG_WINDOW_START);
	observation.window_end = PG_ARGISNULL(ARG_WINDOW_END) ? observation.recorded_at :
		PG_GETARG_TIMESTAMPTZ(ARG_WINDOW_END);
	initStringInfo(&mistakes);
	if (observation.metric[0] == '\0' || strlen(observation.metric) > METRIC_NAME_MAX)
		mr_mistake(&mistakes, "the name of a metric has 1 to %d bytes.", METRIC_NAME_MAX);
	observation.observed = parse_observed(fcinfo, &mistakes);
	check_window(&mistakes, &observation);
	if (mistakes.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid observation of quality"),
				 errdetail("%s", mistakes.data),
				 errhint("Give value for one observation, or total and count for many, and the window in which they were made."),
				 mr_reason("invalid_observation")));
	return observation;
}

/* The model of a name; one of another team serves nowhere here, and is not found. */
static MrModel
find_model(MrVerb *verb, const char *qualified)
{
	char	   *team;
	char	   *name;

	mr_split_qualified_name(qualified, &team, &name, NULL);
	return mr_model_find_in_verb(verb, qualified,
								 strcmp(team, verb->team.name) == 0 ? name : "");
}

/* The model that was named, else the endpoint's; the version has to exist. */
static MrModel
find_version(FunctionCallInfo fcinfo, MrVerb *verb, const MrEndpoint *endpoint)
{
	MrModel		model;

	if (PG_ARGISNULL(ARG_MODEL))
		model = mr_model_get(endpoint->model, NULL);
	else
		model = find_model(verb, mr_arg_text(fcinfo, ARG_MODEL, "model"));
	model.team = verb->team;
	(void) mr_require_version(&model, PG_GETARG_INT32(ARG_VERSION), NULL);
	return model;
}

/* Has the arm traffic in a step that is open at some time of the window? */
static bool
serves_by(const MrSchedule *schedule, const MrArm *arm, TimestampTz from,
		  TimestampTz to)
{
	for (int i = 0; i < schedule->nsteps && schedule->steps[i].opens <= to; i++)
	{
		bool		over = i + 1 < schedule->nsteps && schedule->steps[i + 1].opens <= from;

		if (!over && mr_step_role(&schedule->steps[i], arm) >= MR_ROLE_SHADOW)
			return true;
	}
	return false;
}

/*
 * A step of an endpoint with the arm that was open at some time of the window:
 * neither was another schedule laid down, nor the next step opened, before it could open or
 * by the window's start.
 */
static MrStmt served_stmt = {
	"SELECT 1 FROM modelreg.traffic_arm a WHERE a.model_id = $1 AND a.version = $2 AND a.endpoint_id = $3 AND a.opens <= $5 "
	"AND ((SELECT s.at FROM modelreg.traffic_schedule s WHERE s.endpoint_id = $3 AND s.seq > a.seq ORDER BY s.seq LIMIT 1) <= GREATEST($4, a.opens)) IS NOT TRUE "
	"AND ((SELECT n.opens FROM modelreg.traffic_arm n WHERE n.endpoint_id = $3 AND n.seq = a.seq AND n.step = a.step + 1 LIMIT 1) <= $4) IS NOT TRUE",
	5, {INT8OID, INT4OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID}, NULL
};

/*
 * Did it serve at some time of the window?  Nearly always by the schedule that
 * holds; else the steps that had this version are looked at, however many schedules
 * the endpoint had.
 */
static bool
served_within(const MrEndpoint *endpoint, const MrObservation *observation,
			  Snapshot snapshot)
{
	const MrArm *arm = &observation->arm;
	Datum		values[5] = {Int64GetDatum(arm->model), Int32GetDatum(arm->version), Int64GetDatum(endpoint->id),
		TimestampTzGetDatum(observation->window_start), TimestampTzGetDatum(observation->window_end)};

	return serves_by(mr_endpoint_schedule(endpoint, snapshot), arm, observation->window_start,
					 observation->window_end) ||
		mr_stmt_read_as_of(&served_stmt, values, NULL, snapshot, 1) > 0;
}

static void
raise_not_serving(const MrEndpoint *endpoint, const MrModel *model,
				  const MrObservation *observation)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("\"%s\" had no traffic at \"%s\" in that window",
					mr_version_uri(model, observation->arm.version),
					mr_endpoint_address(endpoint)),
			 errdetail("The window is from %s to %s.",
					   pstrdup(timestamptz_to_str(observation->window_start)),
					   pstrdup(timestamptz_to_str(observation->window_end))),
			 errhint("modelreg.serving() says what serves, now or at a time."),
			 mr_reason("version_not_serving")));
}

static void
set_step(Datum *values, bool *nulls, int64 schedule_seq, int32 step)
{
	nulls[QUALITY_SCHEDULE_SEQ - 1] = nulls[QUALITY_STEP - 1] = schedule_seq == 0;
	values[QUALITY_SCHEDULE_SEQ - 1] = Int64GetDatum(schedule_seq);
	values[QUALITY_STEP - 1] = Int32GetDatum(step);
}

static int64
insert_row(MrVerb *verb, const MrObservation *observation)
{
	Datum		values[QUALITY_COLUMNS];
	bool		nulls[QUALITY_COLUMNS] = {false};
	int64		id = mr_nextval("quality_id_seq");

	values[QUALITY_ID - 1] = Int64GetDatum(id);
	values[QUALITY_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[QUALITY_ENDPOINT_ID - 1] = Int64GetDatum(observation->endpoint);
	values[QUALITY_MODEL_ID - 1] = Int64GetDatum(observation->arm.model);
	values[QUALITY_VERSION - 1] = Int32GetDatum(observation->arm.version);
	values[QUALITY_METRIC - 1] = CStringGetTextDatum(observation->metric);
	values[QUALITY_TOTAL - 1] = Float8GetDatum(observation->observed.total);
	values[QUALITY_OBSERVATIONS - 1] = Int64GetDatum(observation->observed.n);
	values[QUALITY_WINDOW_START - 1] = TimestampTzGetDatum(observation->window_start);
	values[QUALITY_WINDOW_END - 1] = TimestampTzGetDatum(observation->window_end);
	values[QUALITY_WHO - 1] = JsonbPGetDatum(verb->who);
	values[QUALITY_RECORDED_AT - 1] = TimestampTzGetDatum(observation->recorded_at);
	set_step(values, nulls, observation->schedule_seq, observation->step);
	mr_insert_row("quality_observation", values, nulls);
	return id;
}

/* The row that this transaction wrote. */
MrObservation
mr_observation_read(int64 id)
{
	MrTable    *table = mr_table_open_read("quality_observation");
	Datum		key = Int64GetDatum(id);
	MrObservation observation;
	bool		none;

	if (!mr_table_find_latest(table, "quality_observation_pkey", 1, &key))
		elog(ERROR, "observation " INT64_FORMAT " does not exist", id);
	observation.endpoint = DatumGetInt64(mr_table_get(table, QUALITY_ENDPOINT_ID, NULL));
	observation.arm.model = DatumGetInt64(mr_table_get(table, QUALITY_MODEL_ID, NULL));
	observation.arm.version = DatumGetInt32(mr_table_get(table, QUALITY_VERSION, NULL));
	observation.metric = TextDatumGetCString(mr_table_get(table, QUALITY_METRIC, NULL));
	observation.observed.total = DatumGetFloat8(mr_table_get(table, QUALITY_TOTAL, NULL));
	observation.observed.n = DatumGetInt64(mr_table_get(table, QUALITY_OBSERVATIONS, NULL));
	observation.window_start = DatumGetTimestampTz(mr_table_get(table, QUALITY_WINDOW_START, NULL));
	observation.window_end = DatumGetTimestampTz(mr_table_get(table, QUALITY_WINDOW_END, NULL));
	observation.recorded_at = DatumGetTimestampTz(mr_table_get(table, QUALITY_RECORDED_AT, NULL));
	observation.schedule_seq = DatumGetInt64(mr_table_get(table, QUALITY_SCHEDULE_SEQ, &none));
	observation.step = DatumGetInt32(mr_table_get(table, QUALITY_STEP, &none));
	if (none)
		observation.schedule_seq = 0;
	mr_table_close(table);
	return observation;
}

/* By the commit it counts for another step than when it was written; 0 for none. */
void
mr_observation_count_for(int64 id, int64 schedule_seq, int32 step)
{
	MrTable    *table = mr_table_open("quality_observation");
	Datum		key = Int64GetDatum(id);
	Datum		values[QUALITY_COLUMNS];
	bool		nulls[QUALITY_COLUMNS];

	if (!mr_table_lock_latest(table, "quality_observation_pkey", 1, &key))
		elog(ERROR, "observation " INT64_FORMAT " does not exist", id);
	mr_table_read(table, values, nulls);
	set_step(values, nulls, schedule_seq, step);
	mr_table_update(table, values, nulls);
	mr_table_close(table);
}

/* Returns the row's id. */
static int64
record(FunctionCallInfo fcinfo, MrVerb *verb, const MrEndpoint *endpoint,
	   MrObservation *observation)
{
	MrModel		model = find_version(fcinfo, verb, endpoint);
	Snapshot	snapshot = RegisterSnapshot(mr_latest_snapshot());
	int64		id;

	observation->endpoint = endpoint->id;
	observation->arm.model = model.id;
	if (!served_within(endpoint, observation, snapshot))
		raise_not_serving(endpoint, &model, observation);
	mr_rollout_guard_find_step(endpoint, observation, snapshot);
	id = insert_row(verb, observation);
	mr_rollout_guard_mark(verb, observation, id);
	UnregisterSnapshot(snapshot);
	return id;
}

/*
 * modelreg.record_quality(endpoint text, version integer, metric text,
 *		window_start timestamptz, value float8, total float8, count bigint,
 *		window_end timestamptz, model text, request_id text) returns bigint
 *
 * Returns the observation's id.  Errors: 22023 for what is no observation or
 * no window, 42704 for what is not there, 42501, 55000 for a version that had no
 * traffic then; and, where a rollout guards the metric, 40001 at the commit.
 */
Datum
modelreg_record_quality(PG_FUNCTION_ARGS)
{
	MrObservation observation = parse_observation(fcinfo);
	MrEndpoint	endpoint;
	MrVerb		verb;
	int64		id = 0;

	if (mr_endpoint_verb_begin(&verb, fcinfo, "record_quality", MR_EVALUATOR,
							   ARG_REQUEST_ID, &endpoint))
		id = record(fcinfo, &verb, &endpoint, &observation);
	PG_RETURN_INT64(mr_verb_end_int(&verb, "observation", id));
}
