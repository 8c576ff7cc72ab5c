-- Endpoints in the midst of a rollout; and what a serving process without a registry would ask, ready in plain tables.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE ROLE regress_bench_reader LOGIN;
SELECT modelreg.create_team('bench');
SELECT modelreg.grant_level('bench', 'regress_bench_reader', 'reader');
SELECT modelreg.create_model('bench.model', 'open');
SELECT modelreg.register_version('bench.model', artifacts => '[{"name": "weights", "uri": "s3://bench/weights", "size": 3, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]')
FROM generate_series(1, 2);
SELECT modelreg.promote('bench.model', v, 'Production', archive_others => false) FROM generate_series(1, 2) v;
SELECT count(modelreg.create_endpoint('bench.endpoint-' || i, 'bench.model', 1)) FROM generate_series(1, 100) i;
SELECT count(modelreg.start_rollout('bench.endpoint-' || i, 2, plan => 'canary 50% for 24 hours')) FROM generate_series(1, 100) i;

CREATE SCHEMA bench;
CREATE TABLE bench.routed (name text PRIMARY KEY, model_id bigint, version integer, permanent_id text, share integer, receipt text);
INSERT INTO bench.routed SELECT 'bench.endpoint-' || i, r.model_id, r.version, r.permanent_id, r.share, r.receipt
	FROM generate_series(1, 100) AS i, modelreg.route('bench.endpoint-' || i, 'user-1') AS r;
CREATE TABLE bench.config (name text PRIMARY KEY, etag text, valid_until timestamptz, document jsonb);
INSERT INTO bench.config SELECT 'bench.endpoint-' || i, c.etag, c.valid_until, c.document FROM generate_series(1, 100) AS i, modelreg.serving_config('bench.endpoint-' || i) AS c;
-- With so few rows it would be read as a whole.
INSERT INTO bench.routed SELECT 'bench.other-' || i, r.model_id, r.version, r.permanent_id, r.share, r.receipt FROM bench.routed r, generate_series(1, 10000) i WHERE r.name = 'bench.endpoint-1';
INSERT INTO bench.config SELECT 'bench.other-' || i, c.etag, c.valid_until, c.document FROM bench.config c, generate_series(1, 10000) i WHERE c.name = 'bench.endpoint-1';
GRANT USAGE ON SCHEMA bench TO regress_bench_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA bench TO regress_bench_reader;
VACUUM ANALYZE;
