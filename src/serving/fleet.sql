-- serving: what serving processes say they have. A row for each endpoint and instance; no event.

CREATE TABLE modelreg.instance_report (
	endpoint_id bigint NOT NULL,
	instance text COLLATE "C" NOT NULL,
	team_id bigint NOT NULL,
	etag text COLLATE "C" NOT NULL,
	loaded text[] NOT NULL,
	role text COLLATE "C" NOT NULL,
	reported_at timestamptz NOT NULL,
	seen_at timestamptz NOT NULL,
	CONSTRAINT instance_report_pkey PRIMARY KEY (endpoint_id, instance)
);
ALTER TABLE modelreg.instance_report SET (fillfactor = 70);
COMMENT ON TABLE modelreg.instance_report IS 'What each serving process said last of what it has. They are no events, and nothing is promised of them.';
COMMENT ON COLUMN modelreg.instance_report.endpoint_id IS 'The endpoint.';
COMMENT ON COLUMN modelreg.instance_report.instance IS 'Name of the serving process, which it chooses.';
COMMENT ON COLUMN modelreg.instance_report.team_id IS 'The team that owns the endpoint.';
COMMENT ON COLUMN modelreg.instance_report.etag IS 'The etag of the schedule that it goes by.';
COMMENT ON COLUMN modelreg.instance_report.loaded IS 'Permanent ids of the versions that it has loaded.';
COMMENT ON COLUMN modelreg.instance_report.role IS 'The role that reported.';
COMMENT ON COLUMN modelreg.instance_report.reported_at IS 'When it said something new last.';
COMMENT ON COLUMN modelreg.instance_report.seen_at IS 'When it reported last, to within a fifth of max_staleness.';
ALTER TABLE modelreg.instance_report ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.instance_report FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.instance_report TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.instance_report', '');

CREATE FUNCTION modelreg.report_serving(endpoint text, instance text, etag text, loaded text[] DEFAULT '{}') RETURNS boolean
	AS 'MODULE_PATHNAME', 'modelreg_report_serving' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.report_serving(text, text, text, text[]) IS
	'A serving process says by which schedule of the endpoint it goes, and which versions it has loaded; a null etag takes it out of the fleet. Whether that says anything new; to be repeated within max_staleness also where it does not.';

CREATE FUNCTION modelreg.fleet_status(endpoint text)
	RETURNS TABLE (instance text, etag text, reported_at timestamptz, behind integer, loaded text[], missing text[], lags_since timestamptz, seen_at timestamptz, silent boolean)
	AS 'MODULE_PATHNAME', 'modelreg_fleet_status' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION modelreg.fleet_status(text) IS
	'A row for each serving process that reported: how many schedules it is behind (null when it goes by none that the endpoint had), what it should have loaded and has not, since when that is so, when it was heard of last, and whether it has been silent for twice as long as it may go on without asking.';
CREATE FUNCTION modelreg.fleet_status(endpoint_id bigint)
	RETURNS TABLE (instance text, etag text, reported_at timestamptz, behind integer, loaded text[], missing text[], lags_since timestamptz, seen_at timestamptz, silent boolean)
	AS 'MODULE_PATHNAME', 'modelreg_fleet_status' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION modelreg.fleet_status(bigint) IS 'The same of an endpoint by its permanent id, whatever its name and its team''s become.';

REVOKE ALL ON FUNCTION modelreg.report_serving(text, text, text, text[]), modelreg.fleet_status(text), modelreg.fleet_status(bigint) FROM PUBLIC;
-- Each authorizes its caller.
GRANT EXECUTE ON FUNCTION modelreg.report_serving(text, text, text, text[]), modelreg.fleet_status(text), modelreg.fleet_status(bigint) TO PUBLIC;

CREATE VIEW modelreg.fleet WITH (security_invoker, security_barrier) AS
	SELECT t.name::text COLLATE "default" AS team, t.name || '.' || e.name AS endpoint, e.id AS endpoint_id, f.instance, f.etag, f.reported_at,
		f.behind, pg_catalog.to_jsonb(f.loaded) AS loaded, pg_catalog.to_jsonb(f.missing) AS missing, f.lags_since, f.seen_at, f.silent
	FROM modelreg.endpoint e JOIN modelreg.team t ON t.id = e.team_id
		CROSS JOIN LATERAL modelreg.fleet_status(e.id) f
	WHERE e.retired_at IS NULL;
COMMENT ON VIEW modelreg.fleet IS 'One row per serving process that reported, of every endpoint.';
COMMENT ON COLUMN modelreg.fleet.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.fleet.endpoint IS 'Name of the endpoint, with its team.';
COMMENT ON COLUMN modelreg.fleet.endpoint_id IS 'Permanent id of the endpoint.';
COMMENT ON COLUMN modelreg.fleet.instance IS 'Name of the serving process.';
COMMENT ON COLUMN modelreg.fleet.etag IS 'The etag of the schedule that it goes by.';
COMMENT ON COLUMN modelreg.fleet.reported_at IS 'When it said something new last.';
COMMENT ON COLUMN modelreg.fleet.behind IS 'How many schedules were laid down since; null when the endpoint never had that one.';
COMMENT ON COLUMN modelreg.fleet.loaded IS 'Permanent ids of the versions that it has loaded.';
COMMENT ON COLUMN modelreg.fleet.missing IS 'Permanent ids of those that it should have loaded and has not.';
COMMENT ON COLUMN modelreg.fleet.lags_since IS 'Since when it does not have what it should; null when it has.';
COMMENT ON COLUMN modelreg.fleet.seen_at IS 'When it reported last, to within a fifth of max_staleness.';
COMMENT ON COLUMN modelreg.fleet.silent IS 'Whether it has not reported for twice as long as it may go on without asking: it is gone, cut off, or does not repeat its reports.';
GRANT SELECT ON modelreg.fleet TO PUBLIC;
