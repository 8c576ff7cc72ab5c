-- Observations of quality, and what the guards of a rollout make of them.
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned
\pset null '(null)'
SET search_path = pg_catalog;

-- What a statement fails with; no row if it succeeds.
CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT reason text, OUT message text, OUT detail text)
RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, reason = CONSTRAINT_NAME,
		message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN NEXT;
END $$;

CREATE ROLE regress_quality_evaluator;
CREATE ROLE regress_quality_reader;
CREATE ROLE regress_quality_nobody;
SELECT modelreg.create_team('quality') > 0 AS team;
SELECT modelreg.create_team('quality_other') > 0 AS team;
SELECT modelreg.grant_level('quality', current_user, 'evaluator');
SELECT modelreg.grant_level('quality', 'regress_quality_evaluator', 'evaluator');
SELECT modelreg.grant_level('quality', 'regress_quality_reader', 'reader');
SELECT modelreg.create_model(m, 'open') > 0 AS model FROM unnest('{quality.reco,quality.rival,quality_other.reco}'::text[]) m;
SELECT modelreg.register_version('quality.reco') FROM generate_series(1, 4);
SELECT modelreg.register_version('quality.rival');
SELECT modelreg.promote('quality.reco', v, 'Production', archive_others => false) > 0 AS promoted FROM generate_series(1, 3) v;
SELECT modelreg.promote('quality.rival', 1, 'Production') > 0 AS promoted;
SELECT modelreg.create_endpoint('quality.home', model => 'quality.reco', version => 1) > 0 AS endpoint;

-- What is observed from now on; steps that bake for a millisecond have by then.
CREATE FUNCTION pg_temp.observe(version integer, metric text, total float8, count bigint, endpoint text DEFAULT 'quality.home', model text DEFAULT NULL) RETURNS boolean
	LANGUAGE sql AS $$ SELECT modelreg.record_quality(endpoint, version, metric, total => total, count => count, window_start => clock_timestamp(), model => model) > 0
		FROM pg_sleep(0.005) $$;
-- How the rollout stands, without times and ids.
CREATE FUNCTION pg_temp.stands(endpoint text DEFAULT 'quality.home', OUT kind text, OUT state text, OUT split text, OUT shadow text[], OUT step text, OUT next text, OUT opens text, OUT waits_for text)
	LANGUAGE sql AS $$ SELECT kind, state, split, shadow, reached || '/' || steps, next_split,
		CASE WHEN next_opens > clock_timestamp() THEN 'later' WHEN next_opens IS NOT NULL THEN 'past' END, waits_for FROM modelreg.rollout_status(endpoint) $$;
CREATE FUNCTION pg_temp.guards(endpoint text DEFAULT 'quality.home') RETURNS SETOF jsonb
	LANGUAGE sql AS $$ SELECT g - 'model_id'::text FROM modelreg.rollout_status(endpoint), jsonb_array_elements(guards) g $$;
-- The events of an endpoint, newest last, with what a guard said.
CREATE FUNCTION pg_temp.events(number bigint, endpoint text DEFAULT 'quality.home', OUT kind text, OUT guard jsonb) RETURNS SETOF record
	LANGUAGE sql AS $$ SELECT e.kind, (e.what->'guard') - 'model_id'::text FROM modelreg.event e JOIN modelreg.endpoints p ON p.endpoint_id = e.chain_id
		WHERE e.chain = 6 AND p.endpoint = events.endpoint AND e.seq >= events.number ORDER BY e.seq $$;

