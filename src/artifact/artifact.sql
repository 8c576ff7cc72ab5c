-- artifact: bytes, uploads, the artifacts of versions
-- Which bytes the registry holds at all is nobody's business: who knows a digest must not learn from it. So modelreg.blob has no
-- grant and shows no row, and the other tables do not refer to it: the digest does.

CREATE SEQUENCE modelreg.blob_id_seq;
COMMENT ON SEQUENCE modelreg.blob_id_seq IS 'Ids of stored bytes.';
CREATE SEQUENCE modelreg.upload_id_seq;
COMMENT ON SEQUENCE modelreg.upload_id_seq IS 'Ids of uploads.';

-- The type of "object" is oid, by which vacuumlo knows the large objects that are in use.
CREATE TABLE modelreg.blob (
	id bigint NOT NULL CONSTRAINT blob_pkey PRIMARY KEY,
	digest modelreg.digest NOT NULL CONSTRAINT blob_digest UNIQUE,
	size bigint NOT NULL CONSTRAINT blob_size CHECK (size OPERATOR(pg_catalog.>=) 0),
	object oid CONSTRAINT blob_object UNIQUE,
	sealed_at timestamptz NOT NULL,
	purged_at timestamptz,
	CONSTRAINT blob_purged CHECK ((object IS NULL) OPERATOR(pg_catalog.=) (purged_at IS NOT NULL))
);
COMMENT ON TABLE modelreg.blob IS 'The bytes that the registry holds, once for each digest.';
COMMENT ON COLUMN modelreg.blob.id IS 'Id of the bytes.';
COMMENT ON COLUMN modelreg.blob.digest IS 'Digest of the bytes.';
COMMENT ON COLUMN modelreg.blob.size IS 'Their number.';
COMMENT ON COLUMN modelreg.blob.object IS 'The large object that holds them; null after a purge.';
COMMENT ON COLUMN modelreg.blob.sealed_at IS 'When they were stored.';
COMMENT ON COLUMN modelreg.blob.purged_at IS 'When they were purged; null while they are here.';

CREATE TABLE modelreg.upload (
	id bigint NOT NULL CONSTRAINT upload_pkey PRIMARY KEY,
	team_id bigint NOT NULL,
	request_id text COLLATE "C",
	size bigint NOT NULL CONSTRAINT upload_size CHECK (size OPERATOR(pg_catalog.>=) 0),
	digest modelreg.digest,
	object oid CONSTRAINT upload_object UNIQUE,
	received bigint NOT NULL,
	state text COLLATE "C" NOT NULL,
	who jsonb NOT NULL,
	begun_at timestamptz NOT NULL,
	touched_at timestamptz NOT NULL,
	used boolean NOT NULL DEFAULT false,
	CONSTRAINT upload_state CHECK (CASE state WHEN 'open' THEN object IS NOT NULL WHEN 'sealed' THEN object IS NULL AND digest IS NOT NULL
		WHEN 'aborted' THEN object IS NULL ELSE false END),
	CONSTRAINT upload_received CHECK (received OPERATOR(pg_catalog.>=) 0 AND received OPERATOR(pg_catalog.<=) size)
);
CREATE INDEX upload_digest ON modelreg.upload (digest, team_id, state);
CREATE INDEX upload_touched ON modelreg.upload (touched_at) WHERE NOT used AND state <> 'aborted';
ALTER TABLE modelreg.upload SET (fillfactor = 70);
COMMENT ON TABLE modelreg.upload IS 'Uploads: begun, appended to, sealed or aborted. They are no events; a version''s artifacts are.';
COMMENT ON COLUMN modelreg.upload.id IS 'Id of the upload.';
COMMENT ON COLUMN modelreg.upload.team_id IS 'The team whose quota it is charged to.';
COMMENT ON COLUMN modelreg.upload.request_id IS 'The caller''s request id.';
COMMENT ON COLUMN modelreg.upload.size IS 'How many bytes it is to have.';
COMMENT ON COLUMN modelreg.upload.digest IS 'Their digest: as declared while it is open, as computed since it was sealed.';
COMMENT ON COLUMN modelreg.upload.object IS 'The large object that it writes; null unless it is open.';
COMMENT ON COLUMN modelreg.upload.received IS 'How many bytes it has.';
COMMENT ON COLUMN modelreg.upload.state IS 'open, sealed or aborted.';
COMMENT ON COLUMN modelreg.upload.who IS 'Who began it.';
COMMENT ON COLUMN modelreg.upload.begun_at IS 'When it was begun.';
COMMENT ON COLUMN modelreg.upload.touched_at IS 'When it was last appended to, sealed or aborted.';
COMMENT ON COLUMN modelreg.upload.used IS 'Set by a sweep that found a version of the team with these bytes; later sweeps skip it.';

CREATE TABLE modelreg.team_bytes (
	team_id bigint NOT NULL CONSTRAINT team_bytes_pkey PRIMARY KEY,
	bytes bigint NOT NULL
);
ALTER TABLE modelreg.team_bytes SET (fillfactor = 50);
COMMENT ON TABLE modelreg.team_bytes IS 'How many bytes each team''s uploads hold or have reserved, each upload counted in full.';
COMMENT ON COLUMN modelreg.team_bytes.team_id IS 'The team.';
COMMENT ON COLUMN modelreg.team_bytes.bytes IS 'Sum of the sizes of its uploads that are open or sealed.';

