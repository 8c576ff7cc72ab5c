-- traffic_split: which share of the traffic each version has; stored as its canonical text.
CREATE TYPE modelreg.traffic_split;

CREATE FUNCTION modelreg.traffic_split_in(cstring) RETURNS modelreg.traffic_split AS 'MODULE_PATHNAME', 'modelreg_traffic_split_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.traffic_split_out(modelreg.traffic_split) RETURNS cstring AS 'MODULE_PATHNAME', 'modelreg_traffic_split_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.traffic_split_recv(internal) RETURNS modelreg.traffic_split AS 'MODULE_PATHNAME', 'modelreg_traffic_split_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.traffic_split_send(modelreg.traffic_split) RETURNS bytea AS 'MODULE_PATHNAME', 'modelreg_traffic_split_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE modelreg.traffic_split (
	INPUT = modelreg.traffic_split_in, OUTPUT = modelreg.traffic_split_out,
	RECEIVE = modelreg.traffic_split_recv, SEND = modelreg.traffic_split_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = main
);

COMMENT ON TYPE modelreg.traffic_split IS 'shares of the traffic of versions, which add up to exactly 100%: {13: 95%, 14: 5%}, with up to four decimals; a version of another model is written search.other-model/2';
COMMENT ON FUNCTION modelreg.traffic_split_in(cstring) IS 'text to traffic_split';
COMMENT ON FUNCTION modelreg.traffic_split_out(modelreg.traffic_split) IS 'traffic_split to text';
COMMENT ON FUNCTION modelreg.traffic_split_recv(internal) IS 'binary to traffic_split: the canonical text';
COMMENT ON FUNCTION modelreg.traffic_split_send(modelreg.traffic_split) IS 'traffic_split to binary: the canonical text';

CREATE FUNCTION modelreg.traffic_split_eq(modelreg.traffic_split, modelreg.traffic_split) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_eq' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.traffic_split_ne(modelreg.traffic_split, modelreg.traffic_split) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_ne' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.traffic_split_lt(modelreg.traffic_split, modelreg.traffic_split) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_lt' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.traffic_split_le(modelreg.traffic_split, modelreg.traffic_split) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_le' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.traffic_split_gt(modelreg.traffic_split, modelreg.traffic_split) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_gt' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.traffic_split_ge(modelreg.traffic_split, modelreg.traffic_split) RETURNS boolean AS 'MODULE_PATHNAME', 'modelreg_bytes_ge' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.traffic_split_cmp(modelreg.traffic_split, modelreg.traffic_split) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_bytes_cmp' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.traffic_split_hash(modelreg.traffic_split) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_bytes_hash' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION modelreg.traffic_split_hash_extended(modelreg.traffic_split, bigint) RETURNS bigint AS 'MODULE_PATHNAME', 'modelreg_bytes_hash_extended' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.traffic_split_eq(modelreg.traffic_split, modelreg.traffic_split) IS 'equal';
COMMENT ON FUNCTION modelreg.traffic_split_ne(modelreg.traffic_split, modelreg.traffic_split) IS 'not equal';
COMMENT ON FUNCTION modelreg.traffic_split_lt(modelreg.traffic_split, modelreg.traffic_split) IS 'less than';
COMMENT ON FUNCTION modelreg.traffic_split_le(modelreg.traffic_split, modelreg.traffic_split) IS 'less than or equal';
COMMENT ON FUNCTION modelreg.traffic_split_gt(modelreg.traffic_split, modelreg.traffic_split) IS 'greater than';
COMMENT ON FUNCTION modelreg.traffic_split_ge(modelreg.traffic_split, modelreg.traffic_split) IS 'greater than or equal';
COMMENT ON FUNCTION modelreg.traffic_split_cmp(modelreg.traffic_split, modelreg.traffic_split) IS 'order: less than 0, 0 or greater than 0';
COMMENT ON FUNCTION modelreg.traffic_split_hash(modelreg.traffic_split) IS 'hash';
COMMENT ON FUNCTION modelreg.traffic_split_hash_extended(modelreg.traffic_split, bigint) IS 'hash with a seed';

