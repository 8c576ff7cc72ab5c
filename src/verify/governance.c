/*
 * governance.c
 *		What can be said of policies, evidence, requests, approvals, holds and
 *		purges by a statement; and, in a deep check, of decisions.
 *
 * As in statements.c: each lists what is wrong, as object and detail, takes
 * whatever a forged event may hold, and has the team and the model, or NULL,
 * as $1 and $2.
 */
#include "postgres.h"

#include "audit/fold.h"
#include "verify/verify.h"

typedef struct Statement
{
	const char *check;
	const char *what;
	const char *sql;
} Statement;

#define OF_TEAM(row) "($1 IS NULL OR " row ".team_id = $1)"
#define DIGEST_OF(document) \
	"encode(sha256(convert_to(modelreg.canonical_json(" document "), 'UTF8')), 'hex')"

static const Statement statements[] = {
	{"fold", "policies",
		"WITH told AS (SELECT e.team_id, e.what->>'policy' AS name, e.what->>'revision' AS revision, e.what->>'hash' AS hash, "
		"e.what->>'policy_digest' AS digest FROM modelreg.event e WHERE e.chain = 2 AND e.kind = 'policy_created' AND " OF_TEAM("e") ") "
		"SELECT concat('policy ', COALESCE(p.team_id, t.team_id), '/', COALESCE(p.name, t.name), '/', COALESCE(p.revision::text, t.revision)), "
		"CASE WHEN p.team_id IS NULL THEN 'the row that the events tell of is missing' WHEN t.team_id IS NULL THEN 'no event tells of this row' "
		"WHEN p.document IS NULL OR encode(p.digest, 'hex') IS DISTINCT FROM " DIGEST_OF("p.document") " THEN 'its digest is not that of its document' "
		"ELSE 'its digest or hash is not the one that its event tells' END "
		"FROM told t FULL JOIN (SELECT * FROM modelreg.policy p WHERE " OF_TEAM("p") ") p "
		"ON p.team_id = t.team_id AND p.name = t.name AND p.revision::text = t.revision "
		"WHERE (encode(p.hash, 'hex') = t.hash AND encode(p.digest, 'hex') = t.digest AND t.digest = " DIGEST_OF("p.document") ") IS NOT TRUE ORDER BY 1, 2"},

	{"fold", "policies of teams",
		"WITH last AS (SELECT DISTINCT ON (e.team_id, e.what->>'policy') e.team_id, e.what->>'policy' AS name, e.what->>'revision' AS revision, e.at "
		"FROM modelreg.event e WHERE e.chain = 2 AND e.kind IN ('policy_allowed', 'policy_forbidden') AND " OF_TEAM("e") " "
		"ORDER BY e.team_id, e.what->>'policy', e.seq DESC) "
		"SELECT concat('team_policy ', COALESCE(p.team_id, l.team_id), '/', COALESCE(p.name, l.name)), "
		"CASE WHEN p.team_id IS NULL THEN 'the row that the events tell of is missing' WHEN l.team_id IS NULL THEN 'no event tells of this row' "
		"ELSE format('revision is %s, by the events it is %s', COALESCE(p.revision::text, 'null'), COALESCE(l.revision, 'null')) END "
		"FROM last l FULL JOIN (SELECT * FROM modelreg.team_policy p WHERE " OF_TEAM("p") ") p ON p.team_id = l.team_id AND p.name = l.name "
		"WHERE p.team_id IS NULL OR l.team_id IS NULL OR (p.revision::text, p.since) IS DISTINCT FROM (l.revision, l.at) ORDER BY 1, 2"},

	{"reference", "policies of models",
		"SELECT concat('model ', m.id), 'its policy''s revision is missing' FROM modelreg.model m "
		"WHERE " OF_TEAM("m") " AND ($2 IS NULL OR m.id = $2) AND NOT EXISTS (SELECT FROM modelreg.policy p "
		"WHERE p.team_id = m.team_id AND p.name = m.policy AND p.digest = m.policy_digest) ORDER BY 1"},

	{"fold", "holds and purges",
		"WITH told AS (SELECT DISTINCT ON (e.team_id, k.tbl, e.what->>'model_id', COALESCE(e.what->>'version', '0')) e.team_id, k.tbl, e.what->>'model_id' AS model, "
		"COALESCE(e.what->>'version', '0') AS version, e.kind, e.at, e.seq FROM modelreg.event e "
		"JOIN (VALUES ('hold_placed', 'legal_hold'), ('hold_lifted', 'legal_hold'), ('version_purged', 'purged_version')) AS k(kind, tbl) ON k.kind = e.kind "
		"WHERE e.chain = 2 AND " OF_TEAM("e") " AND ($2 IS NULL OR e.what->>'model_id' = $2::text) "
		"ORDER BY e.team_id, k.tbl, e.what->>'model_id', COALESCE(e.what->>'version', '0'), e.seq DESC), "
		"found AS (SELECT 'legal_hold' AS tbl, h.model_id, h.version, h.team_id, h.since AS at, h.seq FROM modelreg.legal_hold h "
		"UNION ALL SELECT 'purged_version', x.model_id, x.version, x.team_id, x.at, x.seq FROM modelreg.purged_version x) "
		"SELECT concat(COALESCE(f.tbl, t.tbl), ' ', COALESCE(f.model_id::text, t.model), '/', COALESCE(f.version::text, t.version)), "
		"CASE WHEN f.tbl IS NULL THEN 'the row that the events tell of is missing' WHEN t.tbl IS NULL THEN 'no event tells of this row' "
		"WHEN m.id IS NULL OR (f.version <> 0 AND v.version IS NULL) THEN 'its model or version is missing or of another team' "
		"ELSE format('time and number are %s and %s, by the events they are %s and %s', f.at, f.seq, t.at, t.seq) END "
		"FROM (SELECT * FROM told WHERE told.kind <> 'hold_lifted') t FULL JOIN (SELECT * FROM found WHERE " OF_TEAM("found") " AND ($2 IS NULL OR found.model_id = $2)) f "
		"ON f.tbl = t.tbl AND f.team_id = t.team_id AND f.model_id::text = t.model AND f.version::text = t.version "
		"LEFT JOIN modelreg.model m ON m.id = f.model_id AND m.team_id = f.team_id "
		"LEFT JOIN modelreg.version v ON v.model_id = f.model_id AND v.version = f.version "
		"WHERE (f.at = t.at AND f.seq = t.seq AND m.id IS NOT NULL AND (f.version = 0 OR v.version IS NOT NULL)) IS NOT TRUE ORDER BY 1, 2"},

	/* The last decision that names a version as leaving, which may have moved it, unless a later one moved it or made it current. */
	{"fold", "leaving",
		"WITH told AS (SELECT e.* FROM modelreg.event e WHERE e.chain = 5 AND " OF_TEAM("e") " AND ($2 IS NULL OR e.chain_id = $2)), "
		"named AS (SELECT DISTINCT ON (t.chain_id, l.version) t.chain_id, l.version, t.team_id, t.at, t.seq FROM told t "
		"CROSS JOIN LATERAL jsonb_array_elements_text(CASE jsonb_typeof(t.what->'leaving') WHEN 'array' THEN t.what->'leaving' ELSE '[]' END) AS l(version) "
		"WHERE t.what ? 'leaving' ORDER BY t.chain_id, l.version, t.seq DESC), "
		"ended AS (SELECT t.chain_id, v.version, max(t.seq) AS seq FROM told t CROSS JOIN LATERAL (SELECT t.what->>'current' UNION ALL SELECT m.move->>'version' "
		"FROM jsonb_array_elements(CASE jsonb_typeof(t.what->'moves') WHEN 'array' THEN t.what->'moves' ELSE '[]' END) AS m(move)) AS v(version) "
		"WHERE t.what ? 'moves' AND t.chain_id IN (SELECT n.chain_id FROM named n) GROUP BY t.chain_id, v.version) "
		"SELECT concat('leaving ', COALESCE(r.model_id, n.chain_id), '/', COALESCE(r.version::text, n.version)), "
		"CASE WHEN r.model_id IS NULL THEN 'the row that the events tell of is missing' WHEN n.chain_id IS NULL THEN 'no event tells of this row' "
		"ELSE 'it is another than by the events' END "
		"FROM (SELECT n.* FROM named n LEFT JOIN ended x ON x.chain_id = n.chain_id AND x.version = n.version WHERE COALESCE(x.seq, 0) <= n.seq) n "
		"FULL JOIN (SELECT * FROM modelreg.leaving r WHERE " OF_TEAM("r") " AND ($2 IS NULL OR r.model_id = $2)) r "
		"ON r.model_id = n.chain_id AND r.version::text = n.version "
		"WHERE r.model_id IS NULL OR n.chain_id IS NULL OR (r.team_id, r.since, r.seq) IS DISTINCT FROM (n.team_id, n.at, n.seq) ORDER BY 1, 2"},

	{"reference", "evidence",
		"WITH told AS (SELECT DISTINCT e.team_id, e.chain_id, e.what->>'evidence' AS digest FROM modelreg.event e "
		"WHERE e.chain = 5 AND e.what->>'evidence' IS NOT NULL AND " OF_TEAM("e") " AND ($2 IS NULL OR e.chain_id = $2)) "
		"SELECT concat('evidence ', COALESCE(encode(v.digest, 'hex'), t.digest)), "
		"CASE WHEN v.team_id IS NULL THEN 'the row that the events tell of is missing' WHEN t.team_id IS NULL THEN 'no event tells of this row' "
		"ELSE 'its digest is not that of its document' END "
		"FROM told t FULL JOIN (SELECT * FROM modelreg.evidence v WHERE " OF_TEAM("v") " AND ($2 IS NULL OR v.model_id = $2)) v "
		"ON v.team_id = t.team_id AND v.model_id = t.chain_id AND encode(v.digest, 'hex') = t.digest "
		"WHERE (t.digest = " DIGEST_OF("v.document") " AND v.document->>'model_id' = v.model_id::text "
		"AND v.document->>'version' = v.version::text) IS NOT TRUE ORDER BY 1, 2"},

	/* Times of JSON are microseconds since 2000. */
	{"fold", "requests",
		"WITH told AS (SELECT e.* FROM modelreg.event e WHERE e.chain = 5 AND " OF_TEAM("e") " AND ($2 IS NULL OR e.chain_id = $2)), "
		"ends AS (SELECT DISTINCT ON (t.chain_id, t.what->>'request') t.chain_id, t.what->>'request' AS request, t.seq, "
		"CASE t.kind WHEN 'request_rejected' THEN 'rejected' WHEN 'request_withdrawn' THEN 'withdrawn' ELSE 'done' END AS state FROM told t "
		"WHERE t.kind IN ('promoted', 'stage_changed', 'policy_changed', 'request_rejected', 'request_withdrawn') AND t.what->>'request' IS NOT NULL "
		"ORDER BY t.chain_id, t.what->>'request', t.seq) "
		"SELECT concat('approval_request ', COALESCE(r.id::text, t.what->>'request')), "
		"CASE WHEN r.id IS NULL THEN 'the row that the events tell of is missing' WHEN t.seq IS NULL THEN 'no event tells of this row' "
		"ELSE 'it is another than by the events' END "
		"FROM (SELECT * FROM told t WHERE t.kind IN ('promotion_requested', 'policy_requested')) t "
		"FULL JOIN (SELECT * FROM modelreg.approval_request r WHERE " OF_TEAM("r") " AND ($2 IS NULL OR r.model_id = $2)) r "
		"ON r.model_id = t.chain_id AND r.id::text = t.what->>'request' LEFT JOIN ends e ON e.chain_id = t.chain_id AND e.request = t.what->>'request' "
		"WHERE r.id IS NULL OR t.seq IS NULL OR (r.team_id, r.seq, r.version::text, r.stage::text, r.policy, encode(r.policy_digest, 'hex'), r.who, r.requested_at, "
		"(extract(epoch FROM r.expires_at - '2000-01-01 00:00:00+00') * 1000000)::bigint::text, r.state, r.closed_seq) IS DISTINCT FROM "
		"(t.team_id, t.seq, t.what->>'version', t.what->>'stage', t.what->>'to_policy', t.what->>'to_policy_digest', t.who, t.at, t.what->>'expires_at', "
		"COALESCE(e.state, 'open'), e.seq) ORDER BY 1, 2"},

	{"fold", "approvals",
		"SELECT concat('approval ', COALESCE(a.request_id::text, e.what->>'request'), '/', COALESCE(a.seq, e.seq)), "
		"CASE WHEN a.seq IS NULL THEN 'the row that the events tell of is missing' WHEN e.seq IS NULL THEN 'no event tells of this row' "
		"ELSE 'it is another than by the events' END "
		"FROM (SELECT e.* FROM modelreg.event e WHERE e.chain = 5 AND e.kind = 'request_approved' AND " OF_TEAM("e") " AND ($2 IS NULL OR e.chain_id = $2)) e "
		"FULL JOIN (SELECT a.*, r.model_id FROM modelreg.approval a LEFT JOIN modelreg.approval_request r ON r.id = a.request_id "
		"WHERE " OF_TEAM("a") " AND ($2 IS NULL OR r.model_id = $2)) a "
		"ON a.model_id = e.chain_id AND a.seq = e.seq AND a.request_id::text = e.what->>'request' "
		"WHERE a.seq IS NULL OR e.seq IS NULL OR (a.team_id, encode(a.evidence, 'hex'), a.who, a.at) IS DISTINCT FROM "
		"(e.team_id, e.what->>'evidence', e.who, e.at) ORDER BY 1, 2"},
};

