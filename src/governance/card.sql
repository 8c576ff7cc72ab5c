-- governance: model cards in Markdown, from what the registry knows

CREATE FUNCTION modelreg.markdown_text(value text, one_line boolean DEFAULT false) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_markdown_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.markdown_text(text, boolean) IS 'A text as Markdown that shows it as it is: it makes no heading, list, table, link or HTML. one_line: for a heading or the cell of a table.';
REVOKE ALL ON FUNCTION modelreg.markdown_text(text, boolean) FROM PUBLIC;
-- It looks at nothing but its arguments.
GRANT EXECUTE ON FUNCTION modelreg.markdown_text(text, boolean) TO PUBLIC;

CREATE FUNCTION modelreg.model_card(model text, version integer DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_model_card' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION modelreg.model_card(text, integer) IS 'A version''s model card in Markdown, by model and number or by an address as in resolve(): what it is, its description and the sections of set_model_card(), the latest metrics by kind, data set and slice, what it was made from, attestations, decisions and approvals, as far as the caller may read them.';
REVOKE ALL ON FUNCTION modelreg.model_card(text, integer) FROM PUBLIC;
-- It shows what the caller may read.
GRANT EXECUTE ON FUNCTION modelreg.model_card(text, integer) TO PUBLIC;
