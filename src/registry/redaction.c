/*
 * redaction.c
 *		What goes with a redacted text: the rows that repeat it for searches.
 *
 * No index leads from a text's digest to a tag or to params: a redaction is
 * rare, and reads these tables through.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "base/hash.h"
#include "base/stmt.h"
#include "base/table.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "registry/search.h"

static MrStmt find_tags = {
	"SELECT t.model_id, t.version, t.key FROM modelreg.tag t WHERE t.payload = $1",
	1, {BYTEAOID}, NULL
};

static MrStmt find_params = {
	"SELECT p.model_id, p.version, p.key FROM modelreg.version v"
	" JOIN modelreg.param p ON p.model_id = v.model_id AND p.version = v.version"
	" WHERE v.params = $1",
	1, {BYTEAOID}, NULL
};

/* Has a tag another value by now than the redacted one? */
static bool
was_set_anew(MrTable *table, const bytea *payload)
{
	bytea	   *present = DatumGetByteaPP(mr_table_get(table, TAG_PAYLOAD, NULL));

	return VARSIZE_ANY_EXHDR(present) != MR_HASH_LEN ||
		memcmp(VARDATA_ANY(present), VARDATA_ANY(payload), MR_HASH_LEN) != 0;
}

/* Delete the rows that a statement finds, by their primary key. */
static void
delete_rows(const char *name, const char *index, MrStmt *find,
			const bytea *payload, bool is_tag)
{
	Datum		digest = PointerGetDatum(payload);
	uint64		n = mr_stmt_read(find, &digest, NULL, 0);
	MrTable    *table = mr_table_open(name);

	for (uint64 i = 0; i < n; i++)
	{
		Datum		keys[3];
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < 3; k++)
			keys[k] = mr_stmt_value(i, k + 1, &isnull);
		if (mr_table_lock(table, index, 3, keys) &&
			!(is_tag && was_set_anew(table, payload)))
			mr_table_delete(table);
	}
	mr_table_close(table);
	CommandCounterIncrement();
}

void
mr_registry_payload_redacted(const bytea *payload)
{
	mr_search_payload_redacted(payload);
	delete_rows("tag", "tag_pkey", &find_tags, payload, true);
	delete_rows("param", "param_pkey", &find_params, payload, false);
}
