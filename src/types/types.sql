-- types.sql: digest, stage and model_uri, with their operators; traffic_split has a file of its own.
--
-- Everything in this file keeps the EXECUTE and USAGE that PUBLIC has by
-- default: the types hold no secret, and a role that may read one row of a
-- view must be able to print and compare what it reads.
--
-- Comparisons are LEAKPROOF because none of them fails for any value; that
-- lets an index on such a column serve a query under row level security.

-- digest: one byte of algorithm, then the hash. A number of an algorithm is never given to another.
CREATE TYPE modelreg.digest;

CREATE FUNCTION modelreg.digest_in(cstring) RETURNS modelreg.digest AS 'MODULE_PATHNAME', 'modelreg_digest_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_out(modelreg.digest) RETURNS cstring AS 'MODULE_PATHNAME', 'modelreg_digest_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_recv(internal) RETURNS modelreg.digest AS 'MODULE_PATHNAME', 'modelreg_digest_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_send(modelreg.digest) RETURNS bytea AS 'MODULE_PATHNAME', 'modelreg_digest_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE modelreg.digest (
	INPUT = modelreg.digest_in, OUTPUT = modelreg.digest_out,
	RECEIVE = modelreg.digest_recv, SEND = modelreg.digest_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = main
);

COMMENT ON TYPE modelreg.digest IS 'digest of some bytes with its algorithm: sha256: and 64 hexadecimal digits';
COMMENT ON FUNCTION modelreg.digest_in(cstring) IS 'text to digest';
COMMENT ON FUNCTION modelreg.digest_out(modelreg.digest) IS 'digest to text';
COMMENT ON FUNCTION modelreg.digest_recv(internal) IS 'binary to digest: one byte of algorithm (1 is sha256), then the hash';
COMMENT ON FUNCTION modelreg.digest_send(modelreg.digest) IS 'digest to binary: one byte of algorithm (1 is sha256), then the hash';

CREATE FUNCTION modelreg.digest_eq(modelreg.digest, modelreg.digest) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_eq' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_ne(modelreg.digest, modelreg.digest) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_ne' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_lt(modelreg.digest, modelreg.digest) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_lt' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_le(modelreg.digest, modelreg.digest) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_le' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_gt(modelreg.digest, modelreg.digest) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_gt' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_ge(modelreg.digest, modelreg.digest) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_ge' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_cmp(modelreg.digest, modelreg.digest) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_bytes_cmp' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_hash(modelreg.digest) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_bytes_hash' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_hash_extended(modelreg.digest, bigint) RETURNS bigint AS 'MODULE_PATHNAME', 'modelreg_bytes_hash_extended' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.digest_eq(modelreg.digest, modelreg.digest) IS 'equal';
COMMENT ON FUNCTION modelreg.digest_ne(modelreg.digest, modelreg.digest) IS 'not equal';
COMMENT ON FUNCTION modelreg.digest_lt(modelreg.digest, modelreg.digest) IS 'less than';
COMMENT ON FUNCTION modelreg.digest_le(modelreg.digest, modelreg.digest) IS 'less than or equal';
COMMENT ON FUNCTION modelreg.digest_gt(modelreg.digest, modelreg.digest) IS 'greater than';
COMMENT ON FUNCTION modelreg.digest_ge(modelreg.digest, modelreg.digest) IS 'greater than or equal';
COMMENT ON FUNCTION modelreg.digest_cmp(modelreg.digest, modelreg.digest) IS 'order: less than 0, 0 or greater than 0';
COMMENT ON FUNCTION modelreg.digest_hash(modelreg.digest) IS 'hash';
COMMENT ON FUNCTION modelreg.digest_hash_extended(modelreg.digest, bigint) IS 'hash with a seed';

