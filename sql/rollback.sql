-- rollback of endpoints: to which earlier split, what it skips and says of it, what is archived and returns, one and several.
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
CREATE ROLE regress_rollback_maintainer;
CREATE ROLE regress_rollback_contributor;
SELECT modelreg.create_team('rb') > 0 AS team, modelreg.create_team('rb2') > 0 AS team;
SELECT modelreg.grant_level('rb', 'regress_rollback_maintainer', 'maintainer'), modelreg.grant_level('rb', 'regress_rollback_contributor', 'contributor');
SELECT modelreg.create_model('rb.reco', 'open') > 0 AS model, modelreg.create_model('rb.other', 'open') > 0 AS model, modelreg.create_model('rb2.reco', 'open') > 0 AS model;
SELECT modelreg.record_snapshot('rb.bad', '1');
SELECT modelreg.register_version('rb.reco', inputs => CASE n WHEN 2 THEN '{"training": "snapshot:rb.bad@1"}'::jsonb END) FROM generate_series(1, 5) n;
SELECT modelreg.promote('rb.reco', v, 'Production', archive_others => false) FROM generate_series(1, 5) v;
SELECT modelreg.register_version('rb.other'), modelreg.promote('rb.other', 1, 'Production');
CREATE FUNCTION pg_temp.at_once(endpoint text, VARIADIC splits text[]) RETURNS SETOF bigint LANGUAGE sql AS $$
	SELECT modelreg.start_rollout(endpoint, split => s::modelreg.traffic_split, plan => 'all at once') FROM unnest(splits) s $$;
CREATE VIEW pg_temp.last AS
	SELECT e.endpoint, s.seq, s.kind, s.restored, string_agg(m.name || '/' || a.version || ': ' || a.share, ', ' ORDER BY m.name, a.version) AS shares
	FROM modelreg.endpoints e JOIN modelreg.traffic_schedule s ON s.endpoint_id = e.endpoint_id AND s.seq = e.number
		JOIN modelreg.traffic_arm a ON a.endpoint_id = s.endpoint_id AND a.seq = s.seq AND a.step = 0 JOIN modelreg.model m ON m.id = a.model_id
	WHERE e.team = 'rb' GROUP BY 1, 2, 3, 4;
GRANT SELECT ON pg_temp.last TO regress_rollback_maintainer;
SELECT modelreg.create_endpoint('rb.home', 'rb.reco', 1) > 0 AS endpoint;

SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.rollback('rb.home', 'nothing before')$$,
	$$SELECT modelreg.rollback('rb.home', NULL)$$, $$SELECT modelreg.rollback('rb.home', '  ')$$, $$SELECT modelreg.rollback('rb.nothing', 'why')$$]) AS call;
SET ROLE regress_rollback_contributor;
SELECT pg_temp.attempt($$SELECT modelreg.rollback('rb.home', 'why')$$);
SET ROLE regress_rollback_maintainer;

-- A rollout that runs is left for what stood before it; so is one that is paused, and one at which no traffic has moved yet.
SELECT modelreg.start_rollout('rb.home', 2, plan => 'linear over 2 hours');
SELECT modelreg.rollback('rb.home', 'worse', request_id => 'once');
SELECT modelreg.rollback('rb.home', 'worse', request_id => 'once');
SELECT * FROM pg_temp.last;
SELECT modelreg.start_rollout('rb.home', 2, plan => 'linear over 2 hours'), modelreg.pause_rollout('rb.home'), modelreg.rollback('rb.home', 'worse')->>'restored' AS restored;
-- Again it is no other; with further it goes on, and here there is nothing.
SELECT modelreg.rollback('rb.home', 'worse');
SELECT pg_temp.attempt($$SELECT modelreg.rollback('rb.home', 'worse', further => true)$$);

