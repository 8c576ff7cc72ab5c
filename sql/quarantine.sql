-- Quarantine: who may, what it keeps out, what it shows to whom, and that it moves nothing.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_q_ann;
CREATE ROLE regress_q_eva;
CREATE ROLE regress_q_rev;
CREATE ROLE regress_q_con;
CREATE ROLE regress_q_bob;
SELECT modelreg.create_team('q') > 0, modelreg.create_team('q-data') > 0;
SELECT modelreg.grant_level('q', 'regress_q_ann', 'maintainer'), modelreg.grant_level('q', 'regress_q_eva', 'evaluator'),
	modelreg.grant_level('q', 'regress_q_rev', 'reviewer'), modelreg.grant_level('q', 'regress_q_con', 'contributor'),
	modelreg.grant_level('q-data', 'regress_q_bob', 'maintainer'), modelreg.grant_level('q', 'regress_q_bob', 'contributor');
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

-- Versions 1 to 3 derive from one snapshot, 4 from another team's; 5 from nothing
SET ROLE regress_q_bob;
SELECT modelreg.record_snapshot('q-data.users', '1'), modelreg.record_snapshot('q-data.users', '2'), modelreg.record_node('commit', 'q-data.clean', 'c1');
SELECT modelreg.record_snapshot('q.raw', '1');
SELECT modelreg.record_snapshot('q.events', '1', inputs => '{"source": "snapshot:q.raw@1"}');
SELECT modelreg.record_run('q.train-1', inputs => '{"training": "snapshot:q.events@1"}');
SELECT modelreg.record_run('q.train-4', inputs => '{"training": "snapshot:q-data.users@1", "code": "commit:q-data.clean@c1"}');
SET ROLE regress_q_ann;
SELECT modelreg.create_model('q.m', 'open') > 0, modelreg.create_model('q.blend', 'open') > 0;
SELECT modelreg.register_version('q.m', run => 'run:q.train-1') FROM generate_series(1, 3);
SELECT modelreg.register_version('q.m', run => 'run:q.train-4'), modelreg.register_version('q.m');
SELECT modelreg.register_version('q.blend', inputs => '{"component": ["models:/q.m/1", "models:/q.m/4"]}');
SELECT modelreg.promote('q.m', v, 'Production') IS NOT NULL FROM unnest('{5,4,1,2}'::int[]) v;
SELECT modelreg.promote('q.blend', 1, 'Production') IS NOT NULL;

-- Who may
SET ROLE regress_q_con;
SELECT fails($$SELECT modelreg.quarantine('snapshot:q.raw@1', 'broken')$$);
SET ROLE regress_q_rev;
SELECT fails($$SELECT modelreg.quarantine('snapshot:q-data.users@1', 'not mine, nor do I know it')$$);
SET ROLE regress_q_bob;
SELECT fails($$SELECT modelreg.quarantine('models:/q.m/2', 'a contributor of q')$$);
SET ROLE regress_q_eva;
SELECT fails(s) FROM (VALUES ($$SELECT modelreg.quarantine(NULL, 'x')$$), ($$SELECT modelreg.quarantine('snapshot:q.raw@1', NULL)$$),
	($$SELECT modelreg.quarantine('snapshot:q.raw@9', 'x')$$), ($$SELECT modelreg.quarantine('q.m', 'x')$$), ($$SELECT modelreg.quarantine('models:/q.m@champion', 'x')$$)) h (s);
SELECT modelreg.quarantine('snapshot:q.raw@1', 'ages are corrupt', request_id => 'incident-1') > 0;
SELECT modelreg.quarantine('snapshot:q.raw@1', 'ages are corrupt', request_id => 'incident-1') > 0;
SELECT modelreg.quarantine('snapshot:q.raw@1', 'again') IS NULL;
SELECT fails($$SELECT modelreg.quarantine('snapshot:q.raw@1', 'another', request_id => 'incident-1')$$);
SELECT fails($$SELECT modelreg.lift_quarantine('snapshot:q.raw@1', 'an evaluator does not')$$);

