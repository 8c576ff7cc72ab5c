-- attestation: keys that are trusted, and statements that were signed with them. Each function authorizes its caller, so EXECUTE is
-- everybody's.

CREATE SEQUENCE modelreg.signing_key_id_seq;
COMMENT ON SEQUENCE modelreg.signing_key_id_seq IS 'Ids of signing keys.';
CREATE SEQUENCE modelreg.attestation_id_seq;
COMMENT ON SEQUENCE modelreg.attestation_id_seq IS 'Ids of attestations.';
SELECT pg_catalog.pg_extension_config_dump('modelreg.signing_key_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.attestation_id_seq', '');

CREATE TABLE modelreg.signing_key (
	id bigint NOT NULL CONSTRAINT signing_key_pkey PRIMARY KEY,
	team_id bigint NOT NULL,
	name text COLLATE "C" NOT NULL,
	keyid text COLLATE "C" NOT NULL,
	algorithm text COLLATE "C" NOT NULL,
	public_key bytea NOT NULL,
	registered_at timestamptz NOT NULL,
	valid_from timestamptz,
	valid_until timestamptz,
	revoked_at timestamptz,
	compromised_since timestamptz,
	CONSTRAINT signing_key_name UNIQUE (team_id, name),
	CONSTRAINT signing_key_keyid UNIQUE (team_id, keyid)
);
COMMENT ON TABLE modelreg.signing_key IS 'Public keys whose signatures count; a fold of the events of the registry and of the teams.';
COMMENT ON COLUMN modelreg.signing_key.id IS 'Id of the key.';
COMMENT ON COLUMN modelreg.signing_key.team_id IS 'The team whose versions it signs for; 0 for all.';
COMMENT ON COLUMN modelreg.signing_key.name IS 'Its name in the team, or in the registry; never another key''s again.';
COMMENT ON COLUMN modelreg.signing_key.keyid IS 'SHA-256 of the key''s DER form, in hexadecimal.';
COMMENT ON COLUMN modelreg.signing_key.algorithm IS 'ed25519, or ecdsa-p256 (with SHA-256).';
COMMENT ON COLUMN modelreg.signing_key.public_key IS 'DER form: a SubjectPublicKeyInfo.';
COMMENT ON COLUMN modelreg.signing_key.registered_at IS 'When it was registered.';
COMMENT ON COLUMN modelreg.signing_key.valid_from IS 'From when on its signatures are taken; null for always.';
COMMENT ON COLUMN modelreg.signing_key.valid_until IS 'Until when; null for ever.';
COMMENT ON COLUMN modelreg.signing_key.revoked_at IS 'When it was revoked; null if it was not.';
COMMENT ON COLUMN modelreg.signing_key.compromised_since IS 'What was recorded from then on counts no more; null if nobody said so.';
ALTER TABLE modelreg.signing_key ENABLE ROW LEVEL SECURITY;
-- The registry's keys are for everybody to check with.
CREATE POLICY readable ON modelreg.signing_key FOR SELECT USING (team_id = 0 OR team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.signing_key TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.signing_key', '');

CREATE TABLE modelreg.attestation (
	id bigint NOT NULL CONSTRAINT attestation_pkey PRIMARY KEY,
	team_id bigint NOT NULL,
	batch bigint,
	model_id bigint,
	version integer,
	subject text COLLATE "C" NOT NULL,
	digest text COLLATE "C" NOT NULL,
	predicate_type text COLLATE "C" NOT NULL,
	keys bigint[] NOT NULL,
	envelope bytea NOT NULL,
	who jsonb NOT NULL,
	recorded_at timestamptz NOT NULL,
	hash bytea NOT NULL,
	format smallint NOT NULL DEFAULT 1,
	CONSTRAINT attestation_hash CHECK (CASE format WHEN 1 THEN hash = modelreg.row_hash('attestation', format,
		id, team_id, batch, model_id, version, subject, digest, predicate_type, keys, envelope, who, recorded_at) END IS TRUE)
);
CREATE INDEX attestation_version ON modelreg.attestation (model_id, version, predicate_type, id);
CREATE INDEX attestation_team ON modelreg.attestation (team_id);
COMMENT ON TABLE modelreg.attestation IS 'Signed statements about versions and about heads of the audit log, whose signatures were verified; written once.';
COMMENT ON COLUMN modelreg.attestation.id IS 'Id of the attestation.';
COMMENT ON COLUMN modelreg.attestation.team_id IS 'The team that owns the model; 0 for a head of the audit log.';
COMMENT ON COLUMN modelreg.attestation.batch IS 'The set of facts that it was recorded with; null for a head, of which an event of the registry tells.';
COMMENT ON COLUMN modelreg.attestation.model_id IS 'The model; null for a head.';
COMMENT ON COLUMN modelreg.attestation.version IS 'The version; null for a head.';
COMMENT ON COLUMN modelreg.attestation.subject IS 'What the digest is of: version (the hash of its row), artifact (one of its artifacts), artifacts (all of them, as model-signing has it), or head.';
COMMENT ON COLUMN modelreg.attestation.digest IS 'The SHA-256 that the statement names its subject by, in hexadecimal.';
COMMENT ON COLUMN modelreg.attestation.predicate_type IS 'What kind of statement: the predicateType.';
COMMENT ON COLUMN modelreg.attestation.keys IS 'The keys that signed it, in the order of the signatures.';
COMMENT ON COLUMN modelreg.attestation.envelope IS 'Salted digest of the DSSE envelope.';
COMMENT ON COLUMN modelreg.attestation.who IS 'Who recorded it, who need not have signed it.';
COMMENT ON COLUMN modelreg.attestation.recorded_at IS 'When it was recorded, and its keys were valid.';
COMMENT ON COLUMN modelreg.attestation.hash IS 'Hash of the columns before this one.';
COMMENT ON COLUMN modelreg.attestation.format IS 'Version of the row format, hashed too.';
ALTER TABLE modelreg.attestation ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.attestation FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.attestation TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.attestation', '');

CREATE FUNCTION modelreg.register_key(name text, public_key text, team text DEFAULT NULL, valid_from timestamptz DEFAULT NULL,
		valid_until timestamptz DEFAULT NULL, request_id text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_register_key' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.register_key(text, text, text, timestamptz, timestamptz, text) IS
	'Takes the signatures of an Ed25519 or ECDSA P-256 key, whose public half is given in PEM, from now on: for versions of a team (needs maintainer), or without one of all teams and for heads of the audit log (needs admin). Returns the keyid. Neither name nor key can be registered there again.';
REVOKE ALL ON FUNCTION modelreg.register_key(text, text, text, timestamptz, timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.register_key(text, text, text, timestamptz, timestamptz, text) TO PUBLIC;

CREATE FUNCTION modelreg.revoke_key(name text, reason text, team text DEFAULT NULL, compromised_since timestamptz DEFAULT NULL,
		request_id text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'modelreg_revoke_key' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.revoke_key(text, text, text, timestamptz, text) IS
	'Takes no more signatures of a key, nor for the team under the name that it has in the registry, or the reverse. What it signed before still counts, unless it was compromised: then only what was recorded before compromised_since does, which a second call may set, or set to an earlier time. Needs maintainer of the team, without one admin; false when that changes nothing.';
REVOKE ALL ON FUNCTION modelreg.revoke_key(text, text, text, timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.revoke_key(text, text, text, timestamptz, text) TO PUBLIC;

CREATE FUNCTION modelreg.record_attestation(model text, version integer, envelope jsonb, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_record_attestation' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.record_attestation(text, integer, jsonb, text) IS
	'Verifies and keeps a DSSE envelope with an in-toto statement about a version: every signature must be by a key that the team or the registry trusts now, and a subject must have the version''s hash, the digest of one of its artifacts, or the digest of all that model-signing computes; what another version is named by is no artifact''s. Needs contributor, evaluator or reviewer; returns the attestation''s id.';
REVOKE ALL ON FUNCTION modelreg.record_attestation(text, integer, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.record_attestation(text, integer, jsonb, text) TO PUBLIC;

CREATE FUNCTION modelreg.attest_head(envelope jsonb, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_attest_head' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.attest_head(jsonb, text) IS
	'Verifies and keeps a DSSE envelope with an in-toto statement about a head of the audit log: predicateType modelreg:audit_head/1, the document of audit_head() as predicate, its digest as that of a subject. Every signature must be by a key of the registry, and the log must go on from that head. Needs admin; returns the attestation''s id.';
REVOKE ALL ON FUNCTION modelreg.attest_head(jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.attest_head(jsonb, text) TO PUBLIC;

CREATE VIEW modelreg.signing_keys WITH (security_invoker, security_barrier) AS
	SELECT CASE WHEN k.team_id = 0 THEN k.name ELSE t.name || '.' || k.name END AS key, t.name::text COLLATE "default" AS team,
		k.name::text COLLATE "default" AS name, k.keyid::text COLLATE "default" AS keyid, k.algorithm::text COLLATE "default" AS algorithm,
		E'-----BEGIN PUBLIC KEY-----\n' || pg_catalog.encode(k.public_key, 'base64') || E'\n-----END PUBLIC KEY-----\n' AS public_key,
		k.registered_at, k.valid_from, k.valid_until, k.revoked_at, k.compromised_since,
		k.revoked_at IS NULL AND pg_catalog.now() >= COALESCE(k.valid_from, '-infinity') AND
			pg_catalog.now() < COALESCE(k.valid_until, 'infinity') AND
			NOT EXISTS (SELECT FROM modelreg.signing_key r WHERE r.team_id = 0 AND r.keyid = k.keyid AND r.revoked_at IS NOT NULL) AS valid
	FROM modelreg.signing_key k LEFT JOIN modelreg.team t ON t.id = k.team_id;
COMMENT ON VIEW modelreg.signing_keys IS 'One row per key that was registered, by a team or for the registry.';
COMMENT ON COLUMN modelreg.signing_keys.key IS 'team.name, or the name alone of a key of the registry.';
COMMENT ON COLUMN modelreg.signing_keys.team IS 'Name of the team whose versions it signs for; null for all.';
COMMENT ON COLUMN modelreg.signing_keys.name IS 'Its name there.';
COMMENT ON COLUMN modelreg.signing_keys.keyid IS 'SHA-256 of the key''s DER form, in hexadecimal.';
COMMENT ON COLUMN modelreg.signing_keys.algorithm IS 'ed25519 or ecdsa-p256.';
COMMENT ON COLUMN modelreg.signing_keys.public_key IS 'The key in PEM.';
COMMENT ON COLUMN modelreg.signing_keys.registered_at IS 'When it was registered.';
COMMENT ON COLUMN modelreg.signing_keys.valid_from IS 'From when on its signatures are taken; null for always.';
COMMENT ON COLUMN modelreg.signing_keys.valid_until IS 'Until when; null for ever.';
COMMENT ON COLUMN modelreg.signing_keys.revoked_at IS 'When it was revoked; null if it was not.';
COMMENT ON COLUMN modelreg.signing_keys.compromised_since IS 'What was recorded from then on counts no more; null if nobody said so.';
COMMENT ON COLUMN modelreg.signing_keys.valid IS 'Whether its signatures are taken now; those of the registry''s key not for a team that revoked the same one.';
GRANT SELECT ON modelreg.signing_keys TO PUBLIC;

CREATE VIEW modelreg.attestations WITH (security_invoker, security_barrier) AS
	SELECT a.id, t.name::text COLLATE "default" AS team, t.name || '.' || m.name AS model, a.model_id, a.version,
		a.subject::text COLLATE "default" AS subject, 'sha256:' || a.digest AS digest, a.predicate_type::text COLLATE "default" AS predicate_type,
		(SELECT pg_catalog.jsonb_agg(CASE WHEN k.team_id = 0 THEN k.name ELSE t.name || '.' || k.name END ORDER BY s.nr)
			FROM pg_catalog.unnest(a.keys) WITH ORDINALITY AS s (id, nr) JOIN modelreg.signing_key k ON k.id = s.id) AS keys,
		EXISTS (SELECT FROM modelreg.signing_key k WHERE k.id = ANY (a.keys) AND NOT EXISTS (SELECT FROM modelreg.signing_key o
			WHERE o.keyid = k.keyid AND o.team_id IN (0, a.team_id) AND o.compromised_since <= a.recorded_at)) AS trusted,
		pg_catalog.convert_from(pg_catalog.decode(p.body::jsonb->>'payload', 'base64'), 'UTF8')::jsonb AS statement,
		p.body::jsonb AS envelope, pg_catalog.encode(a.envelope, 'hex') AS envelope_digest,
		a.who->>'role' AS role, COALESCE(a.who->>'session', a.who->>'role') AS session_role, a.recorded_at
	FROM modelreg.attestation a
		LEFT JOIN modelreg.model m ON m.id = a.model_id
		LEFT JOIN modelreg.team t ON t.id = a.team_id
		LEFT JOIN modelreg.payload p ON p.digest = a.envelope;
COMMENT ON VIEW modelreg.attestations IS 'One row per signed statement that was recorded.';
COMMENT ON COLUMN modelreg.attestations.id IS 'Id of the attestation.';
COMMENT ON COLUMN modelreg.attestations.team IS 'Name of the team; null for a head of the audit log.';
COMMENT ON COLUMN modelreg.attestations.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.attestations.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.attestations.version IS 'The version.';
COMMENT ON COLUMN modelreg.attestations.subject IS 'What the digest is of: version (the hash of its row), artifact (one of its artifacts), artifacts (all of them, as model-signing has it), or head.';
COMMENT ON COLUMN modelreg.attestations.digest IS 'What the statement names its subject by.';
COMMENT ON COLUMN modelreg.attestations.predicate_type IS 'What kind of statement: the predicateType.';
COMMENT ON COLUMN modelreg.attestations.keys IS 'The keys that signed it, as in signing_keys.key, an array.';
COMMENT ON COLUMN modelreg.attestations.trusted IS 'Whether it still counts: false when each of its keys, under the name that it has in the team or in the registry, was compromised before it was recorded.';
COMMENT ON COLUMN modelreg.attestations.statement IS 'The in-toto statement; null when it was redacted.';
COMMENT ON COLUMN modelreg.attestations.envelope IS 'The DSSE envelope; null when it was redacted.';
COMMENT ON COLUMN modelreg.attestations.envelope_digest IS 'Digest of the envelope, as redact() takes it.';
COMMENT ON COLUMN modelreg.attestations.role IS 'The role that recorded it.';
COMMENT ON COLUMN modelreg.attestations.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.attestations.recorded_at IS 'When it was recorded.';
GRANT SELECT ON modelreg.attestations TO PUBLIC;
