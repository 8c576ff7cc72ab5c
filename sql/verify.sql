-- verify: a clean registry is clean in every scope; each way of tampering that a superuser has left is found.
-- In a database of its own, so that ids are what they look like.
SELECT current_database() AS origin \gset
CREATE DATABASE regress_verify TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_verify
SET client_min_messages = warning;
CREATE EXTENSION modelreg;
RESET client_min_messages;
SET datestyle = 'ISO';
CREATE ROLE regress_verify_reader;
CREATE ROLE regress_verify_auditor;

-- An empty registry.
SELECT * FROM modelreg.verify();
SELECT * FROM modelreg.audit_head();

-- Two teams, of which search has everything that there is.
SELECT modelreg.create_team('search') AS search, modelreg.create_team('ads') AS ads;
SELECT modelreg.grant_level('search', 'regress_verify_reader', 'reader');
SELECT modelreg.grant_level('search', current_user, 'evaluator');
SELECT modelreg.grant_registry_right('regress_verify_auditor', 'auditor');
SELECT modelreg.set_quota('search', 1000000);
SELECT modelreg.create_model('search.reco', 'open', description => 'home page ranking');
SELECT modelreg.create_model('ads.click', 'open');
SELECT modelreg.record_node('commit', 'search.code', 'abc123', properties => '{"message": "tune"}');
SELECT modelreg.record_snapshot('search.events', '2026-06-01', rows => 81230114);
SELECT modelreg.record_run('search.train', inputs => '{"code": ["commit:search.code@abc123"], "training": ["snapshot:search.events@2026-06-01"]}');
SELECT modelreg.begin_upload('search', size => 7);
SELECT modelreg.append_upload(1, 0, 'weights');
SELECT modelreg.finish_upload(1);
SELECT modelreg.register_version('search.reco', 'run:search.train', description => 'the first one',
	artifacts => '[{"name": "weights", "upload": 1}, {"name": "prep", "uri": "s3://models/prep", "size": 3,
		"digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]',
	params => '{"lr": 0.10, "optimizer": "adam", "layers": [64, 32]}', metrics => '{"auc": 0.9, "loss": "NaN"}');
SELECT modelreg.register_version('search.reco', 'run:search.train', metrics => '{"auc": 0.91}', request_id => 'train-2');
SELECT modelreg.record_evaluation('models:/search.reco/1', 'offline', '{"auc": 0.8}', dataset => 'snapshot:search.events@2026-06-01');
SELECT modelreg.record_evaluation('models:/search.reco/1', 'offline', '{"auc": 0.7}', dataset => 'snapshot:search.events@2026-06-01');
SELECT modelreg.set_tag('search.reco', 'family', 'two-tower', 1);
SELECT modelreg.set_tag('search.reco', 'family', 'ranker', 1);
SELECT modelreg.set_tag('search.reco', 'gone', '', 1);
SELECT modelreg.remove_tag('search.reco', 'gone', 1);
SELECT modelreg.set_description('search.reco', 'better words', 2);
SELECT modelreg.promote('search.reco', 1, 'Production', reason => 'first', request_id => 'promote-1');
SELECT modelreg.promote('search.reco', 2, 'Production', archive_others => false);
SELECT modelreg.rollback_model('search.reco', 'worse');
SELECT modelreg.set_alias('search.reco', 'champion', 1);
SELECT modelreg.set_alias('search.reco', 'champion', 2);
SELECT modelreg.set_alias('search.reco', 'shadow', 2);
SELECT modelreg.remove_alias('search.reco', 'shadow');
SELECT modelreg.create_model('search.old', 'open');
SELECT modelreg.rename_model('search.old', 'older');
SELECT modelreg.retire_model('search.older', 'not needed');
SELECT modelreg.rename_team('ads', 'advertising');

