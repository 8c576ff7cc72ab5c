-- registry: the artifacts of versions. Each function authorizes its caller, so EXECUTE is everybody's.

CREATE FUNCTION modelreg.read_artifact(model text, version integer, name text, at_offset bigint DEFAULT 0, length integer DEFAULT NULL) RETURNS bytea
	AS 'MODULE_PATHNAME', 'modelreg_read_artifact' LANGUAGE C STABLE COST 1000;
COMMENT ON FUNCTION modelreg.read_artifact(text, integer, text, bigint, integer) IS 'Bytes of an artifact that the registry holds: all of them, or length bytes from at_offset on; at most 4 MB at once.';
REVOKE ALL ON FUNCTION modelreg.read_artifact(text, integer, text, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.read_artifact(text, integer, text, bigint, integer) TO PUBLIC;

CREATE FUNCTION modelreg.artifact_chunks(model text, version integer, name text, chunk_size integer DEFAULT 1048576)
	RETURNS TABLE (at_offset bigint, data bytea)
	AS 'MODULE_PATHNAME', 'modelreg_artifact_chunks' LANGUAGE C STABLE COST 1000 ROWS 1000;
COMMENT ON FUNCTION modelreg.artifact_chunks(text, integer, text, integer) IS 'The bytes of an artifact that the registry holds, in order, a chunk a row. Read them through a cursor of SELECT artifact_chunks(...): in FROM the server would first collect them all.';
REVOKE ALL ON FUNCTION modelreg.artifact_chunks(text, integer, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.artifact_chunks(text, integer, text, integer) TO PUBLIC;

CREATE FUNCTION modelreg.verify_artifact(model text, version integer, name text) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_verify_artifact' LANGUAGE C STABLE COST 100000;
COMMENT ON FUNCTION modelreg.verify_artifact(text, integer, text) IS 'Hashes the bytes of an artifact again: ok, altered, missing, exposed (others were given rights on the large object) or purged; external for one that the registry does not hold.';
REVOKE ALL ON FUNCTION modelreg.verify_artifact(text, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.verify_artifact(text, integer, text) TO PUBLIC;

CREATE FUNCTION modelreg.record_artifact_check(model text, version integer, name text, digest modelreg.digest, size bigint,
	request_id text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'modelreg_record_artifact_check' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.record_artifact_check(text, integer, text, modelreg.digest, bigint, text) IS 'Records what a client found that fetched an external artifact, and returns whether it is what was registered. Needs contributor or evaluator.';
REVOKE ALL ON FUNCTION modelreg.record_artifact_check(text, integer, text, modelreg.digest, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.record_artifact_check(text, integer, text, modelreg.digest, bigint, text) TO PUBLIC;

CREATE VIEW modelreg.artifacts WITH (security_invoker, security_barrier) AS
	SELECT (t.name || '.' || m.name)::text COLLATE "default" AS model, a.model_id, a.version, a.name::text COLLATE "default" AS name,
		a.digest::text AS digest, a.size, a.media_type::text COLLATE "default" AS media_type,
		a.uri::text COLLATE "default" AS uri, a.store_version::text COLLATE "default" AS store_version,
		m.retired_at IS NOT NULL AS model_retired, x.version IS NOT NULL AS purged
	FROM modelreg.artifact a JOIN modelreg.model m ON m.id = a.model_id JOIN modelreg.team t ON t.id = a.team_id
		LEFT JOIN modelreg.purged_version x ON x.model_id = a.model_id AND x.version = a.version;
COMMENT ON VIEW modelreg.artifacts IS 'Artifacts of the versions that the caller may read.';
COMMENT ON COLUMN modelreg.artifacts.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.artifacts.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.artifacts.version IS 'The version.';
COMMENT ON COLUMN modelreg.artifacts.name IS 'Path-like name of the artifact.';
COMMENT ON COLUMN modelreg.artifacts.digest IS 'Digest of the bytes.';
COMMENT ON COLUMN modelreg.artifacts.size IS 'How many bytes.';
COMMENT ON COLUMN modelreg.artifacts.media_type IS 'Media type, as the registrant says.';
COMMENT ON COLUMN modelreg.artifacts.uri IS 'Where an external artifact is; null when the registry holds the bytes.';
COMMENT ON COLUMN modelreg.artifacts.store_version IS 'The external store''s own version of the object.';
COMMENT ON COLUMN modelreg.artifacts.model_retired IS 'Whether the model was retired.';
COMMENT ON COLUMN modelreg.artifacts.purged IS 'Whether the version was purged, so that the registry no longer gives the bytes.';
GRANT SELECT ON modelreg.artifacts TO PUBLIC;

CREATE VIEW modelreg.artifact_checks WITH (security_invoker, security_barrier) AS
	SELECT (t.name || '.' || m.name)::text COLLATE "default" AS model, n.model_id, n.version, n.key::text COLLATE "default" AS name,
		(p.body::jsonb->>'matches')::boolean AS matches, p.body::jsonb->>'digest' AS digest, (p.body::jsonb->>'size')::bigint AS size,
		n.who->>'role' AS role, n.recorded_at
	FROM modelreg.note n JOIN modelreg.model m ON m.id = n.model_id JOIN modelreg.team t ON t.id = n.team_id
		LEFT JOIN modelreg.payload p ON p.digest = n.value
	WHERE n.kind = 'artifact_check';
COMMENT ON VIEW modelreg.artifact_checks IS 'What clients found that fetched external artifacts.';
COMMENT ON COLUMN modelreg.artifact_checks.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.artifact_checks.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.artifact_checks.version IS 'The version.';
COMMENT ON COLUMN modelreg.artifact_checks.name IS 'Name of the artifact.';
COMMENT ON COLUMN modelreg.artifact_checks.matches IS 'Whether it was what was registered.';
COMMENT ON COLUMN modelreg.artifact_checks.digest IS 'Digest of what was found.';
COMMENT ON COLUMN modelreg.artifact_checks.size IS 'How many bytes were found.';
COMMENT ON COLUMN modelreg.artifact_checks.role IS 'Who recorded it.';
COMMENT ON COLUMN modelreg.artifact_checks.recorded_at IS 'When.';
GRANT SELECT ON modelreg.artifact_checks TO PUBLIC;
