-- Who answers the request of a key. Endpoints with a salt that is known, so that positions can be shown, are put in by hand and taken out
-- again; what rollouts do to keys comes behind, by the verbs.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_route_reader;
CREATE ROLE regress_route_other;
SELECT modelreg.create_team('route') > 0 AS team, modelreg.create_team('elsewhere') > 0 AS other_team;
SELECT modelreg.grant_level('route', 'regress_route_reader', 'reader'), modelreg.grant_level('elsewhere', 'regress_route_other', 'maintainer');
SELECT modelreg.create_model('route.m', 'open') > 0 AS model, modelreg.create_model('route.n', 'open') > 0 AS other_model;
SELECT modelreg.register_version('route.m') FROM generate_series(1, 3);
SELECT modelreg.register_version('route.n');

BEGIN;
-- Microseconds since 2000, as a schedule's document has times.
CREATE FUNCTION pg_temp.us(timestamptz) RETURNS bigint LANGUAGE sql AS $$
	SELECT (extract(epoch FROM $1) * 1000000 - extract(epoch FROM timestamptz '2000-01-01 00:00+00') * 1000000)::bigint $$;
-- An endpoint without events; steps have their times in minutes from now, and segments name version 1 of route.n as 0.
CREATE FUNCTION pg_temp.step(minutes double precision, segments text, shadow text DEFAULT '[]') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('opens', pg_temp.us(now() + minutes * interval '1 minute'),
		'segments', (SELECT jsonb_agg(jsonb_build_array(m.id, CASE s->>0 WHEN '0' THEN 1 ELSE (s->>0)::integer END, s->1) ORDER BY o)
			FROM jsonb_array_elements(segments::jsonb) WITH ORDINALITY x(s, o) JOIN modelreg.model m ON m.name = CASE s->>0 WHEN '0' THEN 'n' ELSE 'm' END
				JOIN modelreg.team t ON t.id = m.team_id AND t.name = 'route'))
		|| CASE shadow WHEN '[]' THEN '{}' ELSE jsonb_build_object('shadow', (SELECT jsonb_agg(jsonb_build_array(m.id, s)) FROM jsonb_array_elements(shadow::jsonb) s,
			modelreg.model m JOIN modelreg.team t ON t.id = m.team_id AND t.name = 'route' WHERE m.name = 'm')) END $$;
CREATE FUNCTION pg_temp.lay_down(endpoint bigint, event bigint, VARIADIC steps jsonb[]) RETURNS bytea LANGUAGE sql AS $$
	INSERT INTO modelreg.traffic_schedule SELECT endpoint, event, r.team, r.at, 'created', NULL, NULL, r.salt, r.doc,
		modelreg.row_hash('traffic_schedule', 1::smallint, endpoint, event, r.team, r.at, 'created'::text, NULL::bigint, NULL::bigint, r.salt, r.doc), 1
	FROM (SELECT t.id, timestamptz '2000-01-01 00:00+00' + ((steps[1]->>'opens')::bigint / 1000000.0) * interval '1 second',
		'\x000102030405060708090a0b0c0d0e0f'::bytea, jsonb_build_object('steps', to_jsonb(steps), 'state', 'ended')
		FROM modelreg.team t WHERE t.name = 'route') r(team, at, salt, doc)
	RETURNING hash $$;
CREATE FUNCTION pg_temp.endpoint(endpoint bigint, called text, event bigint, of_schedule bytea) RETURNS void LANGUAGE sql AS $$
	INSERT INTO modelreg.endpoint SELECT endpoint, event, sha256('head'), s.at, s.team_id, called, s.at, NULL, m.id, false, NULL, NULL, NULL, event, of_schedule
	FROM modelreg.traffic_schedule s, modelreg.model m WHERE s.endpoint_id = $1 AND s.seq = event AND m.name = 'm' AND m.team_id = s.team_id;
	INSERT INTO modelreg.endpoint_name SELECT team_id, called, endpoint, min(at), NULL FROM modelreg.traffic_schedule WHERE endpoint_id = $1 GROUP BY 1 $$;

-- The vectors of docs/serving.md.
SELECT pg_temp.endpoint(1001, 'vectors', 1, pg_temp.lay_down(1001, 1, pg_temp.step(0, '[[1, 450000], [2, 50000], [1, 250000], [3, 250000]]', '[2, 3]')));
SELECT left(k, 10) AS key, length(k), r.version, r.share, r.position, r.receipt, r.final
FROM unnest(ARRAY['', 'a', 'user-991', ' user-991', U&'\00E9', U&'e\0301', U&'\+01F600', 'key-1216519', 'key-52312', 'key-2697060', 'key-2016380', 'key-881415',
	'key-1232944', 'key-461965', 'key-2260790', repeat('a', 1048576)]) WITH ORDINALITY x(k, o), modelreg.route('route.vectors', k) r ORDER BY o;
