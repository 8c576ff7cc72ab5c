-- Where serving and governance meet: what serves is not archived, retired or purged, what a promotion replaces leaves when
-- its last share is gone, endpoints follow a model's pointer there and back, and a quarantine holds rollouts.
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_follow_ann;
CREATE ROLE regress_follow_rev;
CREATE ROLE regress_follow_con;
SELECT modelreg.create_team('follow') > 0, modelreg.create_team('follow-data') > 0;
SELECT modelreg.grant_level('follow', 'regress_follow_ann', 'maintainer'), modelreg.grant_level('follow', 'regress_follow_rev', 'reviewer'),
	modelreg.grant_level('follow', 'regress_follow_con', 'contributor');
CREATE SCHEMA regress_follow;
CREATE FUNCTION regress_follow.fails(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text; reason text; context text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, reason = CONSTRAINT_NAME;
	RETURN concat_ws(' | ', SQLSTATE, reason, message, nullif(detail, ''));
END $$;
-- The versions with a share some time from now, with their shares in percent; those that only see the requests have none.
CREATE FUNCTION regress_follow.split(name text, after interval DEFAULT '0') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s: %s', a.version, CASE a.share WHEN 0 THEN 'shadow' ELSE round(a.share / 10000.0, 1)::text END), ', ' ORDER BY a.model_id, a.version)
	FROM modelreg.endpoints e JOIN modelreg.traffic_arm a ON a.endpoint_id = e.endpoint_id AND a.seq = e.number
	WHERE e.endpoint = $1 AND a.step = (SELECT max(s.step) FROM modelreg.traffic_arm s
		WHERE s.endpoint_id = a.endpoint_id AND s.seq = a.seq AND s.opens <= clock_timestamp() + after) $$;
CREATE FUNCTION regress_follow.stages(name text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s: %s%s', s.version, s.stage, CASE WHEN s.version = m.current_version THEN ' (current)' WHEN l.version IS NOT NULL THEN ' (leaving)' END), ', ' ORDER BY s.version)
	FROM modelreg.model m JOIN modelreg.version_stage s ON s.model_id = m.id LEFT JOIN modelreg.leaving l ON l.model_id = s.model_id AND l.version = s.version
	WHERE m.name = $1 AND m.retired_at IS NULL $$;
GRANT USAGE ON SCHEMA regress_follow TO PUBLIC;

SET ROLE regress_follow_ann;
SELECT modelreg.create_model('follow.ranker', 'open') > 0, modelreg.create_model('follow.other', 'open') > 0;
SELECT modelreg.register_version('follow.ranker') FROM generate_series(1, 6);
SELECT modelreg.register_version('follow.other'), modelreg.register_version('follow.other');
SELECT modelreg.promote('follow.ranker', 1, 'Production') IS NOT NULL, modelreg.promote('follow.other', 1, 'Production') IS NOT NULL;

-- A promotion starts the rollout of each follower, and of nobody else.
SELECT modelreg.create_endpoint('follow.front', follows => 'follow.ranker', plan => 'linear over 2 hours') > 0;
SELECT modelreg.create_endpoint('follow.quick', follows => 'follow.ranker', plan => 'all at once') > 0;
SELECT modelreg.create_endpoint('follow.pinned', model => 'follow.ranker', version => 1) > 0;
SELECT modelreg.create_endpoint('follow.elsewhere', follows => 'follow.other', plan => 'all at once') > 0;
SELECT modelreg.promote('follow.ranker', 2, 'Production', reason => 'better') IS NOT NULL;
SELECT endpoint, regress_follow.split(endpoint), regress_follow.split(endpoint, '1 hour 1 second'), regress_follow.split(endpoint, '2 hours') FROM modelreg.endpoints WHERE team = 'follow' ORDER BY 1;
SELECT regress_follow.stages('ranker');
SELECT kind, reason FROM modelreg.events WHERE chain = 'endpoint' AND team = 'follow' ORDER BY at;
SELECT what->'moves', what->'leaving' FROM modelreg.model_history WHERE model = 'follow.ranker' AND kind = 'promoted' ORDER BY number;
SELECT model, version, uri, since IS NOT NULL, number > 0 FROM modelreg.leaving_versions;

-- What serves is not archived, moved to where it may not serve, purged or retired; the endpoints are told.
SELECT regress_follow.fails(s) FROM (VALUES ($$SELECT modelreg.promote('follow.ranker', 1, 'Archived')$$), ($$SELECT modelreg.promote('follow.ranker', 1, 'Staging')$$),
	($$SELECT modelreg.promote('follow.ranker', 2, 'Experimental', leave_none => true)$$), ($$SELECT modelreg.emergency_promote('follow.ranker', 1, 'Archived', 'now')$$),
	($$SELECT modelreg.retire_model('follow.ranker')$$), ($$SELECT modelreg.purge_version('follow.ranker', 1, 'too large')$$)) v (s);
SELECT regress_follow.stages('ranker');

-- Once more over a rollout that is running: from the weights of now. Version 1 has a share still, 2 none.
SELECT modelreg.promote('follow.ranker', 3, 'Production') IS NOT NULL;
SELECT endpoint, regress_follow.split(endpoint), regress_follow.split(endpoint, '1 hour 1 second'), regress_follow.split(endpoint, '2 hours') FROM modelreg.endpoints WHERE team = 'follow' ORDER BY 1;
SELECT regress_follow.stages('ranker');
-- The same again is nothing, and neither is what is no change of the pointer.
SELECT modelreg.promote('follow.ranker', 3, 'Production'), modelreg.promote('follow.ranker', 4, 'Staging') > 0;
SELECT count(*) FROM modelreg.events WHERE chain = 'endpoint' AND team = 'follow';

-- The pointer goes back, and all followers with it, at once; who does not follow stays.
SELECT modelreg.rollback_model('follow.ranker', 'worse');
SELECT endpoint, regress_follow.split(endpoint), regress_follow.split(endpoint, '2 hours') FROM modelreg.endpoints WHERE team = 'follow' ORDER BY 1;
SELECT regress_follow.stages('ranker');
SELECT modelreg.rollback_model('follow.ranker', 'worse as well'), regress_follow.stages('ranker');
SELECT endpoint, regress_follow.split(endpoint) FROM modelreg.endpoints WHERE team = 'follow' ORDER BY 1;
SELECT kind, reason FROM modelreg.events WHERE chain = 'endpoint' AND team = 'follow' AND kind = 'rolled_back' ORDER BY at;

-- Where nothing is current any more, the traffic stays.
SELECT modelreg.promote('follow.other', 1, 'Staging', leave_none => true);
SELECT regress_follow.fails($$SELECT modelreg.promote('follow.other', 1, 'Staging', leave_none => true)$$);
-- Who looked first gives the etag that he saw, which neither changes.
SELECT etag FROM modelreg.endpoints WHERE endpoint = 'follow.elsewhere' \gset
SELECT regress_follow.fails(s) ~ '^55000 .*was changed meanwhile' AS refused FROM (VALUES ($$SELECT modelreg.unfollow('follow.elsewhere', expected => '1-0123456789abcdef')$$),
	($$SELECT modelreg.follow('follow.elsewhere', 'all at once', expected => '')$$)) v (s);
SELECT modelreg.unfollow('follow.elsewhere', 'by hand now', expected => :'etag') > 0, modelreg.unfollow('follow.elsewhere', expected => :'etag');
SELECT modelreg.follow('follow.elsewhere', 'canary', expected => :'etag') > 0, modelreg.unfollow('follow.elsewhere', expected => :'etag') > 0;
SELECT modelreg.promote('follow.other', 2, 'Production') > 0, regress_follow.split('follow.elsewhere'), regress_follow.stages('other');

-- A version whose share ends by time, behind the commit, has no verb that archives it: the next decision about the model does.
SELECT modelreg.follow('follow.elsewhere', 'canary 50% for 2 seconds', reason => 'soon') > 0;
SELECT pg_sleep_until(next_opens + interval '10 ms') FROM modelreg.rollout_status('follow.elsewhere');
SELECT regress_follow.split('follow.elsewhere'), regress_follow.stages('other');
SELECT modelreg.register_version('follow.other'), modelreg.promote('follow.other', 3, 'Staging') > 0, regress_follow.stages('other');

-- To follow by the same plan what is served already is nothing to do; plans are checked, and rights.
SELECT modelreg.follow('follow.elsewhere', 'canary 50% for 2 seconds'), modelreg.follow('follow.elsewhere', 'all at once', request_id => 'r') > 0,
	modelreg.follow('follow.elsewhere', 'all at once', request_id => 'r') > 0;
SELECT regress_follow.fails(s) FROM (VALUES ($$SELECT modelreg.follow('follow.elsewhere', 'shadow')$$), ($$SELECT modelreg.follow('follow.elsewhere', 'nix')$$),
	($$SELECT modelreg.follow('follow.elsewhere', NULL)$$), ($$SELECT modelreg.follow('follow.nix', 'all at once')$$), ($$SELECT modelreg.follow(NULL, 'all at once')$$),
	($$SELECT modelreg.unfollow('follow.nix')$$), ($$SELECT modelreg.follow('follow.elsewhere', 'linear over 1 hour', request_id => 'r')$$)) v (s);
SET ROLE regress_follow_con;
SELECT regress_follow.fails(s) FROM (VALUES ($$SELECT modelreg.follow('follow.elsewhere', 'all at once')$$), ($$SELECT modelreg.unfollow('follow.elsewhere')$$)) v (s);
-- who may promote moves the traffic of followers, whatever his own level
SELECT modelreg.promote('follow.other', 3, 'Production') > 0, regress_follow.split('follow.elsewhere'), regress_follow.stages('other');
SET ROLE regress_follow_ann;

-- A savepoint undoes all of it.
BEGIN;
SAVEPOINT s;
SELECT modelreg.promote('follow.ranker', 5, 'Production') > 0, regress_follow.split('follow.quick');
ROLLBACK TO s;
SELECT regress_follow.split('follow.quick'), regress_follow.stages('ranker');
COMMIT;
SELECT regress_follow.split('follow.quick'), regress_follow.stages('ranker');

-- The verb that takes the last share archives: complete, abort, start, and who retires the endpoint.
SELECT modelreg.retire_endpoint('follow.pinned');
SELECT modelreg.promote('follow.ranker', 4, 'Production') > 0, regress_follow.stages('ranker');
SELECT modelreg.complete_rollout('follow.front', 'good') > 0;
SELECT regress_follow.stages('ranker');
SELECT chain, kind, what->'moves', reason FROM modelreg.events WHERE chain = 'decisions' AND chain_id = (SELECT id FROM modelreg.model WHERE name = 'ranker') ORDER BY number DESC LIMIT 2;
SELECT modelreg.create_endpoint('follow.pinned', model => 'follow.ranker', version => 4) > 0;
SELECT modelreg.promote('follow.ranker', 5, 'Production') > 0;
SELECT modelreg.complete_rollout('follow.front') > 0, regress_follow.stages('ranker');
SELECT modelreg.start_rollout('follow.pinned', version => 5, plan => 'all at once') > 0;
SELECT regress_follow.stages('ranker');
-- an abort gives the old one its traffic back; what was new has none, and is current still
SELECT modelreg.promote('follow.ranker', 6, 'Production') > 0;
SELECT modelreg.abort_rollout('follow.front') > 0, regress_follow.split('follow.front'), regress_follow.split('follow.quick'), regress_follow.stages('ranker');
SELECT modelreg.follow('follow.front', 'all at once') > 0, regress_follow.split('follow.front');
SELECT regress_follow.stages('ranker'), regress_follow.split('follow.pinned');
SELECT modelreg.retire_endpoint('follow.pinned');
SELECT regress_follow.stages('ranker');
SELECT count(*) FROM modelreg.leaving_versions;

-- Many promotions of one model while its rollout lasts: all are rolled out, and few versions share the traffic.
SELECT modelreg.follow('follow.front', 'canary') > 0;
SELECT count(modelreg.register_version('follow.ranker')) FROM generate_series(7, 46);
DO $$ BEGIN FOR v IN 7..46 LOOP PERFORM modelreg.promote('follow.ranker', v, 'Production'); COMMIT; END LOOP; END $$;
SELECT regress_follow.split('follow.front'), regress_follow.split('follow.front', '2 hours'), regress_follow.split('follow.quick');
SELECT count(*) FILTER (WHERE share > 0), sum(share) FROM modelreg.endpoints e JOIN modelreg.traffic_arm a ON a.endpoint_id = e.endpoint_id AND a.seq = e.number AND a.step = 0 WHERE endpoint = 'follow.front';
SELECT modelreg.complete_rollout('follow.front') > 0, regress_follow.split('follow.front');
SELECT version, stage FROM modelreg.versions WHERE model = 'follow.ranker' AND stage <> 'Archived' ORDER BY version;

-- A policy says which traffic Production takes: no plan to follow by that it refuses, no policy that refuses what serves.
SELECT modelreg.create_policy('follow', 'canaries', jsonb_set(modelreg.policy_document(NULL, 'open', 1), '{traffic}', '{"Staging": ["shadow"], "Production": ["shadow", "canary", "full"]}'));
SELECT modelreg.create_policy('follow', 'whole', jsonb_set(modelreg.policy_document(NULL, 'open', 1), '{traffic}', '{"Production": ["full"]}'));
RESET ROLE;
SELECT modelreg.allow_policy('follow', 'canaries', 1), modelreg.allow_policy('follow', 'whole', 1);
SET ROLE regress_follow_ann;
SELECT modelreg.create_model('follow.strict', 'canaries') > 0, modelreg.register_version('follow.strict'), modelreg.register_version('follow.strict'), modelreg.promote('follow.strict', 1, 'Production') > 0;
SELECT regress_follow.fails(s) FROM (VALUES ($$SELECT modelreg.create_endpoint('follow.strict', follows => 'follow.strict', plan => 'linear over 2 hours')$$)) v (s);
SELECT modelreg.create_endpoint('follow.strict', follows => 'follow.strict', plan => 'canary') > 0;
SELECT regress_follow.fails(s) FROM (VALUES ($$SELECT modelreg.follow('follow.strict', 'linear over 2 hours')$$), ($$SELECT modelreg.request_policy('follow.strict', 'whole', 1)$$)) v (s);
SELECT modelreg.request_policy('follow.strict', 'open', 1) > 0;
SELECT modelreg.follow('follow.strict', 'linear over 2 hours') > 0, modelreg.promote('follow.strict', 2, 'Production') > 0;
SELECT regress_follow.fails(s) FROM (VALUES ($$SELECT modelreg.request_policy('follow.strict', 'canaries', 1)$$)) v (s);

-- In an emergency, and where the policy promotes by itself at the end of a transaction.
SELECT modelreg.emergency_promote('follow.strict', 1, 'Archived', 'poisoned');
SELECT modelreg.register_version('follow.strict'), modelreg.emergency_promote('follow.strict', 3, 'Production', 'poisoned') > 0;
SELECT regress_follow.split('follow.strict'), regress_follow.split('follow.strict', '2 hours'), regress_follow.stages('strict');
SELECT modelreg.create_policy('follow', 'nightly', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "automatic": true, "gates": ["offline"]}],
	"gates": {"offline": {"kind": "evaluation", "evaluation": "offline", "passed": true}}, "return": {"levels": ["maintainer"]}}');
