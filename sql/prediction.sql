-- The log of predictions: partitions, who may record, what is refused, what goes after its time. Days are far from the present, as other
-- topics have partitions of theirs.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET timezone = 'America/New_York';
CREATE FUNCTION pg_temp.attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; why text; detail text; hint text; result text;
BEGIN
	IF call !~ '^SELECT' THEN
		EXECUTE call;
		RETURN 'done';
	END IF;
	EXECUTE call INTO result;
	RETURN COALESCE(result, 'null');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, why = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' ', state, NULLIF(why, ''), message, '| ' || NULLIF(detail, ''), '> ' || NULLIF(hint, ''));
END $$;
CREATE FUNCTION pg_temp.refused(call text) RETURNS text LANGUAGE sql AS $$ SELECT substring(pg_temp.attempt(call) FROM '^(\S+(?: modelreg_\w+)?)') $$;
CREATE VIEW pg_temp.partitions AS
	SELECT c.relname AS partition, pg_get_expr(c.relpartbound, c.oid) AS bounds FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = 'modelreg.prediction'::regclass AND c.relname !~ '_20[2-9]';
GRANT SELECT ON pg_temp.partitions TO PUBLIC;
CREATE ROLE regress_prediction_contributor;
CREATE ROLE regress_prediction_evaluator;
CREATE ROLE regress_prediction_reviewer;
CREATE ROLE regress_prediction_reader;
CREATE ROLE regress_prediction_nobody;
CREATE ROLE regress_prediction_admin;
SELECT modelreg.create_team('pred') > 0 AS team, modelreg.create_team('pred2') > 0 AS another;
SELECT modelreg.grant_level('pred', 'regress_prediction_' || level, level) FROM unnest('{contributor,evaluator,reviewer,reader}'::text[]) AS level;
SELECT modelreg.grant_registry_right('regress_prediction_admin', 'admin');
SELECT modelreg.create_model('pred.reco', 'open') > 0 AS model, modelreg.create_model('pred.rank', 'open') > 0 AS model, modelreg.create_model('pred2.other', 'open') > 0 AS model;
SELECT modelreg.register_version('pred.reco') FROM generate_series(1, 3);
SELECT modelreg.register_version(m) FROM unnest('{pred.rank,pred2.other}'::text[]) AS m;
SELECT modelreg.promote(m, 1, 'Production') > 0 AS promoted FROM unnest('{pred.reco,pred2.other}'::text[]) AS m;
SELECT modelreg.create_endpoint('pred.home', 'pred.reco', prediction_days => 30) > 0 AS endpoint,
	modelreg.create_endpoint('pred.page', 'pred.reco', prediction_days => 36500) > 0 AS endpoint,
	modelreg.create_endpoint('pred2.home', 'pred2.other', prediction_days => 60) > 0 AS endpoint;

-- Partitions: of days, weeks and months, of what is missing; the bounds are days in UTC, whatever the session's time zone is.
SET ROLE regress_prediction_admin;
SELECT modelreg.add_prediction_partitions('1990-01-04', '1990-01-02');
SELECT modelreg.add_prediction_partitions('1990-01-05', '1990-01-01');
SELECT modelreg.add_prediction_partitions('1990-01-05', '1990-01-01', per => 'day');
SELECT modelreg.add_prediction_partitions('1990-01-20', '1990-01-10', per => 'week');
SELECT modelreg.add_prediction_partitions('1990-03-01', '1990-02-10', per => 'month');
SELECT modelreg.add_prediction_partitions('1990-02-20', '1990-01-14', per => 'month');
SELECT modelreg.add_prediction_partitions('1990-12-31', '1990-12-31', per => 'month'), modelreg.add_prediction_partitions('1990-01-01', '1990-12-31');
SELECT modelreg.add_prediction_partitions('1991-01-01', '1990-12-31', per => 'month');
SELECT * FROM pg_temp.partitions ORDER BY 1;
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.add_prediction_partitions(NULL)$$,
	$$SELECT modelreg.add_prediction_partitions('infinity')$$,
	$$SELECT modelreg.add_prediction_partitions('2001-01-01', '-infinity')$$,
	$$SELECT modelreg.add_prediction_partitions('0999-01-01', '0998-01-01')$$,
	$$SELECT modelreg.add_prediction_partitions('2000-01-01', '1995-01-01')$$,
	$$SELECT modelreg.add_prediction_partitions('1995-01-01', '1994-01-01', 'year')$$,
	$$SELECT modelreg.add_prediction_partitions('1995-01-01', '1994-01-01', NULL)$$,
	$$SELECT modelreg.drop_prediction_partitions(NULL)$$,
	$$SELECT modelreg.drop_prediction_partitions('infinity')$$]) AS call;
