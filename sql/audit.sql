-- audit: canonical JSON and row hashes, events and their chains, facts of a transaction, request ids, redaction.
-- In a database of its own, so that ids are what they look like.
SELECT current_database() AS origin \gset
CREATE DATABASE regress_audit TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_audit
SET client_min_messages = warning;
CREATE EXTENSION modelreg;
RESET client_min_messages;
SET datestyle = 'ISO';
SET timezone = 'UTC';

-- The test vectors of docs/audit-format.md.
SELECT modelreg.canonical_json('{"b": 1, "a": [1, 2, {"z": null, "y": true}], "": false}');
SELECT modelreg.canonical_json('{"aa": 1, "b": 2, "é": 3, "\uffff": 4, "\ud83d\ude00": 5, "Z": 6}');
SELECT modelreg.canonical_json('[1.0, 1.50, 0.10, -0, -0.0, 1e2, 1E-3, 12345678901234567890.123456789, 100, 0.000001, 1e20]');
-- Small whole numbers take a way of their own: nothing at its edges is printed otherwise than the server does.
SELECT count(*), count(*) FILTER (WHERE modelreg.canonical_json(to_jsonb(n)) <> trim_scale(n)::text) AS differ
FROM generate_series(0, 40) AS e, (VALUES (-1), (0), (1)) AS d(d), (VALUES (1), (-1), (0.1), (0.0001), (1e-40), (1.00)) AS f(f),
	LATERAL (SELECT (10::numeric ^ e + d) * f UNION ALL SELECT (2::numeric ^ e + d) * f UNION ALL SELECT 12345678901234567890 % 10::numeric ^ e * f) AS n(n);
-- Few members and many.
SELECT modelreg.canonical_json(jsonb_object_agg(repeat('k', 20 - i) || i, i)) FROM (VALUES (16), (17)) AS m(n), generate_series(1, m.n) AS i GROUP BY m.n ORDER BY m.n;
SELECT modelreg.canonical_json('["a\"b\\c\/d", "\b\f\n\r\t", "\u0001\u001f\u007f", "é\u00e9", "<>&\u2028"]');
SELECT modelreg.canonical_json('"scalar"'), modelreg.canonical_json('7.00'), modelreg.canonical_json('null'), modelreg.canonical_json('{}'), modelreg.canonical_json('[]');
SELECT encode(modelreg.row_hash('t', 1::smallint, NULL::text), 'hex') AS null_field, encode(modelreg.row_hash('t', 1::smallint, ''::text), 'hex') AS empty_text;
SELECT encode(modelreg.row_hash('t', 1::smallint, 'é'::text, '\x00ff'::bytea, 1::smallint, -1::integer, 1::bigint, true, false), 'hex') AS simple;
SELECT encode(modelreg.row_hash('t', 1::smallint, '2026-06-01 12:00:00+00'::timestamptz, '2000-01-01 00:00:00+00'::timestamptz, '1999-12-31 23:59:59.999999+00'::timestamptz), 'hex') AS times;
SELECT encode(modelreg.row_hash('t', 1::smallint, 0.5::float8, '-0'::float8, 'NaN'::float8, 'Infinity'::float8), 'hex') AS floats;
SELECT encode(modelreg.row_hash('t', 1::smallint, '{"b": 1.0, "a": "x"}'::jsonb), 'hex') AS json;
SELECT encode(modelreg.row_hash('t', 1::smallint, ARRAY['a', NULL, '']::text[], '{}'::text[], ARRAY[1, 2]::bigint[], ARRAY[0.5]::float8[]), 'hex') AS arrays;
SELECT encode(modelreg.row_hash('t', 1::smallint, '6f1c2d3e-0000-4000-8000-0123456789ab'::uuid, modelreg.sha256_digest('weights')), 'hex') AS others;
SELECT encode(modelreg.row_hash('payload', 1::smallint, '\x000102030405060708090a0b0c0d0e0f'::bytea, 'a reason'::text), 'hex') AS payload;
-- No setting has a say in it.
SET extra_float_digits = -15; SET bytea_output = 'escape'; SET datestyle = 'German'; SET timezone = 'Asia/Kathmandu';
SELECT encode(modelreg.row_hash('t', 1::smallint, '2026-06-01 12:00:00+00'::timestamptz, '2000-01-01 00:00:00+00'::timestamptz, '1999-12-31 23:59:59.999999+00'::timestamptz), 'hex') AS times;
SELECT encode(modelreg.row_hash('t', 1::smallint, 0.5::float8, '-0'::float8, 'NaN'::float8, 'Infinity'::float8), 'hex') AS floats;
RESET extra_float_digits; RESET bytea_output; SET datestyle = 'ISO'; SET timezone = 'UTC';
-- Not for what has no encoding.
SELECT modelreg.row_hash(NULL, 1::smallint, 'x'::text);
SELECT modelreg.row_hash('t', NULL, 'x'::text);
SELECT modelreg.row_hash('t', 1::smallint, VARIADIC ARRAY['a']);
SELECT modelreg.row_hash('t', 1::smallint, ARRAY[['a']]);

