-- Each case: the arguments, the same in SQL (ordered as the search is), and whether the promise of a cost in proportion to the
-- page holds for it.
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
CREATE TEMP TABLE cases (number integer GENERATED ALWAYS AS IDENTITY, single boolean, arguments text, by_hand text);
INSERT INTO cases (single, arguments, by_hand) VALUES
	(true, 'team => ''find''', 'modelreg.version v WHERE v.team_id = :team ORDER BY v.registered_at DESC, v.model_id DESC, v.version DESC'),
	(true, 'registered_until => ''2026-01-01 12:00+00''', 'modelreg.version v WHERE v.team_id = :team AND v.registered_at < ''2026-01-01 12:00+00'' ORDER BY v.registered_at DESC, v.model_id DESC, v.version DESC'),
	(true, 'name_pattern => ''model-0*''', 'modelreg.version v JOIN modelreg.model n ON n.id = v.model_id WHERE n.team_id = :team AND n.name >= ''model-0'' AND n.name < ''model-1'' ORDER BY n.name, v.version DESC'),
	(true, 'stage => ''Staging''', 'modelreg.version v JOIN modelreg.version_stage f USING (model_id, version) WHERE f.team_id = :team AND f.stage OPERATOR(modelreg.=) ''Staging'' ORDER BY f.model_id DESC, f.version DESC'),
	(true, 'tag_key => ''family''', 'modelreg.version v JOIN modelreg.tag f USING (model_id, version) WHERE f.team_id = :team AND f.key = ''family'' ORDER BY f.value DESC, f.model_id DESC, f.version DESC'),
	(true, 'tag_key => ''family'', tag_value => ''f3''', 'modelreg.version v JOIN modelreg.tag f USING (model_id, version) WHERE f.team_id = :team AND f.key = ''family'' AND f.value = ''f3'' ORDER BY f.model_id DESC, f.version DESC'),
	(true, 'param_key => ''optimizer'', param_value => ''adam''', 'modelreg.version v JOIN modelreg.param f USING (model_id, version) WHERE f.team_id = :team AND f.key = ''optimizer'' AND f.value = ''adam'' ORDER BY f.model_id DESC, f.version DESC'),
	(true, 'metric => ''ndcg'', metric_min => 0.6, metric_max => 0.8', 'modelreg.version v JOIN modelreg.metric f USING (model_id, version) WHERE f.team_id = :team AND f.metric = ''ndcg'' AND f.value BETWEEN 0.6 AND 0.8 ORDER BY f.value DESC, f.model_id DESC, f.version DESC'),
	(true, 'run => ''run:find.big''', 'modelreg.version v WHERE v.run_id = :big ORDER BY v.model_id DESC, v.version DESC'),
	(true, 'words => ''rare''', 'modelreg.version v JOIN modelreg.search_word f USING (model_id, version) WHERE f.team_id = :team AND f.word = ''rare'' ORDER BY f.model_id DESC, f.version DESC'),
	(true, 'model => ''find.model-0001''', 'modelreg.version v WHERE v.model_id = :model ORDER BY v.version DESC'),
	(true, 'model => ''find.model-0001'', registered_until => ''2026-01-01 12:00+00''', 'modelreg.version v WHERE v.model_id = :model AND v.registered_at < ''2026-01-01 12:00+00'' ORDER BY v.version DESC'),
	(true, 'model => ''find.model-0001'', stage => ''Staging''', 'modelreg.version v JOIN modelreg.version_stage f USING (model_id, version) WHERE f.model_id = :model AND f.stage OPERATOR(modelreg.=) ''Staging'' ORDER BY f.version DESC'),
	(true, 'model => ''find.model-0001'', tag_key => ''family''', 'modelreg.version v JOIN modelreg.tag f USING (model_id, version) WHERE f.model_id = :model AND f.key = ''family'' ORDER BY f.value DESC, f.version DESC'),
	(true, 'model => ''find.model-0001'', param_key => ''seed'', param_value => ''3''', 'modelreg.version v JOIN modelreg.param f USING (model_id, version) WHERE f.team_id = :team AND f.model_id = :model AND f.key = ''seed'' AND f.value = ''3'' ORDER BY f.version DESC'),
	(true, 'model => ''find.model-0001'', metric => ''ndcg'', metric_min => 0.6', 'modelreg.version v JOIN modelreg.metric f USING (model_id, version) WHERE f.model_id = :model AND f.metric = ''ndcg'' AND f.value >= 0.6 ORDER BY f.value DESC, f.version DESC'),
	(true, 'model => ''find.model-0001'', run => ''run:find.big''', 'modelreg.version v WHERE v.run_id = :big AND v.model_id = :model ORDER BY v.version DESC'),
	(false, 'words => ''common rare''', 'modelreg.version v JOIN modelreg.search_word f USING (model_id, version) JOIN modelreg.search_word g USING (model_id, version) WHERE f.team_id = :team AND f.word = ''common'' AND g.team_id = :team AND g.word = ''rare'' ORDER BY f.model_id DESC, f.version DESC'),
	(false, 'param_key => ''optimizer'', param_value => ''adam'', stage => ''Experimental''', 'modelreg.version v JOIN modelreg.param f USING (model_id, version) JOIN modelreg.version_stage g USING (model_id, version) WHERE f.team_id = :team AND f.key = ''optimizer'' AND f.value = ''adam'' AND g.stage OPERATOR(modelreg.=) ''Experimental'' ORDER BY f.model_id DESC, f.version DESC'),
	(false, 'snapshot => ''snapshot:find.events@1''', 'modelreg.version v WHERE v.run_id = :big ORDER BY v.registered_at DESC, v.model_id DESC, v.version DESC'),
	(false, 'snapshot => ''snapshot:find.events@2''', 'modelreg.version v WHERE v.run_id = :small ORDER BY v.registered_at DESC, v.model_id DESC, v.version DESC');
