-- Gates "signature" and "artifacts": everything that can be wrong, without a version in Production and with one.

\set VERBOSITY terse
\pset format unaligned
\pset null -
\pset footer off
CREATE ROLE regress_gs_reg;
CREATE ROLE regress_gs_reader;
CREATE ROLE regress_gs_admin;
SELECT modelreg.create_team('gs') > 0 AS made;
SELECT modelreg.grant_level('gs', 'regress_gs_reg', 'maintainer'), modelreg.grant_level('gs', 'regress_gs_reader', 'reader'),
	modelreg.grant_registry_right('regress_gs_admin', 'admin');

-- Definitions that are nonsense
SET ROLE regress_gs_reg;
\set VERBOSITY default
SELECT modelreg.create_policy('gs', 'wrong', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "gates": ["s"]}], "gates": {
	"s": {"kind": "signature"}, "s2": {"kind": "signature", "mode": "NONE"}, "s3": {"kind": "signature", "mode": "FULL", "of": "inputs"},
	"a": {"kind": "artifacts", "names": "weights"}, "a2": {"kind": "artifacts", "names": ["weights", "weights"]}, "a3": {"kind": "artifacts", "names": [""], "max_age_days": -1}}}');
\set VERBOSITY terse
SELECT modelreg.create_policy('gs', 'watch', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"],
		"gates": ["back", "forward", "full", "any", "checked", "named"]}, {"from": ["Production"], "to": "Archived", "levels": ["maintainer"]}],
	"gates": {
	"back": {"kind": "signature", "mode": "BACKWARD", "severity": "warn"},
	"forward": {"kind": "signature", "mode": "FORWARD", "severity": "warn"},
	"full": {"kind": "signature", "mode": "FULL", "severity": "warn"},
	"any": {"kind": "artifacts", "severity": "warn"},
	"checked": {"kind": "artifacts", "max_age_days": 30, "severity": "warn"},
	"named": {"kind": "artifacts", "names": ["weights", "code/pre.pkl"], "max_age_days": 30, "severity": "warn"}}}') AS watch;
SELECT modelreg.create_policy('gs', 'strict', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "gates": ["back", "all"]}],
	"gates": {"back": {"kind": "signature", "mode": "BACKWARD"}, "all": {"kind": "artifacts", "max_age_days": 1}}}') AS strict;
SET ROLE regress_gs_admin;
SELECT modelreg.allow_policy('gs', 'watch', 1), modelreg.allow_policy('gs', 'strict', 1);
RESET ROLE;
CREATE FUNCTION gates(version integer, VARIADIC gates text[]) RETURNS TABLE (gate text, verdict text, observed text, source text) LANGUAGE sql AS $$
	SELECT c.gate, c.verdict, c.observed, c.source FROM modelreg.check_promotion('gs.m', $1, 'Production') c WHERE c.gate = ANY ($2)
$$;
SET ROLE regress_gs_reg;
SELECT modelreg.create_model('gs.m', 'watch') > 0 AS model, modelreg.create_model('gs.strict', 'strict') > 0 AS strict;

