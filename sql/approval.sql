-- The tier high-risk from end to end, as database roles; each forbidden step is attempted and refused with its reason.

\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_app_pool LOGIN;
CREATE ROLE regress_app_admin;
CREATE ROLE regress_app_lead;
CREATE ROLE regress_app_reg;
CREATE ROLE regress_app_eva;
CREATE ROLE regress_app_rev1;
CREATE ROLE regress_app_rev2;
CREATE ROLE regress_app_both;
CREATE ROLE regress_app_reader;
CREATE ROLE regress_app_nobody;
CREATE ROLE regress_app_auditor;
SELECT modelreg.create_team('app') > 0;
SELECT modelreg.grant_level('app', 'regress_app_lead', 'maintainer'), modelreg.grant_level('app', 'regress_app_reg', 'contributor'),
	modelreg.grant_level('app', 'regress_app_reg', 'evaluator'), modelreg.grant_level('app', 'regress_app_reg', 'reviewer'),
	modelreg.grant_level('app', 'regress_app_eva', 'evaluator'), modelreg.grant_level('app', 'regress_app_eva', 'reviewer'),
	modelreg.grant_level('app', 'regress_app_rev1', 'reviewer'), modelreg.grant_level('app', 'regress_app_rev2', 'reviewer'),
	modelreg.grant_level('app', 'regress_app_both', 'reviewer'), modelreg.grant_level('app', 'regress_app_both', 'contributor'),
	modelreg.grant_level('app', 'regress_app_reader', 'reader');
SELECT modelreg.grant_registry_right('regress_app_admin', 'admin'), modelreg.grant_registry_right('regress_app_auditor', 'auditor');
SELECT modelreg.grant_registry_right(session_user, 'pooler');

