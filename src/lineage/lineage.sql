-- lineage: nodes, the edges between them, and walking along these

-- Drawn after a node's inputs were found and never cached, so that a node's id is greater than those of its inputs.
CREATE SEQUENCE modelreg.node_id_seq CACHE 1;
COMMENT ON SEQUENCE modelreg.node_id_seq IS 'Ids of lineage nodes; their order is a topological one.';

CREATE TABLE modelreg.node (
	id bigint NOT NULL CONSTRAINT node_pkey PRIMARY KEY,
	team_id bigint NOT NULL,
	batch bigint,
	kind text COLLATE "C" NOT NULL,
	name text COLLATE "C" NOT NULL,
	version text COLLATE "C" NOT NULL,
	supersedes bigint,
	level integer NOT NULL,
	low bigint NOT NULL,
	input_roles text[] COLLATE "C" NOT NULL,
	input_ids bigint[] NOT NULL,
	uri text COLLATE "C",
	digest text COLLATE "C",
	rows bigint,
	properties bytea,
	who jsonb NOT NULL,
	recorded_at timestamptz NOT NULL,
	occurred_at timestamptz,
	hash bytea NOT NULL,
	format smallint NOT NULL DEFAULT 1,
	CONSTRAINT node_key UNIQUE (team_id, kind, name, version),
	CONSTRAINT node_order CHECK (level >= 0 AND low > 0 AND low <= id AND supersedes < id AND id > ALL (input_ids)
		AND cardinality(input_ids) = cardinality(input_roles)),
	CONSTRAINT node_hash CHECK (CASE format WHEN 1 THEN hash = modelreg.row_hash('node', format, id, team_id, batch, kind, name,
		version, supersedes, level, low, input_roles, input_ids, uri, digest, rows, properties, who, recorded_at, occurred_at) END IS TRUE)
);
-- Walks look here for what stands for a node, and for what a node stands for; few nodes supersede.
CREATE INDEX node_superseding ON modelreg.node (supersedes, id) WHERE supersedes IS NOT NULL;
CREATE INDEX node_superseded ON modelreg.node (id, supersedes) WHERE supersedes IS NOT NULL;
COMMENT ON TABLE modelreg.node IS 'What lineage is about: commits, transforms, feature-store versions, snapshots, runs, model versions and the kinds that users name; written once.';
COMMENT ON COLUMN modelreg.node.id IS 'Greater than the ids of its inputs and of what it supersedes.';
COMMENT ON COLUMN modelreg.node.team_id IS 'The team that owns it.';
COMMENT ON COLUMN modelreg.node.batch IS 'The set of facts that it was recorded with; null when a registration''s event covers it.';
COMMENT ON COLUMN modelreg.node.kind IS 'commit, transform, snapshot, run, version, or a kind that users name.';
COMMENT ON COLUMN modelreg.node.name IS 'Name in the team; of a version the permanent id of its model, as names of models can change hands.';
COMMENT ON COLUMN modelreg.node.version IS 'Version of what the name says; empty when there is none.';
COMMENT ON COLUMN modelreg.node.supersedes IS 'The node of the same kind and team that this one stands for, because that was wrong or not all.';
COMMENT ON COLUMN modelreg.node.level IS 'Length of the longest path to it: 0 without inputs, else 1 more than the greatest level of an input.';
COMMENT ON COLUMN modelreg.node.low IS 'The smallest id among itself and all that it derives from.';
COMMENT ON COLUMN modelreg.node.input_roles IS 'Roles of its inputs, ordered by role and id.';
COMMENT ON COLUMN modelreg.node.input_ids IS 'Ids of its inputs, in the same order.';
COMMENT ON COLUMN modelreg.node.uri IS 'Where it is; nothing is fetched from there.';
COMMENT ON COLUMN modelreg.node.digest IS 'Digest of its content, such as sha256:....';
COMMENT ON COLUMN modelreg.node.rows IS 'Number of rows, of data.';
COMMENT ON COLUMN modelreg.node.properties IS 'Salted digest of its properties, a JSON object in the payload table; member schema is the schema of data.';
COMMENT ON COLUMN modelreg.node.who IS 'Calling role, and outer and session role where they differ, by name and OID.';
COMMENT ON COLUMN modelreg.node.recorded_at IS 'When it was recorded, by the server''s clock.';
COMMENT ON COLUMN modelreg.node.occurred_at IS 'When it happened, as claimed by who recorded it; null when nothing was claimed.';
COMMENT ON COLUMN modelreg.node.hash IS 'Hash of the columns before this one.';
COMMENT ON COLUMN modelreg.node.format IS 'Version of the row format, hashed too.';