RESET ROLE;
SELECT modelreg.allow_policy('follow', 'nightly', 1), modelreg.grant_level('follow', 'regress_follow_ann', 'evaluator');
SET ROLE regress_follow_ann;
-- 30 models, each with its follower, retrained twice: in one transaction, and in one each
SELECT count(modelreg.create_model('follow.night-' || i, 'nightly')) FROM generate_series(1, 30) i;
SELECT count(modelreg.register_version('follow.night-' || i)) FROM generate_series(1, 30) i;
SELECT count(modelreg.record_evaluation('models:/follow.night-' || i || '/1', 'offline', '{}', passed => true)) FROM generate_series(1, 30) i;
SELECT count(modelreg.create_endpoint('follow.night-' || i, follows => 'follow.night-' || i, plan => 'linear over 2 hours')) FROM generate_series(1, 30) i;
BEGIN;
SELECT count(modelreg.register_version('follow.night-' || i)) FROM generate_series(1, 30) i;
SELECT count(modelreg.record_evaluation('models:/follow.night-' || i || '/2', 'offline', '{}', passed => true)) FROM generate_series(1, 30) i;
COMMIT;
SELECT regress_follow.split(endpoint), regress_follow.split(endpoint, '2 hours'), count(*) FROM modelreg.endpoints WHERE endpoint LIKE 'follow.night-%' GROUP BY 1, 2;
DO $$ BEGIN FOR i IN 1..30 LOOP PERFORM modelreg.register_version('follow.night-' || i), modelreg.record_evaluation('models:/follow.night-' || i || '/3', 'offline', '{}', passed => true); COMMIT; END LOOP; END $$;
SELECT regress_follow.split(endpoint), regress_follow.split(endpoint, '2 hours'), count(*) FROM modelreg.endpoints WHERE endpoint LIKE 'follow.night-%' GROUP BY 1, 2;
SELECT stage, count(*) FROM modelreg.versions WHERE model LIKE 'follow.night-%' GROUP BY stage ORDER BY stage;
-- what is known to be wrong later does not keep a pipeline from recording it
SELECT modelreg.record_evaluation('models:/follow.night-1/3', 'offline', '{}', passed => false) > 0;

