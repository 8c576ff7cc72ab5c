-- What sqlsmith finds to work with: a small registry, and a schema "smith" that it looks into first. Called once a round,
-- as the superuser postgres; :round is its number. "canary7f3a" stands wherever only the team hidden may read.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SELECT :round = 1 AS first \gset
\if :first
CREATE EXTENSION modelreg;
CREATE SCHEMA smith;
-- The kinds of values that an argument's name stands for: sqlsmith matches types, so that each argument has a type.
CREATE DOMAIN smith.model AS text;
CREATE DOMAIN smith.team AS text;
CREATE DOMAIN smith.version AS integer;
CREATE DOMAIN smith.node AS text;
CREATE DOMAIN smith.uri AS text;
CREATE DOMAIN smith.alias AS text;
CREATE DOMAIN smith.level AS text;
CREATE DOMAIN smith.role_name AS text;
CREATE DOMAIN smith.upload AS bigint;
CREATE DOMAIN smith.at_offset AS bigint;
CREATE DOMAIN smith.inputs AS jsonb;
CREATE DOMAIN smith.metrics AS jsonb;
CREATE DOMAIN smith.params AS jsonb;
CREATE DOMAIN smith.artifacts AS jsonb;
CREATE DOMAIN smith.kind AS text;
CREATE DOMAIN smith.policy AS text;
CREATE DOMAIN smith.small AS integer;
CREATE DOMAIN smith.endpoint AS text;
CREATE DOMAIN smith.request_key AS text;
CREATE DOMAIN smith.plan AS text;
CREATE DOMAIN smith.receipt AS text;
CREATE DOMAIN smith.etag AS text;
CREATE DOMAIN smith.instant AS timestamptz;
CREATE TABLE smith.word (model smith.model, team smith.team, version smith.version, node smith.node, uri smith.uri,
	alias smith.alias, level smith.level, role_name smith.role_name, upload smith.upload, at_offset smith.at_offset,
	inputs smith.inputs, metrics smith.metrics, params smith.params, artifacts smith.artifacts, kind smith.kind,
	policy smith.policy, small smith.small, endpoint smith.endpoint, request_key smith.request_key, plan smith.plan, split modelreg.traffic_split,
	receipt smith.receipt, etag smith.etag, instant smith.instant, versions integer[], stage modelreg.stage, address modelreg.model_uri, digest modelreg.digest,
	word text, flag boolean, at timestamptz, data bytea, words text[], signature jsonb,
	size bigint, number double precision, age interval, object oid);

