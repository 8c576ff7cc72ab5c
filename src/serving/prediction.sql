-- serving: the log of predictions, partitioned by time

-- It has no index of its own and no key: what an attached partition had would not survive a dump, in which partitions come with theirs.
CREATE TABLE modelreg.prediction (
	endpoint_id bigint NOT NULL,
	team_id bigint NOT NULL,
	at timestamptz NOT NULL,
	recorded_at timestamptz NOT NULL,
	model_id bigint NOT NULL,
	event bigint,
	version integer NOT NULL,
	step integer,
	request_key text COLLATE "C" NOT NULL,
	output jsonb
) PARTITION BY RANGE (at);
COMMENT ON TABLE modelreg.prediction IS 'Predictions that serving processes recorded, in partitions by time: observations, which no event tells of.';
COMMENT ON COLUMN modelreg.prediction.endpoint_id IS 'The endpoint.';
COMMENT ON COLUMN modelreg.prediction.team_id IS 'The team that owns it.';
COMMENT ON COLUMN modelreg.prediction.at IS 'When it was made, as the serving process says.';
COMMENT ON COLUMN modelreg.prediction.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN modelreg.prediction.model_id IS 'The model of the version that made it.';
COMMENT ON COLUMN modelreg.prediction.event IS 'Of its receipt: the event that laid down the schedule; null where none was given.';
COMMENT ON COLUMN modelreg.prediction.version IS 'The version that made it.';
COMMENT ON COLUMN modelreg.prediction.step IS 'Of its receipt: the step of that schedule.';
COMMENT ON COLUMN modelreg.prediction.request_key IS 'The key of the request, as it was routed by.';
COMMENT ON COLUMN modelreg.prediction.output IS 'What was predicted; null where it was not given.';
ALTER TABLE modelreg.prediction ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.prediction FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.prediction TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.prediction', '');

CREATE VIEW modelreg.predictions WITH (security_invoker, security_barrier) AS
	SELECT t.name AS team, t.name || '.' || e.name AS endpoint, p.endpoint_id, p.request_key, p.at,
		t.name || '.' || m.name AS model, p.model_id, p.version, p.event || '.' || p.step AS receipt, p.output, p.recorded_at
	FROM modelreg.prediction p
		JOIN modelreg.endpoint e ON e.id = p.endpoint_id
		JOIN modelreg.team t ON t.id = p.team_id
		JOIN modelreg.model m ON m.id = p.model_id;
COMMENT ON VIEW modelreg.predictions IS 'One row per prediction that was recorded; to be joined with outcomes by request_key. A condition on at leaves out what lies in other partitions.';
COMMENT ON COLUMN modelreg.predictions.team IS 'Name of the team.';
COMMENT ON COLUMN modelreg.predictions.endpoint IS 'Present name of the endpoint, with its team.';
COMMENT ON COLUMN modelreg.predictions.endpoint_id IS 'Permanent id of the endpoint.';
COMMENT ON COLUMN modelreg.predictions.request_key IS 'The key of the request, as it was routed by.';
COMMENT ON COLUMN modelreg.predictions.at IS 'When the prediction was made, as the serving process says.';
COMMENT ON COLUMN modelreg.predictions.model IS 'Present name of the model, with its team.';
COMMENT ON COLUMN modelreg.predictions.model_id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.predictions.version IS 'The version that made it.';
COMMENT ON COLUMN modelreg.predictions.receipt IS 'The receipt of the routing, as it was given; null where none was.';
COMMENT ON COLUMN modelreg.predictions.output IS 'What was predicted; null where it was not given.';
COMMENT ON COLUMN modelreg.predictions.recorded_at IS 'When it was recorded.';
GRANT SELECT ON modelreg.predictions TO PUBLIC;

CREATE FUNCTION modelreg.add_prediction_partitions(until date, since date DEFAULT NULL, per text DEFAULT 'day') RETURNS integer
	AS 'MODULE_PATHNAME', 'modelreg_add_prediction_partitions' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.add_prediction_partitions(date, date, text) IS 'Makes the partitions that are missing, so that predictions since a day (today) and before another can be recorded; a partition for each day, week or month, in UTC. Nobody who reads or records waits for it. Returns how many were made. Needs the right admin.';
REVOKE ALL ON FUNCTION modelreg.add_prediction_partitions(date, date, text) FROM PUBLIC;
-- The function itself asks for the right admin.
GRANT EXECUTE ON FUNCTION modelreg.add_prediction_partitions(date, date, text) TO PUBLIC;

CREATE FUNCTION modelreg.drop_prediction_partitions(before date) RETURNS integer
	AS 'MODULE_PATHNAME', 'modelreg_drop_prediction_partitions' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.drop_prediction_partitions(date) IS 'Drops the partitions that end before a day, in UTC; an error where an endpoint keeps predictions in them longer. Waits for all who read or record predictions, for three seconds where lock_timeout says nothing. Returns how many were dropped. Needs the right admin.';
REVOKE ALL ON FUNCTION modelreg.drop_prediction_partitions(date) FROM PUBLIC;
-- The function itself asks for the right admin.
GRANT EXECUTE ON FUNCTION modelreg.drop_prediction_partitions(date) TO PUBLIC;

CREATE FUNCTION modelreg.expire_predictions() RETURNS TABLE (dropped integer, deleted bigint)
	AS 'MODULE_PATHNAME', 'modelreg_expire_predictions' LANGUAGE C VOLATILE ROWS 1;
COMMENT ON FUNCTION modelreg.expire_predictions() IS 'Removes predictions that are older than their endpoint keeps them (prediction_days), a partition at a time: drops one that has nothing else in it, as drop_prediction_partitions() does, and deletes from others. Returns how many partitions were dropped and how many rows were deleted from others. Needs the right admin.';
REVOKE ALL ON FUNCTION modelreg.expire_predictions() FROM PUBLIC;
-- The function itself asks for the right admin.
GRANT EXECUTE ON FUNCTION modelreg.expire_predictions() TO PUBLIC;

CREATE FUNCTION modelreg.record_predictions(endpoint text, request_keys text[], versions integer[], at timestamptz[] DEFAULT NULL, receipts text[] DEFAULT NULL,
		outputs jsonb[] DEFAULT NULL, model text DEFAULT NULL, request_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'modelreg_record_predictions' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION modelreg.record_predictions(text, text[], integer[], timestamptz[], text[], jsonb[], text, text) IS 'Records predictions that an endpoint made: arrays with an element for each, times (now), receipts and outputs where they are known. Versions are of the model, else of the endpoint''s own. Returns how many were recorded. Needs the level contributor or evaluator.';
REVOKE ALL ON FUNCTION modelreg.record_predictions(text, text[], integer[], timestamptz[], text[], jsonb[], text, text) FROM PUBLIC;
-- The function itself asks for the rights.
GRANT EXECUTE ON FUNCTION modelreg.record_predictions(text, text[], integer[], timestamptz[], text[], jsonb[], text, text) TO PUBLIC;
