-- Whether who reads data of one schema can read data of another. The verdicts are written by hand, by docs/compatibility.md:
-- BACKWARD: who reads the new data reads the old; FORWARD: who reads the old data reads the new; FULL: both.
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned
\pset null -
SET search_path = pg_catalog;

CREATE TEMP TABLE pair (id integer GENERATED ALWAYS AS IDENTITY, what text, old jsonb, new jsonb, backward text, forward text, "full" text);
INSERT INTO pair (what, old, new, backward, forward, "full") VALUES
('the same', '{"a": "integer"}', '{"a": "integer"}', 'yes', 'yes', 'yes'),
('reordered', '[{"name": "a", "type": "long"}, {"name": "b", "type": "text"}]', '[{"name": "b", "type": "text"}, {"name": "a", "type": "long"}]', 'yes', 'yes', 'yes'),
-- The incident: who reads user_age as a number cannot read it as text.
('type changed', '{"user_age": "integer"}', '{"user_age": "text"}', 'no', 'no', 'no'),
('column gone', '{"a": "long", "b": "long"}', '{"a": "long"}', 'yes', 'no', 'no'),
('column added', '{"a": "long"}', '{"a": "long", "b": "long"}', 'no', 'yes', 'no'),
('column renamed', '{"a": "long"}', '{"b": "long"}', 'no', 'no', 'no'),
-- Who reads it does without.
('column gone that was not required', '[{"name": "a", "type": "long"}, {"name": "b", "type": "long", "required": false}]', '[{"name": "a", "type": "long"}]', 'yes', 'yes', 'yes'),
('column added with a default', '[{"name": "a", "type": "long"}]', '[{"name": "a", "type": "long"}, {"name": "b", "type": "long", "default": 0}]', 'yes', 'yes', 'yes'),
-- null in its values is not that it may be missing.
('column gone that had nulls', '[{"name": "a", "type": "long"}, {"name": "b", "type": "long", "nullable": true}]', '[{"name": "a", "type": "long"}]', 'yes', 'no', 'no'),
('nullable comes', '[{"name": "a", "type": "long", "nullable": false}]', '[{"name": "a", "type": "long", "nullable": true}]', 'yes', 'no', 'no'),
('not null goes, as a table has it', '[{"name": "a", "type": "bigint", "not_null": true}]', '[{"name": "a", "type": "bigint"}]', 'yes', 'no', 'no'),
('null joins, as Avro has it', '{"fields": [{"name": "a", "type": "int"}]}', '{"fields": [{"name": "a", "type": ["null", "int"]}]}', 'yes', 'no', 'no'),
('null leaves a union', '{"fields": [{"name": "a", "type": ["long", "null"]}]}', '{"fields": [{"name": "a", "type": "int"}]}', 'no', 'yes', 'no'),
-- That a column is required goes without saying.
('required is said', '[{"name": "a", "type": "long"}]', '[{"name": "a", "type": "long", "required": true}]', 'yes', 'yes', 'yes'),
('required no more', '[{"name": "a", "type": "long", "required": true}]', '[{"name": "a", "type": "long", "required": false}]', 'yes', 'no', 'no'),
-- Widths, by the names that several worlds give them.
('widened', '{"a": "integer"}', '{"a": "bigint"}', 'yes', 'no', 'no'),
('widened to a double', '{"a": "int32"}', '{"a": "float64"}', 'yes', 'no', 'no'),
('a long is no double', '{"a": "int64"}', '{"a": "float64"}', 'no', 'no', 'no'),
('float to double', '{"a": "real"}', '{"a": "double precision"}', 'yes', 'no', 'no'),
('16 bits fit a float, 32 do not', '{"a": "smallint", "b": "int"}', '{"a": "float", "b": "float"}', 'no', 'no', 'no'),
('unsigned needs one bit more', '{"a": "uint32"}', '{"a": "int64"}', 'yes', 'no', 'no'),
('unsigned to signed of one width', '{"a": "uint32"}', '{"a": "int32"}', 'no', 'no', 'no'),
('the same by another name', '{"a": "bigint", "b": "text", "c": "bool", "d": "INT32"}', '{"a": "long", "b": "string", "c": "boolean", "d": "integer"}', 'yes', 'yes', 'yes'),
-- 8 bits or 8 bytes
('nobody knows which', '{"a": "int8"}', '{"a": "bigint"}', 'no', 'no', 'no'),
('text to bytes', '{"a": "text"}', '{"a": "bytes"}', 'no', 'no', 'no'),
('unknown types that differ', '{"a": "numeric(10,2)"}', '{"a": "numeric(12,2)"}', 'no', 'no', 'no'),
('unknown types that are the same', '{"a": "geometry"}', '{"a": "geometry"}', 'yes', 'yes', 'yes'),
-- Who knows no type promises none, and takes any.
('types come', '["a", "b"]', '{"a": "long", "b": "text"}', 'no', 'yes', 'no'),
('only names', '["a", "b"]', '["b", "a"]', 'yes', 'yes', 'yes'),
('a type that is null', '{"a": null}', '{"a": "long"}', 'no', 'yes', 'no'),
-- Other forms of the same
('form changes', '{"a": "long"}', '{"fields": [{"name": "a", "type": "long"}]}', 'yes', 'yes', 'yes'),
('a type in an object', '{"a": "long"}', '{"a": {"type": {"type": "long"}}}', 'yes', 'yes', 'yes'),
-- What is said for people is left alone; what changes the values is not.
('comment', '[{"name": "a", "type": "long", "comment": "x"}]', '[{"name": "a", "type": "long", "metadata": {"y": 1}}]', 'yes', 'yes', 'yes'),
('unit', '[{"name": "a", "type": "timestamp", "unit": "ms"}]', '[{"name": "a", "type": "timestamp", "unit": "us"}]', 'no', 'no', 'no'),
('precision comes', '{"a": {"type": "decimal"}}', '{"a": {"type": "decimal", "precision": 10}}', 'no', 'no', 'no'),
('logical type', '{"fields": [{"name": "d", "type": "int"}]}', '{"fields": [{"name": "d", "type": {"type": "int", "logicalType": "date"}}]}', 'no', 'no', 'no'),
('symbols', '{"fields": [{"name": "e", "type": {"type": "enum", "symbols": ["a"]}}]}', '{"fields": [{"name": "e", "type": {"type": "enum", "symbols": ["a", "b"]}}]}', 'no', 'no', 'no'),
-- Nested, as Spark, Avro and MLflow write it
('Spark, a struct loses a field', '{"type": "struct", "fields": [{"name": "u", "type": {"type": "struct", "fields": [{"name": "x", "type": "long", "nullable": true}, {"name": "y", "type": "long", "nullable": true}]}, "nullable": true}]}',
	'{"type": "struct", "fields": [{"name": "u", "type": {"type": "struct", "fields": [{"name": "x", "type": "long", "nullable": true}]}, "nullable": true}]}', 'yes', 'no', 'no'),
