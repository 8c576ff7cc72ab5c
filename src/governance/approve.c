/*
 * approve.c
 *		Reviewing and approving requests.
 *
 * review() shows a digest of all that the request is decided on; an approval
 * repeats it, and one of anything but what is so now is refused.  When a new
 * evaluation, another policy or another version in Production changes it, the
 * approvals given before count no more; nor does one whose giver lost the level.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/row.h"
#include "base/snapshot.h"
#include "governance/approval.h"
#include "governance/governance_tables.h"
#include "governance/person.h"
#include "types/digest.h"

PG_FUNCTION_INFO_V1(modelreg_review);
PG_FUNCTION_INFO_V1(modelreg_request_standing);
PG_FUNCTION_INFO_V1(modelreg_approve);

/* Error 55000 for a request of which nothing comes any more. */
void
mr_request_raise_closed(int64 id, const char *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("request " INT64_FORMAT " is not open", id),
			 errdetail("It is %s.", state),
			 errhint("Ask anew with modelreg.request_promotion() or modelreg.request_policy()."),
			 mr_reason("request_closed")));
}

/* The model of a request; error 55000 if it was retired. */
MrModel
mr_request_require_model(const MrTeam *team, int64 id)
{
	MrApprovalRequest request;
	MrModel		model;

	if (!mr_request_find(id, NULL, &request) ||
		!mr_model_by_id(team, request.model, NULL, &model))
		mr_request_raise_closed(id, "of a model that was retired");
	return model;
}

static void
raise_evidence_changed(int64 id, const char *now)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("request " INT64_FORMAT " stands on other evidence", id),
			 errdetail("Its evidence is %s now.", now),
			 errhint("Look at it with modelreg.review() and decide anew."),
			 mr_reason("evidence_changed")));
}

/* Error 42501 unless the caller may approve. */
static void
require_approver(const MrVerb *verb, const MrApprovalRequest *request, const MrAsk *ask)
{
	const char *reason = mr_approval_objection(request, ask, verb->who);

	mr_policy_require_level(ask->look.subject.model->policy, ask->way->approvers,
							verb->team.rights, "approve");
	if (reason != NULL)
		mr_look_raise_same_person(&ask->look, reason);
}

/* Is one of the persons said to be the role that the other is? */
static bool
is_same_role(Jsonb *a, Jsonb *b)
{
	return strcmp(mr_json_get_text(a, "role"), mr_json_get_text(b, "role")) == 0;
}

/*
 * Has the caller approved what there is now, so that it counts?  Error 42501
 * if somebody did who is no other person, for approvers always are.
 */
static bool
approved_before(const MrVerb *verb, const MrApprovalRequest *request, const MrAsk *ask)
{
	MrApprovals approvals = mr_approvals_of(request, ask, NULL);

	for (int i = 0; i < approvals.ncounted; i++)
	{
		Jsonb	   *who = approvals.givers[i];

		if (!mr_same_person(who, verb->who))
			continue;
		if (!is_same_role(who, verb->who))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("approvals of a request are by different persons"),
					 errdetail("You approved it as \"%s\".", mr_json_get_text(who, "role")),
					 mr_reason("same_person")));
		return true;
	}
	return false;
}

/* Append the event of an approval, and keep it; the head is not saved yet. */
static void
record_approval(MrTransition *transition, const MrApprovalRequest *request, const MrAsk *ask)
{
	Datum		values[APPROVAL_COLUMNS];
	bool		nulls[APPROVAL_COLUMNS] = {false};
	MrJson		what;
	TimestampTz at;

	mr_evidence_store(transition->model, request->version, &ask->evidence);
	mr_json_begin(&what);
	mr_json_add_int(&what, "request", request->id);
	mr_json_add_text(&what, "policy", transition->model->policy);
	mr_json_add_hash(&what, "policy_digest", transition->model->policy_digest);
	mr_json_add_hash(&what, "evidence", ask->evidence.digest);
	at = mr_event_append(transition->head, transition->verb, "request_approved",
						 mr_json_end(&what), transition->reason);
	values[APPROVAL_REQUEST_OF - 1] = Int64GetDatum(request->id);
	values[APPROVAL_SEQ - 1] = transition->head->values[HEAD_SEQ - 1];
	values[APPROVAL_TEAM_ID - 1] = Int64GetDatum(request->team);
	values[APPROVAL_EVIDENCE - 1] = PointerGetDatum(ask->evidence.digest);
	values[APPROVAL_WHO - 1] = JsonbPGetDatum(transition->verb->who);
	values[APPROVAL_AT - 1] = TimestampTzGetDatum(at);
	mr_insert_row("approval", values, nulls);
	CommandCounterIncrement();
}

/* The request has what it needs: do what it asks for. */
static int64
carry_out(MrTransition *transition, const MrApprovalRequest *request, const MrAsk *ask,
		  const MrApprovals *approvals)
{
	int64		number;

	transition->reason = NULL;	/* the comment is the approval's */
	transition->approvals = approvals->counted;
	transition->napprovals = approvals->ncounted;
	if (request->version == 0)
		return mr_policy_change(transition, request, &ask->evidence);
	transition->request = request->id;
	number = mr_promotion_decide(transition, &ask->promotion, &ask->look,
								 request->stage == MR_STAGE_PRODUCTION ? "promoted" : "stage_changed");
	mr_request_close(request->id, "done", number);
	return number;
}