-- All of it is clean, cheaply and deeply, as a whole and in parts.
SELECT * FROM modelreg.verify();
SELECT * FROM modelreg.verify(deep => true);
SELECT * FROM modelreg.verify('search', true);
SELECT * FROM modelreg.verify('team:search');
SELECT * FROM modelreg.verify('search.reco', true);
-- Facts whose event comes at the end of this transaction are no findings.
BEGIN;
SELECT modelreg.record_node('commit', 'search.code', 'def456');
SELECT * FROM modelreg.verify();
ROLLBACK;
-- However the session is set up, and whether the plans are new or kept.
\c
SET datestyle = 'German, DMY';
SET timezone = 'Asia/Kathmandu';
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SET quote_all_identifiers = on;
SET bytea_output = escape;
SET extra_float_digits = -15;
SET transform_null_equals = on;
SELECT * FROM modelreg.verify();
SELECT * FROM modelreg.verify();
\c
-- Workers join in another order.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT * FROM modelreg.verify();
SELECT * FROM modelreg.verify('search');
ANALYZE;
\c
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT * FROM modelreg.verify();
\c
SET datestyle = 'ISO';
-- It only reads.
BEGIN TRANSACTION READ ONLY ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM modelreg.verify(deep => true);
COMMIT;
SELECT jsonb_path_query(document, '$.chains[*]') - 'hash' AS chain FROM modelreg.audit_head();
SELECT document->>'identity' = (SELECT identity::text FROM modelreg.registry) AS same_identity,
	digest = 'sha256:' || encode(sha256(convert_to(modelreg.canonical_json(document), 'UTF8')), 'hex') AS same_digest
FROM modelreg.audit_head();

-- Who may: auditors all, readers their team.
SET ROLE regress_verify_reader;
SELECT * FROM modelreg.verify();
SELECT * FROM modelreg.audit_head();
SELECT * FROM modelreg.verify('search');
SELECT * FROM modelreg.verify('search.reco');
SELECT * FROM modelreg.verify('advertising');
SELECT * FROM modelreg.verify('advertising.click');
SELECT * FROM modelreg.verify('nosuch');
SELECT * FROM modelreg.verify('');
SET ROLE regress_verify_auditor;
SELECT * FROM modelreg.verify();
SELECT * FROM modelreg.verify('advertising.click');
SELECT digest ~ '^sha256:[0-9a-f]{64}$' AS has_digest FROM modelreg.audit_head();
RESET ROLE;

-- Redacted texts are told of, and are no findings.
SELECT modelreg.redact(encode(digest, 'hex'), 'names a person') FROM modelreg.payload WHERE body IN ('ranker', 'the first one');
SELECT * FROM modelreg.verify();
SELECT * FROM modelreg.verify('search');
SELECT * FROM modelreg.verify('search.reco');

-- Tampering. What is shown are the findings, without times and hashes; the guard's own part of them has its own test.
CREATE VIEW findings AS SELECT check_name, regexp_replace(object, '[0-9a-f]{64}', '<hash>') AS object, regexp_replace(regexp_replace(detail, '[0-9a-f]{64}', '<hash>', 'g'),
		'\d{4}-\d\d-\d\d [0-9:.]+[+-]\d+', '<time>', 'g') AS detail
	FROM modelreg.verify() WHERE check_name <> 'guard';
-- Open a table as a superuser can.
CREATE PROCEDURE open(tbl text, VARIADIC checks text[] DEFAULT '{}') LANGUAGE plpgsql AS $$
DECLARE
	item text;
BEGIN
	SET LOCAL modelreg.allow_removal = on;
	EXECUTE format('ALTER TABLE modelreg.%I DISABLE TRIGGER USER', tbl);
	FOREACH item IN ARRAY checks LOOP
		EXECUTE format('ALTER TABLE modelreg.%I DROP CONSTRAINT %I', tbl, item);
	END LOOP;
END
$$;
SET client_min_messages = error;

