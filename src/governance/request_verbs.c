/*
 * request_verbs.c
 *		Asking for approval, and ending a request without it.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/marks.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "base/snapshot.h"
#include "governance/person.h"
#include "governance/request.h"
#include "registry/registry_tables.h"

PG_FUNCTION_INFO_V1(modelreg_request_promotion);
PG_FUNCTION_INFO_V1(modelreg_request_policy);
PG_FUNCTION_INFO_V1(modelreg_reject);
PG_FUNCTION_INFO_V1(modelreg_withdraw_request);

/*
 * A year, leap years too: what nobody decided for so long is asked again by
 * somebody who still wants it.
 */
#define EXPIRY_MAX_DAYS 366
#define EXPIRY_MAX ((int64) EXPIRY_MAX_DAYS * USECS_PER_DAY)

/*
 * When a request that is made now expires; 22023 for one that would at once, or
 * later than in EXPIRY_MAX.
 */
static TimestampTz
expiry(FunctionCallInfo fcinfo, int arg)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz at;

	mr_arg_require(fcinfo, arg, "expires_in");
	at = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												 TimestampTzGetDatum(now),
												 PG_GETARG_DATUM(arg)));
	if (TIMESTAMP_NOT_FINITE(at) || at <= now || at > now + EXPIRY_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expires_in must be positive and at most %d days", EXPIRY_MAX_DAYS),
				 mr_reason("invalid_time")));
	return at;
}

/* Append the event that asks, and keep the request; the head is not saved yet. */
static void
open_request(MrTransition *transition, MrApprovalRequest *request)
{
	MrJson		what;

	request->id = mr_nextval("approval_request_id_seq");
	request->team = transition->model->team.id;
	request->model = transition->model->id;
	request->who = transition->verb->who;
	mr_json_begin(&what);
	mr_json_add_int(&what, "request", request->id);
	if (request->version != 0)
	{
		mr_json_add_int(&what, "version", request->version);
		mr_json_add_text(&what, "stage", mr_stage_name(request->stage));
	}
	else
	{
		mr_json_add_text(&what, "to_policy", request->policy);
		mr_json_add_hash(&what, "to_policy_digest", request->policy_digest);
	}
	mr_json_add_text(&what, "policy", transition->model->policy);
	mr_json_add_hash(&what, "policy_digest", transition->model->policy_digest);
	mr_json_add_int(&what, "expires_at", request->expires_at);
	request->requested_at =
		mr_event_append(transition->head, transition->verb,
						request->version != 0 ? "promotion_requested" : "policy_requested",
						mr_json_end(&what), transition->reason);
	request->seq = DatumGetInt64(transition->head->values[HEAD_SEQ - 1]);
	mr_request_insert(request);
}

static void
require_approvals(const MrLook *look)
{
	if (look->way->approvals > 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("policy \"%s\" asks for no approval of the move to %s",
					look->subject.model->policy, mr_stage_name(look->subject.to)),
			 errhint("Move it with modelreg.promote()."),
			 mr_reason("approval_not_required")));
}

/* Returns the number of the request, 0 when the version is there already. */
static int64
request_promotion(MrVerb *verb, MrModel *model, const MrPromotion *promotion,
				  const char *reason, TimestampTz expires_at)
{
	MrTransition *transition = mr_transition_begin(verb, model, reason);
	Snapshot	snapshot = RegisterSnapshot(mr_latest_snapshot());
	MrLook		look = mr_look_at_way(model, promotion, snapshot);
	MrApprovalRequest request = {.version = promotion->version,
	.stage = promotion->to,.expires_at = expires_at};

	mr_look_require_way(&look);
	if (look.done)
		mr_transition_abandon(transition);
	else
	{
		require_approvals(&look);
		mr_look_at_gates(&look, 0);
		mr_look_require_caller(&look, verb->team.rights, verb->who);
		open_request(transition, &request);
		mr_head_save(transition->head);
	}
	UnregisterSnapshot(snapshot);
	return request.id;
}

/*
 * modelreg.request_promotion(model text, version integer,
 *		stage modelreg.stage, reason text, expires_in interval,
 *		request_id text) returns bigint, the number of the request.
 *
 * NULL when the version is there already.  Errors: as promote(), but that the
 * gates need not hold yet; 55000 where no approval is asked.
 */
Datum
modelreg_request_promotion(PG_FUNCTION_ARGS)
{
	MrPromotion promotion = mr_promotion_args(fcinfo, 1, 2);
	char	   *reason = mr_arg_text_or_null(fcinfo, 3);
	TimestampTz expires_at = expiry(fcinfo, 4);
	MrModel		model;
	MrVerb		verb;
	int64		id = 0;

	if (mr_model_verb_begin(&verb, fcinfo, "request_promotion", MR_DECIDERS, 5, &model))
		id = request_promotion(&verb, &model, &promotion, reason, expires_at);
	MR_VERB_RETURN_NUMBER(&verb, "request", id);
}

