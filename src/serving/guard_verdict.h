/*
 * guard_verdict.h
 *		What the guards of a rollout say of its present step.
 */
#ifndef MODELREG_GUARD_VERDICT_H
#define MODELREG_GUARD_VERDICT_H

#include "serving/rollout_evidence.h"
#include "serving/schedule.h"
#include "utils/jsonb.h"

typedef enum MrVerdict
{
	MR_VERDICT_WAITS,			/* nothing can be said yet */
	MR_VERDICT_PASSES,
	MR_VERDICT_FAILS
} MrVerdict;

/* A guard and an arm that grows and has traffic in the present step. */
typedef struct MrGuardState
{
	const MrGuard *guard;
	MrArm		arm;
	MrObservedSum observed;
	MrObservedSum baseline;		/* of the arms that were there before, if it asks */
	bool		comparable;		/* is required known? */
	float8		required;		/* to be shown */
	MrVerdict	verdict;
} MrGuardState;

typedef struct MrGuardStates
{
	MrGuardState *items;
	int			n;
} MrGuardStates;

extern MrGuardStates mr_guard_states(const MrSchedule *schedule, int step,
									 Snapshot snapshot);
extern const MrGuardState *mr_guard_states_failing(const MrGuardStates *states);
extern bool mr_guard_states_pass(const MrGuardStates *states);
extern Jsonb *mr_guard_state_json(const MrGuardState *state);

#endif							/* MODELREG_GUARD_VERDICT_H */
