/*
 * moment.c
 *		What serves at a time.
 *
 * Nothing here locks, and all of it works on a hot standby.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/grow.h"
#include "registry/registry.h"
#include "serving/endpoint.h"
#include "serving/moment.h"
#include "serving/route.h"
#include "serving/schedule_row.h"
#include "serving/serving_tables.h"

PG_FUNCTION_INFO_V1(modelreg_serving);

enum
{
	OUT_MODEL, OUT_MODEL_ID, OUT_VERSION, OUT_PERMANENT_ID, OUT_ROLE,
	OUT_SHARE, OUT_RECEIPT, OUT_SINCE, OUT_UNTIL, OUT_FINAL, OUT_COLUMNS
};

static void
set_step(MrMoment *moment)
{
	/* the clock may be behind that of who laid down the schedule */
	moment->step = Max(mr_schedule_step_at(moment->schedule, moment->at), 0);
}

static MrMoment
moment_now(const MrEndpoint *endpoint, Snapshot snapshot)
{
	MrMoment	moment = {.endpoint = endpoint->id,.team = endpoint->team.name,
	.at = GetCurrentStatementStartTimestamp()};

	moment.schedule = mr_schedule_load(endpoint->id, endpoint->schedule_seq,
									   endpoint->schedule_hash, snapshot);
	set_step(&moment);
	return moment;
}

MrMoment
mr_moment_now(const char *name, Snapshot snapshot)
{
	MrEndpoint	endpoint = mr_require_endpoint(name, MR_READER, snapshot);

	return moment_now(&endpoint, snapshot);
}

/* The same of a live endpoint by its id, whatever its name is. */
MrMoment
mr_moment_now_of(int64 id, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("endpoint");
	Datum		key = Int64GetDatum(id);
	const MrTeam *team = NULL;
	MrEndpoint	endpoint;

	if (mr_table_find(table, "endpoint_pkey", 1, &key, snapshot))
		team = mr_team_by_id(DatumGetInt64(mr_table_get(table, ENDPOINT_TEAM_ID, NULL)));
	if (team != NULL)
		mr_endpoint_read(table, team, &endpoint);
	if (team == NULL || endpoint.retired)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("endpoint " INT64_FORMAT " does not exist or you may not read it", id),
				 mr_reason("endpoint_not_found")));
	endpoint.team.name = pstrdup(team->name);
	mr_require_rights(&endpoint.team, MR_READER);
	mr_table_close(table);
	return moment_now(&endpoint, snapshot);
}

MrMoment
mr_moment_then(const char *name, TimestampTz at, Snapshot snapshot)
{
	MrEndpoint	endpoint = mr_require_endpoint_at(name, at);
	MrMoment	moment = {.endpoint = endpoint.id,.team = endpoint.team.name,.at = at};

	/* what was decided after this is not final, and may be seen below or not */
	moment.final = mr_chain_is_final(MR_CHAIN_ENDPOINT, moment.endpoint, at, snapshot);
	moment.schedule = mr_endpoint_schedule_at(&endpoint, at, snapshot);
	set_step(&moment);
	return moment;
}