/* The revision that is asked for, if the team may use it; else 42501. */
static MrPolicyRow
choose_revision(MrVerb *verb, const char *policy, int32 revision)
{
	MrHead	   *team = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	int64		before = DatumGetInt64(team->values[HEAD_SEQ - 1]);
	MrPolicyRow row = mr_policy_choose(verb, team, policy);

	if (row.revision != revision)
		mr_policy_raise_not_allowed(verb->team.name, policy, revision);
	if (DatumGetInt64(team->values[HEAD_SEQ - 1]) != before)
		mr_head_save(team);
	else
		mr_head_release(team);
	return row;
}

/* Error 55000 where the policy does not permit what serves. */
static void
require_traffic(const MrModel *model, const MrApprovalRequest *request)
{
	MrModel		changed = *model;
	char	   *endpoints;

	changed.policy = request->policy;
	changed.policy_digest = request->policy_digest;
	endpoints = mr_traffic_refused == NULL ? NULL :
		mr_traffic_refused(&changed, 0, MR_STAGE_NONE, false);
	if (endpoints != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("policy \"%s\" does not permit what versions of \"%s\" serve",
						request->policy, mr_model_address(model)),
				 errdetail("Endpoints: %s.", endpoints),
				 errhint("Take them out of their traffic first, with modelreg.start_rollout() of another version or modelreg.rollback()."),
				 mr_reason("serves")));
}

/* The model comes under the revision of the request; returns the event's number. */
int64
mr_policy_change(MrTransition *transition, const MrApprovalRequest *request,
				 const MrEvidence *evidence)
{
	MrHead	   *head = transition->head;
	MrMark		mark = {.team = transition->model->team.id,.model = transition->model->id};
	MrJson		what;
	int64		number;

	require_traffic(transition->model, request);
	mr_json_begin(&what);
	mr_json_add_text(&what, "policy", request->policy);
	mr_json_add_hash(&what, "policy_digest", request->policy_digest);
	mr_json_add_text(&what, "replaced", transition->model->policy);
	mr_json_add_hash(&what, "replaced_digest", transition->model->policy_digest);
	mr_json_add_int(&what, "request", request->id);
	mr_json_add_hash(&what, "evidence", evidence->digest);
	if (transition->napprovals > 0)
		mr_json_add_ints(&what, "approvals", transition->approvals, transition->napprovals);
	mark.at = mr_event_append(head, transition->verb, "policy_changed", mr_json_end(&what), NULL);
	number = DatumGetInt64(head->values[HEAD_SEQ - 1]);
	head->values[MODEL_POLICY - 1] = CStringGetTextDatum(request->policy);
	head->values[MODEL_POLICY_DIGEST - 1] = PointerGetDatum(request->policy_digest);
	mr_request_close(request->id, "done", number);
	mr_mark(MR_MARK_TRAFFIC, &mark);
	mr_head_save(head);
	return number;
}

/*
 * Where nobody has to approve, a change of the policy is a maintainer's, as
 * the first policy was: whoever may promote would else put the model under an
 * easier policy, promote, and put it back.
 */
static MrRights
levels_for_policy(const MrPolicyTransition *way)
{
	return way->approvals > 0 ? way->levels : MR_MAINTAINER;
}

static bool
is_under(const MrModel *model, const MrPolicyRow *row)
{
	return strcmp(model->policy, row->name) == 0 &&
		mr_same_hash(model->policy_digest, row->digest);
}

/* Returns the number of the request, 0 when the model is under it already. */
static int64
request_policy(MrVerb *verb, MrModel *model, const MrPolicyRow *row,
			   const char *reason, TimestampTz expires_at)
{
	MrTransition *transition = mr_transition_begin(verb, model, reason);
	MrApprovalRequest request = {.policy = unconstify(char *, row->name),
	.policy_digest = row->digest,.expires_at = expires_at};
	MrAsk		ask;

	if (is_under(model, row))
	{
		mr_transition_abandon(transition);
		return 0;
	}
	mr_policy_require_level(model->policy,
							levels_for_policy(mr_way_for_policy(mr_policy_of(model, NULL))),
							verb->team.rights, "ask for another policy");
	open_request(transition, &request);
	ask = mr_request_ask(&request, model, false, NULL);
	if (ask.way->approvals > 0)
		mr_head_save(transition->head);
	else
	{
		mr_evidence_store(model, 0, &ask.evidence);
		mr_policy_change(transition, &request, &ask.evidence);
	}
	return request.id;
}

