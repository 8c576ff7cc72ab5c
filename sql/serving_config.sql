-- What serving processes fetch, what serves and what changed, and what they say they have.
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
CREATE ROLE regress_config_reader;
CREATE ROLE regress_config_pod;
CREATE ROLE regress_config_other;
SELECT modelreg.create_team('config') > 0 AS team, modelreg.create_team('config2') > 0 AS other_team;
SELECT modelreg.grant_level('config', 'regress_config_reader', 'reader'), modelreg.grant_level('config', 'regress_config_pod', 'evaluator'), modelreg.grant_level('config2', 'regress_config_other', 'maintainer');
SELECT modelreg.create_model('config.reco', 'open') > 0 AS model, modelreg.create_model('config.rank', 'open') > 0 AS model;
SELECT modelreg.append_upload(modelreg.begin_upload('config', 7, request_id => 'w'), 0, 'weights');
SELECT modelreg.finish_upload(id) AS weights, modelreg.register_version('config.reco', signature => '{"inputs": [{"name": "age", "type": "double"}]}', artifacts => jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', id, 'media_type', 'application/octet-stream'),
	'{"name": "prep", "uri": "s3://m/prep", "size": 3, "store_version": "v1", "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}'::jsonb)) AS version
FROM modelreg.upload WHERE request_id = 'w' AND team_id = (SELECT id FROM modelreg.team WHERE name = 'config');
SELECT modelreg.register_version('config.reco'), modelreg.register_version('config.reco'), modelreg.register_version('config.rank');
SELECT modelreg.promote('config.reco', v, 'Production', archive_others => false) > 0 AS promoted FROM generate_series(1, 3) v;
SELECT modelreg.promote('config.rank', 1, 'Production') > 0 AS promoted;
SELECT modelreg.create_endpoint('config.home', 'config.reco', 1, max_staleness => '90 seconds') > 0 AS endpoint;
SELECT e.id AS home FROM modelreg.endpoint e JOIN modelreg.team t ON t.id = e.team_id WHERE t.name = 'config' AND e.name = 'home' \gset

