-- governance: quarantine. Each function authorizes its caller, so EXECUTE is everybody's.

CREATE FUNCTION modelreg.quarantine(node text, reason text, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_quarantine' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.quarantine(text, text, text) IS
	'Quarantines a node: from now on no version that derives from it comes into Staging or Production, unless its policy''s gate names roles and it derives in others. It moves nothing, and nothing that derives from the node is in its way; the view quarantine_impact lists what is current in Production all the same. Needs evaluator, reviewer or maintainer of the node''s team. Returns the number of the event, null when it is quarantined already.';
REVOKE ALL ON FUNCTION modelreg.quarantine(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.quarantine(text, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.lift_quarantine(node text, reason text, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_lift_quarantine' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.lift_quarantine(text, text, text) IS
	'Lifts the quarantine of a node. Needs reviewer or maintainer of the node''s team. Returns the number of the event, null when it is not quarantined.';
REVOKE ALL ON FUNCTION modelreg.lift_quarantine(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.lift_quarantine(text, text, text) TO PUBLIC;

CREATE VIEW modelreg.quarantined WITH (security_invoker, security_barrier) AS
	SELECT (CASE WHEN n.kind <> 'version' THEN n.kind || ':' || t.name || '.' || n.name || CASE n.version WHEN '' THEN '' ELSE '@' || n.version END
			WHEN m.retired_at IS NULL THEN 'models:/' || t.name || '.' || m.name || '/' || n.version
			ELSE 'modelreg:' || v.identity || '/' || m.id || '/' || n.version END)::text COLLATE "default" AS node,
		q.node_id, t.name::text COLLATE "default" AS team, n.kind::text COLLATE "default" AS kind, v.model_id, v.version AS model_version,
		q.since, q.seq AS number, e.who->>'role' AS role, COALESCE(e.who->>'session', e.who->>'role') AS session_role, p.body AS reason
	FROM modelreg.quarantine q
		JOIN modelreg.node n ON n.id = q.node_id
		JOIN modelreg.team t ON t.id = q.team_id
		LEFT JOIN modelreg.version v ON v.node_id = n.id
		LEFT JOIN modelreg.model m ON m.id = v.model_id
		LEFT JOIN modelreg.event e ON e.chain = 2 AND e.chain_id = q.team_id AND e.seq = q.seq
		LEFT JOIN modelreg.payload p ON p.digest = e.prose;
COMMENT ON VIEW modelreg.quarantined IS 'The nodes that are quarantined.';
COMMENT ON COLUMN modelreg.quarantined.node IS 'Address of the node.';
COMMENT ON COLUMN modelreg.quarantined.node_id IS 'Its id.';
COMMENT ON COLUMN modelreg.quarantined.team IS 'Name of the team that owns it.';
COMMENT ON COLUMN modelreg.quarantined.kind IS 'Its kind.';
COMMENT ON COLUMN modelreg.quarantined.model_id IS 'Permanent id of the model, of a version.';
COMMENT ON COLUMN modelreg.quarantined.model_version IS 'Number of the version, of a version.';
COMMENT ON COLUMN modelreg.quarantined.since IS 'Since when it is quarantined.';
COMMENT ON COLUMN modelreg.quarantined.number IS 'Number of the event in the team''s chain.';
COMMENT ON COLUMN modelreg.quarantined.role IS 'The role that quarantined it.';
COMMENT ON COLUMN modelreg.quarantined.session_role IS 'The role that had logged in.';
COMMENT ON COLUMN modelreg.quarantined.reason IS 'The reason given; null also when it was redacted.';
GRANT SELECT ON modelreg.quarantined TO PUBLIC;

CREATE VIEW modelreg.quarantine_impact WITH (security_invoker, security_barrier) AS
	SELECT q.node, q.node_id, q.since AS quarantined_since, i.depth, i.role, i.team, i.model, i.model_id, i.version, i.address, i.by_supersession
	FROM modelreg.quarantined q CROSS JOIN LATERAL modelreg.impact(q.node, true) i
	UNION ALL
	SELECT q.node, q.node_id, q.since, 0, NULL, q.team, q.team || '.' || m.name, m.id, q.model_version, q.node, false
	FROM modelreg.quarantined q JOIN modelreg.model m ON m.id = q.model_id AND m.current_version = q.model_version;
COMMENT ON VIEW modelreg.quarantine_impact IS 'The versions that are current in Production although they derive from a quarantined node, or are one; a row per node and version.';
COMMENT ON COLUMN modelreg.quarantine_impact.node IS 'Address of the quarantined node.';
COMMENT ON COLUMN modelreg.quarantine_impact.node_id IS 'Its id.';
COMMENT ON COLUMN modelreg.quarantine_impact.quarantined_since IS 'Since when it is quarantined.';
COMMENT ON COLUMN modelreg.quarantine_impact.depth IS 'Steps between them; 0 for the node itself and what stands for it.';
COMMENT ON COLUMN modelreg.quarantine_impact.role IS 'The role of the last step, of a shortest path.';
COMMENT ON COLUMN modelreg.quarantine_impact.team IS 'Name of the version''s team.';
COMMENT ON COLUMN modelreg.quarantine_impact.model IS 'Name of its model, with the team.';
COMMENT ON COLUMN modelreg.quarantine_impact.model_id IS 'Permanent id of that model.';
COMMENT ON COLUMN modelreg.quarantine_impact.version IS 'The version.';
COMMENT ON COLUMN modelreg.quarantine_impact.address IS 'Its address.';
COMMENT ON COLUMN modelreg.quarantine_impact.by_supersession IS 'Every shortest way there passes over a node that stands for another which it supersedes; edges alone lead there in more steps, or not at all.';
GRANT SELECT ON modelreg.quarantine_impact TO PUBLIC;