-- It moved nothing, and is told
SELECT node, team, kind, since IS NOT NULL, role, reason FROM modelreg.quarantined;
SELECT node, depth, role, model, version, by_supersession FROM modelreg.quarantine_impact ORDER BY model;
SELECT model, version FROM modelreg.production_now WHERE team = 'q' ORDER BY model;
SELECT kind, what ? 'node_id', reason FROM modelreg.events WHERE team = 'q' AND kind LIKE 'quarantine%' ORDER BY number;

-- What derives from it is let in nowhere, whatever it is; leaving is never refused
SET ROLE regress_q_ann;
SELECT fails($$SELECT modelreg.promote('q.m', 3, 'Staging')$$);
SELECT fails($$SELECT modelreg.promote('q.m', 3, 'Production')$$);
SELECT fails($$SELECT modelreg.promote('q.m', 2, 'Staging', leave_none => true)$$);
SELECT modelreg.promote('q.m', 2, 'Production') IS NULL AS already_there;
SELECT modelreg.promote('q.m', 3, 'Archived') IS NOT NULL, modelreg.promote('q.m', 3, 'Experimental') IS NOT NULL;
-- what is in stage Production already does not become current by another call
SELECT modelreg.promote('q.m', 5, 'Production', archive_others => false) IS NOT NULL;
SELECT fails($$SELECT modelreg.promote('q.m', 2, 'Production')$$);
SELECT stage FROM modelreg.versions WHERE model = 'q.m' AND version = 2;
SELECT modelreg.promote('q.m', 2, 'Archived') IS NOT NULL;

-- previous() and rollback_model() pass by: 5, 4, 1, 2, 5 were current, 1 and 2 derive from it
SELECT version FROM modelreg.previous('q.m');
SET ROLE regress_q_bob;
SELECT modelreg.quarantine('commit:q-data.clean@c1', 'leaks the label') > 0, modelreg.quarantine('snapshot:q-data.users@2', 'nobody uses it') > 0;
-- the other team's node counts, and is not named to who may not read it
SET ROLE regress_q_ann;
SELECT version FROM modelreg.previous('q.m');
SELECT fails($$SELECT modelreg.rollback_model('q.m', 'nothing is left')$$);
SELECT fails($$SELECT modelreg.promote('q.m', 4, 'Staging')$$);
SELECT node FROM modelreg.quarantined ORDER BY node;
SET ROLE regress_q_bob;
SELECT fails($$SELECT modelreg.promote('q.m', 4, 'Staging')$$);
SELECT fails($$SELECT modelreg.promote('q.blend', 1, 'Staging', leave_none => true)$$);
SELECT node FROM modelreg.quarantined ORDER BY node;
SET ROLE regress_q_ann;
SELECT fails($$SELECT modelreg.promote('q.blend', 1, 'Staging', leave_none => true)$$);

-- Lifted: all is as it was
SET ROLE regress_q_rev;
SELECT modelreg.lift_quarantine('snapshot:q.raw@1', 'read anew', request_id => 'lift-1') > 0;
SELECT modelreg.lift_quarantine('snapshot:q.raw@1', 'read anew', request_id => 'lift-1') > 0;
SELECT modelreg.lift_quarantine('snapshot:q.raw@1', 'again') IS NULL;
SET ROLE regress_q_ann;
SELECT version FROM modelreg.previous('q.m');
SELECT modelreg.promote('q.m', 3, 'Staging') IS NOT NULL, modelreg.rollback_model('q.m', 'back');

