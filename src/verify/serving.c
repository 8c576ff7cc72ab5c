/*
 * serving.c
 *		What can be said of endpoints, schedules and arms by a statement.
 *
 * As in statements.c: each lists what is wrong, as object and detail, takes
 * whatever a forged event or document may hold, and has the team, or NULL, as
 * $1.  An endpoint may serve several models, so of one model alone nothing is
 * asked here.
 */
#include "postgres.h"

#include "verify/verify.h"

typedef struct Statement
{
	const char *check;
	const char *what;
	const char *sql;
} Statement;

#define OF_TEAM(row) "($1 IS NULL OR " row ".team_id = $1)"
#define ELEMENTS(array) "jsonb_array_elements(CASE jsonb_typeof(" array ") WHEN 'array' THEN " array " ELSE '[]' END)"
#define BIRTHS \
	"SELECT e.team_id, e.what->>'endpoint_id' AS id, e.what->>'name' AS name, e.what->>'model_id' AS model, e.at, " \
	"row_number() OVER (PARTITION BY e.what->>'endpoint_id' ORDER BY e.seq) AS times FROM modelreg.event e " \
	"WHERE e.chain = 2 AND e.kind = 'endpoint_created' AND " OF_TEAM("e")
#define ENDS \
	"SELECT e.what->>'endpoint_id' AS id, min(e.at) AS at FROM modelreg.event e " \
	"WHERE e.chain = 2 AND e.kind = 'endpoint_retired' AND " OF_TEAM("e") " GROUP BY 1"
/* What the last event of an endpoint that tells of something tells of it. */
#define LAST(member) \
	"LEFT JOIN (SELECT DISTINCT ON (e.chain_id) e.chain_id AS id, e.seq, NULLIF(e.what->'" member "', 'null') AS json, e.what->>'" member "' AS told " \
	"FROM modelreg.event e WHERE e.chain = 6 AND e.what ? '" member "' AND " OF_TEAM("e") " ORDER BY e.chain_id, e.seq DESC) " member " ON " member ".id = h.id "
#define MICROSECONDS(interval) "(extract(epoch FROM " interval ") * 1000000)::bigint::text"
#define MICROSECONDS_SINCE_2000(time) MICROSECONDS(time " - '2000-01-01 00:00:00+00'")