-- Hashed here once more, for many keys of all lengths up to some blocks of the hash.
SELECT count(*), count(*) FILTER (WHERE r.position = trunc((('x' || encode(substr(h, 1, 8), 'hex'))::bit(64)::bigint::numeric
	+ CASE WHEN get_bit(h, 7) = 1 THEN 18446744073709551616 ELSE 0 END) * 1000000 / 18446744073709551616)) AS the_same
FROM generate_series(0, 2000) n, LATERAL (SELECT left(repeat(md5(n::text), 63), n)) k(key), modelreg.route('route.vectors', key) r,
	LATERAL (SELECT sha256('\x000102030405060708090a0b0c0d0e0f00'::bytea || convert_to(key, 'UTF8'))) x(h);
-- What an answer names is a version's permanent id.
SELECT count(DISTINCT r.version), bool_and(r.permanent_id = v.permanent_id) AS permanent, bool_and(r.model_id = v.model_id) AS model,
	array_agg(DISTINCT (SELECT string_agg(s.version::text, ',' ORDER BY s.version) FROM modelreg.versions s WHERE s.permanent_id = ANY (r.shadow))) AS shadow
FROM generate_series(1, 100) n, modelreg.route('route.vectors', 'user-' || n) r JOIN modelreg.versions v ON v.model = 'route.m' AND v.version = r.version;

-- A batch is the same, in the order of its keys, whichever shape the array has.
SELECT request_key, version, position, share, receipt, final FROM modelreg.route_batch('route.vectors', '{b,a,"",a,user-991}');
SELECT request_key, version FROM modelreg.route_batch('route.vectors', '[5:6][0:1]={{b,a},{"",a}}');
SELECT count(*) FROM modelreg.route_batch('route.vectors', '{}');
SELECT bool_and((b.model_id, b.version, b.permanent_id, b.share, b.position, b.shadow, b.receipt, b.final) = (r.model_id, r.version, r.permanent_id, r.share, r.position, r.shadow, r.receipt, r.final)) AS the_same, count(*)
FROM modelreg.route_batch('route.vectors', ARRAY(SELECT 'user-' || n FROM generate_series(1, 1000) n)) b, modelreg.route('route.vectors', b.request_key) r;

-- A million keys: over 1,000 parts of equal width, and over the versions, they fall as evenly as chance has it. Chi-square is below 1,143.9 with 999
-- degrees of freedom, and below 13.8 with 2, in 999 cases of 1,000; the keys are always the same.
CREATE TEMP TABLE routed AS SELECT position, version FROM modelreg.route_batch('route.vectors', ARRAY(SELECT 'user-' || n FROM generate_series(1, 1000000) n));
SELECT count(*) AS parts, round(sum((n - 1000) ^ 2 / 1000.0)::numeric, 1) AS chi_square, sum((n - 1000) ^ 2 / 1000.0) < 1143.9 AS even FROM (SELECT count(*) AS n FROM routed GROUP BY position / 1000) p;
SELECT version, count(*) FROM routed GROUP BY 1 ORDER BY 1;
SELECT round(sum((n - e) ^ 2 / e)::numeric, 2) AS chi_square, sum((n - e) ^ 2 / e) < 13.8 AS even
FROM (SELECT count(*) AS n, CASE version WHEN 1 THEN 700000.0 WHEN 2 THEN 50000.0 ELSE 250000.0 END::numeric AS e FROM routed GROUP BY version) p;
-- Neither do keys that differ in their last digit alone go together: pairs of neighbours.
SELECT round(sum((n - 5000) ^ 2 / 5000.0)::numeric, 1) AS chi_square, sum((n - 5000) ^ 2 / 5000.0) < 149.0 AS even
FROM (SELECT count(*) AS n FROM (SELECT position / 100000 AS this, lead(position / 100000) OVER () AS next, row_number() OVER () AS nr FROM routed) q WHERE nr % 2 = 1 GROUP BY this, next) p;

