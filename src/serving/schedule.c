/*
 * schedule.c
 *		Schedules: what serves at each instant from an event of an endpoint on.
 *
 * Arithmetic alone: nothing here reads or writes the database.  All that
 * becomes of a rollout is a list of steps, each with the time for which it
 * bakes; lay_out() gives times to as many of them as need to wait for nobody.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "serving/schedule.h"

/* Of all steps of a schedule together, so that its row stays small. */
#define MAX_SEGMENTS_OF_ALL 65536

static bool
has_arm(const MrArm *arms, int n, const MrArm *meant)
{
	for (int i = 0; i < n; i++)
		if (mr_arm_is(&arms[i], meant))
			return true;
	return false;
}

MrRole
mr_step_role(const MrStep *step, const MrArm *arm)
{
	for (int i = 0; i < step->segments.n; i++)
		if (mr_arm_is(&step->segments.segments[i].arm, arm))
			return MR_ROLE_SERVING;
	if (has_arm(step->shadow, step->nshadow, arm))
		return MR_ROLE_SHADOW;
	return has_arm(step->warm, step->nwarm, arm) ? MR_ROLE_WARM : MR_ROLE_NONE;
}

const char *
mr_role_name(MrRole role)
{
	static const char *const names[] = {
		[MR_ROLE_WARM] = "warm",
		[MR_ROLE_SHADOW] = "shadow",
		[MR_ROLE_SERVING] = "serving"
	};

	return names[role];
}