RESET ROLE;
SELECT count(*) FROM pg_temp.partitions;
-- Too many are refused before any is made: the catalog has seen nothing of them.
BEGIN;
SELECT n_tup_ins AS before FROM pg_stat_xact_sys_tables WHERE relname = 'pg_class' \gset
SELECT pg_temp.attempt($$SELECT modelreg.add_prediction_partitions('2000-01-01', '1995-01-01')$$);
SELECT n_tup_ins - :before AS made FROM pg_stat_xact_sys_tables WHERE relname = 'pg_class';
COMMIT;
-- Who has partitions until today has them for a batch of now.
SELECT modelreg.add_prediction_partitions(current_date + 3, current_date - 2) > 0 AS made;

-- A batch: arrays of any bounds, what is not known is null.
SET ROLE regress_prediction_contributor;
SELECT modelreg.record_predictions('pred.home', '[7:9]={user-1,user-2,""}', '{1,2,1}', '{1990-01-01 00:00:00+00,1990-01-01 23:59:59.999999+00,1990-01-02 00:00:00+00}',
	'{1.0,NULL,1.0}', ARRAY['{"score": 0.5}', NULL, 'null']::jsonb[]);
SET ROLE regress_prediction_evaluator;
SELECT modelreg.record_predictions('pred.home', '{rank-1}', '{1}', '{1990-02-01 00:00+00}', model => 'pred.rank');
SELECT modelreg.record_predictions('pred.home', '{}', '{}'), modelreg.record_predictions('pred.home', '{user-3,user-4}', '{1,1}', ARRAY[NULL, now()]);
-- A request id makes a batch safe to repeat, and is of one content.
SELECT modelreg.record_predictions('pred.home', '{once}', '{3}', '{1990-01-03 12:00+00}', request_id => 'batch-1') FROM generate_series(1, 2);
SELECT pg_temp.attempt($$SELECT modelreg.record_predictions('pred.home', '{twice}', '{3}', '{1990-01-03 12:00+00}', request_id => 'batch-1')$$);
-- Text that is hard to store as anything but text.
SELECT modelreg.record_predictions('pred.home', ARRAY[E'\'; DROP TABLE x; --', E'{"a": NULL}\t\\N', U&'\00e9\+01F600', repeat('k', 1000)], '{1,1,1,1}',
	array_fill('1990-01-04 00:00+00'::timestamptz, '{4}'), outputs => ARRAY[to_jsonb(E'\\"\n'::text), '{}', '[]', to_jsonb(repeat('x', 100000))]);
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.record_predictions(NULL, '{a}', '{1}')$$,
	$$SELECT modelreg.record_predictions('home', '{a}', '{1}')$$,
	$$SELECT modelreg.record_predictions('pred.nowhere', '{a}', '{1}')$$,
	$$SELECT modelreg.record_predictions('pred2.home', '{a}', '{1}')$$,
	$$SELECT modelreg.record_predictions('pred.home', NULL, '{1}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', NULL)$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a,NULL}', '{1,1}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a,b}', '{1,NULL}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a,b}', '{1}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a,b}', '{1,1}', receipts => '{1.0}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{{a},{b}}', '{1,1}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a,b}', '{1,4}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{2}', model => 'pred.rank')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}', model => 'pred2.other')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}', receipts => '{1.1}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}', receipts => '{99.0}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}', receipts => '{01.0}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}', receipts => '{"1.0 "}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}', receipts => '{""}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}', receipts => '{99999999999999999999999.0}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}', receipts => '{1.99999999999}')$$,
	$$SELECT modelreg.record_predictions('pred.home', ARRAY[repeat('k', 1001)], '{1}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}', outputs => ARRAY[(repeat('[', 257) || repeat(']', 257))::jsonb])$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}', '{infinity}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a,b,c}', '{1,1,1}', '{1992-02-28 23:00-05,1990-01-01 00:00+00,1992-02-29 23:59+00}')$$,
	$$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}', '{0044-03-15 00:00+00 BC}')$$]) AS call;