-- Events: changed, changed with a new hash, removed within, at the end, all of a chain; a head that was moved.
-- The order in which events are stored means nothing, unless one is there twice.
BEGIN;
CALL open('event', 'event_pkey');
CREATE TEMP TABLE stored ON COMMIT DROP AS SELECT * FROM modelreg.event;
DELETE FROM modelreg.event;
INSERT INTO modelreg.event SELECT * FROM stored ORDER BY hash;
SELECT * FROM findings WHERE object <> 'table event';
INSERT INTO modelreg.event SELECT * FROM stored WHERE chain = 5 AND chain_id = 1 AND seq = 1;
SELECT * FROM findings WHERE object <> 'table event';
ROLLBACK;
BEGIN;
CALL open('event', 'event_hash');
UPDATE modelreg.event SET what = what || '{"policy": "strict"}' WHERE chain = 2 AND chain_id = 1 AND kind = 'model_created' AND what->>'name' = 'reco';
SELECT * FROM findings;
UPDATE modelreg.event SET hash = modelreg.row_hash('event', format, chain, chain_id, seq, at, kind,
	team_id, who, application_name, client_addr, request_id, what, prose, prev);
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('event');
DELETE FROM modelreg.event WHERE chain = 5 AND chain_id = 1 AND seq IN (2, 3);
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('event');
DELETE FROM modelreg.event WHERE chain = 2 AND chain_id = 1 AND kind = 'model_retired';
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('event');
DELETE FROM modelreg.event WHERE chain = 4 AND chain_id = 1;
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('registration_head');
UPDATE modelreg.registration_head SET seq = 1, last_version = 1 WHERE id = 1;
SELECT * FROM findings;
UPDATE modelreg.registration_head SET seq = 2, last_version = 2, head_hash = 'x', head_at = now() WHERE id = 1;
SELECT * FROM findings;
DELETE FROM modelreg.registration_head WHERE id = 1;
SELECT * FROM findings;
ROLLBACK;
-- A time that goes back, with hashes that fit.
BEGIN;
CALL open('event', 'event_hash');
CALL open('fact_head');
WITH last AS (SELECT * FROM modelreg.event WHERE chain = 3 AND chain_id = 1 ORDER BY seq DESC LIMIT 1)
UPDATE modelreg.event e SET at = '2020-01-01', hash = modelreg.row_hash('event', e.format, e.chain, e.chain_id, e.seq, '2020-01-01'::timestamptz, e.kind,
	e.team_id, e.who, e.application_name, e.client_addr, e.request_id, e.what, e.prose, e.prev)
FROM last WHERE e.chain = 3 AND e.chain_id = 1 AND e.seq = last.seq;
UPDATE modelreg.fact_head SET head_at = e.at, head_hash = e.hash FROM modelreg.event e WHERE e.chain = 3 AND e.chain_id = 1 AND e.seq = fact_head.seq;
SELECT regexp_replace(object, '\d+$', '<last>') AS object, detail FROM findings;
ROLLBACK;
-- Who rewrites a whole chain is not found by verify(), but by a digest of audit_head() that was kept elsewhere.
BEGIN;
CREATE TEMP TABLE kept AS SELECT * FROM modelreg.audit_head();
CALL open('event', 'event_hash');
CALL open('team');
DO $$
DECLARE
	before bytea := decode(repeat('00', 32), 'hex');
BEGIN
	FOR n IN 1 .. (SELECT seq FROM modelreg.team WHERE id = 2) LOOP
		UPDATE modelreg.event SET application_name = 'nobody', prev = before, hash = modelreg.row_hash('event', format, chain, chain_id, seq, at, kind,
			team_id, who, 'nobody'::text, client_addr, request_id, what, prose, before)
		WHERE chain = 2 AND chain_id = 2 AND seq = n RETURNING hash INTO before;
	END LOOP;
END
$$;
UPDATE modelreg.team SET head_hash = e.hash FROM modelreg.event e WHERE e.chain = 2 AND e.chain_id = team.id AND e.seq = team.seq;
SELECT * FROM findings;
SELECT h.digest = k.digest AS same_digest FROM modelreg.audit_head() h, kept k;
ROLLBACK;

-- Rows of facts: changed, changed with a new hash, removed, added to a batch, added as if a version covered them.
BEGIN;
CALL open('node', 'node_hash');
UPDATE modelreg.node SET rows = 1 WHERE kind = 'snapshot';
SELECT * FROM findings;
UPDATE modelreg.node SET hash = modelreg.row_hash('node', format, id, team_id, batch, kind, name,
	version, supersedes, level, low, input_roles, input_ids, uri, digest, rows, properties, who, recorded_at, occurred_at);
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('node');
DELETE FROM modelreg.node WHERE kind = 'commit';
SELECT * FROM findings;
ROLLBACK;
BEGIN;
INSERT INTO modelreg.node SELECT 100, team_id, batch, kind, name, 'forged', supersedes, level, 100, input_roles, input_ids, uri, digest, rows, NULL, who, recorded_at, occurred_at,
	modelreg.row_hash('node', format, 100::bigint, team_id, batch, kind, name, 'forged'::text, supersedes, level, 100::bigint, input_roles, input_ids, uri, digest, rows, NULL::bytea, who, recorded_at, occurred_at), format
