-- serving: endpoints, the schedules of their traffic, and which version had which share.

CREATE SEQUENCE modelreg.endpoint_id_seq;
COMMENT ON SEQUENCE modelreg.endpoint_id_seq IS 'Ids of endpoints.';
SELECT pg_catalog.pg_extension_config_dump('modelreg.endpoint_id_seq', '');

CREATE TABLE modelreg.endpoint (
	id bigint NOT NULL CONSTRAINT endpoint_pkey PRIMARY KEY,
	seq bigint NOT NULL,
	head_hash bytea NOT NULL,
	head_at timestamptz NOT NULL,
	team_id bigint NOT NULL,
	name text COLLATE "C" NOT NULL,
	created_at timestamptz NOT NULL,
	retired_at timestamptz,
	model_id bigint NOT NULL,
	follows boolean NOT NULL,
	plan jsonb,
	max_staleness interval,
	prediction_days integer,
	schedule_seq bigint NOT NULL,
	schedule_hash bytea NOT NULL
);
CREATE UNIQUE INDEX endpoint_live_name ON modelreg.endpoint (team_id, name) WHERE retired_at IS NULL;
CREATE INDEX endpoint_team ON modelreg.endpoint (team_id);
CREATE INDEX endpoint_followed ON modelreg.endpoint (model_id) WHERE follows AND retired_at IS NULL;
ALTER TABLE modelreg.endpoint SET (fillfactor = 70);
COMMENT ON TABLE modelreg.endpoint IS 'Endpoints: what serves, and the head of the chain of each ones events.';
COMMENT ON COLUMN modelreg.endpoint.id IS 'Permanent id of the endpoint.';
COMMENT ON COLUMN modelreg.endpoint.seq IS 'Number of its last event.';
COMMENT ON COLUMN modelreg.endpoint.head_hash IS 'Hash of its last event.';
COMMENT ON COLUMN modelreg.endpoint.head_at IS 'Time of its last event.';
COMMENT ON COLUMN modelreg.endpoint.team_id IS 'The team that owns it.';
COMMENT ON COLUMN modelreg.endpoint.name IS 'Its name, without the team.';
COMMENT ON COLUMN modelreg.endpoint.created_at IS 'When it was created.';
COMMENT ON COLUMN modelreg.endpoint.retired_at IS 'When it was retired; null while it lives.';
COMMENT ON COLUMN modelreg.endpoint.model_id IS 'The model that version numbers without a model are of, and that it follows, if it does.';
COMMENT ON COLUMN modelreg.endpoint.follows IS 'Whether it follows what is current in Production.';
COMMENT ON COLUMN modelreg.endpoint.plan IS 'The plan by which it follows; null where it does not.';
COMMENT ON COLUMN modelreg.endpoint.max_staleness IS 'For how long a serving process may go on with what it has fetched; null for five minutes.';
COMMENT ON COLUMN modelreg.endpoint.prediction_days IS 'For how many days recorded predictions are kept; null for until somebody drops them.';
COMMENT ON COLUMN modelreg.endpoint.schedule_seq IS 'The event that laid down the schedule that holds.';
COMMENT ON COLUMN modelreg.endpoint.schedule_hash IS 'Hash of that schedules row.';
ALTER TABLE modelreg.endpoint ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.endpoint FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.endpoint TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.endpoint', '');

CREATE TABLE modelreg.endpoint_name (
	team_id bigint NOT NULL,
	name text COLLATE "C" NOT NULL,
	endpoint_id bigint NOT NULL,
	since timestamptz NOT NULL,
	until timestamptz,
	CONSTRAINT endpoint_name_pkey PRIMARY KEY (team_id, name, since)
);
CREATE INDEX endpoint_name_endpoint ON modelreg.endpoint_name (endpoint_id, since);
COMMENT ON TABLE modelreg.endpoint_name IS 'Which endpoint had a name, and when.';
COMMENT ON COLUMN modelreg.endpoint_name.team_id IS 'The team.';
COMMENT ON COLUMN modelreg.endpoint_name.name IS 'The name.';
COMMENT ON COLUMN modelreg.endpoint_name.endpoint_id IS 'The endpoint that has or had it.';
COMMENT ON COLUMN modelreg.endpoint_name.since IS 'From when on.';
COMMENT ON COLUMN modelreg.endpoint_name.until IS 'Until when; null for a present name.';
ALTER TABLE modelreg.endpoint_name ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.endpoint_name FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.endpoint_name TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.endpoint_name', '');