-- What a statement comes to, with the reason for programs.
CREATE FUNCTION pg_temp.fails(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text; reason text; result text;
BEGIN
	EXECUTE statement INTO result;
	RETURN concat('no error: ', result);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, reason = CONSTRAINT_NAME;
	RETURN regexp_replace(regexp_replace(concat_ws(' | ', SQLSTATE, reason, message, nullif(detail, '')), 'sha256:[0-9a-f]{64}', '<digest>', 'g'),
		'Gate "\w+" \((?!evaluation|fairness|calibration)[^\n]*\n?', '', 'g');
END $$;
-- The evidence of the last request, as the current role sees it.
CREATE FUNCTION pg_temp.last() RETURNS bigint LANGUAGE sql AS $$SELECT max(request) FROM modelreg.promotion_requests WHERE team = 'app'$$;
CREATE FUNCTION pg_temp.evidence() RETURNS text LANGUAGE sql AS $$SELECT evidence FROM modelreg.review(pg_temp.last())$$;
GRANT TEMP ON DATABASE :DBNAME TO PUBLIC;

SET ROLE regress_app_lead;
SELECT modelreg.create_model('app.credit', 'high-risk') > 0;
SET ROLE regress_app_reg;
SELECT modelreg.record_snapshot('app.loans', '1', schema => '{"age": "integer"}'), modelreg.record_node('commit', 'app.code', 'abc'), modelreg.record_node('transform', 'app.features', '1');
SELECT modelreg.record_run('app.train', inputs => '{"training": ["snapshot:app.loans@1"], "code": ["commit:app.code@abc"], "features": ["transform:app.features@1"]}');
SELECT modelreg.register_version('app.credit', run => 'run:app.train', signature => '{"inputs": [{"name": "age", "type": "double"}]}',
	artifacts => '[{"name": "weights", "uri": "s3://models/credit", "size": 3, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]') FROM generate_series(1, 3);
SELECT modelreg.record_artifact_check('app.credit', v, 'weights', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 3) IS NOT NULL FROM generate_series(1, 3) v;

SELECT modelreg.set_model_card('app.credit', v, '{"intended_use": "consumer loans", "limitations": "no business loans"}') IS NOT NULL FROM generate_series(1, 3) v;

-- nothing is evaluated
SELECT pg_temp.fails($$SELECT modelreg.promote('app.credit', 1, 'Staging')$$);
SELECT pg_temp.fails($$SELECT modelreg.promote('app.credit', 1, 'Production')$$);
SELECT pg_temp.fails($$SELECT modelreg.request_promotion('app.credit', 1, 'Production')$$);
-- who registered it does not evaluate it
SELECT modelreg.record_evaluation('models:/app.credit/1', 'offline', '{"auc": 0.8}', passed => true) > 0;
SELECT pg_temp.fails($$SELECT modelreg.promote('app.credit', 1, 'Staging')$$);
SET ROLE regress_app_eva;
SELECT modelreg.record_evaluation('snapshot:app.loans@1', 'data_quality', '{}', passed => true) > 0;
SELECT modelreg.record_evaluation('models:/app.credit/1', 'offline', '{"auc": 0.8}', passed => true) > 0;
SELECT pg_temp.fails($$SELECT modelreg.promote('app.credit', 1, 'Staging')$$);
SET ROLE regress_app_reg;
SELECT gate, verdict, observed, earlier FROM modelreg.check_promotion('app.credit', 1, 'Staging') WHERE kind = 'evaluation';
SELECT modelreg.promote('app.credit', 1, 'Staging') > 0;
SELECT pg_temp.fails($$SELECT modelreg.promote('app.credit', 1, 'Production')$$);
SELECT pg_temp.fails($$SELECT modelreg.attempt_promotion('app.credit', 1, 'Production')$$);
SELECT pg_temp.fails($$SELECT modelreg.emergency_promote('app.credit', 1, 'Production', 'the boss wants it')$$);
SELECT pg_temp.fails($$SELECT modelreg.rollback_model('app.credit', 'to where it never was')$$);

-- asking for it; what is asked is shown with what its gates say
SELECT modelreg.request_promotion('app.credit', 1, 'Production', 'a better score', request_id => 'ask-1') = pg_temp.last();
SELECT modelreg.request_promotion('app.credit', 1, 'Production', 'a better score', request_id => 'ask-1') = pg_temp.last();
SELECT model, version, stage, policy, state, requested_by, reason, evidence ~ '^sha256:', passes, needed, approved FROM modelreg.review(pg_temp.last());
SELECT g->>'gate', g->>'verdict', g->>'observed' FROM modelreg.review(pg_temp.last()), jsonb_array_elements(document->'gates') g WHERE g->>'kind' IN ('evaluation', 'fairness', 'calibration');
-- gates refuse, whoever approves
SET ROLE regress_app_rev1;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_eva;
SELECT modelreg.record_evaluation('models:/app.credit/1', 'fairness', '{}', slice => s, passed => s <> 'women') > 0 FROM unnest('{men,women}'::text[]) s;
SELECT modelreg.record_evaluation('models:/app.credit/1', 'calibration', '{}', passed => true) > 0;
SET ROLE regress_app_rev1;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_eva;
SELECT modelreg.record_evaluation('models:/app.credit/1', 'fairness', '{}', slice => 'women', passed => true) > 0;

-- who may not approve: who registered it, who evaluated it, who may not at all; nor may anybody on other evidence
SET ROLE regress_app_reg;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_eva;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_lead;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_reader;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_admin;
SELECT pg_temp.last() IS NULL;
RESET ROLE;
-- nor who evaluated the data, nor who evaluated the version before somebody else did; another kind makes nobody an evaluator
BEGIN;
SELECT modelreg.grant_level('app', 'regress_app_rev1', 'evaluator'), modelreg.grant_level('app', 'regress_app_rev2', 'evaluator'), modelreg.grant_level('app', 'regress_app_both', 'evaluator');
SET ROLE regress_app_rev1;
SELECT modelreg.record_evaluation('snapshot:app.loans@1', 'data_quality', '{}', passed => true) > 0;
SET ROLE regress_app_rev2;
SELECT modelreg.record_evaluation('models:/app.credit/1', 'calibration', '{}', passed => true) > 0;
SET ROLE regress_app_both;
SELECT modelreg.record_evaluation('models:/app.credit/1', 'shadow', '{}', passed => true) > 0;
SET ROLE regress_app_eva;
SELECT modelreg.record_evaluation('models:/app.credit/1', 'calibration', '{}', passed => true) > 0;
SET ROLE regress_app_rev1;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_rev2;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_both;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
ROLLBACK;
RESET ROLE;
CREATE TABLE pg_temp.number AS SELECT pg_temp.last() AS request, pg_temp.evidence() AS evidence;
GRANT SELECT ON pg_temp.number TO PUBLIC;
SET ROLE regress_app_nobody;
SELECT regexp_replace(pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', request, evidence)), 'request \d+', 'request <n>') FROM pg_temp.number;
SELECT regexp_replace(pg_temp.fails(format('SELECT * FROM modelreg.review(%s)', request)), 'request \d+', 'request <n>') FROM pg_temp.number;
SELECT s.evidence IS NULL, s.counted IS NULL FROM pg_temp.number, modelreg.request_standing(request) s;
SET ROLE regress_app_rev1;
SELECT regexp_replace(pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), 'sha256:' || repeat('0', 64))), 'request \d+', 'request <n>');
SELECT regexp_replace(pg_temp.fails('SELECT modelreg.approve(999999999, NULL)'), 'request \d+', 'request <n>');