-- A model of which nothing serves is not retired while an endpoint follows it. After that the endpoint's versions are named with their model.
SELECT modelreg.create_model('follow.led', 'open') > 0, modelreg.create_model('follow.leads', 'open') > 0, modelreg.register_version('follow.led'), modelreg.register_version('follow.leads'),
	modelreg.promote('follow.led', 1, 'Production') > 0, modelreg.promote('follow.leads', 1, 'Production') > 0;
SELECT modelreg.create_endpoint('follow.led', follows => 'follow.led', plan => 'all at once') > 0;
SELECT modelreg.start_rollout('follow.led', split => '{follow.leads/1: 100%}', plan => 'all at once') > 0, modelreg.promote('follow.led', 1, 'Archived', leave_none => true) > 0;
SELECT regress_follow.fails($$SELECT modelreg.retire_model('follow.led')$$), regress_follow.fails($$SELECT modelreg.retire_model('follow.leads')$$);
SELECT modelreg.unfollow('follow.led') > 0, modelreg.retire_model('follow.led');
SELECT regress_follow.fails(s) FROM (VALUES ($$SELECT modelreg.follow('follow.led', 'all at once')$$), ($$SELECT modelreg.start_rollout('follow.led', 1)$$), ($$SELECT modelreg.start_rollout('follow.led', split => '{follow.leads/1: 100%}')$$),
	($$SELECT modelreg.rollback('follow.led', 'worse')$$)) v (s);
