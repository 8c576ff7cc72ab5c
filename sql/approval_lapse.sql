-- An approval counts while its giver could give it: what becomes of it when he loses the level, his name, himself, or becomes somebody who
-- may not approve.

\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_lapse_lead;
CREATE ROLE regress_lapse_reg;
CREATE ROLE regress_lapse_one;
CREATE ROLE regress_lapse_two;
CREATE ROLE regress_lapse_group;
CREATE ROLE regress_lapse_gone IN ROLE regress_lapse_group;
SELECT modelreg.create_team('lapse') > 0;
SELECT modelreg.grant_level('lapse', 'regress_lapse_lead', 'maintainer'), modelreg.grant_level('lapse', 'regress_lapse_reg', 'contributor'), modelreg.grant_level('lapse', 'regress_lapse_reg', 'evaluator'),
	modelreg.grant_level('lapse', 'regress_lapse_one', 'reviewer'), modelreg.grant_level('lapse', 'regress_lapse_two', 'reviewer'),
	modelreg.grant_level('lapse', 'regress_lapse_group', 'reviewer');
SELECT modelreg.grant_registry_right(session_user, 'pooler');
SELECT modelreg.create_policy('lapse', 'two', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["contributor"],
	"approvals": 2, "approvers": ["reviewer"], "gates": ["offline"]}], "gates": {"offline": {"kind": "evaluation", "evaluation": "offline"}},
	"distinct": [["approver", "evaluator"]]}');
SELECT modelreg.allow_policy('lapse', 'two', 1);
SELECT modelreg.create_model('lapse.m', 'two') > 0;
CREATE FUNCTION pg_temp.last() RETURNS bigint LANGUAGE sql AS $$SELECT max(request) FROM modelreg.promotion_requests WHERE team = 'lapse'$$;
-- Approves what there is; returns whether that decided.
CREATE FUNCTION pg_temp.approve() RETURNS boolean LANGUAGE sql AS $$
	SELECT modelreg.approve(r.last, v.evidence) IS NOT NULL FROM (SELECT pg_temp.last()) r (last), modelreg.review(r.last) v$$;
