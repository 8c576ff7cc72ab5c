-- governance: requests, approvals, emergencies, and explaining a decision

CREATE SEQUENCE modelreg.approval_request_id_seq;
COMMENT ON SEQUENCE modelreg.approval_request_id_seq IS 'Numbers of requests for approval.';
SELECT pg_catalog.pg_extension_config_dump('modelreg.approval_request_id_seq', '');

CREATE TABLE modelreg.approval_request (
	id bigint NOT NULL CONSTRAINT approval_request_pkey PRIMARY KEY,
	team_id bigint NOT NULL,
	model_id bigint NOT NULL,
	seq bigint NOT NULL,
	version integer,
	stage modelreg.stage,
	policy text COLLATE "C",
	policy_digest bytea,
	state text COLLATE "C" NOT NULL,
	who jsonb NOT NULL,
	requested_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	closed_seq bigint
);
CREATE INDEX approval_request_model ON modelreg.approval_request (model_id, id);
COMMENT ON TABLE modelreg.approval_request IS 'Requests for approval of a move, or of another policy for a model; a fold of the decisions.';
COMMENT ON COLUMN modelreg.approval_request.id IS 'Number of the request.';
COMMENT ON COLUMN modelreg.approval_request.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.approval_request.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.approval_request.seq IS 'Number of the event that asked for it.';
COMMENT ON COLUMN modelreg.approval_request.version IS 'The version that is to move; null for a policy.';
COMMENT ON COLUMN modelreg.approval_request.stage IS 'Where to.';
COMMENT ON COLUMN modelreg.approval_request.policy IS 'The policy that the model is to come under; null for a move.';
COMMENT ON COLUMN modelreg.approval_request.policy_digest IS 'Digest of its revision.';
COMMENT ON COLUMN modelreg.approval_request.state IS 'open, done, rejected or withdrawn.';
COMMENT ON COLUMN modelreg.approval_request.who IS 'Who asked.';
COMMENT ON COLUMN modelreg.approval_request.requested_at IS 'When.';
COMMENT ON COLUMN modelreg.approval_request.expires_at IS 'From when on nothing comes of it any more.';
COMMENT ON COLUMN modelreg.approval_request.closed_seq IS 'Number of the event that ended it; null while it is open.';
ALTER TABLE modelreg.approval_request ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.approval_request FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.approval_request TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.approval_request', '');

CREATE TABLE modelreg.approval (
	request_id bigint NOT NULL,
	seq bigint NOT NULL,
	team_id bigint NOT NULL,
	evidence bytea NOT NULL,
	who jsonb NOT NULL,
	at timestamptz NOT NULL,
	CONSTRAINT approval_pkey PRIMARY KEY (request_id, seq)
);
COMMENT ON TABLE modelreg.approval IS 'Approvals of requests; a fold of the decisions.';
COMMENT ON COLUMN modelreg.approval.request_id IS 'The request.';
COMMENT ON COLUMN modelreg.approval.seq IS 'Number of the event in the model''s chain of decisions.';
COMMENT ON COLUMN modelreg.approval.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.approval.evidence IS 'Digest of the evidence that was approved.';
COMMENT ON COLUMN modelreg.approval.who IS 'Who approved.';
COMMENT ON COLUMN modelreg.approval.at IS 'When.';
ALTER TABLE modelreg.approval ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.approval FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.approval TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.approval', '');

