/*
 * rollout_status.c
 *		How a rollout stands: split, steps, guards, and why it waits.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/row.h"
#include "serving/endpoint.h"
#include "serving/guard_verdict.h"
#include "serving/named_arm.h"
#include "serving/schedule_row.h"

PG_FUNCTION_INFO_V1(modelreg_rollout_status);

/* The columns of the answer. */
enum
{
	STATUS_NUMBER, STATUS_KIND, STATUS_ROLLOUT, STATUS_STATE, STATUS_SPLIT, STATUS_SHADOW,
	STATUS_RECEIPT, STATUS_SINCE, STATUS_REACHED, STATUS_STEPS, STATUS_NEXT_SPLIT,
	STATUS_NEXT_OPENS, STATUS_NEXT_PLANNED, STATUS_WAITS_FOR, STATUS_GUARDS,
	STATUS_COLUMNS
};

typedef struct Status
{
	const MrEndpoint *endpoint;
	const MrSchedule *schedule;
	TimestampTz now;
	int			step;
	bool		runs;
	MrGuardStates guards;
	Snapshot	snapshot;
	Datum		values[STATUS_COLUMNS];
	bool		nulls[STATUS_COLUMNS];
} Status;

static void
set(Status *status, int column, Datum value)
{
	status->values[column] = value;
	status->nulls[column] = false;
}

static const char *
state_name(const Status *status)
{
	if (!status->runs)
		return "none";
	switch (status->schedule->state)
	{
		case MR_SCHEDULE_PAUSED:
			return "paused";
		case MR_SCHEDULE_HELD:
			return "held";
		default:
			return "running";
	}
}

/* The step that follows the present one, or NULL. */
static const MrStep *
next_step(const Status *status)
{
	const MrSchedule *schedule = status->schedule;

	if (status->step + 1 < schedule->nsteps)
		return &schedule->steps[status->step + 1];
	return schedule->nwaiting > 0 ? &schedule->waiting[0] : NULL;
}

static void
set_split(Status *status, int column, const MrStep *step)
{
	MrSplit		split = mr_split_of(&step->segments);

	set(status, column, CStringGetTextDatum(mr_split_text(&split, status->endpoint, status->snapshot)));
}

static void
set_shadow(Status *status, const MrStep *step)
{
	Datum	   *arms = palloc((step->nshadow + 1) * sizeof(Datum));

	for (int i = 0; i < step->nshadow; i++)
		arms[i] = CStringGetTextDatum(mr_arm_text(&step->shadow[i], status->endpoint, status->snapshot));
	set(status, STATUS_SHADOW, PointerGetDatum(construct_array(arms, step->nshadow, TEXTOID, -1,
															   false, TYPALIGN_INT)));
}

/*
 * How many steps were reached, of how many: a schedule has what is to come,
 * and the one that the rollout began with has all.
 */
static void
set_progress(Status *status)
{
	const MrSchedule *schedule = status->schedule;
	const MrSchedule *first = mr_schedule_load(schedule->endpoint, schedule->rollout,
											   NULL, status->snapshot);
	int			all = first->nsteps + first->nwaiting;
	int			left = schedule->nsteps - 1 - status->step + schedule->nwaiting;

	set(status, STATUS_REACHED, Int32GetDatum(all - left));
	set(status, STATUS_STEPS, Int32GetDatum(all));
}

static void
set_next(Status *status)
{
	const MrStep *next = next_step(status);
	bool		timed = status->step + 1 < status->schedule->nsteps;

	if (next == NULL)
		return;
	set_split(status, STATUS_NEXT_SPLIT, next);
	if (timed)
		set(status, STATUS_NEXT_OPENS, TimestampTzGetDatum(next->opens));
	if (timed || status->schedule->state == MR_SCHEDULE_RUNNING)
		set(status, STATUS_NEXT_PLANNED,
			TimestampTzGetDatum(timed ? next->opens : mr_schedule_planned_opening(status->schedule)));
}