-- A version itself, also of a retired model; a node that stands for another; a retired team's
SELECT modelreg.quarantine('models:/q.m/2', 'drifts') > 0;
SELECT node, depth, model, version FROM modelreg.quarantine_impact ORDER BY node, model;
SELECT fails($$SELECT modelreg.promote('q.m', 2, 'Staging', leave_none => true)$$);
SELECT modelreg.lift_quarantine('models:/q.m/2', 'does not') > 0;
SELECT modelreg.record_snapshot('q.raw', '2', supersedes => 'snapshot:q.raw@1');
SELECT modelreg.record_run('q.train-6', inputs => '{"training": "snapshot:q.raw@2"}');
SELECT modelreg.register_version('q.m', run => 'run:q.train-6');
SELECT modelreg.quarantine('snapshot:q.raw@1', 'superseded by what is right') > 0;
SELECT modelreg.promote('q.m', 6, 'Staging') IS NOT NULL AS derives_from_the_right_one;
SELECT modelreg.lift_quarantine('snapshot:q.raw@1', 'x') > 0, modelreg.quarantine('snapshot:q.raw@2', 'worse than what it stands for') > 0;
SELECT fails($$SELECT modelreg.promote('q.m', 1, 'Staging')$$);
SELECT node, depth, model, version, by_supersession FROM modelreg.quarantine_impact ORDER BY model;
SELECT modelreg.lift_quarantine('snapshot:q.raw@2', 'x') > 0;
SELECT modelreg.create_model('q.old', 'open') > 0, modelreg.register_version('q.old');
SELECT modelreg.register_version('q.blend', parents => '{models:/q.old/1}');
SELECT modelreg.retire_model('q.old');
SELECT modelreg.quarantine(address, 'of a retired model') > 0 FROM modelreg.lineage_nodes WHERE name = 'old' AND team = 'q';
SELECT node LIKE 'modelreg:%/1', kind FROM modelreg.quarantined;
SELECT regexp_replace(fails($$SELECT modelreg.promote('q.blend', 2, 'Staging')$$), 'modelreg:[^ .]*', 'modelreg:...');
SELECT modelreg.lift_quarantine(node, 'x') > 0 FROM modelreg.quarantined;

-- Many at once: one walk instead of one for each
SELECT count(modelreg.quarantine(modelreg.record_node('note', 'q.n', n::text), 'one of many')) FROM generate_series(1, 30) n;
SELECT modelreg.promote('q.m', 3, 'Production') IS NOT NULL;
SELECT modelreg.quarantine('snapshot:q.events@1', 'one more') > 0;
SELECT fails($$SELECT modelreg.promote('q.m', 1, 'Staging')$$);
SELECT modelreg.record_run('q.train-7', inputs => jsonb_build_object('odd', jsonb_agg('note:q.n@' || n))) FROM generate_series(1, 30) n;
SELECT modelreg.register_version('q.m', run => 'run:q.train-7');
SELECT fails($$SELECT modelreg.promote('q.m', 7, 'Staging')$$);
SELECT count(modelreg.lift_quarantine(node, 'all of them')) FROM modelreg.quarantined WHERE kind = 'note';

-- The gate: before every move to Staging and Production, in all roles unless the policy names some, and never only a warning
SELECT gate, kind, severity, required, observed, verdict, source FROM modelreg.check_promotion('q.m', 1, 'Staging');
SELECT gate, observed, verdict, source FROM modelreg.check_promotion('q.m', 5, 'Production');
SELECT count(*) FROM modelreg.check_promotion('q.m', 3, 'Archived');
SELECT fails($$SELECT modelreg.create_policy('q', 'narrow', '{"format": 1, "transitions": [], "gates": {"a": {"kind": "quarantine", "severity": "warn"},
	"b": {"kind": "quarantine", "roles": []}, "c": {"kind": "quarantine", "roles": [1], "kinds": ["x"]}}}')$$);
SELECT modelreg.create_policy('q', 'narrow', '{"format": 1, "gates": {"data": {"kind": "quarantine", "roles": ["training", "base"]}},
	"transitions": [{"from": ["Experimental"], "to": "Staging", "levels": ["maintainer"], "gates": ["data"]},
		{"from": ["Experimental", "Staging"], "to": "Production", "levels": ["maintainer"], "gates": ["data"]},
		{"from": ["Staging", "Production"], "to": "Archived", "levels": ["maintainer"]}]}');