CREATE OPERATOR modelreg.= (FUNCTION = modelreg.digest_eq, LEFTARG = modelreg.digest, RIGHTARG = modelreg.digest, COMMUTATOR = OPERATOR(modelreg.=), NEGATOR = OPERATOR(modelreg.<>), RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
CREATE OPERATOR modelreg.<> (FUNCTION = modelreg.digest_ne, LEFTARG = modelreg.digest, RIGHTARG = modelreg.digest, COMMUTATOR = OPERATOR(modelreg.<>), NEGATOR = OPERATOR(modelreg.=), RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
CREATE OPERATOR modelreg.< (FUNCTION = modelreg.digest_lt, LEFTARG = modelreg.digest, RIGHTARG = modelreg.digest, COMMUTATOR = OPERATOR(modelreg.>), NEGATOR = OPERATOR(modelreg.>=), RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
CREATE OPERATOR modelreg.<= (FUNCTION = modelreg.digest_le, LEFTARG = modelreg.digest, RIGHTARG = modelreg.digest, COMMUTATOR = OPERATOR(modelreg.>=), NEGATOR = OPERATOR(modelreg.>), RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
CREATE OPERATOR modelreg.> (FUNCTION = modelreg.digest_gt, LEFTARG = modelreg.digest, RIGHTARG = modelreg.digest, COMMUTATOR = OPERATOR(modelreg.<), NEGATOR = OPERATOR(modelreg.<=), RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
CREATE OPERATOR modelreg.>= (FUNCTION = modelreg.digest_ge, LEFTARG = modelreg.digest, RIGHTARG = modelreg.digest, COMMUTATOR = OPERATOR(modelreg.<=), NEGATOR = OPERATOR(modelreg.<), RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR modelreg.= (modelreg.digest, modelreg.digest) IS 'equal';
COMMENT ON OPERATOR modelreg.<> (modelreg.digest, modelreg.digest) IS 'not equal';
COMMENT ON OPERATOR modelreg.< (modelreg.digest, modelreg.digest) IS 'less than';
COMMENT ON OPERATOR modelreg.<= (modelreg.digest, modelreg.digest) IS 'less than or equal';
COMMENT ON OPERATOR modelreg.> (modelreg.digest, modelreg.digest) IS 'greater than';
COMMENT ON OPERATOR modelreg.>= (modelreg.digest, modelreg.digest) IS 'greater than or equal';

CREATE OPERATOR FAMILY modelreg.digest_ops USING btree;
CREATE OPERATOR CLASS modelreg.digest_ops DEFAULT FOR TYPE modelreg.digest USING btree FAMILY modelreg.digest_ops AS
	OPERATOR 1 modelreg.<, OPERATOR 2 modelreg.<=, OPERATOR 3 modelreg.=, OPERATOR 4 modelreg.>=, OPERATOR 5 modelreg.>,
	FUNCTION 1 modelreg.digest_cmp(modelreg.digest, modelreg.digest), FUNCTION 4 pg_catalog.btequalimage(oid);
CREATE OPERATOR FAMILY modelreg.digest_ops USING hash;
CREATE OPERATOR CLASS modelreg.digest_ops DEFAULT FOR TYPE modelreg.digest USING hash FAMILY modelreg.digest_ops AS
	OPERATOR 1 modelreg.=,
	FUNCTION 1 modelreg.digest_hash(modelreg.digest), FUNCTION 2 modelreg.digest_hash_extended(modelreg.digest, bigint);
COMMENT ON OPERATOR FAMILY modelreg.digest_ops USING btree IS 'btree comparison of digest';
COMMENT ON OPERATOR CLASS modelreg.digest_ops USING btree IS 'btree comparison of digest';
COMMENT ON OPERATOR FAMILY modelreg.digest_ops USING hash IS 'hash comparison of digest';
COMMENT ON OPERATOR CLASS modelreg.digest_ops USING hash IS 'hash comparison of digest';

CREATE FUNCTION modelreg.digest_algorithm(digest modelreg.digest) RETURNS text AS 'MODULE_PATHNAME', 'modelreg_digest_algorithm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.digest_bytes(digest modelreg.digest) RETURNS bytea AS 'MODULE_PATHNAME', 'modelreg_digest_bytes' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.sha256_digest(data bytea) RETURNS modelreg.digest AS 'MODULE_PATHNAME', 'modelreg_sha256_digest' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.digest_algorithm(modelreg.digest) IS 'name of the algorithm, such as sha256';
COMMENT ON FUNCTION modelreg.digest_bytes(modelreg.digest) IS 'the hash itself, without its algorithm';
COMMENT ON FUNCTION modelreg.sha256_digest(bytea) IS 'SHA-256 of the bytes';

-- stage: the number of the stage in one byte. A number is never given to another stage.
CREATE TYPE modelreg.stage;

CREATE FUNCTION modelreg.stage_in(cstring) RETURNS modelreg.stage AS 'MODULE_PATHNAME', 'modelreg_stage_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.stage_out(modelreg.stage) RETURNS cstring AS 'MODULE_PATHNAME', 'modelreg_stage_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.stage_recv(internal) RETURNS modelreg.stage AS 'MODULE_PATHNAME', 'modelreg_stage_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.stage_send(modelreg.stage) RETURNS bytea AS 'MODULE_PATHNAME', 'modelreg_stage_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE modelreg.stage (
	INPUT = modelreg.stage_in, OUTPUT = modelreg.stage_out,
	RECEIVE = modelreg.stage_recv, SEND = modelreg.stage_send,
	INTERNALLENGTH = 1, PASSEDBYVALUE, ALIGNMENT = char, STORAGE = plain
);

COMMENT ON TYPE modelreg.stage IS 'what a model version may do: Experimental, Staging, Production or Archived, in this order';
COMMENT ON FUNCTION modelreg.stage_in(cstring) IS 'text to stage';
COMMENT ON FUNCTION modelreg.stage_out(modelreg.stage) IS 'stage to text';
COMMENT ON FUNCTION modelreg.stage_recv(internal) IS 'binary to stage: the name, as in its text form, so that no client needs our numbers';
COMMENT ON FUNCTION modelreg.stage_send(modelreg.stage) IS 'stage to binary: the name, as in its text form, so that no client needs our numbers';

CREATE FUNCTION modelreg.stage_eq(modelreg.stage, modelreg.stage) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_stage_eq' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.stage_ne(modelreg.stage, modelreg.stage) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_stage_ne' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.stage_lt(modelreg.stage, modelreg.stage) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_stage_lt' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.stage_le(modelreg.stage, modelreg.stage) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_stage_le' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.stage_gt(modelreg.stage, modelreg.stage) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_stage_gt' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.stage_ge(modelreg.stage, modelreg.stage) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_stage_ge' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.stage_cmp(modelreg.stage, modelreg.stage) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_stage_cmp' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.stage_hash(modelreg.stage) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_stage_hash' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.stage_hash_extended(modelreg.stage, bigint) RETURNS bigint AS 'MODULE_PATHNAME', 'modelreg_stage_hash_extended' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.stage_eq(modelreg.stage, modelreg.stage) IS 'equal';
COMMENT ON FUNCTION modelreg.stage_ne(modelreg.stage, modelreg.stage) IS 'not equal';
COMMENT ON FUNCTION modelreg.stage_lt(modelreg.stage, modelreg.stage) IS 'less than';
COMMENT ON FUNCTION modelreg.stage_le(modelreg.stage, modelreg.stage) IS 'less than or equal';
COMMENT ON FUNCTION modelreg.stage_gt(modelreg.stage, modelreg.stage) IS 'greater than';
COMMENT ON FUNCTION modelreg.stage_ge(modelreg.stage, modelreg.stage) IS 'greater than or equal';
COMMENT ON FUNCTION modelreg.stage_cmp(modelreg.stage, modelreg.stage) IS 'order: less than 0, 0 or greater than 0';
COMMENT ON FUNCTION modelreg.stage_hash(modelreg.stage) IS 'hash';
COMMENT ON FUNCTION modelreg.stage_hash_extended(modelreg.stage, bigint) IS 'hash with a seed';

CREATE OPERATOR modelreg.= (FUNCTION = modelreg.stage_eq, LEFTARG = modelreg.stage, RIGHTARG = modelreg.stage, COMMUTATOR = OPERATOR(modelreg.=), NEGATOR = OPERATOR(modelreg.<>), RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
CREATE OPERATOR modelreg.<> (FUNCTION = modelreg.stage_ne, LEFTARG = modelreg.stage, RIGHTARG = modelreg.stage, COMMUTATOR = OPERATOR(modelreg.<>), NEGATOR = OPERATOR(modelreg.=), RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
CREATE OPERATOR modelreg.< (FUNCTION = modelreg.stage_lt, LEFTARG = modelreg.stage, RIGHTARG = modelreg.stage, COMMUTATOR = OPERATOR(modelreg.>), NEGATOR = OPERATOR(modelreg.>=), RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
CREATE OPERATOR modelreg.<= (FUNCTION = modelreg.stage_le, LEFTARG = modelreg.stage, RIGHTARG = modelreg.stage, COMMUTATOR = OPERATOR(modelreg.>=), NEGATOR = OPERATOR(modelreg.>), RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
CREATE OPERATOR modelreg.> (FUNCTION = modelreg.stage_gt, LEFTARG = modelreg.stage, RIGHTARG = modelreg.stage, COMMUTATOR = OPERATOR(modelreg.<), NEGATOR = OPERATOR(modelreg.<=), RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
CREATE OPERATOR modelreg.>= (FUNCTION = modelreg.stage_ge, LEFTARG = modelreg.stage, RIGHTARG = modelreg.stage, COMMUTATOR = OPERATOR(modelreg.<=), NEGATOR = OPERATOR(modelreg.<), RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR modelreg.= (modelreg.stage, modelreg.stage) IS 'equal';
COMMENT ON OPERATOR modelreg.<> (modelreg.stage, modelreg.stage) IS 'not equal';
COMMENT ON OPERATOR modelreg.< (modelreg.stage, modelreg.stage) IS 'less than';
COMMENT ON OPERATOR modelreg.<= (modelreg.stage, modelreg.stage) IS 'less than or equal';
COMMENT ON OPERATOR modelreg.> (modelreg.stage, modelreg.stage) IS 'greater than';
COMMENT ON OPERATOR modelreg.>= (modelreg.stage, modelreg.stage) IS 'greater than or equal';

CREATE OPERATOR FAMILY modelreg.stage_ops USING btree;
CREATE OPERATOR CLASS modelreg.stage_ops DEFAULT FOR TYPE modelreg.stage USING btree FAMILY modelreg.stage_ops AS
	OPERATOR 1 modelreg.<, OPERATOR 2 modelreg.<=, OPERATOR 3 modelreg.=, OPERATOR 4 modelreg.>=, OPERATOR 5 modelreg.>,
	FUNCTION 1 modelreg.stage_cmp(modelreg.stage, modelreg.stage), FUNCTION 4 pg_catalog.btequalimage(oid);
CREATE OPERATOR FAMILY modelreg.stage_ops USING hash;
CREATE OPERATOR CLASS modelreg.stage_ops DEFAULT FOR TYPE modelreg.stage USING hash FAMILY modelreg.stage_ops AS
	OPERATOR 1 modelreg.=,
	FUNCTION 1 modelreg.stage_hash(modelreg.stage), FUNCTION 2 modelreg.stage_hash_extended(modelreg.stage, bigint);
COMMENT ON OPERATOR FAMILY modelreg.stage_ops USING btree IS 'btree comparison of stage';
COMMENT ON OPERATOR CLASS modelreg.stage_ops USING btree IS 'btree comparison of stage';
COMMENT ON OPERATOR FAMILY modelreg.stage_ops USING hash IS 'hash comparison of stage';
COMMENT ON OPERATOR CLASS modelreg.stage_ops USING hash IS 'hash comparison of stage';

-- model_uri: the canonical text of the address.
CREATE TYPE modelreg.model_uri;

CREATE FUNCTION modelreg.model_uri_in(cstring) RETURNS modelreg.model_uri AS 'MODULE_PATHNAME', 'modelreg_model_uri_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.model_uri_out(modelreg.model_uri) RETURNS cstring AS 'MODULE_PATHNAME', 'modelreg_model_uri_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.model_uri_recv(internal) RETURNS modelreg.model_uri AS 'MODULE_PATHNAME', 'modelreg_model_uri_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.model_uri_send(modelreg.model_uri) RETURNS bytea AS 'MODULE_PATHNAME', 'modelreg_model_uri_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE modelreg.model_uri (
	INPUT = modelreg.model_uri_in, OUTPUT = modelreg.model_uri_out,
	RECEIVE = modelreg.model_uri_recv, SEND = modelreg.model_uri_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = main
);

COMMENT ON TYPE modelreg.model_uri IS 'address of a model (models:/team.name), of one of its versions (/14, /latest, /Production, @champion), or the permanent id of a version (modelreg:identity/model id/version)';
COMMENT ON FUNCTION modelreg.model_uri_in(cstring) IS 'text to model_uri';
COMMENT ON FUNCTION modelreg.model_uri_out(modelreg.model_uri) IS 'model_uri to text';
COMMENT ON FUNCTION modelreg.model_uri_recv(internal) IS 'binary to model_uri: the canonical text';
COMMENT ON FUNCTION modelreg.model_uri_send(modelreg.model_uri) IS 'model_uri to binary: the canonical text';

CREATE FUNCTION modelreg.model_uri_eq(modelreg.model_uri, modelreg.model_uri) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_eq' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.model_uri_ne(modelreg.model_uri, modelreg.model_uri) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_ne' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.model_uri_lt(modelreg.model_uri, modelreg.model_uri) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_lt' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.model_uri_le(modelreg.model_uri, modelreg.model_uri) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_le' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.model_uri_gt(modelreg.model_uri, modelreg.model_uri) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_gt' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.model_uri_ge(modelreg.model_uri, modelreg.model_uri) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_ge' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.model_uri_cmp(modelreg.model_uri, modelreg.model_uri) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_bytes_cmp' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.model_uri_hash(modelreg.model_uri) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_bytes_hash' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.model_uri_hash_extended(modelreg.model_uri, bigint) RETURNS bigint AS 'MODULE_PATHNAME', 'modelreg_bytes_hash_extended' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.model_uri_eq(modelreg.model_uri, modelreg.model_uri) IS 'equal';
COMMENT ON FUNCTION modelreg.model_uri_ne(modelreg.model_uri, modelreg.model_uri) IS 'not equal';
COMMENT ON FUNCTION modelreg.model_uri_lt(modelreg.model_uri, modelreg.model_uri) IS 'less than';
COMMENT ON FUNCTION modelreg.model_uri_le(modelreg.model_uri, modelreg.model_uri) IS 'less than or equal';
COMMENT ON FUNCTION modelreg.model_uri_gt(modelreg.model_uri, modelreg.model_uri) IS 'greater than';
COMMENT ON FUNCTION modelreg.model_uri_ge(modelreg.model_uri, modelreg.model_uri) IS 'greater than or equal';
COMMENT ON FUNCTION modelreg.model_uri_cmp(modelreg.model_uri, modelreg.model_uri) IS 'order: less than 0, 0 or greater than 0';
COMMENT ON FUNCTION modelreg.model_uri_hash(modelreg.model_uri) IS 'hash';
COMMENT ON FUNCTION modelreg.model_uri_hash_extended(modelreg.model_uri, bigint) IS 'hash with a seed';

CREATE OPERATOR modelreg.= (FUNCTION = modelreg.model_uri_eq, LEFTARG = modelreg.model_uri, RIGHTARG = modelreg.model_uri, COMMUTATOR = OPERATOR(modelreg.=), NEGATOR = OPERATOR(modelreg.<>), RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
CREATE OPERATOR modelreg.<> (FUNCTION = modelreg.model_uri_ne, LEFTARG = modelreg.model_uri, RIGHTARG = modelreg.model_uri, COMMUTATOR = OPERATOR(modelreg.<>), NEGATOR = OPERATOR(modelreg.=), RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
CREATE OPERATOR modelreg.< (FUNCTION = modelreg.model_uri_lt, LEFTARG = modelreg.model_uri, RIGHTARG = modelreg.model_uri, COMMUTATOR = OPERATOR(modelreg.>), NEGATOR = OPERATOR(modelreg.>=), RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
CREATE OPERATOR modelreg.<= (FUNCTION = modelreg.model_uri_le, LEFTARG = modelreg.model_uri, RIGHTARG = modelreg.model_uri, COMMUTATOR = OPERATOR(modelreg.>=), NEGATOR = OPERATOR(modelreg.>), RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
CREATE OPERATOR modelreg.> (FUNCTION = modelreg.model_uri_gt, LEFTARG = modelreg.model_uri, RIGHTARG = modelreg.model_uri, COMMUTATOR = OPERATOR(modelreg.<), NEGATOR = OPERATOR(modelreg.<=), RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
CREATE OPERATOR modelreg.>= (FUNCTION = modelreg.model_uri_ge, LEFTARG = modelreg.model_uri, RIGHTARG = modelreg.model_uri, COMMUTATOR = OPERATOR(modelreg.<=), NEGATOR = OPERATOR(modelreg.<), RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR modelreg.= (modelreg.model_uri, modelreg.model_uri) IS 'equal';
COMMENT ON OPERATOR modelreg.<> (modelreg.model_uri, modelreg.model_uri) IS 'not equal';
COMMENT ON OPERATOR modelreg.< (modelreg.model_uri, modelreg.model_uri) IS 'less than';
COMMENT ON OPERATOR modelreg.<= (modelreg.model_uri, modelreg.model_uri) IS 'less than or equal';
COMMENT ON OPERATOR modelreg.> (modelreg.model_uri, modelreg.model_uri) IS 'greater than';
COMMENT ON OPERATOR modelreg.>= (modelreg.model_uri, modelreg.model_uri) IS 'greater than or equal';

CREATE OPERATOR FAMILY modelreg.model_uri_ops USING btree;
CREATE OPERATOR CLASS modelreg.model_uri_ops DEFAULT FOR TYPE modelreg.model_uri USING btree FAMILY modelreg.model_uri_ops AS
	OPERATOR 1 modelreg.<, OPERATOR 2 modelreg.<=, OPERATOR 3 modelreg.=, OPERATOR 4 modelreg.>=, OPERATOR 5 modelreg.>,
	FUNCTION 1 modelreg.model_uri_cmp(modelreg.model_uri, modelreg.model_uri), FUNCTION 4 pg_catalog.btequalimage(oid);
CREATE OPERATOR FAMILY modelreg.model_uri_ops USING hash;
CREATE OPERATOR CLASS modelreg.model_uri_ops DEFAULT FOR TYPE modelreg.model_uri USING hash FAMILY modelreg.model_uri_ops AS
	OPERATOR 1 modelreg.=,
	FUNCTION 1 modelreg.model_uri_hash(modelreg.model_uri), FUNCTION 2 modelreg.model_uri_hash_extended(modelreg.model_uri, bigint);
COMMENT ON OPERATOR FAMILY modelreg.model_uri_ops USING btree IS 'btree comparison of model_uri';
COMMENT ON OPERATOR CLASS modelreg.model_uri_ops USING btree IS 'btree comparison of model_uri';
COMMENT ON OPERATOR FAMILY modelreg.model_uri_ops USING hash IS 'hash comparison of model_uri';
COMMENT ON OPERATOR CLASS modelreg.model_uri_ops USING hash IS 'hash comparison of model_uri';

CREATE FUNCTION modelreg.uri_kind(uri modelreg.model_uri) RETURNS text AS 'MODULE_PATHNAME', 'modelreg_uri_kind' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.uri_team(uri modelreg.model_uri) RETURNS text AS 'MODULE_PATHNAME', 'modelreg_uri_team' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.uri_model(uri modelreg.model_uri) RETURNS text AS 'MODULE_PATHNAME', 'modelreg_uri_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.uri_version(uri modelreg.model_uri) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_uri_version' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.uri_stage(uri modelreg.model_uri) RETURNS modelreg.stage AS 'MODULE_PATHNAME', 'modelreg_uri_stage' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.uri_alias(uri modelreg.model_uri) RETURNS text AS 'MODULE_PATHNAME', 'modelreg_uri_alias' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.uri_identity(uri modelreg.model_uri) RETURNS uuid AS 'MODULE_PATHNAME', 'modelreg_uri_identity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.uri_model_id(uri modelreg.model_uri) RETURNS bigint AS 'MODULE_PATHNAME', 'modelreg_uri_model_id' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.uri_kind(modelreg.model_uri) IS 'model, version, latest, stage, alias or permanent';
COMMENT ON FUNCTION modelreg.uri_team(modelreg.model_uri) IS 'team; NULL in a permanent id';
COMMENT ON FUNCTION modelreg.uri_model(modelreg.model_uri) IS 'model with its team, as every function takes it; NULL in a permanent id';
COMMENT ON FUNCTION modelreg.uri_version(modelreg.model_uri) IS 'version number; NULL where the address gives none';
COMMENT ON FUNCTION modelreg.uri_stage(modelreg.model_uri) IS 'stage; NULL where the address gives none';
COMMENT ON FUNCTION modelreg.uri_alias(modelreg.model_uri) IS 'alias; NULL where the address gives none';
COMMENT ON FUNCTION modelreg.uri_identity(modelreg.model_uri) IS 'registry identity of a permanent id; else NULL';
COMMENT ON FUNCTION modelreg.uri_model_id(modelreg.model_uri) IS 'model id of a permanent id; else NULL';

-- Names, for who wants to know before calling a verb.
CREATE FUNCTION modelreg.check_name(sort text, name text) RETURNS text AS 'MODULE_PATHNAME', 'modelreg_check_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.parse_node_key(key text, OUT kind text, OUT team text, OUT name text, OUT version text, OUT canonical text) RETURNS record AS 'MODULE_PATHNAME', 'modelreg_parse_node_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.check_name(text, text) IS 'the name, or the error that a verb would raise for it; sort is team, object (what follows the team), qualified (both) or alias';
COMMENT ON FUNCTION modelreg.parse_node_key(text) IS 'the parts of a lineage node''s key and its canonical form; without a version that part is the empty text';

-- What base and types have computes from its arguments alone and reads nothing, so anybody may call it; what follows names
-- each function that anybody may.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA modelreg FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA modelreg TO PUBLIC;
