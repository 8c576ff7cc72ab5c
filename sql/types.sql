-- The types digest, stage and model_uri, and the rules for names.
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned

-- What a statement fails with: never raises, returns no row if it succeeds.
CREATE FUNCTION pg_temp.error_of(statement text,
	OUT state text, OUT reason text, OUT message text, OUT detail text)
RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, reason = CONSTRAINT_NAME,
		message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN NEXT;
END $$;

-- The same for the input of a type.
CREATE FUNCTION pg_temp.input_error(type text, input text,
	OUT state text, OUT reason text, OUT message text, OUT detail text)
RETURNS SETOF record LANGUAGE sql AS $$
	SELECT * FROM pg_temp.error_of(format('SELECT %L::modelreg.%I', input, type))
$$;

--
-- digest
--
SELECT modelreg.sha256_digest('abc');
SELECT modelreg.sha256_digest('') OPERATOR(modelreg.=) 'sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855' AS equal;
SELECT modelreg.digest_algorithm(d), encode(modelreg.digest_bytes(d), 'hex') = encode(sha256('abc'), 'hex') AS same_bytes,
	modelreg.digest_send(d) = '\x01'::bytea || sha256('abc') AS binary_form, pg_column_size(d)
FROM modelreg.sha256_digest('abc') d;
-- a long value, as a constant and from a compressed column
CREATE TEMP TABLE long AS SELECT convert_to(repeat('a', 1000000), 'UTF8') AS value;
SELECT modelreg.sha256_digest(value), pg_column_size(value) < 100000 AS compressed FROM long;
SELECT modelreg.sha256_digest(convert_to(repeat('a', 1000000), 'UTF8'));
SELECT modelreg.digest_in(NULL) IS NULL AS strict;

SELECT input.text, error.* FROM (VALUES
	(''), ('sha256'), ('sha256:'), (':'), ('md5:d41d8cd98f00b204e9800998ecf8427e'),
	('SHA256:' || repeat('0', 64)), (' sha256:' || repeat('0', 64)),
	('sha256:' || repeat('0', 63)), ('sha256:' || repeat('0', 65)), ('sha256:' || repeat('0', 66)),
	('sha256:' || repeat('0', 64) || ' '), ('sha256:' || repeat('0', 20) || 'g' || repeat('0', 43)),
	('sha256:' || repeat('0', 20) || 'é' || repeat('0', 42)), ('sha256:\x' || repeat('0', 62)),
	('sha256:0x' || repeat('0', 62)), (repeat('é', 20) || ':00')
) AS input(text), pg_temp.input_error('digest', input.text) error;
-- a megabyte of junk is quoted only in part, and not through a character
SELECT state, length(message), right(message, 20) AS message_ends, length(detail), detail
FROM pg_temp.input_error('digest', repeat('é', 500000));
SELECT state, length(message), detail
FROM pg_temp.input_error('digest', 'sha256:' || repeat('a', 1000000));
SELECT state, length(message), length(detail), right(detail, 40) AS detail_ends
FROM pg_temp.input_error('digest', repeat('x', 1000000) || ':');
SELECT state, length(message), detail FROM pg_temp.input_error('digest', 'x' || repeat('é', 100) || ':');

--
-- stage
--
SELECT s::modelreg.stage, modelreg.stage_send(s::modelreg.stage)
FROM (VALUES ('experimental'), ('STAGING'), ('Production'), ('aRCHIVED')) v(s);
SELECT typlen, typbyval, typalign FROM pg_type WHERE oid = 'modelreg.stage'::regtype;
SELECT input.text, error.* FROM (VALUES
	(''), ('Prod'), ('Productions'), (' Production'), ('Production '), ('3'), ('none'), ('Próduction'), ('日本語')
) AS input(text), pg_temp.input_error('stage', input.text) error;
SELECT state, length(message) FROM pg_temp.input_error('stage', repeat('Production', 100000));

--
-- model_uri
--
SELECT input.text::modelreg.model_uri AS canonical, k.*
FROM (VALUES
	('models:/search.reco-model'), ('models:/search.reco-model/14'), ('models:/search.reco-model/LATEST'),
	('models:/search.reco-model/production'), ('models:/search.reco-model/Staging'),
	('models:/search.reco-model/EXPERIMENTAL'), ('models:/search.reco-model/archived'),
	('models:/search.reco-model@champion'), ('models:/search.reco-model@v2.1'),
	('modelreg:0F1E2D3C-4b5a-6978-8796-a5b4c3d2e1f0/31/2147483647'),
	('models:/suche.größe.v2/1'), ('models:/search..x'), ('models:/search.a b@日本'), ('models:/a.latest/latest')
) AS input(text), LATERAL (SELECT input.text::modelreg.model_uri AS u) v, LATERAL (SELECT
	modelreg.uri_kind(u) kind, modelreg.uri_team(u) team, modelreg.uri_model(u) model, modelreg.uri_version(u) version,
	modelreg.uri_stage(u) stage, modelreg.uri_alias(u) alias, modelreg.uri_identity(u) identity,
	modelreg.uri_model_id(u) model_id) k;