-- 1, 2, 3, then 4 and 5 for half: back to 3, and further to 2 and 1. What was left is not gone back to.
SELECT pg_temp.at_once('rb.home', '{2: 100%}', '{3: 100%}', '{4: 50%, 5: 50%}');
SELECT modelreg.rollback('rb.home', 'worse');
SELECT modelreg.rollback('rb.home', 'worse');
SELECT modelreg.rollback('rb.home', 'still worse', further => true);
SELECT pg_temp.at_once('rb.home', '{5: 100%}');
SELECT modelreg.rollback('rb.home', 'worse');
SELECT modelreg.rollback('rb.home', 'still worse', further => true);
SELECT pg_temp.attempt($$SELECT modelreg.rollback('rb.home', 'at the end', further => true)$$);
SELECT * FROM pg_temp.last;

-- A rollout that was aborted is none to go back to, nor is one that another followed before its end; where it is already it does not go. An
-- abort has gone back: who calls rollback() after it changes nothing, and who wants to goes further.
SELECT pg_temp.at_once('rb.home', '{3: 100%}');
SELECT modelreg.start_rollout('rb.home', 4, plan => 'canary') > 0 AS started, modelreg.abort_rollout('rb.home') > 0 AS aborted;
SELECT modelreg.rollback('rb.home', 'worse');
SELECT modelreg.rollback('rb.home', 'worse', further => true)->>'split' AS split;
SELECT modelreg.start_rollout('rb.home', 4, plan => 'canary') > 0 AS started, modelreg.complete_rollout('rb.home') > 0 AS completed;
SELECT modelreg.start_rollout('rb.home', 5, plan => 'shadow') > 0 AS started, modelreg.rollback('rb.home', 'worse')->>'split' AS split;
SELECT modelreg.rollback('rb.home', 'worse', further => true)->>'split' AS split;
RESET ROLE;

-- What may not serve now is skipped, and told of: quarantined, in another stage, archived and never current. What was current and is archived
-- returns to Production.
SELECT modelreg.create_endpoint('rb.side', 'rb.reco', 1) > 0 AS endpoint;
SELECT modelreg.register_version('rb.reco') AS six, modelreg.promote('rb.reco', 6, 'Staging') > 0 AS staged;
SELECT pg_temp.at_once('rb.side', '{1: 50%, rb.other/1: 50%}', '{2: 100%}', '{3: 100%}', '{3: 10%, 4: 90%}', '{5: 90%, 6: 10%}', '{5: 100%}');
SELECT modelreg.retire_endpoint('rb.home');
SELECT modelreg.quarantine('snapshot:rb.bad@1', 'broken') > 0 AS quarantined;
SELECT modelreg.promote('rb.reco', 4, 'Staging'), modelreg.promote('rb.reco', 3, 'Experimental'), modelreg.promote('rb.reco', 1, 'Archived'), modelreg.promote('rb.other', 1, 'Archived', leave_none => true),
	modelreg.promote('rb.reco', 6, 'Archived');
SELECT jsonb_pretty(modelreg.rollback('rb.side', 'ctr down'));
SELECT * FROM pg_temp.last;
SELECT model, version, stage, current FROM modelreg.versions WHERE team = 'rb' ORDER BY 1, 2;
SELECT model, version, from_stage, to_stage, reason FROM modelreg.transitions WHERE team = 'rb' AND reason = 'ctr down' ORDER BY 1, 2;
SELECT what - 'schedule' AS what FROM modelreg.events WHERE chain = 'endpoint' AND chain_id = (SELECT endpoint_id FROM modelreg.endpoints WHERE endpoint = 'rb.side') AND kind = 'rolled_back';
SELECT modelreg.lift_quarantine('snapshot:rb.bad@1', 'mended') > 0 AS lifted;

-- One that follows does so no more, and the model's pointer stays.
SELECT modelreg.promote('rb.reco', 3, 'Production', archive_others => false) > 0 AS promoted, modelreg.create_endpoint('rb.follower', follows => 'rb.reco', plan => 'canary') > 0 AS endpoint;
SELECT pg_temp.at_once('rb.follower', '{5: 100%}');
SELECT modelreg.rollback('rb.follower', 'worse')->>'split' AS split;
SELECT follows, plan FROM modelreg.endpoints WHERE endpoint = 'rb.follower';
SELECT version FROM modelreg.production('rb.reco');

