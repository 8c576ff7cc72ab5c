-- is_derived_from(), path(), path_nodes(), common_upstream(), lineage(), and impact() from the side of what is current: held
-- against upstream() and downstream(), which sql/lineage.sql holds against WITH RECURSIVE.
\set VERBOSITY terse
\pset format unaligned
CREATE ROLE regress_paths_ann;
CREATE ROLE regress_paths_bob;
SELECT modelreg.create_team('pth') > 0 AS made, modelreg.create_team('pth-ads') > 0 AS made_too;
SELECT modelreg.grant_level('pth', 'regress_paths_ann', 'maintainer'), modelreg.grant_level('pth', 'regress_paths_bob', 'reader'),
	modelreg.grant_level('pth-ads', 'regress_paths_bob', 'maintainer');
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

-- A small story
SET ROLE regress_paths_ann;
SELECT modelreg.record_snapshot('pth.events', '1');
SELECT modelreg.record_node('transform', 'pth.clean', inputs => '{"training": "snapshot:pth.events@1"}');
SELECT modelreg.record_run('pth.short', inputs => '{"training": "snapshot:pth.events@1", "features": "transform:pth.clean"}');
SELECT modelreg.record_run('pth.long', inputs => '{"features": "transform:pth.clean", "validation": "snapshot:pth.events@1", "base": "run:pth.short"}');
SELECT modelreg.record_run('pth.apart');
SELECT node, ancestor, modelreg.is_derived_from(node, ancestor) FROM (VALUES ('run:pth.long', 'snapshot:pth.events@1'), ('snapshot:pth.events@1', 'run:pth.long'),
	('run:pth.long', 'run:pth.apart'), ('run:pth.long', 'run:pth.long'), ('run:pth.short', 'transform:pth.clean')) AS p (node, ancestor);
SELECT depth, role, address FROM modelreg.path('run:pth.long', 'snapshot:pth.events@1');
SELECT depth, role, address FROM modelreg.path('run:pth.short', 'snapshot:pth.events@1');
SELECT depth, role, address FROM modelreg.path_nodes('run:pth.long', 'snapshot:pth.events@1');
SELECT (SELECT count(*) FROM modelreg.path('run:pth.long', 'run:pth.apart')) AS no_path, (SELECT count(*) FROM modelreg.path_nodes('run:pth.apart', 'run:pth.long')) AS no_nodes,
	(SELECT count(*) FROM modelreg.path('run:pth.long', 'run:pth.long')) AS not_to_itself, (SELECT count(*) FROM modelreg.path_nodes('run:pth.long', 'run:pth.long')) AS nor_these;
SELECT depth_a, depth_b, address FROM modelreg.common_upstream('run:pth.long', 'run:pth.short') ORDER BY address;
SELECT depth_a, depth_b, address FROM modelreg.common_upstream('run:pth.short', 'run:pth.short') ORDER BY address;
SELECT count(*) AS nothing FROM modelreg.common_upstream('run:pth.long', 'run:pth.apart');
SELECT direction, depth, role, address FROM modelreg.lineage('transform:pth.clean') ORDER BY direction DESC, depth, role, address;
SELECT direction, depth, role, address FROM modelreg.lineage('transform:pth.clean', roles => '{training,base}', max_depth => 2) ORDER BY direction DESC, depth, role, address;
-- what supersedes stands for the other, at the same depth and in no role
SELECT modelreg.record_snapshot('pth.lake', '9');
SELECT modelreg.record_snapshot('pth.events', '2', supersedes => 'snapshot:pth.events@1', inputs => '{"base": "snapshot:pth.lake@9"}');
SELECT depth, role, address, by_supersession FROM modelreg.path('run:pth.short', 'snapshot:pth.lake@9');
SELECT depth, role, address, by_supersession FROM modelreg.path_nodes('run:pth.short', 'snapshot:pth.lake@9');
SELECT modelreg.is_derived_from('snapshot:pth.events@1', 'snapshot:pth.lake@9'), modelreg.is_derived_from('snapshot:pth.lake@9', 'snapshot:pth.events@1');

