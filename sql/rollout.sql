-- Rollouts: which steps a plan makes, what verbs make of them, and which versions may take which traffic.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; why text; detail text; result text;
BEGIN
	EXECUTE call INTO result;
	RETURN COALESCE(result, 'null');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, why = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' ', state, why, message, '| ' || NULLIF(detail, ''));
END $$;
CREATE ROLE regress_rollout_maintainer;
CREATE ROLE regress_rollout_reviewer;
SELECT modelreg.create_team('ro') > 0 AS team;
SELECT modelreg.grant_level('ro', 'regress_rollout_maintainer', 'maintainer'), modelreg.grant_level('ro', 'regress_rollout_reviewer', 'reviewer');
SELECT modelreg.create_model('ro.reco', 'open') > 0 AS model, modelreg.create_model('ro.other', 'open') > 0 AS model;
SELECT modelreg.record_snapshot('ro.bad', '1');
SELECT modelreg.register_version('ro.reco') FROM generate_series(1, 4);
SELECT modelreg.register_version('ro.reco', inputs => '{"training": "snapshot:ro.bad@1"}'), modelreg.register_version('ro.other');
SELECT modelreg.promote('ro.reco', v, 'Production', archive_others => false) FROM generate_series(1, 2) v;
SELECT modelreg.promote('ro.reco', 3, 'Staging'), modelreg.promote('ro.reco', 5, 'Production', archive_others => false), modelreg.promote('ro.other', 1, 'Production');
SELECT modelreg.create_endpoint('ro.home', 'ro.reco', 1) > 0 AS endpoint;
CREATE VIEW pg_temp.weights AS
	SELECT e.name AS endpoint, s.seq, s.kind, s.rollout, a.step, a.opens - s.at AS after, string_agg(m.name || '/' || a.version || ': ' || a.share, ', ' ORDER BY m.name, a.version) AS shares
	FROM modelreg.traffic_arm a JOIN modelreg.traffic_schedule s USING (endpoint_id, seq) JOIN modelreg.endpoint e ON e.id = a.endpoint_id JOIN modelreg.model m ON m.id = a.model_id
	WHERE e.team_id = (SELECT id FROM modelreg.team WHERE name = 'ro') GROUP BY 1, 2, 3, 4, 5, 6;
CREATE VIEW pg_temp.now AS
	SELECT w.endpoint, w.seq, w.kind, w.rollout, w.step, w.after, w.shares FROM pg_temp.weights w JOIN modelreg.endpoints e ON e.endpoint = 'ro.' || w.endpoint AND e.number = w.seq;
GRANT SELECT ON pg_temp.weights, pg_temp.now TO regress_rollout_maintainer;

-- Which traffic a stage takes: all that is asked in any step, of all versions.
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.start_rollout('ro.home', 3, plan => 'all at once')$$,
	$$SELECT modelreg.start_rollout('ro.home', split => '{1: 50%, 3: 25%, 4: 25%}', plan => 'linear over 1 hour in 2 steps')$$,
	$$SELECT modelreg.start_rollout('ro.home', split => '{ro.other/1: 50%, 4: 50%}', plan => 'canary')$$,
	$$SELECT modelreg.start_rollout('ro.home', 9)$$,
	$$SELECT modelreg.start_rollout('ro.home', split => '{1: 50%, 9: 50%}')$$,
	$$SELECT modelreg.start_rollout('ro.home', split => '{1: 50%, ro.nothing/9: 50%}')$$,
	$$SELECT modelreg.start_rollout('ro.home', split => '{1: 50%, ads.nothing/9: 50%}')$$,
	$$SELECT modelreg.start_rollout('ro.home', split => '{1: 50%, ro.reco/1: 50%}')$$,
	$$SELECT modelreg.start_rollout('ro.home', split => '{1: 50%, 2: 49%}')$$,
	$$SELECT modelreg.start_rollout('ro.home')$$,
	$$SELECT modelreg.start_rollout('ro.home', 2, '{2: 100%}')$$,
	$$SELECT modelreg.start_rollout('ro.home', 2, plan => NULL)$$,
	$$SELECT modelreg.start_rollout('ro.home', 2, plan => 'whenever')$$,
	$$SELECT modelreg.start_rollout('ro.nothing', 2)$$,
	$$SELECT modelreg.pause_rollout('ro.home')$$, $$SELECT modelreg.resume_rollout('ro.home')$$, $$SELECT modelreg.complete_rollout('ro.home')$$, $$SELECT modelreg.abort_rollout('ro.home')$$]) AS call;
SET ROLE regress_rollout_reviewer;
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[$$SELECT modelreg.start_rollout('ro.home', 2)$$, $$SELECT modelreg.abort_rollout('ro.home')$$]) AS call;
RESET ROLE;
SELECT * FROM pg_temp.now;

