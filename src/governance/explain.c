/*
 * explain.c
 *		explain_decision: all that is known of a decision, in one document.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/args.h"
#include "base/owner.h"
#include "base/stmt.h"
#include "registry/registry.h"

PG_FUNCTION_INFO_V1(modelreg_explain_decision);

/* Whoever reads the model may read all of this, which is of its team. */
static MrStmt explain = {
	"SELECT jsonb_build_object('model', $3, 'model_id', e.chain_id, 'number', e.seq, 'decision', e.kind, 'at', e.at, "
	"'who', e.who, 'reason', y.body, 'what', e.what, "
	"'policy', (SELECT jsonb_build_object('policy', p.name, 'revision', p.revision, 'digest', 'sha256:' || encode(p.digest, 'hex'), "
	"'document', p.document) FROM modelreg.policy p WHERE p.team_id = e.team_id AND p.name = e.what->>'policy' "
	"AND encode(p.digest, 'hex') = e.what->>'policy_digest'), "
	"'evidence', (SELECT v.document FROM modelreg.evidence v WHERE v.team_id = e.team_id AND v.digest = decode(e.what->>'evidence', 'hex')), "
	"'request', (SELECT jsonb_build_object('request', q.request, 'number', q.number, 'state', q.state, 'role', q.role, "
	"'requested_at', q.requested_at, 'reason', q.reason) FROM modelreg.promotion_requests q WHERE q.request = (e.what->>'request')::bigint), "
	"'approvals', COALESCE((SELECT jsonb_agg(jsonb_build_object('number', a.number, 'at', a.at, 'role', a.role, "
	"'session_role', a.session_role, 'evidence', a.evidence, 'superseded', a.superseded, 'counted', a.counted, 'comment', a.comment) ORDER BY a.number) "
	"FROM modelreg.approvals a WHERE a.request = (e.what->>'request')::bigint), '[]')) "
	"FROM modelreg.event e LEFT JOIN modelreg.payload y ON y.digest = e.prose "
	"WHERE e.chain = 5 AND e.chain_id = $1 AND e.seq = $2",
	3, {INT8OID, INT8OID, TEXTOID}, NULL
};

static Jsonb *
read_decision(const MrModel *model, int64 number, Snapshot snapshot)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[3] = {Int64GetDatum(model->id), Int64GetDatum(number)};
	Jsonb	   *document = NULL;
	MrOwnerScope scope;
	bool		isnull;

	values[2] = PointerGetDatum(cstring_to_text(mr_model_address(model)));
	mr_owner_begin(&scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	MemoryContextSwitchTo(context);
	if (mr_stmt_read_as_of(&explain, values, NULL, snapshot, 1) > 0)
		document = DatumGetJsonbPCopy(mr_stmt_value(0, 1, &isnull));
	SPI_finish();
	MemoryContextSwitchTo(context);
	mr_owner_end(&scope);
	return document;
}

/*
 * modelreg.explain_decision(model text, number bigint) returns jsonb.
 *
 * NULL for a number that no decision has.  Errors: 42704.
 */
Datum
modelreg_explain_decision(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = GetActiveSnapshot();
	MrModel		model = mr_require_model(mr_arg_text(fcinfo, 0, "model"), MR_READER, snapshot);
	Jsonb	   *document;

	mr_arg_require(fcinfo, 1, "number");
	document = read_decision(&model, PG_GETARG_INT64(1), snapshot);
	if (document == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(document);
}
