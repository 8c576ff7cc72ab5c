/*
 * approval.h
 *		Which approvals of a request count.
 */
#ifndef MODELREG_GOVERNANCE_APPROVAL_H
#define MODELREG_GOVERNANCE_APPROVAL_H

#include "governance/request.h"

/* Approvals of the evidence that a request is decided on now. */
typedef struct MrApprovals
{
	int64	   *counted;		/* numbers of those that count, each by another
								 * person */
	Jsonb	  **givers;			/* of these */
	int			ncounted;
	int64		room;
	int64		giver_room;
	char	   *lapsed;			/* roles of those that do not, or NULL */
} MrApprovals;

extern const char *mr_approval_objection(const MrApprovalRequest *request,
										 const MrAsk *ask, Jsonb *who);
extern bool mr_approval_has_lapsed(const MrApprovalRequest *request,
								   const MrAsk *ask, Jsonb *who);
extern MrApprovals mr_approvals_of(const MrApprovalRequest *request,
								   const MrAsk *ask, Snapshot snapshot);

#endif							/* MODELREG_GOVERNANCE_APPROVAL_H */
