/*
 * card.c
 *		Model cards in Markdown, from what the registry knows.
 *
 * One statement, run as the caller, who sees through the views and policies
 * what he may read; nothing on his search_path takes part.  What somebody wrote
 * passes markdown_text().
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/args.h"
#include "base/owner.h"
#include "base/stmt.h"
#include "registry/registry.h"

PG_FUNCTION_INFO_V1(modelreg_model_card);

#define LINE(value) "modelreg.markdown_text(" value ", true)"
#define TIME(value) "to_char(" value " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"')"
#define TABLE(title, head, rule) \
	"E'## " title "\\n\\n" head "\\n" rule "\\n' || string_agg("
#define UNION "UNION ALL SELECT "
#define INPUTS_SHOWN "100"

/* The version by its number, or by an address when that is NULL. */
#define VERSION \
	"asked AS (SELECT $1 AS model, $2 AS version WHERE $2 IS NOT NULL " \
	"UNION ALL SELECT r.model, r.version FROM modelreg.resolve($1) r WHERE $2 IS NULL), " \
	"v AS (SELECT g.* FROM asked a CROSS JOIN LATERAL modelreg.get_version(a.model, a.version) g)"

#define HEAD \
	"1, format(E'# %s, version %s\\n\\n- Address: %s\\n- Permanent id: %s\\n- Hash: %s\\n- Stage: %s%s, since %s\\n- Registered: %s, by %s%s', " \
	LINE("v.model") ", v.version, " LINE("v.uri") ", " LINE("v.permanent_id") ", encode(r.hash, 'hex'), v.stage, " \
	"CASE WHEN v.current THEN ', current in Production' ELSE '' END, " TIME("v.stage_since") ", " TIME("v.registered_at") ", " LINE("v.role") ", " \
	"(SELECT E'\\n- Aliases: ' || string_agg(" LINE("a.alias") ", ', ') FROM jsonb_array_elements_text(v.aliases) AS a(alias))) " \
	"FROM v JOIN modelreg.version r ON r.model_id = v.model_id AND r.version = v.version "

#define DESCRIPTION \
	"2, E'## Description\\n\\n' || modelreg.markdown_text(v.description) FROM v WHERE v.description IS NOT NULL "

/* What it is for comes first. */
#define SECTIONS \
	"3, string_agg(format(E'## %s\\n\\n%s', upper(left(s.name, 1)) || translate(substr(s.name, 2), '_', ' '), modelreg.markdown_text(s.body)), " \
	"E'\\n\\n' ORDER BY s.name <> 'intended_use', s.name COLLATE \"C\") " \
	"FROM v CROSS JOIN LATERAL (SELECT n.value FROM modelreg.note n WHERE n.model_id = v.model_id AND n.version = v.version " \
	"AND n.kind = 'model_card' ORDER BY n.id DESC LIMIT 1) n " \
	"JOIN modelreg.payload p ON p.digest = n.value AND p.body IS NOT NULL CROSS JOIN LATERAL jsonb_each_text(p.body::jsonb) AS s(name, body) "

#define METRICS \
	"4, " TABLE("Metrics", "| Kind | Data set | Slice | Metric | Value |", "|---|---|---|---|---|") \
	"format('| %s | %s | %s | %s | %s |', " LINE("f.kind") ", CASE WHEN f.dataset_id = 0 THEN '' WHEN t.id IS NULL THEN 'of another team' " \
	"WHEN n.kind = 'version' THEN " LINE("format('modelreg:%s/%s/%s', d.identity, n.name, n.version)") " ELSE " \
	LINE("n.kind || ':' || t.name || '.' || n.name || CASE WHEN n.version = '' THEN '' ELSE '@' || n.version END") " END, " \
	LINE("f.slice") ", " LINE("f.metric") ", " LINE("f.value::text") "), E'\\n' ORDER BY f.kind, f.dataset_id, f.slice, f.metric) " \
	"FROM v JOIN modelreg.metric f ON f.model_id = v.model_id AND f.version = v.version " \
	"LEFT JOIN modelreg.node n ON n.id = f.dataset_id LEFT JOIN modelreg.team t ON t.id = n.team_id LEFT JOIN modelreg.version d ON d.node_id = n.id "

#define LINEAGE \
	"5, " TABLE("Lineage", "| Depth | Role | Node |", "|---|---|---|") \
	"format('| %s | %s | %s |', u.depth, " LINE("COALESCE(u.role, '')") ", COALESCE(" LINE("u.address") ", 'of another team')), E'\\n' ORDER BY u.nr) " \
	"|| CASE WHEN max(u.n) > " INPUTS_SHOWN " THEN format(E'\\n\\nAnd %s more.', max(u.n) - " INPUTS_SHOWN ") ELSE '' END " \
	"FROM v CROSS JOIN LATERAL (SELECT x.*, row_number() OVER (ORDER BY x.depth, x.role, x.address COLLATE \"C\", x.node_id) AS nr, count(*) OVER () AS n " \
	"FROM modelreg.upstream(v.uri, NULL, NULL, 2) x) u WHERE u.nr <= " INPUTS_SHOWN " "

