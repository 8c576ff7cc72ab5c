-- serving: what was observed of versions while they served, what a guarded rollout made of it, and how it stands

CREATE SEQUENCE modelreg.quality_id_seq;
COMMENT ON SEQUENCE modelreg.quality_id_seq IS 'Ids of observations of quality.';
SELECT pg_catalog.pg_extension_config_dump('modelreg.quality_id_seq', '');

CREATE TABLE modelreg.quality_observation (
	id bigint NOT NULL CONSTRAINT quality_observation_pkey PRIMARY KEY,
	team_id bigint NOT NULL,
	endpoint_id bigint NOT NULL,
	model_id bigint NOT NULL,
	version integer NOT NULL,
	metric text COLLATE "C" NOT NULL,
	total float8 NOT NULL,
	observations bigint NOT NULL,
	window_start timestamptz NOT NULL,
	window_end timestamptz NOT NULL,
	who jsonb NOT NULL,
	recorded_at timestamptz NOT NULL,
	schedule_seq bigint,
	step integer
);
CREATE INDEX quality_observation_window ON modelreg.quality_observation (endpoint_id, model_id, version, metric, window_start);
COMMENT ON TABLE modelreg.quality_observation IS 'What was observed of versions while they served, written once; no events, and the view quality shows it.';
COMMENT ON COLUMN modelreg.quality_observation.id IS 'Id of the row.';
COMMENT ON COLUMN modelreg.quality_observation.team_id IS 'The team that owns the endpoint.';
COMMENT ON COLUMN modelreg.quality_observation.endpoint_id IS 'The endpoint.';
COMMENT ON COLUMN modelreg.quality_observation.model_id IS 'The model of the version.';
COMMENT ON COLUMN modelreg.quality_observation.version IS 'The version that had traffic there, or saw it as a shadow.';
COMMENT ON COLUMN modelreg.quality_observation.metric IS 'What was measured.';
COMMENT ON COLUMN modelreg.quality_observation.total IS 'Sum over the observations.';
COMMENT ON COLUMN modelreg.quality_observation.observations IS 'How many there were.';
COMMENT ON COLUMN modelreg.quality_observation.window_start IS 'From when on they were made, as the caller claims.';
COMMENT ON COLUMN modelreg.quality_observation.window_end IS 'Until when.';
COMMENT ON COLUMN modelreg.quality_observation.who IS 'Who recorded it.';
COMMENT ON COLUMN modelreg.quality_observation.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN modelreg.quality_observation.schedule_seq IS 'Event that laid down the schedule for whose guards it counts; null where it counts for none.';
COMMENT ON COLUMN modelreg.quality_observation.step IS 'The step in that, counted from 0.';
ALTER TABLE modelreg.quality_observation ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.quality_observation FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.quality_observation TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.quality_observation', '');

CREATE TABLE modelreg.rollout_evidence (
	endpoint_id bigint NOT NULL,
	schedule_seq bigint NOT NULL,
	step integer NOT NULL,
	metric text COLLATE "C" NOT NULL,
	model_id bigint NOT NULL,
	version integer NOT NULL,
	team_id bigint NOT NULL,
	total numeric NOT NULL,
	observations bigint NOT NULL,
	CONSTRAINT rollout_evidence_pkey PRIMARY KEY (endpoint_id, schedule_seq, step, metric, model_id, version)
);
ALTER TABLE modelreg.rollout_evidence SET (fillfactor = 70);
COMMENT ON TABLE modelreg.rollout_evidence IS 'Sums of what was observed during each step of a guarded rollout and counts for its guards; a fold of quality_observation.';
COMMENT ON COLUMN modelreg.rollout_evidence.endpoint_id IS 'The endpoint.';
COMMENT ON COLUMN modelreg.rollout_evidence.schedule_seq IS 'Event that laid down the schedule.';
COMMENT ON COLUMN modelreg.rollout_evidence.step IS 'The step in it, counted from 0.';
COMMENT ON COLUMN modelreg.rollout_evidence.metric IS 'What was measured.';
COMMENT ON COLUMN modelreg.rollout_evidence.model_id IS 'The model of the version.';
COMMENT ON COLUMN modelreg.rollout_evidence.version IS 'The version of which it was observed.';
COMMENT ON COLUMN modelreg.rollout_evidence.team_id IS 'The team that owns the endpoint.';
COMMENT ON COLUMN modelreg.rollout_evidence.total IS 'Sum over the observations, without rounding.';
COMMENT ON COLUMN modelreg.rollout_evidence.observations IS 'How many there were.';
ALTER TABLE modelreg.rollout_evidence ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.rollout_evidence FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.rollout_evidence TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.rollout_evidence', '');