/* A policy that an admin forbade meanwhile is not taken. */
static void
require_still_allowed(const MrVerb *verb, const MrApprovalRequest *request)
{
	int32		revision;

	if (request->version != 0)
		return;
	revision = mr_team_policy(verb->team.id, request->policy, NULL);
	if (revision != 0)
	{
		MrPolicyRow row = mr_policy_require(verb->team.id, request->policy, revision, NULL);

		if (mr_same_hash(row.digest, request->policy_digest))
			return;
	}
	mr_policy_raise_not_allowed(verb->team.name, request->policy, 0);
}

/* Under the lock: is there anything that approving this evidence can be? */
static void
check_request(const MrVerb *verb, const MrApprovalRequest *request, const MrAsk *ask,
			  const char *evidence)
{
	char	   *now;

	if (!mr_request_is_open(request))
		mr_request_raise_closed(request->id, strcmp(request->state, "open") == 0 ?
								"expired" : request->state);
	if (request->version != 0)
		mr_look_require_way(&ask->look);
	if (ask->way == NULL)
		mr_request_raise_closed(request->id, "done already");
	require_approver(verb, request, ask);
	/* who asked may have evaluated since, or the policy be another */
	if (request->version != 0)
		mr_look_require_requester(&ask->look, request->who, "Who asked for it");
	now = mr_evidence_text(ask->evidence.digest);
	if (strcmp(now, evidence) != 0)
		raise_evidence_changed(request->id, now);
	if (request->version != 0 && ask->look.gates.refuses)
		mr_gates_raise_refused(&ask->look.subject, &ask->look.gates);
	require_still_allowed(verb, request);
}

/* Returns the number of the decision, 0 when more approvals are needed. */
static int64
approve(MrVerb *verb, int64 id, const char *evidence, const char *comment)
{
	MrApprovalRequest request;
	MrTransition *transition;
	MrApprovals approvals;
	Snapshot	snapshot;
	MrModel		model;
	MrAsk		ask;
	bool		repeated;
	int64		number = 0;

	model = mr_request_require_model(&verb->team, id);
	transition = mr_transition_begin(verb, &model, comment);
	snapshot = RegisterSnapshot(mr_latest_snapshot());
	mr_request_find(id, snapshot, &request);
	ask = mr_request_ask(&request, &model, false, snapshot);
	check_request(verb, &request, &ask, evidence);
	repeated = approved_before(verb, &request, &ask);
	if (!repeated)
		record_approval(transition, &request, &ask);
	approvals = mr_approvals_of(&request, &ask, NULL);
	if (approvals.ncounted >= ask.way->approvals)
		number = carry_out(transition, &request, &ask, &approvals);
	else if (repeated)
		mr_transition_abandon(transition);
	else
		mr_head_save(transition->head);
	UnregisterSnapshot(snapshot);
	return number;
}

/*
 * modelreg.approve(request bigint, evidence text, comment text,
 *		request_id text) returns bigint, the number of the decision.
 *
 * NULL while more approvals are needed.  Errors: 42704, 42501, 55000 for a
 * request that is not open, for other evidence than there is now, and for
 * gates that refuse.
 */
Datum
modelreg_approve(PG_FUNCTION_ARGS)
{
	char	   *evidence = mr_arg_text(fcinfo, 1, "evidence");
	char	   *comment = mr_arg_text_or_null(fcinfo, 2);
	MrTeam		team;
	MrVerb		verb;
	int64		number = 0;

	mr_arg_require(fcinfo, 0, "request");
	(void) mr_request_require(PG_GETARG_INT64(0), MR_DECIDERS, GetActiveSnapshot(), &team);
	mr_verb_begin(&verb, fcinfo, "approve", &team, 3);
	mr_verb_is_personal(&verb);
	if (!mr_verb_repeats(&verb))
		number = approve(&verb, PG_GETARG_INT64(0), evidence, comment);
	MR_VERB_RETURN_NUMBER(&verb, "number", number);
}

