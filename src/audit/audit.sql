-- audit: chains, heads, events, free text with a salted digest, request ids

CREATE TABLE modelreg.registry (
	id bigint NOT NULL CONSTRAINT registry_pkey PRIMARY KEY CHECK (id = 1),
	seq bigint NOT NULL,
	head_hash bytea NOT NULL,
	head_at timestamptz NOT NULL,
	identity uuid NOT NULL,
	system_identifier bigint NOT NULL,
	timeline_id bigint NOT NULL
);
COMMENT ON TABLE modelreg.registry IS 'The registry''s identity and the head of its chain: one row, made by the first write.';
COMMENT ON COLUMN modelreg.registry.id IS 'Always 1.';
COMMENT ON COLUMN modelreg.registry.seq IS 'Number of the last event of the registry''s chain.';
COMMENT ON COLUMN modelreg.registry.head_hash IS 'Hash of the last event.';
COMMENT ON COLUMN modelreg.registry.head_at IS 'Time of the last event.';
COMMENT ON COLUMN modelreg.registry.identity IS 'The present identity, part of the permanent id of every version that is registered under it.';
COMMENT ON COLUMN modelreg.registry.system_identifier IS 'The cluster in which the registry''s chain was written last.';
COMMENT ON COLUMN modelreg.registry.timeline_id IS 'The cluster''s timeline at that time: a recovery that was not declared is known by it.';

CREATE TABLE modelreg.fact_head (
	id bigint NOT NULL CONSTRAINT fact_head_pkey PRIMARY KEY,
	seq bigint NOT NULL,
	head_hash bytea NOT NULL,
	head_at timestamptz NOT NULL
);
COMMENT ON TABLE modelreg.fact_head IS 'The head of the chain of a team''s facts.';
COMMENT ON COLUMN modelreg.fact_head.id IS 'Id of the team.';
COMMENT ON COLUMN modelreg.fact_head.seq IS 'Number of the last event.';
COMMENT ON COLUMN modelreg.fact_head.head_hash IS 'Hash of the last event.';
COMMENT ON COLUMN modelreg.fact_head.head_at IS 'Time of the last event.';

CREATE TABLE modelreg.event (
	chain smallint NOT NULL,
	chain_id bigint NOT NULL,
	seq bigint NOT NULL,
	at timestamptz NOT NULL,
	kind text COLLATE "C" NOT NULL,
	team_id bigint NOT NULL,
	who jsonb NOT NULL,
	application_name text,
	client_addr text,
	request_id text,
	what jsonb NOT NULL,
	prose bytea,
	prev bytea NOT NULL,
	hash bytea NOT NULL,
	format smallint NOT NULL DEFAULT 1,
	CONSTRAINT event_pkey PRIMARY KEY (chain, chain_id, seq),
	CONSTRAINT event_hash CHECK (CASE format WHEN 1 THEN hash = modelreg.row_hash('event', format, chain, chain_id, seq, at, kind,
		team_id, who, application_name, client_addr, request_id, what, prose, prev) END IS TRUE)
);
CREATE INDEX event_team_at ON modelreg.event (team_id, at);
-- The few that the view rollbacks counts.
CREATE INDEX event_taken_back ON modelreg.event (team_id, at) WHERE kind IN ('rolled_back', 'rollout_aborted');
COMMENT ON TABLE modelreg.event IS 'Everything that was ever decided or recorded, each row chained to the one before it; written once.';
COMMENT ON COLUMN modelreg.event.chain IS '1 registry, 2 team, 3 facts of a team, 4 registrations of a model, 5 decisions of a model, 6 endpoint.';
COMMENT ON COLUMN modelreg.event.chain_id IS 'Id of the team, model or endpoint (1 for the registry).';
COMMENT ON COLUMN modelreg.event.seq IS 'Number in the chain, from 1 without a gap.';
COMMENT ON COLUMN modelreg.event.at IS 'When it happened, later than the event before it.';
COMMENT ON COLUMN modelreg.event.kind IS 'What kind of event.';
COMMENT ON COLUMN modelreg.event.team_id IS 'The team whose members may read it; 0 for the registry''s own.';
COMMENT ON COLUMN modelreg.event.who IS 'Calling role, and outer and session role where they differ, by name and OID.';
COMMENT ON COLUMN modelreg.event.application_name IS 'The session''s application_name; null where another team''s act has this effect, and where a hold is laid down anew.';
COMMENT ON COLUMN modelreg.event.client_addr IS 'The client''s address; null for a local socket, where another team''s act has this effect, and where a hold is laid down anew.';
COMMENT ON COLUMN modelreg.event.request_id IS 'The caller''s request id.';
COMMENT ON COLUMN modelreg.event.what IS 'Identifiers and state.';
COMMENT ON COLUMN modelreg.event.prose IS 'Salted digest of the free text given with it.';
COMMENT ON COLUMN modelreg.event.prev IS 'Hash of the event before it; 32 zero bytes for the first.';
COMMENT ON COLUMN modelreg.event.hash IS 'Hash of the columns before this one.';
COMMENT ON COLUMN modelreg.event.format IS 'Version of the row format, hashed too.';

