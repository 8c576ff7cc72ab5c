-- Keys, and signed statements about versions: the form of keys, envelopes and statements, which signatures are taken, and who may what.
-- The signatures are over the payload below; test/t/041_attestations.pl makes fresh ones with openssl and with the field's own tools.
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned
\pset null '(null)'
\pset footer off
SET search_path = pg_catalog;

CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT reason text, OUT message text, OUT detail text)
RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, reason = CONSTRAINT_NAME,
		message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN NEXT;
END $$;

CREATE TEMP TABLE pem (nr serial, name text, pem text);
GRANT SELECT ON pem TO PUBLIC;
INSERT INTO pem (name, pem) VALUES
	('an Ed25519 key', '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAM+zkgW7N1O0jjBZeNn6755pCLa9gPveHpRIMlkxU41U=
-----END PUBLIC KEY-----'),
	('a P-256 key', '-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5Rhzl3uVQshMG3GPi8lzdHNBjByA
c9HYNz4ergnBIaR2H6QfLDLonWCklTWM0bHaEXm77mbFdhVQ52V39W8xLA==
-----END PUBLIC KEY-----'),
	('another Ed25519 key', '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA3CU494NyY+Uz+M6yfBZExYzT0DBnIssx9XpjJe7LrkM=
-----END PUBLIC KEY-----'),
	('a P-384 key', '-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE2KF+Vbji9HvDaf2WFmlc4nPc5OMHgwpl
9aSpqolnyYeu6nrTZWd6E7/WXD/lpmk5vcU1QsUhOlE0XbqCIKuyPHFlmk2FCzu6
/40DW9CKWesyCZyWqQSeTX1DXPZ1cTvI
-----END PUBLIC KEY-----'),
	('a secp256k1 key', '-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEmcEm2iA5dVjyNlh2TDp8WD23/3Buk5gc
wXDifKgzYgE3UQB/Ao8CG0of9CrG0pFmxrzhD1zLLqU3D39bpbcpbA==
-----END PUBLIC KEY-----'),
	('an RSA key', '-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA5+ycvf7HfgG+ZZkvV70K
ARG+hBH9DZw70LaYVWuSAZ19ETBa3Korjh0xVjWCXv9qKpGUGRzqHtsN9nB/Gf/Z
+4G04yXVjGq6qsIlun/PASYEIaOE+PdSi/hb6zYgfyz8Nv15hcO8KZSbzVEQXBZL
PebvA7qbNfSCeR99BFPK3nN25Y31mIqP9jF8TKFHHwUALh4iMtw0X8P2rfWkKccY
TP5cd+TczDv8aKRtwd41hQRtyGFvhjp+0trdTVo/TIh5TIMW919+raY2pSVDBELV
XBaOUSJ+TBfkL8qhUHDf9wWK6dRwZIoYBR2NWUuM23Y4cKkGbH39ZrTW1hplHrat
4wIDAQAB
-----END PUBLIC KEY-----'),
	('a point off the curve', '-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5Rhzl3uVQshMG3GPi8lzdHNBjByA
c9HYNz4ergnBIaR2H6QfLDLonWCklTWM0bHaEXm77mbFdhVQ52V39W8xLQ==
-----END PUBLIC KEY-----'),
	('the point 0, 0', '-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==
-----END PUBLIC KEY-----'),
	('a compressed point', '-----BEGIN PUBLIC KEY-----
MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgAC5Rhzl3uVQshMG3GPi8lzdHNBjByA
c9HYNz4ergnBIaQ=
-----END PUBLIC KEY-----'),
	('a byte too many', '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAM+zkgW7N1O0jjBZeNn6755pCLa9gPveHpRIMlkxU41UA
-----END PUBLIC KEY-----'),
	('a point of order 1', '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-----END PUBLIC KEY-----'),
	('a point of order 4', '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA=
-----END PUBLIC KEY-----'),
	('a point of order 8', '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAxxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3o=
-----END PUBLIC KEY-----'),
	('a y above the prime', '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA7v///////////////////////////////////////38=
-----END PUBLIC KEY-----'),
	('an empty text', ''),
	('no PEM', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDPs5IFuzdTtI4wWXjZ+u+eaQi2vYD73h6USDJZMVONV'),
	('two keys', (SELECT string_agg(pem, E'\n' ORDER BY nr) FROM (VALUES (1, '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAM+zkgW7N1O0jjBZeNn6755pCLa9gPveHpRIMlkxU41U=
-----END PUBLIC KEY-----'), (2, '-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5Rhzl3uVQshMG3GPi8lzdHNBjByA
c9HYNz4ergnBIaR2H6QfLDLonWCklTWM0bHaEXm77mbFdhVQ52V39W8xLA==
-----END PUBLIC KEY-----')) v (nr, pem))),
	('broken base64', '-----BEGIN PUBLIC KEY-----
MCow!QYDK2VwAyEA
-----END PUBLIC KEY-----'),
	('half of it', '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA'),
	('a certificate', '-----BEGIN CERTIFICATE-----
MCowBQYDK2VwAyEA
-----END CERTIFICATE-----'),
	('encryption asked for', '-----BEGIN PUBLIC KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,00000000000000000000000000000000

MCowBQYDK2VwAyEA
-----END PUBLIC KEY-----'),
	('a private key', '-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
-----END PRIVATE KEY-----'),
	('an EC private key', '-----BEGIN EC PRIVATE KEY-----
MHcCAQEE
-----END EC PRIVATE KEY-----'),
	('both halves', '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAM+zkgW7N1O0jjBZeNn6755pCLa9gPveHpRIMlkxU41U=
-----END PUBLIC KEY-----
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
-----END PRIVATE KEY-----');

CREATE TEMP TABLE sig (name text, sig text);
GRANT SELECT ON sig TO PUBLIC;
INSERT INTO sig VALUES
	('ed_sig', 'k2H07qqw2Vm5Jo6yyA2G2qyq/0Le59qPxzzz+GqF932qu+c9AsnTH5ZlsITBY/mYhABeHewE4NY8hfJn63m2AA=='),
	('ed2_sig', 'pqrFEFl2qXc53gcG+sOneWglQwn39sCT5g2ZJuwmmLxWEYgfflzoznkMxEFZk9FYm564397ziGRpike8p5lNCA=='),
	('ec_low', 'MEQCIBHJhLyHlbDaUBBBKBkjy+sMPNblFSrwa7oXoJiK5ea1AiBywjz+OK/Cq/Nb58EVp1nZ0PH5OCTtmfLdRnnedwDA9A=='),
	('ec_high', 'MEUCIBHJhLyHlbDaUBBBKBkjy+sMPNblFSrwa7oXoJiK5ea1AiEAjT3DAMdQPVUMpBg+6limJev1AXWCKgSSFnNQ5IViZF0='),
	('ec_raw', 'EcmEvIeVsNpQEEEoGSPL6ww81uUVKvBruhegmIrl5rVywjz+OK/Cq/Nb58EVp1nZ0PH5OCTtmfLdRnnedwDA9A=='),
	('ec_trailing', 'MEQCIBHJhLyHlbDaUBBBKBkjy+sMPNblFSrwa7oXoJiK5ea1AiBywjz+OK/Cq/Nb58EVp1nZ0PH5OCTtmfLdRnnedwDA9AA='),
	('ec_ber', 'MIFEAiARyYS8h5Ww2lAQQSgZI8vrDDzW5RUq8Gu6F6CYiuXmtQIgcsI8/jivwqvzW+fBFadZ2dDx+Tgk7Zny3UZ53ncAwPQ='),
	('ec_padded', 'MEYCIQARyYS8h5Ww2lAQQSgZI8vrDDzW5RUq8Gu6F6CYiuXmtQIhAHLCPP44r8Kr81vnwRWnWdnQ8fk4JO2Z8t1Ged53AMD0'),
	('ec_zero', 'MAYCAQACAQA='),
	('ec_order', 'MEUCIBHJhLyHlbDaUBBBKBkjy+sMPNblFSrwa7oXoJiK5ea1AiEBcsI8/TivwqzzW+fBFadZ2Y3Y8+XMBTh30QBEoXNj5kU='),
	('ed_plus_order', 'k2H07qqw2Vm5Jo6yyA2G2qyq/0Le59qPxzzz+GqF932Xj92aHCzmd2wCqCegXdithABeHewE4NY8hfJn63m2EA=='),
	('ed_other_type', 'COI7X8JwteapVLgq6pR1eESqNO74PueWrKqG8hQTU1ayZkWGyFSy4j+DCOeTtlgJW1TV0g0+FSOVCASEisnABQ=='),
	('ed_no_type', 'gfyQ9KfXu52BKuf9ynHAAItmzN9c2asxteTB+62/+72hNGIXiXf6sUg+wbyNwImwUj1Xjpyb9j2yUEZnZdibCg==');

-- The statement that they are over, and one with a member replaced or added as text, so that it need not be JSON.
CREATE FUNCTION pg_temp.statement(at text DEFAULT '', instead text DEFAULT '') RETURNS text LANGUAGE sql AS $$
	SELECT replace(s, at, instead) FROM (VALUES ('{"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "weights", "digest": {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}], "predicateType": "https://slsa.dev/provenance/v1", "predicate": {"builder": {"id": "ci"}}}')) v (s) $$;
-- An envelope with this payload and these signatures by name; what is no name stands for itself.
CREATE FUNCTION pg_temp.envelope(payload text, VARIADIC sigs text[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('payload', translate(encode(convert_to(payload, 'UTF8'), 'base64'), E'\n', ''), 'payloadType', 'application/vnd.in-toto+json',
		'signatures', (SELECT jsonb_agg(jsonb_build_object('keyid', '', 'sig', coalesce(s.sig, u.name)) ORDER BY u.nr)
			FROM unnest(sigs) WITH ORDINALITY u (name, nr) LEFT JOIN pg_temp.sig s ON s.name = u.name)) $$;
CREATE ROLE regress_att_maintainer;
CREATE ROLE regress_att_evaluator;
CREATE ROLE regress_att_reader;
CREATE ROLE regress_att_nobody;
CREATE ROLE regress_att_admin;
SELECT modelreg.create_team('att') > 0 AS created, modelreg.create_team('att_other') > 0 AS created;
SELECT modelreg.grant_level('att', 'regress_att_maintainer', 'maintainer'), modelreg.grant_level('att', 'regress_att_evaluator', 'evaluator'),
	modelreg.grant_level('att', 'regress_att_reader', 'reader'), modelreg.grant_registry_right('regress_att_admin', 'admin');
SELECT modelreg.create_model('att.scorer', 'open') > 0 AS created FROM modelreg.grant_level('att', current_user, 'maintainer');
SELECT modelreg.register_version('att.scorer', artifacts => '[{"name": "weights", "uri": "s3://m/w", "size": 3,
	"digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]'), modelreg.register_version('att.scorer');

--
-- keys
--
-- what is a key, and what is wrong with the others; nothing of a private key is repeated
SELECT p.name, e.state, e.reason, e.message, e.detail FROM pem p
	CROSS JOIN LATERAL pg_temp.error_of(format('SELECT modelreg.register_key(%L, %L, ''att_other'')', p.name, p.pem)) e ORDER BY p.nr;
SELECT name, keyid, algorithm, valid FROM modelreg.signing_keys WHERE team = 'att_other' ORDER BY name;
-- the keyid is the SHA-256 of the DER form, and the view gives back the key
SELECT k.keyid = encode(sha256(decode(regexp_replace(p.pem, '-----[A-Z ]+-----', '', 'g'), 'base64')), 'hex') AS keyid,
	translate(k.public_key, E'\n', '') = translate(p.pem, E'\n', '') AS same
FROM modelreg.signing_keys k JOIN pem p USING (name) WHERE k.team = 'att_other' ORDER BY name;
-- white space and other lines do not make another key; what is known is known, revoked or not
SELECT * FROM pg_temp.error_of(format('SELECT modelreg.register_key(%L, %L, ''att_other'')', 'again', (SELECT E' \r\n' || replace(pem, E'\n', E'\r\n') || E'\r\n\n' FROM pem WHERE nr = 1)));
SELECT modelreg.revoke_key('an Ed25519 key', 'a test', 'att_other'), modelreg.revoke_key('an Ed25519 key', 'again', 'att_other');
SELECT * FROM pg_temp.error_of(format('SELECT modelreg.register_key(%L, %L, ''att_other'')', 'again', (SELECT pem FROM pem WHERE nr = 1)));
SELECT * FROM pg_temp.error_of(format('SELECT modelreg.register_key(%L, %L, ''att_other'')', 'an Ed25519 key', (SELECT pem FROM pem WHERE nr = 3)));
-- another team may have it, and so may the registry
SELECT modelreg.register_key('scorer.ci', pem, 'att') = modelreg.register_key('att_ci', pem) AS same FROM pem WHERE nr = 1;
SELECT key, team, name FROM modelreg.signing_keys WHERE team = 'att' OR key LIKE 'att%' ORDER BY key;
-- names, times, nulls
SELECT regexp_replace(s, E'-----BEGIN.*-----', '<key>') AS call, e.* FROM pem CROSS JOIN LATERAL unnest(ARRAY[$$register_key('a.b', '')$$, $$register_key('a/b', '', 'att')$$, $$register_key('', '', 'att')$$, $$register_key(NULL, '')$$,
	$$register_key('a', NULL)$$, $$register_key('a', '', 'nowhere')$$, $$revoke_key('a', 'b')$$, $$revoke_key('a', NULL)$$, $$revoke_key(NULL, 'a')$$,
	$$revoke_key('att_ci', 'a', compromised_since => 'infinity')$$,
	format('register_key(%L, %L, valid_from => %L, valid_until => %L)', 'a', pem, '2030-01-01', '2030-01-01'),
	format('register_key(%L, %L, valid_until => %L)', 'a', pem, '2020-01-01'), format('register_key(%L, %L, valid_from => %L)', 'a', pem, 'infinity')]) s
	CROSS JOIN LATERAL pg_temp.error_of('SELECT modelreg.' || s) e WHERE nr = 3 ORDER BY 1, 4;
-- who may: the team's maintainers, and admins for the registry
SET ROLE regress_att_admin;
SELECT e.* FROM pem, pg_temp.error_of(format('SELECT modelreg.register_key(''x'', %L, ''att'')', pem)) e WHERE nr = 3;
SELECT modelreg.register_key('att_release', pem) IS NOT NULL AS registered FROM pem WHERE nr = 2;
SET ROLE regress_att_maintainer;
SELECT e.* FROM pem, pg_temp.error_of(format('SELECT modelreg.register_key(''x'', %L)', pem)) e WHERE nr = 3;
SELECT e.* FROM pg_temp.error_of($$SELECT modelreg.revoke_key('att_ci', 'mine now')$$) e;
SET ROLE regress_att_evaluator;
SELECT e.* FROM pem, pg_temp.error_of(format('SELECT modelreg.register_key(''x'', %L, ''att'')', pem)) e WHERE nr = 3;
-- everybody may check with the registry's keys, and sees no other team's
SET ROLE regress_att_nobody;
SELECT key FROM modelreg.signing_keys WHERE key LIKE 'att%' ORDER BY key;
RESET ROLE;

--
-- what is taken
--
SET ROLE regress_att_evaluator;
SELECT modelreg.record_attestation('att.scorer', 1, pg_temp.envelope(pg_temp.statement(), 'ed_sig')) > 0 AS recorded;
-- both of s and its negative are signatures: it makes one of the other without the key, so neither is told from the other
SELECT modelreg.record_attestation('att.scorer', 1, pg_temp.envelope(pg_temp.statement(), 'ec_low')) > 0 AS recorded;
SELECT modelreg.record_attestation('att.scorer', 1, pg_temp.envelope(pg_temp.statement(), 'ec_high', 'ed_sig')) > 0 AS recorded;
-- a keyid is a hint: the right one, one that nobody knows, none at all; not another registered key's
SELECT h.hint, e.state, e.message FROM (VALUES ('its own', (SELECT keyid FROM modelreg.signing_keys WHERE key = 'att.scorer.ci')), ('unknown', 'unknown'),
	('of another key', (SELECT keyid FROM modelreg.signing_keys WHERE key = 'att_release'))) h (hint, keyid)
LEFT JOIN LATERAL pg_temp.error_of(format('SELECT modelreg.record_attestation(''att.scorer'', 1, %L)',
	jsonb_set(pg_temp.envelope(pg_temp.statement(), 'ed_sig'), '{signatures,0,keyid}', to_jsonb(h.keyid)))) e ON true ORDER BY 1;
SELECT modelreg.record_attestation('att.scorer', 1, pg_temp.envelope(pg_temp.statement(), 'ed_sig') #- '{signatures,0,keyid}') > 0 AS recorded;
-- base64 of the URL-safe alphabet, without padding, is base64 too; members that nobody signed are not kept
SELECT modelreg.record_attestation('att.scorer', 1, replace(translate(pg_temp.envelope(pg_temp.statement(), 'ec_low')::text, '+=', '-'), '/', '_')::jsonb
	|| '{"payloadType": "application/vnd.in-toto+json", "approved_by": "everybody"}') > 0 AS recorded;
-- once with a request id
SELECT modelreg.record_attestation('att.scorer', 1, pg_temp.envelope(pg_temp.statement(), 'ed_sig'), 'once')
	= modelreg.record_attestation('att.scorer', 1, pg_temp.envelope(pg_temp.statement(), 'ed_sig'), 'once') AS same;
RESET ROLE;
SELECT team, model, version, subject, digest, predicate_type, keys, trusted, statement->'predicate' AS predicate, role,
	(SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(envelope) k) AS members
FROM modelreg.attestations WHERE team = 'att' ORDER BY id;

--
-- what is not
--
-- signatures: another key's, an altered one, of altered bytes, of another type, and forms that are nearly DER
CREATE TEMP VIEW refused AS SELECT * FROM (VALUES
	(1, 'another key', pg_temp.envelope(pg_temp.statement(), 'ed2_sig')),
	(2, 'good and bad', pg_temp.envelope(pg_temp.statement(), 'ed_sig', 'ed2_sig')),
	(3, 'bad and good', pg_temp.envelope(pg_temp.statement(), 'ed2_sig', 'ed_sig')),
	(4, 'one key twice', pg_temp.envelope(pg_temp.statement(), 'ed_sig', 'ed_sig')),
	(5, 'one key twice, two signatures', pg_temp.envelope(pg_temp.statement(), 'ec_low', 'ec_high')),
	(6, 'altered signature', pg_temp.envelope(pg_temp.statement(), (SELECT overlay(sig PLACING 'AAAA' FROM 9) FROM sig WHERE name = 'ed_sig'))),
	(7, 'altered payload', pg_temp.envelope(pg_temp.statement('"ci"', '"me"'), 'ed_sig')),
	(8, 'white space in the payload', pg_temp.envelope(pg_temp.statement() || ' ', 'ed_sig')),
	(9, 'signed as another type', pg_temp.envelope(pg_temp.statement(), 'ed_other_type')),
	(10, 'signed without a type', pg_temp.envelope(pg_temp.statement(), 'ed_no_type')),
	(11, 'another type', pg_temp.envelope(pg_temp.statement(), 'ed_other_type') || '{"payloadType": "application/json"}'),
	(12, 's and s plus the order, Ed25519', pg_temp.envelope(pg_temp.statement(), 'ed_plus_order')),
	(13, 's plus the order, ECDSA', pg_temp.envelope(pg_temp.statement(), 'ec_order')),
	(14, 'r and s as they are', pg_temp.envelope(pg_temp.statement(), 'ec_raw')),
	(15, 'a byte behind it', pg_temp.envelope(pg_temp.statement(), 'ec_trailing')),
	(16, 'a length in long form', pg_temp.envelope(pg_temp.statement(), 'ec_ber')),
	(17, 'numbers with zeros before', pg_temp.envelope(pg_temp.statement(), 'ec_padded')),
	(18, 'r and s zero', pg_temp.envelope(pg_temp.statement(), 'ec_zero')),
	(19, 'an empty signature', pg_temp.envelope(pg_temp.statement(), '')),
	(20, 'zeros', pg_temp.envelope(pg_temp.statement(), repeat('A', 86) || '==')),
	(21, 'seventeen', pg_temp.envelope(pg_temp.statement(), VARIADIC array_fill('ed_sig'::text, '{17}'))),
	(22, 'a megabyte', pg_temp.envelope(pg_temp.statement(), repeat('A', 1400000))),
	(30, 'no object', '[]'), (31, 'a text', '"a"'), (32, 'empty', '{}'),
	(33, 'no signatures', pg_temp.envelope(pg_temp.statement(), 'ed_sig') || '{"signatures": []}'),
	(34, 'signatures that are none', pg_temp.envelope(pg_temp.statement(), 'ed_sig') || '{"signatures": [1, null]}'),
	(35, 'an object of signatures', pg_temp.envelope(pg_temp.statement(), 'ed_sig') || '{"signatures": {"sig": "AAAA"}}'),
	(36, 'no base64', pg_temp.envelope(pg_temp.statement(), 'ed_sig') || '{"payload": "{}"}'),
	(37, 'base64 with a line break', jsonb_set(pg_temp.envelope(pg_temp.statement(), 'ed_sig'), '{payload}', to_jsonb(encode(convert_to(pg_temp.statement(), 'UTF8'), 'base64')))),
	(38, 'a number for a payload', pg_temp.envelope(pg_temp.statement(), 'ed_sig') || '{"payload": 1}'),
	(39, 'an empty payload', pg_temp.envelope('', 'ed_sig')),
	(40, 'no JSON', pg_temp.envelope('{', 'ed_sig')),
	(41, 'an array', pg_temp.envelope('[]', 'ed_sig')),
	(42, 'a null', pg_temp.envelope('null', 'ed_sig')),
	(43, 'two values', pg_temp.envelope(pg_temp.statement() || '{}', 'ed_sig')),
	(44, 'no UTF-8', pg_temp.envelope('', 'ed_sig') || '{"payload": "eyJhIjoi/yJ9"}'),
	(45, 'a zero byte', pg_temp.envelope('', 'ed_sig') || '{"payload": "e30A"}'),
	(46, 'an escaped zero byte', pg_temp.envelope('{"a": "\u0000"}', 'ed_sig')),
	(47, 'a subject twice', pg_temp.envelope(pg_temp.statement('"predicateType"', '"subject": [], "predicateType"'), 'ed_sig')),
	(48, 'a member twice, deep within', pg_temp.envelope(pg_temp.statement('{"id": "ci"}', '{"id": "ci:\"", "x": {"id": 1, "\u0069d": 2}}'), 'ed_sig')),
	(49, 'another version of the format', pg_temp.envelope(pg_temp.statement('Statement/v1', 'Statement/v0.1'), 'ed_sig')),
	(50, 'no predicateType', pg_temp.envelope(pg_temp.statement('predicateType', 'predicatetype'), 'ed_sig')),
	(51, 'an empty one', pg_temp.envelope(pg_temp.statement('https://slsa.dev/provenance/v1'), 'ed_sig')),
	(52, 'one of 2000 bytes', pg_temp.envelope(pg_temp.statement('https://slsa.dev/provenance/v1', repeat('a', 2000)), 'ed_sig')),
	(53, 'no subject', pg_temp.envelope(pg_temp.statement('subject', 'object'), 'ed_sig')),
	(54, 'a long keyid', jsonb_set(pg_temp.envelope(pg_temp.statement(), 'ed_sig'), '{signatures,0,keyid}', to_jsonb(repeat('a', 2000)))),
	(60, 'another digest', pg_temp.envelope(pg_temp.statement('ba7816bf', 'ca7816bf'), 'ed_sig')),
	(61, 'in capitals', pg_temp.envelope(pg_temp.statement('ba7816bf', 'BA7816BF'), 'ed_sig')),
	(62, 'of another algorithm', pg_temp.envelope(pg_temp.statement('sha256', 'sha512'), 'ed_sig')),
	(63, 'no digest', pg_temp.envelope(pg_temp.statement('"digest"', '"digests"'), 'ed_sig')),
	(64, 'subjects that are none', pg_temp.envelope(pg_temp.statement('"subject": [', '"subject": [1, null, [], {}, {"digest": []}, {"digest": {"sha256": 1}}], "x": ['), 'ed_sig'))
) v (nr, what, envelope);
GRANT SELECT ON refused TO PUBLIC;
SET ROLE regress_att_evaluator;
SELECT r.what, e.state, e.reason, e.message, regexp_replace(e.detail, '[0-9a-f]{64}', '<hash>') AS detail FROM refused r
LEFT JOIN LATERAL pg_temp.error_of(format('SELECT modelreg.record_attestation(''att.scorer'', 1, %L)', r.envelope)) e ON true ORDER BY r.nr;
-- about another version; of one, model or team that is not there; nulls
SELECT s, e.state, e.reason, e.message FROM unnest(ARRAY[$$'att.scorer', 2, '%s'$$, $$'att.scorer', 9, '%s'$$, $$'att.nothing', 1, '%s'$$, $$'nowhere.x', 1, '%s'$$,
	$$'att.scorer', NULL, '%s'$$, $$'att.scorer', 1, NULL$$, $$NULL, 1, '%s'$$]) s,
	pg_temp.error_of(format('SELECT modelreg.record_attestation(' || s || ')', pg_temp.envelope(pg_temp.statement(), 'ed_sig'))) e;
-- What another version is named by, given to an artifact: its hash, or its permanent id as the subject's name. (So that this is told before
-- the signatures are looked at, no key is needed for the first.)
RESET ROLE;
SELECT modelreg.register_version('att.scorer', artifacts => jsonb_build_array(jsonb_build_object('name', 'stolen', 'uri', 's3://m/x', 'size', 3, 'digest', 'sha256:' || hash))) AS version
	FROM modelreg.versions WHERE model = 'att.scorer' AND version = 1;
SELECT e.* FROM modelreg.versions v, pg_temp.error_of(format('SELECT modelreg.record_attestation(''att.scorer'', 3, %L)',
	pg_temp.envelope(pg_temp.statement('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', v.hash), 'ed_sig'))) e WHERE v.model = 'att.scorer' AND v.version = 1;
SELECT e.* FROM pg_temp.error_of(format('SELECT modelreg.record_attestation(''att.scorer'', 1, %L)',
	pg_temp.envelope(pg_temp.statement('"weights"', '"modelreg:00000000-0000-4000-8000-000000000000/1/1"'), 'ed_sig'))) e;
-- its own permanent id says nothing wrong: only the signature is
SELECT e.* FROM modelreg.versions v, pg_temp.error_of(format('SELECT modelreg.record_attestation(''att.scorer'', 1, %L)',
	pg_temp.envelope(pg_temp.statement('weights', v.permanent_id), 'ed_sig'))) e WHERE v.model = 'att.scorer' AND v.version = 1;
SET ROLE regress_att_evaluator;
-- too long to be kept
SELECT e.state, e.reason, e.message FROM pg_temp.error_of($$SELECT modelreg.record_attestation('att.scorer', 1, jsonb_build_object('payload', repeat('A', 16800000)))$$) e;
SELECT e.state, e.reason, length(e.message) FROM pg_temp.error_of($$SELECT modelreg.record_attestation('att.scorer', 1,
	pg_temp.envelope(pg_temp.statement('"ci"', '"' || repeat('x', 9000000) || '"'), 'ed_sig'))$$) e;
-- nested deeper than the stack
SELECT e.state FROM pg_temp.error_of($$SELECT modelreg.record_attestation('att.scorer', 1,
	pg_temp.envelope(pg_temp.statement('"ci"', repeat('[', 1000000) || repeat(']', 1000000)), 'ed_sig'))$$) e;
SET ROLE regress_att_reader;
SELECT e.* FROM pg_temp.error_of(format('SELECT modelreg.record_attestation(''att.scorer'', 1, %L)', pg_temp.envelope(pg_temp.statement(), 'ed_sig'))) e;
SELECT count(*) > 0 AS seen FROM modelreg.attestations;
SET ROLE regress_att_nobody;
SELECT e.* FROM pg_temp.error_of(format('SELECT modelreg.record_attestation(''att.scorer'', 1, %L)', pg_temp.envelope(pg_temp.statement(), 'ed_sig'))) e;
SELECT count(*) AS seen FROM modelreg.attestations;
RESET ROLE;

--
-- keys in time
--
-- not yet valid, not any more, revoked
SELECT modelreg.register_key('later', pem, 'att', valid_from => now() + interval '1 year') IS NOT NULL AS registered FROM pem WHERE nr = 3;
SELECT e.state, e.reason, e.message FROM pg_temp.error_of(format('SELECT modelreg.record_attestation(''att.scorer'', 1, %L)', pg_temp.envelope(pg_temp.statement(), 'ed2_sig'))) e;
SELECT modelreg.register_key('att_brief', pem, valid_until => clock_timestamp() + interval '2 s') IS NOT NULL AS registered FROM pem WHERE nr = 3;
SELECT pg_sleep_until(valid_until + interval '10 ms') AS slept FROM modelreg.signing_keys WHERE key = 'att_brief';
SELECT e.state, e.reason, e.message FROM pg_temp.error_of(format('SELECT modelreg.record_attestation(''att.scorer'', 1, %L)', pg_temp.envelope(pg_temp.statement(), 'ed2_sig'))) e;
SELECT key, valid FROM modelreg.signing_keys WHERE name IN ('later', 'att_brief') ORDER BY key;
SELECT key, valid FROM modelreg.signing_keys WHERE key = 'att.scorer.ci';
-- a key of the registry was revoked: the team's own of the same bytes signs no more either
SELECT modelreg.record_attestation('att.scorer', 1, pg_temp.envelope(pg_temp.statement(), 'ed_sig')) > 0 AS recorded;
SELECT modelreg.revoke_key('att_ci', 'the team has it');
SELECT key, valid FROM modelreg.signing_keys WHERE key = 'att.scorer.ci';
SELECT e.state, e.reason, e.message FROM pg_temp.error_of(format('SELECT modelreg.record_attestation(''att.scorer'', 1, %L)', pg_temp.envelope(pg_temp.statement(), 'ed_sig'))) e;
SELECT modelreg.revoke_key('scorer.ci', 'laptop stolen', 'att'), modelreg.revoke_key('scorer.ci', 'laptop stolen', 'att');
SELECT e.state, e.reason, e.message FROM pg_temp.error_of(format('SELECT modelreg.record_attestation(''att.scorer'', 1, %L)', pg_temp.envelope(pg_temp.statement(), 'ec_low', 'ed_sig'))) e;
-- what it signed before counts, until it is said to have been compromised; then what others signed as well still does
SELECT keys, bool_and(trusted) AS trusted FROM modelreg.attestations WHERE team = 'att' GROUP BY keys ORDER BY keys;
SELECT modelreg.revoke_key('scorer.ci', 'stolen', 'att', compromised_since => '2020-06-01 12:00:00.5+00'), modelreg.revoke_key('scorer.ci', 'stolen', 'att', compromised_since => '2021-01-01'),
	modelreg.revoke_key('scorer.ci', 'stolen', 'att', compromised_since => '2019-01-01'), modelreg.revoke_key('att_ci', 'stolen', compromised_since => '2019-01-01');
SELECT keys, bool_or(trusted) AS trusted FROM modelreg.attestations WHERE team = 'att' GROUP BY keys ORDER BY keys;
SELECT key, valid, revoked_at < now() + interval '1 minute' AS revoked, compromised_since AT TIME ZONE 'UTC' AS compromised_since FROM modelreg.signing_keys WHERE key LIKE 'att%' ORDER BY key;
SELECT chain, kind, what - '{key_id,keyid,public_key,valid_from,valid_until}'::text[] AS what, reason FROM modelreg.events WHERE kind LIKE 'key\_%'
	AND (team = 'att' OR what->>'name' LIKE 'att%' OR reason IN ('the team has it', 'stolen')) ORDER BY at;

-- redacted: gone from the view, and no finding
SELECT modelreg.redact(envelope_digest, 'a person is named') FROM modelreg.attestations WHERE team = 'att' ORDER BY id LIMIT 1;
SELECT predicate_type, statement, envelope FROM modelreg.attestations WHERE team = 'att' ORDER BY id LIMIT 1;
SELECT * FROM modelreg.verify('att', deep => true);
SELECT * FROM modelreg.verify('att.scorer', deep => true);
SELECT * FROM modelreg.verify(deep => true);
-- a head is not a version's statement, and the reverse
SELECT e.state, e.reason, e.message, e.detail FROM pg_temp.error_of(format('SELECT modelreg.attest_head(%L)', pg_temp.envelope(pg_temp.statement(), 'ec_low'))) e;
SELECT e.state, e.reason, e.message, e.detail FROM pg_temp.error_of(format('SELECT modelreg.attest_head(%L)',
	pg_temp.envelope(pg_temp.statement('https://slsa.dev/provenance/v1', 'modelreg:audit_head/1'), 'ec_low'))) e;
SET ROLE regress_att_maintainer;
SELECT e.state, e.reason, e.message FROM pg_temp.error_of(format('SELECT modelreg.attest_head(%L)', pg_temp.envelope(pg_temp.statement(), 'ec_low'))) e;
RESET ROLE;

SELECT modelreg.revoke_registry_right('regress_att_admin', 'admin');
DROP ROLE regress_att_evaluator, regress_att_maintainer, regress_att_reader, regress_att_nobody, regress_att_admin;