-- Kinds and roles are text and no codes: both are open sets, and a dictionary for all teams would be one more table to lock,
-- chain and verify, and would show one team the words of another.
CREATE TABLE modelreg.edge (
	child bigint NOT NULL,
	parent bigint NOT NULL,
	parent_low bigint NOT NULL,
	child_team bigint NOT NULL,
	parent_team bigint NOT NULL,
	parent_level integer NOT NULL,
	role text COLLATE "C" NOT NULL,
	child_kind text COLLATE "C" NOT NULL,
	parent_kind text COLLATE "C" NOT NULL,
	CONSTRAINT edge_order CHECK (parent < child)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02);
-- In the order of walks: upstream ids descend. Columns of a fixed width come first, which is quicker to read; what is between
-- parent and role follows from the parent, so an edge is unique by child, parent and role.
CREATE UNIQUE INDEX edge_up ON modelreg.edge (child DESC, parent, parent_low, parent_team, parent_level, role) INCLUDE (parent_kind) WITH (fillfactor = 100);
CREATE INDEX edge_down ON modelreg.edge (parent, child, child_team, role) INCLUDE (child_kind);
COMMENT ON TABLE modelreg.edge IS 'A row per input of a node. The node''s hash covers its inputs; walks read only the two indexes.';
COMMENT ON COLUMN modelreg.edge.child IS 'The node that has the input.';
COMMENT ON COLUMN modelreg.edge.parent IS 'The input, a node with a smaller id.';
COMMENT ON COLUMN modelreg.edge.parent_low IS 'Column low of the input.';
COMMENT ON COLUMN modelreg.edge.child_team IS 'Team of the node, whose members may read the edge.';
COMMENT ON COLUMN modelreg.edge.parent_team IS 'Team of the input.';
COMMENT ON COLUMN modelreg.edge.parent_level IS 'Column level of the input.';
COMMENT ON COLUMN modelreg.edge.role IS 'What the input was used as: training, validation, test, features, code, base, run, ..., or a role that users name.';
COMMENT ON COLUMN modelreg.edge.child_kind IS 'Kind of the node.';
COMMENT ON COLUMN modelreg.edge.parent_kind IS 'Kind of the input.';

