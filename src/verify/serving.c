/*
 * serving.c
 *		What can be said of endpoints, schedules and arms, and of what was
 *		observed of them, by a statement; and, in a deep check, of permits.
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
/* Of a row that was observed: its endpoint, and the version, if any, are there and of its team. */
#define OBSERVED_OF(row) \
	"LEFT JOIN modelreg.endpoint n ON n.id = " row ".endpoint_id AND n.team_id = " row ".team_id "
#define OBSERVED_VERSION(row) \
	"LEFT JOIN modelreg.version v ON v.model_id = " row ".model_id AND v.version = " row ".version AND v.team_id = " row ".team_id "
#define OBSERVED_WRONG(row) \
	"CASE WHEN n.id IS NULL THEN format('endpoint %s is missing or of another team', " row ".endpoint_id) " \
	"WHEN v.version IS NULL THEN format('version %s/%s is missing or of another team', " row ".model_id, " row ".version) END"
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

	/* The arms without a share in a step that has a time are no rows of traffic_arm. */
	{"reference", "versions of schedules",
		"WITH listed AS (SELECT s.endpoint_id, s.seq, s.team_id, 'steps' AS place, t.step->'warm' AS arms FROM modelreg.traffic_schedule s "
		"CROSS JOIN LATERAL " ELEMENTS("s.doc->'steps'") " AS t(step) WHERE " OF_TEAM("s") " AND t.step ? 'warm' "
		"UNION ALL SELECT s.endpoint_id, s.seq, s.team_id, 'waiting', l.arms FROM modelreg.traffic_schedule s CROSS JOIN LATERAL " ELEMENTS("s.doc->'waiting'") " AS t(step) "
		"CROSS JOIN LATERAL (VALUES (t.step->'segments'), (t.step->'shadow'), (t.step->'warm')) AS l(arms) WHERE " OF_TEAM("s") " "
		"UNION ALL SELECT s.endpoint_id, s.seq, s.team_id, l.place, s.doc->l.place FROM modelreg.traffic_schedule s CROSS JOIN (VALUES ('from'), ('target')) AS l(place) "
		"WHERE " OF_TEAM("s") " AND s.doc ? l.place), "
		"named AS (SELECT DISTINCT l.endpoint_id, l.seq, l.team_id, l.place, a.arm->>0 AS model, a.arm->>1 AS version FROM listed l CROSS JOIN LATERAL " ELEMENTS("l.arms") " AS a(arm)) "
		"SELECT concat('traffic_schedule ', n.endpoint_id, '/', n.seq), format('version %s/%s in its %s is missing or of another team', n.model, n.version, n.place) "
		"FROM named n LEFT JOIN modelreg.version v ON v.model_id::text = n.model AND v.version::text = n.version AND v.team_id = n.team_id "
		"WHERE v.version IS NULL ORDER BY 1, 2"},

	{"reference", "models of endpoints",
		"SELECT concat('endpoint ', h.id), 'its model is missing or of another team' FROM modelreg.endpoint h "
		"WHERE " OF_TEAM("h") " AND NOT EXISTS (SELECT FROM modelreg.model m WHERE m.id = h.model_id AND m.team_id = h.team_id) ORDER BY 1"},

	{"reference", "observations of quality",
		"SELECT concat('quality_observation ', q.id), " OBSERVED_WRONG("q") " FROM modelreg.quality_observation q " OBSERVED_OF("q") OBSERVED_VERSION("q")
		"WHERE " OF_TEAM("q") " AND (n.id IS NULL OR v.version IS NULL) ORDER BY q.id"},

	/* Whoever guards a step has at its opening nothing but what comes later. */
	{"reference", "steps that observations count for",
		"SELECT concat('quality_observation ', q.id), CASE WHEN a.opens IS NULL THEN 'the endpoint has no step that it counts for' ELSE 'it counts for a step that opened later' END "
		"FROM modelreg.quality_observation q LEFT JOIN (SELECT DISTINCT a.endpoint_id, a.seq, a.step, a.opens FROM modelreg.traffic_arm a WHERE " OF_TEAM("a") ") a "
		"ON a.endpoint_id = q.endpoint_id AND a.seq = q.schedule_seq AND a.step = q.step "
		"WHERE " OF_TEAM("q") " AND (q.schedule_seq IS NOT NULL OR q.step IS NOT NULL) AND (a.opens <= q.window_start AND a.opens <= q.recorded_at) IS NOT TRUE ORDER BY q.id"},

	{"fold", "evidence of rollouts",
		"WITH told AS (SELECT q.endpoint_id, q.schedule_seq, q.step, q.metric, q.model_id, q.version, q.team_id, sum(q.total::text::numeric) AS total, "
		"LEAST(sum(q.observations), 9223372036854775807) AS observations FROM modelreg.quality_observation q WHERE q.schedule_seq IS NOT NULL AND " OF_TEAM("q") " GROUP BY 1, 2, 3, 4, 5, 6, 7) "
		"SELECT concat('rollout_evidence ', concat_ws('/', COALESCE(r.endpoint_id, t.endpoint_id), COALESCE(r.schedule_seq, t.schedule_seq), COALESCE(r.step, t.step), COALESCE(r.metric, t.metric), "
		"COALESCE(r.model_id, t.model_id), COALESCE(r.version, t.version))), CASE WHEN r.endpoint_id IS NULL THEN 'the row that the observations tell of is missing' "
		"WHEN t.endpoint_id IS NULL THEN 'no observation counts for it' ELSE format('it has %s over %s observations, by these it is %s over %s', r.total, r.observations, t.total, t.observations) END "
		"FROM told t FULL JOIN (SELECT * FROM modelreg.rollout_evidence r WHERE " OF_TEAM("r") ") r ON r.endpoint_id = t.endpoint_id AND r.schedule_seq = t.schedule_seq AND r.step = t.step "
		"AND r.metric = t.metric AND r.model_id = t.model_id AND r.version = t.version AND r.team_id = t.team_id "
		"WHERE (r.total, r.observations) IS DISTINCT FROM (t.total, t.observations) ORDER BY 1, 2"},

	{"reference", "reports of instances",
		"SELECT concat('instance_report ', r.endpoint_id, '/', r.instance), 'its endpoint is missing or of another team' FROM modelreg.instance_report r " OBSERVED_OF("r")
		"WHERE " OF_TEAM("r") " AND n.id IS NULL ORDER BY 1"},
};