-- Where it is already is no rollout; the same call with a request id is one.
SET ROLE regress_rollout_maintainer;
SELECT modelreg.start_rollout('ro.home', 1);
SELECT modelreg.start_rollout('ro.home', 2, plan => 'linear over 2 hours in 4 steps', reason => 'better', request_id => 'start') AS number, modelreg.start_rollout('ro.home', 2, plan => 'linear over 2 hours in 4 steps', reason => 'better', request_id => 'start') AS again;
SELECT * FROM pg_temp.now ORDER BY step;
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.start_rollout('ro.home', 1)$$, $$SELECT modelreg.start_rollout('ro.home', 2)$$,
	$$SELECT modelreg.resume_rollout('ro.home')$$, $$SELECT modelreg.pause_rollout('ro.home', 'lunch')$$, $$SELECT modelreg.pause_rollout('ro.home', 'lunch')$$]) AS call;
SELECT * FROM pg_temp.now ORDER BY step;
-- Who looked first says what he saw.
SELECT etag FROM modelreg.endpoints WHERE endpoint = 'ro.home' \gset
SELECT modelreg.resume_rollout('ro.home', expected => :'etag');
SELECT pg_temp.attempt(format($$SELECT modelreg.abort_rollout('ro.home', expected => %L)$$, :'etag')) ~ '^55000 modelreg_changed_meanwhile' AS refused;
SELECT modelreg.abort_rollout('ro.home', 'worse');
SELECT modelreg.abort_rollout('ro.home', 'worse');
SELECT * FROM pg_temp.now ORDER BY step;
SELECT modelreg.start_rollout('ro.home', split => '{2: 30%, ro.other/1: 0.5%, 1: 69.5%}', plan => 'canary 10% for 1 hour, 50% for 1 hour');
SELECT * FROM pg_temp.now ORDER BY step;
SELECT modelreg.complete_rollout('ro.home', 'good enough');
SELECT modelreg.complete_rollout('ro.home', 'good enough');
SELECT * FROM pg_temp.now ORDER BY step;
-- A challenger in Staging for as long as one likes, and a shadow beside it.
SELECT modelreg.start_rollout('ro.home', split => '{1: 95%, 3: 5%}', plan => 'all at once');
SELECT modelreg.start_rollout('ro.home', 4, plan => 'shadow');
SELECT * FROM pg_temp.now ORDER BY step;
SELECT pg_temp.attempt($$SELECT modelreg.complete_rollout('ro.home')$$);
SELECT * FROM pg_temp.now ORDER BY step;
RESET ROLE;

-- What is quarantined takes no traffic: neither from the start nor once it is paused.
SELECT modelreg.start_rollout('ro.home', 5, plan => 'linear over 1 hour in 2 steps'), modelreg.pause_rollout('ro.home');
SELECT modelreg.quarantine('snapshot:ro.bad@1', 'broken') > 0 AS quarantined;
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.resume_rollout('ro.home')$$, $$SELECT modelreg.complete_rollout('ro.home')$$, $$SELECT modelreg.abort_rollout('ro.home')$$,
	$$SELECT modelreg.start_rollout('ro.home', 5)$$, $$SELECT modelreg.start_rollout('ro.home', 5, plan => 'shadow')$$]) AS call;
-- What serves goes on, and traffic may be taken from it, also step by step.
SELECT modelreg.lift_quarantine('snapshot:ro.bad@1', 'mended') > 0 AS lifted, modelreg.start_rollout('ro.home', 5, plan => 'all at once') > 0 AS started,
	modelreg.quarantine('snapshot:ro.bad@1', 'broken after all') > 0 AS quarantined;
SELECT modelreg.start_rollout('ro.home', split => '{1: 50%, 5: 50%}', plan => 'linear over 2 hours') > 0 AS started;
SELECT modelreg.complete_rollout('ro.home') > 0 AS completed;
SELECT modelreg.start_rollout('ro.home', 1, plan => 'canary') > 0 AS started, modelreg.complete_rollout('ro.home') > 0 AS completed;
SELECT modelreg.lift_quarantine('snapshot:ro.bad@1', 'mended') > 0 AS lifted;
SELECT modelreg.start_rollout('ro.home', 5, plan => 'shadow') > 0 AS started, modelreg.abort_rollout('ro.home') > 0 AS aborted;
-- A role by which a policy lets it pass does not count here either.
SELECT modelreg.create_policy('ro', 'lenient', modelreg.policy_document(NULL, 'open', 1)
	|| '{"gates": {"clean": {"kind": "quarantine", "roles": ["validation"]}}}'
	|| jsonb_build_object('transitions', (SELECT jsonb_agg(t || '{"gates": ["clean"]}') FROM jsonb_array_elements(modelreg.policy_document(NULL, 'open', 1)->'transitions') t)));