-- the first of two; a new evaluation makes it count no more
SELECT modelreg.approve(pg_temp.last(), pg_temp.evidence(), 'fairness within bounds', request_id => 'app-1') IS NULL;
SELECT modelreg.approve(pg_temp.last(), pg_temp.evidence()) IS NULL;
-- an approval is its giver's: another's with his request id is no repetition of it, and is said not to be one
SELECT modelreg.approve(pg_temp.last(), pg_temp.evidence(), 'fairness within bounds', request_id => 'app-1') IS NULL;
SET ROLE regress_app_rev2;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L, %L, request_id => %L)', pg_temp.last(), pg_temp.evidence(), 'fairness within bounds', 'app-1'));
SET ROLE regress_app_rev1;
SELECT needed, approved FROM modelreg.review(pg_temp.last());
SELECT role, superseded, comment FROM modelreg.approvals WHERE request = pg_temp.last() ORDER BY number;
SET ROLE regress_app_eva;
SELECT modelreg.record_evaluation('models:/app.credit/1', 'offline', '{"auc": 0.7}', passed => true) > 0;
SELECT role, superseded, comment FROM modelreg.approvals WHERE request = pg_temp.last() ORDER BY number;
SELECT needed, approved FROM modelreg.review(pg_temp.last());
-- so does another model card
SELECT pg_temp.evidence() AS before \gset
SET ROLE regress_app_reg;
SELECT modelreg.set_model_card('app.credit', 1, '{"intended_use": "consumer loans", "limitations": "nobody younger than 21"}');
SELECT pg_temp.evidence() = :'before';
SET ROLE regress_app_rev2;
SELECT modelreg.approve(pg_temp.last(), pg_temp.evidence(), 'seen') IS NULL;
SELECT stage FROM modelreg.versions WHERE model = 'app.credit' AND version = 1;
-- it is asked again; the last approval moves the version
SET ROLE regress_app_rev1;
SELECT modelreg.approve(pg_temp.last(), pg_temp.evidence(), 'seen again', request_id => 'app-3') IS NOT NULL;
SELECT modelreg.approve(pg_temp.last(), 'whatever', 'seen again', request_id => 'app-3');
-- and the card tells of it
SELECT regexp_replace(regexp_replace(substring(modelreg.model_card('app.credit', 1) FROM '## Decisions.*'), '[0-9-]{10} [0-9:]{8} UTC', '<time>', 'g'), '\n\| \d+ \| (?=Prod)', E'\n| <n> | ', 'g');
SELECT version FROM modelreg.production('app.credit');
SELECT state, role, reason, closed_at IS NOT NULL FROM modelreg.promotion_requests WHERE request = pg_temp.last();
SELECT role, superseded, comment FROM modelreg.approvals WHERE request = pg_temp.last() ORDER BY number;
SELECT regexp_replace(pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), 'x')), 'request \d+', 'request <n>');

-- why, for an auditor
SET ROLE regress_app_auditor;
SELECT d->>'decision', d->>'model', d->'who'->>'role', d->'policy'->>'policy', d->'policy'->>'revision', d->'request'->>'role', d->'request'->>'state', d->'request'->>'reason'
	FROM modelreg.transitions n, modelreg.explain_decision(n.model, n.number) d WHERE n.model = 'app.credit' AND n.to_stage = 'Production';
SELECT g->>'gate', g->>'verdict', g->>'observed', g->>'earlier' FROM modelreg.transitions n, modelreg.explain_decision(n.model, n.number) d, jsonb_array_elements(d->'evidence'->'gates') g
	WHERE n.model = 'app.credit' AND n.to_stage = 'Production' AND g->>'kind' IN ('evaluation', 'fairness', 'calibration');
SELECT a->>'role', a->>'superseded', a->>'comment' FROM modelreg.transitions n, modelreg.explain_decision(n.model, n.number) d, jsonb_array_elements(d->'approvals') a
	WHERE n.model = 'app.credit' AND n.to_stage = 'Production';
SELECT modelreg.explain_decision('app.credit', 999) IS NULL;
SELECT modelreg.explain_decision('app.nix', 1);
SET ROLE regress_app_nobody;
SELECT modelreg.explain_decision('app.credit', 1);

-- Each step of the tier by each role: who may (it is undone), and why the others are refused. A version waits in Staging, asked for, with all its gates holding.
RESET ROLE;
BEGIN;
SET ROLE regress_app_eva;
SELECT modelreg.record_evaluation('models:/app.credit/2', k, '{}', slice => s, passed => true) > 0
	FROM (VALUES ('offline', ''), ('calibration', ''), ('fairness', 'men'), ('fairness', 'women')) v(k, s);