#define ELEMENTS(array) "jsonb_array_elements(CASE jsonb_typeof(" array ") WHEN 'array' THEN " array " ELSE '[]' END)"

/*
 * Each decision against the policy that the model was under: that policy has
 * such a transition, its gates that block are in the evidence and held, and as
 * many approved that evidence as it asks for.  Who forges decisions, with a
 * chain that fits, has to forge these too.
 */
static const Statement decisions = {
	"decision", "decisions",
	"WITH pinned AS (SELECT c.chain_id, c.seq, c.digest, lead(c.seq) OVER (PARTITION BY c.chain_id ORDER BY c.seq) AS until FROM ("
	"SELECT e.chain_id::text AS chain_id, e.seq, e.what->>'policy_digest' AS digest FROM modelreg.event e "
	"WHERE e.chain = 5 AND e.kind = 'policy_changed' AND " OF_TEAM("e") " AND ($2 IS NULL OR e.chain_id = $2) "
	"UNION ALL SELECT e.what->>'model_id', 0, e.what->>'policy_digest' FROM modelreg.event e "
	"WHERE e.chain = 2 AND e.kind = 'model_created' AND " OF_TEAM("e") ") c), "
	"told AS (SELECT e.team_id, e.chain_id, e.seq, e.kind, e.what, e.kind = 'policy_changed' AS of_policy, "
	"CASE e.kind WHEN 'policy_changed' THEN 'replaced' ELSE 'policy' END AS member, "
	"CASE jsonb_typeof(e.what->'moves') WHEN 'array' THEN e.what->'moves' ELSE '[]' END AS moves FROM modelreg.event e "
	"WHERE e.chain = 5 AND e.kind IN ('promoted', 'stage_changed', 'emergency_promoted', 'rolled_back', 'policy_changed') "
	"AND " OF_TEAM("e") " AND ($2 IS NULL OR e.chain_id = $2)), "
	"decided AS (SELECT t.*, m.move->>'version' AS version, m.move->>'from' AS source, m.move->>'to' AS target "
	"FROM told t CROSS JOIN LATERAL jsonb_array_elements(t.moves) AS m(move) WHERE m.move->>'to' IN ('Staging', 'Production') "
	"UNION ALL SELECT t.*, t.what->>'current', 'Production', 'Production' FROM told t WHERE t.what->>'current' <> COALESCE(t.what->>'replaced', '') "
	"AND NOT t.moves @> jsonb_build_array(jsonb_build_object('version', t.what->'current', 'to', 'Production')) "
	"UNION ALL SELECT t.*, '0', NULL, NULL FROM told t WHERE t.of_policy), "
	"approved AS (SELECT d.chain_id, d.seq, count(DISTINCT a.who->>'role') AS n FROM decided d JOIN modelreg.event a ON a.chain = 5 AND a.chain_id = d.chain_id "
	"AND a.kind = 'request_approved' AND a.what->>'request' = d.what->>'request' AND a.what->>'evidence' = d.what->>'evidence' "
	"WHERE a.seq < d.seq AND d.what->'approvals' @> to_jsonb(a.seq) GROUP BY d.chain_id, d.seq) "
	"SELECT DISTINCT concat('event decisions/', d.chain_id, '/', d.seq), w.wrong FROM decided d "
	"LEFT JOIN pinned n ON n.chain_id = d.chain_id::text AND n.seq < d.seq AND (n.until IS NULL OR d.seq <= n.until) "
	"LEFT JOIN modelreg.policy p ON p.team_id = d.team_id AND p.name = d.what->>d.member AND encode(p.digest, 'hex') = n.digest "
	"AND n.digest = d.what->>(d.member || '_digest') "
	"LEFT JOIN modelreg.evidence v ON v.team_id = d.team_id AND v.model_id = d.chain_id AND encode(v.digest, 'hex') = d.what->>'evidence' "
	"AND v.document->>'version' = d.version AND v.document->>'policy_digest' = n.digest "
	"AND (v.document->>'from', v.document->>'to', v.document->>'request') IS NOT DISTINCT FROM (d.source, d.target, d.what->>'request') "
	"LEFT JOIN approved a ON a.chain_id = d.chain_id AND a.seq = d.seq "
	"LEFT JOIN LATERAL (SELECT t.way FROM " ELEMENTS("p.document->'transitions'") " AS t(way) WHERE t.way->>'to' = COALESCE(d.target, 'Production') "
	"AND (d.of_policy OR t.way->'from' ? d.source OR (d.source = 'Production' AND d.target = 'Production')) ORDER BY t.way->'approvals' DESC NULLS LAST LIMIT 1) y ON true "
	"CROSS JOIN LATERAL (SELECT CASE WHEN p.digest IS NULL THEN 'the model was under another policy, or the revision is missing' "
	"WHEN d.kind = 'rolled_back' THEN CASE WHEN NOT p.document ? 'return' THEN 'the policy lets nobody return to an earlier version' "
	"WHEN NOT EXISTS (SELECT FROM modelreg.production x WHERE x.model_id = d.chain_id AND x.seq < d.seq AND x.version::text = d.version) THEN 'that version was not current before' END "
	"WHEN v.digest IS NULL THEN 'its evidence is missing, or of another move' "
	"WHEN d.kind = 'emergency_promoted' THEN CASE WHEN NOT p.document ? 'emergency' THEN 'the policy knows no emergency' END "
	"WHEN y.way IS NULL THEN 'the policy has no such transition' "
	"WHEN NOT d.of_policy AND (EXISTS (SELECT FROM " ELEMENTS("v.document->'gates'") " AS g(gate) WHERE g.gate->>'severity' = 'block' AND g.gate->>'verdict' <> 'holds') "
	"OR EXISTS (SELECT FROM " ELEMENTS("y.way->'gates'") " AS g(name) WHERE COALESCE(p.document->'gates'->(g.name #>> '{}')->>'severity', 'block') = 'block' "
	"AND NOT v.document->'gates' @> jsonb_build_array(jsonb_build_object('gate', g.name, 'verdict', 'holds')))) THEN 'a gate that blocks did not hold, or was not asked' "
	"WHEN COALESCE(a.n, 0) < CASE jsonb_typeof(y.way->'approvals') WHEN 'number' THEN (y.way->>'approvals')::numeric ELSE 0 END THEN 'the policy asks for more approvals' END) AS w(wrong) "
	"WHERE w.wrong IS NOT NULL ORDER BY 1, 2"
};