int
mr_schedule_step_at(const MrSchedule *schedule, TimestampTz time)
{
	int			low = 0;
	int			high = schedule->nsteps;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (schedule->steps[middle].opens <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

TimestampTz
mr_schedule_next_opening(const MrSchedule *schedule, TimestampTz time)
{
	int			next = mr_schedule_step_at(schedule, time) + 1;

	return next < schedule->nsteps ? schedule->steps[next].opens : DT_NOEND;
}

/*
 * The step that an event at a time finds.  One that would open at that very
 * microsecond never does: the schedule that the event lays down holds from
 * then on, and must go on from what the world has seen.
 */
int
mr_schedule_present_step(const MrSchedule *schedule, TimestampTz time)
{
	return Max(mr_schedule_step_at(schedule, time - 1), 0);
}

static const MrSegments *
present_segments(const MrSchedule *schedule, TimestampTz time)
{
	return &schedule->steps[mr_schedule_present_step(schedule, time)].segments;
}

MrSplit
mr_schedule_present_split(const MrSchedule *schedule, TimestampTz time)
{
	return mr_split_of(present_segments(schedule, time));
}

bool
mr_schedule_runs(const MrSchedule *schedule, TimestampTz time)
{
	int			present = mr_schedule_present_step(schedule, time);
	const MrSegments *now = &schedule->steps[present].segments;

	if (schedule->state != MR_SCHEDULE_RUNNING)
		return schedule->state != MR_SCHEDULE_ENDED;
	if (schedule->nwaiting > 0)
		return true;
	for (int i = present; i < schedule->nsteps; i++)
		if (schedule->steps[i].nshadow > 0 ||
			!mr_segments_equal(&schedule->steps[i].segments, now))
			return true;
	return false;
}

bool
mr_schedule_awaits_evidence(const MrSchedule *schedule, TimestampTz time)
{
	return schedule->state == MR_SCHEDULE_RUNNING && schedule->nwaiting > 0 &&
		mr_schedule_present_step(schedule, time) == schedule->nsteps - 1;
}

TimestampTz
mr_schedule_planned_opening(const MrSchedule *schedule)
{
	const MrStep *last = &schedule->steps[schedule->nsteps - 1];

	return last->opens + last->bake;
}

/*
 * Does what follows a step wait for evidence about it?  There is some of each
 * step of a guarded plan in which traffic has moved and still has to.
 */
static bool
is_guarded(const MrSchedule *schedule, const MrStep *step)
{
	MrSplit		split;

	if (schedule->plan == NULL || schedule->plan->nguards == 0)
		return false;
	split = mr_split_of(&step->segments);
	return !mr_split_equal(&split, &schedule->from) &&
		!mr_split_equal(&split, &schedule->target);
}

/* Steps in the making. */
typedef struct StepList
{
	MrStep	   *steps;
	int			n;
} StepList;

/*
 * The first step opens at the schedule's time, the others one after the other
 * up to the first that has to wait.  Of the first so many steps the evidence
 * is there.
 */
static void
lay_out(MrSchedule *schedule, StepList list, int passed)
{
	bool		frozen = schedule->state == MR_SCHEDULE_PAUSED ||
		schedule->state == MR_SCHEDULE_HELD;
	int			n = 1;

	list.steps[0].opens = schedule->at;
	while (!frozen && n < list.n &&
		   (n <= passed || !is_guarded(schedule, &list.steps[n - 1])))
	{
		list.steps[n].opens = list.steps[n - 1].opens + list.steps[n - 1].bake;
		n++;
	}
	schedule->steps = list.steps;
	schedule->nsteps = n;
	schedule->waiting = list.steps + n;
	schedule->nwaiting = list.n - n;
	for (int i = 0; i < schedule->nwaiting; i++)
		schedule->waiting[i].opens = 0;
}

/* A schedule of the same endpoint and rollout, from a time on, without steps. */
static MrSchedule *
derive(const MrSchedule *before, MrScheduleState state, TimestampTz now)
{
	MrSchedule *schedule = palloc(sizeof(MrSchedule));

	*schedule = *before;
	schedule->at = now;
	schedule->seq = 0;
	schedule->kind = NULL;
	schedule->restored = 0;
	schedule->hash = NULL;
	schedule->state = state;
	return schedule;
}

/* The same outside any rollout. */
static MrSchedule *
derive_ended(const MrSchedule *before, TimestampTz now)
{
	MrSchedule *schedule = derive(before, MR_SCHEDULE_ENDED, now);

	schedule->rollout = 0;
	schedule->plan = NULL;
	schedule->from = schedule->target = (MrSplit) {NULL, 0};
	return schedule;
}

static void
draw_salt(MrSchedule *schedule)
{
	if (!pg_strong_random(schedule->salt, MR_SALT_LEN))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
}

static StepList
make_list(int room)
{
	return (StepList) {palloc0(room * sizeof(MrStep)), 0};
}

/* Add a step, whose shadows and warm arms are none at first. */
static MrStep *
add_step(StepList *list, MrSegments segments, int64 bake)
{
	MrStep	   *step = &list->steps[list->n++];

	step->segments = segments;
	step->bake = bake;
	return step;
}

/* What serves from the birth of an endpoint on. */
MrSchedule *
mr_schedule_first(const MrSplit *split, TimestampTz now)
{
	MrSchedule *schedule = palloc0(sizeof(MrSchedule));
	StepList	list = make_list(1);

	schedule->at = now;
	schedule->state = MR_SCHEDULE_ENDED;
	draw_salt(schedule);
	add_step(&list, mr_segments_of(split), 0);
	lay_out(schedule, list, 0);
	return schedule;
}

/* The arms of one split that have no weight in another. */
static MrArm *
arms_missing(const MrSplit *of, const MrSplit *in, int *n)
{
	MrArm	   *arms = palloc(of->n * sizeof(MrArm));

	*n = 0;
	for (int i = 0; i < of->n; i++)
		if (mr_split_weight(in, &of->shares[i].arm) == 0)
			arms[(*n)++] = of->shares[i].arm;
	return arms;
}

/* Two steps at most: the last one, and when it has nothing warm any more. */
static void
add_last(StepList *list, MrSegments segments, const MrSplit *from,
		 const MrSplit *target, int64 keep_warm)
{
	MrStep	   *step = add_step(list, segments, 0);

	if (keep_warm == 0)
		return;
	step->warm = arms_missing(from, target, &step->nwarm);
	if (step->nwarm == 0)
		return;
	step->bake = keep_warm;
	add_step(list, segments, 0);
}

/* What comes before the traffic moves, if an arm is new. */
static void
add_preparation(StepList *list, const MrPlan *plan, const MrSegments *present,
				const MrSplit *from, const MrSplit *target)
{
	int			nnew;
	MrArm	   *new = arms_missing(target, from, &nnew);
	MrStep	   *step;

	if (plan->warm_up > 0 && nnew > 0)
	{
		step = add_step(list, *present, plan->warm_up);
		step->warm = new;
		step->nwarm = nnew;
	}
	if (plan->shadow != 0 && nnew > 0)
	{
		step = add_step(list, *present, Max(plan->shadow, 0));
		step->shadow = new;
		step->nshadow = nnew;
	}
	if (plan->nsteps == 0 && nnew == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is nothing to shadow"),
				 errdetail("Every version of the target has a share of the traffic already."),
				 mr_reason("nothing_to_shadow")));
	if (plan->nsteps == 0 && plan->shadow != MR_FOREVER)
		add_step(list, *present, 0);
}

/* May a step have these segments, where so many are of all steps? */
static bool
fits(const MrSegments *segments, const MrSplit *split, int total)
{
	return segments->n <= MR_MAX_SEGMENTS && split->n <= MR_MAX_ARMS &&
		total <= MAX_SEGMENTS_OF_ALL;
}

static void
raise_too_large(const MrSegments *segments, const MrSplit *split)
{
	if (segments->n > MR_MAX_SEGMENTS)
		mr_segments_raise_too_many();
	if (split->n > MR_MAX_ARMS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d versions would have a share at once", MR_MAX_ARMS),
				 mr_reason("schedule_too_large")));
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the steps of the rollout would have more than %d segments", MAX_SEGMENTS_OF_ALL),
			 errhint("Take a plan with fewer steps, or a target with fewer arms that grow."),
			 mr_reason("schedule_too_large")));
}

