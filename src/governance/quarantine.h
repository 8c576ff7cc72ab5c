/*
 * quarantine.h
 *		Nothing that derives from a quarantined node is let into a stage.
 */
#ifndef MODELREG_GOVERNANCE_QUARANTINE_H
#define MODELREG_GOVERNANCE_QUARANTINE_H

#include "governance/gate_run.h"
#include "governance/policy.h"
#include "governance/transition.h"

extern Jsonb *mr_quarantine_roles(const MrPolicy *policy,
								  const MrPolicyTransition *transition);
extern void mr_quarantine_let_in(MrTransition *transition, int32 version);
extern void mr_quarantine_refuse_alone(MrTransition *transition, int64 node,
									   const MrGateResults *gates);
extern void mr_quarantine_init(void);

#endif							/* MODELREG_GOVERNANCE_QUARANTINE_H */