SELECT convert_from(modelreg.model_uri_send('models:/a.b/STAGING'), 'UTF8');
-- the longest
SELECT length(u::text), length(modelreg.uri_team(u)), length(modelreg.uri_model(u)), length(modelreg.uri_alias(u))
FROM (SELECT ('models:/' || repeat('t', 63) || '.' || repeat('m', 255) || '@' || repeat('a', 255))::modelreg.model_uri u) v;

SELECT input.text, error.* FROM (VALUES
	(''), ('search.reco-model'), ('model:/a.b'), ('MODELS:/a.b'), (' models:/a.b'), ('models:a.b'), ('models:/'),
	('models://a.b'), ('models:/search'), ('models:/.b'), ('models:/search.'), ('models:/search/14'),
	('models:/größe.b:c'), ('models:/a.b '), ('models:/a. b'), ('models:/ a.b'),
	('models:/a.b/'), ('models:/a.b/0'), ('models:/a.b/014'), ('models:/a.b/-1'), ('models:/a.b/+1'), ('models:/a.b/1.5'),
	('models:/a.b/14 '), ('models:/a.b/2147483648'), ('models:/a.b/99999999999999999999999999'), ('models:/a.b/14/15'),
	('models:/a.b/14@x'), ('models:/a.b/v14'), ('models:/a.b/Prod'), ('models:/a.b/latest '),
	('models:/a.b@'), ('models:/a.b@x/1'), ('models:/a.b@x@y'), ('models:/a.b@LATEST'), ('models:/a.b@14'), ('models:/a.b@V14'), ('models:/a.b@production'),
	('models:/' || repeat('t', 64) || '.m'), ('models:/t.' || repeat('m', 256)), ('models:/t.' || repeat('é', 128)),
	('modelreg:'), ('modelreg:0f1e2d3c'), ('modelreg:0f1e2d3c4b5a69788796a5b4c3d2e1f0/1/1'),
	('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'), ('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/'),
	('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/31'), ('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/31/'),
	('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/0/1'), ('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/31/1/'),
	('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/9223372036854775807/1'),
	('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1fé/31/1'), ('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f00/31/1'),
	('modelreg:{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}/31/1')
) AS input(text), pg_temp.input_error('model_uri', input.text) error;
-- what cannot be seen, by its code point
SELECT to_hex(code) AS code, error.detail FROM unnest('{1, 9, 10, 31, 32, 127, 128, 133, 159, 160, 8203, 8206, 8232, 8238, 8294, 12288, 65279}'::int[]) code,
	pg_temp.input_error('model_uri', 'models:/a.b' || chr(code)) error;
SELECT to_hex(code) AS code, error.detail FROM unnest('{9, 160, 8238, 12288}'::int[]) code,
	pg_temp.input_error('model_uri', 'models:/a.b' || chr(code) || 'c') error;
SELECT prefix, state, length(message), detail FROM (VALUES
	('x'), ('models:/'), ('models:/a.'), ('models:/a.b/'), ('models:/a.b/1'), ('models:/a.b@'), ('modelreg:'),
	('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/1'), ('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/1/1')
) p(prefix), pg_temp.input_error('model_uri', prefix || repeat('1', 1000000));

-- what comes out goes in again and is the same
SELECT count(*), bool_and(u::text::modelreg.model_uri OPERATOR(modelreg.=) u) AS stable
FROM (SELECT (format('models:/t%s.m%s', i, i) || (ARRAY['', '/' || i, '/latest', '/Staging', '@a' || i])[1 + i % 5])::modelreg.model_uri u
	FROM generate_series(1, 500) i) s;

--
-- soft errors, which came with 16: before, the same answers are printed
--
SELECT current_setting('server_version_num')::int >= 160000 AS soft \gset
\if :soft
SELECT input, pg_input_is_valid(input, 'modelreg.' || type) AS valid FROM
\else
SELECT input, NOT EXISTS (SELECT FROM pg_temp.input_error(type, input)) AS valid FROM
\endif
(VALUES ('digest', 'sha256:0'), ('digest', 'x'), ('digest', 'sha256:' || repeat('f', 64)), ('stage', 'x'), ('stage', 'staging'),
	('model_uri', 'x'), ('model_uri', 'models:/a.b@1'), ('model_uri', 'models:/a/1'), ('model_uri', 'modelreg:x'),
	('model_uri', 'models:/a.b')) v(type, input);

