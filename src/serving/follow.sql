-- serving: endpoints that follow a model, and what leaves. Each function authorizes its caller, so EXECUTE is everybody's.

CREATE FUNCTION modelreg.follow(endpoint text, plan text, reason text DEFAULT NULL, expected text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_follow' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.follow(text, text, text, text, text) IS
	'From now on the endpoint goes where what is current in Production of its model goes: a promotion starts a rollout by the plan, in its own transaction and over one that is running, and rollback_model() takes it back at once. If another version is current than the endpoint serves, the rollout to it starts now. Needs maintainer. Returns the number of the last event, null when all is so already.';
REVOKE ALL ON FUNCTION modelreg.follow(text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.follow(text, text, text, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.unfollow(endpoint text, reason text DEFAULT NULL, expected text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_unfollow' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.unfollow(text, text, text, text) IS
	'From now on the endpoint stays as it is when its model''s current version changes; a rollout that is running goes on. Needs maintainer. Returns the number of the event, null when it does not follow.';
REVOKE ALL ON FUNCTION modelreg.unfollow(text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.unfollow(text, text, text, text) TO PUBLIC;

CREATE VIEW modelreg.quarantined_traffic WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || e.name AS endpoint, e.id AS endpoint_id, mt.name || '.' || m.name AS model, a.model_id, a.version,
		a.share / 10000.0::float8 AS percent, q.node, q.node_id, q.since AS quarantined_since
	FROM modelreg.quarantined q
		CROSS JOIN modelreg.endpoint e
		JOIN modelreg.team t ON t.id = e.team_id
		JOIN modelreg.traffic_arm a ON a.endpoint_id = e.id AND a.seq = e.schedule_seq AND a.step = (SELECT max(s.step) FROM modelreg.traffic_arm s
			WHERE s.endpoint_id = e.id AND s.seq = e.schedule_seq AND s.opens <= pg_catalog.clock_timestamp())
		JOIN modelreg.version v ON v.model_id = a.model_id AND v.version = a.version
		JOIN modelreg.model m ON m.id = a.model_id
		JOIN modelreg.team mt ON mt.id = m.team_id
	WHERE e.retired_at IS NULL AND (v.node_id = q.node_id
		OR modelreg.is_derived_from('modelreg:' || v.identity || '/' || v.model_id || '/' || v.version, q.node));
COMMENT ON VIEW modelreg.quarantined_traffic IS 'The versions that serve although they derive from a quarantined node, or are one; a row per endpoint, version and node.';
COMMENT ON COLUMN modelreg.quarantined_traffic.team IS 'Name of the endpoint''s team.';
COMMENT ON COLUMN modelreg.quarantined_traffic.endpoint IS 'Name of the endpoint, with its team.';
COMMENT ON COLUMN modelreg.quarantined_traffic.endpoint_id IS 'Permanent id of the endpoint.';
COMMENT ON COLUMN modelreg.quarantined_traffic.model IS 'Name of the model, with its team.';
COMMENT ON COLUMN modelreg.quarantined_traffic.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.quarantined_traffic.version IS 'The version.';
COMMENT ON COLUMN modelreg.quarantined_traffic.percent IS 'Its share of the endpoint''s traffic now, in percent; 0 for one that sees the requests and answers none.';
COMMENT ON COLUMN modelreg.quarantined_traffic.node IS 'Address of the quarantined node.';
COMMENT ON COLUMN modelreg.quarantined_traffic.node_id IS 'Its id.';
COMMENT ON COLUMN modelreg.quarantined_traffic.quarantined_since IS 'Since when it is quarantined.';
GRANT SELECT ON modelreg.quarantined_traffic TO PUBLIC;
