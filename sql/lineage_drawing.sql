-- lineage_dot() and lineage_mermaid(): shapes, roles, marks, limits, and names that would break out of a drawing.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_draw_ann;
CREATE ROLE regress_draw_bob;
SELECT modelreg.create_team('draw') > 0 AS made, modelreg.create_team('draw-ads') > 0 AS made_too;
SELECT modelreg.grant_level('draw', 'regress_draw_ann', 'maintainer'), modelreg.grant_level('draw-ads', 'regress_draw_bob', 'contributor'),
	modelreg.grant_level('draw', 'regress_draw_bob', 'reader');

SET ROLE regress_draw_ann;
SELECT modelreg.create_model('draw.m', 'open') > 0 AS model;
SELECT modelreg.record_snapshot('draw.events', '1');
SELECT modelreg.record_snapshot('draw.events', '2', supersedes => 'snapshot:draw.events@1');
SELECT modelreg.record_node('transform', 'draw.features', 'v7');
SELECT modelreg.record_node('commit', 'draw.repo', 'abc123');
SELECT modelreg.record_node('sensor-feed', 'draw.roof');
SELECT modelreg.record_run('draw.train', inputs => '{"training": "snapshot:draw.events@1", "validation": "snapshot:draw.events@1",
	"features": "transform:draw.features@v7", "code": "commit:draw.repo@abc123", "sensor": "sensor-feed:draw.roof"}');
SELECT modelreg.register_version('draw.m', run => 'run:draw.train');
SELECT modelreg.register_version('draw.m', parents => '{models:/draw.m/1}');
SELECT modelreg.promote('draw.m', 1, 'Staging') > 0 AS staged, modelreg.promote('draw.m', 1, 'Production') > 0 AS promoted;

-- Both directions, every shape, a current version, what supersedes
SELECT modelreg.lineage_dot('models:/draw.m/1');
SELECT modelreg.lineage_mermaid('models:/draw.m/1');
-- One direction, one step; nothing but the node
SELECT modelreg.lineage_dot('models:/draw.m/1', upstream_depth => 0);
SELECT modelreg.lineage_mermaid('models:/draw.m/1', 1, 0);
SELECT modelreg.lineage_dot('run:draw.train', 0, 0);
-- However far
SELECT modelreg.lineage_mermaid('snapshot:draw.events@2', NULL, NULL);
-- What is too much to draw is told by its number
SELECT modelreg.lineage_dot('run:draw.train', max_nodes => 1);
SELECT modelreg.lineage_mermaid('run:draw.train', max_nodes => 2);

-- Names of other languages' signs. A version may hold any printable character.
SELECT modelreg.record_node('commit', 'draw."];x{|\', E'"]; } digraph { a -> b\\n\\N\\"');
SELECT modelreg.record_node('commit', 'draw.<b>&lt;', '%%{init: {"theme": "dark"}}%% `**x**` #quot; <script>alert(1)</script>');
SELECT modelreg.record_node('commit', 'draw.é日😀', 'end');
SELECT modelreg.record_run('draw.hostile', (SELECT jsonb_build_object('code', jsonb_agg(address ORDER BY node_id)) FROM modelreg.lineage_nodes WHERE kind = 'commit' AND team = 'draw'));
SELECT modelreg.lineage_dot('run:draw.hostile');
SELECT modelreg.lineage_mermaid('run:draw.hostile');

-- Another team's nodes are boxes without a name; what they were made from only they tell
SET ROLE regress_draw_bob;
SELECT modelreg.record_node('dataset', 'draw-ads.secret', inputs => '{"hidden-role": ["snapshot:draw.events@1"], "second-role": ["snapshot:draw.events@1"]}');
SELECT modelreg.record_node('dataset', 'draw-ads.secret-fixed', inputs => '{"hidden-role": ["snapshot:draw.events@2"]}', supersedes => 'dataset:draw-ads.secret');
RESET ROLE;
SELECT modelreg.grant_level('draw-ads', 'regress_draw_ann', 'reader');
SET ROLE regress_draw_ann;
SELECT modelreg.record_run('draw.on-ads', inputs => '{"training": ["dataset:draw-ads.secret"]}');
RESET ROLE;
SELECT modelreg.revoke_level('draw-ads', 'regress_draw_ann', 'reader');
SET ROLE regress_draw_ann;
SELECT modelreg.lineage_dot('run:draw.on-ads');
SELECT modelreg.lineage_mermaid('run:draw.on-ads');
SET ROLE regress_draw_bob;
SELECT modelreg.lineage_mermaid('run:draw.on-ads');
SET ROLE regress_draw_ann;

-- Arguments
CREATE FUNCTION pg_temp.fails(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; reason text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, reason = CONSTRAINT_NAME;
	RETURN concat_ws(' | ', SQLSTATE, reason, message);
END $$;
SELECT pg_temp.fails(format('SELECT modelreg.lineage_%s', call)) FROM (VALUES
	('dot(NULL)'), ('dot(''x'')'), ('dot(''run:draw.none'')'), ('mermaid(''dataset:draw-ads.secret'')'), ('mermaid(''models:/draw.m/Production'')'),
	('dot(''run:draw.train'', -1)'), ('dot(''run:draw.train'', 1, -1)'), ('dot(''run:draw.train'', max_nodes => 0)'), ('dot(''run:draw.train'', max_nodes => 10001)'),
	('dot(''run:draw.train'', max_nodes => NULL)')) AS calls (call);

-- A hub: the walk has its limit, the drawing its own
SELECT modelreg.record_nodes(array_agg('note:draw.n' || i), array_agg('{"about": "snapshot:draw.events@1"}'::jsonb)) FROM generate_series(1, 300) AS i;
SELECT count(*) FILTER (WHERE line LIKE '%->%') AS links, min(line) FILTER (WHERE line LIKE '%more%label%') AS more
	FROM regexp_split_to_table(modelreg.lineage_dot('snapshot:draw.events@1', max_nodes => 20), E'\n') AS line;
SET modelreg.max_lineage_nodes = 100;
SELECT pg_temp.fails($$SELECT modelreg.lineage_dot('snapshot:draw.events@1', max_nodes => 20)$$);
RESET modelreg.max_lineage_nodes;

-- In a read-only transaction, for each of many rows, and after a rename
BEGIN READ ONLY;
SELECT count(*), bool_and(d LIKE 'digraph lineage {%}' || E'\n') FROM modelreg.lineage_nodes n, modelreg.lineage_dot(n.address) AS d WHERE n.team = 'draw' AND n.kind <> 'note';
COMMIT;
SELECT modelreg.rename_model('draw.m', 'renamed');
SELECT modelreg.lineage_mermaid('models:/draw.renamed/2', 1);
RESET ROLE;