('Spark, elements widened', '{"fields": [{"name": "t", "type": {"type": "array", "elementType": "integer"}}]}', '{"fields": [{"name": "t", "type": {"type": "array", "elementType": "long"}}]}', 'yes', 'no', 'no'),
('Avro, values of a map get nulls', '{"fields": [{"name": "t", "type": {"type": "map", "values": "long"}}]}', '{"fields": [{"name": "t", "type": {"type": "map", "values": ["null", "long"]}}]}', 'yes', 'no', 'no'),
('MLflow, a property changes', '{"mlflow_colspec": [{"name": "o", "type": "object", "properties": {"x": {"type": "long"}}}]}', '{"mlflow_colspec": [{"name": "o", "type": "object", "properties": {"x": {"type": "string"}}}]}', 'no', 'no', 'no'),
('MLflow, items no longer said', '[{"name": "a", "type": "array", "items": {"type": "long"}}]', '[{"name": "a", "type": "array"}]', 'yes', 'no', 'no'),
('a tensor', '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]', '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}]', 'no', 'no', 'no'),
('union of three', '{"fields": [{"name": "a", "type": ["null", "int", "string"]}]}', '{"fields": [{"name": "a", "type": ["null", "int"]}]}', 'no', 'no', 'no'),
-- Without names by position, twice the same name in order
('unnamed, one less', '[{"type": "long"}, {"type": "text"}]', '[{"type": "long"}]', 'yes', 'no', 'no'),
('unnamed, swapped', '[{"type": "long"}, {"type": "text"}]', '[{"type": "text"}, {"type": "long"}]', 'no', 'no', 'no'),
('two of one name', '[{"name": "x", "type": "long"}, {"name": "y"}, {"name": "x", "type": "text"}]', '[{"name": "x", "type": "long"}, {"name": "x", "type": "text"}, {"name": "y"}]', 'yes', 'yes', 'yes'),
('one of two of one name', '[{"name": "x", "type": "long"}, {"name": "x", "type": "text"}]', '[{"name": "x", "type": "long"}]', 'yes', 'no', 'no'),
-- No columns, no schema
('no columns, the same', '[1, {"a": 2}]', '[1.0, {"a": 2.00}]', 'yes', 'yes', 'yes'),
('no columns, another', '"parquet"', '"csv"', 'no', 'no', 'no'),
('columns go', '{"a": "long"}', '7', 'no', 'no', 'no'),
('an object without type is only itself', '{"a": {"min": 1}}', '{"a": {"min": 2}}', 'no', 'no', 'no'),
('no columns at all', '{}', '[]', 'yes', 'yes', 'yes'),
('schema comes', NULL, '{"a": "long"}', 'no', 'yes', 'no'),
('schema goes', '{"a": "long"}', NULL, 'yes', 'no', 'no'),
('no schema', NULL, NULL, 'yes', 'yes', 'yes');