-- Events: who, from where, what; a chain's times go up.
CREATE ROLE regress_audit_admin;
CREATE ROLE regress_audit_maintainer;
CREATE ROLE regress_audit_other;
GRANT regress_audit_maintainer TO regress_audit_other;
SELECT modelreg.grant_registry_right('regress_audit_admin', 'admin');
SET application_name = 'setting up';
SET ROLE regress_audit_admin;
SELECT modelreg.create_team('search', request_id => 'team-1');
SELECT modelreg.grant_level('search', 'regress_audit_maintainer', 'maintainer');
SELECT modelreg.revoke_level('search', 'regress_audit_admin', 'maintainer');
SET ROLE regress_audit_maintainer;
SELECT modelreg.create_model('search.reco', 'open');
SELECT modelreg.retire_model('search.reco', reason => 'never trained');
SELECT modelreg.create_model('search.reco', 'open');
SELECT chain, number, kind, team, CASE role WHEN session_user THEN 'session user' ELSE role END AS role, session_role = session_user AS by_session, application_name, request_id, reason,
	what - 'identity' - 'role_oid' - 'policy_digest' - 'digest' - 'hash' #- '{maintainer,role_oid}' AS what
FROM modelreg.events ORDER BY at;
RESET ROLE;
SELECT chain, number, kind, team, CASE role WHEN session_user THEN 'session user' ELSE role END AS role, session_role = session_user AS by_session, application_name, request_id, reason,
	what - 'identity' - 'role_oid' - 'policy_digest' - 'digest' - 'hash' #- '{maintainer,role_oid}' AS what
FROM modelreg.events WHERE team IS NULL ORDER BY number;
SELECT bool_and(later) AS later, bool_and(linked) AS linked, bool_and(covered) AS covered FROM (SELECT at > lag(at) OVER w AS later,
	prev = COALESCE(lag(hash) OVER w, decode(repeat('00', 32), 'hex')) AS linked,
	hash = modelreg.row_hash('event', format, chain, chain_id, seq, at, kind, team_id, who, application_name, client_addr, request_id, what, prose, prev) AS covered
	FROM modelreg.event WINDOW w AS (PARTITION BY chain, chain_id ORDER BY seq)) e;
-- Two events of one statement are not at the same time either.
SELECT modelreg.set_quota('search', n) FROM generate_series(1, 5) n;
SELECT count(*) AS events, count(DISTINCT at) AS times FROM modelreg.event WHERE kind = 'quota_set';

