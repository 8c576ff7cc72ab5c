-- verify(deep): decisions that a superuser forged, with hashes, chains and states that fit, and that their policy would not have let pass.
SELECT current_database() AS origin \gset
CREATE DATABASE regress_verify_decisions TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_verify_decisions
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
		UPDATE modelreg.model o SET current_version = version, current_since = at, current_registered_at = v.registered_at, current_identity = v.identity
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
\c :origin
DROP DATABASE regress_verify_decisions;
