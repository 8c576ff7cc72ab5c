-- Nodes, their inputs, and walks upstream and downstream.
\set VERBOSITY terse
\pset format unaligned
CREATE ROLE regress_lineage_ann;
CREATE ROLE regress_lineage_bob;
CREATE ROLE regress_lineage_eve;
SELECT modelreg.create_team('lin') > 0 AS made, modelreg.create_team('lin-ads') > 0 AS made_too;
SELECT modelreg.grant_level('lin', 'regress_lineage_ann', 'contributor');
SELECT modelreg.grant_level('lin-ads', 'regress_lineage_bob', 'contributor');
SELECT modelreg.grant_level('lin', 'regress_lineage_bob', 'reader');

-- What a statement raises: SQLSTATE, reason, message and detail.
CREATE FUNCTION fails(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text; reason text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, reason = CONSTRAINT_NAME;
	RETURN concat_ws(' | ', SQLSTATE, reason, message, nullif(detail, ''));
END $$;

-- A pipeline's nodes, and what a version will be made from
SET ROLE regress_lineage_ann;
SELECT modelreg.record_snapshot('lin.events', '2026-06-01', uri => 's3://lake/events/2026-06-01', schema => '{"user_age": "int"}',
	rows => 81230114, digest => 'sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855', properties => '{"partitions": 24.0}');
SELECT modelreg.record_node('transform', 'lin.user_features', 'v7');
SELECT modelreg.record_node('commit', 'lin.reco', 'abc123', uri => 'https://git.example/reco');
SELECT modelreg.record_node('sensor-feed', 'lin.roof', properties => '{}', occurred_at => '2020-01-01 00:00+00');
SELECT modelreg.record_run('lin.train-8841', inputs => '{"training": ["snapshot:lin.events@2026-06-01"], "validation": ["snapshot:lin.events@2026-06-01"],
	"features": ["transform:lin.user_features@v7"], "code": "commit:lin.reco@abc123"}');
SELECT depth, role, kind, team, name, version, address, by_supersession, recorded_at IS NOT NULL AS recorded
	FROM modelreg.upstream('run:lin.train-8841') ORDER BY depth, role;
SELECT depth, role, address FROM modelreg.downstream('snapshot:lin.events@2026-06-01') ORDER BY depth, role;
SELECT count(*) AS nothing_above FROM modelreg.upstream('commit:lin.reco@abc123');

-- The row: labels, inputs in order, canonical digest, properties apart
RESET ROLE;
SELECT n.kind, n.name, n.level, n.low = (SELECT min(id) FROM modelreg.node WHERE team_id = n.team_id) AS low_is_first, n.input_roles,
	n.digest, n.rows, p.body AS properties, n.who->>'role' AS who, n.occurred_at IS NOT NULL AS occurred, n.format
	FROM modelreg.node n LEFT JOIN modelreg.payload p ON p.digest = n.properties WHERE n.name IN ('events', 'roof', 'train-8841')
		AND n.team_id = (SELECT id FROM modelreg.team WHERE name = 'lin') ORDER BY n.id;
SELECT c.name AS child, p.name AS parent, e.role, e.child_kind, e.parent_kind, e.parent_level, e.parent_low = p.low AS low,
	(e.child_team, e.parent_team) = (c.team_id, p.team_id) AS teams
	FROM modelreg.edge e JOIN modelreg.node c ON c.id = e.child JOIN modelreg.node p ON p.id = e.parent WHERE c.name = 'train-8841'
		AND c.team_id = (SELECT id FROM modelreg.team WHERE name = 'lin') ORDER BY e.role;

-- Recording the same again changes nothing; other content under the same key is an error that says what differs
SET ROLE regress_lineage_ann;
SELECT modelreg.record_snapshot('lin.events', '2026-06-01', uri => 's3://lake/events/2026-06-01', schema => '{"user_age": "int"}',
	rows => 81230114, digest => 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', properties => '{"partitions": 24}');
SELECT modelreg.record_run('lin.train-8841', inputs => '{"code": ["commit:lin.reco@abc123", "commit:lin.reco@abc123"], "features": "transform:lin.user_features@v7",
	"validation": "snapshot:lin.events@2026-06-01", "training": ["snapshot:lin.events@2026-06-01"]}');
SELECT count(*) AS recorded_once FROM modelreg.node WHERE name IN ('events', 'train-8841');
SELECT fails($$SELECT modelreg.record_snapshot('lin.events', '2026-06-01')$$);
SELECT fails($$SELECT modelreg.record_snapshot('lin.events', '2026-06-01', uri => 's3://lake/events/2026-06-01', schema => '{"user_age": "text"}',
	rows => 81230115, digest => 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', properties => '{"partitions": 24}')$$);
SELECT fails($$SELECT modelreg.record_run('lin.train-8841', inputs => '{"code": "commit:lin.reco@abc123"}', occurred_at => 'epoch')$$);
SELECT fails($$SELECT modelreg.record_node('sensor-feed', 'lin.roof', occurred_at => '2020-01-01 00:00+00')$$);

-- Of redacted properties nobody can tell what they were, but that there were some
RESET ROLE;
SELECT modelreg.record_node('note', 'lin.redacted', properties => '{"a": 1}');
SELECT fails($$SELECT modelreg.record_node('note', 'lin.redacted', properties => '{"a": 2}')$$);
SELECT modelreg.redact(properties_digest, 'personal') FROM modelreg.lineage_nodes WHERE address = 'note:lin.redacted';
SELECT modelreg.record_node('note', 'lin.redacted', properties => '{"a": 2}'), fails($$SELECT modelreg.record_node('note', 'lin.redacted')$$);
SET ROLE regress_lineage_ann;

-- A request id: the same call returns the same, another call is an error
SELECT modelreg.record_node('commit', 'lin.reco', 'def456', request_id => 'push-1');
SELECT modelreg.record_node('commit', 'lin.reco', 'def456', request_id => 'push-1');
SELECT fails($$SELECT modelreg.record_node('commit', 'lin.reco', 'def457', request_id => 'push-1')$$);
SELECT fails($$SELECT modelreg.record_node('commit', 'lin.reco', 'def457', request_id => '')$$);

-- Inputs that are not there, or not for this caller, are one error that lists them all
SELECT fails($$SELECT modelreg.record_run('lin.none', inputs => '{"training": ["snapshot:lin.events@2026-06-02", "snapshot:lin.events@2026-06-01",
	"snapshot:lin-ads.clicks@1"], "code": "commit:nowhere.reco@1", "base": ["models:/lin.reco-model/3"]}')$$);
SELECT count(*) AS none FROM modelreg.node WHERE name = 'none';

-- Hostile arguments
SELECT fails(format('SELECT modelreg.record_node(%L, %L, %L, inputs => %L)', kind, name, version, inputs)) FROM (VALUES
	(NULL, 'lin.x', '', NULL::text), ('commit', NULL, '', NULL), ('', 'lin.x', '', NULL), ('Commit', 'lin.x', '', NULL), ('version', 'lin.x', '1', NULL),
	('commit', 'lin', '', NULL), ('commit', '', '', NULL), ('commit', 'lin.', '', NULL), ('commit', 'lin.a@b', '', NULL), ('commit', 'lin.a/b', '', NULL),
	('commit', 'nowhere.x', '', NULL), ('commit', 'lin-ads.x', '', NULL), ('commit', 'lin.x', E'a\nb', NULL), ('commit', 'lin.x', ' ', NULL),
	('commit', 'lin.x', '', '[]'), ('commit', 'lin.x', '', '"x"'), ('commit', 'lin.x', '', 'null'), ('commit', 'lin.x', '', '{"code": 1}'),
	('commit', 'lin.x', '', '{"code": null}'), ('commit', 'lin.x', '', '{"code": {"a": "commit:lin.reco@abc123"}}'),
	('commit', 'lin.x', '', '{"code": [["commit:lin.reco@abc123"]]}'), ('commit', 'lin.x', '', '{"code": ["commit:lin.reco@abc123", 7]}'),
	('commit', 'lin.x', '', '{"Code": []}'), ('commit', 'lin.x', '', '{"": []}'), ('commit', 'lin.x', '', '{"a b": []}'),
	('commit', 'lin.x', '', '{"code": ["nonsense"]}'), ('commit', 'lin.x', '', '{"code": [""]}'), ('commit', 'lin.x', '', '{"code": ["commit:lin"]}'),
	('commit', 'lin.x', '', '{"base": ["models:/lin.m/Production"]}'), ('commit', 'lin.x', '', '{"code": ["commit:lin.x"]}')
	) AS hostile (kind, name, version, inputs);
SELECT fails(format('SELECT modelreg.record_snapshot(%L, %L, uri => %L, schema => %L, rows => %s, digest => %L, properties => %L, occurred_at => %L)',
	'lin.hostile', version, uri, schema, rows, digest, properties, occurred)) FROM (VALUES
	(NULL, NULL, NULL, '1', NULL, NULL, NULL), ('', NULL, NULL, '1', NULL, NULL, NULL), ('1', '', NULL, '1', NULL, NULL, NULL), ('1', E's3://\x1b', NULL, '1', NULL, NULL, NULL),
	('1', 'u', '"text"', '1', NULL, NULL, NULL), ('1', 'u', 'null', '1', NULL, NULL, NULL), ('1', 'u', '{}', '1', NULL, '{"schema": 1}', NULL),
	('1', 'u', '{}', '-1', NULL, NULL, NULL), ('1', 'u', '{}', '1', 'md5:00', NULL, NULL), ('1', 'u', '{}', '1', 'sha256:00', NULL, NULL),
	('1', 'u', '{}', '1', NULL, '[1]', NULL), ('1', 'u', '{}', '1', NULL, NULL, 'infinity')
	) AS hostile (version, uri, schema, rows, digest, properties, occurred);
SELECT fails(format('SELECT modelreg.record_node(''commit'', ''lin.huge'', uri => repeat(''u'', 9000))'));
SELECT fails(format('SELECT modelreg.record_node(''commit'', ''lin.huge'', properties => jsonb_build_object(''a'', repeat(''x'', 1100000)))'));
SELECT left(fails(format('SELECT modelreg.record_node(''commit'', ''lin.'' || repeat(''n'', 100000))')), 100);
SELECT left(fails(format('SELECT modelreg.record_node(''commit'', ''lin.huge'', inputs => jsonb_build_object(''code'', repeat(''x'', 1000000)))')), 150);
-- as deep as everybody can read it, and no deeper; a schema is a member of the properties
BEGIN;
SELECT modelreg.record_snapshot('lin.deep', '1', schema => (repeat('[', 255) || repeat(']', 255))::jsonb);
ROLLBACK;
SELECT fails('SELECT modelreg.record_snapshot(''lin.deep'', ''1'', schema => (repeat(''['', 256) || repeat('']'', 256))::jsonb)');
SELECT fails('SELECT modelreg.record_node(''commit'', ''lin.deep'', properties => (repeat(''{"a": '', 257) || 1 || repeat(''}'', 257))::jsonb)');
SELECT count(*) AS half_written FROM modelreg.node WHERE name IN ('x', 'hostile', 'huge', 'deep');
SELECT modelreg.record_node('note', 'lin.large', properties => jsonb_build_object('a', repeat('x', 1000000)));

-- What supersedes: a smaller id of the same kind and team
SELECT modelreg.record_snapshot('lin.events', '2026-06-01-fixed', supersedes => 'snapshot:lin.events@2026-06-01');
SELECT fails($$SELECT modelreg.record_node('commit', 'lin.x', supersedes => 'commit:lin.x')$$);
SELECT fails($$SELECT modelreg.record_node('commit', 'lin.reco', 'abc123', supersedes => 'commit:lin.reco@abc123')$$);
SELECT fails($$SELECT modelreg.record_node('commit', 'lin.x', supersedes => 'transform:lin.user_features@v7')$$);
SELECT fails($$SELECT modelreg.record_node('commit', 'lin.x', supersedes => '')$$);
SELECT depth, role, address, by_supersession FROM modelreg.upstream('run:lin.train-8841', kinds => '{snapshot}') ORDER BY depth, role, address;
SELECT depth, role, address, by_supersession FROM modelreg.downstream('snapshot:lin.events@2026-06-01-fixed') ORDER BY depth, role, address;
SELECT depth, role, address, by_supersession FROM modelreg.upstream('snapshot:lin.events@2026-06-01');
SELECT count(*) AS not_downstream FROM modelreg.downstream('snapshot:lin.events@2026-06-01') WHERE address LIKE '%-fixed';

-- A node has the roles of all that it stands for, beside those of its own edges at that depth
SELECT modelreg.record_node('mark', 'lin.base', '1'), modelreg.record_node('mark', 'lin.of', '1'), modelreg.record_node('mark', 'lin.own', '1', '{"own": "mark:lin.base@1"}');
SELECT modelreg.record_node('mark', 'lin.of', '2', '{"r": "mark:lin.base@1"}', supersedes => 'mark:lin.of@1'), modelreg.record_node('mark', 'lin.of', '3', '{"s": "mark:lin.base@1"}', supersedes => 'mark:lin.of@1'),
	modelreg.record_node('mark', 'lin.of', '4', '{"t": "mark:lin.base@1"}', supersedes => 'mark:lin.of@3'), modelreg.record_node('mark', 'lin.own', '2', '{"later": "mark:lin.base@1"}', supersedes => 'mark:lin.own@1');
SELECT depth, address, string_agg(role, ' ' ORDER BY role) AS roles, by_supersession FROM modelreg.downstream('mark:lin.base@1') GROUP BY depth, address, by_supersession ORDER BY address;
SELECT (SELECT array_agg(address ORDER BY address) FROM modelreg.downstream('mark:lin.base@1', roles => '{s}')) AS in_role_s,
	cardinality(modelreg.downstream_ids('mark:lin.base@1', roles => '{s}')) AS ids, cardinality(modelreg.downstream_ids('mark:lin.base@1', roles => '{later}')) AS later;
SELECT modelreg.record_node('mark', 'lin.top', inputs => '{"old": "mark:lin.of@1", "mid": "mark:lin.of@3", "both": ["mark:lin.own@1", "mark:lin.own@2"]}');
SELECT depth, address, string_agg(role, ' ' ORDER BY role) AS roles, by_supersession FROM modelreg.upstream('mark:lin.top') GROUP BY depth, address, by_supersession ORDER BY depth, address;

-- Filters choose what is shown; the walk goes through the rest
SELECT modelreg.record_run('lin.eval', inputs => '{"base": ["run:lin.train-8841"], "code": "commit:lin.reco@abc123"}');
SELECT depth, role, address FROM modelreg.upstream('run:lin.eval', roles => '{features,validation}') ORDER BY depth, role, address;
SELECT depth, role, address FROM modelreg.upstream('run:lin.eval', kinds => '{commit,transform}') ORDER BY depth, role, address;
SELECT depth, role, address FROM modelreg.upstream('run:lin.eval', roles => '{code}', kinds => '{transform}');
SELECT depth, role, address FROM modelreg.upstream('run:lin.eval', max_depth => 1) ORDER BY depth, role, address;
SELECT count(*) AS depth_0 FROM modelreg.upstream('run:lin.eval', max_depth => 0);
SELECT count(*) AS no_role FROM modelreg.upstream('run:lin.eval', roles => '{}');
SELECT fails(call) FROM (VALUES ('SELECT * FROM modelreg.upstream(NULL)'), ('SELECT * FROM modelreg.upstream('''')'), ('SELECT * FROM modelreg.upstream(''run:lin.nothing'')'),
	('SELECT * FROM modelreg.upstream(''run:nowhere.nothing'')'), ('SELECT * FROM modelreg.upstream(''run:lin.eval'', max_depth => -1)'),
	('SELECT * FROM modelreg.upstream(''run:lin.eval'', roles => ''{code,NULL}'')'), ('SELECT * FROM modelreg.downstream(''run:lin.eval'', kinds => ''{{run},{commit}}'')'),
	('SELECT * FROM modelreg.downstream(''models:/lin.reco-model/14'')'), ('SELECT * FROM modelreg.downstream(repeat(''x'', 100000))')) AS hostile (call);

-- Another team's nodes are rows without content, and the walk goes on through them
SET ROLE regress_lineage_bob;
SELECT modelreg.record_node('dataset', 'lin-ads.secret', inputs => '{"hidden-role": ["snapshot:lin.events@2026-06-01"]}');
SELECT modelreg.record_node('dataset', 'lin-ads.secret2', inputs => '{"hidden-role": ["dataset:lin-ads.secret"], "training": ["run:lin.eval"]}');
SELECT modelreg.record_node('shelf', 'lin-ads.old'), modelreg.record_node('shelf', 'lin-ads.new', supersedes => 'shelf:lin-ads.old');
RESET ROLE;
SELECT modelreg.grant_level('lin-ads', 'regress_lineage_ann', 'reader');
SET ROLE regress_lineage_ann;
SELECT modelreg.record_run('lin.on-shelf', inputs => '{"held": "shelf:lin-ads.old"}');
SELECT role, address FROM modelreg.upstream('run:lin.on-shelf') ORDER BY address;
SELECT modelreg.record_run('lin.on-ads', inputs => '{"training": ["dataset:lin-ads.secret2"]}');
RESET ROLE;
SELECT modelreg.revoke_level('lin-ads', 'regress_lineage_ann', 'reader');
SET ROLE regress_lineage_ann;
SELECT depth, role, kind, team, name, version, address, by_supersession, recorded_at, node_id FROM modelreg.upstream('run:lin.on-ads') WHERE kind IS NULL ORDER BY depth;
SELECT depth, role, address FROM modelreg.upstream('run:lin.on-ads') ORDER BY depth, role, address;
SELECT depth, role, address FROM modelreg.downstream('snapshot:lin.events@2026-06-01') ORDER BY depth, role, address;
SELECT count(*) AS kind_of_hidden FROM modelreg.downstream('snapshot:lin.events@2026-06-01', kinds => '{dataset}');
SELECT count(*) AS role_of_hidden FROM modelreg.downstream('snapshot:lin.events@2026-06-01', roles => '{hidden-role}');
-- that the one supersedes the other is in the record of the other team, and so is that it has a role thereby
SELECT depth, role, kind FROM modelreg.upstream('run:lin.on-shelf') ORDER BY role;
SELECT count(*) AS in_that_role FROM modelreg.upstream('run:lin.on-shelf', roles => '{held}');
SELECT fails($$SELECT modelreg.upstream('dataset:lin-ads.secret')$$);
SELECT count(*) AS nodes_of_others FROM modelreg.node WHERE kind = 'dataset';
SELECT count(*) AS edges_of_others FROM modelreg.edge WHERE child_kind = 'dataset';
SET ROLE regress_lineage_eve;
SELECT (SELECT count(*) FROM modelreg.node) AS nodes, (SELECT count(*) FROM modelreg.edge) AS edges;
SELECT fails($$SELECT modelreg.upstream('run:lin.eval')$$), fails($$SELECT modelreg.record_node('commit', 'lin.x')$$);
SET ROLE regress_lineage_bob;
SELECT fails($$SELECT modelreg.record_node('commit', 'lin.x')$$);
RESET ROLE;

-- A transaction's nodes are one event, of those alone that survived
BEGIN;
SELECT modelreg.record_node('commit', 'lin.kept', '1');
SAVEPOINT a;
SELECT modelreg.record_node('commit', 'lin.lost', '1');
SAVEPOINT b;
SELECT modelreg.record_node('commit', 'lin.lost', '2', inputs => '{"base": "commit:lin.lost@1"}');
RELEASE b;
ROLLBACK TO a;
SELECT modelreg.record_node('commit', 'lin.kept', '2');
SAVEPOINT c;
SELECT modelreg.record_node('commit', 'lin.kept', '3', inputs => '{"base": "commit:lin.kept@2"}');
RELEASE c;
COMMIT;
WITH RECURSIVE kept AS (
	SELECT n.id, n.hash, n.batch, row_number() OVER (ORDER BY n.id) AS number FROM modelreg.node n WHERE n.name IN ('kept', 'lost')
		AND n.team_id = (SELECT id FROM modelreg.team WHERE name = 'lin')
), running AS (
	SELECT 0::bigint AS number, decode(repeat('00', 32), 'hex') AS digest
	UNION ALL
	SELECT k.number, modelreg.row_hash('facts', 1::smallint, r.digest, 'node'::text, k.id, k.hash) FROM running r JOIN kept k ON k.number = r.number + 1
)
SELECT e.kind, e.what->'rows' AS rows, e.what->>'digest' = (SELECT encode(digest, 'hex') FROM running ORDER BY number DESC LIMIT 1) AS covers_the_kept
	FROM modelreg.event e WHERE e.what->>'batch' = (SELECT min(batch)::text FROM kept);

-- Many in one call: inputs and supersedes may name earlier nodes of the call; ids ascend; what is there already is no change
SET ROLE regress_lineage_ann;
SELECT modelreg.record_nodes('{snapshot:lin.bulk@1,snapshot:lin.bulk@2,transform:lin.bulk,run:lin.bulk,commit:lin.reco@abc123,snapshot:lin.bulk@2}',
	ARRAY[NULL, '{"base": ["snapshot:lin.events@2026-06-01", "snapshot:lin.bulk@1", "snapshot:lin.bulk@1"]}', NULL,
		'{"training": "snapshot:lin.bulk@2", "features": ["transform:lin.bulk"], "code": ["commit:lin.reco@abc123"]}', NULL,
		'{"base": ["snapshot:lin.bulk@1", "snapshot:lin.events@2026-06-01"]}']::jsonb[],
	properties => ARRAY['{"a": 1.0}', NULL, NULL, '{}', NULL, NULL]::jsonb[], uris => '{s3://bulk/1,NULL,NULL,NULL,https://git.example/reco,NULL}',
	digests => '{sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855,NULL,NULL,NULL,NULL,NULL}', rows => '{7,NULL,NULL,NULL,NULL,NULL}',
	supersedes => '{NULL,snapshot:lin.bulk@1,NULL,NULL,NULL,snapshot:lin.bulk@1}', occurred_at => '{epoch,NULL,NULL,NULL,NULL,NULL}', request_id => 'bulk-1');
SELECT n.kind, n.version, n.level, n.input_roles, n.uri, left(n.digest, 14) AS digest, n.rows, p.body AS properties, n.supersedes IS NOT NULL AS supersedes,
	n.occurred_at = 'epoch' AS occurred, n.id > lag(n.id) OVER (ORDER BY n.id) AS ascends, n.batch = lag(n.batch) OVER (ORDER BY n.id) AS same_batch
	FROM modelreg.node n LEFT JOIN modelreg.payload p ON p.digest = n.properties WHERE n.name = 'bulk' ORDER BY n.id;
SELECT depth, role, address, by_supersession FROM modelreg.upstream('run:lin.bulk') ORDER BY depth, role, address;
-- the same request id: the same result; another one: nothing is new; other arguments: an error
SELECT modelreg.record_nodes('{commit:lin.bulk@1,commit:lin.bulk@2}', ARRAY[NULL, '{"base": "commit:lin.bulk@1"}']::jsonb[], request_id => 'bulk-2') AS recorded,
	modelreg.record_nodes('{commit:lin.bulk@1,commit:lin.bulk@2}', ARRAY[NULL, '{"base": "commit:lin.bulk@1"}']::jsonb[], request_id => 'bulk-2') AS repeated,
	modelreg.record_nodes('{commit:lin.bulk@1,commit:lin.bulk@2}', ARRAY[NULL, '{"base": "commit:lin.bulk@1"}']::jsonb[]) AS again;
SELECT modelreg.record_node('commit', 'lin.bulk', '2', inputs => '{"base": "commit:lin.bulk@1"}') AS the_same_by_itself;
SELECT fails($$SELECT modelreg.record_nodes('{commit:lin.bulk@1}', request_id => 'bulk-2')$$);
-- wherever the arrays begin
SELECT modelreg.record_nodes('[0:1]={commit:lin.bulk@3,commit:lin.bulk@4}', '[7:8]={NULL,"{\"base\": \"commit:lin.bulk@1\"}"}'::jsonb[], uris => '[-1:0]={u,NULL}', rows => '[0:1]={1,2}', request_id => 'bulk-3') AS recorded,
	modelreg.record_nodes('{commit:lin.bulk@3,commit:lin.bulk@4}', ARRAY[NULL, '{"base": "commit:lin.bulk@1"}']::jsonb[], uris => '{u,NULL}', rows => '{1,2}', request_id => 'bulk-3') AS repeated,
	modelreg.record_nodes('[0:1]={commit:lin.bulk@3,commit:lin.bulk@4}', '{NULL,"{\"base\": \"commit:lin.bulk@1\"}"}'::jsonb[], uris => '{u,NULL}', rows => '[3:4]={1,2}') AS again;
SELECT fails($$SELECT modelreg.record_nodes('{{commit:lin.bulk@5}}', request_id => 'bulk-5')$$), fails($$SELECT modelreg.record_nodes('{commit:lin.bulk@4}', request_id => 'bulk-3')$$);
-- all or nothing; one error lists all unknown inputs, each once
SELECT fails($$SELECT modelreg.record_nodes('{commit:lin.lost@1,commit:lin.lost@2,commit:lin.lost@3}', ARRAY['{"base": ["commit:lin.lost@2", "commit:lin.nowhere"]}',
	'{"base": ["commit:lin.lost@1", "snapshot:lin-ads.clicks@1"], "code": "commit:lin.nowhere"}', '{"base": "commit:lin.lost@3"}']::jsonb[])$$);
SELECT fails($$SELECT modelreg.record_nodes('{commit:lin.lost@1,commit:lin.bulk@2}')$$);
SELECT fails(format('SELECT modelreg.record_nodes(%L, %s)', nodes, rest)) FROM (VALUES (NULL, 'NULL'), ('{}', 'NULL'), ('{commit:lin.lost,NULL}', 'NULL'),
	('{{commit:lin.lost}}', 'NULL'), ('{commit:lin.lost}', 'ARRAY[NULL, NULL]::jsonb[]'), ('{commit:lin.lost}', 'ARRAY[]::jsonb[]'), ('{lost}', 'NULL'),
	('{commit:lin.lost}', 'rows => ARRAY[[1]]'), ('{commit:lin.lost}', 'rows => ARRAY[-1]'), ('{commit:lin.lost}', 'uris => ARRAY['''']'),
	('{commit:lin.lost}', 'digests => ARRAY[''md5:0'']'), ('{commit:lin.lost}', 'properties => ARRAY[''[]'']::jsonb[]'),
	('{commit:lin.lost}', 'ARRAY[''[]'']::jsonb[]'), ('{commit:lin.lost}', 'supersedes => ARRAY[''commit:lin.lost'']'),
	('{commit:lin.lost}', 'supersedes => ARRAY[''run:lin.bulk'']'), ('{commit:lin.lost}', 'occurred_at => ARRAY[''infinity'']::timestamptz[]'),
	('{commit:lin.lost,commit:lin-ads.lost}', 'NULL'), ('{models:/lin.m/1}', 'NULL'), ('{commit:lin-ads.lost}', 'NULL'), ('{commit:nowhere.lost}', 'NULL')
	) AS hostile (nodes, rest);
SELECT count(*) AS lost FROM modelreg.node WHERE name = 'lost';
-- whose fault it is says the context
\set VERBOSITY default
\set SHOW_CONTEXT always
SELECT modelreg.record_nodes('{commit:lin.lost@1,commit:lin.lost@2}', uris => ARRAY['u', '']);
\set VERBOSITY terse
-- a chain and a crowd in one call, with labels as one by one
SELECT modelreg.record_nodes(array_agg('step:lin.' || i ORDER BY i), array_agg(jsonb_build_object('base', to_jsonb(ARRAY['step:lin.' || i - 1, 'step:lin.' || i / 2, 'step:lin.0'])) ORDER BY i))
	FROM generate_series(1, 2000) AS i WHERE modelreg.record_node('step', 'lin.0') IS NOT NULL;
SELECT count(*), min(level), max(level), count(DISTINCT low) AS lows FROM modelreg.node WHERE kind = 'step';
SELECT count(*) AS edges FROM modelreg.edge WHERE child_kind = 'step';
RESET ROLE;
SELECT what->'rows' AS rows FROM modelreg.event WHERE kind = 'facts_recorded' AND team_id = (SELECT id FROM modelreg.team WHERE name = 'lin') ORDER BY seq DESC LIMIT 1;

-- A walk equals WITH RECURSIVE from every node of a random DAG, in both directions
SELECT setseed(0.42);
CREATE TEMP TABLE dag AS
	SELECT DISTINCT child, 1 + floor(random() * (child - 1))::int AS parent, (ARRAY['training', 'code', 'base'])[1 + floor(random() * 3)::int] AS role
		FROM generate_series(2, 400) AS child, generate_series(1, 3) AS try WHERE random() < 0.6
	UNION
	SELECT child, greatest(child - 1 - floor(random() * 5)::int, 1), 'features' FROM generate_series(2, 400) AS child WHERE random() < 0.5;
CREATE TEMP TABLE dag_node AS SELECT i, (ARRAY['alpha', 'beta', 'gamma'])[1 + i % 3] || ':lin.n' || i AS address FROM generate_series(1, 400) AS i;
SELECT count(modelreg.record_node((ARRAY['alpha', 'beta', 'gamma'])[1 + i % 3], 'lin.n' || i, inputs => inputs)) AS recorded
	FROM (SELECT n.i, (SELECT jsonb_object_agg(role, parents) FROM (SELECT d.role, jsonb_agg(p.address) AS parents
			FROM dag d JOIN dag_node p ON p.i = d.parent WHERE d.child = n.i GROUP BY d.role) AS by_role) AS inputs FROM dag_node n ORDER BY n.i) AS nodes;
SELECT count(*) = (SELECT count(*) FROM dag) AS an_edge_each FROM modelreg.edge WHERE child_kind IN ('alpha', 'beta', 'gamma');

CREATE FUNCTION walk_by_sql(start bigint, up boolean) RETURNS TABLE (node_id bigint, depth integer, role text, by_supersession boolean)
LANGUAGE sql STABLE AS $$
	WITH RECURSIVE step AS MATERIALIZED (
		SELECT CASE WHEN up THEN child ELSE parent END AS a, CASE WHEN up THEN parent ELSE child END AS b, e.role, 1 AS cost FROM modelreg.edge e
		UNION ALL
		SELECT CASE WHEN up THEN supersedes ELSE id END, CASE WHEN up THEN id ELSE supersedes END, NULL, 0 FROM modelreg.node WHERE supersedes IS NOT NULL
	), walk AS (
		SELECT start AS id, 0 AS depth, false AS marked
		UNION
		SELECT s.b, w.depth + s.cost, w.marked OR s.cost = 0 FROM walk w JOIN step s ON s.a = w.id WHERE w.depth < 20
	), least AS MATERIALIZED (
		SELECT DISTINCT ON (id) id, depth, marked FROM walk ORDER BY id, depth, marked
	), stand AS (
		SELECT id, id AS origin FROM least
		UNION
		SELECT s.b, t.origin FROM stand t JOIN step s ON s.a = t.id AND s.cost = 0 JOIN least o ON o.id = t.origin JOIN least l ON l.id = s.b AND l.depth = o.depth
	), arrived AS MATERIALIZED (
		SELECT t.id, s.role FROM stand t JOIN least o ON o.id = t.origin JOIN step s ON s.b = t.origin AND s.cost = 1 JOIN least f ON f.id = s.a AND f.depth = o.depth - 1
	)
	SELECT DISTINCT l.id, l.depth, a.role, l.marked FROM least l LEFT JOIN arrived a ON a.id = l.id WHERE l.id <> start
$$;
CREATE FUNCTION walk_by_c(start text, up boolean) RETURNS TABLE (node_id bigint, depth integer, role text, by_supersession boolean)
LANGUAGE sql STABLE AS $$
	SELECT node_id, depth, role, by_supersession FROM modelreg.upstream(start) WHERE up
	UNION ALL
	SELECT node_id, depth, role, by_supersession FROM modelreg.downstream(start) WHERE NOT up
$$;
CREATE TEMP TABLE start AS SELECT n.id, d.i, d.address FROM dag_node d JOIN modelreg.node n ON n.kind || ':lin.' || n.name = d.address;
CREATE FUNCTION differences(every integer) RETURNS TABLE (up boolean, starts boolean, walked boolean, marked boolean, differ bigint)
LANGUAGE sql STABLE AS $$
	WITH by_c AS MATERIALIZED (
		SELECT DISTINCT s.id, direction.up, w.node_id, w.depth, w.role, w.by_supersession
			FROM start s, (VALUES (true), (false)) AS direction (up), walk_by_c(s.address, direction.up) w WHERE s.i % every = 0
	), by_sql AS MATERIALIZED (
		SELECT DISTINCT s.id, direction.up, w.node_id, w.depth, w.role, w.by_supersession
			FROM start s, (VALUES (true), (false)) AS direction (up), walk_by_sql(s.id, direction.up) w WHERE s.i % every = 0
	), differing AS (
		(SELECT * FROM by_c EXCEPT SELECT * FROM by_sql) UNION ALL (SELECT * FROM by_sql EXCEPT SELECT * FROM by_c)
	)
	SELECT c.up, count(DISTINCT c.id) >= 10, count(*) > 100, count(*) FILTER (WHERE by_supersession) > 20,
		(SELECT count(*) FROM differing d WHERE d.up = c.up) FROM by_c c GROUP BY c.up ORDER BY c.up
$$;
ANALYZE modelreg.edge, modelreg.node;
SELECT * FROM differences(5);
-- the same where the visibility map answers
VACUUM modelreg.edge, modelreg.node;
SELECT * FROM differences(20);
-- Filters and depth are those of the whole walk
SELECT bool_and((SELECT array_agg(u ORDER BY u) FROM modelreg.upstream(s.address, ARRAY['code', 'base'], ARRAY['beta'], 6) AS u) IS NOT DISTINCT FROM
	(SELECT array_agg(u ORDER BY u) FROM modelreg.upstream(s.address) AS u WHERE u.role IN ('code', 'base') AND u.kind = 'beta' AND u.depth <= 6)) AS filters,
	bool_and((SELECT array_agg(u.node_id ORDER BY u) FROM modelreg.downstream(s.address, max_depth => 2) AS u) IS NOT DISTINCT FROM
	(SELECT array_agg(u.node_id ORDER BY u) FROM modelreg.downstream(s.address) AS u WHERE u.depth <= 2)) AS depths
	FROM start s WHERE i % 20 = 0;
-- Labels never exclude what is there: whoever derives from a node has a greater level, and a low not above it
SELECT bool_and(n.level > p.level AND n.low <= p.low AND n.low <= p.id AND e.parent_level = p.level AND e.parent_low = p.low) AS labels
	FROM modelreg.edge e JOIN modelreg.node n ON n.id = e.child JOIN modelreg.node p ON p.id = e.parent;

-- With supersession: whole chains of it, and ways that lead back
SELECT count(modelreg.record_node((ARRAY['alpha', 'beta', 'gamma'])[1 + i % 3], 'lin.s' || i, supersedes => of.address,
	inputs => jsonb_build_object('base', ARRAY[(SELECT address FROM dag_node WHERE dag_node.i = 1 + (of.i * 37) % 400)]))) AS superseding
	FROM (SELECT * FROM dag_node WHERE i % 7 = 0) AS of;
SELECT count(modelreg.record_node((ARRAY['alpha', 'beta', 'gamma'])[1 + i % 3], 'lin.t' || i, supersedes => split_part(address, '.', 1) || '.s' || i))
	AS superseding_these FROM dag_node WHERE i % 21 = 0;
SELECT count(modelreg.record_node((ARRAY['alpha', 'beta', 'gamma'])[1 + i % 3], 'lin.u' || i, supersedes => of.address,
	inputs => jsonb_build_object('code', ARRAY[(SELECT address FROM dag_node WHERE dag_node.i = 1 + (of.i * 37) % 400)]))) AS superseding_too
	FROM (SELECT * FROM dag_node WHERE i % 14 = 0) AS of;
SELECT * FROM differences(20);

-- A crowd with a hub and a long chain: where many nodes wait, ranges of the index are read. The ids are those of WITH RECURSIVE,
-- and each depth is one more than the least of those that lead there.
SELECT modelreg.record_nodes(array_agg('crowd:lin.' || i ORDER BY i), array_agg(CASE WHEN i > 1 THEN jsonb_build_object('base', to_jsonb(ARRAY['crowd:lin.' || i - 1 - i * 7919 % least(i - 1, 60)]),
		'code', to_jsonb(ARRAY['crowd:lin.' || 1 + i * 104729 % (i - 1)]), 'training', CASE WHEN i % 2 = 0 THEN '["crowd:lin.1"]'::jsonb ELSE '[]' END) END ORDER BY i))
	FROM generate_series(1::bigint, 6000) AS i;
SELECT modelreg.record_nodes(array_agg('chain:lin.' || i ORDER BY i), array_agg(jsonb_build_object('base', to_jsonb(ARRAY[CASE WHEN i = 1 THEN 'crowd:lin.6000' ELSE 'chain:lin.' || i - 1 END])) ORDER BY i))
	FROM generate_series(1, 3000) AS i;
RESET ROLE;
ANALYZE modelreg.edge, modelreg.node;
CREATE FUNCTION check_walk(start text, up boolean) RETURNS TABLE (nodes bigint, deepest integer, other_ids bigint, wrong_depths bigint) LANGUAGE sql AS $$
	WITH RECURSIVE step AS MATERIALIZED (
		SELECT CASE WHEN up THEN child ELSE parent END AS a, CASE WHEN up THEN parent ELSE child END AS b FROM modelreg.edge
	), origin AS (
		SELECT id FROM modelreg.node WHERE kind || ':lin.' || name = start
	), reached AS (
		SELECT id FROM origin UNION SELECT s.b FROM reached r, LATERAL (SELECT parent FROM modelreg.edge WHERE up AND child = r.id
			UNION ALL SELECT child FROM modelreg.edge WHERE NOT up AND parent = r.id) AS s (b)
	), walked AS MATERIALIZED (
		SELECT id, 0 AS depth FROM origin UNION
		SELECT node_id, depth FROM modelreg.upstream(start) WHERE up UNION SELECT node_id, depth FROM modelreg.downstream(start) WHERE NOT up
	), least AS (
		SELECT s.b AS id, 1 + min(w.depth) AS depth FROM step s JOIN walked w ON w.id = s.a GROUP BY s.b
	)
	SELECT (SELECT count(*) FROM walked), (SELECT max(depth) FROM walked),
		(SELECT count(*) FROM walked FULL JOIN reached USING (id) WHERE walked.id IS NULL OR reached.id IS NULL),
		(SELECT count(*) FROM walked FULL JOIN least USING (id) WHERE walked.depth IS DISTINCT FROM least.depth AND id <> (SELECT id FROM origin))
$$;
SET jit = off;
SELECT start, direction.up, walk.* FROM unnest('{crowd:lin.1,crowd:lin.2,crowd:lin.977,crowd:lin.3000,crowd:lin.5999,chain:lin.1,chain:lin.3000}'::text[]) AS start,
	(VALUES (true), (false)) AS direction (up), check_walk(start, direction.up) AS walk;
RESET jit;
SELECT max(depth) AS deepest, count(*) = (SELECT count(*) FROM modelreg.downstream('crowd:lin.1') WHERE depth <= 3) AS the_same
	FROM modelreg.downstream('crowd:lin.1', max_depth => 3);

-- Ids alone: those of the rows, each once and ascending, under every filter, with and without supersession, for who reads everything and
-- for who does not read a team that the lineage goes through, some of whose roles nobody else knows.
SELECT count(modelreg.record_node('dataset', 'lin-ads.d' || i, inputs => jsonb_build_object((ARRAY['base', 'hidden-role'])[1 + i % 2], ARRAY[
	(SELECT address FROM dag_node d WHERE d.i = 1 + n.i * 37 % 400), (SELECT address FROM dag_node d WHERE d.i = 1 + n.i * 91 % 400)]))) AS others FROM generate_series(1, 60) AS n (i);
SELECT count(modelreg.record_node('beta', 'lin.m' || i, inputs => jsonb_build_object('training', ARRAY['dataset:lin-ads.d' || 1 + i * 13 % 60, 'dataset:lin-ads.d' || 1 + i * 29 % 60],
	'code', (SELECT address FROM dag_node d WHERE d.i = 1 + n.i * 53 % 400)))) AS on_others FROM generate_series(1, 60) AS n (i);
INSERT INTO start SELECT n.id, i, 'beta:lin.m' || i FROM generate_series(1, 60) AS i JOIN modelreg.node n ON n.kind = 'beta' AND n.name = 'm' || i;
CREATE TEMP TABLE filter AS SELECT * FROM (VALUES (1, NULL::text[], NULL::text[], NULL::integer), (2, '{code,base}', NULL, NULL), (3, NULL, '{beta}', NULL), (4, '{training,code}', '{alpha,gamma}', 6),
	(5, NULL, NULL, 2), (6, '{}', NULL, NULL), (7, NULL, '{}', NULL), (8, NULL, NULL, 0), (9, '{hidden-role}', NULL, NULL), (10, NULL, '{dataset}', NULL), (11, '{nobody-has-this}', '{beta}', NULL))
	AS f (number, roles, kinds, max_depth);
CREATE FUNCTION ids_by_rows(start text, up boolean, f filter) RETURNS bigint[] LANGUAGE sql STABLE AS $$
	SELECT coalesce(array_agg(DISTINCT node_id ORDER BY node_id) FILTER (WHERE node_id IS NOT NULL), '{}') FROM (
		SELECT node_id FROM modelreg.upstream(start, f.roles, f.kinds, f.max_depth) WHERE up
		UNION ALL SELECT node_id FROM modelreg.downstream(start, f.roles, f.kinds, f.max_depth) WHERE NOT up) AS w
$$;
CREATE FUNCTION ids_by_c(start text, up boolean, f filter) RETURNS bigint[] LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN up THEN modelreg.upstream_ids(start, f.roles, f.kinds, f.max_depth) ELSE modelreg.downstream_ids(start, f.roles, f.kinds, f.max_depth) END
$$;
GRANT SELECT ON start, filter TO regress_lineage_ann;
CREATE FUNCTION compare_ids() RETURNS TABLE (number integer, up boolean, walks bigint, differ bigint, ids numeric) LANGUAGE sql STABLE AS $$
	SELECT f.number, d.up, count(*), count(*) FILTER (WHERE by_c IS DISTINCT FROM by_rows), sum(cardinality(by_c))
	FROM start s, filter f, (VALUES (true), (false)) AS d (up), ids_by_c(s.address, d.up, f) AS by_c, ids_by_rows(s.address, d.up, f) AS by_rows
	WHERE s.i % 20 = 0 OR s.address LIKE '%.m%0' GROUP BY f.number, d.up ORDER BY f.number, d.up
$$;
SELECT * FROM compare_ids();
SET ROLE regress_lineage_ann;
SELECT * FROM compare_ids();
SELECT count(*) AS rows, count(DISTINCT node_id) AS ids, cardinality(modelreg.upstream_ids('beta:lin.m7')) AS the_same FROM modelreg.upstream('beta:lin.m7');
-- hostile arguments, and what one may not read, are errors as in upstream()
SELECT fails(format('SELECT modelreg.%s', call)) FROM (VALUES ('upstream_ids(NULL)'), ('upstream_ids('''')'), ('upstream_ids(''run:lin.nothing'')'), ('downstream_ids(''dataset:lin-ads.secret'')'),
	('downstream_ids(''run:lin.eval'', max_depth => -1)'), ('upstream_ids(''run:lin.eval'', roles => ''{code,NULL}'')'), ('downstream_ids(''run:lin.eval'', kinds => ''{{run},{commit}}'')'),
	('upstream_ids(repeat(''x'', 100000))')) AS hostile (call);
RESET ROLE;
-- no edges: an empty array; the ids of a crowd; as a set of rows, and as a condition
SELECT modelreg.upstream_ids('crowd:lin.1') AS none, modelreg.downstream_ids('chain:lin.3000') = '{}' AS empty, pg_typeof(modelreg.upstream_ids('crowd:lin.1')) AS type;
SELECT array_ndims(ids) AS dimensions, array_lower(ids, 1) AS lower, cardinality(ids), ids = (SELECT array_agg(DISTINCT node_id ORDER BY node_id) FROM modelreg.downstream('crowd:lin.1')) AS the_same
	FROM modelreg.downstream_ids('crowd:lin.1') AS ids;
SELECT (SELECT count(*) FROM unnest(modelreg.upstream_ids('chain:lin.3000')) AS u (id) JOIN modelreg.node n USING (id) WHERE n.kind = 'chain') AS chain,
	(SELECT count(*) FROM modelreg.node WHERE id IN (SELECT unnest(modelreg.upstream_ids('chain:lin.3000', kinds => '{crowd}')))) AS crowd,
	(SELECT array_agg(name ORDER BY id) FROM modelreg.node WHERE id = ANY (modelreg.upstream_ids('chain:lin.3000', max_depth => 2))) AS nearest;

-- A walk is bounded
SELECT set_config('modelreg.max_lineage_nodes', (1 + cardinality(modelreg.downstream_ids('crowd:lin.1')))::text, false) AS just_enough;
SELECT cardinality(modelreg.downstream_ids('crowd:lin.1')) AS ids, cardinality(modelreg.downstream_ids('crowd:lin.1', kinds => '{chain}')) AS chain;
SELECT set_config('modelreg.max_lineage_nodes', cardinality(modelreg.downstream_ids('crowd:lin.1'))::text, false) AS one_less;
SELECT fails($$SELECT modelreg.downstream_ids('crowd:lin.1')$$), fails($$SELECT modelreg.downstream_ids('crowd:lin.1', kinds => '{}')$$);
SET modelreg.max_lineage_nodes = 100;
SELECT fails(format('SELECT * FROM modelreg.downstream(%L)', address)) FROM dag_node WHERE i = 1;
SELECT count(*) > 0 AS near_is_fine FROM modelreg.downstream('beta:lin.n1', max_depth => 1);
RESET modelreg.max_lineage_nodes;

-- Written once; a cycle cannot even be stored
SELECT fails($$INSERT INTO modelreg.edge VALUES (1, 1, 1, 1, 1, 0, 'base', 'run', 'run')$$);
SELECT fails($$INSERT INTO modelreg.edge VALUES (1, 2, 1, 1, 1, 0, 'base', 'run', 'run')$$);
SELECT left(fails($$INSERT INTO modelreg.node SELECT (n).* FROM (SELECT jsonb_populate_record(n, '{"id": 900000000, "name": "forged"}') AS n FROM modelreg.node n LIMIT 1) AS f$$), 90);

DROP FUNCTION compare_ids(), ids_by_rows(text, boolean, filter), ids_by_c(text, boolean, filter);
DROP TABLE start, filter;
DROP FUNCTION check_walk(text, boolean), differences(integer), walk_by_c(text, boolean), walk_by_sql(bigint, boolean), fails(text);
DROP ROLE regress_lineage_ann, regress_lineage_bob, regress_lineage_eve;
