-- artifact: uploading. Each function authorizes its caller, so EXECUTE is everybody's.

CREATE FUNCTION modelreg.begin_upload(team text, size bigint, digest modelreg.digest DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_begin_upload' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.begin_upload(text, bigint, modelreg.digest, text) IS 'Begins an upload of size bytes for a team and returns its id; finish_upload() will compare with digest. Needs contributor.';
REVOKE ALL ON FUNCTION modelreg.begin_upload(text, bigint, modelreg.digest, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.begin_upload(text, bigint, modelreg.digest, text) TO PUBLIC;

CREATE FUNCTION modelreg.append_upload(upload bigint, at_offset bigint, data bytea) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_append_upload' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.append_upload(bigint, bigint, bytea) IS 'Appends a chunk of at most 4 MB and returns how many bytes the upload has now; the same bytes again change nothing. Needs contributor.';
REVOKE ALL ON FUNCTION modelreg.append_upload(bigint, bigint, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.append_upload(bigint, bigint, bytea) TO PUBLIC;

CREATE FUNCTION modelreg.finish_upload(upload bigint) RETURNS modelreg.digest
	AS 'MODULE_PATHNAME', 'modelreg_finish_upload' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.finish_upload(bigint) IS 'Hashes the bytes of an upload, compares with what was declared, seals it, and returns the digest. Needs contributor.';
REVOKE ALL ON FUNCTION modelreg.finish_upload(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.finish_upload(bigint) TO PUBLIC;

CREATE FUNCTION modelreg.abort_upload(upload bigint) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_abort_upload' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.abort_upload(bigint) IS 'Gives up an upload that is not sealed, and its bytes. Needs contributor.';
REVOKE ALL ON FUNCTION modelreg.abort_upload(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.abort_upload(bigint) TO PUBLIC;

CREATE FUNCTION modelreg.copy_large_object(team text, object oid, digest modelreg.digest DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_copy_large_object' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.copy_large_object(text, oid, modelreg.digest, text) IS 'Copies a large object that the caller may read, and returns the id of an upload that is sealed already. Needs contributor.';
REVOKE ALL ON FUNCTION modelreg.copy_large_object(text, oid, modelreg.digest, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.copy_large_object(text, oid, modelreg.digest, text) TO PUBLIC;

CREATE FUNCTION modelreg.sweep_uploads(team text DEFAULT NULL, older_than interval DEFAULT '7 days', max_uploads integer DEFAULT 100) RETURNS integer
	AS 'MODULE_PATHNAME', 'modelreg_sweep_uploads' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.sweep_uploads(text, interval, integer) IS 'Aborts uploads that nobody has touched for so long, and removes sealed bytes that no version uses; returns how many uploads it dealt with: call again until it returns 0. Needs maintainer, or admin for all teams.';
REVOKE ALL ON FUNCTION modelreg.sweep_uploads(text, interval, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.sweep_uploads(text, interval, integer) TO PUBLIC;

CREATE FUNCTION modelreg.drop_all_bytes(confirm text, max_objects integer DEFAULT 1000) RETURNS integer
	AS 'MODULE_PATHNAME', 'modelreg_drop_all_bytes' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.drop_all_bytes(text, integer) IS 'Drops the registry''s large objects, which DROP EXTENSION would leave behind; returns how many it dropped: call again until it returns 0. Superusers with modelreg.allow_removal on; confirm is the database''s name.';
-- Superusers need no grant.
REVOKE ALL ON FUNCTION modelreg.drop_all_bytes(text, integer) FROM PUBLIC;
