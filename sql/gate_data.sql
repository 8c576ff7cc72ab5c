-- Gates about what a version was made from: lineage_complete, data_quality and schema_compatible. Everything that can be wrong, without a
-- version in Production and with one, with data of a team that one may not read, and superseded.

\set VERBOSITY terse
\pset format unaligned
\pset null -
\pset footer off
CREATE ROLE regress_gd_reg;
CREATE ROLE regress_gd_eva;
CREATE ROLE regress_gd_reader;
CREATE ROLE regress_gd_rev;
CREATE ROLE regress_gd_ads;
CREATE ROLE regress_gd_admin;
CREATE ROLE regress_gd_auditor;
SELECT modelreg.create_team('gd') > 0 AS made, modelreg.create_team('gd-ads') > 0 AS made_too;
SELECT modelreg.grant_level('gd', 'regress_gd_reg', 'maintainer'), modelreg.grant_level('gd', 'regress_gd_reg', 'evaluator'), modelreg.grant_level('gd', 'regress_gd_eva', 'evaluator'),
	modelreg.grant_level('gd', 'regress_gd_reader', 'reader'), modelreg.grant_level('gd', 'regress_gd_rev', 'reviewer'), modelreg.grant_level('gd-ads', 'regress_gd_ads', 'contributor'),
	modelreg.grant_level('gd-ads', 'regress_gd_ads', 'evaluator'), modelreg.grant_level('gd-ads', 'regress_gd_reg', 'reader'),
	modelreg.grant_registry_right('regress_gd_admin', 'admin'), modelreg.grant_registry_right('regress_gd_auditor', 'auditor');
-- one session is all of them
SELECT modelreg.grant_registry_right(session_user::text, 'pooler');

-- Definitions that are nonsense
SET ROLE regress_gd_reg;
\set VERBOSITY default
SELECT modelreg.create_policy('gd', 'wrong', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "gates": ["l"]}], "gates": {
	"l": {"kind": "lineage_complete", "needs": ["runs", "commit"]}, "l2": {"kind": "lineage_complete", "needs": []}, "l3": {"kind": "lineage_complete", "needs": "run"},
	"q": {"kind": "data_quality", "evaluation": "no kind"}, "q2": {"kind": "data_quality", "max_age_days": 0}, "q3": {"kind": "data_quality", "metric": "nulls"},
	"s": {"kind": "schema_compatible", "mode": "backward"}, "s2": {"kind": "schema_compatible", "mode": ""}, "s3": {"kind": "schema_compatible", "mode": ["FULL"]}}}');
\set VERBOSITY terse

-- Every gate only warns, so that versions may come to Production whatever the gates say.
SELECT modelreg.create_policy('gd', 'watch', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"],
		"gates": ["lineage", "run_only", "quality", "fresh", "schema", "schema_back", "schema_full"]},
		{"from": ["Production"], "to": "Archived", "levels": ["maintainer"]}],
	"distinct": [["evaluator", "registrant"]],
	"gates": {
	"lineage": {"kind": "lineage_complete", "severity": "warn"},
	"run_only": {"kind": "lineage_complete", "needs": ["run"], "severity": "warn"},
	"quality": {"kind": "data_quality", "severity": "warn"},
	"fresh": {"kind": "data_quality", "evaluation": "freshness", "max_age_days": 30, "severity": "warn"},
	"schema": {"kind": "schema_compatible", "severity": "warn"},
	"schema_back": {"kind": "schema_compatible", "mode": "BACKWARD", "severity": "warn"},
	"schema_full": {"kind": "schema_compatible", "mode": "FULL", "severity": "warn"}}}') AS watch;
SELECT modelreg.create_policy('gd', 'strict', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "gates": ["lineage", "quality", "schema"]}],
	"gates": {"lineage": {"kind": "lineage_complete"}, "quality": {"kind": "data_quality", "max_age_days": 30}, "schema": {"kind": "schema_compatible"}}}') AS strict;
