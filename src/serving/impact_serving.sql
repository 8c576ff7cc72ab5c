-- serving: where a node has its effect now, and where it had

CREATE FUNCTION modelreg.impact_serving(node text, current_only boolean DEFAULT false)
	RETURNS TABLE (endpoint text, endpoint_id bigint, model text, model_id bigint, version integer, address text, depth integer, by_supersession boolean,
		stage text, role text, share integer, served_since timestamptz, served_until timestamptz)
	AS 'MODULE_PATHNAME', 'modelreg_impact_serving' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION modelreg.impact_serving(text, boolean) IS 'Where the versions that a node went into, or that it is, serve or served: a row per endpoint and version, with its role there (serving, shadow, or past), its share of the traffic now in millionths, since when it first had a part, and until when it last had one; null while it has. depth and by_supersession are those of impact(). current_only: those that have a part now. Teams that the caller may not read are left out.';
REVOKE ALL ON FUNCTION modelreg.impact_serving(text, boolean) FROM PUBLIC;
-- It shows what the caller may read.
GRANT EXECUTE ON FUNCTION modelreg.impact_serving(text, boolean) TO PUBLIC;
