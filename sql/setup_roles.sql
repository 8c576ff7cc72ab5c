-- setup_roles(): a group role for each level of a team, made with the rights of who calls, and never out of a role that is there for something else.
SET client_min_messages = warning;
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE ROLE regress_setup_lead CREATEROLE;
CREATE ROLE regress_setup_plain;
CREATE ROLE regress_setup_admin CREATEROLE;
CREATE ROLE regress_setup_outsider CREATEROLE;
CREATE ROLE regress_setup_ann;
SELECT modelreg.create_team('regress_setup') > 0 AS created, modelreg.create_team('regress_setup2') > 0 AS created;
SELECT modelreg.grant_level('regress_setup', 'regress_setup_lead', 'maintainer'), modelreg.grant_level('regress_setup', 'regress_setup_plain', 'maintainer'),
	modelreg.grant_registry_right('regress_setup_admin', 'admin');
CREATE VIEW pg_temp.groups AS SELECT r.rolname, r.rolcanlogin OR r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls AS more,
	(SELECT string_agg(m.level, ', ' ORDER BY m.level) FROM modelreg.membership m JOIN modelreg.team t ON t.id = m.team_id WHERE m.role_oid = r.oid AND m.role_name = r.rolname AND t.name = 'regress_setup') AS levels
	FROM pg_roles r WHERE r.rolname ~ '_(reader|contributor|evaluator|reviewer|maintainer)$' AND r.rolname ~ 'setup';
GRANT SELECT ON pg_temp.groups TO PUBLIC;

-- who may not: who cannot make roles, whatever the level; who can, and has no right in the team; then there is nothing
SET ROLE regress_setup_plain;
SELECT * FROM modelreg.setup_roles('regress_setup');
SELECT * FROM modelreg.setup_roles('regress_nothing');
SET ROLE regress_setup_outsider;
SELECT * FROM modelreg.setup_roles('regress_setup');
RESET ROLE;
SELECT modelreg.grant_level('regress_setup', 'regress_setup_outsider', 'reviewer');
SET ROLE regress_setup_outsider;
SELECT * FROM modelreg.setup_roles('regress_setup');
RESET ROLE;
SELECT * FROM pg_temp.groups;
-- prefixes that name no role, or would name one for two levels
SET ROLE regress_setup_lead;
SELECT * FROM modelreg.setup_roles(NULL);
SELECT * FROM modelreg.setup_roles('regress_setup', '');
SELECT * FROM modelreg.setup_roles('regress_setup', repeat('x', 52));
SELECT * FROM modelreg.setup_roles('regress_setup', 'pg');
BEGIN READ ONLY;
SELECT * FROM modelreg.setup_roles('regress_setup');
ROLLBACK;

-- once, and again: the second finds all as it should be; its maker has no level by them, whatever the session says
DO $$ BEGIN IF current_setting('server_version_num')::integer >= 160000 THEN SET createrole_self_grant = 'set, inherit'; END IF; END $$;
SELECT * FROM modelreg.setup_roles('regress_setup');
SELECT * FROM modelreg.setup_roles('regress_setup');
SELECT * FROM pg_temp.groups ORDER BY 1;
SELECT team, level FROM modelreg.my_rights();
SELECT kind, role, what->>'role' AS role_name, what->>'level' AS level FROM modelreg.events WHERE team = 'regress_setup' AND role = 'regress_setup_lead' ORDER BY number;
RESET ROLE;
-- they do what they are for
GRANT regress_setup_contributor TO regress_setup_ann;
SELECT modelreg.create_model('regress_setup.m', 'open') > 0 AS created;
SET ROLE regress_setup_ann;
SELECT modelreg.register_version('regress_setup.m');
RESET ROLE;

-- another team's names are not shared, nor is any role that is there already; all of them are named, and nothing is made
SELECT * FROM modelreg.setup_roles('regress_setup2', 'regress_setup');
CREATE ROLE regress_setup2_reviewer SUPERUSER;
CREATE ROLE regress_setup2_maintainer LOGIN;
GRANT regress_setup2_maintainer TO regress_setup_ann;
SELECT * FROM modelreg.setup_roles('regress_setup2');
-- with another level, or the level in another team, or as what was made anew under the name, it has not the level either
SELECT modelreg.grant_level('regress_setup2', 'regress_setup2_maintainer', 'reader'), modelreg.grant_level('regress_setup', 'regress_setup2_maintainer', 'maintainer'), modelreg.grant_level('regress_setup2', 'regress_setup2_reviewer', 'reviewer');
SELECT * FROM modelreg.setup_roles('regress_setup2');
SELECT modelreg.grant_level('regress_setup2', 'regress_setup2_maintainer', 'maintainer');
ALTER ROLE regress_setup2_maintainer RENAME TO regress_setup_was;
CREATE ROLE regress_setup2_maintainer;
SELECT * FROM modelreg.setup_roles('regress_setup2');
DROP ROLE regress_setup2_maintainer;
-- by an admin who is no maintainer; the role that was given the level by hand stays, and what was dropped is made anew and bound
SET ROLE regress_setup_admin;
SELECT * FROM modelreg.setup_roles('regress_setup2');
RESET ROLE;
SELECT count(*) FROM modelreg.orphaned_rights WHERE role_name = 'regress_setup2_maintainer';

-- names that are no words
SELECT * FROM modelreg.setup_roles('regress_setup', E'regress_setup "; DROP ROLE regress_setup_ann; --');
SELECT * FROM modelreg.setup_roles('regress_setup', E'regress_setup\n''\\$$');
SELECT count(*) FROM pg_temp.groups WHERE rolname ~ E'["\n]' AND NOT more AND levels = substring(rolname FROM '[a-z]+$');
SELECT count(*) FROM pg_roles WHERE rolname = 'regress_setup_ann';

-- what is undone leaves nothing, in the cluster and in the registry
BEGIN;
SAVEPOINT s;
SELECT count(*) FROM modelreg.setup_roles('regress_setup', 'regress_setup_undone');
ROLLBACK TO s;
SELECT count(*) FROM pg_roles WHERE rolname LIKE 'regress_setup_undone%';
COMMIT;
SELECT count(*) FROM modelreg.membership WHERE role_name LIKE 'regress_setup_undone%';
-- functions of the same names in front of the caller's search_path are not called
CREATE SCHEMA regress_setup;
CREATE FUNCTION regress_setup.grant_level(text, text, text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
SET search_path = regress_setup, pg_catalog;
SELECT count(*), current_setting('search_path') FROM modelreg.setup_roles('regress_setup', 'regress_setup3');
RESET search_path;
DROP SCHEMA regress_setup CASCADE;
SELECT modelreg.create_team('regress_setup3') > 0 AS created, modelreg.retire_team('regress_setup3', 'closed');
SELECT * FROM modelreg.setup_roles('regress_setup3', 'regress_setup_late');
SELECT * FROM modelreg.verify('regress_setup', deep => true);

-- roles are the cluster's, and outlive this database
SELECT count(modelreg.revoke_level(t.name, m.role_name, m.level)) > 0 AS revoked FROM modelreg.membership m JOIN modelreg.team t ON t.id = m.team_id WHERE m.role_name ~ '^regress_setup';
SELECT modelreg.revoke_registry_right('regress_setup_admin', 'admin');
DO $$ DECLARE name text; BEGIN FOR name IN SELECT rolname FROM pg_roles WHERE rolname ~ '^regress_setup' LOOP EXECUTE format('DROP ROLE %I', name); END LOOP; END $$;
