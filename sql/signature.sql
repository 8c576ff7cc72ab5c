-- The input and output schema of a version: what is accepted, its normal form, and every kind of mistake.
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned
SET search_path = pg_catalog;

CREATE FUNCTION pg_temp.signature_error(signature jsonb, OUT state text, OUT reason text, OUT message text, OUT detail text)
RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	PERFORM modelreg.normalize_signature(signature);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, reason = CONSTRAINT_NAME,
		message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN NEXT;
END $$;

-- the documented form, of every type
SELECT modelreg.canonical_json(modelreg.normalize_signature(s)) FROM (VALUES
	('{"inputs": [{"name": "user_age", "type": "double"}]}'::jsonb),
	('{"inputs": [{"name": "b", "type": "boolean"}, {"name": "i", "type": "integer"}, {"name": "l", "type": "long", "required": false},
		{"name": "f", "type": "float"}, {"name": "s", "type": "string"}, {"name": "y", "type": "binary"}, {"name": "d", "type": "datetime"},
		{"name": "a", "type": "any"}, {"name": "v", "type": "sparkml vector"}], "outputs": [{"type": "double"}]}'),
	('{"inputs": [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 28, 28]}}]}'),
	('{"inputs": [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": []}}], "outputs": null, "params": []}'),
	('{"inputs": [{"name": "tags", "type": "array", "items": {"type": "array", "items": {"type": "string"}}}]}'),
	('{"inputs": [{"name": "user", "type": "object", "properties": {"id": {"type": "long"}, "a b": {"type": "string", "required": false}}}]}'),
	('{"inputs": [{"name": "scores", "type": "map", "values": {"type": "double"}}]}'),
	('{"params": [{"name": "k", "type": "integer", "default": 10}, {"name": "stop", "type": "string", "default": ["a", "b"], "shape": [-1]},
		{"name": "t", "type": "double"}, {"name": "o", "type": "object", "properties": {"x": {"type": "long"}}, "default": {"x": 1}}]}'),
	('{"inputs": [{"name": "\u00e9\"%s''", "type": "string"}]}')
) v(s);

-- what MLflow writes: strings that hold JSON; members it may add some day are kept
SELECT modelreg.canonical_json(modelreg.normalize_signature(s)) FROM (VALUES
	('{"inputs": "[{\"name\": \"age\", \"type\": \"long\", \"required\": true}]", "outputs": "[{\"type\": \"double\", \"required\": true}]", "params": null}'::jsonb),
	('{"inputs": "[{\"type\": \"tensor\", \"tensor-spec\": {\"dtype\": \"float64\", \"shape\": [-1, 4]}}]", "outputs": "null",
		"params": "[{\"name\": \"t\", \"type\": \"float\", \"dtype\": \"float\", \"default\": 0.5, \"shape\": null}, {\"name\": \"n\", \"dtype\": \"long\", \"default\": 1, \"shape\": null}]"}'),
	('{"inputs": "[{\"name\": \"old\", \"type\": \"string\", \"optional\": true}]", "outputs": null, "new_member": {"deep": [1]}}'),
	('{"inputs": "[{\"name\": \"x\", \"type\": \"string\", \"unit\": \"m\"}]"}')
) v(s);

-- a normal form is its own normal form
SELECT modelreg.normalize_signature(n) = n AS stable
FROM modelreg.normalize_signature('{"inputs": [{"name": "a", "type": "map", "values": {"type": "array", "items": {"type": "long"}}}],
	"params": [{"name": "k", "type": "integer"}]}') n;
