-- serving: what a plan says and what a rollout would do. Neither reads nor writes anything, so everybody may ask.

CREATE FUNCTION modelreg.normalized_plan(plan text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'modelreg_normalized_plan' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION modelreg.normalized_plan(text) IS
	'The document as which a plan of a rollout is kept, or the error, with all mistakes, that a rollout by it would be.';
REVOKE ALL ON FUNCTION modelreg.normalized_plan(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.normalized_plan(text) TO PUBLIC;

CREATE FUNCTION modelreg.preview_rollout(present modelreg.traffic_split, target modelreg.traffic_split, plan text,
		starts timestamptz DEFAULT pg_catalog.now(), acts jsonb DEFAULT NULL,
		OUT schedule integer, OUT step integer, OUT opens timestamptz, OUT bake interval, OUT split modelreg.traffic_split,
		OUT shadow text[], OUT warm text[], OUT segments text, OUT state text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'modelreg_preview_rollout' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION modelreg.preview_rollout(modelreg.traffic_split, modelreg.traffic_split, text, timestamptz, jsonb) IS
	'What a rollout from one split to another by a plan would do: a row for each step, with the time at which it opens, null of one that waits for evidence or for resume. With acts, such as [{"act": "pause", "after": "30 minutes"}], also the schedules that replace the first; acts are pause, hold, resume, pass (the evidence of a guarded step is there), complete and abort. Nothing is changed, and models need not exist.';
REVOKE ALL ON FUNCTION modelreg.preview_rollout(modelreg.traffic_split, modelreg.traffic_split, text, timestamptz, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.preview_rollout(modelreg.traffic_split, modelreg.traffic_split, text, timestamptz, jsonb) TO PUBLIC;
