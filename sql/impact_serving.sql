-- impact_serving(): which endpoints serve, or served, what a node went into; the lineage is walked from whichever side is shorter.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_impact_serving_reader;
CREATE ROLE regress_impact_serving_nobody;
SELECT modelreg.create_team('ims') > 0 AS team, modelreg.create_team('ims2') > 0 AS another;
SELECT modelreg.grant_level('ims', 'regress_impact_serving_reader', 'reader');
SELECT modelreg.record_snapshot('ims.events', '2026-06-0' || i) FROM generate_series(1, 3) AS i;
SELECT modelreg.record_snapshot('ims.unused', '1');
SELECT modelreg.record_run('ims.train-' || i, inputs => jsonb_build_object('training', 'snapshot:ims.events@2026-06-0' || i)) FROM generate_series(1, 3) AS i;
SELECT modelreg.create_model(m, 'open') > 0 AS model FROM unnest('{ims.reco,ims.rank,ims.old,ims2.other}'::text[]) AS m;
SELECT modelreg.register_version('ims.reco', 'run:ims.train-' || i) FROM generate_series(1, 3) AS i;
SELECT modelreg.register_version('ims.rank', parents => '{models:/ims.reco/1}'), modelreg.register_version('ims.old', 'run:ims.train-1'),
	modelreg.register_version('ims2.other', parents => '{models:/ims.reco/1}');
-- Stages stand side by side, so that each may serve.
SELECT modelreg.promote('ims.reco', i, 'Production', archive_others => false) > 0 AS promoted FROM generate_series(1, 3) AS i;
SELECT modelreg.promote(m, 1, 'Production') > 0 AS promoted FROM unnest('{ims.rank,ims.old,ims2.other}'::text[]) AS m;
SELECT modelreg.create_endpoint('ims.home', 'ims.reco', 1) > 0 AS endpoint, modelreg.create_endpoint('ims.page', 'ims.reco', 3) > 0 AS endpoint,
	modelreg.create_endpoint('ims.rank', 'ims.rank') > 0 AS endpoint, modelreg.create_endpoint('ims.old', 'ims.old') > 0 AS endpoint,
	modelreg.create_endpoint('ims2.home', 'ims2.other') > 0 AS endpoint;
CREATE FUNCTION pg_temp.shown(node text, current_only boolean DEFAULT false)
	RETURNS TABLE (endpoint text, version text, depth integer, super boolean, stage text, role text, share integer, since boolean, until boolean) LANGUAGE sql AS $$
	SELECT endpoint, model || '/' || version, depth, by_supersession, stage, role, share, served_since <= statement_timestamp(), served_until > served_since FROM modelreg.impact_serving($1, $2) $$;