-- The facts of a transaction are one event; those of savepoints that were rolled back are not in it.
SELECT modelreg.grant_level('search', current_user, 'maintainer');
BEGIN;
SELECT modelreg.record_node('commit', 'search.code', 'a');
SAVEPOINT one;
SELECT modelreg.record_node('commit', 'search.code', 'b');
SAVEPOINT two;
SELECT modelreg.record_node('commit', 'search.code', 'c');
RELEASE two;
ROLLBACK TO one;
SAVEPOINT three;
SELECT modelreg.record_node('commit', 'search.code', 'd');
RELEASE three;
SELECT modelreg.set_tag('search.reco', 'family', 'two-tower');
SELECT count(*) AS before_commit FROM modelreg.event WHERE chain = 3;
COMMIT;
SELECT what->'rows' AS rows FROM modelreg.event WHERE chain = 3 ORDER BY seq;
SELECT version FROM modelreg.node ORDER BY id;
-- All of them rolled back: no event.
BEGIN;
SAVEPOINT one;
SELECT modelreg.record_node('commit', 'search.code', 'e');
ROLLBACK TO one;
COMMIT;
BEGIN;
SELECT modelreg.record_node('commit', 'search.code', 'f');
ROLLBACK;
SELECT count(*) AS events FROM modelreg.event WHERE chain = 3;
-- Errors that are caught, too.
DO $$
BEGIN
	PERFORM modelreg.record_node('commit', 'search.code', 'g');
	BEGIN
		PERFORM modelreg.record_node('commit', 'search.code', 'h');
		PERFORM 1/0;
	EXCEPTION WHEN division_by_zero THEN NULL;
	END;
	PERFORM modelreg.record_node('commit', 'search.code', 'i');
END
$$;
SELECT what->'rows' AS rows FROM modelreg.event WHERE chain = 3 ORDER BY seq;
-- Another role in the middle of a transaction: each has its own event.
BEGIN;
SELECT modelreg.record_node('commit', 'search.code', 'j');
SET LOCAL ROLE regress_audit_maintainer;
SELECT modelreg.record_node('commit', 'search.code', 'k');
SET LOCAL ROLE regress_audit_other;
SELECT modelreg.record_node('commit', 'search.code', 'l');
RESET ROLE;
SELECT modelreg.record_node('commit', 'search.code', 'm');
COMMIT;
SELECT CASE who->>'role' WHEN session_user THEN 'session user' ELSE who->>'role' END AS role, who->>'outer' AS outer_role,
	who->>'session' = session_user AS by_session, what->'rows' AS rows
FROM modelreg.event WHERE chain = 3 ORDER BY seq DESC LIMIT 3;
-- A SECURITY DEFINER function's caller is known.
CREATE FUNCTION record_as_owner() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$SELECT modelreg.record_node('commit', 'search.code', 'n')$$;
ALTER FUNCTION record_as_owner() OWNER TO regress_audit_maintainer;
SET ROLE regress_audit_other;
SELECT record_as_owner();
RESET ROLE;
SELECT who->>'role' AS role, who->>'outer' AS outer_role FROM modelreg.event WHERE chain = 3 ORDER BY seq DESC LIMIT 1;
-- Neither facts nor decisions nor registrations can be prepared.
BEGIN;
SELECT modelreg.record_node('commit', 'search.code', 'o');
PREPARE TRANSACTION 'facts';
SELECT modelreg.register_version('search.reco');
BEGIN;
SELECT modelreg.promote('search.reco', 1, 'Staging');
PREPARE TRANSACTION 'decision';
BEGIN;
SAVEPOINT one;
SELECT modelreg.register_version('search.reco');
RELEASE one;
PREPARE TRANSACTION 'registration';
SELECT count(*) AS versions FROM modelreg.versions WHERE model = 'search.reco';
SELECT count(*) AS decisions FROM modelreg.event WHERE chain = 5;

