/*
 * promote.c
 *		The verbs that move a version: promote, attempt_promotion,
 *		rollback_model.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/row.h"
#include "base/snapshot.h"
#include "governance/governance.h"
#include "governance/promotion.h"
#include "governance/quarantine.h"
#include "registry/registry_tables.h"

PG_FUNCTION_INFO_V1(modelreg_promote);
PG_FUNCTION_INFO_V1(modelreg_attempt_promotion);
PG_FUNCTION_INFO_V1(modelreg_rollback_model);

static void
check_expected(MrTransition *transition, const MrPromotion *promotion)
{
	if (!promotion->has_expected ||
		promotion->expected == transition->model->current_version)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("current version of \"%s\" is %d, not %d",
					mr_model_address(transition->model),
					transition->model->current_version, promotion->expected),
			 errdetail("0 stands for no version."),
			 errhint("Look at modelreg.production() again and decide anew."),
			 mr_reason("current_differs")));
}

/* Every other version in stage Production goes to Archived, or leaves. */
static void
archive_others(MrTransition *transition, int32 version)
{
	MrTable    *table = mr_table_open_read("version_stage");
	Datum		keys[2] = {Int64GetDatum(transition->model->id),
	MrStageGetDatum(MR_STAGE_PRODUCTION)};
	MrScan	   *scan = mr_scan_begin(table, "version_stage_of_model", 2, keys, NULL);

	while (mr_scan_next(scan, false))
	{
		int32		other = DatumGetInt32(mr_table_get(table, VERSION_STAGE_VERSION, NULL));

		if (other != version)
			mr_transition_archive(transition, other);
	}
	mr_scan_end(scan);
	mr_table_close(table);
}

static void
make_current(MrTransition *transition, int32 version)
{
	MrTenure	tenure;

	transition->current = version;
	if (mr_tenure_latest(transition->model->id, NULL, &tenure))
		transition->previous_seq = tenure.seq;
}

/* Never zero by accident. */
static void
leave_production(MrTransition *transition, const MrPromotion *promotion)
{
	if (promotion->version != transition->model->current_version)
		return;
	if (!promotion->leave_none)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d is current in Production, and no other would be",
						promotion->version),
				 errhint("Promote another version to Production, call modelreg.rollback_model(), or pass leave_none => true."),
				 mr_reason("would_leave_none")));
	make_current(transition, 0);
}

static void
check_several(MrTransition *transition, const MrPromotion *promotion,
			  const MrPolicy *policy)
{
	if (promotion->archive_others || policy->several_in_production)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("policy \"%s\" does not let several versions stay in Production",
					transition->model->policy),
			 errhint("Leave archive_others at true."),
			 mr_reason("several_in_production")));
}

/*
 * Move the version, and what has to follow; returns the number of the event,
 * of which evidence and approvals of the look are part.
 */
int64
mr_promotion_decide(MrTransition *transition, const MrPromotion *promotion,
					const MrLook *look, const char *kind)
{
	transition->quarantine_roles = mr_quarantine_roles(look->policy, look->way);
	mr_transition_move(transition, promotion->version, promotion->to);
	if (promotion->to != MR_STAGE_PRODUCTION)
		leave_production(transition, promotion);
	else
	{
		check_several(transition, promotion, look->policy);
		if (promotion->archive_others)
			archive_others(transition, promotion->version);
		if (promotion->version != transition->model->current_version)
			make_current(transition, promotion->version);
	}
	if (look->gates.n > 0)
	{
		mr_evidence_store(look->subject.model, look->subject.version, &look->evidence);
		transition->evidence = look->evidence.digest;
	}
	return mr_transition_commit(transition, kind);
}

/* Who may take a version out of Production without anybody's approval. */
static MrRights
levels_to_archive(const MrPolicy *policy)
{
	MrRights	levels = 0;

	for (int i = 0; i < policy->ntransitions; i++)
	{
		const MrPolicyTransition *way = &policy->transitions[i];

		if (way->approvals == 0 &&
			(way->to == MR_STAGE_PRODUCTION ||
			 (way->to == MR_STAGE_ARCHIVED && way->from & MR_STAGE_BIT(MR_STAGE_PRODUCTION))))
			levels |= way->levels;
	}
	return levels;
}

