-- Endpoints at which version 2 has a share beside version 1: one outside a rollout, ten in a guarded one that waits for more than will come.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SELECT modelreg.create_team('bench');
SELECT modelreg.grant_level('bench', current_user, 'evaluator');
SELECT modelreg.create_model('bench.model', 'open');
SELECT modelreg.register_version('bench.model') FROM generate_series(1, 2);
SELECT modelreg.promote('bench.model', v, 'Production', archive_others => false) FROM generate_series(1, 2) AS v;
SELECT modelreg.create_endpoint('bench.plain', model => 'bench.model', version => 2);
SELECT modelreg.create_endpoint('bench.guarded-' || i, model => 'bench.model', version => 1) FROM generate_series(0, 9) AS i;
SELECT modelreg.start_rollout('bench.guarded-' || i, version => 2, plan => '{"steps": [{"weight": "5%", "bake": "1 hour"}, {"weight": "100%"}],
	"guards": [{"metric": "ctr", "at_least": 0.01, "min_observations": 1000000000000}]}') FROM generate_series(0, 9) AS i;
CREATE SCHEMA bench;
CREATE TABLE bench.quality (LIKE modelreg.quality_observation INCLUDING ALL);
CREATE SEQUENCE bench.quality_id_seq;
CREATE TABLE bench.sums (id integer PRIMARY KEY, total float8, observations bigint) WITH (fillfactor = 70);
INSERT INTO bench.sums SELECT i, 0, 0 FROM generate_series(0, 9) AS i;
VACUUM ANALYZE;