-- Arguments
SELECT fails(format('SELECT modelreg.%s(%L, %L)', f, a, b)) FROM unnest('{is_derived_from,path,path_nodes,common_upstream}'::text[]) AS f,
	(VALUES (NULL, 'run:pth.long'), ('run:pth.long', NULL), ('run:pth.long', 'run:pth.none'), ('', 'run:pth.long'), ('run:pth.long', 'nonsense'),
		('run:pth.long', 'run:nowhere.x')) AS p (a, b);
SELECT fails('SELECT modelreg.lineage(NULL)'), fails('SELECT modelreg.lineage(''run:pth.none'')'), fails('SELECT modelreg.lineage(''run:pth.long'', max_depth => -1)');

-- A random DAG, with nodes that supersede others in every direction
RESET ROLE;
SELECT setseed(0.17);
CREATE TEMP TABLE dag AS
	SELECT DISTINCT child, 1 + floor(random() * (child - 1))::int AS parent, (ARRAY['training', 'code', 'base'])[1 + floor(random() * 3)::int] AS role
		FROM generate_series(2, 150) AS child, generate_series(1, 2) AS try WHERE random() < 0.7
	UNION
	SELECT child, greatest(child - 1 - floor(random() * 4)::int, 1), 'features' FROM generate_series(2, 150) AS child WHERE random() < 0.3;
SELECT count(modelreg.record_node('part', 'pth.n' || i, inputs => (SELECT jsonb_object_agg(role, parents)
		FROM (SELECT role, jsonb_agg('part:pth.n' || parent) AS parents FROM dag WHERE child = i GROUP BY role) AS r))) AS recorded
	FROM generate_series(1, 150) AS i;
CREATE TEMP TABLE start AS SELECT i, 'part:pth.n' || i AS address, n.id FROM generate_series(1, 150) AS i JOIN modelreg.node n ON n.kind = 'part' AND n.name = 'n' || i;
CREATE FUNCTION compare(OUT pairs bigint, OUT derived bigint, OUT wrong_derived bigint, OUT wrong_path bigint, OUT wrong_nodes bigint, OUT wrong_common bigint)
LANGUAGE sql AS $$
	WITH up AS MATERIALIZED (
		SELECT DISTINCT s.id AS node, u.node_id AS ancestor, u.depth, u.by_supersession FROM start s, modelreg.upstream(s.address) u
	), pair AS MATERIALIZED (
		SELECT a.i, a.id AS node, a.address AS node_address, b.id AS ancestor, b.address AS ancestor_address FROM start a, start b WHERE (a.i * 7 + b.i) % 17 = 0
	), judged AS MATERIALIZED (
		SELECT p.*, up.depth, up.by_supersession, up.node IS NOT NULL AS derived FROM pair p LEFT JOIN up USING (node, ancestor)
	), step AS MATERIALIZED (
		SELECT j.node, j.ancestor, s.depth, s.role, s.node_id, s.by_supersession, lag(s.node_id) OVER w AS before, lag(s.depth) OVER w AS before_depth
			FROM judged j, modelreg.path(j.node_address, j.ancestor_address) WITH ORDINALITY AS s WHERE j.derived
			WINDOW w AS (PARTITION BY j.node, j.ancestor ORDER BY s.ordinality)
	), path AS (
		SELECT node, ancestor, max(depth) AS depth, bool_or(by_supersession) AS by_supersession, min(node_id) FILTER (WHERE before IS NULL) AS first,
			(array_agg(node_id ORDER BY depth DESC, node_id = ancestor DESC))[1] AS last,
			bool_and(before IS NULL OR CASE WHEN role IS NULL THEN depth = before_depth AND EXISTS (SELECT FROM modelreg.node n WHERE n.id = step.node_id AND n.supersedes = step.before)
				ELSE depth = before_depth + 1 AND EXISTS (SELECT FROM modelreg.edge e WHERE e.child = step.before AND e.parent = step.node_id AND e.role = step.role) END) AS connected
			FROM step GROUP BY node, ancestor
	), between_c AS (
		SELECT DISTINCT j.node, j.ancestor, n.node_id, n.depth FROM judged j, modelreg.path_nodes(j.node_address, j.ancestor_address) n WHERE j.derived AND j.i % 3 = 0
	), down AS MATERIALIZED (
		SELECT DISTINCT s.id AS ancestor, d.node_id FROM start s, modelreg.downstream(s.address) d
		UNION SELECT id, id FROM start
	), between_sql AS (
		SELECT j.node, j.ancestor, u.ancestor AS node_id, u.depth FROM judged j JOIN (SELECT * FROM up UNION ALL SELECT id, id, 0, false FROM start) u USING (node)
			JOIN down d ON d.ancestor = j.ancestor AND d.node_id = u.ancestor WHERE j.derived AND j.i % 3 = 0
	), common_c AS (
		SELECT j.node, j.ancestor, c.node_id, c.depth_a, c.depth_b FROM judged j, modelreg.common_upstream(j.node_address, j.ancestor_address) c WHERE j.i % 3 = 1
	), self AS (
		SELECT node, ancestor, depth FROM up UNION ALL SELECT id, id, 0 FROM start
	), common_sql AS (
		SELECT j.node, j.ancestor, a.ancestor AS node_id, a.depth, b.depth FROM judged j JOIN self a ON a.node = j.node JOIN self b ON b.node = j.ancestor AND b.ancestor = a.ancestor
			WHERE j.i % 3 = 1
	)
	SELECT (SELECT count(*) FROM judged), (SELECT count(*) FROM judged WHERE derived),
		(SELECT count(*) FROM judged WHERE derived <> modelreg.is_derived_from(node_address, ancestor_address)),
		(SELECT count(*) FROM judged j FULL JOIN path p USING (node, ancestor) WHERE j.derived
			AND (p.depth, p.first, p.last, p.connected, p.by_supersession) IS DISTINCT FROM (j.depth, j.node, j.ancestor, true, j.by_supersession)),
		(SELECT count(*) FROM ((TABLE between_c EXCEPT TABLE between_sql) UNION ALL (TABLE between_sql EXCEPT TABLE between_c)) AS d),
		(SELECT count(*) FROM ((TABLE common_c EXCEPT TABLE common_sql) UNION ALL (TABLE common_sql EXCEPT TABLE common_c)) AS d)
