-- registry: what is said of versions, and finding them. Each function authorizes its caller, so EXECUTE is everybody's.

CREATE FUNCTION modelreg.normalize_signature(signature jsonb) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'modelreg_normalize_signature' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.normalize_signature(jsonb) IS 'The normal form of a signature, as register_version() stores it, from the documented schema or from what MLflow writes; an error lists all that is wrong with it.';
REVOKE ALL ON FUNCTION modelreg.normalize_signature(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.normalize_signature(jsonb) TO PUBLIC;

CREATE FUNCTION modelreg.set_tag(model text, key text, value text DEFAULT '', version integer DEFAULT NULL,
		request_id text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'modelreg_set_tag' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.set_tag(text, text, text, integer, text) IS 'Sets a tag of a version, or without a version of the model itself: a key of at most 255 bytes and a value of at most 1000. Needs contributor; false when the tag had that value already.';
REVOKE ALL ON FUNCTION modelreg.set_tag(text, text, text, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.set_tag(text, text, text, integer, text) TO PUBLIC;

CREATE FUNCTION modelreg.remove_tag(model text, key text, version integer DEFAULT NULL, request_id text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'modelreg_remove_tag' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.remove_tag(text, text, integer, text) IS 'Removes a tag of a version, or without a version of the model itself. Needs contributor; false when there was no such tag.';
REVOKE ALL ON FUNCTION modelreg.remove_tag(text, text, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.remove_tag(text, text, integer, text) TO PUBLIC;

CREATE FUNCTION modelreg.set_description(model text, description text, version integer DEFAULT NULL,
		request_id text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'modelreg_set_description' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.set_description(text, text, integer, text) IS 'Describes a version, or without a version the model itself; null takes the description away. Needs contributor, for the model itself maintainer; false when that was the description already.';
REVOKE ALL ON FUNCTION modelreg.set_description(text, text, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.set_description(text, text, integer, text) TO PUBLIC;