static const Statement statements[] = {
	{"birth", "births of endpoints",
		"WITH born AS (" BIRTHS ") "
		"SELECT concat('endpoint ', COALESCE(h.id::text, b.id, '?')), CASE WHEN h.id IS NULL AND b.times = 1 THEN 'the events tell of its birth, but the row is missing' "
		"WHEN b.id IS NULL THEN 'no event tells of its birth' ELSE 'it was born more than once' END "
		"FROM born b FULL JOIN (SELECT * FROM modelreg.endpoint h WHERE " OF_TEAM("h") ") h ON h.id::text = b.id AND h.team_id = b.team_id "
		"WHERE h.id IS NULL OR b.id IS NULL OR b.times > 1 ORDER BY 1, 2"},

	{"fold", "endpoints",
		"WITH born AS (" BIRTHS "), gone AS (" ENDS ") "
		"SELECT concat('endpoint ', h.id), format('%s is %s, by the events it is %s', c.col, COALESCE(c.found, 'null'), COALESCE(c.expected, 'null')) "
		"FROM modelreg.endpoint h JOIN born b ON b.id = h.id::text AND b.times = 1 LEFT JOIN gone g ON g.id = h.id::text "
		LAST("follows") LAST("plan") LAST("max_staleness") LAST("prediction_days") LAST("schedule")
		"CROSS JOIN LATERAL (VALUES ('team_id', h.team_id::text, b.team_id::text), ('name', h.name, b.name), ('model_id', h.model_id::text, b.model), "
		"('created_at', h.created_at::text, b.at::text), ('retired_at', h.retired_at::text, g.at::text), ('follows', h.follows::text, follows.told), "
		"('plan', h.plan::text, plan.json::text), ('max_staleness', " MICROSECONDS("h.max_staleness") ", max_staleness.told), "
		"('prediction_days', h.prediction_days::text, prediction_days.told), ('schedule_seq', h.schedule_seq::text, schedule.seq::text), "
		"('schedule_hash', encode(h.schedule_hash, 'hex'), schedule.told)) AS c(col, found, expected) "
		"WHERE c.found IS DISTINCT FROM c.expected AND " OF_TEAM("h") " ORDER BY 1, 2"},

	{"fold", "endpoint names",
		"WITH born AS (" BIRTHS "), gone AS (" ENDS "), told AS (SELECT b.*, g.at AS until FROM born b LEFT JOIN gone g ON g.id = b.id) "
		"SELECT concat('endpoint_name ', COALESCE(r.name, t.name)), CASE WHEN r.name IS NULL THEN 'the row that the events tell of is missing' "
		"WHEN t.name IS NULL THEN 'no event tells of this row' ELSE format('until is %s, by the events it is %s', COALESCE(r.until::text, 'null'), "
		"COALESCE(t.until::text, 'null')) END FROM told t FULL JOIN (SELECT * FROM modelreg.endpoint_name r WHERE " OF_TEAM("r") ") r "
		"ON r.team_id = t.team_id AND r.name = t.name AND r.endpoint_id::text = t.id AND r.since = t.at "
		"WHERE r.name IS NULL OR t.name IS NULL OR r.until IS DISTINCT FROM t.until ORDER BY 1, 2"},

	{"fold", "schedules",
		"SELECT concat('traffic_schedule ', COALESCE(s.endpoint_id, e.chain_id), '/', COALESCE(s.seq, e.seq)), "
		"CASE WHEN s.seq IS NULL THEN 'the row that the events tell of is missing' WHEN e.seq IS NULL THEN 'no event tells of this row' "
		"ELSE 'it is another than by the events' END "
		"FROM (SELECT * FROM modelreg.event e WHERE e.chain = 6 AND e.what ? 'schedule' AND " OF_TEAM("e") ") e "
		"FULL JOIN (SELECT * FROM modelreg.traffic_schedule s WHERE " OF_TEAM("s") ") s ON s.endpoint_id = e.chain_id AND s.seq = e.seq "
		"WHERE (encode(s.hash, 'hex'), s.at, s.kind, s.team_id) IS DISTINCT FROM (e.what->>'schedule', e.at, e.kind, e.team_id) ORDER BY 1, 2"},

	{"fold", "arms",
		"WITH told AS (SELECT s.endpoint_id, s.seq, s.team_id, t.nr - 1 AS step, t.step->>'opens' AS opens, a.model, a.version, sum(a.width) AS share "
		"FROM modelreg.traffic_schedule s CROSS JOIN LATERAL " ELEMENTS("s.doc->'steps'") " WITH ORDINALITY AS t(step, nr) "
		"CROSS JOIN LATERAL (SELECT g.g->>0 AS model, g.g->>1 AS version, " MR_SQL_INT("g.g->>2") " AS width FROM " ELEMENTS("t.step->'segments'") " AS g(g) "
		"UNION ALL SELECT x.x->>0, x.x->>1, 0 FROM " ELEMENTS("t.step->'shadow'") " AS x(x)) a WHERE " OF_TEAM("s") " GROUP BY 1, 2, 3, 4, 5, 6, 7) "
		"SELECT concat('traffic_arm ', concat_ws('/', COALESCE(r.endpoint_id, t.endpoint_id), COALESCE(r.seq, t.seq), COALESCE(r.step, t.step), "
		"COALESCE(r.model_id::text, t.model), COALESCE(r.version::text, t.version))), "
		"CASE WHEN r.seq IS NULL THEN 'the schedule tells of this row, but it is missing' WHEN t.seq IS NULL THEN 'no schedule tells of this row' "
		"ELSE 'it is another than by the schedule' END "
		"FROM told t FULL JOIN (SELECT * FROM modelreg.traffic_arm r WHERE " OF_TEAM("r") ") r ON r.endpoint_id = t.endpoint_id AND r.seq = t.seq AND r.step = t.step "
		"AND r.model_id::text = t.model AND r.version::text = t.version "
		"WHERE (r.share::text, r.team_id, " MICROSECONDS_SINCE_2000("r.opens") ") IS DISTINCT FROM (t.share::text, t.team_id, t.opens) ORDER BY 1, 2"},

	{"traffic", "shares",
		"SELECT concat('traffic_schedule ', s.endpoint_id, '/', s.seq), format('the shares of its step %s add up to %s instead of 1000000', s.step, s.share) "
		"FROM (SELECT r.endpoint_id, r.seq, r.step, sum(r.share) AS share FROM modelreg.traffic_arm r WHERE " OF_TEAM("r") " GROUP BY 1, 2, 3) s "
		"WHERE s.share <> 1000000 ORDER BY s.endpoint_id, s.seq, s.step"},

	{"reference", "versions that serve",
		"SELECT DISTINCT concat('traffic_schedule ', r.endpoint_id, '/', r.seq), format('version %s/%s, which serves, is missing or of another team', r.model_id, r.version) "
		"FROM modelreg.traffic_arm r LEFT JOIN modelreg.version v ON v.model_id = r.model_id AND v.version = r.version AND v.team_id = r.team_id "
		"WHERE " OF_TEAM("r") " AND v.version IS NULL ORDER BY 1, 2"},

	{"reference", "models of endpoints",
		"SELECT concat('endpoint ', h.id), 'its model is missing or of another team' FROM modelreg.endpoint h "
		"WHERE " OF_TEAM("h") " AND NOT EXISTS (SELECT FROM modelreg.model m WHERE m.id = h.model_id AND m.team_id = h.team_id) ORDER BY 1"},
};

static void
run_statement(MrVerify *verify, const void *arg)
{
	const Statement *statement = arg;

	mr_verify_findings(verify, statement->check, statement->sql);
}

void
mr_verify_serving(MrVerify *verify)
{
	if (verify->scope == MR_VERIFY_MODEL)
		return;
	for (int i = 0; i < lengthof(statements); i++)
		mr_verify_run(verify, statements[i].what, run_statement, &statements[i]);
}