SELECT modelreg.create_policy('gd', 'asked', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "gates": ["quality", "schema"],
		"approvals": 1, "approvers": ["reviewer"]}],
	"gates": {"quality": {"kind": "data_quality"}, "schema": {"kind": "schema_compatible", "severity": "warn"}}}') AS asked;
SET ROLE regress_gd_admin;
SELECT modelreg.allow_policy('gd', 'asked', 1), modelreg.allow_policy('gd', 'watch', 1), modelreg.allow_policy('gd', 'strict', 1);
RESET ROLE;

-- What a gate says; numbers of evaluations and nodes are not shown, only how many there are
CREATE FUNCTION gates(version integer, VARIADIC gates text[] DEFAULT '{lineage, quality, fresh, schema, schema_back, schema_full}')
	RETURNS TABLE (gate text, verdict text, observed text, sources bigint, earlier bigint) LANGUAGE sql AS $$
	SELECT c.gate, c.verdict, c.observed, (SELECT count(*) FROM regexp_split_to_table(c.source, ', ') WHERE c.source <> ''), c.earlier
	FROM modelreg.check_promotion('gd.m', $1, 'Production') c WHERE c.gate = ANY ($2)
$$;
CREATE FUNCTION train(run text, training text, more jsonb DEFAULT '{"code": "commit:gd.repo@abc"}', inputs jsonb DEFAULT NULL, parents text[] DEFAULT NULL) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
	PERFORM modelreg.record_run('gd.' || run, inputs => jsonb_strip_nulls(jsonb_build_object('training', training)) || more);
	RETURN modelreg.register_version('gd.m', run => 'run:gd.' || run, inputs => inputs, parents => parents);
END $$;
SET ROLE regress_gd_reg;
SELECT modelreg.create_model('gd.m', 'watch') > 0 AS model;
SELECT modelreg.record_node('commit', 'gd.repo', 'abc'), modelreg.record_node('transform', 'gd.features', 'v1');
SELECT modelreg.record_snapshot('gd.events', '1', schema => '[{"name": "user_age", "type": "integer"}, {"name": "item", "type": "bigint"}]', inputs => '{"made_by": "transform:gd.features@v1"}');

-- 1: nothing is known. What each gate asks is the same at any time.
SELECT modelreg.register_version('gd.m');
SELECT gate, kind, severity, required FROM modelreg.check_promotion('gd.m', 1, 'Production');
SELECT * FROM gates(1, 'lineage', 'run_only', 'quality', 'fresh', 'schema');

-- 2: everything is; a transform behind the snapshot counts
SELECT train('t2', 'snapshot:gd.events@1');
SELECT * FROM gates(2);
SET ROLE regress_gd_eva;
SELECT modelreg.record_evaluation('snapshot:gd.events@1', 'data_quality', '{"nulls": 0.5}', passed => false) > 0 AS evaluated;
-- the latest counts, and one of a slice is not that of all; NaN is a metric that no verdict depends on
SELECT modelreg.record_evaluation('snapshot:gd.events@1', 'data_quality', '{"nulls": "NaN"}', passed => true) > 0 AS evaluated;
SELECT modelreg.record_evaluation('snapshot:gd.events@1', 'data_quality', '{}', slice => 'country=FR', passed => false) > 0 AS evaluated;
SELECT modelreg.record_evaluation('snapshot:gd.events@1', 'freshness', '{}', passed => true, occurred_at => now() - interval '719 hours') > 0 AS evaluated;
SET ROLE regress_gd_reg;
SELECT * FROM gates(2);
-- a failure on one data set is not masked by what came later on another, or on none
SET ROLE regress_gd_eva;
BEGIN;
SELECT modelreg.record_evaluation('snapshot:gd.events@1', 'data_quality', '{}', dataset => 'snapshot:gd.events@1', passed => false) > 0 AS evaluated;
SELECT modelreg.record_evaluation('snapshot:gd.events@1', 'data_quality', '{}', passed => true) > 0 AS evaluated;
SELECT * FROM gates(2, 'quality');
ROLLBACK;
-- stale, and then without a verdict
SET ROLE regress_gd_eva;
SELECT modelreg.record_evaluation('snapshot:gd.events@1', 'freshness', '{}', passed => true, occurred_at => now() - interval '721 hours') > 0 AS evaluated;
SELECT * FROM gates(2, 'fresh');
SELECT modelreg.record_evaluation('snapshot:gd.events@1', 'freshness', '{"age": "NaN"}') > 0 AS evaluated;
SELECT * FROM gates(2, 'fresh');
-- by who registered the version, where the policy wants another
SET ROLE regress_gd_reg;
SELECT modelreg.record_evaluation('snapshot:gd.events@1', 'freshness', '{}', passed => true) > 0 AS evaluated;
SELECT * FROM gates(2, 'fresh');

