-- verify(): schedules that a superuser forged, with an event, a hash, arms and a head that fit, and that the server cannot have laid down.
SELECT current_database() AS origin \gset
CREATE DATABASE regress_verify_schedules TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_verify_schedules
SET max_parallel_workers_per_gather = 0;
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE EXTENSION modelreg;
SELECT count(modelreg.create_team(t)) FROM unnest('{search,other}'::text[]) AS t;
SELECT modelreg.create_model('search.m', 'open') AS m, modelreg.create_model('other.m', 'open') AS o \gset
SELECT count(modelreg.register_version('search.m')) FROM generate_series(1, 4);
SELECT modelreg.register_version('other.m');
SELECT count(modelreg.promote('search.m', v, 'Production', archive_others => false)) FROM generate_series(1, 3) AS v;
-- One whose rollout is over, one whose rollout waits for evidence, one that is paused, and all else that lays down schedules.
SELECT modelreg.create_endpoint('search.still', 'search.m', 1), modelreg.start_rollout('search.still', 2, plan => 'all at once');
SELECT modelreg.create_endpoint('search.waits', 'search.m', 1), modelreg.start_rollout('search.waits', split => '{2: 50%, 3: 50%}',
	plan => '{"steps": [{"weight": "5%", "bake": "1 day"}, {"weight": "100%"}], "guards": [{"metric": "errors", "at_most": 0.1}], "keep_warm": "1 hour"}');
SELECT modelreg.create_endpoint('search.paused', 'search.m', 1), modelreg.start_rollout('search.paused', 3, plan => 'canary 5% for 1 hour, 50% for 1 hour'), modelreg.pause_rollout('search.paused');
SELECT modelreg.create_endpoint('search.ways', 'search.m', 1), modelreg.start_rollout('search.ways', 2, plan => '{"warm_up": "1 hour", "shadow": "1 hour", "linear": "1 hour", "in": 3, "keep_warm": "1 hour"}'),
	modelreg.pause_rollout('search.ways'), modelreg.resume_rollout('search.ways'), modelreg.abort_rollout('search.ways'), modelreg.start_rollout('search.ways', split => '{1: 33.3333%, 2: 33.3333%, 3: 33.3334%}', plan => 'shadow for 1 hour'),
	modelreg.complete_rollout('search.ways'), modelreg.start_rollout('search.ways', split => '{1: 33.3333%, 2: 33.3333%, 3: 33.3334%}', plan => 'all at once'), modelreg.rollback('search.ways', 'worse') IS NOT NULL;
SELECT * FROM modelreg.verify(deep => true);

DO $$
DECLARE
	item record;
BEGIN
	SET LOCAL modelreg.allow_removal = on;
	FOR item IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = 'modelreg'::regnamespace AND c.relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', item.name);
	END LOOP;
END
$$;

-- Lay down a schedule with a document in which T is the time. Columns are those of the present one, with changes; what has ended is of no rollout.
CREATE FUNCTION forge(endpoint text, kind text, doc text, changes jsonb) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
	head modelreg.endpoint; row modelreg.traffic_schedule; event modelreg.event; us bigint;