-- Two people, the model and the endpoint: what the model's rollback took back goes no further, and the endpoint follows no more. So it is after an
-- abort, and then nothing is left to do.
SELECT modelreg.create_model('rb.twice', 'open') > 0 AS model;
SELECT modelreg.register_version('rb.twice') FROM generate_series(1, 4) v;
SELECT modelreg.promote('rb.twice', 1, 'Production') > 0 AS promoted;
SELECT modelreg.create_endpoint('rb.twice', follows => 'rb.twice', plan => 'all at once') > 0 AS endpoint, modelreg.create_endpoint('rb.thrice', follows => 'rb.twice', plan => 'canary') > 0 AS endpoint;
SELECT modelreg.promote('rb.twice', 2, 'Production') > 0 AS promoted, modelreg.complete_rollout('rb.thrice') > 0 AS completed;
SELECT modelreg.promote('rb.twice', 3, 'Production') > 0 AS promoted, modelreg.abort_rollout('rb.thrice') > 0 AS aborted;
SELECT modelreg.rollback_model('rb.twice', '3 is bad');
SELECT r->'number' = 'null' AS nothing, r->'restored' AS restored, r->'split' AS split FROM modelreg.rollback('rb.twice', '3 is bad') r;
SELECT r->'number' = 'null' AS nothing, r->'restored' AS restored, r->'split' AS split FROM modelreg.rollback('rb.twice', '3 is bad') r;
SELECT r->'number' = 'null' AS nothing, r->'restored' AS restored, r->'split' AS split FROM jsonb_array_elements(modelreg.rollback('{rb.twice,rb.thrice}'::text[], '3 is bad')) r;
SELECT e.endpoint, e.follows, e.plan, v.kind, v.reason FROM modelreg.endpoints e JOIN modelreg.events v ON v.chain = 'endpoint' AND v.chain_id = e.endpoint_id AND v.number = e.last_event
WHERE e.endpoint IN ('rb.twice', 'rb.thrice') ORDER BY 1;
SELECT modelreg.promote('rb.twice', 4, 'Production') > 0 AS promoted;
SELECT endpoint, kind, shares FROM pg_temp.last WHERE endpoint IN ('rb.twice', 'rb.thrice') ORDER BY 1;
SELECT r->'number' = 'null' AS nothing, r->'split' AS split FROM jsonb_array_elements(modelreg.rollback('{rb.twice,rb.thrice}'::text[], '2 is bad too', further => true)) r;

-- Several: all or none, each once, of one team.
SELECT pg_temp.at_once('rb.follower', '{5: 100%}');
SELECT modelreg.create_endpoint('rb.new', 'rb.reco', 5) > 0 AS endpoint;
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.rollback('{rb.follower,rb.new}'::text[], 'all')$$,
	$$SELECT modelreg.rollback('{}'::text[], 'all')$$, $$SELECT modelreg.rollback('{rb.new,NULL}'::text[], 'all')$$, $$SELECT modelreg.rollback(NULL::text[], 'all')$$,
	$$SELECT modelreg.rollback('{rb.follower,rb2.home}'::text[], 'all')$$, $$SELECT modelreg.rollback('{rb.follower,rb.nothing}'::text[], 'all')$$,
	$$SELECT modelreg.rollback('{{rb.follower},{rb.side}}'::text[], ' ')$$, $$SELECT modelreg.rollback('{{rb.follower},{rb.side}}'::text[], 'all')$$,
	$$SELECT modelreg.rollback('[0:1]={rb.follower,rb.new}'::text[], 'all', request_id => 'from 0')$$]) AS call;
