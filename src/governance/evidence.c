/*
 * evidence.c
 *		What the gates of a transition said, as it is kept and shown.
 *
 * Evidence is one document, named by the digest of its canonical JSON, which
 * an approval repeats and the event of the decision has.  It is written once;
 * the same state gives the same document.
 */
#include "postgres.h"

#include "access/xact.h"
#include "port/pg_bswap.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/hash.h"
#include "governance/evidence.h"
#include "governance/governance_tables.h"

/* So many ids of each list are written; a lineage may have millions. */
#define IDS_MAX 100

/*
 * The first ids; where there are more, also how many there are and a digest of
 * all, 8 bytes each, so that others are other evidence.
 */
static void
add_ids(MrJson *json, const char *key, const int64 *ids, int n)
{
	uint64	   *bytes;

	mr_json_add_ints(json, key, ids, Min(n, IDS_MAX));
	if (n <= IDS_MAX)
		return;
	bytes = palloc_extended(n * sizeof(uint64), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
		bytes[i] = pg_hton64(ids[i]);
	mr_json_add_int(json, psprintf("%s_count", key), n);
	mr_json_add_hash(json, psprintf("%s_digest", key),
					 mr_sha256_bytea(bytes, n * sizeof(uint64)));
	pfree(bytes);
}

static Jsonb *
describe_result(const MrGateResult *result)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "gate", result->gate->name);
	mr_json_add_text(&json, "kind", result->gate->kind->name);
	mr_json_add_text(&json, "severity", result->gate->blocks ? "block" : "warn");
	mr_json_add_text(&json, "required", result->required);
	mr_json_add_text(&json, "observed", result->observed);
	mr_json_add_text(&json, "verdict", result->holds ? "holds" : "fails");
	add_ids(&json, "evaluations", result->evaluations, result->nevaluations);
	add_ids(&json, "nodes", result->nodes, result->nnodes);
	mr_json_add_int(&json, "earlier", result->earlier);
	return mr_json_end(&json);
}

/* The evidence of a transition; request is 0 where nobody asks for approval. */
MrEvidence
mr_evidence_of(const MrGateSubject *subject, const MrGateResults *results, int64 request)
{
	MrEvidence	evidence;
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_id(&json, "request", request);
	mr_json_add_int(&json, "model_id", subject->model->id);
	mr_json_add_int(&json, "version", subject->version);
	mr_json_add_text(&json, "from", mr_stage_name(subject->from));
	mr_json_add_text(&json, "to", mr_stage_name(subject->to));
	mr_json_add_text(&json, "policy", subject->model->policy);
	mr_json_add_hash(&json, "policy_digest", subject->model->policy_digest);
	mr_json_add_id(&json, "compared", subject->current);
	if (subject->current != 0 && subject->current_model != subject->model->id)
		mr_json_add_int(&json, "compared_model_id", subject->current_model);
	mr_json_begin_array(&json, "gates");
	for (int i = 0; i < results->n; i++)
		mr_json_add_element(&json, describe_result(&results->items[i]));
	mr_json_end_array(&json);
	evidence.document = mr_json_end(&json);
	evidence.digest = mr_json_hash(evidence.document);
	return evidence;
}

/*
 * Keep the evidence, of no version (0) for what is about the model, unless it is
 * kept already; the model's head is locked.
 */
void
mr_evidence_store(const MrModel *model, int32 version, const MrEvidence *evidence)
{
	MrTable    *table = mr_table_open("evidence");
	Datum		values[EVIDENCE_COLUMNS];
	bool		nulls[EVIDENCE_COLUMNS] = {false};

	values[EVIDENCE_TEAM_ID - 1] = Int64GetDatum(model->team.id);
	values[EVIDENCE_DIGEST - 1] = PointerGetDatum(evidence->digest);
	values[EVIDENCE_MODEL_ID - 1] = Int64GetDatum(model->id);
	values[EVIDENCE_VERSION - 1] = Int32GetDatum(version);
	values[EVIDENCE_DOCUMENT - 1] = JsonbPGetDatum(evidence->document);
	values[EVIDENCE_RECORDED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	if (!mr_table_find_latest(table, "evidence_pkey", 2, values))
	{
		mr_table_insert(table, values, nulls);
		CommandCounterIncrement();
	}
	mr_table_close(table);
}

/* A digest as functions take and show it. */
char *
mr_evidence_text(const bytea *digest)
{
	return psprintf("sha256:%s", mr_hash_to_hex((const uint8 *) VARDATA_ANY(digest)));
}

/* Error 55000 that lists all gates, in the order of the policy. */
void
mr_gates_raise_refused(const MrGateSubject *subject, const MrGateResults *results)
{
	StringInfoData detail;

	initStringInfo(&detail);
	for (int i = 0; i < results->n; i++)
	{
		const MrGateResult *result = &results->items[i];

		appendStringInfo(&detail, "%sGate \"%s\" (%s, %s) %s: required is %s; observed is %s.",
						 i > 0 ? "\n" : "", result->gate->name, result->gate->kind->name,
						 result->gate->blocks ? "block" : "warn",
						 result->holds ? "holds" : "fails", result->required, result->observed);
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("gates of policy \"%s\" refuse version %d of \"%s\" for %s",
					subject->model->policy, subject->version,
					mr_model_address(subject->model), mr_stage_name(subject->to)),
			 errdetail("%s", detail.data),
			 errhint("modelreg.check_promotion() looks again without deciding; modelreg.attempt_promotion() keeps the evidence of a refusal."),
			 mr_reason("gate_refused")));
}
