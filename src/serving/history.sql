-- history: what served when, by step, by version and by span of time; rollouts and their ends

CREATE FUNCTION modelreg.traffic_between(endpoint text, since timestamptz, until timestamptz DEFAULT NULL,
		OUT model text, OUT model_id bigint, OUT version integer, OUT role text, OUT served_since timestamptz, OUT served_until timestamptz,
		OUT served_seconds float8, OUT share_seconds float8, OUT percent float8) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'modelreg_traffic_between' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 1000;
COMMENT ON FUNCTION modelreg.traffic_between(text, timestamptz, timestamptz) IS 'Which versions had traffic at an endpoint between two times (until: null for now): since when and until when in that span, for how many seconds, their share integrated over it (3600 is an hour of all traffic, or two of half), and their mean share of the span in percent. role is serving, or shadow for those that saw requests and answered none.';
REVOKE ALL ON FUNCTION modelreg.traffic_between(text, timestamptz, timestamptz) FROM PUBLIC;
-- It shows what the caller may read.
GRANT EXECUTE ON FUNCTION modelreg.traffic_between(text, timestamptz, timestamptz) TO PUBLIC;

CREATE VIEW modelreg.traffic WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || e.name AS endpoint, e.id AS endpoint_id, a.seq AS number, a.step, s.rollout,
		t.name || '.' || m.name AS model, a.model_id, a.version, CASE WHEN a.share = 0 THEN 'shadow' ELSE 'serving' END AS role,
		a.share::float8 / 10000 AS percent, a.opens AS since, CASE WHEN u.until <= pg_catalog.statement_timestamp() THEN u.until END AS until
	FROM modelreg.traffic_arm a
		JOIN modelreg.traffic_schedule s ON s.endpoint_id = a.endpoint_id AND s.seq = a.seq
		JOIN modelreg.endpoint e ON e.id = a.endpoint_id
		JOIN modelreg.team t ON t.id = e.team_id
		JOIN modelreg.model m ON m.id = a.model_id
		CROSS JOIN LATERAL (SELECT LEAST(
			(SELECT n.opens FROM modelreg.traffic_arm n WHERE n.endpoint_id = a.endpoint_id AND n.seq = a.seq AND n.step = a.step + 1 LIMIT 1),
			(SELECT n.at FROM modelreg.traffic_schedule n WHERE n.endpoint_id = a.endpoint_id AND n.seq > a.seq ORDER BY n.seq LIMIT 1),
			e.retired_at) AS until) u
	WHERE a.opens <= pg_catalog.statement_timestamp() AND (u.until > a.opens) IS NOT FALSE;
COMMENT ON VIEW modelreg.traffic IS 'One row per version that has or had a share of an endpoint''s traffic, and step: of a ramp one for each step that came.';
COMMENT ON COLUMN modelreg.traffic.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.traffic.endpoint IS 'Name of the endpoint, with its team.';
COMMENT ON COLUMN modelreg.traffic.endpoint_id IS 'Permanent id of the endpoint.';
COMMENT ON COLUMN modelreg.traffic.number IS 'The event that laid down the schedule.';
COMMENT ON COLUMN modelreg.traffic.step IS 'Number of the step in that schedule, from 0; with number what a receipt of route() names.';
COMMENT ON COLUMN modelreg.traffic.rollout IS 'The event that started the rollout that the step belongs to; null outside any.';
COMMENT ON COLUMN modelreg.traffic.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.traffic.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.traffic.version IS 'The version.';
COMMENT ON COLUMN modelreg.traffic.role IS 'serving, or shadow for one that sees the requests and answers none.';
COMMENT ON COLUMN modelreg.traffic.percent IS 'Its share of the traffic in percent; those of the serving ones of a step add up to 100.';
COMMENT ON COLUMN modelreg.traffic.since IS 'From when on.';
COMMENT ON COLUMN modelreg.traffic.until IS 'Until when; null for now.';
GRANT SELECT ON modelreg.traffic TO PUBLIC;

CREATE VIEW modelreg.versions_served WITH (security_invoker, security_barrier) AS
	SELECT r.team, r.endpoint, r.endpoint_id, r.model, r.model_id, r.version,
		pg_catalog.min(r.since) AS served_since, CASE WHEN pg_catalog.bool_or(r.until IS NULL) THEN NULL ELSE pg_catalog.max(r.until) END AS served_until,
		pg_catalog.sum(EXTRACT(epoch FROM COALESCE(r.until, pg_catalog.statement_timestamp()) - r.since))::float8 AS served_seconds,
		(pg_catalog.sum(EXTRACT(epoch FROM COALESCE(r.until, pg_catalog.statement_timestamp()) - r.since)::float8 * r.percent) / 100)::float8 AS share_seconds
	FROM modelreg.traffic r WHERE r.role = 'serving'
	GROUP BY r.team, r.endpoint, r.endpoint_id, r.model, r.model_id, r.version;
