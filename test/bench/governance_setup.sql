-- Models under three policies, one for each client, all of whose versions pass; and tables for the alternative.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE ROLE regress_bench_asks;
CREATE ROLE regress_bench_first;
CREATE ROLE regress_bench_second;
SELECT modelreg.create_team('bench');
SELECT modelreg.grant_registry_right(session_user, 'pooler'), modelreg.grant_level('bench', session_user, 'evaluator'), modelreg.grant_level('bench', 'regress_bench_asks', 'contributor'),
	modelreg.grant_level('bench', 'regress_bench_first', 'reviewer'), modelreg.grant_level('bench', 'regress_bench_second', 'reviewer');
SELECT modelreg.create_policy('bench', 'five', policy), modelreg.create_policy('bench', 'two', jsonb_set(policy, '{transitions,0}', policy->'transitions'->0 || '{"approvals": 2, "approvers": ["reviewer"]}'))
FROM (SELECT '{"format": 1, "transitions": [{"from": ["Experimental", "Archived"], "to": "Production", "levels": ["contributor", "maintainer"],
	"gates": ["passed", "auc", "calibrated", "fair", "card"]}], "gates": {"passed": {"kind": "evaluation", "evaluation": "offline", "passed": true},
	"auc": {"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 0.5}, "calibrated": {"kind": "calibration", "metric": "ece", "at_most": 0.1},
	"fair": {"kind": "fairness", "metric": "auc", "max_spread": 0.1}, "card": {"kind": "model_card", "sections": ["intended_use"]}}}'::jsonb) p (policy);
SELECT modelreg.allow_policy('bench', 'five', 1), modelreg.allow_policy('bench', 'two', 1);
CREATE TABLE made AS SELECT 'bench.' || policy || '-' || (client - 1) AS model, version FROM unnest('{open,five,two}'::text[]) policy, generate_series(1, :clients) client, generate_series(1, :versions) version;
SELECT count(modelreg.create_model(model, substring(model, 'bench.(.*)-'))) FROM made WHERE version = 1;
SELECT count(modelreg.register_version(model)) FROM made;
SELECT count(modelreg.set_model_card(model, version, '{"intended_use": "to be timed"}')) FROM made;
SELECT count(modelreg.record_evaluation('models:/' || model || '/' || version, kind, metrics::jsonb, slice => slice, passed => true)) FROM made,
	(VALUES ('offline', '', '{"auc": 0.8}'), ('calibration', '', '{"ece": 0.01}'), ('fairness', 'men', '{"auc": 0.8}'), ('fairness', 'women', '{"auc": 0.79}')) e (kind, slice, metrics);
SELECT count(modelreg.promote(model, 1, 'Production')) FROM made WHERE version = 1 AND model NOT LIKE '%two%';
DROP TABLE made;
SET ROLE regress_bench_asks;
SELECT count(modelreg.request_promotion('bench.two-' || client - 1, 1, 'Production')) FROM generate_series(1, :clients) client;
SET ROLE regress_bench_first;
SELECT count(*) FROM (SELECT modelreg.approve(r.request, v.evidence) FROM modelreg.promotion_requests r, modelreg.review(r.request) v) a;
SET ROLE regress_bench_second;
SELECT count(*) FROM (SELECT modelreg.approve(r.request, v.evidence) FROM modelreg.promotion_requests r, modelreg.review(r.request) v) a;
RESET ROLE;

CREATE SCHEMA bench;
CREATE TABLE bench.model (LIKE modelreg.model INCLUDING ALL) WITH (fillfactor = 70);
CREATE TABLE bench.version_stage (LIKE modelreg.version_stage INCLUDING ALL);
CREATE TABLE bench.production (LIKE modelreg.production INCLUDING ALL);
CREATE TABLE bench.event (LIKE modelreg.event INCLUDING ALL);
CREATE TABLE bench.evidence (LIKE modelreg.evidence INCLUDING ALL);
CREATE TABLE bench.approval_request (LIKE modelreg.approval_request INCLUDING ALL);
CREATE TABLE bench.approval (LIKE modelreg.approval INCLUDING ALL);
CREATE SEQUENCE bench.request;
INSERT INTO bench.model SELECT * FROM modelreg.model;
INSERT INTO bench.version_stage SELECT * FROM modelreg.version_stage;
VACUUM ANALYZE;
