-- serving: what stood behind one answer

CREATE FUNCTION modelreg.trace_prediction(endpoint text, request_key text DEFAULT NULL, at timestamptz DEFAULT NULL, receipt text DEFAULT NULL,
		max_depth integer DEFAULT NULL)
	RETURNS TABLE (part text, kind text, address text, role text, depth integer, number bigint, recorded_at timestamptz, share integer, digest text,
		detail jsonb, basis text, certain boolean)
	AS 'MODULE_PATHNAME', 'modelreg_trace_prediction' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 20;
COMMENT ON FUNCTION modelreg.trace_prediction(text, text, timestamptz, text, integer) IS 'What stood behind an answer of an endpoint: the event that laid down its traffic (part traffic), the version and its share, in millionths (version), the decision that let it in, with the digest of its evidence (decision), and what it was made from, step by step (lineage, as upstream() has it, down to max_depth). Names are those of the time of the answer, in the lineage the present ones. basis: logged (recorded predictions say so), receipt, or computed from the schedule, which says what was planned. certain: logged or by receipt, and nothing can change it any more. A receipt is that of any step of a schedule; replaced_by in the detail names the event that had replaced the schedule by then, of which the server had not heard. By a receipt without a request key there is a version for each arm.';
REVOKE ALL ON FUNCTION modelreg.trace_prediction(text, text, timestamptz, text, integer) FROM PUBLIC;
-- It shows what the caller may read.
GRANT EXECUTE ON FUNCTION modelreg.trace_prediction(text, text, timestamptz, text, integer) TO PUBLIC;
