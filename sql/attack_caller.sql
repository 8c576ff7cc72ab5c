-- What a caller's surroundings and odd arguments must not change: settings, the statements that a verb is called from,
-- times and numbers at the edge.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_attack_owner;
SELECT modelreg.create_team('attack') > 0 AS created;
SELECT modelreg.grant_level('attack', 'regress_attack_owner', level) FROM unnest('{maintainer,evaluator}'::text[]) AS level;
CREATE SCHEMA regress_att;
GRANT USAGE, CREATE ON SCHEMA regress_att TO PUBLIC;
SET search_path = regress_att;
SET ROLE regress_attack_owner;
SELECT modelreg.create_model('attack.m', 'open') > 0 AS created;
SELECT modelreg.record_run('attack.r');
SELECT modelreg.register_version('attack.m', run => 'run:attack.r');

-- quoted names of types are the same types
SET quote_all_identifiers = on;
SELECT * FROM modelreg.verify('attack');
RESET quote_all_identifiers;

-- An index's function runs as the table's owner whoever runs the maintenance: no verb runs there.
CREATE TABLE trap (armed boolean);
CREATE FUNCTION decide(text) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN (SELECT armed FROM regress_att.trap) THEN modelreg.register_version('attack.m', run => 'run:attack.r') END;
END $$;
CREATE TABLE bait AS SELECT x::text FROM generate_series(1, 3) AS x;
CREATE INDEX ON bait (decide(x));
INSERT INTO trap VALUES (true);
RESET ROLE;
ANALYZE bait;
REINDEX TABLE bait;
SET ROLE regress_attack_owner;
SELECT count(*) FROM modelreg.versions WHERE team = 'attack' AND name = 'm';

-- times that are no moments, wherever somebody claims one
SELECT modelreg.register_version('attack.m', run => 'run:attack.r', occurred_at => 'infinity');
SELECT modelreg.record_evaluation('models:/attack.m/1', 'offline', '{"f1": 0.5}', occurred_at => '-infinity');
SELECT modelreg.record_run('attack.r2', occurred_at => 'infinity');

-- numbers that float8 does not have are named, all at once
SELECT modelreg.record_evaluation('models:/attack.m/1', 'offline', '{"big": 1e400, "small": -1e-400, "fine": 1e-310, "nought": -0.0}');
SELECT modelreg.register_version('attack.m', run => 'run:attack.r', metrics => '{"big": -1e400, "text": "nan"}');
SELECT modelreg.record_evaluation('models:/attack.m/1', 'offline', '{"nought": -0.0, "max": 1.7976931348623157e308, "text": "NaN"}') > 0 AS recorded;

SELECT modelreg.record_evaluation('models:/attack.m/1', 'offline', (SELECT jsonb_object_agg(n, 1) FROM generate_series(1, 10001) AS n));

-- a row that COPY cannot print would break every dump
SELECT modelreg.set_description('attack.m', repeat('\', 16777217));
SELECT modelreg.register_version('attack.m', run => 'run:attack.r', params => ('{"a": [' || repeat('1e131071,', 200) || '1]}')::jsonb);

-- what is no name at all is told, but not at full length
SELECT * FROM modelreg.verify(repeat('x', 1000));

-- one run made a version, or none
SELECT modelreg.record_run('attack.r2');
SELECT modelreg.record_snapshot('attack.s', '1');
SELECT modelreg.register_version('attack.m', run => 'snapshot:attack.s@1');
SELECT modelreg.register_version('attack.m', run => 'models:/attack.m/1');
SELECT modelreg.register_version('attack.m', run => 'run:attack.r', inputs => '{"run": "run:attack.r2"}');
SELECT modelreg.register_version('attack.m', run => 'run:attack.r', inputs => '{"run": "run:attack.r"}');

-- kinds whose addresses would be read as those of versions
SELECT modelreg.record_node('models', 'attack.x');
SELECT modelreg.record_node('modelreg', 'attack.x');

SELECT * FROM modelreg.verify('attack', deep => true);
RESET ROLE;
DROP SCHEMA regress_att CASCADE;
SELECT modelreg.revoke_level('attack', 'regress_attack_owner', level) FROM unnest('{maintainer,evaluator}'::text[]) AS level;
DROP ROLE regress_attack_owner;
