-- The type traffic_split; its operators' support is in types.
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
CREATE FUNCTION pg_temp.input_error(input text,
	OUT state text, OUT reason text, OUT message text, OUT detail text)
RETURNS SETOF record LANGUAGE sql AS $$
	SELECT * FROM pg_temp.error_of(format('SELECT %L::modelreg.traffic_split', input))
$$;

-- one text for one split: order, blanks and zeros at the end are nobody's choice
SELECT input, input::modelreg.traffic_split AS canonical, modelreg.arm_count(input::modelreg.traffic_split) AS arms
FROM unnest(ARRAY['{13: 95%, 14: 5%}', '{14:5%,13:95%}', E' \n{\t14 : 5.0000% ,13: 95.00% } ', '{1: 100%}', '{2147483647: 100.0000%}',
	'{2: 0.0001%, 10: 99.9999%}', '{2: 33.3333%, 1: 33.3333%, 3: 33.3334%}', '{9: 50%, 10: 50%}',
	'{search.other-model/2: 5%, 13: 95%}', '{b.m/1: 20%, a.m/10: 20%, a.m/9: 20%, 7: 20%, a.l/99: 20%}',
	'{search.a, b} 50%/2: 50%, 3: 50%}', '{suche.größe {x}/1: 12.5%, 1.1/1: 87.5%}']) input;
SELECT convert_from(modelreg.traffic_split_send('{14: 5%, 13:95%}'), 'UTF8');

-- its parts
SELECT a.* FROM modelreg.arms('{13: 94.9999%, search.other-model/2: 5%, 14: 0.0001%}') a;
SELECT modelreg.share(s, 13) AS "13", modelreg.arm_share(s, '14') AS "14", modelreg.arm_share(s, 'search.other-model/2') AS other,
	modelreg.share(s, 2) AS "2", modelreg.arm_share(s, 'search.other/2') AS nobody, modelreg.share(s, -1) AS negative, modelreg.share(s, NULL::integer) IS NULL AS strict
FROM (SELECT '{13: 94.9999%, search.other-model/2: 5%, 14: 0.0001%}'::modelreg.traffic_split s) v;
SELECT arm, error.* FROM unnest('{"",0,014,"1 ",x,search/1,search.m,search.m/,search.m/0,search.m/1/2,2147483648}'::text[]) arm,
	pg_temp.error_of(format('SELECT modelreg.arm_share(''{1: 100%%}'', %L)', arm)) error;

-- what is none
SELECT input, error.state, error.reason, error.detail FROM unnest(ARRAY['', '{}', '{', '{1: 100%', '{1: 100%,}', '{,1: 100%}', '1: 100%', '{1: 100%} x', '{{1: 100%}}',
	'{1 100%}', '{1: 100}', '{1: 100 %}', '{1: %}', '{1: }', '{: 100%}', '{1: 1e2%}', '{1: +100%}', '{1: -5%, 2: 105%}', '{1: NaN%}', '{1: 50%; 2: 50%}', '{1: 50% 2: 50%}',
	'{1: 99.9999%}', '{1: 50%, 2: 50.0001%}', '{1: 100%, 2: 100%, 3: 100%}', '{1: 100%, 2: 0%}', '{1: 100%, 2: 0.0000%}', '{1: 50%, 1: 50%}', '{a.b/1: 50%, a.b/1: 50%}',
	'{1: 100.0001%}', '{1: 101%}', '{1: 0100%}', '{1: 00%}', '{1: .5%}', '{1: 5.%}', '{1: 5.00001%}', '{1: 5.5.5%}', '{1: 99999999999999999999999999%}',
	'{0: 100%}', '{01: 100%}', '{-1: 100%}', '{2147483648: 100%}', '{search: 100%}', '{search.m: 100%}', '{search.m/: 100%}', '{/1: 100%}', '{search/1: 100%}', '{search.m/1/1: 100%}',
	'{models:/search.m/1: 100%}', '{search.m@x/1: 100%}', E'{search.m\u202e/1: 100%}', '{größe: 100%}', '{"1": "100%"}']) input, pg_temp.input_error(input) error;