CREATE FUNCTION pg_temp.ask(v integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE regress_lapse_reg;
	PERFORM modelreg.request_promotion('lapse.m', v, 'Production');
	SET LOCAL ROLE regress_lapse_one;
	PERFORM pg_temp.approve();
	RESET ROLE;
	RETURN true;
END $$;
CREATE VIEW pg_temp.standing AS SELECT v.needed, v.approved, v.lapsed, a.role, a.superseded, a.counted
	FROM (SELECT pg_temp.last()) r (last), modelreg.review(r.last) v, modelreg.approvals a WHERE a.request = r.last ORDER BY a.number;
GRANT SELECT ON pg_temp.standing TO PUBLIC;
SET ROLE regress_lapse_reg;
SELECT modelreg.register_version('lapse.m'), modelreg.record_evaluation('models:/lapse.m/' || v, 'offline', '{}') > 0 FROM generate_series(1, 5) v;
RESET ROLE;

-- who lost the level: his approval counts no more, and the next one decides nothing
SELECT pg_temp.ask(1);
TABLE pg_temp.standing;
SELECT modelreg.revoke_level('lapse', 'regress_lapse_one', 'reviewer');
TABLE pg_temp.standing;
SET ROLE regress_lapse_two;
SELECT pg_temp.approve();
TABLE pg_temp.standing;
SELECT version FROM modelreg.production('lapse.m');
-- once he has it again it counts again, and the next call decides, though it repeats an approval
RESET ROLE;
BEGIN;
SELECT modelreg.grant_level('lapse', 'regress_lapse_one', 'reviewer');
TABLE pg_temp.standing;
SET ROLE regress_lapse_two;
SELECT pg_temp.approve();
SELECT version FROM modelreg.production('lapse.m');
ROLLBACK;
-- another level that may approve nothing is not enough; somebody else approves instead, and the decision says whose approvals it stands on
SELECT modelreg.grant_level('lapse', 'regress_lapse_one', 'evaluator');
SET ROLE regress_lapse_gone;
SELECT pg_temp.approve();
RESET ROLE;
SELECT version FROM modelreg.production('lapse.m');
SELECT role, superseded, counted FROM modelreg.approvals WHERE request = pg_temp.last() ORDER BY number;
SELECT a->>'role', a->>'counted' FROM modelreg.transitions n, modelreg.explain_decision(n.model, n.number) d, jsonb_array_elements(d->'approvals') a
	WHERE n.model = 'lapse.m' AND n.version = 1 AND n.to_stage = 'Production';
SELECT (SELECT array_agg(a.role ORDER BY a.number) FROM modelreg.approvals a WHERE a.request = pg_temp.last() AND d->'what'->'approvals' @> to_jsonb(a.number))
	FROM modelreg.transitions n, modelreg.explain_decision(n.model, n.number) d WHERE n.model = 'lapse.m' AND n.version = 1 AND n.to_stage = 'Production';
SELECT l[1], l[2] FROM regexp_matches(substring(modelreg.model_card('lapse.m', 1) FROM '## Approvals.*'), '\| ([^|]*) \| [^|]*\| ([^|]*) \|$', 'gn') l;
-- of what was decided nothing lapses
SELECT modelreg.revoke_level('lapse', 'regress_lapse_two', 'reviewer');
SELECT role, superseded, counted FROM modelreg.approvals WHERE request = pg_temp.last() ORDER BY number;
SELECT modelreg.grant_level('lapse', 'regress_lapse_two', 'reviewer'), modelreg.grant_level('lapse', 'regress_lapse_one', 'reviewer');

-- the level came by a role that he left; he was renamed, by name or back; he is another one now
SELECT pg_temp.ask(2);
SELECT modelreg.revoke_level('lapse', 'regress_lapse_one', 'reviewer');
GRANT regress_lapse_group TO regress_lapse_one;
TABLE pg_temp.standing;
REVOKE regress_lapse_group FROM regress_lapse_one;
TABLE pg_temp.standing;
SELECT modelreg.grant_level('lapse', 'regress_lapse_one', 'reviewer');
ALTER ROLE regress_lapse_one RENAME TO regress_lapse_other;
TABLE pg_temp.standing;
CREATE ROLE regress_lapse_one;
SELECT modelreg.grant_level('lapse', 'regress_lapse_one', 'reviewer');
TABLE pg_temp.standing;
-- who is made anew approves anew, as one person
SET ROLE regress_lapse_one;
SELECT pg_temp.approve();
TABLE pg_temp.standing;
RESET ROLE;
SELECT modelreg.revoke_level('lapse', 'regress_lapse_one', 'reviewer');
DROP ROLE regress_lapse_one;
ALTER ROLE regress_lapse_other RENAME TO regress_lapse_one;
TABLE pg_temp.standing;
SELECT modelreg.grant_level('lapse', 'regress_lapse_one', 'reviewer');
TABLE pg_temp.standing;
SET ROLE regress_lapse_one;
SELECT pg_temp.approve();
TABLE pg_temp.standing;
RESET ROLE;

-- a role that is there no more
SELECT pg_temp.ask(3);
SELECT modelreg.revoke_level('lapse', 'regress_lapse_one', 'reviewer');
DROP ROLE regress_lapse_one;
TABLE pg_temp.standing;
SET ROLE regress_lapse_two;
SELECT pg_temp.approve();
RESET ROLE;

-- who evaluated the version since, though no gate looks at it, is an evaluator; the evidence is the same
CREATE ROLE regress_lapse_one;
SELECT modelreg.grant_level('lapse', 'regress_lapse_one', 'reviewer'), modelreg.grant_level('lapse', 'regress_lapse_one', 'evaluator');
SELECT pg_temp.ask(4);
SET ROLE regress_lapse_one;
SELECT modelreg.record_evaluation('models:/lapse.m/4', 'offline', '{}', slice => 'women') > 0;
TABLE pg_temp.standing;
RESET ROLE;

-- two who log in as one that is no pooler any more are one person, and who asked
SELECT pg_temp.ask(5);
SELECT modelreg.revoke_registry_right(session_user, 'pooler');
TABLE pg_temp.standing;
SELECT modelreg.grant_registry_right(session_user, 'pooler');
TABLE pg_temp.standing;

-- another policy is asked for in the same way
SET ROLE regress_lapse_reg;
SELECT modelreg.request_policy('lapse.m', 'high-risk', 1) = pg_temp.last();
SET ROLE regress_lapse_one;
SELECT pg_temp.approve();
RESET ROLE;
SELECT modelreg.revoke_level('lapse', 'regress_lapse_one', 'reviewer');
SET ROLE regress_lapse_two;
SELECT pg_temp.approve();
TABLE pg_temp.standing;
SET ROLE regress_lapse_gone;
SELECT pg_temp.approve();
RESET ROLE;
SELECT policy FROM modelreg.models WHERE model = 'lapse.m';
SELECT jsonb_array_length(what->'approvals') FROM modelreg.model_history WHERE model = 'lapse.m' AND kind = 'policy_changed';
SELECT * FROM modelreg.verify('lapse', deep => true);
SELECT modelreg.revoke_registry_right(session_user, 'pooler');