#define ATTESTATIONS \
	"6, " TABLE("Attestations", "| Predicate type | About | Keys | Recorded | Counts |", "|---|---|---|---|---|") \
	"format('| %s | %s | %s | %s | %s |', " LINE("a.predicate_type") ", a.subject, " \
	"(SELECT string_agg(" LINE("k.key") ", ', ' ORDER BY k.nr) FROM jsonb_array_elements_text(a.keys) WITH ORDINALITY AS k(key, nr)), " \
	TIME("a.recorded_at") ", CASE WHEN a.trusted THEN 'yes' ELSE 'no: the key was compromised' END), E'\\n' ORDER BY a.id) " \
	"FROM v JOIN modelreg.attestations a ON a.model_id = v.model_id AND a.version = v.version "

#define DECISIONS \
	"7, " TABLE("Decisions", "| Number | When | Kind | From | To | By | Policy | Reason |", "|---|---|---|---|---|---|---|---|") \
	"format('| %s | %s | %s | %s | %s | %s | %s | %s |', d.number, " TIME("d.at") ", " LINE("d.kind") ", d.from_stage, d.to_stage, " \
	LINE("d.role") " || CASE WHEN d.by_policy THEN ', automatically' ELSE '' END, " LINE("d.policy") ", " LINE("COALESCE(d.reason, '')") "), E'\\n' ORDER BY d.number) " \
	"FROM v JOIN modelreg.transitions d ON d.model_id = v.model_id AND d.version = v.version "

/* Of requests that are open and that led to a decision. */
#define APPROVALS \
	"8, " TABLE("Approvals", "| Request | To | When | By | Comment | Counts |", "|---|---|---|---|---|---|") \
	"format('| %s | %s | %s | %s | %s | %s |', a.request, a.stage, " TIME("a.at") ", " LINE("a.role") ", " LINE("COALESCE(a.comment, '')") ", " \
	"CASE WHEN a.superseded THEN 'no: the evidence changed' WHEN a.counted THEN 'yes' ELSE 'no: it had lapsed' END), E'\\n' ORDER BY a.number) " \
	"FROM v JOIN modelreg.approvals a ON a.model_id = v.model_id AND a.version = v.version JOIN modelreg.promotion_requests r USING (request) " \
	"WHERE r.state IN ('open', 'done')"

static MrStmt card_stmt = {
	.sql = "WITH " VERSION ", part (nr, body) AS (SELECT " HEAD UNION DESCRIPTION UNION SECTIONS
	UNION METRICS UNION LINEAGE UNION ATTESTATIONS UNION DECISIONS UNION APPROVALS ") "
	"SELECT string_agg(p.body, E'\\n\\n' ORDER BY p.nr) || E'\\n' FROM part p",
	.nargs = 2,.types = {TEXTOID, INT4OID}
};

/* The answer, in that memory. */
static text *
read_card(Datum *values, const char *nulls, MemoryContext memory)
{
	bool		isnull;
	Datum		value;

	(void) mr_stmt_read_as_of(&card_stmt, values, nulls, GetActiveSnapshot(), 0);
	value = mr_stmt_value(0, 1, &isnull);
	if (isnull)
		elog(ERROR, "model card has no text");
	MemoryContextSwitchTo(memory);
	return DatumGetTextPCopy(value);
}

/* What is not there is an error before the statement, which nobody has to see. */
static void
require_asked(FunctionCallInfo fcinfo)
{
	char	   *model = mr_arg_text(fcinfo, 0, "model");
	Snapshot	snapshot = GetActiveSnapshot();
	MrTable    *table = PG_ARGISNULL(1) ? mr_version_open(model, snapshot) :
		mr_version_open_number(model, PG_GETARG_INT32(1), snapshot);

	mr_table_close(table);
}

/*
 * modelreg.model_card(model text, version integer) returns text
 *
 * Errors: those of get_version(), without a version those of resolve().
 */
Datum
modelreg_model_card(PG_FUNCTION_ARGS)
{
	Datum		values[2];
	char		nulls[3] = {' ', PG_ARGISNULL(1) ? 'n' : ' ', '\0'};
	MrCallerScope scope;
	text	   *card;

	require_asked(fcinfo);
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_GETARG_DATUM(1);
	mr_caller_begin(&scope);
	card = read_card(values, nulls, scope.memory);
	mr_caller_end(&scope);
	PG_RETURN_TEXT_P(card);
}
