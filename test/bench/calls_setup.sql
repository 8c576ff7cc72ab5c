-- The alternative's tables: the registry's own columns, CHECKs and indexes, without its verbs, triggers and policies.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE ROLE regress_bench_reader LOGIN;
SELECT modelreg.create_team('bench');
SELECT modelreg.grant_level('bench', 'regress_bench_reader', 'reader');
SELECT modelreg.record_run('bench.train');
SELECT count(modelreg.create_model('bench.model-' || i, 'open')) FROM generate_series(1, 1000) AS i;
SELECT count(modelreg.register_version('bench.model-' || i)) FROM generate_series(1, 1000) AS i;
-- two versions of one model for each of eight clients, and one of nobody
SELECT count(modelreg.register_version('bench.model-1')) FROM generate_series(2, 17) AS i;
SELECT count(modelreg.promote('bench.model-' || i, 1, 'Production')) FROM generate_series(1, 1000) AS i;
SELECT count(modelreg.set_alias('bench.model-' || i, 'champion', 1)) FROM generate_series(1, 1000) AS i;

CREATE SCHEMA bench;
CREATE TABLE bench.node (LIKE modelreg.node INCLUDING ALL);
CREATE TABLE bench.edge (LIKE modelreg.edge INCLUDING ALL);
CREATE TABLE bench.artifact (LIKE modelreg.artifact INCLUDING ALL);
CREATE TABLE bench.payload (LIKE modelreg.payload INCLUDING ALL);
CREATE TABLE bench.evaluation (LIKE modelreg.evaluation INCLUDING ALL);
CREATE TABLE bench.metric (LIKE modelreg.metric INCLUDING ALL);
CREATE TABLE bench.param (LIKE modelreg.param INCLUDING ALL);
CREATE TABLE bench.version_stage (LIKE modelreg.version_stage INCLUDING ALL);
CREATE TABLE bench.version (LIKE modelreg.version INCLUDING ALL);
CREATE TABLE bench.event (LIKE modelreg.event INCLUDING ALL);
CREATE TABLE bench.registration_head (LIKE modelreg.registration_head INCLUDING ALL);
ALTER TABLE bench.registration_head SET (fillfactor = 50);
CREATE SEQUENCE bench.node_seq START 1000000;
CREATE SEQUENCE bench.evaluation_seq START 1000000;
INSERT INTO bench.registration_head SELECT * FROM modelreg.registration_head;
-- What a serving process without a registry would ask.
CREATE TABLE bench.current (name text PRIMARY KEY, version integer, since timestamptz, uri text, permanent_id text, registered_at timestamptz, etag bigint);
INSERT INTO bench.current SELECT model, version, since, uri, permanent_id, registered_at, 1 FROM modelreg.production_now;
GRANT USAGE ON SCHEMA bench TO regress_bench_reader;
CREATE TABLE bench.pointed (name text PRIMARY KEY, version integer, uri text, permanent_id text, stage text, registered_at timestamptz);
INSERT INTO bench.pointed SELECT a.model || '@champion', a.version, a.uri, a.permanent_id, a.stage, a.registered_at
	FROM generate_series(1, 1000) AS i, modelreg.get_by_alias('bench.model-' || i, 'champion') AS a;
GRANT SELECT ON bench.current, bench.pointed TO regress_bench_reader;
-- What a promotion without a registry would be: by hand, with all its rows, and one that leaves nothing behind.
CREATE TABLE bench.model (LIKE modelreg.model INCLUDING ALL) WITH (fillfactor = 70);
CREATE TABLE bench.production (LIKE modelreg.production INCLUDING ALL);
CREATE TABLE bench.evidence (LIKE modelreg.evidence INCLUDING ALL);
INSERT INTO bench.model SELECT * FROM modelreg.model;
INSERT INTO bench.version_stage SELECT * FROM modelreg.version_stage;
CREATE TABLE bench.pointer (id bigint PRIMARY KEY, version integer) WITH (fillfactor = 70);
INSERT INTO bench.pointer SELECT i, 1 FROM generate_series(1, 1000) AS i;
VACUUM ANALYZE;
