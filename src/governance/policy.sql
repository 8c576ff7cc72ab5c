-- governance: policies, and which a team may use

CREATE TABLE modelreg.policy (
	team_id bigint NOT NULL,
	name text COLLATE "C" NOT NULL,
	revision integer NOT NULL,
	digest bytea NOT NULL,
	document jsonb NOT NULL,
	built_in boolean NOT NULL,
	who jsonb NOT NULL,
	recorded_at timestamptz NOT NULL,
	hash bytea NOT NULL,
	format smallint NOT NULL DEFAULT 1,
	CONSTRAINT policy_hash CHECK (CASE format WHEN 1 THEN hash = modelreg.row_hash('policy', format,
		team_id, name, revision, digest, document, built_in, who, recorded_at) END IS TRUE),
	CONSTRAINT policy_pkey PRIMARY KEY (team_id, name, revision)
);
CREATE UNIQUE INDEX policy_digest ON modelreg.policy (team_id, name, digest);
COMMENT ON TABLE modelreg.policy IS 'Revisions of the teams'' policies, written once; a built-in policy from its first use on.';
COMMENT ON COLUMN modelreg.policy.team_id IS 'The team.';
COMMENT ON COLUMN modelreg.policy.name IS 'Name of the policy.';
COMMENT ON COLUMN modelreg.policy.revision IS 'Number of the revision, from 1.';
COMMENT ON COLUMN modelreg.policy.digest IS 'SHA-256 of the document''s canonical JSON; models and decisions name the revision by it.';
COMMENT ON COLUMN modelreg.policy.document IS 'What it says: transitions, gates, approvals.';
COMMENT ON COLUMN modelreg.policy.built_in IS 'Whether it came with the extension.';
COMMENT ON COLUMN modelreg.policy.who IS 'Who created it; of a built-in one, who used it first.';
COMMENT ON COLUMN modelreg.policy.recorded_at IS 'When.';
COMMENT ON COLUMN modelreg.policy.hash IS 'Hash of the columns before this one.';
COMMENT ON COLUMN modelreg.policy.format IS 'Version of the row format, hashed too.';
ALTER TABLE modelreg.policy ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.policy FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.policy TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.policy', '');

CREATE TABLE modelreg.team_policy (
	team_id bigint NOT NULL,
	name text COLLATE "C" NOT NULL,
	revision integer,
	since timestamptz NOT NULL,
	CONSTRAINT team_policy_pkey PRIMARY KEY (team_id, name)
);
COMMENT ON TABLE modelreg.team_policy IS 'What admins said of the policies that a team may use; a fold of the team''s events. Without a row a built-in policy is allowed and another is not.';
COMMENT ON COLUMN modelreg.team_policy.team_id IS 'The team.';
COMMENT ON COLUMN modelreg.team_policy.name IS 'Name of the policy.';
COMMENT ON COLUMN modelreg.team_policy.revision IS 'The revision that it may use; null for none.';
COMMENT ON COLUMN modelreg.team_policy.since IS 'Since when.';
ALTER TABLE modelreg.team_policy ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.team_policy FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.team_policy TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.team_policy', '');

CREATE FUNCTION modelreg.create_policy(team text, policy text, document jsonb, request_id text DEFAULT NULL) RETURNS integer
	AS 'MODULE_PATHNAME', 'modelreg_create_policy' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.create_policy(text, text, jsonb, text) IS
	'Adds a revision to a team''s own policy and returns its number; of a document that a revision has already, that one''s. Needs maintainer; models can use it once an admin has allowed it.';

CREATE FUNCTION modelreg.allow_policy(team text, policy text, revision integer, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_allow_policy' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.allow_policy(text, text, integer, text) IS
	'Says which revision of a policy a team''s models may use from now on, instead of any other one. Models keep what they have. Needs admin.';

CREATE FUNCTION modelreg.forbid_policy(team text, policy text, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_forbid_policy' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.forbid_policy(text, text, text) IS
	'Says that no model of a team may come under a policy any more. Models keep what they have. Needs admin.';

CREATE FUNCTION modelreg.policy_document(team text, policy text, revision integer) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'modelreg_policy_document' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION modelreg.policy_document(text, text, integer) IS
	'What a revision of a policy says, for readers of the team and for admins; without a team, that of a built-in one.';

CREATE FUNCTION modelreg.built_in_policies() RETURNS TABLE (policy text, revision integer, digest text, document jsonb)
	AS 'MODULE_PATHNAME', 'modelreg_built_in_policies' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION modelreg.built_in_policies() IS 'The policies that come with the extension.';

REVOKE ALL ON FUNCTION modelreg.create_policy(text, text, jsonb, text), modelreg.allow_policy(text, text, integer, text),
	modelreg.forbid_policy(text, text, text), modelreg.policy_document(text, text, integer), modelreg.built_in_policies() FROM PUBLIC;
-- Each authorizes its caller; the last tells what is in the documentation.
GRANT EXECUTE ON FUNCTION modelreg.create_policy(text, text, jsonb, text), modelreg.allow_policy(text, text, integer, text),
	modelreg.forbid_policy(text, text, text), modelreg.policy_document(text, text, integer), modelreg.built_in_policies() TO PUBLIC;

CREATE VIEW modelreg.policies WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, p.name::text COLLATE "default" AS policy, p.revision,
		'sha256:' || pg_catalog.encode(p.digest, 'hex') AS digest, p.built_in,
		CASE WHEN a.team_id IS NULL THEN p.built_in ELSE COALESCE(a.revision = p.revision, false) END AS allowed,
		p.recorded_at, p.who->>'role' AS role, p.document
	FROM modelreg.policy p JOIN modelreg.team t ON t.id = p.team_id
		LEFT JOIN modelreg.team_policy a ON a.team_id = p.team_id AND a.name = p.name
	UNION ALL
	SELECT NULL, b.policy, b.revision, b.digest, true, NULL, NULL, NULL, b.document FROM modelreg.built_in_policies() b;
COMMENT ON VIEW modelreg.policies IS 'One row per revision of a policy: the built-in ones, and those of each team.';
COMMENT ON COLUMN modelreg.policies.team IS 'Name of the team; null for what comes with the extension.';
COMMENT ON COLUMN modelreg.policies.policy IS 'Name of the policy.';
COMMENT ON COLUMN modelreg.policies.revision IS 'Number of the revision.';
COMMENT ON COLUMN modelreg.policies.digest IS 'SHA-256 of the document''s canonical JSON.';
COMMENT ON COLUMN modelreg.policies.built_in IS 'Whether it comes with the extension.';
COMMENT ON COLUMN modelreg.policies.allowed IS 'Whether the team''s models may come under it; null without a team.';
COMMENT ON COLUMN modelreg.policies.recorded_at IS 'When it was created, or first used.';
COMMENT ON COLUMN modelreg.policies.role IS 'The role that did that.';
COMMENT ON COLUMN modelreg.policies.document IS 'What it says.';
GRANT SELECT ON modelreg.policies TO PUBLIC;