CREATE TABLE modelreg.payload (
	digest bytea NOT NULL CONSTRAINT payload_pkey PRIMARY KEY,
	team_id bigint NOT NULL,
	salt bytea,
	body text,
	CONSTRAINT payload_digest CHECK ((salt IS NULL AND body IS NULL) OR
		(digest = modelreg.row_hash('payload', 1::smallint, salt, body)) IS TRUE)
);
COMMENT ON TABLE modelreg.payload IS 'Free text and JSON, named by a salted digest in the rows that it belongs to, so that it can be redacted.';
COMMENT ON COLUMN modelreg.payload.digest IS 'Hash of salt and body.';
COMMENT ON COLUMN modelreg.payload.team_id IS 'The team whose members may read it.';
COMMENT ON COLUMN modelreg.payload.salt IS '16 random bytes; null after redaction.';
COMMENT ON COLUMN modelreg.payload.body IS 'The text, or canonical JSON; null after redaction.';

CREATE TABLE modelreg.request_id (
	team_id bigint NOT NULL,
	verb text COLLATE "C" NOT NULL,
	request_id text COLLATE "C" NOT NULL,
	content bytea NOT NULL,
	result jsonb NOT NULL,
	CONSTRAINT request_id_pkey PRIMARY KEY (team_id, verb, request_id)
);
COMMENT ON TABLE modelreg.request_id IS 'What each request id was used for and what the call returned, so that a repeated call is safe.';
COMMENT ON COLUMN modelreg.request_id.team_id IS 'The team.';
COMMENT ON COLUMN modelreg.request_id.verb IS 'The function that was called.';
COMMENT ON COLUMN modelreg.request_id.request_id IS 'The caller''s request id.';
COMMENT ON COLUMN modelreg.request_id.content IS 'Hash of the arguments.';
COMMENT ON COLUMN modelreg.request_id.result IS 'What the call returned.';

CREATE SEQUENCE modelreg.batch_seq;
COMMENT ON SEQUENCE modelreg.batch_seq IS 'Numbers the sets of facts that one transaction recorded for one team.';

