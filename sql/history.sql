-- What served when: steps as rows, shares over spans of time, rollouts and their ends, all held against what was planned.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; why text; result text;
BEGIN
	EXECUTE call INTO result;
	RETURN COALESCE(result, 'null');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, why = CONSTRAINT_NAME;
	RETURN concat_ws(' ', state, why, message);
END $$;
CREATE ROLE regress_history_reader;
SELECT modelreg.create_team('hi') > 0 AS team;
SELECT modelreg.grant_level('hi', 'regress_history_reader', 'reader');
SELECT modelreg.create_model('hi.reco', 'open') > 0 AS model;
SELECT modelreg.register_version('hi.reco') FROM generate_series(1, 3);
SELECT modelreg.promote('hi.reco', v, 'Production', archive_others => false) FROM generate_series(1, 3) v;

SELECT modelreg.create_endpoint('hi.home', 'hi.reco', 1) > 0 AS endpoint;
-- A ramp that comes to its end by time, one that is aborted in its first step, one that another follows, one that goes on.
SELECT modelreg.start_rollout('hi.home', 2, plan => '{"linear": "200 milliseconds", "in": 4}', reason => 'by time') AS number \gset
SELECT pg_sleep(0.3);
SELECT modelreg.start_rollout('hi.home', 3, plan => 'canary 10% for 1 hour') > 0 AS started;
SELECT modelreg.abort_rollout('hi.home') > 0 AS aborted;
SELECT modelreg.start_rollout('hi.home', 3, plan => 'canary 10% for 1 hour') > 0 AS started;
SELECT modelreg.complete_rollout('hi.home') > 0 AS completed;
SELECT modelreg.start_rollout('hi.home', split => '{2: 40%, 3: 60%}', plan => 'linear over 2 hours in 4 steps', reason => 'goes on') > 0 AS started;
SELECT modelreg.pause_rollout('hi.home') > 0 AS paused;

SET ROLE regress_history_reader;
-- Of a schedule as many steps as came: of the ramp all, of what was ended the first.
SELECT dense_rank() OVER (ORDER BY number) AS schedule, step, version, role, percent, until IS NULL AS holds FROM modelreg.traffic WHERE endpoint = 'hi.home' ORDER BY number, step, version;
-- Spans join without a gap, and shares add up.
SELECT count(*) FILTER (WHERE since <> before) AS gaps, min(whole), max(whole) FROM
	(SELECT since, lag(until) OVER (ORDER BY since) AS before, sum(percent) AS whole FROM modelreg.traffic WHERE endpoint = 'hi.home' AND role = 'serving' GROUP BY since, until) x;
SELECT target, state, role = CURRENT_USER AS mine, reason, ended_at <= clock_timestamp() AS ended FROM modelreg.rollouts WHERE endpoint = 'hi.home' ORDER BY number;
-- The ramp of 200 ms: a quarter of the way each 50 ms.
SELECT t.version, t.role, round(t.percent) AS percent, round(1000 * t.share_seconds) AS share_ms, round(1000 * t.served_seconds) AS ms, t.served_until - t.served_since AS span
FROM modelreg.rollouts r, modelreg.traffic_between('hi.home', r.started_at, r.started_at + interval '200 ms') t WHERE r.endpoint = 'hi.home' AND r.reason = 'by time';
-- Before the endpoint nothing served; the future is not known; the whole span is what the rows of traffic say.
SELECT * FROM modelreg.traffic_between('hi.home', '2001-01-01', '2001-02-01');
SELECT count(*), bool_and(served_until <= clock_timestamp()) FROM modelreg.traffic_between('hi.home', '2001-01-01', '2101-01-01');
SELECT version, abs(s.served_seconds - b.served_seconds) < 0.001 AS seconds, abs(s.share_seconds - b.share_seconds) < 0.001 AS shares, s.served_since = b.served_since AS since, s.served_until IS NULL AS serves
FROM modelreg.versions_served s JOIN modelreg.traffic_between('hi.home', '2001-01-01', now()) b USING (model_id, version) WHERE s.endpoint = 'hi.home' ORDER BY version;
SELECT version, seconds_to_production >= 0 AS production, seconds_to_serving >= seconds_to_production AS serving FROM modelreg.time_to_production WHERE model = 'hi.reco' ORDER BY version;
-- Current in Production by the first decision that says so; served by the birth of the endpoint, the first step of the ramp with a share (the second one), and the canary that was aborted.
RESET ROLE;
SELECT t.version, t.production_since = (SELECT min(e.at) FROM modelreg.event e WHERE e.chain = 5 AND e.chain_id = t.model_id AND e.what->'current' = to_jsonb(t.version)) AS production,
	t.served_since = CASE t.version WHEN 1 THEN e.created_at WHEN 2 THEN r.first + interval '50 ms' ELSE r.second END AS served,
	t.seconds_to_production = EXTRACT(epoch FROM t.production_since - v.registered_at)::float8 AS seconds, t.seconds_to_serving = EXTRACT(epoch FROM t.served_since - v.registered_at)::float8 AS seconds
