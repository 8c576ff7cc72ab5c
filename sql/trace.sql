-- trace_prediction(): from one answer of an endpoint to the version, the decision, the run, the data and the commit. What is certain
-- needs time to pass: test/t/092_trace.pl.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_trace_reader;
CREATE ROLE regress_trace_nobody;
SELECT modelreg.create_team('tra') > 0 AS team, modelreg.create_team('tra2') > 0 AS another;
SELECT modelreg.grant_level('tra', 'regress_trace_reader', 'reader');
SELECT modelreg.record_snapshot('tra2.secret', '1');
SELECT modelreg.record_snapshot('tra.events', '2026-06-01', uri => 's3://lake/events', rows => 81230114, digest => 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
SELECT modelreg.record_node('transform', 'tra.user_features', 'v7'), modelreg.record_node('commit', 'tra.code', 'abc123');
SELECT modelreg.record_run('tra.train-1', inputs => '{"training": ["snapshot:tra.events@2026-06-01", "snapshot:tra2.secret@1"], "features": ["transform:tra.user_features@v7"], "code": ["commit:tra.code@abc123"]}');
SELECT modelreg.record_run('tra.train-2', inputs => '{"code": ["commit:tra.code@abc123"]}');
SELECT modelreg.create_model('tra.reco', 'open') > 0 AS model, modelreg.create_model('tra.rank', 'open') > 0 AS model;
SELECT modelreg.register_version('tra.reco', 'run:tra.train-1'), modelreg.register_version('tra.reco', 'run:tra.train-2'), modelreg.register_version('tra.reco'), modelreg.register_version('tra.rank');
SELECT modelreg.promote('tra.reco', 1, 'Staging', 'looks well') > 0 AS staged, modelreg.promote('tra.reco', 1, 'Production', 'is well') > 0 AS promoted;
SELECT modelreg.promote('tra.reco', v, 'Production', 'better', archive_others => false) > 0 AS promoted FROM generate_series(2, 3) AS v;
SELECT set_config('regress.began', clock_timestamp()::text, false) <> '' AS began;
SELECT modelreg.create_endpoint('tra.home', 'tra.reco', 1, reason => 'first') > 0 AS endpoint;
-- Nothing is certain before its time; on a machine so slow that it comes while this runs, what is then certain is not shown.
CREATE FUNCTION pg_temp.traced(endpoint text, request_key text DEFAULT NULL, at timestamptz DEFAULT NULL, receipt text DEFAULT NULL, max_depth integer DEFAULT NULL)
	RETURNS TABLE (part text, kind text, address text, role text, depth integer, number bigint, share integer, digest boolean, detail jsonb, basis text, certain boolean) LANGUAGE sql AS $$
	SELECT part, kind, address, role, depth, number, share, digest ~ '^sha256:[0-9a-f]{64}$',
		detail - '{endpoint_id,node_id,permanent_id,since,replaced_at,predicted,position,policy_digest,role,registered_by}'::text[], basis,
		certain AND clock_timestamp() - current_setting('regress.began')::timestamptz < current_setting('modelreg.max_decision_delay')::interval + current_setting('modelreg.max_clock_skew')::interval
	FROM modelreg.trace_prediction($1, $2, $3, $4, $5) $$;

-- One version has all: computed from the schedule, or by the receipt, with or without a key.
SELECT * FROM pg_temp.traced('tra.home', 'user-1', now());
SELECT * FROM pg_temp.traced('tra.home', 'user-1', receipt => '1.0', max_depth => 0);
SELECT * FROM pg_temp.traced('tra.home', receipt => '1.0', max_depth => 1);
-- The details that differ from run to run are there.
SELECT part, array(SELECT key FROM jsonb_object_keys(detail) AS key ORDER BY key COLLATE "C") AS keys, recorded_at <= now() AS recorded FROM modelreg.trace_prediction('tra.home', 'user-1', receipt => '1.0');
-- Two versions, and one that sees the requests: the same answer as route() gives, for each key.
SELECT modelreg.start_rollout('tra.home', split => '{1: 50%, 2: 50%}', plan => 'all at once', reason => 'A/B') AS event;
SELECT count(*) AS keys, count(*) FILTER (WHERE t.number = r.version AND t.share = r.share) AS same, count(DISTINCT t.number) AS versions
FROM generate_series(1, 40) AS i, modelreg.route('tra.home', 'user-' || i) r, modelreg.trace_prediction('tra.home', 'user-' || i, receipt => r.receipt) t WHERE t.part = 'version';
SELECT count(*) AS keys, count(*) FILTER (WHERE t.number = r.version AND NOT t.certain) AS same
FROM generate_series(1, 40) AS i, modelreg.route('tra.home', 'user-' || i) r, modelreg.trace_prediction('tra.home', 'user-' || i, now()) t WHERE t.part = 'version';
-- A receipt alone does not say which; the first key of each version does.
SELECT * FROM pg_temp.traced('tra.home', receipt => '2.0', max_depth => 0);
SELECT min(i) FILTER (WHERE version = 1) AS one, min(i) FILTER (WHERE version = 2) AS two FROM generate_series(1, 40) AS i, modelreg.route('tra.home', 'user-' || i) r \gset
SELECT DISTINCT number FROM pg_temp.traced('tra.home', 'user-' || :one, receipt => '2.0') WHERE part = 'version';
SELECT DISTINCT number FROM pg_temp.traced('tra.home', 'user-' || :two, receipt => '2.0') WHERE part = 'version';

-- What was logged counts, also where it is not what was planned; the last before the time, of the step that was open.
SELECT modelreg.add_prediction_partitions(current_date + 2, current_date - 1) >= 0 AS made;
SELECT now() AS first \gset
SELECT modelreg.record_predictions('tra.home', ARRAY['user-' || :one], '{2}', outputs => ARRAY['{"score": 0.5}']::jsonb[]);
SELECT now() AS second \gset
SELECT modelreg.record_predictions('tra.home', ARRAY['user-' || :one], '{1}', receipts => '{2.0}', outputs => ARRAY['{"score": 0.7}']::jsonb[]);
SELECT part, number, role, share, detail->'output' AS output, basis, certain FROM pg_temp.traced('tra.home', 'user-' || :one, :'first') WHERE part IN ('traffic', 'version');
SELECT part, number, role, share, detail->'output' AS output, basis, certain FROM pg_temp.traced('tra.home', 'user-' || :one, :'second') WHERE part IN ('traffic', 'version');
SELECT part, number, role, share, detail->'output' AS output, basis, certain FROM pg_temp.traced('tra.home', 'user-' || :one, now()) WHERE part IN ('traffic', 'version');
SELECT part, number, role, share, detail->'output' AS output, basis, certain FROM pg_temp.traced('tra.home', 'user-' || :one, receipt => '2.0') WHERE part IN ('traffic', 'version');
-- A version of another model that says it answered; a server that was behind says so by its receipt.
SELECT modelreg.start_rollout('tra.home', 3, plan => 'shadow') AS event;
SELECT modelreg.record_predictions('tra.home', '{other}', '{1}', model => 'tra.rank'), modelreg.record_predictions('tra.home', '{behind}', '{1}', receipts => '{1.0}');
SELECT part, address, number, role, share, basis FROM pg_temp.traced('tra.home', 'other', now()) WHERE part IN ('traffic', 'version');
SELECT part, address, number, role, share, detail->'receipt' AS receipt, detail->'replaced_by' AS replaced_by, basis FROM pg_temp.traced('tra.home', 'behind', now()) WHERE part IN ('traffic', 'version');
-- The key's position is that in the schedule of the receipt, whose salt is another one.
SELECT t.detail->'position' = to_jsonb(r.position) AS position FROM modelreg.trace_prediction('tra.home', 'behind', now()) t,
	(SELECT s.at FROM modelreg.traffic_schedule s JOIN modelreg.endpoints e USING (endpoint_id) WHERE e.endpoint = 'tra.home' AND s.seq = 1) s, modelreg.route('tra.home', 'behind', s.at) r WHERE t.part = 'traffic';
-- What only saw the request did not answer it.
SELECT modelreg.record_predictions('tra.home', ARRAY['user-' || :two, 'user-' || :two], '{2,3}', outputs => ARRAY['{"score": 0.1}', '{"score": 0.2}']::jsonb[]);
SELECT number, role, share, detail->'output' AS output, basis FROM pg_temp.traced('tra.home', 'user-' || :two, now()) WHERE part = 'version';

-- A step that never came to stand here, as the rollout was aborted before: a server that had not heard of that went by it all the same.
SELECT modelreg.create_endpoint('tra.lag', 'tra.reco', 1) > 0 AS endpoint, modelreg.start_rollout('tra.lag', 2, plan => 'canary 5% for 30 minutes') AS event;
SELECT part, number, share, detail->'receipt' AS receipt, detail->'replaced_by' AS replaced_by, basis, certain FROM pg_temp.traced('tra.lag', 'late', receipt => '2.1') WHERE part IN ('traffic', 'version');
SELECT modelreg.abort_rollout('tra.lag') AS event;
SELECT modelreg.record_predictions('tra.lag', '{late}', '{2}', ARRAY[now() + interval '40 minutes'], '{2.1}', ARRAY['{"score": 0.9}']::jsonb[]);
SELECT part, number, role, share, detail->'receipt' AS receipt, detail->'replaced_by' AS replaced_by, basis, certain FROM pg_temp.traced('tra.lag', 'late', receipt => '2.1') WHERE part IN ('traffic', 'version');
SELECT part, number, role, share, detail->'receipt' AS receipt, detail->'replaced_by' AS replaced_by, basis, certain FROM pg_temp.traced('tra.lag', 'late', now() + interval '50 minutes') WHERE part IN ('traffic', 'version');
SELECT part, number, role, share, detail->'receipt' AS receipt, detail->'replaced_by' AS replaced_by, basis, certain FROM pg_temp.traced('tra.lag', receipt => '2.1') WHERE part IN ('traffic', 'version');
SELECT s.at = (t.detail->>'replaced_at')::timestamptz AS replaced_at FROM modelreg.trace_prediction('tra.lag', receipt => '2.1') t, modelreg.traffic_schedule s WHERE t.part = 'traffic' AND s.endpoint_id = (t.detail->>'endpoint_id')::bigint AND s.seq = 3;
-- Of the step before it, which stood until then, nothing had been replaced when it opened.
SELECT number, detail->'replaced_by' AS replaced_by FROM pg_temp.traced('tra.lag', receipt => '2.0') WHERE part = 'traffic';
-- Who only saw the request is known by the step of the receipt: here the version answers no more than it did there.
SELECT modelreg.start_rollout('tra.lag', 3, plan => 'shadow') AS event, modelreg.abort_rollout('tra.lag') AS aborted;
SELECT modelreg.record_predictions('tra.lag', '{seen,seen}', '{1,3}', ARRAY[now() + interval '40 minutes', now() + interval '41 minutes'], '{4.0,4.0}');
SELECT number, role, detail->'receipt' AS receipt, basis FROM pg_temp.traced('tra.lag', 'seen', now() + interval '50 minutes') WHERE part IN ('traffic', 'version');
-- And one that sees requests now had answered by the schedule of the receipt.
SELECT modelreg.start_rollout('tra.lag', 2, plan => 'shadow') AS event;
SELECT number, role, detail->'receipt' AS receipt, basis FROM pg_temp.traced('tra.lag', 'late', now() + interval '50 minutes') WHERE part IN ('traffic', 'version');

-- Receipts that no endpoint gave: of a step that is not there, of something else.
SELECT modelreg.create_endpoint('tra.page', 'tra.reco', 1) > 0 AS endpoint, modelreg.start_rollout('tra.page', 2, plan => 'canary 5% for 1 hour') AS event, modelreg.abort_rollout('tra.page') AS aborted;
SELECT r.receipt, t.number = r.version AND t.share = r.share AS as_routed FROM pg_temp.traced('tra.page', 'user-1', receipt => '2.0') t,
	(SELECT s.at FROM modelreg.traffic_schedule s JOIN modelreg.endpoints e USING (endpoint_id) WHERE e.endpoint = 'tra.page' AND s.seq = 2) s, modelreg.route('tra.page', 'user-1', s.at) r WHERE t.part = 'version';
SELECT modelreg.trace_prediction('tra.page', 'user-1', receipt => '2.2');
SELECT modelreg.trace_prediction('tra.page', 'user-1', receipt => '3.1');
SELECT modelreg.trace_prediction('tra.page', 'user-1', receipt => '2.7');
SELECT modelreg.trace_prediction('tra.page', 'user-1', receipt => '9.0');
SELECT modelreg.trace_prediction('tra.page', 'user-1', receipt => '0.0');
SELECT modelreg.trace_prediction('tra.page', 'user-1', receipt => E'2.0\n');
SELECT modelreg.trace_prediction('tra.page', 'user-1', receipt => '');
-- What is not enough, and what is not there.
SELECT modelreg.trace_prediction('tra.home');
SELECT modelreg.trace_prediction('tra.home', 'user-1');
SELECT modelreg.trace_prediction('tra.home', at => now());
SELECT modelreg.trace_prediction(NULL, 'user-1', now());
SELECT modelreg.trace_prediction('tra.nowhere', 'user-1', now());
SELECT modelreg.trace_prediction('tra.home', 'user-1', '2020-01-01');
SELECT modelreg.trace_prediction('tra.home', 'user-1', '-infinity');
SELECT modelreg.trace_prediction('tra.home', 'user-1', receipt => '1.0', max_depth => -1);
SELECT count(*) > 0 AS future FROM modelreg.trace_prediction('tra.home', 'user-1', 'infinity');
-- Hostile keys are keys.
SELECT count(DISTINCT t.number) AS versions, count(*) AS keys FROM unnest(ARRAY['', E'\'; DROP TABLE x; --', U&'\00e9\+01F600', repeat('k', 100000)]) AS k, modelreg.trace_prediction('tra.home', k, receipt => '1.0') t WHERE t.part = 'version';

-- An endpoint that was retired answers by the name that it had; another has the name now, and its own receipts.
SELECT modelreg.create_endpoint('tra.page2', 'tra.reco', 1) > 0 AS endpoint;
SELECT modelreg.retire_endpoint('tra.page', 'no longer');
SELECT modelreg.trace_prediction('tra.page', 'user-1', receipt => '1.0');
SELECT number, share, basis FROM pg_temp.traced('tra.page', 'user-1', (SELECT s.at FROM modelreg.traffic_schedule s JOIN modelreg.endpoint e ON e.id = s.endpoint_id WHERE e.name = 'page' AND e.team_id = (SELECT id FROM modelreg.team WHERE name = 'tra') AND s.seq = 3)) WHERE part = 'version';
-- A model that was retired since has the name that it had.
SELECT modelreg.promote('tra.rank', 1, 'Production') > 0 AS promoted, modelreg.create_endpoint('tra.rank', 'tra.rank') > 0 AS endpoint;
SELECT now() AS then \gset
SELECT modelreg.retire_endpoint('tra.rank'), modelreg.promote('tra.rank', 1, 'Archived', leave_none => true) > 0 AS archived, modelreg.retire_model('tra.rank');
SELECT part, kind, regexp_replace(address, 'modelreg:.*/', 'modelreg:') AS address, role FROM pg_temp.traced('tra.rank', 'user-1', :'then');

-- Who reads the team sees all of it, but what belongs to another; who does not, nothing.
SET ROLE regress_trace_reader;
SELECT part, kind, address, role, depth, basis FROM modelreg.trace_prediction('tra.home', 'user-1', receipt => '1.0');
SET ROLE regress_trace_nobody;
SELECT modelreg.trace_prediction('tra.home', 'user-1', receipt => '1.0');
RESET ROLE;
-- Nothing on the caller's path takes part, and it is as it was, also after an error.
CREATE FUNCTION public.jsonb_strip_nulls(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'run'; END $$;
SET search_path = public, pg_catalog;
SELECT count(*) FROM modelreg.trace_prediction('tra.home', 'user-1', receipt => '1.0');
SELECT modelreg.trace_prediction('tra.home', 'user-1', receipt => '1.0', max_depth => -1);
SHOW search_path;
RESET search_path;
DROP FUNCTION public.jsonb_strip_nulls(jsonb);
SELECT modelreg.revoke_level('tra', 'regress_trace_reader', 'reader');
-- Endpoint, version and decision by the names of the time of the answer, whatever they became; lineage by those of now, as upstream() has it.
SELECT now() AS then \gset
SELECT modelreg.rename_model('tra.reco', 'ranker'), modelreg.rename_team('tra', 'tra-renamed'), modelreg.create_model('tra-renamed.reco', 'open') > 0 AS another;
SELECT part, address FROM pg_temp.traced('tra.page2', 'user-1', :'then', max_depth => 1);
SELECT part, address FROM pg_temp.traced('tra-renamed.page2', 'user-1', now(), max_depth => 1);
-- A clock that was behind may put the answer before all names.
SELECT modelreg.record_predictions('tra-renamed.page2', '{early}', '{1}', ARRAY[e.created_at - interval '30 minutes'], '{1.0}') FROM modelreg.endpoints e WHERE e.endpoint = 'tra-renamed.page2';
SELECT part, address, basis FROM pg_temp.traced('tra-renamed.page2', 'early', receipt => '1.0', max_depth => 0) WHERE part = 'traffic';
DROP ROLE regress_trace_reader, regress_trace_nobody;
