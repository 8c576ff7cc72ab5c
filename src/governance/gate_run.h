/*
 * gate_run.h
 *		Testing the gates of a transition.
 */
#ifndef MODELREG_GATE_RUN_H
#define MODELREG_GATE_RUN_H

#include "governance/gate.h"
#include "governance/policy.h"

typedef struct MrGateResults
{
	MrGateResult *items;
	int			n;
	bool		refuses;		/* a gate that blocks does not hold */
} MrGateResults;

extern MrGateSubject mr_gate_subject(const MrModel *model, int32 version,
									 MrStage from, MrStage to,
									 const MrPolicy *policy,
									 Snapshot snapshot);
extern MrGateResults mr_gates_test(const MrGateSubject *subject,
								   const MrPolicy *policy,
								   const MrPolicyTransition *transition);

#endif							/* MODELREG_GATE_RUN_H */