--
-- operators and index support
--
SELECT amname, opcname, opcdefault, amvalidate(c.oid) AS valid
FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
WHERE opcnamespace = 'modelreg'::regnamespace ORDER BY opcname COLLATE "C", amname COLLATE "C";
-- every comparison is leakproof, immutable, strict and parallel safe; nothing else is leakproof
SELECT oprname, count(*), bool_and(proleakproof AND provolatile = 'i' AND proisstrict AND proparallel = 's') AS properties
FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
WHERE oprnamespace = 'modelreg'::regnamespace GROUP BY 1 ORDER BY oprname COLLATE "C";
SELECT count(*) AS leakproof FROM pg_proc WHERE pronamespace = 'modelreg'::regnamespace AND proleakproof
	AND proname ~ '^(digest|stage|model_uri|traffic_split|uri|sha256)_|^(share|arm_share|arm_count|arms)$' AND proname !~ '_(eq|ne|lt|le|gt|ge|cmp|hash|hash_extended)$';
-- each operator has its commutator and negator, and they point back
SELECT count(*) AS unpaired FROM pg_operator o
LEFT JOIN pg_operator c ON c.oid = o.oprcom LEFT JOIN pg_operator n ON n.oid = o.oprnegate
WHERE o.oprnamespace = 'modelreg'::regnamespace
	AND (c.oprcom IS DISTINCT FROM o.oid OR n.oprnegate IS DISTINCT FROM o.oid OR o.oprrest = 0 OR o.oprjoin = 0);

SET search_path = modelreg, pg_catalog;
-- the operators agree with the order of the bytes, or of the numbers
SELECT count(*), bool_and((a = b) = (x = y) AND (a <> b) = (x <> y) AND (a < b) = (x < y) AND (a <= b) = (x <= y)
	AND (a > b) = (x > y) AND (a >= b) = (x >= y) AND sign(digest_cmp(a, b)) = sign(byteacmp(x, y))
	AND ((a = b) = (digest_hash(a) = digest_hash(b)))
	AND ((a = b) = (digest_hash_extended(a, 7) = digest_hash_extended(b, 7)))) AS agree
FROM (SELECT sha256_digest(x::text::bytea) a, digest_send(sha256_digest(x::text::bytea)) x FROM generate_series(1, 40) x) l,
	(SELECT sha256_digest(x::text::bytea) b, digest_send(sha256_digest(x::text::bytea)) y FROM generate_series(20, 60) x) r;
WITH s AS (SELECT name::stage, n FROM unnest('{Experimental,Staging,Production,Archived}'::text[]) WITH ORDINALITY u(name, n))
SELECT count(*), bool_and((a.name = b.name) = (a.n = b.n) AND (a.name <> b.name) = (a.n <> b.n)
	AND (a.name < b.name) = (a.n < b.n) AND (a.name <= b.name) = (a.n <= b.n)
	AND (a.name > b.name) = (a.n > b.n) AND (a.name >= b.name) = (a.n >= b.n) AND sign(stage_cmp(a.name, b.name)) = sign(a.n - b.n)
	AND ((a.name = b.name) = (stage_hash(a.name) = stage_hash(b.name)))
	AND ((a.name = b.name) = (stage_hash_extended(a.name, 7) = stage_hash_extended(b.name, 7)))) AS agree
FROM s a, s b;
WITH s AS (SELECT u::model_uri, u COLLATE "C" AS t FROM unnest('{models:/a.b,models:/a.b/1,models:/a.b/10,models:/a.b/2,models:/a.b@x,models:/é.b}'::text[]) u)
SELECT count(*), bool_and((a.u = b.u) = (a.t = b.t) AND (a.u <> b.u) = (a.t <> b.t) AND (a.u < b.u) = (a.t < b.t)
	AND (a.u <= b.u) = (a.t <= b.t) AND (a.u > b.u) = (a.t > b.t) AND (a.u >= b.u) = (a.t >= b.t)
	AND ((a.u = b.u) = (model_uri_hash(a.u) = model_uri_hash(b.u)))
	AND ((a.u = b.u) = (model_uri_hash_extended(a.u, 7) = model_uri_hash_extended(b.u, 7)))) AS agree
FROM s a, s b;

