-- verify(deep): decisions and traffic that a superuser forged, with hashes, chains and states that fit, and that their policy would not have let pass;
-- and what was observed of endpoints and versions that are not there.
SELECT current_database() AS origin \gset
CREATE DATABASE regress_verify_decisions TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_verify_decisions
SET max_parallel_workers_per_gather = 0;
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE EXTENSION modelreg;
CREATE ROLE regress_decisions_reg;
CREATE ROLE regress_decisions_one;
CREATE ROLE regress_decisions_two;
SELECT modelreg.create_team('search') > 0;
SELECT modelreg.grant_registry_right(session_user, 'pooler'), modelreg.grant_level('search', 'regress_decisions_reg', 'contributor'),
	modelreg.grant_level('search', 'regress_decisions_one', 'reviewer'), modelreg.grant_level('search', 'regress_decisions_two', 'reviewer');
SELECT modelreg.create_policy('search', 'two', '{"format": 1, "transitions": [
	{"from": ["Experimental"], "to": "Staging", "levels": ["contributor"], "automatic": true, "gates": ["card"]},
	{"from": ["Experimental", "Staging"], "to": "Production", "levels": ["contributor"], "gates": ["card", "hint"], "approvals": 2, "approvers": ["reviewer"]}],
	"gates": {"card": {"kind": "model_card"}, "hint": {"kind": "signature", "mode": "FULL", "severity": "warn"}}}');
SELECT modelreg.allow_policy('search', 'two', 1);
SELECT modelreg.create_model('search.m', 'two'), modelreg.create_model('search.free', 'open'), modelreg.create_model('search.urgent', 'high-risk');
SET ROLE regress_decisions_reg;
SELECT modelreg.register_version('search.m') FROM generate_series(1, 3);
SELECT modelreg.register_version('search.free'), modelreg.register_version('search.free'), modelreg.register_version('search.urgent');
SELECT modelreg.set_model_card('search.m', 1, '{"intended_use": "to be approved"}');
SELECT modelreg.request_promotion('search.m', 1, 'Production') AS request \gset
SET ROLE regress_decisions_one;
SELECT evidence FROM modelreg.review(:request) \gset
SELECT modelreg.approve(:request, :'evidence');
SET ROLE regress_decisions_two;
SELECT modelreg.approve(:request, :'evidence') > 0;
RESET ROLE;

-- whatever is done by the verbs is as its policy has it
SELECT modelreg.promote('search.free', 1, 'Production') > 0, modelreg.promote('search.free', 2, 'Production', archive_others => false) > 0, modelreg.promote('search.free', 1, 'Production', archive_others => false) > 0,
	modelreg.rollback_model('search.free', 'worse'), modelreg.emergency_promote('search.urgent', 1, 'Production', 'fire') > 0;