-- In Production is what nothing is known of: no data to compare with
SELECT modelreg.promote('gd.m', 1, 'Production') > 0 AS promoted;
SELECT * FROM gates(2, 'quality', 'schema', 'schema_back');
SELECT modelreg.promote('gd.m', 2, 'Production') > 0 AS promoted;

-- 3 on the same data, 4 on a column more, 5 on a column less, 6 on another type and null, 7 on data without a schema
SELECT train('t3', 'snapshot:gd.events@1');
SELECT * FROM gates(3, 'schema', 'schema_full');
SELECT modelreg.record_snapshot('gd.events', '2', schema => '[{"name": "user_age", "type": "integer"}, {"name": "item", "type": "bigint"}, {"name": "country", "type": "text"}]');
SELECT train('t4', 'snapshot:gd.events@2');
SELECT * FROM gates(4, 'lineage', 'quality', 'schema', 'schema_back', 'schema_full');
SELECT modelreg.record_snapshot('gd.events', '3', schema => '{"user_age": "int4"}');
SELECT train('t5', 'snapshot:gd.events@3');
SELECT * FROM gates(5, 'schema', 'schema_back', 'schema_full');
SELECT modelreg.record_snapshot('gd.events', '4', schema => '[{"name": "user_age", "type": "text"}, {"name": "item", "type": "bigint", "nullable": true}]');
SELECT train('t6', 'snapshot:gd.events@4');
SELECT * FROM gates(6, 'schema', 'schema_back', 'schema_full');
-- taken out of Production, 2 is compared with all the same
BEGIN;
SELECT modelreg.promote('gd.m', 2, 'Archived', leave_none => true) > 0 AS archived;
SELECT * FROM gates(6, 'schema');
ROLLBACK;
SELECT modelreg.record_snapshot('gd.events', '5');
SELECT train('t7', 'snapshot:gd.events@5');
SELECT * FROM gates(7, 'schema', 'schema_back', 'schema_full');
-- 8: each of two has to be compatible, and is compared with the latest; the old one is there itself
SELECT train('t8', 'snapshot:gd.events@1', '{"code": "commit:gd.repo@abc", "extra": "snapshot:gd.events@4"}');
SELECT * FROM gates(8, 'schema');
SELECT modelreg.record_run('gd.t9', inputs => '{"training": ["snapshot:gd.events@2", "snapshot:gd.events@4", "snapshot:gd.events@5"]}'), modelreg.register_version('gd.m', run => 'run:gd.t9');
SELECT * FROM gates(9, 'lineage', 'quality', 'schema');

-- Data under another name: one that went and one that came are compared, more are not, and nothing at all fails
SELECT modelreg.record_snapshot('gd.clicks', '1', schema => '{"item": "bigint", "user_age": "smallint"}'), modelreg.record_snapshot('gd.views', '1', schema => '{}');
SELECT train('t10', 'snapshot:gd.clicks@1');
SELECT * FROM gates(10, 'schema', 'schema_back');
SELECT modelreg.record_run('gd.t11', inputs => '{"training": ["snapshot:gd.clicks@1", "snapshot:gd.events@1"]}'), modelreg.register_version('gd.m', run => 'run:gd.t11');
SELECT * FROM gates(11, 'schema', 'schema_back');
SELECT modelreg.record_run('gd.t12', inputs => '{"training": ["snapshot:gd.clicks@1", "snapshot:gd.views@1"]}'), modelreg.register_version('gd.m', run => 'run:gd.t12');
SELECT * FROM gates(12, 'schema', 'schema_back');