SET ROLE regress_app_reg;
SELECT modelreg.promote('app.credit', 2, 'Staging') > 0, modelreg.request_promotion('app.credit', 2, 'Production') = pg_temp.last();
RESET ROLE;
CREATE TEMP TABLE step (n integer, step text, statement text);
INSERT INTO pg_temp.step SELECT row_number() OVER (), v.* FROM (VALUES
	('register', $$SELECT modelreg.register_version('app.credit')$$),
	('evaluate', $$SELECT modelreg.record_evaluation('models:/app.credit/2', 'shadow', '{}', passed => true)$$),
	('write the model card', $$SELECT modelreg.set_model_card('app.credit', 2, '{"intended_use": "anything"}')$$),
	('check the artifact', $$SELECT modelreg.record_artifact_check('app.credit', 2, 'weights', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 3)$$),
	('to Staging', $$SELECT modelreg.promote('app.credit', 3, 'Staging')$$),
	('to Production without approvals', $$SELECT modelreg.promote('app.credit', 2, 'Production')$$),
	('to Production past Staging', $$SELECT modelreg.request_promotion('app.credit', 3, 'Production')$$),
	('ask', $$SELECT modelreg.request_promotion('app.credit', 2, 'Production', 'again')$$),
	('review', format('SELECT * FROM modelreg.review(%s)', pg_temp.last())),
	('approve', format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence())),
	('approve other evidence', format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), 'sha256:' || repeat('0', 64))),
	('reject', format('SELECT modelreg.reject(%s, %L)', pg_temp.last(), 'no')),
	('withdraw', format('SELECT modelreg.withdraw_request(%s)', pg_temp.last())),
	('emergency', $$SELECT modelreg.emergency_promote('app.credit', 3, 'Production', 'the boss wants it')$$),
	('roll back', $$SELECT modelreg.rollback_model('app.credit', 'to where it never was')$$),
	('take out of Production', $$SELECT modelreg.promote('app.credit', 1, 'Archived', leave_none => true)$$),
	('quarantine', $$SELECT modelreg.quarantine('snapshot:app.loans@1', 'wrong')$$),
	('another model under open', $$SELECT modelreg.create_model('app.other', 'open')$$),
	('choose open for it', $$SELECT modelreg.request_policy('app.credit', 'open', 1, 'less work')$$),
	('write a weaker policy', $$SELECT modelreg.create_policy('app', 'weak', modelreg.policy_document(NULL, 'open', 1))$$),
	('write over the tier', $$SELECT modelreg.create_policy('app', 'high-risk', modelreg.policy_document(NULL, 'open', 1))$$),
	('allow a policy', $$SELECT modelreg.allow_policy('app', 'standard', 1)$$),
	('rename it', $$SELECT modelreg.rename_model('app.credit', 'gone')$$),
	('retire it', $$SELECT modelreg.retire_model('app.credit')$$),
	('give oneself a level', $$SELECT modelreg.grant_level('app', current_user::text, 'evaluator')$$),
	('make oneself an admin', $$SELECT modelreg.grant_registry_right(current_user::text, 'admin')$$),
	('write the policy into the row', $$UPDATE modelreg.model SET policy = 'open'$$),
	('write the stage into the row', $$UPDATE modelreg.version_stage SET stage = 'Production' WHERE version = 2$$),
	('write an approval', $$INSERT INTO modelreg.approval SELECT * FROM modelreg.approval$$),
	('take back what was written', $$DELETE FROM modelreg.event WHERE kind = 'approved'$$)) v;