-- The document, ids and times taken out.
CREATE FUNCTION pg_temp.shown(document jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(regexp_replace(regexp_replace(jsonb_pretty(document), 'modelreg:[0-9a-f-]{36}/\d+/', 'modelreg:<identity>/<model>/', 'g'),
		'"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{15}\+00:00"', '"<time>"', 'g'), '"(model_id|id)": \d+|"(salt)": "[0-9a-f]{32}"', '"\1\2": <>', 'g') $$;
SELECT etag, pg_temp.shown(document) AS document FROM modelreg.serving_config('config.home') \gset first_
SELECT :'first_document' AS document;
SELECT etag = :'first_etag' AS same_etag, document IS NULL AS unchanged, replayed IS NULL AS on_a_primary, valid_until = now() + interval '90 seconds' AS holds FROM modelreg.serving_config('config.home', :'first_etag');
SELECT e.etag = :'first_etag' AS of_the_view, :'first_etag' ~ '^1-[0-9a-f]{16}$' AS shape FROM modelreg.endpoints e WHERE e.endpoint = 'config.home';
SELECT document IS NOT NULL AS other_etag FROM unnest(ARRAY['', '1-0000000000000000', :'first_etag' || '0', NULLIF(upper(:'first_etag'), :'first_etag'), NULL]) e, modelreg.serving_config('config.home', e);
-- The staleness that it has, or five minutes; each from when the statement began.
SELECT modelreg.create_endpoint('config.rest', 'config.rank') > 0 AS endpoint;
SELECT c.valid_until - now() AS rest FROM modelreg.serving_config('config.rest') c;
-- Another one holds from the next poll on, under the same etag; and who follows many hears that something was changed.
SELECT etag FROM modelreg.serving_config('config.rest') \gset
SELECT jsonb_object_agg(endpoint_id, last_event) AS known FROM modelreg.changes() \gset
SELECT modelreg.set_endpoint('config.rest', '7 minutes', NULL, expected => :'etag') AS set;
SELECT c.valid_until - now() AS rest, document IS NULL AS unchanged FROM modelreg.serving_config('config.rest', :'etag') c;
SELECT endpoint, last_event, etag = :'etag' AS same_etag FROM modelreg.changes(:'known');
SELECT modelreg.set_endpoint('config.rest', NULL, NULL) AS set;

-- A rollout: the present step and those to come, with everything that they need.
SELECT modelreg.start_rollout('config.home', split => '{2: 60%, config.rank/1: 40%}', plan => '{"warm_up": "10 minutes", "shadow": "20 minutes", "steps": [{"weight": "5%", "bake": "30 minutes"}, {"weight": "100%"}], "keep_warm": "1 hour"}') AS rollout;
SELECT s->'step' AS step, (s->>'opens')::timestamptz - min((s->>'opens')::timestamptz) OVER () AS after, s->'segments' AS segments, s->'shadow' AS shadow, s->'warm' AS warm
FROM modelreg.serving_config('config.home', :'first_etag'), jsonb_array_elements(document->'steps') s;
SELECT document->'step' AS step, (document->>'next')::timestamptz = (document->'steps'->1->>'opens')::timestamptz AS next, document->'waiting' AS waiting,
	jsonb_path_query_array(document, '$.versions[*].model') AS models, jsonb_path_query_array(document, '$.versions[*].version') AS versions
FROM modelreg.serving_config('config.home');
-- Under one etag steps that are over are left out, and with them the versions that no step has any more; those that are left are counted anew.
SELECT modelreg.create_endpoint('config.short', 'config.reco', 1) > 0 AS endpoint, modelreg.start_rollout('config.short', 2, plan => 'canary 5% for 1 ms') > 0 AS started;
SELECT pg_sleep(0.01);
SELECT document->'step' AS step, jsonb_path_query_array(document, '$.steps[*].segments') AS segments, jsonb_path_query_array(document, '$.versions[*].version') AS versions FROM modelreg.serving_config('config.short');
SELECT modelreg.retire_endpoint('config.short');
-- A cursor answers by the snapshot of when it was opened, and gives no more time than that.
BEGIN;
DECLARE old CURSOR FOR SELECT c.etag, c.valid_until - interval '90 seconds' AS known FROM generate_series(1, 2) i, modelreg.serving_config('config.home', NULLIF(i::text, i::text)) c;
SELECT statement_timestamp() AS opened \gset
FETCH 1 FROM old \gset cursor1_
FETCH 1 FROM old \gset cursor2_
SELECT :'cursor1_known' < :'opened' AS first, :'cursor2_known' = :'cursor1_known' AS second;
COMMIT;
-- Whatever the session's settings are.
SELECT document FROM modelreg.serving_config('config.home') \gset
SET timezone = 'Asia/Kolkata'; SET datestyle = 'German'; SET extra_float_digits = 0;
SELECT document = :'document' AS the_same FROM modelreg.serving_config('config.home');
RESET timezone; RESET datestyle; RESET extra_float_digits;
-- What it names is there: permanent ids, digests, bytes.
SELECT v->>'model' AS model, v->'version' AS version, r.uri, jsonb_path_query_array(v, '$.artifacts[*].name') AS artifacts
FROM modelreg.serving_config('config.home'), jsonb_array_elements(document->'versions') v, modelreg.resolve(v->>'permanent_id') r;
-- What waits for a guard is in no step, and its versions are to be loaded all the same.
SELECT modelreg.abort_rollout('config.home') > 0 AS aborted;
SELECT modelreg.start_rollout('config.home', 3, plan => '{"steps": [{"weight": "5%", "bake": "30 minutes"}, {"weight": "50%", "bake": "30 minutes"}, {"weight": "100%"}], "guards": [{"metric": "ctr", "at_least": 0.1}]}') > 0 AS started;
SELECT jsonb_array_length(document->'steps') AS steps, document->'waiting' AS waiting, document ? 'next' AS next, jsonb_path_query_array(document, '$.versions[*].version') AS versions FROM modelreg.serving_config('config.home');

-- What serves, now and at other times; warm and shadow have no share.
SELECT modelreg.abort_rollout('config.home') > 0 AS aborted;
SELECT modelreg.start_rollout('config.home', 2, plan => '{"warm_up": "10 minutes", "shadow": "20 minutes", "steps": [{"weight": "5%", "bake": "30 minutes"}, {"weight": "100%"}], "keep_warm": "1 hour"}') AS rollout \gset
SELECT at FROM modelreg.traffic_schedule WHERE endpoint_id = :home AND seq = :rollout \gset
SELECT minutes, s.model, s.version, s.role, s.share, replace(s.receipt, :'rollout' || '.', 'rollout.') AS receipt, s.since - :'at' AS since, s.until - :'at' AS until, s.final
FROM unnest('{0,9,10,30,60,119,120,1000}'::integer[]) minutes, modelreg.serving('config.home', :'at'::timestamptz + minutes * interval '1 minute') s ORDER BY 1, role, 2, 3;
SELECT model, version, role, share, until - since AS for FROM modelreg.serving('config.home');
-- The past ends where another schedule came before the next step.
SELECT modelreg.complete_rollout('config.home') AS completed \gset
SELECT s.model, s.version, s.role, s.since = :'at' AS since, s.until = t.at AS until, s.permanent_id = v.permanent_id AS permanent_id FROM modelreg.traffic_schedule t, modelreg.serving('config.home', :'at') s JOIN modelreg.versions v USING (model, version)
WHERE t.endpoint_id = :home AND t.seq = :completed ORDER BY role;
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.serving('config.home', '2000-01-01')$$, $$SELECT modelreg.serving(NULL)$$, $$SELECT modelreg.serving('config.nothing')$$, $$SELECT modelreg.serving_config('config')$$,
	$$SELECT modelreg.serving_config('config.nothing', '1-0123456789abcdef')$$, $$SELECT modelreg.serving_config(NULL)$$]) call;

