-- verify: whether anything was tampered with, and the heads as a document to keep elsewhere

CREATE FUNCTION modelreg.verify(scope text DEFAULT NULL, deep boolean DEFAULT false)
	RETURNS TABLE (check_name text, object text, detail text)
	AS 'MODULE_PATHNAME', 'modelreg_verify' LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 10;
COMMENT ON FUNCTION modelreg.verify(text, boolean) IS
	'Recomputes every hash, link, reference and fold in the caller''s snapshot and lists what is wrong; no rows: all is well. scope: null for the whole registry (needs the right auditor), or a team, or a model as team.model (needs reader there). deep also reads and hashes every stored byte, verifies signatures, holds decisions and traffic against their policies, and looks at each recorded prediction. Redacted texts and purged bytes are no findings.';
REVOKE ALL ON FUNCTION modelreg.verify(text, boolean) FROM PUBLIC;
-- It asks for the rights itself.
GRANT EXECUTE ON FUNCTION modelreg.verify(text, boolean) TO PUBLIC;

CREATE FUNCTION modelreg.audit_head(OUT document jsonb, OUT digest text)
	AS 'MODULE_PATHNAME', 'modelreg_audit_head' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION modelreg.audit_head() IS
	'The registry''s identity and the position and head hash of every chain, in one snapshot, and the digest of that document''s canonical JSON. Publish or sign the digest outside of the database: it shows later that no chain was written anew. Needs the right auditor.';
REVOKE ALL ON FUNCTION modelreg.audit_head() FROM PUBLIC;
-- It asks for the right itself.
GRANT EXECUTE ON FUNCTION modelreg.audit_head() TO PUBLIC;

CREATE FUNCTION modelreg.verify_head(published jsonb, scope text DEFAULT NULL)
	RETURNS TABLE (check_name text, object text, detail text)
	AS 'MODULE_PATHNAME', 'modelreg_verify_head' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION modelreg.verify_head(jsonb, text) IS
	'Compares the chains with a document of audit_head() that was kept: each must still have, at the position that it names, the event that it names. Behind: the registry was restored to an earlier state, or cut; differs: it was written anew. No rows, here and of verify(): today''s log goes on from the published one. scope as of verify(); the document''s chains outside of it are left out. It looks at one event a chain.';
REVOKE ALL ON FUNCTION modelreg.verify_head(jsonb, text) FROM PUBLIC;
-- It asks for the rights itself.
GRANT EXECUTE ON FUNCTION modelreg.verify_head(jsonb, text) TO PUBLIC;
