-- registry: versions and evaluations. Each function authorizes its caller, so EXECUTE is everybody's.

CREATE FUNCTION modelreg.register_version(model text, run text DEFAULT NULL, artifacts jsonb DEFAULT NULL, signature jsonb DEFAULT NULL,
		params jsonb DEFAULT NULL, metrics jsonb DEFAULT NULL, tags jsonb DEFAULT NULL, description text DEFAULT NULL,
		inputs jsonb DEFAULT NULL, parents text[] DEFAULT NULL, occurred_at timestamptz DEFAULT NULL, request_id text DEFAULT NULL) RETURNS integer
	AS 'MODULE_PATHNAME', 'modelreg_register_version' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.register_version(text, text, jsonb, jsonb, jsonb, jsonb, jsonb, text, jsonb, text[], timestamptz, text) IS
	'Registers an immutable version of a model and returns its number, the next of 1..n. run, inputs (addresses of nodes by role) and parents (role base) become its lineage; metrics an evaluation of kind training; artifacts name sealed uploads, stored digests or external URIs. With a request id a repeated call returns the same number. Needs contributor.';
REVOKE ALL ON FUNCTION modelreg.register_version(text, text, jsonb, jsonb, jsonb, jsonb, jsonb, text, jsonb, text[], timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.register_version(text, text, jsonb, jsonb, jsonb, jsonb, jsonb, text, jsonb, text[], timestamptz, text) TO PUBLIC;

CREATE FUNCTION modelreg.record_evaluation(subject text, kind text, metrics jsonb, dataset text DEFAULT NULL, slice text DEFAULT '',
		passed boolean DEFAULT NULL, properties jsonb DEFAULT NULL, occurred_at timestamptz DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_record_evaluation' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.record_evaluation(text, text, jsonb, text, text, boolean, jsonb, timestamptz, text) IS
	'Appends an evaluation of a node (a version by its models:/ address, a snapshot, ...): metrics by name, on a dataset and slice of it; the latest counts. Returns its id. Needs evaluator in the node''s team.';
REVOKE ALL ON FUNCTION modelreg.record_evaluation(text, text, jsonb, text, text, boolean, jsonb, timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.record_evaluation(text, text, jsonb, text, text, boolean, jsonb, timestamptz, text) TO PUBLIC;