-- Steps at times: the last one that opens then or before, of the last schedule that was laid down then or before. The present schedule is of a
-- clock that is ahead, so that of now its first step is open.
SELECT pg_temp.endpoint(1002, 'steps', 9, pg_temp.lay_down(1002, 9, pg_temp.step(120, '[[1, 1000000]]'), pg_temp.step(150, '[[1, 600000], [0, 400000]]', '[3]'),
	pg_temp.step(180, '[[2, 1000000]]'), pg_temp.step(180, '[[3, 1000000]]'))) FROM pg_temp.lay_down(1002, 4, pg_temp.step(0, '[[3, 1000000]]'), pg_temp.step(90, '[[2, 1000000]]'),
	pg_temp.step(135, '[[1, 1000000]]'));
SELECT x.at AS minutes, us, v.model, r.version, r.share, r.receipt, cardinality(r.shadow) AS shadow, r.final AND x.at > 0 AS final
FROM (VALUES (0, 0), (89, 0), (90, -1), (90, 0), (120, -1), (120, 0), (135, 0), (150, -1), (150, 0), (180, -1), (180, 0), (5000, 0)) x(at, us),
	modelreg.route('route.steps', 'user-991', now() + x.at * interval '1 minute' + us * interval '1 microsecond') r JOIN modelreg.versions v USING (permanent_id) ORDER BY 1, 2;
SELECT receipt FROM modelreg.route('route.steps', 'user-991', 'infinity');
SELECT receipt, final FROM modelreg.route('route.steps', 'user-991');
-- Answers of now and of other times do not get into each other's way.
SELECT string_agg(r.receipt, ' ' ORDER BY n) FROM generate_series(1, 6) n, modelreg.route('route.steps', 'a', CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN now() ELSE now() + interval '200 minutes' END) r;
SELECT string_agg(e || ' ' || r.receipt, ', ' ORDER BY n) FROM generate_series(1, 6) n, unnest(ARRAY[CASE n % 2 WHEN 0 THEN 'route.steps' ELSE 'route.vectors' END]) e, modelreg.route(e, 'a') r;
SAVEPOINT s;
SELECT modelreg.route('route.steps', 'user-991', now() - interval '1 microsecond');
ROLLBACK TO s;
SELECT modelreg.route('route.steps', 'user-991', '-infinity');
ROLLBACK TO s;

-- More endpoints than a backend keeps steps of.
SELECT count(pg_temp.endpoint(2000 + n, 'many-' || n, 1, pg_temp.lay_down(2000 + n, 1, pg_temp.step(0, '[[1, 500000], [2, 500000]]')))) FROM generate_series(1, 1100) n;
SELECT count(*), count(DISTINCT r.position), count(DISTINCT r.version) FROM generate_series(1, 1100) n, generate_series(1, 2) again, modelreg.route('route.many-' || n, 'user-991') r;
-- 4096 segments.
SELECT pg_temp.endpoint(1003, 'fine', 1, pg_temp.lay_down(1003, 1, pg_temp.step(0, (SELECT jsonb_agg(jsonb_build_array(1 + n % 3, CASE n WHEN 4095 THEN 1000000 - 4095 * 244 ELSE 244 END) ORDER BY n)::text FROM generate_series(0, 4095) n))));
SELECT count(*) AS keys, count(*) FILTER (WHERE version = 1 + least(position / 244, 4095) % 3) AS right_ones FROM modelreg.route_batch('route.fine', ARRAY(SELECT 'user-' || n FROM generate_series(1, 20000) n));

-- What is asked wrong, and by whom.
SAVEPOINT s;
SELECT * FROM modelreg.route(NULL, 'a');
ROLLBACK TO s;
SELECT * FROM modelreg.route('route.steps', NULL);
ROLLBACK TO s;
SELECT * FROM modelreg.route_batch('route.steps', NULL);
ROLLBACK TO s;
SELECT * FROM modelreg.route_batch('route.steps', '{a,NULL}');
ROLLBACK TO s;
SELECT * FROM modelreg.route('steps', 'a');
ROLLBACK TO s;
SELECT * FROM modelreg.route('route.no such', 'a');
ROLLBACK TO s;
SELECT * FROM modelreg.route('route.nothing', 'a');
ROLLBACK TO s;
SET LOCAL ROLE regress_route_reader;
SELECT count(DISTINCT version) FROM generate_series(1, 100) n, modelreg.route('route.vectors', 'user-' || n);
SET LOCAL ROLE regress_route_other;
SELECT * FROM modelreg.route('route.vectors', 'a');
ROLLBACK TO s;
SET LOCAL ROLE regress_route_other;
SELECT * FROM modelreg.route_batch('route.vectors', '{a}', now());
ROLLBACK TO s;
ROLLBACK;

