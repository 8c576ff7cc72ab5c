/*
 * request.c
 *		Requests for approval as they are kept, and what each needs now.
 *
 * A request names what is asked for; what it is decided on is looked at anew
 * each time, so an approval holds only as long as the evidence is the same.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/hash.h"
#include "base/row.h"
#include "governance/check.h"
#include "governance/governance_tables.h"
#include "governance/request.h"

static void
read_request(MrTable *table, MrApprovalRequest *request)
{
	Datum		values[APPROVAL_REQUEST_COLUMNS];
	bool		nulls[APPROVAL_REQUEST_COLUMNS];

	mr_table_read(table, values, nulls);
	memset(request, 0, sizeof(MrApprovalRequest));
	request->id = DatumGetInt64(values[APPROVAL_REQUEST_ID - 1]);
	request->team = DatumGetInt64(values[APPROVAL_REQUEST_TEAM_ID - 1]);
	request->model = DatumGetInt64(values[APPROVAL_REQUEST_MODEL_ID - 1]);
	request->seq = DatumGetInt64(values[APPROVAL_REQUEST_SEQ - 1]);
	if (!nulls[APPROVAL_REQUEST_VERSION - 1])
	{
		request->version = DatumGetInt32(values[APPROVAL_REQUEST_VERSION - 1]);
		request->stage = DatumGetMrStage(values[APPROVAL_REQUEST_STAGE - 1]);
	}
	else
	{
		request->policy = TextDatumGetCString(values[APPROVAL_REQUEST_POLICY - 1]);
		request->policy_digest = DatumGetByteaPCopy(values[APPROVAL_REQUEST_POLICY_DIGEST - 1]);
	}
	request->state = TextDatumGetCString(values[APPROVAL_REQUEST_STATE - 1]);
	request->who = DatumGetJsonbPCopy(values[APPROVAL_REQUEST_WHO - 1]);
	request->requested_at = DatumGetTimestampTz(values[APPROVAL_REQUEST_REQUESTED_AT - 1]);
	request->expires_at = DatumGetTimestampTz(values[APPROVAL_REQUEST_EXPIRES_AT - 1]);
}

/* The request of that number, whoever asks. */
bool
mr_request_find(int64 id, Snapshot snapshot, MrApprovalRequest *request)
{
	MrTable    *table = mr_table_open_read("approval_request");
	Datum		key = Int64GetDatum(id);
	bool		found = mr_table_find(table, "approval_request_pkey", 1, &key, snapshot);

	if (found)
		read_request(table, request);
	mr_table_close(table);
	return found;
}

/*
 * The request of that number, in whose team the caller has one of the rights.
 * Errors: 42704, 42501.
 */
MrApprovalRequest
mr_request_require(int64 id, MrRights level, Snapshot snapshot, MrTeam *team)
{
	MrApprovalRequest request;

	if (!mr_request_find(id, snapshot, &request) || !mr_may_read(request.team))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("request " INT64_FORMAT " does not exist or you may not read it", id),
				 errhint("The view modelreg.promotion_requests lists them."),
				 mr_reason("request_not_found")));
	*team = mr_require_team_by_id(request.team, level);
	return request;
}

bool
mr_request_is_open(const MrApprovalRequest *request)
{
	return strcmp(request->state, "open") == 0 &&
		GetCurrentTimestamp() < request->expires_at;
}

void
mr_request_insert(const MrApprovalRequest *request)
{
	Datum		values[APPROVAL_REQUEST_COLUMNS];
	bool		nulls[APPROVAL_REQUEST_COLUMNS] = {false};
	bool		of_policy = request->version == 0;

	values[APPROVAL_REQUEST_ID - 1] = Int64GetDatum(request->id);
	values[APPROVAL_REQUEST_TEAM_ID - 1] = Int64GetDatum(request->team);
	values[APPROVAL_REQUEST_MODEL_ID - 1] = Int64GetDatum(request->model);
	values[APPROVAL_REQUEST_SEQ - 1] = Int64GetDatum(request->seq);
	values[APPROVAL_REQUEST_VERSION - 1] = Int32GetDatum(request->version);
	nulls[APPROVAL_REQUEST_VERSION - 1] = of_policy;
	values[APPROVAL_REQUEST_STAGE - 1] = MrStageGetDatum(request->stage);
	nulls[APPROVAL_REQUEST_STAGE - 1] = of_policy;
	mr_set_text(values, nulls, APPROVAL_REQUEST_POLICY - 1, request->policy);
	mr_set_bytes(values, nulls, APPROVAL_REQUEST_POLICY_DIGEST - 1, request->policy_digest);
	values[APPROVAL_REQUEST_STATE - 1] = CStringGetTextDatum("open");
	values[APPROVAL_REQUEST_WHO - 1] = JsonbPGetDatum(request->who);
	values[APPROVAL_REQUEST_REQUESTED_AT - 1] = TimestampTzGetDatum(request->requested_at);
	values[APPROVAL_REQUEST_EXPIRES_AT - 1] = TimestampTzGetDatum(request->expires_at);
	nulls[APPROVAL_REQUEST_CLOSED_SEQ - 1] = true;
	mr_insert_row("approval_request", values, nulls);
}

