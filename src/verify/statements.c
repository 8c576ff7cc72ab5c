/*
 * statements.c
 *		What can be said of the rows by a statement: heads, births,
 *		references, and the tables of state that are folds of the events.
 *
 * Each statement lists what is wrong, as object and detail.  It takes whatever
 * a forged event may hold: members are compared as text, numbers out of
 * JSON are read by MR_SQL_INT.
 */
#include "postgres.h"

#include "verify/verify.h"

typedef struct Statement
{
	const char *check;
	const char *what;
	int			scopes;
	const char *sql;
} Statement;

/*
 * A list (name, is, should) of columns becomes a row for each that differs.
 * Times and numbers are compared as text, which both sides print alike;
 * where there are many rows, a condition on the values themselves comes first.
 */
#define DIFFERENCES(list) \
	"CROSS JOIN LATERAL (VALUES " list ") AS c(col, found, expected) " \
	"WHERE c.found IS DISTINCT FROM c.expected "
#define DIFFERENCE \
	"format('%s is %s, by the events it is %s', c.col, COALESCE(c.found, 'null'), COALESCE(c.expected, 'null'))"

/* A row of state without its counterpart in the events, or the reverse. */
#define ONE_SIDED(row, event) \
	"CASE WHEN " row " IS NULL THEN 'the row that the events tell of is missing' " \
	"WHEN " event " IS NULL THEN 'no event tells of this row' END"

/* The events that gave the registry an identity. */
#define IDENTITIES \
	"FROM modelreg.event e WHERE e.chain = 1 AND e.kind IN ('registry_created', 'restore_declared', 'identity_begun')"
#define EVENTS_OF_TEAMS(kinds) \
	"FROM modelreg.event e WHERE e.chain = 2 AND e.kind IN (" kinds ") AND ($1 IS NULL OR e.chain_id = $1)"
#define EVENTS_OF_MODELS \
	"FROM modelreg.event e WHERE e.chain = 5 AND ($1 IS NULL OR e.team_id = $1) AND ($2 IS NULL OR e.chain_id = $2) "
#define ROWS_OF_MODELS(table) \
	"(SELECT * FROM modelreg." table " r WHERE ($1 IS NULL OR r.team_id = $1) AND ($2 IS NULL OR r.model_id = $2))"
/*
 * ASCII letters in lower case, whatever the locale; those of the two other
 * characters (I with a dot, Kelvin) whose lower case is in ASCII as well.
 */
#define ASCII_LOWER(text) \
	"lower(translate(" text ", '\xc4\xb0\xe2\x84\xaa', 'ik') COLLATE \"C\")"
/* The versions that decisions moved, in order. */
#define MOVES \
	"SELECT e.chain_id AS model_id, m.move->>'version' AS version, m.move->>'from' AS source, m.move->>'to' AS target, e.seq, e.at, m.nr " \
	"FROM (SELECT e.*, CASE jsonb_typeof(e.what->'moves') WHEN 'array' THEN e.what->'moves' ELSE '[]' END AS moves " EVENTS_OF_MODELS "AND e.what ? 'moves') e " \
	"CROSS JOIN LATERAL jsonb_array_elements(e.moves) WITH ORDINALITY AS m(move, nr)"

