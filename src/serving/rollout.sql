-- serving: the verbs of endpoints and rollouts. Each authorizes its caller, so EXECUTE is everybody's.

CREATE FUNCTION modelreg.create_endpoint(endpoint text, model text DEFAULT NULL, version integer DEFAULT NULL, follows text DEFAULT NULL,
		plan text DEFAULT NULL, max_staleness interval DEFAULT NULL, prediction_days integer DEFAULT NULL, reason text DEFAULT NULL,
		request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_create_endpoint' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.create_endpoint(text, text, integer, text, text, interval, integer, text, text) IS
	'Creates an endpoint, all of whose traffic a version has: of a model, the current one unless another is named, or the current one of the model that it follows by a plan, which is all at once unless another is given. Returns its permanent id.';

CREATE FUNCTION modelreg.set_endpoint(endpoint text, max_staleness interval, prediction_days integer, reason text DEFAULT NULL,
		expected text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_set_endpoint' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.set_endpoint(text, interval, integer, text, text, text) IS
	'Sets for how long a serving process may go on with what it has fetched (null for five minutes), which holds from its next poll on, and for how many days recorded predictions are kept (null for until somebody drops them). Needs maintainer. Returns the number of the event, null when both are so already.';

CREATE FUNCTION modelreg.retire_endpoint(endpoint text, reason text DEFAULT NULL, expected text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'modelreg_retire_endpoint' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.retire_endpoint(text, text, text, text) IS
	'Ends an endpoint: from then on it serves nothing, and its name is free. Its history stays.';

CREATE FUNCTION modelreg.start_rollout(endpoint text, version integer DEFAULT NULL, split modelreg.traffic_split DEFAULT NULL,
		plan text DEFAULT 'canary', reason text DEFAULT NULL, expected text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_start_rollout' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.start_rollout(text, integer, modelreg.traffic_split, text, text, text, text) IS
	'Leads the traffic of an endpoint to a version, or to a split, by a plan, which is canary unless another is given. Returns the number of the event, by which the rollout is called; null when the traffic is so already.';

CREATE FUNCTION modelreg.pause_rollout(endpoint text, reason text DEFAULT NULL, expected text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_pause_rollout' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.pause_rollout(text, text, text, text) IS
	'Keeps the weights of a rollout as they are until resume_rollout(). Returns the number of the event, null when it is paused already.';

CREATE FUNCTION modelreg.resume_rollout(endpoint text, reason text DEFAULT NULL, expected text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_resume_rollout' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.resume_rollout(text, text, text, text) IS
	'Goes on with a rollout that was paused or held, with what is left of its present step first. Returns the number of the event, null when it goes on already.';

CREATE FUNCTION modelreg.complete_rollout(endpoint text, reason text DEFAULT NULL, expected text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_complete_rollout' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.complete_rollout(text, text, text, text) IS
	'Takes the traffic to where a rollout leads at once. Returns the number of the event, null when that was done already.';

CREATE FUNCTION modelreg.abort_rollout(endpoint text, reason text DEFAULT NULL, expected text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_abort_rollout' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.abort_rollout(text, text, text, text) IS
	'Takes the traffic back at once to where it was before a rollout, or before that where more would come to what was quarantined. Returns the number of the event, null when that was done already.';

CREATE FUNCTION modelreg.rollback(endpoint text, reason text, further boolean DEFAULT false, expected text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'modelreg_rollback' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.rollback(text, text, boolean, text, text) IS
	'Takes the traffic of an endpoint back at once to the newest earlier split that stood outside any rollout and each of whose versions may serve now; archived ones return to Production. The endpoint follows no model any more. What stands by a rollback or an abort already is left as it is, unless further => true. Returns the event''s number (null when nothing changed), the schedule that was restored, the split, and what was skipped, with why.';

CREATE FUNCTION modelreg.rollback(endpoints text[], reason text, further boolean DEFAULT false, expected text[] DEFAULT NULL, request_id text DEFAULT NULL) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'modelreg_rollback' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.rollback(text[], text, boolean, text[], text) IS
	'The same for several endpoints of a team: all of them or none. expected has an etag for each, or null for who did not look. Returns an array.';

REVOKE ALL ON FUNCTION modelreg.rollback(text, text, boolean, text, text), modelreg.rollback(text[], text, boolean, text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.rollback(text, text, boolean, text, text), modelreg.rollback(text[], text, boolean, text[], text) TO PUBLIC;

REVOKE ALL ON FUNCTION modelreg.create_endpoint(text, text, integer, text, text, interval, integer, text, text),
	modelreg.set_endpoint(text, interval, integer, text, text, text),
	modelreg.retire_endpoint(text, text, text, text), modelreg.start_rollout(text, integer, modelreg.traffic_split, text, text, text, text),
	modelreg.pause_rollout(text, text, text, text), modelreg.resume_rollout(text, text, text, text),
	modelreg.complete_rollout(text, text, text, text), modelreg.abort_rollout(text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.create_endpoint(text, text, integer, text, text, interval, integer, text, text),
	modelreg.set_endpoint(text, interval, integer, text, text, text),
	modelreg.retire_endpoint(text, text, text, text), modelreg.start_rollout(text, integer, modelreg.traffic_split, text, text, text, text),
	modelreg.pause_rollout(text, text, text, text), modelreg.resume_rollout(text, text, text, text),
	modelreg.complete_rollout(text, text, text, text), modelreg.abort_rollout(text, text, text, text) TO PUBLIC;
