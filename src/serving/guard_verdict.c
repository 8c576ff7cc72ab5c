/*
 * guard_verdict.c
 *		What the guards of a rollout say of its present step.
 *
 * A guard looks at each arm that grows by itself, so that a good one does not
 * hide a bad one, and at the arms that were there before and do not grow all
 * together.  Where too little was observed of either, or the two cannot be
 * compared, it says nothing: then nothing opens and nothing is taken back.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "audit/audit.h"
#include "base/decimal.h"
#include "serving/guard_verdict.h"

/* The nearest float8; an infinite one where none is near. */
static float8
to_float8(Numeric number)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(number)));
}

/* NULL of no observations. */
static Numeric
mean_of(MrObservedSum observed)
{
	return observed.n == 0 ? NULL :
		mr_calculate(numeric_div, observed.total, int64_to_numeric(observed.n));
}

static bool
grows(const MrSchedule *schedule, const MrArm *arm)
{
	return mr_split_weight(&schedule->target, arm) > mr_split_weight(&schedule->from, arm);
}

static MrObservedSum
observe_baseline(const MrSchedule *schedule, const MrSums *evidence,
				 const char *metric)
{
	MrObservedSum sum = {0};

	for (int i = 0; i < schedule->from.n; i++)
	{
		const MrArm *arm = &schedule->from.shares[i].arm;

		if (!grows(schedule, arm))
			mr_observed_add(&sum, mr_sums_of(evidence, metric, arm));
	}
	return sum;
}

/*
 * Set what the arm's mean must be; false when that cannot be known: too few
 * observations of the baseline, or a mean of it of which a share says nothing.
 */
static bool
set_required(MrGuardState *state)
{
	const MrGuard *guard = state->guard;
	int			sign;

	if (!guard->of_baseline)
	{
		state->required = guard->bound_float;
		return true;
	}
	if (state->baseline.n < Max(1, guard->min_observations))
		return false;
	state->required = to_float8(mr_calculate(numeric_mul, guard->bound, mean_of(state->baseline)));
	sign = mr_decimal_compare(state->baseline.total, int64_to_numeric(0));
	return isfinite(state->required) && (sign > 0 || (sign == 0 && !guard->at_least));
}

/*
 * The arm's mean against what is required, as decimals and without dividing:
 * 0.09 is 0.9 of 0.1.
 */
static int
compare_to_required(const MrGuardState *state)
{
	Numeric		left = state->observed.total;
	Numeric		right = mr_calculate(numeric_mul, state->guard->bound,
									 int64_to_numeric(state->observed.n));

	if (state->guard->of_baseline)
	{
		left = mr_calculate(numeric_mul, left, int64_to_numeric(state->baseline.n));
		right = mr_calculate(numeric_mul, right, state->baseline.total);
	}
	return mr_decimal_compare(left, right);
}

static MrVerdict
judge(const MrGuardState *state)
{
	const MrGuard *guard = state->guard;
	int			order;

	if (!state->comparable || state->observed.n < Max(1, guard->min_observations))
		return MR_VERDICT_WAITS;
	order = compare_to_required(state);
	return (guard->at_least ? order >= 0 : order <= 0) ? MR_VERDICT_PASSES : MR_VERDICT_FAILS;
}

static MrGuardState
look(const MrSchedule *schedule, const MrSums *evidence,
	 const MrGuard *guard, const MrArm *arm)
{
	MrGuardState state = {.guard = guard,.arm = *arm};

	state.observed = mr_sums_of(evidence, guard->metric, arm);
	if (guard->of_baseline)
		state.baseline = observe_baseline(schedule, evidence, guard->metric);
	state.comparable = set_required(&state);
	state.verdict = judge(&state);
	return state;
}

/*
 * Each guard of a rollout, guards in their order, with each arm that grows and
 * has traffic in the step, as a snapshot (NULL: the latest) sees the evidence.
 */
MrGuardStates
mr_guard_states(const MrSchedule *schedule, int step, Snapshot snapshot)
{
	MrStepKey	key = {schedule->team, schedule->endpoint, schedule->seq, step};
	const MrPlan *plan = schedule->plan;
	MrGuardStates states = {NULL, 0};
	MrSums evidence;

	if (plan == NULL || plan->nguards == 0)
		return states;
	evidence = mr_sums_load(&key, snapshot);
	states.items = palloc(plan->nguards * schedule->target.n * sizeof(MrGuardState));
	for (int g = 0; g < plan->nguards; g++)
		for (int i = 0; i < schedule->target.n; i++)
		{
			const MrArm *arm = &schedule->target.shares[i].arm;

			if (grows(schedule, arm) && mr_step_role(&schedule->steps[step], arm) >= MR_ROLE_SHADOW)
				states.items[states.n++] = look(schedule, &evidence, &plan->guards[g], arm);
		}
	return states;
}

/* The first that fails decides; else all have to pass, and there has to be one. */
const MrGuardState *
mr_guard_states_failing(const MrGuardStates *states)
{
	for (int i = 0; i < states->n; i++)
		if (states->items[i].verdict == MR_VERDICT_FAILS)
			return &states->items[i];
	return NULL;
}

bool
mr_guard_states_pass(const MrGuardStates *states)
{
	for (int i = 0; i < states->n; i++)
		if (states->items[i].verdict != MR_VERDICT_PASSES)
			return false;
	return states->n > 0;
}

/* null of no observations. */
static void
add_mean(MrJson *json, const char *key, MrObservedSum observed)
{
	Numeric		mean = mean_of(observed);

	if (mean == NULL)
		mr_json_add_null(json, key);
	else
		mr_json_add_number(json, key, mr_decimal(to_float8(mean)));
}

static const char *const verdicts[] = {
	[MR_VERDICT_WAITS] = "waits",
	[MR_VERDICT_PASSES] = "passes",
	[MR_VERDICT_FAILS] = "fails",
};

/* As rollout_status() and the event of an abort tell it. */
Jsonb *
mr_guard_state_json(const MrGuardState *state)
{
	const MrGuard *guard = state->guard;
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "metric", guard->metric);
	mr_json_add_number(&json, guard->at_least ? "at_least" : "at_most", guard->bound);
	if (guard->of_baseline)
		mr_json_add_text(&json, "of", "baseline");
	mr_json_add_int(&json, "model_id", state->arm.model);
	mr_json_add_int(&json, "version", state->arm.version);
	add_mean(&json, "observed", state->observed);
	if (state->comparable)
		mr_json_add_number(&json, "required", mr_decimal(state->required));
	else
		mr_json_add_null(&json, "required");
	mr_json_add_int(&json, "observations", state->observed.n);
	mr_json_add_int(&json, "needed", Max(1, guard->min_observations));
	if (guard->of_baseline)
	{
		add_mean(&json, "baseline", state->baseline);
		mr_json_add_int(&json, "baseline_observations", state->baseline.n);
	}
	mr_json_add_text(&json, "verdict", verdicts[state->verdict]);
	return mr_json_end(&json);
}
