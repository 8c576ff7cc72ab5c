/*
 * in_use.c
 *		Whether endpoints need a version: now, or in a step that is to come.
 *
 * An endpoint serves models of its own team, so the live endpoints of a team
 * are asked, each for the schedule that holds.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "serving/in_use.h"

static MrUse
use_in_step(const MrStep *step, const MrArm *arm)
{
	MrRole		role = mr_step_role(step, arm);

	if (role == MR_ROLE_NONE)
		return MR_USE_NONE;
	return role == MR_ROLE_WARM ? MR_USE_WARM : MR_USE_SERVING;
}

/* Does a version have a share where the rollout started, to which it may be taken back? */
static bool
is_in_split(const MrSplit *split, const MrArm *meant)
{
	for (int i = 0; i < split->n; i++)
		if (mr_arm_is(&split->shares[i].arm, meant))
			return true;
	return false;
}

/* What a schedule needs of a version (0: of any of the model) from a time on. */
MrUse
mr_schedule_use(const MrSchedule *schedule, const MrArm *arm, TimestampTz from)
{
	MrUse		use = MR_USE_NONE;

	if (mr_schedule_runs(schedule, from) && is_in_split(&schedule->from, arm))
		return MR_USE_SERVING;

	for (int i = mr_schedule_present_step(schedule, from); i < schedule->nsteps; i++)
		use = Max(use, use_in_step(&schedule->steps[i], arm));
	for (int i = 0; i < schedule->nwaiting; i++)
		use = Max(use, use_in_step(&schedule->waiting[i], arm));
	return use;
}

typedef struct Search
{
	MrArm		arm;
	TimestampTz from;
	Snapshot	snapshot;
	MrUse		use;
} Search;

static void
visit(const MrEndpoint *endpoint, void *arg)
{
	Search	   *search = arg;

	if (search->use != MR_USE_SERVING)
		search->use = Max(search->use,
						  mr_schedule_use(mr_endpoint_schedule(endpoint, search->snapshot),
										  &search->arm, search->from));
}

/* How much the team's endpoints need a version (0: any of the model) from now on. */
MrUse
mr_version_use(int64 team, int64 model, int32 version, Snapshot snapshot)
{
	Search		search = {{model, version}, GetCurrentTimestamp(), snapshot, MR_USE_NONE};

	mr_each_live_endpoint(team, snapshot, visit, &search);
	return search.use;
}