/* There may be a thousand times as many as of all else. */
static const Statement predictions = {
	"reference", "predictions",
	"SELECT format('prediction %s of endpoint %s at %s', p.request_key, p.endpoint_id, p.at AT TIME ZONE 'UTC'), w.wrong FROM modelreg.prediction p " OBSERVED_OF("p") OBSERVED_VERSION("p")
	"LEFT JOIN modelreg.traffic_schedule s ON s.endpoint_id = p.endpoint_id AND s.seq = p.event "
	"CROSS JOIN LATERAL (SELECT COALESCE(" OBSERVED_WRONG("p") ", CASE WHEN p.event IS NOT NULL AND COALESCE(p.step NOT BETWEEN 0 AND jsonb_array_length(s.doc->'steps') - 1, true) "
	"THEN format('the endpoint never gave the receipt %s.%s', p.event, p.step) END) AS wrong) w "
	"WHERE " OF_TEAM("p") " AND w.wrong IS NOT NULL ORDER BY 1, 2"
};

/* How far apart clocks may have been, and the decisions of one transaction. */
#define ABOUT \
	"GREATEST(interval '1 minute', current_setting('modelreg.max_clock_skew')::interval + current_setting('modelreg.max_decision_delay')::interval)"

/*
 * Each schedule that brings traffic to versions against the stages in which
 * they were, by the decisions, and the policies under which their models
 * were: one of about that time let them have it.  Where a rollout is paused, held or
 * aborted nobody asked.
 */
