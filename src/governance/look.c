/*
 * look.c
 *		What a policy says of a move, and what its gates say of it now.
 *
 * Looking changes nothing and locks nothing: check_promotion() and review()
 * look as any reader does, the verbs that decide look under the lock of the
 * model's decisions.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/errors.h"
#include "governance/person.h"
#include "governance/promotion.h"
#include "registry/registry_tables.h"

/*
 * What versions in stage Production have passed: the one of several that is
 * made current passes it again.
 */
static const MrPolicyTransition *
way_of(const MrPolicy *policy, MrStage from, MrStage to)
{
	if (from != MR_STAGE_PRODUCTION || to != MR_STAGE_PRODUCTION)
		return mr_policy_transition(policy, from, to);
	for (MrStage other = MR_STAGE_ARCHIVED; other > MR_STAGE_NONE; other--)
		if (mr_policy_transition(policy, other, to) != NULL)
			return mr_policy_transition(policy, other, to);
	return NULL;
}

/* What the policy says of the move; gates are not looked at yet. */
MrLook
mr_look_at_way(const MrModel *model, const MrPromotion *promotion, Snapshot snapshot)
{
	MrLook		look = {.policy = mr_policy_of(model, snapshot)};
	MrStage		from = mr_version_stage(model->id, promotion->version, snapshot, NULL);

	if (from == MR_STAGE_NONE)
		mr_require_version(model, promotion->version, snapshot);
	look.subject = mr_gate_subject(model, promotion->version, from, promotion->to,
								   look.policy, snapshot);
	look.done = from == promotion->to &&
		(from != MR_STAGE_PRODUCTION || model->current_version == promotion->version);
	if (!look.done)
		look.way = way_of(look.policy, from, promotion->to);
	return look;
}

/* The stages to which the policy leads from one. */
static char *
stages_from(const MrPolicy *policy, MrStage from)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (MrStage to = MR_STAGE_EXPERIMENTAL; to <= MR_STAGE_ARCHIVED; to++)
		if (mr_policy_transition(policy, from, to) != NULL)
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? ", " : "", mr_stage_name(to));
	return buf.len > 0 ? buf.data : "no other stage";
}

/* Error 55000 where the policy has no transition for the move. */
void
mr_look_require_way(const MrLook *look)
{
	const MrGateSubject *subject = &look->subject;

	if (look->done || look->way != NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("policy \"%s\" does not allow version %d of \"%s\" to go from %s to %s",
					subject->model->policy, subject->version,
					mr_model_address(subject->model),
					mr_stage_name(subject->from), mr_stage_name(subject->to)),
			 errdetail("From %s it leads to %s.", mr_stage_name(subject->from),
					   stages_from(look->policy, subject->from)),
			 mr_reason("transition_refused")));
}

/* Did the person record one of the evaluations that a gate looked at? */
static bool
is_source_by(MrTable *table, const MrGateResult *result, Snapshot snapshot, Jsonb *who)
{
	for (int i = 0; i < result->nevaluations; i++)
	{
		Datum		key = Int64GetDatum(result->evaluations[i]);

		CHECK_FOR_INTERRUPTS();
		if (mr_table_find(table, "evaluation_pkey", 1, &key, snapshot) &&
			mr_same_person(DatumGetJsonbPCopy(mr_table_get(table, EVALUATION_WHO, NULL)), who))
			return true;
	}
	return false;
}

/* Did the person ever evaluate the version for gates of the kind of this one? */
static bool
has_evaluated(MrTable *table, const MrGateSubject *subject, const MrGate *gate, Jsonb *who)
{
	const char *kind = mr_gate_evaluation_kind(gate);
	Datum		keys[2] = {Int64GetDatum(subject->node)};
	MrScan	   *scan;
	bool		found = false;

	if (kind == NULL)
		return false;
	keys[1] = CStringGetTextDatum(kind);
	scan = mr_scan_begin(table, "evaluation_node", 2, keys, subject->snapshot);
	while (!found && mr_scan_next(scan, true))
	{
		CHECK_FOR_INTERRUPTS();
		found = mr_same_person(DatumGetJsonbPCopy(mr_table_get(table, EVALUATION_WHO, NULL)), who);
	}
	mr_scan_end(scan);
	return found;
}

/*
 * Is the person an evaluator of the version: who recorded what a gate looked
 * at, whatever node it is of, or ever evaluated the version for such a gate?
 * What somebody else evaluates later makes nobody another person.
 */
bool
mr_look_evaluated_by(const MrLook *look, Jsonb *who)
{
	MrTable    *table = mr_table_open_read("evaluation");
	bool		found = false;

	for (int i = 0; i < look->gates.n && !found; i++)
		found = is_source_by(table, &look->gates.items[i], look->subject.snapshot, who) ||
			has_evaluated(table, &look->subject, look->gates.items[i].gate, who);
	mr_table_close(table);
	return found;
}

/* Error 42501: somebody is what another person has to be. */
void
mr_look_raise_same_person(const MrLook *look, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("policy \"%s\" wants another person", look->subject.model->policy),
			 errdetail("%s", detail),
			 mr_reason("same_person")));
}

/*
 * Error 42501 unless the person, whom the detail calls so, may ask for the move
 * as far as the policy wants another one to.
 */
void
mr_look_require_requester(const MrLook *look, Jsonb *who, const char *called)
{
	const bool *distinct = look->policy->distinct[MR_PART_REQUESTER];

	if (distinct[MR_PART_REGISTRANT] && mr_same_person(look->subject.registrant, who))
		mr_look_raise_same_person(look, psprintf("%s registered the version.", called));
	if (distinct[MR_PART_EVALUATOR] && mr_look_evaluated_by(look, who))
		mr_look_raise_same_person(look, psprintf("%s evaluated the version, or what its gates look at.",
												 called));
}

/*
 * Error 42501 unless the caller, who has these rights in the team, may ask for
 * the move, and is another person than the policy wants.
 */
void
mr_look_require_caller(const MrLook *look, MrRights rights, Jsonb *who)
{
	const MrGateSubject *subject = &look->subject;

	mr_policy_require_level(subject->model->policy, look->way->levels, rights,
							psprintf("move a version from %s to %s",
									 mr_stage_name(subject->from),
									 mr_stage_name(subject->to)));
	mr_look_require_requester(look, who, "You");
}

/* Test the gates, and make the evidence of it. */
void
mr_look_at_gates(MrLook *look, int64 request)
{
	look->gates = mr_gates_test(&look->subject, look->policy, look->way);
	look->evidence = mr_evidence_of(&look->subject, &look->gates, request);
}
