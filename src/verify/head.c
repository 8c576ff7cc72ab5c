/*
 * head.c
 *		audit_head(): where every chain stands, as a document.
 *
 * Whoever keeps its digest outside of the database can show later that no
 * chain was shortened or written anew: every chain still has, at the position
 * that the document names, an event of the hash that it names.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "access/access.h"
#include "audit/audit.h"
#include "audit/audit_tables.h"
#include "base/hash.h"
#include "base/row.h"
#include "base/stmt.h"
#include "verify/verify.h"

PG_FUNCTION_INFO_V1(modelreg_audit_head);

#define DOCUMENT_FORMAT 1

static MrStmt heads_stmt = {
	.sql = "SELECT 1 AS chain, id, seq, head_hash FROM modelreg.registry "
	"UNION ALL SELECT 2, id, seq, head_hash FROM modelreg.team "
	"UNION ALL SELECT 3, id, seq, head_hash FROM modelreg.fact_head "
	"UNION ALL SELECT 4, id, seq, head_hash FROM modelreg.registration_head "
	"UNION ALL SELECT 5, id, seq, head_hash FROM modelreg.model "
	"UNION ALL SELECT 6, id, seq, head_hash FROM modelreg.endpoint ORDER BY 1, 2"
};

static Jsonb *
describe_head(uint64 row)
{
	bool		isnull;
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "chain",
					 mr_chain_name(DatumGetInt32(mr_stmt_value(row, 1, &isnull))));
	mr_json_add_int(&json, "id", DatumGetInt64(mr_stmt_value(row, 2, &isnull)));
	mr_json_add_int(&json, "seq", DatumGetInt64(mr_stmt_value(row, 3, &isnull)));
	mr_json_add_hash(&json, "hash", DatumGetByteaPP(mr_stmt_value(row, 4, &isnull)));
	return mr_json_end(&json);
}

static void
add_chains(MrJson *json, Snapshot snapshot)
{
	uint64		n;

	mr_json_begin_array(json, "chains");
	n = mr_stmt_read_as_of(&heads_stmt, NULL, NULL, snapshot, 0);
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		mr_json_add_element(json, describe_head(i));
	}
	mr_json_end_array(json);
}

/* NULL in a registry to which nothing was written yet. */
char *
mr_verify_identity(Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("registry");
	Datum		key = Int64GetDatum(1);
	char	   *identity = NULL;

	if (mr_table_find(table, "registry_pkey", 1, &key, snapshot))
		identity = DatumGetCString(DirectFunctionCall1(uuid_out,
													   mr_table_get(table, REGISTRY_IDENTITY, NULL)));
	mr_table_close(table);
	return identity;
}

/* Made as the owner, in memory of the caller. */
static Jsonb *
make_document(void)
{
	MemoryContext context = CurrentMemoryContext;
	Snapshot	snapshot = GetActiveSnapshot();
	MrOwnerScope scope;
	MrJson		json;
	Jsonb	   *document;

	mr_owner_begin(&scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	mr_json_begin(&json);
	mr_json_add_int(&json, "format", DOCUMENT_FORMAT);
	mr_json_add_text(&json, "identity", mr_verify_identity(snapshot));
	add_chains(&json, snapshot);
	document = mr_json_end(&json);
	MemoryContextSwitchTo(context);
	document = (Jsonb *) PG_DETOAST_DATUM_COPY(JsonbPGetDatum(document));
	SPI_finish();
	mr_owner_end(&scope);
	return document;
}

/*
 * modelreg.audit_head(OUT document jsonb, OUT digest text)
 *
 * Error 42501 for who is no auditor.
 */
Datum
modelreg_audit_head(PG_FUNCTION_ARGS)
{
	Datum		values[2];
	bool		nulls[2] = {false};
	Jsonb	   *document;

	mr_require_registry(MR_AUDITOR);
	document = make_document();
	values[0] = JsonbPGetDatum(document);
	values[1] = CStringGetTextDatum(mr_json_digest(document));
	return mr_make_record(fcinfo, values, nulls);
}
