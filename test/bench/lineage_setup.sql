-- A graph of :nodes nodes and about 2.8 edges each, forged as a superuser: ids and inputs are those of a history in which most
-- inputs are recent, some are anywhere, a hub (node 2) goes into half of all, and the last :deep nodes are a chain.
CREATE EXTENSION IF NOT EXISTS modelreg;
SELECT modelreg.create_team('bench') AS team \gset
SELECT setseed(0.42);
CREATE UNLOGGED TABLE bench_edge AS
	SELECT child, parent, min(role) AS role FROM (
		SELECT child, greatest(1, child - 1 - floor(random() * 200)::bigint) AS parent, 'features' AS role FROM generate_series(3, :nodes - :deep) AS child
		UNION ALL
		SELECT child, 1 + floor(random() * (child - 1))::bigint, 'code' FROM generate_series(3, :nodes - :deep) AS child WHERE random() < 0.9
		UNION ALL
		SELECT child, 2, 'training' FROM generate_series(3, :nodes - :deep) AS child WHERE random() < 0.5
		UNION ALL
		SELECT child, child - 1, 'base' FROM generate_series(:nodes - :deep + 1, :nodes) AS child
	) AS e GROUP BY child, parent;
INSERT INTO modelreg.node
	SELECT id, :team, NULL, 'run', 'n' || id, '', NULL, 0, 1, '{}', '{}', NULL, NULL, NULL, NULL, '{}', 'epoch', NULL,
		modelreg.row_hash('node', 1::smallint, id::bigint, :team::bigint, NULL::bigint, 'run'::text, 'n' || id, ''::text, NULL::bigint, 0, 1::bigint,
			'{}'::text[], '{}'::bigint[], NULL::text, NULL::text, NULL::bigint, NULL::bytea, '{}'::jsonb, 'epoch'::timestamptz, NULL::timestamptz), 1
	FROM generate_series(1, :nodes) AS id;
INSERT INTO modelreg.edge SELECT child, parent, 1, :team, :team, 0, role, 'run', 'run' FROM bench_edge ORDER BY child, parent;
DROP TABLE bench_edge;
VACUUM ANALYZE modelreg.node, modelreg.edge;