COMMENT ON VIEW modelreg.versions_served IS 'One row per endpoint and version that ever had a share of its traffic.';
COMMENT ON COLUMN modelreg.versions_served.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.versions_served.endpoint IS 'Name of the endpoint, with its team.';
COMMENT ON COLUMN modelreg.versions_served.endpoint_id IS 'Permanent id of the endpoint.';
COMMENT ON COLUMN modelreg.versions_served.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.versions_served.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.versions_served.version IS 'The version.';
COMMENT ON COLUMN modelreg.versions_served.served_since IS 'Since when it first had a share.';
COMMENT ON COLUMN modelreg.versions_served.served_until IS 'Until when it last had one; null while it has.';
COMMENT ON COLUMN modelreg.versions_served.served_seconds IS 'For how many seconds it had a share, without the times between.';
COMMENT ON COLUMN modelreg.versions_served.share_seconds IS 'Its share integrated over that time: 3600 is an hour of all traffic, or two of half.';
GRANT SELECT ON modelreg.versions_served TO PUBLIC;

CREATE VIEW modelreg.rollouts WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || e.name AS endpoint, e.id AS endpoint_id, s.seq AS number, s.at AS started_at,
		(SELECT '{' || pg_catalog.string_agg(a.name || a.version || ': ' || pg_catalog.trim_scale(a.share::numeric / 10000) || '%', ', ' ORDER BY a.name, a.version) || '}'
			FROM (SELECT CASE WHEN m.id = e.model_id THEN '' ELSE t.name || '.' || m.name || '/' END COLLATE "C" AS name, (x->>1)::integer AS version, (x->>2)::integer AS share
				FROM pg_catalog.jsonb_array_elements(s.doc->'target') x JOIN modelreg.model m ON m.id = (x->>0)::bigint) a) AS target,
		s.doc->'plan' AS plan, v.who->>'role' AS role, p.body AS reason, o.state,
		CASE o.state WHEN 'completed' THEN LEAST(done.at, n.at) WHEN 'running' THEN NULL WHEN 'paused' THEN NULL WHEN 'held' THEN NULL
			ELSE COALESCE(n.at, e.retired_at) END AS ended_at
	FROM modelreg.traffic_schedule s
		JOIN modelreg.endpoint e ON e.id = s.endpoint_id
		JOIN modelreg.team t ON t.id = s.team_id
		JOIN modelreg.event v ON v.chain = 6 AND v.chain_id = s.endpoint_id AND v.seq = s.seq
		LEFT JOIN modelreg.payload p ON p.digest = v.prose
		LEFT JOIN LATERAL (SELECT x.at, x.kind, x.seq FROM modelreg.traffic_schedule x
			WHERE x.endpoint_id = s.endpoint_id AND x.seq > s.seq AND x.rollout IS DISTINCT FROM s.seq ORDER BY x.seq LIMIT 1) n ON true
		CROSS JOIN LATERAL (SELECT x.seq, x.doc FROM modelreg.traffic_schedule x
			WHERE x.endpoint_id = s.endpoint_id AND x.rollout = s.seq AND x.seq >= s.seq AND (x.seq < n.seq) IS NOT FALSE ORDER BY x.seq DESC LIMIT 1) l
		-- When its end was reached, or would be, in the last schedule of the rollout: the target; of shadows alone the step without them.
		CROSS JOIN LATERAL (SELECT pg_catalog.min(y.opens) AS at FROM (
			SELECT a.step, a.opens, pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(a.model_id, a.version, a.share) ORDER BY a.model_id, a.version) AS split
			FROM modelreg.traffic_arm a WHERE a.endpoint_id = s.endpoint_id AND a.seq = l.seq AND a.share > 0 GROUP BY a.step, a.opens) y
			WHERE CASE WHEN s.doc->'plan' ?| ARRAY['steps', 'linear'] THEN y.split = s.doc->'target'
				ELSE y.step = pg_catalog.jsonb_array_length(l.doc->'steps') - 1 AND NOT l.doc ? 'waiting' AND NOT l.doc->'steps'->-1 ? 'shadow' END) done
		CROSS JOIN LATERAL (SELECT CASE
			WHEN done.at <= LEAST(n.at, e.retired_at, pg_catalog.statement_timestamp()) THEN 'completed'
			WHEN n.seq IS NULL AND e.retired_at IS NULL THEN COALESCE(l.doc->>'state', 'running')
			WHEN n.kind = 'rollout_completed' THEN 'completed'
			WHEN n.kind = 'rollout_aborted' THEN 'aborted'
			WHEN n.kind = 'rolled_back' THEN 'rolled back'
			ELSE 'superseded' END AS state) o
	WHERE s.rollout = s.seq;
