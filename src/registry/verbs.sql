-- registry: what is said of versions, and finding them. Each function authorizes its caller, so EXECUTE is everybody's.

CREATE FUNCTION modelreg.normalize_signature(signature jsonb) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'modelreg_normalize_signature' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.normalize_signature(jsonb) IS 'The normal form of a signature, as register_version() stores it, from the documented schema or from what MLflow writes; an error lists all that is wrong with it.';
REVOKE ALL ON FUNCTION modelreg.normalize_signature(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.normalize_signature(jsonb) TO PUBLIC;

CREATE FUNCTION modelreg.signature_compatibility(old_signature jsonb, new_signature jsonb, mode text) RETURNS TABLE (side text, item text, detail text)
	AS 'MODULE_PATHNAME', 'modelreg_signature_compatibility' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION modelreg.signature_compatibility(jsonb, jsonb, text) IS 'What of two signatures is not compatible; no rows: they are. mode BACKWARD: callers written for the old one go on working with a model of the new one; FORWARD: those written for the new one work with a model of the old; FULL: both. side is inputs, outputs or params, item a column or a part of it, NULL for all of them. NULL stands for a signature that is missing.';
REVOKE ALL ON FUNCTION modelreg.signature_compatibility(jsonb, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.signature_compatibility(jsonb, jsonb, text) TO PUBLIC;

CREATE FUNCTION modelreg.schema_compatibility(old_schema jsonb, new_schema jsonb, mode text) RETURNS TABLE (item text, detail text)
	AS 'MODULE_PATHNAME', 'modelreg_schema_compatibility' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION modelreg.schema_compatibility(jsonb, jsonb, text) IS 'What of two schemas of data is not compatible; no rows: they are. mode BACKWARD: who reads data of the new one can read data of the old; FORWARD: who reads data of the old one can read data of the new; FULL: both. item is a column or a part of it, NULL for all of them. NULL stands for a schema that is missing.';
REVOKE ALL ON FUNCTION modelreg.schema_compatibility(jsonb, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.schema_compatibility(jsonb, jsonb, text) TO PUBLIC;

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

CREATE FUNCTION modelreg.set_model_card(model text, version integer, card jsonb, request_id text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'modelreg_set_model_card' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.set_model_card(text, integer, jsonb, text) IS 'Gives a version a model card, an object of texts by the names of sections, in place of the one that it had; null takes it away. Needs contributor; false when that was the card already.';
REVOKE ALL ON FUNCTION modelreg.set_model_card(text, integer, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.set_model_card(text, integer, jsonb, text) TO PUBLIC;

CREATE FUNCTION modelreg.set_alias(model text, alias text, version integer, expected integer DEFAULT NULL, reason text DEFAULT NULL,
		request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_set_alias' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.set_alias(text, text, integer, integer, text, text) IS 'Points an alias at a version, whatever it pointed at before; expected compares first (0 for an alias that does not exist). Needs contributor; returns the decision''s number, null when it points there already.';
REVOKE ALL ON FUNCTION modelreg.set_alias(text, text, integer, integer, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.set_alias(text, text, integer, integer, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.remove_alias(model text, alias text, expected integer DEFAULT NULL, reason text DEFAULT NULL,
		request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_remove_alias' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.remove_alias(text, text, integer, text, text) IS 'Removes an alias; expected compares first (0 for an alias that does not exist). Needs contributor; returns the decision''s number, null when there is no such alias.';
REVOKE ALL ON FUNCTION modelreg.remove_alias(text, text, integer, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.remove_alias(text, text, integer, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.get_version(INOUT model text, INOUT version integer, OUT uri text, OUT permanent_id text, OUT model_id bigint,
		OUT stage text, OUT registered_at timestamptz, OUT stage_since timestamptz, OUT current boolean, OUT aliases jsonb, OUT tags jsonb,
		OUT occurred_at timestamptz, OUT role text, OUT run text, OUT description text, OUT signature jsonb, OUT params jsonb)
	AS 'MODULE_PATHNAME', 'modelreg_get_version' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION modelreg.get_version(text, integer) IS 'All that is known of a version: one row like one of the view versions, an error when there is none. run is null when its team is not yours to read; a redacted text is null.';
REVOKE ALL ON FUNCTION modelreg.get_version(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.get_version(text, integer) TO PUBLIC;

CREATE TYPE modelreg.found_version AS (model text, version integer, uri text, permanent_id text, model_id bigint, stage text,
	registered_at timestamptz);
COMMENT ON TYPE modelreg.found_version IS 'A version as get_by_alias() and resolve() find it.';
COMMENT ON COLUMN modelreg.found_version.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.found_version.version IS 'Number of the version.';
COMMENT ON COLUMN modelreg.found_version.uri IS 'Its address, by present names; null when the model was retired.';
COMMENT ON COLUMN modelreg.found_version.permanent_id IS 'Its permanent id, whatever the names become.';
COMMENT ON COLUMN modelreg.found_version.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.found_version.stage IS 'Its stage, at the time that was asked about.';
COMMENT ON COLUMN modelreg.found_version.registered_at IS 'When it was registered.';

CREATE FUNCTION modelreg.get_by_alias(model text, alias text) RETURNS modelreg.found_version
	AS 'MODULE_PATHNAME', 'modelreg_get_by_alias' LANGUAGE C STABLE PARALLEL RESTRICTED COST 30;
COMMENT ON FUNCTION modelreg.get_by_alias(text, text) IS 'The version that an alias of a model points at; an error when there is none.';
REVOKE ALL ON FUNCTION modelreg.get_by_alias(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.get_by_alias(text, text) TO PUBLIC;

CREATE FUNCTION modelreg.resolve(uri text, at timestamptz DEFAULT NULL) RETURNS modelreg.found_version
	AS 'MODULE_PATHNAME', 'modelreg_resolve' LANGUAGE C STABLE PARALLEL RESTRICTED COST 30;
COMMENT ON FUNCTION modelreg.resolve(text, timestamptz) IS
	'The version that an address stands for: models:/team.model/14, /latest, /Production (the current one) or another stage (the newest in it), @alias, or a permanent id. With at, what it stood for then, by the names, aliases and stages of that time. An error when there is none.';
REVOKE ALL ON FUNCTION modelreg.resolve(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.resolve(text, timestamptz) TO PUBLIC;