SELECT id AS team FROM modelreg.team WHERE name = 'find' \gset
SELECT id AS model FROM modelreg.model WHERE team_id = :team AND name = 'model-0001' \gset
SELECT max(id) FILTER (WHERE name = 'big') AS big, max(id) FILTER (WHERE name = 'small') AS small FROM modelreg.node \gset
UPDATE cases SET by_hand = replace(replace(replace(replace(by_hand, ':team', :'team'), ':model', :'model'), ':big', :'big'), ':small', :'small');

-- Pages that a statement touches, and its milliseconds.
CREATE FUNCTION pg_temp.touched(statement text, OUT pages numeric, OUT ms numeric) LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || statement INTO plan;
	pages := (plan->0->'Plan'->>'Shared Hit Blocks')::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint;
	ms := round((plan->0->>'Execution Time')::numeric, 1);
END
$$;
-- The key with which the 50th page begins, or NULL when there are fewer.
CREATE FUNCTION pg_temp.key_of_page_50(arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	key text;
BEGIN
	FOR page IN 1..49 LOOP
		EXECUTE format('SELECT (array_agg(s.key ORDER BY n DESC))[1] FROM ROWS FROM (modelreg.search_versions(%s, after => %L))
			WITH ORDINALITY AS s (a, b, c, d, e, f, g, h, key, n) HAVING count(*) = 50', arguments, key) INTO key;
		EXIT WHEN key IS NULL;
	END LOOP;
	RETURN key;
END
$$;
CREATE TEMP TABLE results (number integer, query text, pages numeric, ms numeric);
GRANT ALL ON cases, results TO regress_searcher;
SET ROLE regress_searcher;
SELECT count(t.*) AS warm FROM cases c, LATERAL pg_temp.touched(format('SELECT * FROM modelreg.search_versions(%s)', c.arguments)) t \gset
INSERT INTO results SELECT c.number, 'first', t.* FROM cases c, LATERAL pg_temp.touched(format('SELECT * FROM modelreg.search_versions(%s)', c.arguments)) t;
INSERT INTO results SELECT c.number, 'fiftieth', t.* FROM (SELECT *, pg_temp.key_of_page_50(arguments) AS key FROM cases OFFSET 0) c,
	LATERAL pg_temp.touched(format('SELECT * FROM modelreg.search_versions(%s, after => %L)', c.arguments, c.key)) t WHERE c.key IS NOT NULL;
RESET ROLE;
-- By hand one also wants the model's name, the stage and the description.
CREATE TEMP VIEW by_hand AS
	SELECT number, regexp_replace(by_hand, '^(.*) WHERE ', 'SELECT v.*, m.name, s.stage, p.body FROM \1
		JOIN modelreg.model m ON m.id = v.model_id JOIN modelreg.version_stage s ON (s.model_id, s.version) = (v.model_id, v.version)
		LEFT JOIN modelreg.description d ON (d.model_id, d.version) = (v.model_id, v.version)
		LEFT JOIN modelreg.payload p ON p.digest = d.payload WHERE ') AS statement
	FROM cases;
\if :hand
INSERT INTO results SELECT number, 'hand first', t.* FROM by_hand, LATERAL pg_temp.touched(statement || ' LIMIT 50') t;
INSERT INTO results SELECT number, 'hand fiftieth', t.* FROM by_hand, LATERAL pg_temp.touched(statement || ' LIMIT 50 OFFSET 2450') t;
\endif

CREATE TEMP VIEW summary AS
	SELECT c.number, c.single, c.arguments, f.pages AS first, o.pages AS fiftieth, h.pages AS hand, x.pages AS hand_offset,
		f.ms AS first_ms, o.ms AS fiftieth_ms, h.ms AS hand_ms, x.ms AS hand_offset_ms
	FROM cases c JOIN results f ON f.number = c.number AND f.query = 'first'
		LEFT JOIN results o ON o.number = c.number AND o.query = 'fiftieth'
		LEFT JOIN results h ON h.number = c.number AND h.query = 'hand first'
		LEFT JOIN results x ON x.number = c.number AND x.query = 'hand fiftieth';
SELECT arguments, first, fiftieth AS "50th", hand AS "SQL", hand_offset AS "SQL, OFFSET 2450", round(first / hand, 2) AS ratio,
	round(fiftieth / hand_offset, 2) AS "ratio of the 50th"
FROM summary ORDER BY number;
SELECT arguments, first_ms AS "first, ms", fiftieth_ms AS "50th", hand_ms AS "SQL", hand_offset_ms AS "SQL, OFFSET 2450"
FROM summary ORDER BY number;
SELECT arguments AS "costs too much" FROM summary WHERE single AND (first > 40 * 50 OR fiftieth > 2 * first);
SELECT 1 / CASE WHEN bool_or(single AND (first > 40 * 50 OR fiftieth > 2 * first)) THEN 0 ELSE 1 END AS ok FROM summary \gset
