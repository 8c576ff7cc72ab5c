-- impact(current_only): from the node's side, from that of the versions, and in turn, held against plain SQL.
\set VERBOSITY terse
\pset format unaligned
CREATE ROLE regress_current_ann;
SELECT modelreg.create_team('cur') > 0 AS made;
SELECT modelreg.grant_level('cur', 'regress_current_ann', 'reader');

-- A random DAG, deep at its beginning and wide at its end, whose last part derives from all over it
SELECT setseed(0.42);
CREATE TEMP TABLE dag AS
	SELECT DISTINCT child, 1 + floor(CASE WHEN random() < 0.002 THEN random() * (child - 1) ELSE greatest(child - 2 - random() * width, 0) END)::int AS parent,
			(ARRAY['training', 'code', 'base'])[1 + floor(random() * 3)::int] AS role
		FROM generate_series(2, 4000) AS child, LATERAL (SELECT CASE WHEN child < 1000 THEN 3 ELSE 900 END) AS w (width), generate_series(1, 3) AS try
		WHERE random() < 0.8;
CREATE TEMP TABLE piece AS
	SELECT i, 'piece:cur.n' || i AS address, (SELECT jsonb_object_agg(role, parents) FROM (SELECT role, jsonb_agg('piece:cur.n' || parent) AS parents
		FROM dag WHERE child = i GROUP BY role) AS r) AS inputs FROM generate_series(1, 4000) AS i;
SELECT count(*) AS recorded FROM (SELECT modelreg.record_nodes(array_agg(address ORDER BY i), array_agg(coalesce(inputs, '{}') ORDER BY i)) FROM piece WHERE i <= 3000) AS r;
-- ids may lie far apart
SELECT setval('modelreg.node_id_seq', nextval('modelreg.node_id_seq') + 200000) > 200000 AS far_apart;
SELECT count(*) AS recorded FROM (SELECT modelreg.record_nodes(array_agg(address ORDER BY i), array_agg(coalesce(inputs, '{}') ORDER BY i)) FROM piece WHERE i > 3000) AS r;
-- some stand for others, and a few of these for another one each, so that a way goes back to later nodes
SELECT count(modelreg.record_node('piece', 'cur.s' || i, supersedes => 'piece:cur.n' || i, inputs => jsonb_build_object('base', 'piece:cur.n' || 1 + i * 37 % CASE WHEN i < 1000 THEN i ELSE 4000 END))) AS superseding
	FROM generate_series(1, 4000) AS i WHERE i % 131 = 3;
SELECT count(modelreg.record_node('piece', 'cur.t' || i, supersedes => 'piece:cur.s' || i, inputs => jsonb_build_object('base', 'piece:cur.n' || 1 + i * 53 % CASE WHEN i < 1000 THEN i ELSE 4000 END))) AS superseding_these
	FROM generate_series(1, 4000) AS i WHERE i % 393 = 3;

SELECT setval('modelreg.node_id_seq', nextval('modelreg.node_id_seq') + 200000) > 200000 AS far_apart;
-- Versions that are current, of which every third derives from others that are
SELECT count(modelreg.create_model('cur.m' || i, 'open')) AS models FROM generate_series(1, 60) AS i;
SELECT count(modelreg.register_version('cur.m' || i, inputs => jsonb_strip_nulls(jsonb_build_object('training', 'piece:cur.n' || 1 + i * 997 % 4000,
		'base', CASE WHEN i % 4 = 0 THEN 'piece:cur.s' || 3 + 131 * (i % 30) END, 'component', CASE WHEN i % 3 = 0 THEN jsonb_build_array('models:/cur.m' || i / 2 || '/1', 'models:/cur.m' || i - 1 || '/1') END))))
	AS versions FROM generate_series(1, 60) AS i;
SELECT count(modelreg.promote('cur.m' || i, 1, 'Production')) AS promoted FROM generate_series(1, 60) AS i WHERE i % 10 > 0;

-- What lies downstream of a node, step by step: from a node to one that it supersedes is no step
CREATE FUNCTION expected(address text) RETURNS TABLE (depth integer, role text, model text, version integer, uri text, stage text, stage_since timestamptz,
	is_current boolean, by_supersession boolean, node_id bigint) LANGUAGE plpgsql AS $$
DECLARE
	start bigint := (SELECT n.node_id FROM modelreg.lineage_nodes n WHERE n.address = expected.address);
	step integer := 0;
