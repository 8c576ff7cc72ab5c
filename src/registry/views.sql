-- registry: what BI tools read. Columns are only ever added. A filter on model compares a computed text; team and name, or
-- model_id, have indexes.

CREATE VIEW modelreg.models WITH (security_invoker, security_barrier) AS
	SELECT t.name AS team, m.name, t.name || '.' || m.name AS model, m.id AS model_id, m.policy,
		encode(m.policy_digest, 'hex') AS policy_digest, p.body AS description, encode(d.payload, 'hex') AS description_digest,
		(SELECT jsonb_object_agg(g.key, g.value) FROM modelreg.tag g WHERE g.model_id = m.id AND g.version = 0) AS tags,
		m.created_at, h.last_version, m.current_version, m.current_since
	FROM modelreg.model m
		JOIN modelreg.team t ON t.id = m.team_id
		JOIN modelreg.registration_head h ON h.id = m.id
		LEFT JOIN modelreg.description d ON d.model_id = m.id AND d.version = 0
		LEFT JOIN modelreg.payload p ON p.digest = d.payload
	WHERE m.retired_at IS NULL;
COMMENT ON VIEW modelreg.models IS 'One row per registered model that was not retired.';
COMMENT ON COLUMN modelreg.models.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.models.name IS 'Name of the model in its team.';
COMMENT ON COLUMN modelreg.models.model IS 'Name of the model with its team, as every function takes it.';
COMMENT ON COLUMN modelreg.models.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.models.policy IS 'Name of the policy that guards its transitions.';
COMMENT ON COLUMN modelreg.models.policy_digest IS 'Digest of the pinned revision of the policy.';
COMMENT ON COLUMN modelreg.models.description IS 'What it is for; null also when that was redacted.';
COMMENT ON COLUMN modelreg.models.description_digest IS 'Digest of the description, as redact() takes it.';
COMMENT ON COLUMN modelreg.models.tags IS 'Tags of the model itself, values by key; null without any.';
COMMENT ON COLUMN modelreg.models.created_at IS 'When it was created.';
COMMENT ON COLUMN modelreg.models.last_version IS 'Number of the last version; 0 before the first.';
COMMENT ON COLUMN modelreg.models.current_version IS 'The version that is current in Production; null for none.';
COMMENT ON COLUMN modelreg.models.current_since IS 'Since when it is.';
GRANT SELECT ON modelreg.models TO PUBLIC;

CREATE VIEW modelreg.versions WITH (security_invoker, security_barrier) AS
	SELECT t.name AS team, m.name, t.name || '.' || m.name AS model, v.model_id, v.version,
		'models:/' || t.name || '.' || m.name || '/' || v.version AS uri,
		'modelreg:' || v.identity || '/' || v.model_id || '/' || v.version AS permanent_id,
		s.stage::text AS stage, s.since AS stage_since, COALESCE(v.version = m.current_version, false) AS current,
		(SELECT jsonb_agg(a.alias ORDER BY a.alias) FROM modelreg.alias a
			WHERE a.model_id = v.model_id AND a.version = v.version) AS aliases,
		v.registered_at, v.occurred_at, v.who->>'role' AS role, COALESCE(v.who->>'session', v.who->>'role') AS session_role,
		v.node_id, v.run_id,
		r.kind || ':' || rt.name || '.' || r.name || CASE WHEN r.version = '' THEN '' ELSE '@' || r.version END AS run,
		dp.body AS description, encode(d.payload, 'hex') AS description_digest,
		sp.body::jsonb AS signature, encode(v.signature, 'hex') AS signature_digest,
		pp.body::jsonb AS params, encode(v.params, 'hex') AS params_digest,
		(SELECT jsonb_object_agg(g.key, g.value) FROM modelreg.tag g
			WHERE g.model_id = v.model_id AND g.version = v.version) AS tags,
		encode(v.hash, 'hex') AS hash
	FROM modelreg.version v
		JOIN modelreg.model m ON m.id = v.model_id AND m.team_id = v.team_id
		JOIN modelreg.team t ON t.id = m.team_id
		JOIN modelreg.version_stage s ON s.model_id = v.model_id AND s.version = v.version
		LEFT JOIN modelreg.node r ON r.id = v.run_id
		LEFT JOIN modelreg.team rt ON rt.id = r.team_id
		LEFT JOIN modelreg.description d ON d.model_id = v.model_id AND d.version = v.version
		LEFT JOIN modelreg.payload dp ON dp.digest = d.payload
		LEFT JOIN modelreg.payload sp ON sp.digest = v.signature
		LEFT JOIN modelreg.payload pp ON pp.digest = v.params
	WHERE m.retired_at IS NULL;
