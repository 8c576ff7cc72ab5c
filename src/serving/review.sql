-- serving: what is current or serves, and would not pass its policy today

CREATE VIEW modelreg.production_review WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, u.model_id, u.version,
		CASE WHEN u.version = m.current_version THEN m.current_since END AS since,
		c.problem, c.gate, c.kind AS gate_kind, c.severity, c.required, c.observed, c.source,
		(u.version = m.current_version) IS TRUE AS is_current, g.stage::text AS stage, u.endpoints
	FROM (
		SELECT x.model_id, x.version, pg_catalog.string_agg(x.endpoint, ', ' ORDER BY x.endpoint) AS endpoints
		FROM (
			SELECT p.id AS model_id, p.current_version AS version, NULL AS endpoint FROM modelreg.model p WHERE p.current_version IS NOT NULL
			UNION ALL
			SELECT a.model_id, a.version, et.name || '.' || e.name || CASE a.share WHEN 0 THEN ' (shadow)' ELSE ' (' || a.share::float8 / 10000 || '%)' END
			FROM modelreg.endpoint e
				JOIN modelreg.team et ON et.id = e.team_id
				JOIN modelreg.traffic_arm a ON a.endpoint_id = e.id AND a.seq = e.schedule_seq AND a.step = (SELECT max(s.step) FROM modelreg.traffic_arm s
					WHERE s.endpoint_id = e.id AND s.seq = e.schedule_seq AND s.opens <= pg_catalog.statement_timestamp())
			WHERE e.retired_at IS NULL) x
		GROUP BY x.model_id, x.version) u
		JOIN modelreg.model m ON m.id = u.model_id
		JOIN modelreg.team t ON t.id = m.team_id
		JOIN modelreg.version_stage g ON g.model_id = u.model_id AND g.version = u.version
		CROSS JOIN LATERAL modelreg.check_production(t.name || '.' || m.name, u.version) c
	WHERE m.retired_at IS NULL;
COMMENT ON VIEW modelreg.production_review IS 'One row per thing that keeps a version that is current in Production, or serves at an endpoint, from passing its policy today in the stage where it is.';
COMMENT ON COLUMN modelreg.production_review.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.production_review.model IS 'Name of the model, with its team.';
COMMENT ON COLUMN modelreg.production_review.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.production_review.version IS 'The version.';
COMMENT ON COLUMN modelreg.production_review.since IS 'Since when it is current; null for one that only serves.';
COMMENT ON COLUMN modelreg.production_review.problem IS 'gate, or policy where the model is under a revision that its team may not use any more.';
COMMENT ON COLUMN modelreg.production_review.gate IS 'Name of the gate in the policy.';
COMMENT ON COLUMN modelreg.production_review.gate_kind IS 'Its kind.';
COMMENT ON COLUMN modelreg.production_review.severity IS 'block or warn.';
COMMENT ON COLUMN modelreg.production_review.required IS 'What is required.';
COMMENT ON COLUMN modelreg.production_review.observed IS 'What is observed now.';
COMMENT ON COLUMN modelreg.production_review.source IS 'The evaluations and nodes that this comes from.';
COMMENT ON COLUMN modelreg.production_review.is_current IS 'Whether it is current in Production.';
COMMENT ON COLUMN modelreg.production_review.stage IS 'The stage where it is.';
COMMENT ON COLUMN modelreg.production_review.endpoints IS 'The endpoints where it serves now, each with its share of the traffic or "shadow"; null for none.';
GRANT SELECT ON modelreg.production_review TO PUBLIC;