-- Request ids: the same call again returns the same, another call with it is an error; each team and verb has its own.
SELECT modelreg.create_model('search.ranker', 'open', request_id => 'r-1') AS id;
SELECT modelreg.create_model('search.ranker', 'open', request_id => 'r-1') AS id;
SELECT modelreg.create_model('search.other', 'open', request_id => 'r-1');
SELECT modelreg.create_model('search.ranker', 'open', description => '', request_id => 'r-1');
SELECT modelreg.register_version('search.ranker', params => '{"lr": 0.1}', request_id => 'r-1');
SELECT modelreg.register_version('search.ranker', params => '{"lr": 0.10}', request_id => 'r-1');
SELECT modelreg.register_version('search.ranker', params => '{"lr": 0.2}', request_id => 'r-1');
SELECT modelreg.register_version('search.ranker', params => '{"lr": 0.2}', request_id => 'r-2');
SELECT modelreg.promote('search.ranker', 1, 'Staging', request_id => 'r-1');
SELECT modelreg.promote('search.ranker', 1, 'Staging', request_id => 'r-1');
SELECT modelreg.promote('search.ranker', 1, 'Staging');
SELECT modelreg.create_team('ads', request_id => 'r-1') AS id;
SELECT modelreg.create_team('ads', request_id => 'r-1') AS id;
SELECT modelreg.create_team('ads');
SELECT modelreg.create_model('ads.click', 'open', request_id => 'r-1') AS id;
SELECT modelreg.create_team('empty', request_id => '');
SELECT modelreg.create_team('long', request_id => repeat('x', 256));
SELECT modelreg.create_team('fits', request_id => repeat('x', 255));
-- What failed did not use its id up.
SELECT modelreg.create_model('search.reco', 'open', request_id => 'r-3');
SELECT modelreg.create_model('search.third', 'open', request_id => 'r-3') AS id;
SELECT team_id, verb, left(request_id, 6) AS request_id, result FROM modelreg.request_id ORDER BY team_id, verb COLLATE "C", request_id COLLATE "C";

-- Redaction: admins alone; the digest and an event stay.
SELECT modelreg.set_description('search.reco', 'by Jane Doe', 1);
SELECT encode(payload, 'hex') AS digest FROM modelreg.description WHERE version = 1 \gset
SET ROLE regress_audit_maintainer;
SELECT modelreg.redact(:'digest', 'a name');
SET ROLE regress_audit_admin;
SELECT modelreg.redact(:'digest', NULL);
SELECT modelreg.redact('abc', 'a name');
SELECT modelreg.redact(repeat('zz', 32), 'a name');
SELECT modelreg.redact(repeat('00', 32), 'a name');
SELECT modelreg.redact(:'digest', 'a name', 'redact-1');
SELECT modelreg.redact(:'digest', 'a name', 'redact-1');
SELECT modelreg.redact(:'digest', 'again');
RESET ROLE;
SELECT count(*) AS payloads, count(salt) AS salts, count(body) AS bodies FROM modelreg.payload WHERE digest = decode(:'digest', 'hex');
SELECT count(*) AS descriptions FROM modelreg.description WHERE version = 1;
SELECT kind, role, request_id, reason, what->>'payload' = :'digest' AS names_it FROM modelreg.events WHERE kind = 'payload_redacted';
SELECT * FROM modelreg.verify();

-- A new identity: by admins, with a reason, by an event; what was registered before keeps its own, and both resolve.
SELECT permanent_id AS before FROM modelreg.get_version('search.ranker', 1) \gset
SELECT document AS head FROM modelreg.audit_head() \gset
SET ROLE regress_audit_maintainer;
SELECT modelreg.new_identity('a copy');
SELECT modelreg.declare_restore('a restore');
SET ROLE regress_audit_admin;
SELECT modelreg.new_identity(NULL);
SELECT modelreg.declare_restore(NULL);
SELECT modelreg.new_identity('a copy', request_id => 'copy-1') AS one \gset
SELECT modelreg.new_identity('a copy', request_id => 'copy-1') = :'one' AS same;
SELECT modelreg.new_identity('another copy', request_id => 'copy-1');
SELECT modelreg.declare_restore('a restore', :'head', 'restore-1') AS two \gset
SELECT modelreg.declare_restore('a restore', :'head', 'restore-1') = :'two' AS same;
SELECT modelreg.declare_restore('a restore') NOT IN (:'one', :'two') AS another;
RESET ROLE;
SELECT kind, role, request_id, reason, what->>'identity' = lead(what->>'replaced') OVER (ORDER BY number) AS is_replaced_next,
	(what->>'head') = (SELECT 'sha256:' || encode(sha256(convert_to(modelreg.canonical_json(:'head'), 'UTF8')), 'hex')) AS head, what->'behind' AS behind