CREATE TEMP TABLE outcome (who text DEFAULT replace(current_user, 'regress_app_', ''), n integer, outcome text);
GRANT SELECT ON pg_temp.step TO PUBLIC;
GRANT INSERT ON pg_temp.outcome TO PUBLIC;
CREATE FUNCTION pg_temp.may(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	result := pg_temp.fails(statement);
	IF result LIKE 'no error%' THEN result := 'may'; END IF;
	RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = result;
EXCEPTION WHEN SQLSTATE 'MR001' THEN
	RETURN regexp_replace(SQLERRM, 'request \d+', 'request <n>');
END $$;
SET ROLE regress_app_reg;
INSERT INTO pg_temp.outcome (n, outcome) SELECT n, pg_temp.may(statement) FROM pg_temp.step;
SET ROLE regress_app_eva;
INSERT INTO pg_temp.outcome (n, outcome) SELECT n, pg_temp.may(statement) FROM pg_temp.step;
SET ROLE regress_app_rev1;
INSERT INTO pg_temp.outcome (n, outcome) SELECT n, pg_temp.may(statement) FROM pg_temp.step;
SET ROLE regress_app_rev2;
INSERT INTO pg_temp.outcome (n, outcome) SELECT n, pg_temp.may(statement) FROM pg_temp.step;
SET ROLE regress_app_lead;
INSERT INTO pg_temp.outcome (n, outcome) SELECT n, pg_temp.may(statement) FROM pg_temp.step;
SET ROLE regress_app_admin;
INSERT INTO pg_temp.outcome (n, outcome) SELECT n, pg_temp.may(statement) FROM pg_temp.step;
SET ROLE regress_app_auditor;
INSERT INTO pg_temp.outcome (n, outcome) SELECT n, pg_temp.may(statement) FROM pg_temp.step;
RESET ROLE;
SELECT format('%s: %s%s', s.step, string_agg(o.who, ', ' ORDER BY o.who), E'\n\t' || o.outcome) FROM pg_temp.step s JOIN pg_temp.outcome o USING (n)
	GROUP BY s.n, s.step, o.outcome ORDER BY s.n, o.outcome <> 'may', o.outcome;
-- Taking it out of Production, retiring it and making it anew under its name: not under another policy, whoever has a team's or the registry's rights
-- alone, and under its own it is held against what it was.
SET ROLE regress_app_lead;
SELECT modelreg.create_model('app.easy', 'open') > 0, modelreg.create_policy('app', 'weak', modelreg.policy_document(NULL, 'open', 1));
SELECT modelreg.promote('app.credit', 1, 'Archived', leave_none => true) > 0, modelreg.retire_model('app.credit', 'to begin anew');
SELECT pg_temp.fails(format('SELECT modelreg.create_model(%L, %L)', 'app.credit', policy)) FROM unnest('{open,standard,weak}'::text[]) policy;
SELECT pg_temp.fails($$SELECT modelreg.rename_model('app.easy', 'credit')$$);
SET ROLE regress_app_admin;
SELECT pg_temp.fails(format('SELECT modelreg.create_model(%L, %L)', 'app.credit', policy)) FROM unnest('{open,high-risk}'::text[]) policy;
SET ROLE regress_app_auditor;
SELECT pg_temp.fails($$SELECT modelreg.create_model('app.credit', 'open')$$);
SET ROLE regress_app_lead;
SELECT modelreg.create_model('app.credit', 'high-risk') > 0;
SELECT pg_temp.fails($$SELECT modelreg.request_policy('app.credit', 'open', 1)$$) LIKE 'no error%', policy FROM modelreg.models WHERE model = 'app.credit';
SET ROLE regress_app_reg;
SELECT modelreg.record_snapshot('app.loans', '2', schema => '{"name": "text"}'), modelreg.record_run('app.train2', inputs => '{"training": ["snapshot:app.loans@2"], "code": ["commit:app.code@abc"]}');
SELECT modelreg.register_version('app.credit', run => 'run:app.train2', signature => '{"inputs": [{"name": "age", "type": "string"}]}');
SELECT pg_temp.fails($$SELECT modelreg.promote('app.credit', 1, 'Staging')$$);
RESET ROLE;
SET ROLE regress_app_eva;
SELECT modelreg.record_evaluation('models:/app.credit/1', 'offline', '{}', passed => true) > 0;
SET ROLE regress_app_reg;
SELECT modelreg.promote('app.credit', 1, 'Staging') > 0, modelreg.request_promotion('app.credit', 1, 'Production') = pg_temp.last();
SELECT gate, verdict, observed FROM modelreg.check_promotion('app.credit', 1, 'Production') WHERE gate IN ('schema', 'signature') ORDER BY gate;
SET ROLE regress_app_rev1;
SELECT substring(pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence())) FROM '[^|]*[|][^|]*[|][^|]*');
ROLLBACK;
RESET ROLE;

-- a second person behind another role of the same login is none, unless the login is a pooler's
RESET ROLE;
SELECT modelreg.revoke_registry_right(session_user, 'pooler');
SET ROLE regress_app_eva;
SELECT modelreg.record_evaluation('models:/app.credit/2', k, '{}', slice => s, passed => true) > 0
	FROM (VALUES ('offline', ''), ('calibration', ''), ('fairness', 'men'), ('fairness', 'women')) v(k, s);