SELECT * FROM pg_temp.last WHERE endpoint = 'rb.follower';
-- Who looked first gives the etags that he saw, one for each endpoint or null; what one of them is not is none of them.
SELECT etag AS follower FROM modelreg.endpoints WHERE endpoint = 'rb.follower' \gset
SELECT substring(pg_temp.attempt(format('SELECT modelreg.rollback(%L::text[], ''all'', expected => %L)', endpoints, expected)) FROM '^[^|]*') FROM (VALUES
	('{rb.follower,rb.side}', ARRAY[:'follower']), ('{rb.follower,rb.side}', ARRAY[:'follower', '1-0123456789abcdef']), ('{rb.follower,rb.side}', ARRAY['', NULL]),
	('{rb.follower,rb.side}', '{}'), ('{rb.follower,rb.side}', ARRAY[ARRAY[:'follower'], ARRAY[NULL]]), ('{rb.follower,rb.follower}', ARRAY[:'follower', '1-0123456789abcdef']),
	('{rb.follower,rb.follower}', ARRAY['1-0123456789abcdef', NULL])) AS call(endpoints, expected);
SELECT endpoint, kind FROM pg_temp.last WHERE endpoint = 'rb.follower';
SELECT modelreg.rollback('{rb.follower,rb.side,rb.follower}'::text[], 'all', expected => ARRAY[NULL, NULL, :'follower'], request_id => 'all') = modelreg.rollback('{rb.follower,rb.side,rb.follower}'::text[], 'all', expected => ARRAY[NULL, NULL, :'follower'], request_id => 'all') AS repeated;
-- Another call with that request id is told which function had it, be it for one endpoint or for several.
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[$$SELECT modelreg.rollback('{rb.side}'::text[], 'all', request_id => 'all')$$, $$SELECT modelreg.rollback('rb.side', 'all', request_id => 'all')$$]) AS call;
SELECT * FROM pg_temp.last ORDER BY endpoint;
-- Both go back to a version that was archived: it returns once, and is archived again when it serves nowhere any more.
SELECT pg_temp.at_once('rb.follower', '{4: 1%, 5: 99%}', '{5: 100%}'), pg_temp.at_once('rb.new', '{4: 1%, 5: 99%}', '{5: 100%}');
SELECT modelreg.promote('rb.reco', 4, 'Archived') > 0 AS archived;
SELECT jsonb_path_query_array(modelreg.rollback('{rb.new,rb.follower}'::text[], 'both'), '$[*].split') AS splits;
SELECT version, from_stage, to_stage, kind FROM modelreg.transitions WHERE team = 'rb' AND reason = 'both';
SELECT model, version FROM modelreg.leaving_versions WHERE team = 'rb' ORDER BY 1, 2;
SELECT pg_temp.at_once('rb.follower', '{5: 100%}');
SELECT version, stage FROM modelreg.versions WHERE model = 'rb.reco' AND version = 4;
SELECT pg_temp.at_once('rb.new', '{5: 100%}');
SELECT version, stage FROM modelreg.versions WHERE model = 'rb.reco' AND version = 4;

-- An abort gives nothing back to what was quarantined while the rollout ran, but goes where a rollback would without moving a stage;
-- where there is no such split it goes back all the same, and says so.
SELECT modelreg.promote('rb.reco', 2, 'Production', archive_others => false) > 0 AS promoted, modelreg.create_endpoint('rb.only', 'rb.reco', 2) > 0 AS endpoint,
	modelreg.create_endpoint('rb.bad', 'rb.reco', 3) > 0 AS endpoint, modelreg.create_endpoint('rb.part', 'rb.reco', 2) > 0 AS endpoint;
SELECT pg_temp.at_once('rb.bad', '{1: 100%}', '{5: 100%}', '{2: 50%, 3: 50%}', '{2: 100%}'), pg_temp.at_once('rb.part', '{2: 50%, 3: 50%}');
SELECT modelreg.start_rollout('rb.only', 1, plan => 'canary') > 0 AS started, modelreg.start_rollout('rb.bad', 1, plan => 'canary') > 0 AS started,
	modelreg.start_rollout('rb.part', split => '{2: 50%, 1: 50%}', plan => 'canary') > 0 AS started;