-- What changed since somebody looked.
SELECT jsonb_object_agg(endpoint_id, last_event) AS known FROM modelreg.changes() WHERE endpoint LIKE 'config.%' \gset
SELECT endpoint, retired_at IS NULL AS live FROM modelreg.changes('{}') WHERE endpoint LIKE 'config.%' ORDER BY 1;
SELECT count(*) FROM modelreg.changes(:'known') WHERE endpoint LIKE 'config.%';
SELECT c.endpoint, c.last_event = e.last_event AS last_event, c.etag = e.etag AS etag FROM modelreg.changes(jsonb_set(:'known', ARRAY[:'home'], '1')) c JOIN modelreg.endpoints e USING (endpoint) WHERE endpoint LIKE 'config.%';
SELECT modelreg.start_rollout('config.home', 3, plan => 'all at once') > 0 AS started, modelreg.create_endpoint('config.new', 'config.rank') > 0 AS created;
SELECT modelreg.retire_endpoint('config.rest');
SELECT endpoint, retired_at IS NULL AS live FROM modelreg.changes(:'known') WHERE endpoint LIKE 'config.%' ORDER BY 1;
SELECT count(*) FROM modelreg.changes(NULL) WHERE endpoint = 'config.rest';
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.changes('[]')$$, $$SELECT modelreg.changes('{"a": 1}')$$, $$SELECT modelreg.changes('{"01": 1}')$$, $$SELECT modelreg.changes('{"1": "a"}')$$, $$SELECT modelreg.changes('{"1": 1.5}')$$,
	$$SELECT modelreg.changes('{"99999999999999999999": 1}')$$, $$SELECT count(*) FROM modelreg.changes('{"77000777": 1}') WHERE endpoint_id = 77000777$$]) call;