static const Statement permits = {
	"traffic", "permits",
	"WITH stages AS (SELECT s.*, lead(s.at) OVER (PARTITION BY s.model, s.version ORDER BY s.seq, s.nr) AS until FROM ("
	"SELECT e.chain_id::text AS model, m.move->>'version' AS version, m.move->>'to' AS stage, e.at, e.seq, m.nr FROM modelreg.event e "
	"CROSS JOIN LATERAL " ELEMENTS("e.what->'moves'") " WITH ORDINALITY AS m(move, nr) WHERE e.chain = 5 AND " OF_TEAM("e") " "
	"UNION ALL SELECT v.model_id::text, v.version::text, 'Experimental', v.registered_at, 0, 0 FROM modelreg.version v WHERE " OF_TEAM("v") ") s), "
	"pinned AS (SELECT p.*, lead(p.at) OVER (PARTITION BY p.model ORDER BY p.chain, p.seq) AS until FROM ("
	"SELECT CASE e.chain WHEN 2 THEN e.what->>'model_id' ELSE e.chain_id::text END AS model, e.team_id, e.what->>'policy_digest' AS digest, e.at, e.chain, e.seq "
	"FROM modelreg.event e WHERE ((e.chain = 2 AND e.kind = 'model_created') OR (e.chain = 5 AND e.kind = 'policy_changed')) AND " OF_TEAM("e") ") p), "
	"permitted AS (SELECT n.model, w.version, n.at AS pinned_at, n.until AS pinned_until, w.at, w.until, CASE WHEN p.document ? 'traffic' THEN p.document->'traffic'->w.stage "
	"WHEN w.stage = 'Production' THEN '[\"shadow\", \"canary\", \"linear\", \"full\"]' END AS may FROM stages w JOIN pinned n ON n.model = w.model "
	"JOIN modelreg.policy p ON p.team_id = n.team_id AND encode(p.digest, 'hex') = n.digest), "
	"asked AS (SELECT DISTINCT s.endpoint_id, s.seq, s.at, a.model, a.version, CASE a.share WHEN 0 THEN '{shadow}'::text[] WHEN 1000000 THEN '{full}' ELSE "
	"CASE WHEN s.plan IS NULL OR a.share <= COALESCE((SELECT max(" MR_SQL_INT("f.f->>2") ") FROM " ELEMENTS("s.began") " AS f(f) WHERE f.f->>0 = a.model AND f.f->>1 = a.version), 0) "
	"THEN '{canary,linear}'::text[] WHEN s.plan ? 'linear' THEN '{linear}' ELSE '{canary}' END END AS kinds "
	/* a document may have megabytes: its parts are taken out once */
	"FROM (SELECT s.endpoint_id, s.seq, s.at, s.doc->'plan' AS plan, s.doc->'from' AS began, s.doc->'steps' AS steps, s.doc->'waiting' AS waiting FROM modelreg.traffic_schedule s "
	"WHERE s.kind NOT IN ('rollout_paused', 'rollout_held', 'rollout_step_opened') AND (s.kind <> 'rollout_aborted' OR s.restored IS NOT NULL) AND " OF_TEAM("s") " OFFSET 0) s "
	"CROSS JOIN LATERAL (SELECT * FROM " ELEMENTS("s.steps") " AS x(step) UNION ALL SELECT * FROM " ELEMENTS("s.waiting") " AS x(step)) t "
	"CROSS JOIN LATERAL (SELECT g.g->>0 AS model, g.g->>1 AS version, sum(" MR_SQL_INT("g.g->>2") ") AS share FROM " ELEMENTS("t.step->'segments'") " AS g(g) GROUP BY 1, 2 "
	"UNION ALL SELECT x.x->>0, x.x->>1, 0 FROM " ELEMENTS("t.step->'shadow'") " AS x(x)) a) "
	"SELECT concat('traffic_schedule ', k.endpoint_id, '/', k.seq), format('version %s/%s was in no stage, and its model under no policy, that permits %s', k.model, k.version, array_to_string(k.kinds, ' or ')) "
	"FROM asked k WHERE NOT EXISTS (SELECT FROM permitted y WHERE y.model = k.model AND y.version = k.version AND y.may ?| k.kinds AND y.at <= k.at + " ABOUT " AND (y.until IS NULL OR y.until >= k.at - " ABOUT ") "
	"AND y.pinned_at <= k.at + " ABOUT " AND (y.pinned_until IS NULL OR y.pinned_until >= k.at - " ABOUT ")) ORDER BY 1, 2"
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
	mr_verify_run(verify, "documents of schedules", mr_verify_schedules, NULL);
	if (!verify->deep)
		return;
	mr_verify_run(verify, predictions.what, run_statement, &predictions);
	mr_verify_run(verify, permits.what, run_statement, &permits);
}