-- with what is kept of MLflow's too, at every place; what needs no mark has none
SELECT modelreg.canonical_json(n) AS normal, modelreg.normalize_signature(n) = n AS stable FROM (VALUES
	('{"inputs": "[{\"name\": \"x\", \"type\": \"string\", \"unit\": \"m\"}]"}'::jsonb),
	('{"inputs": "[{\"type\": \"long\"}]", "new_member": {"deep": [null]}, "other": null}'),
	('{"inputs": "[{\"type\": \"tensor\", \"tensor-spec\": {\"dtype\": \"float32\", \"shape\": [-1], \"layout\": \"c\"}}]"}'),
	('{"outputs": "[{\"name\": \"o\", \"type\": \"object\", \"properties\": {\"a\": {\"type\": \"long\", \"optional\": true, \"unit\": 1}}}]"}'),
	('{"outputs": "[{\"name\": \"o\", \"type\": \"array\", \"items\": {\"type\": \"long\", \"required\": false, \"optional\": true, \"name\": \"i\"}}]"}'),
	('{"params": "[{\"name\": \"t\", \"type\": \"float\", \"dtype\": \"float\", \"default\": 0.5, \"items\": {\"type\": 7}}]"}'),
	('{"inputs": "[{\"type\": \"long\", \"optional\": true}]", "outputs": "null", "params": "[]"}'),
	('{"inputs": "[{\"type\": \"long\"}]", "mlflow": "no"}'),
	('{"inputs": [{"type": "long"}], "mlflow": true}')) v(s), modelreg.normalize_signature(s) n;
SELECT modelreg.normalize_signature(NULL) IS NULL AS null_stays;

-- mistakes
SELECT e.state, e.reason, e.message, e.detail FROM (VALUES
	('null'::jsonb), ('[]'), ('"inputs"'), ('1'), ('{}'), ('{"inputs": null, "outputs": null, "params": null}'), ('{"params": []}'),
	('{"inputs": []}'), ('{"inputs": {}}'), ('{"inputs": 1}'), ('{"inputs": [1]}'), ('{"inputs": [null]}'), ('{"inputs": [[]]}'), ('{"inputs": [{}]}'),
	('{"input": [{"type": "long"}]}'), ('{"inputs": [{"type": "long"}], "mlflow": false}'), ('{"inputs": [{"type": "long", "mlflow": true, "unit": 1}]}'), ('{"mlflow": true}'),
	('{"inputs": "no json"}'), ('{"inputs": "{}"}'), ('{"inputs": "\"[]\""}'), ('{"inputs": ""}'), ('{"inputs": "[{\"type\": \"\\u0000\"}]"}'),
	('{"inputs": [{"type": "int64"}]}'), ('{"inputs": [{"type": "Double"}]}'), ('{"inputs": [{"type": ["double"]}]}'), ('{"inputs": [{"type": null}]}'),
	('{"inputs": [{"type": "double", "requird": true}]}'), ('{"inputs": [{"type": "double", "required": "yes"}]}'),
	('{"inputs": [{"type": "double", "optional": true}]}'), ('{"inputs": [{"type": "double", "items": {"type": "long"}}]}'),
	('{"inputs": [{"name": "", "type": "long"}]}'), ('{"inputs": [{"name": 7, "type": "long"}]}'),
	('{"inputs": [{"name": "a", "type": "long"}, {"type": "long"}]}'),
	('{"inputs": [{"name": "a", "type": "long"}, {"name": "b", "type": "long"}, {"name": "a", "type": "double"}, {"name": "a", "type": "double"}]}'),
	('{"inputs": [{"type": "tensor"}]}'), ('{"inputs": [{"type": "tensor", "tensor-spec": {}}]}'),
	('{"inputs": [{"type": "tensor", "tensor-spec": {"dtype": 32, "shape": [-2, 1.5, "x", 1e30, null]}}]}'),
	('{"inputs": [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [1], "layout": "c"}}]}'),
	('{"inputs": [{"type": "array"}]}'), ('{"inputs": [{"type": "array", "items": "string"}]}'),
	('{"inputs": [{"type": "array", "items": {"type": "str"}}]}'), ('{"inputs": [{"type": "array", "items": {"type": "long", "name": "x"}}]}'),
	('{"inputs": [{"type": "object", "properties": {}}]}'), ('{"inputs": [{"type": "object", "properties": []}]}'),
	('{"inputs": [{"type": "object", "properties": {"a\"b": 1, "%s": {"type": "x"}}}]}'),
	('{"inputs": [{"type": "map", "values": null}]}'),
	('{"params": [{"type": "long"}]}'), ('{"params": [{"name": "a", "type": "tensor"}]}'),
	('{"params": [{"name": "a", "type": "long", "dtype": "double"}]}'), ('{"params": [{"name": "a", "type": "integer", "default": 3000000000}]}'),
	('{"params": [{"name": "a", "type": "integer", "default": 1.5}, {"name": "b", "type": "boolean", "default": 1}, {"name": "c", "type": "string", "default": 1},
		{"name": "d", "type": "long", "default": 9223372036854775808}, {"name": "e", "type": "double", "default": "NaN"}]}'),
	('{"params": [{"name": "a", "type": "long", "default": 1, "shape": [-1]}, {"name": "b", "type": "long", "default": [1, "2"], "shape": [-1]},
		{"name": "c", "type": "long", "default": [1]}, {"name": "d", "type": "long", "shape": "x"}]}'),
	('{"params": [{"name": "a", "type": "long"}, {"name": "a", "type": "long"}]}')
) v(s), pg_temp.signature_error(v.s) e;

