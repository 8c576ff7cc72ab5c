/*
 * keys.c
 *		Is each thing there once, and does an index keep it so?
 *
 * What compares rows with the events by joining them does not see that a row
 * is there twice; and who drops a unique index needs no forged row for two
 * models of one name.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "verify/verify.h"

/* Columns that are unique among the rows that fit a condition. */
typedef struct Key
{
	const char *table;
	const char *columns;
	const char *condition;
} Key;

#define ALL_ROWS "true"

static const Key keys[] = {
	{"registry", "id", ALL_ROWS},
	{"team", "id", ALL_ROWS},
	{"team_name", "name", ALL_ROWS},
	{"membership", "team_id, role_name, level", ALL_ROWS},
	{"fact_head", "id", ALL_ROWS},
	{"event", "chain, chain_id, seq", ALL_ROWS},
	{"payload", "digest", ALL_ROWS},
	{"request_id", "team_id, verb, request_id", ALL_ROWS},
	{"node", "id", ALL_ROWS},
	{"node", "team_id, kind, name, version", ALL_ROWS},
	{"edge", "child, parent, role", ALL_ROWS},
	{"blob", "id", ALL_ROWS},
	{"blob", "digest", ALL_ROWS},
	{"blob", "object", "(object IS NOT NULL)"},
	{"upload", "id", ALL_ROWS},
	{"upload", "object", "(object IS NOT NULL)"},
	{"team_bytes", "team_id", ALL_ROWS},
	{"artifact", "model_id, version, name", ALL_ROWS},
	{"model", "id", ALL_ROWS},
	{"model", "team_id, name", "(retired_at IS NULL)"},
	{"model_name", "team_id, name, since", ALL_ROWS},
	{"registration_head", "id", ALL_ROWS},
	{"version", "model_id, version", ALL_ROWS},
	{"version", "node_id", ALL_ROWS},
	{"version_stage", "model_id, version", ALL_ROWS},
	{"production", "model_id, seq", ALL_ROWS},
	{"alias", "model_id, alias", ALL_ROWS},
	{"evaluation", "id", ALL_ROWS},
	{"note", "id", ALL_ROWS},
	{"tag", "model_id, version, key", ALL_ROWS},
	{"metric", "model_id, version, kind, dataset_id, slice, metric", ALL_ROWS},
	{"param", "model_id, version, key", ALL_ROWS},
	{"description", "model_id, version", ALL_ROWS},
	{"search_word", "team_id, word, model_id, version", ALL_ROWS},
};

/* In these three, the name of the table, its columns and the condition. */
static const char rows_sql[] =
"SELECT concat('%1$s ', concat_ws('/', %2$s)), CASE WHEN num_nulls(%2$s) > 0 THEN 'its key has a null' "
"ELSE format('%%s rows have this key', count(*)) END FROM modelreg.%1$s WHERE %3$s "
"GROUP BY %2$s HAVING count(*) > 1 OR num_nulls(%2$s) > 0 ORDER BY 1";

static const char index_sql[] =
"SELECT 'table %1$s', 'no index keeps (%2$s) unique' WHERE NOT EXISTS (SELECT FROM pg_class t JOIN pg_index x ON x.indrelid = t.oid "
"WHERE t.relnamespace = 'modelreg'::regnamespace AND t.relname = '%1$s' AND x.indisunique AND x.indimmediate AND x.indisvalid "
"AND x.indisready AND x.indislive AND x.indexprs IS NULL AND COALESCE(pg_get_expr(x.indpred, x.indrelid), '%3$s') = '%3$s' "
"AND '%2$s' = (SELECT string_agg(a.attname, ', ' ORDER BY k.nr) FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS k(attnum, nr) "
"JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum WHERE k.nr <= x.indnkeyatts))";

static void
report_row(MrVerify *verify, HeapTuple tuple, TupleDesc desc, void *state)
{
	Datum		values[2];
	bool		nulls[2];

	heap_deform_tuple(tuple, desc, values, nulls);
	mr_verify_report(verify, state, TextDatumGetCString(values[0]), "%s",
					 TextDatumGetCString(values[1]));
}

static void
verify_rows(MrVerify *verify, const void *arg)
{
	const Key  *key = arg;

	mr_verify_scan(verify, psprintf(rows_sql, key->table, key->columns,
									key->condition),
				   report_row, "key");
}

static void
verify_index(MrVerify *verify, const void *arg)
{
	const Key  *key = arg;

	mr_verify_scan(verify, psprintf(index_sql, key->table, key->columns,
									key->condition),
				   report_row, "guard");
}

void
mr_verify_keys(MrVerify *verify)
{
	if (verify->scope != MR_VERIFY_ALL)
		return;
	for (int i = 0; i < lengthof(keys); i++)
	{
		mr_verify_run(verify, keys[i].table, verify_rows, &keys[i]);
		mr_verify_run(verify, keys[i].table, verify_index, &keys[i]);
	}
}