ALTER TABLE modelreg.registry ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.registry FOR SELECT USING (true);
ALTER TABLE modelreg.fact_head ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.fact_head FOR SELECT USING (id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
ALTER TABLE modelreg.event ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.event FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
ALTER TABLE modelreg.payload ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.payload FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
ALTER TABLE modelreg.request_id ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.request_id FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
-- Rows are shown by policy, so the right to look may be everybody's; but the registry's one row tells everybody nothing except
-- the identity, which permanent ids begin with. Auditors ask audit_head() where its chain stands.
GRANT SELECT (identity) ON modelreg.registry TO PUBLIC;
GRANT SELECT ON modelreg.fact_head, modelreg.event, modelreg.payload, modelreg.request_id TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('modelreg.registry', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.fact_head', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.event', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.payload', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.request_id', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.batch_seq', '');

CREATE VIEW modelreg.events WITH (security_invoker, security_barrier) AS
	SELECT (ARRAY['registry', 'team', 'facts', 'registrations', 'decisions', 'endpoint'])[e.chain] AS chain,
		e.chain_id, e.seq AS number, e.at, e.kind, t.name::text COLLATE "default" AS team,
		e.who->>'role' AS role, COALESCE(e.who->>'outer', e.who->>'role') AS outer_role,
		COALESCE(e.who->>'session', e.who->>'role') AS session_role,
		e.application_name, e.client_addr, e.request_id, e.what, p.body AS reason,
		pg_catalog.encode(e.hash, 'hex') AS hash
	FROM modelreg.event e
		LEFT JOIN modelreg.team t ON t.id = e.team_id
		LEFT JOIN modelreg.payload p ON p.digest = e.prose;
COMMENT ON VIEW modelreg.events IS 'One row per event that the caller may read.';
COMMENT ON COLUMN modelreg.events.chain IS 'registry, team, facts, registrations, decisions or endpoint.';
COMMENT ON COLUMN modelreg.events.chain_id IS 'Id of the team, model or endpoint that the chain is of.';
COMMENT ON COLUMN modelreg.events.number IS 'Number in the chain, from 1 without a gap.';
COMMENT ON COLUMN modelreg.events.at IS 'When it happened.';
COMMENT ON COLUMN modelreg.events.kind IS 'What kind of event.';
COMMENT ON COLUMN modelreg.events.team IS 'Present name of the team.';
COMMENT ON COLUMN modelreg.events.role IS 'The role that called.';
COMMENT ON COLUMN modelreg.events.outer_role IS 'The role of SET ROLE or of the session, outside of SECURITY DEFINER functions.';
COMMENT ON COLUMN modelreg.events.session_role IS 'The role that logged in.';
COMMENT ON COLUMN modelreg.events.application_name IS 'The session''s application_name; null where another team''s act has this effect, and where a hold is laid down anew.';
COMMENT ON COLUMN modelreg.events.client_addr IS 'The client''s address; null for a local socket, where another team''s act has this effect, and where a hold is laid down anew.';
COMMENT ON COLUMN modelreg.events.request_id IS 'The caller''s request id.';
COMMENT ON COLUMN modelreg.events.what IS 'Identifiers and state.';
COMMENT ON COLUMN modelreg.events.reason IS 'The free text given with it; null also when it was redacted.';
COMMENT ON COLUMN modelreg.events.hash IS 'Hash of the event, in hexadecimal.';
GRANT SELECT ON modelreg.events TO PUBLIC;

CREATE FUNCTION modelreg.redact(payload text, reason text, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_redact' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.redact(text, text, text) IS 'Removes a piece of free text or JSON, named by its digest in hexadecimal; its digest stays, and verify() reports it as redacted, not as altered. Admins only.';
REVOKE ALL ON FUNCTION modelreg.redact(text, text, text) FROM PUBLIC;
-- The function itself asks for the right admin.
GRANT EXECUTE ON FUNCTION modelreg.redact(text, text, text) TO PUBLIC;

CREATE FUNCTION modelreg.declare_restore(reason text, published jsonb DEFAULT NULL, request_id text DEFAULT NULL) RETURNS uuid
	AS 'MODULE_PATHNAME', 'modelreg_declare_restore' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.declare_restore(text, jsonb, text) IS 'After a restore to an earlier time: begins a new identity, so that no permanent id of a version that was lost is given again. published: the last document of audit_head() that was kept; the event tells which chains are behind it, and a chain that differs is an error. Until then a registry that was recovered to a point in time writes nothing. Returns the new identity. Needs the right admin.';
REVOKE ALL ON FUNCTION modelreg.declare_restore(text, jsonb, text) FROM PUBLIC;
-- The function itself asks for the right admin.
GRANT EXECUTE ON FUNCTION modelreg.declare_restore(text, jsonb, text) TO PUBLIC;

CREATE FUNCTION modelreg.new_identity(reason text, request_id text DEFAULT NULL) RETURNS uuid
	AS 'MODULE_PATHNAME', 'modelreg_new_identity' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.new_identity(text, text) IS 'In a copy of a registry that goes on: begins a new identity, so that what is registered here has other permanent ids. Returns it. Needs the right admin.';
REVOKE ALL ON FUNCTION modelreg.new_identity(text, text) FROM PUBLIC;
-- The function itself asks for the right admin.
GRANT EXECUTE ON FUNCTION modelreg.new_identity(text, text) TO PUBLIC;