/* False, or an error if that is wanted, when the steps would be too large. */
static bool
add_plan_steps(StepList *list, const MrPlan *plan, const MrSegments *present,
			   const MrSplit *from, const MrSplit *target, bool raises)
{
	MrSegments	segments = *present;
	int			total = 0;

	for (int i = 0; i < plan->nsteps; i++)
	{
		MrSplit		split = mr_split_between(from, target, plan->steps[i].weight);
		MrStep	   *step;

		segments = mr_segments_moved(&segments, &split);
		total += segments.n;
		if (!fits(&segments, &split, total))
		{
			if (raises)
				raise_too_large(&segments, &split);
			return false;
		}
		if (i == plan->nsteps - 1)
			add_last(list, segments, from, target, plan->keep_warm);
		else
		{
			step = add_step(list, segments, plan->steps[i].bake);
			step->warm = arms_missing(target, &split, &step->nwarm);
		}
	}
	return true;
}

static MrSchedule *
start(const MrSchedule *before, const MrSplit *target, MrPlan *plan,
	  TimestampTz now, bool raises)
{
	const MrSegments *present = present_segments(before, now);
	MrSchedule *schedule = derive(before, MR_SCHEDULE_RUNNING, now);
	StepList	list = make_list(plan->nsteps + 4);

	schedule->rollout = 0;
	schedule->plan = plan;
	schedule->from = mr_split_of(present);
	schedule->target = *target;
	if (present->n == 1)
		draw_salt(schedule);
	add_preparation(&list, plan, present, &schedule->from, target);
	if (!add_plan_steps(&list, plan, present, &schedule->from, target, raises))
		return NULL;
	lay_out(schedule, list, 0);
	return schedule;
}

/*
 * A rollout from what serves at a time to a target.  From a single arm the
 * salt is drawn anew: nobody moves by that, and it is not always the same
 * users who are first.
 */