-- Who may.
SET ROLE regress_prediction_reviewer;
SELECT pg_temp.attempt($$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}')$$);
SET ROLE regress_prediction_reader;
SELECT pg_temp.attempt($$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}')$$);
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[$$SELECT modelreg.add_prediction_partitions('1995-01-02', '1995-01-01')$$,
	$$SELECT modelreg.drop_prediction_partitions('1985-01-01')$$, $$SELECT * FROM modelreg.expire_predictions()$$]) AS call;
SET ROLE regress_prediction_nobody;
SELECT pg_temp.attempt($$SELECT modelreg.record_predictions('pred.home', '{a}', '{1}')$$);
SELECT count(*) FROM modelreg.predictions;
SELECT count(*) FROM modelreg.prediction;
SELECT pg_temp.attempt($$SELECT count(*) FROM modelreg.prediction_19900101$$);
RESET ROLE;

-- What was recorded, as those see it who read the team; a partition is nobody's to read, whoever was granted it.
SELECT modelreg.record_predictions('pred2.home', '{user-1}', '{1}', '{1990-01-01 12:00+00}');
SET ROLE regress_prediction_reader;
SELECT endpoint, left(request_key, 20) AS request_key, at AT TIME ZONE 'UTC' AS at, model, version, receipt, left(output::text, 20) AS output
FROM modelreg.predictions WHERE at < '2000-01-01' ORDER BY at, request_key;
SELECT endpoint, request_key, version, receipt, at = recorded_at AS now FROM modelreg.predictions WHERE at > '2000-01-01' ORDER BY request_key;
RESET ROLE;
GRANT pg_read_all_data TO regress_prediction_nobody;
GRANT ALL ON modelreg.prediction_19900101 TO regress_prediction_nobody;
SET ROLE regress_prediction_nobody;
SELECT count(*) FROM modelreg.prediction_19900101;
SELECT pg_temp.attempt($$INSERT INTO modelreg.prediction_19900101 SELECT 1, 1, '1990-01-01 12:00+00', now(), 1, NULL, 1, NULL, 'forged'$$);
SELECT pg_temp.refused(format('%s modelreg.prediction_19900101%s', c, t)) FROM (VALUES ('DELETE FROM', ''), ('UPDATE', ' SET version = 2'), ('TRUNCATE', '')) AS x(c, t);
RESET ROLE;
REVOKE ALL ON modelreg.prediction_19900101 FROM regress_prediction_nobody;
REVOKE pg_read_all_data FROM regress_prediction_nobody;
SELECT count(*) FROM modelreg.predictions WHERE at < '1990-01-02 00:00+00';