-- In whichever role it is met first: validation is nearer than training
SELECT modelreg.record_run('gd.inner', inputs => '{"training": "snapshot:gd.events@4"}');
SELECT train('t13', NULL, '{"validation": "snapshot:gd.events@4", "warm_start": "run:gd.inner"}', '{"validation": "snapshot:gd.events@4"}');
SELECT * FROM gates(13, 'lineage', 'quality', 'schema');
-- A base model's data counts, and how it was made does not tell how this one was
SELECT train('t14', NULL, '{}', parents => ARRAY['models:/gd.m/6']);
SELECT * FROM gates(14, 'lineage', 'run_only', 'quality', 'schema');
-- Roles and kinds are not names: a dataset in role training is trained on and no snapshot, a run in another role made nothing
SELECT modelreg.record_node('dataset', 'gd.d', '1');
SELECT modelreg.record_run('gd.t15', inputs => '{"training": "dataset:gd.d@1", "commit": "transform:gd.features@v1"}'), modelreg.register_version('gd.m', inputs => '{"made_by": "run:gd.t15"}');
SELECT * FROM gates(15, 'lineage', 'run_only', 'quality', 'schema');

-- Superseded: what stands for a snapshot says its schema, and both have to pass; a commit that was learned late is known
SELECT modelreg.record_snapshot('gd.late', '1', schema => '{"user_age": "text"}'), modelreg.record_run('gd.t16', inputs => '{"training": "snapshot:gd.late@1"}'), modelreg.register_version('gd.m', run => 'run:gd.t16');
SET ROLE regress_gd_eva;
SELECT modelreg.record_evaluation('snapshot:gd.late@1', 'data_quality', '{}', passed => true) > 0 AS evaluated;
SET ROLE regress_gd_reg;
SELECT * FROM gates(16, 'lineage', 'quality', 'schema');
SELECT modelreg.record_snapshot('gd.late', '2', schema => '{"user_age": "integer", "item": "bigint"}', supersedes => 'snapshot:gd.late@1', inputs => '{"made_by": "transform:gd.features@v1"}'),
	modelreg.record_run('gd.t16-corrected', inputs => '{"code": "commit:gd.repo@abc"}', supersedes => 'run:gd.t16');
SELECT * FROM gates(16, 'lineage', 'quality', 'schema');
SET ROLE regress_gd_eva;
SELECT modelreg.record_evaluation('snapshot:gd.late@2', 'data_quality', '{}', passed => true) > 0 AS evaluated;
SELECT * FROM gates(16, 'lineage', 'quality', 'schema');
SELECT modelreg.record_evaluation('snapshot:gd.late@1', 'data_quality', '{}', passed => false) > 0 AS evaluated;
SELECT * FROM gates(16, 'quality');
-- and that it had a schema which is redacted is no schema
RESET ROLE;
BEGIN;
SELECT modelreg.redact((SELECT encode(n.properties, 'hex') FROM modelreg.node n WHERE n.name = 'late' AND n.version = '2'), 'personal data');
SET ROLE regress_gd_reg;
SELECT * FROM gates(16, 'schema');
ROLLBACK;

