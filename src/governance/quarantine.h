/*
 * quarantine.h
 *		Nothing that derives from a quarantined node is let into a stage.
 */
#ifndef MODELREG_GOVERNANCE_QUARANTINE_H
#define MODELREG_GOVERNANCE_QUARANTINE_H

#include "audit/marks.h"
#include "governance/promotion.h"

extern Jsonb *mr_quarantine_roles(const MrPolicy *policy,
								  const MrPolicyTransition *transition);
extern Jsonb *mr_quarantine_roles_in(const MrPolicy *policy, MrStage stage);
extern void mr_quarantine_let_in(MrTransition *transition, int32 version);
extern void mr_quarantine_refuse_alone(MrTransition *transition,
									   const MrLook *look);
extern bool mr_quarantine_touches(const MrMark *mark);
extern void mr_quarantine_init(void);

#endif							/* MODELREG_GOVERNANCE_QUARANTINE_H */