SELECT modelreg.retire_endpoint('follow.led');

-- A quarantine holds the rollouts that lead to what derives from the node, also those of other teams, and no others.
RESET ROLE;
SELECT modelreg.grant_level('follow-data', 'regress_follow_rev', 'maintainer'), modelreg.grant_level('follow-data', 'regress_follow_ann', 'reader');
SET ROLE regress_follow_rev;
SELECT modelreg.record_snapshot('follow-data.clicks', '1');
SET ROLE regress_follow_ann;
SELECT modelreg.record_run('follow.train', inputs => '{"training": "snapshot:follow-data.clicks@1"}');
SELECT modelreg.create_model('follow.held', 'open') > 0, modelreg.register_version('follow.held'), modelreg.register_version('follow.held', run => 'run:follow.train'),
	modelreg.register_version('follow.held'), modelreg.promote('follow.held', 1, 'Production') > 0;
SELECT modelreg.create_endpoint('follow.held', follows => 'follow.held', plan => 'canary 5% for 1 hour') > 0, modelreg.create_endpoint('follow.away', model => 'follow.held', version => 1) > 0,
	modelreg.create_endpoint('follow.there', model => 'follow.held', version => 1) > 0;
SELECT modelreg.promote('follow.held', 2, 'Production') > 0;
SELECT modelreg.start_rollout('follow.away', version => 2, plan => 'all at once') > 0, modelreg.start_rollout('follow.there', version => 2, plan => 'all at once') > 0;
SELECT modelreg.start_rollout('follow.away', version => 1, plan => 'linear over 2 hours') > 0;
-- between those that live, entries in the index of what was retired, which the scan over all marks as dead on its way
SELECT count(modelreg.create_endpoint('follow.night-' || i || '-gone', 'follow.night-' || i, 1)) FROM generate_series(1, 30) i;
SELECT count(modelreg.retire_endpoint('follow.night-' || i || '-gone')) FROM generate_series(1, 30) i;
SET ROLE regress_follow_rev;
SELECT modelreg.quarantine('snapshot:follow-data.clicks@1', 'clicks of robots', request_id => 'robots') > 0, modelreg.quarantine('snapshot:follow-data.clicks@1', 'clicks of robots', request_id => 'robots') > 0;
SET ROLE regress_follow_ann;
SELECT endpoint, e.kind, s.doc->>'state', regress_follow.split(endpoint), regress_follow.split(endpoint, '2 hours') FROM modelreg.endpoints e
	JOIN modelreg.traffic_schedule s ON s.endpoint_id = e.endpoint_id AND s.seq = e.number WHERE e.model = 'follow.held' ORDER BY endpoint;