SET ROLE regress_app_reg;
SELECT pg_temp.fails($$SELECT modelreg.promote('app.credit', 2, 'Staging')$$) LIKE '%recorded by who registered%';
RESET ROLE;
SELECT modelreg.grant_registry_right(session_user, 'pooler');
SET ROLE regress_app_reg;
SELECT modelreg.promote('app.credit', 2, 'Staging') > 0;
SET ROLE regress_app_both;
SELECT modelreg.request_promotion('app.credit', 2, 'Production') = pg_temp.last();
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_rev1;
SELECT modelreg.approve(pg_temp.last(), pg_temp.evidence()) IS NULL;
-- another version in Production is another comparison, and the end of that approval
SELECT approved FROM modelreg.review(pg_temp.last());
SET ROLE regress_app_lead;
SELECT modelreg.emergency_promote('app.credit', 3, 'Production', 'score service down', request_id => 'fire') > 0;
SELECT approved FROM modelreg.review(pg_temp.last());
SELECT version, from_stage, to_stage, role, failing LIKE '%calibration, fairness, offline%', reason FROM modelreg.emergency_promotions WHERE team = 'app';
SELECT pg_temp.fails($$SELECT modelreg.promote('app.credit', 3, 'Staging', leave_none => true)$$);
SELECT modelreg.rollback_model('app.credit', 'the fire is out');

-- a reason that says nothing is none, and one of a single character is one
SELECT pg_temp.fails($$SELECT modelreg.emergency_promote('app.credit', 3, 'Production', '')$$);
SELECT pg_temp.fails(format('SELECT modelreg.emergency_promote(%L, 3, %L, %L)', 'app.credit', 'Production', E' \t\n\u00A0\u200B\u3000\u202E'));
SELECT pg_temp.fails($$SELECT modelreg.rollback_model('app.credit', '  ')$$);
SELECT pg_temp.fails($$SELECT modelreg.rollback_model('app.credit', E'\n.')$$) LIKE '55000%';

-- ending a request
SET ROLE regress_app_rev2;
SELECT pg_temp.fails(format('SELECT modelreg.withdraw_request(%s)', pg_temp.last())) LIKE '42501 | modelreg_permission_denied%';
SET ROLE regress_app_reg;
SELECT modelreg.reject(pg_temp.last(), 'not now');
SELECT modelreg.reject(pg_temp.last(), 'not now');
SELECT pg_temp.fails(format('SELECT modelreg.withdraw_request(%s)', pg_temp.last())) LIKE '42501 | modelreg_permission_denied%';
SET ROLE regress_app_both;
SELECT regexp_replace(pg_temp.fails(format('SELECT modelreg.withdraw_request(%s)', pg_temp.last())), 'request \d+', 'request <n>');
SELECT modelreg.request_promotion('app.credit', 2, 'Production', expires_in => '1 hour') = pg_temp.last();
SELECT modelreg.withdraw_request(pg_temp.last(), 'no longer');
SELECT modelreg.request_promotion('app.credit', 2, 'Production', expires_in => '1 microsecond') = pg_temp.last();
SET ROLE regress_app_rev1;
SELECT regexp_replace(pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), 'x')), 'request \d+', 'request <n>');
SELECT state, evidence, needed FROM modelreg.review(pg_temp.last());
SELECT pg_temp.fails($$SELECT modelreg.request_promotion('app.credit', 2, 'Production', expires_in => '-1 day')$$);
SELECT pg_temp.fails($$SELECT modelreg.request_promotion('app.credit', 2, 'Production', expires_in => '367 days')$$);
SELECT pg_temp.fails($$SELECT modelreg.request_policy('app.credit', 'open', 1, expires_in => '1 century')$$);
SELECT state FROM modelreg.promotion_requests WHERE team = 'app' ORDER BY request;

-- who asked or registered does not approve, whether the policy says so or not
SET ROLE regress_app_lead;
SELECT modelreg.create_policy('app', 'plain', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["reviewer"], "approvals": 1, "approvers": ["reviewer"]}]}');
SET ROLE regress_app_admin;
SELECT modelreg.allow_policy('app', 'plain', 1);
SET ROLE regress_app_lead;
SELECT modelreg.create_model('app.plain', 'plain') > 0;
SET ROLE regress_app_reg;
SELECT modelreg.register_version('app.plain');
SET ROLE regress_app_both;
SELECT modelreg.request_promotion('app.plain', 1, 'Production') = pg_temp.last();
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_reg;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_eva;
SELECT modelreg.approve(pg_temp.last(), pg_temp.evidence()) IS NOT NULL;

