-- registry: what everybody is told of the models of discoverable teams

CREATE FUNCTION modelreg.discoverable_models() RETURNS TABLE (team text, name text, model text, description text, maintainers jsonb)
	AS 'MODULE_PATHNAME', 'modelreg_discoverable_models' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 100;
COMMENT ON FUNCTION modelreg.discoverable_models() IS 'The rows of the view catalog.';
REVOKE ALL ON FUNCTION modelreg.discoverable_models() FROM PUBLIC;
-- Maintainers decided that everybody sees these rows.
GRANT EXECUTE ON FUNCTION modelreg.discoverable_models() TO PUBLIC;

CREATE VIEW modelreg.catalog WITH (security_invoker, security_barrier) AS
	SELECT c.team, c.name, c.model, c.description, c.maintainers FROM modelreg.discoverable_models() c;
COMMENT ON VIEW modelreg.catalog IS 'One row per live model of each discoverable team, for everybody; what is in it only its readers see.';
COMMENT ON COLUMN modelreg.catalog.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.catalog.name IS 'Name of the model in its team.';
COMMENT ON COLUMN modelreg.catalog.model IS 'Name of the model with its team.';
COMMENT ON COLUMN modelreg.catalog.description IS 'What it is for; null for nothing said, and when that was redacted.';
COMMENT ON COLUMN modelreg.catalog.maintainers IS 'Whom to ask: the roles that maintain the team, an array.';
GRANT SELECT ON modelreg.catalog TO PUBLIC;
