-- lineage_diff(): what differs between two versions, from the commit to the columns of the data.
\set VERBOSITY terse
\pset format unaligned
\pset null -
CREATE ROLE regress_diff_ann;
CREATE ROLE regress_diff_bob;
CREATE ROLE regress_diff_admin;
SELECT modelreg.create_team('diff') > 0 AS made, modelreg.create_team('diff-ads') > 0 AS made_too;
SELECT modelreg.grant_level('diff', 'regress_diff_ann', 'maintainer'), modelreg.grant_level('diff', 'regress_diff_ann', 'evaluator'),
	modelreg.grant_level('diff-ads', 'regress_diff_bob', 'maintainer'), modelreg.grant_level('diff', 'regress_diff_bob', 'reader'),
	modelreg.grant_registry_right('regress_diff_admin', 'admin'), modelreg.grant_level('diff', 'regress_diff_admin', 'reader');
CREATE FUNCTION fails(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; reason text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, reason = CONSTRAINT_NAME;
	RETURN concat_ws(' | ', SQLSTATE, reason, message);
END $$;

-- What lineage_diff() says of two schemas
CREATE FUNCTION compare_schemas(before jsonb, after jsonb) RETURNS TABLE (part text, change text, old_value text, new_value text) LANGUAGE plpgsql AS $$
DECLARE
	n text := md5(random()::text);
	v integer[];
BEGIN
	PERFORM modelreg.record_node('dataset', 'diff.' || n, 'a', properties => jsonb_strip_nulls(jsonb_build_object('schema', before)));
	PERFORM modelreg.record_node('dataset', 'diff.' || n, 'b', properties => jsonb_strip_nulls(jsonb_build_object('schema', after)));
	v := ARRAY[modelreg.register_version('diff.m', inputs => jsonb_build_object('x', 'dataset:diff.' || n || '@a')),
		modelreg.register_version('diff.m', inputs => jsonb_build_object('x', 'dataset:diff.' || n || '@b'))];
	RETURN QUERY SELECT d.part, d.change, d.old_value, d.new_value FROM modelreg.lineage_diff('models:/diff.m/' || v[1], 'models:/diff.m/' || v[2]) d WHERE aspect = 'schema';
END $$;

-- The incident: a snapshot whose user_age became text
SET ROLE regress_diff_ann;
SELECT modelreg.create_model('diff.m', 'open') > 0 AS model;
SELECT modelreg.record_snapshot('diff.events', '46', schema => '{"user_age": "integer", "item": "bigint", "clicked": "boolean", "old": "date"}', rows => 10);
SELECT modelreg.record_snapshot('diff.events', '47', schema => '{"user_age": "text", "item": "bigint", "clicked": "boolean", "new": "json"}', rows => 11);
SELECT modelreg.record_snapshot('diff.items', '3', schema => '[{"name": "id", "type": "long"}]');
SELECT modelreg.record_snapshot('diff.prices', '1');
SELECT modelreg.record_node('transform', 'diff.features', 'v6'), modelreg.record_node('transform', 'diff.features', 'v7');
SELECT modelreg.record_node('commit', 'diff.repo', 'abc'), modelreg.record_node('commit', 'diff.repo', 'def'), modelreg.record_node('commit', 'diff.lib', '1');
SELECT modelreg.record_run('diff.train-13', inputs => '{"training": ["snapshot:diff.events@46", "snapshot:diff.items@3"], "validation": "snapshot:diff.events@46",
	"features": "transform:diff.features@v6", "code": ["commit:diff.repo@abc", "commit:diff.lib@1"]}');
SELECT modelreg.record_run('diff.train-14', inputs => '{"training": ["snapshot:diff.events@47", "snapshot:diff.items@3"], "validation": ["snapshot:diff.events@47", "snapshot:diff.prices@1"],
	"features": "transform:diff.features@v7", "code": ["commit:diff.repo@def", "commit:diff.lib@1"]}');
SELECT modelreg.register_version('diff.m', run => 'run:diff.train-13', params => '{"epochs": 10, "optimizer": "adam", "gone": null, "layers": [64, 32]}',
	metrics => '{"ndcg@10": 0.40, "auc": 0.7}', signature => '{"inputs": [{"name": "user_age", "type": "long"}, {"name": "country", "type": "string"}],
	"outputs": [{"type": "double"}]}',
	artifacts => '[{"name": "weights", "uri": "s3://m/13", "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "size": 1},
		{"name": "vocabulary", "uri": "s3://m/voc", "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 1}]');
SELECT modelreg.register_version('diff.m', run => 'run:diff.train-14', params => '{"epochs": 12, "optimizer": "adam", "layers": [64], "dropout": 0.10}',
	metrics => '{"ndcg@10": 0.42, "auc": 0.70, "mrr": 0.1}', signature => '{"inputs": [{"name": "user_age", "type": "string", "required": false}, {"name": "country", "type": "string"}],
	"outputs": [{"type": "double"}], "params": [{"name": "k", "type": "integer", "default": 10}]}',
	artifacts => '[{"name": "weights", "uri": "s3://m/14", "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000002", "size": 1},
		{"name": "vocabulary", "uri": "s3://m/voc", "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 1, "media_type": "text/plain"}]');
SELECT * FROM modelreg.lineage_diff('models:/diff.m/1', 'models:/diff.m/2');
-- The other way round it says the opposite
SELECT count(*) AS rows, count(*) FILTER (WHERE b.change = CASE a.change WHEN 'added' THEN 'removed' WHEN 'removed' THEN 'added' ELSE a.change END) AS opposite
	FROM modelreg.lineage_diff('models:/diff.m/1', 'models:/diff.m/2') a JOIN modelreg.lineage_diff('models:/diff.m/2', 'models:/diff.m/1') b
		ON (a.aspect, a.kind, a.role, a.item, a.part, a.old_value, a.new_value) IS NOT DISTINCT FROM (b.aspect, b.kind, b.role, b.item, b.part, b.new_value, b.old_value);
-- Nothing differs from itself, whatever the address
SELECT modelreg.promote('diff.m', 2, 'Staging') > 0 AS staged, modelreg.promote('diff.m', 2, 'Production') > 0 AS promoted, modelreg.set_alias('diff.m', 'champion', 2) > 0 AS alias;
SELECT count(*) AS nothing FROM unnest('{models:/diff.m/2,models:/diff.m/latest,models:/diff.m/Production,models:/diff.m@champion}'::text[]) AS a, modelreg.lineage_diff(a, 'models:/diff.m/2');
SELECT count(*) AS same_by_permanent_id FROM modelreg.versions v, modelreg.lineage_diff(v.permanent_id, v.uri) WHERE v.team = 'diff';
-- The pairs of a join, and settings that must not show
SET extra_float_digits = -10;
SELECT v.version, d.item, d.old_value, d.new_value FROM modelreg.versions v, modelreg.lineage_diff('models:/diff.m/1', v.uri) d WHERE v.team = 'diff' AND d.aspect = 'metrics';
RESET extra_float_digits;

-- What superseded an input later is nothing that a version was made from
SELECT modelreg.record_snapshot('diff.events', '46-fixed', supersedes => 'snapshot:diff.events@46', inputs => '{"base": "snapshot:diff.prices@1"}');
SELECT modelreg.record_run('diff.train-15', inputs => '{"training": ["snapshot:diff.events@46-fixed", "snapshot:diff.items@3"], "validation": "snapshot:diff.events@46",
	"features": "transform:diff.features@v6", "code": ["commit:diff.repo@abc", "commit:diff.lib@1"]}');
SELECT modelreg.register_version('diff.m', run => 'run:diff.train-15', params => '{"epochs": 10.0, "optimizer": "adam", "gone": null, "layers": [64, 32]}');
SELECT * FROM modelreg.lineage_diff('models:/diff.m/1', 'models:/diff.m/3') WHERE aspect IN ('upstream', 'schema', 'params');

-- Several versions of one name in one role: what both have is no difference, the rest is paired in order
SELECT modelreg.register_version('diff.m', inputs => '{"training": ["snapshot:diff.events@46", "snapshot:diff.events@46-fixed"]}');
SELECT modelreg.register_version('diff.m', inputs => '{"training": ["snapshot:diff.events@46-fixed", "snapshot:diff.events@47", "snapshot:diff.prices@1"]}');
SELECT role, item, change, old_value, new_value FROM modelreg.lineage_diff('models:/diff.m/4', 'models:/diff.m/5') WHERE aspect = 'upstream';
SELECT role, item, change, old_value, new_value FROM modelreg.lineage_diff('models:/diff.m/5', 'models:/diff.m/4') WHERE aspect = 'upstream';
-- A parent brings all that it was made from
SELECT modelreg.register_version('diff.m', parents => '{models:/diff.m/5}', inputs => '{"training": "snapshot:diff.events@47"}');
SELECT kind, role, item, change, old_value, new_value FROM modelreg.lineage_diff('models:/diff.m/5', 'models:/diff.m/6') WHERE aspect = 'upstream';

-- Every form of a schema
SELECT f.form, c.* FROM (VALUES
	('object', '{"a": "int", "b": "int", "c": {"type": "int", "nullable": true}, "d": ["x"], "e": null}', '{"a": "int", "b": "text", "c": {"type": "int", "nullable": false}, "d": ["y"]}'),
	('array', '[{"name": "a", "type": "int", "not_null": true}, {"name": "b", "type": "int"}]', '[{"name": "a", "type": "int"}, {"name": "c", "type": "int", "required": true}]'),
	('array of names', '["a", "b"]', '["b", "c"]'),
	('object and array', '{"a": "int", "b": "int"}', '[{"name": "a", "type": "int"}, {"name": "b", "type": "text"}]'),
	('Arrow', '{"fields": [{"name": "a", "type": {"name": "int", "bitWidth": 32, "isSigned": true}, "nullable": true, "children": []}], "metadata": []}',
		'{"fields": [{"name": "a", "type": {"name": "utf8"}, "nullable": true, "children": []}], "metadata": [1]}'),
	('MLflow', '{"mlflow_colspec": [{"type": "long", "name": "a", "required": true}]}', '{"mlflow_colspec": [{"type": "double", "name": "a", "required": true}]}'),
	('Avro, another name', '{"type": "record", "name": "R", "fields": [{"name": "a", "type": ["null", "int"]}]}', '{"type": "record", "name": "S", "fields": [{"name": "a", "type": ["null", "int"]}]}'),
	('another order', '[{"name": "a", "type": "int"}, {"name": "b", "type": "int"}]', '[{"name": "b", "type": "int"}, {"name": "a", "type": "int"}]'),
	('no columns', '[1, 2]', '[1, 3]'),
	('no columns and columns', '[[1]]', '{"a": "int"}'),
	('columns without a name', '[{"type": "int"}, {"type": "int"}]', '[{"type": "int"}, {"type": "text"}]'),
	('one name twice', '[{"name": "a", "type": "int"}, {"name": "a", "type": "date"}]', '[{"name": "a", "type": "int"}]'),
	('no schema', NULL, '{"a": "int"}'), ('no longer a schema', '{"a": "int"}', NULL), ('neither', NULL, NULL),
	('the same', '{"a": "int", "b": "text"}', '{"b": "text", "a": "int"}'),
	('a type that looks like JSON', '{"a": "true", "b": "1", "c": "[]", "d": ""}', '{"a": true, "b": 1, "c": [], "d": null}'),
	('a scalar', '"text"', '"other"'), ('empty', '{}', '[]'),
	('hostile', '{"a\"b": "x", "": "y", "'';--": "z", "\n": "w"}', '{"a\"b": "X", "": "Y", "'';--": "Z", "\n": "W"}')
	) AS f (form, before, after) LEFT JOIN LATERAL compare_schemas(f.before::jsonb, f.after::jsonb) c ON true;
SELECT count(*), count(DISTINCT part), min(change), min(old_value), min(new_value)
	FROM compare_schemas((SELECT jsonb_object_agg('c' || i, 'int') FROM generate_series(1, 20000) AS i), (SELECT jsonb_object_agg('c' || i, 'text') FROM generate_series(1, 20000) AS i));
SELECT part, change, length(old_value), length(new_value) FROM compare_schemas(('[' || repeat('[', 100) || repeat(']', 100) || ']')::jsonb, ('[' || repeat('[', 101) || repeat(']', 101) || ']')::jsonb);

-- Metrics by kind, data set and slice
SELECT modelreg.register_version('diff.m') > 0 AS one, modelreg.register_version('diff.m') > 0 AS other;
SELECT max(version) - 1 AS one, max(version) AS other FROM modelreg.versions WHERE model = 'diff.m' \gset
SELECT modelreg.record_evaluation('models:/diff.m/' || v, 'offline', metrics::jsonb, dataset => dataset, slice => slice) > 0 AS recorded FROM (VALUES
	(:one, '{"f1": 0.1, "same": 1}', NULL, ''), (:one, '{"f1": 0.2}', 'snapshot:diff.events@46', ''), (:one, '{"f1": 0.3}', 'snapshot:diff.events@46', 'country=DE'), (:one, '{"f1": "NaN"}', NULL, 'country=FR'),
	(:other, '{"f1": 0.5, "same": 1.0}', NULL, ''), (:other, '{"f1": 0.6}', 'snapshot:diff.events@47', ''), (:other, '{"f1": "-Infinity"}', 'snapshot:diff.events@46', 'country=DE'), (:other, '{"f1": 1e300}', NULL, 'country=FR')
	) AS e (v, metrics, dataset, slice);
SELECT kind, item, part, change, old_value, new_value FROM modelreg.lineage_diff('models:/diff.m/' || :one, 'models:/diff.m/' || :other) WHERE aspect = 'metrics';

-- What the caller may not read: neither id nor name nor number, only that it differs, in a role that a readable record tells
SET ROLE regress_diff_bob;
SELECT modelreg.record_node('dataset', 'diff-ads.secret', '1', properties => '{"schema": {"secret_column": "int"}}'), modelreg.record_node('dataset', 'diff-ads.secret', '2', properties => '{"schema": {"secret_column": "text"}}'),
	modelreg.record_node('dataset', 'diff-ads.wrapped', '1', inputs => '{"hidden-role": ["dataset:diff-ads.secret@1", "snapshot:diff.events@46"]}');
SELECT modelreg.record_node('dataset', 'diff-ads.wrapped', '2', inputs => '{"hidden-role": ["dataset:diff-ads.secret@2", "dataset:diff-ads.wrapped@1"]}');
RESET ROLE;
SELECT modelreg.grant_level('diff-ads', 'regress_diff_ann', 'reader');
SET ROLE regress_diff_ann;
SELECT modelreg.create_model('diff.hidden', 'open') > 0 AS model;
SELECT modelreg.register_version('diff.hidden', inputs => inputs::jsonb) FROM (VALUES (1, '{"training": "dataset:diff-ads.secret@1", "validation": "dataset:diff-ads.secret@1"}'),
	(2, '{"training": "dataset:diff-ads.secret@2", "validation": "dataset:diff-ads.secret@1"}'), (3, '{"training": "dataset:diff-ads.secret@2"}'), (4, '{"training": "dataset:diff-ads.wrapped@1"}'),
	(5, '{"training": "dataset:diff-ads.wrapped@2"}'), (6, '{"training": ["dataset:diff-ads.secret@2"]}')) AS v (n, inputs) ORDER BY n;
SELECT modelreg.record_evaluation('models:/diff.hidden/' || v, 'offline', '{"f1": 0.1}', dataset => 'dataset:diff-ads.secret@' || v) > 0 AS recorded FROM generate_series(1, 2) AS v;
SELECT modelreg.record_evaluation('models:/diff.hidden/' || v, 'offline', metrics::jsonb, dataset => 'dataset:diff-ads.secret@1', slice => slice) > 0 AS recorded FROM (VALUES
	(3, '{"f1": 0.9, "same": 1}', ''), (3, '{"f1": 0.8}', 'country=DE'), (6, '{"f1": 0.5, "same": 1}', ''), (6, '{"f1": 0.4}', 'country=FR')) AS e (v, metrics, slice);
SELECT * FROM modelreg.lineage_diff('models:/diff.hidden/1', 'models:/diff.hidden/2');
RESET ROLE;
SELECT modelreg.revoke_level('diff-ads', 'regress_diff_ann', 'reader');
SET ROLE regress_diff_ann;
-- metrics on the same unreadable data are compared, those on another are not
SELECT p.a, p.b, d.* FROM (VALUES (1, 2), (2, 3), (3, 2), (3, 6), (1, 4), (4, 5), (1, 5)) AS p (a, b)
	LEFT JOIN LATERAL modelreg.lineage_diff('models:/diff.hidden/' || p.a, 'models:/diff.hidden/' || p.b) d ON true;
SET ROLE regress_diff_bob;
SELECT kind, role, item, change, old_value, new_value FROM modelreg.lineage_diff('models:/diff.hidden/4', 'models:/diff.hidden/5');
-- a node that both have, in a role that is hidden for one of them or only in part, is no difference
SET ROLE regress_diff_bob;
SELECT modelreg.record_node('mid', 'diff-ads.mid', v, inputs => inputs::jsonb) FROM (VALUES ('r', '{"r": "snapshot:diff.prices@1"}'), ('s', '{"s": "snapshot:diff.prices@1"}')) AS m (v, inputs);
RESET ROLE;
SELECT modelreg.grant_level('diff-ads', 'regress_diff_ann', 'reader');
SET ROLE regress_diff_ann;
SELECT modelreg.create_model('diff.part', 'open') > 0 AS model;
SELECT modelreg.record_run('diff.' || n, inputs => inputs::jsonb) FROM (VALUES ('r', '{"r": "snapshot:diff.prices@1"}'), ('s', '{"s": "snapshot:diff.prices@1"}')) AS r (n, inputs);
SELECT modelreg.register_version('diff.part', inputs => inputs::jsonb) FROM (VALUES (1, '{"r": "snapshot:diff.prices@1"}'), (2, '{"q": "mid:diff-ads.mid@r"}'), (3, '{"q": "mid:diff-ads.mid@s"}'),
	(4, '{"q": ["mid:diff-ads.mid@s", "run:diff.r"]}'), (5, '{"q": ["run:diff.r", "run:diff.s"]}'), (6, '{"q": "run:diff.s"}'), (7, '{"q": "commit:diff.lib@1"}')) AS v (n, inputs) ORDER BY n;
SELECT p.a, p.b, d.kind, d.role, d.item, d.change FROM (VALUES (1, 2), (2, 3), (4, 5), (5, 4), (4, 6), (4, 7)) AS p (a, b)
	LEFT JOIN LATERAL modelreg.lineage_diff('models:/diff.part/' || p.a, 'models:/diff.part/' || p.b) d ON d.item = 'diff.prices';
RESET ROLE;
SELECT modelreg.revoke_level('diff-ads', 'regress_diff_ann', 'reader');
SET ROLE regress_diff_ann;
SELECT p.a, p.b, d.kind, d.role, d.item, d.change FROM (VALUES (1, 2), (2, 3), (4, 5), (5, 4), (4, 6), (4, 7), (7, 2)) AS p (a, b)
	LEFT JOIN LATERAL modelreg.lineage_diff('models:/diff.part/' || p.a, 'models:/diff.part/' || p.b) d ON d.item = 'diff.prices';
SELECT * FROM modelreg.lineage_diff('models:/diff.part/1', 'models:/diff.part/2');
SET ROLE regress_diff_bob;
-- a version of a team that one may not read is not there
SELECT modelreg.create_model('diff-ads.own', 'open') > 0 AS model;
SELECT modelreg.register_version('diff-ads.own');
SELECT kind, role, item, change, old_value FROM modelreg.lineage_diff('models:/diff.hidden/1', 'models:/diff-ads.own/1') WHERE aspect = 'upstream';
SET ROLE regress_diff_ann;
SELECT fails($$SELECT modelreg.lineage_diff('models:/diff.hidden/1', 'models:/diff-ads.own/1')$$);

-- What was redacted can no longer be compared, and is not called the same
RESET ROLE;
CREATE TEMP TABLE old_digests AS SELECT properties_digest AS digest FROM modelreg.lineage_nodes WHERE address = 'snapshot:diff.events@46'
	UNION ALL SELECT params_digest FROM modelreg.versions WHERE uri = 'models:/diff.m/1' UNION ALL SELECT signature_digest FROM modelreg.versions WHERE uri = 'models:/diff.m/2';
GRANT SELECT ON old_digests TO regress_diff_admin;
SET ROLE regress_diff_admin;
SELECT modelreg.redact(digest, 'personal data') FROM old_digests;
SELECT * FROM modelreg.lineage_diff('models:/diff.m/1', 'models:/diff.m/2') WHERE aspect IN ('schema', 'params', 'signature');

-- Names change hands, versions do not; retired models go by their permanent ids
SET ROLE regress_diff_ann;
SELECT modelreg.rename_model('diff.hidden', 'shown');
SELECT count(*) AS by_the_new_name FROM modelreg.lineage_diff('models:/diff.shown/1', 'models:/diff.shown/2');
SELECT fails($$SELECT modelreg.lineage_diff('models:/diff.hidden/1', 'models:/diff.shown/2')$$);

-- Arguments
SELECT fails(format('SELECT * FROM modelreg.lineage_diff(%s)', arguments)) FROM (VALUES
	('NULL, ''models:/diff.m/1'''), ('''models:/diff.m/1'', NULL'), ('''models:/diff.m'', ''models:/diff.m/1'''), ('''models:/diff.m/1'', ''models:/diff.m/9999'''),
	('''snapshot:diff.events@46'', ''snapshot:diff.events@47'''), ('''models:/diff-ads.own/1'', ''models:/diff.m/1'''), ('''models:/diff.m/1'', ''models:/nowhere.m/1'''),
	('''models:/diff.m@nobody'', ''models:/diff.m/1'''), ('repeat(''x'', 100000), ''''')) AS a (arguments);
SET modelreg.max_lineage_nodes = 100;
SELECT modelreg.record_nodes(array_agg('note:diff.n' || i)) FROM generate_series(1, 200) AS i;
SELECT modelreg.register_version('diff.m', inputs => (SELECT jsonb_build_object('note', jsonb_agg('note:diff.n' || i)) FROM generate_series(1, 200) AS i)) AS wide \gset
SELECT fails(format($$SELECT * FROM modelreg.lineage_diff('models:/diff.m/%s', 'models:/diff.m/1')$$, :wide));
\set VERBOSITY default
SELECT * FROM modelreg.lineage_diff('models:/diff.m/1', 'models:/diff.m/' || :wide);
\set VERBOSITY terse
RESET modelreg.max_lineage_nodes;
SELECT change, count(*), count(DISTINCT item) FROM modelreg.lineage_diff('models:/diff.m/1', 'models:/diff.m/' || :wide) WHERE kind = 'note' GROUP BY change;

-- It writes nothing, and sees what its snapshot sees
BEGIN TRANSACTION READ ONLY;
SELECT count(*) > 0 AS differs FROM modelreg.lineage_diff('models:/diff.m/1', 'models:/diff.m/2');
COMMIT;
RESET ROLE;
DROP FUNCTION fails, compare_schemas;