SELECT modelreg.allow_policy('ro', 'lenient', 1);
SELECT modelreg.create_model('ro.lenient', 'lenient') > 0 AS model;
SELECT modelreg.register_version('ro.lenient', inputs => '{"training": "snapshot:ro.bad@1"}'), modelreg.register_version('ro.lenient', inputs => '{"validation": "snapshot:ro.bad@1"}');
SELECT modelreg.promote('ro.lenient', 1, 'Production'), modelreg.promote('ro.lenient', 2, 'Production', archive_others => false);
SELECT modelreg.quarantine('snapshot:ro.bad@1', 'broken') > 0 AS quarantined;
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[$$SELECT modelreg.create_endpoint('ro.lenient', 'ro.lenient', 2)$$, $$SELECT modelreg.create_endpoint('ro.lenient', 'ro.lenient', 1) > 0$$]) AS call;
SELECT modelreg.lift_quarantine('snapshot:ro.bad@1', 'mended') > 0 AS lifted;
-- What another role lets pass on one way into a stage, but not on the other, is not let pass into a split, whichever way it came.
SELECT modelreg.create_policy('ro', 'ways', modelreg.policy_document(NULL, 'open', 1) || '{"gates": {"clean": {"kind": "quarantine", "roles": ["validation"]}}, "traffic": {"Staging": ["full"]},
	"transitions": [{"from": ["Experimental"], "to": "Staging", "levels": ["maintainer"], "gates": ["clean"]}, {"from": ["Production"], "to": "Staging", "levels": ["maintainer"]},
	{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "gates": ["clean"]}, {"from": ["Experimental", "Staging", "Production"], "to": "Archived", "levels": ["maintainer"]}]}');
SELECT modelreg.allow_policy('ro', 'ways', 1);
SELECT modelreg.create_model('ro.ways', 'ways') > 0 AS model;
SELECT modelreg.register_version('ro.ways', inputs => '{"training": "snapshot:ro.bad@1"}'), modelreg.register_version('ro.ways', inputs => '{"validation": "snapshot:ro.bad@1"}'), modelreg.register_version('ro.ways');
SELECT modelreg.promote('ro.ways', v, 'Staging') FROM generate_series(1, 3) v;
SELECT modelreg.quarantine('snapshot:ro.bad@1', 'broken') > 0 AS quarantined;
SELECT pg_temp.attempt(format('SELECT modelreg.create_endpoint(%L, %L, %s) > 0', 'ro.ways', 'ro.ways', v)) FROM generate_series(1, 3) v;
SELECT modelreg.lift_quarantine('snapshot:ro.bad@1', 'mended') > 0 AS lifted;

-- A policy that says nothing of traffic lets Production have it; a model comes under none by which what serves would not be permitted.
SELECT modelreg.create_policy('ro', 'silent', modelreg.policy_document(NULL, 'open', 1) - 'traffic'),
	modelreg.create_policy('ro', 'none', modelreg.policy_document(NULL, 'open', 1) || '{"traffic": {"Archived": ["full"]}}');
SELECT modelreg.allow_policy('ro', 'silent', 1), modelreg.allow_policy('ro', 'none', 1);
SELECT modelreg.create_model('ro.silent', 'silent') > 0 AS model;
SELECT modelreg.register_version('ro.silent') FROM generate_series(1, 2);
SELECT modelreg.promote('ro.silent', 1, 'Production');
SELECT modelreg.create_endpoint('ro.silent', 'ro.silent') > 0 AS endpoint;
SELECT pg_temp.attempt($$SELECT modelreg.start_rollout('ro.silent', 2, plan => 'shadow')$$);
SELECT modelreg.promote('ro.silent', 2, 'Production', archive_others => false);
SELECT modelreg.start_rollout('ro.silent', 2, plan => 'canary');
SELECT modelreg.request_policy('ro.silent', 'none', 1) > 0 AS requested;
SELECT modelreg.abort_rollout('ro.silent') > 0 AS aborted;
SELECT modelreg.request_policy('ro.silent', 'none', 1) > 0 AS requested;
SELECT modelreg.retire_endpoint('ro.silent');
SELECT modelreg.request_policy('ro.silent', 'none', 1) > 0 AS requested;
SELECT policy FROM modelreg.models WHERE model = 'ro.silent';

-- Nor does a stage that does not permit what an abort goes back to.
SELECT modelreg.create_model('ro.back', 'open') > 0 AS model;
SELECT modelreg.register_version('ro.back') FROM generate_series(1, 2);
SELECT modelreg.promote('ro.back', 1, 'Production');
SELECT modelreg.create_endpoint('ro.back', 'ro.back') > 0 AS endpoint;
SELECT modelreg.promote('ro.back', 2, 'Production', archive_others => false);
SELECT modelreg.start_rollout('ro.back', 2, plan => 'canary 5% for 1 hour') > 0 AS started;
SELECT pg_temp.attempt($$SELECT modelreg.promote('ro.back', 1, 'Staging')$$);
SELECT modelreg.abort_rollout('ro.back') > 0 AS aborted;
SELECT * FROM modelreg.verify('ro', true);