/* The request came to an end, by the event of that number. */
void
mr_request_close(int64 id, const char *state, int64 seq)
{
	MrTable    *table = mr_table_open("approval_request");
	Datum		values[APPROVAL_REQUEST_COLUMNS];
	bool		nulls[APPROVAL_REQUEST_COLUMNS];
	Datum		key = Int64GetDatum(id);

	CommandCounterIncrement();
	if (!mr_table_lock_latest(table, "approval_request_pkey", 1, &key))
		elog(ERROR, "request " INT64_FORMAT " is missing", id);
	mr_table_read(table, values, nulls);
	values[APPROVAL_REQUEST_STATE - 1] = CStringGetTextDatum(state);
	values[APPROVAL_REQUEST_CLOSED_SEQ - 1] = Int64GetDatum(seq);
	nulls[APPROVAL_REQUEST_CLOSED_SEQ - 1] = false;
	mr_table_update(table, values, nulls);
	mr_table_close(table);
}

/*
 * The transition whose approvals a change of the policy needs: of those that
 * lead to Production the one that asks for most.
 */
const MrPolicyTransition *
mr_way_for_policy(const MrPolicy *policy)
{
	const MrPolicyTransition *most = NULL;

	for (int i = 0; i < policy->ntransitions; i++)
		if (policy->transitions[i].to == MR_STAGE_PRODUCTION &&
			(most == NULL || policy->transitions[i].approvals > most->approvals))
			most = &policy->transitions[i];
	if (most == NULL)
		elog(ERROR, "no transition of the policy leads to Production");
	return most;
}

/* What a change of the policy is decided on: from which revision to which. */
static MrEvidence
evidence_of_policy(const MrApprovalRequest *request, const MrModel *model)
{
	MrEvidence	evidence;
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_int(&json, "request", request->id);
	mr_json_add_int(&json, "model_id", model->id);
	mr_json_add_int(&json, "version", 0);
	mr_json_add_text(&json, "policy", model->policy);
	mr_json_add_hash(&json, "policy_digest", model->policy_digest);
	mr_json_add_text(&json, "to_policy", request->policy);
	mr_json_add_hash(&json, "to_policy_digest", request->policy_digest);
	mr_json_begin_array(&json, "gates");
	mr_json_end_array(&json);
	evidence.document = mr_json_end(&json);
	evidence.digest = mr_json_hash(evidence.document);
	return evidence;
}

/*
 * What the request needs and is decided on.  A verb asks as the owner and under
 * the lock of the model's decisions, a reader otherwise.
 */
MrAsk
mr_request_ask(const MrApprovalRequest *request, const MrModel *model, bool as_reader,
			   Snapshot snapshot)
{
	MrAsk		ask = {.promotion = {.version = request->version,.to = request->stage,
	.archive_others = true}};

	if (request->version == 0)
	{
		ask.way = mr_way_for_policy(ask.look.policy = mr_policy_of(model, snapshot));
		ask.look.subject.model = model;
		ask.evidence = evidence_of_policy(request, model);
		return ask;
	}
	ask.look = mr_look_at_way(model, &ask.promotion, snapshot);
	ask.way = ask.look.way;
	if (ask.way == NULL)
		return ask;
	if (as_reader)
		mr_look_as_reader(&ask.look, request->id);
	else
		mr_look_at_gates(&ask.look, request->id);
	ask.evidence = ask.look.evidence;
	return ask;
}
