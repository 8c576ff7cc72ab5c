/*
 * request.h
 *		Requests for approval: of a move, or of another policy for a model.
 */
#ifndef MODELREG_GOVERNANCE_REQUEST_H
#define MODELREG_GOVERNANCE_REQUEST_H

#include "governance/promotion.h"

/* A request as it is kept. */
typedef struct MrApprovalRequest
{
	int64		id;
	int64		team;
	int64		model;
	int64		seq;
	int32		version;		/* 0: it is about a policy */
	MrStage		stage;
	char	   *policy;
	bytea	   *policy_digest;
	char	   *state;
	Jsonb	   *who;
	TimestampTz requested_at;
	TimestampTz expires_at;
} MrApprovalRequest;

/* What a request needs, and on what it is decided now. */
typedef struct MrAsk
{
	const MrPolicyTransition *way;	/* whose approvals it needs; NULL: none
									 * leads there any more */
	MrLook		look;			/* of a move */
	MrPromotion promotion;
	MrEvidence	evidence;
} MrAsk;

extern bool mr_request_find(int64 id, Snapshot snapshot,
							MrApprovalRequest *request);
extern MrApprovalRequest mr_request_require(int64 id, MrRights level,
											Snapshot snapshot, MrTeam *team);
extern bool mr_request_is_open(const MrApprovalRequest *request);
extern void mr_request_insert(const MrApprovalRequest *request);
extern void mr_request_close(int64 id, const char *state, int64 seq);
extern MrAsk mr_request_ask(const MrApprovalRequest *request,
							const MrModel *model, bool as_reader,
							Snapshot snapshot);
extern const MrPolicyTransition *mr_way_for_policy(const MrPolicy *policy);

extern void mr_request_raise_closed(int64 id, const char *state);
extern MrModel mr_request_require_model(const MrTeam *team, int64 id);
extern int64 mr_policy_change(MrTransition *transition,
							  const MrApprovalRequest *request,
							  const MrEvidence *evidence);

#endif							/* MODELREG_GOVERNANCE_REQUEST_H */
