-- record_table_snapshot(): columns, number of rows and digest of tables and views of this database, read as the caller.
\set VERBOSITY terse
\pset format unaligned
CREATE ROLE regress_ts_ann;
CREATE ROLE regress_ts_bob;
CREATE ROLE regress_ts_eve;
SELECT modelreg.create_team('ts') > 0 AS made;
SELECT modelreg.grant_level('ts', 'regress_ts_ann', 'contributor'), modelreg.grant_level('ts', 'regress_ts_bob', 'contributor'), modelreg.grant_level('ts', 'regress_ts_eve', 'reader');
CREATE SCHEMA regress_ts;
GRANT USAGE, CREATE ON SCHEMA regress_ts TO PUBLIC;
SET search_path = regress_ts;
CREATE FUNCTION fails(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; reason text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, reason = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, nullif(reason, ''), message, nullif(detail, ''), CASE WHEN reason <> '' THEN nullif(hint, '') END);
END $$;
-- What a snapshot says of a table
CREATE VIEW recorded AS SELECT address, rows, digest, modelreg.canonical_json(schema) AS schema, modelreg.canonical_json(properties) AS properties FROM modelreg.lineage_nodes;
GRANT SELECT ON recorded TO PUBLIC;

SET ROLE regress_ts_ann;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE <= 100);
CREATE TABLE events (id bigint NOT NULL, user_age integer, dropped text, "Odd ""name" varchar(10) NOT NULL DEFAULT '', feeling mood, share percent, tags text[], at timestamptz(3));
ALTER TABLE events DROP COLUMN dropped;
INSERT INTO events SELECT i, i % 90, 'n' || i, CASE WHEN i % 2 = 0 THEN 'good'::mood END, i / 10.0, ARRAY['a', NULL, i::text], '2026-06-01 12:00+00'::timestamptz + i * interval '1 hour' FROM generate_series(1, 100) AS i;

-- Columns in order, number of rows; a digest on request
SELECT modelreg.record_table_snapshot('events', 'ts.events', '1');
SELECT * FROM recorded WHERE address = 'snapshot:ts.events@1';
SELECT modelreg.record_table_snapshot('events', 'ts.events', '1-digest', with_digest => true, uri => 'postgresql:///lake', properties => '{"owner": "ann"}',
	inputs => '{"base": "snapshot:ts.events@1"}', occurred_at => '2026-06-02 00:00+00');
SELECT * FROM recorded WHERE address = 'snapshot:ts.events@1-digest';
SELECT role, address FROM modelreg.upstream('snapshot:ts.events@1-digest');

-- What the calling statement does is not seen by its first call, and by later ones of what was done before them
CREATE TABLE own (i integer);
INSERT INTO own SELECT x.i FROM (SELECT i, modelreg.record_table_snapshot('own', 'ts.fed', i::text) FROM generate_series(1, 3) AS i) AS x;
SELECT address, rows FROM recorded WHERE address LIKE 'snapshot:ts.fed@%' ORDER BY address;
DROP TABLE own;

