-- governance: versions that stay in stage Production only while they serve.

CREATE TABLE modelreg.leaving (
	model_id bigint NOT NULL,
	version integer NOT NULL,
	team_id bigint NOT NULL,
	since timestamptz NOT NULL,
	seq bigint NOT NULL,
	CONSTRAINT leaving_pkey PRIMARY KEY (model_id, version)
);
COMMENT ON TABLE modelreg.leaving IS 'Versions that stay in stage Production only while endpoints serve them; a fold of the decisions.';
COMMENT ON COLUMN modelreg.leaving.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.leaving.version IS 'The version.';
COMMENT ON COLUMN modelreg.leaving.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.leaving.since IS 'Since when.';
COMMENT ON COLUMN modelreg.leaving.seq IS 'Number of the decision that would have archived it.';
ALTER TABLE modelreg.leaving ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.leaving FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.leaving TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.leaving', '');

CREATE VIEW modelreg.leaving_versions WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, l.model_id, l.version,
		'models:/' || t.name || '.' || m.name || '/' || l.version AS uri, l.since, l.seq AS number
	FROM modelreg.leaving l JOIN modelreg.model m ON m.id = l.model_id JOIN modelreg.team t ON t.id = l.team_id;
COMMENT ON VIEW modelreg.leaving_versions IS 'One row per version that stays in stage Production only while endpoints serve it. Who takes its last share archives it; where its share ends by time, the next move of a version of the model to another stage does.';
COMMENT ON COLUMN modelreg.leaving_versions.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.leaving_versions.model IS 'Name of the model, with its team.';
COMMENT ON COLUMN modelreg.leaving_versions.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.leaving_versions.version IS 'The version.';
COMMENT ON COLUMN modelreg.leaving_versions.uri IS 'Its address.';
COMMENT ON COLUMN modelreg.leaving_versions.since IS 'Since when it is leaving.';
COMMENT ON COLUMN modelreg.leaving_versions.number IS 'Number of the decision in the model''s chain that would have archived it.';
GRANT SELECT ON modelreg.leaving_versions TO PUBLIC;
