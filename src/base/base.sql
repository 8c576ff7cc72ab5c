-- base: the schema, hashing and canonical JSON

CREATE SCHEMA modelreg;
COMMENT ON SCHEMA modelreg IS 'Registered models, their versions, artifacts, lineage, stages, and the chained log of every decision.';
GRANT USAGE ON SCHEMA modelreg TO PUBLIC;

CREATE FUNCTION modelreg.row_hash(table_name text, format smallint, VARIADIC fields "any") RETURNS bytea
	AS 'MODULE_PATHNAME', 'modelreg_row_hash' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.row_hash(text, smallint, "any") IS 'SHA-256 of a row''s canonical encoding, as docs/audit-format.md describes it; the CHECK constraints use it.';

CREATE FUNCTION modelreg.canonical_json(value jsonb) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_canonical_json' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.canonical_json(jsonb) IS 'The one text of a JSON value that hashes and signatures are computed over.';
