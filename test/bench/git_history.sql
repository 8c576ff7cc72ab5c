-- Records the lines "commit parent..." of table history, :batch at a time, each batch in a transaction of its own.
SELECT format('SELECT modelreg.record_nodes(array_agg(''commit:bench.history@'' || id ORDER BY n), array_agg(inputs ORDER BY n)) FROM
		(SELECT n, split_part(line, '' '', 1) AS id, CASE WHEN line LIKE ''%% %%'' THEN jsonb_build_object(''base'',
			(SELECT jsonb_agg(DISTINCT ''commit:bench.history@'' || parent) FROM unnest((string_to_array(line, '' ''))[2:]) AS parent)) END AS inputs
		FROM history WHERE n BETWEEN %s AND %s) AS batch', low, low + :batch - 1)
	FROM generate_series(1, (SELECT max(n) FROM history), :batch) AS low
\gexec
DROP TABLE history;
VACUUM ANALYZE;
