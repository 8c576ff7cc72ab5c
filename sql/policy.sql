-- Policies: what comes with the extension, documents that are refused, which a team may use, and whom a policy lets move.

\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on

-- what comes with the extension is there before anything was written
BEGIN READ ONLY;
SELECT policy, revision, digest ~ '^sha256:[0-9a-f]{64}$', built_in, allowed FROM modelreg.policies WHERE team IS NULL ORDER BY policy;
SELECT policy, document = modelreg.policy_document(NULL, policy, revision),
	digest = 'sha256:' || encode(sha256(convert_to(modelreg.canonical_json(document), 'UTF8')), 'hex') FROM modelreg.built_in_policies() ORDER BY policy;
SELECT modelreg.policy_document(NULL, 'standard', 2);
SELECT modelreg.policy_document(NULL, 'nix', 1);
COMMIT;

CREATE ROLE regress_pol_ann;
CREATE ROLE regress_pol_cora;
CREATE ROLE regress_pol_rita;
CREATE ROLE regress_pol_admin;
CREATE ROLE regress_pol_nobody;
SELECT modelreg.create_team('pol') > 0;
SELECT modelreg.grant_level('pol', 'regress_pol_ann', 'maintainer');
SELECT modelreg.grant_level('pol', 'regress_pol_cora', 'contributor');
SELECT modelreg.grant_level('pol', 'regress_pol_rita', 'reviewer');
SELECT modelreg.grant_registry_right('regress_pol_admin', 'admin');

-- a document says all that is wrong with it at once
SET ROLE regress_pol_ann;
\set VERBOSITY default
SELECT modelreg.create_policy('pol', 'wrong', '{}');
SELECT modelreg.create_policy('pol', 'wrong', '{"format": 2, "transitions": [7, {"from": "Staging"}, {"from": ["staging"], "to": "Live", "levels": ["admin", "reader"]}],
	"gates": {"a": 1, "b": {}, "c": {"kind": "nix"}, "d": {"kind": "metric", "severity": "maybe"}, "": {"kind": "evaluation", "evaluation": "x y"},
		"e": {"kind": "evaluation", "evaluation": "offline", "max_age_days": 1.5}},
	"distinct": [["approver"], ["approver", "approver"], ["nix", "approver"], 3], "return": {}, "emergency": {"levels": []}, "several_in_production": 1,
	"traffic": {"Staging": ["all"], "Live": ["full"]}, "retention_days": {"Archived": -1}, "note": ""}');
SELECT modelreg.create_policy('pol', 'wrong', '{"format": 1, "transitions": [
	{"from": ["Experimental", "Production"], "to": "Production", "levels": ["reviewer"], "approvals": 1},
	{"from": ["Staging"], "to": "Production", "levels": ["reviewer"], "approvers": ["reviewer"]},
	{"from": ["Staging"], "to": "Production", "levels": ["reviewer"], "gates": ["nix"]},
	{"from": ["Production"], "to": "Staging", "levels": ["reviewer"], "automatic": true, "approvals": 11, "approvers": ["reviewer"]}],
	"gates": {"a": {"kind": "metric", "metric": "auc", "evaluation": "offline"},
		"b": {"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 2, "at_most": 1, "min_gain": -1, "better": "more", "dataset": "nix"},
		"c": {"kind": "fairness", "metric": "auc"}, "d": {"kind": "fairness", "max_spread": -1}, "e": {"kind": "calibration", "at_most": 1},
		"f": {"kind": "evaluation", "evaluation": "offline", "dataset": "models:/pol.m/1"}, "g": {"kind": "fairness", "slices": ["a", "a"]}}}');
-- no way leads round what another way asks
SELECT modelreg.create_policy('pol', 'wrong', '{"format": 1, "transitions": [
	{"from": ["Experimental"], "to": "Staging", "levels": ["contributor"], "gates": ["offline"]},
	{"from": ["Staging"], "to": "Production", "levels": ["reviewer"], "approvals": 2, "approvers": ["reviewer"]},
	{"from": ["Archived"], "to": "Production", "levels": ["reviewer"], "approvals": 1, "approvers": ["reviewer"]},
	{"from": ["Experimental"], "to": "Archived", "levels": ["contributor"]}],
	"gates": {"offline": {"kind": "evaluation", "evaluation": "offline"}}}');
SELECT modelreg.create_policy('pol', 'wrong', '{"format": 1, "transitions": [
	{"from": ["Experimental"], "to": "Staging", "levels": ["contributor"]},
	{"from": ["Experimental"], "to": "Production", "levels": ["reviewer"], "approvals": 1, "approvers": ["reviewer"], "gates": ["offline"]},
	{"from": ["Staging"], "to": "Production", "levels": ["reviewer"], "approvals": 1, "approvers": ["contributor", "reviewer"], "gates": ["offline"]}],
	"gates": {"offline": {"kind": "evaluation", "evaluation": "offline"}}}');
