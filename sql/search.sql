-- Search: every filter against plain SQL over the tables, pages of every size, the limit of rows looked at, keys, and rights.
SET client_min_messages = warning;
CREATE ROLE regress_search_reader;
CREATE ROLE regress_search_stranger;
SELECT modelreg.create_team('seek') IS NOT NULL AS seek, modelreg.create_team('seek-ads') IS NOT NULL AS seek_ads,
	modelreg.create_team('seek-vault') IS NOT NULL AS seek_vault;
SELECT modelreg.grant_level('seek', 'regress_search_reader', 'reader'), modelreg.grant_level('seek-ads', 'regress_search_reader', 'reader');
SELECT modelreg.grant_level('seek', current_user, 'evaluator');
SELECT count(modelreg.create_model(name, 'open')) FROM unnest('{seek.reco,seek.reco-b,seek.Rank_1,seek-ads.reco,seek-ads.ctr,seek-vault.reco}'::text[]) AS name;

-- The lineage: two snapshots, a commit, runs; the last run of team seek-vault reads a snapshot of team seek.
SELECT count(modelreg.record_snapshot('seek.events', '2026-06-0' || i)) FROM generate_series(1, 2) i;
SELECT modelreg.record_node('commit', 'seek.code', 'abc123');
SELECT modelreg.record_run('seek.train-1', inputs => '{"training": ["snapshot:seek.events@2026-06-01"], "code": ["commit:seek.code@abc123"]}'),
	modelreg.record_run('seek.train-2', inputs => '{"training": ["snapshot:seek.events@2026-06-02"], "code": ["commit:seek.code@abc123"]}'),
	modelreg.record_run('seek-vault.train', inputs => '{"training": ["snapshot:seek.events@2026-06-01"]}');

-- 300 versions, whose properties repeat in different rhythms.
SELECT count(modelreg.register_version(
	(ARRAY['seek.reco', 'seek.reco-b', 'seek-ads.reco', 'seek-ads.ctr', 'seek-vault.reco'])[1 + i % 5],
	run => CASE WHEN i % 5 = 4 THEN 'run:seek-vault.train' WHEN i % 7 < 3 THEN 'run:seek.train-' || 1 + i % 2 END,
	params => jsonb_build_object('lr', 0.1 * (i % 3), 'optimizer', CASE WHEN i % 4 = 0 THEN 'adam' ELSE 'sgd' END, 'note', repeat('long ', 30)),
	metrics => jsonb_build_object('ndcg@10', round(i % 11 / 10.0, 1), 'loss', CASE WHEN i % 10 = 0 THEN '"NaN"'::jsonb ELSE to_jsonb(1.0 / i) END),
	tags => CASE WHEN i % 3 = 0 THEN jsonb_build_object('family', CASE WHEN i % 2 = 0 THEN 'two-tower' ELSE 'tree' END) END,
	description => CASE WHEN i % 6 < 4 THEN 'Trained on ' || CASE WHEN i % 2 = 0 THEN 'Clicks' ELSE 'purchases' END || ', try ' || i % 4 END))
FROM generate_series(1, 300) i;
SELECT count(modelreg.promote('seek.reco', i, 'Staging')) FROM generate_series(3, 57, 3) i;
SELECT count(modelreg.promote('seek-ads.ctr', i, 'Staging')) FROM generate_series(5, 25, 10) i;
SELECT modelreg.promote('seek-ads.ctr', 25, 'Production') IS NOT NULL AS promoted;
-- Further evaluations: the same metric with another kind, and a slice with the same value.
SELECT count(modelreg.record_evaluation('models:/seek.reco/' || i, 'offline', '{"ndcg@10": 0.5}')) FROM generate_series(1, 30, 4) i;
SELECT count(modelreg.record_evaluation('models:/seek.reco/' || i, 'offline', '{"ndcg@10": 0.5}', slice => 'new')) FROM generate_series(1, 30, 8) i;
SELECT modelreg.set_tag('seek.reco', 'family', 'two-tower'), modelreg.set_tag('seek.reco', 'owner', 'eve', 1);

-- All pages of a search, by the key of each page's last row: the versions in order, and how many rows had only a key.
CREATE FUNCTION pg_temp.pages(arguments text, size integer, OUT labels text[], OUT pauses integer, OUT calls integer) LANGUAGE plpgsql AS $$
DECLARE
	page record;
	last text;