SELECT kind, role, what->'node_id', reason, application_name, client_addr, request_id FROM modelreg.events WHERE chain = 'endpoint' AND kind = 'rollout_held';
SELECT endpoint, model, version, percent, node FROM modelreg.quarantined_traffic ORDER BY endpoint, version;
-- and refuses new ones
SELECT regress_follow.fails(s) FROM (VALUES ($$SELECT modelreg.resume_rollout('follow.held')$$), ($$SELECT modelreg.complete_rollout('follow.held')$$),
	($$SELECT modelreg.start_rollout('follow.quick', split => '{follow.held/2: 100%}', plan => 'all at once')$$)) v (s);
-- what leads elsewhere is none of its business: the next promotion goes on from the weights of now
SELECT modelreg.promote('follow.held', 3, 'Production') > 0;
SELECT regress_follow.split('follow.held'), regress_follow.split('follow.held', '2 hours'), regress_follow.stages('held');
SELECT modelreg.rollback_model('follow.held', 'to what is sound'), regress_follow.split('follow.held'), regress_follow.stages('held');
-- lifting it resumes nothing
SELECT modelreg.abort_rollout('follow.away') > 0, regress_follow.split('follow.away');
SELECT modelreg.start_rollout('follow.away', version => 1, plan => 'all at once') > 0, modelreg.start_rollout('follow.there', version => 1, plan => 'all at once') > 0;
SET ROLE regress_follow_rev;
SELECT modelreg.lift_quarantine('snapshot:follow-data.clicks@1', 'they were people') > 0;
SET ROLE regress_follow_ann;
SELECT modelreg.promote('follow.held', 2, 'Production') > 0;
SELECT regress_follow.split('follow.held'), regress_follow.split('follow.held', '2 hours');
SET ROLE regress_follow_rev;
SELECT modelreg.quarantine('snapshot:follow-data.clicks@1', 'robots after all') > 0;
SELECT modelreg.lift_quarantine('snapshot:follow-data.clicks@1', 'they were people') > 0;
SET ROLE regress_follow_ann;
SELECT regress_follow.split('follow.held', '2 hours'), modelreg.resume_rollout('follow.held') > 0;
SELECT regress_follow.split('follow.held', '2 hours');

