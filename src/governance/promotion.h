/*
 * promotion.h
 *		What a policy and its gates say of a move, and deciding it.
 */
#ifndef MODELREG_PROMOTION_H
#define MODELREG_PROMOTION_H

#include "governance/evidence.h"
#include "governance/gate_run.h"
#include "governance/policy.h"
#include "governance/transition.h"

/* Policies name the levels that they want out of these. */
#define MR_DECIDERS (MR_CONTRIBUTOR | MR_EVALUATOR | MR_REVIEWER | MR_MAINTAINER)

/* What a caller asked for. */
typedef struct MrPromotion
{
	int32		version;
	MrStage		to;
	bool		archive_others;
	bool		leave_none;
	bool		has_expected;
	int32		expected;		/* 0: none is current */
} MrPromotion;

/* What a policy says of a move, and what its gates say of it now. */
typedef struct MrLook
{
	const MrPolicy *policy;
	const MrPolicyTransition *way;	/* NULL: none, or nothing is left to do */
	bool		done;			/* the version is there already */
	MrGateSubject subject;
	MrGateResults gates;
	MrEvidence	evidence;
} MrLook;

extern MrLook mr_look_at_way(const MrModel *model,
							 const MrPromotion *promotion,
							 Snapshot snapshot);
extern void mr_look_require_way(const MrLook *look);
extern void mr_look_require_caller(const MrLook *look, MrRights rights,
								   Jsonb *who);
extern void mr_look_require_requester(const MrLook *look, Jsonb *who,
									  const char *called);
extern void mr_look_raise_same_person(const MrLook *look, const char *detail);
extern void mr_look_at_gates(MrLook *look, int64 request);
extern bool mr_look_evaluated_by(const MrLook *look, Jsonb *who);

extern MrPromotion mr_promotion_args(FunctionCallInfo fcinfo, int version_arg,
									 int stage_arg);
extern int64 mr_promotion_decide(MrTransition *transition,
								 const MrPromotion *promotion,
								 const MrLook *look, const char *kind);

#endif							/* MODELREG_PROMOTION_H */