CREATE FUNCTION modelreg.request_promotion(model text, version integer, stage modelreg.stage, reason text DEFAULT NULL,
		expires_in interval DEFAULT '30 days', request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_request_promotion' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.request_promotion(text, integer, modelreg.stage, text, interval, text) IS
	'Asks others to approve a move, where the policy wants that; returns the number of the request.';

CREATE FUNCTION modelreg.request_policy(model text, policy text, revision integer, reason text DEFAULT NULL,
		expires_in interval DEFAULT '30 days', request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_request_policy' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.request_policy(text, text, integer, text, interval, text) IS
	'Asks that a model comes under another policy or revision, which needs the approval that the present one asks for Production; where that asks for none a maintainer does it at once. Returns the number of the request.';

CREATE FUNCTION modelreg.review(request bigint, OUT model text, OUT version integer, OUT stage text, OUT policy text, OUT revision integer,
		OUT state text, OUT requested_by text, OUT requested_at timestamptz, OUT expires_at timestamptz, OUT reason text,
		OUT evidence text, OUT document jsonb, OUT passes boolean, OUT needed integer, OUT approved integer, OUT lapsed text)
	AS 'MODULE_PATHNAME', 'modelreg_review' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION modelreg.review(bigint) IS
	'What a request asks for and what its gates say now, with the digest of that evidence, which approve() repeats; how many approvals it needs and has of it, and the roles whose approval of it counts no more, since they lost the level or are no other person.';

CREATE FUNCTION modelreg.approve(request bigint, evidence text, comment text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_approve' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.approve(bigint, text, text, text) IS
	'Approves a request on the evidence that review() showed. The last approval that is needed looks at the gates again and does what was asked: then its decision''s number is returned, else null.';

CREATE FUNCTION modelreg.reject(request bigint, reason text, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_reject' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.reject(bigint, text, text) IS 'Ends a request, by who could approve it.';

CREATE FUNCTION modelreg.withdraw_request(request bigint, reason text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_withdraw_request' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.withdraw_request(bigint, text, text) IS 'Ends a request, by who asked or a maintainer.';

CREATE FUNCTION modelreg.emergency_promote(model text, version integer, stage modelreg.stage, reason text, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_emergency_promote' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.emergency_promote(text, integer, modelreg.stage, text, text) IS
	'Moves a version past gates and approvals, by whom the policy lets in an emergency; what the gates said is kept, and NOTIFY modelreg_emergency tells of it. What derives from a quarantined node is refused here too.';

CREATE FUNCTION modelreg.request_standing(request bigint, OUT evidence text, OUT counted bigint[])
	AS 'MODULE_PATHNAME', 'modelreg_request_standing' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION modelreg.request_standing(bigint) IS 'Digest of what the gates of an open request say now, and the numbers of the approvals of it that count; null for a request that is not open, or that you may not read.';

REVOKE ALL ON FUNCTION modelreg.request_promotion(text, integer, modelreg.stage, text, interval, text),
	modelreg.request_policy(text, text, integer, text, interval, text), modelreg.review(bigint), modelreg.approve(bigint, text, text, text),
	modelreg.reject(bigint, text, text), modelreg.withdraw_request(bigint, text, text),
	modelreg.emergency_promote(text, integer, modelreg.stage, text, text), modelreg.request_standing(bigint) FROM PUBLIC;
-- Each authorizes its caller.
GRANT EXECUTE ON FUNCTION modelreg.request_promotion(text, integer, modelreg.stage, text, interval, text),
	modelreg.request_policy(text, text, integer, text, interval, text), modelreg.review(bigint), modelreg.approve(bigint, text, text, text),
	modelreg.reject(bigint, text, text), modelreg.withdraw_request(bigint, text, text),
	modelreg.emergency_promote(text, integer, modelreg.stage, text, text), modelreg.request_standing(bigint) TO PUBLIC;

CREATE VIEW modelreg.promotion_requests WITH (security_invoker, security_barrier) AS
	SELECT r.id AS request, t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, r.model_id, r.seq AS number,
		r.version, r.stage::text AS stage, r.policy::text COLLATE "default" AS policy, p.revision,
		CASE WHEN r.state = 'open' AND (r.expires_at <= pg_catalog.now() OR m.retired_at IS NOT NULL) THEN 'expired' ELSE r.state END::text COLLATE "default" AS state,
		r.who->>'role' AS role, COALESCE(r.who->>'session', r.who->>'role') AS session_role, r.requested_at, r.expires_at,
		c.at AS closed_at, y.body AS reason
	FROM modelreg.approval_request r
		JOIN modelreg.model m ON m.id = r.model_id
		JOIN modelreg.team t ON t.id = r.team_id
		JOIN modelreg.event e ON e.chain = 5 AND e.chain_id = r.model_id AND e.seq = r.seq
		LEFT JOIN modelreg.event c ON c.chain = 5 AND c.chain_id = r.model_id AND c.seq = r.closed_seq
		LEFT JOIN modelreg.policy p ON p.team_id = r.team_id AND p.name = r.policy AND p.digest = r.policy_digest
		LEFT JOIN modelreg.payload y ON y.digest = e.prose;
COMMENT ON VIEW modelreg.promotion_requests IS 'One row per request for approval: of a move, or of another policy.';
COMMENT ON COLUMN modelreg.promotion_requests.request IS 'Number of the request.';
COMMENT ON COLUMN modelreg.promotion_requests.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.promotion_requests.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.promotion_requests.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.promotion_requests.number IS 'Number of the event that asked for it.';
COMMENT ON COLUMN modelreg.promotion_requests.version IS 'The version that is to move; null for a policy.';
COMMENT ON COLUMN modelreg.promotion_requests.stage IS 'Where to.';
COMMENT ON COLUMN modelreg.promotion_requests.policy IS 'The policy that the model is to come under; null for a move.';
COMMENT ON COLUMN modelreg.promotion_requests.revision IS 'Its revision.';
COMMENT ON COLUMN modelreg.promotion_requests.state IS 'open, done, rejected, withdrawn, or expired, as when its model was retired.';
COMMENT ON COLUMN modelreg.promotion_requests.role IS 'The role that asked.';
COMMENT ON COLUMN modelreg.promotion_requests.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.promotion_requests.requested_at IS 'When.';
COMMENT ON COLUMN modelreg.promotion_requests.expires_at IS 'From when on nothing comes of it any more.';
COMMENT ON COLUMN modelreg.promotion_requests.closed_at IS 'When it was done, rejected or withdrawn.';
COMMENT ON COLUMN modelreg.promotion_requests.reason IS 'The reason given; null also when it was redacted.';
GRANT SELECT ON modelreg.promotion_requests TO PUBLIC;

CREATE VIEW modelreg.approvals WITH (security_invoker, security_barrier) AS
	SELECT a.request_id AS request, t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, r.model_id, a.seq AS number,
		r.version, r.stage::text AS stage, r.policy::text COLLATE "default" AS policy, a.at, a.who->>'role' AS role,
		COALESCE(a.who->>'session', a.who->>'role') AS session_role, 'sha256:' || pg_catalog.encode(a.evidence, 'hex') AS evidence,
		('sha256:' || pg_catalog.encode(a.evidence, 'hex')) IS DISTINCT FROM
			CASE r.state WHEN 'open' THEN s.evidence WHEN 'done' THEN 'sha256:' || (c.what->>'evidence') END AS superseded,
		y.body AS comment,
		COALESCE(CASE r.state WHEN 'open' THEN a.seq = ANY (s.counted) WHEN 'done' THEN c.what->'approvals' @> pg_catalog.to_jsonb(a.seq) END, false) AS counted
	FROM modelreg.approval a
		JOIN modelreg.approval_request r ON r.id = a.request_id
		JOIN modelreg.model m ON m.id = r.model_id
		JOIN modelreg.team t ON t.id = r.team_id
		JOIN modelreg.event e ON e.chain = 5 AND e.chain_id = r.model_id AND e.seq = a.seq
		LEFT JOIN modelreg.event c ON c.chain = 5 AND c.chain_id = r.model_id AND c.seq = r.closed_seq
		LEFT JOIN modelreg.payload y ON y.digest = e.prose
		LEFT JOIN LATERAL modelreg.request_standing(CASE r.state WHEN 'open' THEN r.id END) s ON true;
COMMENT ON VIEW modelreg.approvals IS 'One row per approval of a request.';
COMMENT ON COLUMN modelreg.approvals.request IS 'Number of the request.';
COMMENT ON COLUMN modelreg.approvals.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.approvals.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.approvals.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.approvals.number IS 'Number of the event in the model''s chain of decisions.';
COMMENT ON COLUMN modelreg.approvals.version IS 'The version that was to move; null for a policy.';
COMMENT ON COLUMN modelreg.approvals.stage IS 'Where to.';
COMMENT ON COLUMN modelreg.approvals.policy IS 'The policy that the model was to come under; null for a move.';
COMMENT ON COLUMN modelreg.approvals.at IS 'When.';
COMMENT ON COLUMN modelreg.approvals.role IS 'The role that approved.';
COMMENT ON COLUMN modelreg.approvals.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.approvals.evidence IS 'Digest of the evidence that was approved.';
COMMENT ON COLUMN modelreg.approvals.superseded IS 'Whether the evidence became another, or nothing came of the request.';
COMMENT ON COLUMN modelreg.approvals.counted IS 'Whether it counts, or did for the decision: not if it is superseded, nor if its giver had lost the level by then, or was no other person than who had to be.';
COMMENT ON COLUMN modelreg.approvals.comment IS 'The comment given; null also when it was redacted.';
GRANT SELECT ON modelreg.approvals TO PUBLIC;

CREATE VIEW modelreg.emergency_promotions WITH (security_invoker, security_barrier) AS
	SELECT n.team, n.model, n.model_id, n.number, n.at, n.version, n.from_stage, n.to_stage, n.role, n.session_role, n.evidence,
		(SELECT pg_catalog.string_agg(g.gate, ', ' ORDER BY g.gate) FROM modelreg.gate_evidence g
			WHERE g.model_id = n.model_id AND g.number = n.number AND g.severity = 'block' AND g.verdict = 'fails') AS failing, n.reason
	FROM modelreg.transitions n
	WHERE n.kind = 'emergency_promoted' AND n.to_stage <> 'Archived';
COMMENT ON VIEW modelreg.emergency_promotions IS 'One row per version that was moved past gates and approvals.';
COMMENT ON COLUMN modelreg.emergency_promotions.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.emergency_promotions.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.emergency_promotions.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.emergency_promotions.number IS 'Number of the decision in the model''s chain.';
COMMENT ON COLUMN modelreg.emergency_promotions.at IS 'When.';
COMMENT ON COLUMN modelreg.emergency_promotions.version IS 'The version.';
COMMENT ON COLUMN modelreg.emergency_promotions.from_stage IS 'Its stage before.';
COMMENT ON COLUMN modelreg.emergency_promotions.to_stage IS 'Its stage after.';
COMMENT ON COLUMN modelreg.emergency_promotions.role IS 'The role that decided.';
COMMENT ON COLUMN modelreg.emergency_promotions.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.emergency_promotions.evidence IS 'Digest of what the gates said.';
COMMENT ON COLUMN modelreg.emergency_promotions.failing IS 'The gates that would have refused it; null for none.';
COMMENT ON COLUMN modelreg.emergency_promotions.reason IS 'The reason given; null also when it was redacted.';
GRANT SELECT ON modelreg.emergency_promotions TO PUBLIC;

CREATE FUNCTION modelreg.explain_decision(model text, number bigint) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'modelreg_explain_decision' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION modelreg.explain_decision(text, bigint) IS
	'Why a decision was as it was: who, the policy''s revision, what each gate said, the request and its approvals, in one document; null for a decision that there is not.';
REVOKE ALL ON FUNCTION modelreg.explain_decision(text, bigint) FROM PUBLIC;
-- It authorizes its caller.
GRANT EXECUTE ON FUNCTION modelreg.explain_decision(text, bigint) TO PUBLIC;

CREATE VIEW modelreg.orphaned_requests WITH (security_invoker, security_barrier) AS
	SELECT q.request, q.team, q.model, q.model_id, q.version, q.stage, q.policy, q.role,
		CASE WHEN o.oid IS NOT NULL THEN 'renamed' WHEN n.oid IS NOT NULL THEN 'made anew' ELSE 'dropped' END AS problem, o.rolname::text AS renamed_to,
		q.requested_at, q.expires_at
	FROM modelreg.promotion_requests q
		JOIN modelreg.approval_request r ON r.id = q.request
		LEFT JOIN pg_catalog.pg_roles n ON n.rolname = q.role
		LEFT JOIN pg_catalog.pg_roles o ON o.oid::text = r.who->>'role_oid'
	WHERE q.state = 'open' AND (n.oid::text = r.who->>'role_oid') IS NOT TRUE;
COMMENT ON VIEW modelreg.orphaned_requests IS 'Open requests for approval by roles that were dropped, renamed or made anew since. They can be approved, rejected and withdrawn as others; a role of the same name or of the same OID counts as who asked, so it does not approve them.';
COMMENT ON COLUMN modelreg.orphaned_requests.request IS 'Number of the request.';
COMMENT ON COLUMN modelreg.orphaned_requests.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.orphaned_requests.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.orphaned_requests.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.orphaned_requests.version IS 'The version that is to move; null for a policy.';
COMMENT ON COLUMN modelreg.orphaned_requests.stage IS 'Where to.';
COMMENT ON COLUMN modelreg.orphaned_requests.policy IS 'The policy that the model is to come under; null for a move.';
COMMENT ON COLUMN modelreg.orphaned_requests.role IS 'Name that the role had that asked.';
COMMENT ON COLUMN modelreg.orphaned_requests.problem IS 'dropped: no role has the name; made anew: another one has it; renamed: the role has another name now.';
COMMENT ON COLUMN modelreg.orphaned_requests.renamed_to IS 'That other name.';
COMMENT ON COLUMN modelreg.orphaned_requests.requested_at IS 'When it was asked for.';
COMMENT ON COLUMN modelreg.orphaned_requests.expires_at IS 'From when on nothing comes of it any more.';
GRANT SELECT ON modelreg.orphaned_requests TO PUBLIC;