-- with seed 0 the low half of the long hash is the short one
SELECT bool_and(long & 4294967295 = short::bigint & 4294967295) AS agree FROM (
	SELECT digest_hash_extended(d, 0), digest_hash(d) FROM sha256_digest('x') d UNION ALL
	SELECT stage_hash_extended(s, 0), stage_hash(s) FROM (SELECT stage 'Production') v(s) UNION ALL
	SELECT model_uri_hash_extended(u, 0), model_uri_hash(u) FROM (SELECT model_uri 'models:/a.b') v(u)) h(long, short);

-- a table with every type, in binary there and back
CREATE TABLE public.typed (id int, d digest, s stage, u model_uri);
INSERT INTO public.typed SELECT i, sha256_digest(i::text::bytea),
	(ARRAY['Experimental', 'Staging', 'Production', 'Archived'])[1 + i % 4]::stage, ('models:/t.m/' || i)::model_uri
FROM generate_series(1, 4000) i;
INSERT INTO public.typed VALUES (0, NULL, NULL, NULL);
-- short headers on disk: 1 + 33, 1, 1 + 14 bytes
SELECT pg_column_size(d), pg_column_size(s), pg_column_size(u) FROM public.typed WHERE id = 42;
CREATE TABLE public.typed_copy (LIKE public.typed);
\copy public.typed to 'results/types.binary' (format binary)
\copy public.typed_copy from 'results/types.binary' (format binary)
SELECT count(*) AS same FROM (TABLE public.typed INTERSECT TABLE public.typed_copy) i;
SELECT s, count(*) FROM public.typed GROUP BY s ORDER BY s DESC NULLS LAST;
SELECT min(id) FROM public.typed WHERE s > 'Staging' AND u < 'models:/t.m/2';

-- indexes serve a reader under row level security, because the operators are leakproof
CREATE INDEX ON public.typed (d);
CREATE INDEX ON public.typed USING hash (u);
CREATE INDEX ON public.typed (s, id);
ANALYZE public.typed;
ALTER TABLE public.typed ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON public.typed FOR SELECT USING (id % 2 = 0);
CREATE ROLE regress_types_reader;
GRANT SELECT ON public.typed TO regress_types_reader;
SET ROLE regress_types_reader;
SET enable_seqscan = off; SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM public.typed WHERE d = sha256_digest('42');
EXPLAIN (COSTS OFF) SELECT id FROM public.typed WHERE u = 'models:/t.m/42';
EXPLAIN (COSTS OFF) SELECT id FROM public.typed WHERE s >= 'Archived' AND id = 7;
SELECT id FROM public.typed WHERE d = sha256_digest('42');
SELECT id FROM public.typed WHERE d = sha256_digest('43');
SELECT id FROM public.typed WHERE u = 'models:/t.m/42';
RESET enable_seqscan; RESET enable_bitmapscan;
RESET ROLE;
-- joins by hash and by merge find the same
SET enable_nestloop = off; SET enable_mergejoin = off;
SELECT count(*) FROM public.typed a JOIN public.typed_copy b ON a.d = b.d AND a.s = b.s AND a.u = b.u;
RESET enable_mergejoin; SET enable_hashjoin = off;
SELECT count(*) FROM public.typed a JOIN public.typed_copy b ON a.d = b.d AND a.s = b.s AND a.u = b.u;
RESET enable_hashjoin; RESET enable_nestloop;
DROP TABLE public.typed, public.typed_copy;
DROP ROLE regress_types_reader;
RESET search_path;

--
-- names
--
SELECT sort, octet_length(modelreg.check_name(sort, name)) AS bytes FROM (VALUES
	('team', 'search'), ('team', repeat('t', 63)), ('team', 'größe'), ('team', 'a b'), ('object', 'a.b.c'),
	('object', repeat('é', 127) || 'x'), ('qualified', 'search.reco.model'), ('qualified', repeat('t', 63) || '.' || repeat('n', 255)),
	('alias', 'champion'), ('alias', 'v'), ('alias', 'v2.1'), ('alias', 'version2'), ('alias', 'latest2'), ('alias', '2nd'), ('alias', 'production-2')
) v(sort, name);
SELECT sort, name, error.* FROM (VALUES
	('team', ''), ('team', 'a.b'), ('team', 'a/b'), ('team', 'a@b'), ('team', 'a:b'), ('team', ' a'), ('team', 'a '),
	('team', repeat('t', 64)), ('object', ''), ('object', 'a/b'), 
	('object', repeat('é', 128)), ('qualified', ''), ('qualified', 'search'),
	('qualified', 'search.'), ('qualified', '.model'), ('qualified', 'größe.a/b'),
	('alias', ''), ('alias', 'a:b'), ('alias', 'latest'), ('alias', 'LATEST'), ('alias', '14'), ('alias', 'v14'), ('alias', 'V0'), ('alias', 'Production'), ('alias', 'sTAGING'), ('alias', 'experimental'), ('alias', 'ARCHIVED'),
	('other', 'x')
) v(sort, name), pg_temp.error_of(format('SELECT modelreg.check_name(%L, %L)', sort, name)) error;
SELECT state, length(message), detail FROM pg_temp.error_of('SELECT modelreg.check_name(''team'', repeat(''é'', 500000))');