-- By the verbs. What a rollout does to 2,000 keys from step to step: they move only from versions whose share falls to versions whose share
-- grows, and who is with one that grows stays.
SELECT modelreg.promote('route.m', v, 'Production', archive_others => false) > 0 AS promoted FROM generate_series(1, 3) v;
SELECT modelreg.promote('route.n', 1, 'Production') > 0 AS promoted;
SELECT modelreg.create_endpoint('route.home', 'route.m', 1) > 0 AS endpoint;
CREATE FUNCTION pg_temp.answers(endpoint text, moments timestamptz[]) RETURNS TABLE (moment bigint, key text, arm text, share integer, receipt text) LANGUAGE sql AS $$
	SELECT o, r.request_key, r.model_id || '/' || r.version, r.share, r.receipt
	FROM unnest(moments) WITH ORDINALITY m(at, o), modelreg.route_batch(endpoint, ARRAY(SELECT 'user-' || n FROM generate_series(1, 2000) n), m.at) r $$;
-- Keys that moved, and of them those that moved from one that did not shrink or to one that did not grow.
CREATE FUNCTION pg_temp.moves(endpoint text, moments timestamptz[]) RETURNS TABLE (moments bigint, moved bigint, wrongly bigint, splits bigint) LANGUAGE sql AS $$
	WITH answers AS MATERIALIZED (SELECT * FROM pg_temp.answers(endpoint, moments)),
	shares AS (SELECT DISTINCT a.moment, a.arm, a.share FROM answers a),
	moves AS (SELECT a.moment, a.key, a.arm AS source, b.arm AS target FROM answers a JOIN answers b ON b.key = a.key AND b.moment = a.moment + 1 WHERE a.arm <> b.arm)
	SELECT cardinality(moments), count(*), count(*) FILTER (WHERE
		COALESCE((SELECT s.share FROM shares s WHERE s.moment = m.moment + 1 AND s.arm = m.source), 0) >= (SELECT s.share FROM shares s WHERE s.moment = m.moment AND s.arm = m.source)
		OR (SELECT s.share FROM shares s WHERE s.moment = m.moment + 1 AND s.arm = m.target) <= COALESCE((SELECT s.share FROM shares s WHERE s.moment = m.moment AND s.arm = m.target), 0)),
		(SELECT count(DISTINCT (s.moment, s.arm)) FROM shares s) FROM moves m $$;
SELECT modelreg.start_rollout('route.home', 2, plan => 'linear over 100 minutes in 20 steps') > 0 AS started;
SELECT at AS started, array_agg(at + n * interval '5 minutes' ORDER BY n) AS moments FROM modelreg.traffic_schedule s JOIN modelreg.endpoint e ON e.id = s.endpoint_id AND e.schedule_seq = s.seq,
	generate_series(0, 20) n WHERE e.name = 'home' AND e.team_id = (SELECT id FROM modelreg.team WHERE name = 'route') GROUP BY 1 \gset
SELECT moment - 1 AS step, substr(receipt, strpos(receipt, '.') + 1) AS receipt, max(share) FILTER (WHERE arm LIKE '%/2') AS share FROM pg_temp.answers('route.home', :'moments') WHERE moment % 5 = 1 GROUP BY 1, 2 ORDER BY 1;
SELECT moments, moved, wrongly FROM pg_temp.moves('route.home', :'moments');
-- The first of a version are with it in all later steps.
SELECT count(*) > 50 AS first_ones, bool_and(n = 20) AS stayed FROM (SELECT key, min(moment) AS first, count(*) AS n FROM pg_temp.answers('route.home', :'moments') WHERE arm LIKE '%/2' GROUP BY 1) k WHERE first = 2;
-- Three versions of which one keeps its share, then another model's takes from all.
SELECT modelreg.complete_rollout('route.home') > 0 AS completed;
SELECT modelreg.start_rollout('route.home', split => '{1: 20%, 2: 50%, 3: 30%}', plan => 'all at once') > 0 AS started;
SELECT receipt AS before FROM modelreg.route('route.home', 'user-1') \gset
SELECT modelreg.start_rollout('route.home', split => '{1: 50%, 2: 20%, 3: 30%}', plan => 'linear over 10 hours in 10 steps') > 0 AS started;
SELECT array_agg(s.at + n * interval '1 hour' ORDER BY n) AS moments FROM modelreg.traffic_schedule s JOIN modelreg.endpoint e ON e.id = s.endpoint_id AND e.schedule_seq = s.seq,
	generate_series(0, 10) n WHERE e.name = 'home' AND e.team_id = (SELECT id FROM modelreg.team WHERE name = 'route') \gset