-- The same again is no change, whatever the order of the rows and the settings; other rows are another snapshot
CREATE FUNCTION digest_of(relation regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	BEGIN
		PERFORM modelreg.record_table_snapshot(relation, 'ts.tmp', 'x', with_digest => true);
		SELECT n.digest INTO STRICT result FROM modelreg.lineage_nodes n WHERE n.address = 'snapshot:ts.tmp@x';
		RAISE 'undo';
	EXCEPTION WHEN raise_exception THEN
	END;
	RETURN result;
END $$;
CREATE TABLE shuffled AS SELECT * FROM events ORDER BY md5(id::text);
SELECT digest_of('events') = digest_of('shuffled') AS same;
SET datestyle = 'German, DMY'; SET timezone = 'Asia/Kolkata'; SET intervalstyle = 'sql_standard'; SET extra_float_digits = -15; SET bytea_output = 'escape'; SET quote_all_identifiers = on;
SET lc_monetary = 'C.UTF-8'; SET client_encoding = 'LATIN1'; SET enable_seqscan = off; SET work_mem = '64kB'; SET array_nulls = off; SET xmloption = 'document'; SET search_path = pg_catalog;
SELECT modelreg.record_table_snapshot('regress_ts.events', 'ts.events', '1-digest', with_digest => true, uri => 'postgresql:///lake', properties => '{"owner": "ann"}',
	inputs => '{"base": "snapshot:ts.events@1"}', occurred_at => '2026-06-02 00:00+00');
SHOW timezone; SHOW search_path;
RESET ALL;
SET search_path = regress_ts;
SET ROLE regress_ts_ann;
\set VERBOSITY terse
UPDATE events SET share = 1.10 WHERE id = 11;
SELECT digest_of('events') = digest_of('shuffled') AS same_value;
UPDATE events SET share = 1.2 WHERE id = 11;
SELECT digest_of('events') = digest_of('shuffled') AS another_value;
SELECT fails($$SELECT modelreg.record_table_snapshot('events', 'ts.events', '1-digest', with_digest => true, uri => 'postgresql:///lake', properties => '{"owner": "ann"}', inputs => '{"base": "snapshot:ts.events@1"}', occurred_at => '2026-06-02 00:00+00')$$);
DELETE FROM events WHERE id = 1;
SELECT fails($$SELECT modelreg.record_table_snapshot('events', 'ts.events', '1')$$);
ALTER TABLE events ALTER user_age TYPE text;
SELECT modelreg.record_table_snapshot('events', 'ts.events', '2');

-- The digest by its definition: SHA-256 over the rows' hashes in order, each over the texts of the values
SET ROLE regress_ts_ann;
CREATE TYPE pair AS (a integer, b text);
CREATE TABLE every (a boolean, b bytea, c "char", d name, e bigint, f smallint, g oid, h json, i jsonb, j jsonpath, k point, l real, m float8, n cidr, o money, p char(5), q varchar, r date, s time, t timetz, u timestamp, v timestamptz,
	w interval, x numeric, y uuid, z int4range, aa tsvector, ab pair, ac integer[], ad regclass, ae bit(3), af text, ag mood, ah percent, ai pg_lsn);
INSERT INTO every VALUES
	(true, '\x00ff5c', 'x', 'n', 1, 2, 3, '{"b":1, "a" : 2}', '{"b": 1.0, "a": 2}', '$."é" ? (@ > 1)', '(1,2.5)', 0.1, 0.1, '10/8', 12.5, 'ab', 'cd', '2026-06-01', '12:00', '12:00+02', '2026-06-01 12:00', '2026-06-01 12:00+02',
		'1 year 2 days -3:00', 1.10, '6f1c2d3e-0000-4000-8000-0123456789ab', '[1,5)', 'cat:1 dog', '(1,"x y")', '{{1,2},{3,NULL}}', 'every', '101', E'é\n\\,"', 'good', 99.5, '1/2'),
	(false, '', '', '', -1, -2, 0, 'null', 'null', '$', '(-0,0)', 'NaN', '-Infinity', '::/0', -1, '', '', '-infinity', '00:00', '24:00-15:59', 'infinity', '4713-01-01 00:00:00+00 BC', '-1 mon', 'NaN', NULL, 'empty', '', NULL, '{}', 'regress_ts.events', '000', '', 'bad', -1, NULL);
INSERT INTO every DEFAULT VALUES;
INSERT INTO every DEFAULT VALUES;
INSERT INTO every (ab) VALUES (ROW(NULL, NULL)), (ROW(1, NULL));
SELECT string_agg(format('CASE WHEN %1$I IS DISTINCT FROM NULL THEN format(''%%s'', %1$I) END', attname), ', ' ORDER BY attnum) AS texts FROM pg_attribute WHERE attrelid = 'every'::regclass AND attnum > 0 \gset
SELECT digest_of('every') AS digest \gset
BEGIN;
SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL lc_monetary = 'C'; SET LOCAL search_path = pg_catalog;
SELECT 'sha256:' || encode(sha256(string_agg(hash, '' ORDER BY hash)), 'hex') = :'digest' AS as_defined FROM (SELECT modelreg.row_hash('table_row', 1::smallint, :texts) AS hash FROM regress_ts.every) rows;
COMMIT;
-- Test vectors of docs/lineage.md
CREATE TABLE vector (id integer, name text, seen timestamptz, ok boolean, share float8);
SELECT digest_of('vector') AS no_rows;
INSERT INTO vector VALUES (1, 'é', '2026-06-01 12:00+02', true, 0.1), (2, NULL, NULL, false, '-0');
SELECT digest_of('vector') AS two_rows;
INSERT INTO vector VALUES (2, NULL, NULL, false, '-0');
SELECT digest_of('vector') AS one_of_them_twice;
-- Settings change the text of no value
SET timezone = 'Asia/Kolkata'; SET datestyle = 'SQL, DMY'; SET intervalstyle = 'iso_8601'; SET extra_float_digits = 0; SET bytea_output = 'escape'; SET quote_all_identifiers = on;
SELECT digest_of('every') = :'digest' AS whatever_the_settings;
RESET timezone; RESET datestyle; RESET intervalstyle; RESET extra_float_digits; RESET bytea_output; RESET quote_all_identifiers;
-- More rows than a batch and than memory, wide ones, and none
CREATE TABLE many AS SELECT i, repeat('x', (i % 7) * 100) AS t FROM generate_series(1, 20000) AS i;
CREATE TABLE many_else AS SELECT * FROM many ORDER BY md5(i::text);
SET work_mem = '64kB';
SELECT digest_of('many') = digest_of('many_else') AS same;
RESET work_mem;
CREATE TABLE wide AS SELECT i, repeat(md5(i::text), 100000) AS t FROM generate_series(1, 5) AS i;
SELECT digest_of('wide') = (SELECT 'sha256:' || encode(sha256(string_agg(hash, '' ORDER BY hash)), 'hex') FROM (SELECT modelreg.row_hash('table_row', 1::smallint, i::text, t) AS hash FROM wide) rows) AS as_defined;
CREATE TABLE no_columns ();
SELECT modelreg.record_table_snapshot('no_columns', 'ts.no-columns', '1', with_digest => true);
SELECT rows, schema FROM recorded WHERE address = 'snapshot:ts.no-columns@1';

-- Views, materialized views, partitioned and inherited tables, temporary ones, a foreign one; nothing else
CREATE VIEW good AS SELECT id, feeling FROM events WHERE feeling = 'good';
CREATE MATERIALIZED VIEW ages AS SELECT user_age, count(*) AS n FROM events GROUP BY 1;
CREATE TABLE parts (day date NOT NULL, n integer) PARTITION BY LIST (day);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN ('2026-06-01');
CREATE TABLE part_2 (n integer, day date NOT NULL);
ALTER TABLE parts ATTACH PARTITION part_2 FOR VALUES IN ('2026-06-02');
INSERT INTO parts VALUES ('2026-06-01', 1), ('2026-06-02', 2);
CREATE TEMP TABLE mine AS SELECT 1 AS x;
SELECT modelreg.record_table_snapshot(relation, 'ts.' || relation, '1', with_digest => true) FROM unnest('{good,ages,parts,part_2}'::text[]) AS relation;
SELECT modelreg.record_table_snapshot('mine', 'ts.mine', '1', true);
SELECT address, rows, schema, properties::jsonb - 'relation' AS properties FROM recorded WHERE address ~ 'ts.(good|ages|parts|part_2|mine)@' ORDER BY address;
SELECT digest_of('parts') = (SELECT 'sha256:' || encode(sha256(string_agg(hash, '' ORDER BY hash)), 'hex') FROM (SELECT modelreg.row_hash('table_row', 1::smallint, to_char(day, 'YYYY-MM-DD'), n::text) AS hash FROM parts) rows) AS as_defined;
-- Constants of type oid or regclass in the query are no tables that it reads
CREATE TABLE docs (id integer, image oid);
INSERT INTO docs VALUES (1, 0), (2, 16), (3, 4294967295);
CREATE VIEW with_image AS SELECT id FROM docs WHERE image <> 0 AND image <> 4294967295 AND 'mine'::regclass <> 4294967294::regclass;
SELECT modelreg.record_table_snapshot('with_image', 'ts.with-image', '1'), modelreg.record_table_snapshot('with_image', 'ts.with-image', '2', with_digest => true);
ALTER TABLE docs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY images ON docs USING (image <> 16);
SELECT modelreg.record_table_snapshot('docs', 'ts.docs', '1');
SELECT address, rows FROM recorded WHERE address ~ 'ts.(with-image|docs)@' ORDER BY address;
RESET ROLE;
CREATE FOREIGN DATA WRAPPER regress_ts_nothing;
CREATE SERVER regress_ts_nowhere FOREIGN DATA WRAPPER regress_ts_nothing;
CREATE FOREIGN TABLE distant (n integer) SERVER regress_ts_nowhere;
GRANT SELECT ON distant TO regress_ts_ann;
SET ROLE regress_ts_ann;
SELECT fails($$SELECT modelreg.record_table_snapshot('distant', 'ts.x', '1', with_digest => true)$$);
SELECT rows, properties FROM recorded WHERE address = 'snapshot:ts.mine@1';
CREATE SEQUENCE counter;
CREATE INDEX events_id ON events (id);
SELECT fails(format('SELECT modelreg.record_table_snapshot(%L, %L, %L)', relation, 'ts.x', '1')) FROM unnest('{counter,events_id,pair,nothing,4294967295,0}'::text[]) AS relation;
RESET ROLE;
SELECT fails($$SELECT modelreg.record_table_snapshot('pg_toast.pg_toast_1255', 'ts.x', '1')$$);
SET ROLE regress_ts_ann;
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS x WITH NO DATA;
SELECT fails($$SELECT modelreg.record_table_snapshot('unfilled', 'ts.x', '1')$$);

-- The caller's rights: SELECT on the table, and level contributor before anything is read
SET ROLE regress_ts_bob;
SELECT fails($$SELECT modelreg.record_table_snapshot('events', 'ts.stolen', '1')$$), fails($$SELECT modelreg.record_table_snapshot('good', 'ts.stolen', '1', true)$$);
SET ROLE regress_ts_ann;
GRANT SELECT (id) ON events TO regress_ts_bob;
SET ROLE regress_ts_bob;
SELECT fails($$SELECT modelreg.record_table_snapshot('events', 'ts.stolen', '1')$$);
SET ROLE regress_ts_eve;
CREATE FUNCTION shout() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'read as %', current_user; RETURN 1; END $$;
CREATE VIEW loud AS SELECT shout() AS x;
GRANT SELECT ON loud TO PUBLIC;
SELECT fails($$SELECT modelreg.record_table_snapshot('loud', 'ts.loud', '1')$$);
-- a view that calls a function runs it as who records, never as the owner of the registry
SET ROLE regress_ts_ann;
SELECT modelreg.record_table_snapshot('loud', 'ts.loud', '1', with_digest => true);
CREATE FUNCTION attack() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	BEGIN DELETE FROM modelreg.node; EXCEPTION WHEN OTHERS THEN RETURN current_user || ': ' || SQLERRM; END;
	RETURN 'done';
END $$;
CREATE VIEW attacking AS SELECT attack() AS x;
SELECT modelreg.record_table_snapshot('attacking', 'ts.attacking', '1', with_digest => true);
SELECT digest = (SELECT 'sha256:' || encode(sha256(modelreg.row_hash('table_row', 1::smallint, 'regress_ts_ann: permission denied for table node'::text)), 'hex')) AS denied FROM recorded WHERE address = 'snapshot:ts.attacking@1';
-- one that records itself, one that fails, one that changes the role
CREATE VIEW recording AS SELECT modelreg.record_node('note', 'ts.inner') AS x;
SELECT modelreg.record_table_snapshot('recording', 'ts.recording', '1', with_digest => true);
CREATE VIEW failing AS SELECT 1 / (i - 3) AS x FROM generate_series(1, 5) AS i;
SELECT fails($$SELECT modelreg.record_table_snapshot('failing', 'ts.failing', '1', true)$$);
SELECT modelreg.record_table_snapshot('failing', 'ts.failing', 'counted');
RESET ROLE;
GRANT regress_ts_bob TO regress_ts_ann;
CREATE FUNCTION turn() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN SET ROLE regress_ts_bob; RETURN 1; END $$;
CREATE VIEW turning AS SELECT turn() AS x;
GRANT SELECT ON turning TO PUBLIC;
SET ROLE regress_ts_ann;
SELECT fails($$SELECT modelreg.record_table_snapshot('turning', 'ts.turning', '1', true)$$);
SELECT current_user AS still;
RESET ROLE;
REVOKE regress_ts_bob FROM regress_ts_ann;
SET ROLE regress_ts_ann;
-- one that takes its caller's right away while it is read
CREATE FUNCTION revoke_me() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM modelreg.revoke_level('ts', 'regress_ts_ann', 'contributor'); RETURN 1; END $$;
RESET ROLE;
ALTER FUNCTION revoke_me() OWNER TO CURRENT_USER;
SET ROLE regress_ts_ann;
CREATE VIEW revoking AS SELECT revoke_me() AS x;
SELECT fails($$SELECT modelreg.record_table_snapshot('revoking', 'ts.revoking', '1', true)$$);
-- in a SECURITY DEFINER function that one's owner records and reads
CREATE FUNCTION record_for_others(version text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = regress_ts AS $$SELECT modelreg.record_table_snapshot('events', 'ts.for-others', version)$$;
SET ROLE regress_ts_eve;
SELECT record_for_others('1');
SET ROLE regress_ts_ann;
SELECT n.role FROM modelreg.lineage_nodes n WHERE n.address = 'snapshot:ts.for-others@1';

-- Row security: a caller records the rows that he sees, and the snapshot says so
RESET ROLE;
CREATE TABLE secured AS SELECT i AS id, CASE WHEN i <= 3 THEN 'regress_ts_ann' ELSE 'regress_ts_bob' END AS owner FROM generate_series(1, 10) AS i;
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secured USING (owner = current_user);
GRANT SELECT ON secured TO PUBLIC;
SELECT modelreg.grant_level('ts', session_user, 'contributor');
SELECT modelreg.record_table_snapshot('secured', 'ts.secured', 'all');
SET ROLE regress_ts_ann;
SELECT modelreg.record_table_snapshot('secured', 'ts.secured', 'ann', with_digest => true);
SET ROLE regress_ts_bob;
SELECT modelreg.record_table_snapshot('secured', 'ts.secured', 'bob');
SELECT address, rows, properties FROM recorded WHERE address LIKE 'snapshot:ts.secured@%' ORDER BY address;
-- also beneath views, for whom the view reads; not where a policy is for the partition alone
RESET ROLE;
CREATE VIEW invoking WITH (security_invoker) AS SELECT id FROM secured WHERE id IN (SELECT id FROM secured);
CREATE VIEW defining AS SELECT id FROM secured;
GRANT SELECT ON invoking, defining TO PUBLIC;
CREATE TABLE whole (id integer) PARTITION BY LIST (id);
CREATE TABLE whole_1 PARTITION OF whole FOR VALUES IN (1);
ALTER TABLE whole_1 ENABLE ROW LEVEL SECURITY;
INSERT INTO whole VALUES (1);
GRANT SELECT ON whole, whole_1 TO PUBLIC;
SELECT modelreg.record_table_snapshot('invoking', 'ts.invoking', 'all');
SET ROLE regress_ts_ann;
CREATE VIEW ann_sees AS SELECT id FROM secured;
CREATE VIEW nested AS SELECT count(*) FROM invoking;
GRANT SELECT ON ann_sees TO PUBLIC;
SELECT modelreg.record_table_snapshot(relation, 'ts.' || relation, 'ann', with_digest => relation = 'invoking') FROM unnest('{invoking,defining,nested,whole,whole_1}'::text[]) AS relation;
RESET ROLE;
SELECT modelreg.record_table_snapshot('ann_sees', 'ts.ann_sees', 'all');
SELECT address, rows, properties::jsonb ->> 'row_security' AS row_security FROM recorded WHERE address ~ 'ts.(invoking|defining|nested|whole|whole_1|ann_sees)@' ORDER BY address COLLATE "C";
SET ROLE regress_ts_bob;
SET row_security = off;
SELECT fails($$SELECT modelreg.record_table_snapshot('secured', 'ts.secured', 'off')$$), fails($$SELECT modelreg.record_table_snapshot('invoking', 'ts.invoking', 'off')$$);
RESET row_security;

-- A request id: the first result, though the table has changed
SET ROLE regress_ts_ann;
SELECT modelreg.record_table_snapshot('events', 'ts.requested', '1', with_digest => true, request_id => 'nightly');
INSERT INTO events (id) VALUES (1000);
SELECT modelreg.record_table_snapshot('events', 'ts.requested', '1', with_digest => true, request_id => 'nightly');
SELECT fails($$SELECT modelreg.record_table_snapshot('events', 'ts.requested', '1', request_id => 'nightly')$$);
SELECT fails($$SELECT modelreg.record_table_snapshot('events', 'ts.requested', '1', with_digest => true)$$);

-- What the statement's own transaction did is seen, what the statement itself does is not
BEGIN;
INSERT INTO events (id) VALUES (1001);
SELECT modelreg.record_table_snapshot('events', 'ts.own', '1');
WITH more AS (INSERT INTO events (id) VALUES (1002), (1003) RETURNING id) SELECT modelreg.record_table_snapshot('events', 'ts.own', '2') FROM more LIMIT 1;
SELECT (SELECT rows FROM recorded WHERE address = 'snapshot:ts.own@1') - (SELECT rows FROM recorded WHERE address = 'snapshot:ts.requested@1') AS more_than_before,
	(SELECT rows FROM recorded WHERE address = 'snapshot:ts.own@2') - (SELECT rows FROM recorded WHERE address = 'snapshot:ts.own@1') AS no_more;
ROLLBACK;
-- A table of this transaction, in a later snapshot of it or in that of the transaction
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT 1 AS snapshot_taken;
CREATE TABLE fresh AS SELECT 1 AS x;
SELECT modelreg.record_table_snapshot('fresh', 'ts.fresh', '1');
TRUNCATE fresh;
SELECT modelreg.record_table_snapshot('fresh', 'ts.fresh', '2');
SELECT rows FROM recorded WHERE address LIKE 'snapshot:ts.fresh@%' ORDER BY address;
COMMIT;

-- Cancelled while it reads, counts and sorts
CREATE VIEW endless AS SELECT i FROM generate_series(1, 1000000000000) AS i;
SET statement_timeout = '200ms';
SELECT fails($$SELECT modelreg.record_table_snapshot('endless', 'ts.endless', '1', with_digest => true)$$);
SELECT fails($$SELECT modelreg.record_table_snapshot('endless', 'ts.endless', '1')$$);
RESET statement_timeout;

-- Arguments
SELECT fails(format('SELECT modelreg.record_table_snapshot(%s)', arguments)) FROM (VALUES
	('NULL, ''ts.x'', ''1'''), ('''events'', NULL, ''1'''), ('''events'', ''ts.x'', NULL'), ('''events'', ''ts.x'', ''1'', NULL'), ('''events'', ''ts.x'', '''''),
	('''events'', ''x'', ''1'''), ('''events'', ''nowhere.x'', ''1'''), ('''events'', ''ts.x'', ''1'', properties => ''{"schema": {}}'''), ('''events'', ''ts.x'', ''1'', properties => ''{"relation": 1}'''),
	('''events'', ''ts.x'', ''1'', properties => ''{"digest_of": "rows, format 1"}'''), ('''events'', ''ts.x'', ''1'', true, properties => ''{"row_security": null}'''),
	('''events'', ''ts.x'', ''1'', properties => ''[]'''), ('''events'', ''ts.x'', ''1'', inputs => ''{"base": "snapshot:ts.none@1"}'''), ('''events'', ''ts.x'', ''1'', supersedes => ''commit:ts.none'''),
	('''events'', ''ts.x'', ''1'', request_id => ''''')) AS a (arguments);
BEGIN READ ONLY;
SELECT fails($$SELECT modelreg.record_table_snapshot('endless', 'ts.x', '1')$$);
ROLLBACK;
SELECT count(*) AS none_of_them FROM modelreg.node WHERE name IN ('x', 'stolen', 'endless', 'tmp') AND team_id = (SELECT id FROM modelreg.team WHERE name = 'ts');

-- Corrected by a later one, and compared
SELECT modelreg.record_table_snapshot('events', 'ts.events', '3', with_digest => true, supersedes => 'snapshot:ts.events@2');
RESET ROLE;
SELECT modelreg.grant_level('ts', 'regress_ts_ann', 'maintainer');
SET ROLE regress_ts_ann;
SELECT modelreg.create_model('ts.m', 'open') > 0 AS model;
SELECT modelreg.register_version('ts.m', inputs => '{"training": "snapshot:ts.events@1"}'), modelreg.register_version('ts.m', inputs => '{"training": "snapshot:ts.events@3"}');
SELECT aspect, item, part, change, old_value, new_value FROM modelreg.lineage_diff('models:/ts.m/1', 'models:/ts.m/2');
RESET ROLE;
SELECT * FROM modelreg.verify('ts');
SELECT modelreg.revoke_level('ts', session_user, 'contributor');
SET client_min_messages = warning;
DROP SCHEMA regress_ts CASCADE;
DROP FOREIGN DATA WRAPPER regress_ts_nothing CASCADE;

