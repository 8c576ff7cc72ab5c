-- The nodes of a forged graph, with their hashes, which a CHECK compares.
SET synchronous_commit = off;
INSERT INTO modelreg.node
	SELECT id, team, NULL, CASE id WHEN 1 THEN 'snapshot' ELSE 'run' END, 'n' || id, '', NULL, level, low, '{}', '{}', NULL, NULL, NULL, NULL, '{}', 'epoch', NULL,
		modelreg.row_hash('node', 1::smallint, id, team, NULL::bigint, CASE id WHEN 1 THEN 'snapshot' ELSE 'run' END, 'n' || id, ''::text, NULL::bigint, level, low,
			'{}'::text[], '{}'::bigint[], NULL::text, NULL::text, NULL::bigint, NULL::bytea, '{}'::jsonb, 'epoch'::timestamptz, NULL::timestamptz), 1
	FROM forged, LATERAL (SELECT (:'teams'::bigint[])[1 + id % cardinality(:'teams'::bigint[])] AS team) AS t;
DROP TABLE forged;
SELECT setval('modelreg.node_id_seq', :nodes);
VACUUM ANALYZE modelreg.node;
VACUUM ANALYZE modelreg.edge;