CREATE TEMP VIEW verdict AS
	SELECT p.*, m.mode, m.expected, (SELECT count(*) FROM modelreg.schema_compatibility(p.old, p.new, m.mode)) AS mistakes
	FROM pair p, LATERAL (VALUES ('BACKWARD', p.backward), ('FORWARD', p.forward), ('FULL', p."full")) m(mode, expected);
SELECT count(*) AS verdicts, count(*) FILTER (WHERE expected = 'yes') AS compatible, count(DISTINCT id) AS pairs FROM verdict;
SELECT what, mode, expected, mistakes AS but_there_are FROM verdict WHERE (expected = 'yes') <> (mistakes = 0) ORDER BY id, mode;
SELECT what FROM pair WHERE ("full" = 'yes') <> (backward = 'yes' AND forward = 'yes');
SELECT p.what FROM pair p
WHERE (SELECT array_agg(s.item ORDER BY s.item) FROM modelreg.schema_compatibility(old, new, 'BACKWARD') s)
	IS DISTINCT FROM (SELECT array_agg(s.item ORDER BY s.item) FROM modelreg.schema_compatibility(new, old, 'FORWARD') s);
-- Of any two of them the same holds, and each is compatible with itself.
CREATE TEMP TABLE document AS SELECT DISTINCT d FROM (SELECT old FROM pair UNION SELECT new FROM pair) x(d);
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE (SELECT count(*) FROM modelreg.schema_compatibility(a.d, b.d, 'BACKWARD')) <> (SELECT count(*) FROM modelreg.schema_compatibility(b.d, a.d, 'FORWARD'))) AS not_mirrored,
	count(*) FILTER (WHERE a.d IS NOT DISTINCT FROM b.d AND EXISTS (SELECT FROM modelreg.schema_compatibility(a.d, b.d, 'FULL'))) AS not_itself
FROM document a, document b;
-- Why.
SELECT p.what, s.item, s.detail FROM pair p, LATERAL modelreg.schema_compatibility(p.old, p.new, 'FULL') s ORDER BY p.id, s.detail, s.item;

-- Hostile JSON: deep, wide, and what should be columns or types and is neither
SELECT count(*), min(length(item)), min(detail) FROM modelreg.schema_compatibility(
	('{"a": ' || repeat('{"type": "array", "items": ', 1000) || '"long"' || repeat('}', 1000) || '}')::jsonb,
	('{"a": ' || repeat('{"type": "array", "items": ', 1000) || '"text"' || repeat('}', 1000) || '}')::jsonb, 'FORWARD');
-- A type within a type, level for level: 32 are looked into, of more it matters only whether they are the same.
CREATE FUNCTION pg_temp.typed(levels integer, type text, beside text DEFAULT '1') RETURNS jsonb LANGUAGE sql AS $$
	SELECT ('{"a": ' || repeat('{"type": ', levels) || type || repeat(', "note": ' || beside || '}', levels) || '}')::jsonb $$;
SELECT v.levels, v.type, s.item, s.detail FROM (VALUES (32, '"long"'), (32, '"text"'), (33, '"long"'), (33, '"text"'), (2000, '"text"')) v(levels, type)
	LEFT JOIN LATERAL modelreg.schema_compatibility(pg_temp.typed(v.levels, '"int"'), pg_temp.typed(v.levels, v.type, '"x"'), 'BACKWARD') s ON true;
SELECT count(*) FROM (SELECT jsonb_object_agg('c' || n, 'long') AS old, jsonb_object_agg('c' || n, 'int') AS new FROM generate_series(1, 20000) n) v,
	LATERAL modelreg.schema_compatibility(old, new, 'FULL');
SELECT v.old, s.item, s.detail FROM (VALUES ('{"fields": [1]}'::jsonb), ('{"a": {"type": "x", "fields": 1, "items": [[]], "properties": [[1]]}}'), ('[{"name": 7, "type": []}]'), ('{"": {"type": null}}'), ('["", "\u00e9%s\""]')) v(old),
	LATERAL modelreg.schema_compatibility(v.old, '{"a": {"type": "x", "fields": [], "items": {}, "properties": {"p": {"type": true}}}}', 'FULL') s ORDER BY 1, 3, 2;
SELECT length(s.item), length(s.detail) FROM modelreg.schema_compatibility(jsonb_build_object(repeat('é', 500000), repeat('x', 500000)), jsonb_build_object(repeat('é', 500000), repeat('y', 500000)), 'FORWARD') s;
\set VERBOSITY sqlstate
SELECT * FROM modelreg.schema_compatibility('{}', '{}', 'NONE');
SELECT * FROM modelreg.schema_compatibility('{}', '{}', NULL);
