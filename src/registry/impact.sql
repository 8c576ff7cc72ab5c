-- registry: the versions that a node went into

CREATE FUNCTION modelreg.impact(node text, current_only boolean DEFAULT false)
	RETURNS TABLE (depth integer, role text, team text, model text, model_id bigint, version integer, address text, stage text, stage_since timestamptz,
		is_current boolean, by_supersession boolean, node_id bigint)
	AS 'MODULE_PATHNAME', 'modelreg_impact' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 20;
COMMENT ON FUNCTION modelreg.impact(text, boolean) IS 'The versions that a node went into, however far downstream, with their stage and whether they are current in Production now; role is that of the last step, of a shortest path. by_supersession: every shortest way there passes over a node that stands for another which it supersedes; edges alone lead there in more steps, or not at all. Versions of teams that the caller may not read are left out; downstream() shows that there is something.';
REVOKE ALL ON FUNCTION modelreg.impact(text, boolean) FROM PUBLIC;
-- It shows what the caller may read.
GRANT EXECUTE ON FUNCTION modelreg.impact(text, boolean) TO PUBLIC;
