-- access: teams, rights, readable teams

CREATE SEQUENCE modelreg.team_id_seq;
COMMENT ON SEQUENCE modelreg.team_id_seq IS 'Ids of teams.';

-- A team is also the head of its chain: the first four columns are those of every head.
CREATE TABLE modelreg.team (
	id bigint NOT NULL CONSTRAINT team_pkey PRIMARY KEY,
	seq bigint NOT NULL,
	head_hash bytea NOT NULL,
	head_at timestamptz NOT NULL,
	name text COLLATE "C" NOT NULL,
	byte_quota bigint,
	retired_at timestamptz,
	discoverable boolean NOT NULL
);
COMMENT ON TABLE modelreg.team IS 'Teams, and the head of each one''s chain; changed by verbs alone.';
COMMENT ON COLUMN modelreg.team.id IS 'Permanent id of the team.';
COMMENT ON COLUMN modelreg.team.seq IS 'Number of the last event of the team''s chain.';
COMMENT ON COLUMN modelreg.team.head_hash IS 'Hash of the last event.';
COMMENT ON COLUMN modelreg.team.head_at IS 'Time of the last event.';
COMMENT ON COLUMN modelreg.team.name IS 'Present name; no dot, never used again by another team.';
COMMENT ON COLUMN modelreg.team.byte_quota IS 'Logical bytes that the team''s uploads may hold; null for no limit.';
COMMENT ON COLUMN modelreg.team.retired_at IS 'When the team was retired; null while it lives.';
COMMENT ON COLUMN modelreg.team.discoverable IS 'Whether everybody sees the team in the view catalog, and may name its nodes as inputs.';

CREATE TABLE modelreg.team_name (
	name text COLLATE "C" NOT NULL CONSTRAINT team_name_pkey PRIMARY KEY,
	team_id bigint NOT NULL,
	since timestamptz NOT NULL,
	until timestamptz
);
COMMENT ON TABLE modelreg.team_name IS 'Every name that a team has ever had, so that none is used again.';
COMMENT ON COLUMN modelreg.team_name.name IS 'The name.';
COMMENT ON COLUMN modelreg.team_name.team_id IS 'The team that has or had it.';
COMMENT ON COLUMN modelreg.team_name.since IS 'From when on.';
COMMENT ON COLUMN modelreg.team_name.until IS 'Until when; null for the present name.';

CREATE TABLE modelreg.membership (
	team_id bigint NOT NULL,
	role_name text COLLATE "C" NOT NULL,
	role_oid oid NOT NULL,
	level text COLLATE "C" NOT NULL,
	CONSTRAINT membership_pkey PRIMARY KEY (team_id, role_name, level)
);
CREATE INDEX membership_role ON modelreg.membership (role_oid);
COMMENT ON TABLE modelreg.membership IS 'Who has which right in which team; team 0 stands for the registry-wide rights admin, auditor and pooler.';
COMMENT ON COLUMN modelreg.membership.team_id IS 'The team, or 0.';
COMMENT ON COLUMN modelreg.membership.role_name IS 'Name of the database role.';
COMMENT ON COLUMN modelreg.membership.role_oid IS 'OID of the role; where it is not the OID of the role of that name the right is void.';
COMMENT ON COLUMN modelreg.membership.level IS 'reader, contributor, evaluator, reviewer, maintainer; or admin, auditor, pooler.';

-- It has no other use than that a plan in which a policy stands loads the library.
CREATE FUNCTION modelreg.readable_teams_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'modelreg_readable_teams_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.readable_teams_support(internal) IS 'What the planner asks about readable_teams(); not to be called.';
REVOKE ALL ON FUNCTION modelreg.readable_teams_support(internal) FROM PUBLIC;

CREATE FUNCTION modelreg.readable_teams() RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'modelreg_readable_teams' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 10 SUPPORT modelreg.readable_teams_support;
COMMENT ON FUNCTION modelreg.readable_teams() IS 'Ids of the teams that the current role may read; the row-level policies of all tables use it.';

CREATE FUNCTION modelreg.my_rights() RETURNS TABLE (team text, level text)
	AS 'MODULE_PATHNAME', 'modelreg_my_rights' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION modelreg.my_rights() IS 'What the current role may do, team by team; a null team for registry-wide rights.';

ALTER TABLE modelreg.team ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.team FOR SELECT USING (id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
ALTER TABLE modelreg.team_name ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.team_name FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
ALTER TABLE modelreg.membership ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.membership FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
-- Rows are shown by policy, so the right to look may be everybody's.
GRANT SELECT ON modelreg.team, modelreg.team_name, modelreg.membership TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('modelreg.team_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.team', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.team_name', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.membership', '');

REVOKE ALL ON FUNCTION modelreg.readable_teams(), modelreg.my_rights() FROM PUBLIC;
-- They tell the caller of the caller's own rights; every policy calls the first.
GRANT EXECUTE ON FUNCTION modelreg.readable_teams(), modelreg.my_rights() TO PUBLIC;