SELECT modelreg.request_policy('search.free', 'standard', 1) > 0;
SELECT modelreg.emergency_promote('search.free', 1, 'Production', 'fire') > 0, modelreg.rollback_model('search.free', 'it is out');
-- traffic by all verbs, and what is observed of it
SELECT modelreg.grant_level('search', session_user, 'evaluator'), modelreg.create_model('search.served', 'open') > 0, modelreg.register_version('search.served'), modelreg.register_version('search.served'), modelreg.register_version('search.served');
SELECT modelreg.promote('search.served', 1, 'Production') > 0, modelreg.promote('search.served', 2, 'Staging') > 0;
SELECT modelreg.create_endpoint('search.home', 'search.served', 1) > 0 AS home, modelreg.start_rollout('search.home', 3, plan => 'shadow') > 0, modelreg.abort_rollout('search.home') > 0;
SELECT modelreg.start_rollout('search.home', split => '{1: 90%, 2: 10%}', plan => '{"steps": [{"weight": "10%", "bake": "1 hour"}, {"weight": "100%"}], "guards": [{"metric": "errors", "at_most": 0.1, "min_observations": 100}]}') > 0;
SELECT modelreg.record_quality('search.home', 2, 'errors', total => 1, count => 50, window_start => clock_timestamp()) > 0, modelreg.record_quality('search.home', 1, 'errors', total => 1, count => 50, window_start => clock_timestamp()) > 0;
SELECT modelreg.pause_rollout('search.home') > 0, modelreg.resume_rollout('search.home') > 0, modelreg.complete_rollout('search.home') > 0;
SELECT modelreg.record_quality('search.home', 2, 'errors', value => 0, window_start => clock_timestamp()) > 0;
SELECT modelreg.promote('search.served', 2, 'Production', archive_others => false) > 0, modelreg.start_rollout('search.home', 2, plan => 'linear over 1 hour') > 0, modelreg.rollback('search.home', 'worse')->>'split';
SELECT modelreg.report_serving('search.home', 'web-1', etag) FROM modelreg.endpoints WHERE endpoint = 'search.home';
SELECT modelreg.add_prediction_partitions('2026-01-02', '2026-01-01'), modelreg.record_predictions('search.home', '{a,b}', '{1,2}', at => '{2026-01-01 00:00+00,2026-01-01 12:00+00}', receipts => '{1.0,NULL}');
SELECT * FROM modelreg.verify(deep => true);

DO $$
DECLARE
	item record;
BEGIN
	SET LOCAL modelreg.allow_removal = on;
	FOR item IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = 'modelreg'::regnamespace AND c.relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', item.name);
	END LOOP;
END
$$;

-- A decision about a version of search.m, with all that follows from it; what_else is added to its event.
CREATE FUNCTION forge(kind text, version integer, source text, target text, what_else jsonb, moves boolean DEFAULT true) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
	m modelreg.model; what jsonb; at timestamptz; next bigint; previous bigint;
BEGIN
	SELECT * INTO m FROM modelreg.model WHERE name = 'm';
	at := greatest(clock_timestamp(), m.head_at + interval '1 us');
	next := m.seq + 1;
	SELECT max(p.seq) INTO previous FROM modelreg.production p WHERE p.model_id = m.id;
	what := jsonb_build_object('policy', m.policy, 'policy_digest', encode(m.policy_digest, 'hex'), 'replaced', m.current_version, 'current', CASE target WHEN 'Production' THEN version ELSE m.current_version END,
		'previous_seq', CASE target WHEN 'Production' THEN previous END, 'evidence', NULL, 'request', NULL,
		'moves', CASE WHEN moves THEN jsonb_build_array(jsonb_build_object('version', version, 'from', source, 'to', target)) ELSE '[]' END) || what_else;
	IF kind = 'policy_changed' THEN
		what := what_else;
	END IF;
	INSERT INTO modelreg.event VALUES (5, m.id, next, at, kind, m.team_id, '{"role": "nobody", "role_oid": 1}', NULL, NULL, NULL, what, NULL, m.head_hash,
		modelreg.row_hash('event', 1::smallint, 5::smallint, m.id, next, at, kind, m.team_id, '{"role": "nobody", "role_oid": 1}'::jsonb, NULL::text, NULL::text, NULL::text, what, NULL::bytea, m.head_hash), 1)
		RETURNING hash INTO m.head_hash;
	IF moves THEN
		UPDATE modelreg.version_stage s SET stage = target::modelreg.stage, since = at WHERE s.model_id = m.id AND s.version = forge.version;
	END IF;
	IF target = 'Production' THEN
		INSERT INTO modelreg.production VALUES (m.id, next, m.team_id, at, version, previous, modelreg.row_hash('production', 1::smallint, m.id, next, m.team_id, at, version, previous), 1);
		UPDATE modelreg.model o SET current_version = version, current_since = at, current_registered_at = v.registered_at, current_identity = v.identity, current_node_id = v.node_id
			FROM modelreg.version v WHERE v.model_id = m.id AND v.version = forge.version AND o.id = m.id;
	END IF;
	UPDATE modelreg.model SET seq = next, head_hash = m.head_hash, head_at = at WHERE id = m.id;
