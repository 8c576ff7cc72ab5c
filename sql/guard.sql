-- Every table and every way to change it: the list of tables is the catalog's, so a new table is attacked as well.
-- What the tables hold was made by the registry's own functions.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_guard_super SUPERUSER;
CREATE ROLE regress_guard_granted;
CREATE ROLE regress_guard_nobody;

SELECT modelreg.create_team('guard', request_id => 'team') > 0 AS team;
SELECT modelreg.create_model('guard.model', policy => 'open', description => 'To be attacked') > 0 AS model;
SELECT modelreg.record_snapshot('guard.events', '2026-06-01', rows => 1000);
SELECT modelreg.record_run('guard.train', inputs => '{"training": ["snapshot:guard.events@2026-06-01"]}');
SELECT modelreg.begin_upload('guard', 9, request_id => 'weights') AS upload \gset
SELECT modelreg.append_upload(:upload, 0, 'weights 1');
SELECT modelreg.finish_upload(:upload);
SELECT modelreg.append_upload(modelreg.begin_upload('guard', 9), 0, 'begun');
SELECT modelreg.register_version('guard.model', run => 'run:guard.train', params => '{"depth": 6}', metrics => '{"ndcg@10": 0.4}',
	artifacts => format('[{"name": "weights", "upload": %s}, {"name": "prep", "uri": "s3://m/prep", "size": 3,
		"digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]', :upload)::jsonb, description => 'To be attacked');
SELECT modelreg.set_tag('guard.model', 'team', 'ranking');
SELECT modelreg.set_alias('guard.model', 'champion', 1) > 0 AS alias;
SELECT modelreg.promote('guard.model', 1, 'Production') > 0 AS promoted;
SELECT modelreg.create_endpoint('guard.home', 'guard.model') > 0 AS endpoint;
SELECT modelreg.report_serving('guard.home', 'pod-1', '1-0123456789abcdef') AS reported;
SELECT modelreg.grant_level('guard', current_user, 'evaluator');
SELECT modelreg.promote('guard.model', modelreg.register_version('guard.model'), 'Production', archive_others => false) > 0 AS promoted;
SELECT modelreg.start_rollout('guard.home', 2, plan => '{"steps": [{"weight": "5%", "bake": "1 hour"}, {"weight": "100%"}], "guards": [{"metric": "errors", "at_most": 0.01}]}') > 0 AS started;
SELECT modelreg.record_quality('guard.home', 1, 'errors', clock_timestamp(), 0) > 0 AS recorded;
SELECT modelreg.forbid_policy('guard', 'high-risk');
SELECT modelreg.create_model('guard.strict', policy => 'standard') > 0 AS model;
SELECT modelreg.register_version('guard.strict');
SELECT modelreg.attempt_promotion('guard.strict', 1, 'Staging') > 0 AS refused;
SELECT modelreg.quarantine('run:guard.train', 'to be looked into') > 0 AS quarantined;
SELECT modelreg.register_key('signer', E'-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAZndTBnZc7wbqhbp8PKTas0M2R+sGXf2BxxQNvvq4Nzg=\n-----END PUBLIC KEY-----', 'guard') IS NOT NULL AS key;
SELECT modelreg.record_attestation('guard.model', 1, '{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoicHJlcCIsImRpZ2VzdCI6eyJzaGEyNTYiOiJiYTc4MTZiZjhmMDFjZmVhNDE0MTQwZGU1ZGFlMjIyM2IwMDM2MWEzOTYxNzdhOWNiNDEwZmY2MWYyMDAxNWFkIn19XSwicHJlZGljYXRlVHlwZSI6Imh0dHBzOi8vc2xzYS5kZXYvcHJvdmVuYW5jZS92MSIsInByZWRpY2F0ZSI6e319","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"KyBif+m+BOMJOF3XEaWOgn2K3QVvktoM1BVnoOFx4Yv59hG4TMAq08PktYLfHjFha3bIAFisfDL+sRcV/qzsDw=="}]}') > 0 AS attested;
CREATE ROLE regress_guard_evaluator;
SELECT modelreg.grant_level('guard', 'regress_guard_evaluator', l) FROM unnest('{evaluator,reviewer}'::text[]) l;
SELECT modelreg.grant_registry_right(session_user, 'pooler');
SELECT modelreg.emergency_promote('guard.strict', 1, 'Staging', 'to be asked about') > 0 AS emergency;
SELECT modelreg.request_policy('guard.strict', 'open', 1) > 0 AS requested;
SET ROLE regress_guard_evaluator;
SELECT modelreg.approve(request, evidence) > 0 AS approved FROM modelreg.promotion_requests r, modelreg.review(r.request) WHERE r.model = 'guard.strict';
RESET ROLE;
SELECT modelreg.revoke_registry_right(session_user, 'pooler');
SELECT modelreg.place_hold('guard.strict', NULL, 'to be looked into') > 0 AS held;
SELECT modelreg.promote('guard.model', modelreg.register_version('guard.model'), 'Production') > 0 AS replaced;
SELECT modelreg.purge_version('guard.model', modelreg.register_version('guard.model'), 'of no use') > 0 AS purged;

CREATE SCHEMA regress_guard;
GRANT USAGE, CREATE ON SCHEMA regress_guard TO PUBLIC;
CREATE VIEW regress_guard.target AS
	SELECT c.oid, c.oid::regclass::text AS name, c.relname,
		quote_ident((SELECT a.attname FROM pg_attribute a
			WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum LIMIT 1)) AS first_column,
		(SELECT quote_ident(k.conname) FROM pg_constraint k
			WHERE k.conrelid = c.oid AND k.contype IN ('p', 'c') ORDER BY k.contype DESC LIMIT 1) AS constraint,
		x.indexrelid::regclass::text AS index,
		(SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.no)
			FROM unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY k (attnum, no)
				JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum) AS key
	FROM pg_class c
		JOIN LATERAL (SELECT * FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL
			ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1) x ON true
	-- The log of predictions, which is partitioned, is attacked in a topic of its own.
	WHERE c.relnamespace = 'modelreg'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition;
CREATE TABLE regress_guard.outcome (attack_no integer, attack text, who text, target text, result text);
GRANT SELECT ON regress_guard.target TO PUBLIC;
GRANT INSERT ON regress_guard.outcome TO PUBLIC;

-- Which rows a table holds, and in which versions.
CREATE FUNCTION regress_guard.rows_of(name text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT md5(string_agg(tableoid || '' '' || ctid || '' '' || xmin, '','' ORDER BY tableoid, ctid)) FROM %s', name)
	INTO result;
	RETURN coalesce(result, 'empty');
END
$$;

-- What an attempt came to; whatever it did is undone.
CREATE FUNCTION regress_guard.attempt(statement text, name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before text := CASE WHEN name <> '' THEN regress_guard.rows_of(name) END;
BEGIN
	EXECUTE statement;
	IF name <> '' AND regress_guard.rows_of(name) = before THEN
		RAISE EXCEPTION USING ERRCODE = 'MR001';
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'MR002';
EXCEPTION
	WHEN SQLSTATE 'MR002' THEN RETURN 'DONE';
	WHEN SQLSTATE 'MR001' THEN RETURN 'no effect';
	WHEN OTHERS THEN RETURN SQLSTATE;
END
$$;

-- %1$s is the table, %2$s its first column, %3$s a constraint, %4$s a unique index and %5$s its columns.
CREATE TABLE regress_guard.attack (no integer GENERATED ALWAYS AS IDENTITY, attack text, on_rows boolean, statement text);
GRANT SELECT ON regress_guard.attack TO PUBLIC;
INSERT INTO regress_guard.attack (on_rows, attack, statement) VALUES
	(true, 'UPDATE', 'UPDATE %1$s SET %2$s = %2$s'),
	(true, 'UPDATE of no column that counts', 'UPDATE ONLY %1$s SET %2$s = DEFAULT'),
	(true, 'DELETE', 'DELETE FROM %1$s'),
	(true, 'TRUNCATE', 'TRUNCATE %1$s'),
	(true, 'TRUNCATE CASCADE', 'TRUNCATE ONLY %1$s RESTART IDENTITY CASCADE'),
	(true, 'MERGE UPDATE', 'MERGE INTO %1$s t USING (VALUES (1)) s ON true WHEN MATCHED THEN UPDATE SET %2$s = t.%2$s'),
	(true, 'MERGE DELETE', 'MERGE INTO %1$s t USING (VALUES (1)) s ON true WHEN MATCHED THEN DELETE'),
	(true, 'writable CTE', 'WITH gone AS (DELETE FROM %1$s RETURNING 1) SELECT FROM gone'),
	(true, 'UPDATE through a view', 'CREATE VIEW regress_guard.v AS SELECT * FROM %1$s; UPDATE regress_guard.v SET %2$s = %2$s'),
	(true, 'DELETE by a rule elsewhere', 'CREATE TABLE regress_guard.t (a integer);
		CREATE RULE r AS ON INSERT TO regress_guard.t DO ALSO DELETE FROM %1$s;
		ALTER TABLE regress_guard.t ENABLE ALWAYS RULE r; INSERT INTO regress_guard.t VALUES (1)'),
	(true, 'cursor', 'DO $do$ DECLARE c CURSOR FOR SELECT * FROM %1$s FOR UPDATE; r record;
		BEGIN OPEN c; FETCH c INTO r; IF FOUND THEN DELETE FROM %1$s WHERE CURRENT OF c; END IF; END $do$'),
	(true, 'INSERT of a row once more', 'INSERT INTO %1$s SELECT * FROM %1$s'),
	(true, 'COPY of the rows once more', format('COPY %%1$s TO %1$L; COPY %%1$s FROM %1$L',
		current_setting('data_directory') || '/regress_guard.copy')),
	(true, 'INSERT ON CONFLICT DO UPDATE',
		'INSERT INTO %1$s SELECT * FROM %1$s ON CONFLICT (%5$s) DO UPDATE SET %2$s = EXCLUDED.%2$s'),
	(false, 'ADD COLUMN', 'ALTER TABLE %1$s ADD COLUMN more integer'),
	(false, 'DROP COLUMN', 'ALTER TABLE %1$s DROP COLUMN %2$s CASCADE'),
	(false, 'RENAME COLUMN', 'ALTER TABLE %1$s RENAME COLUMN %2$s TO other'),
	(false, 'ALTER COLUMN SET DEFAULT', 'ALTER TABLE %1$s ALTER COLUMN %2$s SET DEFAULT NULL'),
	(false, 'ALTER COLUMN DROP NOT NULL', 'ALTER TABLE %1$s DROP CONSTRAINT %3$s CASCADE, ALTER COLUMN %2$s DROP NOT NULL'),
	(false, 'DISABLE TRIGGER', 'ALTER TABLE %1$s DISABLE TRIGGER guard_row'),
	(false, 'DISABLE TRIGGER ALL', 'ALTER TABLE %1$s DISABLE TRIGGER ALL'),
	(false, 'ENABLE REPLICA TRIGGER', 'ALTER TABLE %1$s ENABLE REPLICA TRIGGER guard_truncate'),
	(false, 'ALTER TRIGGER', 'ALTER TRIGGER guard_row ON %1$s RENAME TO zzz'),
	(false, 'DROP TRIGGER', 'DROP TRIGGER guard_row ON %1$s'),
	(false, 'CREATE TRIGGER', 'CREATE TRIGGER a BEFORE INSERT ON %1$s FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()'),
	(false, 'CREATE RULE', 'CREATE RULE a AS ON INSERT TO %1$s DO INSTEAD NOTHING'),
	(false, 'DISABLE ROW LEVEL SECURITY', 'ALTER TABLE %1$s DISABLE ROW LEVEL SECURITY'),
	(false, 'FORCE ROW LEVEL SECURITY', 'ALTER TABLE %1$s FORCE ROW LEVEL SECURITY'),
	(false, 'CREATE POLICY', 'CREATE POLICY all_of_it ON %1$s USING (true)'),
	(false, 'ALTER POLICY', 'ALTER POLICY readable ON %1$s USING (true)'),
	(false, 'DROP POLICY', 'DROP POLICY readable ON %1$s'),
	(false, 'DROP CONSTRAINT', 'ALTER TABLE %1$s DROP CONSTRAINT %3$s'),
	(false, 'ADD CONSTRAINT', 'ALTER TABLE %1$s ADD CHECK (%2$s IS NULL) NOT VALID'),
	(false, 'SET SCHEMA', 'ALTER TABLE %1$s SET SCHEMA regress_guard'),
	(false, 'RENAME', 'ALTER TABLE %1$s RENAME TO other'),
	(false, 'OWNER TO', 'ALTER TABLE %1$s OWNER TO regress_guard_super'),
	(false, 'SET UNLOGGED', 'ALTER TABLE %1$s SET UNLOGGED'),
	(false, 'INHERITS', 'CREATE TABLE regress_guard.child () INHERITS (%1$s)'),
	(false, 'INHERIT', 'CREATE TABLE regress_guard.child (LIKE %1$s INCLUDING ALL); ALTER TABLE regress_guard.child INHERIT %1$s'),
	(false, 'INHERIT from outside', 'CREATE TABLE regress_guard.parent (); ALTER TABLE %1$s INHERIT regress_guard.parent'),
	(false, 'unique index', 'CREATE UNIQUE INDEX ON %1$s (%2$s, (%2$s IS NULL))'),
	(false, 'index on an expression', 'CREATE INDEX ON %1$s ((%2$s IS NULL))'),
	(false, 'index with a predicate', 'CREATE INDEX ON %1$s (%2$s) WHERE %2$s IS NULL'),
	(false, 'ALTER INDEX RENAME', 'ALTER INDEX %4$s RENAME TO zzz'),
	(false, 'DROP TABLE', 'DROP TABLE %1$s'),
	(false, 'DROP TABLE CASCADE', 'DROP TABLE %1$s CASCADE'),
	(false, 'ALTER EXTENSION DROP TABLE', 'ALTER EXTENSION modelreg DROP TABLE %1$s');

-- A row trigger shows nothing without a row.
CREATE FUNCTION regress_guard.is_empty(name text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', name) INTO result;
	RETURN result;
END
$$;
-- No table is left out, for want of a key or of rows.
SELECT count(*) = (SELECT count(*) FROM regress_guard.target) AS all_tables FROM pg_class c
WHERE c.relnamespace = 'modelreg'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition;
SELECT name AS empty_table FROM regress_guard.target WHERE regress_guard.is_empty(name) ORDER BY 1;

CREATE FUNCTION regress_guard.attack_all(who text, only_rows boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO regress_guard.outcome
	SELECT a.no, a.attack, who, t.name,
		regress_guard.attempt(format(a.statement, t.name, t.first_column, t.constraint, t.index, t.key),
			CASE WHEN a.on_rows THEN t.name ELSE '' END)
	FROM regress_guard.attack a, regress_guard.target t
	WHERE CASE WHEN a.on_rows THEN NOT regress_guard.is_empty(t.name) ELSE NOT only_rows END;
END
$$;

-- What all tables hold.
CREATE FUNCTION regress_guard.content() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	item record;
	part text;
	whole text := '';
BEGIN
	FOR item IN SELECT * FROM regress_guard.target ORDER BY name LOOP
		EXECUTE format('SELECT md5(string_agg(t::text, '','' ORDER BY t::text)) FROM %s t', item.name) INTO part;
		whole := md5(whole || item.name || coalesce(part, ''));
	END LOOP;
	RETURN whole;
END
$$;
SELECT regress_guard.content() AS before \gset

-- As the owner, who is a superuser; as another superuser whose session replays; with all privileges; with none.
SELECT regress_guard.attack_all('owner');
SET SESSION AUTHORIZATION regress_guard_super;
SET session_replication_role = replica;
SELECT regress_guard.attack_all('replica');
RESET session_replication_role;
RESET SESSION AUTHORIZATION;
GRANT ALL ON ALL TABLES IN SCHEMA modelreg TO regress_guard_granted;
SET ROLE regress_guard_granted;
SELECT regress_guard.attack_all('granted', only_rows => true);
RESET ROLE;
REVOKE ALL ON ALL TABLES IN SCHEMA modelreg FROM regress_guard_granted;
SET ROLE regress_guard_nobody;
SELECT regress_guard.attack_all('nobody');
RESET ROLE;

SELECT attack,
	string_agg(DISTINCT result, ', ') FILTER (WHERE who = 'owner') AS owner,
	string_agg(DISTINCT result, ', ') FILTER (WHERE who = 'replica') AS replica,
	string_agg(DISTINCT result, ', ') FILTER (WHERE who = 'granted') AS granted,
	string_agg(DISTINCT result, ', ') FILTER (WHERE who = 'nobody') AS nobody
FROM regress_guard.outcome GROUP BY attack_no, attack ORDER BY attack_no;
SELECT attack, who, target FROM regress_guard.outcome WHERE result = 'DONE' ORDER BY attack_no, who, target;
SELECT regress_guard.content() = :'before' AS unchanged;

-- What is no table, and what drops everything.
TRUNCATE regress_guard.outcome;
TRUNCATE regress_guard.attack;
ALTER TABLE regress_guard.attack ALTER COLUMN on_rows SET DEFAULT false;
INSERT INTO regress_guard.attack (attack, statement) VALUES
	('DROP EXTENSION', 'DROP EXTENSION modelreg'),
	('DROP EXTENSION CASCADE', 'DROP EXTENSION IF EXISTS modelreg CASCADE'),
	('DROP SCHEMA', 'DROP SCHEMA modelreg'),
	('DROP SCHEMA CASCADE', 'DROP SCHEMA modelreg CASCADE'),
	('DROP OWNED', 'DROP OWNED BY ' || (SELECT extowner::regrole FROM pg_extension WHERE extname = 'modelreg') || ' CASCADE'),
	('REASSIGN OWNED', 'REASSIGN OWNED BY ' || (SELECT extowner::regrole FROM pg_extension WHERE extname = 'modelreg')
		|| ' TO regress_guard_super'),
	('ALTER SCHEMA RENAME', 'ALTER SCHEMA modelreg RENAME TO other'),
	('ALTER SCHEMA OWNER', 'ALTER SCHEMA modelreg OWNER TO regress_guard_nobody'),
	('ALTER EXTENSION SET SCHEMA', 'ALTER EXTENSION modelreg SET SCHEMA public'),
	('ALTER EXTENSION ADD', 'CREATE FUNCTION modelreg.more() RETURNS void LANGUAGE sql AS ''''; ALTER EXTENSION modelreg ADD FUNCTION modelreg.more()'),
	('ALTER EXTENSION DROP', 'ALTER EXTENSION modelreg DROP FUNCTION modelreg.guard_row()'),
	('ALTER EXTENSION DROP EVENT TRIGGER', 'ALTER EXTENSION modelreg DROP EVENT TRIGGER modelreg_ddl_end'),
	('ALTER EVENT TRIGGER', 'ALTER EVENT TRIGGER modelreg_ddl_start DISABLE'),
	('ALTER EVENT TRIGGER OWNER', 'ALTER EVENT TRIGGER modelreg_ddl_end OWNER TO regress_guard_super'),
	('DROP EVENT TRIGGER', 'DROP EVENT TRIGGER modelreg_ddl_end CASCADE'),
	('CREATE OR REPLACE FUNCTION',
		'CREATE OR REPLACE FUNCTION modelreg.guard_row() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END'''),
	('ALTER FUNCTION', 'ALTER FUNCTION modelreg.create_team(text, text) SECURITY DEFINER'),
	('ALTER FUNCTION SET', 'ALTER FUNCTION modelreg.readable_teams() SET search_path = public'),
	('ALTER FUNCTION RENAME', 'ALTER FUNCTION modelreg.readable_teams() RENAME TO other'),
	('DROP FUNCTION', 'DROP FUNCTION modelreg.readable_teams() CASCADE'),
	('CREATE OR REPLACE VIEW', 'DO $do$ BEGIN EXECUTE ''CREATE OR REPLACE VIEW modelreg.events AS ''
		|| replace(pg_get_viewdef(''modelreg.events''::regclass), '';'', '' WHERE true;''); END $do$'),
	('ALTER VIEW', 'ALTER VIEW modelreg.events SET (security_invoker = false)'),
	('ALTER VIEW RESET', 'ALTER VIEW modelreg.events RESET (security_barrier)'),
	('ALTER VIEW RENAME COLUMN', 'ALTER VIEW modelreg.events RENAME COLUMN kind TO sort'),
	('rule on a view', 'CREATE RULE a AS ON INSERT TO modelreg.events DO INSTEAD NOTHING'),
	('DROP VIEW', 'DROP VIEW modelreg.events'),
	('ALTER SEQUENCE', 'ALTER SEQUENCE modelreg.team_id_seq RESTART CACHE 10'),
	('ALTER SEQUENCE OWNED BY', 'ALTER SEQUENCE modelreg.team_id_seq OWNED BY NONE'),
	('ALTER SEQUENCE RENAME', 'ALTER SEQUENCE modelreg.team_id_seq RENAME TO other'),
	('DROP SEQUENCE', 'DROP SEQUENCE modelreg.team_id_seq'),
	('DROP INDEX', 'DROP INDEX modelreg.event_team_at'),
	('ALTER INDEX NO DEPENDS', 'ALTER INDEX modelreg.event_team_at NO DEPENDS ON EXTENSION modelreg; DROP INDEX modelreg.event_team_at'),
	('ALTER TYPE', 'ALTER TYPE modelreg.digest RENAME TO other'),
	('DROP TYPE', 'DROP TYPE modelreg.digest CASCADE'),
	('DROP OPERATOR', 'DROP OPERATOR modelreg.= (modelreg.digest, modelreg.digest) CASCADE'),
	('lo_unlink', 'SELECT lo_unlink(' || (SELECT max(object) FROM modelreg.blob) || ')'),
	('lo_unlink of an open upload', 'SELECT lo_unlink(' || (SELECT max(object) FROM modelreg.upload) || ')'),
	('foreign key', 'CREATE TABLE regress_guard.t (team bigint REFERENCES modelreg.team ON DELETE CASCADE)'),
	('foreign key, later', 'CREATE TABLE regress_guard.t (team bigint); ALTER TABLE regress_guard.t ADD FOREIGN KEY (team) REFERENCES modelreg.team'),
	('inherited besides another', 'CREATE TABLE regress_guard.t (); CREATE TABLE regress_guard.u () INHERITS (regress_guard.t, modelreg.team)'),
	('in CREATE SCHEMA', 'CREATE SCHEMA regress_guard_more CREATE TABLE t (team bigint REFERENCES modelreg.team)');

CREATE FUNCTION regress_guard.attack_once(who text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO regress_guard.outcome
	SELECT no, attack, who, NULL, regress_guard.attempt(statement, '') FROM regress_guard.attack ORDER BY no
$$;
SELECT regress_guard.attack_once('owner');
SET SESSION AUTHORIZATION regress_guard_super;
SET session_replication_role = replica;
SELECT regress_guard.attack_once('replica');
RESET session_replication_role;
RESET SESSION AUTHORIZATION;
SET ROLE regress_guard_nobody;
SELECT regress_guard.attack_once('nobody');
RESET ROLE;
SELECT attack,
	min(result) FILTER (WHERE who = 'owner') AS owner,
	min(result) FILTER (WHERE who = 'replica') AS replica,
	min(result) FILTER (WHERE who = 'nobody') AS nobody
FROM regress_guard.outcome GROUP BY attack_no, attack ORDER BY attack_no;
SELECT regress_guard.content() = :'before' AS unchanged;

-- How it is said.
\set VERBOSITY default
UPDATE modelreg.event SET kind = 'other';
TRUNCATE modelreg.event;
ALTER TABLE modelreg.event DISABLE TRIGGER guard_row;
DROP INDEX modelreg.event_team_at;
DROP INDEX CONCURRENTLY modelreg.event_team_at;
CREATE UNIQUE INDEX CONCURRENTLY ON modelreg.event (hash);
CREATE INDEX ON modelreg.event (lower(kind));
CREATE TABLE regress_guard.child () INHERITS (modelreg.event);
DO $$
DECLARE
	reason text;
BEGIN
	DELETE FROM modelreg.event;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
	GET STACKED DIAGNOSTICS reason = CONSTRAINT_NAME;
	RAISE WARNING '%', reason;
END
$$;
-- The setting for removal lets nobody change a row, and is not everybody's.
SET modelreg.allow_removal = on;
UPDATE modelreg.event SET kind = 'other';
TRUNCATE modelreg.event;
RESET modelreg.allow_removal;
SET ROLE regress_guard_nobody;
SET modelreg.allow_removal = on;
RESET ROLE;
ALTER ROLE regress_guard_super SET modelreg.allow_removal = on;
CREATE FUNCTION regress_guard.lifted() RETURNS void LANGUAGE sql SET modelreg.allow_removal = on AS '';
-- The trigger functions are of no use elsewhere.
CREATE TABLE regress_guard.mine (a integer);
CREATE TRIGGER a BEFORE INSERT ON regress_guard.mine FOR EACH ROW EXECUTE FUNCTION modelreg.guard_row();
CREATE TRIGGER b BEFORE INSERT ON regress_guard.mine FOR EACH STATEMENT EXECUTE FUNCTION modelreg.guard_truncate();
INSERT INTO regress_guard.mine VALUES (1);
ALTER TABLE regress_guard.mine DISABLE TRIGGER b;
INSERT INTO regress_guard.mine VALUES (1);
CREATE EVENT TRIGGER regress_guard ON sql_drop EXECUTE FUNCTION modelreg.guard_ddl_end();
DROP TABLE regress_guard.mine;
DROP EVENT TRIGGER regress_guard;
DROP TABLE regress_guard.mine;

-- Ordinary maintenance passes: an error would be shown. Each is done to every table.
\set ECHO none
SELECT format('VACUUM (FULL, ANALYZE) %s', name) FROM regress_guard.target \gexec
SELECT format('VACUUM (FREEZE, ANALYZE) %s', name) FROM regress_guard.target \gexec
SELECT format('ANALYZE %s', name) FROM regress_guard.target \gexec
SELECT format('REINDEX TABLE %s', name) FROM regress_guard.target \gexec
SELECT format('REINDEX TABLE CONCURRENTLY %s', name) FROM regress_guard.target \gexec
SELECT format('CLUSTER %s USING %I', t.name, c.relname) FROM regress_guard.target t JOIN pg_class c ON c.oid = t.index::regclass \gexec
SELECT format('ALTER TABLE %s SET WITHOUT CLUSTER', name) FROM regress_guard.target \gexec
SELECT format('ALTER TABLE %s SET (autovacuum_vacuum_threshold = 51, parallel_workers = 2)', name) FROM regress_guard.target \gexec
SELECT format('ALTER TABLE %s RESET (autovacuum_vacuum_threshold, parallel_workers)', name) FROM regress_guard.target \gexec
SELECT format('ALTER INDEX %s SET (fillfactor = 91)', index) FROM regress_guard.target \gexec
SELECT format('ALTER INDEX %s RESET (fillfactor)', index) FROM regress_guard.target \gexec
SELECT format('ALTER TABLE %s ALTER COLUMN %s SET STATISTICS 500', name, first_column) FROM regress_guard.target \gexec
SELECT format('ALTER TABLE %s ALTER COLUMN %s SET STATISTICS -1', name, first_column) FROM regress_guard.target \gexec
SELECT format('ALTER TABLE %s ALTER COLUMN %s SET (n_distinct = 7)', name, first_column) FROM regress_guard.target \gexec
SELECT format('ALTER TABLE %s ALTER COLUMN %s RESET (n_distinct)', name, first_column) FROM regress_guard.target \gexec
SELECT format('ALTER TABLE %s REPLICA IDENTITY FULL', name) FROM regress_guard.target \gexec
SELECT format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', name) FROM regress_guard.target \gexec
SELECT format('ALTER TABLE %s SET TABLESPACE pg_default', name) FROM regress_guard.target \gexec
SELECT format('CREATE INDEX regress_guard_added ON %s (%s)', name, first_column),
	'ALTER INDEX modelreg.regress_guard_added RENAME TO regress_guard_renamed',
	'DROP INDEX modelreg.regress_guard_renamed' FROM regress_guard.target \gexec
SELECT format('CREATE INDEX CONCURRENTLY regress_guard_added ON %s (%s DESC) INCLUDE (%2$s)', name, first_column),
	'DROP INDEX CONCURRENTLY modelreg.regress_guard_added' FROM regress_guard.target \gexec
SELECT format('CREATE STATISTICS regress_guard.s ON %s, (%1$s IS NULL) FROM %s', first_column, name),
	'DROP STATISTICS regress_guard.s' FROM regress_guard.target \gexec
SELECT format('COMMENT ON TABLE %s IS %L', name, obj_description(oid, 'pg_class')) FROM regress_guard.target \gexec
SELECT format('GRANT SELECT, REFERENCES ON %s TO regress_guard_granted', name),
	format('REVOKE ALL ON %s FROM regress_guard_granted', name) FROM regress_guard.target \gexec
SELECT format('CREATE VIEW regress_guard.v AS SELECT * FROM %s', name), 'DROP VIEW regress_guard.v' FROM regress_guard.target \gexec
\set ECHO all
REINDEX SCHEMA modelreg;
-- The server warns where wal_level is not logical.
SET client_min_messages = error;
CREATE PUBLICATION regress_guard FOR TABLES IN SCHEMA modelreg;
RESET client_min_messages;
DROP PUBLICATION regress_guard;
GRANT ALL ON SCHEMA modelreg TO regress_guard_granted;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA modelreg TO regress_guard_granted;
REVOKE ALL ON SCHEMA modelreg FROM regress_guard_granted;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA modelreg FROM regress_guard_granted;
ALTER DEFAULT PRIVILEGES IN SCHEMA modelreg GRANT SELECT ON TABLES TO regress_guard_granted;
ALTER DEFAULT PRIVILEGES IN SCHEMA modelreg REVOKE SELECT ON TABLES FROM regress_guard_granted;
ALTER EXTENSION modelreg UPDATE;
SELECT regress_guard.content() = :'before' AS unchanged;

-- After all this the registry does its work.
SELECT modelreg.create_model('guard.other', policy => 'open') > 0 AS model;

SET client_min_messages = warning;
DROP SCHEMA regress_guard CASCADE;
DROP ROLE regress_guard_super;
DROP ROLE regress_guard_granted;
DROP ROLE regress_guard_nobody;