$$;
SELECT * FROM compare();
-- chains of superseding nodes, whose inputs are anywhere, so that a way may go up, back to later ids, and up again
SELECT count(modelreg.record_node('part', 'pth.s' || i, supersedes => 'part:pth.n' || i, inputs => jsonb_build_object('base', 'part:pth.n' || 1 + i * 37 % 150))) AS superseding
	FROM generate_series(1, 150) AS i WHERE i % 11 = 3;
SELECT count(modelreg.record_node('part', 'pth.t' || i, supersedes => 'part:pth.s' || i, inputs => jsonb_build_object('base', 'part:pth.n' || 1 + i * 53 % 150))) AS superseding_these
	FROM generate_series(1, 150) AS i WHERE i % 33 = 3;
INSERT INTO start SELECT 150 + row_number() OVER (ORDER BY id), 'part:pth.' || name, id FROM modelreg.node WHERE kind = 'part' AND name ~ '^[st]';
SELECT * FROM compare();
VACUUM modelreg.edge, modelreg.node;
SELECT pairs, wrong_derived + wrong_path + wrong_nodes + wrong_common AS wrong FROM compare();

-- What is not the caller's to read: an empty row in the path; a role only if the record that has it is readable
SET ROLE regress_paths_bob;
SELECT modelreg.record_node('dataset', 'pth-ads.secret', inputs => '{"hidden-role": ["snapshot:pth.events@1"]}');
SELECT modelreg.record_node('dataset', 'pth-ads.secret', '2', inputs => '{"hidden-role": ["dataset:pth-ads.secret"]}');
RESET ROLE;
SELECT modelreg.grant_level('pth-ads', 'regress_paths_ann', 'reader');
SET ROLE regress_paths_ann;
SELECT modelreg.record_run('pth.on-ads', inputs => '{"training": ["dataset:pth-ads.secret@2"]}');
RESET ROLE;
SELECT modelreg.revoke_level('pth-ads', 'regress_paths_ann', 'reader');
SET ROLE regress_paths_ann;
SELECT modelreg.is_derived_from('run:pth.on-ads', 'snapshot:pth.events@1');
SELECT * FROM modelreg.path('run:pth.on-ads', 'snapshot:pth.events@1') AS p (depth, role, kind, team, name, version, address, by, recorded, node) WHERE kind IS NULL;
SELECT depth, role, address FROM modelreg.path('run:pth.on-ads', 'snapshot:pth.events@1');
SELECT depth, role, address FROM modelreg.path_nodes('run:pth.on-ads', 'snapshot:pth.events@1');
SELECT depth_a, depth_b, kind, team, name, version, address, by_supersession, node_id IS NULL AS no_id FROM modelreg.common_upstream('run:pth.on-ads', 'run:pth.on-ads') ORDER BY depth_a, address;
SELECT fails($$SELECT modelreg.is_derived_from('run:pth.on-ads', 'dataset:pth-ads.secret')$$), fails($$SELECT modelreg.path('dataset:pth-ads.secret', 'run:pth.on-ads')$$);
RESET ROLE;

