-- Legal holds, and purges of the bytes of versions.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_ret_ann;
CREATE ROLE regress_ret_con;
CREATE ROLE regress_ret_bob;
CREATE ROLE regress_ret_adm;
SELECT modelreg.create_team('ret') > 0, modelreg.create_team('ret-other') > 0;
SELECT modelreg.grant_level('ret', 'regress_ret_ann', 'maintainer'), modelreg.grant_level('ret', 'regress_ret_con', 'contributor'),
	modelreg.grant_level('ret', 'regress_ret_con', 'reviewer'), modelreg.grant_level('ret', 'regress_ret_adm', 'reader'),
	modelreg.grant_registry_right('regress_ret_adm', 'admin'), modelreg.grant_level('ret-other', 'regress_ret_bob', 'maintainer');
CREATE FUNCTION fails(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text; reason text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, reason = CONSTRAINT_NAME;
	RETURN concat_ws(' | ', SQLSTATE, reason, message, nullif(detail, ''));
END $$;
CREATE FUNCTION upload(team text, content text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := modelreg.begin_upload(team, length(content));
BEGIN
	PERFORM modelreg.append_upload(id, 0, convert_to(content, 'UTF8')), modelreg.finish_upload(id);
	RETURN id;
END $$;
-- What only the owner sees: whether bytes are here, how many a team is charged for, and whether each object has its row.
CREATE FUNCTION here(content text) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT CASE WHEN b.object IS NOT NULL THEN 'here' WHEN b.purged_at IS NOT NULL THEN 'purged' ELSE 'never' END
	FROM (SELECT) x LEFT JOIN modelreg.blob b ON b.digest::text = modelreg.sha256_digest(convert_to(content, 'UTF8'))::text $$;
CREATE FUNCTION charged(team text) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$
	SELECT bytes FROM modelreg.team_bytes b JOIN modelreg.team t ON t.id = b.team_id WHERE t.name = team $$;
SELECT count(*) AS before FROM pg_largeobject_metadata WHERE oid NOT IN (SELECT object FROM modelreg.blob WHERE object IS NOT NULL UNION ALL SELECT object FROM modelreg.upload WHERE object IS NOT NULL) \gset

SET ROLE regress_ret_ann;
SELECT modelreg.create_model('ret.m', 'open') > 0, modelreg.create_model('ret.strict', 'standard') > 0;
SELECT modelreg.register_version('ret.m', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', upload('ret', 'weights of ' || n)),
	jsonb_build_object('name', 'shared', 'upload', upload('ret', 'shared by two')), '{"name": "ext", "uri": "s3://m/1", "size": 3, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}'::jsonb))
	FROM generate_series(1, 2) n;
SELECT modelreg.register_version('ret.m', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', upload('ret', 'with another team')))) FROM generate_series(3, 3);
SELECT modelreg.register_version('ret.m') FROM generate_series(4, 5);
SELECT modelreg.register_version('ret.strict', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', upload('ret', 'kept for 180 days'))));
SET ROLE regress_ret_bob;
SELECT modelreg.create_model('ret-other.m', 'open') > 0;
SELECT modelreg.register_version('ret-other.m', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', upload('ret-other', 'with another team'))));
RESET ROLE;
SELECT charged('ret'), charged('ret-other');

-- Who may, and what stands against it: all of it at once
SET ROLE regress_ret_con;
SELECT fails($$SELECT modelreg.purge_version('ret.m', 1, 'x')$$), fails($$SELECT modelreg.place_hold('ret.m', 1, 'x')$$), fails($$SELECT modelreg.purge_expired('ret')$$), fails($$SELECT modelreg.purge_expired()$$);
SET ROLE regress_ret_bob;
SELECT fails($$SELECT modelreg.purge_version('ret.m', 1, 'x')$$), fails($$SELECT modelreg.place_hold('ret.m', 1, 'x')$$), fails($$SELECT modelreg.lift_hold('ret.m', 1, 'x')$$);
SET ROLE regress_ret_adm;
SELECT fails($$SELECT modelreg.purge_version('ret.m', 1, 'x')$$);
SET ROLE regress_ret_ann;
SELECT fails(s) FROM (VALUES ($$SELECT modelreg.purge_version('ret.m', NULL, 'x')$$), ($$SELECT modelreg.purge_version('ret.m', 1, NULL)$$), ($$SELECT modelreg.purge_version('ret.m', 9, 'x')$$),
	($$SELECT modelreg.place_hold('ret.m', 9, 'x')$$), ($$SELECT modelreg.place_hold('ret.no', NULL, 'x')$$), ($$SELECT modelreg.purge_expired('ret', 0)$$), ($$SELECT modelreg.lift_hold('ret.m', 1, 'x')$$)) h (s);
SELECT modelreg.promote('ret.m', v, 'Production') IS NOT NULL FROM unnest('{1,4}'::int[]) v;
SELECT fails($$SELECT modelreg.purge_version('ret.m', 4, 'current')$$);
SELECT fails($$SELECT modelreg.purge_version('ret.m', 1, 'before')$$);
SELECT modelreg.promote('ret.m', 5, 'Production') IS NOT NULL;
SELECT modelreg.place_hold('ret.m', NULL, 'a lawsuit', request_id => 'h1') > 0, modelreg.place_hold('ret.m', NULL, 'a lawsuit', request_id => 'h1') > 0, modelreg.place_hold('ret.m', NULL, 'again') IS NULL;
SELECT modelreg.place_hold('ret.m', 1, 'another one') > 0, modelreg.place_hold('ret.strict', 1, 'and here') > 0;
SELECT fails($$SELECT modelreg.purge_version('ret.m', 1, 'held twice')$$);
SELECT fails($$SELECT modelreg.purge_version('ret.m', 5, 'held, and current')$$);
SELECT fails($$SELECT modelreg.purge_version('ret.strict', 1, 'held, and too early')$$);
SELECT model, version, role, reason FROM modelreg.legal_holds ORDER BY model, version;
SET ROLE regress_ret_adm;
SELECT modelreg.lift_hold('ret.m', NULL, 'settled') > 0, modelreg.lift_hold('ret.m', 1, 'settled') > 0, modelreg.lift_hold('ret.m', 1, 'again') IS NULL, modelreg.lift_hold('ret.strict', 1, 'x') > 0;
SET ROLE regress_ret_ann;
SELECT fails($$SELECT modelreg.purge_version('ret.strict', 1, 'too early')$$);
SELECT count(*) FROM modelreg.purge_due;
SELECT modelreg.place_hold('ret.strict', NULL, 'to be kept') > 0;

-- Purged: the bytes that nobody else needs go, and the quota has them back; what is known of them stays
SELECT modelreg.purge_version('ret.m', 1, 'a customer asked', request_id => 'p1') > 0;
SELECT modelreg.purge_version('ret.m', 1, 'a customer asked', request_id => 'p1') > 0;
SELECT modelreg.purge_version('ret.m', 1, 'again') IS NULL;
SELECT here('weights of 1'), here('shared by two'), here('weights of 2'), charged('ret');
SELECT fails($$SELECT modelreg.read_artifact('ret.m', 1, 'w')$$), fails($$SELECT modelreg.read_artifact('ret.m', 1, 'shared')$$), fails($$SELECT modelreg.artifact_chunks('ret.m', 1, 'shared')$$);
SELECT convert_from(modelreg.read_artifact('ret.m', 2, 'shared'), 'UTF8'), modelreg.verify_artifact('ret.m', 1, 'shared'), modelreg.verify_artifact('ret.m', 1, 'ext'), modelreg.verify_artifact('ret.m', 2, 'shared');
SELECT version, name, size, purged FROM modelreg.artifacts WHERE model = 'ret.m' ORDER BY version, name;
SELECT model, version, role, reason FROM modelreg.purged_versions;
SELECT fails($$SELECT modelreg.promote('ret.m', 1, 'Staging')$$), fails($$SELECT modelreg.place_hold('ret.m', 1, 'too late')$$);
-- 1, 4 and 5 were current: 4 is before 5, and behind it is nothing that is left
SELECT version FROM modelreg.previous('ret.m');
SELECT modelreg.rollback_model('ret.m', 'back');
SELECT version FROM modelreg.previous('ret.m');
SELECT fails($$SELECT modelreg.rollback_model('ret.m', 'further back')$$);
-- the digest alone gives no right to what a purged version had, also where the bytes are here still
SELECT fails($$SELECT modelreg.register_version('ret.m', artifacts => format('[{"name": "w", "digest": "%s"}]', modelreg.sha256_digest('weights of 1'))::jsonb)$$);
-- the last one that shares them
SELECT modelreg.purge_version('ret.m', 2, 'too') > 0;
SELECT here('weights of 2'), here('shared by two'), charged('ret');
-- another team's are none of this one's business
SELECT modelreg.purge_version('ret.m', 3, 'shared with another team') > 0;
SELECT here('with another team'), charged('ret'), charged('ret-other');
SELECT fails($$SELECT modelreg.read_artifact('ret.m', 3, 'w')$$);
SELECT fails($$SELECT modelreg.register_version('ret.m', artifacts => format('[{"name": "w", "digest": "%s"}]', modelreg.sha256_digest('with another team'))::jsonb)$$);
SET ROLE regress_ret_bob;
SELECT convert_from(modelreg.read_artifact('ret-other.m', 1, 'w'), 'UTF8');
SELECT modelreg.purge_version('ret-other.m', 1, 'the last one') > 0;
SELECT here('with another team'), charged('ret-other');

-- Uploaded again they are another version's, and the purged one stays purged
SET ROLE regress_ret_ann;
SELECT modelreg.register_version('ret.m', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', upload('ret', 'weights of 1'))));
SELECT convert_from(modelreg.read_artifact('ret.m', 6, 'w'), 'UTF8'), fails($$SELECT modelreg.read_artifact('ret.m', 1, 'w')$$);
-- an upload that waits for its version keeps the bytes, until it is swept
SELECT upload('ret', 'weights of 1') > 0;
SELECT modelreg.purge_version('ret.m', 6, 'and again') > 0;
SELECT here('weights of 1'), charged('ret');
SELECT modelreg.sweep_uploads('ret', '0') > 0;
SELECT here('weights of 1'), charged('ret');
-- a sweep that found a version marks the upload as used; the purge gives it back all the same
SELECT modelreg.register_version('ret.m', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', upload('ret', 'swept before'))));
SELECT modelreg.sweep_uploads('ret', '0') > 0;
SELECT modelreg.purge_version('ret.m', 7, 'used') > 0;
SELECT here('swept before'), charged('ret');

-- A policy that would promote it by itself leaves it where it is, and who evaluates it is not in anybody's way
RESET ROLE;
SELECT modelreg.create_policy('ret', 'by-itself', '{"format": 1, "gates": {"offline": {"kind": "evaluation", "evaluation": "offline"}}, "transitions": [
	{"from": ["Experimental"], "to": "Staging", "levels": ["maintainer"], "automatic": true, "gates": ["offline"]}, {"from": ["Staging"], "to": "Production", "levels": ["maintainer"], "gates": ["offline"]}]}');
SELECT modelreg.allow_policy('ret', 'by-itself', 1), modelreg.grant_level('ret', 'regress_ret_con', 'evaluator');
SET ROLE regress_ret_ann;
SELECT modelreg.create_model('ret.auto', 'by-itself') > 0, modelreg.register_version('ret.auto'), modelreg.register_version('ret.auto');
SELECT modelreg.purge_version('ret.auto', 1, 'of no use') > 0;
SET ROLE regress_ret_con;
SELECT modelreg.record_evaluation('models:/ret.auto/' || n, 'offline', '{}', passed => true) > 0 FROM generate_series(1, 2) n;
SELECT version, stage FROM modelreg.versions WHERE model = 'ret.auto' ORDER BY version;
SET ROLE regress_ret_ann;

-- What a quarantine passes over may come back when it is lifted, so its bytes stay, as do those to which a rollback goes meanwhile
SELECT modelreg.create_model('ret.q', 'open') > 0, modelreg.record_run('ret.bad') IS NOT NULL;
SELECT modelreg.register_version('ret.q', run => CASE n WHEN 3 THEN 'run:ret.bad' END, artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', upload('ret', 'q' || n)))) FROM generate_series(1, 4) n;
SELECT count(modelreg.promote('ret.q', n, 'Production')) FROM generate_series(1, 4) n;
SELECT modelreg.quarantine('run:ret.bad', 'leaks') > 0;
SELECT version FROM modelreg.previous('ret.q');
SELECT fails(format('SELECT modelreg.purge_version(''ret.q'', %s, ''x'')', n)) FROM generate_series(2, 3) n;
SELECT modelreg.purge_version('ret.q', 1, 'behind both') > 0;
SELECT modelreg.lift_quarantine('run:ret.bad', 'it does not') > 0;
SELECT modelreg.rollback_model('ret.q', 'back to what was kept');

-- A retired model is held, let go and purged by the name that it had, or by a permanent id once another has the name
SELECT modelreg.create_model('ret.old', 'open') > 0, modelreg.register_version('ret.old', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', upload('ret', 'of a retired model'))));
SELECT permanent_id AS old FROM modelreg.get_version('ret.old', 1) \gset
SELECT modelreg.retire_model('ret.old', 'over');
SELECT modelreg.place_hold('ret.old', NULL, 'a lawsuit') > 0, modelreg.place_hold('ret.old', 1, 'another', request_id => 'old') > 0;
SELECT fails($$SELECT modelreg.purge_version('ret.old', 1, 'held')$$);
SELECT modelreg.create_model('ret.old', 'open') > 0, modelreg.register_version('ret.old');
SELECT modelreg.place_hold('ret.old', 1, 'of the new one') > 0, modelreg.place_hold(:'old', 1, 'held already') IS NULL;
SELECT model, version, reason FROM modelreg.legal_holds WHERE model = 'ret.old' ORDER BY model_id, version;
SELECT fails(format('SELECT modelreg.lift_hold(%L, 1, ''x'')', :'old')), fails(format('SELECT modelreg.purge_version(%L, 2, ''x'')', :'old')), regexp_replace(fails(format('SELECT modelreg.purge_version(%L, 1, ''x'')', :'old' || '0')), '"[^"]*"', 'it');
SET ROLE regress_ret_bob;
SELECT DISTINCT regexp_replace(fails(format('SELECT modelreg.purge_version(%L, 1, ''x'')', id)), '"[^"]*"', 'it') FROM unnest(ARRAY[:'old', 'modelreg:00000000-0000-0000-0000-000000000000/1/1']) id;
SET ROLE regress_ret_adm;
SELECT modelreg.lift_hold(:'old', NULL, 'settled') > 0, modelreg.lift_hold(:'old', 1, 'settled') > 0;
SELECT fails(format('SELECT modelreg.purge_version(%L, 1, ''x'')', :'old'));
SET ROLE regress_ret_ann;
SELECT modelreg.purge_version(:'old', 1, 'of nobody') > 0, here('of a retired model');

-- What an endpoint keeps warm is not purged, in any stage; when it is to be loaded no more, it may be
SELECT modelreg.create_model('ret.warm', 'open') > 0;
SELECT modelreg.register_version('ret.warm', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', upload('ret', 'warm ' || n)))) FROM generate_series(1, 4) n;
SELECT modelreg.promote('ret.warm', n, 'Production', archive_others => false) > 0 FROM unnest('{1,2,4,3}'::int[]) n;
SELECT modelreg.create_endpoint('ret.long', 'ret.warm', 1) > 0, modelreg.create_endpoint('ret.short', 'ret.warm', 2) > 0;
SELECT modelreg.start_rollout('ret.' || e, 3, plan => jsonb_build_object('steps', '[{"weight": "100%"}]'::jsonb, 'keep_warm', w)::text) > 0 FROM (VALUES ('long', '1 hour'), ('short', '20 ms')) x (e, w);
SELECT pg_sleep(0.03), modelreg.promote('ret.warm', 1, 'Archived') > 0, modelreg.promote('ret.warm', 2, 'Archived') > 0;
SELECT fails($$SELECT modelreg.purge_version('ret.warm', 1, 'served once')$$), fails($$SELECT modelreg.purge_version('ret.warm', 3, 'serves')$$), modelreg.purge_version('ret.warm', 2, 'served once') > 0;
SELECT here('warm ' || n) FROM generate_series(1, 3) n;
SELECT modelreg.retire_endpoint('ret.long'), modelreg.purge_version('ret.warm', 1, 'served once') > 0, here('warm 1');

-- One transaction, undone and not
BEGIN;
SELECT modelreg.register_version('ret.m', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', upload('ret', 'for one moment'))));
SAVEPOINT s;
SELECT modelreg.purge_version('ret.m', 8, 'at once') > 0, here('for one moment');
ROLLBACK TO s;
SELECT here('for one moment'), convert_from(modelreg.read_artifact('ret.m', 8, 'w'), 'UTF8');
SELECT modelreg.purge_version('ret.m', 8, 'at once') > 0;
COMMIT;
SELECT here('for one moment');
-- nothing of the registry's is left without its row, and the rows are a fold of the events
RESET ROLE;
SELECT count(*) - :before FROM pg_largeobject_metadata WHERE oid NOT IN (SELECT object FROM modelreg.blob WHERE object IS NOT NULL UNION ALL SELECT object FROM modelreg.upload WHERE object IS NOT NULL);
SELECT * FROM modelreg.verify('ret') UNION ALL SELECT * FROM modelreg.verify('ret-other') UNION ALL SELECT * FROM modelreg.verify('ret.m');
SELECT fails('DELETE FROM modelreg.purged_version'), fails('DELETE FROM modelreg.legal_hold');
SET ROLE regress_ret_bob;
SELECT count(*) FROM modelreg.purged_versions WHERE team = 'ret';
SELECT count(*) FROM modelreg.legal_holds;
RESET ROLE;
DROP FUNCTION fails(text), upload(text, text), here(text), charged(text);