-- nor who asked through a pooler, and logs in by himself to be another role
SET ROLE regress_app_reg;
SELECT modelreg.register_version('app.plain');
SET ROLE regress_app_both;
SELECT modelreg.request_promotion('app.plain', 2, 'Production') = pg_temp.last();
RESET ROLE;
BEGIN;
GRANT regress_app_rev1 TO regress_app_both;
SET SESSION AUTHORIZATION regress_app_both;
SET ROLE regress_app_rev1;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
ROLLBACK;
RESET SESSION AUTHORIZATION;
-- nor does anything come of what somebody asked for who evaluated it afterwards, where the policy wants another
SET ROLE regress_app_lead;
SELECT modelreg.create_policy('app', 'asker', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["reviewer"], "gates": ["offline"], "approvals": 1, "approvers": ["reviewer"]}],
	"gates": {"offline": {"kind": "evaluation", "evaluation": "offline", "passed": true}}, "distinct": [["requester", "evaluator"]]}');
SET ROLE regress_app_admin;
SELECT modelreg.allow_policy('app', 'asker', 1);
SET ROLE regress_app_lead;
SELECT modelreg.create_model('app.asker', 'asker') > 0;
SET ROLE regress_app_reg;
SELECT modelreg.register_version('app.asker');
SET ROLE regress_app_eva;
SELECT modelreg.request_promotion('app.asker', 1, 'Production') = pg_temp.last();
SELECT modelreg.record_evaluation('models:/app.asker/1', 'offline', '{}', passed => true) > 0;
SELECT pg_temp.fails($$SELECT modelreg.request_promotion('app.asker', 1, 'Production')$$);
SET ROLE regress_app_rev1;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_both;
SELECT modelreg.request_promotion('app.asker', 1, 'Production') = pg_temp.last();
SET ROLE regress_app_rev1;
SELECT modelreg.approve(pg_temp.last(), pg_temp.evidence()) IS NOT NULL;

-- weakening: another policy needs what the present one asks for Production
SET ROLE regress_app_lead;
SELECT modelreg.request_policy('app.credit', 'open', 1, 'less work') = pg_temp.last();
SELECT policy, revision, state, needed, approved FROM modelreg.review(pg_temp.last());
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SELECT pg_temp.fails($$SELECT modelreg.request_policy('app.credit', 'nix', 1)$$);
SELECT pg_temp.fails($$SELECT modelreg.request_policy('app.credit', 'open', 2)$$);
SELECT modelreg.create_policy('app', 'weak', modelreg.policy_document(NULL, 'open', 1) || '{"several_in_production": false}');
SELECT pg_temp.fails($$SELECT modelreg.request_policy('app.credit', 'weak', 1)$$);
SELECT modelreg.request_policy('app.credit', 'high-risk', 1) IS NULL;
SELECT policy FROM modelreg.models WHERE model = 'app.credit';
SELECT modelreg.create_model('app.credit2', 'open') > 0;
SELECT modelreg.rename_model('app.credit', 'gone');
SELECT pg_temp.fails($$SELECT modelreg.create_model('app.credit', 'open')$$);
SELECT pg_temp.fails($$SELECT modelreg.rename_model('app.credit2', 'credit')$$);
SELECT modelreg.rename_model('app.gone', 'credit');
SELECT pg_temp.fails($$SELECT modelreg.retire_model('app.credit')$$);
SET ROLE regress_app_rev1;
SELECT modelreg.approve(pg_temp.last(), pg_temp.evidence()) IS NULL;
SET ROLE regress_app_admin;
SELECT modelreg.forbid_policy('app', 'open');
SET ROLE regress_app_rev2;
SELECT pg_temp.fails(format('SELECT modelreg.approve(%s, %L)', pg_temp.last(), pg_temp.evidence()));
SET ROLE regress_app_admin;
SELECT modelreg.allow_policy('app', 'open', 1);
SELECT modelreg.allow_policy('app', 'weak', 1);
SET ROLE regress_app_rev2;
SELECT modelreg.approve(pg_temp.last(), pg_temp.evidence()) IS NOT NULL;
SELECT policy FROM modelreg.models WHERE model = 'app.credit';
-- out of open nobody goes who may only decide there; a maintainer does, at once
SET ROLE regress_app_reg;
SELECT pg_temp.fails($$SELECT modelreg.request_policy('app.credit', 'standard', 1, 'again')$$);
SELECT pg_temp.fails($$SELECT modelreg.request_policy('app.credit', 'weak', 1, 'several at once')$$);
SET ROLE regress_app_lead;
SELECT modelreg.request_policy('app.credit', 'standard', 1, 'again') = pg_temp.last();
SELECT state FROM modelreg.review(pg_temp.last());
SET ROLE regress_app_reg;
SELECT policy FROM modelreg.models WHERE model = 'app.credit';
SELECT kind, what->>'replaced', what->>'policy' FROM modelreg.model_history WHERE model = 'app.credit' AND kind = 'policy_changed' ORDER BY number;