RESET ROLE;
SELECT modelreg.allow_policy('q', 'narrow', 1);
SET ROLE regress_q_ann;
SELECT modelreg.record_node('corpus', 'q.c', n::text) FROM generate_series(1, 4) n;
SELECT modelreg.record_node('corpus', 'q.c', '2-fixed', supersedes => 'corpus:q.c@2');
SELECT modelreg.record_run('q.narrow', inputs => '{"training": "corpus:q.c@1", "teacher": ["corpus:q.c@2", "corpus:q.c@3"], "base": "corpus:q.c@3", "test": "corpus:q.c@4"}');
SELECT modelreg.create_model('q.narrow', 'narrow') > 0, modelreg.register_version('q.narrow', run => 'run:q.narrow');
-- in another role, and by what stands for an input in another role: it may; the very run may not
SELECT modelreg.quarantine('corpus:q.c@4', 'x') > 0, modelreg.quarantine('corpus:q.c@2-fixed', 'x') > 0;
SELECT gate, required, observed, verdict FROM modelreg.check_promotion('q.narrow', 1, 'Staging');
SELECT modelreg.promote('q.narrow', 1, 'Staging') IS NOT NULL;
SELECT modelreg.quarantine('corpus:q.c@3', 'a teacher and a base') > 0;
SELECT gate, observed, verdict, source FROM modelreg.check_promotion('q.narrow', 1, 'Production');
SELECT fails($$SELECT modelreg.promote('q.narrow', 1, 'Production')$$);
SELECT modelreg.lift_quarantine('corpus:q.c@3', 'x') > 0, modelreg.quarantine('corpus:q.c@1', 'x') > 0;
SELECT fails($$SELECT modelreg.promote('q.narrow', 1, 'Production')$$);
SELECT modelreg.lift_quarantine('corpus:q.c@1', 'x') > 0, modelreg.record_snapshot('q.unused', '1'), modelreg.record_node('corpus', 'q.c', '1-fixed', supersedes => 'corpus:q.c@1');
SELECT modelreg.quarantine('corpus:q.c@1-fixed', 'it stands for what it was trained on') > 0;
SELECT fails($$SELECT modelreg.promote('q.narrow', 1, 'Production')$$);
SELECT modelreg.lift_quarantine('corpus:q.c@1-fixed', 'x') > 0, modelreg.quarantine('models:/q.narrow/1', 'itself, in whatever role') > 0;
SELECT fails($$SELECT modelreg.promote('q.narrow', 1, 'Production')$$);
SELECT modelreg.lift_quarantine('models:/q.narrow/1', 'x') > 0;
SELECT modelreg.promote('q.narrow', 1, 'Production') IS NOT NULL;
SELECT gate, observed, verdict FROM modelreg.gate_evidence WHERE model = 'q.narrow' ORDER BY number, gate;
-- an automatic move asks the same gate and no more
SELECT modelreg.create_policy('q', 'by itself', '{"format": 1, "gates": {"data": {"kind": "quarantine", "roles": ["training"]}},
	"transitions": [{"from": ["Experimental"], "to": "Staging", "levels": ["maintainer"], "automatic": true, "gates": ["data"]},
		{"from": ["Staging"], "to": "Production", "levels": ["maintainer"], "gates": ["data"]}]}');
