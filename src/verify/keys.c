/*
 * keys.c
 *		Is each thing there once, and does an index keep it so?
 *
 * What compares rows with the events by joining them does not see that a row
 * is there twice; and who drops a unique index needs no forged row for two
 * models of one name.
 */
#include "postgres.h"

#include "verify/verify.h"

/* Statements about columns that are unique among the rows that fit a condition. */
typedef struct Key
{
	const char *table;
	const char *name;			/* for who shows that there is nothing to find */
	const char *rows;
	const char *index;
} Key;

#define ALL_ROWS "true"

/* Of an index, more columns may follow from these. */
#define KEY(table, columns, condition) KEY_IN(table, columns, columns, condition)
#define KEY_IN(table, columns, indexed, condition) {table, table "(" columns ")", \
	"SELECT concat('" table " ', concat_ws('/', " columns ")), CASE WHEN num_nulls(" columns ") > 0 THEN 'its key has a null' " \
	"ELSE format('%s rows have this key', count(*)) END FROM modelreg." table " WHERE " condition " " \
	"GROUP BY " columns " HAVING count(*) > 1 OR num_nulls(" columns ") > 0 ORDER BY 1", \
	"SELECT 'table " table "', 'no index keeps (" columns ") unique' WHERE NOT EXISTS (SELECT FROM pg_class t " \
	"JOIN pg_index x ON x.indrelid = t.oid " \
	"WHERE t.relnamespace = 'modelreg'::regnamespace AND t.relname = '" table "' AND x.indisunique AND x.indimmediate AND x.indisvalid " \
	"AND x.indisready AND x.indislive AND x.indexprs IS NULL " \
	"AND COALESCE(pg_get_expr(x.indpred, x.indrelid), '" condition "') = '" condition "' " \
	"AND '" indexed "' = (SELECT string_agg(a.attname, ', ' ORDER BY k.nr) FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS k(attnum, nr) " \
	"JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum WHERE k.nr <= x.indnkeyatts))"}

static const Key keys[] = {
	KEY("registry", "id", ALL_ROWS),
	KEY("team", "id", ALL_ROWS),
	KEY("team_name", "name", ALL_ROWS),
	KEY("membership", "team_id, role_name, level", ALL_ROWS),
	KEY("fact_head", "id", ALL_ROWS),
	KEY("event", "chain, chain_id, seq", ALL_ROWS),
	KEY("payload", "digest", ALL_ROWS),
	KEY("request_id", "team_id, verb, request_id", ALL_ROWS),
	KEY("node", "id", ALL_ROWS),
	KEY("node", "team_id, kind, name, version", ALL_ROWS),
	KEY("quarantine", "node_id", ALL_ROWS),
	KEY_IN("edge", "child, parent, role", "child, parent, parent_low, parent_team, parent_level, role", ALL_ROWS),
	KEY("blob", "id", ALL_ROWS),
	KEY("blob", "digest", ALL_ROWS),
	KEY("blob", "object", "(object IS NOT NULL)"),
	KEY("upload", "id", ALL_ROWS),
	KEY("upload", "object", "(object IS NOT NULL)"),
	KEY("team_bytes", "team_id", ALL_ROWS),
	KEY("artifact", "model_id, version, name", ALL_ROWS),
	KEY("purged_version", "model_id, version", ALL_ROWS),
	KEY("model", "id", ALL_ROWS),
	KEY("model", "team_id, name", "(retired_at IS NULL)"),
	KEY("model_name", "team_id, name, since", ALL_ROWS),
	KEY("registration_head", "id", ALL_ROWS),
	KEY("version", "model_id, version", ALL_ROWS),
	KEY("version", "node_id", ALL_ROWS),
	KEY("version_stage", "model_id, version", ALL_ROWS),
	KEY("production", "model_id, seq", ALL_ROWS),
	KEY("endpoint", "id", ALL_ROWS),
	KEY("endpoint", "team_id, name", "(retired_at IS NULL)"),
	KEY("endpoint_name", "team_id, name, since", ALL_ROWS),
	KEY("traffic_schedule", "endpoint_id, seq", ALL_ROWS),
	KEY("traffic_arm", "endpoint_id, seq, step, model_id, version", ALL_ROWS),
	KEY("quality_observation", "id", ALL_ROWS),
	KEY("rollout_evidence", "endpoint_id, schedule_seq, step, metric, model_id, version", ALL_ROWS),
	KEY("policy", "team_id, name, revision", ALL_ROWS),
	KEY("policy", "team_id, name, digest", ALL_ROWS),
	KEY("team_policy", "team_id, name", ALL_ROWS),
	KEY("evidence", "team_id, digest", ALL_ROWS),
	KEY("approval_request", "id", ALL_ROWS),
	KEY("approval", "request_id, seq", ALL_ROWS),
	KEY("legal_hold", "model_id, version", ALL_ROWS),
	KEY("instance_report", "endpoint_id, instance", ALL_ROWS),
	KEY("leaving", "model_id, version", ALL_ROWS),
	KEY("alias", "model_id, alias", ALL_ROWS),
	KEY("evaluation", "id", ALL_ROWS),
	KEY("note", "id", ALL_ROWS),
	KEY("signing_key", "id", ALL_ROWS),
	KEY("signing_key", "team_id, name", ALL_ROWS),
	KEY("signing_key", "team_id, keyid", ALL_ROWS),
	KEY("attestation", "id", ALL_ROWS),
	KEY("tag", "model_id, version, key", ALL_ROWS),
	KEY("metric", "model_id, version, kind, dataset_id, slice, metric", ALL_ROWS),
	KEY("param", "model_id, version, key", ALL_ROWS),
	KEY("description", "model_id, version", ALL_ROWS),
	KEY("search_word", "team_id, word, model_id, version", ALL_ROWS),
};

static void
verify_rows(MrVerify *verify, const void *arg)
{
	const Key  *key = arg;

	mr_verify_findings(verify, "key", key->rows);
}

static void
verify_index(MrVerify *verify, const void *arg)
{
	const Key  *key = arg;

	mr_verify_findings(verify, "guard", key->index);
}

void
mr_verify_keys(MrVerify *verify)
{
	if (verify->scope != MR_VERIFY_ALL)
		return;
	for (int i = 0; i < lengthof(keys); i++)
	{
		if (!mr_verify_is_shown(verify, keys[i].name))
			mr_verify_run(verify, keys[i].table, verify_rows, &keys[i]);
		mr_verify_run(verify, keys[i].table, verify_index, &keys[i]);
	}
}