-- What is current, of what a crowd was made from: found from the side of the versions
SET ROLE regress_paths_ann;
SELECT modelreg.record_nodes(array_agg('run:pth.crowd' || i ORDER BY i), array_agg(jsonb_build_object('training', '["snapshot:pth.events@1"]'::jsonb,
		'base', CASE WHEN i > 40 THEN to_jsonb(ARRAY['run:pth.crowd' || i / 2, 'run:pth.crowd' || i - 1 - i * 31 % 40]) ELSE '[]' END) ORDER BY i)) FROM generate_series(1, 3000) AS i;
SELECT modelreg.create_model('pth.m' || i, 'open') > 0 AS made FROM generate_series(1, 4) AS i;
SELECT modelreg.register_version('pth.m1', run => 'run:pth.crowd2999', inputs => '{"validation": "snapshot:pth.events@1"}'),
	modelreg.register_version('pth.m2', run => 'run:pth.apart'), modelreg.register_version('pth.m3', run => 'run:pth.crowd7'), modelreg.register_version('pth.m3', run => 'run:pth.crowd8');
SELECT modelreg.register_version('pth.m4', inputs => '{"component": ["models:/pth.m1/1", "models:/pth.m3/2"], "teacher": "models:/pth.m1/1"}');
SELECT count(modelreg.promote(model, version, 'Production')) AS promoted FROM (VALUES ('pth.m1', 1), ('pth.m2', 1), ('pth.m3', 1), ('pth.m4', 1)) AS v (model, version);
SELECT depth, role, model, version, is_current, by_supersession FROM modelreg.impact('snapshot:pth.events@1', current_only => true) ORDER BY model;
SELECT start, (SELECT count(*) FROM modelreg.impact(start, current_only => true)) AS current, (SELECT count(*) FROM modelreg.downstream(start)) > 2000 AS crowd,
		(SELECT array_agg(i ORDER BY i) FROM modelreg.impact(start, current_only => true) i) IS NOT DISTINCT FROM (SELECT array_agg(i ORDER BY i) FROM modelreg.impact(start) i WHERE is_current) AS same
	FROM unnest('{snapshot:pth.events@1,snapshot:pth.events@2,snapshot:pth.lake@9,run:pth.crowd1,run:pth.crowd7,run:pth.crowd1500,models:/pth.m1/1,models:/pth.m4/1}'::text[]) AS start;
-- by_supersession tells how the least depth came about: edges alone lead from pth.flag to the snapshot in more steps
SELECT modelreg.record_snapshot('pth.flag', '1'), modelreg.record_snapshot('pth.flag', '2', supersedes => 'snapshot:pth.flag@1'), modelreg.record_node('transform', 'pth.flag', '1', '{"data": "snapshot:pth.flag@2"}');
SELECT modelreg.create_model('pth.flag', 'open') > 0 AS made;
SELECT modelreg.register_version('pth.flag', inputs => '{"training": "snapshot:pth.flag@1", "features": "transform:pth.flag@1"}');
SELECT modelreg.promote('pth.flag', 1, 'Production') > 0 AS promoted;
SELECT depth, role, address, by_supersession FROM modelreg.upstream('models:/pth.flag/1') ORDER BY depth, address, role;
SELECT depth, role, by_supersession FROM modelreg.impact('snapshot:pth.flag@2', current_only => true);
SELECT depth_a, depth_b, address, by_supersession FROM modelreg.common_upstream('models:/pth.flag/1', 'transform:pth.flag@1') ORDER BY address;
-- parents, wherever the array begins, with a request id and without; they have one dimension
SELECT modelreg.register_version('pth.flag', parents => '[0:0]={models:/pth.flag/1}', request_id => 'flag-2') AS registered, modelreg.register_version('pth.flag', parents => '{models:/pth.flag/1}', request_id => 'flag-2') AS repeated,
	modelreg.register_version('pth.flag', parents => '[-3:-3]={models:/pth.flag/1}') AS next;