FROM modelreg.time_to_production t JOIN modelreg.version v USING (model_id, version), (SELECT min(s.at) AS created_at FROM modelreg.traffic_schedule s JOIN modelreg.endpoints p USING (endpoint_id) WHERE p.endpoint = 'hi.home') e,
	(SELECT min(started_at) FILTER (WHERE reason = 'by time') AS first, min(started_at) FILTER (WHERE state = 'aborted') AS second FROM modelreg.rollouts WHERE endpoint = 'hi.home') r
WHERE t.model = 'hi.reco' ORDER BY t.version;
SET ROLE regress_history_reader;
SELECT month = date_trunc('month', now(), 'UTC') AS this_month, models_rolled_back, endpoints_rolled_back, rollouts_aborted FROM modelreg.rollbacks WHERE team = 'hi';
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.traffic_between('hi.home', '2002-01-01', '2001-01-01')$$, $$SELECT modelreg.traffic_between('hi.home', NULL)$$,
	$$SELECT modelreg.traffic_between('hi.nothing', '2001-01-01')$$, $$SELECT modelreg.traffic_between(NULL, '2001-01-01')$$,
	$$SELECT modelreg.traffic_between('hi.home', '-infinity', 'infinity') IS NULL$$]) AS call;
RESET ROLE;

-- A shadow has no share; what is retired serves no more, and what it served stays.
SELECT modelreg.create_endpoint('hi.shadowed', 'hi.reco', 1) > 0 AS endpoint;
SELECT modelreg.start_rollout('hi.shadowed', 2, plan => 'shadow') > 0 AS started;
SELECT version, role, percent FROM modelreg.traffic WHERE endpoint = 'hi.shadowed' AND until IS NULL ORDER BY version;
SELECT version, role, percent, share_seconds > 0 AS any FROM modelreg.traffic_between('hi.shadowed', '2001-01-01') ORDER BY 1;
-- All of it is all of it, however long.
SELECT DISTINCT t.percent FROM (SELECT endpoint, min(since) AS since FROM modelreg.traffic WHERE endpoint = 'hi.shadowed' GROUP BY endpoint) e, generate_series(1, 300) i,
	modelreg.traffic_between(e.endpoint, e.since, e.since + i * interval '7 us') t WHERE t.role = 'serving';