/* "ctr of 14: 200 of 1000 observations", guard by guard. */
static void
explain_guard(StringInfo text, const Status *status, const MrGuardState *state)
{
	int64		needed = Max(1, state->guard->min_observations);

	appendStringInfo(text, "%s%s of %s: ", text->len > 0 ? "; " : "", state->guard->metric,
					 mr_arm_text(&state->arm, status->endpoint, status->snapshot));
	if (state->observed.n < needed)
		appendStringInfo(text, INT64_FORMAT " of " INT64_FORMAT " observations",
						 state->observed.n, needed);
	else if (state->guard->of_baseline && state->baseline.n < needed)
		appendStringInfo(text, INT64_FORMAT " of " INT64_FORMAT " observations of the baseline",
						 state->baseline.n, needed);
	else
		appendStringInfoString(text, "the baseline's mean has no share to compare with");
}

static char *
explain_guards(const Status *status)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < status->guards.n; i++)
		if (status->guards.items[i].verdict == MR_VERDICT_WAITS)
			explain_guard(&text, status, &status->guards.items[i]);
	return text.data;
}

/* Why the next step does not open by itself; NULL where it does. */
static const char *
waits_for(const Status *status)
{
	const MrSchedule *schedule = status->schedule;

	if (schedule->state == MR_SCHEDULE_PAUSED)
		return "modelreg.resume_rollout()";
	if (schedule->state == MR_SCHEDULE_HELD)
		return "the end of a quarantine, and modelreg.resume_rollout()";
	if (next_step(status) == NULL)
		return "modelreg.complete_rollout() or modelreg.abort_rollout()";
	if (!mr_schedule_awaits_evidence(schedule, status->now))
		return NULL;
	if (mr_guard_states_pass(&status->guards))
		return "the next observation that a guard asks for";
	return explain_guards(status);
}

static void
set_guards(Status *status)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < status->guards.n; i++)
	{
		Jsonb	   *guard = mr_guard_state_json(&status->guards.items[i]);
		JsonbValue	value = {.type = jbvBinary};

		value.val.binary.data = &guard->root;
		value.val.binary.len = VARSIZE(guard) - VARHDRSZ;
		pushJsonbValue(&state, WJB_ELEM, &value);
	}
	set(status, STATUS_GUARDS, JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL))));
}

/* What there is to say while a rollout runs. */
static void
set_rollout(Status *status)
{
	const char *waits;

	status->guards = mr_guard_states(status->schedule, status->step, status->snapshot);
	set_progress(status);
	set_next(status);
	set_guards(status);
	waits = waits_for(status);
	if (waits != NULL)
		set(status, STATUS_WAITS_FOR, CStringGetTextDatum(waits));
}

/*
 * modelreg.rollout_status(endpoint text) returns a row
 *
 * As the statement's snapshot sees it, at the time of the call.  Errors: as
 * mr_require_endpoint().
 */
Datum
modelreg_rollout_status(PG_FUNCTION_ARGS)
{
	char	   *name = mr_arg_text(fcinfo, 0, "endpoint");
	Snapshot	snapshot = GetActiveSnapshot();
	MrEndpoint	endpoint = mr_require_endpoint(name, MR_READER, snapshot);
	const MrSchedule *schedule = mr_endpoint_schedule(&endpoint, snapshot);
	Status		status = {.endpoint = &endpoint,.schedule = schedule,.snapshot = snapshot};
	const MrStep *step;

	memset(status.nulls, true, sizeof(status.nulls));
	status.now = Max(GetCurrentTimestamp(), schedule->at);
	status.step = mr_schedule_present_step(schedule, status.now);
	status.runs = mr_schedule_runs(schedule, status.now);
	step = &schedule->steps[status.step];
	set(&status, STATUS_NUMBER, Int64GetDatum(schedule->seq));
	set(&status, STATUS_KIND, CStringGetTextDatum(schedule->kind));
	if (schedule->rollout != 0)
		set(&status, STATUS_ROLLOUT, Int64GetDatum(schedule->rollout));
	set(&status, STATUS_STATE, CStringGetTextDatum(state_name(&status)));
	set_split(&status, STATUS_SPLIT, step);
	set_shadow(&status, step);
	set(&status, STATUS_RECEIPT, CStringGetTextDatum(psprintf(INT64_FORMAT ".%d",
															  schedule->seq, status.step)));
	set(&status, STATUS_SINCE, TimestampTzGetDatum(step->opens));
	if (status.runs)
		set_rollout(&status);
	PG_RETURN_DATUM(mr_make_record(fcinfo, status.values, status.nulls));
}