SELECT * FROM pg_temp.shown('snapshot:ims.events@2026-06-01');
SELECT * FROM pg_temp.shown('snapshot:ims.events@2026-06-01', true);
SELECT * FROM pg_temp.shown('snapshot:ims.events@2026-06-02');
SELECT * FROM pg_temp.shown('snapshot:ims.unused@1');
-- A split, with a step that is to come; a version that sees requests; one that went, and came back; an endpoint that went.
SELECT modelreg.start_rollout('ims.home', split => '{1: 25%, 2: 75%}', plan => 'all at once') > 0 AS started;
SELECT modelreg.start_rollout('ims.page', 1, plan => 'canary 5% for 1 hour') > 0 AS started;
SELECT * FROM pg_temp.shown('snapshot:ims.events@2026-06-01');
SELECT * FROM pg_temp.shown('snapshot:ims.events@2026-06-02', true);
SELECT modelreg.abort_rollout('ims.page') > 0 AS aborted;
SELECT modelreg.start_rollout('ims.page', 2, plan => 'shadow') > 0 AS started;
SELECT modelreg.start_rollout('ims.home', 2, plan => 'all at once') > 0 AS started;
SELECT modelreg.retire_endpoint('ims.old');
SELECT * FROM pg_temp.shown('snapshot:ims.events@2026-06-01');
SELECT * FROM pg_temp.shown('snapshot:ims.events@2026-06-01', true);
SELECT * FROM pg_temp.shown('snapshot:ims.events@2026-06-02');
SELECT modelreg.start_rollout('ims.home', 1, plan => 'all at once') > 0 AS started;
SELECT * FROM pg_temp.shown('snapshot:ims.events@2026-06-01', true);
-- A version itself; a node that stands for another; one that leads nowhere.
SELECT * FROM pg_temp.shown('models:/ims.reco/1');
SELECT modelreg.record_snapshot('ims.events', '2026-06-01b', supersedes => 'snapshot:ims.events@2026-06-01');
SELECT * FROM pg_temp.shown('snapshot:ims.events@2026-06-01b', true);
-- A model that was retired is named by its permanent id, without the identity here.
SELECT modelreg.promote('ims.old', 1, 'Archived', leave_none => true) > 0 AS archived;
SELECT modelreg.retire_model('ims.old');
SELECT endpoint, regexp_replace(address, 'modelreg:.*/', 'modelreg:') AS address, role FROM modelreg.impact_serving('snapshot:ims.events@2026-06-01') WHERE model = 'ims.old';
-- A hub: a thousand versions from one snapshot, of which one serves.
SELECT modelreg.record_nodes(array_agg('run:ims.hub-' || i), inputs => array_agg('{"training": ["snapshot:ims.unused@1"]}'::jsonb)) FROM generate_series(1, 1000) AS i;
SELECT modelreg.create_model('ims.hub', 'open') > 0 AS model;
SELECT count(modelreg.register_version('ims.hub', 'run:ims.hub-' || i)) FROM generate_series(1, 1000) AS i;
SELECT modelreg.promote('ims.hub', 777, 'Production') > 0 AS promoted, modelreg.create_endpoint('ims.hub', 'ims.hub') > 0 AS endpoint;
SELECT * FROM pg_temp.shown('snapshot:ims.unused@1');
SELECT * FROM pg_temp.shown('snapshot:ims.unused@1', true);
SELECT count(*) FROM modelreg.impact('snapshot:ims.unused@1');

-- Who may not read a team does not learn that it serves what is downstream, nor of a node that is not theirs.
SET ROLE regress_impact_serving_reader;
SELECT DISTINCT endpoint FROM modelreg.impact_serving('snapshot:ims.events@2026-06-01') ORDER BY 1;
RESET ROLE;
SELECT DISTINCT endpoint FROM modelreg.impact_serving('snapshot:ims.events@2026-06-01') ORDER BY 1;
SET ROLE regress_impact_serving_nobody;
SELECT * FROM modelreg.impact_serving('snapshot:ims.events@2026-06-01');
RESET ROLE;
-- Models are told by name and by what joins.
SELECT DISTINCT i.model = v.model AS same FROM modelreg.impact_serving('snapshot:ims.events@2026-06-01') i JOIN modelreg.versions v USING (model_id, version);
-- Nothing on the caller's path takes part.
CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT now() + 1 / 0 * interval '1 day' $$;
CREATE FUNCTION public.unnest(bigint[], integer[], integer[], boolean[]) RETURNS SETOF record LANGUAGE plpgsql AS $$ BEGIN RAISE 'run'; END $$;
SET search_path = public, pg_catalog;
SELECT count(*) FROM modelreg.impact_serving('snapshot:ims.events@2026-06-03');
SHOW search_path;
SELECT modelreg.impact_serving(NULL);
SELECT modelreg.impact_serving('snapshot:ims.events@2026-06-01', NULL);
SELECT modelreg.impact_serving('snapshot:ims.nothing@1');
SHOW search_path;
RESET search_path;
DROP FUNCTION public.unnest(bigint[], integer[], integer[], boolean[]);
SELECT modelreg.revoke_level('ims', 'regress_impact_serving_reader', 'reader');
DROP ROLE regress_impact_serving_reader, regress_impact_serving_nobody;
