-- Teams that everybody may discover: what the catalog tells, and inputs from a team that one may not read.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_disc_owner;
CREATE ROLE regress_disc_helper;
CREATE ROLE regress_disc_gone;
CREATE ROLE regress_disc_other;
CREATE ROLE regress_disc_nobody;
CREATE FUNCTION fails(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; reason text;
BEGIN
	EXECUTE statement;
	RETURN 'passed';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, reason = CONSTRAINT_NAME;
	RETURN concat_ws('|', SQLSTATE, reason, message, nullif(detail, ''));
END $$;
CREATE FUNCTION returned(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	EXECUTE 'SELECT modelreg.' || call INTO STRICT result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN concat_ws('|', SQLSTATE, SQLERRM);
END $$;
SELECT count(*) = 2 AS created FROM unnest('{disc-a,disc-b}'::text[]) AS t WHERE modelreg.create_team(t) > 0;
SELECT modelreg.revoke_level(t, current_user, 'maintainer') FROM unnest('{disc-a,disc-b}'::text[]) AS t;
SELECT modelreg.grant_level('disc-a', 'regress_disc_other', level) FROM unnest('{contributor,evaluator}'::text[]) AS level;
SELECT modelreg.grant_level('disc-b', 'regress_disc_owner', level) FROM unnest('{maintainer,evaluator}'::text[]) AS level;
SELECT modelreg.grant_level('disc-b', 'regress_disc_helper', 'contributor'), modelreg.grant_level('disc-b', 'regress_disc_gone', 'maintainer', request_id => 'gone');
DROP ROLE regress_disc_gone;
SELECT modelreg.grant_level('disc-b', 'regress_disc_gone', 'maintainer', request_id => 'gone');
SET ROLE regress_disc_owner;
SELECT modelreg.create_model('disc-b.m', 'open', description => 'ranks things') > 0 AS created, modelreg.create_model('disc-b.plain', 'open') > 0 AS created,
	modelreg.create_model('disc-b.retired', 'open') > 0 AS created;
SELECT modelreg.retire_model('disc-b.retired');
SELECT modelreg.record_snapshot('disc-b.events', '1'), modelreg.record_snapshot('disc-b.events', '2', inputs => '{"base": "snapshot:disc-b.events@1"}');
SELECT modelreg.register_version('disc-b.m', inputs => '{"training": "snapshot:disc-b.events@2"}');
SELECT modelreg.set_alias('disc-b.m', 'champion', 1) > 0 AS set, modelreg.promote('disc-b.m', 1, 'Production') > 0 AS promoted;
SELECT permanent_id FROM modelreg.versions WHERE model = 'disc-b.m' \gset
RESET ROLE;
SELECT modelreg.grant_level('disc-a', 'regress_disc_other', 'maintainer');
SET ROLE regress_disc_other;
SELECT modelreg.create_model('disc-a.m', 'open') > 0 AS created;
RESET ROLE;
SELECT modelreg.revoke_level('disc-a', 'regress_disc_other', 'maintainer');
SET ROLE regress_disc_other;

-- before: as if there were nothing
CREATE TEMP TABLE address (n integer, address text);
INSERT INTO address VALUES (1, 'snapshot:disc-b.events@2'), (2, 'snapshot:disc-b.events@3'), (3, 'models:/disc-b.m/1'), (4, 'models:/disc-b.m/2'), (5, :'permanent_id'),
	(6, 'models:/disc-b.m@champion'), (7, 'models:/disc-b.m/Production'), (8, 'models:/disc-b.m/latest'), (9, 'models:/disc-b.m');
CREATE TEMP VIEW attempts AS SELECT n, regexp_replace(fails(format('SELECT modelreg.record_run(''disc-a.r%s'', inputs => ''{"base": [%s]}'')', n, to_json(address))),
	'modelreg:[-0-9a-f]{36}/\d+', 'modelreg:IDENTITY/ID') AS attempt FROM address ORDER BY n;
SELECT * FROM modelreg.catalog;
SELECT * FROM attempts;

-- a maintainer decides
SELECT fails($$SELECT modelreg.set_discoverable('disc-b', true)$$), fails($$SELECT modelreg.set_discoverable('disc-a', true)$$), fails($$SELECT modelreg.set_discoverable(NULL, true)$$);
SET ROLE regress_disc_helper;
SELECT fails($$SELECT modelreg.set_discoverable('disc-b', true)$$);
SET ROLE regress_disc_owner;
SELECT fails($$SELECT modelreg.set_discoverable('disc-b', NULL)$$);
SELECT modelreg.set_discoverable('disc-b', true, request_id => 'd'), modelreg.set_discoverable('disc-b', true, request_id => 'd'), modelreg.set_discoverable('disc-b', true);
SELECT fails($$SELECT modelreg.set_discoverable('disc-b', false, request_id => 'd')$$);
SELECT kind, what FROM modelreg.events WHERE team = 'disc-b' AND kind = 'discoverable_set';

-- everybody sees the catalog, and nothing that is in it; whom to ask are those whose rights count
SET ROLE regress_disc_nobody;
SELECT * FROM modelreg.catalog ORDER BY model;
SELECT count(*) FROM modelreg.models WHERE team = 'disc-b' UNION ALL SELECT count(*) FROM modelreg.team;
SELECT fails($$SELECT modelreg.production('disc-b.m')$$), fails($$SELECT modelreg.upstream('snapshot:disc-b.events@2')$$);
SET ROLE regress_disc_other;
SELECT count(*) FROM modelreg.models WHERE team = 'disc-b' UNION ALL SELECT count(*) FROM modelreg.lineage_nodes WHERE team = 'disc-b';

-- whoever knows an exact address may name it; what asks for something is closed
SELECT * FROM attempts;
SELECT modelreg.register_version('disc-a.m', parents => '{models:/disc-b.m/1}', inputs => '{"training": "snapshot:disc-b.events@1"}');
SELECT modelreg.record_nodes('{run:disc-a.bulk}', inputs => ARRAY['{"training": ["snapshot:disc-b.events@1", "snapshot:disc-b.events@2"]}'::jsonb]);
SELECT fails($$SELECT modelreg.record_nodes('{run:disc-a.bulk2}', inputs => ARRAY['{"training": ["snapshot:disc-b.events@4", "snapshot:disc-b.events@2"]}'::jsonb])$$);
-- calls that will be repeated when what they name is hidden, or has another name
CREATE TEMP TABLE call AS SELECT n, call, returned(call) AS first FROM (VALUES
	(1, $$record_node('commit', 'disc-a.again', '1', inputs => '{"base": "snapshot:disc-b.events@1"}', request_id => 'again')$$),
	(2, $$record_run('disc-a.again', inputs => '{"base": "models:/disc-b.m/1"}', request_id => 'again')$$),
	(3, $$record_snapshot('disc-a.again', '1', inputs => '{"base": "snapshot:disc-b.events@1"}', request_id => 'again')$$),
	(4, $$record_table_snapshot('address', 'disc-a.table', '1', inputs => '{"base": "snapshot:disc-b.events@1"}', request_id => 'again')$$),
	(5, $$record_nodes('{run:disc-a.first,run:disc-a.second}', ARRAY['{"base": "snapshot:disc-b.events@1"}', '{"base": "run:disc-a.first"}']::jsonb[], request_id => 'again')$$),
	(6, $$register_version('disc-a.m', parents => '{models:/disc-b.m/1}', artifacts => '[{"name": "w", "uri": "s3://w", "size": 1,
		"digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]', request_id => 'again')$$),
	(7, $$record_evaluation('models:/disc-a.m/2', 'offline', '{"f1": 1}', dataset => 'models:/disc-a.m/1', request_id => 'again')$$),
	(8, $$record_artifact_check('disc-a.m', 2, 'w', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 1, request_id => 'again')$$),
	(9, $$quarantine('models:/disc-a.m/2', 'why', request_id => 'again')$$)) AS calls (n, call);
SELECT n, CASE WHEN n IN (7, 9) THEN (first::bigint > 0)::text ELSE first END AS first FROM call ORDER BY n;
SELECT n, returned(call) = first AS same FROM call ORDER BY n;
-- only as an input
SELECT statement, fails('SELECT modelreg.' || statement) FROM (VALUES ('upstream(''snapshot:disc-b.events@2'')'), ('is_derived_from(''models:/disc-a.m/1'', ''snapshot:disc-b.events@2'')'),
	('impact(''models:/disc-b.m/1'')'), ('resolve(''models:/disc-b.m/1'')'), ('record_snapshot(''disc-a.events'', ''1'', supersedes => ''snapshot:disc-b.events@2'')'),
	('record_evaluation(''models:/disc-b.m/1'', ''offline'', ''{"f1": 1}'')'), ('record_evaluation(''models:/disc-a.m/1'', ''offline'', ''{"f1": 1}'', dataset => ''snapshot:disc-b.events@2'')'),
	('search_versions(snapshot => ''snapshot:disc-b.events@1'')'), ('record_snapshot(''disc-b.events'', ''9'')')) AS s(statement);
-- it shows as something that one may not read, from both sides
SELECT depth, role, team, kind, address FROM modelreg.upstream('models:/disc-a.m/1') ORDER BY depth, role;
SELECT role, parent_id, parent_team, parent_readable FROM modelreg.lineage_edges WHERE child_team = 'disc-a' AND child_kind = 'version' ORDER BY role;
SET ROLE regress_disc_owner;
SELECT depth, role, team, kind, address FROM modelreg.downstream('models:/disc-b.m/1') ORDER BY depth, role;

-- names of now, texts that were not redacted, models and teams that live
SELECT modelreg.rename_model('disc-b.m', 'ranker');
SELECT encode(payload, 'hex') AS text FROM modelreg.description WHERE payload IS NOT NULL AND model_id = (SELECT model_id FROM modelreg.models WHERE model = 'disc-b.ranker') \gset
RESET ROLE;
SELECT modelreg.redact(:'text', 'a person'), modelreg.rename_team('disc-b', 'disc-c');
SET ROLE regress_disc_other;
SELECT * FROM modelreg.catalog ORDER BY model;
SELECT fails($$SELECT modelreg.record_run('disc-a.old', inputs => '{"base": ["snapshot:disc-b.events@1"]}')$$), fails($$SELECT modelreg.record_run('disc-a.new', inputs => '{"base": ["snapshot:disc-c.events@1", "models:/disc-c.ranker/1"]}')$$);

-- and no longer: what was named stays
SET ROLE regress_disc_owner;
SELECT modelreg.set_discoverable('disc-c', false);
SET ROLE regress_disc_other;
SELECT * FROM modelreg.catalog;
UPDATE address SET n = n + 20;
SELECT * FROM attempts;
SELECT count(*) FROM modelreg.upstream('models:/disc-a.m/1');
-- a retired team ends it too
SET ROLE regress_disc_owner;
SELECT modelreg.set_discoverable('disc-c', true), modelreg.promote('disc-c.ranker', 1, 'Archived', leave_none => true) > 0 AS left, modelreg.retire_model('disc-c.ranker'), modelreg.retire_model('disc-c.plain');
SET ROLE regress_disc_other;
SELECT count(*) AS models, fails($$SELECT modelreg.record_run('disc-a.before', inputs => '{"base": ["snapshot:disc-c.events@1"]}')$$) FROM modelreg.catalog;
RESET ROLE;
SELECT modelreg.retire_team('disc-c');
SET ROLE regress_disc_other;
SELECT fails($$SELECT modelreg.record_run('disc-a.after', inputs => '{"base": ["snapshot:disc-c.events@1"]}')$$);
-- who calls again with the request id gets what the first call returned, and nothing is done; another id, or another input, is another call
RESET ROLE;
SELECT modelreg.grant_level('disc-a', 'regress_disc_other', 'maintainer');
SET ROLE regress_disc_other;
SELECT modelreg.rename_model('disc-a.m', 'renamed');
SELECT modelreg.lift_quarantine('models:/disc-a.renamed/2', 'over') > 0 AS lifted;
SELECT n, returned(call) = first AS same FROM call ORDER BY n;
SELECT n, returned(replace(call, '=> ''again''', '=> ''other''')) FROM call ORDER BY n;
SELECT n, returned(replace(call, 'events@1', 'events@2')) FROM call WHERE n IN (1, 5) ORDER BY n;
SELECT count(*) FROM modelreg.versions WHERE model = 'disc-a.renamed' UNION ALL SELECT count(*) FROM modelreg.quarantined WHERE team = 'disc-a';
RESET ROLE;
SELECT modelreg.revoke_level('disc-a', 'regress_disc_other', 'maintainer');
SELECT * FROM modelreg.verify('disc-a') UNION ALL SELECT * FROM modelreg.verify('disc-c');

DROP VIEW attempts;
DROP TABLE address, call;
DROP FUNCTION fails, returned;
SELECT modelreg.revoke_level('disc-a', 'regress_disc_other', level) FROM unnest('{contributor,evaluator}'::text[]) AS level;
DROP ROLE regress_disc_owner, regress_disc_helper, regress_disc_other, regress_disc_nobody;