/*
 * Of a version that is there already, what is left is to archive others that
 * stayed: for who may promote, which archives them, or archive one by one.
 */
static int64
decide_rest(MrTransition *transition, const MrPromotion *promotion, const MrPolicy *policy)
{
	if (promotion->to == MR_STAGE_PRODUCTION && promotion->archive_others)
		archive_others(transition, promotion->version);
	if (transition->nmoves > 0 || transition->nleaving > 0)
	{
		mr_policy_require_level(transition->model->policy, levels_to_archive(policy),
								transition->verb->team.rights, "archive the other versions in Production");
		return mr_transition_commit(transition, "promoted");
	}
	mr_transition_abandon(transition);
	return 0;
}

static void
require_no_approval(const MrLook *look)
{
	if (look->way->approvals == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("policy \"%s\" asks for approval of the move to %s",
					look->subject.model->policy, mr_stage_name(look->subject.to)),
			 errdetail("It asks for %d by %s.", look->way->approvals,
					   mr_levels_text(look->way->approvers)),
			 errhint("Ask for it with modelreg.request_promotion()."),
			 mr_reason("approval_required")));
}

/* The event of a refusal; returns its number. */
static int64
record_refusal(MrTransition *transition, const MrLook *look)
{
	MrJson		what;
	int64		number;

	mr_evidence_store(look->subject.model, look->subject.version, &look->evidence);
	mr_json_begin(&what);
	mr_json_add_int(&what, "version", look->subject.version);
	mr_json_add_text(&what, "stage", mr_stage_name(look->subject.to));
	mr_json_add_text(&what, "policy", transition->model->policy);
	mr_json_add_hash(&what, "policy_digest", transition->model->policy_digest);
	mr_json_add_hash(&what, "evidence", look->evidence.digest);
	mr_event_append(transition->head, transition->verb, "promotion_refused",
					mr_json_end(&what), transition->reason);
	number = DatumGetInt64(transition->head->values[HEAD_SEQ - 1]);
	mr_head_save(transition->head);
	return number;
}

/*
 * Returns the number of the event, 0 when all is as asked already.  What gates
 * refuse is an error, or an event too where the refusal is to be kept.
 */
static int64
run_promotion(MrVerb *verb, MrModel *model, const MrPromotion *promotion,
			  const char *reason, bool keep_refusal)
{
	MrTransition *transition = mr_transition_begin(verb, model, reason);
	Snapshot	snapshot = RegisterSnapshot(mr_latest_snapshot());
	MrLook		look = mr_look_at_way(model, promotion, snapshot);
	int64		number;

	check_expected(transition, promotion);
	mr_look_require_way(&look);
	if (look.done)
		number = decide_rest(transition, promotion, look.policy);
	else
	{
		require_no_approval(&look);
		mr_look_at_gates(&look, 0);
		mr_look_require_caller(&look, verb->team.rights, verb->who);
		if (look.gates.refuses && !keep_refusal)
		{
			mr_quarantine_refuse_alone(transition, &look);
			mr_gates_raise_refused(&look.subject, &look.gates);
		}
		number = look.gates.refuses ? record_refusal(transition, &look) :
			mr_promotion_decide(transition, promotion, &look,
								promotion->to == MR_STAGE_PRODUCTION ? "promoted" : "stage_changed");
	}
	UnregisterSnapshot(snapshot);
	return number;
}

/* The version and the stage that a caller named, with what goes without saying. */
MrPromotion
mr_promotion_args(FunctionCallInfo fcinfo, int version_arg, int stage_arg)
{
	MrPromotion promotion = {.archive_others = true};

	mr_arg_require(fcinfo, version_arg, "version");
	mr_arg_require(fcinfo, stage_arg, "stage");
	promotion.version = PG_GETARG_INT32(version_arg);
	promotion.to = PG_GETARG_MRSTAGE(stage_arg);
	return promotion;
}

/*
 * modelreg.promote(model text, version integer, stage modelreg.stage,
 *		reason text, archive_others boolean, leave_none boolean,
 *		expected_current integer, request_id text) returns bigint
 *
 * Returns the number of the decision in the model's chain, NULL when the
 * version was there already.  Errors: 42704 for model or version, 42501, 55000
 * for a transition that the policy, or one of its gates, refuses or wants
 * approved, for what would leave no version in Production, and when another
 * version is current than was expected; 40001 under REPEATABLE READ and above.
 */
