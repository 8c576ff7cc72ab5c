-- impact(), versions as nodes of the lineage, and the views of it.
\set VERBOSITY terse
\pset format unaligned
CREATE ROLE regress_impact_ann;
CREATE ROLE regress_impact_bob;
SELECT modelreg.create_team('imp') > 0 AS made, modelreg.create_team('imp-ads') > 0 AS made_too;
SELECT modelreg.grant_level('imp', 'regress_impact_ann', 'maintainer'), modelreg.grant_level('imp-ads', 'regress_impact_bob', 'maintainer'),
	modelreg.grant_level('imp', 'regress_impact_bob', 'reader');
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

SET ROLE regress_impact_ann;
SELECT modelreg.create_model('imp.ranker', 'open') > 0 AS ranker, modelreg.create_model('imp.blend', 'open') > 0 AS blend;
SELECT modelreg.record_snapshot('imp.events', '2026-05', schema => '["user", "age"]', rows => 10, properties => '{"lake": "eu"}');
SELECT modelreg.record_snapshot('imp.events', '2026-06', schema => '["user", "age"]');
SELECT modelreg.record_run('imp.train-1', inputs => '{"training": "snapshot:imp.events@2026-05"}');
SELECT modelreg.record_run('imp.train-2', inputs => '{"training": "snapshot:imp.events@2026-06", "base": "run:imp.train-1"}');
SELECT modelreg.register_version('imp.ranker', run => 'run:imp.train-1');
SELECT modelreg.register_version('imp.ranker', run => 'run:imp.train-2');
SELECT modelreg.register_version('imp.blend', inputs => '{"component": ["models:/imp.ranker/1", "models:/imp.ranker/2"], "teacher": "models:/imp.ranker/2"}');
SELECT modelreg.promote('imp.ranker', 2, 'Staging') IS NOT NULL AS staged, modelreg.promote('imp.ranker', 2, 'Production') IS NOT NULL AS promoted,
	modelreg.promote('imp.blend', 1, 'Staging') IS NOT NULL AS staged_too;

-- What went into a version, and where a snapshot went
SELECT depth, role, kind, name, version, address FROM modelreg.upstream('models:/imp.blend/1') ORDER BY depth, role, address;
SELECT depth, role, kind, name, version, address FROM modelreg.downstream('snapshot:imp.events@2026-06') ORDER BY depth, role, address;
SELECT depth, role, team, model, version, address, stage, stage_since IS NOT NULL AS since, is_current, by_supersession FROM modelreg.impact('snapshot:imp.events@2026-06') ORDER BY depth, model, version;
SELECT depth, role, model, version, stage, is_current FROM modelreg.impact('snapshot:imp.events@2026-05') ORDER BY depth, model, version;
SELECT depth, model, version, stage FROM modelreg.impact('snapshot:imp.events@2026-05', current_only => true) ORDER BY depth, model, version;
SELECT model, version FROM modelreg.impact('models:/imp.ranker/2');
SELECT count(*) AS none FROM modelreg.impact('models:/imp.blend/1');
SELECT fails(call) FROM (VALUES ('SELECT modelreg.impact(NULL)'), ('SELECT modelreg.impact(''run:imp.train-1'', NULL)'), ('SELECT modelreg.impact(''run:imp.train-3'')'),
	('SELECT modelreg.impact(''models:/imp.ranker/3'')'), ('SELECT modelreg.impact(''models:/imp.ranker/Production'')'), ('SELECT modelreg.impact(''modelreg:x/1/1'')'),
	('SELECT modelreg.impact(''modelreg:00000000-0000-0000-0000-000000000000/1/1'')'), ('SELECT modelreg.impact(''models:/nowhere.ranker/1'')'),
	('SELECT modelreg.impact(''version:imp.ranker@0'')')) AS hostile (call);
SELECT (SELECT count(*) FROM modelreg.impact('version:imp.ranker@2')) AS by_key,
	(SELECT count(*) FROM modelreg.versions v, modelreg.impact(v.permanent_id) WHERE v.model = 'imp.ranker' AND v.version = 2) AS by_permanent_id;
-- A fixed snapshot stands for the bad one
SELECT modelreg.record_snapshot('imp.events', '2026-06-fixed', supersedes => 'snapshot:imp.events@2026-06');
SELECT depth, model, version, by_supersession FROM modelreg.impact('snapshot:imp.events@2026-06-fixed') ORDER BY depth, model, version;

-- Names change, nodes do not; what a retired model leaves is named by its permanent id
SELECT modelreg.rename_model('imp.blend', 'mix');
SELECT model, version, address FROM modelreg.impact('models:/imp.ranker/2');
SELECT name, version, address FROM modelreg.downstream('models:/imp.ranker/2', kinds => '{version}', roles => '{teacher}');
SELECT modelreg.retire_model('imp.mix');
SELECT modelreg.create_model('imp.mix', 'open') > 0 AS other;
SELECT i.model, i.version, i.address = 'modelreg:' || g.identity || '/' || n.model_id || '/1' AS permanent, i.address = n.address AS same, i.is_current
	FROM modelreg.impact('models:/imp.ranker/2') i JOIN modelreg.lineage_nodes n USING (node_id), modelreg.registry g;