END $$;
-- Evidence about such a move; returns its digest for the event.
CREATE FUNCTION evidence(version integer, source text, target text, gates jsonb, request bigint DEFAULT NULL) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	m modelreg.model; document jsonb; digest bytea;
BEGIN
	SELECT * INTO m FROM modelreg.model WHERE name = 'm';
	document := jsonb_build_object('model_id', m.id, 'version', version, 'from', source, 'to', target, 'policy', m.policy, 'policy_digest', encode(m.policy_digest, 'hex'), 'request', request, 'gates', gates);
	digest := sha256(convert_to(modelreg.canonical_json(document), 'UTF8'));
	INSERT INTO modelreg.evidence VALUES (m.team_id, digest, m.id, version, document, m.head_at, modelreg.row_hash('evidence', 1::smallint, m.team_id, digest, m.id, version, document, m.head_at), 1);
	RETURN jsonb_build_object('evidence', encode(digest, 'hex'), 'request', request);
END $$;
-- What the cheap check and the deep one say of it. The guard's triggers are disabled, of which both tell.
CREATE VIEW found AS SELECT 'cheap' AS how, count(*)::text AS what FROM modelreg.verify() v WHERE v.check_name <> 'guard'
	UNION ALL SELECT v.check_name, v.detail FROM modelreg.verify(deep => true) v WHERE v.check_name <> 'guard'
	UNION ALL SELECT 'of the model', v.detail FROM modelreg.verify('search.m', deep => true) v;
\set good '[{"gate": "card", "severity": "block", "verdict": "holds"}, {"gate": "hint", "severity": "warn", "verdict": "fails"}]'

-- without evidence; with evidence of another move; to a stage that no transition leads to from there
BEGIN; SELECT forge('promoted', 2, 'Experimental', 'Production', '{}'); TABLE found; ROLLBACK;
BEGIN; SELECT forge('promoted', 2, 'Experimental', 'Production', jsonb_build_object('evidence', substr(:'evidence', 8), 'request', :request)); TABLE found; ROLLBACK;
BEGIN; SELECT forge('stage_changed', 2, 'Archived', 'Staging', evidence(2, 'Archived', 'Staging', :'good')); TABLE found; ROLLBACK;
-- a gate that blocks did not hold, or is not there, or the gates are none
BEGIN; SELECT forge('stage_changed', 2, 'Experimental', 'Staging', evidence(2, 'Experimental', 'Staging', '[{"gate": "card", "severity": "block", "verdict": "fails"}]')); TABLE found; ROLLBACK;
BEGIN; SELECT forge('stage_changed', 2, 'Experimental', 'Staging', evidence(2, 'Experimental', 'Staging', '[{"gate": "hint", "verdict": "holds"}]')); TABLE found; ROLLBACK;
BEGIN; SELECT forge('stage_changed', 2, 'Experimental', 'Staging', evidence(2, 'Experimental', 'Staging', '7')); TABLE found; ROLLBACK;
-- what warns stops nothing, and this would have been let pass
BEGIN; SELECT forge('stage_changed', 2, 'Experimental', 'Staging', evidence(2, 'Experimental', 'Staging', :'good')); TABLE found; ROLLBACK;
-- nobody approved it, or only of another request
BEGIN; SELECT forge('promoted', 2, 'Experimental', 'Production', evidence(2, 'Experimental', 'Production', :'good')); TABLE found; ROLLBACK;
BEGIN; SELECT forge('promoted', 2, 'Experimental', 'Production', evidence(2, 'Experimental', 'Production', :'good') || '{"approvals": [2, 3]}'); TABLE found; ROLLBACK;
-- under a policy that the model never had
BEGIN; SELECT forge('promoted', 2, 'Experimental', 'Production', jsonb_build_object('policy', 'open', 'policy_digest', encode(p.digest, 'hex'))) FROM modelreg.policy p WHERE p.name = 'open'; TABLE found; ROLLBACK;
-- another version is current, though none moved; a way back to where it never was; an emergency that the policy does not know
BEGIN; SELECT forge('promoted', 3, NULL, 'Production', '{}', false); SELECT how, what FROM found WHERE what LIKE 'its evidence%'; ROLLBACK;
BEGIN; SELECT forge('rolled_back', 2, 'Experimental', 'Production', '{}'); TABLE found; ROLLBACK;
BEGIN; SELECT forge('emergency_promoted', 2, 'Experimental', 'Production', evidence(2, 'Experimental', 'Production', :'good')); TABLE found; ROLLBACK;
-- to an easier policy, alone
BEGIN;
SELECT forge('policy_changed', 0, NULL, NULL, evidence(0, NULL, NULL, '[]', :request) || jsonb_build_object('policy', 'open', 'policy_digest', encode(p.digest, 'hex'), 'replaced', m.policy, 'replaced_digest', encode(m.policy_digest, 'hex')), false)
	FROM modelreg.policy p, modelreg.model m WHERE p.name = 'open' AND m.name = 'm';
