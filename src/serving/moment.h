/*
 * moment.h
 *		What serves at a time.
 */
#ifndef MODELREG_MOMENT_H
#define MODELREG_MOMENT_H

#include "serving/schedule.h"

/* The step of an endpoint's schedule that is open at a time. */
typedef struct MrMoment
{
	int64		endpoint;
	char	   *team;			/* present name of the endpoint's */
	TimestampTz at;
	const MrSchedule *schedule;
	int			step;			/* before the schedule begins: its first */
	bool		final;			/* cannot become another one any more */
} MrMoment;

/* Now, which is when the statement began; for a reader of the endpoint's team. */
extern MrMoment mr_moment_now(const char *endpoint, Snapshot snapshot);
extern MrMoment mr_moment_now_of(int64 id, Snapshot snapshot);

/* By the names and the schedule of that time. */
extern MrMoment mr_moment_then(const char *endpoint, TimestampTz at,
							   Snapshot snapshot);

/*
 * When a schedule of an endpoint ceased to hold: another one was laid down, or
 * the endpoint was retired; DT_NOEND if not.  A snapshot NULL stands for the latest.
 */
extern TimestampTz mr_moment_replaced_at(int64 endpoint, int64 schedule,
										 Snapshot snapshot);

/* Arms in canonical order, each once. */
typedef struct MrArmSet
{
	MrArm	   *arms;
	int			n;
	int64		room;
} MrArmSet;

/* Those of a step and of all that come after it, waiting ones included. */
extern MrArmSet mr_arms_from(const MrSchedule *schedule, int step);

/* Where an arm is in a set that has it. */
extern int	mr_arm_set_place(const MrArmSet *set, const MrArm *arm);

#endif							/* MODELREG_MOMENT_H */
