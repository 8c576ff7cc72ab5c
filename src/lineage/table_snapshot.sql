-- lineage: snapshots of this database's own tables

CREATE FUNCTION modelreg.record_table_snapshot(relation regclass, name text, version text, with_digest boolean DEFAULT false, uri text DEFAULT NULL,
	inputs jsonb DEFAULT NULL, properties jsonb DEFAULT NULL, supersedes text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL,
	request_id text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_record_table_snapshot' LANGUAGE C VOLATILE COST 10000;
COMMENT ON FUNCTION modelreg.record_table_snapshot(regclass, text, text, boolean, text, jsonb, jsonb, text, timestamptz, text) IS 'Records a snapshot of a table or view of this database as it is now: record_snapshot() with its columns, the number of its rows and, on request, a digest of them, whatever their order. It is read by one SELECT with the caller''s rights and policies. Needs contributor.';
REVOKE ALL ON FUNCTION modelreg.record_table_snapshot(regclass, text, text, boolean, text, jsonb, jsonb, text, timestamptz, text) FROM PUBLIC;
-- It asks for the level contributor.
GRANT EXECUTE ON FUNCTION modelreg.record_table_snapshot(regclass, text, text, boolean, text, jsonb, jsonb, text, timestamptz, text) TO PUBLIC;
