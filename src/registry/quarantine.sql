-- registry: which nodes are quarantined; the verbs are governance's

CREATE TABLE modelreg.quarantine (
	node_id bigint NOT NULL CONSTRAINT quarantine_pkey PRIMARY KEY,
	team_id bigint NOT NULL,
	since timestamptz NOT NULL,
	seq bigint NOT NULL
);
COMMENT ON TABLE modelreg.quarantine IS 'The nodes that are quarantined; a fold of the teams'' events.';
COMMENT ON COLUMN modelreg.quarantine.node_id IS 'The node.';
COMMENT ON COLUMN modelreg.quarantine.team_id IS 'The team that owns it.';
COMMENT ON COLUMN modelreg.quarantine.since IS 'Since when.';
COMMENT ON COLUMN modelreg.quarantine.seq IS 'Number of the event in the team''s chain.';
ALTER TABLE modelreg.quarantine ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.quarantine FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.quarantine TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.quarantine', '');