CREATE FUNCTION modelreg.record_quality(endpoint text, version integer, metric text, window_start timestamptz, value float8 DEFAULT NULL,
		total float8 DEFAULT NULL, count bigint DEFAULT NULL, window_end timestamptz DEFAULT NULL, model text DEFAULT NULL,
		request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_record_quality' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.record_quality(text, integer, text, timestamptz, float8, float8, bigint, timestamptz, text, text) IS
	'Records what was observed of a version that serves at an endpoint: one value, or the total over so many observations, made in a window that ends now or when window_end says. A bad figure ends a rollout that guards the metric, good ones open its next step, as the transaction commits. Returns its id. Needs evaluator.';
REVOKE ALL ON FUNCTION modelreg.record_quality(text, integer, text, timestamptz, float8, float8, bigint, timestamptz, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.record_quality(text, integer, text, timestamptz, float8, float8, bigint, timestamptz, text, text) TO PUBLIC;

CREATE VIEW modelreg.quality WITH (security_invoker, security_barrier) AS
	SELECT q.id, t.name::text COLLATE "default" AS team, e.name::text COLLATE "default" AS name, t.name || '.' || e.name AS endpoint, q.endpoint_id,
		t.name || '.' || m.name AS model, q.model_id, q.version, q.metric::text COLLATE "default" AS metric,
		q.total / NULLIF(q.observations, 0) AS mean, q.total, q.observations, q.window_start, q.window_end,
		q.who->>'role' AS role, COALESCE(q.who->>'session', q.who->>'role') AS session_role, q.recorded_at
	FROM modelreg.quality_observation q
		JOIN modelreg.endpoint e ON e.id = q.endpoint_id AND e.team_id = q.team_id
		JOIN modelreg.team t ON t.id = q.team_id
		JOIN modelreg.model m ON m.id = q.model_id;
COMMENT ON VIEW modelreg.quality IS 'One row per observation that was recorded of a version at an endpoint.';
COMMENT ON COLUMN modelreg.quality.id IS 'Its id.';
COMMENT ON COLUMN modelreg.quality.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.quality.name IS 'Name of the endpoint in its team.';
COMMENT ON COLUMN modelreg.quality.endpoint IS 'Name of the endpoint with its team, as every function takes it.';
COMMENT ON COLUMN modelreg.quality.endpoint_id IS 'Permanent id of the endpoint.';
COMMENT ON COLUMN modelreg.quality.model IS 'Name of the model with its team.';
COMMENT ON COLUMN modelreg.quality.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.quality.version IS 'Number of the version.';
COMMENT ON COLUMN modelreg.quality.metric IS 'What was measured.';
COMMENT ON COLUMN modelreg.quality.mean IS 'Mean of the observations; null where there were none.';
COMMENT ON COLUMN modelreg.quality.total IS 'Their sum.';
COMMENT ON COLUMN modelreg.quality.observations IS 'How many there were.';
COMMENT ON COLUMN modelreg.quality.window_start IS 'From when on they were made, as the caller claims.';
COMMENT ON COLUMN modelreg.quality.window_end IS 'Until when.';
COMMENT ON COLUMN modelreg.quality.role IS 'The role that recorded it.';
COMMENT ON COLUMN modelreg.quality.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.quality.recorded_at IS 'When it was recorded.';
GRANT SELECT ON modelreg.quality TO PUBLIC;

CREATE VIEW modelreg.ab_results WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, e.name::text COLLATE "default" AS name, t.name || '.' || e.name AS endpoint, q.endpoint_id,
		t.name || '.' || m.name AS model, q.model_id, q.version, q.metric::text COLLATE "default" AS metric,
		q.observations, q.total / NULLIF(q.observations, 0) AS mean, q.total, q.first_window, q.last_window,
		s.since AS served_since, s.until AS served_until, COALESCE(s.seconds, 0) AS served_seconds, COALESCE(s.share_seconds, 0) AS share_seconds
	FROM modelreg.endpoint e
		JOIN modelreg.team t ON t.id = e.team_id
		-- Endpoint by endpoint, so that who asks for one, by its name too, does not pay for all.
		CROSS JOIN LATERAL (SELECT o.endpoint_id, o.model_id, o.version, o.metric, sum(o.observations)::bigint AS observations, sum(o.total) AS total,
			min(o.window_start) AS first_window, max(o.window_end) AS last_window
			FROM modelreg.quality_observation o WHERE o.endpoint_id = e.id AND o.team_id = e.team_id GROUP BY o.endpoint_id, o.model_id, o.version, o.metric) q
		JOIN modelreg.model m ON m.id = q.model_id
		CROSS JOIN LATERAL (
			SELECT min(r.since) AS since, CASE WHEN bool_or(r.until IS NULL) THEN NULL ELSE max(r.until) END AS until,
				sum(extract(epoch FROM COALESCE(r.until, statement_timestamp()) - r.since))::float8 AS seconds,
				(sum(extract(epoch FROM COALESCE(r.until, statement_timestamp()) - r.since)::float8 * r.percent) / 100)::float8 AS share_seconds
			FROM modelreg.traffic r
			WHERE r.endpoint_id = q.endpoint_id AND r.model_id = q.model_id AND r.version = q.version AND r.role = 'serving') s;
COMMENT ON VIEW modelreg.ab_results IS 'One row per endpoint, version and metric: what was observed of the version there, and for how long, with which share of the traffic, it served.';
COMMENT ON COLUMN modelreg.ab_results.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.ab_results.name IS 'Name of the endpoint in its team.';
COMMENT ON COLUMN modelreg.ab_results.endpoint IS 'Name of the endpoint with its team.';
COMMENT ON COLUMN modelreg.ab_results.endpoint_id IS 'Permanent id of the endpoint.';
COMMENT ON COLUMN modelreg.ab_results.model IS 'Name of the model with its team.';
COMMENT ON COLUMN modelreg.ab_results.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.ab_results.version IS 'Number of the version.';
COMMENT ON COLUMN modelreg.ab_results.metric IS 'What was measured.';
COMMENT ON COLUMN modelreg.ab_results.observations IS 'How many observations there are, of all times that it served.';
COMMENT ON COLUMN modelreg.ab_results.mean IS 'Their mean, each observation counted once; null where there were none.';
COMMENT ON COLUMN modelreg.ab_results.total IS 'Their sum.';
COMMENT ON COLUMN modelreg.ab_results.first_window IS 'Begin of the first window in which it was observed.';
COMMENT ON COLUMN modelreg.ab_results.last_window IS 'End of the last one.';
COMMENT ON COLUMN modelreg.ab_results.served_since IS 'Since when it first had a share of the traffic; null for a shadow that never had any.';
COMMENT ON COLUMN modelreg.ab_results.served_until IS 'Until when it last had one; null while it has.';
COMMENT ON COLUMN modelreg.ab_results.served_seconds IS 'For how long it had a share, without the times between.';
COMMENT ON COLUMN modelreg.ab_results.share_seconds IS 'Its share integrated over that time: 3600 is an hour of all traffic, or two of half.';
GRANT SELECT ON modelreg.ab_results TO PUBLIC;

CREATE FUNCTION modelreg.rollout_status(endpoint text, OUT number bigint, OUT kind text, OUT rollout bigint, OUT state text,
		OUT split text, OUT shadow text[], OUT receipt text, OUT since timestamptz, OUT reached integer, OUT steps integer,
		OUT next_split text, OUT next_opens timestamptz, OUT next_planned timestamptz, OUT waits_for text, OUT guards jsonb) RETURNS record
	AS 'MODULE_PATHNAME', 'modelreg_rollout_status' LANGUAGE C STABLE;
COMMENT ON FUNCTION modelreg.rollout_status(text) IS
	'How the traffic of an endpoint stands: the split now and since when, whether a rollout runs (none, running, paused, held), how many of its steps it has reached, of how many, what comes next and when, what each guard says, and what the next step waits for. Readers.';
REVOKE ALL ON FUNCTION modelreg.rollout_status(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.rollout_status(text) TO PUBLIC;