SELECT modelreg.quarantine('snapshot:rb.bad@1', 'broken') > 0 AS quarantined;
SELECT modelreg.abort_rollout('rb.only') > 0 AS aborted, modelreg.abort_rollout('rb.bad') > 0 AS aborted, modelreg.abort_rollout('rb.part') > 0 AS aborted;
SELECT endpoint, kind, restored, shares FROM pg_temp.last WHERE endpoint IN ('rb.only', 'rb.bad', 'rb.part') ORDER BY 1;
SELECT n.endpoint, what->'restored' AS restored, jsonb_path_query_array(what, '$.unpermitted[*].version') AS unpermitted FROM modelreg.events e
	JOIN modelreg.endpoints n ON n.endpoint_id = e.chain_id WHERE e.chain = 'endpoint' AND e.kind = 'rollout_aborted' AND n.endpoint IN ('rb.only', 'rb.bad', 'rb.part') ORDER BY 1;
-- A shadow has taken nothing, so nothing is given back.
SELECT modelreg.start_rollout('rb.only', 1, plan => 'shadow') > 0 AS started, modelreg.abort_rollout('rb.only') > 0 AS aborted;
SELECT endpoint, kind, restored, shares FROM pg_temp.last WHERE endpoint = 'rb.only';
-- From where it went a rollback goes on, if it is to, or if what stands should not.
SELECT modelreg.rollback('rb.bad', 'worse')->>'split' AS split;
SELECT modelreg.rollback('rb.bad', 'worse', further => true)->>'split' AS split;
SELECT pg_temp.attempt($$SELECT modelreg.rollback('rb.only', 'worse')$$);
SELECT modelreg.lift_quarantine('snapshot:rb.bad@1', 'mended') > 0 AS lifted;

-- How far somebody's walks may go hinders no quarantine, of whatever team, and no way back: what lies upstream is known all the same.
SELECT modelreg.record_snapshot('rb.first', '1'), modelreg.record_snapshot('rb.aside', '1'), modelreg.create_model('rb.deep', 'open') > 0 AS model, modelreg.grant_level('rb', current_user, 'evaluator');
SELECT count(modelreg.record_snapshot('rb.step', i::text, inputs => jsonb_build_object('source', CASE i WHEN 1 THEN 'snapshot:rb.first@1' ELSE 'snapshot:rb.step@' || i - 1 END))) FROM generate_series(1, 101) i;
SELECT modelreg.register_version('rb.deep', inputs => CASE WHEN n < 4 THEN '{"training": "snapshot:rb.step@101"}'::jsonb END) FROM generate_series(1, 4) n;
SELECT modelreg.promote('rb.deep', v, 'Production', archive_others => v > 3) FROM generate_series(1, 4) v;
SELECT modelreg.promote('rb.deep', v, 'Production', archive_others => false) FROM generate_series(1, 3) v;
SELECT modelreg.create_endpoint('rb.deep', 'rb.deep', 4) > 0 AS endpoint, modelreg.create_endpoint('rb.deeper', 'rb.deep', 1) > 0 AS endpoint;
SELECT count(*) FROM pg_temp.at_once('rb.deep', '{1: 100%}');
CREATE FUNCTION pg_temp.roll(version integer, endpoint text DEFAULT 'rb.deep') RETURNS boolean LANGUAGE sql AS $$
	SELECT modelreg.start_rollout(endpoint, version, plan => '{"steps": [{"weight": "50%", "bake": "1 hour"}, {"weight": "100%"}], "guards": [{"metric": "errors", "at_most": 0}]}') > 0 $$;
