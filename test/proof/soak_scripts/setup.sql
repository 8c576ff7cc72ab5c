-- A registry of two teams for the soak: 40 models that only register, 12 that only decide among 16 versions each, of which 4
-- have an endpoint that follows, and 6 whose 4 versions serve at an endpoint each.
\set ON_ERROR_STOP on
CREATE EXTENSION modelreg;
CREATE ROLE soak_client LOGIN;
SELECT modelreg.create_team(t), modelreg.grant_level(t, 'soak_client', 'contributor'), modelreg.grant_level(t, 'soak_client', 'evaluator'), modelreg.grant_level(t, 'soak_client', 'maintainer')
FROM unnest(ARRAY['soak', 'other']) AS t;
SELECT count(modelreg.create_model('soak.train-' || i, 'open')) FROM generate_series(1, 40) AS i;
SELECT count(modelreg.create_model('other.serve-' || i, 'open')) FROM generate_series(1, 12) AS i;
SELECT count(modelreg.register_version('other.serve-' || m, metrics => '{"auc": 0.5}')) FROM generate_series(1, 16) AS v, generate_series(1, 12) AS m;
SELECT count(modelreg.promote('other.serve-' || i, 1, 'Production')), count(modelreg.set_alias('other.serve-' || i, 'champion', 1)) FROM generate_series(1, 12) AS i;
SELECT count(modelreg.register_version('soak.train-' || m)) FROM generate_series(1, 3), generate_series(1, 40) AS m;
SELECT modelreg.record_snapshot('soak.events', '0'), modelreg.record_node('commit', 'soak.code', '1');
SELECT count(modelreg.create_endpoint('other.follow-' || i, follows => 'other.serve-' || i, plan => 'linear over 2 seconds in 4 steps')) FROM generate_series(1, 4) AS i;
SELECT count(modelreg.create_model('other.live-' || i, 'open')) FROM generate_series(1, 6) AS i;
SELECT count(modelreg.register_version('other.live-' || m)), count(modelreg.promote('other.live-' || m, v, 'Production', archive_others => false)) FROM generate_series(1, 4) AS v, generate_series(1, 6) AS m;
SELECT count(modelreg.create_endpoint('other.live-' || i, 'other.live-' || i)), modelreg.add_prediction_partitions(current_date + 2) FROM generate_series(1, 6) AS i;
CREATE SCHEMA soak;
GRANT USAGE ON SCHEMA soak TO PUBLIC;
-- Runs a statement, whose error is one of those expected here; anything else ends the client.
CREATE FUNCTION soak.may_fail(statement text, VARIADIC expected text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	IF SQLSTATE = ANY (expected) THEN RETURN SQLSTATE; END IF;
	RAISE;
END $$;
-- The memory of its own that each client's backend has.
CREATE TABLE soak.memory (at timestamptz DEFAULT clock_timestamp(), pid integer, kb bigint);
CREATE FUNCTION soak.sample() RETURNS void LANGUAGE sql AS $$
	INSERT INTO soak.memory (pid, kb)
	SELECT pid, substring(pg_read_file(format('/proc/%s/status', pid), 0, 100000, true) FROM 'RssAnon:\s+(\d+)')::bigint
	FROM pg_stat_activity WHERE usename = 'soak_client' $$;
VACUUM ANALYZE;
