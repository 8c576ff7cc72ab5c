-- registry: lineage for joining with everything else; addresses of versions have the model's name

CREATE VIEW modelreg.lineage_nodes WITH (security_invoker, security_barrier) AS
	SELECT n.id AS node_id, t.name::text COLLATE "default" AS team, n.kind::text COLLATE "default" AS kind,
		COALESCE(m.name, n.name)::text COLLATE "default" AS name, n.version::text COLLATE "default" AS version,
		(CASE WHEN n.kind <> 'version' THEN n.kind || ':' || t.name || '.' || n.name || CASE n.version WHEN '' THEN '' ELSE '@' || n.version END
			WHEN m.retired_at IS NULL THEN 'models:/' || t.name || '.' || m.name || '/' || n.version
			ELSE 'modelreg:' || v.identity || '/' || m.id || '/' || n.version END)::text COLLATE "default" AS address,
		v.model_id, v.version AS model_version, n.uri::text COLLATE "default" AS uri, n.digest::text COLLATE "default" AS digest, n.rows,
		p.body::jsonb -> 'schema' AS schema, p.body::jsonb - 'schema' AS properties, pg_catalog.encode(n.properties, 'hex') AS properties_digest,
		n.supersedes AS supersedes_id,
		(SELECT min(s.id) FROM modelreg.node s WHERE s.supersedes = n.id) AS superseded_by_id,
		n.level, pg_catalog.cardinality(n.input_ids) AS inputs, n.who->>'role' AS role, COALESCE(n.who->>'session', n.who->>'role') AS session_role,
		n.recorded_at, n.occurred_at, pg_catalog.encode(n.hash, 'hex') AS hash
	FROM modelreg.node n
		JOIN modelreg.team t ON t.id = n.team_id
		LEFT JOIN modelreg.version v ON v.node_id = n.id
		LEFT JOIN modelreg.model m ON m.id = v.model_id
		LEFT JOIN modelreg.payload p ON p.digest = n.properties;
COMMENT ON VIEW modelreg.lineage_nodes IS 'One row per lineage node that the caller may read.';
COMMENT ON COLUMN modelreg.lineage_nodes.node_id IS 'Id of the node, as lineage_edges, upstream() and impact() give it.';
COMMENT ON COLUMN modelreg.lineage_nodes.team IS 'Name of the team that owns it.';
COMMENT ON COLUMN modelreg.lineage_nodes.kind IS 'commit, transform, snapshot, run, version, or a kind that users name.';
COMMENT ON COLUMN modelreg.lineage_nodes.name IS 'Name in the team; of a version that of its model.';
COMMENT ON COLUMN modelreg.lineage_nodes.version IS 'Version of what the name says; empty when there is none.';
COMMENT ON COLUMN modelreg.lineage_nodes.address IS 'Its address, as every function takes it; the permanent id for versions of retired models.';
COMMENT ON COLUMN modelreg.lineage_nodes.model_id IS 'Permanent id of the model, of a version.';
COMMENT ON COLUMN modelreg.lineage_nodes.model_version IS 'Number of the version, of a version.';
COMMENT ON COLUMN modelreg.lineage_nodes.uri IS 'Where it is.';
COMMENT ON COLUMN modelreg.lineage_nodes.digest IS 'Digest of its content.';
COMMENT ON COLUMN modelreg.lineage_nodes.rows IS 'Number of rows, of data.';
COMMENT ON COLUMN modelreg.lineage_nodes.schema IS 'Schema of the data; null also when it was redacted.';
COMMENT ON COLUMN modelreg.lineage_nodes.properties IS 'The other properties; null also when they were redacted.';
COMMENT ON COLUMN modelreg.lineage_nodes.properties_digest IS 'Digest of schema and properties, as redact() takes it.';
COMMENT ON COLUMN modelreg.lineage_nodes.supersedes_id IS 'The node that this one stands for, because that was wrong or not all.';
COMMENT ON COLUMN modelreg.lineage_nodes.superseded_by_id IS 'The first node that stands for this one.';
COMMENT ON COLUMN modelreg.lineage_nodes.level IS 'Length of the longest path to it: 0 without inputs.';
COMMENT ON COLUMN modelreg.lineage_nodes.inputs IS 'Number of its inputs.';
COMMENT ON COLUMN modelreg.lineage_nodes.role IS 'The database role that recorded it.';
COMMENT ON COLUMN modelreg.lineage_nodes.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.lineage_nodes.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN modelreg.lineage_nodes.occurred_at IS 'When it happened, as claimed by who recorded it.';
COMMENT ON COLUMN modelreg.lineage_nodes.hash IS 'Hash of its row, in hexadecimal.';
GRANT SELECT ON modelreg.lineage_nodes TO PUBLIC;

CREATE VIEW modelreg.lineage_edges WITH (security_invoker, security_barrier) AS
	SELECT e.child AS child_id, ct.name::text COLLATE "default" AS child_team, e.child_kind::text COLLATE "default" AS child_kind,
		e.role::text COLLATE "default" AS role, p.id AS parent_id, pt.name::text COLLATE "default" AS parent_team,
		p.kind::text COLLATE "default" AS parent_kind, p.id IS NOT NULL AS parent_readable, c.recorded_at
	FROM modelreg.edge e
		JOIN modelreg.node c ON c.id = e.child
		JOIN modelreg.team ct ON ct.id = e.child_team
		LEFT JOIN modelreg.node p ON p.id = e.parent
		LEFT JOIN modelreg.team pt ON pt.id = p.team_id;
COMMENT ON VIEW modelreg.lineage_edges IS 'One row per input of each node that the caller may read; join lineage_nodes by child_id and parent_id.';
COMMENT ON COLUMN modelreg.lineage_edges.child_id IS 'The node that has the input.';
COMMENT ON COLUMN modelreg.lineage_edges.child_team IS 'Name of its team.';
COMMENT ON COLUMN modelreg.lineage_edges.child_kind IS 'Its kind.';
COMMENT ON COLUMN modelreg.lineage_edges.role IS 'What the input was used as.';
COMMENT ON COLUMN modelreg.lineage_edges.parent_id IS 'The input; null when it is not the caller''s to read.';
COMMENT ON COLUMN modelreg.lineage_edges.parent_team IS 'Name of the input''s team; null when it is not the caller''s to read.';
COMMENT ON COLUMN modelreg.lineage_edges.parent_kind IS 'Kind of the input; null when it is not the caller''s to read.';
COMMENT ON COLUMN modelreg.lineage_edges.parent_readable IS 'Whether the caller may read the input.';
COMMENT ON COLUMN modelreg.lineage_edges.recorded_at IS 'When the node, and so the edge, was recorded.';
GRANT SELECT ON modelreg.lineage_edges TO PUBLIC;