-- Endpoints go back: what was archived returns to Production for as long as they serve it, once for all of them; the pointer stays.
SELECT modelreg.create_model('follow.again', 'open') > 0, modelreg.register_version('follow.again'), modelreg.register_version('follow.again'), modelreg.promote('follow.again', 1, 'Production') > 0;
SELECT modelreg.create_endpoint('follow.again-1', follows => 'follow.again', plan => 'all at once') > 0, modelreg.create_endpoint('follow.again-2', follows => 'follow.again', plan => 'all at once') > 0;
SELECT modelreg.promote('follow.again', 2, 'Production') > 0;
SELECT regress_follow.stages('again');
SELECT r->'endpoint', r->'split' FROM jsonb_array_elements(modelreg.rollback('{follow.again-1,follow.again-2}'::text[], 'ctr down')) r;
SELECT regress_follow.stages('again'), what->'moves', what->'leaving' FROM modelreg.model_history WHERE model = 'follow.again' AND chain = 'decisions' ORDER BY number DESC LIMIT 1;
SELECT modelreg.follow('follow.again-1', 'all at once') > 0, modelreg.follow('follow.again-2', 'all at once') > 0;
SELECT regress_follow.stages('again');
-- A model's rollback is one that an endpoint goes on from, if it is to go further: to what came before that, not to what the model left.
SELECT modelreg.rollback_model('follow.again', 'worse'), regress_follow.split('follow.again-1');
SELECT regress_follow.fails($$SELECT modelreg.rollback('follow.again-1', 'once more', further => true)$$), regress_follow.split('follow.again-1');

