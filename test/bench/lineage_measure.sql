-- Times one walk each way in turn, three rounds, and prints the least: ours with all columns of its rows; ours that shows only
-- versions, of which there are none, so the walk alone; WITH RECURSIVE over the two indexes, ids alone, and with the nodes' rows.
CREATE TYPE pg_temp.timing AS (ms numeric, n bigint);
CREATE FUNCTION pg_temp.fastest(statement text) RETURNS pg_temp.timing LANGUAGE plpgsql AS $$
DECLARE
	began timestamptz;
	ms numeric;
	n bigint;
BEGIN
	FOR i IN 1 .. 3 LOOP
		began := clock_timestamp();
		EXECUTE statement INTO n;
		ms := least(ms, round(1000 * extract(epoch FROM clock_timestamp() - began), 1));
	END LOOP;
	RETURN (ms, n);
END $$;
SET jit = off;
CREATE TEMP TABLE walk AS SELECT title, node, up,
	pg_temp.fastest(format('SELECT count(DISTINCT node_id) FROM modelreg.%s(%L)', CASE WHEN up THEN 'upstream' ELSE 'downstream' END, 'run:bench.n' || node)) AS rows,
	pg_temp.fastest(format('SELECT count(*) FROM modelreg.%s(%L, kinds => ''{}'')', CASE WHEN up THEN 'upstream' ELSE 'downstream' END, 'run:bench.n' || node)) AS walk,
	pg_temp.fastest(format('WITH RECURSIVE w AS (SELECT id FROM modelreg.node WHERE kind = ''run'' AND name = %L UNION SELECT e.%I FROM w JOIN modelreg.edge e ON e.%I = w.id)
		SELECT count(*) - 1 FROM w', 'n' || node, CASE WHEN up THEN 'parent' ELSE 'child' END, CASE WHEN up THEN 'child' ELSE 'parent' END)) AS ids,
	pg_temp.fastest(format('WITH RECURSIVE w AS (SELECT id FROM modelreg.node WHERE kind = ''run'' AND name = %L UNION SELECT e.%I FROM w JOIN modelreg.edge e ON e.%I = w.id)
		SELECT count(n.name || n.version) - 1 FROM w JOIN modelreg.node n USING (id)', 'n' || node, CASE WHEN up THEN 'parent' ELSE 'child' END, CASE WHEN up THEN 'child' ELSE 'parent' END)) AS named
	FROM (VALUES ('hub, downstream', 2, false), ('chain, upstream', :nodes, true), ('chain, downstream', :nodes - :deep, false),
		('middle, upstream', (:nodes - :deep) / 2, true), ('few, upstream', 100, true)) AS w (title, node, up);
SELECT title AS "walk", (rows).n AS nodes, (walk).ms AS "walk alone, ms", (ids).ms AS "WITH RECURSIVE, ids, ms", round((ids).ms / nullif((walk).ms, 0), 1) AS ratio,
	(rows).ms AS "all rows, ms", (named).ms AS "WITH RECURSIVE, names, ms", round((named).ms / nullif((rows).ms, 0), 1) AS "ratio ",
	(rows).n = (ids).n AS same FROM walk;