-- Production asks again what Staging asked, which a version may have reached under another policy
SELECT modelreg.create_policy('pol', 'wrong', '{"format": 1, "transitions": [
	{"from": ["Experimental"], "to": "Staging", "levels": ["contributor"], "gates": ["offline", "hint"], "approvals": 2, "approvers": ["reviewer"]},
	{"from": ["Staging"], "to": "Production", "levels": ["contributor"]}],
	"gates": {"offline": {"kind": "evaluation", "evaluation": "offline"}, "hint": {"kind": "evaluation", "evaluation": "shadow", "severity": "warn"}}}');
SELECT modelreg.create_policy('pol', 'wrong', '{"format": 1, "transitions": [
	{"from": ["Experimental"], "to": "Archived", "levels": ["contributor"], "gates": ["offline"], "approvals": 1, "approvers": ["reviewer"]},
	{"from": ["Experimental"], "to": "Production", "levels": ["contributor"], "gates": ["offline"], "approvals": 1, "approvers": ["reviewer"]},
	{"from": ["Archived"], "to": "Production", "levels": ["contributor"], "approvals": 1, "approvers": ["contributor"]}],
	"gates": {"offline": {"kind": "evaluation", "evaluation": "offline"}}}');
SELECT modelreg.create_policy('pol', 'wrong', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Staging", "levels": ["contributor"]}]}');
\set VERBOSITY terse
SELECT modelreg.create_policy('pol', 'open', '{"format": 1, "transitions": []}');
SELECT modelreg.create_policy('pol', 'a/b', '{"format": 1, "transitions": []}');
SELECT modelreg.create_policy('pol', 'wrong', '[]');
SELECT modelreg.create_policy('pol', 'wrong', NULL);
SELECT modelreg.create_policy('pol', 'wrong', jsonb_build_object('format', 1, 'transitions', jsonb_build_array(repeat('x', 70000))));
-- what was asked before need not be asked again for Staging; warning gates bind nobody
SELECT modelreg.create_policy('pol', 'ours', '{"format": 1, "transitions": [
	{"from": ["Experimental"], "to": "Staging", "levels": ["contributor"], "gates": ["offline"]},
	{"from": ["Archived"], "to": "Staging", "levels": ["maintainer"]},
	{"from": ["Staging"], "to": "Production", "levels": ["reviewer"], "gates": ["offline"]},
	{"from": ["Archived"], "to": "Production", "levels": ["maintainer"], "gates": ["offline", "hint"]},
	{"from": ["Staging", "Production"], "to": "Archived", "levels": ["contributor"]}],
	"gates": {"offline": {"kind": "evaluation", "evaluation": "offline"}, "hint": {"kind": "evaluation", "evaluation": "shadow", "severity": "warn"}},
	"return": {"levels": ["reviewer"]}}', request_id => 'p1') AS revision;

-- the same document is the same revision, another one the next
SELECT modelreg.create_policy('pol', 'ours', document) FROM modelreg.policies WHERE policy = 'ours';
SELECT modelreg.create_policy('pol', 'ours', document || '{"several_in_production": true}') FROM modelreg.policies WHERE policy = 'ours';
SELECT modelreg.create_policy('pol', 'ours', document) FROM modelreg.policies WHERE policy = 'ours' AND revision = 1;
SELECT revision, allowed, role, modelreg.policy_document('pol', 'ours', revision) = document FROM modelreg.policies WHERE policy = 'ours' ORDER BY revision;

-- a team uses what an admin allowed, and what is built in unless he forbade it
SELECT modelreg.create_model('pol.m', 'ours');
SELECT modelreg.create_model('pol.m', 'nix');
SELECT modelreg.allow_policy('pol', 'ours', 1);
SELECT modelreg.forbid_policy('pol', 'ours');
SET ROLE regress_pol_admin;
SELECT modelreg.policy_document('pol', 'ours', 1)->'return';
SELECT modelreg.allow_policy('pol', 'ours', 3);
SELECT modelreg.allow_policy('pol', 'nix', 1);
SELECT modelreg.allow_policy('pol', 'open', 2);
SELECT modelreg.allow_policy('nix', 'open', 1);
SELECT modelreg.allow_policy('pol', 'ours', 1);
SELECT modelreg.allow_policy('pol', 'ours', 1);
SELECT modelreg.forbid_policy('pol', 'open');
RESET ROLE;
SELECT kind, what->>'policy', what->>'revision' FROM modelreg.event WHERE kind LIKE 'policy%' AND team_id = (SELECT id FROM modelreg.team WHERE name = 'pol') ORDER BY seq;
SET ROLE regress_pol_ann;
SELECT modelreg.create_model('pol.m', 'open');
SELECT modelreg.create_model('pol.m', 'ours') > 0;
SELECT modelreg.register_version('pol.m') FROM generate_series(1, 3);

