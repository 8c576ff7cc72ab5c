-- registry: what is said of versions, and finding them. Each function authorizes its caller, so EXECUTE is everybody's.

CREATE FUNCTION modelreg.normalize_signature(signature jsonb) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'modelreg_normalize_signature' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.normalize_signature(jsonb) IS 'The normal form of a signature, as register_version() stores it, from the documented schema or from what MLflow writes; an error lists all that is wrong with it.';
REVOKE ALL ON FUNCTION modelreg.normalize_signature(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.normalize_signature(jsonb) TO PUBLIC;
