-- serving: what serving processes call. All of it reads, locks nothing and holds on a standby; each function asks for the rights
-- itself, so EXECUTE is everybody's.

CREATE TYPE modelreg.routed AS (model_id bigint, version integer, permanent_id text, share integer, "position" integer, shadow text[],
	receipt text, final boolean);
COMMENT ON TYPE modelreg.routed IS 'What route() answers.';
COMMENT ON COLUMN modelreg.routed.model_id IS 'Permanent id of the model of the version that answers.';
COMMENT ON COLUMN modelreg.routed.version IS 'The version that answers.';
COMMENT ON COLUMN modelreg.routed.permanent_id IS 'Its permanent id, whatever the names become.';
COMMENT ON COLUMN modelreg.routed.share IS 'Its share of the traffic at that time, in millionths.';
COMMENT ON COLUMN modelreg.routed."position" IS 'The position of the key, from 0 to 999999.';
COMMENT ON COLUMN modelreg.routed.shadow IS 'Permanent ids of the versions that see the request and answer nobody.';
COMMENT ON COLUMN modelreg.routed.receipt IS 'Number of the event that laid down the schedule, a point, and the step''s number in it.';
COMMENT ON COLUMN modelreg.routed.final IS 'Whether the answer for that time cannot change any more.';

CREATE FUNCTION modelreg.route(endpoint text, request_key text, at timestamptz DEFAULT NULL) RETURNS modelreg.routed
	AS 'MODULE_PATHNAME', 'modelreg_route' LANGUAGE C STABLE PARALLEL RESTRICTED COST 20;
COMMENT ON FUNCTION modelreg.route(text, text, timestamptz) IS
	'The version of an endpoint that answers the request of a key, now or at a time: the same for one key as long as the weights stand, on every server, and for every client that computes it by docs/serving.md.';

CREATE FUNCTION modelreg.route_batch(endpoint text, request_keys text[], at timestamptz DEFAULT NULL)
	RETURNS TABLE (request_key text, model_id bigint, version integer, permanent_id text, share integer, "position" integer, shadow text[],
		receipt text, final boolean)
	AS 'MODULE_PATHNAME', 'modelreg_route_batch' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 1000;
COMMENT ON FUNCTION modelreg.route_batch(text, text[], timestamptz) IS 'As route() for each of an array of keys, in its order, all by one step.';

CREATE TYPE modelreg.serving_state AS (etag text, valid_until timestamptz, replayed pg_lsn, document jsonb);
COMMENT ON TYPE modelreg.serving_state IS 'What serving_config() answers.';
COMMENT ON COLUMN modelreg.serving_state.etag IS 'Stands for the present schedule of the endpoint.';
COMMENT ON COLUMN modelreg.serving_state.valid_until IS 'Until when the schedule may be gone by without asking again.';
COMMENT ON COLUMN modelreg.serving_state.replayed IS 'On a standby, up to where it has replayed the primary''s log; null on a primary.';
COMMENT ON COLUMN modelreg.serving_state.document IS 'The schedule and all that is needed to serve it, as docs/serving.md says; null when the etag given is right.';

CREATE FUNCTION modelreg.serving_config(endpoint text, etag text DEFAULT NULL) RETURNS modelreg.serving_state
	AS 'MODULE_PATHNAME', 'modelreg_serving_config' LANGUAGE C STABLE PARALLEL RESTRICTED COST 20;
COMMENT ON FUNCTION modelreg.serving_config(text, text) IS
	'What a serving process needs of an endpoint: versions with their artifacts, and which of them serves when. Asked again with the etag that it returned, it costs one probe of an index while nothing has changed.';

CREATE FUNCTION modelreg.serving(endpoint text, at timestamptz DEFAULT NULL)
	RETURNS TABLE (model text, model_id bigint, version integer, permanent_id text, role text, share integer, receipt text,
		since timestamptz, until timestamptz, final boolean)
	AS 'MODULE_PATHNAME', 'modelreg_serving' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 3;
COMMENT ON FUNCTION modelreg.serving(text, timestamptz) IS
	'A row for each version that has a part in an endpoint''s traffic, now or at a time: its role (serving, shadow, warm), its share in millionths, since when and until when the step stands.';

CREATE FUNCTION modelreg.changes(since jsonb DEFAULT '{}')
	RETURNS TABLE (endpoint_id bigint, endpoint text, last_event bigint, etag text, retired_at timestamptz)
	AS 'MODULE_PATHNAME', 'modelreg_changes' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 10;
COMMENT ON FUNCTION modelreg.changes(jsonb) IS
	'The endpoints that one may read and whose last event is another one than since says, which has the numbers of events by the endpoints'' ids; and those that it names and that were retired.';

REVOKE ALL ON FUNCTION modelreg.route(text, text, timestamptz), modelreg.route_batch(text, text[], timestamptz),
	modelreg.serving_config(text, text), modelreg.serving(text, timestamptz), modelreg.changes(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.route(text, text, timestamptz), modelreg.route_batch(text, text[], timestamptz),
	modelreg.serving_config(text, text), modelreg.serving(text, timestamptz), modelreg.changes(jsonb) TO PUBLIC;
