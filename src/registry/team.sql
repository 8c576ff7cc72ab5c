-- registry: teams and rights. Each function authorizes its caller, so EXECUTE is everybody's; superusers need no grant.

CREATE FUNCTION modelreg.create_team(name text, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_create_team' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.create_team(text, text) IS 'Creates a team, whose first maintainer is the caller. Needs the right admin; returns the team''s permanent id.';
REVOKE ALL ON FUNCTION modelreg.create_team(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.create_team(text, text) TO PUBLIC;

CREATE FUNCTION modelreg.rename_team(team text, new_name text, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_rename_team' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.rename_team(text, text, text) IS 'Gives a team a name that no team ever had. Needs the right admin.';
REVOKE ALL ON FUNCTION modelreg.rename_team(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.rename_team(text, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.retire_team(team text, reason text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_retire_team' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.retire_team(text, text, text) IS 'Retires a team that has no live model: it changes no more, and its name is never used again. Needs the right admin.';
REVOKE ALL ON FUNCTION modelreg.retire_team(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.retire_team(text, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.set_quota(team text, bytes bigint, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_set_quota' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.set_quota(text, bigint, text) IS 'Limits the logical bytes of a team''s artifacts; null for no limit. Needs the right admin.';
REVOKE ALL ON FUNCTION modelreg.set_quota(text, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.set_quota(text, bigint, text) TO PUBLIC;

CREATE FUNCTION modelreg.set_discoverable(team text, discoverable boolean, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_set_discoverable' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.set_discoverable(text, boolean, text) IS 'Lets everybody see in the view catalog which models the team has, and name its nodes as inputs by their exact address; or no longer. Needs maintainer.';
REVOKE ALL ON FUNCTION modelreg.set_discoverable(text, boolean, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.set_discoverable(text, boolean, text) TO PUBLIC;

CREATE FUNCTION modelreg.grant_level(team text, role_name text, level text, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_grant_level' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.grant_level(text, text, text, text) IS 'Gives a role a level in a team: reader, contributor, evaluator, reviewer or maintainer. Needs maintainer, or admin.';
REVOKE ALL ON FUNCTION modelreg.grant_level(text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.grant_level(text, text, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.revoke_level(team text, role_name text, level text, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_revoke_level' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.revoke_level(text, text, text, text) IS 'Takes a level in a team from a role; it counts from the next statement of every session on, not for cursors that are open. Needs maintainer, or admin.';
REVOKE ALL ON FUNCTION modelreg.revoke_level(text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.revoke_level(text, text, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.setup_roles(team text, prefix text DEFAULT NULL) RETURNS TABLE (role_name text, level text, created boolean)
	AS 'MODULE_PATHNAME', 'modelreg_setup_roles' LANGUAGE C VOLATILE ROWS 5;
COMMENT ON FUNCTION modelreg.setup_roles(text, text) IS 'Makes a group role for each level of a team, without login, named by the prefix, else the team''s name, and the level, as search_reader, and gives it the level; what is so already stays. Roles of these names that do not have the level are an error that lists them. Runs with the caller''s own rights: needs CREATEROLE, and maintainer or admin.';
REVOKE ALL ON FUNCTION modelreg.setup_roles(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.setup_roles(text, text) TO PUBLIC;

CREATE FUNCTION modelreg.grant_registry_right(role_name text, level text, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_grant_registry_right' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.grant_registry_right(text, text, text) IS 'Gives a role the registry-wide right admin, auditor or pooler. Superusers only.';
REVOKE ALL ON FUNCTION modelreg.grant_registry_right(text, text, text) FROM PUBLIC;

CREATE FUNCTION modelreg.revoke_registry_right(role_name text, level text, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_revoke_registry_right' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.revoke_registry_right(text, text, text) IS 'Takes the registry-wide right admin, auditor or pooler from a role. Superusers only.';
REVOKE ALL ON FUNCTION modelreg.revoke_registry_right(text, text, text) FROM PUBLIC;

CREATE FUNCTION modelreg.rebind_roles() RETURNS TABLE (team text, role_name text, level text, bound boolean)
	AS 'MODULE_PATHNAME', 'modelreg_rebind_roles' LANGUAGE C VOLATILE STRICT ROWS 10;
COMMENT ON FUNCTION modelreg.rebind_roles() IS 'After a restore into a cluster whose roles were made anew: binds each membership to the role that has its name now, and lists what it bound and what has no role. Superusers only.';
REVOKE ALL ON FUNCTION modelreg.rebind_roles() FROM PUBLIC;

CREATE VIEW modelreg.orphaned_rights WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, m.role_name::text COLLATE "default" AS role_name, m.level::text COLLATE "default" AS level,
		CASE WHEN o.oid IS NOT NULL THEN 'renamed' WHEN n.oid IS NOT NULL THEN 'made anew' ELSE 'dropped' END AS problem, o.rolname::text AS renamed_to
	FROM modelreg.membership m
		LEFT JOIN modelreg.team t ON t.id = m.team_id
		LEFT JOIN pg_catalog.pg_roles n ON n.rolname = m.role_name
		LEFT JOIN pg_catalog.pg_roles o ON o.oid = m.role_oid
	WHERE n.oid IS DISTINCT FROM m.role_oid;
COMMENT ON VIEW modelreg.orphaned_rights IS 'Rights that count for nobody, as no role has both the name and the OID that they were given to. grant_level() gives them to who has the name now, revoke_level() removes them.';
COMMENT ON COLUMN modelreg.orphaned_rights.team IS 'Name of the team; null for a right in the whole registry.';
COMMENT ON COLUMN modelreg.orphaned_rights.role_name IS 'Name that the role had.';
COMMENT ON COLUMN modelreg.orphaned_rights.level IS 'The level or right.';
COMMENT ON COLUMN modelreg.orphaned_rights.problem IS 'dropped: no role has the name; made anew: another one has it; renamed: the role has another name now.';
COMMENT ON COLUMN modelreg.orphaned_rights.renamed_to IS 'That other name.';
GRANT SELECT ON modelreg.orphaned_rights TO PUBLIC;