-- who may move what
SET ROLE regress_pol_rita;
SELECT modelreg.promote('pol.m', 1, 'Staging');
SET ROLE regress_pol_cora;
\set VERBOSITY default
SELECT modelreg.promote('pol.m', 1, 'Staging');
\set VERBOSITY terse
SELECT modelreg.promote('pol.m', 1, 'Production');
SELECT modelreg.record_evaluation('models:/pol.m/1', 'offline', '{}', passed => false) IS NOT NULL;
SET ROLE regress_pol_ann;
SELECT modelreg.grant_level('pol', 'regress_pol_cora', 'evaluator');
SET ROLE regress_pol_cora;
SELECT modelreg.record_evaluation('models:/pol.m/1', 'offline', '{}', passed => false) IS NOT NULL;
SELECT gate, observed, verdict, earlier FROM modelreg.check_promotion('pol.m', 1, 'Staging');
SELECT modelreg.record_evaluation('models:/pol.m/' || n, 'offline', '{}') IS NOT NULL FROM generate_series(1, 3) n;
SELECT gate, required, observed, verdict, earlier FROM modelreg.check_promotion('pol.m', 1, 'Staging');
SELECT modelreg.promote('pol.m', n, 'Staging', request_id => 'to-staging-' || n) > 0 FROM generate_series(1, 3) n;
SELECT modelreg.promote('pol.m', 1, 'Production');
SET ROLE regress_pol_rita;
SELECT modelreg.promote('pol.m', 1, 'Production') > 0;
SELECT modelreg.promote('pol.m', 2, 'Production', archive_others => false);
SELECT modelreg.promote('pol.m', 2, 'Production') > 0;
SELECT modelreg.promote('pol.m', 2, 'Experimental', leave_none => true);
SELECT modelreg.promote('pol.m', 1, 'Production');
-- a warning is told of and does not stop anybody
SET ROLE regress_pol_ann;
SELECT gate, severity, verdict FROM modelreg.check_promotion('pol.m', 1, 'Production') WHERE kind = 'evaluation';
SELECT modelreg.rollback_model('pol.m', 'not mine to do');
SELECT modelreg.promote('pol.m', 1, 'Production') > 0;
SET ROLE regress_pol_rita;
SELECT modelreg.rollback_model('pol.m', 'back', request_id => 'r1');
SELECT modelreg.promote('pol.m', 3, 'Production') > 0;
SELECT modelreg.promote('pol.m', 3, 'Production') IS NULL;
SELECT count(*) FROM modelreg.check_promotion('pol.m', 3, 'Production');

-- a refusal that is kept
SET ROLE regress_pol_ann;
SELECT modelreg.register_version('pol.m');
SET ROLE regress_pol_cora;
SELECT modelreg.attempt_promotion('pol.m', 4, 'Staging', 'try', request_id => 'a1') > 0;
SELECT modelreg.attempt_promotion('pol.m', 4, 'Staging', 'try', request_id => 'a1') > 0;
SELECT modelreg.attempt_promotion('pol.m', 4, 'Production');
SELECT version, decision, gate, observed, verdict FROM modelreg.gate_evidence WHERE model = 'pol.m' AND gate_kind = 'evaluation' AND version IN (1, 4) ORDER BY number, gate;
SELECT modelreg.record_evaluation('models:/pol.m/4', 'offline', '{}', passed => true) IS NOT NULL;
SELECT modelreg.attempt_promotion('pol.m', 4, 'Staging', 'again') > 0;
SELECT stage FROM modelreg.versions WHERE model = 'pol.m' AND version = 4;

-- a freed name is not a way to another policy, nor to another revision of it
SET ROLE regress_pol_ann;
SELECT modelreg.create_model('pol.other', 'ours') > 0;
SELECT modelreg.retire_model('pol.other');
SELECT modelreg.create_model('pol.other', 'standard');
SET ROLE regress_pol_admin;
SELECT modelreg.allow_policy('pol', 'ours', 2);
SET ROLE regress_pol_ann;
SELECT modelreg.create_model('pol.other', 'ours');
SELECT modelreg.create_model('pol.third', 'ours') > 0;
SELECT modelreg.rename_model('pol.third', 'other');
SELECT modelreg.rename_model('pol.m', 'm2');
SELECT modelreg.rename_model('pol.third', 'm');
SELECT modelreg.rename_model('pol.m2', 'm');

-- who may look
SET ROLE regress_pol_nobody;
SELECT count(*) FROM modelreg.policies WHERE team IS NOT NULL;
SELECT count(*) FROM modelreg.gate_evidence;
SELECT modelreg.policy_document('pol', 'ours', 1);
SELECT * FROM modelreg.check_promotion('pol.m', 1, 'Staging');
SELECT modelreg.create_policy('pol', 'mine', '{}');
SELECT modelreg.attempt_promotion('pol.m', 1, 'Staging');
RESET ROLE;
SELECT modelreg.revoke_registry_right('regress_pol_admin', 'admin');
SELECT * FROM modelreg.verify('pol');
