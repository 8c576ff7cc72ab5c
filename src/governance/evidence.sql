-- governance: what gates said, and looking at them

CREATE TABLE modelreg.evidence (
	team_id bigint NOT NULL,
	digest bytea NOT NULL,
	model_id bigint NOT NULL,
	version integer NOT NULL,
	document jsonb NOT NULL,
	recorded_at timestamptz NOT NULL,
	hash bytea NOT NULL,
	format smallint NOT NULL DEFAULT 1,
	CONSTRAINT evidence_hash CHECK (CASE format WHEN 1 THEN hash = modelreg.row_hash('evidence', format,
		team_id, digest, model_id, version, document, recorded_at) END IS TRUE),
	CONSTRAINT evidence_pkey PRIMARY KEY (team_id, digest)
);
COMMENT ON TABLE modelreg.evidence IS 'What the gates of a move said when it was decided or refused, written once.';
COMMENT ON COLUMN modelreg.evidence.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.evidence.digest IS 'SHA-256 of the document''s canonical JSON; decisions and approvals name it.';
COMMENT ON COLUMN modelreg.evidence.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.evidence.version IS 'The version.';
COMMENT ON COLUMN modelreg.evidence.document IS 'The move, the policy''s revision, the version in Production that it was held against, and each gate.';
COMMENT ON COLUMN modelreg.evidence.recorded_at IS 'When it was kept first.';
COMMENT ON COLUMN modelreg.evidence.hash IS 'Hash of the columns before this one.';
COMMENT ON COLUMN modelreg.evidence.format IS 'Version of the row format, hashed too.';
ALTER TABLE modelreg.evidence ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.evidence FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.evidence TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.evidence', '');

CREATE FUNCTION modelreg.check_promotion(model text, version integer, stage modelreg.stage)
	RETURNS TABLE (gate text, kind text, severity text, required text, observed text, verdict text, source text, earlier integer)
	AS 'MODULE_PATHNAME', 'modelreg_check_promotion' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION modelreg.check_promotion(text, integer, modelreg.stage) IS
	'A row for each gate that a move has to pass: what is required, what is observed, where the values come from, and how many evaluations came before those that count. Changes nothing.';

CREATE FUNCTION modelreg.attempt_promotion(model text, version integer, stage modelreg.stage, reason text DEFAULT NULL,
		request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_attempt_promotion' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.attempt_promotion(text, integer, modelreg.stage, text, text) IS
	'As promote(), but gates that refuse are no error: the refusal is kept as an event with its evidence. Returns that event''s number; gate_evidence and transitions tell what came of it.';

REVOKE ALL ON FUNCTION modelreg.check_promotion(text, integer, modelreg.stage),
	modelreg.attempt_promotion(text, integer, modelreg.stage, text, text) FROM PUBLIC;
-- Each authorizes its caller.
GRANT EXECUTE ON FUNCTION modelreg.check_promotion(text, integer, modelreg.stage),
	modelreg.attempt_promotion(text, integer, modelreg.stage, text, text) TO PUBLIC;

CREATE VIEW modelreg.gate_evidence WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, m.id AS model_id, e.seq AS number, e.at, e.kind::text COLLATE "default" AS decision,
		v.version, v.document->>'to' AS to_stage, 'sha256:' || pg_catalog.encode(v.digest, 'hex') AS evidence,
		g.gate->>'gate' AS gate, g.gate->>'kind' AS gate_kind, g.gate->>'severity' AS severity, g.gate->>'required' AS required,
		g.gate->>'observed' AS observed, g.gate->>'verdict' AS verdict, g.gate->'evaluations' AS evaluations, g.gate->'nodes' AS nodes,
		(g.gate->>'earlier')::integer AS earlier
	FROM modelreg.event e
		JOIN modelreg.evidence v ON v.team_id = e.team_id
			AND v.digest = pg_catalog.decode(e.what->>'evidence', 'hex')
		JOIN modelreg.model m ON m.id = e.chain_id
		JOIN modelreg.team t ON t.id = m.team_id
		CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(v.document->'gates') AS g(gate)
	WHERE e.chain = 5 AND e.what ? 'evidence';
COMMENT ON VIEW modelreg.gate_evidence IS 'One row per gate of each decision, refusal and approval that looked at gates.';
COMMENT ON COLUMN modelreg.gate_evidence.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.gate_evidence.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.gate_evidence.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.gate_evidence.number IS 'Number of the event in the model''s chain of decisions.';
COMMENT ON COLUMN modelreg.gate_evidence.at IS 'When.';
COMMENT ON COLUMN modelreg.gate_evidence.decision IS 'What kind of event.';
COMMENT ON COLUMN modelreg.gate_evidence.version IS 'The version.';
COMMENT ON COLUMN modelreg.gate_evidence.to_stage IS 'The stage that it was to go to.';
COMMENT ON COLUMN modelreg.gate_evidence.evidence IS 'Digest of the evidence as a whole.';
COMMENT ON COLUMN modelreg.gate_evidence.gate IS 'Name of the gate in the policy.';
COMMENT ON COLUMN modelreg.gate_evidence.gate_kind IS 'Its kind.';
COMMENT ON COLUMN modelreg.gate_evidence.severity IS 'block or warn.';
COMMENT ON COLUMN modelreg.gate_evidence.required IS 'What it required.';
COMMENT ON COLUMN modelreg.gate_evidence.observed IS 'What it saw.';
COMMENT ON COLUMN modelreg.gate_evidence.verdict IS 'holds or fails.';
COMMENT ON COLUMN modelreg.gate_evidence.evaluations IS 'Ids of the evaluations that it looked at, 100 at most; the document has the number and a digest of more.';
COMMENT ON COLUMN modelreg.gate_evidence.nodes IS 'Ids of the nodes that it looked at, 100 at most, as of evaluations.';
COMMENT ON COLUMN modelreg.gate_evidence.earlier IS 'How many evaluations came before those that count.';
GRANT SELECT ON modelreg.gate_evidence TO PUBLIC;

CREATE FUNCTION modelreg.check_production(model text, version integer DEFAULT NULL)
	RETURNS TABLE (problem text, gate text, kind text, severity text, required text, observed text, source text)
	AS 'MODULE_PATHNAME', 'modelreg_check_production' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 3;
COMMENT ON FUNCTION modelreg.check_production(text, integer) IS
	'A row for each gate that a version of a model, the current one unless another is named, would not pass today to be in the stage where it is, and for a policy or revision that its team may not use any more.';
REVOKE ALL ON FUNCTION modelreg.check_production(text, integer) FROM PUBLIC;
-- It authorizes its caller.
GRANT EXECUTE ON FUNCTION modelreg.check_production(text, integer) TO PUBLIC;
