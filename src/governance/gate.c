/*
 * gate.c
 *		The kinds of gates, and testing those of a transition.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/grow.h"
#include "base/settings.h"
#include "governance/gate.h"
#include "governance/gate_run.h"
#include "governance/transition.h"
#include "lineage/lineage.h"
#include "registry/registry_tables.h"
#include "types/names.h"
#include "types/parse.h"

static const MrGateKind *const kinds[] = {
	&mr_gate_evaluation,
	&mr_gate_metric,
	&mr_gate_fairness,
	&mr_gate_calibration,
	&mr_gate_lineage_complete,
	&mr_gate_data_quality,
	&mr_gate_schema_compatible,
	&mr_gate_signature,
	&mr_gate_artifacts,
	&mr_gate_quarantine,
	&mr_gate_attestation,
	&mr_gate_model_card,
};

/* The kind of that name, or NULL. */
const MrGateKind *
mr_gate_kind(const char *name)
{
	for (int i = 0; i < lengthof(kinds); i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

/* The kind of evaluations that a gate looks at; NULL for none. */
const char *
mr_gate_evaluation_kind(const MrGate *gate)
{
	const char *kind = mr_member_text(gate->definition, "evaluation");

	return kind != NULL ? kind : gate->kind->evaluation;
}

/* Is the kind of evaluations that a definition says one that there can be? */
void
mr_gate_check_evaluation_kind(JsonbContainer *definition, const char *where,
							  StringInfo mistakes)
{
	const char *kind = mr_member_text(definition, "evaluation");
	MrFault		fault;

	if (kind != NULL && !mr_name_scan(MR_NAME_KIND, kind, strlen(kind), &fault))
		mr_mistake(mistakes, "\"evaluation\" of %s: %s", where, fault.what);
}

/* The test looked at an evaluation. */
void
mr_gate_saw_evaluation(MrGateResult *result, int64 id)
{
	result->evaluations = mr_grow(result->evaluations, result->nevaluations,
								  &result->evaluation_room, sizeof(int64));
	result->evaluations[result->nevaluations++] = id;
}

/* The test looked at a node. */
void
mr_gate_saw_node(MrGateResult *result, int64 id)
{
	result->nodes = mr_grow(result->nodes, result->nnodes, &result->node_room,
							sizeof(int64));
	result->nodes[result->nnodes++] = id;
}

/*
 * The test cannot know, as that would take a walk over too many nodes.  No
 * error: who looks at many models is to see the others, and who registers or
 * evaluates a version is not refused because a policy moves it by itself.
 */
void
mr_gate_saw_too_many(MrGateResult *result)
{
	result->holds = false;
	result->observed = psprintf("more than %d nodes upstream (modelreg.max_lineage_nodes)",
								mr_max_lineage_nodes);
}

/* A moment, in UTC and the same in every session. */
char *
mr_gate_time(TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		elog(ERROR, "timestamp out of range");
	return psprintf("%04d-%02d-%02d %02d:%02d:%02d UTC", tm.tm_year, tm.tm_mon,
					tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void
test_gate(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	result->gate = gate;
	gate->kind->test(subject, gate, result);
}

/* A gate of an implicit kind that the transition does not name. */
static MrGate *
implicit_gate(const MrGateKind *kind)
{
	MrGate	   *gate = palloc0(sizeof(MrGate));
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	gate->name = kind->name;
	gate->kind = kind;
	gate->definition = &JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL))->root;
	gate->blocks = true;
	return gate;
}

static bool
names_kind(const MrPolicy *policy, const MrPolicyTransition *transition,
		   const MrGateKind *kind)
{
	for (int i = 0; transition != NULL && i < transition->ngates; i++)
		if (policy->gates[transition->gates[i]].kind == kind)
			return true;
	return false;
}

/*
 * Test what a transition (NULL: none) asks, in the order of its gates, and what
 * is asked of any.
 */
MrGateResults
mr_gates_test(const MrGateSubject *subject, const MrPolicy *policy,
			  const MrPolicyTransition *transition)
{
	MrGateResults results = {0};

	int			n = transition ? transition->ngates : 0;

	results.items = palloc0((n + lengthof(kinds)) * sizeof(MrGateResult));
	for (int i = 0; i < n; i++)
		test_gate(subject, &policy->gates[transition->gates[i]], &results.items[results.n++]);
	if (subject->to == MR_STAGE_STAGING || subject->to == MR_STAGE_PRODUCTION)
		for (int i = 0; i < lengthof(kinds); i++)
			if (kinds[i]->implicit && !names_kind(policy, transition, kinds[i]))
				test_gate(subject, implicit_gate(kinds[i]), &results.items[results.n++]);
	for (int i = 0; i < results.n; i++)
		results.refuses |= !results.items[i].holds && results.items[i].gate->blocks;
	return results;
}

/* Fill what the version's row says of the subject. */
static void
read_version(MrGateSubject *subject)
{
	MrTable    *table = mr_table_open_read("version");
	Datum		keys[2] = {Int64GetDatum(subject->model->id), Int32GetDatum(subject->version)};

	if (!mr_table_find(table, "version_pkey", 2, keys, subject->snapshot))
		elog(ERROR, "version %d is missing", subject->version);
	subject->node = DatumGetInt64(mr_table_get(table, VERSION_NODE_ID, NULL));
	subject->registrant = DatumGetJsonbPCopy(mr_table_get(table, VERSION_WHO, NULL));
	keys[0] = Int64GetDatum(subject->current_model);
	keys[1] = Int32GetDatum(subject->current);
	if (subject->current != 0 &&
		mr_table_find(table, "version_pkey", 2, keys, subject->snapshot))
		subject->current_node = DatumGetInt64(mr_table_get(table, VERSION_NODE_ID, NULL));
	mr_table_close(table);
}

/*
 * What a version is compared with.  Taking the current one out of Production
 * first does not spare the next one the comparison, nor does a new model under
 * the name of an old one.
 */
static void
find_compared(MrGateSubject *subject)
{
	const MrModel *model = subject->model;

	subject->current_model = model->id;
	if (model->current_version == subject->version)
		return;
	subject->current = model->current_version != 0 ? model->current_version :
		mr_tenure_last_other(model->id, subject->version, subject->snapshot);
	if (subject->current == 0)
		subject->current = mr_tenure_before_name(model->id, subject->snapshot,
												 &subject->current_model);
}

/* What the version is compared with, in words. */
char *
mr_gate_compared(const MrGateSubject *subject)
{
	return psprintf("version %d%s", subject->current,
					subject->current_model == subject->model->id ? "" :
					" of a model that had the name before");
}

/* A version that is to go from a stage to another, as a snapshot sees it. */
MrGateSubject
mr_gate_subject(const MrModel *model, int32 version, MrStage from, MrStage to,
				const MrPolicy *policy, Snapshot snapshot)
{
	MrGateSubject subject = {.model = model,.version = version,.from = from,
	.to = to,.snapshot = snapshot,.now = GetCurrentTimestamp(),
	.found = palloc0(sizeof(MrGateFound))};

	find_compared(&subject);
	subject.evaluator_differs = policy->distinct[MR_PART_EVALUATOR][MR_PART_REGISTRANT];
	read_version(&subject);
	return subject;
}