COMMENT ON VIEW modelreg.versions IS 'One row per version of a model that was not retired.';
COMMENT ON COLUMN modelreg.versions.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.versions.name IS 'Name of the model in its team.';
COMMENT ON COLUMN modelreg.versions.model IS 'Name of the model with its team.';
COMMENT ON COLUMN modelreg.versions.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.versions.version IS 'Number of the version.';
COMMENT ON COLUMN modelreg.versions.uri IS 'Its address, by the present names.';
COMMENT ON COLUMN modelreg.versions.permanent_id IS 'Its permanent id, whatever the names become.';
COMMENT ON COLUMN modelreg.versions.stage IS 'Its stage.';
COMMENT ON COLUMN modelreg.versions.stage_since IS 'Since when.';
COMMENT ON COLUMN modelreg.versions.current IS 'Whether it is the current one in Production.';
COMMENT ON COLUMN modelreg.versions.aliases IS 'The aliases that point at it, an array; null for none.';
COMMENT ON COLUMN modelreg.versions.registered_at IS 'When it was registered.';
COMMENT ON COLUMN modelreg.versions.occurred_at IS 'When it was made, as claimed for imported history; else null.';
COMMENT ON COLUMN modelreg.versions.role IS 'The role that registered it.';
COMMENT ON COLUMN modelreg.versions.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.versions.node_id IS 'Its node in the lineage.';
COMMENT ON COLUMN modelreg.versions.run_id IS 'Node of the run that made it.';
COMMENT ON COLUMN modelreg.versions.run IS 'Address of that run; null when its team is not yours to read.';
COMMENT ON COLUMN modelreg.versions.description IS 'Its description; null also when that was redacted.';
COMMENT ON COLUMN modelreg.versions.description_digest IS 'Digest of the description, as redact() takes it.';
COMMENT ON COLUMN modelreg.versions.signature IS 'Schema of its input and output; null also when that was redacted.';
COMMENT ON COLUMN modelreg.versions.signature_digest IS 'Digest of the signature.';
COMMENT ON COLUMN modelreg.versions.params IS 'Its params, an object; null also when they were redacted.';
COMMENT ON COLUMN modelreg.versions.params_digest IS 'Digest of the params.';
COMMENT ON COLUMN modelreg.versions.tags IS 'Its tags, values by key; null without any.';
COMMENT ON COLUMN modelreg.versions.hash IS 'Hash of the version''s row, which covers all that was registered with it: what a statement about the version is about.';
GRANT SELECT ON modelreg.versions TO PUBLIC;

CREATE VIEW modelreg.metric_trend WITH (security_invoker, security_barrier) AS
	SELECT t.name AS team, m.name, t.name || '.' || m.name AS model, v.model_id, v.version, e.kind,
		n.kind || ':' || nt.name || '.' || n.name || CASE WHEN n.version = '' THEN '' ELSE '@' || n.version END AS dataset,
		e.slice, x.metric, x.value, e.passed,
		EXISTS (SELECT FROM modelreg.metric f WHERE f.model_id = v.model_id AND f.version = v.version
			AND f.evaluation_id = e.id AND f.metric = x.metric) AS latest,
		e.id AS evaluation_id, v.registered_at, e.recorded_at, e.occurred_at
	FROM modelreg.version v
		JOIN modelreg.model m ON m.id = v.model_id AND m.team_id = v.team_id
		JOIN modelreg.team t ON t.id = m.team_id
		JOIN modelreg.evaluation e ON e.node_id = v.node_id
		CROSS JOIN LATERAL unnest(e.metric_names, e.metric_values) AS x (metric, value)
		LEFT JOIN modelreg.node n ON n.id = e.dataset_id
		LEFT JOIN modelreg.team nt ON nt.id = n.team_id
	WHERE m.retired_at IS NULL;
COMMENT ON VIEW modelreg.metric_trend IS 'One row per metric of each evaluation of a version: metrics over versions and over time.';
COMMENT ON COLUMN modelreg.metric_trend.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.metric_trend.name IS 'Name of the model in its team.';
COMMENT ON COLUMN modelreg.metric_trend.model IS 'Name of the model with its team.';
COMMENT ON COLUMN modelreg.metric_trend.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.metric_trend.version IS 'Number of the version.';
COMMENT ON COLUMN modelreg.metric_trend.kind IS 'Kind of the evaluation: training, offline, ab_test, ...';
COMMENT ON COLUMN modelreg.metric_trend.dataset IS 'Address of the data set; null for none, and when its team is not yours to read.';
COMMENT ON COLUMN modelreg.metric_trend.slice IS 'The part of the data set; empty for all of it.';
COMMENT ON COLUMN modelreg.metric_trend.metric IS 'Name of the metric.';
COMMENT ON COLUMN modelreg.metric_trend.value IS 'Its value.';
COMMENT ON COLUMN modelreg.metric_trend.passed IS 'Whether the evaluator calls the evaluation passed; null where that is for gates to say.';
COMMENT ON COLUMN modelreg.metric_trend.latest IS 'Whether it is the last value of this metric for the version, kind, data set and slice, which is the one that counts.';
COMMENT ON COLUMN modelreg.metric_trend.evaluation_id IS 'Id of the evaluation.';
COMMENT ON COLUMN modelreg.metric_trend.registered_at IS 'When the version was registered.';
COMMENT ON COLUMN modelreg.metric_trend.recorded_at IS 'When the evaluation was recorded.';
COMMENT ON COLUMN modelreg.metric_trend.occurred_at IS 'When it was made, as claimed; else null.';
GRANT SELECT ON modelreg.metric_trend TO PUBLIC;
