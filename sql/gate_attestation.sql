-- Gates "attestation" and "model_card": everything that can be wrong, and what counts; and model cards in Markdown.
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned
\pset null -
\pset footer off
CREATE ROLE regress_ga_reg;
CREATE ROLE regress_ga_reader;
CREATE ROLE regress_ga_nobody;
CREATE ROLE regress_ga_admin;
SELECT modelreg.create_team('ga') > 0 AS made;
SELECT modelreg.grant_level('ga', 'regress_ga_reg', 'maintainer'), modelreg.grant_level('ga', 'regress_ga_reader', 'reader'),
	modelreg.grant_registry_right('regress_ga_admin', 'admin');

-- Definitions that are nonsense
SET ROLE regress_ga_reg;
\set VERBOSITY default
SELECT modelreg.create_policy('ga', 'wrong', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "gates": ["a"]}], "gates": {
	"a": {"kind": "attestation"}, "a2": {"kind": "attestation", "predicate_type": "p", "keys": []}, "a3": {"kind": "attestation", "predicate_type": "p", "keys": ["a"], "registry_keys": ["b"], "at_least": 3},
	"a4": {"kind": "attestation", "predicate_type": "", "keys": ["a", "a"], "key": "b"}, "c": {"kind": "model_card", "sections": ["Intended use"]}, "c2": {"kind": "model_card", "sections": "all"}}}');
\set VERBOSITY terse
SELECT modelreg.create_policy('ga', 'watch', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "gates": ["any", "root", "team", "registry", "both", "other", "files", "twice", "card", "sections"]}],
	"gates": {
	"twice": {"kind": "attestation", "predicate_type": "https://slsa.dev/provenance/v1", "keys": ["twice"], "registry_keys": ["ga_twice"], "at_least": 2, "severity": "warn"},
	"files": {"kind": "attestation", "predicate_type": "https://model_signing/signature/v1.0", "severity": "warn"},
	"any": {"kind": "attestation", "predicate_type": "https://slsa.dev/provenance/v1", "severity": "warn"},
	"team": {"kind": "attestation", "predicate_type": "https://slsa.dev/provenance/v1", "keys": ["ci"], "severity": "warn"},
	"root": {"kind": "attestation", "predicate_type": "https://slsa.dev/provenance/v1", "registry_keys": ["ga_twice"], "severity": "warn"},
	"registry": {"kind": "attestation", "predicate_type": "https://slsa.dev/provenance/v1", "registry_keys": ["ga_ci", "ga_release"], "severity": "warn"},
	"both": {"kind": "attestation", "predicate_type": "https://slsa.dev/provenance/v1", "keys": ["ci"], "registry_keys": ["ga_release"], "at_least": 2, "severity": "warn"},
	"other": {"kind": "attestation", "predicate_type": "https://slsa.dev/provenance/v2", "severity": "warn"},
	"card": {"kind": "model_card", "severity": "warn"},
	"sections": {"kind": "model_card", "sections": ["intended_use", "limitations"], "severity": "warn"}}}') AS watch;
SELECT modelreg.create_policy('ga', 'strict', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "gates": ["built", "card"]}],
	"gates": {"built": {"kind": "attestation", "predicate_type": "https://slsa.dev/provenance/v1", "keys": ["ci"]}, "card": {"kind": "model_card", "sections": ["intended_use"]}}}') AS strict;
SET ROLE regress_ga_admin;
SELECT modelreg.allow_policy('ga', 'watch', 1), modelreg.allow_policy('ga', 'strict', 1);
SELECT modelreg.register_key('ga_release', E'-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE6x0vgQt2S20cnnYFI4WMUCR1ID8h\nVeGBATxxQE87R7cfb9uwqG2ZXz8aC6q01jtv2ijeGm12/zbpkh7OPqdiDw==\n-----END PUBLIC KEY-----') IS NOT NULL AS key;
-- A key of the registry that has the name which the policies give to the team's
SELECT modelreg.register_key('ci', E'-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAMWeX4aaBJbZ9q+yUocae/Hj3smz6WJ11itr+mL545r8=\n-----END PUBLIC KEY-----') IS NOT NULL AS key;
SET ROLE regress_ga_reg;
SELECT modelreg.register_key('ci', E'-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAhGk0y2XM5FTPXUwWYLoohdSdkln9bnyeMkDnDguW2TA=\n-----END PUBLIC KEY-----', 'ga') IS NOT NULL AS key;
RESET ROLE;
CREATE FUNCTION gates(version integer, VARIADIC gates text[]) RETURNS TABLE (gate text, verdict text, observed text) LANGUAGE sql AS $$
	SELECT c.gate, c.verdict, c.observed FROM modelreg.check_promotion('ga.m', $1, 'Production') c WHERE c.gate = ANY ($2)