SELECT moments, moved BETWEEN 500 AND 700 AS three_tenths, wrongly FROM pg_temp.moves('route.home', :'moments');
SELECT count(DISTINCT n) AS always_as_many, bool_and(n = 11) AS the_same FROM (SELECT key, count(*) AS n FROM pg_temp.answers('route.home', :'moments') WHERE arm LIKE '%/3' GROUP BY 1) k;
SELECT modelreg.abort_rollout('route.home') > 0 AS aborted;
SELECT modelreg.start_rollout('route.home', split => '{route.n/1: 70%, 1: 10%, 2: 10%, 3: 10%}', plan => 'canary 1% for 1 hour, 10% for 1 hour, 60% for 1 hour') > 0 AS started;
SELECT array_agg(s.at + n * interval '1 hour' ORDER BY n) AS moments FROM modelreg.traffic_schedule s JOIN modelreg.endpoint e ON e.id = s.endpoint_id AND e.schedule_seq = s.seq,
	generate_series(0, 3) n WHERE e.name = 'home' AND e.team_id = (SELECT id FROM modelreg.team WHERE name = 'route') \gset
SELECT moments, moved BETWEEN 1250 AND 1550 AS seven_tenths, wrongly, splits FROM pg_temp.moves('route.home', :'moments');

-- What was rolled back is not gone by, nor is what was kept of it.
SELECT r.receipt, r.version FROM modelreg.route('route.home', 'user-1') r \gset now_
BEGIN;
SAVEPOINT s;
SELECT modelreg.complete_rollout('route.home') > 0 AS completed;
SELECT receipt <> :'now_receipt' AS another FROM modelreg.route('route.home', 'user-1');
ROLLBACK TO s;
SELECT receipt = :'now_receipt' AS the_same FROM modelreg.route('route.home', 'user-1');
SELECT modelreg.abort_rollout('route.home') > 0 AS aborted;
SELECT receipt <> :'now_receipt' AS another, count(*) FROM modelreg.route('route.home', 'user-1') GROUP BY 1;
ROLLBACK;
SELECT receipt = :'now_receipt' AS the_same FROM modelreg.route('route.home', 'user-1');
-- A past answer is that of then, and the earlier receipt's.
SELECT r.receipt = :'before' AS before FROM modelreg.traffic_schedule s JOIN modelreg.endpoint e ON e.id = s.endpoint_id, modelreg.route('route.home', 'user-1', s.at) r
WHERE e.name = 'home' AND s.seq = split_part(:'before', '.', 1)::bigint AND e.team_id = (SELECT id FROM modelreg.team WHERE name = 'route');
-- In a read-only transaction, as somebody who only reads, from a prepared statement.
BEGIN READ ONLY;
SET LOCAL ROLE regress_route_reader;
PREPARE ask(text) AS SELECT receipt = :'now_receipt' AS the_same FROM modelreg.route('route.home', $1);
EXECUTE ask('user-1');
EXECUTE ask('user-2');
COMMIT;
-- A retired endpoint answers of what was only, whoever has its name now.
SELECT clock_timestamp() AS then \gset
SELECT modelreg.retire_endpoint('route.home');
SELECT * FROM modelreg.route('route.home', 'user-1');
SELECT modelreg.create_endpoint('route.home', 'route.n') > 0 AS endpoint;
SELECT r.receipt = :'now_receipt' AS as_before, split_part(r.receipt, '.', 1) = split_part(:'now_receipt', '.', 1) AS same_schedule, n.share FROM modelreg.route('route.home', 'user-1', :'then') r, modelreg.route('route.home', 'user-1') n;
-- A step that opens while a session goes on is seen by it, though nothing tells it so.
SELECT modelreg.create_endpoint('route.quick', 'route.m', 1) > 0 AS endpoint, modelreg.start_rollout('route.quick', 2, plan => 'canary 5% for 300 milliseconds') > 0 AS started;
SELECT count(*) FROM modelreg.route('route.quick', 'user-1');
SELECT pg_sleep(0.4);
SELECT split_part(receipt, '.', 2) AS step, version, share FROM modelreg.route('route.quick', 'user-1');
SELECT jsonb_path_query_array(document, '$.steps[*].step') AS steps, document->'step' AS step, document ? 'next' AS next, jsonb_path_query_array(document, '$.versions[*].version') AS versions FROM modelreg.serving_config('route.quick');
