-- base: the schema, hashing and canonical JSON

-- Hashes are over UTF-8: in another encoding they would be others, and a dump would not go into a database with UTF8.
DO $$
BEGIN
	IF pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
		RAISE EXCEPTION 'modelreg needs a database with encoding UTF8' USING ERRCODE = 'feature_not_supported',
			DETAIL = pg_catalog.format('This one has %s. Hashes are over texts in UTF-8.', pg_catalog.current_setting('server_encoding')),
			HINT = 'Make one with "createdb -T template0 -E UTF8 name".';
	END IF;
END
$$;

CREATE SCHEMA modelreg;
COMMENT ON SCHEMA modelreg IS 'Registered models, their versions, artifacts, lineage, stages, and the chained log of every decision.';
GRANT USAGE ON SCHEMA modelreg TO PUBLIC;

CREATE FUNCTION modelreg.row_hash(table_name text, format smallint, VARIADIC fields "any") RETURNS bytea
	AS 'MODULE_PATHNAME', 'modelreg_row_hash' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.row_hash(text, smallint, "any") IS 'SHA-256 of a row''s canonical encoding, as docs/audit-format.md describes it; the CHECK constraints use it.';

CREATE FUNCTION modelreg.canonical_json(value jsonb) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_canonical_json' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.canonical_json(jsonb) IS 'The one text of a JSON value that hashes and signatures are computed over.';
