-- registry: models. Each function authorizes its caller, so EXECUTE is everybody's.

CREATE FUNCTION modelreg.create_model(model text, policy text, description text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_create_model' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.create_model(text, text, text, text) IS 'Creates a registered model, named team.name, under a policy. Needs maintainer; returns the model''s permanent id.';
REVOKE ALL ON FUNCTION modelreg.create_model(text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.create_model(text, text, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.rename_model(model text, new_name text, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_rename_model' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.rename_model(text, text, text) IS 'Renames a model within its team; new_name is without the team. Needs maintainer.';
REVOKE ALL ON FUNCTION modelreg.rename_model(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.rename_model(text, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.retire_model(model text, reason text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_retire_model' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.retire_model(text, text, text) IS 'Takes a model out of the live ones and frees its name; history keeps it. Refused while a version is current. Needs maintainer.';
REVOKE ALL ON FUNCTION modelreg.retire_model(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.retire_model(text, text, text) TO PUBLIC;