/* The first place in the set whose arm is not before this one. */
static int
place_for(const MrArmSet *set, const MrArm *arm)
{
	int			low = 0;
	int			high = set->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (mr_arm_compare(&set->arms[middle], arm) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
add_arm(MrArmSet *set, const MrArm *arm)
{
	int			place = place_for(set, arm);

	if (place < set->n && mr_arm_compare(&set->arms[place], arm) == 0)
		return;
	set->arms = mr_grow(set->arms, set->n, &set->room, sizeof(MrArm));
	memmove(&set->arms[place + 1], &set->arms[place],
			(set->n - place) * sizeof(MrArm));
	set->arms[place] = *arm;
	set->n++;
}

static void
add_step(MrArmSet *set, const MrStep *step)
{
	for (int i = 0; i < step->segments.n; i++)
		add_arm(set, &step->segments.segments[i].arm);
	for (int i = 0; i < step->nshadow; i++)
		add_arm(set, &step->shadow[i]);
	for (int i = 0; i < step->nwarm; i++)
		add_arm(set, &step->warm[i]);
}

MrArmSet
mr_arms_from(const MrSchedule *schedule, int step)
{
	MrArmSet	set = {0};

	for (int i = step; i < schedule->nsteps; i++)
		add_step(&set, &schedule->steps[i]);
	for (int i = 0; i < schedule->nwaiting; i++)
		add_step(&set, &schedule->waiting[i]);
	return set;
}

int
mr_arm_set_place(const MrArmSet *set, const MrArm *arm)
{
	int			place = place_for(set, arm);

	Assert(place < set->n && mr_arm_compare(&set->arms[place], arm) == 0);
	return place;
}

/* When the next schedule of the endpoint was laid down; DT_NOEND for none. */
static TimestampTz
next_laid_down(int64 endpoint, int64 schedule, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("traffic_schedule");
	Datum		chain = Int64GetDatum(endpoint);
	Datum		seq = Int64GetDatum(schedule);
	MrPlace		place = {.equal = &chain, .nequal = 1, .place = &seq, .nplace = 1};
	MrScan	   *scan = mr_scan_begin_from(table, "traffic_schedule_pkey", &place, snapshot);
	TimestampTz at = DT_NOEND;

	if (mr_scan_next(scan, false))
		at = DatumGetTimestampTz(mr_table_get(table, TRAFFIC_SCHEDULE_AT, NULL));
	mr_scan_end(scan);
	mr_table_close(table);
	return at;
}

static TimestampTz
retired_at(int64 endpoint, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("endpoint");
	Datum		key = Int64GetDatum(endpoint);
	bool		live = true;
	Datum		at = (Datum) 0;

	if (mr_table_find(table, "endpoint_pkey", 1, &key, snapshot))
		at = mr_table_get(table, ENDPOINT_RETIRED_AT, &live);
	mr_table_close(table);
	return live ? DT_NOEND : DatumGetTimestampTz(at);
}

TimestampTz
mr_moment_replaced_at(int64 endpoint, int64 schedule, Snapshot snapshot)
{
	TimestampTz next = next_laid_down(endpoint, schedule, snapshot);
	TimestampTz retired = retired_at(endpoint, snapshot);

	return Min(next, retired);
}

/* Until when the step stands, or stood. */
static TimestampTz
until(const MrMoment *moment, Snapshot snapshot)
{
	TimestampTz next = mr_schedule_next_opening(moment->schedule,
												Max(moment->at, moment->schedule->at));
	TimestampTz replaced = mr_moment_replaced_at(moment->endpoint, moment->schedule->seq, snapshot);

	return Min(next, replaced);
}

/* What is the same in all rows. */
static void
set_moment(const MrMoment *moment, Snapshot snapshot, Datum *values, bool *nulls)
{
	TimestampTz end = until(moment, snapshot);

	values[OUT_RECEIPT] = CStringGetTextDatum(psprintf(INT64_FORMAT ".%d",
													   moment->schedule->seq, moment->step));
	values[OUT_SINCE] = TimestampTzGetDatum(moment->schedule->steps[moment->step].opens);
	values[OUT_UNTIL] = TimestampTzGetDatum(end);
	nulls[OUT_UNTIL] = end == DT_NOEND;
	values[OUT_FINAL] = BoolGetDatum(moment->final);
}

/* An endpoint's versions are of its own team. */
static void
put_arm(ReturnSetInfo *rsinfo, const MrMoment *moment, const MrArm *arm,
		MrRole role, int32 share, Snapshot snapshot, Datum *values,
		bool *nulls)
{
	MrModel		model = mr_model_get(arm->model, snapshot);

	values[OUT_MODEL] = CStringGetTextDatum(psprintf("%s.%s", moment->team, model.name));
	values[OUT_MODEL_ID] = Int64GetDatum(arm->model);
	values[OUT_VERSION] = Int32GetDatum(arm->version);
	values[OUT_PERMANENT_ID] = CStringGetTextDatum(mr_arm_permanent_id(arm, snapshot));
	values[OUT_ROLE] = CStringGetTextDatum(mr_role_name(role));
	values[OUT_SHARE] = Int32GetDatum(share);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
put_moment(ReturnSetInfo *rsinfo, const MrMoment *moment, Snapshot snapshot)
{
	const MrStep *step = &moment->schedule->steps[moment->step];
	MrSplit		split = mr_split_of(&step->segments);
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS] = {false};

	set_moment(moment, snapshot, values, nulls);
	for (int i = 0; i < split.n; i++)
		put_arm(rsinfo, moment, &split.shares[i].arm, MR_ROLE_SERVING, split.shares[i].weight,
				snapshot, values, nulls);
	for (int i = 0; i < step->nshadow; i++)
		put_arm(rsinfo, moment, &step->shadow[i], MR_ROLE_SHADOW, 0, snapshot, values, nulls);
	for (int i = 0; i < step->nwarm; i++)
		put_arm(rsinfo, moment, &step->warm[i], MR_ROLE_WARM, 0, snapshot, values, nulls);
}

/*
 * modelreg.serving(endpoint text, at timestamptz) returns setof record: a row
 * for each version that has a part in the traffic.
 *
 * at NULL: now.  Errors: 22004, 22023, 42704.
 */
Datum
modelreg_serving(PG_FUNCTION_ARGS)
{
	char	   *endpoint = mr_arg_text(fcinfo, 0, "endpoint");
	Snapshot	snapshot = GetActiveSnapshot();
	MrMoment	moment;

	InitMaterializedSRF(fcinfo, 0);
	moment = PG_ARGISNULL(1) ? mr_moment_now(endpoint, snapshot) :
		mr_moment_then(endpoint, PG_GETARG_TIMESTAMPTZ(1), snapshot);
	put_moment((ReturnSetInfo *) fcinfo->resultinfo, &moment, snapshot);
	return (Datum) 0;
}