static const Statement statements[] = {
	{"head", "heads", MR_VERIFY_ANY,
		"SELECT concat('head ', " MR_SQL_CHAIN("h.chain") ", '/', h.id), "
		"CASE WHEN l.seq IS NULL AND h.seq <> 0 THEN format('it is at event %s, but the chain has no event', h.seq) "
		"WHEN l.seq <> h.seq THEN format('it is at event %s, but the last event is %s', h.seq, l.seq) "
		"WHEN h.head_hash <> COALESCE(l.hash, decode(repeat('00', 32), 'hex')) THEN 'head_hash is not the hash of the last event' "
		"WHEN h.head_at <> COALESCE(l.at, '-infinity') THEN 'head_at is not the time of the last event' "
		"ELSE 'it has a null' END "
		"FROM (" MR_SQL_HEADS ") h LEFT JOIN LATERAL (SELECT e.seq, e.hash, e.at FROM modelreg.event e "
		"WHERE e.chain = h.chain AND e.chain_id = h.id ORDER BY e.seq DESC LIMIT 1) l ON true "
		"WHERE ($1 IS NULL OR h.team = $1) AND ($2 IS NULL OR h.model = $2) "
		"AND (h.seq = COALESCE(l.seq, 0) AND h.head_hash = COALESCE(l.hash, decode(repeat('00', 32), 'hex')) "
		"AND h.head_at = COALESCE(l.at, '-infinity')) IS NOT TRUE ORDER BY h.chain, h.id"},

	{"head", "chains without a head", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"SELECT concat('chain ', " MR_SQL_CHAIN("e.chain") ", '/', e.chain_id), 'it has events and no head' "
		"FROM (SELECT DISTINCT t.chain, t.chain_id FROM modelreg.event t WHERE $1 IS NULL OR t.team_id = $1) e "
		"WHERE NOT EXISTS (SELECT FROM (" MR_SQL_HEADS ") h WHERE h.chain = e.chain AND h.id = e.chain_id) ORDER BY e.chain, e.chain_id"},

	{"birth", "births of teams and models", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"WITH birth AS (SELECT 'team' AS what, " MR_SQL_INT("e.what->>'team_id'") " AS id, " MR_SQL_INT("e.what->>'team_id'") " AS team "
		"FROM modelreg.event e WHERE e.chain = 1 AND e.kind = 'team_created' "
		"UNION ALL SELECT 'model', " MR_SQL_INT("e.what->>'model_id'") ", e.chain_id " EVENTS_OF_TEAMS("'model_created'") "), "
		"head AS (SELECT 'team' AS what, 'team' AS tbl, h.id, h.id AS team FROM modelreg.team h "
		"UNION ALL SELECT 'team', 'fact_head', h.id, h.id FROM modelreg.fact_head h "
		"UNION ALL SELECT 'model', 'registration_head', h.id, h.team_id FROM modelreg.registration_head h "
		"UNION ALL SELECT 'model', 'model', h.id, h.team_id FROM modelreg.model h) "
		"SELECT concat(h.tbl, ' ', h.id), 'no event tells of its birth' FROM head h WHERE ($1 IS NULL OR h.team = $1) "
		"AND NOT EXISTS (SELECT FROM birth b WHERE b.what = h.what AND b.id = h.id AND b.team = h.team) "
		"UNION ALL SELECT concat(t.tbl, ' ', b.id), 'the events tell of its birth, but the row is missing' "
		"FROM birth b JOIN (VALUES ('team', 'team'), ('team', 'fact_head'), ('model', 'registration_head'), ('model', 'model')) t(what, tbl) "
		"ON t.what = b.what WHERE b.id IS NOT NULL AND ($1 IS NULL OR b.team = $1) "
		"AND NOT EXISTS (SELECT FROM head h WHERE h.tbl = t.tbl AND h.id = b.id AND h.team = b.team) "
		"UNION ALL SELECT concat(b.what, ' ', COALESCE(b.id::text, '?')), 'it was born more than once' FROM birth b "
		"WHERE $1 IS NULL OR b.team = $1 GROUP BY b.what, b.id HAVING count(*) > 1 OR b.id IS NULL ORDER BY 1, 2"},

	{"event", "teams of events", MR_VERIFY_ALL,
		"SELECT concat('event ', " MR_SQL_CHAIN("e.chain") ", '/', e.chain_id, '/', e.seq), "
		"format('it is shown to team %s instead of %s', e.team_id, h.team) "
		"FROM modelreg.event e JOIN (" MR_SQL_HEADS ") h ON h.chain = e.chain AND h.id = e.chain_id "
		"WHERE e.team_id <> h.team ORDER BY e.chain, e.chain_id, e.seq"},

	{"facts", "batches of facts", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"SELECT concat('event facts/', b.chain_id, '/', min(b.seq)), "
		"CASE WHEN b.batch IS NULL THEN 'it names no batch' ELSE format('%s events name batch %s', count(*), b.batch) END "
		"FROM (SELECT e.chain_id, e.seq, " MR_SQL_INT("e.what->>'batch'") " AS batch FROM modelreg.event e "
		"WHERE e.chain = 3 AND e.kind = 'facts_recorded' AND ($1 IS NULL OR e.chain_id = $1)) b "
		"GROUP BY b.chain_id, b.batch HAVING count(*) > 1 OR b.batch IS NULL ORDER BY b.chain_id, b.batch"},

	{"fold", "identity", MR_VERIFY_ALL,
		"SELECT concat('registry ', r.id), " DIFFERENCE " FROM modelreg.registry r LEFT JOIN LATERAL "
		"(SELECT e.what->>'identity' AS identity " IDENTITIES " ORDER BY e.seq DESC LIMIT 1) l ON true "
		DIFFERENCES("('identity', r.identity::text, l.identity)")},

	{"fold", "identities", MR_VERIFY_ALL,
		"SELECT concat('event registry/', i.chain_id, '/', i.seq), "
		"CASE WHEN i.times > 1 THEN 'its identity is that of an earlier event' "
		"ELSE format('it replaced identity %s, before it was %s', COALESCE(i.replaced, 'null'), COALESCE(i.before, 'null')) END "
		"FROM (SELECT e.chain_id, e.seq, e.what->>'replaced' AS replaced, lag(e.what->>'identity') OVER (ORDER BY e.seq) AS before, "
		"row_number() OVER (PARTITION BY e.what->>'identity' ORDER BY e.seq) AS times " IDENTITIES ") i "
		"WHERE i.times > 1 OR i.replaced IS DISTINCT FROM i.before ORDER BY i.seq"},

	{"fold", "team names", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"WITH told AS (SELECT e.what->>'team_id' AS team_id, e.what->>'name' AS name, e.at AS since, "
		"lead(e.at) OVER (PARTITION BY e.what->>'team_id' ORDER BY e.seq) AS until "
		"FROM modelreg.event e WHERE e.chain = 1 AND e.kind IN ('team_created', 'team_renamed')) "
		"SELECT concat('team_name ', COALESCE(r.name, e.name)), " ONE_SIDED("r.name", "e.name")
		" FROM (SELECT * FROM told WHERE $1 IS NULL OR told.team_id = $1::text) e "
		"FULL JOIN (SELECT * FROM modelreg.team_name n WHERE $1 IS NULL OR n.team_id = $1) r "
		"ON r.name = e.name AND r.team_id::text = e.team_id WHERE r.name IS NULL OR e.name IS NULL "
		"UNION ALL SELECT concat('team_name ', r.name), " DIFFERENCE " FROM told e JOIN modelreg.team_name r "
		"ON r.name = e.name AND r.team_id::text = e.team_id AND ($1 IS NULL OR r.team_id = $1) "
		DIFFERENCES("('since', r.since::text, e.since::text), ('until', r.until::text, e.until::text)") "ORDER BY 1, 2"},

	{"fold", "teams", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"SELECT concat('team ', t.id), " DIFFERENCE " FROM modelreg.team t "
		"LEFT JOIN (SELECT DISTINCT ON (e.what->>'team_id') e.what->>'team_id' AS team_id, e.what->>'name' AS name FROM modelreg.event e "
		"WHERE e.chain = 1 AND e.kind IN ('team_created', 'team_renamed') ORDER BY e.what->>'team_id', e.seq DESC) n ON n.team_id = t.id::text "
		"LEFT JOIN (SELECT e.chain_id, min(e.at) AS at " EVENTS_OF_TEAMS("'team_retired'") " GROUP BY e.chain_id) x ON x.chain_id = t.id "
		"LEFT JOIN (SELECT DISTINCT ON (e.chain_id) e.chain_id, e.what->>'bytes' AS bytes " EVENTS_OF_TEAMS("'quota_set'")
		" ORDER BY e.chain_id, e.seq DESC) q ON q.chain_id = t.id "
		"LEFT JOIN (SELECT DISTINCT ON (e.chain_id) e.chain_id, e.what->>'discoverable' AS discoverable " EVENTS_OF_TEAMS("'discoverable_set'")
		" ORDER BY e.chain_id, e.seq DESC) d ON d.chain_id = t.id "
		DIFFERENCES("('name', t.name, n.name), ('retired_at', t.retired_at::text, x.at::text), ('byte_quota', t.byte_quota::text, q.bytes), "
					"('discoverable', t.discoverable::text, COALESCE(d.discoverable, 'false'))")
		"AND ($1 IS NULL OR t.id = $1) ORDER BY 1, 2"},

	{"fold", "quarantines", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"WITH told AS (SELECT DISTINCT ON (e.chain_id, e.what->>'node_id') e.chain_id AS team, e.what->>'node_id' AS node, e.kind, e.at, e.seq "
		EVENTS_OF_TEAMS("'quarantined', 'quarantine_lifted'") " ORDER BY e.chain_id, e.what->>'node_id', e.seq DESC) "
		"SELECT concat('quarantine ', COALESCE(q.team_id, e.team), '/', COALESCE(q.node_id::text, e.node)), COALESCE(" ONE_SIDED("q.node_id", "e.team") ", "
		"CASE WHEN n.id IS NULL THEN 'its node is missing or of another team' ELSE format('since and seq are %s and %s, by the events they are %s and %s', "
		"q.since, q.seq, e.at, e.seq) END) FROM (SELECT * FROM told WHERE told.kind = 'quarantined') e "
		"FULL JOIN (SELECT * FROM modelreg.quarantine r WHERE $1 IS NULL OR r.team_id = $1) q ON q.node_id::text = e.node AND q.team_id = e.team "
		"LEFT JOIN modelreg.node n ON n.id = q.node_id AND n.team_id = q.team_id "
		"WHERE (q.since = e.at AND q.seq = e.seq AND n.id IS NOT NULL) IS NOT TRUE ORDER BY 1, 2"},

	{"fold", "memberships", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"WITH told AS (SELECT DISTINCT ON (x.team, x.role, x.level) x.* FROM ("
		"SELECT e.what->>'team_id' AS team, e.what->'maintainer'->>'role' AS role, e.what->'maintainer'->>'level' AS level, "
		"e.what->'maintainer'->>'role_oid' AS role_oid, true AS granted, 0::bigint AS seq FROM modelreg.event e "
		"WHERE e.chain = 1 AND e.kind = 'team_created' "
		"UNION ALL SELECT CASE e.chain WHEN 1 THEN '0' ELSE e.chain_id::text END, e.what->>'role', e.what->>'level', "
		"e.what->>'role_oid', e.kind = 'level_granted', e.seq FROM modelreg.event e "
		"WHERE e.chain IN (1, 2) AND e.kind IN ('level_granted', 'level_revoked')) x "
		"WHERE $1 IS NULL OR x.team = $1::text ORDER BY x.team, x.role, x.level, x.seq DESC), "
		"rebound AS (SELECT b.item FROM modelreg.event e CROSS JOIN LATERAL jsonb_array_elements("
		"CASE jsonb_typeof(e.what->'bound') WHEN 'array' THEN e.what->'bound' ELSE '[]' END) AS b(item) "
		"WHERE e.chain = 1 AND e.kind = 'roles_rebound') "
		"SELECT concat('membership ', COALESCE(m.team_id::text, e.team), '/', COALESCE(m.role_name, e.role), '/', COALESCE(m.level, e.level)), "
		"COALESCE(" ONE_SIDED("m.team_id", "e.team") ", format('role_oid is %s, by the events it is %s', m.role_oid, e.role_oid)) "
		"FROM (SELECT * FROM told WHERE told.granted) e "
		"FULL JOIN (SELECT * FROM modelreg.membership r WHERE $1 IS NULL OR r.team_id = $1) m "
		"ON m.team_id::text = e.team AND m.role_name = e.role AND m.level = e.level "
		"WHERE m.team_id IS NULL OR e.team IS NULL OR (m.role_oid::text IS DISTINCT FROM e.role_oid AND NOT EXISTS "
		"(SELECT FROM rebound b WHERE b.item->>'team_id' = m.team_id::text AND b.item->>'role' = m.role_name "
		"AND b.item->>'level' = m.level AND b.item->>'role_oid' = m.role_oid::text)) ORDER BY 1"},

	{"fold", "model names", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"WITH told AS (SELECT e.chain_id AS team_id, e.kind, e.what->>'model_id' AS model_id, e.at AS since, "
		"COALESCE(e.what->>'name', '') AS name, lead(e.at) OVER (PARTITION BY e.chain_id, e.what->>'model_id' ORDER BY e.seq) AS until "
		EVENTS_OF_TEAMS("'model_created', 'model_renamed', 'model_retired'") ") "
		"SELECT concat('model_name ', COALESCE(r.name, e.name)), COALESCE(" ONE_SIDED("r.team_id", "e.team_id") ", "
		"format('until is %s, by the events it is %s', COALESCE(r.until::text, 'null'), COALESCE(e.until::text, 'null'))) "
		"FROM (SELECT * FROM told WHERE told.kind <> 'model_retired') e "
		"FULL JOIN (SELECT * FROM modelreg.model_name n WHERE $1 IS NULL OR n.team_id = $1) r "
		"ON r.team_id = e.team_id AND r.name = e.name AND r.model_id::text = e.model_id AND r.since = e.since "
		"WHERE r.team_id IS NULL OR e.team_id IS NULL OR r.until IS DISTINCT FROM e.until ORDER BY 1, 2"},

	{"fold", "models", MR_VERIFY_ANY,
		"WITH told AS (SELECT e.chain_id, e.seq, e.at, e.kind, e.what->>'model_id' AS model_id, e.what "
		EVENTS_OF_TEAMS("'model_created', 'model_renamed', 'model_retired'") ") "
		"SELECT concat('model ', m.id), " DIFFERENCE " FROM modelreg.model m "
		"LEFT JOIN (SELECT DISTINCT ON (t.model_id) t.* FROM told t WHERE t.kind = 'model_created' ORDER BY t.model_id, t.seq) b "
		"ON b.model_id = m.id::text "
		"LEFT JOIN (SELECT DISTINCT ON (t.model_id) t.model_id, t.what->>'name' AS name FROM told t WHERE t.kind <> 'model_retired' "
		"ORDER BY t.model_id, t.seq DESC) n ON n.model_id = m.id::text "
		"LEFT JOIN (SELECT t.model_id, min(t.at) AS at FROM told t WHERE t.kind = 'model_retired' GROUP BY t.model_id) x "
		"ON x.model_id = m.id::text "
		"LEFT JOIN LATERAL (SELECT p.version, p.at FROM modelreg.production p WHERE p.model_id = m.id ORDER BY p.seq DESC LIMIT 1) p ON true "
		"LEFT JOIN LATERAL (SELECT * FROM modelreg.version v WHERE v.model_id = m.id AND v.version = p.version LIMIT 1) v ON true "
		DIFFERENCES("('team_id', m.team_id::text, b.chain_id::text), ('name', m.name, n.name), "
			"('created_at', m.created_at::text, b.at::text), "
			"('retired_at', m.retired_at::text, x.at::text), ('current_version', m.current_version::text, p.version::text), "
			"('current_since', m.current_since::text, CASE WHEN p.version IS NOT NULL THEN p.at::text END), "
			"('current_registered_at', m.current_registered_at::text, v.registered_at::text), "
			"('current_identity', m.current_identity::text, v.identity::text), "
			"('current_node_id', m.current_node_id::text, v.node_id::text)")
		"AND ($1 IS NULL OR m.team_id = $1) AND ($2 IS NULL OR m.id = $2) ORDER BY m.id, c.col"},

	{"fold", "policies pinned", MR_VERIFY_ANY,
		"SELECT concat('model ', m.id), " DIFFERENCE " FROM modelreg.model m "
		"LEFT JOIN (SELECT DISTINCT ON (e.what->>'model_id') e.what->>'model_id' AS model_id, e.what " EVENTS_OF_TEAMS("'model_created'")
		" ORDER BY e.what->>'model_id', e.seq) b ON b.model_id = m.id::text "
		"LEFT JOIN (SELECT DISTINCT ON (e.chain_id) e.chain_id, e.what FROM modelreg.event e WHERE e.chain = 5 AND e.kind = 'policy_changed' "
		"AND ($2 IS NULL OR e.chain_id = $2) ORDER BY e.chain_id, e.seq DESC) c5 ON c5.chain_id = m.id "
		DIFFERENCES("('policy', m.policy, COALESCE(c5.what, b.what)->>'policy'), "
			"('policy_digest', encode(m.policy_digest, 'hex'), COALESCE(c5.what, b.what)->>'policy_digest')")
		"AND ($1 IS NULL OR m.team_id = $1) AND ($2 IS NULL OR m.id = $2) ORDER BY m.id, c.col"},

	{"fold", "production", MR_VERIFY_ANY,
		"SELECT concat('production ', COALESCE(r.model_id, e.chain_id), '/', COALESCE(r.seq, e.seq)), "
		ONE_SIDED("r.model_id", "e.chain_id") " FROM " ROWS_OF_MODELS("production") " r "
		"FULL JOIN (SELECT e.chain_id, e.seq " EVENTS_OF_MODELS "AND e.what ? 'current' AND e.what->'current' <> e.what->'replaced') e "
		"ON e.chain_id = r.model_id AND e.seq = r.seq WHERE r.model_id IS NULL OR e.chain_id IS NULL "
		"UNION ALL SELECT concat('production ', r.model_id, '/', r.seq), " DIFFERENCE " FROM " ROWS_OF_MODELS("production") " r "
		"JOIN modelreg.event e ON e.chain = 5 AND e.chain_id = r.model_id AND e.seq = r.seq "
		DIFFERENCES("('team_id', r.team_id::text, e.team_id::text), ('at', r.at::text, e.at::text), ('version', r.version::text, e.what->>'current'), "
			"('previous_seq', r.previous_seq::text, e.what->>'previous_seq')")
		"AND (r.team_id, r.at, r.version::text, r.previous_seq::text) IS DISTINCT FROM "
		"(e.team_id, e.at, e.what->>'current', e.what->>'previous_seq') "
		"UNION ALL SELECT concat('event decisions/', e.chain_id, '/', e.seq), "
		"format('it says that %s was current, by the decisions before it was %s', COALESCE(e.replaced, 'none'), COALESCE(e.before, 'none')) "
		"FROM (SELECT e.chain_id, e.seq, e.what->>'replaced' AS replaced, "
		"lag(e.what->>'current') OVER (PARTITION BY e.chain_id ORDER BY e.seq) AS before "
		EVENTS_OF_MODELS "AND e.what ? 'current') e WHERE e.replaced IS DISTINCT FROM e.before ORDER BY 1, 2"},

	{"fold", "stages", MR_VERIFY_ANY,
		"WITH moved AS (" MOVES "), last AS (SELECT DISTINCT ON (m.model_id, m.version) m.* FROM moved m "
		"ORDER BY m.model_id, m.version, m.seq DESC, m.nr DESC) "
		"SELECT concat('version_stage ', COALESCE(s.model_id, v.model_id), '/', COALESCE(s.version, v.version)), "
		"CASE WHEN s.model_id IS NULL THEN 'the row of a version is missing' ELSE 'there is no such version' END "
		"FROM " ROWS_OF_MODELS("version") " v FULL JOIN " ROWS_OF_MODELS("version_stage") " s "
		"ON s.model_id = v.model_id AND s.version = v.version WHERE v.model_id IS NULL OR s.model_id IS NULL "
		"UNION ALL SELECT concat('version_stage ', s.model_id, '/', s.version), " DIFFERENCE " FROM " ROWS_OF_MODELS("version_stage") " s "
		"JOIN modelreg.version v ON v.model_id = s.model_id AND v.version = s.version "
		"LEFT JOIN last l ON l.model_id = s.model_id AND l.version = s.version::text "
		DIFFERENCES("('team_id', s.team_id::text, v.team_id::text), ('stage', s.stage::text, COALESCE(l.target, 'Experimental')), "
			"('since', s.since::text, COALESCE(l.at, v.registered_at)::text)")
		"AND (s.team_id, s.stage::text, s.since) IS DISTINCT FROM (v.team_id, COALESCE(l.target, 'Experimental'), COALESCE(l.at, v.registered_at)) "
		"UNION ALL SELECT concat('event decisions/', m.model_id, '/', m.seq), "
		"format('it moves version %s from %s, by the decisions before it was in %s', m.version, m.source, m.before) "
		"FROM (SELECT m.*, COALESCE(lag(m.target) OVER (PARTITION BY m.model_id, m.version ORDER BY m.seq, m.nr), 'Experimental') AS before "
		"FROM moved m) m WHERE m.source IS DISTINCT FROM m.before ORDER BY 1, 2"},

	{"fold", "aliases", MR_VERIFY_ANY,
		"WITH last AS (SELECT DISTINCT ON (e.chain_id, e.what->>'alias') e.chain_id AS model_id, e.team_id, e.kind, e.at, "
		"e.what->>'alias' AS alias, e.what->>'version' AS version " EVENTS_OF_MODELS "AND e.kind IN ('alias_set', 'alias_removed') "
		"ORDER BY e.chain_id, e.what->>'alias', e.seq DESC) "
		"SELECT concat('alias ', COALESCE(r.model_id, l.model_id), '/', COALESCE(r.alias, l.alias)), COALESCE("
		ONE_SIDED("r.model_id", "l.model_id") ", " DIFFERENCE ") "
		"FROM (SELECT l.* FROM last l JOIN modelreg.model m ON m.id = l.model_id WHERE l.kind = 'alias_set' AND m.retired_at IS NULL) l "
		"FULL JOIN " ROWS_OF_MODELS("alias") " r ON r.model_id = l.model_id AND r.alias = l.alias "
		"LEFT JOIN modelreg.version v ON v.model_id = r.model_id AND v.version::text = l.version "
		DIFFERENCES("('version', r.version::text, l.version), ('since', r.since::text, l.at::text), ('team_id', r.team_id::text, l.team_id::text), "
			"('version_identity', r.version_identity::text, COALESCE(v.identity, r.version_identity)::text), "
			"('version_registered_at', r.version_registered_at::text, COALESCE(v.registered_at, r.version_registered_at)::text)")
		"AND (c.col = 'version' OR (r.model_id IS NOT NULL AND l.model_id IS NOT NULL)) ORDER BY 1, 2"},

	{"fold", "tags", MR_VERIFY_ANY,
		"WITH last AS (SELECT DISTINCT ON (n.model_id, n.version, n.key) n.* FROM " ROWS_OF_MODELS("note") " n "
		"WHERE n.kind IN ('tag', 'untag') ORDER BY n.model_id, n.version, n.key, n.id DESC) "
		"SELECT concat('tag ', COALESCE(r.model_id, l.model_id), '/', COALESCE(r.version, l.version), '/', COALESCE(r.key, l.key)), "
		"COALESCE(" ONE_SIDED("r.model_id", "l.model_id") ", " DIFFERENCE ") "
		"FROM (SELECT l.*, p.body FROM last l JOIN modelreg.payload p ON p.digest = l.value WHERE l.kind = 'tag' AND p.body IS NOT NULL) l "
		"FULL JOIN " ROWS_OF_MODELS("tag") " r ON r.model_id = l.model_id AND r.version = l.version AND r.key = l.key "
		DIFFERENCES("('value', r.value, l.body), ('payload', encode(r.payload, 'hex'), encode(l.value, 'hex')), "
			"('team_id', r.team_id::text, l.team_id::text)")
		"AND (c.col = 'value' OR (r.model_id IS NOT NULL AND l.model_id IS NOT NULL)) ORDER BY 1, 2"},

	{"fold", "descriptions", MR_VERIFY_ANY,
		"WITH told AS (SELECT v.model_id, v.version, v.description AS value, 0::bigint AS id FROM " ROWS_OF_MODELS("version") " v "
		"UNION ALL SELECT n.model_id, n.version, n.value, n.id FROM " ROWS_OF_MODELS("note") " n WHERE n.kind = 'description'), "
		"last AS (SELECT DISTINCT ON (t.model_id, t.version) t.* FROM told t ORDER BY t.model_id, t.version, t.id DESC) "
		"SELECT concat('description ', COALESCE(r.model_id, l.model_id), '/', COALESCE(r.version, l.version)), COALESCE("
		ONE_SIDED("r.model_id", "l.model_id") ", 'it has another text or team than by the events') "
		"FROM (SELECT l.*, p.team_id FROM last l JOIN modelreg.payload p ON p.digest = l.value WHERE p.body IS NOT NULL) l "
		"FULL JOIN " ROWS_OF_MODELS("description") " r ON r.model_id = l.model_id AND r.version = l.version "
		"WHERE (r.payload = l.value AND r.team_id = l.team_id) IS NOT TRUE "
		"UNION ALL SELECT concat('search_word ', COALESCE(w.model_id, d.model_id), '/', COALESCE(w.version, d.version), '/', COALESCE(w.word, d.word)), "
		"CASE WHEN w.word IS NULL THEN 'the row of a word is missing' ELSE 'the description has no such word' END "
		"FROM (SELECT r.team_id, r.model_id, r.version, u.word FROM " ROWS_OF_MODELS("description") " r "
		"CROSS JOIN LATERAL unnest(r.words) AS u(word)) d FULL JOIN " ROWS_OF_MODELS("search_word") " w "
		"ON w.team_id = d.team_id AND w.model_id = d.model_id AND w.version = d.version AND w.word = d.word "
		"WHERE w.word IS NULL OR d.word IS NULL "
		/* What a word is depends on the locale of the database that wrote it, but not in ASCII. */
		"UNION ALL SELECT concat('description ', x.model_id, '/', x.version), 'its words are not those of its text' "
		"FROM (SELECT r.model_id, r.version, r.words, left(p.body, 16384) AS body, ARRAY(SELECT u.word COLLATE \"C\" FROM "
		"unnest(tsvector_to_array(to_tsvector('pg_catalog.simple', left(p.body, 16384)))) AS u(word) "
		"WHERE r.version <> 0 AND octet_length(u.word) <= 255 ORDER BY 1) AS told "
		"FROM " ROWS_OF_MODELS("description") " r JOIN modelreg.payload p ON p.digest = r.payload AND p.body IS NOT NULL) x "
		"WHERE CASE WHEN octet_length(x.body) = length(x.body) THEN x.words IS DISTINCT FROM x.told "
		"ELSE (x.version = 0 AND x.words <> '{}') OR EXISTS (SELECT FROM unnest(x.words) AS u(word) "
		"WHERE " ASCII_LOWER("x.body") " NOT LIKE concat('%', regexp_replace(" ASCII_LOWER("u.word") ", '[^ -~]+', '%', 'g'), '%') ESCAPE '') END ORDER BY 1, 2"},

	{"fold", "metrics", MR_VERIFY_ANY,
		"WITH told AS (SELECT v.model_id, v.version, v.team_id, x.kind, COALESCE(x.dataset_id, 0) AS dataset_id, x.slice, m.name, m.value, x.id "
		"FROM modelreg.evaluation x JOIN " ROWS_OF_MODELS("version") " v ON v.node_id = x.node_id "
		"CROSS JOIN LATERAL unnest(x.metric_names, x.metric_values) AS m(name, value)), "
		"last AS (SELECT DISTINCT ON (t.model_id, t.version, t.kind, t.dataset_id, t.slice, t.name) t.* FROM told t "
		"ORDER BY t.model_id, t.version, t.kind, t.dataset_id, t.slice, t.name, t.id DESC) "
		"SELECT concat('metric ', COALESCE(r.model_id, l.model_id), '/', COALESCE(r.version, l.version), '/', COALESCE(r.kind, l.kind), '/', "
		"COALESCE(r.metric, l.name)), COALESCE(" ONE_SIDED("r.model_id", "l.model_id") ", "
		"format('it is %s of evaluation %s, by the evaluations it is %s of %s', r.value, r.evaluation_id, l.value, l.id)) "
		"FROM last l FULL JOIN " ROWS_OF_MODELS("metric") " r ON r.model_id = l.model_id AND r.version = l.version AND r.kind = l.kind "
		"AND r.dataset_id = l.dataset_id AND r.slice = l.slice AND r.metric = l.name "
		"WHERE (float8send(r.value) = float8send(l.value) AND r.evaluation_id = l.id AND r.team_id = l.team_id) IS NOT TRUE ORDER BY 1, 2"},

	/* A payload is taken for JSON only where a version has it for its params, whatever the plan joins first. */
	{"fold", "params", MR_VERIFY_ANY,
		"WITH told AS (SELECT v.model_id, v.version, v.team_id, j.key, "
		"left(CASE jsonb_typeof(j.value) WHEN 'string' THEN j.value #>> '{}' ELSE modelreg.canonical_json(j.value) END, 100) AS value "
		"FROM " ROWS_OF_MODELS("version") " v JOIN modelreg.payload p ON p.digest = v.params "
		"CROSS JOIN LATERAL jsonb_each(CASE WHEN p.digest = v.params THEN p.body::jsonb END) AS j(key, value)) "
		"SELECT concat('param ', COALESCE(r.model_id, t.model_id), '/', COALESCE(r.version, t.version), '/', COALESCE(r.key, t.key)), "
		"COALESCE(" ONE_SIDED("r.model_id", "t.model_id") ", "
		"format('it is %s, by the registration it is %s', r.value, t.value)) "
		"FROM told t FULL JOIN " ROWS_OF_MODELS("param") " r ON r.model_id = t.model_id AND r.version = t.version AND r.key = t.key "
		"WHERE (r.value = t.value AND r.team_id = t.team_id) IS NOT TRUE ORDER BY 1, 2"},

	{"fold", "bytes of teams", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"SELECT concat('team_bytes ', COALESCE(r.team_id, u.team_id)), "
		"format('bytes is %s, by the uploads it is %s', COALESCE(r.bytes, 0), COALESCE(u.bytes, 0)) "
		"FROM (SELECT u.team_id, sum(u.size) AS bytes FROM modelreg.upload u WHERE u.state IN ('open', 'sealed') "
		"AND ($1 IS NULL OR u.team_id = $1) GROUP BY u.team_id) u "
		"FULL JOIN (SELECT * FROM modelreg.team_bytes t WHERE $1 IS NULL OR t.team_id = $1) r ON r.team_id = u.team_id "
		"WHERE COALESCE(r.bytes, 0) <> COALESCE(u.bytes, 0) ORDER BY 1"},

	{"registration", "registrations", MR_VERIFY_ANY,
		"WITH told AS (SELECT e.chain_id, e.seq, e.at, e.what->>'version' AS version, e.what->>'hash' AS hash FROM modelreg.event e "
		"WHERE e.chain = 4 AND e.kind = 'version_registered' AND ($1 IS NULL OR e.team_id = $1) AND ($2 IS NULL OR e.chain_id = $2)) "
		"SELECT concat('version ', COALESCE(v.model_id, e.chain_id), '/', COALESCE(v.version::text, e.version)), "
		"CASE WHEN v.model_id IS NULL THEN format('event registrations/%s/%s tells of it, but the row is missing', e.chain_id, e.seq) "
		"WHEN e.chain_id IS NULL THEN 'no event tells of its registration' "
		"ELSE 'its hash is not the one that its event tells' END "
		"FROM told e FULL JOIN " ROWS_OF_MODELS("version") " v ON v.model_id = e.chain_id AND v.version::text = e.version "
		"WHERE v.model_id IS NULL OR e.chain_id IS NULL OR encode(v.hash, 'hex') IS DISTINCT FROM e.hash "
		"UNION ALL SELECT concat('registration_head ', h.id), format('last_version is %s, of %s versions the greatest is %s', h.last_version, v.n, v.greatest) "
		"FROM modelreg.registration_head h CROSS JOIN LATERAL (SELECT count(*) AS n, COALESCE(max(v.version), 0) AS greatest "
		"FROM modelreg.version v WHERE v.model_id = h.id) v WHERE ($1 IS NULL OR h.team_id = $1) AND ($2 IS NULL OR h.id = $2) "
		"AND (h.last_version = v.n AND h.last_version = v.greatest) IS NOT TRUE ORDER BY 1, 2"},

	{"reference", "texts", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"WITH named AS ("
		"SELECT concat('event ', " MR_SQL_CHAIN("e.chain") ", '/', e.chain_id, '/', e.seq) AS object, e.team_id, e.prose AS digest FROM modelreg.event e "
		"UNION ALL SELECT concat('node ', n.id), n.team_id, n.properties FROM modelreg.node n "
		"UNION ALL SELECT concat('version ', v.model_id, '/', v.version), v.team_id, d.digest FROM modelreg.version v "
		"CROSS JOIN LATERAL (VALUES (v.description), (v.signature), (v.params)) AS d(digest) "
		"UNION ALL SELECT concat('evaluation ', x.id), x.team_id, x.properties FROM modelreg.evaluation x "
		"UNION ALL SELECT concat('attestation ', a.id), a.team_id, a.envelope FROM modelreg.attestation a "
		"UNION ALL SELECT concat('note ', t.id), t.team_id, t.value FROM modelreg.note t) "
		"SELECT COALESCE(n.object, concat('payload ', encode(p.digest, 'hex'))), "
		"CASE WHEN p.digest IS NULL THEN format('its text %s is missing', encode(n.digest, 'hex')) "
		"WHEN n.digest IS NULL THEN 'no row names it' ELSE format('its text %s is of team %s', encode(n.digest, 'hex'), p.team_id) END "
		"FROM (SELECT * FROM named WHERE named.digest IS NOT NULL AND ($1 IS NULL OR named.team_id = $1)) n "
		"FULL JOIN (SELECT * FROM modelreg.payload t WHERE $1 IS NULL OR t.team_id = $1) p ON p.digest = n.digest "
		"WHERE p.digest IS NULL OR n.digest IS NULL OR p.team_id <> n.team_id ORDER BY 1, 2"},

	{"redaction", "redactions", MR_VERIFY_ALL,
		"WITH told AS (SELECT DISTINCT e.what->>'payload' AS digest FROM modelreg.event e WHERE e.chain = 1 AND e.kind = 'payload_redacted') "
		"SELECT concat('payload ', COALESCE(encode(p.digest, 'hex'), t.digest)), "
		"CASE WHEN p.digest IS NULL THEN 'it was redacted, but its row is missing' "
		"WHEN t.digest IS NULL THEN 'its text is gone, and no event tells of a redaction' "
		"ELSE 'it was redacted, but its text is there' END "
		"FROM told t FULL JOIN modelreg.payload p ON encode(p.digest, 'hex') = t.digest "
		"WHERE (p.digest IS NULL OR (p.salt IS NULL AND p.body IS NULL) <> (t.digest IS NOT NULL)) ORDER BY 1"},

	{"reference", "versions", MR_VERIFY_ANY,
		"SELECT concat('version ', v.model_id, '/', v.version), w.wrong FROM " ROWS_OF_MODELS("version") " v "
		"LEFT JOIN (SELECT DISTINCT e.what->>'identity' AS identity " IDENTITIES ") i "
		"ON i.identity = v.identity::text "
		"LEFT JOIN modelreg.model m ON m.id = v.model_id LEFT JOIN modelreg.node n ON n.id = v.node_id "
		"LEFT JOIN modelreg.node r ON r.id = v.run_id "
		"CROSS JOIN LATERAL (VALUES "
		"(CASE WHEN m.id IS NULL THEN 'its model is missing' WHEN m.team_id <> v.team_id THEN 'its model is of another team' END), "
		"(CASE WHEN n.id IS NULL THEN format('its node %s is missing', v.node_id) "
		"WHEN n.hash <> v.node_hash THEN format('its node %s has another hash than node_hash', v.node_id) "
		"WHEN n.kind <> 'version' OR n.name <> v.model_id::text OR n.version <> v.version::text OR n.team_id <> v.team_id OR n.batch IS NOT NULL "
		"THEN format('its node %s is another thing''s', v.node_id) END), "
		"(CASE WHEN v.run_id IS NOT NULL AND r.id IS NULL THEN format('its run, node %s, is missing', v.run_id) "
		"WHEN v.run_id IS NOT NULL AND NOT v.run_id = ANY (n.input_ids) THEN format('its run, node %s, is no input of its node', v.run_id) END), "
		"(CASE WHEN v.training_hash IS NOT NULL AND NOT EXISTS (SELECT FROM modelreg.evaluation x "
		"WHERE x.node_id = v.node_id AND x.hash = v.training_hash AND x.batch IS NULL) THEN 'its training metrics are missing' END), "
		"(CASE WHEN i.identity IS NULL THEN 'the registry never had its identity' END)) AS w(wrong) "
		"WHERE w.wrong IS NOT NULL AND (m.team_id = v.team_id AND n.hash = v.node_hash AND n.kind = 'version' AND n.name = v.model_id::text "
		"AND n.version = v.version::text AND n.team_id = v.team_id AND n.batch IS NULL AND (v.run_id IS NULL OR v.run_id = ANY (n.input_ids) AND r.id IS NOT NULL) "
		"AND (v.training_hash IS NULL OR EXISTS (SELECT FROM modelreg.evaluation x WHERE x.node_id = v.node_id AND x.hash = v.training_hash "
		"AND x.batch IS NULL)) AND i.identity IS NOT NULL) IS NOT TRUE ORDER BY 1, 2"},

	{"reference", "rows of registrations", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"SELECT concat('node ', n.id), 'neither a batch nor a version covers it' FROM modelreg.node n "
		"WHERE n.batch IS NULL AND ($1 IS NULL OR n.team_id = $1) AND NOT EXISTS (SELECT FROM modelreg.version v WHERE v.node_id = n.id) "
		"UNION ALL SELECT concat('evaluation ', x.id), 'neither a batch nor a version covers it' FROM modelreg.evaluation x "
		"WHERE x.batch IS NULL AND ($1 IS NULL OR x.team_id = $1) "
		"AND NOT EXISTS (SELECT FROM modelreg.version v WHERE v.node_id = x.node_id AND v.training_hash = x.hash) "
		"UNION ALL SELECT concat('note ', t.id), 'no batch covers it' FROM modelreg.note t "
		"WHERE t.batch IS NULL AND ($1 IS NULL OR t.team_id = $1) "
		"UNION ALL SELECT concat('artifact ', a.model_id, '/', a.version, '/', a.name), 'no version covers it' FROM modelreg.artifact a "
		"WHERE ($1 IS NULL OR a.team_id = $1) AND NOT EXISTS (SELECT FROM modelreg.version v "
		"WHERE v.model_id = a.model_id AND v.version = a.version AND v.team_id = a.team_id) ORDER BY 1"},

	{"reference", "evaluations and notes", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"SELECT concat('evaluation ', x.id), CASE WHEN n.id IS NULL THEN format('its node %s is missing', x.node_id) "
		"WHEN n.team_id <> x.team_id THEN 'its node is of another team' ELSE format('its dataset, node %s, is missing', x.dataset_id) END "
		"FROM modelreg.evaluation x LEFT JOIN modelreg.node n ON n.id = x.node_id LEFT JOIN modelreg.node d ON d.id = x.dataset_id "
		"WHERE ($1 IS NULL OR x.team_id = $1) AND (n.id IS NULL OR n.team_id <> x.team_id OR (x.dataset_id IS NOT NULL AND d.id IS NULL)) "
		"UNION ALL SELECT concat('note ', t.id), CASE WHEN m.id IS NULL THEN format('its model %s is missing', t.model_id) "
		"WHEN m.team_id <> t.team_id THEN 'its model is of another team' ELSE format('its version %s is missing', t.version) END "
		"FROM modelreg.note t LEFT JOIN modelreg.model m ON m.id = t.model_id "
		"LEFT JOIN modelreg.version v ON v.model_id = t.model_id AND v.version = t.version "
		"WHERE ($1 IS NULL OR t.team_id = $1) AND (m.id IS NULL OR m.team_id <> t.team_id OR (t.version <> 0 AND v.version IS NULL)) "
		"ORDER BY 1, 2"},

	{"reference", "stored bytes", MR_VERIFY_ALL,
		"SELECT concat('blob ', b.id), 'no upload and no artifact names it' FROM modelreg.blob b WHERE NOT EXISTS (SELECT FROM ("
		"SELECT a.digest::text AS digest FROM modelreg.artifact a WHERE a.uri IS NULL UNION ALL "
		"SELECT u.digest::text FROM modelreg.upload u WHERE u.state = 'sealed') n WHERE n.digest = b.digest::text) ORDER BY b.id"},

	{"reference", "request ids of events", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"SELECT concat('request_id ', e.team_id, '/', e.request_id), "
		"format('event %s/%s/%s has it, but there is no row', " MR_SQL_CHAIN("e.chain") ", e.chain_id, e.seq) FROM modelreg.event e "
		"WHERE e.request_id IS NOT NULL AND ($1 IS NULL OR e.team_id = $1) AND NOT EXISTS (SELECT FROM modelreg.request_id r "
		"WHERE r.request_id = e.request_id AND (r.team_id = e.team_id OR (e.chain = 1 AND r.team_id::text = e.what->>'team_id'))) ORDER BY 1, 2"},

	{"reference", "request ids", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"SELECT concat('request_id ', r.team_id, '/', r.request_id), format('no event tells of this call of %s', r.verb) "
		"FROM (SELECT q.*, k.chain, k.kind, k.member, q.result->>k.result AS value FROM modelreg.request_id q JOIN (VALUES "
		"('create_team', 1, 'team_created', 'team_id', 'team_id'), ('create_model', 2, 'model_created', 'model_id', 'model_id'), "
		"('register_version', 4, 'version_registered', 'version', 'version'), ('rollback_model', 5, 'rolled_back', 'current', 'number'), "
		"('create_endpoint', 2, 'endpoint_created', 'endpoint_id', 'endpoint_id'), ('start_rollout', 6, 'rollout_started', NULL, 'number'), "
		"('pause_rollout', 6, 'rollout_paused', NULL, 'number'), ('resume_rollout', 6, 'rollout_resumed', NULL, 'number'), "
		"('complete_rollout', 6, 'rollout_completed', NULL, 'number'), ('abort_rollout', 6, 'rollout_aborted', NULL, 'number'), "
		"('promote', 5, NULL, NULL, 'number'), ('set_alias', 5, 'alias_set', NULL, 'number'), ('remove_alias', 5, 'alias_removed', NULL, 'number')) "
		"AS k(verb, chain, kind, member, result) ON k.verb = q.verb WHERE $1 IS NULL OR q.team_id = $1) r "
		"WHERE r.value IS DISTINCT FROM '0' AND NOT EXISTS (SELECT FROM modelreg.event e WHERE e.request_id = r.request_id "
		"AND e.chain = r.chain AND e.team_id = r.team_id AND e.kind = COALESCE(r.kind, e.kind) "
		"AND CASE WHEN r.member IS NULL THEN e.seq::text ELSE e.what->>r.member END = r.value) ORDER BY 1, 2"},

	{"lineage", "edges", MR_VERIFY_ANY,
		"WITH input AS (SELECT n.id AS child, i.parent, i.role, n.team_id AS child_team, n.kind AS child_kind FROM modelreg.node n "
		"CROSS JOIN LATERAL unnest(n.input_ids, n.input_roles) AS i(parent, role) WHERE (cardinality(n.input_ids) > 0 OR cardinality(n.input_roles) > 0) AND ($1 IS NULL OR n.team_id = $1) "
		"AND ($2 IS NULL OR n.id IN (SELECT v.node_id FROM modelreg.version v WHERE v.model_id = $2))) "
		"SELECT concat('edge ', COALESCE(e.child, i.child), '/', COALESCE(e.parent, i.parent), '/', COALESCE(e.role, i.role)), "
		"CASE WHEN e.child IS NULL THEN 'the node names this input, but the row is missing' "
		"WHEN i.child IS NULL THEN 'the node does not name this input' "
		"WHEN p.id IS NULL THEN 'the input is missing' ELSE 'it differs from its nodes' END "
		"FROM input i FULL JOIN (SELECT * FROM modelreg.edge r WHERE ($1 IS NULL OR r.child_team = $1) "
		"AND ($2 IS NULL OR r.child IN (SELECT v.node_id FROM modelreg.version v WHERE v.model_id = $2))) e "
		"ON e.child = i.child AND e.parent = i.parent AND e.role = i.role LEFT JOIN modelreg.node p ON p.id = COALESCE(e.parent, i.parent) "
		"WHERE (e.child_team = i.child_team AND e.child_kind = i.child_kind AND e.parent_low = p.low AND e.parent_level = p.level "
		"AND e.parent_team = p.team_id AND e.parent_kind = p.kind) IS NOT TRUE ORDER BY 1, 2"},

	{"lineage", "labels", MR_VERIFY_ALL | MR_VERIFY_TEAM,
		"SELECT concat('node ', n.id), CASE WHEN l.level IS DISTINCT FROM n.level OR l.low IS DISTINCT FROM n.low "
		"THEN format('level and low are %s and %s, by its inputs they are %s and %s', n.level, n.low, l.level, l.low) "
		"WHEN s.id IS NULL THEN format('node %s, which it supersedes, is missing', n.supersedes) "
		"ELSE format('node %s, which it supersedes, is of another kind or team', n.supersedes) END "
		"FROM modelreg.node n CROSS JOIN LATERAL (SELECT COALESCE(max(p.level) + 1, 0) AS level, LEAST(min(p.low), n.id) AS low "
		"FROM modelreg.node p WHERE p.id = ANY (n.input_ids)) l LEFT JOIN modelreg.node s ON s.id = n.supersedes "
		"WHERE ($1 IS NULL OR n.team_id = $1) AND (n.level = 0 AND n.low = n.id AND n.supersedes IS NULL AND cardinality(n.input_ids) = 0) IS NOT TRUE "
		"AND ((l.level = n.level AND l.low = n.low) IS NOT TRUE OR (n.supersedes IS NOT NULL "
		"AND (s.id < n.id AND s.kind = n.kind AND s.team_id = n.team_id) IS NOT TRUE)) ORDER BY n.id"},

	{"sequence", "sequences", MR_VERIFY_ALL,
		"SELECT concat('sequence ', s.name), format('it is at %s, behind the %s in use', s.last, s.used) FROM ("
		"SELECT 'team_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.team_id_seq), (SELECT max(id) FROM modelreg.team) "
		"UNION ALL SELECT 'model_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.model_id_seq), (SELECT max(id) FROM modelreg.model) "
		"UNION ALL SELECT 'endpoint_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.endpoint_id_seq), (SELECT max(id) FROM modelreg.endpoint) "
		"UNION ALL SELECT 'node_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.node_id_seq), (SELECT max(id) FROM modelreg.node) "
		"UNION ALL SELECT 'evaluation_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.evaluation_id_seq), (SELECT max(id) FROM modelreg.evaluation) "
		"UNION ALL SELECT 'note_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.note_id_seq), (SELECT max(id) FROM modelreg.note) "
		"UNION ALL SELECT 'signing_key_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.signing_key_id_seq), (SELECT max(id) FROM modelreg.signing_key) "
		"UNION ALL SELECT 'attestation_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.attestation_id_seq), (SELECT max(id) FROM modelreg.attestation) "
		"UNION ALL SELECT 'blob_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.blob_id_seq), (SELECT max(id) FROM modelreg.blob) "
		"UNION ALL SELECT 'upload_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.upload_id_seq), (SELECT max(id) FROM modelreg.upload) "
		"UNION ALL SELECT 'approval_request_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.approval_request_id_seq), "
		"(SELECT max(id) FROM modelreg.approval_request) "
		"UNION ALL SELECT 'quality_id_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.quality_id_seq), (SELECT max(id) FROM modelreg.quality_observation) "
		"UNION ALL SELECT 'batch_seq', (SELECT last_value - (NOT is_called)::int FROM modelreg.batch_seq), (SELECT max(" MR_SQL_INT("e.what->>'batch'") ") "
		"FROM modelreg.event e WHERE e.chain = 3)) AS s(name, last, used) WHERE s.used > s.last ORDER BY s.name"},

	{"guard", "checks of rows", MR_VERIFY_ALL,
		"WITH wanted AS (SELECT t.oid, t.relname, concat(t.relname, '_hash') AS name, format("
		"'CHECK (( CASE format WHEN 1 THEN (hash = modelreg.row_hash(%L::text, format, %s)) ELSE NULL::boolean END IS TRUE))', "
		"t.relname, string_agg(quote_ident(c.attname), ', ' ORDER BY c.attnum)) AS definition FROM pg_class t "
		"JOIN pg_attribute h ON h.attrelid = t.oid AND h.attname = 'hash' JOIN pg_attribute f ON f.attrelid = t.oid AND f.attname = 'format' "
		"JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND c.attnum < h.attnum AND NOT c.attisdropped "
		"WHERE t.relnamespace = 'modelreg'::regnamespace AND t.relkind = 'r' GROUP BY t.oid, t.relname "
		"UNION ALL SELECT t.oid, t.relname, k.name, k.definition FROM (VALUES ('payload', 'payload_digest', "
		"'CHECK ((((salt IS NULL) AND (body IS NULL)) OR ((digest = modelreg.row_hash(''payload''::text, (1)::smallint, salt, body)) IS TRUE)))'), "
		"('node', 'node_order', NULL), ('evaluation', 'evaluation_sizes', NULL), ('registry', 'registry_id_check', NULL), "
		"('blob', 'blob_size', NULL), ('blob', 'blob_purged', NULL), "
		"('upload', 'upload_size', NULL), ('upload', 'upload_state', NULL), ('upload', 'upload_received', NULL)) AS k(tbl, name, definition) "
		"JOIN pg_class t ON t.relnamespace = 'modelreg'::regnamespace AND t.relname = k.tbl) "
		"SELECT concat('table ', w.relname), format('its CHECK %s is missing, not valid or another one', w.name) FROM wanted w "
		"WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = w.oid AND k.contype = 'c' AND k.convalidated AND k.conname = w.name "
		"AND (w.definition IS NULL OR regexp_replace(pg_get_constraintdef(k.oid), '[[:space:]]+', ' ', 'g') = w.definition)) ORDER BY 1, 2"},
};

static void
run_statement(MrVerify *verify, const void *arg)
{
	const Statement *statement = arg;

	mr_verify_findings(verify, statement->check, statement->sql);
}

void
mr_verify_statements(MrVerify *verify)
{
	for (int i = 0; i < lengthof(statements); i++)
		if ((statements[i].scopes & verify->scope) &&
			!mr_verify_is_shown(verify, statements[i].what))
			mr_verify_run(verify, statements[i].what, run_statement,
						  &statements[i]);
}