FROM modelreg.events WHERE kind IN ('identity_begun', 'restore_declared') ORDER BY number;
SELECT modelreg.register_version('search.ranker');
SELECT permanent_id AS after FROM modelreg.get_version('search.ranker', (SELECT max(version)::int FROM modelreg.versions WHERE model = 'search.ranker')) \gset
SELECT modelreg.uri_identity(:'before') <> modelreg.uri_identity(:'after') AS other, modelreg.uri_identity(:'after') = (SELECT identity FROM modelreg.registry) AS the_present,
	(SELECT version FROM modelreg.resolve(:'before')) AS before, (SELECT version FROM modelreg.resolve(:'after')) AS after;
-- Rolled back, it was never begun.
BEGIN;
SAVEPOINT one;
SELECT modelreg.new_identity('by mistake') IS NOT NULL AS begun;
ROLLBACK TO one;
SELECT modelreg.uri_identity(:'after') = (SELECT identity FROM modelreg.registry) AS the_present;
COMMIT;
-- In a transaction of one snapshot, too.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT modelreg.new_identity('a copy') AS three \gset
SELECT modelreg.register_version('search.ranker') AS version \gset
SELECT modelreg.uri_identity(permanent_id::modelreg.model_uri) = :'three' AS under_it FROM modelreg.get_version('search.ranker', :version);
SELECT * FROM modelreg.verify();
ROLLBACK;
-- What is no head, or another registry's.
SELECT modelreg.declare_restore('a restore', '[]');
SELECT modelreg.declare_restore('a restore', '{"format": 1, "identity": null, "chains": {}}');
SELECT jsonb_build_object('format', 1, 'identity', identity, 'chains', jsonb_build_array(jsonb_build_object('chain', 'registry', 'id', 1, 'seq', 1, 'hash', repeat('0', 64)))) AS other FROM modelreg.registry \gset
SELECT modelreg.declare_restore('a restore', jsonb_set(:'other', '{chains,0,hash}', '"zz"'));
SELECT modelreg.declare_restore('a restore', jsonb_insert(:'other', '{chains,0}', '{"chain": "team", "id": 99, "seq": 5}', true));
SELECT modelreg.declare_restore('a restore', :'other');
-- What audit_head() does not write: no uuid, no chain of the registry, a chain twice. A head of before the first event says nothing.
SELECT modelreg.declare_restore('a restore', jsonb_set(:'other', '{identity}', '"not a uuid"'));
SELECT modelreg.declare_restore('a restore', :'other'::jsonb - 'identity');
SELECT modelreg.declare_restore('a restore', jsonb_set(:'other', '{chains}', '[]'));
SELECT modelreg.declare_restore('a restore', (SELECT jsonb_set(:'head', '{chains}', chains || (chains->-1)) FROM (SELECT :'head'::jsonb->'chains' AS chains) c));
SELECT modelreg.declare_restore('a restore', '{"format": 1, "identity": null, "chains": []}') IS NOT NULL AS nothing_behind;
SELECT * FROM modelreg.verify();
\c :origin
DROP DATABASE regress_audit;
DROP ROLE regress_audit_admin, regress_audit_maintainer, regress_audit_other;