-- The fleet.
SELECT etag AS now FROM modelreg.serving_config('config.home') \gset
SELECT v.permanent_id AS one FROM modelreg.versions v WHERE v.model = 'config.reco' AND version = 1 \gset
SELECT v.permanent_id AS three FROM modelreg.versions v WHERE v.model = 'config.reco' AND version = 3 \gset
SET ROLE regress_config_pod;
SELECT modelreg.report_serving('config.home', 'pod-1', :'now', ARRAY[:'three', :'one', :'three']) AS new, modelreg.report_serving('config.home', 'pod-1', :'now', ARRAY[:'one', :'three']) AS again;
SELECT modelreg.report_serving('config.home', 'pod-2', :'first_etag', ARRAY[:'one']) AS new, modelreg.report_serving('config.home', 'pod-3', :'now') AS new, modelreg.report_serving('config.home', 'pod-4', '999-0123456789abcdef') AS new,
	modelreg.report_serving('config.home', E'pod "5" \\ é\n', '1-0123456789abcdef', ARRAY[:'three']) AS new;
RESET ROLE;
SELECT f.instance, f.etag = :'now' AS present, f.behind, cardinality(f.loaded) AS loaded, (SELECT string_agg(v.version::text, ', ' ORDER BY v.version) FROM modelreg.versions v WHERE v.permanent_id = ANY (f.missing)) AS missing,
	(SELECT s.kind FROM modelreg.traffic_schedule s WHERE s.endpoint_id = :home AND s.at = f.lags_since) AS lags_since FROM modelreg.fleet_status('config.home') f;
SELECT team, endpoint, instance, behind, jsonb_array_length(loaded) AS loaded, jsonb_array_length(missing) AS missing, lags_since IS NOT NULL AS lags FROM modelreg.fleet WHERE team LIKE 'config%' ORDER BY instance;
-- A rollout makes all of them late; a report ends that; who goes is gone.
SELECT modelreg.start_rollout('config.home', 1, plan => 'linear over 1 hour') > 0 AS started;
SELECT instance, behind, cardinality(missing) AS missing FROM modelreg.fleet_status('config.home');
SELECT etag AS now FROM modelreg.serving_config('config.home') \gset
SELECT modelreg.report_serving('config.home', 'pod-1', :'now', ARRAY[:'one', :'three']) AS new, modelreg.report_serving('config.home', 'pod-4', NULL) AS gone, modelreg.report_serving('config.home', 'pod-4', NULL) AS again;
SELECT instance, behind, cardinality(missing) AS missing, lags_since IS NOT NULL AS lags FROM modelreg.fleet_status('config.home');
SELECT instance, role FROM modelreg.instance_report WHERE endpoint_id = :home AND instance = 'pod-2';
-- Who does not repeat what it said is silent; who does says nothing new.
SELECT modelreg.create_endpoint('config.brief', 'config.reco', 1, max_staleness => '100 ms') AS brief \gset
SELECT modelreg.report_serving('config.brief', 'pod-1', '1-ab') AS new;
SELECT pg_sleep(0.25);
SELECT instance, silent, seen_at = reported_at AS once FROM modelreg.fleet_status('config.brief');
SELECT modelreg.report_serving('config.brief', 'pod-1', '1-ab') AS new;
SELECT instance, seen_at > reported_at AS again, (clock_timestamp() - seen_at > interval '200 ms') = silent OR clock_timestamp() - seen_at > interval '100 ms' AS heard FROM modelreg.fleet WHERE endpoint = 'config.brief';
SELECT count(*) AS silent FROM modelreg.fleet_status(:home) WHERE silent;
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[$$SELECT modelreg.fleet_status(NULL::bigint)$$, $$SELECT modelreg.fleet_status(770077)$$]) call;
SELECT modelreg.retire_endpoint('config.brief');
SELECT pg_temp.attempt(format('SELECT modelreg.fleet_status(%s)', :brief)) ~ 'endpoint_not_found' AS gone;
SELECT pg_temp.attempt(format('SELECT modelreg.report_serving(%s)', arguments)) FROM unnest(ARRAY[
	$$'config.home', NULL, '1-0123456789abcdef'$$, $$'config.home', '', '1-0123456789abcdef'$$, $$'config.home', repeat('a', 256), '1-0123456789abcdef'$$, $$'config.home', 'a', ''$$, $$'config.home', 'a', '1'$$, $$'config.home', 'a', '1-'$$,
	$$'config.home', 'a', '01-ab'$$, $$'config.home', 'a', '1-xy'$$, $$'config.home', 'a', '1-' || repeat('a', 100)$$, $$'config.home', 'a', '1-ab', '{a}'$$, $$'config.home', 'a', '1-ab', '{NULL}'$$, $$'config.home', 'a', '1-ab', '{models:/config.reco/1}'$$,
	$$'config.home', 'a', '1-ab', ARRAY(SELECT 'modelreg:00000000-0000-4000-8000-000000000000/1/' || n FROM generate_series(1, 1001) n)$$, $$'config.nothing', 'a', '1-ab'$$, $$'config.rest', 'a', '1-ab'$$, $$NULL, 'a', '1-ab'$$]) arguments;