MrSchedule *
mr_schedule_start(const MrSchedule *before, const MrSplit *target,
				  MrPlan *plan, TimestampTz now)
{
	return start(before, target, plan, now, true);
}

/* The same, by as many of the plan's steps as a schedule can have; they take as long. */
MrSchedule *
mr_schedule_start_shortened(const MrSchedule *before, const MrSplit *target,
							MrPlan *plan, TimestampTz now)
{
	for (;;)
	{
		MrSchedule *schedule = start(before, target, plan, now, plan->nsteps == 1);

		CHECK_FOR_INTERRUPTS();
		if (schedule != NULL)
			return schedule;
		plan = mr_plan_halve(plan);
	}
}

/* What is left of a rollout at a time: its present step with the rest of its bake, and all behind. */
static StepList
what_is_left(const MrSchedule *before, TimestampTz now)
{
	int			present = mr_schedule_present_step(before, now);
	int			timed = before->nsteps - present;
	StepList	list = make_list(timed + before->nwaiting);
	MrStep	   *first = list.steps;

	memcpy(list.steps, before->steps + present, timed * sizeof(MrStep));
	if (before->nwaiting > 0)
		memcpy(list.steps + timed, before->waiting, before->nwaiting * sizeof(MrStep));
	list.n = timed + before->nwaiting;
	/* of what does not run no time has gone */
	if (before->state == MR_SCHEDULE_RUNNING && list.n > 1)
		first->bake = Max(first->opens + first->bake - now, 0);
	return list;
}

/* Freeze the present step; its remaining bake and all behind it wait. */
MrSchedule *
mr_schedule_pause(const MrSchedule *before, MrScheduleState state,
				  TimestampTz now)
{
	MrSchedule *schedule = derive(before, state, now);

	lay_out(schedule, what_is_left(before, now), 0);
	return schedule;
}

/* Go on with what is left. */
MrSchedule *
mr_schedule_resume(const MrSchedule *before, TimestampTz now)
{
	MrSchedule *schedule = derive(before, MR_SCHEDULE_RUNNING, now);

	lay_out(schedule, what_is_left(before, now), 0);
	return schedule;
}

/* The evidence about the present step is there: the next opens when it was planned to, or now. */
MrSchedule *
mr_schedule_open_next(const MrSchedule *before, TimestampTz now)
{
	MrSchedule *schedule = derive(before, MR_SCHEDULE_RUNNING, now);
	StepList	list = what_is_left(before, now);

	if (list.n > 1 && list.steps[0].bake == 0)
		lay_out(schedule, (StepList) {list.steps + 1, list.n - 1}, 0);
	else
		lay_out(schedule, list, 1);
	return schedule;
}

/* All of the way is gone at once; of a shadow alone there was none to go. */
MrSchedule *
mr_schedule_complete(const MrSchedule *before, TimestampTz now)
{
	const MrSegments *present = present_segments(before, now);
	MrSchedule *schedule = derive_ended(before, now);
	StepList	list = make_list(2);

	if (before->plan->nsteps == 0)
		add_step(&list, *present, 0);
	else
		add_last(&list, mr_segments_move(present, &before->target),
				 &before->from, &before->target, before->plan->keep_warm);
	lay_out(schedule, list, 0);
	return schedule;
}

/* Back at once to another split, outside any rollout; it is never too large. */
MrSchedule *
mr_schedule_move(const MrSchedule *before, const MrSplit *to, TimestampTz now)
{
	const MrSegments *present = present_segments(before, now);
	MrSchedule *schedule = derive_ended(before, now);
	StepList	list = make_list(1);

	add_step(&list, mr_segments_move_back(present, to), 0);
	lay_out(schedule, list, 0);
	return schedule;
}

/* Back to where the rollout started. */
MrSchedule *
mr_schedule_abort(const MrSchedule *before, TimestampTz now)
{
	return mr_schedule_move(before, &before->from, now);
}