-- many mistakes are all counted, the first ones listed
SELECT e.message, length(e.detail) < 2000 AS short, right(e.detail, 60) AS detail_ends
FROM (SELECT jsonb_build_object('inputs', jsonb_agg(jsonb_build_object('name', 'c' || n, 'type', 'nothing'))) AS s FROM generate_series(1, 1000) n) v,
	pg_temp.signature_error(v.s) e;

-- hostile nesting: 32 levels are enough for anybody, and far more are refused by the same error, in both forms
CREATE FUNCTION pg_temp.nested(levels integer) RETURNS text LANGUAGE sql AS $$
	SELECT '[{"type": "array", "items": ' || repeat('{"type": "array", "items": ', levels - 1) || '{"type": "long"}' || repeat('}', levels) || ']'
$$;
SELECT length(modelreg.normalize_signature(('{"inputs": ' || pg_temp.nested(32) || '}')::jsonb)::text) > 32 * 20 AS accepted;
SELECT e.state, e.reason, length(e.message) < 300 AS short, right(e.detail, 40) AS detail_ends
FROM (VALUES (33), (5000)) n(levels),
	LATERAL (VALUES (('{"inputs": ' || pg_temp.nested(levels) || '}')::jsonb), (jsonb_build_object('inputs', pg_temp.nested(levels)))) v(s),
	pg_temp.signature_error(v.s) e;
SELECT e.state FROM pg_temp.signature_error(jsonb_build_object('inputs', repeat('[', 1000000))) e;

-- a wide one, a name and a type of a megabyte
SELECT jsonb_array_length(modelreg.normalize_signature(jsonb_build_object('inputs', jsonb_agg(jsonb_build_object('name', 'c' || n, 'type', 'long'))))->'inputs')
FROM generate_series(1, 20000) n;
SELECT length(modelreg.normalize_signature(jsonb_build_object('inputs', jsonb_build_array(jsonb_build_object('name', repeat('é', 500000), 'type', 'long'))))->'inputs'->0->>'name');
SELECT e.state, length(e.message), length(e.detail)
FROM pg_temp.signature_error(jsonb_build_object('inputs', jsonb_build_array(jsonb_build_object('type', repeat('é', 500000))))) e;
SELECT e.state, length(e.message), length(e.detail)
FROM pg_temp.signature_error(jsonb_build_object('inputs', jsonb_build_array(jsonb_build_object('type', 'object', 'properties',
	jsonb_build_object(repeat('é"', 300000), jsonb_build_object('type', 'x')))))) e;
