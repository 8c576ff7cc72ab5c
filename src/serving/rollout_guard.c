/*
 * rollout_guard.c
 *		What follows from what is observed during a guarded rollout.
 *
 * Who records what a guard of a running rollout asks for marks the observation.
 * Before the commit he takes the key of the endpoint's guards, so that of two
 * transactions that each bring a part of what is asked the second sees both,
 * and adds to the sums of the step.  A guard that fails ends the rollout in
 * that transaction, and when all pass the next step is opened; only then is
 * the endpoint's head locked, and all is looked at again, since somebody else
 * may have changed the traffic meanwhile.  Nobody holds the key while a
 * transaction is open.  Who called is in the event, and which guard it was.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/marks.h"
#include "base/lock.h"
#include "serving/earlier.h"
#include "serving/guard_verdict.h"
#include "serving/rollout_guard.h"

/* A schedule, and the step that is open now; -1 where no rollout runs. */
typedef struct Present
{
	MrEndpoint	endpoint;
	const MrSchedule *schedule;
	TimestampTz now;
	int			step;
} Present;

/* A clock that went back is no reason to be before the schedule. */
static void
find_step(Present *present, TimestampTz now)
{
	const MrSchedule *schedule = present->schedule;

	present->now = Max(now, schedule->at);
	present->step = !present->endpoint.retired && mr_schedule_runs(schedule, present->now) ?
		mr_schedule_present_step(schedule, present->now) : -1;
}

static bool
guards_metric(const MrSchedule *schedule, const char *metric)
{
	for (int i = 0; schedule->plan != NULL && i < schedule->plan->nguards; i++)
		if (strcmp(schedule->plan->guards[i].metric, metric) == 0)
			return true;
	return false;
}

/*
 * Only what was observed and recorded after the step opened counts: an earlier
 * window is of other weights, and nobody observes what is to come.
 */
static bool
counts(const Present *present, const MrObservation *observation)
{
	TimestampTz opens;

	if (present->step < 0 || !guards_metric(present->schedule, observation->metric))
		return false;
	opens = present->schedule->steps[present->step].opens;
	return observation->window_start >= opens && observation->recorded_at >= opens;
}

/* Fill in for which step an observation counts that is to be recorded. */
void
mr_rollout_guard_find_step(const MrEndpoint *endpoint, MrObservation *observation,
						   Snapshot snapshot)
{
	Present		present = {.endpoint = *endpoint};

	present.schedule = mr_endpoint_schedule(endpoint, snapshot);
	find_step(&present, GetCurrentTimestamp());
	if (!counts(&present, observation))
		return;
	observation->schedule_seq = present.schedule->seq;
	observation->step = present.step;
}

/*
 * It was recorded: if it counts, the guards are looked at before the commit.
 * What does not count now never will.
 */
void
mr_rollout_guard_mark(const MrVerb *verb, const MrObservation *observation,
					  int64 id)
{
	MrMark		mark = {.team = verb->team.id,.node = observation->endpoint,
	.observation = id,.who = verb->who};

	if (observation->schedule_seq != 0)
		mr_mark(MR_MARK_ROLLOUT_GUARD, &mark);
}

/* What holds of the endpoint at a time that is now. */
static Present
look(int64 endpoint, TimestampTz now)
{
	Present		present = {.endpoint = mr_endpoint_get(endpoint, NULL)};

	present.schedule = mr_endpoint_schedule(&present.endpoint, NULL);
	find_step(&present, now);
	return present;
}

/* Does an observation count for the step that is open now?  Its row says for which it does. */
static bool
counts_now(const Present *present, const MrObservation *observation, int64 id)
{
	bool		does = counts(present, observation);
	int64		schedule_seq = does ? present->schedule->seq : 0;

	if (observation->schedule_seq != schedule_seq || (does && observation->step != present->step))
		mr_observation_count_for(id, schedule_seq, present->step);
	return does;
}