FROM modelreg.node WHERE id = 1;
INSERT INTO modelreg.node SELECT 101, team_id, 99, kind, name, 'forged too', supersedes, level, 101, input_roles, input_ids, uri, digest, rows, NULL, who, recorded_at, occurred_at,
	modelreg.row_hash('node', format, 101::bigint, team_id, 99::bigint, kind, name, 'forged too'::text, supersedes, level, 101::bigint, input_roles, input_ids, uri, digest, rows, NULL::bytea, who, recorded_at, occurred_at), format
FROM modelreg.node WHERE id = 1;
INSERT INTO modelreg.node SELECT 102, team_id, NULL, kind, name, 'forged as well', supersedes, level, 102, input_roles, input_ids, uri, digest, rows, NULL, who, recorded_at, occurred_at,
	modelreg.row_hash('node', format, 102::bigint, team_id, NULL::bigint, kind, name, 'forged as well'::text, supersedes, level, 102::bigint, input_roles, input_ids, uri, digest, rows, NULL::bytea, who, recorded_at, occurred_at), format
FROM modelreg.node WHERE id = 1;
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('evaluation');
DELETE FROM modelreg.evaluation WHERE kind = 'training' OR id = 4;
CALL open('note');
DELETE FROM modelreg.note WHERE key = 'gone';
SELECT * FROM findings;
ROLLBACK;

-- Edges are what the nodes name.
BEGIN;
CALL open('edge');
DELETE FROM modelreg.edge WHERE role = 'code';
UPDATE modelreg.edge SET parent_level = 7 WHERE role = 'training';
INSERT INTO modelreg.edge SELECT child, parent, parent_low, child_team, parent_team, parent_level, 'teacher', child_kind, parent_kind FROM modelreg.edge WHERE role = 'training';
SELECT * FROM findings;
ROLLBACK;

-- Versions: forged, removed, with other artifacts.
BEGIN;
INSERT INTO modelreg.version SELECT model_id, 3, team_id, 99, identity, run_id, registered_at, occurred_at, who, request_id, NULL, NULL, NULL, node_hash, NULL, artifacts_hash,
	modelreg.row_hash('version', format, model_id, 3, team_id, 99::bigint, identity, run_id, registered_at, occurred_at, who, request_id, NULL::bytea, NULL::bytea, NULL::bytea, node_hash, NULL::bytea, artifacts_hash), format
FROM modelreg.version WHERE version = 2;
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('version');
DELETE FROM modelreg.version WHERE version = 2;
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('artifact', 'artifact_hash');
UPDATE modelreg.artifact SET uri = 's3://evil/prep' WHERE name = 'prep';
SELECT * FROM findings;
UPDATE modelreg.artifact SET hash = modelreg.row_hash('artifact', format, model_id, version, name, team_id, digest, size, media_type, uri, store_version);
SELECT * FROM findings;
DELETE FROM modelreg.artifact;
SELECT * FROM findings;
ROLLBACK;

-- Bytes: of the same size, shorter, open to others, gone.
BEGIN;
SELECT lo_put(object, 0, 'Weights') FROM modelreg.blob;
SELECT * FROM findings;
SELECT check_name, object, detail FROM modelreg.verify(deep => true);
SELECT check_name, object, detail FROM modelreg.verify('search', deep => true);
ROLLBACK;
BEGIN;
SELECT lo_truncate(lo_open(object, x'20000'::int), 3) FROM modelreg.blob;
SELECT * FROM findings;
ROLLBACK;
BEGIN;
DELETE FROM pg_largeobject;
DELETE FROM pg_largeobject_metadata;
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('blob');
UPDATE modelreg.blob SET object = NULL, purged_at = now();
SELECT * FROM findings;
DELETE FROM modelreg.blob;
SELECT * FROM findings;
ROLLBACK;