-- What serves and would not pass its policy today is listed beside what is current: evidence that got stale, what was quarantined, a policy that the
-- team may not use any more. Nobody else's team sees it.
RESET ROLE;
CREATE ROLE regress_follow_stranger;
SELECT modelreg.create_team('follow-else') > 0, modelreg.grant_level('follow-else', 'regress_follow_stranger', 'maintainer');
SET ROLE regress_follow_ann;
SELECT modelreg.create_policy('follow', 'fresh', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Staging", "levels": ["maintainer"], "gates": ["offline"]},
	{"from": ["Staging"], "to": "Production", "levels": ["maintainer"], "gates": ["offline", "better"]}],
	"gates": {"offline": {"kind": "evaluation", "evaluation": "offline", "passed": true, "max_age_days": 30}, "better": {"kind": "metric", "evaluation": "offline", "metric": "auc", "min_gain": 0.01}},
	"traffic": {"Experimental": ["shadow"], "Staging": ["shadow"], "Production": ["shadow", "canary", "linear", "full"]}}');
RESET ROLE;
SELECT modelreg.allow_policy('follow', 'fresh', 1);
SET ROLE regress_follow_ann;
SELECT modelreg.create_model('follow.stale', 'fresh') > 0, modelreg.register_version('follow.stale'), modelreg.register_version('follow.stale'),
	modelreg.register_version('follow.stale', run => 'run:follow.train'), modelreg.register_version('follow.stale', run => 'run:follow.train');
SELECT modelreg.record_evaluation('models:/follow.stale/' || v, 'offline', jsonb_build_object('auc', 0.5 + v / 10.0), passed => true) > 0 FROM generate_series(1, 3) v;
SELECT modelreg.promote('follow.stale', v, 'Staging') > 0 FROM generate_series(1, 3) v;
SELECT modelreg.promote('follow.stale', 1, 'Production') > 0;
SELECT modelreg.create_endpoint('follow.stale-1', model => 'follow.stale', version => 1) > 0, modelreg.create_endpoint('follow.stale-2', model => 'follow.stale', version => 1) > 0,
	modelreg.create_endpoint('follow.stale-3', model => 'follow.stale', version => 1) > 0;
SELECT modelreg.promote('follow.stale', 2, 'Production') > 0;
SELECT modelreg.start_rollout('follow.stale-1', version => 2, plan => 'canary 5% for 1 hour') > 0,
	modelreg.start_rollout('follow.stale-2', version => 3, plan => 'shadow') > 0, modelreg.start_rollout('follow.stale-3', version => 4, plan => 'shadow') > 0;
-- all pass, 2 being better than 1 is no fault of 1; then what was evaluated of 1 is told to be of long ago, and data of 3 and 4 is quarantined
SELECT count(*) FROM modelreg.production_review WHERE model = 'follow.stale';
SELECT modelreg.record_evaluation('models:/follow.stale/1', 'offline', '{"auc": 0.6}', passed => true, occurred_at => '2020-01-01 00:00+00') > 0;
SET ROLE regress_follow_rev;
SELECT modelreg.quarantine('snapshot:follow-data.clicks@1', 'robots again') > 0;
SELECT version, stage, is_current, since IS NOT NULL AS since, endpoints, problem, gate, severity, observed FROM modelreg.production_review WHERE model = 'follow.stale' ORDER BY version, gate;
SELECT version, count(c.gate) FROM generate_series(1, 4) version LEFT JOIN LATERAL modelreg.check_production('follow.stale', version) c ON true GROUP BY version ORDER BY version;
SELECT regress_follow.fails($$SELECT * FROM modelreg.check_production('follow.stale', 9)$$);
SET ROLE regress_follow_stranger;
SELECT count(*) FROM modelreg.production_review;
SELECT regress_follow.fails($$SELECT * FROM modelreg.check_production('follow.stale', 1)$$);
RESET ROLE;
SELECT modelreg.forbid_policy('follow', 'fresh');
SET ROLE regress_follow_rev;
SELECT version, is_current, endpoints, required, observed FROM modelreg.production_review WHERE model = 'follow.stale' AND problem = 'policy' ORDER BY version;
-- what stops to serve is listed no longer, though nothing else of it changed
SET ROLE regress_follow_ann;
SELECT modelreg.complete_rollout('follow.stale-1') > 0, modelreg.abort_rollout('follow.stale-2') > 0, modelreg.retire_endpoint('follow.stale-3');
SELECT version, stage, endpoints, gate FROM modelreg.production_review WHERE model = 'follow.stale' AND problem = 'gate' ORDER BY version, gate;

RESET ROLE;
SET client_min_messages = warning;
SELECT * FROM modelreg.verify();
SELECT * FROM modelreg.verify('follow', true);
DROP SCHEMA regress_follow CASCADE;
