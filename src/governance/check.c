/*
 * check.c
 *		check_promotion: every gate of a move, without deciding it; and
 *		check_production: what of a version would not pass today where it is.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/args.h"
#include "base/row.h"
#include "executor/spi.h"
#include "governance/check.h"
#include "lineage/lineage.h"

PG_FUNCTION_INFO_V1(modelreg_check_promotion);
PG_FUNCTION_INFO_V1(modelreg_check_production);

/*
 * What is to be looked at for a reader: gates look as the owner, since a
 * version may stand on nodes that the reader may not read.
 */
void
mr_look_as_reader(MrLook *look, int64 request)
{
	MemoryContext context = CurrentMemoryContext;
	MrOwnerScope scope;

	mr_owner_begin(&scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	MemoryContextSwitchTo(context);
	mr_look_at_gates(look, request);
	SPI_finish();
	MemoryContextSwitchTo(context);
	mr_owner_end(&scope);
}

/* The address of a node for who may read it, else its number. */
static char *
node_text(int64 id, Snapshot snapshot)
{
	MrNode		node;

	if (mr_node_get(id, snapshot, &node) && mr_may_read(node.team))
		return mr_node_address(&node, snapshot);
	return psprintf("node " INT64_FORMAT, id);
}

/* Where a gate's values come from, as the caller may see it; NULL for nothing. */
static char *
source_text(const MrGateResult *result, Snapshot snapshot)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < result->nevaluations; i++)
		appendStringInfo(&buf, "%sevaluation " INT64_FORMAT, buf.len > 0 ? ", " : "",
						 result->evaluations[i]);
	for (int i = 0; i < result->nnodes; i++)
		appendStringInfo(&buf, "%s%s", buf.len > 0 ? ", " : "",
						 node_text(result->nodes[i], snapshot));
	return buf.len > 0 ? buf.data : NULL;
}

