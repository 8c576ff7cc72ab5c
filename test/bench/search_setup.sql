-- Forged versions: rows put into the tables directly, as no registration would be quick enough for a million. Inserts pass the
-- guard; only what a search reads is there. Half of all versions are of one model; team other is not the reader's.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET synchronous_commit = off;
SET work_mem = '64MB';
CREATE ROLE regress_bench_reader LOGIN;
SELECT modelreg.create_team('find'), modelreg.create_team('other');
SELECT modelreg.grant_level('find', 'regress_bench_reader', 'reader');
SELECT count(modelreg.create_model('find.model-' || lpad(i::text, 4, '0'), 'open')) FROM generate_series(1, 500) AS i;
SELECT count(modelreg.create_model('other.model-' || lpad(i::text, 4, '0'), 'open')) FROM generate_series(1, 10) AS i;
SELECT modelreg.record_snapshot('find.events', '1'), modelreg.record_snapshot('find.events', '2'), modelreg.record_run('find.big', '{"training": ["snapshot:find.events@1"]}'),
	modelreg.record_run('find.small', '{"training": ["snapshot:find.events@2"]}');
-- The first version of each model is registered, and current.
SELECT count(modelreg.register_version('find.model-' || lpad(i::text, 4, '0'))) FROM generate_series(1, 500) AS i;
SELECT count(modelreg.promote('find.model-' || lpad(i::text, 4, '0'), 1, 'Production')) FROM generate_series(1, 500) AS i;

-- Every version: number i of all; where it is and what it has.
CREATE TEMP TABLE forged AS
	SELECT i, m.id AS model_id, m.team_id, 1 + row_number() OVER (PARTITION BY m.id ORDER BY i)::integer AS version, 1000000::bigint + i AS node_id,
		'2026-01-01'::timestamptz + i * interval '1 second' AS registered_at,
		CASE WHEN i % 10000 = 7 THEN small.id WHEN i % 20 = 0 THEN big.id END AS run_id,
		(CASE WHEN i % 1000 = 0 THEN 'Production' WHEN i % 50 = 0 THEN 'Staging' ELSE 'Experimental' END)::modelreg.stage AS stage
	FROM generate_series(1, :versions) AS i
		JOIN modelreg.model m ON m.name = 'model-' || lpad(CASE WHEN i % 2 = 0 THEN '1' ELSE (1 + (i / 2) % 500)::text END, 4, '0')
			AND (i % 2 = 0 OR i % 7 > 0 OR (i / 2) % 500 < 10)
		JOIN modelreg.team t ON t.id = m.team_id AND t.name = CASE WHEN i % 2 = 1 AND i % 7 = 0 THEN 'other' ELSE 'find' END
		JOIN modelreg.node big ON big.name = 'big' JOIN modelreg.node small ON small.name = 'small';
INSERT INTO modelreg.version (model_id, version, team_id, node_id, identity, run_id, registered_at, who, node_hash, artifacts_hash, hash, format)
	SELECT model_id, version, team_id, node_id, r.identity, run_id, registered_at, '{}', '', '',
		modelreg.row_hash('version', 1::smallint, model_id, version, team_id, node_id, r.identity, run_id, registered_at, NULL::timestamptz,
			'{}'::jsonb, NULL::text, NULL::bytea, NULL::bytea, NULL::bytea, ''::bytea, NULL::bytea, ''::bytea), 1
	FROM forged, modelreg.registry r;
INSERT INTO modelreg.version_stage SELECT model_id, version, team_id, stage, registered_at FROM forged;
INSERT INTO modelreg.param SELECT model_id, version, 'optimizer', team_id, CASE WHEN i % 10 < 3 THEN 'adam' ELSE 'sgd' END FROM forged;
INSERT INTO modelreg.param SELECT model_id, version, 'seed', team_id, (i % 5)::text FROM forged;
INSERT INTO modelreg.metric (model_id, version, kind, dataset_id, slice, metric, team_id, value, evaluation_id)
	SELECT model_id, version, 'training', 0, '', 'ndcg', team_id, 0.5 + 0.4 * sin(i), i FROM forged;
INSERT INTO modelreg.tag (model_id, version, key, team_id, value, payload) SELECT model_id, version, 'family', team_id, 'f' || i % 10, '' FROM forged WHERE i % 3 = 0;
CREATE TEMP TABLE described AS
	SELECT f.*, CASE WHEN i % 100 < 10 THEN 'a common and rare one, number ' ELSE 'a common one, number ' END || i AS body, decode(lpad(to_hex(i), 32, '0'), 'hex') AS salt FROM forged f;
INSERT INTO modelreg.payload SELECT modelreg.row_hash('payload', 1::smallint, salt, body), team_id, salt, body FROM described;
INSERT INTO modelreg.description (model_id, version, team_id, payload, words)
	SELECT model_id, version, team_id, modelreg.row_hash('payload', 1::smallint, salt, body), CASE WHEN i % 100 < 10 THEN '{common,rare}' ELSE '{common}' END::text[] FROM described;
INSERT INTO modelreg.search_word SELECT team_id, word, model_id, version FROM modelreg.description, unnest(words) AS word;
INSERT INTO modelreg.edge (child, parent, parent_low, child_team, parent_team, parent_level, role, child_kind, parent_kind)
	SELECT f.node_id, n.id, n.low, f.team_id, n.team_id, n.level, 'run', 'version', n.kind FROM forged f JOIN modelreg.node n ON n.id = f.run_id;
RESET synchronous_commit;
VACUUM ANALYZE;