BEGIN
	CREATE TEMP TABLE reached (node bigint PRIMARY KEY, depth integer, marked boolean);
	INSERT INTO reached VALUES (start, 0, false);
	LOOP
		LOOP
			INSERT INTO reached SELECT DISTINCT n.supersedes, step, true FROM reached r JOIN modelreg.node n ON n.id = r.node
				WHERE r.depth = step AND n.supersedes IS NOT NULL ON CONFLICT DO NOTHING;
			EXIT WHEN NOT FOUND;
		END LOOP;
		INSERT INTO reached SELECT e.child, step + 1, bool_and(r.marked) FROM reached r JOIN modelreg.edge e ON e.parent = r.node WHERE r.depth = step GROUP BY e.child
			ON CONFLICT DO NOTHING;
		EXIT WHEN NOT FOUND;
		step := step + 1;
	END LOOP;
	RETURN QUERY SELECT r.depth, (SELECT string_agg(DISTINCT e.role, ', ' ORDER BY e.role) FROM modelreg.edge e JOIN reached p ON p.node = e.parent
				WHERE e.child = r.node AND p.depth = r.depth - 1),
			'cur.' || m.name, v.version, 'models:/cur.' || m.name || '/' || v.version, s.stage::text, s.since, true, r.marked, r.node
		FROM modelreg.model m JOIN modelreg.version v ON v.model_id = m.id AND v.version = m.current_version JOIN reached r ON r.node = v.node_id AND r.node <> start
			JOIN modelreg.version_stage s ON s.model_id = m.id AND s.version = v.version;
	DROP TABLE reached;
END $$;
CREATE FUNCTION compare(OUT starts bigint, OUT crowds bigint, OUT found bigint, OUT far bigint, OUT by_supersession bigint, OUT several_roles bigint, OUT wrong bigint)
LANGUAGE sql AS $$
	WITH start AS (
		SELECT address FROM piece WHERE i < 1000 AND i % 60 = 1 OR i % 400 = 2 OR i = 3996
		UNION ALL SELECT 'piece:cur.s' || i FROM piece WHERE i % 131 = 3 AND i % 2 = 0 UNION ALL SELECT 'models:/cur.m' || i || '/1' FROM piece WHERE i IN (1, 19, 40)
	), theirs AS MATERIALIZED (
		SELECT s.address, e.* FROM start s, expected(s.address) e
	), ours AS MATERIALIZED (
		SELECT s.address, i.depth, i.role, i.model, i.version, i.address, i.stage, i.stage_since, i.is_current, i.by_supersession, i.node_id
			FROM start s, modelreg.impact(s.address, current_only => true) i
	)
	SELECT (SELECT count(*) FROM start), (SELECT count(*) FROM start WHERE (SELECT count(*) > 2048 FROM modelreg.downstream(address))),
		(SELECT count(*) FROM ours), (SELECT count(*) FROM ours WHERE depth > 100), (SELECT count(*) FROM ours o WHERE o.by_supersession), (SELECT count(*) FROM ours WHERE role LIKE '%,%'),
		(SELECT count(*) FROM ((TABLE ours EXCEPT ALL TABLE theirs) UNION ALL (TABLE theirs EXCEPT ALL TABLE ours)) AS d)
$$;
SELECT * FROM compare();
SET ROLE regress_current_ann;
SELECT count(*) AS for_a_reader FROM modelreg.impact('piece:cur.n1', current_only => true);
RESET ROLE;
-- Edges that are kept on the way up count as well as nodes: where few nodes have very many, the way down is tried, and what ends there is an error.
SELECT modelreg.record_node('piece', 'cur.hub') AS recorded;
SELECT count(*) AS recorded FROM (SELECT modelreg.record_nodes(array_agg('piece:cur.a' || i ORDER BY i), array_agg('{"base": "piece:cur.hub"}'::jsonb)) FROM generate_series(1, 160) AS i) AS r;
SELECT count(*) AS recorded FROM (SELECT modelreg.record_nodes(array_agg('piece:cur.b' || i ORDER BY i), array_agg((SELECT jsonb_build_object('base', jsonb_agg('piece:cur.a' || j)) FROM generate_series(1, 160) AS j)))
	FROM generate_series(1, 160) AS i) AS r;
SELECT modelreg.create_model('cur.dense', 'open') > 0 AS model, modelreg.register_version('cur.dense', inputs => jsonb_build_object('component', (SELECT jsonb_agg('piece:cur.b' || i) FROM generate_series(1, 160) AS i))) AS version,
	modelreg.promote('cur.dense', 1, 'Production') > 0 AS promoted;
SELECT count(*) AS recorded FROM (SELECT modelreg.record_nodes(array_agg('piece:cur.c' || i ORDER BY i), array_agg('{"base": "piece:cur.hub"}'::jsonb)) FROM generate_series(1, 5000) AS i) AS r;
SET modelreg.max_lineage_nodes = 3000;
SELECT depth, model FROM modelreg.impact('piece:cur.hub', current_only => true);
SET modelreg.max_lineage_nodes = 4000;
SELECT depth, model FROM modelreg.impact('piece:cur.hub', current_only => true);
RESET modelreg.max_lineage_nodes;
SELECT depth, model FROM modelreg.impact('piece:cur.hub', current_only => true);
DROP FUNCTION compare(), expected(text);
DROP ROLE regress_current_ann;