CREATE FUNCTION smith.pick(anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT $1[1 + floor(random() * cardinality($1))::int]';
-- As one of many tables it would be drawn too seldom.
SELECT format('CREATE VIEW smith.word_%s AS SELECT * FROM smith.word', i) FROM generate_series(1, 20) AS i \gexec

-- A function for each of ours, with such arguments; of one that returns rows, their text.
CREATE FUNCTION smith.argument(name text, type text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
	SELECT CASE WHEN type LIKE '%[]' THEN type WHEN name IN ('node', 'subject', 'run', 'snapshot', 'commit') THEN 'smith.node'
		WHEN name IN ('model', 'team', 'uri', 'alias', 'level', 'role_name', 'upload', 'at_offset', 'inputs', 'metrics', 'params',
			'artifacts', 'kind', 'policy', 'endpoint', 'request_key', 'plan', 'receipt', 'etag') THEN 'smith.' || name
		WHEN name = 'expected' THEN 'smith.etag' WHEN name = 'follows' THEN 'smith.model' WHEN name IN ('since', 'until', 'window_start') AND type LIKE 'timestamp%' THEN 'smith.instant'
		WHEN name = 'version' AND type = 'integer' THEN 'smith.version'
		WHEN type = 'integer' THEN 'smith.small'
		ELSE type END $$;
SELECT format('CREATE FUNCTION smith.%I(%s) RETURNS text LANGUAGE sql PARALLEL %s AS $f$ SELECT string_agg(t::text, chr(10)) FROM modelreg.%I(%s) AS t $f$',
	p.proname, coalesce(a.declared, ''), CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' ELSE 'UNSAFE' END, p.proname, coalesce(a.passed, ''))
FROM pg_proc p CROSS JOIN LATERAL (
	SELECT string_agg(smith.argument(name, type::regtype::text), ', ' ORDER BY n) AS declared,
		string_agg(format('$%s::%s', n, type::regtype), ', ' ORDER BY n) AS passed
	FROM unnest(p.proargtypes::oid[], p.proargnames[:p.pronargs]) WITH ORDINALITY AS u(type, name, n)) a
WHERE p.pronamespace = 'modelreg'::regnamespace AND p.prorettype::regtype::text NOT IN ('trigger', 'event_trigger', 'internal', 'cstring')
	AND p.proname !~ '^(stage|digest|model_uri|uri)_' AND p.provariadic = 0 AND 'internal'::regtype <> ALL (p.proargtypes) AND 'cstring'::regtype <> ALL (p.proargtypes)
\gexec
-- sqlsmith asks for "pg_proc": ours come first, and of the server's own only some that compute from their arguments.
CREATE VIEW smith.pg_proc AS
	SELECT p.* FROM pg_catalog.pg_proc p
	WHERE p.pronamespace IN ('modelreg'::regnamespace, 'smith'::regnamespace) AND p.proname NOT IN ('argument', 'pick', 'calls')
		OR p.proname IN ('lower', 'length', 'md5', 'abs', 'concat', 'reverse', 'left', 'to_jsonb', 'jsonb_typeof', 'count', 'max', 'min',
			'string_agg', 'jsonb_agg', 'array_agg', 'row_number', 'lag', 'now', 'sha256', 'encode', 'array_length', 'date_trunc');
-- Calls of one function each, with words at random, as sqlsmith itself passes nulls more often than not; and every relation.
CREATE FUNCTION smith.calls(n integer) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('SELECT * FROM %s', oid::regclass) FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind IN ('r', 'v')
	UNION ALL
	SELECT format('SELECT smith.%I(%s)', p.proname, (
		SELECT string_agg(CASE WHEN random() < 0.15 OR c.attname IS NULL THEN 'NULL::' || type::regtype
			ELSE format('(SELECT %I FROM smith.word ORDER BY random() LIMIT 1)', c.attname) END, ', ' ORDER BY a.n)
		FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(type, n) LEFT JOIN pg_attribute c ON c.attrelid = 'smith.word'::regclass
			AND c.attnum > 0 AND c.atttypid = a.type))
	FROM generate_series(1, n) AS i CROSS JOIN LATERAL (
		SELECT * FROM pg_proc WHERE pronamespace = 'smith'::regnamespace AND proname NOT IN ('argument', 'pick', 'calls') ORDER BY random() + i * 0 LIMIT 1) p $$;
\endif

-- Teams and models of this round: those before it were renamed, retired, filled and given away.
SELECT 'open-' || :round AS open, 'shared-' || :round AS shared, 'hidden-' || :round AS hidden \gset
SELECT modelreg.create_team(t) FROM unnest(ARRAY[:'open', :'shared', :'hidden']) AS t;
SELECT modelreg.grant_level(:'open', r, l)
FROM unnest(ARRAY['smith_member', 'smith_super']) AS r, unnest(ARRAY['contributor', 'evaluator', 'maintainer']) AS l;
SELECT modelreg.grant_level(t, r, 'reader') FROM unnest(ARRAY[:'open', :'shared']) AS t, unnest(ARRAY['smith_member', 'smith_reader']) AS r;
SELECT count(modelreg.create_model(format('%s.model-%s', t, i), 'open', description => CASE t WHEN :'hidden' THEN 'canary7f3a' END))
FROM generate_series(1, 3) AS i, unnest(ARRAY[:'open', :'shared', :'hidden']) AS t;

SELECT modelreg.record_snapshot(:'hidden' || '.events', '1', uri => 's3://canary7f3a', schema => '{"canary7f3a": "int"}', rows => 1);
SELECT modelreg.record_run(:'hidden' || '.train', inputs => jsonb_build_object('data', ARRAY['snapshot:' || :'hidden' || '.events@1']), properties => '{"x": "canary7f3a"}');
SELECT modelreg.begin_upload(:'hidden', size => 10) AS upload \gset
SELECT modelreg.append_upload(:upload, 0, 'canary7f3a'), modelreg.finish_upload(:upload);
SELECT count(modelreg.register_version(format('%s.model-%s', :'hidden', i % 3 + 1), run => 'run:' || :'hidden' || '.train',
	metrics => '{"canary7f3a": 1}', params => '{"canary7f3a": "canary7f3a"}', tags => '{"canary7f3a": "canary7f3a"}', description => 'canary7f3a',
	artifacts => CASE WHEN i = 1 THEN jsonb_build_array(jsonb_build_object('name', 'canary7f3a', 'upload', :upload)) END, request_id => 'canary7f3a-' || i))
FROM generate_series(1, 6) AS i;
SELECT modelreg.promote(:'hidden' || '.model-1', 1, 'Production', reason => 'canary7f3a'), modelreg.set_alias(:'hidden' || '.model-1', 'canary7f3a', 1);

-- What is derived from the hidden team's data shows an opaque node.
SELECT modelreg.record_snapshot(:'open' || '.events', '1', uri => 's3://lake/events', rows => 10), modelreg.record_node('commit', :'open' || '.code', '1');
SELECT modelreg.record_run(:'open' || '.train', inputs => jsonb_build_object('data', ARRAY['snapshot:' || :'open' || '.events@1', 'snapshot:' || :'hidden' || '.events@1'],
	'code', ARRAY['commit:' || :'open' || '.code@1']));
SELECT count(modelreg.register_version(format('%s.model-%s', t, i % 3 + 1), run => CASE t WHEN :'open' THEN 'run:' || t || '.train' END,
	metrics => '{"auc": 0.5}', params => '{"epochs": 3}', tags => '{"owner": "me"}', description => 'ranks items'))
FROM generate_series(1, 9) AS i, unnest(ARRAY[:'open', :'shared']) AS t;
SELECT count(modelreg.begin_upload(t, size => 8)) FROM generate_series(1, 3), unnest(ARRAY[:'open', :'shared']) AS t;

-- Endpoints of each team: in the midst of a ramp, in a guarded rollout with evidence, with rollouts and a rollback behind it; and a log of predictions.
SELECT count(modelreg.promote(t || '.model-1', v, 'Production', archive_others => false)) FROM unnest(ARRAY[:'open', :'shared', :'hidden']) AS t, generate_series(1, 2) AS v;
SELECT modelreg.create_endpoint(format('%s.home-%s', t, i), t || '.model-1', 1, reason => CASE t WHEN :'hidden' THEN 'canary7f3a' END) FROM generate_series(1, 3) AS i, unnest(ARRAY[:'open', :'shared', :'hidden']) AS t;
SELECT modelreg.start_rollout(t || '.home-1', 2, plan => 'linear over 2 hours', reason => CASE t WHEN :'hidden' THEN 'canary7f3a' END),
	modelreg.start_rollout(t || '.home-2', 2, plan => format('{"steps": [{"weight": "5%%", "bake": "1 hour"}, {"weight": "100%%"}], "guards": [{"metric": "%s", "at_least": 0.5}]}', CASE t WHEN :'hidden' THEN 'canary7f3a' ELSE 'auc' END)),
	modelreg.start_rollout(t || '.home-3', split => '{1: 25%, 2: 75%}', plan => 'all at once'), modelreg.rollback(t || '.home-3', 'worse', request_id => CASE t WHEN :'hidden' THEN 'canary7f3a' END)
FROM unnest(ARRAY[:'open', :'shared', :'hidden']) AS t;
SELECT modelreg.grant_level(t, current_user, 'evaluator') FROM unnest(ARRAY[:'open', :'shared', :'hidden']) AS t;
SELECT modelreg.record_quality(:'hidden' || '.home-2', 2, 'canary7f3a', clock_timestamp(), value => 0.25 + 0.5), modelreg.report_serving(:'hidden' || '.home-1', 'canary7f3a', '2-0123456789abcdef'),
	modelreg.report_serving(:'open' || '.home-1', 'pod', '2-0123456789abcdef'), modelreg.add_prediction_partitions(current_date + 1, current_date - 1);
SELECT modelreg.record_predictions(t || '.home-1', ARRAY['user-1', CASE t WHEN :'hidden' THEN 'canary7f3a' ELSE 'user-2' END], '{1,2}', outputs => CASE t WHEN :'hidden' THEN ARRAY['"canary7f3a"', NULL]::jsonb[] END)
FROM unnest(ARRAY[:'open', :'shared', :'hidden']) AS t;

TRUNCATE smith.word;
INSERT INTO smith.word
SELECT smith.pick(ARRAY[:'open', :'open', :'shared', :'hidden']) || '.model-' || 1 + floor(random() * 3.2),
	smith.pick(ARRAY[:'open', :'open', :'shared', :'hidden', 'nobody']), (random() * 4)::int,
	format(smith.pick(ARRAY['run:%1$s.train', 'snapshot:%1$s.events@1', 'snapshot:%2$s.events@1', 'run:%2$s.train', 'models:/%1$s.model-1/1',
		'models:/%2$s.model-1/1', 'commit:%1$s.code@1', '%s']), :'open', :'hidden'),
	format(smith.pick(ARRAY['models:/%1$s.model-1/1', 'models:/%1$s.model-1@champion', 'models:/%1$s.model-2/Production', 'models:/%2$s.model-1/1',
		'models:/%2$s.model-1/latest']), :'open', :'hidden'),
	smith.pick(ARRAY['champion', 'challenger', 'canary7f3', 'v1', '']), smith.pick(ARRAY['reader', 'contributor', 'evaluator', 'admin', 'auditor', 'king']),
	smith.pick(ARRAY['smith_other', 'nobody']), (SELECT max(id) FROM modelreg.upload) - (random() * 7)::int, smith.pick(ARRAY[0, 4, 8, -1])::bigint,
	smith.pick(ARRAY['{}', '[]', jsonb_build_object('data', ARRAY[format('snapshot:%s.events@1', smith.pick(ARRAY[:'open', :'hidden']))]), '{"x": 1}', 'null']::jsonb[]),
	smith.pick(ARRAY['{"auc": 0.9}', '{"auc": 1e400}', '{"a": "b"}', '{}', '[1]']::jsonb[]), smith.pick(ARRAY['{"epochs": 3, "x": [1, {}]}', '3', '{"a": null}']::jsonb[]),
	smith.pick(ARRAY['[]', '[{"name": "w", "uri": "s3://x", "size": 3, "digest": "sha256:' || repeat('ab', 32) || '"}]', '[{"name": "../x", "uri": ""}]', '{}']::jsonb[]),
	smith.pick(ARRAY['training', 'run', 'transform', 'version', 'X']), smith.pick(ARRAY['open', 'closed']), (random() * 5)::int - 1,
	format(smith.pick(ARRAY['%1$s.home-1', '%1$s.home-2', '%1$s.home-3', '%2$s.home-1', '%3$s.home-1', '%1$s.new']), :'open', :'shared', :'hidden'), smith.pick(ARRAY['user-1', 'user-2', '', 'ünï', 'canary7f3']),
	smith.pick(ARRAY['all at once', 'linear over 2 hours', 'canary', 'shadow', 'linear over 1 ms in 1000 steps', '{"steps": [{"weight": "5%", "bake": "1 hour"}, {"weight": "100%"}], "guards": [{"metric": "auc", "at_most": 1e3}]}', '{}']),
	smith.pick(ARRAY['{1: 50%, 2: 50%}', '{2: 100%}', '{1: 0.0001%, 2: 99.9999%}', '{7: 100%}'])::modelreg.traffic_split, smith.pick(ARRAY['1.0', '2.0', '2.1', '2.24', '3.9', 'x']),
	(SELECT smith.pick(array_agg(etag)) FROM modelreg.endpoints), now() + (random() - 0.7) * interval '3 hours', smith.pick(ARRAY['{1,2}', '{2,2}', '{1,NULL}', '{}'])::int[],
	smith.pick(ARRAY['Experimental', 'Staging', 'Production', 'Archived'])::modelreg.stage,
	smith.pick(ARRAY['models:/open.model/1', 'models:/hidden.model-1/1'])::modelreg.model_uri, modelreg.sha256_digest(smith.pick(ARRAY['a', 'canary7f3'])::bytea),
	smith.pick(ARRAY['reason', 'owner', 'auc', 'ünï', E'a\nb', '%', '', 'x' || n, format('%s.new-%s', :'open', n), repeat('y', 300)]),
	random() < 0.5, now() - random() * interval '2 hours', smith.pick(ARRAY['abcd', '', 'abcdefgh'])::bytea, smith.pick(ARRAY['{data}', '{data,NULL}', '{}'])::text[],
	'{"inputs": [{"name": "a", "type": "double"}]}', smith.pick(ARRAY[0, 8, 10, -1, 9e15])::bigint, smith.pick(ARRAY[0, 0.5, 'NaN', '-Infinity', 1e308]::float8[]),
	smith.pick(ARRAY['0', '1 day', '-1 month', '10000 years']::interval[]), (random() * 30000)::int::oid
FROM generate_series(1, 100) AS n;
GRANT USAGE ON SCHEMA smith TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA smith TO PUBLIC;