static void
put_result(ReturnSetInfo *rsinfo, const MrGateResult *result, Snapshot snapshot)
{
	char	   *source = source_text(result, snapshot);
	Datum		values[8];
	bool		nulls[8] = {false};

	values[0] = CStringGetTextDatum(result->gate->name);
	values[1] = CStringGetTextDatum(result->gate->kind->name);
	values[2] = CStringGetTextDatum(result->gate->blocks ? "block" : "warn");
	values[3] = CStringGetTextDatum(result->required);
	values[4] = CStringGetTextDatum(result->observed);
	values[5] = CStringGetTextDatum(result->holds ? "holds" : "fails");
	nulls[6] = source == NULL;
	values[6] = source ? CStringGetTextDatum(source) : (Datum) 0;
	values[7] = Int32GetDatum(result->earlier);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * modelreg.check_promotion(model text, version integer, stage modelreg.stage):
 *		a row for each gate, in the order of the policy.
 *
 * Errors: 42704 for model or version, 55000 for a move that the policy does
 * not allow.
 */
Datum
modelreg_check_promotion(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = GetActiveSnapshot();
	MrPromotion promotion = mr_promotion_args(fcinfo, 1, 2);
	MrModel		model = mr_require_model(mr_arg_text(fcinfo, 0, "model"), MR_READER, snapshot);
	MrLook		look = mr_look_at_way(&model, &promotion, snapshot);

	InitMaterializedSRF(fcinfo, 0);
	mr_look_require_way(&look);
	if (look.done)
		return (Datum) 0;
	mr_look_as_reader(&look, 0);
	for (int i = 0; i < look.gates.n; i++)
		put_result((ReturnSetInfo *) fcinfo->resultinfo, &look.gates.items[i], snapshot);
	return (Datum) 0;
}

/*
 * What is asked of a version in a stage by any way there, each gate once: a
 * transition that the policy does not have.
 */
static MrPolicyTransition *
all_ways_to(const MrPolicy *policy, MrStage stage)
{
	MrPolicyTransition *all = palloc0(sizeof(MrPolicyTransition));

	all->to = stage;
	all->gates = palloc((policy->ngates + 1) * sizeof(int));
	for (int gate = 0; gate < policy->ngates; gate++)
	{
		bool		asked = false;

		for (int i = 0; i < policy->ntransitions; i++)
			for (int j = 0; j < policy->transitions[i].ngates; j++)
				asked |= policy->transitions[i].to == stage &&
					policy->transitions[i].gates[j] == gate;
		if (asked)
			all->gates[all->ngates++] = gate;
	}
	return all;
}

/*
 * A version as it is to be where it is.  Nothing is asked of it elsewhere than
 * in Staging and Production but that nothing is quarantined, as it is on the
 * way to Staging.  What came to Production is compared with nothing there: that
 * another one is better is why that follows it, and no fault of this one.
 */
static MrLook
look_where_it_is(const MrModel *model, int32 version, Snapshot snapshot)
{
	MrStage		stage = mr_version_stage(model->id, version, snapshot, NULL);
	bool		in_production = stage == MR_STAGE_PRODUCTION;
	MrLook		look = {.policy = mr_policy_of(model, snapshot)};

	if (stage == MR_STAGE_NONE)
		mr_require_version(model, version, snapshot);
	if (in_production || stage == MR_STAGE_STAGING)
		look.way = all_ways_to(look.policy, stage);
	look.subject = mr_gate_subject(model, version, stage,
								   in_production ? stage : MR_STAGE_STAGING,
								   look.policy, snapshot);
	if (in_production)
		look.subject.current = 0;
	return look;
}

static void
put_problem(ReturnSetInfo *rsinfo, const char *problem, const MrGateResult *result,
			const char *required, const char *observed, Snapshot snapshot)
{
	char	   *source = result ? source_text(result, snapshot) : NULL;
	Datum		values[7];
	bool		nulls[7];

	mr_set_text(values, nulls, 0, problem);
	mr_set_text(values, nulls, 1, result ? result->gate->name : NULL);
	mr_set_text(values, nulls, 2, result ? result->gate->kind->name : NULL);
	mr_set_text(values, nulls, 3, result ? (result->gate->blocks ? "block" : "warn") : NULL);
	mr_set_text(values, nulls, 4, required);
	mr_set_text(values, nulls, 5, observed);
	mr_set_text(values, nulls, 6, source);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Is the model under the revision that its team may use now? */
static void
put_policy(ReturnSetInfo *rsinfo, const MrModel *model, Snapshot snapshot)
{
	int32		allowed = mr_team_policy(model->team.id, model->policy, snapshot);
	int32		pinned = mr_policy_revision_of(model->team.id, model->policy,
											   model->policy_digest, snapshot);

	if (allowed == pinned)
		return;
	put_problem(rsinfo, "policy", NULL,
				allowed == 0 ? "a policy that the team may use" :
				psprintf("revision %d of policy \"%s\"", allowed, model->policy),
				psprintf("revision %d of policy \"%s\"", pinned, model->policy), snapshot);
}

/*
 * modelreg.check_production(model text, version integer): a row for each thing
 * that keeps a version, NULL for the current one, from passing its policy where
 * it is today; none without a current one.
 *
 * Errors: 42704.
 */
Datum
modelreg_check_production(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Snapshot	snapshot = GetActiveSnapshot();
	MrModel		model = mr_require_model(mr_arg_text(fcinfo, 0, "model"), MR_READER, snapshot);
	int32		version = PG_ARGISNULL(1) ? model.current_version : PG_GETARG_INT32(1);
	MrLook		look;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1) && version == 0)
		return (Datum) 0;
	look = look_where_it_is(&model, version, snapshot);
	mr_look_as_reader(&look, 0);
	put_policy(rsinfo, &model, snapshot);
	for (int i = 0; i < look.gates.n; i++)
		if (!look.gates.items[i].holds)
			put_problem(rsinfo, "gate", &look.gates.items[i], look.gates.items[i].required,
						look.gates.items[i].observed, snapshot);
	return (Datum) 0;
}