-- 64 arms and no more
SELECT modelreg.arm_count(('{' || string_agg(i || ': 1.5625%', ',') || '}')::modelreg.traffic_split) FROM generate_series(1, 64) i;
SELECT error.state, error.detail FROM (SELECT '{' || string_agg(i || ': 1.5%', ',') || '}' AS text FROM generate_series(1, 65) i) v, pg_temp.input_error(v.text) error;
-- the longest, which is kept compressed or out of line
CREATE TEMP TABLE long AS SELECT ('{' || string_agg(repeat('t', 63) || '.' || repeat('é', 126) || lpad(i::text, 3, '0') || '/2147483647: 1.5625%', ', ') || '}')::modelreg.traffic_split AS s
FROM generate_series(1, 64) i;
SELECT length(s::text), pg_column_size(s) < 3000 AS compressed, (SELECT sum(share) FROM modelreg.arms(s)), s::text::modelreg.traffic_split OPERATOR(modelreg.=) s AS same FROM long;
-- much of anything is quoted only in part
SELECT prefix, error.state, length(error.message), error.detail FROM unnest('{x,"{","{1","{1: ","{1: 5","{1: 5%","{1: 50%, ","{1: 100%}","{a.","{a.b/"}'::text[]) prefix, pg_temp.input_error(prefix || repeat('1', 1000000)) error;
SELECT error.state, length(error.message), error.detail FROM pg_temp.input_error('{1: 50%,' || repeat(' ', 1000000)) error;

-- order is that of the canonical text, and so is equality
SET search_path = modelreg, pg_catalog;
WITH s AS (SELECT i::traffic_split AS u, i::traffic_split::text COLLATE "C" AS t FROM unnest('{"{1: 100%}","{10: 100%}","{2: 100%}","{1: 50%, 2: 50%}","{2:50%,1:50%}","{a.b/1: 100%}","{1: 50%, é.b/1: 50%}"}'::text[]) i)
SELECT count(*), count(*) FILTER (WHERE a.u = b.u) AS equal, bool_and((a.u = b.u) = (a.t = b.t) AND (a.u <> b.u) = (a.t <> b.t) AND (a.u < b.u) = (a.t < b.t)
	AND (a.u <= b.u) = (a.t <= b.t) AND (a.u > b.u) = (a.t > b.t) AND (a.u >= b.u) = (a.t >= b.t)
	AND ((a.u = b.u) = (traffic_split_hash(a.u) = traffic_split_hash(b.u)))
	AND ((a.u = b.u) = (traffic_split_hash_extended(a.u, 7) = traffic_split_hash_extended(b.u, 7)))) AS agree
FROM s a, s b;
-- a table with indexes, and in binary there and back
CREATE TEMP TABLE typed AS SELECT i AS id, format('{%s: %s.5%%, %s: %s.5%%}', i, i % 99, i + 1, 99 - i % 99)::traffic_split AS s FROM generate_series(1, 2000) i;
CREATE INDEX ON typed (s);
CREATE INDEX ON typed USING hash (s);
ANALYZE typed;
CREATE TEMP TABLE typed_copy (LIKE typed);
\copy typed to 'results/traffic_split.binary' (format binary)
\copy typed_copy from 'results/traffic_split.binary' (format binary)
SELECT count(*) AS same FROM (TABLE typed INTERSECT TABLE typed_copy) i;
SET enable_seqscan = off; SET enable_bitmapscan = off;
SELECT id FROM typed WHERE s = '{43:57.5%,42:42.5%}';
SELECT count(*) FROM typed WHERE s < '{101:2.5%,102:97.5%}';
SET enable_nestloop = off; SET enable_mergejoin = off;
SELECT count(*) FROM typed a JOIN typed_copy b ON a.s = b.s;
RESET enable_mergejoin; SET enable_hashjoin = off;
SELECT count(*) FROM typed a JOIN typed_copy b ON a.s = b.s;
RESET search_path; RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_hashjoin; RESET enable_nestloop;

-- soft errors, which came with 16: before, the same answers are printed
SELECT current_setting('server_version_num')::int >= 160000 AS soft \gset
\if :soft
SELECT input, pg_input_is_valid(input, 'modelreg.traffic_split') AS valid FROM
\else
SELECT input, NOT EXISTS (SELECT FROM pg_temp.input_error(input)) AS valid FROM
\endif
unnest(ARRAY['{1: 100%}', '{1: 99%}', '{1: 0%}', 'x', '{a: 100%}', '{a./1: 100%}', '{a.b/0: 100%}', '{1: 50%, 1: 50%}', '{1: 100%}}']) input;