SELECT fails($$SELECT modelreg.register_version('pth.flag', parents => '{{models:/pth.flag/1}}')$$), fails($$SELECT modelreg.register_version('pth.flag', parents => '{{models:/pth.flag/1}}', request_id => 'flag-4')$$);
RESET ROLE;
SELECT modelreg.revoke_level('pth', 'regress_paths_bob', 'reader');
SET ROLE regress_paths_bob;
SELECT modelreg.create_model('pth-ads.m', 'open') > 0 AS made;
SELECT modelreg.register_version('pth-ads.m', inputs => '{"training": "dataset:pth-ads.secret@2"}');
SELECT modelreg.promote('pth-ads.m', 1, 'Production') > 0 AS promoted;
SELECT model, depth, role FROM modelreg.impact('dataset:pth-ads.secret', current_only => true);
RESET ROLE;
SELECT count(*) AS for_a_superuser FROM modelreg.impact('snapshot:pth.events@1', current_only => true);
SET ROLE regress_paths_ann;
SELECT count(*) AS for_ann FROM modelreg.impact('snapshot:pth.events@1', current_only => true);

-- Two strands from one origin whose inputs lie far back and not so far, and a chain on many nodes of both: labels tell little, and what
-- lies nearest to the ancestor is taken first
SELECT modelreg.record_nodes(array_agg('run:pth.wide' || i ORDER BY i), array_agg((SELECT jsonb_build_object('base', jsonb_agg(DISTINCT
		CASE WHEN parent < 1 THEN 'snapshot:pth.events@1' ELSE 'run:pth.wide' || parent END))
		FROM generate_series(1, 4) AS k, LATERAL (SELECT i - 2 * (1 + i * k * 7919 % 150) AS parent) AS p) ORDER BY i)) FROM generate_series(1, 2000) AS i;
SELECT modelreg.record_nodes(array_agg('run:pth.narrow' || i ORDER BY i), array_agg(jsonb_build_object('base',
		CASE i WHEN 1 THEN (SELECT jsonb_agg('run:pth.wide' || n) FROM generate_series(1701, 2000) AS n) ELSE jsonb_build_array('run:pth.narrow' || i - 1) END) ORDER BY i)) FROM generate_series(1, 1000) AS i;
SELECT start, count(*) AS pairs, count(*) FILTER (WHERE derived) AS derived,
		count(*) FILTER (WHERE derived <> (node_id IN (SELECT node_id FROM modelreg.upstream(start)))) AS wrong
	FROM unnest('{run:pth.wide1999,run:pth.wide2000,run:pth.wide501,run:pth.narrow1,run:pth.narrow1000}'::text[]) AS start,
		(SELECT address, node_id FROM modelreg.lineage_nodes WHERE team = 'pth' AND (name ~ '^wide[0-9]*[38]$' OR name ~ '^narrow[0-9]*50$')) AS ancestor,
		LATERAL (SELECT modelreg.is_derived_from(start, ancestor.address)) AS d (derived)
	GROUP BY start ORDER BY start;

-- In a subtransaction that made the edges itself, in a cursor, in LATERAL
BEGIN;
SAVEPOINT a;
SELECT modelreg.record_run('pth.mine', inputs => '{"training": "run:pth.crowd3000"}');
SELECT modelreg.is_derived_from('run:pth.mine', 'snapshot:pth.lake@9') AS derived, (SELECT max(depth) FROM modelreg.path('run:pth.mine', 'snapshot:pth.lake@9')) AS steps;
DECLARE walk CURSOR FOR SELECT depth, role, address FROM modelreg.path('run:pth.mine', 'snapshot:pth.events@1');
FETCH 2 FROM walk;
SELECT modelreg.record_run('pth.mine2', inputs => '{"base": "run:pth.mine"}');
FETCH ALL FROM walk;
ROLLBACK TO a;
SELECT fails($$SELECT modelreg.path('run:pth.mine', 'snapshot:pth.events@1')$$);
COMMIT;
SELECT count(*) AS rows, count(DISTINCT s.address) AS starts FROM start s, LATERAL modelreg.path(s.address, 'part:pth.n1') AS p WHERE p.depth = 0;