SELECT u.role, u.address FROM modelreg.impact('models:/imp.ranker/2') i, modelreg.upstream(i.address, max_depth => 1) u ORDER BY u.role, u.address;
SELECT fails($$SELECT modelreg.upstream('models:/imp.mix/1')$$);

-- Views: plain types, what the caller may read
SELECT team, kind, name, version, address, model_version, rows, schema, properties, properties_digest IS NOT NULL AS redactable,
	supersedes_id IS NOT NULL AS supersedes, superseded_by_id IS NOT NULL AS superseded, level, inputs, role
	FROM modelreg.lineage_nodes WHERE team = 'imp' AND address NOT LIKE 'modelreg:%' ORDER BY node_id;
SELECT c.address AS child, e.role, p.address AS parent, e.parent_kind FROM modelreg.lineage_edges e JOIN modelreg.lineage_nodes c ON c.node_id = e.child_id
	LEFT JOIN modelreg.lineage_nodes p ON p.node_id = e.parent_id WHERE c.name = 'ranker' ORDER BY e.child_id, e.role;
-- Every address in the view is one that functions take
SELECT count(*) FILTER (WHERE (SELECT count(*) FROM modelreg.upstream(address, max_depth => 1)) < inputs) AS broken, count(*) >= 8 AS all FROM modelreg.lineage_nodes WHERE team = 'imp';

-- Another team's version on our snapshot, and ours on theirs
SET ROLE regress_impact_bob;
SELECT modelreg.create_model('imp-ads.bid', 'open') > 0 AS bid;
SELECT modelreg.register_version('imp-ads.bid', inputs => '{"training": "snapshot:imp.events@2026-06"}');
SELECT modelreg.promote('imp-ads.bid', 1, 'Staging') IS NOT NULL AS staged;
SELECT model, version FROM modelreg.impact('snapshot:imp.events@2026-06') ORDER BY model, version;
RESET ROLE;
SELECT modelreg.grant_level('imp-ads', 'regress_impact_ann', 'reader');
SET ROLE regress_impact_ann;
SELECT modelreg.register_version('imp.mix', inputs => '{"base": "models:/imp-ads.bid/1"}');
RESET ROLE;
SELECT modelreg.revoke_level('imp-ads', 'regress_impact_ann', 'reader');
SET ROLE regress_impact_ann;
SELECT model, version FROM modelreg.impact('snapshot:imp.events@2026-06') WHERE address NOT LIKE 'modelreg:%' ORDER BY model, version;
SELECT depth, role, address FROM modelreg.upstream('models:/imp.mix/1') ORDER BY depth;
SELECT e.role, e.parent_id, e.parent_team, e.parent_kind, e.parent_readable FROM modelreg.lineage_edges e JOIN modelreg.lineage_nodes c ON c.node_id = e.child_id WHERE c.address = 'models:/imp.mix/1';
SELECT fails($$SELECT parent_kind FROM modelreg.edge$$), fails($$SELECT modelreg.impact('models:/imp-ads.bid/1')$$);
SELECT count(*) AS of_others FROM modelreg.lineage_nodes WHERE team = 'imp-ads';

-- Properties that are gone: the view is without them, and recording the same again is no error
RESET ROLE;
SELECT modelreg.redact(properties_digest, 'named a person') FROM modelreg.lineage_nodes WHERE address = 'snapshot:imp.events@2026-05';
SELECT schema, properties, properties_digest IS NOT NULL AS digest_stays FROM modelreg.lineage_nodes WHERE address = 'snapshot:imp.events@2026-05';
SET ROLE regress_impact_ann;
SELECT modelreg.record_snapshot('imp.events', '2026-05', schema => '["user", "age"]', rows => 10, properties => '{"lake": "eu"}');
RESET ROLE;

-- Beside parallel workers, with rights that this session has not looked up before
CREATE TABLE impact_rows AS SELECT i FROM generate_series(1, 20000) AS i;
ALTER TABLE impact_rows SET (parallel_workers = 2);
GRANT SELECT ON impact_rows TO regress_impact_bob;
ANALYZE impact_rows;
CREATE FUNCTION gathers(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text; found boolean := false;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		found := found OR line LIKE '%Gather%';
	END LOOP;
	RETURN found;
END $$;
\c -
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET ROLE regress_impact_bob;
SELECT gathers($$SELECT count(*) FROM impact_rows, modelreg.impact('snapshot:imp.events@2026-05')$$);
SELECT count(*) > 0 AS rows FROM impact_rows, modelreg.impact('snapshot:imp.events@2026-05');
RESET ROLE;
DROP TABLE impact_rows;
DROP FUNCTION fails(text), gathers(text);
DROP ROLE regress_impact_ann, regress_impact_bob;