CREATE OPERATOR modelreg.= (FUNCTION = modelreg.traffic_split_eq, LEFTARG = modelreg.traffic_split, RIGHTARG = modelreg.traffic_split, COMMUTATOR = OPERATOR(modelreg.=), NEGATOR = OPERATOR(modelreg.<>), RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
CREATE OPERATOR modelreg.<> (FUNCTION = modelreg.traffic_split_ne, LEFTARG = modelreg.traffic_split, RIGHTARG = modelreg.traffic_split, COMMUTATOR = OPERATOR(modelreg.<>), NEGATOR = OPERATOR(modelreg.=), RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
CREATE OPERATOR modelreg.< (FUNCTION = modelreg.traffic_split_lt, LEFTARG = modelreg.traffic_split, RIGHTARG = modelreg.traffic_split, COMMUTATOR = OPERATOR(modelreg.>), NEGATOR = OPERATOR(modelreg.>=), RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
CREATE OPERATOR modelreg.<= (FUNCTION = modelreg.traffic_split_le, LEFTARG = modelreg.traffic_split, RIGHTARG = modelreg.traffic_split, COMMUTATOR = OPERATOR(modelreg.>=), NEGATOR = OPERATOR(modelreg.>), RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
CREATE OPERATOR modelreg.> (FUNCTION = modelreg.traffic_split_gt, LEFTARG = modelreg.traffic_split, RIGHTARG = modelreg.traffic_split, COMMUTATOR = OPERATOR(modelreg.<), NEGATOR = OPERATOR(modelreg.<=), RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
CREATE OPERATOR modelreg.>= (FUNCTION = modelreg.traffic_split_ge, LEFTARG = modelreg.traffic_split, RIGHTARG = modelreg.traffic_split, COMMUTATOR = OPERATOR(modelreg.<=), NEGATOR = OPERATOR(modelreg.<), RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR modelreg.= (modelreg.traffic_split, modelreg.traffic_split) IS 'equal';
COMMENT ON OPERATOR modelreg.<> (modelreg.traffic_split, modelreg.traffic_split) IS 'not equal';
COMMENT ON OPERATOR modelreg.< (modelreg.traffic_split, modelreg.traffic_split) IS 'less than';
COMMENT ON OPERATOR modelreg.<= (modelreg.traffic_split, modelreg.traffic_split) IS 'less than or equal';
COMMENT ON OPERATOR modelreg.> (modelreg.traffic_split, modelreg.traffic_split) IS 'greater than';
COMMENT ON OPERATOR modelreg.>= (modelreg.traffic_split, modelreg.traffic_split) IS 'greater than or equal';

CREATE OPERATOR FAMILY modelreg.traffic_split_ops USING btree;
CREATE OPERATOR CLASS modelreg.traffic_split_ops DEFAULT FOR TYPE modelreg.traffic_split USING btree FAMILY modelreg.traffic_split_ops AS
	OPERATOR 1 modelreg.<, OPERATOR 2 modelreg.<=, OPERATOR 3 modelreg.=, OPERATOR 4 modelreg.>=, OPERATOR 5 modelreg.>,
	FUNCTION 1 modelreg.traffic_split_cmp(modelreg.traffic_split, modelreg.traffic_split), FUNCTION 4 pg_catalog.btequalimage(oid);
CREATE OPERATOR FAMILY modelreg.traffic_split_ops USING hash;
CREATE OPERATOR CLASS modelreg.traffic_split_ops DEFAULT FOR TYPE modelreg.traffic_split USING hash FAMILY modelreg.traffic_split_ops AS
	OPERATOR 1 modelreg.=,
	FUNCTION 1 modelreg.traffic_split_hash(modelreg.traffic_split), FUNCTION 2 modelreg.traffic_split_hash_extended(modelreg.traffic_split, bigint);
COMMENT ON OPERATOR FAMILY modelreg.traffic_split_ops USING btree IS 'btree comparison of traffic_split';
COMMENT ON OPERATOR CLASS modelreg.traffic_split_ops USING btree IS 'btree comparison of traffic_split';
COMMENT ON OPERATOR FAMILY modelreg.traffic_split_ops USING hash IS 'hash comparison of traffic_split';
COMMENT ON OPERATOR CLASS modelreg.traffic_split_ops USING hash IS 'hash comparison of traffic_split';

CREATE FUNCTION modelreg.share(split modelreg.traffic_split, version integer) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_share' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.arm_share(split modelreg.traffic_split, arm text) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_arm_share' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.arm_count(split modelreg.traffic_split) RETURNS integer AS 'MODULE_PATHNAME', 'modelreg_arm_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION modelreg.arms(split modelreg.traffic_split, OUT arm text, OUT model text, OUT version integer, OUT share integer, OUT percent float8) RETURNS SETOF record AS 'MODULE_PATHNAME', 'modelreg_arms' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION modelreg.share(modelreg.traffic_split, integer) IS 'share of a version in millionths; 0 if it has none';
COMMENT ON FUNCTION modelreg.arm_share(modelreg.traffic_split, text) IS 'share of an arm, as the split writes it, in millionths; 0 if it has none';
COMMENT ON FUNCTION modelreg.arm_count(modelreg.traffic_split) IS 'number of arms';
COMMENT ON FUNCTION modelreg.arms(modelreg.traffic_split) IS 'a row for each arm, in the order of the split: the arm, its model (null of a bare version number), version, share in millionths and in percent';

-- As types.sql has it for what came before.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA modelreg FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA modelreg TO PUBLIC;