-- Hostile lineages: more kinds than a first guess has room for; one parent in very many roles; a chain of superseding nodes
RESET ROLE;
SELECT modelreg.record_nodes(ARRAY['snapshot:pth.many@1'] || array_agg('kind' || i || ':pth.n' || i ORDER BY i), ARRAY[NULL::jsonb] || array_agg('{"training": "snapshot:pth.many@1"}'::jsonb))
	FROM generate_series(1, 40) AS i;
SELECT count(*), bool_and(kind = 'kind' || substr(name, 2) AND team = 'pth' AND address = kind || ':pth.' || name) AS right FROM modelreg.downstream('snapshot:pth.many@1');
SELECT count(*), bool_and(kind = 'kind' || substr(name, 2) AND team = 'pth') AS right FROM modelreg.downstream('snapshot:pth.many@1', kinds => ARRAY(SELECT 'kind' || i FROM generate_series(1, 12) AS i));
SELECT modelreg.record_nodes(array_agg('part:pth.of-many' || i ORDER BY i), array_agg(jsonb_build_object('role-' || i, 'snapshot:pth.many@1') ORDER BY i)) FROM generate_series(1, 3000) AS i;
SELECT modelreg.record_run('pth.on-many', inputs => jsonb_build_object('base', jsonb_agg('part:pth.of-many' || i ORDER BY i))) FROM generate_series(1, 3000) AS i;
SELECT count(*), count(DISTINCT role), min(depth) FROM modelreg.upstream('run:pth.on-many', kinds => '{snapshot}');
SELECT modelreg.record_nodes(array_agg('part:pth.of-few' || i ORDER BY i), array_agg(jsonb_build_object('role-' || 1 + i * 7 % 11, '["snapshot:pth.many@1"]'::jsonb, 'role-' || 1 + i % 11, '["snapshot:pth.many@1"]'::jsonb) ORDER BY i))
	FROM generate_series(1, 100) AS i;
SELECT modelreg.record_run('pth.on-few', inputs => jsonb_build_object('base', jsonb_agg('part:pth.of-few' || i ORDER BY i))) FROM generate_series(1, 100) AS i;
SELECT string_agg(role, ' ' ORDER BY role) AS roles FROM modelreg.upstream('run:pth.on-few', kinds => '{snapshot}');
SELECT modelreg.record_nodes(array_agg('data:pth.chain@' || i ORDER BY i), supersedes => array_agg(CASE WHEN i > 1 THEN 'data:pth.chain@' || i - 1 END ORDER BY i)) FROM generate_series(1, 3000) AS i;
SELECT modelreg.record_run('pth.on-chain', inputs => '{"training": "data:pth.chain@1"}');
SELECT count(*), min(depth), max(depth), string_agg(DISTINCT role, ' ') AS roles, count(*) FILTER (WHERE by_supersession) AS superseding FROM modelreg.upstream('run:pth.on-chain');
SELECT count(*), max(depth) FROM modelreg.path('run:pth.on-chain', 'data:pth.chain@3000');

-- Bounded
SET ROLE regress_paths_ann;
SET modelreg.max_lineage_nodes = 100;
SELECT fails($$SELECT modelreg.common_upstream('run:pth.crowd3000', 'run:pth.crowd3000')$$), fails($$SELECT modelreg.path('run:pth.crowd3000', 'snapshot:pth.lake@9')$$);
SELECT modelreg.is_derived_from('run:pth.crowd3000', 'snapshot:pth.events@1') AS near_is_fine;
RESET modelreg.max_lineage_nodes;
RESET ROLE;
SELECT * FROM modelreg.verify('pth');

DROP FUNCTION compare(), fails(text);
DROP ROLE regress_paths_ann, regress_paths_bob;
