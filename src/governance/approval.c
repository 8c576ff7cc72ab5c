/*
 * approval.c
 *		Which approvals of a request count.
 *
 * One counts while it is of the evidence that there is now, and while its giver
 * could give it: he has the level still, under the name and the OID that he
 * had, and is another person than who has to be another.  So the last approval
 * of a request looks at all of them anew.  One that has lapsed is given again,
 * by him or by somebody else.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/grow.h"
#include "base/hash.h"
#include "governance/approval.h"
#include "governance/governance_tables.h"
#include "governance/person.h"

/* What wants another person than this one, in words to him; NULL for nothing. */
const char *
mr_approval_objection(const MrApprovalRequest *request, const MrAsk *ask, Jsonb *who)
{
	const bool *distinct = ask->look.policy->distinct[MR_PART_APPROVER];

	if (distinct[MR_PART_REQUESTER] && mr_same_person(request->who, who))
		return "You asked for it.";
	if (request->version == 0)
		return NULL;
	if (distinct[MR_PART_REGISTRANT] && mr_same_person(ask->look.subject.registrant, who))
		return "You registered the version.";
	if (distinct[MR_PART_EVALUATOR] && mr_look_evaluated_by(&ask->look, who))
		return "You evaluated the version, or what its gates look at.";
	return NULL;
}

/* Could who gave an approval not give it any more? */
bool
mr_approval_has_lapsed(const MrApprovalRequest *request, const MrAsk *ask, Jsonb *who)
{
	MrRights	rights = mr_role_rights(mr_json_get_int(who, "role_oid"),
										mr_json_get_text(who, "role"), request->team);

	return !(rights & ask->way->approvers) ||
		mr_approval_objection(request, ask, who) != NULL;
}

/* Has somebody given one that counts who is no other person? */
static bool
is_counted(const MrApprovals *approvals, Jsonb *who)
{
	for (int i = 0; i < approvals->ncounted; i++)
		if (mr_same_person(approvals->givers[i], who))
			return true;
	return false;
}

static void
count(MrApprovals *approvals, int64 number, Jsonb *who)
{
	approvals->counted = mr_grow(approvals->counted, approvals->ncounted,
								 &approvals->room, sizeof(int64));
	approvals->givers = mr_grow(approvals->givers, approvals->ncounted,
								&approvals->giver_room, sizeof(Jsonb *));
	approvals->counted[approvals->ncounted] = number;
	approvals->givers[approvals->ncounted++] = who;
}

/* The approvals of a request that a transition leads to, in the order in which they were given. */
MrApprovals
mr_approvals_of(const MrApprovalRequest *request, const MrAsk *ask, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("approval");
	Datum		key = Int64GetDatum(request->id);
	MrScan	   *scan = mr_scan_begin(table, "approval_pkey", 1, &key, snapshot);
	MrApprovals approvals = {0};
	StringInfoData lapsed;

	initStringInfo(&lapsed);
	while (mr_scan_next(scan, false))
	{
		bytea	   *approved = DatumGetByteaPP(mr_table_get(table, APPROVAL_EVIDENCE, NULL));
		Jsonb	   *who = DatumGetJsonbPCopy(mr_table_get(table, APPROVAL_WHO, NULL));

		if (!mr_same_hash(approved, ask->evidence.digest))
			continue;
		if (mr_approval_has_lapsed(request, ask, who) || is_counted(&approvals, who))
			appendStringInfo(&lapsed, "%s%s", lapsed.len > 0 ? ", " : "",
							 mr_json_get_text(who, "role"));
		else
			count(&approvals, DatumGetInt64(mr_table_get(table, APPROVAL_SEQ, NULL)), who);
	}
	mr_scan_end(scan);
	mr_table_close(table);
	approvals.lapsed = lapsed.len > 0 ? lapsed.data : NULL;
	return approvals;
}