-- SIGNATURES. 1 has none; nothing is in Production
SELECT modelreg.register_version('gs.m');
SELECT gate, kind, severity, required FROM modelreg.check_promotion('gs.m', 1, 'Production');
SELECT * FROM gates(1, 'back', 'forward', 'full');
SELECT modelreg.register_version('gs.m', signature => '{"inputs": [{"name": "user_age", "type": "integer"}], "outputs": [{"name": "score", "type": "double"}]}');
SELECT * FROM gates(2, 'back', 'forward', 'full');
-- what is in Production has none
SELECT modelreg.promote('gs.m', 1, 'Production') > 0 AS promoted;
SELECT * FROM gates(2, 'back', 'forward', 'full');
SELECT modelreg.promote('gs.m', 2, 'Production') > 0 AS promoted;
-- 3 the same, 4 widened, 5 narrowed, 6 other altogether, as MLflow writes it, 7 none again
SELECT modelreg.register_version('gs.m', signature => '{"inputs": [{"name": "user_age", "type": "integer"}], "outputs": [{"name": "score", "type": "double"}]}');
SELECT * FROM gates(3, 'back', 'forward', 'full');
SELECT modelreg.register_version('gs.m', signature => '{"inputs": [{"name": "user_age", "type": "long"}], "outputs": [{"name": "score", "type": "float"}]}');
SELECT * FROM gates(4, 'back', 'forward', 'full');
SELECT modelreg.register_version('gs.m', signature => '{"inputs": [{"name": "user_age", "type": "integer"}, {"name": "country", "type": "string"}], "outputs": [{"name": "score", "type": "double"}]}');
SELECT * FROM gates(5, 'back', 'forward', 'full');
SELECT modelreg.register_version('gs.m', signature => '{"inputs": "[{\"name\": \"user_age\", \"type\": \"string\"}]", "outputs": "[{\"name\": \"p\", \"type\": \"double\"}]", "params": "[{\"name\": \"k\", \"type\": \"long\", \"default\": null}]"}');
SELECT * FROM gates(6, 'back', 'forward');
SELECT modelreg.register_version('gs.m');
SELECT * FROM gates(7, 'back', 'full');
-- only the first mistakes are told
SELECT modelreg.register_version('gs.m', signature => jsonb_build_object('inputs', (SELECT jsonb_agg(jsonb_build_object('name', 'c' || n, 'type', 'long')) FROM generate_series(1, 1000) n)));
SELECT gate, verdict, length(observed) < 1000 AS short, right(observed, 15) AS ends FROM gates(8, 'back');
-- a signature that was redacted is none, on either side
RESET ROLE;
BEGIN;
SELECT modelreg.redact((SELECT encode(v.signature, 'hex') FROM modelreg.version v JOIN modelreg.models m ON m.model_id = v.model_id WHERE m.model = 'gs.m' AND v.version = 4), 'personal data');
SELECT * FROM gates(4, 'back');
SELECT modelreg.redact((SELECT encode(v.signature, 'hex') FROM modelreg.version v JOIN modelreg.models m ON m.model_id = v.model_id WHERE m.model = 'gs.m' AND v.version = 2), 'personal data');
SELECT * FROM gates(3, 'back');
ROLLBACK;
-- 2 is compared with nothing: it is what is current
SET ROLE regress_gs_reg;
SELECT count(*) FROM gates(2, 'back');
-- taken out of Production it is compared with all the same
BEGIN;
SELECT modelreg.promote('gs.m', 2, 'Archived', leave_none => true) > 0 AS archived;
SELECT * FROM gates(5, 'back', 'full');
ROLLBACK;

-- ARTIFACTS
SELECT * FROM gates(7, 'any', 'checked', 'named');
SELECT modelreg.begin_upload('gs', size => 3) AS upload \gset
SELECT modelreg.append_upload(:upload, 0, 'abc'), modelreg.finish_upload(:upload);
SELECT modelreg.register_version('gs.m', artifacts => jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', :upload),
	'{"name": "code/pre.pkl", "uri": "s3://m/pre", "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 10}'::jsonb)) AS v \gset