-- Texts: changed, gone without a redaction, removed, put back, of nobody.
BEGIN;
CALL open('payload', 'payload_digest');
UPDATE modelreg.payload SET body = 'worse words' WHERE body = 'better words';
SELECT * FROM findings;
UPDATE modelreg.payload SET body = NULL, salt = NULL WHERE body = 'worse words';
SELECT * FROM findings;
DELETE FROM modelreg.payload WHERE body = 'worse';
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('payload');
DELETE FROM modelreg.payload WHERE body IS NULL;
INSERT INTO modelreg.payload VALUES (modelreg.row_hash('payload', 1::smallint, '\x00'::bytea, 'x'::text), 1, '\x00', 'x');
SELECT * FROM findings;
ROLLBACK;

-- State is a fold of the events, whatever its rows say.
BEGIN;
INSERT INTO modelreg.membership VALUES (1, 'regress_verify_auditor', 0, 'maintainer');
CALL open('membership');
UPDATE modelreg.membership SET level = 'admin' WHERE level = 'auditor';
UPDATE modelreg.membership SET role_oid = 1 WHERE level = 'reader';
SELECT check_name, object, regexp_replace(detail, '\d\d+', '<oid>') AS detail FROM findings;
ROLLBACK;
BEGIN;
CALL open('team');
UPDATE modelreg.team SET byte_quota = NULL, retired_at = '2026-01-01 00:00+00' WHERE id = 1;
UPDATE modelreg.team SET name = 'ads' WHERE id = 2;
CALL open('team_name');
UPDATE modelreg.team_name SET since = '2020-01-01 00:00+00' WHERE name = 'search';
DELETE FROM modelreg.team_name WHERE name = 'ads';
INSERT INTO modelreg.team_name VALUES ('forged', 1, now());
CALL open('registry');
UPDATE modelreg.registry SET identity = '00000000-0000-4000-8000-000000000000';
SELECT check_name, object, regexp_replace(detail, '[0-9a-f]{8}-[0-9a-f-]{27}', '<uuid>', 'g') AS detail FROM findings;
ROLLBACK;
BEGIN;
CALL open('model');
UPDATE modelreg.model SET current_version = 2, policy = 'strict' WHERE id = 1;
UPDATE modelreg.model SET retired_at = NULL, name = 'undead' WHERE name = 'older';
CALL open('model_name');
UPDATE modelreg.model_name SET until = NULL WHERE name = 'older';
CALL open('version_stage');
UPDATE modelreg.version_stage SET stage = 'Staging' WHERE version = 2;
DELETE FROM modelreg.version_stage WHERE version = 1;
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('alias');
UPDATE modelreg.alias SET version = 1, version_registered_at = 'epoch' WHERE alias = 'champion';
INSERT INTO modelreg.alias SELECT model_id, 'shadow', 1, 2, now(), version_identity, version_registered_at FROM modelreg.alias WHERE alias = 'champion';
CALL open('tag');
INSERT INTO modelreg.tag VALUES (1, 1, 'gone', 1, '', '\x00');
CALL open('metric');
UPDATE modelreg.metric SET value = 0.99 WHERE kind = 'offline';
CALL open('param');
UPDATE modelreg.param SET value = '1' WHERE key = 'lr';
DELETE FROM modelreg.param WHERE key = 'optimizer';
CALL open('description');
DELETE FROM modelreg.description WHERE version = 2;
CALL open('team_bytes');
UPDATE modelreg.team_bytes SET bytes = 0;
SELECT * FROM findings;
ROLLBACK;
BEGIN;
CALL open('production', 'production_hash');
INSERT INTO modelreg.production SELECT model_id, 4, team_id, now(), 2, NULL,
	modelreg.row_hash('production', format, model_id, 4::bigint, team_id, now(), 2, NULL::bigint), format FROM modelreg.production WHERE seq = 1;
UPDATE modelreg.production SET previous_seq = 1, hash = modelreg.row_hash('production', format, model_id, seq, team_id, at, version, 1::bigint) WHERE seq = 3;
SELECT * FROM findings;
ROLLBACK;
BEGIN;
SELECT last_value AS node_id FROM modelreg.node_id_seq \gset
SELECT last_value AS batch FROM modelreg.batch_seq \gset
SELECT setval('modelreg.node_id_seq', 1), setval('modelreg.batch_seq', 1);
SELECT * FROM findings;
SELECT setval('modelreg.node_id_seq', :node_id) > 1 AS node_id, setval('modelreg.batch_seq', :batch) > 1 AS batch;
ROLLBACK;