/*
 * modelreg.request_policy(model text, policy text, revision integer,
 *		reason text, expires_in interval, request_id text) returns bigint
 *
 * NULL when the model is under that revision already.  Errors: 42704, 42501
 * also for a revision that the team may not use, and for others than
 * maintainers where the present policy asks for no approval.
 */
Datum
modelreg_request_policy(PG_FUNCTION_ARGS)
{
	char	   *policy = mr_arg_text(fcinfo, 1, "policy");
	char	   *reason = mr_arg_text_or_null(fcinfo, 3);
	TimestampTz expires_at = expiry(fcinfo, 4);
	MrModel		model;
	MrVerb		verb;
	int64		id = 0;

	mr_arg_require(fcinfo, 2, "revision");
	if (mr_model_verb_begin(&verb, fcinfo, "request_policy", MR_DECIDERS, 5, &model))
	{
		MrPolicyRow row = choose_revision(&verb, policy, PG_GETARG_INT32(2));

		id = request_policy(&verb, &model, &row, reason, expires_at);
	}
	MR_VERB_RETURN_NUMBER(&verb, "request", id);
}

/* Who may approve the request now: that is who may reject it. */
static MrRights
approvers_of(const MrTransition *transition, const MrApprovalRequest *request)
{
	Snapshot	snapshot = RegisterSnapshot(mr_latest_snapshot());
	MrPromotion promotion = {.version = request->version,.to = request->stage};
	const MrPolicyTransition *way = request->version == 0 ?
		mr_way_for_policy(mr_policy_of(transition->model, snapshot)) :
		mr_look_at_way(transition->model, &promotion, snapshot).way;

	UnregisterSnapshot(snapshot);
	return way != NULL && way->approvers != 0 ? way->approvers : MR_REVIEWER | MR_MAINTAINER;
}

/* Who may end a request: who could approve it, or who asked or a maintainer. */
static void
require_ender(const MrTransition *transition, const MrApprovalRequest *request, bool rejects)
{
	MrVerb	   *verb = transition->verb;
	MrRights	levels = rejects ? approvers_of(transition, request) : MR_MAINTAINER;

	if (verb->team.rights & levels ||
		(!rejects && mr_same_person(request->who, verb->who)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for request " INT64_FORMAT, request->id),
			 rejects ? errdetail("This needs one of the levels %s.", mr_levels_text(levels)) :
			 errdetail("Who asked or a maintainer may withdraw it."),
			 mr_reason("permission_denied")));
}

/* End the request, unless it has ended so already. */
static void
end_request(MrVerb *verb, int64 id, const char *reason, const char *state, const char *kind)
{
	MrApprovalRequest request;
	MrTransition *transition;
	MrModel		model;
	MrJson		what;

	model = mr_request_require_model(&verb->team, id);
	transition = mr_transition_begin(verb, &model, reason);
	mr_request_find(id, NULL, &request);
	require_ender(transition, &request, strcmp(state, "rejected") == 0);
	if (strcmp(request.state, state) == 0)
	{
		mr_transition_abandon(transition);
		return;
	}
	if (strcmp(request.state, "open") != 0)
		mr_request_raise_closed(id, request.state);
	mr_json_begin(&what);
	mr_json_add_int(&what, "request", id);
	mr_event_append(transition->head, verb, kind, mr_json_end(&what), reason);
	mr_request_close(id, state, DatumGetInt64(transition->head->values[HEAD_SEQ - 1]));
	mr_head_save(transition->head);
}

static void
run_end(FunctionCallInfo fcinfo, const char *name, const char *reason,
		const char *state, const char *kind)
{
	MrTeam		team;
	MrVerb		verb;
	int64		id;

	mr_arg_require(fcinfo, 0, "request");
	id = PG_GETARG_INT64(0);
	(void) mr_request_require(id, MR_DECIDERS, GetActiveSnapshot(), &team);
	mr_verb_begin(&verb, fcinfo, name, &team, 2);
	if (!mr_verb_repeats(&verb))
		end_request(&verb, id, reason, state, kind);
	mr_verb_end(&verb);
}

/* modelreg.reject(request bigint, reason text, request_id text) */
Datum
modelreg_reject(PG_FUNCTION_ARGS)
{
	run_end(fcinfo, "reject", mr_reason_arg(fcinfo, 1), "rejected",
			"request_rejected");
	PG_RETURN_VOID();
}

/* modelreg.withdraw_request(request bigint, reason text, request_id text) */
Datum
modelreg_withdraw_request(PG_FUNCTION_ARGS)
{
	run_end(fcinfo, "withdraw_request", mr_arg_text_or_null(fcinfo, 1), "withdrawn",
			"request_withdrawn");
	PG_RETURN_VOID();
}
