-- Plans and schedules: what a rollout does, computed alone.
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned
SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres';

-- What a statement fails with: never raises, returns no row if it succeeds.
CREATE FUNCTION pg_temp.error_of(statement text,
	OUT state text, OUT reason text, OUT message text, OUT detail text, OUT hint text)
RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, reason = CONSTRAINT_NAME,
		message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT;
END $$;

--
-- plans
--
SELECT plan, modelreg.canonical_json(modelreg.normalized_plan(plan)) AS document FROM unnest(ARRAY['all at once', E'  ALL \n At  once ',
	'linear over 2 hours', 'LINEAR over 90 minutes IN 3 STEPS', 'linear over 1 hour in 1 step', 'linear over 1 hour in 1 steps', 'linear over 5 ms in 5 steps', 'canary', 'canary 5% for 1 hour, 50% for 2 hours', 'canary 5% for 1h,50% for 2h30m,100%', 'canary 100%',
	'canary 0.0001% for 1 week', 'shadow', 'Shadow for 1 hour',
	'{"steps": [{"weight": "100%"}]}', ' {"in": 7, "linear": "70 seconds", "keep_warm": "1 day"}', '{"linear": "1 hour"}', '{"shadow": "forever"}', '{"shadow": "90 minutes", "warm_up": "300 s"}',
	'{"guards": [{"metric": "ctr", "at_least": 0.9800, "of": "baseline", "min_observations": 1e4}, {"metric": "error_rate", "at_most": 1e-2}, {"metric": "ctr", "at_least": 0}, {"at_most": 9, "metric": "ctr"}],
	  "keep_warm": "1 hour", "steps": [{"bake": "30 min", "weight": "5.00%"}, {"weight": "100.0%"}], "shadow": "1 hour", "warm_up": "5 minutes"}']) plan;
-- a document is its own
SELECT count(*), bool_and(modelreg.normalized_plan(d::text) = d) AS stable FROM unnest('{all at once,linear over 2 hours,canary,shadow,canary 5% for 1 s}'::text[]) p, modelreg.normalized_plan(p) d;
-- durations, one text for each
SELECT duration, modelreg.normalized_plan('shadow for ' || duration)->>'shadow' AS kept FROM unnest('{1 second,1 seconds,60 s,1 day,24 hours,1 week 2 days 3 hours 4 minutes 5 seconds 6 ms,1.5 hours,0.25 days,0.000001 days,1.000001 s,1 ms,1h30m,1 H 30 MIN,90 hr,3650 days,0.5s 0.5s,00005 minutes}'::text[]) duration;
SELECT duration, error.state, error.detail FROM unnest(ARRAY['', 'x', '1', 'hour', '1 month', '1 year', '1 fortnight', '1 hour and 1 minute', '1,5 hours', '-1 hour', '+1 hour', '0 hours', '0.9 ms', '0.0000001 s', '1e3 s', '1..5 s', '.5 s', '5. s', '1 mss', '1 hs', '1 hours s',
	'3651 days', '99999999999999999999999999 days', '3650 days 1 ms', 'forever', '01:00:00', 'P1D', repeat('0 s ', 100)]) duration, pg_temp.error_of(format('SELECT modelreg.normalized_plan(%L)', json_build_object('shadow', 'forever', 'warm_up', duration))) error;

-- all that is wrong with one, at once
SELECT error.* FROM pg_temp.error_of($$SELECT modelreg.normalized_plan('{"warm_up": 5, "shadow": "for ever", "steps": [{"weight": "5"}, {"weight": "3%", "bake": "soon"}, 7, {"bake": "1 hour", "share": "5%"}],
	"linear": "1 hour", "in": 1001, "guards": [{"metric": "", "at_least": 1, "at_most": 2}, {"metric": "ctr", "of": "yesterday", "at_most": "1"}, {"metric": "ctr", "at_most": 1, "min_observations": 0.5}, 5], "canary": true}')$$) error;
SELECT plan, error.reason, error.detail FROM unnest(ARRAY['', ' ', 'all', 'at once', 'all at once!', 'linear', 'linear over', 'linear over 2 hours in', 'linear over 2 hours in 0 steps', 'linear over 2 hours in 1001 steps', 'linear over 2 hours in 5', 'linear over 2 hours in five steps',
	'linear over 2 hours in 5 steps or so', 'linear over 4 ms in 5 steps', 'canary 5%', 'canary 5% for', 'canary 5% 1 hour', 'canary 5 for 1 hour', 'canary 5% for 1 hour,', 'canary 5% for 1 hour, 5% for 1 hour', 'canary 50% for x, 5% y, 101% for 1 hour', 'canary 100% for 1 hour',
	'canary 0% for 1 hour', 'canaryx', 'shadow for', 'shadow for ever', 'shadows', 'blue-green', '{', '{}', '[]', '{"steps": []}', '{"steps": {}}', '{"steps": [{"weight": "50%"}]}', '{"steps": [{"weight": "50%", "bake": "1 s"}, {"weight": "100%", "bake": "1 s"}]}',
	'{"steps": [{"weight": "50%"}, {"weight": "50%"}, {"weight": "100%"}]}', '{"linear": "1 hour", "in": 2.5}', '{"linear": "1 hour", "in": 0}', '{"linear": "1 hour", "in": 1e9}', '{"linear": "1 hour", "in": "5"}', '{"in": 5, "shadow": "1 s"}', '{"shadow": "forever", "linear": "1 s"}', '{"shadow": "1 s", "keep_warm": "1 s"}', '{"warm_up": "1 s"}',
	'{"shadow": "1 s", "guards": [{"metric": "m", "at_most": 1}]}', '{"steps": [{"weight": "100%"}], "guards": [{"metric": "m", "at_most": 1}]}', '{"linear": "1 s", "guards": []}', '{"linear": "1 s", "guards": [{"at_most": 1}]}',
	'{"linear": "1 s", "guards": [{"metric": "m", "at_most": 1}, {"metric": "m", "at_least": 1}, {"metric": "m", "at_most": 2}]}', '{"linear": "1 s", "guards": [{"metric": "m", "at_least": 0, "of": "baseline"}]}', '{"linear": "1 s", "guards": [{"metric": "m", "at_least": 1e400}]}',
	'{"linear": "1 s", "guards": [{"metric": "m", "at_least": 1, "min_observations": 1e13}]}']) plan, pg_temp.error_of(format('SELECT modelreg.normalized_plan(%L)', plan)) error;
SELECT length(error.message), length(error.detail) FROM (VALUES (repeat('x', 1000000)), ('{"x": "' || repeat('é', 1000000) || '"}'), ('canary ' || repeat('1', 1000000)), ('linear over ' || repeat('1', 1000000)), ('canary ' || repeat(',', 1000000)), (repeat('[', 100000)), ('{"a":' || repeat('[', 6000))) v(plan),
	pg_temp.error_of(format('SELECT modelreg.normalized_plan(%L)', plan)) error;
SELECT jsonb_array_length(modelreg.normalized_plan('canary ' || string_agg(round(i / 10.0, 1) || '% for 1 s', ', '))->'steps') AS steps FROM generate_series(1, 999) i;
SELECT error.detail FROM (SELECT 'canary ' || string_agg(round(i / 100.0, 2) || '% for 1 s', ', ') AS plan FROM generate_series(1, 1000) i) p, pg_temp.error_of(format('SELECT modelreg.normalized_plan(%L)', plan)) error;

--
-- previews
--
SELECT step, opens, bake, split, shadow, warm, segments FROM modelreg.preview_rollout('{13: 100%}', '{14: 100%}', 'canary', '2026-06-01 12:00+00');
SELECT step, opens, split, warm FROM modelreg.preview_rollout('{13: 100%}', '{14: 100%}', 'linear over 2 hours in 3 steps', '2026-06-01 12:00+00');
-- one who keeps, two who lose, two who gain, and three that share what cannot be shared evenly
SELECT step, split, segments FROM modelreg.preview_rollout('{1: 20%, 2: 40%, 3: 40%}', '{1: 20%, search.b/1: 40%, search.a/2: 40%}', 'canary 10% for 1 s, 50% for 1 s', 'epoch');
SELECT step, split FROM modelreg.preview_rollout('{1: 33.3333%, 2: 33.3333%, 3: 33.3334%}', '{1: 33.3334%, 2: 33.3333%, 3: 33.3333%}', 'canary 50% for 1 s', 'epoch');
SELECT step, split FROM modelreg.preview_rollout('{1: 100%}', '{2: 33.3333%, 3: 33.3333%, 4: 33.3334%}', 'canary 0.0001% for 1 s, 0.0002% for 1 s, 50% for 1 s', 'epoch');
-- to where it is already, and what has nothing to load or to show
SELECT step, opens, split, shadow, warm FROM modelreg.preview_rollout('{1: 50%, 2: 50%}', '{1: 50%, 2: 50%}', '{"warm_up": "1 s", "shadow": "1 s", "linear": "2 s", "in": 2, "keep_warm": "1 s"}', 'epoch');
SELECT error.* FROM pg_temp.error_of($$SELECT * FROM modelreg.preview_rollout('{1: 50%, 2: 50%}', '{1: 100%}', 'shadow')$$) error;
SELECT schedule, step, opens, split, shadow, state FROM modelreg.preview_rollout('{1: 100%}', '{2: 100%}', 'shadow for 1 hour', 'epoch');
SELECT schedule, step, opens, split, shadow, state FROM modelreg.preview_rollout('{1: 100%}', '{2: 100%}', 'shadow', 'epoch', '[{"act": "complete", "after": "5 days"}]');
-- all parts of a plan, and evidence that comes early and late
SELECT schedule, step, opens, bake, split, shadow, warm, state FROM modelreg.preview_rollout('{12: 50%, 13: 50%}', '{14: 100%}',
	'{"warm_up": "5 minutes", "shadow": "1 hour", "steps": [{"weight": "5%", "bake": "30 minutes"}, {"weight": "50%", "bake": "30 minutes"}, {"weight": "100%"}], "keep_warm": "1 day", "guards": [{"metric": "ctr", "at_least": 0.98, "of": "baseline"}]}',
	'2026-06-01 00:00+00', '[{"act": "pass", "after": "70 minutes"}, {"act": "pass", "after": "3 hours"}]');
-- paused, held while it is, resumed, and back: positions move as they came
SELECT schedule, step, opens, bake, split, segments, state FROM modelreg.preview_rollout('{12: 50%, 13: 50%}', '{14: 100%}', 'canary', '2026-06-01 00:00+00',
	'[{"act": "pause", "after": "40 minutes"}, {"act": "hold", "after": "50 minutes"}, {"act": "resume", "after": "10 hours"}, {"act": "abort", "after": "10 hours 21 minutes"}]');
-- at the very microsecond at which a step would open, what goes on is the step that everybody has seen: nobody moves here
SELECT schedule, step, opens, segments FROM modelreg.preview_rollout('{1: 40%, 2: 60%}', '{2: 80%, 3: 20%}', 'linear over 2 hours in 2 steps', '2026-06-01 00:00+00', '[{"act": "abort", "after": "1 hour"}]');
-- a guarded step that was paused has to pass again, also if it had passed
SELECT schedule, step, opens, split, state FROM modelreg.preview_rollout('{1: 100%}', '{2: 100%}', '{"steps": [{"weight": "10%", "bake": "1 hour"}, {"weight": "100%"}], "guards": [{"metric": "m", "at_most": 1}]}', '2026-06-01 00:00+00',
	'[{"act": "pass", "after": "10 minutes"}, {"act": "pause", "after": "20 minutes"}, {"act": "resume", "after": "5 hours"}, {"act": "pass", "after": "6 hours"}]');
SELECT acts, error.reason, error.detail FROM unnest(ARRAY['{}', 'null', '5', '["pause"]', '[{}]', '[{"act": "pause"}]', '[{"act": "pause", "after": 5}]', '[{"act": "pause", "after": "soon"}]', '[{"act": "stop", "after": "1 s"}]', '[{"act": "resume", "after": "1 s"}]',
	'[{"act": "pass", "after": "1 s"}]', '[{"act": "abort", "after": "90 minutes 1 ms"}]', '[{"act": "pause", "after": "5 s"}, {"act": "resume", "after": "5 s"}]', '[{"act": "pause", "after": "5 s"}, {"act": "pause", "after": "6 s"}]', '[{"act": "complete", "after": "5 s"}, {"act": "abort", "after": "6 s"}]']) acts,
	pg_temp.error_of(format('SELECT * FROM modelreg.preview_rollout(''{1: 100%%}'', ''{2: 100%%}'', ''canary'', acts => %L)', acts)) error;
SELECT call, error.state, error.reason FROM unnest(ARRAY['NULL, ''{1: 100%}'', ''canary''', '''{1: 100%}'', NULL, ''canary''', '''{1: 100%}'', ''{1: 100%}'', NULL', '''{1: 100%}'', ''{1: 100%}'', ''canary'', NULL', '''{1: 100%}'', ''{1: 100%}'', ''canary'', ''infinity''', '''{1: 100%}'', ''{1: 100%}'', ''canary'', ''294276-01-01''']) call,
	pg_temp.error_of(format('SELECT * FROM modelreg.preview_rollout(%s)', call)) error;

-- limits: arms at once, segments of a step, segments of all
SELECT error.state, error.reason, error.message FROM (SELECT '{' || string_agg(i || ': 1.5625%', ', ') || '}' AS a, '{' || string_agg(i + 64 || ': 1.5625%', ', ') || '}' AS b FROM generate_series(1, 64) i) s,
	pg_temp.error_of(format('SELECT * FROM modelreg.preview_rollout(%L, %L, ''canary'')', a, b)) error;
SELECT count(*), max(modelreg.arm_count(split)) FROM (SELECT '{' || string_agg(i || ': 1.5625%', ', ') || '}' AS a, '{' || string_agg(i + 64 || ': 1.5625%', ', ') || '}' AS b FROM generate_series(1, 64) i) s, modelreg.preview_rollout(a::modelreg.traffic_split, b::modelreg.traffic_split, 'all at once');
SELECT error.state, error.reason, error.message, error.hint FROM pg_temp.error_of($$SELECT * FROM modelreg.preview_rollout('{1: 100%}', '{2: 50%, 3: 50%}', 'linear over 1000 s in 1000 steps')$$) error;
SELECT count(*), max(array_length(string_to_array(segments, ','), 1)) AS segments FROM modelreg.preview_rollout('{1: 100%}', '{2: 50%, 3: 50%}', 'linear over 1000 s in 250 steps');
SELECT count(*), max(array_length(string_to_array(segments, ','), 1)) AS segments FROM modelreg.preview_rollout('{1: 100%}', '{2: 100%}', 'linear over 1000 s in 1000 steps');