UPDATE modelreg.model SET policy = 'open', policy_digest = p.digest FROM modelreg.policy p WHERE p.name = 'open' AND model.name = 'm';
TABLE found;
ROLLBACK;
TABLE found;

-- Observations of what is not there, or of another team; sums of more than was observed; predictions, which there may be many of, by the deep check alone.
CREATE VIEW wrong AS SELECT 'cheap' AS how, v.object, v.detail FROM modelreg.verify() v WHERE v.check_name <> 'guard' UNION ALL
	(SELECT 'deep', v.object, v.detail FROM modelreg.verify('search', true) v EXCEPT SELECT 'deep', v.object, v.detail FROM modelreg.verify() v) ORDER BY 1, 2, 3;
BEGIN; UPDATE modelreg.quality_observation SET endpoint_id = 99 WHERE id = 1; UPDATE modelreg.quality_observation SET version = 77 WHERE id = 2; UPDATE modelreg.quality_observation SET team_id = 5 WHERE id = 3; TABLE wrong; ROLLBACK;
BEGIN; UPDATE modelreg.rollout_evidence SET observations = observations + 1; TABLE wrong; ROLLBACK;
BEGIN; UPDATE modelreg.rollout_evidence SET total = total + 1 WHERE version = 1; DELETE FROM modelreg.rollout_evidence WHERE version = 2; TABLE wrong; ROLLBACK;
BEGIN; UPDATE modelreg.quality_observation SET schedule_seq = NULL, step = NULL WHERE version = 1; UPDATE modelreg.quality_observation SET window_start = window_start - interval '1 day' WHERE version = 2; TABLE wrong; ROLLBACK;
BEGIN; UPDATE modelreg.rollout_evidence SET step = 9 WHERE version = 1; UPDATE modelreg.rollout_evidence SET version = 77 WHERE version = 2; TABLE wrong; ROLLBACK;
BEGIN; UPDATE modelreg.rollout_evidence SET endpoint_id = 99 WHERE version = 1; UPDATE modelreg.rollout_evidence SET team_id = 99 WHERE version = 2; TABLE wrong; ROLLBACK;
BEGIN; UPDATE modelreg.instance_report SET endpoint_id = 99; TABLE wrong; ROLLBACK;
BEGIN; UPDATE modelreg.prediction SET version = 77 WHERE request_key = 'b'; UPDATE modelreg.prediction SET step = 1 WHERE request_key = 'a'; TABLE wrong; ROLLBACK;
BEGIN; UPDATE modelreg.prediction SET event = 99 WHERE request_key = 'a'; UPDATE modelreg.prediction SET endpoint_id = 99 WHERE request_key = 'b'; TABLE wrong; ROLLBACK;
BEGIN; SELECT setval('modelreg.quality_id_seq', 2); TABLE wrong; ROLLBACK;
SELECT setval('modelreg.quality_id_seq', 3);

