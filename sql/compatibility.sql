-- Whether what was written for one signature works with another. The verdicts are written by hand, by docs/compatibility.md:
-- BACKWARD: callers of the old signature, a model of the new one; FORWARD: callers of the new one, a model of the old; FULL: both.
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned
\pset null -
CREATE SCHEMA regress_compat;
SET search_path = regress_compat, pg_catalog;

CREATE TEMP TABLE pair (id integer GENERATED ALWAYS AS IDENTITY, what text, old jsonb, new jsonb, backward text, forward text, "full" text);
-- c() is a column, so that a line says what differs
CREATE FUNCTION c(name text, type text, required boolean DEFAULT true) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('name', name, 'type', type, 'required', required))
$$;
CREATE FUNCTION part(name text, type text, detail text, value jsonb, required boolean DEFAULT true) RETURNS jsonb LANGUAGE sql AS $$
	SELECT c(name, type, required) || jsonb_build_object(detail, value)
$$;
CREATE FUNCTION tensor(name text, dtype text, shape text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT part(name, 'tensor', 'tensor-spec', jsonb_build_object('dtype', dtype, 'shape', shape::jsonb))
$$;
CREATE FUNCTION i(VARIADIC jsonb[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('inputs', to_jsonb($1)) $$;
CREATE FUNCTION o(VARIADIC jsonb[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('outputs', to_jsonb($1)) $$;
-- a model with one input, and with params
CREATE FUNCTION p(VARIADIC jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT i(c('x', 'double')) || jsonb_build_object('params', to_jsonb($1))
$$;
CREATE FUNCTION param(name text, type text, def jsonb DEFAULT NULL, shape jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('name', name, 'type', type, 'default', def, 'shape', shape))
$$;

-- INPUTS: the caller writes, the model reads.
INSERT INTO pair (what, old, new, backward, forward, "full") VALUES
-- Nothing differs.
('the same', i(c('a', 'long')), i(c('a', 'long')), 'yes', 'yes', 'yes'),
-- Columns are found by name.
('reordered', i(c('a', 'long'), c('b', 'string')), i(c('b', 'string'), c('a', 'long')), 'yes', 'yes', 'yes'),
-- Old callers do not send b. New callers send a b that the old model leaves alone.
('required input added', i(c('a', 'long')), i(c('a', 'long'), c('b', 'long')), 'no', 'yes', 'no'),
-- Old callers do not send b and need not.
('optional input added', i(c('a', 'long')), i(c('a', 'long'), c('b', 'long', false)), 'yes', 'yes', 'yes'),
-- Old callers send a b that is left alone. New callers do not send the b that the old model needs.
('required input dropped', i(c('a', 'long'), c('b', 'long')), i(c('a', 'long')), 'yes', 'no', 'no'),
('optional input dropped', i(c('a', 'long'), c('b', 'long', false)), i(c('a', 'long')), 'yes', 'yes', 'yes'),
-- Old callers always send it. New callers may leave out what the old model needs.
('required becomes optional', i(c('a', 'long')), i(c('a', 'long', false)), 'yes', 'no', 'no'),
('optional becomes required', i(c('a', 'long', false)), i(c('a', 'long')), 'no', 'yes', 'no'),
-- It is one input dropped and another added; there are no other names for an input.
('required input renamed', i(c('a', 'long')), i(c('b', 'long')), 'no', 'no', 'no'),
('optional input renamed', i(c('x', 'long'), c('a', 'long', false)), i(c('x', 'long'), c('b', 'long', false)), 'yes', 'yes', 'yes'),
('name in other letters', i(c('Age', 'long')), i(c('age', 'long')), 'no', 'no', 'no'),
-- Every integer is a long; not every long is an integer.
('integer to long', i(c('a', 'integer')), i(c('a', 'long')), 'yes', 'no', 'no'),
('long to integer', i(c('a', 'long')), i(c('a', 'integer')), 'no', 'yes', 'no'),
('float to double', i(c('a', 'float')), i(c('a', 'double')), 'yes', 'no', 'no'),
('double to float', i(c('a', 'double')), i(c('a', 'float')), 'no', 'yes', 'no'),
-- 32 bits fit into the 53 of a double, 64 do not, and 32 do not fit into the 24 of a float.
('integer to double', i(c('a', 'integer')), i(c('a', 'double')), 'yes', 'no', 'no'),
('long to double', i(c('a', 'long')), i(c('a', 'double')), 'no', 'no', 'no'),
('integer to float', i(c('a', 'integer')), i(c('a', 'float')), 'no', 'no', 'no'),
('boolean to integer', i(c('a', 'boolean')), i(c('a', 'integer')), 'no', 'no', 'no'),
('integer to string', i(c('a', 'integer')), i(c('a', 'string')), 'no', 'no', 'no'),
('string to binary', i(c('a', 'string')), i(c('a', 'binary')), 'no', 'no', 'no'),
('string to datetime', i(c('a', 'string')), i(c('a', 'datetime')), 'no', 'no', 'no'),
-- any reads everything, and nothing else reads any.
('string to any', i(c('a', 'string')), i(c('a', 'any')), 'yes', 'no', 'no'),
('any to double', i(c('a', 'any')), i(c('a', 'double')), 'no', 'yes', 'no'),
('vector stays, vector to double', i(c('a', 'sparkml vector'), c('b', 'sparkml vector')), i(c('a', 'sparkml vector'), c('b', 'double')), 'no', 'no', 'no'),
-- A type that cannot be read does not matter less because it is optional.
('optional, narrowed', i(c('a', 'long', false)), i(c('a', 'integer', false)), 'no', 'yes', 'no'),
('required widened to optional', i(c('a', 'integer')), i(c('a', 'long', false)), 'yes', 'no', 'no'),
-- Without names by position: a model takes the first of more than it knows.
('unnamed, one more', i(c(NULL, 'long')), i(c(NULL, 'long'), c(NULL, 'long')), 'no', 'yes', 'no'),
('unnamed, one less', i(c(NULL, 'long'), c(NULL, 'double')), i(c(NULL, 'long')), 'yes', 'no', 'no'),
('unnamed, one more that is optional', i(c(NULL, 'long')), i(c(NULL, 'long'), c(NULL, 'string', false)), 'yes', 'yes', 'yes'),
('unnamed, of the same type reordered', i(c(NULL, 'long'), c(NULL, 'long')), i(c(NULL, 'long'), c(NULL, 'long')), 'yes', 'yes', 'yes'),
('unnamed, reordered', i(c(NULL, 'long'), c(NULL, 'string')), i(c(NULL, 'string'), c(NULL, 'long')), 'no', 'no', 'no'),
-- Who sends by name says nothing of the order, who sends by position nothing of the names.
('unnamed to named', i(c(NULL, 'long')), i(c('a', 'long')), 'no', 'no', 'no'),
('named to unnamed', i(c('a', 'long'), c('b', 'long')), i(c(NULL, 'long'), c(NULL, 'long')), 'no', 'no', 'no'),
-- Tensors: elements are never converted; -1 takes every length, and what may have every length is not always 28.
('tensor, the same', i(tensor(NULL, 'float32', '[-1, 28, 28]')), i(tensor(NULL, 'float32', '[-1, 28, 28]')), 'yes', 'yes', 'yes'),
('tensor, wider elements', i(tensor('a', 'float32', '[-1]')), i(tensor('a', 'float64', '[-1]')), 'no', 'no', 'no'),
('tensor, a fixed dimension opened', i(tensor('a', 'float32', '[-1, 28]')), i(tensor('a', 'float32', '[-1, -1]')), 'yes', 'no', 'no'),
('tensor, a dimension fixed', i(tensor('a', 'float32', '[-1, -1, 3]')), i(tensor('a', 'float32', '[1, -1, 3]')), 'no', 'yes', 'no'),
('tensor, another length', i(tensor('a', 'float32', '[-1, 28]')), i(tensor('a', 'float32', '[-1, 32]')), 'no', 'no', 'no'),
('tensor, one dimension more', i(tensor('a', 'float32', '[-1, 28]')), i(tensor('a', 'float32', '[-1, 28, 1]')), 'no', 'no', 'no'),
('tensor, a scalar to a vector', i(tensor('a', 'float32', '[]')), i(tensor('a', 'float32', '[-1]')), 'no', 'no', 'no'),
('tensor, a dimension opened and one fixed', i(tensor('a', 'int64', '[2, -1]')), i(tensor('a', 'int64', '[-1, 2]')), 'no', 'no', 'no'),
('tensor, no elements', i(tensor('a', 'int64', '[0]')), i(tensor('a', 'int64', '[0.0]')), 'yes', 'yes', 'yes'),
('tensor to columns', i(tensor(NULL, 'float64', '[-1, 2]')), i(c(NULL, 'double'), c(NULL, 'double')), 'no', 'no', 'no'),
('named tensor added', i(tensor('a', 'int64', '[-1]')), i(tensor('a', 'int64', '[-1]'), tensor('b', 'int64', '[-1]')), 'no', 'yes', 'no'),
-- Arrays and maps by what is in them, however deep.
('array, wider elements', i(part('a', 'array', 'items', '{"type": "integer"}')), i(part('a', 'array', 'items', '{"type": "long"}')), 'yes', 'no', 'no'),
('array of arrays, other elements', i(part('a', 'array', 'items', '{"type": "array", "items": {"type": "string"}}')),
	i(part('a', 'array', 'items', '{"type": "array", "items": {"type": "binary"}}')), 'no', 'no', 'no'),
('one value to an array of them', i(c('a', 'string')), i(part('a', 'array', 'items', '{"type": "string"}')), 'no', 'no', 'no'),
('map, narrower values', i(part('a', 'map', 'values', '{"type": "double"}')), i(part('a', 'map', 'values', '{"type": "float"}')), 'no', 'yes', 'no'),
('map of any', i(part('a', 'map', 'values', '{"type": "any"}')), i(part('a', 'map', 'values', '{"type": "string"}')), 'no', 'yes', 'no'),
('object to map', i(part('a', 'object', 'properties', '{"x": {"type": "long"}}')), i(part('a', 'map', 'values', '{"type": "long"}')), 'no', 'no', 'no'),
-- A model refuses an object with a property that it does not know: new callers may send it to the old model.
('optional property added', i(part('a', 'object', 'properties', '{"x": {"type": "long"}}')),
	i(part('a', 'object', 'properties', '{"x": {"type": "long"}, "y": {"type": "long", "required": false}}')), 'yes', 'no', 'no'),
('required property added', i(part('a', 'object', 'properties', '{"x": {"type": "long"}}')),
	i(part('a', 'object', 'properties', '{"x": {"type": "long"}, "y": {"type": "long"}}')), 'no', 'no', 'no'),
('optional property dropped', i(part('a', 'object', 'properties', '{"x": {"type": "long"}, "y": {"type": "long", "required": false}}')),
	i(part('a', 'object', 'properties', '{"x": {"type": "long"}}')), 'no', 'yes', 'no'),
('property becomes optional', i(part('a', 'object', 'properties', '{"x": {"type": "long"}}')),
	i(part('a', 'object', 'properties', '{"x": {"type": "long", "required": false}}')), 'yes', 'no', 'no'),
('property of a map of arrays of objects widened', i(part('a', 'map', 'values', '{"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}}}')),
	i(part('a', 'map', 'values', '{"type": "array", "items": {"type": "object", "properties": {"x": {"type": "double"}}}}')), 'yes', 'no', 'no');

-- OUTPUTS: the model writes, the caller reads.
INSERT INTO pair (what, old, new, backward, forward, "full") VALUES
('output the same', o(c('score', 'double')), o(c('score', 'double')), 'yes', 'yes', 'yes'),
-- Old callers leave it alone; new callers do not get it from the old model.
('output added', o(c('score', 'double')), o(c('score', 'double'), c('reason', 'string')), 'yes', 'no', 'no'),
('optional output added', o(c('score', 'double')), o(c('score', 'double'), c('reason', 'string', false)), 'yes', 'yes', 'yes'),
('output dropped', o(c('score', 'double'), c('reason', 'string')), o(c('score', 'double')), 'no', 'yes', 'no'),
('optional output dropped', o(c('score', 'double'), c('reason', 'string', false)), o(c('score', 'double')), 'yes', 'yes', 'yes'),
('output becomes optional', o(c('score', 'double')), o(c('score', 'double', false)), 'no', 'yes', 'no'),
('output becomes required', o(c('score', 'double', false)), o(c('score', 'double')), 'yes', 'no', 'no'),
('output renamed', o(c('score', 'double')), o(c('p', 'double')), 'no', 'no', 'no'),
-- The other way round than inputs: what is written may become narrower.
('output widened', o(c('n', 'integer')), o(c('n', 'long')), 'no', 'yes', 'no'),
('output narrowed', o(c('score', 'double')), o(c('score', 'float')), 'yes', 'no', 'no'),
('output double to integer', o(c('score', 'double')), o(c('score', 'integer')), 'yes', 'no', 'no'),
('output to any', o(c('score', 'double')), o(c('score', 'any')), 'no', 'yes', 'no'),
('output of another type', o(c('label', 'long')), o(c('label', 'string')), 'no', 'no', 'no'),
('outputs reordered', o(c('a', 'long'), c('b', 'string')), o(c('b', 'string'), c('a', 'long')), 'yes', 'yes', 'yes'),
-- One value each is another thing than two: without names there is nothing to leave alone by.
('unnamed output, one more', o(c(NULL, 'double')), o(c(NULL, 'double'), c(NULL, 'double')), 'no', 'no', 'no'),
('unnamed output gets a name', o(c(NULL, 'double')), o(c('score', 'double')), 'no', 'no', 'no'),
('output tensor, a dimension fixed', o(tensor(NULL, 'float32', '[-1, -1]')), o(tensor(NULL, 'float32', '[-1, 10]')), 'yes', 'no', 'no'),
('output tensor, a dimension opened', o(tensor(NULL, 'float32', '[-1, 10]')), o(tensor(NULL, 'float32', '[-1, -1]')), 'no', 'yes', 'no'),
-- Callers leave properties alone that they do not know.
('output property added', o(part('a', 'object', 'properties', '{"x": {"type": "long"}}')),
	o(part('a', 'object', 'properties', '{"x": {"type": "long"}, "y": {"type": "long"}}')), 'yes', 'no', 'no'),
('output property dropped', o(part('a', 'object', 'properties', '{"x": {"type": "long"}, "y": {"type": "long"}}')),
	o(part('a', 'object', 'properties', '{"x": {"type": "long"}}')), 'no', 'yes', 'no'),
('output array, narrower elements', o(part('a', 'array', 'items', '{"type": "long"}')), o(part('a', 'array', 'items', '{"type": "integer"}')), 'yes', 'no', 'no'),
-- Inputs and outputs pull in opposite directions.
('both widened', i(c('a', 'integer')) || o(c('s', 'float')), i(c('a', 'long')) || o(c('s', 'double')), 'no', 'no', 'no'),
('input widened, output narrowed', i(c('a', 'integer')) || o(c('s', 'double')), i(c('a', 'long')) || o(c('s', 'float')), 'yes', 'no', 'no');

-- PARAMS: the caller writes, the model reads; what has a default may be left out.
INSERT INTO pair (what, old, new, backward, forward, "full") VALUES
('param with a default added', p(param('k', 'long', '1')), p(param('k', 'long', '1'), param('t', 'double', '0.5')), 'yes', 'yes', 'yes'),
('first param, with a default', i(c('x', 'double')), p(param('k', 'long', '1')), 'yes', 'yes', 'yes'),
('param without a default added', i(c('x', 'double')), p(param('k', 'long')), 'no', 'yes', 'no'),
('param with a default dropped', p(param('k', 'long', '1')), i(c('x', 'double')), 'yes', 'yes', 'yes'),
('param without a default dropped', p(param('k', 'long')), i(c('x', 'double')), 'yes', 'no', 'no'),
('default gone', p(param('k', 'long', '1')), p(param('k', 'long')), 'no', 'yes', 'no'),
('default given', p(param('k', 'long')), p(param('k', 'long', '1')), 'yes', 'no', 'no'),
-- Callers go on working; that they get other answers is what a new version is for.
('another default', p(param('k', 'long', '1')), p(param('k', 'long', '2')), 'yes', 'yes', 'yes'),
('param widened', p(param('k', 'integer', '1')), p(param('k', 'long', '1')), 'yes', 'no', 'no'),
('param of another type', p(param('k', 'long', '1')), p(param('k', 'string', '"1"')), 'no', 'no', 'no'),
('param becomes a list', p(param('k', 'long', '1')), p(param('k', 'long', '[1]', '[-1]')), 'no', 'no', 'no'),
('list of a param fixed', p(param('k', 'long', '[1, 2]', '[-1]')), p(param('k', 'long', '[1, 2]', '[2]')), 'no', 'yes', 'no'),
-- Properties of a param are those of an object, required or not, whatever default the param has.
('property of a param becomes required', p(part('k', 'object', 'properties', '{"x": {"type": "long", "required": false}}', NULL)),
	p(part('k', 'object', 'properties', '{"x": {"type": "long"}}', NULL)), 'no', 'yes', 'no'),
('params reordered', p(param('a', 'long', '1'), param('b', 'long', '1')), p(param('b', 'long', '1'), param('a', 'long', '1')), 'yes', 'yes', 'yes');

-- What is not said: it reads everything, and promises nothing.
INSERT INTO pair (what, old, new, backward, forward, "full") VALUES
('no signature at all', NULL, NULL, 'yes', 'yes', 'yes'),
-- Nobody knows what callers send that were written for no signature.
('signature comes', NULL, i(c('a', 'long')) || o(c('s', 'double')), 'no', 'no', 'no'),
('signature goes', i(c('a', 'long')) || o(c('s', 'double')), NULL, 'no', 'no', 'no'),
('inputs come', o(c('s', 'double')), i(c('a', 'long')) || o(c('s', 'double')), 'no', 'yes', 'no'),
('inputs go', i(c('a', 'long')) || o(c('s', 'double')), o(c('s', 'double')), 'yes', 'no', 'no'),
('outputs come', i(c('a', 'long')), i(c('a', 'long')) || o(c('s', 'double')), 'yes', 'no', 'no'),
('outputs go', i(c('a', 'long')) || o(c('s', 'double')), i(c('a', 'long')), 'no', 'yes', 'no'),
('only params come', NULL, '{"params": [{"name": "k", "type": "long", "default": 1}]}', 'yes', 'yes', 'yes'),
-- MLflow's strings are the same signature; members that nobody knows are not compared.
('as MLflow writes it', i(c('a', 'long', false)), '{"inputs": "[{\"name\": \"a\", \"type\": \"long\", \"optional\": true, \"unit\": \"m\"}]"}', 'yes', 'yes', 'yes');

CREATE TEMP VIEW verdict AS
	SELECT p.*, m.mode, m.expected, (SELECT count(*) FROM modelreg.signature_compatibility(p.old, p.new, m.mode)) AS mistakes
	FROM pair p, LATERAL (VALUES ('BACKWARD', p.backward), ('FORWARD', p.forward), ('FULL', p."full")) m(mode, expected);
SELECT count(*) AS verdicts, count(*) FILTER (WHERE expected = 'yes') AS compatible, count(DISTINCT id) AS pairs FROM verdict;
SELECT what, mode, expected, mistakes AS but_there_are FROM verdict WHERE (expected = 'yes') <> (mistakes = 0) ORDER BY id, mode;
-- The table says of itself that FULL is both, and that the pair turned round is the other direction.
SELECT what FROM pair WHERE ("full" = 'yes') <> (backward = 'yes' AND forward = 'yes');
SELECT p.what FROM pair p
WHERE (SELECT array_agg((s.side, s.item) ORDER BY s.side, s.item) FROM modelreg.signature_compatibility(old, new, 'BACKWARD') s)
	IS DISTINCT FROM (SELECT array_agg((s.side, s.item) ORDER BY s.side, s.item) FROM modelreg.signature_compatibility(new, old, 'FORWARD') s);
-- Of any two of them the same holds, and each is compatible with itself.
CREATE TEMP TABLE document AS SELECT DISTINCT d FROM (SELECT old FROM pair UNION SELECT new FROM pair) x(d);
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE (SELECT count(*) FROM modelreg.signature_compatibility(a.d, b.d, 'BACKWARD')) <> (SELECT count(*) FROM modelreg.signature_compatibility(b.d, a.d, 'FORWARD'))) AS not_mirrored,
	count(*) FILTER (WHERE a.d IS NOT DISTINCT FROM b.d AND EXISTS (SELECT FROM modelreg.signature_compatibility(a.d, b.d, 'FULL'))) AS not_itself
FROM document a, document b;
-- Why.
SELECT p.what, s.side, s.item, s.detail FROM pair p, LATERAL modelreg.signature_compatibility(p.old, p.new, 'FULL') s ORDER BY p.id, s.detail, s.item;

-- Arguments
CREATE FUNCTION pg_temp.fails(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; reason text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, reason = CONSTRAINT_NAME, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, reason, message, hint);
END $$;
SELECT s AS mode, pg_temp.fails(format('SELECT * FROM modelreg.signature_compatibility(NULL, NULL, %L)', s))
FROM unnest('{NULL, "", backward, FULL_TRANSITIVE, "FULL "}'::text[]) s;
SELECT pg_temp.fails($$SELECT * FROM modelreg.signature_compatibility('{"inputs": [{"type": "int64"}]}', NULL, 'FULL')$$);
SELECT pg_temp.fails($$SELECT * FROM modelreg.signature_compatibility(NULL, '[]', 'FULL')$$);
-- Wide ones, and hostile names
SELECT count(*), min(item), max(item) FROM
	(SELECT jsonb_build_object('inputs', jsonb_agg(c('c' || n, 'long'))) AS old, jsonb_build_object('inputs', jsonb_agg(c('c' || n, 'integer') ORDER BY -n)) AS new
	FROM generate_series(1, 20000) n) v, LATERAL modelreg.signature_compatibility(old, new, 'FULL') s;
SELECT length(s.item), s.detail FROM modelreg.signature_compatibility(i(c(repeat('é', 500000), 'long')), i(c('%s"', 'long')), 'FULL') s ORDER BY 2, 1;
SELECT length(s.detail) FROM modelreg.signature_compatibility(i(tensor('a', repeat('x', 1000000), '[1]')), i(tensor('a', '%n', '[1]')), 'BACKWARD') s;
DROP SCHEMA regress_compat CASCADE;
