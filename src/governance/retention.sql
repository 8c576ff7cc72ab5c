-- governance: how long bytes are kept. Each function authorizes its caller, so EXECUTE is everybody's.

CREATE TABLE modelreg.legal_hold (
	model_id bigint NOT NULL,
	version integer NOT NULL,
	team_id bigint NOT NULL,
	since timestamptz NOT NULL,
	seq bigint NOT NULL,
	CONSTRAINT legal_hold_pkey PRIMARY KEY (model_id, version)
);
COMMENT ON TABLE modelreg.legal_hold IS 'What must not be purged; a fold of the teams'' events.';
COMMENT ON COLUMN modelreg.legal_hold.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.legal_hold.version IS 'The version; 0 for all versions of the model.';
COMMENT ON COLUMN modelreg.legal_hold.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.legal_hold.since IS 'Since when.';
COMMENT ON COLUMN modelreg.legal_hold.seq IS 'Number of the event in the team''s chain.';
ALTER TABLE modelreg.legal_hold ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.legal_hold FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.legal_hold TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.legal_hold', '');

CREATE FUNCTION modelreg.place_hold(model text, version integer, reason text, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_place_hold' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.place_hold(text, integer, text, text) IS
	'Places a legal hold: while it stands, the version, or with null every version of the model, is not purged. Needs maintainer. Returns the number of the event, null when it stands already.';
REVOKE ALL ON FUNCTION modelreg.place_hold(text, integer, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.place_hold(text, integer, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.lift_hold(model text, version integer, reason text, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_lift_hold' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.lift_hold(text, integer, text, text) IS
	'Ends a legal hold on a version, or with null on the model. Needs the right admin, so that who would purge does not lift it alone. Returns the number of the event, null when there is none.';
REVOKE ALL ON FUNCTION modelreg.lift_hold(text, integer, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.lift_hold(text, integer, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.purge_version(model text, version integer, reason text, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_purge_version' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.purge_version(text, integer, text, text) IS
	'Gives up the bytes of a version''s artifacts for good; digests and all else that is known of it stay. Refused while it is in Staging or Production, while rollback_model() would go back to it, an endpoint needs it or a legal hold stands, and before the policy''s retention is over. Needs maintainer. Returns the number of the event, null when it was purged already.';
REVOKE ALL ON FUNCTION modelreg.purge_version(text, integer, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.purge_version(text, integer, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.purge_expired(team text DEFAULT NULL, max_versions integer DEFAULT 100) RETURNS integer
	AS 'MODULE_PATHNAME', 'modelreg_purge_expired' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.purge_expired(text, integer) IS
	'Purges versions of the view purge_due, as purge_version() would, and passes by those that it would refuse; returns how many it purged. With null, those of one team, the first that has some. For a scheduler to call until it returns 0. Needs maintainer of the team; with null the right admin.';
REVOKE ALL ON FUNCTION modelreg.purge_expired(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.purge_expired(text, integer) TO PUBLIC;

CREATE VIEW modelreg.purge_due WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, m.id AS model_id, s.version,
		s.stage::text COLLATE "default" AS stage, s.since AS stage_since, r.days AS retention_days,
		s.since + pg_catalog.make_interval(hours => r.days * 24) AS due_since,
		(SELECT sum(a.size) FROM modelreg.artifact a WHERE a.model_id = s.model_id AND a.version = s.version AND a.uri IS NULL)::bigint AS bytes,
		EXISTS (SELECT FROM modelreg.legal_hold h WHERE h.model_id = s.model_id AND h.version IN (0, s.version)) AS held,
		m.retired_at IS NOT NULL AS model_retired
	FROM modelreg.version_stage s
		JOIN modelreg.model m ON m.id = s.model_id
		JOIN modelreg.team t ON t.id = m.team_id
		JOIN modelreg.policy p ON p.team_id = m.team_id AND p.name = m.policy AND p.digest = m.policy_digest
		CROSS JOIN LATERAL (SELECT (p.document->'retention_days'->>s.stage::text)::integer) AS r(days)
	WHERE s.stage::text IN ('Experimental', 'Archived')
		AND s.since + pg_catalog.make_interval(hours => r.days * 24) <= pg_catalog.now()
		AND EXISTS (SELECT FROM modelreg.artifact a WHERE a.model_id = s.model_id AND a.version = s.version AND a.uri IS NULL)
		AND NOT EXISTS (SELECT FROM modelreg.purged_version x WHERE x.model_id = s.model_id AND x.version = s.version);
COMMENT ON VIEW modelreg.purge_due IS 'Versions that have been in their stage for longer than their model''s policy keeps bytes there.';
COMMENT ON COLUMN modelreg.purge_due.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.purge_due.model IS 'Name of the model, with its team.';
COMMENT ON COLUMN modelreg.purge_due.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.purge_due.version IS 'The version.';
COMMENT ON COLUMN modelreg.purge_due.stage IS 'Its stage: Experimental or Archived.';
COMMENT ON COLUMN modelreg.purge_due.stage_since IS 'Since when it is there.';
COMMENT ON COLUMN modelreg.purge_due.retention_days IS 'How many days the policy keeps bytes there.';
COMMENT ON COLUMN modelreg.purge_due.due_since IS 'Since when that is over.';
COMMENT ON COLUMN modelreg.purge_due.bytes IS 'Sum of the sizes of its artifacts that the registry holds.';
COMMENT ON COLUMN modelreg.purge_due.held IS 'Whether a legal hold keeps it all the same.';
COMMENT ON COLUMN modelreg.purge_due.model_retired IS 'Whether the model was retired.';
GRANT SELECT ON modelreg.purge_due TO PUBLIC;

CREATE VIEW modelreg.legal_holds WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, m.id AS model_id, nullif(h.version, 0) AS version, h.since, h.seq AS number,
		e.who->>'role' AS role, COALESCE(e.who->>'session', e.who->>'role') AS session_role, p.body AS reason
	FROM modelreg.legal_hold h
		JOIN modelreg.model m ON m.id = h.model_id
		JOIN modelreg.team t ON t.id = m.team_id
		LEFT JOIN modelreg.event e ON e.chain = 2 AND e.chain_id = h.team_id AND e.seq = h.seq
		LEFT JOIN modelreg.payload p ON p.digest = e.prose;
COMMENT ON VIEW modelreg.legal_holds IS 'The legal holds that stand.';
COMMENT ON COLUMN modelreg.legal_holds.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.legal_holds.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.legal_holds.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.legal_holds.version IS 'The version; null for all of the model.';
COMMENT ON COLUMN modelreg.legal_holds.since IS 'Since when.';
COMMENT ON COLUMN modelreg.legal_holds.number IS 'Number of the event in the team''s chain.';
COMMENT ON COLUMN modelreg.legal_holds.role IS 'The role that placed it.';
COMMENT ON COLUMN modelreg.legal_holds.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.legal_holds.reason IS 'The reason given; null also when it was redacted.';
GRANT SELECT ON modelreg.legal_holds TO PUBLIC;

CREATE VIEW modelreg.purged_versions WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, m.id AS model_id, x.version, x.at AS purged_at, x.seq AS number,
		e.who->>'role' AS role, COALESCE(e.who->>'session', e.who->>'role') AS session_role, p.body AS reason
	FROM modelreg.purged_version x
		JOIN modelreg.model m ON m.id = x.model_id
		JOIN modelreg.team t ON t.id = m.team_id
		LEFT JOIN modelreg.event e ON e.chain = 2 AND e.chain_id = x.team_id AND e.seq = x.seq
		LEFT JOIN modelreg.payload p ON p.digest = e.prose;
COMMENT ON VIEW modelreg.purged_versions IS 'The versions whose bytes were given up.';
COMMENT ON COLUMN modelreg.purged_versions.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.purged_versions.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.purged_versions.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.purged_versions.version IS 'The version.';
COMMENT ON COLUMN modelreg.purged_versions.purged_at IS 'When.';
COMMENT ON COLUMN modelreg.purged_versions.number IS 'Number of the event in the team''s chain.';
COMMENT ON COLUMN modelreg.purged_versions.role IS 'The role that purged it.';
COMMENT ON COLUMN modelreg.purged_versions.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.purged_versions.reason IS 'The reason given; null also when it was redacted.';
GRANT SELECT ON modelreg.purged_versions TO PUBLIC;