/* Add what the marks of one endpoint tell of to the sums of the step. */
static void
add_evidence(const Present *present, const MrMark *const *marks, int64 n)
{
	MrStepKey	key = {present->schedule->team, present->schedule->endpoint,
	present->schedule->seq, present->step};
	MrSums list = {0};

	for (int64 i = 0; i < n; i++)
	{
		MrObservation observation = mr_observation_read(marks[i]->observation);

		if (counts_now(present, &observation, marks[i]->observation))
			mr_sums_add(&list, observation.metric, observation.arm,
						mr_observed_sum(observation.observed));
	}
	if (list.n > 0)
		mr_sums_store(&key, &list);
}

/* The guard that ends the rollout, or NULL; whether the next step is to be opened. */
static const MrGuardState *
decide(const Present *present, bool *opens)
{
	MrGuardStates states;

	*opens = false;
	if (present->step < 0)
		return NULL;
	states = mr_guard_states(present->schedule, present->step, NULL);
	*opens = mr_guard_states_pass(&states) &&
		mr_schedule_awaits_evidence(present->schedule, present->now);
	return mr_guard_states_failing(&states);
}

/* Under the endpoint's lock: what the guards say now is what is done. */
static void
act(MrVerb *verb, int64 endpoint)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_ENDPOINT, endpoint);
	Present		present = look(endpoint, mr_event_time(head));
	bool		opens;
	const MrGuardState *failing = decide(&present, &opens);
	MrJson		what;

	mr_json_begin(&what);
	if (failing != NULL)
	{
		mr_json_add_json(&what, "guard", mr_guard_state_json(failing));
		mr_abort(head, verb, present.schedule, present.now, &what, NULL);
	}
	else if (opens)
		mr_endpoint_change(head, verb, "rollout_step_opened",
						   mr_schedule_open_next(present.schedule, present.now), &what, NULL);
	else
		mr_head_release(head);
}

/* The marks are of one endpoint, in the order in which they were made. */
static void
check_endpoint(const MrMark *const *marks, int64 n)
{
	int64		endpoint = marks[0]->node;
	MrVerb		verb = {.name = "record_quality",.who = marks[n - 1]->who};
	MemoryContext context = CurrentMemoryContext;
	Present		present;
	bool		opens;

	verb.team.id = marks[0]->team;
	verb.team.name = "";
	mr_owner_begin(&verb.scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	MemoryContextSwitchTo(context);
	mr_lock_key(MR_LOCK_ROLLOUT_GUARD, &endpoint, sizeof(int64));
	present = look(endpoint, GetCurrentTimestamp());
	add_evidence(&present, marks, n);
	if (decide(&present, &opens) != NULL || opens)
		act(&verb, endpoint);
	SPI_finish();
	MemoryContextSwitchTo(context);
	mr_owner_end(&verb.scope);
}

/* By endpoint; of one, in their order. */
static int
compare_marks(const void *a, const void *b)
{
	const MrMark *x = *(const MrMark *const *) a;
	const MrMark *y = *(const MrMark *const *) b;

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return (x > y) - (x < y);
}

/* Before the commit, endpoints by id. */
static void
check_marks(const MrMark *marks, int64 n)
{
	const MrMark **sorted = palloc_extended(n * sizeof(MrMark *), MCXT_ALLOC_HUGE);

	for (int64 i = 0; i < n; i++)
		sorted[i] = &marks[i];
	qsort(sorted, n, sizeof(MrMark *), compare_marks);
	for (int64 start = 0, i = 1; i <= n; i++)
		if (i == n || sorted[i]->node != sorted[start]->node)
		{
			check_endpoint(&sorted[start], i - start);
			start = i;
		}
	pfree(sorted);
}

void
mr_rollout_guard_init(void)
{
	mr_marks_run_by(MR_MARK_ROLLOUT_GUARD, check_marks);
}