BEGIN
	labels := '{}'; pauses := 0; calls := 0;
	LOOP
		EXECUTE format('SELECT array_agg(s.model || ''/'' || s.version ORDER BY n) FILTER (WHERE s.version IS NOT NULL) AS versions,
				count(*) AS rows, count(*) FILTER (WHERE s.version IS NULL) AS pauses, (array_agg(s.key ORDER BY n DESC))[1] AS key
			FROM modelreg.search_versions(%s, page_size => %s, after => %L) WITH ORDINALITY AS s
				(model, version, stage, registered_at, uri, permanent_id, description, metric_value, key, n)', arguments, size, last) INTO page;
		calls := calls + 1;
		EXIT WHEN page.rows = 0 OR calls > 1000;
		labels := labels || page.versions;
		pauses := pauses + page.pauses;
		last := page.key;
	END LOOP;
END
$$;

-- What the reader ought to find: a row per version of teams seek and seek-ads.
CREATE TEMP VIEW all_versions AS
	SELECT t.name AS team, m.name, t.name || '.' || m.name AS model, v.*, s.stage::text AS stage, p.body AS text,
		t.name || '.' || m.name || '/' || v.version AS label
	FROM modelreg.version v JOIN modelreg.model m ON m.id = v.model_id JOIN modelreg.team t ON t.id = v.team_id
		JOIN modelreg.version_stage s USING (model_id, version) LEFT JOIN modelreg.payload p ON p.digest = v.description
	WHERE t.name IN ('seek', 'seek-ads') AND m.retired_at IS NULL;

CREATE TEMP VIEW seek_versions AS SELECT * FROM modelreg.version WHERE team_id = (SELECT id FROM modelreg.team WHERE name = 'seek');
CREATE TEMP VIEW seek_nodes AS SELECT * FROM modelreg.node WHERE team_id = (SELECT id FROM modelreg.team WHERE name = 'seek');
GRANT SELECT ON seek_versions TO regress_search_reader;
CREATE TEMP TABLE cases (number integer GENERATED ALWAYS AS IDENTITY, arguments text, condition text);
INSERT INTO cases (arguments, condition) VALUES
	('team => NULL', 'true'),
	('team => ''seek-ads''', 'team = ''seek-ads'''),
	('model => ''seek.reco''', 'model = ''seek.reco'''),
	('model => ''seek.reco'', team => ''seek-ads''', 'false'),
	('name_pattern => ''reco*''', 'name LIKE ''reco%'''),
	('name_pattern => ''reco''', 'name = ''reco'''),
	('name_pattern => ''*c?''', 'name LIKE ''%c_'''),
	('name_pattern => ''*-*'', team => ''seek''', 'team = ''seek'' AND name LIKE ''%-%'''),
	('words => ''clicks''', 'text ILIKE ''%clicks%'''),
	('words => ''TRY clicks trained''', 'text ILIKE ''%clicks%'''),
	('words => ''purchases'', model => ''seek-ads.ctr''', 'text ILIKE ''%purchases%'' AND model = ''seek-ads.ctr'''),
	('words => ''clicks purchases''', 'false'),
	('words => ''3 try'', stage => ''Staging''', 'text LIKE ''%try 3'' AND stage = ''Staging'''),
	('stage => ''Staging''', 'stage = ''Staging'''),
	('stage => ''production''', 'stage = ''Production'''),
	('stage => ''Staging'', model => ''seek.reco''', 'stage = ''Staging'' AND model = ''seek.reco'''),
	('tag_key => ''family''', 'EXISTS (SELECT FROM modelreg.tag g WHERE (g.model_id, g.version, g.key) = (v.model_id, v.version, ''family''))'),
	('tag_key => ''family'', model => ''seek-ads.reco''', 'EXISTS (SELECT FROM modelreg.tag g WHERE (g.model_id, g.version, g.key) = (v.model_id, v.version, ''family'')) AND model = ''seek-ads.reco'''),
	('tag_key => ''family'', tag_value => ''tree''', 'EXISTS (SELECT FROM modelreg.tag g WHERE (g.model_id, g.version, g.key, g.value) = (v.model_id, v.version, ''family'', ''tree''))'),
	('tag_key => ''family'', tag_value => ''two-tower'', model => ''seek.reco''', 'EXISTS (SELECT FROM modelreg.tag g WHERE (g.model_id, g.version, g.key, g.value) = (v.model_id, v.version, ''family'', ''two-tower'')) AND model = ''seek.reco'''),
	('tag_key => ''family'', tag_value => ''tree'', param_key => ''optimizer'', param_value => ''adam''', 'false'),
	('tag_key => ''family'', param_key => ''optimizer'', param_value => ''adam'', stage => ''Experimental'', words => ''try'', name_pattern => ''*e*''',
		'EXISTS (SELECT FROM modelreg.tag g WHERE (g.model_id, g.version, g.key) = (v.model_id, v.version, ''family''))
			AND EXISTS (SELECT FROM modelreg.param p WHERE (p.model_id, p.version, p.key, p.value) = (v.model_id, v.version, ''optimizer'', ''adam''))
			AND stage = ''Experimental'' AND text LIKE ''%try%'' AND name LIKE ''%e%'''),
	('param_key => ''lr'', param_value => ''0.2''', 'EXISTS (SELECT FROM modelreg.param p WHERE (p.model_id, p.version, p.key, p.value) = (v.model_id, v.version, ''lr'', ''0.2''))'),
	('param_key => ''note'', param_value => repeat(''long '', 30), team => ''seek-ads''', 'team = ''seek-ads'''),
	('param_key => ''optimizer'', param_value => ''adam'', model => ''seek-ads.ctr''', 'model = ''seek-ads.ctr'' AND EXISTS (SELECT FROM modelreg.param p WHERE (p.model_id, p.version, p.key, p.value) = (v.model_id, v.version, ''optimizer'', ''adam''))'),
	('metric => ''loss''', 'EXISTS (SELECT FROM modelreg.metric x WHERE (x.model_id, x.version, x.metric) = (v.model_id, v.version, ''loss'') AND x.value <> ''NaN'')'),
	('metric => ''loss'', metric_min => ''NaN''', 'EXISTS (SELECT FROM modelreg.metric x WHERE (x.model_id, x.version, x.metric, x.value) = (v.model_id, v.version, ''loss'', ''NaN''))'),
	('metric => ''ndcg@10'', metric_min => 0.5, metric_max => 0.9', 'EXISTS (SELECT FROM modelreg.metric x WHERE (x.model_id, x.version, x.metric) = (v.model_id, v.version, ''ndcg@10'') AND x.value BETWEEN 0.5 AND 0.9)'),
	('metric => ''ndcg@10'', metric_max => 0.5, lowest_first => true, team => ''seek''', 'team = ''seek'' AND EXISTS (SELECT FROM modelreg.metric x WHERE (x.model_id, x.version, x.metric) = (v.model_id, v.version, ''ndcg@10'') AND x.value <= 0.5)'),
	('metric => ''ndcg@10'', metric_min => 0.5, model => ''seek.reco''', 'model = ''seek.reco'' AND EXISTS (SELECT FROM modelreg.metric x WHERE (x.model_id, x.version, x.metric) = (v.model_id, v.version, ''ndcg@10'') AND x.value >= 0.5)'),
	('metric => ''ndcg@10'', metric_min => 0.5, stage => ''Staging''', 'stage = ''Staging'' AND EXISTS (SELECT FROM modelreg.metric x WHERE (x.model_id, x.version, x.metric) = (v.model_id, v.version, ''ndcg@10'') AND x.value >= 0.5)'),
	('run => ''run:seek.train-1''', 'run_id = (SELECT id FROM seek_nodes WHERE name = ''train-1'')'),
	('run => ''run:seek.train-2'', model => ''seek.reco-b'', metric => ''loss'', lowest_first => true', 'run_id = (SELECT id FROM seek_nodes WHERE name = ''train-2'') AND model = ''seek.reco-b'' AND EXISTS (SELECT FROM modelreg.metric x WHERE (x.model_id, x.version, x.metric) = (v.model_id, v.version, ''loss'') AND x.value <> ''NaN'')'),
	('snapshot => ''snapshot:seek.events@2026-06-01''', 'run_id = (SELECT id FROM seek_nodes WHERE name = ''train-1'')'),
	('snapshot => ''snapshot:seek.events@2026-06-02'', commit => ''commit:seek.code@abc123'', model => ''seek.reco''', 'run_id = (SELECT id FROM seek_nodes WHERE name = ''train-2'') AND model = ''seek.reco'''),
	('commit => ''commit:seek.code@abc123''', 'run_id IN (SELECT id FROM seek_nodes WHERE name LIKE ''train-%'')'),
	('commit => ''commit:seek.code@abc123'', stage => ''Staging''', 'run_id IN (SELECT id FROM seek_nodes WHERE name LIKE ''train-%'') AND stage = ''Staging'''),
	('registered_since => (SELECT registered_at FROM modelreg.version v WHERE node_id = (SELECT min(node_id) + 30 FROM seek_versions)), registered_until => (SELECT registered_at FROM modelreg.version v WHERE node_id = (SELECT min(node_id) + 50 FROM seek_versions))',
		'node_id - (SELECT min(node_id) FROM seek_versions) BETWEEN 30 AND 49'),
	('model => ''seek.reco'', registered_since => (SELECT registered_at FROM modelreg.version v WHERE node_id = (SELECT min(node_id) + 30 FROM seek_versions)), registered_until => (SELECT registered_at FROM modelreg.version v WHERE node_id = (SELECT min(node_id) + 90 FROM seek_versions))',
		'model = ''seek.reco'' AND node_id - (SELECT min(node_id) FROM seek_versions) BETWEEN 30 AND 89'),
	('registered_until => ''-infinity''', 'false');
GRANT SELECT ON cases TO regress_search_reader;

-- How many each finds, and that it is what SQL finds; then that pages of every size, and searches that look at few rows, give
-- the same versions in the same order.
CREATE TEMP TABLE answers (number integer, size integer, scan_limit integer, found text[], pauses integer, calls integer);
GRANT ALL ON answers TO regress_search_reader;
SET ROLE regress_search_reader;
INSERT INTO answers SELECT c.number, size, 100000, p.* FROM cases c CROSS JOIN unnest('{1000, 2, 7}'::integer[]) AS size CROSS JOIN LATERAL pg_temp.pages(c.arguments, size) AS p;
SET modelreg.search_scan_limit = 100;
INSERT INTO answers SELECT c.number, 1000, 100, p.* FROM cases c CROSS JOIN LATERAL pg_temp.pages(c.arguments, 1000) AS p;
RESET modelreg.search_scan_limit;
RESET ROLE;
CREATE FUNCTION pg_temp.expected(condition text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	labels text[];
BEGIN
	EXECUTE 'SELECT COALESCE(array_agg(label ORDER BY label), ''{}'') FROM all_versions v WHERE ' || condition INTO labels;
	RETURN labels;
END
$$;
SELECT c.number, regexp_replace(left(c.arguments, 60), '=> \(SELECT.*', '...') AS arguments, cardinality(a.found) AS found,
	(SELECT array_agg(f ORDER BY f COLLATE "default") FROM unnest(a.found) f) IS NOT DISTINCT FROM
		NULLIF(pg_temp.expected(c.condition), '{}') AS as_expected
FROM cases c JOIN answers a USING (number) WHERE a.size = 1000 AND a.scan_limit = 100000 ORDER BY 1;
SELECT c.number, other.size, other.scan_limit FROM cases c JOIN answers one USING (number) JOIN answers other USING (number)
WHERE one.size = 1000 AND one.scan_limit = 100000 AND other.found <> one.found ORDER BY 1, 2, 3;
-- Some of the searches that looked at few rows had to go on from a row with nothing but a key; no other had one.
SELECT scan_limit, bool_or(pauses > 0) AS paused, max(calls) FILTER (WHERE scan_limit > 100) > 10 AS many_calls FROM answers GROUP BY 1, size ORDER BY 1, size;

-- The orders.
SET ROLE regress_search_reader;
SELECT model, version, stage, metric_value, description FROM modelreg.search_versions(metric => 'ndcg@10', metric_min => 0.95, page_size => 4);
SELECT model, version, metric_value FROM modelreg.search_versions(metric => 'loss', lowest_first => true, page_size => 3);
SELECT model, version, metric_value FROM modelreg.search_versions(model => 'seek.reco', metric => 'ndcg@10', metric_min => 0.4, metric_max => 0.6, page_size => 4);
SELECT model, version, stage, uri, permanent_id ~ '^modelreg:[0-9a-f-]{36}/[0-9]+/25$' AS permanent_id, key ~ '^[0-9a-f]+$' AS key
FROM modelreg.search_versions(stage => 'Production');

-- Keys: of this search alone, and what is no key.
SELECT key AS one FROM modelreg.search_versions(tag_key => 'family', page_size => 1) \gset
SELECT model, version FROM modelreg.search_versions(tag_key => 'family', page_size => 1, after => :'one');
\set VERBOSITY sqlstate
SELECT modelreg.search_versions(tag_key => 'owner', page_size => 1, after => :'one');
SELECT modelreg.search_versions(tag_key => 'family', stage => 'Staging', after => :'one');
SELECT modelreg.search_versions(tag_key => 'family', after => :'one' || '00');
SELECT modelreg.search_versions(tag_key => 'family', after => left(:'one', -2));
SELECT modelreg.search_versions(tag_key => 'family', after => upper(:'one'));
SELECT modelreg.search_versions(tag_key => 'family', after => '');
SELECT modelreg.search_versions(tag_key => 'family', after => 'garbage');
SELECT modelreg.search_versions(tag_key => 'family', after => '02' || substr(:'one', 3));
-- A text in a key that is not UTF-8, and one that says it is longer than it is.
SELECT modelreg.search_versions(tag_key => 'family', after => replace(:'one', encode('two-tower', 'hex'), 'fffefdfcfbfaf9f8f7'));
SELECT modelreg.search_versions(tag_key => 'family', after => replace(:'one', '0009' || encode('two-tower', 'hex'), '0109' || encode('two-tower', 'hex')));
\set VERBOSITY default
SELECT modelreg.search_versions(tag_key => 'family', after => 'garbage');

-- What arguments cannot be.
SELECT modelreg.search_versions(tag_value => 'x');
SELECT modelreg.search_versions(param_key => 'x');
SELECT modelreg.search_versions(param_value => 'x');
SELECT modelreg.search_versions(metric_min => 0);
SELECT modelreg.search_versions(lowest_first => true);
SELECT modelreg.search_versions(words => ' ... ');
SELECT modelreg.search_versions(page_size => 0);
SELECT modelreg.search_versions(page_size => NULL);
SELECT modelreg.search_versions(lowest_first => NULL);
SELECT modelreg.search_versions(snapshot => 'commit:seek.code@abc123');
SELECT modelreg.search_versions(model => 'no team');
-- Long and hostile ones find nothing.
SELECT count(*) FROM modelreg.search_versions(tag_key => repeat('x', 100000), tag_value => '''; DROP TABLE modelreg.tag', param_key => '', param_value => '');
SELECT count(*) FROM modelreg.search_versions(name_pattern => repeat('*a', 20000));
SELECT count(*) FROM modelreg.search_versions(metric => 'ndcg@10', metric_min => 1, metric_max => 0);
SELECT count(*) FROM modelreg.search_versions(metric => 'ndcg@10', metric_min => '-Infinity', metric_max => '-Infinity');

-- Rights: what may not be read is as what is not there, also for a name, a run and a key that one happens to know.
SELECT modelreg.search_versions(model => 'seek-vault.reco');
SELECT modelreg.search_versions(model => 'nobody.reco');
SELECT modelreg.search_versions(team => 'seek-vault');
SELECT modelreg.search_versions(run => 'run:seek-vault.train');
SELECT modelreg.search_versions(run => 'run:seek-vault.no-such-run');
RESET ROLE;
SELECT count(*) AS all_of_vault FROM modelreg.search_versions(team => 'seek-vault');
SELECT count(*) AS with_vault FROM modelreg.search_versions(snapshot => 'snapshot:seek.events@2026-06-01', page_size => 1000);
SELECT key AS of_vault FROM modelreg.search_versions(page_size => 10000) WHERE model = 'seek-vault.reco' LIMIT 1 \gset
SET ROLE regress_search_reader;
SELECT count(*) FILTER (WHERE model = 'seek-vault.reco') AS of_vault FROM modelreg.search_versions(after => :'of_vault', page_size => 1000);
SET ROLE regress_search_stranger;
SELECT count(*) FROM modelreg.search_versions();
SELECT count(*) FROM modelreg.search_versions(after => :'of_vault');
RESET ROLE;

-- What has several values of a metric is found once, where the first of them stands, also behind more others than are remembered.
BEGIN;
INSERT INTO modelreg.metric (model_id, version, kind, dataset_id, slice, metric, team_id, value, evaluation_id)
	SELECT model_id, version, 'again', 0, '', metric, team_id, 3, 0 FROM modelreg.metric WHERE metric = 'ndcg@10' AND kind = 'training' AND version <= 5
	UNION ALL SELECT m.id, 1000 + i, 'again', 0, '', 'ndcg@10', m.team_id, 2, 0 FROM modelreg.model m, generate_series(1, 12000) AS i
		WHERE m.name = 'reco' AND m.team_id = (SELECT id FROM modelreg.team WHERE name = 'seek');
SELECT count(*), count(DISTINCT (model, version)) AS versions, count(*) FILTER (WHERE metric_value = 3) AS at_3
	FROM modelreg.search_versions(team => 'seek', metric => 'ndcg@10', page_size => 1000);
SELECT count(*), count(DISTINCT (model, version)) AS versions, count(*) FILTER (WHERE metric_value = 3) AS at_3
	FROM modelreg.search_versions(model => 'seek.reco', metric => 'ndcg@10', metric_min => 0.1, page_size => 1000);
ROLLBACK;

-- A right that is gone counts at once, and so does what comes between two pages.
SELECT key AS first FROM modelreg.search_versions(team => 'seek', page_size => 1) \gset
SELECT modelreg.register_version('seek.reco');
SELECT model, version FROM modelreg.search_versions(team => 'seek', page_size => 1, after => :'first');
SELECT model, version FROM modelreg.search_versions(team => 'seek', page_size => 1);
SELECT modelreg.revoke_level('seek-ads', 'regress_search_reader', 'reader');
SET ROLE regress_search_reader;
SELECT count(*) FROM modelreg.search_versions(name_pattern => 'ctr');
RESET ROLE;

-- A changed description is found by its new words alone, a redacted one by none; a retired model not at all.
SELECT modelreg.set_description('seek.reco', 'Zebra crossing', 61) IS NOT NULL AS described;
SELECT model, version, description FROM modelreg.search_versions(words => 'zebra');
SELECT modelreg.set_description('seek.reco', 'Giraffe', 61) IS NOT NULL AS described;
SELECT count(*) FROM modelreg.search_versions(words => 'zebra');
SELECT model, version, description FROM modelreg.search_versions(words => 'giraffe');
SELECT modelreg.redact((SELECT description_digest FROM modelreg.versions WHERE description = 'Giraffe'), 'personal');
SELECT count(*) FROM modelreg.search_versions(words => 'giraffe');
SELECT count(*) FROM modelreg.search_word WHERE word IN ('zebra', 'giraffe');
SELECT description IS NULL AS redacted FROM modelreg.versions WHERE model = 'seek.reco' AND version = 61;
SELECT modelreg.retire_model('seek.reco-b');
SELECT count(*) FROM modelreg.search_versions(team => 'seek', name_pattern => 'reco-*');
SELECT count(*) FROM modelreg.search_versions(team => 'seek', page_size => 1000) WHERE model = 'seek.reco-b';
SELECT count(*) FROM modelreg.versions WHERE model = 'seek.reco-b';

-- The views, as a reader sees them.
SET ROLE regress_search_reader;
SELECT model, policy, last_version, tags FROM modelreg.models WHERE team LIKE 'seek%' ORDER BY model;
SELECT model, version, stage, current, run, tags, params->>'optimizer' AS optimizer, description FROM modelreg.versions
WHERE team = 'seek' AND name = 'reco' AND version IN (1, 3, 60) ORDER BY version;
SELECT version, kind, slice, metric, value, latest, dataset FROM modelreg.metric_trend
WHERE team = 'seek' AND name = 'reco' AND version = 1 ORDER BY evaluation_id, metric;
RESET ROLE;