--
-- what is an observation
--
SELECT modelreg.record_quality('quality.home', 1, 'ctr', value => 0.5, window_start => clock_timestamp()) > 0 AS recorded;
SELECT modelreg.record_quality('quality.home', 1, 'ctr', total => 30, count => 100, window_start => clock_timestamp(), window_end => clock_timestamp()) > 0 AS recorded;
SELECT modelreg.record_quality('quality.home', 1, 'ctr', total => 0, count => 0, window_start => clock_timestamp(), model => 'quality.reco') > 0 AS recorded;
SELECT modelreg.record_quality('quality.home', 1, 'profit', value => -1e300, window_start => clock_timestamp()) > 0 AS recorded;
SELECT endpoint, model, version, metric, mean, total, observations, window_end - window_start < '1 minute' AS short, role = session_user AS by_me
FROM modelreg.quality WHERE endpoint = 'quality.home' ORDER BY id;
SELECT statement, e.* FROM (VALUES
	('value => ''NaN'''), ('value => ''Infinity'''), ('value => ''-Infinity'''), ('value => 2e300'), ('value => NULL'), ('total => 1'), ('count => 1'),
	('value => 1, count => 10'), ('value => 1, total => 1, count => 1'), ('total => 1, count => 0'), ('total => 0, count => -1'), ('total => ''NaN'', count => -1'),
	('total => ''Infinity'', count => 1'), ('total => 1, count => 9223372036854775807'),
	('value => 1, window_end => ''infinity'''), ('value => 1, window_end => ''-infinity'''), ('value => 1, window_end => clock_timestamp() - interval ''1 hour'''),
	('value => 1, window_end => clock_timestamp() + interval ''1 hour''')
) s(statement), pg_temp.error_of(format('SELECT modelreg.record_quality(''quality.home'', 1, ''ctr'', window_start => clock_timestamp(), %s)', statement)) e;
SELECT statement, e.state, e.reason, e.message FROM (VALUES
	('NULL, 1, ''ctr'', now(), 1'), ('''quality.home'', NULL, ''ctr'', now(), 1'), ('''quality.home'', 1, NULL, now(), 1'), ('''quality.home'', 1, ''ctr'', NULL, 1'),
	('''quality.home'', 1, '''', now(), 1'), ('''quality.home'', 1, repeat(''x'', 256), now(), 1'), ('''quality.home'', 1, ''ctr'', ''-infinity'', 1'),
	('''quality.none'', 1, ''ctr'', now(), 1'), ('''quality'', 1, ''ctr'', now(), 1'), ('''quality.home'', 99, ''ctr'', now(), 1'),
	('''quality.home'', 1, ''ctr'', now(), 1, model => ''quality.none'''), ('''quality.home'', 1, ''ctr'', now(), 1, model => ''quality_other.reco'''),
	-- what has no traffic there: another version, another model's, none at the time
	('''quality.home'', 2, ''ctr'', now(), 1'), ('''quality.home'', 1, ''ctr'', now(), 1, model => ''quality.rival'''),
	('''quality.home'', 1, ''ctr'', ''2020-01-01'', 1, window_end => ''2020-01-02''')
) s(statement), pg_temp.error_of(format('SELECT modelreg.record_quality(%s)', statement)) e;
-- a call that is repeated does nothing, and one with other content is an error
SELECT now() AS began \gset
SELECT modelreg.record_quality('quality.home', 1, 'once', value => 1, window_start => :'began', request_id => 'o')
	= modelreg.record_quality('quality.home', 1, 'once', value => 1, window_start => :'began', request_id => 'o') AS same;
SELECT state, reason FROM pg_temp.error_of(format('SELECT modelreg.record_quality(''quality.home'', 1, ''once'', value => 2, window_start => %L, request_id => ''o'')', :'began'));
SELECT count(*) FROM modelreg.quality WHERE metric = 'once';
-- who may
SET ROLE regress_quality_evaluator;
SELECT modelreg.record_quality('quality.home', 1, 'ctr', value => 0.1, window_start => clock_timestamp()) > 0 AS recorded;
SET ROLE regress_quality_reader;
SELECT state, reason, message FROM pg_temp.error_of('SELECT modelreg.record_quality(''quality.home'', 1, ''ctr'', value => 0.1, window_start => clock_timestamp())');
SELECT state, split FROM modelreg.rollout_status('quality.home');
SELECT count(*) FROM modelreg.quality;
SET ROLE regress_quality_nobody;
SELECT state, reason, message FROM pg_temp.error_of('SELECT modelreg.record_quality(''quality.home'', 1, ''ctr'', value => 0.1, window_start => clock_timestamp())');
SELECT state, reason, message FROM pg_temp.error_of('SELECT modelreg.rollout_status(''quality.home'')');
SELECT count(*) FROM modelreg.quality;
RESET ROLE;
-- outside a rollout nobody waits for anybody: no lock is held but those of tables
BEGIN;
SELECT pg_temp.observe(1, 'errors', 1, 100) AS recorded;
SELECT locktype, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype NOT IN ('relation', 'virtualxid', 'transactionid');
COMMIT;

--
-- a guarded rollout
--
\set plan '{"steps": [{"weight": "5%", "bake": "1 ms"}, {"weight": "50%", "bake": "1 hour"}, {"weight": "90%", "bake": "1 ms"}, {"weight": "100%"}], "guards": [{"metric": "ctr", "at_least": 0.98, "of": "baseline", "min_observations": 1000}, {"metric": "errors", "at_most": 0.01, "min_observations": 100}]}'
SELECT modelreg.start_rollout('quality.home', version => 2, plan => :'plan', reason => 'better') AS rollout \gset
SELECT * FROM pg_temp.stands();
SELECT * FROM pg_temp.guards();
-- silence holds the weights, at any later time
SELECT count(*) AS later_steps FROM modelreg.traffic_arm a JOIN modelreg.endpoints e ON e.endpoint_id = a.endpoint_id
WHERE e.endpoint = 'quality.home' AND a.seq = e.number AND a.step > 0;
-- good figures, but too few; of the version alone; of one metric alone
SELECT pg_temp.observe(2, 'errors', 0, 99), pg_temp.observe(2, 'ctr', 100, 1000);
SELECT * FROM pg_temp.stands();
SELECT pg_temp.observe(1, 'ctr', 1000, 10000);
SELECT * FROM pg_temp.stands();
-- what a window before the step, or no observation at all, does not complete
SELECT modelreg.record_quality('quality.home', 1, 'errors', total => 0, count => 100, window_start => :'began') > 0 AS recorded;
SELECT state, reason, message ~ 'had no traffic' AS no_traffic FROM pg_temp.error_of(format('SELECT modelreg.record_quality(''quality.home'', 2, ''errors'', total => 0, count => 100, window_start => %L, window_end => %L)', :'began', :'began'));
SELECT modelreg.record_quality('quality.home', 2, 'errors', total => 0, count => 100, window_start => :'began') > 0 AS recorded;
SELECT pg_temp.observe(2, 'errors', 0, 0), pg_temp.observe(2, 'latency', 5, 1000), pg_temp.observe(1, 'errors', 90, 100);
SELECT * FROM pg_temp.stands();
-- nor what was undone
BEGIN;
SAVEPOINT s;
SELECT pg_temp.observe(2, 'errors', 50, 100);
ROLLBACK TO s;
COMMIT;
SELECT kind, state, waits_for FROM pg_temp.stands();
-- the last that is missing opens the next step, at once as its time has come
SELECT pg_temp.observe(2, 'errors', 0, 1);
SELECT * FROM pg_temp.stands();
-- evidence is a step's: all of it is asked for again, and then the step opens when it was planned
SELECT * FROM pg_temp.guards();
BEGIN;
SELECT pg_temp.observe(2, 'errors', 1, 100), pg_temp.observe(2, 'ctr', 98, 1000);
SELECT pg_temp.observe(1, 'ctr', 100, 1000);
SELECT kind, split FROM pg_temp.stands();
COMMIT;
SELECT * FROM pg_temp.stands();
SELECT next_opens = next_planned AND next_opens - since BETWEEN '50 minutes' AND '1 hour' AS as_planned FROM modelreg.rollout_status('quality.home');
-- the step that is reached is what serving() and receipts call by its number in the schedule, from 0
SELECT DISTINCT r.receipt = s.receipt AS receipt, r.since = s.since AS since, split_part(r.receipt, '.', 2) AS step, r.receipt LIKE r.number || '.%' AS number, r.reached
FROM modelreg.rollout_status('quality.home') r, modelreg.serving('quality.home') s;
-- more of it opens no more than that
SELECT pg_temp.observe(2, 'errors', 1, 100), pg_temp.observe(2, 'ctr', 98, 1000), pg_temp.observe(1, 'ctr', 100, 1000);
SELECT kind, step FROM pg_temp.stands();
-- a bad figure ends it all, in the transaction that records it
BEGIN;
SELECT pg_temp.observe(2, 'errors', 50, 100);
SELECT split FROM pg_temp.stands();
COMMIT;
SELECT * FROM pg_temp.stands();
SELECT * FROM pg_temp.events(:rollout);
-- by whoever recorded it
SELECT who->>'role' = current_user AS by_me, what->'guard'->>'model_id' = (SELECT model_id::text FROM modelreg.models WHERE model = 'quality.reco') AS of_model
FROM modelreg.event WHERE chain = 6 AND kind = 'rollout_aborted' AND chain_id = (SELECT endpoint_id FROM modelreg.endpoints WHERE endpoint = 'quality.home');
-- and what comes later changes nothing, nor can it be said of a version that left
SELECT pg_temp.observe(1, 'errors', 90, 100);
SELECT state, reason FROM pg_temp.error_of('SELECT pg_temp.observe(2, ''errors'', 0, 100)');
SELECT kind, state, split FROM pg_temp.stands();

--
-- what a guard compares
--
-- Each case in a rollout of its own, which is then ended: figures of the baseline and of version 2, and what the last event is.
CREATE TEMP TABLE cases (no integer GENERATED ALWAYS AS IDENTITY, guard text, base_total float8, base_count bigint, total float8, count bigint);
INSERT INTO cases (guard, base_total, base_count, total, count) VALUES
	('{"metric": "m", "at_most": 0.01, "min_observations": 100}', NULL, NULL, 1, 100),
	('{"metric": "m", "at_most": 0.01, "min_observations": 100}', NULL, NULL, 1.000001, 100),
	('{"metric": "m", "at_most": 0.01, "min_observations": 100}', NULL, NULL, 50, 99),
	('{"metric": "m", "at_least": 0.3, "min_observations": 10}', NULL, NULL, 3, 10),
	('{"metric": "m", "at_least": -1, "min_observations": 10}', NULL, NULL, -10, 10),
	('{"metric": "m", "at_least": -1, "min_observations": 10}', NULL, NULL, -11, 10),
	-- decimals as they are written: 0.9 of 0.1 is 0.09
	('{"metric": "m", "at_least": 0.9, "of": "baseline", "min_observations": 100}', 10, 100, 9, 100),
	('{"metric": "m", "at_most": 1.1, "of": "baseline", "min_observations": 100}', 10, 100, 11, 100),
	('{"metric": "m", "at_least": 0.9, "of": "baseline", "min_observations": 100}', 10, 100, 8.999999, 100),
	('{"metric": "m", "at_most": 1.1, "of": "baseline", "min_observations": 100}', 10, 100, 11.000001, 100),
	('{"metric": "m", "at_least": 1, "of": "baseline", "min_observations": 100}', 0.7, 700, 0.1, 100),
	-- too little of the baseline, none of it, one that says nothing, zero
	('{"metric": "m", "at_least": 0.9, "of": "baseline", "min_observations": 100}', 10, 99, 0, 100),
	('{"metric": "m", "at_least": 0.9, "of": "baseline", "min_observations": 100}', NULL, NULL, 1, 100),
	('{"metric": "m", "at_least": 0.9, "of": "baseline", "min_observations": 100}', 0, 100, 1, 100),
	('{"metric": "m", "at_most": 1.1, "of": "baseline", "min_observations": 100}', 0, 100, 0, 100),
	('{"metric": "m", "at_most": 1.1, "of": "baseline", "min_observations": 100}', 0, 100, 1, 100),
	('{"metric": "m", "at_least": 0.9, "of": "baseline", "min_observations": 100}', -10, 100, -9, 100),
	-- figures as large as they may be
	('{"metric": "m", "at_most": 1e300, "min_observations": 1}', NULL, NULL, 1e300, 1),
	('{"metric": "m", "at_most": 1e299, "min_observations": 1}', NULL, NULL, 1e300, 1),
	('{"metric": "m", "at_most": 1e300, "of": "baseline", "min_observations": 1}', 1e300, 1, 1e300, 1);
CREATE TEMP TABLE outcomes (no integer, kind text, verdict text, observed text, required text);
CREATE TEMP TABLE scratch (done boolean);
SELECT format('INSERT INTO scratch SELECT modelreg.start_rollout(''quality.home'', version => 2, plan => %L) > 0',
		format('{"steps": [{"weight": "50%%", "bake": "1 ms"}, {"weight": "100%%"}], "guards": [%s]}', guard)),
	format('INSERT INTO scratch SELECT pg_temp.observe(1, ''m'', %L, %L) WHERE %L IS NOT NULL', base_total, base_count, base_count),
	format('INSERT INTO scratch SELECT pg_temp.observe(2, ''m'', %L, %L)', total, count),
	format('INSERT INTO outcomes SELECT %s, s.kind, g->>''verdict'', g->>''observed'', g->>''required'' FROM pg_temp.stands() s LEFT JOIN pg_temp.guards() g ON true', no),
	'INSERT INTO scratch SELECT modelreg.abort_rollout(''quality.home'') > 0 FROM pg_temp.stands() WHERE state <> ''none''',
	'INSERT INTO scratch SELECT modelreg.start_rollout(''quality.home'', version => 1, plan => ''all at once'') > 0'
FROM cases ORDER BY no
\set ECHO none
\gexec
\set ECHO all
SELECT no, guard, base_total || '/' || base_count AS baseline, total || '/' || count AS figures, kind, verdict, left(observed, 10) AS observed, required
FROM cases LEFT JOIN outcomes USING (no) ORDER BY no;

-- Figures are added up as decimals too: three times 0.1 is 0.3, and nothing is lost beside what is large. What is asked last lets nothing open.
SELECT modelreg.start_rollout('quality.home', version => 2, plan => '{"steps": [{"weight": "50%", "bake": "1 ms"}, {"weight": "100%"}], "guards": [
	{"metric": "dime", "at_most": 0.1, "min_observations": 3}, {"metric": "dimes", "at_most": 1, "of": "baseline", "min_observations": 3},
	{"metric": "large", "at_least": 1.5, "min_observations": 4}, {"metric": "third", "at_least": 0, "min_observations": 3}, {"metric": "none", "at_most": 0}]}') > 0 AS started;
SELECT pg_temp.observe(1, 'dimes', 0.3, 3);
SELECT count(pg_temp.observe(2, m, 0.1, 1)) FROM unnest('{dime,dimes}'::text[]) m, generate_series(1, 3);
SELECT pg_temp.observe(2, 'dime', 0.1, 1) FROM generate_series(1, 7);
BEGIN;
SELECT count(pg_temp.observe(2, 'large', total, 1)) FROM unnest('{3,1e17,3,-1e17}'::float8[]) total;
COMMIT;
SELECT pg_temp.observe(2, 'third', 0.7, 3);
SELECT kind, state FROM pg_temp.stands();
SELECT g->>'metric' AS metric, g->'observed' AS observed, g->'required' AS required, g->'baseline' AS baseline, g->>'observations' AS observations, g->>'verdict' AS verdict FROM pg_temp.guards() g;
SELECT modelreg.abort_rollout('quality.home') > 0 AS aborted;

--
-- arms
--
-- Of two that grow each has to pass, and one that fails ends it for both; what stays is the baseline, as a whole.
\set split '{1: 40%, quality.rival/1: 20%, 2: 20%, 3: 20%}'
SELECT modelreg.start_rollout('quality.home', split => '{1: 50%, quality.rival/1: 50%}', plan => 'all at once') > 0 AS started;
\set plan '{"steps": [{"weight": "50%", "bake": "1 ms"}, {"weight": "100%"}], "guards": [{"metric": "m", "at_least": 0.5, "of": "baseline", "min_observations": 100}]}'
SELECT modelreg.start_rollout('quality.home', split => :'split', plan => :'plan') AS rollout \gset
SELECT pg_temp.observe(1, 'm', 10, 50), pg_temp.observe(1, 'm', 90, 50, model => 'quality.rival');
SELECT pg_temp.observe(2, 'm', 50, 100);
SELECT split, waits_for FROM pg_temp.stands();
SELECT pg_temp.observe(3, 'm', 49, 100);
SELECT * FROM pg_temp.events(:rollout);
SELECT kind, split FROM pg_temp.stands();
SELECT modelreg.start_rollout('quality.home', split => :'split', plan => :'plan') AS rollout \gset
SELECT pg_temp.observe(1, 'm', 10, 50), pg_temp.observe(1, 'm', 90, 50, model => 'quality.rival'), pg_temp.observe(2, 'm', 50, 100), pg_temp.observe(3, 'm', 50, 100);
SELECT kind, state, split FROM pg_temp.stands();
-- A shadow has no share and can fail.
SELECT modelreg.create_endpoint('quality.side', model => 'quality.reco', version => 1) > 0 AS endpoint;
SELECT modelreg.start_rollout('quality.side', version => 2, plan => '{"shadow": "1 hour", "steps": [{"weight": "5%", "bake": "1 ms"}, {"weight": "100%"}],
	"guards": [{"metric": "latency", "at_most": 50, "min_observations": 100}]}') AS rollout \gset
SELECT * FROM pg_temp.stands('quality.side');
SELECT pg_temp.observe(1, 'latency', 40, 1, 'quality.side');
SELECT pg_temp.observe(2, 'latency', 4900, 100, 'quality.side');
SELECT kind, step FROM pg_temp.stands('quality.side');
SELECT pg_temp.observe(2, 'latency', 5200, 100, 'quality.side');
SELECT * FROM pg_temp.events(:rollout, 'quality.side');

--
-- paused
--
-- What passes opens nothing, also after it goes on; what fails ends it.
\set plan '{"steps": [{"weight": "5%", "bake": "1 ms"}, {"weight": "50%", "bake": "1 ms"}, {"weight": "100%"}], "guards": [{"metric": "errors", "at_most": 0.01, "min_observations": 100}]}'
SELECT modelreg.start_rollout('quality.side', version => 2, plan => :'plan') AS rollout \gset
SELECT modelreg.pause_rollout('quality.side') > 0 AS paused;
SELECT * FROM pg_temp.stands('quality.side');
SELECT pg_temp.observe(2, 'errors', 0, 1000, 'quality.side');
SELECT kind, state, split, waits_for FROM pg_temp.stands('quality.side');
SELECT modelreg.resume_rollout('quality.side') > 0 AS resumed;
SELECT kind, state, split, waits_for FROM pg_temp.stands('quality.side');
SELECT modelreg.pause_rollout('quality.side') > 0 AS paused;
SELECT pg_temp.observe(2, 'errors', 20, 1000, 'quality.side');
SELECT kind, state, split, waits_for FROM pg_temp.stands('quality.side');

--
-- a clock that is ahead
--
-- A figure of the shadow, whose window claims to begin in the step behind it, counts for neither when it is committed there. That it is one of the shadow takes
-- another try on a machine that is slow: a clock may be ahead by no more than a second.
CREATE FUNCTION pg_temp.ahead() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	FOR try IN 1..100 LOOP
		BEGIN
			PERFORM modelreg.start_rollout('quality.side', version => 2, plan => '{"shadow": "900 ms", "steps": [{"weight": "5%", "bake": "1 ms"}, {"weight": "100%"}], "guards": [{"metric": "errors", "at_most": 0.01}]}');
			PERFORM modelreg.record_quality('quality.side', 2, 'errors', at, value => 0, window_end => at) FROM (SELECT clock_timestamp() + interval '990 ms' AS at) t;
			IF (SELECT reached = 1 FROM modelreg.rollout_status('quality.side')) THEN
				RETURN true;
			END IF;
			RAISE EXCEPTION SQLSTATE 'MR001';
		EXCEPTION WHEN SQLSTATE 'MR001' THEN
			NULL;
		END;
	END LOOP;
	RETURN false;
END $$;
BEGIN;
SELECT pg_temp.ahead() AS recorded;
SELECT FROM pg_sleep(1);
COMMIT;
SELECT kind, split, waits_for FROM pg_temp.stands('quality.side');
SELECT modelreg.abort_rollout('quality.side') > 0 AS aborted;

--
-- several endpoints and many figures in one transaction, to the end of a rollout
--
SELECT modelreg.start_rollout('quality.side', version => 2, plan => :'plan') AS rollout \gset
SELECT modelreg.start_rollout('quality.home', split => '{1: 100%}', plan => 'all at once') > 0 AS started;
SELECT modelreg.start_rollout('quality.home', version => 2, plan => :'plan') > 0 AS started;
BEGIN;
SELECT count(modelreg.record_quality(CASE i % 3 WHEN 0 THEN 'quality.side' ELSE 'quality.home' END, 2, 'errors', total => i % 2, count => 10, window_start => clock_timestamp()))
FROM generate_series(1, 3000) i;
COMMIT;
SELECT e.endpoint, s.kind, s.split FROM modelreg.endpoints e, pg_temp.stands(e.endpoint) s WHERE e.team = 'quality' ORDER BY 1;
SELECT modelreg.start_rollout('quality.side', version => 2, plan => :'plan') AS rollout \gset
SELECT pg_temp.observe(2, 'errors', 0, 100, 'quality.side');
SELECT pg_temp.observe(2, 'errors', 0, 100, 'quality.side');
-- the last step has no next one: figures are rows like any other
SELECT * FROM pg_temp.stands('quality.side');
SELECT pg_temp.observe(2, 'errors', 90, 100, 'quality.side');
SELECT kind, split FROM pg_temp.stands('quality.side');
SELECT * FROM pg_temp.events(:rollout, 'quality.side');

-- A window is of a version if it had traffic at any time of it, by whichever schedule: as the view of all traffic has it, at each instant at which
-- anything changed, and just before.
CREATE FUNCTION pg_temp.accepts(v integer, since timestamptz, until timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM modelreg.record_quality('quality.home', v, 'window', value => 1, window_start => since, window_end => until);
	RAISE EXCEPTION SQLSTATE 'MR001';
EXCEPTION WHEN SQLSTATE 'MR001' THEN
	RETURN true;
WHEN object_not_in_prerequisite_state THEN
	RETURN false;
END $$;
WITH instants AS (SELECT DISTINCT at FROM modelreg.traffic t, unnest(ARRAY[t.since, t.since - interval '1 us']) AS at WHERE t.endpoint = 'quality.home' AND t.since < clock_timestamp()),
	windows AS (SELECT i.at AS since, (i.at + o.more) AS until FROM instants i, (SELECT interval '0' AS more UNION SELECT interval '1 us' UNION SELECT interval '5 ms' UNION SELECT interval '20 ms') o)
SELECT count(*) > 500 AS many, count(*) FILTER (WHERE a) > 100 AS taken, count(*) FILTER (WHERE NOT a) > 100 AS refused, count(*) FILTER (WHERE a <> EXISTS (SELECT FROM modelreg.traffic t
	WHERE t.endpoint = 'quality.home' AND t.model = 'quality.reco' AND t.version = v AND t.since <= w.until AND (t.until IS NULL OR t.until > w.since))) AS wrong
FROM windows w, generate_series(1, 4) v, pg_temp.accepts(v, w.since, w.until) a WHERE w.until < clock_timestamp();

-- A guard takes nothing back to what was quarantined meanwhile, and is not refused for it.
SELECT modelreg.record_snapshot('quality.bad', '1'), modelreg.create_model('quality.poor', 'open') > 0 AS model;
SELECT modelreg.register_version('quality.poor'), modelreg.register_version('quality.poor', inputs => '{"training": "snapshot:quality.bad@1"}'), modelreg.register_version('quality.poor');
SELECT modelreg.promote('quality.poor', v, 'Production', archive_others => false) > 0 AS promoted FROM generate_series(1, 3) v;
SELECT modelreg.create_endpoint('quality.poor', model => 'quality.poor', version => 1) > 0 AS endpoint, modelreg.start_rollout('quality.poor', version => 2, plan => 'all at once') > 0 AS started;
SELECT modelreg.start_rollout('quality.poor', version => 3, plan => :'plan') AS rollout \gset
SELECT modelreg.quarantine('snapshot:quality.bad@1', 'broken') > 0 AS quarantined;
SELECT pg_temp.observe(3, 'errors', 90, 100, 'quality.poor');
SELECT kind, split FROM pg_temp.stands('quality.poor');
SELECT modelreg.lift_quarantine('snapshot:quality.bad@1', 'mended') > 0 AS lifted;
SELECT modelreg.retire_endpoint('quality.poor');

--
-- results
--
SELECT endpoint, model, version, metric, observations, mean, total, first_window <= last_window AS windows, served_since < clock_timestamp() AS served, served_until IS NULL AS serves,
	served_seconds > 0 AS seconds, share_seconds BETWEEN 0 AND served_seconds AS shares, share_seconds < served_seconds AS below_all
FROM modelreg.ab_results WHERE team = 'quality' AND metric <> ALL ('{dime,dimes,large}') ORDER BY endpoint, model, version, metric;
-- all shares add up to the time that an endpoint serves
SELECT abs(sum(share_seconds) - extract(epoch FROM now() - min(served_since))) < 0.001 AS whole
FROM (SELECT DISTINCT model, version, share_seconds, served_since FROM modelreg.ab_results WHERE endpoint = 'quality.side') s;
-- What was recorded before a pause and is committed after it counts for no step, which its row says.
SELECT modelreg.create_endpoint('quality.moved', model => 'quality.reco', version => 1) > 0 AS endpoint, modelreg.start_rollout('quality.moved', version => 2, plan => :'plan') > 0 AS started;
CREATE VIEW pg_temp.counted AS SELECT q.schedule_seq, q.step FROM modelreg.quality_observation q ORDER BY q.id DESC LIMIT 1;
BEGIN;
SELECT pg_temp.observe(2, 'errors', 0, 3, 'quality.moved');
TABLE pg_temp.counted;
SELECT modelreg.pause_rollout('quality.moved') > 0 AS paused, modelreg.resume_rollout('quality.moved') > 0 AS resumed;
COMMIT;
TABLE pg_temp.counted;
SELECT pg_temp.observe(2, 'errors', 0, 3, 'quality.moved');
TABLE pg_temp.counted;
SELECT count(*) FROM modelreg.verify();
SELECT count(*) FROM modelreg.verify('quality', true);