BEGIN
	SELECT * INTO head FROM modelreg.endpoint e WHERE e.name = endpoint;
	SELECT * INTO row FROM modelreg.traffic_schedule s WHERE s.endpoint_id = head.id AND s.seq = head.schedule_seq;
	us := (extract(epoch FROM greatest(clock_timestamp(), head.head_at + interval '1 us')) * 1000000)::bigint - 946684800000000;
	row.at := timestamptz '2000-01-01 00:00+00' + us * interval '1 us';
	row.seq := head.seq + 1;
	row.kind := kind;
	row.restored := NULL;
	row.doc := replace(doc, 'T', us::text)::jsonb;
	IF row.doc @> '{"state": "ended"}' THEN
		row.rollout := NULL;
	END IF;
	row := jsonb_populate_record(row, changes);
	row.hash := modelreg.row_hash('traffic_schedule', row.format, row.endpoint_id, row.seq, row.team_id, row.at, row.kind, row.rollout, row.restored, row.salt, row.doc);
	INSERT INTO modelreg.traffic_schedule SELECT row.*;
	BEGIN
		INSERT INTO modelreg.traffic_arm SELECT row.endpoint_id, row.seq, t.nr - 1, (a->>0)::bigint, (a->>1)::integer, sum((COALESCE(a->>2, '0'))::integer), row.team_id, timestamptz '2000-01-01 00:00+00' + (step->>'opens')::bigint * interval '1 us'
			FROM jsonb_array_elements(row.doc->'steps') WITH ORDINALITY AS t(step, nr), jsonb_array_elements(step->'segments' || COALESCE(step->'shadow', '[]')) AS x(a) GROUP BY t.nr, step, a->>0, a->>1;
	EXCEPTION WHEN data_exception THEN
		NULL;
	END;
	SELECT * INTO event FROM modelreg.event e WHERE e.chain = 6 AND e.chain_id = head.id AND e.seq = head.seq;
	event.prev := event.hash;
	event.seq := row.seq;
	event.at := row.at;
	event.kind := row.kind;
	event.prose := NULL;
	event.what := jsonb_strip_nulls(jsonb_build_object('schedule', encode(row.hash, 'hex'), 'restored', row.restored));
	event.hash := modelreg.row_hash('event', event.format, event.chain, event.chain_id, event.seq, event.at, event.kind, event.team_id, event.who, event.application_name, event.client_addr, event.request_id,
		event.what, event.prose, event.prev);
	INSERT INTO modelreg.event SELECT event.*;
	UPDATE modelreg.endpoint e SET seq = row.seq, head_hash = event.hash, head_at = event.at, schedule_seq = row.seq, schedule_hash = row.hash WHERE e.id = head.id;
END $$;
-- What verify() finds then; all is undone.
CREATE FUNCTION found(endpoint text, kind text, doc text, changes jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM forge(endpoint, kind, doc, changes);
	SELECT string_agg(format('%s %s: %s', v.check_name, v.object, v.detail), E'\n' ORDER BY v.check_name DESC, v.object, v.detail) INTO result FROM modelreg.verify() AS v WHERE v.check_name <> 'guard';
	RAISE EXCEPTION USING ERRCODE = 'MR001';
EXCEPTION WHEN SQLSTATE 'MR001' THEN
	RETURN COALESCE(result, 'nothing');
END $$;
CREATE TABLE forged (nr integer GENERATED ALWAYS AS IDENTITY, endpoint text, kind text, doc text, changes jsonb DEFAULT '{}');
CREATE VIEW findings AS SELECT f.nr, f.kind || ' ' || f.doc || CASE WHEN f.changes = '{}' THEN '' ELSE ' ' || f.changes::text END AS forged, found(f.endpoint, f.kind, f.doc, f.changes) FROM forged f;

-- what is well-formed is not found: its weights are the forger's
INSERT INTO forged (endpoint, kind, doc) VALUES ('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 3, 400000], [1, 1, 600000]]}], "state": "ended"}');
-- what the server's own reader refuses
INSERT INTO forged (endpoint, kind, doc) VALUES
	('still', 'rolled_back', '[]'), ('still', 'rolled_back', '{"state": "ended"}'), ('still', 'rolled_back', '{"steps": [], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [7], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 2, 1000000]]}, {"opens": 5, "segments": [[1, 3, 1000000]]}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 2, 1000000]]}], "state": "bogus"}'),
	('still', 'rolled_back', '{"steps": [{"opens": "T", "segments": [["1", "2", "1000000"]]}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": 1e30, "segments": [[1, 2, 1000000]]}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 2, 1000000]], "shadow": "x"}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 2, 1500000], [1, 3, 500000], [1, 2, -1000000]]}], "state": "ended"}'),
	('waits', 'rollout_resumed', '{"steps": [{"opens": T, "segments": [[1, 2, 1000000]]}], "plan": {"steps": []}, "from": [[1, 1, 1000000]], "target": [[1, 2, 1000000]], "state": "running"}'),
	('waits', 'rollout_resumed', '{"steps": [{"opens": T, "segments": [[1, 2, 1000000]]}], "plan": {"linear": "1 hour"}, "from": [[1, 2, 500000], [1, 1, 500000]], "target": [[1, 2, 1000000]], "state": "running"}');
INSERT INTO forged (endpoint, kind, doc, changes) VALUES
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "state": "ended"}', '{"salt": "\\x010203"}');
SELECT forged, found FROM findings ORDER BY nr;
DELETE FROM forged;

