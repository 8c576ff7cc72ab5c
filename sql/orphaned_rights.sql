-- Rights of roles that were dropped, renamed or made anew count for nobody, and are listed.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_orph_gone;
CREATE ROLE regress_orph_anew;
CREATE ROLE regress_orph_renamed;
CREATE ROLE regress_orph_group;
CREATE ROLE regress_orph_member;
CREATE ROLE regress_orph_maintainer;
GRANT regress_orph_group TO regress_orph_member;
SELECT modelreg.create_team('orph') > 0 AS created;
SELECT modelreg.grant_level('orph', 'regress_orph_' || r, l) FROM (VALUES ('gone', 'reader'), ('anew', 'maintainer'), ('anew', 'reviewer'), ('renamed', 'evaluator'), ('group', 'contributor'), ('maintainer', 'maintainer')) AS x (r, l);
SELECT modelreg.grant_registry_right('regress_orph_anew', 'admin');
SELECT * FROM modelreg.orphaned_rights WHERE role_name LIKE 'regress_orph%';
SET ROLE regress_orph_member;
SELECT * FROM modelreg.my_rights() WHERE team = 'orph';
RESET ROLE;

DROP ROLE regress_orph_gone, regress_orph_anew, regress_orph_group;
ALTER ROLE regress_orph_renamed RENAME TO regress_orph_other;
CREATE ROLE regress_orph_anew;
-- a new role of the name of the group, and a new one of the name that a role had
CREATE ROLE regress_orph_group;
CREATE ROLE regress_orph_renamed;
GRANT regress_orph_group TO regress_orph_member;
SELECT * FROM modelreg.orphaned_rights WHERE role_name LIKE 'regress_orph%' ORDER BY role_name, level;
-- none of them has any right, nor who is a member of one
CREATE FUNCTION rights_of(role_name text) RETURNS TABLE (who text, rights bigint, teams integer) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role_name);
	RETURN QUERY SELECT role_name, count(*), cardinality(modelreg.readable_teams()) FROM modelreg.my_rights();
	RESET ROLE;
END $$;
SELECT r.* FROM unnest('{anew,group,renamed,other,member}'::text[]) AS n, rights_of('regress_orph_' || n) AS r;
SET ROLE regress_orph_anew;
SELECT modelreg.create_model('orph.m', 'open');
SELECT modelreg.create_team('orph2');
RESET ROLE;
-- the team's readers see those of the team, nobody else any
SET ROLE regress_orph_maintainer;
SELECT team, role_name, level, problem FROM modelreg.orphaned_rights ORDER BY role_name, level;
-- granting gives the right to who has the name now; revoking removes it
SELECT modelreg.grant_level('orph', 'regress_orph_anew', 'reviewer'), modelreg.revoke_level('orph', 'regress_orph_anew', 'maintainer'), modelreg.revoke_level('orph', 'regress_orph_gone', 'reader'),
	modelreg.revoke_level('orph', 'regress_orph_renamed', 'evaluator'), modelreg.revoke_level('orph', 'regress_orph_group', 'contributor');
SELECT * FROM modelreg.orphaned_rights;
RESET ROLE;
SELECT team, level FROM modelreg.orphaned_rights WHERE role_name LIKE 'regress_orph%';
SELECT modelreg.revoke_registry_right('regress_orph_anew', 'admin');
SET ROLE regress_orph_anew;
SELECT * FROM modelreg.my_rights();
RESET ROLE;

-- who owns the database is a member of pg_database_owner, from the next statement on
SELECT set_config('regress.owner', datdba::regrole::text, false) <> '' AS noted FROM pg_database WHERE datname = current_database();
CREATE FUNCTION own_database(role_name text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO %s', current_database(), role_name); END $$;
SELECT modelreg.grant_level('orph', 'pg_database_owner', 'reader');
SELECT r.* FROM rights_of('regress_orph_member') AS r;
SELECT own_database('regress_orph_group');
SELECT r.* FROM rights_of('regress_orph_member') AS r;
SELECT own_database(current_setting('regress.owner'));
SELECT r.* FROM rights_of('regress_orph_member') AS r;
SELECT modelreg.revoke_level('orph', 'pg_database_owner', 'reader');
SELECT * FROM modelreg.verify('orph');

DROP FUNCTION rights_of, own_database;
SELECT modelreg.revoke_level('orph', 'regress_orph_anew', 'reviewer'), modelreg.revoke_level('orph', 'regress_orph_maintainer', 'maintainer');
DROP ROLE regress_orph_anew, regress_orph_renamed, regress_orph_other, regress_orph_group, regress_orph_member, regress_orph_maintainer;