$$;
CREATE FUNCTION signed(VARIADIC sigs text[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('payloadType', 'application/vnd.in-toto+json', 'payload', translate(encode('{"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "weights", "digest": {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}], "predicateType": "https://slsa.dev/provenance/v1", "predicate": {"builder": {"id": "ci"}}}', 'base64'), E'\n', ''),
		'signatures', (SELECT jsonb_agg(jsonb_build_object('sig', CASE s WHEN 'ci' THEN 'NIBF8e/jYMr3M1S+tz08ioaAn3Wr5xYpj1cQ2jFqrjB7U13wDvN+u+vyisWFV4/N7PIUONEt9WgEiz73Bfu9Ag=='
			WHEN 'low' THEN 'MEUCIQDlInqLSuZVTYOOh0VKwSzM9rgTo5HoqCn6ilqCHKctswIgWD4MTptoJDp8Tc2zRObEPziijJy4Vx7I0Ad8GbplqoU='
			WHEN 'high' THEN 'MEYCIQDlInqLSuZVTYOOh0VKwSzM9rgTo5HoqCn6ilqCHKctswIhAKfB87Bkl9vGg7IyTLsZO8CERG4Q7sB/vCOyTqlB/XrM'
			WHEN 'other' THEN 'Keyc4ivg3OB/sgZr1Gp0GWBFkIZ6AXPe5Ye53I5cFz07M2uqxePIDMMNdU/MZQ+mtAAe5PG/AYuQTioT/yqHCA==' ELSE 'MEQCIH60a6qhPX3yAQ6jdCRfi82zGI5SGuFunR29xUwjwxK8AiA+ZBdJsySsU/18ERQF6GcMGEc8S/VnfpV9vQGIguUUcQ==' END) ORDER BY n) FROM unnest(sigs) WITH ORDINALITY u (s, n)))
$$;
SET ROLE regress_ga_reg;
SELECT modelreg.create_model('ga.m', 'watch') > 0 AS model, modelreg.create_model('ga.strict', 'strict') > 0 AS strict;
SELECT modelreg.begin_upload('ga', size => 3) AS abc \gset
SELECT modelreg.append_upload(:abc, 0, 'abc'), modelreg.finish_upload(:abc);
SELECT modelreg.register_version('ga.m', artifacts => jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', :abc))) FROM generate_series(1, 3);
SELECT modelreg.register_version('ga.strict', artifacts => jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', :abc)));

-- ATTESTATIONS
SELECT gate, kind, severity, required, observed, verdict FROM modelreg.check_promotion('ga.m', 1, 'Production') WHERE kind = 'attestation';
-- by the registry's key that has the name of the team's
SELECT modelreg.record_attestation('ga.m', 1, signed('other')) > 0 AS recorded;
SELECT * FROM gates(1, 'any', 'team', 'registry', 'both', 'other');
SELECT modelreg.record_attestation('ga.m', 1, signed('ci')) > 0 AS recorded, modelreg.record_attestation('ga.m', 1, signed('ci')) > 0 AS again;
SELECT * FROM gates(1, 'any', 'team', 'registry', 'both', 'other');
-- two statements, or one that both signed
SELECT modelreg.record_attestation('ga.m', 1, signed('release')) > 0 AS recorded, modelreg.record_attestation('ga.m', 2, signed('release', 'ci')) > 0 AS recorded;
SELECT * FROM gates(1, 'any', 'team', 'registry', 'both', 'other');
SELECT * FROM gates(2, 'any', 'team', 'registry', 'both', 'other');
-- another version has none
SELECT * FROM gates(3, 'any');
-- About an artifact of several, or one elsewhere whose digest nobody computed: recorded, and counts for nothing.  The digest over
-- all of them counts in statements of the type that has it.
SELECT modelreg.create_model('ga.parts', 'watch') > 0 AS model;
SELECT modelreg.register_version('ga.parts', artifacts => '[{"name": "weights", "uri": "s3://m/w", "size": 3, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]'),
	modelreg.register_version('ga.parts', artifacts => jsonb_build_array(jsonb_build_object('name', 'a', 'upload', :abc), jsonb_build_object('name', 'b', 'upload', :abc)));
SELECT modelreg.register_key('lab', E'-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAZndTBnZc7wbqhbp8PKTas0M2R+sGXf2BxxQNvvq4Nzg=\n-----END PUBLIC KEY-----', 'ga') IS NOT NULL AS key;
CREATE FUNCTION pg_temp.all_of(type text, sig text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('payloadType', 'application/vnd.in-toto+json', 'payload', translate(encode(convert_to(format('{"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "weights", "digest": {"sha256": "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358"}}], "predicateType": "%s", "predicate": {}}', type), 'UTF8'), 'base64'), E'\n', ''),
		'signatures', jsonb_build_array(jsonb_build_object('sig', sig))) $$;
SELECT modelreg.record_attestation('ga.parts', 1, signed('ci')) > 0 AS recorded, modelreg.record_attestation('ga.parts', 2, signed('ci')) > 0 AS recorded,
	modelreg.record_attestation('ga.parts', 1, pg_temp.all_of('https://slsa.dev/provenance/v1', 'Z6ZfTqRD+O6U1cgIl+mMuK9cQUHF7BOXUjzTpwgsEdqn0TgwJPkhuQCzlQT56xV4aywUwOgXNdwHkmcosWsNBQ==')) > 0 AS recorded;
SELECT v AS version, gate, verdict, observed FROM generate_series(1, 2) v, modelreg.check_promotion('ga.parts', v, 'Production') WHERE gate IN ('any', 'files') ORDER BY v, gate;
SELECT modelreg.record_attestation('ga.parts', 1, pg_temp.all_of('https://model_signing/signature/v1.0', 'vDIKO0m5KvmW0bUjdpeqWgA5ievGQqk4LAeo4ETU0NR3RlLaVl/DvbQ21rApJh6raAlOK1g6cl3c+gGKIhdfBw==')) > 0 AS recorded;
SELECT gate, verdict, observed FROM modelreg.check_promotion('ga.parts', 1, 'Production') WHERE gate IN ('any', 'files') ORDER BY gate;
SELECT version, subject, predicate_type FROM modelreg.attestations WHERE model = 'ga.parts' ORDER BY id;
DROP FUNCTION pg_temp.all_of;
-- One key under two names is one, whoever trusted it first, and whatever else is made of its signatures without it
SET ROLE regress_ga_admin;
SELECT modelreg.register_key('ga_twice', E'-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAmYJ9pgGxudDNOoAQfaVoNDvpcuE\nEC+B5J7lRzBPexg8EceljtIssh1hLodihQ90nvThJDoM/P8O7TLGRXzcNg==\n-----END PUBLIC KEY-----') IS NOT NULL AS key;
SET ROLE regress_ga_reg;
SELECT modelreg.create_model('ga.twice', 'watch') > 0 AS model;
SELECT modelreg.register_version('ga.twice', artifacts => jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', :abc)));
SELECT modelreg.record_attestation('ga.twice', 1, signed('low')) > 0 AS recorded;
SELECT modelreg.register_key('twice', public_key, 'ga') = keyid AS same FROM modelreg.signing_keys WHERE key = 'ga_twice';
SELECT modelreg.record_attestation('ga.twice', 1, signed('high')) > 0 AS recorded;
SELECT keys FROM modelreg.attestations WHERE model = 'ga.twice' ORDER BY id;
SELECT gate, required, observed, verdict FROM modelreg.check_promotion('ga.twice', 1, 'Production') WHERE gate = 'twice';
-- and it is what each of its names says: a team that registers the registry's key takes no signature from it
SELECT modelreg.register_version('ga.twice', artifacts => jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', :abc)));
SELECT modelreg.record_attestation('ga.twice', 2, signed('high')) > 0 AS recorded;
SELECT keys FROM modelreg.attestations WHERE model = 'ga.twice' AND version = 2;
SELECT gate, required, observed, verdict FROM modelreg.check_promotion('ga.twice', 2, 'Production') WHERE gate IN ('root', 'twice') ORDER BY gate;
-- revoked under one of its names, it signs under neither
SELECT modelreg.revoke_key('twice', 'laptop stolen', 'ga');
SELECT modelreg.record_attestation('ga.twice', 1, signed('high'));
-- that it was compromised is true of it under both names, whoever of the two says so, and not by the word of another team
CREATE VIEW pg_temp.twice AS SELECT c.gate, c.verdict, c.observed, (SELECT array_agg(a.trusted ORDER BY a.id) FROM modelreg.attestations a WHERE a.model = 'ga.twice') AS trusted
	FROM modelreg.check_promotion('ga.twice', 1, 'Production') c WHERE c.gate = 'any';
RESET ROLE;
SELECT modelreg.create_team('ga_other') > 0 AS made;
SELECT modelreg.register_key('mine', public_key, 'ga_other') = keyid AS same FROM modelreg.signing_keys WHERE key = 'ga_twice';
SELECT modelreg.revoke_key('mine', 'says who', 'ga_other', compromised_since => '2020-01-01');
SET ROLE regress_ga_reg;
TABLE pg_temp.twice;
BEGIN;
SELECT modelreg.revoke_key('twice', 'laptop stolen long ago', 'ga', compromised_since => '2020-01-01');
TABLE pg_temp.twice;
SELECT substring(modelreg.model_card('ga.twice', 1) FROM 'no: the key was compromised') AS card;
ROLLBACK;
BEGIN;
SELECT modelreg.revoke_key('twice', 'laptop stolen', 'ga', compromised_since => now() + interval '1 day');
TABLE pg_temp.twice;
ROLLBACK;
SET ROLE regress_ga_admin;
SELECT modelreg.revoke_key('ga_twice', 'laptop stolen long ago', compromised_since => '2020-01-01');
SET ROLE regress_ga_reg;
TABLE pg_temp.twice;
DROP VIEW pg_temp.twice;
-- refused, with all that is wrong; then let in
SELECT modelreg.promote('ga.strict', 1, 'Production');
SELECT modelreg.record_attestation('ga.strict', 1, signed('ci')) > 0 AS recorded;
SELECT modelreg.set_model_card('ga.strict', 1, '{"intended_use": "to be promoted"}');
SELECT modelreg.promote('ga.strict', 1, 'Production') > 0 AS promoted;
SELECT gate, gate_kind, required, observed, verdict FROM modelreg.gate_evidence WHERE model = 'ga.strict' ORDER BY gate;
-- a key that was revoked still counts, one that was compromised before does not, whose statements others signed too do
SELECT modelreg.revoke_key('ci', 'left the company', 'ga');
SELECT * FROM gates(2, 'team', 'both');
SELECT modelreg.revoke_key('ci', 'laptop stolen', 'ga', compromised_since => now() + interval '1 day');
SELECT * FROM gates(2, 'team', 'both');
SELECT modelreg.revoke_key('ci', 'laptop stolen', 'ga', compromised_since => '2020-01-01');
SELECT * FROM gates(1, 'any', 'team', 'both');
SELECT * FROM gates(2, 'any', 'team', 'both');
-- a policy names keys of the team whatever the team is called
SET ROLE regress_ga_admin;
SELECT modelreg.rename_team('ga', 'ga_renamed');
SET ROLE regress_ga_reg;
SELECT gate, verdict, observed FROM modelreg.check_promotion('ga_renamed.m', 2, 'Production') WHERE gate = 'team';
SET ROLE regress_ga_admin;
SELECT modelreg.rename_team('ga_renamed', 'ga2');
SET ROLE regress_ga_reg;

-- MODEL CARDS
RESET ROLE;
CREATE OR REPLACE FUNCTION gates(version integer, VARIADIC gates text[]) RETURNS TABLE (gate text, verdict text, observed text) LANGUAGE sql AS $$
	SELECT c.gate, c.verdict, c.observed FROM modelreg.check_promotion('ga2.m', $1, 'Production') c WHERE c.gate = ANY ($2)
$$;
SET ROLE regress_ga_reg;
SELECT gate, required FROM modelreg.check_promotion('ga2.m', 1, 'Production') WHERE kind = 'model_card';
SELECT * FROM gates(1, 'card', 'sections');
SELECT modelreg.set_model_card('ga2.m', 1, '{"owner": "ranking"}') AS set, modelreg.set_model_card('ga2.m', 1, '{"owner": "ranking"}') AS again;
SELECT * FROM gates(1, 'card', 'sections');
SELECT modelreg.set_model_card('ga2.m', 1, '{"owner": "ranking", "intended_use": " \n\t", "limitations": "none known"}');
SELECT * FROM gates(1, 'card', 'sections');
-- nothing of it is seen: white space, controls, and what Unicode ignores, each alone and all at once; a sign next to them is
CREATE TEMP VIEW unseen AS SELECT string_agg(chr(c), '') AS text FROM unnest('{1,9,10,13,31,32,127,133,159,160,173,847,1564,4447,4448,5760,6068,6158,8192,8203,8207,8232,8238,8239,8287,8288,8303,10240,12288,12644,65024,65039,65279,65440,917504,917760,921599}'::integer[]) c GROUP BY ROLLUP (c);
CREATE FUNCTION pg_temp.observed(text text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM modelreg.set_model_card('ga2.m', 1, jsonb_build_object('intended_use', text, 'limitations', text));
	RETURN (SELECT g.observed FROM gates(1, 'sections') g);
END $$;
SELECT o AS observed, count(*) AS texts FROM unseen, pg_temp.observed(text) o GROUP BY o;
DROP FUNCTION pg_temp.observed;
SELECT modelreg.set_model_card('ga2.m', 1, jsonb_build_object('intended_use', text || chr(233), 'limitations', chr(128578) || text)) AS set FROM unseen ORDER BY length(text) DESC LIMIT 1;
SELECT * FROM gates(1, 'sections');
DROP VIEW unseen;
SELECT modelreg.set_model_card('ga2.m', 1, '{"intended_use": "home page", "limitations": "none known"}', request_id => 'r'), modelreg.set_model_card('ga2.m', 1, '{"intended_use": "home page", "limitations": "none known"}', request_id => 'r');
SELECT * FROM gates(1, 'card', 'sections');
SELECT * FROM gates(2, 'card');
-- taken away; redacted; set again
SELECT modelreg.set_model_card('ga2.m', 1, NULL) AS taken, modelreg.set_model_card('ga2.m', 1, NULL) AS again;
SELECT * FROM gates(1, 'card', 'sections');
SELECT modelreg.set_model_card('ga2.m', 1, '{"intended_use": "by Jane Doe", "limitations": "none"}');
SET ROLE regress_ga_admin;
SELECT modelreg.redact((SELECT encode(value, 'hex') FROM modelreg.note ORDER BY id DESC LIMIT 1), 'a person');
RESET ROLE;
SELECT modelreg.redact((SELECT encode(n.value, 'hex') FROM modelreg.note n JOIN modelreg.models m USING (model_id) WHERE m.model = 'ga2.m' AND n.kind = 'model_card' ORDER BY n.id DESC LIMIT 1), 'a person');
SELECT * FROM gates(1, 'card', 'sections');
SELECT modelreg.model_card('ga2.m', 1) LIKE '%Jane%' AS shown;
SET ROLE regress_ga_reg;
SELECT modelreg.set_model_card('ga2.m', 1, '{"intended_use": "home page", "limitations": "none"}');
SELECT * FROM gates(1, 'card', 'sections');
-- what is no card; who may
\set VERBOSITY default
SELECT modelreg.set_model_card('ga2.m', 1, '{"Owner": "x", "a b": "x", "": "", "n": 1, "o": {}, "z": null, "ok": "fine"}');
SELECT modelreg.set_model_card('ga2.m', 1, '{}');
\set VERBOSITY terse
SELECT modelreg.set_model_card('ga2.m', 1, '[]');
SELECT modelreg.set_model_card('ga2.m', 9, '{"a": "b"}');
SELECT modelreg.set_model_card('ga2.m', NULL, '{"a": "b"}');
SELECT modelreg.set_model_card('ga2.none', 1, '{"a": "b"}');
SELECT modelreg.set_model_card('ga2.m', 1, (SELECT jsonb_object_agg('s' || n, 'x') FROM generate_series(1, 101) n));
SELECT modelreg.set_model_card('ga2.m', 1, jsonb_build_object('a', repeat('x', 17000000)));
SET ROLE regress_ga_reader;
SELECT modelreg.set_model_card('ga2.m', 1, '{"a": "b"}');
SET ROLE regress_ga_nobody;
SELECT modelreg.set_model_card('ga2.m', 1, '{"a": "b"}');
RESET ROLE;
SELECT * FROM modelreg.verify('ga2', true);

-- THE CARD IN MARKDOWN
-- Whatever somebody wrote is text.
SELECT modelreg.markdown_text(t.text), modelreg.markdown_text(t.text, true) AS one_line FROM (VALUES (1, E'# heading\n===\n---\n> quote'), (2, E'    code\n\tcode\n```\ncode'), (3, '| a | b |'), (4, '[l](http://e) ![i](x) <b>&amp;</b> <http://e>'),
	(5, 'http://e.com www.e.com me@e.com @me #1'), (6, E'1. one\n- two\n* three\n+ four'), (7, E'a  \nb\\\nc'), (8, E'\n\n\na\n\n\n\nb\n\n'), (9, E'\r\n x \r\n'), (10, U&'a\202Eb\0007c\200F'), (11, '*a* _b_ ~~c~~ `d` $e$'),
	(12, 'é 🙂'), (13, ''), (14, '\\|')) t (nr, text) ORDER BY t.nr;
SELECT modelreg.markdown_text(NULL) IS NULL AS null;
SET ROLE regress_ga_reg;
SELECT modelreg.record_snapshot('ga2.data', 'a|b # c', occurred_at => '2020-01-01') IS NOT NULL AS snapshot, modelreg.record_run('ga2.run', inputs => '{"training": ["snapshot:ga2.data@a|b # c"]}') IS NOT NULL AS run;
SELECT modelreg.register_version('ga2.m', 'run:ga2.run', description => E'# Stage: Production\n\n| a |\n|---|\n| [b](c) |', metrics => '{"au|c": 0.5, "loss": "NaN"}');
SELECT modelreg.set_alias('ga2.m', 'champion', 4) > 0 AS alias;
SELECT modelreg.set_model_card('ga2.m', 4, '{"zeta": "last", "intended_use": "first\n## Attestations\n\n| all of them |", "a_1": "second"}');
SELECT modelreg.promote('ga2.m', 4, 'Production', reason => E'it | is\n# best') > 0 AS promoted;
SELECT regexp_replace(regexp_replace(modelreg.model_card('ga2.m', 4), '[0-9-]{10} [0-9:]{8} UTC', '<time>', 'g'), E'(id: )[^\n]*\n(- Hash: )[^\n]*', E'\\1<id>\n\\2<hash>') AS card;
-- by any address
SELECT count(DISTINCT c) FROM unnest('{models:/ga2.m/4,models:/ga2.m@champion,models:/ga2.m/Production,models:/ga2.m/latest}'::text[]) u, modelreg.model_card(u) c;
-- with attestations, and one whose key was compromised
SELECT substring(regexp_replace(modelreg.model_card('ga2.m', 2), '[0-9-]{10} [0-9:]{8} UTC', '<time>', 'g') FROM '## Attestations.*') AS card;
SELECT substring(regexp_replace(modelreg.model_card('ga2.m', 1), '[0-9-]{10} [0-9:]{8} UTC', '<time>', 'g') FROM '## Attestations.*') AS card;
-- for readers, as any answer about a version
SET ROLE regress_ga_reader;
SELECT length(modelreg.model_card('ga2.m', 4)) > 0 AS read;
-- without the statement inside
\set VERBOSITY default
SELECT modelreg.model_card('ga2.m', 9);
SELECT modelreg.model_card('models:/ga2.m/9');
\set VERBOSITY terse
SELECT modelreg.model_card('ga2.m');
SELECT modelreg.model_card(NULL);
SET ROLE regress_ga_nobody;
SELECT modelreg.model_card('ga2.m', 4);
SELECT modelreg.model_card('models:/ga2.m/4');
RESET ROLE;
-- nothing planted runs
CREATE SCHEMA regress_ga;
CREATE FUNCTION regress_ga.markdown_text(text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT 'planted' $$;
CREATE FUNCTION regress_ga.upper(text) RETURNS text LANGUAGE sql AS $$ SELECT 'planted' $$;
GRANT USAGE ON SCHEMA regress_ga TO PUBLIC;
SET search_path = regress_ga, pg_catalog;
SELECT upper('a') AS planted, modelreg.model_card('ga2.m', 4) LIKE '%planted%' AS ran, current_setting('search_path') AS path;
RESET search_path;
DROP SCHEMA regress_ga CASCADE;
DROP FUNCTION gates, signed;
SELECT modelreg.revoke_registry_right('regress_ga_admin', 'admin');
DROP ROLE regress_ga_reg, regress_ga_reader, regress_ga_nobody, regress_ga_admin;