ALTER TABLE modelreg.node ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.node FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
ALTER TABLE modelreg.edge ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.edge FOR SELECT USING (child_team = ANY ((SELECT modelreg.readable_teams())::bigint[]));
-- Rows are shown by policy, so the right to look may be everybody's; but not at what an edge says of a parent, which can be
-- another team's. Members of the child's team learn that there is one, and in which role.
GRANT SELECT ON modelreg.node TO PUBLIC;
GRANT SELECT (child, parent, child_team, role, child_kind) ON modelreg.edge TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('modelreg.node_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.node', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.edge', '');

CREATE FUNCTION modelreg.record_node(kind text, name text, version text DEFAULT '', inputs jsonb DEFAULT NULL, properties jsonb DEFAULT NULL,
	uri text DEFAULT NULL, digest text DEFAULT NULL, supersedes text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL, request_id text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_record_node' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.record_node(text, text, text, jsonb, jsonb, text, text, text, timestamptz, text) IS 'Records a node of the lineage, named team.name, with its inputs by role ({"training": ["snapshot:team.name@version"]}); returns its address. The same again changes nothing; what was wrong is said by a new node that supersedes this one. Needs contributor.';

CREATE FUNCTION modelreg.record_run(name text, inputs jsonb DEFAULT NULL, properties jsonb DEFAULT NULL, supersedes text DEFAULT NULL,
	occurred_at timestamptz DEFAULT NULL, request_id text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_record_run' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.record_run(text, jsonb, jsonb, text, timestamptz, text) IS 'Records a training run with what it read: record_node() of kind run. Needs contributor.';

CREATE FUNCTION modelreg.record_snapshot(name text, version text, uri text DEFAULT NULL, schema jsonb DEFAULT NULL, rows bigint DEFAULT NULL,
	digest text DEFAULT NULL, inputs jsonb DEFAULT NULL, properties jsonb DEFAULT NULL, supersedes text DEFAULT NULL,
	occurred_at timestamptz DEFAULT NULL, request_id text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'modelreg_record_snapshot' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.record_snapshot(text, text, text, jsonb, bigint, text, jsonb, jsonb, text, timestamptz, text) IS 'Records a snapshot of data: record_node() of kind snapshot, with its schema (kept as member schema of its properties) and number of rows. Needs contributor.';

CREATE FUNCTION modelreg.record_nodes(nodes text[], inputs jsonb[] DEFAULT NULL, properties jsonb[] DEFAULT NULL, uris text[] DEFAULT NULL,
	digests text[] DEFAULT NULL, rows bigint[] DEFAULT NULL, supersedes text[] DEFAULT NULL, occurred_at timestamptz[] DEFAULT NULL,
	request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_record_nodes' LANGUAGE C VOLATILE COST 10000;
COMMENT ON FUNCTION modelreg.record_nodes(text[], jsonb[], jsonb[], text[], text[], bigint[], text[], timestamptz[], text) IS 'Records many nodes of one team in one call, such as a history: nodes are addresses (kind:team.name@version), the other arrays have an element for each, in which null stands for nothing. inputs and supersedes may name nodes that come earlier in the call. Returns how many were new; those that were recorded already with the same content change nothing. Some 10000 nodes a call are a good size. Needs contributor.';

REVOKE ALL ON FUNCTION modelreg.record_node(text, text, text, jsonb, jsonb, text, text, text, timestamptz, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION modelreg.record_run(text, jsonb, jsonb, text, timestamptz, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION modelreg.record_snapshot(text, text, text, jsonb, bigint, text, jsonb, jsonb, text, timestamptz, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION modelreg.record_nodes(text[], jsonb[], jsonb[], text[], text[], bigint[], text[], timestamptz[], text) FROM PUBLIC;
-- The functions themselves ask for the level contributor.
GRANT EXECUTE ON FUNCTION modelreg.record_nodes(text[], jsonb[], jsonb[], text[], text[], bigint[], text[], timestamptz[], text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.record_node(text, text, text, jsonb, jsonb, text, text, text, timestamptz, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.record_run(text, jsonb, jsonb, text, timestamptz, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.record_snapshot(text, text, text, jsonb, bigint, text, jsonb, jsonb, text, timestamptz, text) TO PUBLIC;

CREATE FUNCTION modelreg.upstream(node text, roles text[] DEFAULT NULL, kinds text[] DEFAULT NULL, max_depth integer DEFAULT NULL)
	RETURNS TABLE (depth integer, role text, kind text, team text, name text, version text, address text, by_supersession boolean,
		recorded_at timestamptz, node_id bigint)
	AS 'MODULE_PATHNAME', 'modelreg_upstream' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 100;
COMMENT ON FUNCTION modelreg.upstream(text, text[], text[], integer) IS 'What a node was made from, step by step: a row per node and role of the last step, at the least depth. The walk goes through everything up to max_depth; roles and kinds choose which of the visited nodes are shown. A node of a team that the caller may not read is a row without content, and without role where only that team''s record says it. by_supersession: every shortest way there passes over a node that stands, at the same depth, for another which it supersedes; edges alone lead there in more steps, or not at all.';

CREATE FUNCTION modelreg.downstream(node text, roles text[] DEFAULT NULL, kinds text[] DEFAULT NULL, max_depth integer DEFAULT NULL)
	RETURNS TABLE (depth integer, role text, kind text, team text, name text, version text, address text, by_supersession boolean,
		recorded_at timestamptz, node_id bigint)
	AS 'MODULE_PATHNAME', 'modelreg_downstream' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 100;
COMMENT ON FUNCTION modelreg.downstream(text, text[], text[], integer) IS 'What was made from a node, step by step; in all else as upstream(). What was made from a node that it supersedes counts as made from it.';

CREATE FUNCTION modelreg.upstream_ids(node text, roles text[] DEFAULT NULL, kinds text[] DEFAULT NULL, max_depth integer DEFAULT NULL) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'modelreg_upstream_ids' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION modelreg.upstream_ids(text, text[], text[], integer) IS 'The node_id that upstream() shows with the same arguments, each once and ascending, and an empty array for none: to count what a node was made from by cardinality(), or to join it. No row is read for them. A node of a team that the caller may not read has none.';

CREATE FUNCTION modelreg.downstream_ids(node text, roles text[] DEFAULT NULL, kinds text[] DEFAULT NULL, max_depth integer DEFAULT NULL) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'modelreg_downstream_ids' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION modelreg.downstream_ids(text, text[], text[], integer) IS 'The node_id that downstream() shows with the same arguments; in all else as upstream_ids().';

REVOKE ALL ON FUNCTION modelreg.upstream(text, text[], text[], integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION modelreg.downstream(text, text[], text[], integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION modelreg.upstream_ids(text, text[], text[], integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION modelreg.downstream_ids(text, text[], text[], integer) FROM PUBLIC;
-- They show what the caller may read.
GRANT EXECUTE ON FUNCTION modelreg.upstream(text, text[], text[], integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.downstream(text, text[], text[], integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.upstream_ids(text, text[], text[], integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.downstream_ids(text, text[], text[], integer) TO PUBLIC;

CREATE FUNCTION modelreg.lineage(node text, roles text[] DEFAULT NULL, kinds text[] DEFAULT NULL, max_depth integer DEFAULT NULL)
	RETURNS TABLE (direction text, depth integer, role text, kind text, team text, name text, version text, address text,
		by_supersession boolean, recorded_at timestamptz, node_id bigint)
	AS 'MODULE_PATHNAME', 'modelreg_lineage' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 200;
COMMENT ON FUNCTION modelreg.lineage(text, text[], text[], integer) IS 'Both directions: the rows of upstream() and of downstream().';

CREATE FUNCTION modelreg.is_derived_from(node text, ancestor text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'modelreg_is_derived_from' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION modelreg.is_derived_from(text, text) IS 'Whether the ancestor is upstream of the node, over however many steps; false for a node and itself.';

CREATE FUNCTION modelreg.path(node text, ancestor text)
	RETURNS TABLE (depth integer, role text, kind text, team text, name text, version text, address text, by_supersession boolean,
		recorded_at timestamptz, node_id bigint)
	AS 'MODULE_PATHNAME', 'modelreg_path' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION modelreg.path(text, text) IS 'A shortest path from a node up to one that it derives from, both included, a row per node; no row when it does not derive from it. role is that in which the node of the row before has it as input; null at the same depth: it supersedes that one. What the caller may not read is a row without content.';

CREATE FUNCTION modelreg.path_nodes(node text, ancestor text)
	RETURNS TABLE (depth integer, role text, kind text, team text, name text, version text, address text, by_supersession boolean,
		recorded_at timestamptz, node_id bigint)
	AS 'MODULE_PATHNAME', 'modelreg_path_nodes' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 100;
COMMENT ON FUNCTION modelreg.path_nodes(text, text) IS 'All nodes on any path from a node up to one that it derives from, both included, in the rows of upstream(); no row when it does not derive from it.';

CREATE FUNCTION modelreg.common_upstream(a text, b text)
	RETURNS TABLE (depth_a integer, depth_b integer, kind text, team text, name text, version text, address text, by_supersession boolean,
		recorded_at timestamptz, node_id bigint)
	AS 'MODULE_PATHNAME', 'modelreg_common_upstream' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 100;
COMMENT ON FUNCTION modelreg.common_upstream(text, text) IS 'What two nodes were both made from, with the depth from each; one of the two is among it, at depth 0, when the other derives from it. by_supersession is that of upstream() from at least one of them. What the caller may not read is a row of depths.';

REVOKE ALL ON FUNCTION modelreg.lineage(text, text[], text[], integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION modelreg.is_derived_from(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION modelreg.path(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION modelreg.path_nodes(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION modelreg.common_upstream(text, text) FROM PUBLIC;
-- They show what the caller may read.
GRANT EXECUTE ON FUNCTION modelreg.lineage(text, text[], text[], integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.is_derived_from(text, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.path(text, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.path_nodes(text, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.common_upstream(text, text) TO PUBLIC;
