-- What is written about a version makes its policy try to move it, where a gate looks at that: a check of an artifact, a model card, a signed
-- statement. What is written about its data does not.

\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_auto_reg;
SELECT modelreg.create_team('auto') > 0;
SELECT modelreg.grant_level('auto', 'regress_auto_reg', l) FROM unnest('{maintainer,evaluator}'::text[]) l;
SET ROLE regress_auto_reg;
SELECT modelreg.create_policy('auto', name, jsonb_build_object('format', 1, 'gates', gates, 'transitions', jsonb_build_array(
	jsonb_build_object('from', '["Experimental"]'::jsonb, 'to', 'Staging', 'levels', '["maintainer"]'::jsonb, 'automatic', true, 'gates', (SELECT jsonb_agg(k) FROM jsonb_object_keys(gates) k)),
	jsonb_build_object('from', '["Staging"]'::jsonb, 'to', 'Production', 'levels', '["maintainer"]'::jsonb, 'gates', (SELECT jsonb_agg(k) FROM jsonb_object_keys(gates) k)))))
FROM (VALUES ('checked', '{"a": {"kind": "artifacts", "max_age_days": 30}}'::jsonb), ('card', '{"c": {"kind": "model_card", "sections": ["intended_use"]}}'),
	('signed', '{"s": {"kind": "attestation", "predicate_type": "https://slsa.dev/provenance/v1"}}'), ('data', '{"d": {"kind": "data_quality"}}'),
	('all', '{"a": {"kind": "artifacts", "max_age_days": 30}, "c": {"kind": "model_card"}, "e": {"kind": "evaluation", "evaluation": "offline"}}')) v (name, gates);
RESET ROLE;
SELECT modelreg.allow_policy('auto', p, 1) FROM unnest('{checked,card,signed,data,all}'::text[]) p;
SET ROLE regress_auto_reg;
SELECT modelreg.register_key('ci', E'-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAhGk0y2XM5FTPXUwWYLoohdSdkln9bnyeMkDnDguW2TA=\n-----END PUBLIC KEY-----', 'auto') IS NOT NULL;
SELECT modelreg.create_model('auto.' || p, p) > 0 FROM unnest('{checked,card,signed,data,all}'::text[]) p;
SELECT modelreg.record_snapshot('auto.loans', '1');
SELECT modelreg.begin_upload('auto', size => 3) AS abc \gset
SELECT modelreg.append_upload(:abc, 0, 'abc'), modelreg.finish_upload(:abc);
SELECT modelreg.register_version('auto.' || p, inputs => '{"training": ["snapshot:auto.loans@1"]}', artifacts => CASE p WHEN 'signed' THEN jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', :abc))
	ELSE '[{"name": "weights", "uri": "s3://models/auto", "size": 3, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]' END)
FROM unnest('{checked,card,signed,data,all}'::text[]) p;
CREATE VIEW pg_temp.stages AS SELECT model, stage FROM modelreg.versions WHERE team = 'auto' ORDER BY model;
TABLE pg_temp.stages;

-- not what no gate of the model looks at, nor what does not hold
SELECT modelreg.set_model_card('auto.checked', 1, '{"intended_use": "loans"}'), modelreg.set_model_card('auto.card', 1, '{"limitations": "none"}'),
	modelreg.record_artifact_check('auto.checked', 1, 'weights', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 4);
SELECT count(*) FROM pg_temp.stages WHERE stage <> 'Experimental';
-- at the end of the transaction, and not if it was undone
BEGIN;
SELECT modelreg.record_artifact_check('auto.checked', 1, 'weights', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 3);
SAVEPOINT s;
SELECT modelreg.set_model_card('auto.card', 1, '{"intended_use": "loans"}');
ROLLBACK TO s;
SELECT count(*) FROM pg_temp.stages WHERE stage <> 'Experimental';
COMMIT;
TABLE pg_temp.stages;
SELECT modelreg.set_model_card('auto.card', 1, '{"intended_use": "loans"}');
SELECT modelreg.record_attestation('auto.signed', 1, jsonb_build_object('payloadType', 'application/vnd.in-toto+json', 'payload', translate(encode('{"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "weights", "digest": {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}], "predicateType": "https://slsa.dev/provenance/v1", "predicate": {"builder": {"id": "ci"}}}', 'base64'), E'\n', ''),
	'signatures', '[{"sig": "NIBF8e/jYMr3M1S+tz08ioaAn3Wr5xYpj1cQ2jFqrjB7U13wDvN+u+vyisWFV4/N7PIUONEt9WgEiz73Bfu9Ag=="}]'::jsonb)) > 0;
-- the last of three things that are asked, whichever it is
SELECT modelreg.record_evaluation('models:/auto.all/1', 'offline', '{}') > 0, modelreg.set_model_card('auto.all', 1, '{"intended_use": "loans"}');
SELECT stage FROM pg_temp.stages WHERE model = 'auto.all';
SELECT modelreg.record_artifact_check('auto.all', 1, 'weights', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 3);
TABLE pg_temp.stages;
SELECT model, from_stage, to_stage, role, by_policy FROM modelreg.transitions WHERE team = 'auto' ORDER BY model, number;

-- an evaluation of data moves nothing; trying it does, and so does whatever is written about the version
SELECT modelreg.record_evaluation('snapshot:auto.loans@1', 'data_quality', '{}', passed => true) > 0;
SELECT stage FROM pg_temp.stages WHERE model = 'auto.data';
BEGIN;
SELECT modelreg.attempt_promotion('auto.data', 1, 'Staging') IS NOT NULL;
SELECT stage FROM pg_temp.stages WHERE model = 'auto.data';
ROLLBACK;
SELECT modelreg.record_evaluation('models:/auto.data/1', 'whatever', '{}') > 0;
SELECT stage FROM pg_temp.stages WHERE model = 'auto.data';
RESET ROLE;
SELECT * FROM modelreg.verify('auto', deep => true);