-- Request ids are those of the calls that the events tell of.
BEGIN;
CALL open('request_id');
UPDATE modelreg.request_id SET result = '{"version": 1}' WHERE request_id = 'train-2';
DELETE FROM modelreg.request_id WHERE request_id = 'promote-1';
INSERT INTO modelreg.request_id VALUES (1, 'promote', 'never', '\x00', '{"number": 1}'), (1, 'promote', 'no change', '\x00', '{"number": 0}'), (0, 'create_team', 'never', '\x00', 'null');
SELECT * FROM findings;
ROLLBACK;
-- A sequence that gives its last number once more.
BEGIN;
SELECT setval('modelreg.node_id_seq', (SELECT max(id) FROM modelreg.node), false) > 1 AS node_id;
SELECT check_name, object FROM findings;
SELECT setval('modelreg.node_id_seq', :node_id) > 1 AS node_id;
ROLLBACK;
-- Values that compare as equal and are not; the time of a head that has no event yet; words that nobody wrote.
BEGIN;
SELECT modelreg.record_evaluation('models:/search.reco/1', 'zero', '{"zero": 0}');
SELECT modelreg.create_model('search.fresh', 'open') > 0 AS fresh;
SELECT modelreg.register_version('search.reco', description => 'Größe, ÄPFEL and http://Example.com/A?b=-1.5e3');
SELECT * FROM findings;
CALL open('metric');
UPDATE modelreg.metric SET value = '-0' WHERE value = 0;
CALL open('registration_head');
UPDATE modelreg.registration_head SET head_at = 'infinity' WHERE seq = 0 AND id = (SELECT max(id) FROM modelreg.registration_head);
CALL open('description');
CALL open('search_word');
UPDATE modelreg.description SET words = '{best}' WHERE version IN (2, 3);
DELETE FROM modelreg.search_word WHERE version IN (2, 3);
INSERT INTO modelreg.search_word SELECT team_id, 'best', model_id, version FROM modelreg.description WHERE version IN (2, 3);
SELECT check_name, regexp_replace(object, 'registrations/\d+', 'registrations/<last>') AS object, regexp_replace(detail, '(evaluation|of) \d+', '\1 <last>', 'g') AS detail FROM findings;
ROLLBACK;
-- Rows that are there twice, in every table.
BEGIN;
SET LOCAL modelreg.allow_removal = on;
DO $$
DECLARE
	item record;
BEGIN
	FOR item IN SELECT x.indexrelid::regclass AS name, x.indrelid::regclass AS tbl, k.conname FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
		LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.contype IN ('p', 'u')
		WHERE c.relnamespace = 'modelreg'::regnamespace AND x.indisunique LOOP
		IF item.conname IS NULL THEN
			EXECUTE format('DROP INDEX %s', item.name);
		ELSE
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', item.tbl, item.conname);
		END IF;
	END LOOP;
	FOR item IN SELECT oid::regclass AS tbl FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('INSERT INTO %s SELECT * FROM %1$s', item.tbl);
	END LOOP;
	ALTER TABLE modelreg.alias ALTER model_id DROP NOT NULL, ALTER alias DROP NOT NULL, ALTER team_id DROP NOT NULL,
		ALTER version DROP NOT NULL, ALTER since DROP NOT NULL, ALTER version_identity DROP NOT NULL, ALTER version_registered_at DROP NOT NULL;
	INSERT INTO modelreg.alias DEFAULT VALUES;
END
$$;
SELECT split_part(object, ' ', 1) AS tbl, regexp_replace(detail, '^\d+', '<n>') AS detail FROM findings WHERE check_name = 'key' GROUP BY 1, 2 ORDER BY 1, 2;
-- All but those that are empty here.
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'modelreg'::regnamespace AND c.relkind = 'r'
	AND c.relname NOT IN (SELECT split_part(object, ' ', 1) FROM findings WHERE check_name = 'key') ORDER BY 1;
ROLLBACK;

-- What a forged row holds does not break verify(), however absurd it is.
CREATE FUNCTION forge(c integer, id integer, kind text, team integer, what jsonb) RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO modelreg.event SELECT e.chain, e.chain_id, e.seq + 1, e.at + interval '1 s', $3, $4, e.who, NULL, NULL, NULL, $5, NULL, e.hash,
		modelreg.row_hash('event', e.format, e.chain, e.chain_id, e.seq + 1, e.at + interval '1 s', $3, $4::bigint, e.who, NULL::text, NULL::text, NULL::text, $5, NULL::bytea, e.hash), e.format
	FROM modelreg.event e WHERE chain = $1 AND chain_id = $2 ORDER BY seq DESC LIMIT 1
	RETURNING seq