CREATE TABLE modelreg.traffic_schedule (
	endpoint_id bigint NOT NULL,
	seq bigint NOT NULL,
	team_id bigint NOT NULL,
	at timestamptz NOT NULL,
	kind text COLLATE "C" NOT NULL,
	rollout bigint,
	restored bigint,
	salt bytea NOT NULL,
	doc jsonb NOT NULL,
	hash bytea NOT NULL,
	format smallint NOT NULL DEFAULT 1,
	CONSTRAINT traffic_schedule_hash CHECK (CASE format WHEN 1 THEN hash = modelreg.row_hash('traffic_schedule', format, 
		endpoint_id, seq, team_id, at, kind, rollout, restored, salt, doc) END IS TRUE),
	CONSTRAINT traffic_schedule_pkey PRIMARY KEY (endpoint_id, seq)
);
CREATE INDEX traffic_schedule_at ON modelreg.traffic_schedule (endpoint_id, at);
COMMENT ON TABLE modelreg.traffic_schedule IS 'What serves from an event of an endpoint on, until another one lays down another schedule; written once.';
COMMENT ON COLUMN modelreg.traffic_schedule.endpoint_id IS 'The endpoint.';
COMMENT ON COLUMN modelreg.traffic_schedule.seq IS 'Number of the event that laid it down.';
COMMENT ON COLUMN modelreg.traffic_schedule.team_id IS 'The team that owns the endpoint.';
COMMENT ON COLUMN modelreg.traffic_schedule.at IS 'Time of that event.';
COMMENT ON COLUMN modelreg.traffic_schedule.kind IS 'Kind of that event.';
COMMENT ON COLUMN modelreg.traffic_schedule.rollout IS 'The event that started the rollout; null outside any.';
COMMENT ON COLUMN modelreg.traffic_schedule.restored IS 'Of a rollback, and of an abort where what it started from was quarantined: the schedule whose last split it brings back.';
COMMENT ON COLUMN modelreg.traffic_schedule.salt IS 'What keys of requests are hashed with.';
COMMENT ON COLUMN modelreg.traffic_schedule.doc IS 'The steps with the times at which they open, and what is to follow them.';
COMMENT ON COLUMN modelreg.traffic_schedule.hash IS 'Hash of the columns before this one.';
COMMENT ON COLUMN modelreg.traffic_schedule.format IS 'Version of the row format, hashed too.';
ALTER TABLE modelreg.traffic_schedule ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.traffic_schedule FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.traffic_schedule TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.traffic_schedule', '');

CREATE TABLE modelreg.traffic_arm (
	endpoint_id bigint NOT NULL,
	seq bigint NOT NULL,
	step integer NOT NULL,
	model_id bigint NOT NULL,
	version integer NOT NULL,
	share integer NOT NULL,
	team_id bigint NOT NULL,
	opens timestamptz NOT NULL,
	CONSTRAINT traffic_arm_pkey PRIMARY KEY (endpoint_id, seq, step, model_id, version)
);
CREATE INDEX traffic_arm_version ON modelreg.traffic_arm (model_id, version, opens);
COMMENT ON TABLE modelreg.traffic_arm IS 'Which versions have a share of the traffic in which step of a schedule; a fold of the schedules.';
COMMENT ON COLUMN modelreg.traffic_arm.endpoint_id IS 'The endpoint.';
COMMENT ON COLUMN modelreg.traffic_arm.seq IS 'The event that laid down the schedule.';
COMMENT ON COLUMN modelreg.traffic_arm.step IS 'Number of the step in it, from 0.';
COMMENT ON COLUMN modelreg.traffic_arm.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.traffic_arm.version IS 'The version.';
COMMENT ON COLUMN modelreg.traffic_arm.share IS 'Its share in millionths; 0 for one that sees the requests and answers none.';
COMMENT ON COLUMN modelreg.traffic_arm.team_id IS 'The team that owns the endpoint.';
COMMENT ON COLUMN modelreg.traffic_arm.opens IS 'When the step opens, if no other schedule is laid down before.';
ALTER TABLE modelreg.traffic_arm ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.traffic_arm FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.traffic_arm TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.traffic_arm', '');

CREATE VIEW modelreg.endpoints WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || e.name AS endpoint, e.id AS endpoint_id, t.name || '.' || m.name AS model,
		e.model_id, e.follows, e.plan, EXTRACT(epoch FROM e.max_staleness)::float8 AS max_staleness_seconds, e.prediction_days, e.schedule_seq AS number,
		e.schedule_seq || '-' || left(pg_catalog.encode(e.schedule_hash, 'hex'), 16) AS etag, s.kind, s.at AS since, e.created_at, e.seq AS last_event
	FROM modelreg.endpoint e
		JOIN modelreg.team t ON t.id = e.team_id
		JOIN modelreg.model m ON m.id = e.model_id
		JOIN modelreg.traffic_schedule s ON s.endpoint_id = e.id AND s.seq = e.schedule_seq
	WHERE e.retired_at IS NULL;
COMMENT ON VIEW modelreg.endpoints IS 'One row per endpoint that was not retired.';
COMMENT ON COLUMN modelreg.endpoints.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.endpoints.endpoint IS 'Name of the endpoint, with its team.';
COMMENT ON COLUMN modelreg.endpoints.endpoint_id IS 'Permanent id of the endpoint.';
COMMENT ON COLUMN modelreg.endpoints.model IS 'The model that version numbers without a model are of, and that it follows, if it does.';
COMMENT ON COLUMN modelreg.endpoints.model_id IS 'Permanent id of that model.';
COMMENT ON COLUMN modelreg.endpoints.follows IS 'Whether it follows what is current in Production.';
COMMENT ON COLUMN modelreg.endpoints.plan IS 'The plan by which it follows; null where it does not.';
COMMENT ON COLUMN modelreg.endpoints.max_staleness_seconds IS 'For how long a serving process may go on with what it has fetched; null for five minutes.';
COMMENT ON COLUMN modelreg.endpoints.prediction_days IS 'For how many days recorded predictions are kept; null for until somebody drops them.';
COMMENT ON COLUMN modelreg.endpoints.number IS 'The event that laid down the schedule that holds.';
COMMENT ON COLUMN modelreg.endpoints.etag IS 'What the verbs compare as expected; changes with every change of the traffic.';
COMMENT ON COLUMN modelreg.endpoints.kind IS 'What kind of event that was.';
COMMENT ON COLUMN modelreg.endpoints.since IS 'When it was.';
COMMENT ON COLUMN modelreg.endpoints.created_at IS 'When the endpoint was created.';
COMMENT ON COLUMN modelreg.endpoints.last_event IS 'Number of its last event, which changes() compares; follow(), unfollow() and set_endpoint() have one that lays down no schedule.';
GRANT SELECT ON modelreg.endpoints TO PUBLIC;
