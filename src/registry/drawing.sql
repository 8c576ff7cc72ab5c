-- registry: drawings of the lineage

CREATE FUNCTION modelreg.lineage_dot(node text, upstream_depth integer DEFAULT 2, downstream_depth integer DEFAULT 2,
	max_nodes integer DEFAULT 100) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_lineage_dot' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION modelreg.lineage_dot(text, integer, integer, integer) IS 'What a node was made from and what was made from it, up to so many steps (null: however far), as a graph in the language of Graphviz (DOT). Of each direction at most max_nodes are drawn, the nearest, and of the rest the number. Dashed is what supersedes; a node of a team that the caller may not read is a gray box without a name, and what only its record tells a gray line.';

CREATE FUNCTION modelreg.lineage_mermaid(node text, upstream_depth integer DEFAULT 2, downstream_depth integer DEFAULT 2,
	max_nodes integer DEFAULT 100) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_lineage_mermaid' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION modelreg.lineage_mermaid(text, integer, integer, integer) IS 'The same as lineage_dot() in the language of Mermaid, which Markdown pages draw.';

REVOKE ALL ON FUNCTION modelreg.lineage_dot(text, integer, integer, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION modelreg.lineage_mermaid(text, integer, integer, integer) FROM PUBLIC;
-- They show what the caller may read.
GRANT EXECUTE ON FUNCTION modelreg.lineage_dot(text, integer, integer, integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.lineage_mermaid(text, integer, integer, integer) TO PUBLIC;