/* The approvals' numbers, as an array. */
static Datum
counted_array(const MrApprovals *approvals)
{
	Datum	   *numbers = palloc(Max(approvals->ncounted, 1) * sizeof(Datum));

	for (int i = 0; i < approvals->ncounted; i++)
		numbers[i] = Int64GetDatum(approvals->counted[i]);
	return PointerGetDatum(construct_array(numbers, approvals->ncounted, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* modelreg.request_standing(request bigint) returns record: see its COMMENT. */
Datum
modelreg_request_standing(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = GetActiveSnapshot();
	Datum		values[2];
	bool		nulls[2] = {false};
	MrApprovalRequest request;
	MrApprovals approvals;
	MrTeam		team;
	MrModel		model;
	MrAsk		ask;

	if (!mr_request_find(PG_GETARG_INT64(0), snapshot, &request) ||
		!mr_request_is_open(&request) || !mr_may_read(request.team))
		PG_RETURN_NULL();
	team = mr_require_team_by_id(request.team, MR_READER);
	if (!mr_model_by_id(&team, request.model, snapshot, &model))
		PG_RETURN_NULL();
	ask = mr_request_ask(&request, &model, true, snapshot);
	if (ask.way == NULL)
		PG_RETURN_NULL();
	approvals = mr_approvals_of(&request, &ask, snapshot);
	values[0] = CStringGetTextDatum(mr_evidence_text(ask.evidence.digest));
	values[1] = counted_array(&approvals);
	return mr_make_record(fcinfo, values, nulls);
}

/* Columns of review(). */
enum
{
	REVIEW_MODEL, REVIEW_VERSION, REVIEW_STAGE, REVIEW_POLICY, REVIEW_REVISION,
	REVIEW_STATE, REVIEW_REQUESTED_BY, REVIEW_REQUESTED_AT, REVIEW_EXPIRES_AT,
	REVIEW_REASON, REVIEW_EVIDENCE, REVIEW_DOCUMENT, REVIEW_PASSES,
	REVIEW_NEEDED, REVIEW_APPROVED, REVIEW_LAPSED, REVIEW_COLUMNS
};

/* What the request asks for. */
static void
describe_request(const MrApprovalRequest *request, const MrModel *model, bool live,
				 Snapshot snapshot, Datum *values, bool *nulls)
{
	bool		open = strcmp(request->state, "open") == 0;

	mr_set_text(values, nulls, REVIEW_MODEL, mr_model_address(model));
	values[REVIEW_VERSION] = Int32GetDatum(request->version);
	nulls[REVIEW_VERSION] = request->version == 0;
	mr_set_text(values, nulls, REVIEW_STAGE,
				request->version == 0 ? NULL : mr_stage_name(request->stage));
	mr_set_text(values, nulls, REVIEW_POLICY, request->policy);
	nulls[REVIEW_REVISION] = request->policy == NULL;
	if (request->policy != NULL)
		values[REVIEW_REVISION] =
			Int32GetDatum(mr_policy_revision_of(request->team, request->policy,
												request->policy_digest, snapshot));
	mr_set_text(values, nulls, REVIEW_STATE,
				open && !(live && mr_request_is_open(request)) ? "expired" : request->state);
	mr_set_text(values, nulls, REVIEW_REQUESTED_BY, mr_json_get_text(request->who, "role"));
	values[REVIEW_REQUESTED_AT] = TimestampTzGetDatum(request->requested_at);
	values[REVIEW_EXPIRES_AT] = TimestampTzGetDatum(request->expires_at);
	mr_set_text(values, nulls, REVIEW_REASON,
				mr_event_reason(MR_CHAIN_DECISIONS, request->model, request->seq, snapshot));
}

/* On what it is decided now. */
static void
describe_ask(const MrApprovalRequest *request, const MrAsk *ask, Snapshot snapshot,
			 Datum *values, bool *nulls)
{
	MrApprovals approvals;

	memset(&nulls[REVIEW_EVIDENCE], ask->way == NULL,
		   (REVIEW_COLUMNS - REVIEW_EVIDENCE) * sizeof(bool));
	if (ask->way == NULL)
		return;
	mr_set_text(values, nulls, REVIEW_EVIDENCE, mr_evidence_text(ask->evidence.digest));
	values[REVIEW_DOCUMENT] = JsonbPGetDatum(ask->evidence.document);
	values[REVIEW_PASSES] = BoolGetDatum(!ask->look.gates.refuses);
	values[REVIEW_NEEDED] = Int32GetDatum(ask->way->approvals);
	approvals = mr_approvals_of(request, ask, snapshot);
	values[REVIEW_APPROVED] = Int32GetDatum(approvals.ncounted);
	mr_set_text(values, nulls, REVIEW_LAPSED, approvals.lapsed);
}

/*
 * modelreg.review(request bigint) returns record.  Of a request that is not
 * open, or that no transition leads to any more, what it is decided on is
 * null.  Errors: 42704.
 */
Datum
modelreg_review(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = GetActiveSnapshot();
	Datum		values[REVIEW_COLUMNS] = {0};
	bool		nulls[REVIEW_COLUMNS] = {false};
	MrApprovalRequest request;
	MrTeam		team;
	MrModel		model;
	MrAsk		ask = {0};
	bool		live;

	mr_arg_require(fcinfo, 0, "request");
	request = mr_request_require(PG_GETARG_INT64(0), MR_READER, snapshot, &team);
	live = mr_model_by_id(&team, request.model, snapshot, &model);
	if (live && mr_request_is_open(&request))
		ask = mr_request_ask(&request, &model, true, snapshot);
	describe_request(&request, &model, live, snapshot, values, nulls);
	describe_ask(&request, &ask, snapshot, values, nulls);
	return mr_make_record(fcinfo, values, nulls);
}