-- Data of another team: who may not read it sees the same verdict and text, and no name, column or address
SET ROLE regress_gd_ads;
SELECT modelreg.record_snapshot('gd-ads.secret-bids', '1', schema => '{"secret_price": "integer"}'), modelreg.record_snapshot('gd-ads.secret-bids', '2', schema => '{"secret_price": "text"}');
SELECT modelreg.record_evaluation('snapshot:gd-ads.secret-bids@1', 'data_quality', '{}', passed => true) > 0 AS evaluated;
SET ROLE regress_gd_reg;
SELECT train('t17', 'snapshot:gd-ads.secret-bids@1'), modelreg.promote('gd.m', 17, 'Production') > 0 AS promoted;
SELECT train('t18', 'snapshot:gd-ads.secret-bids@2');
SELECT * FROM gates(18, 'lineage', 'quality', 'schema', 'schema_full');
SELECT gate, regexp_replace(source, '\d+$', 'N') AS source FROM modelreg.check_promotion('gd.m', 18, 'Production') WHERE gate IN ('quality', 'schema');
CREATE TEMP TABLE seen_by_reg AS SELECT gate, verdict, observed, required, earlier FROM modelreg.check_promotion('gd.m', 18, 'Production');
GRANT SELECT ON seen_by_reg TO PUBLIC;
SET ROLE regress_gd_reader;
SELECT * FROM gates(18, 'quality', 'schema');
SELECT gate, regexp_replace(source, '\d+', 'N', 'g') AS source FROM modelreg.check_promotion('gd.m', 18, 'Production') WHERE gate IN ('quality', 'schema');
SELECT count(*) AS leaks FROM modelreg.check_promotion('gd.m', 18, 'Production') c WHERE c::text ~ 'secret|gd-ads';
SELECT count(*) AS alike FROM modelreg.check_promotion('gd.m', 18, 'Production') c JOIN seen_by_reg USING (gate, verdict, observed, required, earlier);
SET ROLE regress_gd_auditor;
SELECT count(*) AS alike FROM modelreg.check_promotion('gd.m', 18, 'Production') c JOIN seen_by_reg USING (gate, verdict, observed, required, earlier);
SET ROLE regress_gd_ads;
SELECT count(*) FROM modelreg.check_promotion('gd.m', 18, 'Production');

-- Gates that block: a refused promotion lists them
SET ROLE regress_gd_reg;
SELECT modelreg.create_model('gd.strict', 'strict') > 0 AS model;
SELECT modelreg.register_version('gd.strict', run => 'run:gd.t16');
\set VERBOSITY default
SELECT modelreg.promote('gd.strict', 1, 'Production');
\set VERBOSITY terse
SET ROLE regress_gd_eva;
SELECT modelreg.record_evaluation('snapshot:gd.late@' || v, 'data_quality', '{}', passed => true) > 0 AS evaluated FROM generate_series(1, 2) v;
SET ROLE regress_gd_reg;
SELECT modelreg.promote('gd.strict', 1, 'Production') > 0 AS promoted;

