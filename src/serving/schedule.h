/*
 * schedule.h
 *		Schedules: what serves at each instant from an event of an endpoint on.
 *
 * What makes a schedule of another returns a new one, with the endpoint,
 * team, salt, plan and rollout of the other; whoever lays it down fills in
 * seq, kind and, where they change, rollout and restored.  A schedule is
 * never changed once it is made.
 */
#ifndef MODELREG_SCHEDULE_H
#define MODELREG_SCHEDULE_H

#include "datatype/timestamp.h"
#include "serving/plan.h"
#include "serving/split.h"
#include "utils/jsonb.h"
#include "utils/snapshot.h"

#define MR_SALT_LEN 16

typedef enum MrScheduleState
{
	MR_SCHEDULE_RUNNING,
	MR_SCHEDULE_PAUSED,			/* by somebody */
	MR_SCHEDULE_HELD,			/* by a quarantine */
	MR_SCHEDULE_ENDED			/* completed, aborted, or no rollout at all */
} MrScheduleState;

typedef struct MrStep
{
	TimestampTz opens;			/* of one that waits: 0 */
	int64		bake;			/* planned until the next step; 0 of the last */
	MrSegments	segments;
	MrArm	   *shadow;			/* see requests and answer none */
	int			nshadow;
	MrArm	   *warm;			/* are to be loaded, without a share */
	int			nwarm;
} MrStep;

/* What an arm does in a step. */
typedef enum MrRole
{
	MR_ROLE_NONE,
	MR_ROLE_WARM,				/* is to be loaded */
	MR_ROLE_SHADOW,				/* sees the requests and answers none */
	MR_ROLE_SERVING				/* has a share of them */
} MrRole;

typedef struct MrSchedule
{
	int64		endpoint;
	int64		team;
	int64		seq;			/* of the event that lays it down */
	TimestampTz at;				/* of that event */
	char	   *kind;			/* of that event */
	int64		rollout;		/* event that started it; 0 outside any */
	int64		restored;		/* the schedule whose split it brings back, or 0 */
	uint8		salt[MR_SALT_LEN];
	MrStep	   *steps;			/* opens of the first is at */
	int			nsteps;
	MrStep	   *waiting;		/* what follows, without times yet */
	int			nwaiting;
	MrPlan	   *plan;			/* of the rollout, or NULL */
	MrSplit		from;			/* where the rollout started; n = 0 outside any */
	MrSplit		target;
	MrScheduleState state;
	bytea	   *hash;			/* of its row, once there is one */
} MrSchedule;

/* Of several roles the last; of an arm of version 0 that of any of its model. */
extern MrRole mr_step_role(const MrStep *step, const MrArm *arm);

/* serving, shadow, warm, and NULL for none. */
extern const char *mr_role_name(MrRole role);

/* For who reads what stands at a time: the step's number; before the schedule -1. */
extern int	mr_schedule_step_at(const MrSchedule *schedule, TimestampTz time);

/* When the next step after a time opens; DT_NOEND if none has a time. */
extern TimestampTz mr_schedule_next_opening(const MrSchedule *schedule,
											TimestampTz time);

/*
 * For who decides something at a time, as for the functions below: the step
 * that held until then.
 */
extern int	mr_schedule_present_step(const MrSchedule *schedule,
									 TimestampTz time);
extern MrSplit mr_schedule_present_split(const MrSchedule *schedule,
										 TimestampTz time);

/* Is there a rollout which is not at its end, be it paused? */
extern bool mr_schedule_runs(const MrSchedule *schedule, TimestampTz time);

/* Is evidence about the present step all that the next one waits for? */
extern bool mr_schedule_awaits_evidence(const MrSchedule *schedule,
										TimestampTz time);

/* When the step that waits for evidence would open by its plan. */
extern TimestampTz mr_schedule_planned_opening(const MrSchedule *schedule);

/* Pure functions from what holds at a time to what is to hold from it on. */
extern MrSchedule *mr_schedule_first(const MrSplit *split, TimestampTz now);
extern MrSchedule *mr_schedule_start(const MrSchedule *before,
									 const MrSplit *target, MrPlan *plan,
									 TimestampTz now);
extern MrSchedule *mr_schedule_start_shortened(const MrSchedule *before,
											   const MrSplit *target,
											   MrPlan *plan, TimestampTz now);
extern MrSchedule *mr_schedule_pause(const MrSchedule *before,
									 MrScheduleState state, TimestampTz now);
extern MrSchedule *mr_schedule_resume(const MrSchedule *before,
									  TimestampTz now);
extern MrSchedule *mr_schedule_open_next(const MrSchedule *before,
										 TimestampTz now);
extern MrSchedule *mr_schedule_complete(const MrSchedule *before,
										TimestampTz now);
extern MrSchedule *mr_schedule_abort(const MrSchedule *before,
									 TimestampTz now);
extern MrSchedule *mr_schedule_move(const MrSchedule *before,
									const MrSplit *to, TimestampTz now);

/* schedule_document.c: the document of its row, and the words of states. */
extern const char *mr_schedule_state_name(MrScheduleState state);
extern Jsonb *mr_schedule_write(const MrSchedule *schedule);
extern void mr_schedule_read(Jsonb *doc, MrSchedule *schedule);

#endif							/* MODELREG_SCHEDULE_H */
