/*
 * schedule_check.c
 *		What makes a schedule a well-formed one, for who verifies.
 *
 * The functions of schedule.c make no others.  What a document cannot say at
 * all, its reader refuses; these are the rules beyond that, as the page about
 * the audit format has them.
 */
#include "postgres.h"

#include "serving/schedule_check.h"

#define STATE(state) (1 << (state))

/* The events that lay down schedules, and the states of these. */
static const struct
{
	const char *kind;
	int			states;
}			kinds[] = {
	{"created", STATE(MR_SCHEDULE_ENDED)},
	{"rollout_started", STATE(MR_SCHEDULE_RUNNING)},
	{"rollout_paused", STATE(MR_SCHEDULE_PAUSED)},
	{"rollout_resumed", STATE(MR_SCHEDULE_RUNNING)},
	/* ended, if the rollout ended by the clock before the hold was committed */
	{"rollout_held", STATE(MR_SCHEDULE_HELD) | STATE(MR_SCHEDULE_ENDED)},
	{"rollout_step_opened", STATE(MR_SCHEDULE_RUNNING)},
	{"rollout_completed", STATE(MR_SCHEDULE_ENDED)},
	{"rollout_aborted", STATE(MR_SCHEDULE_ENDED)},
	{"rolled_back", STATE(MR_SCHEDULE_ENDED)},
};

static bool
is_kind(const MrSchedule *schedule, const char *kind)
{
	return strcmp(schedule->kind, kind) == 0;
}

static const char *
flaw_of_kind(const MrSchedule *schedule)
{
	for (int i = 0; i < lengthof(kinds); i++)
		if (is_kind(schedule, kinds[i].kind))
			return (kinds[i].states & STATE(schedule->state)) != 0 ? NULL :
				psprintf("its state is %s, which %s does not make",
						 mr_schedule_state_name(schedule->state), schedule->kind);
	return "its kind is none that lays down a schedule";
}

/* Arms without a share, each once, in canonical order. */
static bool
are_apart(const MrArm *arms, int n, const MrSplit *split)
{
	for (int i = 0; i < n; i++)
		if ((i > 0 && mr_arm_compare(&arms[i - 1], &arms[i]) >= 0) ||
			mr_split_weight(split, &arms[i]) > 0)
			return false;
	return true;
}

static const char *
flaw_of_step(const MrStep *step, const char *list, int number)
{
	const MrSegments *segments = &step->segments;
	MrSplit		split = mr_split_of(segments);

	for (int i = 1; i < segments->n; i++)
		if (mr_arm_compare(&segments->segments[i - 1].arm, &segments->segments[i].arm) == 0)
			return psprintf("neighbours among the segments of %s/%d are of the same version", list, number);
	if (step->bake < 0)
		return psprintf("%s/%d bakes for less than no time", list, number);
	if (!are_apart(step->shadow, step->nshadow, &split))
		return psprintf("the shadow of %s/%d is not in order, or has a share", list, number);
	if (!are_apart(step->warm, step->nwarm, &split))
		return psprintf("what is warm in %s/%d is not in order, or has a share", list, number);
	return NULL;
}

static const char *
flaw_of_steps(const MrStep *steps, int n, const char *list)
{
	const char *flaw = NULL;

	for (int i = 0; i < n && flaw == NULL; i++)
		flaw = flaw_of_step(&steps[i], list, i);
	return flaw;
}

/* What goes with a rollout, all of it or nothing. */
static const char *
flaw_of_rollout(const MrSchedule *schedule)
{
	bool		rollout = schedule->state != MR_SCHEDULE_ENDED;
	bool		frozen = rollout && schedule->state != MR_SCHEDULE_RUNNING;

	if ((schedule->plan != NULL) != rollout || (schedule->from.n > 0) != rollout ||
		(schedule->target.n > 0) != rollout || (schedule->rollout != 0) != rollout)
		return rollout ? "it is of a rollout, but lacks its number, plan, from or target" :
			"it is of no rollout, but has a number, plan, from or target of one";
	if (!rollout && schedule->nwaiting > 0)
		return "steps wait, but of no rollout";
	if (frozen && schedule->nsteps > 1)
		return "a step opens, though the rollout does not run";
	return NULL;
}

/* Is the document what the schedule would be written as? */
static bool
is_normal(const MrSchedule *schedule, const Jsonb *doc)
{
	Jsonb	   *normal = mr_schedule_write(schedule);

	return compareJsonbContainers(unconstify(JsonbContainer *, &doc->root), &normal->root) == 0;
}

const char *
mr_schedule_flaw(const MrSchedule *schedule, const Jsonb *doc)
{
	const char *flaw = flaw_of_kind(schedule);

	if (flaw == NULL && schedule->steps[0].opens != schedule->at)
		flaw = "its first step does not open at its time";
	if (flaw == NULL)
		flaw = flaw_of_steps(schedule->steps, schedule->nsteps, "steps");
	if (flaw == NULL)
		flaw = flaw_of_steps(schedule->waiting, schedule->nwaiting, "waiting");
	if (flaw == NULL)
		flaw = flaw_of_rollout(schedule);
	if (flaw == NULL && !is_normal(schedule, doc))
		flaw = "its document is not in its one way of writing";
	return flaw;
}

static bool
same_plan(const MrPlan *a, const MrPlan *b)
{
	return compareJsonbContainers(&mr_plan_json(a)->root, &mr_plan_json(b)->root) == 0;
}

/* The number of the rollout that it is of, if it goes on from another schedule. */
static int64
rollout_after(const MrSchedule *schedule, const MrSchedule *before)
{
	if (is_kind(schedule, "rollout_started"))
		return schedule->seq;
	return schedule->state == MR_SCHEDULE_ENDED ? 0 : before->rollout;
}

const char *
mr_schedule_flaw_after(const MrSchedule *schedule, const MrSchedule *before)
{
	bool		starts = is_kind(schedule, "rollout_started");

	if (is_kind(schedule, "created") != (before == NULL) || (before == NULL && schedule->seq != 1))
		return "the first event creates the endpoint, and no other";
	if (before == NULL)
		return NULL;
	if (schedule->rollout != rollout_after(schedule, before))
		return psprintf("its rollout is " INT64_FORMAT ", after the schedule before it it is " INT64_FORMAT,
						schedule->rollout, rollout_after(schedule, before));
	if (!starts && !is_kind(schedule, "rolled_back") && !mr_schedule_runs(before, schedule->at))
		return "it is about a rollout, but none runs";
	/* only while all traffic is of one version nobody moves by another salt */
	if (!(starts && schedule->from.n == 1) && memcmp(schedule->salt, before->salt, MR_SALT_LEN) != 0)
		return "its salt is another than before it";
	if (schedule->rollout != 0 && !starts &&
		!(same_plan(schedule->plan, before->plan) && mr_split_equal(&schedule->from, &before->from) &&
		  mr_split_equal(&schedule->target, &before->target)))
		return "plan, from or target of its rollout are others than before it";
	return NULL;
}