$$;
BEGIN;
SELECT count(forge(c, i, kind, t, what)) FROM
	(VALUES ('null'::jsonb), ('[]'), ('"x"'), ('1e400'), ('{"team_id": 1e30, "model_id": -1, "version": "x", "batch": 99999999999999999999}'),
		('{"team_id": {}, "model_id": [], "moves": 1, "current": {}, "replaced": [], "bound": {}, "batch": null, "hash": 1, "name": null}')) AS w(what),
	(VALUES (1, 1, 0, 'team_created'), (1, 1, 0, 'team_renamed'), (1, 1, 0, 'level_granted'), (1, 1, 0, 'roles_rebound'), (1, 1, 0, 'registry_created'),
		(1, 1, 0, 'payload_redacted'), (2, 1, 1, 'model_created'), (2, 1, 1, 'model_renamed'), (2, 1, 1, 'quota_set'), (3, 1, 1, 'facts_recorded'),
		(4, 1, 1, 'version_registered'), (5, 1, 1, 'promoted'), (5, 1, 1, 'alias_set')) AS k(c, i, t, kind);
SELECT check_name, count(*) > 0 AS found FROM findings GROUP BY check_name ORDER BY check_name;
ROLLBACK;
BEGIN;
CALL open('event', 'event_hash', 'event_pkey');
CALL open('evaluation', 'evaluation_hash', 'evaluation_sizes');
CALL open('node', 'node_hash', 'node_order');
ALTER TABLE modelreg.event ALTER COLUMN hash DROP NOT NULL, ALTER COLUMN seq DROP NOT NULL, ALTER COLUMN team_id DROP NOT NULL;
UPDATE modelreg.event SET hash = NULL WHERE chain = 5 AND seq = 1;
UPDATE modelreg.event SET seq = NULL WHERE chain = 5 AND seq = 2;
UPDATE modelreg.event SET hash = '\x00', chain = 77, team_id = -1 WHERE chain = 5 AND seq = 3;
UPDATE modelreg.evaluation SET metric_values = '{{1,2},{3,4}}', format = 9 WHERE id = 1;
UPDATE modelreg.evaluation SET metric_values = '[5:5]={1}' WHERE id = 2;
UPDATE modelreg.node SET input_ids = '{{1,2},{3,4}}' WHERE id = 3;
SELECT * FROM findings WHERE check_name = 'row' OR object ~ '77';
SELECT count(*) > 10 AS found FROM findings;
ROLLBACK;
BEGIN;
SET LOCAL modelreg.allow_removal = on;
CALL open('note', 'note_hash');
ALTER TABLE modelreg.note RENAME COLUMN kind TO sort;
SELECT * FROM findings WHERE check_name IN ('layout', 'unreadable');
ROLLBACK;

-- Nor do catalogs that were written to, and files that are gone.
BEGIN;
UPDATE pg_attribute SET attnotnull = false WHERE attrelid = 'pg_largeobject'::regclass AND attname = 'data';
UPDATE pg_largeobject SET data = NULL;
SELECT * FROM findings;
ROLLBACK;
BEGIN;
UPDATE pg_class SET relfilenode = 999999 WHERE oid = 'modelreg.alias'::regclass;
SELECT check_name, object FROM findings WHERE object = 'aliases';
ROLLBACK;
BEGIN;
UPDATE pg_constraint SET conbin = NULL WHERE conname = 'event_hash' AND conrelid = 'modelreg.event'::regclass;
SELECT check_name, object FROM findings;
ROLLBACK;

-- A reader of another team sees nothing of it.
BEGIN;
CALL open('model');
UPDATE modelreg.model SET policy = 'strict' WHERE id IN (1, 2);
SET LOCAL ROLE regress_verify_reader;
SELECT * FROM modelreg.verify('search');
ROLLBACK;

-- Nothing of all this stayed.
SELECT * FROM modelreg.verify(deep => true);
\c :origin
DROP DATABASE regress_verify;
DROP ROLE regress_verify_reader, regress_verify_auditor;
