-- Endpoints: born with one version that has all, and what may not be one.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; why text; detail text; result text;
BEGIN
	EXECUTE call INTO result;
	RETURN COALESCE(result, 'null');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, why = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' ', state, why, message, '| ' || NULLIF(detail, ''));
END $$;
CREATE ROLE regress_endpoint_maintainer;
CREATE ROLE regress_endpoint_reader;
CREATE ROLE regress_endpoint_reviewer;
CREATE ROLE regress_endpoint_nobody;
SELECT modelreg.create_team('ep') > 0 AS team, modelreg.create_team('ep2') > 0 AS another;
SELECT modelreg.grant_level('ep', 'regress_endpoint_maintainer', 'maintainer'), modelreg.grant_level('ep', 'regress_endpoint_reader', 'reader'),
	modelreg.grant_level('ep', 'regress_endpoint_reviewer', 'reviewer');
SELECT modelreg.create_model('ep.reco', 'open') > 0 AS model, modelreg.create_model('ep.none', 'open') > 0 AS model, modelreg.create_model('ep2.other', 'open') > 0 AS model;
SELECT modelreg.register_version('ep.reco') FROM generate_series(1, 3);
SELECT modelreg.register_version('ep2.other');
SELECT modelreg.promote('ep.reco', 1, 'Production') > 0 AS promoted;
-- Ids differ from run to run; what happened is told by names.
CREATE VIEW pg_temp.told AS
	SELECT e.number, e.kind, e.what - 'schedule' AS what FROM modelreg.events e
	WHERE e.chain = 'endpoint' AND e.chain_id = (SELECT max(endpoint_id) FROM modelreg.endpoint_name WHERE name = 'home' AND team_id = (SELECT id FROM modelreg.team WHERE name = 'ep'));
CREATE VIEW pg_temp.weights AS
	SELECT e.name AS endpoint, s.seq, s.kind, a.step, a.opens - s.at AS after, m.name || '/' || a.version AS version, a.share
	FROM modelreg.traffic_arm a JOIN modelreg.traffic_schedule s USING (endpoint_id, seq) JOIN modelreg.endpoint e ON e.id = a.endpoint_id JOIN modelreg.model m ON m.id = a.model_id WHERE e.team_id = (SELECT id FROM modelreg.team WHERE name = 'ep');

SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.create_endpoint(NULL, 'ep.reco')$$,
	$$SELECT modelreg.create_endpoint('home', 'ep.reco')$$,
	$$SELECT modelreg.create_endpoint('ep.ho/me', 'ep.reco')$$,
	$$SELECT modelreg.create_endpoint('ep.home')$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep.reco', follows => 'ep.reco')$$,
	$$SELECT modelreg.create_endpoint('ep.home', version => 1, follows => 'ep.reco')$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep.reco', plan => 'canary')$$,
	$$SELECT modelreg.create_endpoint('ep.home', follows => 'ep.reco', plan => 'slowly')$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep.nothing')$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep2.other')$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep.none')$$,
	$$SELECT modelreg.create_endpoint('ep.home', follows => 'ep.none')$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep.reco', 9)$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep.reco', 0)$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep.reco', 2)$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep.reco', max_staleness => '1 month')$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep.reco', max_staleness => '-1 second')$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep.reco', max_staleness => '0')$$,
	$$SELECT modelreg.create_endpoint('ep.home', 'ep.reco', prediction_days => 0)$$,
	$$SELECT modelreg.retire_endpoint('ep.home')$$]) AS call;
-- Nothing of that is there.
SELECT count(*) FROM modelreg.endpoints WHERE team = 'ep';

-- By whom.
SET ROLE regress_endpoint_nobody;
SELECT pg_temp.attempt($$SELECT modelreg.create_endpoint('ep.home', 'ep.reco')$$);
SET ROLE regress_endpoint_reader;
SELECT pg_temp.attempt($$SELECT modelreg.create_endpoint('ep.home', 'ep.reco')$$);
SET ROLE regress_endpoint_reviewer;
SELECT pg_temp.attempt($$SELECT modelreg.create_endpoint('ep.home', 'ep.reco')$$);
SET ROLE regress_endpoint_maintainer;
SELECT modelreg.create_endpoint('ep.home', 'ep.reco', reason => 'the front page', request_id => 'one') AS id \gset
SELECT modelreg.create_endpoint('ep.home', 'ep.reco', reason => 'the front page', request_id => 'one') = :id AS repeated;
SELECT pg_temp.attempt($$SELECT modelreg.create_endpoint('ep.home', 'ep.reco', request_id => 'one')$$);
SELECT pg_temp.attempt($$SELECT modelreg.create_endpoint('ep.home', 'ep.reco')$$);
SELECT modelreg.create_endpoint('ep.follower', follows => 'ep.reco', plan => 'linear over 2 hours in 4 steps', max_staleness => '1 day 5 minutes', prediction_days => 7) > 0 AS created;
SELECT modelreg.create_endpoint('ep.at_once', follows => 'ep.reco') > 0 AS created;
RESET ROLE;
SELECT endpoint, model, follows, plan, max_staleness_seconds, prediction_days, number, etag ~ '^1-[0-9a-f]{16}$' AS etag, kind, since > created_at AS since
FROM modelreg.endpoints WHERE team = 'ep' ORDER BY endpoint;
SELECT * FROM pg_temp.told ORDER BY number;
SELECT * FROM pg_temp.weights WHERE endpoint IN ('home', 'follower', 'at_once') ORDER BY 1, 2, 4, 6;
SELECT kind, what - 'endpoint_id' - 'model_id' AS what FROM modelreg.events WHERE team = 'ep' AND kind LIKE 'endpoint%' ORDER BY number;

