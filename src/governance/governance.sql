-- governance: moving stages and what is current. Each function authorizes its caller, so EXECUTE is everybody's.

CREATE FUNCTION modelreg.promote(model text, version integer, stage modelreg.stage, reason text DEFAULT NULL,
		archive_others boolean DEFAULT true, leave_none boolean DEFAULT false, expected_current integer DEFAULT NULL,
		request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_promote' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.promote(text, integer, modelreg.stage, text, boolean, boolean, integer, text) IS
	'Moves a version to a stage, as the model''s policy allows. To Production makes it the current one and archives the others in Production (unless archive_others => false); what would leave no version current is refused unless leave_none => true; expected_current compares first (0 for none). Returns the decision''s number, null when nothing changed.';
REVOKE ALL ON FUNCTION modelreg.promote(text, integer, modelreg.stage, text, boolean, boolean, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.promote(text, integer, modelreg.stage, text, boolean, boolean, integer, text) TO PUBLIC;

CREATE FUNCTION modelreg.rollback_model(model text, reason text, expected_current integer DEFAULT NULL,
		request_id text DEFAULT NULL) RETURNS integer
	AS 'MODULE_PATHNAME', 'modelreg_rollback_model' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.rollback_model(text, text, integer, text) IS
	'Makes the version current that previous() names and archives the one it leaves; called again it goes further back, so pass expected_current or a request id where a call may be repeated. Returns the version.';
REVOKE ALL ON FUNCTION modelreg.rollback_model(text, text, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.rollback_model(text, text, integer, text) TO PUBLIC;

CREATE TYPE modelreg.version_in_production AS (version integer, since timestamptz, uri text, permanent_id text,
	registered_at timestamptz, etag bigint, final boolean);
COMMENT ON TYPE modelreg.version_in_production IS 'What production() answers.';
COMMENT ON COLUMN modelreg.version_in_production.version IS 'The version; null when none was current.';
COMMENT ON COLUMN modelreg.version_in_production.since IS 'Since when it is, or was, current.';
COMMENT ON COLUMN modelreg.version_in_production.uri IS 'Its address.';
COMMENT ON COLUMN modelreg.version_in_production.permanent_id IS 'Its permanent id, whatever the names become.';
COMMENT ON COLUMN modelreg.version_in_production.registered_at IS 'When it was registered.';
COMMENT ON COLUMN modelreg.version_in_production.etag IS 'Changes with every decision about the model.';
COMMENT ON COLUMN modelreg.version_in_production.final IS 'Whether the answer for that time cannot change any more.';

CREATE FUNCTION modelreg.production(model text, at timestamptz DEFAULT NULL) RETURNS modelreg.version_in_production
	AS 'MODULE_PATHNAME', 'modelreg_production' LANGUAGE C STABLE PARALLEL RESTRICTED COST 20;
COMMENT ON FUNCTION modelreg.production(text, timestamptz) IS
	'The version that is current in Production, or was at a time (then by the names of that time); version is null for none. etag changes with every decision about the model; final says that the answer for that time cannot change any more.';
REVOKE ALL ON FUNCTION modelreg.production(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.production(text, timestamptz) TO PUBLIC;

CREATE FUNCTION modelreg.previous(model text, OUT version integer, OUT uri text, OUT since timestamptz)
	AS 'MODULE_PATHNAME', 'modelreg_previous' LANGUAGE C STABLE PARALLEL RESTRICTED COST 20;
COMMENT ON FUNCTION modelreg.previous(text) IS 'The version that rollback_model() would make current, and since when it was; nulls for none.';
REVOKE ALL ON FUNCTION modelreg.previous(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.previous(text) TO PUBLIC;

CREATE VIEW modelreg.production_now WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, m.id AS model_id,
		m.current_version AS version, m.current_since AS since,
		'models:/' || t.name || '.' || m.name || '/' || m.current_version AS uri,
		'modelreg:' || m.current_identity || '/' || m.id || '/' || m.current_version AS permanent_id,
		m.current_registered_at AS registered_at
	FROM modelreg.model m JOIN modelreg.team t ON t.id = m.team_id
	WHERE m.current_version IS NOT NULL;
COMMENT ON VIEW modelreg.production_now IS 'One row per model that has a current version in Production.';
COMMENT ON COLUMN modelreg.production_now.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.production_now.model IS 'Name of the model, with its team.';
COMMENT ON COLUMN modelreg.production_now.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.production_now.version IS 'The current version.';
COMMENT ON COLUMN modelreg.production_now.since IS 'Since when it is current.';
COMMENT ON COLUMN modelreg.production_now.uri IS 'Its address.';
COMMENT ON COLUMN modelreg.production_now.permanent_id IS 'Its permanent id, whatever the names become.';
COMMENT ON COLUMN modelreg.production_now.registered_at IS 'When it was registered.';
GRANT SELECT ON modelreg.production_now TO PUBLIC;

CREATE VIEW modelreg.production_history WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, p.model_id, p.seq AS number, p.version,
		p.at AS since, pg_catalog.lead(p.at) OVER (PARTITION BY p.model_id ORDER BY p.seq) AS until
	FROM modelreg.production p JOIN modelreg.model m ON m.id = p.model_id JOIN modelreg.team t ON t.id = m.team_id;
COMMENT ON VIEW modelreg.production_history IS 'One row per time that a version (or none) was current in Production.';
COMMENT ON COLUMN modelreg.production_history.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.production_history.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.production_history.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.production_history.number IS 'Number of the decision in the model''s chain.';
COMMENT ON COLUMN modelreg.production_history.version IS 'The version; null while none was current.';
COMMENT ON COLUMN modelreg.production_history.since IS 'From when on.';
COMMENT ON COLUMN modelreg.production_history.until IS 'Until when; null for now.';
GRANT SELECT ON modelreg.production_history TO PUBLIC;

CREATE VIEW modelreg.transitions WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, m.id AS model_id, e.seq AS number, e.at, e.kind,
		(move->>'version')::integer AS version, move->>'from' AS from_stage, move->>'to' AS to_stage,
		e.who->>'role' AS role, COALESCE(e.who->>'session', e.who->>'role') AS session_role,
		e.what->>'policy' AS policy, e.what->>'policy_digest' AS policy_digest, p.body AS reason,
		COALESCE(e.what->>'by_policy' = 'true', false) AS by_policy, 'sha256:' || (e.what->>'evidence') AS evidence,
		(e.what->>'request')::bigint AS request
	FROM modelreg.event e
		JOIN modelreg.model m ON m.id = e.chain_id
		JOIN modelreg.team t ON t.id = m.team_id
		CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(e.what->'moves') AS move
		LEFT JOIN modelreg.payload p ON p.digest = e.prose
	WHERE e.chain = 5 AND e.kind IN ('promoted', 'rolled_back', 'stage_changed', 'emergency_promoted');
COMMENT ON VIEW modelreg.transitions IS 'One row per version that a decision moved from one stage to another.';
COMMENT ON COLUMN modelreg.transitions.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.transitions.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.transitions.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.transitions.number IS 'Number of the decision in the model''s chain.';
COMMENT ON COLUMN modelreg.transitions.at IS 'When.';
COMMENT ON COLUMN modelreg.transitions.kind IS 'promoted, rolled_back, stage_changed or emergency_promoted.';
COMMENT ON COLUMN modelreg.transitions.version IS 'The version that moved.';
COMMENT ON COLUMN modelreg.transitions.from_stage IS 'Its stage before.';
COMMENT ON COLUMN modelreg.transitions.to_stage IS 'Its stage after.';
COMMENT ON COLUMN modelreg.transitions.role IS 'The role that decided.';
COMMENT ON COLUMN modelreg.transitions.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.transitions.policy IS 'The policy under which it was decided.';
COMMENT ON COLUMN modelreg.transitions.policy_digest IS 'Digest of the policy''s revision.';
COMMENT ON COLUMN modelreg.transitions.reason IS 'The reason given; null also when it was redacted.';
COMMENT ON COLUMN modelreg.transitions.by_policy IS 'Whether the policy moved it by itself, when the role had registered or evaluated it.';
COMMENT ON COLUMN modelreg.transitions.evidence IS 'Digest of what its gates said; null where none was asked.';
COMMENT ON COLUMN modelreg.transitions.request IS 'The request that was approved; null for none.';
GRANT SELECT ON modelreg.transitions TO PUBLIC;

CREATE VIEW modelreg.model_history WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, m.id AS model_id, h.chain, h.number, h.at, h.kind, h.version,
		h.role, h.session_role, h.what, p.body AS reason
	FROM (
		SELECT e.chain_id AS model_id, CASE e.chain WHEN 4 THEN 'registrations' ELSE 'decisions' END AS chain, e.seq AS number, e.at,
			e.kind::text COLLATE "default" AS kind,
			CASE WHEN e.kind IN ('version_registered', 'alias_set') THEN (e.what->>'version')::integer
				WHEN e.kind IN ('promoted', 'rolled_back', 'stage_changed', 'emergency_promoted') THEN (e.what->'moves'->0->>'version')::integer END AS version,
			e.who->>'role' AS role, COALESCE(e.who->>'session', e.who->>'role') AS session_role, e.what, e.prose
		FROM modelreg.event e WHERE e.chain IN (4, 5)
		UNION ALL
		SELECT (e.what->>'model_id')::bigint, 'team', e.seq, e.at, e.kind::text COLLATE "default", NULL,
			e.who->>'role', COALESCE(e.who->>'session', e.who->>'role'), e.what, e.prose
		FROM modelreg.event e WHERE e.chain = 2 AND e.kind IN ('model_created', 'model_renamed', 'model_retired')
	) h
		JOIN modelreg.model m ON m.id = h.model_id
		JOIN modelreg.team t ON t.id = m.team_id
		LEFT JOIN modelreg.payload p ON p.digest = h.prose;
COMMENT ON VIEW modelreg.model_history IS 'One row per event in the life of a model: created, renamed, versions registered, promotions, rollbacks, aliases, retired.';
COMMENT ON COLUMN modelreg.model_history.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.model_history.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.model_history.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.model_history.chain IS 'The chain that the event is in: team, registrations or decisions.';
COMMENT ON COLUMN modelreg.model_history.number IS 'Number of the event in that chain.';
COMMENT ON COLUMN modelreg.model_history.at IS 'When it happened.';
COMMENT ON COLUMN modelreg.model_history.kind IS 'What kind of event.';
COMMENT ON COLUMN modelreg.model_history.version IS 'The version that it is about, the promoted one of several; null for the model itself.';
COMMENT ON COLUMN modelreg.model_history.role IS 'The role that called.';
COMMENT ON COLUMN modelreg.model_history.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.model_history.what IS 'Identifiers and state.';
COMMENT ON COLUMN modelreg.model_history.reason IS 'The reason given; null also when it was redacted.';
GRANT SELECT ON modelreg.model_history TO PUBLIC;
