-- registry: in what two versions differ

CREATE FUNCTION modelreg.lineage_diff(before text, after text)
	RETURNS TABLE (aspect text, kind text, role text, item text, part text, change text, old_value text, new_value text)
	AS 'MODULE_PATHNAME', 'modelreg_lineage_diff' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 20;
COMMENT ON FUNCTION modelreg.lineage_diff(text, text) IS 'In what two versions, of one model or of two, differ; both are addresses as resolve() takes them. aspect: upstream (what each was made from, however far; kind and role are those of the node, another version of one name is a change), schema (of what changed so; part is the column), params, metrics (kind is that of the evaluation), artifacts, signature. change: added, removed, changed, or redacted for what can no longer be compared. Aspect unreadable: in this role something differs that the caller may not read. No rows: nothing differs.';
REVOKE ALL ON FUNCTION modelreg.lineage_diff(text, text) FROM PUBLIC;
-- It shows what the caller may read.
GRANT EXECUTE ON FUNCTION modelreg.lineage_diff(text, text) TO PUBLIC;