CREATE VIEW pg_temp.stands AS SELECT p.endpoint, s.kind, s.state, s.split, e.what->'unpermitted'->0->>'version' AS unpermitted FROM modelreg.endpoints p, modelreg.rollout_status(p.endpoint) s, modelreg.event e
	WHERE p.endpoint ~ '^rb.deep' AND e.chain = 6 AND e.chain_id = p.endpoint_id AND e.seq = p.number ORDER BY 1;
SET modelreg.max_lineage_nodes = 100;
SELECT pg_temp.attempt($$SELECT count(*) FROM modelreg.upstream('models:/rb.deep/2')$$);
SELECT pg_temp.roll(2), pg_temp.roll(2, 'rb.deeper');
-- of what it does not touch, though all of it has to be looked at
SELECT pg_temp.attempt($$SELECT modelreg.quarantine('snapshot:rb.aside@1', 'worse') > 0$$);
SELECT * FROM pg_temp.stands;
SELECT pg_temp.attempt($$SELECT modelreg.abort_rollout('rb.deep') > 0$$);
SELECT * FROM pg_temp.stands;
SELECT pg_temp.attempt($$SELECT pg_temp.roll(2)$$);
SELECT pg_temp.attempt($$SELECT modelreg.record_quality('rb.deep', 2, 'errors', clock_timestamp(), value => 1) > 0$$);
SELECT * FROM pg_temp.stands;
SELECT pg_temp.attempt($$SELECT pg_temp.roll(2)$$);
SELECT pg_temp.attempt($$SELECT modelreg.rollback('rb.deep', 'worse')->>'split'$$);
SELECT * FROM pg_temp.stands;
SELECT pg_temp.attempt($$SELECT pg_temp.roll(2)$$);
-- of what it leads to: held, and the way back is to what may serve
SELECT pg_temp.attempt($$SELECT modelreg.quarantine('snapshot:rb.first@1', 'worse') > 0$$);
SELECT * FROM pg_temp.stands;
SELECT pg_temp.attempt($$SELECT modelreg.resume_rollout('rb.deep')$$);
BEGIN;
SELECT pg_temp.attempt($$SELECT modelreg.rollback('rb.deep', 'worse')->>'split'$$);
ROLLBACK;
BEGIN;
SELECT pg_temp.attempt(format('SELECT modelreg.abort_rollout(%L) > 0', e)) FROM unnest('{rb.deep,rb.deeper}'::text[]) e;
SELECT * FROM pg_temp.stands;
ROLLBACK;
SELECT pg_temp.attempt($$SELECT modelreg.record_quality('rb.deep', 2, 'errors', clock_timestamp(), value => 1) > 0$$);
SELECT pg_temp.attempt($$SELECT modelreg.record_quality('rb.deeper', 2, 'errors', clock_timestamp(), value => 1) > 0$$);
SELECT * FROM pg_temp.stands;
SELECT pg_temp.attempt($$SELECT modelreg.rollback_model('rb.deep', 'worse')$$);
SELECT pg_temp.attempt($$SELECT modelreg.promote('rb.deep', 3, 'Staging')$$);
-- where more than a few are quarantined, by one walk
SELECT count(modelreg.quarantine(modelreg.record_node('note', 'rb.n', n::text), 'one of many')) FROM generate_series(1, 9) n;
SELECT modelreg.lift_quarantine('snapshot:rb.first@1', 'mended') > 0 AS lifted;
SELECT pg_temp.attempt($$SELECT pg_temp.roll(2)$$);
SELECT pg_temp.attempt($$SELECT modelreg.quarantine('snapshot:rb.first@1', 'worse') > 0$$);
SELECT * FROM pg_temp.stands;
RESET modelreg.max_lineage_nodes;
SELECT count(modelreg.lift_quarantine(node, 'mended')) FROM modelreg.quarantined WHERE team = 'rb';
SELECT modelreg.retire_endpoint('rb.deep'), modelreg.retire_endpoint('rb.deeper');
SELECT * FROM modelreg.verify('rb', true);