COMMENT ON VIEW modelreg.rollouts IS 'One row per rollout that was started.';
COMMENT ON COLUMN modelreg.rollouts.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.rollouts.endpoint IS 'Name of the endpoint, with its team.';
COMMENT ON COLUMN modelreg.rollouts.endpoint_id IS 'Permanent id of the endpoint.';
COMMENT ON COLUMN modelreg.rollouts.number IS 'The event that started it.';
COMMENT ON COLUMN modelreg.rollouts.started_at IS 'When it was started.';
COMMENT ON COLUMN modelreg.rollouts.target IS 'The split that it leads to, as start_rollout() takes one; by the present names.';
COMMENT ON COLUMN modelreg.rollouts.plan IS 'Its plan.';
COMMENT ON COLUMN modelreg.rollouts.role IS 'The role that started it.';
COMMENT ON COLUMN modelreg.rollouts.reason IS 'Why.';
COMMENT ON COLUMN modelreg.rollouts.state IS 'running, paused, held (by a quarantine), completed, aborted, rolled back, or superseded by what came before its end.';
COMMENT ON COLUMN modelreg.rollouts.ended_at IS 'When it reached its target, or the time of its shadows was over, or it was ended; null before that.';
GRANT SELECT ON modelreg.rollouts TO PUBLIC;

CREATE VIEW modelreg.time_to_production WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, m.id AS model_id, v.version, v.registered_at, v.at AS production_since,
		EXTRACT(epoch FROM v.at - v.registered_at)::float8 AS seconds_to_production, a.at AS served_since,
		EXTRACT(epoch FROM a.at - v.registered_at)::float8 AS seconds_to_serving
	FROM modelreg.model m
		JOIN modelreg.team t ON t.id = m.team_id
		-- Model by model, each of its rows looked at once: OFFSET keeps who asks for one model from paying for all.
		CROSS JOIN LATERAL (SELECT n.version, n.registered_at, o.at FROM modelreg.version n
			LEFT JOIN (SELECT x.version, pg_catalog.min(x.at) AS at FROM modelreg.production x WHERE x.model_id = m.id GROUP BY x.version) o ON o.version = n.version
			WHERE n.model_id = m.id OFFSET 0) v
		LEFT JOIN LATERAL (SELECT pg_catalog.min(x.since) AS at FROM modelreg.traffic x WHERE x.model_id = m.id AND x.version = v.version AND x.role = 'serving') a ON true
	WHERE v.at IS NOT NULL OR a.at IS NOT NULL;
COMMENT ON VIEW modelreg.time_to_production IS 'One row per version that ever was current in Production or served: how long that took from its registration.';
COMMENT ON COLUMN modelreg.time_to_production.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.time_to_production.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.time_to_production.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.time_to_production.version IS 'The version.';
COMMENT ON COLUMN modelreg.time_to_production.registered_at IS 'When it was registered.';
COMMENT ON COLUMN modelreg.time_to_production.production_since IS 'Since when it first was current in Production; null for never.';
COMMENT ON COLUMN modelreg.time_to_production.seconds_to_production IS 'Seconds from the one to the other.';
COMMENT ON COLUMN modelreg.time_to_production.served_since IS 'Since when it first had a share of some endpoint''s traffic; null for never.';
COMMENT ON COLUMN modelreg.time_to_production.seconds_to_serving IS 'Seconds from its registration to that.';
GRANT SELECT ON modelreg.time_to_production TO PUBLIC;

CREATE VIEW modelreg.rollbacks WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, pg_catalog.date_trunc('month', r.at, 'UTC') AS month,
		pg_catalog.count(*) FILTER (WHERE r.chain = 5) AS models_rolled_back,
		pg_catalog.count(*) FILTER (WHERE r.chain = 6 AND r.kind = 'rolled_back') AS endpoints_rolled_back,
		pg_catalog.count(*) FILTER (WHERE r.kind = 'rollout_aborted') AS rollouts_aborted
	-- What an endpoint's rollback returns from the archive is a decision of this kind that leaves the current version.
	FROM (SELECT e.team_id, e.at, e.chain, e.kind FROM modelreg.event e WHERE e.kind IN ('rolled_back', 'rollout_aborted')
			AND (e.chain = 6 OR e.what->'current' IS DISTINCT FROM e.what->'replaced')) r
		JOIN modelreg.team t ON t.id = r.team_id
	GROUP BY 1, 2;
COMMENT ON VIEW modelreg.rollbacks IS 'One row per team and month, of UTC, in which something was taken back.';
COMMENT ON COLUMN modelreg.rollbacks.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.rollbacks.month IS 'The first instant of the month.';
COMMENT ON COLUMN modelreg.rollbacks.models_rolled_back IS 'How often rollback_model() went back.';
COMMENT ON COLUMN modelreg.rollbacks.endpoints_rolled_back IS 'How often the traffic of an endpoint was taken back.';
COMMENT ON COLUMN modelreg.rollbacks.rollouts_aborted IS 'How many rollouts were aborted, by somebody or by a guard.';
GRANT SELECT ON modelreg.rollbacks TO PUBLIC;