-- what it reads, but never lays down
INSERT INTO forged (endpoint, kind, doc) VALUES
	('still', 'weird', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "state": "ended"}'),
	('still', 'followed', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "state": "paused"}'),
	('still', 'created', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": 5, "segments": [[1, 1, 1000000]]}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": 1000000000000000, "segments": [[1, 1, 1000000]]}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 500000], [1, 1, 500000]]}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]], "shadow": [[1, 3], [1, 2]]}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]], "warm": [[1, 1]]}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]], "warm": []}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "plan": 7, "state": "ended", "more": 1}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]], "bake": 1}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "waiting": [{"segments": [[1, 2, 1000000]]}], "state": "ended"}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "from": [[1, 2, 1000000]], "state": "ended"}'),
	('still', 'rollout_aborted', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "state": "ended"}'),
	('still', 'rollout_resumed', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "plan": {"linear": "1 hour", "in": 24}, "from": [[1, 1, 1000000]], "target": [[1, 2, 1000000]], "state": "running"}'),
	('paused', 'rollout_paused', '{"steps": [{"opens": T, "segments": [[1, 3, 1000000]]}, {"opens": T, "segments": [[1, 1, 1000000]]}], "plan": {"linear": "1 hour", "in": 24}, "from": [[1, 1, 1000000]], "target": [[1, 3, 1000000]], "state": "paused"}'),
	('paused', 'rollout_resumed', '{"steps": [{"opens": T, "segments": [[1, 3, 1000000]]}], "plan": {"linear": "1 hour", "in": 24}, "from": [[1, 1, 1000000]], "target": [[1, 3, 1000000]], "state": "running"}'),
	('waits', 'rollout_resumed', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]], "bake": -5}], "waiting": [{"segments": [[1, 2, 1000000]]}], "plan": {"linear": "1 hour", "in": 24}, "from": [[1, 1, 1000000]], "target": [[1, 3, 1000000]], "state": "running"}');
INSERT INTO forged (endpoint, kind, doc, changes) VALUES
	('still', 'rollout_started', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "plan": {"linear": "1 hour", "in": 24}, "from": [[1, 2, 1000000]], "target": [[1, 1, 1000000]], "state": "running"}', '{"rollout": 2}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "state": "ended"}', '{"rollout": 555}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "state": "ended"}', '{"restored": 777}'),
	('waits', 'rollout_completed', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "state": "ended"}', '{"restored": 1}'),
	('still', 'rolled_back', '{"steps": [{"opens": T, "segments": [[1, 1, 1000000]]}], "state": "ended"}', '{"salt": "\\x000102030405060708090a0b0c0d0e0f"}');
SELECT forged, found FROM findings ORDER BY nr;
DELETE FROM forged;

-- versions that there are not, or of another team, wherever they are named
INSERT INTO forged (endpoint, kind, doc, changes) SELECT 'waits', 'rollout_paused', jsonb_set(s.doc, v.path, v.arms)::text, '{}'
FROM modelreg.traffic_schedule s, modelreg.endpoint e, (VALUES
	('{waiting,0,segments}'::text[], '[[1, 2, 500000], [1, 99, 500000]]'::jsonb), ('{waiting,0,warm}', '[[2, 1]]'), ('{waiting,1,shadow}', '[[1, 98]]'), ('{steps,0,warm}', '[[1, 97]]'),
	('{steps,0,shadow}', '[[2, 1]]'), ('{target}', '[[1, 2, 500000], [1, 99, 500000]]'), ('{from}', '[[2, 1, 1000000]]')) AS v(path, arms)
WHERE e.name = 'waits' AND s.endpoint_id = e.id AND s.seq = e.schedule_seq;
UPDATE forged SET doc = regexp_replace(doc, '"opens": \d+', '"opens": T'), kind = 'rollout_resumed';
SELECT split_part(found, E'\n', 1) AS found, strpos(found, E'\n') > 0 AS more FROM findings ORDER BY nr;
SELECT count(*) FROM modelreg.verify() WHERE check_name <> 'guard';
\c :origin
DROP DATABASE regress_verify_schedules;