-- of a model that was retired meanwhile nothing comes, whoever decides
SET ROLE regress_app_lead;
SELECT modelreg.create_model('app.short', 'high-risk') > 0;
SET ROLE regress_app_reg;
SELECT modelreg.request_policy('app.short', 'standard', 1) AS short \gset
SET ROLE regress_app_lead;
SELECT modelreg.retire_model('app.short');
SET ROLE regress_app_rev1;
SELECT replace(pg_temp.fails(format(s, :short)), :'short', '<n>') FROM (VALUES (1, $$SELECT modelreg.approve(%s, 'x')$$), (2, $$SELECT modelreg.reject(%s, 'x')$$), (3, $$SELECT modelreg.withdraw_request(%s)$$)) v (n, s) ORDER BY n;
SET ROLE regress_app_reg;

-- by itself: standard moves to Staging what an offline evaluation passed, at the commit
SELECT modelreg.register_version('app.credit');
SET ROLE regress_app_eva;
BEGIN;
SELECT modelreg.record_evaluation('models:/app.credit/4', 'offline', '{}', passed => true) > 0;
SELECT stage FROM modelreg.versions WHERE model = 'app.credit' AND version = 4;
COMMIT;
SELECT stage FROM modelreg.versions WHERE model = 'app.credit' AND version = 4;
SELECT role, by_policy, policy, evidence IS NOT NULL FROM modelreg.transitions WHERE model = 'app.credit' AND version = 4;
SET ROLE regress_app_reg;
SELECT modelreg.register_version('app.credit');
SET ROLE regress_app_eva;
-- what is undone moves nothing
BEGIN;
SAVEPOINT s;
SELECT modelreg.record_evaluation('models:/app.credit/5', 'offline', '{}', passed => true) > 0;
ROLLBACK TO s;
SELECT modelreg.record_evaluation('models:/app.credit/5', 'shadow', '{}', passed => true) > 0;
COMMIT;
SELECT modelreg.record_evaluation('models:/app.credit/5', 'offline', '{}', passed => true, occurred_at => '2020-01-01') > 0;
SELECT modelreg.record_evaluation('models:/app.credit/5', 'offline', '{}', passed => false) > 0;
SELECT stage FROM modelreg.versions WHERE model = 'app.credit' AND version = 5;
-- an automatic move is nobody's to take back by evaluating again
SELECT modelreg.record_evaluation('models:/app.credit/5', 'offline', '{}', passed => true) > 0;
SELECT modelreg.record_evaluation('models:/app.credit/5', 'offline', '{}', passed => false) > 0;
SELECT stage FROM modelreg.versions WHERE model = 'app.credit' AND version = 5;
-- what derives from a quarantined node stays, and its evaluation does not fail
SET ROLE regress_app_lead;
SELECT modelreg.record_snapshot('app.events', '1');
SELECT modelreg.register_version('app.credit', inputs => '{"training": ["snapshot:app.events@1"]}');
SELECT modelreg.quarantine('snapshot:app.events@1', 'broken') > 0;
SET ROLE regress_app_eva;
SELECT modelreg.record_evaluation('models:/app.credit/6', 'offline', '{}', passed => true) > 0;
SELECT stage FROM modelreg.versions WHERE model = 'app.credit' AND version = 6;
SET ROLE regress_app_lead;
SELECT pg_temp.fails($$SELECT modelreg.emergency_promote('app.credit', 6, 'Production', 'really')$$) LIKE '55000 | modelreg_%';

-- what is current and would not pass today
SELECT version, problem, gate, severity, required, observed FROM modelreg.production_review WHERE team = 'app' ORDER BY problem, gate;
SET ROLE regress_app_admin;
SELECT modelreg.forbid_policy('app', 'standard');
SET ROLE regress_app_eva;
SELECT modelreg.record_evaluation('models:/app.credit/1', 'offline', '{}', passed => true, occurred_at => '2020-01-01') > 0;
SET ROLE regress_app_lead;
SELECT modelreg.quarantine('run:app.train', 'wrong labels') > 0;
SET ROLE regress_app_reader;
SELECT version, problem, gate, severity, required, observed, source ~ 'evaluation|node|run' FROM modelreg.production_review WHERE team = 'app' ORDER BY problem, gate;
SET ROLE regress_app_nobody;
SELECT count(*) FROM modelreg.production_review;
SELECT * FROM modelreg.check_production('app.credit');
RESET ROLE;
SELECT kind, count(*) FROM modelreg.model_history WHERE model = 'app.credit' AND chain = 'decisions' GROUP BY kind ORDER BY kind;
SELECT modelreg.revoke_registry_right(session_user, 'pooler');
SELECT * FROM modelreg.verify('app', deep => true);