-- What is learned of the data after a review is new evidence, on which nobody has agreed
\set VERBOSITY sqlstate
SELECT modelreg.create_model('gd.asked', 'asked') > 0 AS model;
SELECT modelreg.register_version('gd.asked', run => 'run:gd.t16');
SELECT modelreg.request_promotion('gd.asked', 1, 'Production') AS request \gset
SET ROLE regress_gd_rev;
SELECT evidence, passes FROM modelreg.review(:request) \gset
\echo :passes
SET ROLE regress_gd_eva;
SELECT modelreg.record_evaluation('snapshot:gd.late@2', 'data_quality', '{}', passed => true) > 0 AS again;
SET ROLE regress_gd_rev;
SELECT modelreg.approve(:request, :'evidence') IS NULL;
SELECT evidence FROM modelreg.review(:request) \gset
SET ROLE regress_gd_eva;
SELECT modelreg.record_evaluation('snapshot:gd.late@2', 'data_quality', '{}', passed => false) > 0 AS worse;
SET ROLE regress_gd_rev;
SELECT modelreg.approve(:request, :'evidence') IS NULL;
SELECT evidence, passes FROM modelreg.review(:request) \gset
\echo :passes
SELECT modelreg.approve(:request, :'evidence') IS NULL;
SET ROLE regress_gd_eva;
SELECT modelreg.record_evaluation('snapshot:gd.late@2', 'data_quality', '{}', passed => true) > 0 AS better;
SET ROLE regress_gd_rev;
SELECT evidence, passes FROM modelreg.review(:request) \gset
SELECT modelreg.approve(:request, :'evidence') > 0 AS promoted;
SELECT version FROM modelreg.production('gd.asked');
\set VERBOSITY terse
-- Who reads what was decided on learns no more than who asked
SET ROLE regress_gd_reader;
SELECT gate, verdict, observed FROM modelreg.gate_evidence WHERE model = 'gd.m' AND version = 17 AND gate IN ('quality', 'schema') ORDER BY gate;
SELECT count(*) AS leaks FROM modelreg.gate_evidence e WHERE e::text ~ 'secret|gd-ads';
SET ROLE regress_gd_reg;
-- with fewer nodes than there are to look at no gate that asks for them holds, and none is an error
SET modelreg.max_lineage_nodes = 100;
SELECT string_agg(modelreg.record_snapshot('gd.hub', n::text, schema => '{}'), '') IS NOT NULL AS many FROM generate_series(1, 101) n;
SELECT modelreg.record_run('gd.hub', inputs => (SELECT jsonb_build_object('other', jsonb_agg('snapshot:gd.hub@' || n)) FROM generate_series(1, 101) n)), modelreg.register_version('gd.strict', run => 'run:gd.hub');
SELECT gate, verdict, observed FROM modelreg.check_promotion('gd.strict', 2, 'Production');
RESET modelreg.max_lineage_nodes;
-- a review shows the other models too; with much quarantined elsewhere it is not known to be nowhere upstream
SELECT modelreg.create_model('gd.' || name, 'watch') > 0 AS model FROM unnest('{large, small}'::text[]) name;
SELECT modelreg.register_version('gd.large', run => 'run:gd.hub'), modelreg.register_version('gd.small');
SELECT modelreg.promote('gd.' || name, 1, 'Production') > 0 AS promoted FROM unnest('{large, small}'::text[]) name;
SELECT modelreg.record_snapshot('gd.bad', n::text, schema => '{}') IS NOT NULL AS bad, modelreg.quarantine('snapshot:gd.bad@' || n, 'wrong') > 0 AS quarantined FROM generate_series(1, 9) n;
SELECT model, gate, observed FROM modelreg.production_review WHERE model IN ('gd.large', 'gd.small') AND gate IN ('quality', 'run_only', 'quarantine') ORDER BY model, gate;
SET modelreg.max_lineage_nodes = 100;
SELECT model, gate, observed FROM modelreg.production_review WHERE model IN ('gd.large', 'gd.small') AND gate IN ('quality', 'run_only', 'quarantine') ORDER BY model, gate;
RESET modelreg.max_lineage_nodes;
SELECT gate, verdict FROM modelreg.check_promotion('gd.strict', 2, 'Production');
-- Of many nodes evidence names 100; that only the 101st is another makes it other evidence
SELECT modelreg.record_snapshot('gd.hub', '102', schema => '{}') IS NOT NULL AS one_more;
SELECT modelreg.create_model('gd.many', 'strict') > 0 AS model;
SELECT modelreg.record_run('gd.many-' || last, inputs => (SELECT jsonb_build_object('training', jsonb_agg('snapshot:gd.hub@' || n)) FROM generate_series(1, 102) n WHERE n <= 100 OR n = last)) IS NOT NULL AS run,
	modelreg.register_version('gd.many', run => 'run:gd.many-' || last) AS version FROM unnest('{101, 102}'::integer[]) last;
SELECT modelreg.attempt_promotion('gd.many', version, 'Production') > 0 AS refused FROM generate_series(1, 2) version;
SELECT version, observed, jsonb_array_length(nodes) AS nodes FROM modelreg.gate_evidence WHERE model = 'gd.many' AND gate = 'quality' ORDER BY version;
SELECT count(DISTINCT g->'nodes') AS alike, count(DISTINCT g) AS different, min(g->>'nodes_count') AS counted, count(DISTINCT g - 'nodes_digest') AS but_for_the_digest
FROM modelreg.gate_evidence v JOIN modelreg.evidence e ON v.evidence = 'sha256:' || encode(e.digest, 'hex'), jsonb_array_elements(e.document->'gates') g WHERE v.model = 'gd.many' AND v.gate = 'quality' AND g->>'gate' = 'quality';
RESET ROLE;
DROP FUNCTION gates, train;
SELECT modelreg.revoke_registry_right(session_user::text, 'pooler');
SET client_min_messages = warning;
SELECT * FROM modelreg.verify();