SELECT to_hex(code) AS code, modelreg.check_name('object', 'a' || chr(code) || 'b') IS NOT NULL AS inside, error.detail
FROM unnest('{32, 160, 12288, 65279}'::int[]) code, pg_temp.error_of(format('SELECT modelreg.check_name(''team'', %L)', chr(code) || 'a')) error;

-- node keys
SELECT k.* FROM (VALUES
	('snapshot:search.events@2026-06-01'), ('run:search.train-8841'), ('commit:search.reco@abc123'), ('my_kind-2:a.b.c@x'),
	('transform:search.user features@v7/a:b@c'), ('models:/search.reco-model/14'), ('version:search.reco-model@14'),
	('run:größe.é@日本'), (repeat('k', 63) || ':t.n')
) v(text), modelreg.parse_node_key(v.text) k;
SELECT count(*), bool_and(again.canonical = k.canonical AND again IS NOT DISTINCT FROM k) AS stable
FROM (VALUES ('run:a.b'), ('run:a.b@c@d'), ('models:/a.b/1'), ('version:a.b@1')) v(text),
	modelreg.parse_node_key(v.text) k, modelreg.parse_node_key(k.canonical) again;
SELECT detail FROM pg_temp.error_of($$SELECT modelreg.parse_node_key(E'run:a.b@c\nd')$$);
SELECT v.text, error.* FROM (VALUES
	(''), ('run'), (':a.b'), ('Run:a.b'), ('run :a.b'), ('rün:a.b'), ('run:'), ('run:a'), ('run:a.'), ('run:.b'), ('run:a.b@'), ('run:a.b/c'),
	('run:a.b:c'), ('run:a.b@ c'), ('run:a.b@c '), ('run:größe.b@' || repeat('v', 256)), (repeat('k', 64) || ':t.n'),
	('version:a.b'), ('version:a.b@'), ('version:a.b@x'), ('version:a.b@0'), ('version:a.b@2147483648'),
	('models:/a.b'), ('models:/a.b/latest'), ('models:/a.b/Production'), ('models:/a.b@champion'), ('models:/a.b/0'),
	('modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/31/1'), ('@a.b'), ('a.b@c:d')
) v(text), pg_temp.error_of(format('SELECT modelreg.parse_node_key(%L)', v.text)) error;
SELECT prefix, state, length(message), detail FROM (VALUES (''), ('run:'), ('run:a.'), ('run:a.b@'), ('models:/')) v(prefix),
	pg_temp.error_of(format('SELECT modelreg.parse_node_key(%L || repeat(''x'', 1000000))', prefix));

-- all of it may be used by everybody, and all of it says what it is
SELECT count(*) AS undescribed FROM pg_depend d
WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'modelreg') AND deptype = 'e'
	AND (classid IN ('pg_operator'::regclass, 'pg_opclass'::regclass, 'pg_opfamily'::regclass)
		OR classid = 'pg_proc'::regclass AND EXISTS (SELECT FROM pg_proc p WHERE p.oid = objid AND proname ~ '^(digest|stage|model_uri|traffic_split|uri|sha256)_|^(check_name|parse_node_key|share|arm_share|arm_count|arms)$')
		OR classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t WHERE t.oid = objid AND typname IN ('digest', 'stage', 'model_uri', 'traffic_split')))
	AND obj_description(objid, classid::regclass::name) IS NULL;
SELECT count(*) AS functions, count(*) FILTER (WHERE NOT has_function_privilege('public', oid, 'EXECUTE')) AS not_public
FROM pg_proc WHERE pronamespace = 'modelreg'::regnamespace
	AND proname ~ '^(digest|stage|model_uri|traffic_split)_(in|out|recv|send|eq|ne|lt|le|gt|ge|cmp|hash|hash_extended|algorithm|bytes)$|^uri_|^(sha256_digest|check_name|parse_node_key|share|arm_share|arm_count|arms)$';