SELECT * FROM gates(:v, 'any', 'checked', 'named');
-- other bytes, or another size, or the latest check, whatever came before
SELECT modelreg.record_artifact_check('gs.m', :v, 'code/pre.pkl', 'sha256:0000000000000000000000000000000000000000000000000000000000000002', 10);
SELECT * FROM gates(:v, 'any', 'checked', 'named');
SELECT modelreg.record_artifact_check('gs.m', :v, 'code/pre.pkl', 'sha256:0000000000000000000000000000000000000000000000000000000000000001', 11);
SELECT * FROM gates(:v, 'checked');
SELECT modelreg.record_artifact_check('gs.m', :v, 'code/pre.pkl', 'sha256:0000000000000000000000000000000000000000000000000000000000000001', 10);
SELECT * FROM gates(:v, 'any', 'checked', 'named');
-- a check is of one version, and of one artifact
SELECT modelreg.register_version('gs.m', artifacts => '[{"name": "code/pre.pkl", "uri": "s3://m/pre", "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 10}]');
SELECT * FROM gates(:v + 1, 'any', 'checked', 'named');
-- stale: what a check of long ago left, as a restore would bring it
RESET ROLE;
BEGIN;
INSERT INTO modelreg.note SELECT n.id, team_id, batch, kind, model_id, version, key, value, who, n.at,
	modelreg.row_hash('note', format, n.id, team_id, batch, kind, model_id, version, key, value, who, n.at), format
FROM modelreg.note o, LATERAL (VALUES (o.id + 1000, clock_timestamp() - interval '719 hours')) n(id, at)
WHERE o.id = (SELECT max(id) FROM modelreg.note WHERE kind = 'artifact_check');
SELECT * FROM gates(:v, 'any', 'checked', 'named');
INSERT INTO modelreg.note SELECT n.id, team_id, batch, kind, model_id, version, key, value, who, n.at,
	modelreg.row_hash('note', format, n.id, team_id, batch, kind, model_id, version, key, value, who, n.at), format
FROM modelreg.note o, LATERAL (VALUES (o.id + 1000, clock_timestamp() - interval '721 hours')) n(id, at)
WHERE o.id = (SELECT max(id) FROM modelreg.note WHERE kind = 'artifact_check');
SELECT * FROM gates(:v, 'any', 'checked', 'named');
ROLLBACK;
-- what was found is redacted
BEGIN;
SELECT modelreg.redact((SELECT encode(value, 'hex') FROM modelreg.note WHERE kind = 'artifact_check' ORDER BY id DESC LIMIT 1), 'personal data');
SELECT * FROM gates(:v, 'any', 'checked');
ROLLBACK;
-- the registry's own bytes are gone, by who may do everything
BEGIN;
SET LOCAL modelreg.allow_removal = on;
ALTER TABLE modelreg.blob DISABLE TRIGGER ALL;
UPDATE modelreg.blob SET object = NULL, purged_at = now() WHERE size = 3;
SELECT * FROM gates(:v, 'any', 'checked', 'named');
ROLLBACK;

-- Who only reads sees the same
SET ROLE regress_gs_reader;
SELECT * FROM gates(:v, 'back', 'any', 'checked', 'named');

-- Gates that block
SET ROLE regress_gs_reg;
SELECT modelreg.register_version('gs.strict', artifacts => '[{"name": "weights", "uri": "s3://m/w", "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 10}]');
\set VERBOSITY default
SELECT modelreg.promote('gs.strict', 1, 'Production');
\set VERBOSITY terse
SELECT modelreg.register_version('gs.strict', signature => '{"inputs": [{"name": "a", "type": "long"}]}',
	artifacts => '[{"name": "weights", "uri": "s3://m/w", "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 10}]');
SELECT modelreg.record_artifact_check('gs.strict', 2, 'weights', 'sha256:0000000000000000000000000000000000000000000000000000000000000001', 10), modelreg.promote('gs.strict', 2, 'Production') > 0 AS promoted;

-- What comes with the extension asks for them
SELECT d.gate, g.kind, coalesce(g.severity, 'block') AS severity FROM modelreg.built_in_policies() p,
	jsonb_path_query(p.document, '$.transitions[*] ? (@.to == "Production").gates[*]') WITH ORDINALITY AS x(name, n),
	LATERAL (VALUES (x.name #>> '{}')) d(gate), jsonb_to_record(p.document -> 'gates' -> d.gate) AS g(kind text, severity text)
WHERE p.policy = 'high-risk' ORDER BY x.n;
RESET ROLE;
DROP FUNCTION gates;
SET client_min_messages = warning;
SELECT * FROM modelreg.verify();
