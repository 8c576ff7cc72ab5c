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

-- open requests of such roles are listed, with what became of who asked
SELECT modelreg.create_model('orph.m', 'standard') > 0 AS created, count(modelreg.grant_level('orph', role, level)) AS granted
FROM (VALUES ('regress_orph_maintainer', 'evaluator'), ('regress_orph_maintainer', 'reviewer')) AS l (role, level);
CREATE ROLE regress_orph_asks1;
CREATE ROLE regress_orph_asks2;
CREATE ROLE regress_orph_asks3;
CREATE ROLE regress_orph_asks4;
SELECT modelreg.grant_registry_right(session_user, 'pooler');
CREATE FUNCTION ask(role_name text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	asked integer;
BEGIN
	PERFORM modelreg.grant_level('orph', role_name, 'contributor');
	EXECUTE format('SET LOCAL ROLE %I', role_name);
	asked := modelreg.register_version('orph.m');
	RESET ROLE;
	SET LOCAL ROLE regress_orph_maintainer;
	PERFORM modelreg.record_evaluation('models:/orph.m/' || asked, 'offline', '{}', passed => true);
	RESET ROLE;
	EXECUTE format('SET LOCAL ROLE %I', role_name);
	PERFORM modelreg.attempt_promotion('orph.m', asked, 'Staging');
	PERFORM modelreg.request_promotion('orph.m', asked, 'Production');
	RESET ROLE;
	RETURN true;
END $$;
CREATE FUNCTION approve(role_name text, asked integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	number bigint; message text; detail text; reason text;
BEGIN
	PERFORM modelreg.grant_level('orph', role_name, 'reviewer');
	EXECUTE format('SET LOCAL ROLE %I', role_name);
	SELECT modelreg.approve(q.request, r.evidence) INTO number FROM modelreg.promotion_requests q, modelreg.review(q.request) r WHERE q.team = 'orph' AND q.version = asked;
	RESET ROLE;
	RETURN CASE WHEN number > 0 THEN 'moved' ELSE 'noted' END;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, reason = CONSTRAINT_NAME;
	RETURN concat_ws(' | ', SQLSTATE, reason, regexp_replace(message, 'request \d+', 'request <n>'), detail);
END $$;
SELECT ask('regress_orph_asks' || i) FROM generate_series(1, 4) i;
SELECT count(*) FROM modelreg.orphaned_requests WHERE team = 'orph';
DROP ROLE regress_orph_asks1, regress_orph_asks3;
ALTER ROLE regress_orph_asks2 RENAME TO regress_orph_asked;
CREATE ROLE regress_orph_asks3;
SET ROLE regress_orph_maintainer;
SELECT team, model, version, stage, policy, role, problem, renamed_to, expires_at > requested_at AS expires FROM modelreg.orphaned_requests WHERE team = 'orph' ORDER BY role;
RESET ROLE;
-- who has the name now, and who has it no more, are who asked; somebody else approves
SELECT approve('regress_orph_asks3', 3) AS made_anew, approve('regress_orph_asked', 2) AS renamed, approve('regress_orph_asks4', 1) AS somebody_else;
SELECT role, problem FROM modelreg.orphaned_requests WHERE team = 'orph' ORDER BY role;
SELECT modelreg.revoke_registry_right(session_user, 'pooler');
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

DROP FUNCTION rights_of, own_database, ask, approve;
SELECT modelreg.revoke_level('orph', 'regress_orph_anew', 'reviewer'), modelreg.revoke_level('orph', 'regress_orph_maintainer', 'maintainer');
DROP ROLE regress_orph_asks3, regress_orph_asks4, regress_orph_asked, regress_orph_anew, regress_orph_renamed, regress_orph_other, regress_orph_group, regress_orph_member, regress_orph_maintainer;