RESET ROLE;
SELECT modelreg.allow_policy('q', 'by itself', 1);
SET ROLE regress_q_ann;
SELECT modelreg.create_model('q.itself', 'by itself') > 0;
SELECT modelreg.register_version('q.itself', inputs => '{"training": "corpus:q.c@1", "test": "corpus:q.c@4"}');
SELECT modelreg.register_version('q.itself', inputs => '{"training": "corpus:q.c@4"}');
SELECT version, stage FROM modelreg.versions WHERE model = 'q.itself' ORDER BY version;
-- of what is recorded of one version there is one thing left to do before the commit, and who did it is kept once
SET ROLE regress_q_ann;
SELECT modelreg.create_model('q.often', 'by itself') > 0, modelreg.register_version('q.often'), modelreg.register_version('q.often');
BEGIN;
SET ROLE regress_q_eva;
SELECT count(modelreg.record_evaluation('models:/q.often/1', 'offline', '{}', passed => true)) FROM generate_series(1, 1000) n;
RESET ROLE;
SELECT total_bytes < 300000 FROM pg_backend_memory_contexts WHERE name = 'modelreg marks';
SET ROLE regress_q_eva;
SELECT count(modelreg.record_evaluation(format('models:/q.often/%s', n % 2 + 1), 'offline', '{}', passed => true)) FROM generate_series(1, 1000) n;
RESET ROLE;
SELECT total_bytes < 300000 FROM pg_backend_memory_contexts WHERE name = 'modelreg marks';
COMMIT;
SET ROLE regress_q_ann;
-- with other gates that refuse, all are told; a refusal that is kept has its evidence
SELECT modelreg.attempt_promotion('q.m', 1, 'Staging', 'to keep the refusal') IS NOT NULL;
SELECT kind, what->>'version' FROM modelreg.events WHERE kind = 'promotion_refused' AND team = 'q';
-- nor is an emergency a way past it
SELECT fails($$SELECT modelreg.emergency_promote('q.m', 1, 'Production', 'the site is down')$$);
SELECT modelreg.lift_quarantine(node, 'x') > 0 FROM modelreg.quarantined WHERE kind = 'corpus';

-- In one transaction: what was let in before is no obstacle, what comes after is
SELECT modelreg.lift_quarantine('snapshot:q.events@1', 'x') > 0;
BEGIN;
SELECT modelreg.promote('q.m', 1, 'Production') IS NOT NULL;
SELECT modelreg.quarantine('snapshot:q.events@1', 'found out at once') > 0;
COMMIT;
SELECT node, model, version FROM modelreg.quarantine_impact ORDER BY model;
BEGIN;
SELECT modelreg.lift_quarantine('snapshot:q.events@1', 'for one moment') > 0;
SELECT modelreg.promote('q.m', 2, 'Production') IS NOT NULL;
SELECT modelreg.quarantine('snapshot:q.events@1', 'and back') > 0;
SELECT fails($$SELECT modelreg.promote('q.m', 3, 'Staging')$$);
SAVEPOINT s;
SELECT modelreg.lift_quarantine('snapshot:q.events@1', 'undone') > 0;
ROLLBACK TO s;
SELECT fails($$SELECT modelreg.promote('q.m', 3, 'Staging')$$);
COMMIT;
-- a mark of a subtransaction that is undone is gone
BEGIN;
SAVEPOINT s;
SELECT modelreg.quarantine('run:q.train-1', 'undone') > 0;
ROLLBACK TO s;
COMMIT;
SELECT node FROM modelreg.quarantined;
BEGIN;
SELECT modelreg.quarantine('run:q.train-1', 'cannot be prepared') > 0;
PREPARE TRANSACTION 'regress_q';

-- Whoever reads nothing sees nothing
RESET ROLE;
CREATE ROLE regress_q_nobody;
SET ROLE regress_q_nobody;
SELECT count(*) FROM modelreg.quarantined;
SELECT count(*) FROM modelreg.quarantine_impact;
SELECT count(*) FROM modelreg.quarantine;
SELECT fails($$SELECT modelreg.quarantine('run:q.train-1', 'x')$$);
RESET ROLE;
-- The row is a fold of the events
SELECT * FROM modelreg.verify('q') UNION ALL SELECT * FROM modelreg.verify('q-data');
SELECT fails('DELETE FROM modelreg.quarantine');
-- A retired team's node can still do harm
SET ROLE regress_q_bob;
SELECT modelreg.lift_quarantine('commit:q-data.clean@c1', 'x') > 0;
RESET ROLE;
SELECT modelreg.retire_team('q-data');
SET ROLE regress_q_bob;
SELECT modelreg.quarantine('snapshot:q-data.users@1', 'was bad all along') > 0;
SELECT fails($$SELECT modelreg.promote('q.m', 4, 'Staging')$$);
RESET ROLE;
SELECT * FROM modelreg.verify('q-data');
DROP FUNCTION fails(text);
