-- What a superuser can force past the guard, verify() finds: rows put in, and rows changed or deleted with the triggers off,
-- in every table that the catalog lists and in every column of it. Each is undone.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT modelreg.create_team('behind', request_id => 'behind') > 0 AS team;
SELECT modelreg.create_model('behind.model', policy => 'open', description => 'To be forged') > 0 AS model;
SELECT modelreg.record_snapshot('behind.events', '2026-06-01', rows => 1000);
SELECT modelreg.record_run('behind.train', inputs => '{"training": ["snapshot:behind.events@2026-06-01"]}');
SELECT modelreg.begin_upload('behind', 9, request_id => 'weights') AS upload \gset
SELECT modelreg.append_upload(:upload, 0, 'weights 2');
SELECT modelreg.finish_upload(:upload) IS NOT NULL AS sealed;
SELECT modelreg.register_version('behind.model', run => 'run:behind.train', params => '{"depth": 6}', metrics => '{"ndcg@10": 0.4}',
	artifacts => format('[{"name": "weights", "upload": %s}, {"name": "prep", "uri": "s3://m/prep", "size": 3,
		"digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]', :upload)::jsonb, description => 'To be forged');
SELECT modelreg.set_tag('behind.model', 'team', 'ranking');
SELECT modelreg.set_alias('behind.model', 'champion', 1) > 0 AS alias;
SELECT modelreg.promote('behind.model', 1, 'Production') > 0 AS promoted;
SELECT modelreg.create_endpoint('behind.home', 'behind.model') > 0 AS endpoint;
SELECT modelreg.promote('behind.model', modelreg.register_version('behind.model'), 'Production') > 0 AS replaced;
SELECT modelreg.forbid_policy('behind', 'high-risk');
SELECT modelreg.create_model('behind.strict', policy => 'standard') > 0 AS model;
SELECT modelreg.register_version('behind.strict');
SELECT modelreg.attempt_promotion('behind.strict', 1, 'Staging') > 0 AS refused;
SELECT modelreg.register_key('signer', E'-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAZndTBnZc7wbqhbp8PKTas0M2R+sGXf2BxxQNvvq4Nzg=\n-----END PUBLIC KEY-----', 'behind') IS NOT NULL AS key;
SELECT modelreg.record_attestation('behind.model', 1, '{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoicHJlcCIsImRpZ2VzdCI6eyJzaGEyNTYiOiJiYTc4MTZiZjhmMDFjZmVhNDE0MTQwZGU1ZGFlMjIyM2IwMDM2MWEzOTYxNzdhOWNiNDEwZmY2MWYyMDAxNWFkIn19XSwicHJlZGljYXRlVHlwZSI6Imh0dHBzOi8vc2xzYS5kZXYvcHJvdmVuYW5jZS92MSIsInByZWRpY2F0ZSI6e319","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"KyBif+m+BOMJOF3XEaWOgn2K3QVvktoM1BVnoOFx4Yv59hG4TMAq08PktYLfHjFha3bIAFisfDL+sRcV/qzsDw=="}]}') > 0 AS attested;
SELECT modelreg.revoke_key('signer', 'stolen', 'behind', compromised_since => '2020-01-01');
SELECT modelreg.quarantine('run:behind.train', 'to be looked into') > 0 AS quarantined;
CREATE ROLE regress_behind_evaluator;
SELECT modelreg.grant_level('behind', 'regress_behind_evaluator', l) FROM unnest('{evaluator,reviewer}'::text[]) l;
SELECT modelreg.grant_registry_right(session_user, 'pooler');
SELECT modelreg.emergency_promote('behind.strict', 1, 'Staging', 'to be asked about') > 0 AS emergency;
SELECT modelreg.request_policy('behind.strict', 'open', 1) > 0 AS requested;
SET ROLE regress_behind_evaluator;
SELECT modelreg.approve(request, evidence) > 0 AS approved FROM modelreg.promotion_requests r, modelreg.review(r.request) WHERE r.model = 'behind.strict';
RESET ROLE;
SELECT modelreg.revoke_registry_right(session_user, 'pooler');
SELECT modelreg.place_hold('behind.strict', NULL, 'to be looked into') > 0 AS held;
SELECT modelreg.purge_version('behind.model', modelreg.register_version('behind.model'), 'of no use') > 0 AS purged;
-- verify() is called for each, on next to nothing; to start parallel workers would take most of the time.
SET max_parallel_workers_per_gather = 0;

CREATE SCHEMA regress_guard;
CREATE VIEW regress_guard.target AS
	SELECT c.oid, c.oid::regclass::text AS name, c.relname FROM pg_class c
	WHERE c.relnamespace = 'modelreg'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		-- Of uploads, and of what is observed and predicted while models serve, nothing is promised.
		AND c.relname NOT IN ('upload', 'instance_report', 'quality_observation', 'rollout_evidence', 'prediction');

-- What verify() says after a change.
CREATE FUNCTION regress_guard.found(statement text, deep boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	checks text;
BEGIN
	EXECUTE statement;
	SELECT string_agg(DISTINCT check_name, ', ') INTO checks FROM modelreg.verify(NULL, deep);
	RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = coalesce(checks, 'NOT FOUND');
EXCEPTION
	WHEN SQLSTATE 'MR001' THEN RETURN SQLERRM;
	WHEN integrity_constraint_violation THEN RETURN SQLSTATE;
END
$$;

-- A row like one that is there, under another key and with the hash that it should have.
CREATE FUNCTION regress_guard.forgery(target regress_guard.target) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	forged jsonb;
	item record;
	columns text;
BEGIN
	EXECUTE format('SELECT to_jsonb(t) FROM %s t LIMIT 1', target.name) INTO forged;
	FOR item IN
		SELECT a.attname AS name, a.atttypid::regtype::text AS type FROM pg_index x
			JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey[0:x.indnkeyatts - 1])
		WHERE x.indrelid = target.oid AND x.indisunique
			AND (x.indnkeyatts = 1 OR NOT a.attname = ANY ('{chain,team_id,kind,role,level}'))
			AND a.atttypid <> 'timestamptz'::regtype
	LOOP
		forged := forged || jsonb_build_object(item.name, CASE
			WHEN item.type IN ('bigint', 'integer', 'oid') THEN to_jsonb((forged->>item.name)::bigint + 1000000)
			WHEN item.type = 'bytea' THEN to_jsonb(sha256('forged'))
			WHEN item.type = 'modelreg.digest' THEN to_jsonb(modelreg.sha256_digest('forged'))
			ELSE to_jsonb(forged->>item.name || 'x') END);
	END LOOP;
	IF forged ? 'hash' THEN
		SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute
		WHERE attrelid = target.oid AND attnum BETWEEN 1 AND (SELECT attnum - 1 FROM pg_attribute
			WHERE attrelid = target.oid AND attname = 'hash');
		EXECUTE format('SELECT $1 || jsonb_build_object(''hash'', modelreg.row_hash(%L, format, %s))
			FROM jsonb_populate_record(NULL::%s, $1)', target.relname, columns, target.name)
		INTO forged USING forged;
	END IF;
	RETURN forged;
END
$$;

-- All is well before.
SELECT * FROM modelreg.verify(NULL, true);

-- INSERT and COPY have no trigger, because a restore uses them.
CREATE TABLE regress_guard.outcome AS
SELECT t.relname, 'INSERT' AS change, regress_guard.found(format(
	'INSERT INTO %s SELECT * FROM jsonb_populate_record(NULL::%1$s, %L)', t.name, regress_guard.forgery(t))) AS result
FROM regress_guard.target t;
INSERT INTO regress_guard.outcome
SELECT t.relname, 'COPY', regress_guard.found(format(
	'COPY (SELECT * FROM jsonb_populate_record(NULL::%1$s, %L)) TO %L; COPY %1$s FROM %3$L',
	t.name, regress_guard.forgery(t), current_setting('data_directory') || '/regress_guard.copy'))
FROM regress_guard.target t;

-- With the guard off for a moment, and put back as it was.
SET modelreg.allow_removal = on;
CREATE FUNCTION regress_guard.unguarded(name text, statement text) RETURNS text LANGUAGE sql AS $$
	SELECT regress_guard.found(format('ALTER TABLE %s DISABLE TRIGGER ALL; %s;
		ALTER TABLE %1$s ENABLE ALWAYS TRIGGER guard_row, ENABLE ALWAYS TRIGGER guard_truncate', name, statement))
$$;
INSERT INTO regress_guard.outcome
SELECT t.relname, 'DELETE', regress_guard.unguarded(t.name, format('DELETE FROM %s', t.name))
FROM regress_guard.target t;
INSERT INTO regress_guard.outcome
SELECT t.relname, 'DELETE of one', regress_guard.unguarded(t.name, format(
	'DELETE FROM %s WHERE ctid = (SELECT max(ctid) FROM %1$s)', t.name))
FROM regress_guard.target t;

-- Another value of the same type, in each column of the last row.
CREATE FUNCTION regress_guard.other_value(type text, name text) RETURNS text LANGUAGE sql AS $$
	SELECT format(CASE
		WHEN type LIKE '%[]' THEN 'array_append(%I, NULL)'
		WHEN type IN ('bigint', 'integer', 'smallint', 'oid', 'double precision') THEN 'coalesce(%I::bigint, 0) + 1'
		WHEN type = 'text' THEN 'coalesce(%I, '''') || ''x'''
		WHEN type = 'bytea' THEN 'sha256(coalesce(%I, ''''))'
		WHEN type = 'jsonb' THEN 'coalesce(%I, ''{}'') || ''{"forged": 1}'''
		WHEN type = 'boolean' THEN 'NOT coalesce(%I, false)'
		WHEN type = 'interval' THEN 'coalesce(%I, ''0'') + interval ''1 second'''
		WHEN type = 'uuid' THEN 'gen_random_uuid()'
		WHEN type = 'tsvector' THEN 'coalesce(%I, '''') || ''forged'''
		WHEN type = 'timestamp with time zone' THEN 'CASE WHEN isfinite(%I) THEN %1$I - interval ''1 second'' ELSE now() END'
		WHEN type = 'modelreg.digest' THEN 'modelreg.sha256_digest(''forged'')'
		WHEN type = 'modelreg.stage' THEN 'CASE %I::text WHEN ''Archived'' THEN ''Staging'' ELSE ''Archived'' END::modelreg.stage'
		END, name)
$$;
INSERT INTO regress_guard.outcome
SELECT t.relname, 'UPDATE of ' || a.attname, regress_guard.unguarded(t.name, format(
	'UPDATE %s SET %I = %s WHERE ctid = (SELECT max(ctid) FROM %1$s)', t.name, a.attname,
	regress_guard.other_value(a.atttypid::regtype::text, a.attname)))
FROM regress_guard.target t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped;
INSERT INTO regress_guard.outcome VALUES
	('payload', 'redaction without an event', regress_guard.unguarded('modelreg.payload',
		'UPDATE modelreg.payload SET salt = NULL, body = NULL WHERE ctid = (SELECT max(ctid) FROM modelreg.payload)')),
	('payload', 'a redacted text that never was', regress_guard.found(
		'INSERT INTO modelreg.payload SELECT sha256(''forged''), team_id, NULL, NULL FROM modelreg.payload LIMIT 1'));

-- The same row twice, behind the back of the indexes: that folds agree with the events does not show it.
SELECT t.relname, f.result FROM regress_guard.target t, LATERAL (SELECT string_agg(CASE WHEN n.conname IS NULL THEN format('DROP INDEX %s', x.indexrelid::regclass::text)
		ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', t.name, n.conname) END, '; ') AS indexes
	FROM pg_index x LEFT JOIN pg_constraint n ON n.conindid = x.indexrelid WHERE x.indrelid = t.oid AND x.indisunique) d,
	regress_guard.found(format('%s; INSERT INTO %s SELECT t.* FROM %2$s t LIMIT 1', d.indexes, t.name)) f(result)
WHERE t.relname IN ('quarantine', 'legal_hold', 'purged_version', 'alias') ORDER BY 1;

RESET modelreg.allow_removal;

-- What no event tells of: when bytes were sealed, where the registry was written last, and what a caller has used a request id for.
SELECT relname, change FROM regress_guard.outcome WHERE result = 'NOT FOUND' ORDER BY 1, 2;
-- Nothing else than a constraint or verify() stood in the way, and each was tried.
SELECT count(DISTINCT relname) = (SELECT count(*) FROM regress_guard.target) AS all_tables,
	count(*) FILTER (WHERE change LIKE 'UPDATE%') = (SELECT count(*) FROM regress_guard.target t
		JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped) AS all_columns,
	bool_and(result IS NOT NULL) AS all_results
FROM regress_guard.outcome;
SELECT change, string_agg(DISTINCT result, '; ' ORDER BY result) FILTER (WHERE result ~ '^23') AS refused_by_constraint,
	count(*) FILTER (WHERE result !~ '^23' AND result <> 'NOT FOUND') > 0 AS found
FROM regress_guard.outcome WHERE change NOT LIKE 'UPDATE%' GROUP BY change ORDER BY change;

-- Bytes: a superuser writes to a large object, drops it in a catalog, or takes it over.
SELECT max(object) AS object FROM modelreg.blob \gset
SELECT regress_guard.found(format('SELECT lo_put(%s, 3, ''W'')', :object)) AS lo_put_shallow,
	regress_guard.found(format('SELECT lo_put(%s, 3, ''W'')', :object), deep => true) AS lo_put,
	regress_guard.found(format('SELECT lo_put(%s, 9, ''more'')', :object)) AS lo_put_longer,
	regress_guard.found(format('DELETE FROM pg_largeobject WHERE loid = %s', :object)) AS emptied,
	regress_guard.found(format('DELETE FROM pg_largeobject_metadata WHERE oid = %s', :object)) AS removed,
	regress_guard.found(format('GRANT UPDATE ON LARGE OBJECT %s TO PUBLIC', :object)) AS granted,
	regress_guard.found(format('CREATE ROLE regress_taker; ALTER LARGE OBJECT %s OWNER TO regress_taker', :object)) AS taken;
SET modelreg.allow_removal = on;
SELECT regress_guard.found(format('SELECT lo_unlink(%s)', :object)) AS lo_unlink;

-- The guard itself: each of these leaves the rows as they are, and opens them.
CREATE FUNCTION regress_guard.findings(statement text) RETURNS TABLE (object text, detail text) LANGUAGE plpgsql AS $$
DECLARE
	told text[];
BEGIN
	EXECUTE statement;
	SELECT array_agg(v.object || '|' || v.detail) INTO told FROM modelreg.verify() v WHERE v.check_name = 'guard';
	RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = coalesce(array_to_string(told, E'\n'), 'NOT|FOUND');
EXCEPTION WHEN SQLSTATE 'MR001' THEN
	RETURN QUERY SELECT split_part(line, '|', 1), split_part(line, '|', 2) FROM regexp_split_to_table(SQLERRM, E'\n') line;
END
$$;
SELECT f.* FROM (VALUES
	('ALTER TABLE modelreg.event DISABLE TRIGGER guard_row'),
	('ALTER TABLE modelreg.event ENABLE TRIGGER guard_truncate'),
	('DROP TRIGGER guard_row ON modelreg.event'),
	('CREATE OR REPLACE TRIGGER guard_row BEFORE UPDATE OR DELETE ON modelreg.event FOR EACH ROW WHEN (false)
		EXECUTE FUNCTION modelreg.guard_row(); ALTER TABLE modelreg.event ENABLE ALWAYS TRIGGER guard_row'),
	('CREATE TRIGGER a BEFORE INSERT ON modelreg.event FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()'),
	('CREATE RULE quiet AS ON DELETE TO modelreg.event DO INSTEAD NOTHING'),
	('ALTER TABLE modelreg.event DISABLE ROW LEVEL SECURITY'),
	('CREATE POLICY all_of_it ON modelreg.event USING (true)'),
	('DROP POLICY readable ON modelreg.event'),
	('CREATE TABLE regress_guard.child () INHERITS (modelreg.event)'),
	('ALTER EXTENSION modelreg DROP TABLE modelreg.event'),
	('UPDATE pg_class SET relhastriggers = false WHERE oid = ''modelreg.event''::regclass'),
	('CREATE FUNCTION modelreg.promote(text, integer, text) RETURNS bigint LANGUAGE sql AS ''SELECT 1::bigint'''),
	('ALTER EVENT TRIGGER modelreg_ddl_end DISABLE'),
	('ALTER EVENT TRIGGER modelreg_ddl_start ENABLE'),
	('ALTER EXTENSION modelreg DROP EVENT TRIGGER modelreg_ddl_start; DROP EVENT TRIGGER modelreg_ddl_start'),
	('ALTER FUNCTION modelreg.create_team(text, text) SECURITY DEFINER'),
	('CREATE OR REPLACE FUNCTION modelreg.guard_row() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END'''),
	('CREATE OR REPLACE FUNCTION modelreg.readable_teams() RETURNS bigint[] LANGUAGE sql STABLE AS ''SELECT ARRAY[1::bigint]'''),
	('CREATE OR REPLACE FUNCTION modelreg.guard_row() RETURNS trigger LANGUAGE c AS ''$libdir/modelreg'', ''modelreg_guard_truncate'''),
	('ALTER POLICY readable ON modelreg.event USING (true)'),
	('ALTER POLICY readable ON modelreg.blob USING (true)'),
	('ALTER POLICY readable ON modelreg.signing_key USING (true)'),
	('ALTER TABLE modelreg.event DROP CONSTRAINT event_hash; ALTER TABLE modelreg.event ADD CONSTRAINT event_hash CHECK (true)'),
	('ALTER TABLE modelreg.node DROP CONSTRAINT node_order'),
	('ALTER TABLE modelreg.alias DROP CONSTRAINT alias_pkey'),
	('DROP INDEX modelreg.model_live_name; CREATE UNIQUE INDEX model_live_name ON modelreg.model (team_id, name) WHERE name = ''reco'''),
	('UPDATE pg_index SET indisvalid = false WHERE indexrelid = ''modelreg.alias_pkey''::regclass'),
	('ALTER VIEW modelreg.events RESET (security_invoker)'),
	('ALTER SEQUENCE modelreg.node_id_seq CACHE 10'),
	('ALTER TABLE modelreg.alias SET UNLOGGED'),
	('UPDATE pg_extension SET extcondition[array_position(extconfig, ''modelreg.event''::regclass)] = ''WHERE false'' WHERE extname = ''modelreg'''),
	('CREATE ROLE regress_owner; GRANT CREATE ON SCHEMA modelreg TO regress_owner; ALTER TABLE modelreg.alias OWNER TO regress_owner'),
	('ALTER FUNCTION modelreg.readable_teams() SET search_path = public')
) s(statement), regress_guard.findings(s.statement) f;
RESET modelreg.allow_removal;

-- A CHECK that is another one by now holds at once, in a session that has written rows before.
\set VERBOSITY terse
SELECT modelreg.create_team('regress-checks') > 0 AS made, modelreg.record_run('regress-checks.before');
BEGIN;
SET LOCAL modelreg.allow_removal = on;
ALTER TABLE modelreg.node DROP CONSTRAINT node_order;
ALTER TABLE modelreg.node ADD CONSTRAINT node_order CHECK (name <> 'refused');
SAVEPOINT s;
SELECT modelreg.record_run('regress-checks.refused');
ROLLBACK TO s;
SELECT modelreg.record_run('regress-checks.other');
ROLLBACK;
SELECT modelreg.record_run('regress-checks.refused');
\set VERBOSITY default

-- And all is well again.
SELECT * FROM modelreg.verify(NULL, true);
DROP SCHEMA regress_guard CASCADE;