SELECT modelreg.abort_rollout('hi.shadowed') > 0 AS aborted;
SELECT modelreg.retire_endpoint('hi.shadowed');
SELECT count(*) > 2 AS rows, count(*) FILTER (WHERE until IS NULL) AS serve FROM modelreg.traffic WHERE endpoint = 'hi.shadowed';
SELECT state, ended_at IS NOT NULL AS ended FROM modelreg.rollouts WHERE endpoint = 'hi.shadowed';
-- Shadows alone end by time where no traffic moved.
SELECT modelreg.create_endpoint('hi.seen', 'hi.reco', 1) > 0 AS endpoint, modelreg.start_rollout('hi.seen', 2, plan => '{"warm_up": "1 ms", "shadow": "2 ms"}') > 0 AS started;
SELECT pg_sleep(0.01);
SELECT state FROM modelreg.rollout_status('hi.seen');
SELECT state, ended_at - started_at AS took FROM modelreg.rollouts WHERE endpoint = 'hi.seen';
SELECT modelreg.start_rollout('hi.seen', 2, plan => '{"warm_up": "1 hour", "shadow": "1 hour"}') > 0 AS started;
SELECT modelreg.pause_rollout('hi.seen') > 0 AS paused;
SELECT state, ended_at - started_at AS took FROM modelreg.rollouts WHERE endpoint = 'hi.seen' ORDER BY number;
SELECT modelreg.resume_rollout('hi.seen') > 0 AS resumed;
SELECT state, ended_at FROM modelreg.rollouts WHERE endpoint = 'hi.seen' ORDER BY number DESC LIMIT 1;
SELECT modelreg.complete_rollout('hi.seen') > 0 AS completed, modelreg.start_rollout('hi.seen', 2, plan => 'shadow') > 0 AS started;
SELECT state, ended_at > started_at AS ended FROM modelreg.rollouts WHERE endpoint = 'hi.seen' ORDER BY number;
SELECT modelreg.retire_endpoint('hi.seen');
-- An endpoint's rollback that returns what was archived is one of the endpoint alone.
SELECT modelreg.create_endpoint('hi.back', 'hi.reco', 1) > 0 AS endpoint;
SELECT modelreg.start_rollout('hi.back', 2, plan => 'all at once') > 0 AS started, modelreg.promote('hi.reco', 1, 'Archived') > 0 AS archived;
SELECT modelreg.rollback('hi.back', 'worse') IS NOT NULL AS rolled_back;
SELECT models_rolled_back, endpoints_rolled_back FROM modelreg.rollbacks WHERE team = 'hi';
SELECT modelreg.rollback_model('hi.reco', 'worse') AS version;
SELECT models_rolled_back, endpoints_rolled_back FROM modelreg.rollbacks WHERE team = 'hi';
-- A version that never was current, as a shadow and then with a share; one that was current and never served.
SELECT modelreg.create_model('hi.early', 'open') > 0 AS model, modelreg.register_version('hi.early') AS early, modelreg.register_version('hi.early') AS never_served;
SELECT modelreg.promote('hi.early', 1, 'Staging') > 0 AS staged, modelreg.promote('hi.early', 2, 'Production') > 0 AS promoted;
SELECT modelreg.start_rollout('hi.back', split => '{hi.early/1: 100%}', plan => 'shadow') > 0 AS shadow;
SELECT version, production_since IS NOT NULL AS production, served_since, seconds_to_serving FROM modelreg.time_to_production WHERE model = 'hi.early';
SELECT modelreg.abort_rollout('hi.back') > 0 AS aborted, modelreg.start_rollout('hi.back', split => '{1: 95%, hi.early/1: 5%}', plan => 'all at once') > 0 AS started;
SELECT t.version, t.production_since IS NOT NULL AS production, t.seconds_to_production IS NULL AS never, t.served_since = e.since AS served FROM modelreg.time_to_production t, modelreg.endpoints e WHERE t.model = 'hi.early' AND e.endpoint = 'hi.back' ORDER BY t.version;
-- Of another team nothing.
SELECT modelreg.revoke_level('hi', 'regress_history_reader', 'reader');
SET ROLE regress_history_reader;
SELECT (SELECT count(*) FROM modelreg.traffic) AS traffic, (SELECT count(*) FROM modelreg.rollouts) AS rollouts, (SELECT count(*) FROM modelreg.versions_served) AS served,
	(SELECT count(*) FROM modelreg.time_to_production) AS times, (SELECT count(*) FROM modelreg.rollbacks) AS rollbacks;
SELECT pg_temp.attempt($$SELECT modelreg.traffic_between('hi.home', '2001-01-01')$$);
RESET ROLE;
DROP ROLE regress_history_reader;