static void
run_statement(MrVerify *verify, const void *arg)
{
	const Statement *statement = arg;

	mr_verify_findings(verify, statement->check, statement->sql);
}

void
mr_verify_governance(MrVerify *verify)
{
	for (int i = 0; i < lengthof(statements); i++)
		if (!mr_verify_is_shown(verify, statements[i].what))
			mr_verify_run(verify, statements[i].what, run_statement, &statements[i]);
	if (verify->deep)
		mr_verify_run(verify, decisions.what, run_statement, &decisions);
}

/* Folds without a state: nobody ever asked for approval, or nothing is leaving, and no row says so. */
static void *
begin(MemoryContext context)
{
	return context;
}

static bool
take_event(void *state, const MrEventRow *event)
{
	return false;
}

static bool
take_decision(void *state, const MrEventRow *event)
{
	JsonbContainer *what = &event->what->root;
	JsonbValue	value;

	return !JsonContainerIsObject(what) ||
		getKeyJsonValueFromContainer(what, "leaving", strlen("leaving"), &value) == NULL;
}

static bool
take_row(void *state, const Datum *values, const bool *nulls)
{
	return false;
}

static bool
end(void *state)
{
	return true;
}

static const char *const shows[] = {"requests", "approvals"};
static const MrFoldStep steps[] = {
	{MR_CHAIN_DECISIONS, "promotion_requested", take_event},
	{MR_CHAIN_DECISIONS, "policy_requested", take_event},
	{MR_CHAIN_DECISIONS, "request_approved", take_event},
};
static const MrFoldRows rows[] = {
	{"SELECT r.id FROM modelreg.approval_request r LIMIT 1", take_row},
	{"SELECT a.seq FROM modelreg.approval a LIMIT 1", take_row},
};

const MrFold mr_verify_requests_fold = {
	shows, lengthof(shows), steps, lengthof(steps), rows, lengthof(rows), begin, end
};

static const char *const leaving_shows[] = {"leaving"};
static const MrFoldStep leaving_steps[] = {{MR_CHAIN_DECISIONS, NULL, take_decision}};
static const MrFoldRows leaving_rows[] = {{"SELECT r.seq FROM modelreg.leaving r LIMIT 1", take_row}};

const MrFold mr_verify_leaving_fold = {
	leaving_shows, lengthof(leaving_shows), leaving_steps, lengthof(leaving_steps), leaving_rows, lengthof(leaving_rows), begin, end
};