-- Who may read sees them, and nobody else.
SET ROLE regress_endpoint_reader;
SELECT count(*) FROM modelreg.endpoints WHERE team = 'ep';
SET ROLE regress_endpoint_nobody;
SELECT (SELECT count(*) FROM modelreg.endpoints), (SELECT count(*) FROM modelreg.endpoint), (SELECT count(*) FROM modelreg.endpoint_name),
	(SELECT count(*) FROM modelreg.traffic_schedule), (SELECT count(*) FROM modelreg.traffic_arm);
SELECT pg_temp.attempt($$SELECT modelreg.retire_endpoint('ep.home')$$);
RESET ROLE;

-- What its team sets of it: both at once, null for the default. Traffic and etag stay.
SELECT etag FROM modelreg.endpoints WHERE endpoint = 'ep.follower' \gset
SET ROLE regress_endpoint_nobody;
SELECT pg_temp.attempt($$SELECT modelreg.set_endpoint('ep.follower', '1 hour', 30)$$);
SET ROLE regress_endpoint_reviewer;
SELECT pg_temp.attempt($$SELECT modelreg.set_endpoint('ep.follower', '1 hour', 30)$$);
SET ROLE regress_endpoint_maintainer;
SELECT modelreg.set_endpoint('ep.follower', '24 hours', NULL, 'slow network', expected => :'etag', request_id => 'set') AS set, modelreg.set_endpoint('ep.follower', '24 hours', NULL, 'slow network', expected => :'etag', request_id => 'set') AS repeated,
	modelreg.set_endpoint('ep.follower', '1 day', NULL) AS again, modelreg.set_endpoint('ep.follower', NULL, 36500) AS other, modelreg.set_endpoint('ep.follower', NULL, 36500, expected => :'etag') AS again;
SELECT pg_temp.attempt(call) FROM unnest(ARRAY[
	$$SELECT modelreg.set_endpoint('ep.follower', '1 month', NULL)$$, $$SELECT modelreg.set_endpoint('ep.follower', '-1 second', NULL)$$, $$SELECT modelreg.set_endpoint('ep.follower', NULL, 0)$$,
	$$SELECT modelreg.set_endpoint('ep.follower', NULL, 36501)$$, $$SELECT modelreg.set_endpoint('ep.none', NULL, 1)$$, $$SELECT modelreg.set_endpoint(NULL, NULL, 1)$$,
	$$SELECT modelreg.set_endpoint('ep.follower', '1 hour', NULL, request_id => 'set')$$]) AS call;
SELECT pg_temp.attempt($$SELECT modelreg.set_endpoint('ep.follower', '1 hour', 1, expected => '1-0000000000000000')$$) ~ '^55000 modelreg_changed_meanwhile' AS refused;
BEGIN;
SAVEPOINT s;
SELECT modelreg.set_endpoint('ep.follower', '1 second', 1) AS undone;
ROLLBACK TO s;
SELECT modelreg.set_endpoint('ep.at_once', '1 second', 1) AS kept;
COMMIT;
RESET ROLE;
SELECT endpoint, max_staleness_seconds, prediction_days, number, last_event, etag = :'etag' AS same, follows FROM modelreg.endpoints WHERE endpoint IN ('ep.follower', 'ep.at_once') ORDER BY 1;
SELECT number, what, reason FROM modelreg.events WHERE team = 'ep' AND chain = 'endpoint' AND kind = 'endpoint_set' ORDER BY chain_id, number;
SELECT * FROM modelreg.verify('ep', true);

-- A retired one has no traffic; its name is free, and the next one of that name is another one.
SELECT etag FROM modelreg.endpoints WHERE endpoint = 'ep.home' \gset
SELECT pg_temp.attempt($$SELECT modelreg.retire_endpoint('ep.home', expected => '1-0000000000000000')$$) ~ '^55000 modelreg_changed_meanwhile the traffic of "ep.home" was changed meanwhile' AS changed;
SELECT modelreg.retire_endpoint('ep.home', 'closed', expected => :'etag', request_id => 'gone');
SELECT modelreg.retire_endpoint('ep.home', 'closed', expected => :'etag', request_id => 'gone');
SELECT pg_temp.attempt($$SELECT modelreg.retire_endpoint('ep.home')$$);
SELECT modelreg.create_endpoint('ep.home', 'ep.reco', 1) > :id AS another;
SELECT n.name, n.endpoint_id = :id AS first, n.until IS NULL AS present FROM modelreg.endpoint_name n WHERE n.name = 'home' AND n.team_id = (SELECT id FROM modelreg.team WHERE name = 'ep') ORDER BY since;
-- A savepoint that is undone leaves nothing, and its number is given to another event.
BEGIN;
SAVEPOINT s;
SELECT modelreg.start_rollout('ep.home', 2, plan => 'shadow');
ROLLBACK TO s;
SELECT modelreg.start_rollout('ep.home', 3, plan => 'shadow');
COMMIT;
SELECT * FROM pg_temp.weights WHERE endpoint = 'home' AND seq = 2 ORDER BY step, version;
-- What serves, serves no more and is retired with its model, all in one transaction.
SELECT modelreg.create_model('ep.short', 'open') > 0 AS model, modelreg.register_version('ep.short') AS version, modelreg.promote('ep.short', 1, 'Production') > 0 AS promoted;
BEGIN;
SELECT modelreg.create_endpoint('ep.short', 'ep.short', 1) > 0 AS endpoint;
SELECT modelreg.retire_endpoint('ep.short');
SELECT modelreg.promote('ep.short', 1, 'Archived', leave_none => true) > 0 AS archived, modelreg.retire_model('ep.short');
COMMIT;
SELECT * FROM modelreg.verify('ep');
