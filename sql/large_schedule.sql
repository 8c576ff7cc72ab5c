-- Schedules as large as there may be: of as many pieces, and of as many steps. In a database of its own, where no other topic's
-- verify() reads them.
SELECT current_database() AS origin \gset
CREATE DATABASE regress_large_schedule TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_large_schedule
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE EXTENSION modelreg;
SELECT modelreg.create_team('wide') > 0, modelreg.grant_level('wide', current_user, 'evaluator');
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
CREATE FUNCTION pg_temp.at_once(endpoint text, VARIADIC splits text[]) RETURNS SETOF bigint LANGUAGE sql AS $$
	SELECT modelreg.start_rollout(endpoint, split => s::modelreg.traffic_split, plan => 'all at once') FROM unnest(splits) s $$;
-- Traffic in as many pieces as there may be: changes of 64 shares at once cut it into more and more. A way back that would cut it into too many
-- lays it down anew, so that nothing stands in the way of an abort, a rollback or a guard; what starts a rollout is refused.
SELECT modelreg.create_model('wide.wide', 'open') > 0 AS model;
SELECT count(modelreg.register_version('wide.wide')) FROM generate_series(1, 64);
SELECT count(modelreg.promote('wide.wide', v, 'Production', archive_others => false)) FROM generate_series(1, 64) v;
SELECT modelreg.create_endpoint('wide.wide', 'wide.wide', 1) > 0 AS endpoint;
-- Shares that look random, and are the same each time; some of them exchanged in pairs.
CREATE FUNCTION pg_temp.shares(seed integer, exchanged integer[] DEFAULT '{}') RETURNS modelreg.traffic_split LANGUAGE sql AS $$
	WITH random AS (SELECT v, 1 + ('x' || left(md5(seed || ':' || v), 6))::bit(24)::integer % 1000 AS x FROM generate_series(1, 64) v),
		share AS (SELECT v, x * 1000000 / (SELECT sum(x) FROM random) AS w FROM random),
		whole AS (SELECT v, CASE v WHEN 1 THEN 1000000 - (SELECT sum(w) FROM share WHERE v > 1) ELSE w END AS w FROM share),
		place AS (SELECT v, w, array_position(exchanged, v) AS i FROM whole)
	SELECT ('{' || string_agg(CASE i % 2 WHEN 1 THEN exchanged[i + 1] WHEN 0 THEN exchanged[i - 1] ELSE v END || ': ' || trim_scale(w / 10000.0) || '%', ', ') || '}')::modelreg.traffic_split FROM place $$;
CREATE FUNCTION pg_temp.pieces() RETURNS integer LANGUAGE sql AS $$ SELECT jsonb_array_length(document->'steps'->0->'segments') FROM modelreg.serving_config('wide.wide') $$;
SELECT format('SELECT pg_temp.at_once(''wide.wide'', pg_temp.shares(%s)::text)', i) FROM generate_series(1, 122) i
\set ECHO none
\o /dev/null
\gexec
\o
\set ECHO all
SELECT pg_temp.pieces();
SELECT pg_temp.attempt($$SELECT pg_temp.at_once('wide.wide', pg_temp.shares(123)::text)$$);
SELECT modelreg.start_rollout('wide.wide', split => pg_temp.shares(122, '{35,14,28,17,63,45,33,42,12,40,59,48,55,2,43,15}'),
	plan => '{"steps": [{"weight": "50%", "bake": "1 hour"}, {"weight": "100%"}], "guards": [{"metric": "errors", "at_most": 0}]}') > 0 AS started;
SELECT pg_temp.pieces();
BEGIN;
SELECT modelreg.abort_rollout('wide.wide') > 0 AS aborted, pg_temp.pieces();
ROLLBACK;
BEGIN;
SELECT modelreg.rollback('wide.wide', 'worse')->>'split' = pg_temp.shares(122)::text AS back, pg_temp.pieces();
ROLLBACK;
SELECT modelreg.record_quality('wide.wide', v, 'errors', clock_timestamp(), value => 1) > 0 AS recorded FROM generate_series(1, 64) v, modelreg.serving('wide.wide') s
WHERE s.version = v AND s.share > modelreg.share(pg_temp.shares(122), v) LIMIT 1;
SELECT kind, state, split = pg_temp.shares(122)::text AS back FROM modelreg.rollout_status('wide.wide');
SELECT pg_temp.pieces();
SELECT modelreg.retire_endpoint('wide.wide');
SELECT modelreg.create_policy('wide', 'nightly', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "automatic": true, "gates": ["offline"]}],
	"gates": {"offline": {"kind": "evaluation", "evaluation": "offline", "passed": true}}, "return": {"levels": ["maintainer"]}}');
SELECT modelreg.allow_policy('wide', 'nightly', 1);
-- A promotion is not refused because its follower's plan would cut the traffic into too many pieces: that takes fewer steps, and as long. Here 20
-- versions took from each other so often that they have many pieces each.
SELECT modelreg.create_model('wide.many', 'open') > 0, modelreg.create_model('wide.pieces', 'nightly') > 0;
SELECT count(modelreg.register_version('wide.many')) FROM generate_series(1, 20);
SELECT count(modelreg.promote('wide.many', i, 'Production', archive_others => false)) FROM generate_series(1, 20) i;
SELECT modelreg.register_version('wide.pieces'), modelreg.record_evaluation('models:/wide.pieces/1', 'offline', '{}', passed => true) > 0;
SELECT modelreg.create_endpoint('wide.pieces', follows => 'wide.pieces', plan => 'linear over 2 hours in 1000 steps') > 0;
SELECT count(modelreg.start_rollout('wide.pieces', split => ('{' || arms || '}')::modelreg.traffic_split, plan => 'all at once')) FROM (SELECT string_agg(format('wide.many/%s: %s%%', i, ((i * a + k) % 20) * 0.5 + 0.25), ', ') AS arms
	FROM generate_series(1, 20) i, unnest('{1,3,7,9,11,13,17,19}'::integer[]) a, generate_series(0, 15, 5) k GROUP BY a, k ORDER BY k, a) s;
BEGIN;
SELECT modelreg.register_version('wide.pieces'), modelreg.record_evaluation('models:/wide.pieces/2', 'offline', '{}', passed => true) > 0;
COMMIT;
SELECT s.kind, v.what->'shortened', s.doc->'plan', jsonb_array_length(s.doc->'steps'), to_timestamp(0) + (((s.doc->'steps'->-1->>'opens')::bigint - (s.doc->'steps'->0->>'opens')::bigint) / 1000000 || ' s')::interval - to_timestamp(0),
	jsonb_array_length(s.doc->'steps'->1->'segments') > 66 FROM modelreg.endpoints e JOIN modelreg.traffic_schedule s ON s.endpoint_id = e.endpoint_id AND s.seq = e.number
	JOIN modelreg.events v ON v.chain = 'endpoint' AND v.chain_id = e.endpoint_id AND v.number = e.number WHERE e.endpoint = 'wide.pieces';
SELECT version FROM modelreg.production('wide.pieces');
-- who starts a rollout himself is told
SELECT pg_temp.attempt($$SELECT modelreg.abort_rollout('wide.pieces'), modelreg.start_rollout('wide.pieces', split => '{wide.pieces/2: 100%}', plan => 'linear over 2 hours in 1000 steps')$$);
SELECT modelreg.retire_endpoint('wide.pieces');
SELECT * FROM modelreg.verify(NULL, true);
\c :origin
DROP DATABASE regress_large_schedule;