CREATE TABLE modelreg.artifact (
	model_id bigint NOT NULL,
	version integer NOT NULL,
	name text COLLATE "C" NOT NULL,
	team_id bigint NOT NULL,
	digest modelreg.digest NOT NULL,
	size bigint NOT NULL,
	media_type text COLLATE "C",
	uri text COLLATE "C",
	store_version text COLLATE "C",
	hash bytea NOT NULL,
	format smallint NOT NULL DEFAULT 1,
	CONSTRAINT artifact_pkey PRIMARY KEY (model_id, version, name),
	CONSTRAINT artifact_hash CHECK (CASE format WHEN 1 THEN hash = modelreg.row_hash('artifact', format, model_id, version, name,
		team_id, digest, size, media_type, uri, store_version) END IS TRUE)
);
CREATE INDEX artifact_digest ON modelreg.artifact (digest, team_id);
COMMENT ON TABLE modelreg.artifact IS 'The artifacts of each version; written once.';
COMMENT ON COLUMN modelreg.artifact.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.artifact.version IS 'The version.';
COMMENT ON COLUMN modelreg.artifact.name IS 'Path-like name, unique in the version.';
COMMENT ON COLUMN modelreg.artifact.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.artifact.digest IS 'Digest of the bytes; in the registry they are found by it.';
COMMENT ON COLUMN modelreg.artifact.size IS 'How many bytes.';
COMMENT ON COLUMN modelreg.artifact.media_type IS 'Media type, as the caller says.';
COMMENT ON COLUMN modelreg.artifact.uri IS 'Where an external artifact is; null when the registry holds the bytes.';
COMMENT ON COLUMN modelreg.artifact.store_version IS 'The external store''s own version of the object.';
COMMENT ON COLUMN modelreg.artifact.hash IS 'Hash of the columns before this one.';
COMMENT ON COLUMN modelreg.artifact.format IS 'Version of the row format, hashed too.';

CREATE TABLE modelreg.purged_version (
	model_id bigint NOT NULL,
	version integer NOT NULL,
	team_id bigint NOT NULL,
	at timestamptz NOT NULL,
	seq bigint NOT NULL,
	CONSTRAINT purged_version_pkey PRIMARY KEY (model_id, version)
);
COMMENT ON TABLE modelreg.purged_version IS 'The versions whose bytes were purged; a fold of the teams'' events. Their artifacts'' rows stay.';
COMMENT ON COLUMN modelreg.purged_version.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.purged_version.version IS 'The version.';
COMMENT ON COLUMN modelreg.purged_version.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.purged_version.at IS 'When.';
COMMENT ON COLUMN modelreg.purged_version.seq IS 'Number of the event in the team''s chain.';

ALTER TABLE modelreg.blob ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.blob FOR SELECT USING (false);
ALTER TABLE modelreg.upload ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.upload FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
ALTER TABLE modelreg.team_bytes ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.team_bytes FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
ALTER TABLE modelreg.artifact ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.artifact FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
ALTER TABLE modelreg.purged_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.purged_version FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
-- Rows are shown by policy, so the right to look may be everybody's; blob has neither.
GRANT SELECT ON modelreg.upload, modelreg.team_bytes, modelreg.artifact, modelreg.purged_version TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('modelreg.blob_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.upload_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.blob', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.upload', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.team_bytes', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.artifact', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.purged_version', '');

CREATE VIEW modelreg.uploads WITH (security_invoker, security_barrier) AS
	SELECT u.id AS upload, t.name::text COLLATE "default" AS team, u.state::text COLLATE "default" AS state, u.size, u.received,
		CASE WHEN u.size = 0 THEN 100 ELSE u.received * 100.0::float8 / u.size END AS percent,
		u.digest::text AS digest, u.request_id::text COLLATE "default" AS request_id,
		u.who->>'role' AS role, u.begun_at, u.touched_at
	FROM modelreg.upload u JOIN modelreg.team t ON t.id = u.team_id;
COMMENT ON VIEW modelreg.uploads IS 'Uploads of the teams that the caller may read, with their progress.';
COMMENT ON COLUMN modelreg.uploads.upload IS 'Id of the upload.';
COMMENT ON COLUMN modelreg.uploads.team IS 'Present name of the team.';
COMMENT ON COLUMN modelreg.uploads.state IS 'open, sealed or aborted.';
COMMENT ON COLUMN modelreg.uploads.size IS 'How many bytes it is to have.';
COMMENT ON COLUMN modelreg.uploads.received IS 'How many it has: the offset to go on from.';
COMMENT ON COLUMN modelreg.uploads.percent IS 'The same in percent.';
COMMENT ON COLUMN modelreg.uploads.digest IS 'Digest of the bytes: as declared, and since it was sealed as computed.';
COMMENT ON COLUMN modelreg.uploads.request_id IS 'The caller''s request id.';
COMMENT ON COLUMN modelreg.uploads.role IS 'The role that began it.';
COMMENT ON COLUMN modelreg.uploads.begun_at IS 'When it was begun.';
COMMENT ON COLUMN modelreg.uploads.touched_at IS 'When it was last appended to, sealed or aborted.';
GRANT SELECT ON modelreg.uploads TO PUBLIC;