-- Traffic that is laid down with an event, a hash and arms that fit.
CREATE FUNCTION lay_down(kind text, segments jsonb, shadow jsonb DEFAULT '[]', plan jsonb DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	e modelreg.endpoint; m bigint := (SELECT id FROM modelreg.model WHERE name = 'served'); at timestamptz; doc jsonb; h bytea; who jsonb := '{"role": "nobody", "role_oid": 1}';
	salt bytea; rollout bigint;
BEGIN
	SELECT * INTO e FROM modelreg.endpoint;
	SELECT s.salt INTO salt FROM modelreg.traffic_schedule s WHERE s.endpoint_id = e.id AND s.seq = e.schedule_seq;
	at := greatest(clock_timestamp(), e.head_at + interval '1 us');
	SELECT jsonb_agg(jsonb_build_array(m) || x) INTO segments FROM jsonb_array_elements(segments) x;
	SELECT COALESCE(jsonb_agg(jsonb_build_array(m, x)), '[]') INTO shadow FROM jsonb_array_elements(shadow) x;
	doc := jsonb_build_object('state', 'ended', 'steps', jsonb_build_array(jsonb_build_object('opens', (extract(epoch FROM at - '2000-01-01 00:00+00') * 1000000)::bigint, 'segments', segments)
		|| CASE shadow WHEN '[]' THEN '{}' ELSE jsonb_build_object('shadow', shadow) END));
	IF kind = 'rollout_started' THEN
		rollout := e.seq + 1;
		doc := doc || jsonb_build_object('state', 'running', 'plan', COALESCE(plan, '{"steps": [{"weight": "100%"}]}'), 'from', jsonb_build_array(jsonb_build_array(m, 1, 1000000)), 'target', segments);
	END IF;
	h := modelreg.row_hash('traffic_schedule', 1::smallint, e.id, e.seq + 1, e.team_id, at, kind, rollout, NULL::bigint, salt, doc);
	INSERT INTO modelreg.traffic_schedule VALUES (e.id, e.seq + 1, e.team_id, at, kind, rollout, NULL, salt, doc, h, 1);
	INSERT INTO modelreg.traffic_arm SELECT e.id, e.seq + 1, 0, m, (x->>1)::integer, (x->>2)::integer, e.team_id, at FROM jsonb_array_elements(segments) x UNION ALL
		SELECT e.id, e.seq + 1, 0, m, (x->>1)::integer, 0, e.team_id, at FROM jsonb_array_elements(shadow) x;
	INSERT INTO modelreg.event VALUES (6, e.id, e.seq + 1, at, kind, e.team_id, who, NULL, NULL, NULL, jsonb_build_object('schedule', encode(h, 'hex')), NULL, e.head_hash, modelreg.row_hash('event', 1::smallint, 6::smallint,
		e.id, e.seq + 1, at, kind, e.team_id, who, NULL::text, NULL::text, NULL::text, jsonb_build_object('schedule', encode(h, 'hex')), NULL::bytea, e.head_hash), 1) RETURNING hash INTO e.head_hash;
	UPDATE modelreg.endpoint SET seq = e.seq + 1, head_hash = e.head_hash, head_at = at, schedule_seq = e.seq + 1, schedule_hash = h;
END $$;
-- to what is in Experimental all of it, a canary's share, or as a shadow, which it may be
BEGIN; SELECT lay_down('rollout_started', '[[3, 1000000]]'); TABLE wrong; ROLLBACK;
BEGIN; SELECT lay_down('rolled_back', '[[1, 950000], [3, 50000]]'); TABLE wrong; ROLLBACK;
BEGIN; SELECT lay_down('rollout_started', '[[1, 1000000]]', '[3]', '{"shadow": "forever"}'); TABLE wrong; ROLLBACK;
-- to what is in Production, by any plan
BEGIN; SELECT lay_down('rollout_started', '[[1, 500000], [2, 500000]]', '[]', '{"linear": "1 hour", "in": 10}'); TABLE wrong; ROLLBACK;
\c :origin
DROP DATABASE regress_verify_decisions;