Datum
modelreg_promote(PG_FUNCTION_ARGS)
{
	MrPromotion promotion = mr_promotion_args(fcinfo, 1, 2);
	char	   *reason = mr_arg_text_or_null(fcinfo, 3);
	MrModel		model;
	MrVerb		verb;
	int64		number = 0;

	promotion.archive_others = PG_ARGISNULL(4) || PG_GETARG_BOOL(4);
	promotion.leave_none = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	promotion.has_expected = !PG_ARGISNULL(6);
	promotion.expected = promotion.has_expected ? PG_GETARG_INT32(6) : 0;
	if (mr_model_verb_begin(&verb, fcinfo, "promote", MR_DECIDERS, 7, &model))
		number = run_promotion(&verb, &model, &promotion, reason, false);
	MR_VERB_RETURN_NUMBER(&verb, "number", number);
}

/*
 * modelreg.attempt_promotion(model text, version integer, stage modelreg.stage,
 *		reason text, request_id text) returns bigint
 *
 * As promote(), but what gates refuse is no error: it is kept as an event with
 * the evidence, whose number is returned.
 */
Datum
modelreg_attempt_promotion(PG_FUNCTION_ARGS)
{
	MrPromotion promotion = mr_promotion_args(fcinfo, 1, 2);
	char	   *reason = mr_arg_text_or_null(fcinfo, 3);
	MrModel		model;
	MrVerb		verb;
	int64		number = 0;

	if (mr_model_verb_begin(&verb, fcinfo, "attempt_promotion", MR_DECIDERS, 4, &model))
		number = run_promotion(&verb, &model, &promotion, reason, true);
	MR_VERB_RETURN_NUMBER(&verb, "number", number);
}

/* Where a rollback goes, or an error. */
static MrTenure
find_previous(MrTransition *transition)
{
	MrTenure	latest;
	MrTenure	previous;
	int64		model = transition->model->id;

	if (!mr_tenure_latest(model, NULL, &latest) ||
		!mr_tenure_previous(model, NULL, &latest, &previous))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no version of \"%s\" was current before",
						mr_model_address(transition->model)),
				 errhint("Choose a version and call modelreg.promote()."),
				 mr_reason("no_previous")));
	return previous;
}

/*
 * Back to what was current before: what is left is archived, unless it serves
 * somewhere all the same, and the link of the one returned to is taken over,
 * so that a second rollback goes further.
 */
static int32
run_rollback(MrVerb *verb, MrModel *model, const char *reason,
			 const MrPromotion *expectation)
{
	MrTransition *transition = mr_transition_begin(verb, model, reason);
	MrTenure	previous;

	mr_policy_require_level(model->policy, mr_policy_of(model, NULL)->return_levels,
							verb->team.rights, "return to an earlier version");
	check_expected(transition, expectation);
	previous = find_previous(transition);
	transition->back = true;
	mr_transition_move(transition, previous.version, MR_STAGE_PRODUCTION);
	if (model->current_version != 0)
		mr_transition_archive(transition, model->current_version);
	transition->current = previous.version;
	transition->previous_seq = previous.previous_seq;
	mr_transition_commit(transition, "rolled_back");
	return previous.version;
}

/*
 * modelreg.rollback_model(model text, reason text, expected_current integer,
 *		request_id text) returns integer, the version that is current now.
 *
 * Errors: 42704, 42501, 22023 for an empty reason, 55000 when nothing was current before or another
 * version is current than was expected.
 */
Datum
modelreg_rollback_model(PG_FUNCTION_ARGS)
{
	char	   *reason = mr_reason_arg(fcinfo, 1);
	MrPromotion expectation = {0};
	MrModel		model;
	MrVerb		verb;
	int32		version = 0;

	expectation.has_expected = !PG_ARGISNULL(2);
	expectation.expected = expectation.has_expected ? PG_GETARG_INT32(2) : 0;
	if (mr_model_verb_begin(&verb, fcinfo, "rollback_model", MR_DECIDERS, 3,
							&model))
		version = run_rollback(&verb, &model, reason, &expectation);
	PG_RETURN_INT32((int32) mr_verb_end_int(&verb, "number", version));
}