-- Outcomes come from somewhere else, and are joined by the key; a condition on the time leaves out other partitions, for readers too.
CREATE TABLE pg_temp.outcome (request_key text, clicked boolean);
INSERT INTO pg_temp.outcome VALUES ('user-1', true), ('user-2', false), ('', true), ('nobody', true);
GRANT SELECT ON pg_temp.outcome TO PUBLIC;
SET ROLE regress_prediction_reader;
SELECT p.version, count(*), avg(o.clicked::integer)::numeric(3, 2) AS rate FROM modelreg.predictions p JOIN pg_temp.outcome o USING (request_key)
WHERE p.endpoint = 'pred.home' AND p.at >= '1990-01-01 00:00+00' AND p.at < '1990-02-01 00:00+00' GROUP BY 1 ORDER BY 1;
CREATE FUNCTION pg_temp.scanned(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		RETURN QUERY SELECT (regexp_match(line, ' on (prediction_\w+) '))[1] WHERE line ~ ' on prediction_\w+ ' UNION ALL SELECT 'removed' WHERE line ~ 'Subplans Removed';
	END LOOP;
END $$;
SELECT DISTINCT * FROM pg_temp.scanned($$SELECT * FROM modelreg.predictions WHERE at >= '1990-01-03 00:00+00' AND at < '1990-01-04 00:00+00'$$);
SELECT DISTINCT * FROM pg_temp.scanned($$SELECT * FROM modelreg.predictions WHERE request_key = 'user-1' AND at < '1990-01-02 00:00+00'::timestamptz + '0 days'$$);
RESET ROLE;

-- What a partition may not be, and what may not be done to one.
CREATE SCHEMA regress_prediction;
CREATE TABLE regress_prediction.elsewhere (LIKE modelreg.prediction);
CREATE TABLE modelreg.regress_indexed (LIKE modelreg.prediction);
CREATE UNIQUE INDEX ON modelreg.regress_indexed (request_key);
CREATE TABLE modelreg.regress_expression (LIKE modelreg.prediction);
CREATE INDEX ON modelreg.regress_expression (upper(request_key));
CREATE TABLE modelreg.regress_default (LIKE modelreg.prediction);
ALTER TABLE modelreg.regress_default ALTER COLUMN output SET DEFAULT to_jsonb(now());
CREATE TABLE modelreg.regress_check (LIKE modelreg.prediction, CHECK (request_key <> ''));
CREATE TABLE modelreg.regress_trigger (LIKE modelreg.prediction);
CREATE TRIGGER a BEFORE INSERT ON modelreg.regress_trigger FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TABLE modelreg.regress_rule (LIKE modelreg.prediction);
CREATE RULE a AS ON INSERT TO modelreg.regress_rule DO ALSO NOTHING;
CREATE UNLOGGED TABLE modelreg.regress_unlogged (LIKE modelreg.prediction);
CREATE TABLE modelreg.regress_owned (LIKE modelreg.prediction);
ALTER TABLE modelreg.regress_owned OWNER TO regress_prediction_nobody;
CREATE TABLE modelreg.regress_plain (LIKE modelreg.prediction);
CREATE TABLE modelreg.regress_parted (LIKE modelreg.prediction) PARTITION BY RANGE (at);
SELECT t, substr(pg_temp.attempt(format($$ALTER TABLE modelreg.prediction ATTACH PARTITION %s FOR VALUES FROM ('1980-01-01 00:00+00') TO ('1980-01-02 00:00+00')$$, t)), 7)
FROM unnest('{regress_prediction.elsewhere,modelreg.regress_indexed,modelreg.regress_expression,modelreg.regress_default,modelreg.regress_check,
	modelreg.regress_trigger,modelreg.regress_rule,modelreg.regress_unlogged,modelreg.regress_owned,modelreg.regress_parted}'::text[]) AS t;
SELECT substr(pg_temp.attempt($$ALTER TABLE modelreg.prediction ATTACH PARTITION modelreg.regress_plain DEFAULT$$), 7);
SELECT pg_temp.refused(call) FROM unnest(ARRAY[
	$$CREATE TABLE regress_prediction.of PARTITION OF modelreg.prediction FOR VALUES FROM ('1980-01-01 00:00+00') TO ('1980-01-02 00:00+00')$$,
	$$CREATE TABLE modelreg.regress_of PARTITION OF modelreg.prediction DEFAULT$$,
	$$CREATE TABLE modelreg.regress_of PARTITION OF modelreg.prediction (output DEFAULT '1') FOR VALUES FROM ('1980-01-01 00:00+00') TO ('1980-01-02 00:00+00')$$,
	$$DROP TABLE modelreg.prediction_19900101$$,
	$$DROP TABLE modelreg.prediction CASCADE$$,
	$$ALTER TABLE modelreg.prediction DETACH PARTITION modelreg.prediction_19900101$$,
	$$ALTER TABLE modelreg.prediction_19900101 DISABLE TRIGGER guard_row$$,
	$$ALTER TABLE modelreg.prediction_19900101 ENABLE REPLICA TRIGGER guard_truncate$$,
	$$DROP TRIGGER guard_truncate ON modelreg.prediction_19900101$$,
	$$CREATE TRIGGER a BEFORE INSERT ON modelreg.prediction_19900101 FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()$$,
	$$CREATE RULE a AS ON INSERT TO modelreg.prediction_19900101 DO INSTEAD NOTHING$$,
	$$CREATE POLICY a ON modelreg.prediction_19900101 USING (true)$$,
	$$ALTER TABLE modelreg.prediction_19900101 DISABLE ROW LEVEL SECURITY$$,
	$$ALTER TABLE modelreg.prediction_19900101 ADD CHECK (request_key <> '') NOT VALID$$,
	$$ALTER TABLE modelreg.prediction_19900101 ALTER COLUMN output SET DEFAULT '1'$$,
	$$ALTER TABLE modelreg.prediction_19900101 RENAME TO other$$,
	$$ALTER TABLE modelreg.prediction_19900101 SET SCHEMA regress_prediction$$,
	$$ALTER TABLE modelreg.prediction_19900101 OWNER TO regress_prediction_nobody$$,
	$$ALTER TABLE modelreg.prediction_19900101 SET UNLOGGED$$,
	$$CREATE UNIQUE INDEX ON modelreg.prediction_19900101 (request_key)$$,
	$$CREATE INDEX ON modelreg.prediction ((upper(request_key)))$$,
	$$ALTER EXTENSION modelreg ADD TABLE modelreg.prediction_19900101$$,
	$$DELETE FROM modelreg.prediction$$,
	$$UPDATE modelreg.prediction SET version = 2$$,
	$$UPDATE modelreg.prediction SET at = '1990-01-03 00:00+00'$$,
	$$DELETE FROM modelreg.prediction_19900101$$,
	$$TRUNCATE modelreg.prediction$$,
	$$TRUNCATE modelreg.prediction_19900101$$]) AS call;
-- Not within a transaction, and half of it is committed before its end.
ALTER TABLE modelreg.prediction DETACH PARTITION modelreg.prediction_19900101 CONCURRENTLY;
SET session_replication_role = replica;
SELECT pg_temp.attempt($$DELETE FROM modelreg.prediction_19900101$$);
RESET session_replication_role;
-- What does no harm, and what a restore does.
COMMENT ON TABLE modelreg.prediction_19900101 IS 'January';
ALTER TABLE modelreg.prediction_19900101 SET (fillfactor = 90), ALTER COLUMN output SET STORAGE EXTERNAL, ENABLE ROW LEVEL SECURITY, ENABLE ALWAYS TRIGGER guard_truncate;
CREATE INDEX regress_prediction_version ON modelreg.prediction_19900101 (version);
DROP INDEX modelreg.regress_prediction_version;
DROP SCHEMA regress_prediction CASCADE;
DROP TABLE modelreg.regress_indexed, modelreg.regress_expression, modelreg.regress_default, modelreg.regress_check, modelreg.regress_trigger,
	modelreg.regress_rule, modelreg.regress_unlogged, modelreg.regress_owned, modelreg.regress_plain, modelreg.regress_parted;
SELECT count(*) FROM pg_temp.partitions;
SELECT * FROM modelreg.verify();
-- A partition of the right form that lacks what protects it: verify() tells, and it can be dropped as others can.
CREATE TABLE modelreg.regress_bare (LIKE modelreg.prediction);
ALTER TABLE modelreg.prediction ATTACH PARTITION modelreg.regress_bare FOR VALUES FROM ('1980-01-01 00:00+00') TO ('1980-01-02 00:00+00');
SELECT object, detail FROM modelreg.verify() ORDER BY 1, 2;
SELECT modelreg.drop_prediction_partitions('1980-01-02');

-- What is past its time goes: with its partition where nothing else is in it, by row elsewhere. One that an endpoint needs stays.
SELECT modelreg.record_predictions('pred.page', '{kept}', '{1}', '{1990-01-03 12:00+00}');
SET ROLE regress_prediction_admin;
SELECT pg_temp.attempt($$SELECT modelreg.drop_prediction_partitions('1991-02-01')$$);
SELECT modelreg.drop_prediction_partitions('1990-01-01');
SELECT * FROM modelreg.expire_predictions();
SELECT * FROM modelreg.expire_predictions();
SELECT partition FROM pg_temp.partitions ORDER BY 1;
RESET ROLE;
SELECT endpoint, request_key FROM modelreg.predictions WHERE at < '2000-01-01' ORDER BY 1, 2;
SELECT pg_temp.attempt($$SELECT modelreg.drop_prediction_partitions('1990-01-04')$$);
SELECT modelreg.drop_prediction_partitions('1990-01-03'), modelreg.drop_prediction_partitions('1990-01-03');
-- An endpoint that is retired needs nothing any more.
SELECT modelreg.retire_endpoint('pred.page');
SELECT modelreg.drop_prediction_partitions('1991-02-01') > 0 AS dropped;
SELECT count(*) FROM pg_temp.partitions;

-- Many rows at once, over more partitions than are held open, out of order; a row that is refused takes the batch with it.
SELECT modelreg.add_prediction_partitions('1990-02-10', '1990-01-01');
SELECT modelreg.record_predictions('pred.home', array_agg('key-' || i), array_agg(i % 3 + 1), array_agg('1990-01-01 00:00+00'::timestamptz + i * 7919 % 40 * '1 day'::interval + i * '1 ms'::interval),
	outputs => array_agg(jsonb_build_object('i', i, 'long', CASE WHEN i % 25000 = 0 THEN repeat('x', 10000) END))) FROM generate_series(1, 100000) AS i;
SELECT count(*), count(DISTINCT request_key) AS keys, count(DISTINCT tableoid) AS partitions, sum((output->>'i')::bigint) AS sum, sum(length(output->>'long')) AS long FROM modelreg.prediction WHERE at < '1991-01-01';
SET enable_seqscan = off;
SELECT version, output->>'i' AS i FROM modelreg.predictions WHERE endpoint = 'pred.home' AND request_key = 'key-54321' AND at < '1991-01-01';
RESET enable_seqscan;
SELECT pg_temp.attempt($$SELECT modelreg.record_predictions('pred.home', array_agg('again-' || i), array_agg(CASE WHEN i = 9999 THEN 4 ELSE 1 END), array_agg('1990-01-01 00:00+00'::timestamptz)) FROM generate_series(1, 10000) AS i$$);
SELECT count(*) FROM modelreg.prediction WHERE request_key LIKE 'again-%';
BEGIN;
SAVEPOINT s;
SELECT modelreg.record_predictions('pred.home', '{undone}', '{1}', '{1990-01-01 00:00+00}');
ROLLBACK TO s;
SELECT modelreg.record_predictions('pred.home', '{done}', '{1}', '{1990-01-01 00:00+00}');
COMMIT;
SELECT request_key FROM modelreg.prediction WHERE request_key IN ('done', 'undone');
SELECT object, detail FROM modelreg.verify();
SELECT dropped, deleted FROM modelreg.expire_predictions();

DROP OWNED BY regress_prediction_nobody, regress_prediction_reader;
DROP VIEW pg_temp.partitions;
SELECT modelreg.revoke_registry_right('regress_prediction_admin', 'admin');
SELECT modelreg.revoke_level('pred', 'regress_prediction_' || level, level) FROM unnest('{contributor,evaluator,reviewer,reader}'::text[]) AS level;
DROP ROLE regress_prediction_contributor, regress_prediction_evaluator, regress_prediction_reviewer, regress_prediction_reader, regress_prediction_nobody, regress_prediction_admin;