-- Rights: a reader asks and does not report; who is of another team, or of none, learns nothing.
SET ROLE regress_config_reader;
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[$$SELECT document->'endpoint'->>'name' FROM modelreg.serving_config('config.home')$$, $$SELECT count(*) FROM modelreg.fleet$$, $$SELECT count(*) FROM modelreg.changes()$$,
	$$SELECT modelreg.report_serving('config.home', 'a', '1-ab')$$]) call;
SET ROLE regress_config_other;
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[$$SELECT modelreg.serving_config('config.home')$$, $$SELECT modelreg.serving_config('config.home', '1-0123456789abcdef')$$, $$SELECT modelreg.serving('config.home')$$, $$SELECT modelreg.serving('config.home', now())$$,
	$$SELECT modelreg.fleet_status('config.home')$$, $$SELECT modelreg.report_serving('config.home', 'a', '1-ab')$$, $$SELECT count(*) FROM modelreg.fleet$$, $$SELECT count(*) FROM modelreg.instance_report$$, $$SELECT count(*) FROM modelreg.changes()$$]) call;
SELECT count(*) FROM modelreg.changes(:'known');
RESET ROLE;
-- A poll of what is unchanged is one probe of the endpoint's row; nothing else of the registry is looked at at each, whoever asks. (Rights are looked up
-- once more after a message that they may have changed, and an autovacuum of their tables in the midst of this is one.)
CREATE FUNCTION pg_temp.looked() RETURNS TABLE (name text, scans bigint, rows bigint) LANGUAGE sql AS $$
	SELECT relname::text, pg_stat_get_xact_numscans(oid), CASE relkind WHEN 'i' THEN pg_stat_get_xact_tuples_fetched(oid) ELSE pg_stat_get_xact_tuples_returned(oid) END
	FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind IN ('r', 'i') $$;
SELECT etag FROM modelreg.serving_config('config.home') \gset
SET ROLE regress_config_reader;
SELECT document IS NULL AS unchanged FROM modelreg.serving_config('config.home', :'etag');
RESET ROLE;
BEGIN;
CREATE TEMP TABLE looked AS SELECT * FROM pg_temp.looked();
SET LOCAL ROLE regress_config_reader;
SELECT count(*) AS polls, count(document) AS changed FROM generate_series(1, 100) i, LATERAL modelreg.serving_config('config.home', CASE WHEN i > 0 THEN :'etag' END);
RESET ROLE;
SELECT a.name, a.scans - b.scans AS probes, a.rows - b.rows AS rows FROM pg_temp.looked() a JOIN looked b USING (name) WHERE a.scans - b.scans >= 100 OR a.rows - b.rows >= 100 ORDER BY 1;
ROLLBACK;
-- In a read-only transaction everything but a report.
BEGIN READ ONLY;
SELECT document IS NOT NULL AS document FROM modelreg.serving_config('config.home');
SELECT count(*) FROM modelreg.serving('config.home');
SELECT modelreg.report_serving('config.home', 'a', '1-ab');
ROLLBACK;
SELECT * FROM modelreg.verify('config');
