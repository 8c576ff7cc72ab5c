-- Teams, models, versions, tags, descriptions, aliases, and finding them: what they do, and what they refuse.
SET client_min_messages = warning;
\set VERBOSITY terse
\pset format unaligned
\pset null '(null)'
SET search_path = pg_catalog;

-- What a statement fails with; no row if it succeeds.
CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT reason text, OUT message text, OUT detail text)
RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, reason = CONSTRAINT_NAME,
		message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN NEXT;
END $$;

CREATE ROLE regress_reg_maintainer;
CREATE ROLE regress_reg_contributor;
CREATE ROLE regress_reg_reader;
CREATE ROLE regress_reg_group;
CREATE ROLE regress_reg_member IN ROLE regress_reg_group;
CREATE ROLE regress_reg_noinherit NOINHERIT IN ROLE regress_reg_group;
CREATE ROLE regress_reg_nobody;
CREATE ROLE regress_reg_admin;

--
-- teams
--
SELECT modelreg.create_team('reg_search') > 0 AS created;
SELECT modelreg.create_team('reg_search') > 0 AS created;
SELECT modelreg.create_team('reg_ads', request_id => 'a') = modelreg.create_team('reg_ads', request_id => 'a') AS same_team;
SELECT modelreg.create_team('reg_other', request_id => 'a') > 0 AS created;
SELECT modelreg.create_team('Reg team %s ''🙂') > 0 AS created;
SELECT modelreg.grant_level('reg_search', 'regress_reg_maintainer', 'maintainer');
SELECT modelreg.grant_level('reg_search', 'regress_reg_contributor', 'contributor');
SELECT modelreg.grant_level('reg_search', 'regress_reg_reader', 'reader');
SELECT modelreg.grant_level('reg_search', 'regress_reg_group', 'contributor');
SELECT modelreg.grant_level('reg_search', 'regress_reg_reader', 'reader');
SELECT modelreg.grant_registry_right('regress_reg_admin', 'admin');
-- what may be done where: with a level's included ones, by membership of a group, and whether inherited or not
SET ROLE regress_reg_maintainer;
SELECT * FROM modelreg.my_rights() ORDER BY 1, 2;
SET ROLE regress_reg_member;
SELECT * FROM modelreg.my_rights() ORDER BY 1, 2;
SET ROLE regress_reg_noinherit;
SELECT * FROM modelreg.my_rights() ORDER BY 1, 2;
SET ROLE regress_reg_admin;
SELECT * FROM modelreg.my_rights() ORDER BY 1, 2;
RESET ROLE;

SELECT statement, e.state, e.reason, e.message FROM (VALUES
	('modelreg.create_team(NULL)'), ('modelreg.create_team('''')'), ('modelreg.create_team(''a.b'')'),
	('modelreg.create_team(''x'''');DROP TABLE modelreg.team;--'')'), ('modelreg.create_team(repeat(''x'', 1000000))'),
	('modelreg.create_team(''reg_new'', request_id => '''')'), ('modelreg.create_team(''reg_new'', request_id => repeat(''x'', 256))'),
	('modelreg.rename_team(''reg_none'', ''reg_new'')'), ('modelreg.rename_team(''reg_search'', ''reg_ads'')'), ('modelreg.rename_team(NULL, NULL)'),
	('modelreg.retire_team(''reg_none'')'), ('modelreg.set_quota(''reg_search'', -1)'), ('modelreg.set_quota(NULL, 1)'),
	('modelreg.grant_level(''reg_search'', ''regress_reg_nobody'', ''owner'')'), ('modelreg.grant_level(''reg_search'', ''regress_reg_nobody'', ''admin'')'),
	('modelreg.grant_level(''reg_search'', ''regress_reg_missing'', ''reader'')'), ('modelreg.grant_level(''reg_search'', NULL, ''reader'')'),
	('modelreg.grant_level(''reg_none'', ''regress_reg_nobody'', ''reader'')'), ('modelreg.grant_registry_right(''regress_reg_nobody'', ''maintainer'')')
) s(statement), pg_temp.error_of('SELECT ' || statement) e;
-- nobody but an admin makes and renames teams, nobody but a superuser hands out registry-wide rights, also who was granted EXECUTE
GRANT EXECUTE ON FUNCTION modelreg.grant_registry_right(text, text, text), modelreg.rebind_roles() TO regress_reg_maintainer;
SET ROLE regress_reg_maintainer;
SELECT statement, e.state, e.reason, e.message FROM (VALUES
	('modelreg.create_team(''reg_mine'')'), ('modelreg.rename_team(''reg_search'', ''reg_mine'')'), ('modelreg.retire_team(''reg_search'')'),
	('modelreg.set_quota(''reg_search'', NULL)'), ('modelreg.grant_registry_right(''regress_reg_maintainer'', ''admin'')'), ('modelreg.rebind_roles()'),
	('modelreg.grant_level(''reg_ads'', ''regress_reg_maintainer'', ''maintainer'')')
) s(statement), pg_temp.error_of('SELECT ' || statement) e;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION modelreg.grant_registry_right(text, text, text), modelreg.rebind_roles() FROM regress_reg_maintainer;

-- the name of a team is never used again, neither after a rename nor after retiring
SELECT modelreg.create_team('reg_first') > 0 AS created;
SELECT modelreg.rename_team('reg_first', 'reg_second');
SELECT modelreg.rename_team('reg_second', 'reg_second');
-- repeated with its request id, a call that changed a name finds what it did, and without one no such name
SELECT modelreg.rename_team('reg_second', 'reg_next', request_id => 'rt');
SELECT modelreg.rename_team('reg_second', 'reg_next', request_id => 'rt');
SELECT modelreg.rename_team('reg_second', 'reg_next');
SELECT modelreg.rename_team('reg_second', 'reg_other', request_id => 'rt');
SELECT statement, e.state, e.reason, e.message FROM (VALUES
	('modelreg.create_team(''reg_first'')'), ('modelreg.create_team(''reg_second'')'), ('modelreg.rename_team(''reg_next'', ''reg_first'')'), ('modelreg.rename_team(''reg_first'', ''reg_third'')')
) s(statement), pg_temp.error_of('SELECT ' || statement) e;
SELECT modelreg.retire_team('reg_next', reason => 'merged', request_id => 'rt');
SELECT modelreg.retire_team('reg_next', reason => 'merged', request_id => 'rt');
SELECT modelreg.retire_team('reg_next');
SELECT statement, e.state, e.reason, e.message FROM (VALUES
	('modelreg.create_team(''reg_next'')'), ('modelreg.create_model(''reg_next.m'', policy => ''open'')')
) s(statement), pg_temp.error_of('SELECT ' || statement) e;

--
-- models
--
SELECT modelreg.create_model('reg_search.reco-model', policy => 'open', description => 'home page ranking') > 0 AS created;
SELECT modelreg.create_model('reg_search.other', 'open', request_id => 'm1') = modelreg.create_model('reg_search.other', 'open', request_id => 'm1') AS same_model;
SELECT modelreg.create_model('reg_ads.reco-model', policy => 'open') > 0 AS same_name_in_another_team;
SELECT statement, e.state, e.reason, e.message FROM (VALUES
	('modelreg.create_model(''reg_search.reco-model'', ''open'')'), ('modelreg.create_model(''reg_search.third'', ''open'', request_id => ''m1'')'),
	('modelreg.create_model(''reg_search.x'', ''strict'')'), ('modelreg.create_model(''reg_search.x'', NULL)'), ('modelreg.create_model(NULL, ''open'')'),
	('modelreg.create_model(''reg_search'', ''open'')'), ('modelreg.create_model('''', ''open'')'), ('modelreg.create_model(''reg_search.'', ''open'')'),
	('modelreg.create_model(''reg_search.a/b'', ''open'')'), ('modelreg.create_model(''reg_search.a@b'', ''open'')'), ('modelreg.create_model(''reg_search.a:b'', ''open'')'),
	('modelreg.create_model(''reg_search.'' || repeat(''x'', 1000000), ''open'')'), ('modelreg.create_model(''reg_none.m'', ''open'')'),
	('modelreg.rename_model(''reg_search.reco-model'', ''other'')'), ('modelreg.rename_model(''reg_search.reco-model'', ''reg_search/x'')'),
	('modelreg.rename_model(''reg_search.none'', ''x'')'), ('modelreg.rename_model(''reg_search.reco-model'', NULL)'), ('modelreg.retire_model(''reg_search.none'')'),
	('modelreg.retire_model(NULL)'), ('modelreg.retire_team(''reg_search'')')
) s(statement), pg_temp.error_of('SELECT ' || statement) e;

--
-- versions: numbers are 1..n, also where a registration was undone
--
SET ROLE regress_reg_contributor;
SELECT modelreg.register_version('reg_search.reco-model', description => 'the first', params => '{"depth": 6}',
	signature => '{"inputs": [{"name": "user_age", "type": "double"}]}', tags => '{"family": "two-tower", "n": 1.50, "deep": {"b": 1, "a": []}, "label": ""}');
BEGIN;
SELECT modelreg.register_version('reg_search.reco-model');
ROLLBACK;
SELECT modelreg.register_version('reg_search.reco-model', request_id => 'run-2');
SELECT modelreg.register_version('reg_search.reco-model', request_id => 'run-2');
SELECT modelreg.register_version('reg_search.reco-model');
SELECT modelreg.register_version('reg_search.reco-model', params => (repeat('{"a": ', 257) || 1 || repeat('}', 257))::jsonb);
SELECT model, version, stage, current, aliases, tags, description, signature, params, role FROM modelreg.get_version('reg_search.reco-model', 1);
SELECT uri, permanent_id LIKE 'modelreg:%/' || model_id || '/2' AS permanent_id, registered_at = stage_since AS at_once, occurred_at, run, description, tags
FROM modelreg.get_version('reg_search.reco-model', 2);
-- the view says the same
SELECT count(*) AS versions, bool_and(to_jsonb(g) = (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(v)) WHERE to_jsonb(g) ? key)) AS same
FROM modelreg.versions v, modelreg.get_version(v.model, v.version) g WHERE v.model = 'reg_search.reco-model';
RESET ROLE;
SELECT statement, e.state, e.reason, e.message FROM (VALUES
	('modelreg.get_version(''reg_search.reco-model'', 4)'), ('modelreg.get_version(''reg_search.reco-model'', 0)'), ('modelreg.get_version(''reg_search.reco-model'', -1)'),
	('modelreg.get_version(''reg_search.reco-model'', NULL)'), ('modelreg.get_version(NULL, 1)'), ('modelreg.get_version(''reg_search.none'', 1)'),
	('modelreg.get_version(''reg_none.none'', 1)'), ('modelreg.get_version('''', 1)'), ('modelreg.get_version(repeat(''x.'', 500000), 1)'),
	('modelreg.register_version(''reg_search.reco-model'', tags => ''[]'')'), ('modelreg.register_version(''reg_search.reco-model'', tags => ''{"": "x"}'')'),
	('modelreg.register_version(''reg_search.reco-model'', tags => ''{"x": null}'')'),
	('modelreg.register_version(''reg_search.reco-model'', tags => jsonb_build_object(''x'', repeat(''v'', 1001)))'),
	('modelreg.register_version(''reg_search.reco-model'', signature => ''{"inputs": [{"type": "int"}]}'')')
) s(statement), pg_temp.error_of('SELECT ' || statement) e;
-- none of the refused ones took a number
SELECT last_version FROM modelreg.models WHERE model = 'reg_search.reco-model';

--
-- tags: each change is a note, and the same again is none
--
SET ROLE regress_reg_contributor;
SELECT modelreg.set_tag('reg_search.reco-model', 'owner', 'ranking');
SELECT modelreg.set_tag('reg_search.reco-model', 'owner', 'ranking');
SELECT modelreg.set_tag('reg_search.reco-model', 'owner', 'search', request_id => 't1');
SELECT modelreg.set_tag('reg_search.reco-model', 'owner', 'search', request_id => 't1');
SELECT modelreg.set_tag('reg_search.reco-model', 'label');
SELECT modelreg.set_tag('reg_search.reco-model', 'family', 'two-tower', version => 1);
SELECT modelreg.set_tag('reg_search.reco-model', 'family', 'deep', version => 1);
SELECT modelreg.set_tag('reg_search.reco-model', 'family', 'deep', version => 2);
SELECT modelreg.remove_tag('reg_search.reco-model', 'family', version => 2);
SELECT modelreg.remove_tag('reg_search.reco-model', 'family', version => 2);
SELECT modelreg.remove_tag('reg_search.reco-model', 'family');
SELECT tags FROM modelreg.models WHERE model = 'reg_search.reco-model';
SELECT version, tags FROM modelreg.versions WHERE model = 'reg_search.reco-model' ORDER BY 1;
-- the table of tags is what the notes amount to
CREATE TEMP VIEW tags_by_notes AS
	SELECT model_id, version, key, value FROM (
		SELECT DISTINCT ON (n.model_id, n.version, n.key) n.model_id, n.version, n.key, p.body AS value, n.kind
		FROM modelreg.note n LEFT JOIN modelreg.payload p ON p.digest = n.value
		WHERE n.kind IN ('tag', 'untag') ORDER BY n.model_id, n.version, n.key, n.id DESC) last
	WHERE kind = 'tag';
CREATE TEMP VIEW tags_differ AS
	(SELECT * FROM tags_by_notes EXCEPT SELECT model_id, version, key, value FROM modelreg.tag)
	UNION ALL (SELECT model_id, version, key, value FROM modelreg.tag EXCEPT SELECT * FROM tags_by_notes);
SELECT count(*) AS tags FROM modelreg.tag JOIN modelreg.model ON id = model_id WHERE name = 'reco-model';
SELECT * FROM tags_differ;
-- anything that is text may be a value, up to the limit, and is kept as it is
SELECT count(modelreg.set_tag('reg_search.reco-model', key, value))
FROM (VALUES ('quote''"', '''; DROP TABLE modelreg.tag; --'), ('%s%n', E'\\x00 \\ %'), ('schlüssel ключ 鍵 🔑', E'zweiter\nWert\t🙂'), (E'\x01', E'\x7f'),
	(repeat('k', 255), repeat('v', 1000)), (' blank ', ' ')) v(key, value);
SELECT left(key, 30) AS key, length(key), left(value, 50) AS value, length(value) FROM modelreg.tag JOIN modelreg.model m ON m.id = model_id
WHERE m.name = 'reco-model' AND version = 0 ORDER BY 1;
RESET ROLE;
SELECT left(statement, 90) AS statement, e.* FROM (VALUES
	('modelreg.set_tag(NULL, ''k'')'), ('modelreg.set_tag(''reg_search.reco-model'', NULL)'), ('modelreg.set_tag(''reg_search.reco-model'', ''k'', NULL)'),
	('modelreg.set_tag(''reg_search.reco-model'', '''')'), ('modelreg.set_tag(''reg_search.reco-model'', repeat(''k'', 256))'),
	('modelreg.set_tag(''reg_search.reco-model'', repeat(''é'', 128))'), ('modelreg.set_tag(''reg_search.reco-model'', ''k'', repeat(''v'', 1001))'),
	('modelreg.set_tag(''reg_search.reco-model'', ''k'', repeat(''v'', 1000000))'), ('modelreg.set_tag(''reg_search.reco-model'', repeat(''k'', 1000000))'),
	('modelreg.set_tag(''reg_search.reco-model'', ''k'', version => 0)'), ('modelreg.set_tag(''reg_search.reco-model'', ''k'', version => -1)'),
	('modelreg.set_tag(''reg_search.reco-model'', ''k'', version => 2147483647)'), ('modelreg.set_tag(''reg_search.none'', ''k'')'),
	('modelreg.set_tag(''reg_search.reco-model'', ''owner'', ''other'', request_id => ''t1'')'),
	('modelreg.remove_tag(NULL, ''k'')'), ('modelreg.remove_tag(''reg_search.reco-model'', NULL)'), ('modelreg.remove_tag(''reg_search.reco-model'', '''')'),
	('modelreg.remove_tag(''reg_search.reco-model'', ''k'', 99)')
) s(statement), pg_temp.error_of('SELECT ' || statement) e;
SELECT * FROM tags_differ;

--
-- descriptions
--
SET ROLE regress_reg_contributor;
SELECT modelreg.set_description('reg_search.reco-model', 'the first', version => 1);
SELECT modelreg.set_description('reg_search.reco-model', 'the very first', version => 1, request_id => 'd1');
SELECT modelreg.set_description('reg_search.reco-model', 'the very first', version => 1, request_id => 'd1');
SELECT modelreg.set_description('reg_search.reco-model', '', version => 2);
SELECT modelreg.set_description('reg_search.reco-model', '', version => 2);
SELECT modelreg.set_description('reg_search.reco-model', NULL, version => 3);
SELECT modelreg.set_description('reg_search.reco-model', repeat('long ', 200000), version => 3);
SELECT version, length(description), left(description, 20) AS description FROM modelreg.versions WHERE model = 'reg_search.reco-model' ORDER BY 1;
SELECT modelreg.set_description('reg_search.reco-model', NULL, version => 3);
SELECT description FROM modelreg.get_version('reg_search.reco-model', 3);
-- that of the model itself is for a maintainer to say
SELECT modelreg.set_description('reg_search.reco-model', 'mine');
SET ROLE regress_reg_maintainer;
SELECT modelreg.set_description('reg_search.reco-model', 'home page ranking');
SELECT modelreg.set_description('reg_search.reco-model', E'Home page; "ranking" \\ 100% 🙂');
SELECT description FROM modelreg.models WHERE model = 'reg_search.reco-model';
RESET ROLE;
SELECT statement, e.state, e.reason, e.message FROM (VALUES
	('modelreg.set_description(NULL, ''x'')'), ('modelreg.set_description(''reg_search.none'', ''x'')'),
	('modelreg.set_description(''reg_search.reco-model'', ''x'', version => 0)')
) s(statement), pg_temp.error_of('SELECT ' || statement) e;

--
-- aliases
--
SET ROLE regress_reg_contributor;
SELECT clock_timestamp() AS before_aliases \gset
SELECT modelreg.set_alias('reg_search.reco-model', 'champion', 1, reason => 'the first') IS NOT NULL AS decided;
SELECT modelreg.set_alias('reg_search.reco-model', 'champion', 1) IS NOT NULL AS decided;
SELECT model, version, uri, stage FROM modelreg.get_by_alias('reg_search.reco-model', 'champion');
SELECT clock_timestamp() AS champion_is_1 \gset
SELECT modelreg.set_alias('reg_search.reco-model', 'champion', 2, expected => 1, request_id => 'a1') = modelreg.set_alias('reg_search.reco-model', 'champion', 2, expected => 1, request_id => 'a1') AS once;
SELECT modelreg.set_alias('reg_search.reco-model', 'challenger', 3, expected => 0) IS NOT NULL AS decided;
SELECT clock_timestamp() AS champion_is_2 \gset
SELECT statement, e.state, e.reason, e.message FROM (VALUES
	('modelreg.set_alias(''reg_search.reco-model'', ''champion'', 3, expected => 1)'), ('modelreg.set_alias(''reg_search.reco-model'', ''champion'', 3, expected => 0)'),
	('modelreg.set_alias(''reg_search.reco-model'', ''new'', 3, expected => 1)'), ('modelreg.remove_alias(''reg_search.reco-model'', ''champion'', expected => 1)'),
	('modelreg.remove_alias(''reg_search.reco-model'', ''new'', expected => 1)'),
	('modelreg.set_alias(''reg_search.reco-model'', ''champion'', 3, expected => 1, request_id => ''a1'')'),
	('modelreg.set_alias(''reg_search.reco-model'', ''champion'', 4)'), ('modelreg.set_alias(''reg_search.reco-model'', ''champion'', 0)'),
	('modelreg.set_alias(''reg_search.reco-model'', ''champion'', NULL)'), ('modelreg.set_alias(''reg_search.reco-model'', NULL, 1)'), ('modelreg.set_alias(NULL, ''x'', 1)'),
	('modelreg.set_alias(''reg_search.reco-model'', '''', 1)'), ('modelreg.set_alias(''reg_search.reco-model'', ''latest'', 1)'), ('modelreg.set_alias(''reg_search.reco-model'', ''LATEST'', 1)'),
	('modelreg.set_alias(''reg_search.reco-model'', ''v14'', 1)'), ('modelreg.set_alias(''reg_search.reco-model'', ''14'', 1)'),
	('modelreg.set_alias(''reg_search.reco-model'', ''Production'', 1)'), ('modelreg.set_alias(''reg_search.reco-model'', ''staging'', 1)'),
	('modelreg.set_alias(''reg_search.reco-model'', ''a/b'', 1)'),
	('modelreg.set_alias(''reg_search.reco-model'', repeat(''x'', 1000000), 1)'), ('modelreg.set_alias(''reg_search.none'', ''x'', 1)'),
	('modelreg.remove_alias(''reg_search.reco-model'', NULL)'), ('modelreg.remove_alias(NULL, ''x'')'), ('modelreg.remove_alias(''reg_search.reco-model'', ''latest'')'),
	('modelreg.get_by_alias(''reg_search.reco-model'', ''none'')'), ('modelreg.get_by_alias(''reg_search.reco-model'', '''')'), ('modelreg.get_by_alias(''reg_search.reco-model'', NULL)'),
	('modelreg.get_by_alias(NULL, ''x'')'), ('modelreg.get_by_alias(''reg_search.reco-model'', repeat(''x'', 1000000))'), ('modelreg.get_by_alias(''reg_search.none'', ''champion'')')
) s(statement), pg_temp.error_of('SELECT ' || statement) e;
SELECT modelreg.remove_alias('reg_search.reco-model', 'champion', expected => 2, reason => 'none any more') IS NOT NULL AS decided;
SELECT modelreg.remove_alias('reg_search.reco-model', 'champion') IS NOT NULL AS decided;
SELECT modelreg.remove_alias('reg_search.reco-model', 'champion', expected => 0) IS NOT NULL AS decided;
SELECT clock_timestamp() AS no_champion \gset
SELECT modelreg.set_alias('reg_search.reco-model', 'champion', 3) IS NOT NULL AS decided;
SELECT e.kind, e.what, p.body AS reason FROM modelreg.event e JOIN modelreg.model m ON e.chain = 5 AND e.chain_id = m.id
	LEFT JOIN modelreg.payload p ON p.digest = e.prose WHERE m.name = 'reco-model' ORDER BY e.seq;
SELECT version, aliases FROM modelreg.versions WHERE model = 'reg_search.reco-model' AND aliases IS NOT NULL;
RESET ROLE;

--
-- addresses
--
SELECT v.uri, r.version, r.uri, r.stage FROM (VALUES ('models:/reg_search.reco-model/1'), ('models:/reg_search.reco-model/latest'), ('models:/reg_search.reco-model@champion'),
	('models:/reg_search.reco-model/Experimental')) v(uri), modelreg.resolve(v.uri) r;
SELECT modelreg.promote('reg_search.reco-model', 2, 'Staging') IS NOT NULL AS decided;
SELECT clock_timestamp() AS staging_is_2 \gset
SELECT modelreg.promote('reg_search.reco-model', 2, 'Production') IS NOT NULL AS decided;
SELECT clock_timestamp() AS production_is_2 \gset
SELECT modelreg.promote('reg_search.reco-model', 3, 'Production', archive_others => false) IS NOT NULL AS decided;
SELECT modelreg.promote('reg_search.reco-model', 1, 'Staging') IS NOT NULL AS decided;
SELECT modelreg.register_version('reg_search.reco-model');
SELECT modelreg.register_version('reg_search.reco-model');
SELECT modelreg.promote('reg_search.reco-model', 5, 'Archived') IS NOT NULL AS decided;
SELECT v.uri, r.version, r.uri, r.stage, r.permanent_id = p.permanent_id AND (modelreg.resolve(p.permanent_id)).version = r.version AS permanent
FROM (VALUES ('models:/reg_search.reco-model/latest'), ('models:/reg_search.reco-model/Production'), ('models:/reg_search.reco-model/staging'),
	('models:/reg_search.reco-model/Experimental'), ('models:/reg_search.reco-model/archived'), ('models:/reg_search.reco-model/2')) v(uri),
	modelreg.resolve(v.uri) r, modelreg.get_version(r.model, r.version) p;
SELECT (modelreg.resolve('models:/reg_search.reco-model/Production')).version = version AS like_production FROM modelreg.production('reg_search.reco-model');
-- what they stood for
SELECT v.name, v.uri, r.version, r.stage, e.state, e.reason, e.message
FROM (VALUES (:'before_aliases'::timestamptz, 'before_aliases'), (:'champion_is_1', 'champion_is_1'), (:'champion_is_2', 'champion_is_2'), (:'no_champion', 'no_champion'),
	(:'staging_is_2', 'staging_is_2'), (:'production_is_2', 'production_is_2'), (clock_timestamp(), 'now'), ('infinity', 'infinity')) t(at, name)
	CROSS JOIN (VALUES ('@champion'), ('@challenger'), ('/latest'), ('/Production'), ('/Staging'), ('/Experimental'), ('/Archived'), ('/2'), ('/5')) a(part),
	LATERAL (SELECT name, 'models:/reg_search.reco-model' || part AS uri) v
	LEFT JOIN LATERAL pg_temp.error_of(format('SELECT modelreg.resolve(%L, %L)', v.uri, t.at)) e ON true
	LEFT JOIN LATERAL (SELECT * FROM modelreg.resolve(v.uri, CASE WHEN e.state IS NULL THEN t.at END) WHERE e.state IS NULL) r ON e.state IS NULL;
-- no further back than the setting says
SET modelreg.search_scan_limit = 100;
SELECT count(modelreg.set_alias('reg_search.other', 'moving', 1 + n % 2)) FROM
	(SELECT count(modelreg.register_version('reg_search.other')) FROM generate_series(1, 2)) two, generate_series(1, 101) n;
SELECT e.state, e.reason, e.message FROM pg_temp.error_of(format('SELECT modelreg.resolve(%L, %L)', 'models:/reg_search.other@moving', :'production_is_2')) e;
RESET modelreg.search_scan_limit;
-- mistakes
SELECT left(statement, 100) AS statement, e.state, e.reason, left(e.message, 150) AS message FROM (VALUES
	('modelreg.resolve(NULL)'), ('modelreg.resolve('''')'), ('modelreg.resolve(''models:/reg_search.reco-model'')'), ('modelreg.resolve(''models:/reg_search.reco-model/9'')'),
	('modelreg.resolve(''models:/reg_search.reco-model/0'')'), ('modelreg.resolve(''models:/reg_search.reco-model/99999999999'')'),
	('modelreg.resolve(''models:/reg_search.reco-model@none'')'), ('modelreg.resolve(''models:/reg_ads.reco-model/latest'')'), ('modelreg.resolve(''models:/reg_ads.reco-model/Production'')'),
	('modelreg.resolve(''models:/reg_ads.reco-model/Staging'')'), ('modelreg.resolve(''models:/reg_search.none/1'')'), ('modelreg.resolve(''models:/reg_none.none/1'')'),
	('modelreg.resolve(''models:/reg_search.reco-model/Prod'')'), ('modelreg.resolve(''reg_search.reco-model'')'), ('modelreg.resolve(''models:/'' || repeat(''x'', 1000000))'),
	('modelreg.resolve(''models:/reg_search.reco-model@'' || repeat(''x'', 1000000))'),
	('modelreg.resolve(''modelreg:00000000-0000-0000-0000-000000000000/1/1'')'), ('modelreg.resolve(''modelreg:x/1/1'')'),
	('modelreg.resolve(''models:/reg_search.reco-model/1'', ''-infinity'')')
) s(statement), pg_temp.error_of('SELECT ' || statement) e;

--
-- who may not: for a stranger nothing exists, a reader may look and no more
--
CREATE TEMP TABLE verbs AS SELECT * FROM (VALUES
	('modelreg.get_version(''reg_search.reco-model'', 1)'), ('modelreg.get_by_alias(''reg_search.reco-model'', ''champion'')'), ('modelreg.get_by_alias(''reg_search.reco-model'', ''none'')'),
	('modelreg.resolve(''models:/reg_search.reco-model/1'')'), ('modelreg.resolve(''models:/reg_search.reco-model/99'')'),
	('modelreg.resolve(''models:/reg_search.reco-model@none'', now())'),
	('modelreg.resolve(''models:/reg_search.none/99'')'), ('modelreg.set_tag(''reg_search.reco-model'', ''k'')'), ('modelreg.set_tag(''reg_search.none'', ''k'')'),
	('modelreg.remove_tag(''reg_search.reco-model'', ''owner'')'), ('modelreg.set_description(''reg_search.reco-model'', ''x'', 1)'),
	('modelreg.set_alias(''reg_search.reco-model'', ''champion'', 1)'), ('modelreg.remove_alias(''reg_search.reco-model'', ''champion'')'),
	('modelreg.register_version(''reg_search.reco-model'')'), ('modelreg.rename_model(''reg_search.reco-model'', ''x'')'), ('modelreg.retire_model(''reg_search.reco-model'')'),
	('modelreg.create_model(''reg_search.new'', ''open'')'), ('modelreg.grant_level(''reg_search'', ''regress_reg_nobody'', ''reader'')')
) v(statement);
CREATE TEMP TABLE permanent AS SELECT permanent_id FROM modelreg.get_version('reg_search.reco-model', 1);
GRANT SELECT ON verbs, permanent TO PUBLIC;
SET ROLE regress_reg_nobody;
SELECT statement, e.state, e.reason, e.message, e.detail FROM verbs, pg_temp.error_of('SELECT ' || statement) e;
\set VERBOSITY default
SELECT modelreg.resolve('modelreg:00000000-0000-0000-0000-000000000000/1/1');
\set VERBOSITY terse
SELECT e.state, e.reason, replace(e.message, permanent_id, '<permanent id>') AS message FROM permanent, pg_temp.error_of(format('SELECT modelreg.resolve(%L)', permanent_id)) e;
SELECT (SELECT count(*) FROM modelreg.models) AS models, (SELECT count(*) FROM modelreg.versions) AS versions, (SELECT count(*) FROM modelreg.tag) AS tags,
	(SELECT count(*) FROM modelreg.alias) AS aliases, (SELECT count(*) FROM modelreg.note) AS notes, (SELECT count(*) FROM modelreg.event) AS events,
	(SELECT count(*) FROM modelreg.payload) AS payloads, (SELECT count(*) FROM modelreg.team) AS teams;
SET ROLE regress_reg_reader;
SELECT statement, e.state, e.reason, e.message FROM verbs LEFT JOIN LATERAL pg_temp.error_of('SELECT ' || statement) e ON true;
SELECT version FROM permanent, modelreg.resolve(permanent_id);
-- an admin has no say in what teams do
SET ROLE regress_reg_admin;
SELECT e.state, e.reason, e.message FROM pg_temp.error_of('SELECT modelreg.set_tag(''reg_search.reco-model'', ''k'')') e;
RESET ROLE;
-- a group's right ends with the membership, and a level with its revocation
SET ROLE regress_reg_member;
SELECT modelreg.set_tag('reg_search.reco-model', 'by', 'member');
RESET ROLE;
REVOKE regress_reg_group FROM regress_reg_member;
SET ROLE regress_reg_member;
SELECT modelreg.set_tag('reg_search.reco-model', 'by', 'nobody');
RESET ROLE;
SELECT modelreg.revoke_level('reg_search', 'regress_reg_reader', 'reader');
SET ROLE regress_reg_reader;
SELECT version FROM modelreg.resolve('models:/reg_search.reco-model/1');
RESET ROLE;
-- who has the same name as somebody before him has not his rights
SELECT modelreg.grant_level('reg_search', 'regress_reg_reader', 'reader');
DROP ROLE regress_reg_reader;
CREATE ROLE regress_reg_reader;
SET ROLE regress_reg_reader;
SELECT version FROM modelreg.resolve('models:/reg_search.reco-model/1');
RESET ROLE;
SELECT team, role_name, level, bound FROM modelreg.rebind_roles() WHERE role_name = 'regress_reg_reader';
SET ROLE regress_reg_reader;
SELECT version FROM modelreg.resolve('models:/reg_search.reco-model/1');
RESET ROLE;

--
-- names: renaming, retiring, and taking a freed name again
--
SELECT modelreg.create_model('reg_search.alpha', 'open') AS alpha \gset
SELECT modelreg.register_version('reg_search.alpha');
SELECT modelreg.set_alias('reg_search.alpha', 'champion', 1) IS NOT NULL AS decided;
SELECT permanent_id AS alpha_1 FROM modelreg.get_version('reg_search.alpha', 1) \gset
SELECT clock_timestamp() AS alpha_is_alpha \gset
SELECT modelreg.rename_model('reg_search.alpha', 'beta', request_id => 'r1');
SELECT modelreg.rename_model('reg_search.alpha', 'beta', request_id => 'r1');
SELECT modelreg.rename_model('reg_search.alpha', 'beta');
SELECT modelreg.rename_model('reg_search.alpha', 'gamma', request_id => 'r1');
SELECT modelreg.rename_model('reg_search.beta', 'beta');
SELECT clock_timestamp() AS alpha_is_beta \gset
SELECT modelreg.create_model('reg_search.alpha', 'open') AS second_alpha \gset
SELECT modelreg.register_version('reg_search.alpha');
SELECT clock_timestamp() AS alpha_is_another \gset
SELECT model, model_id = :alpha AS the_first, uri FROM modelreg.resolve('models:/reg_search.beta/1');
SELECT model, model_id = :second_alpha AS the_second FROM modelreg.resolve('models:/reg_search.alpha/1');
SELECT model, model_id = :alpha AS the_first, uri FROM modelreg.resolve('models:/reg_search.alpha@champion', :'alpha_is_alpha');
SELECT e.state, e.reason, e.message FROM pg_temp.error_of(format('SELECT modelreg.resolve(%L, %L)', 'models:/reg_search.alpha/1', :'alpha_is_beta')) e;
SELECT model, model_id = :alpha AS the_first FROM modelreg.resolve('models:/reg_search.beta/latest', :'alpha_is_beta');
SELECT model, model_id = :second_alpha AS the_second FROM modelreg.resolve('models:/reg_search.alpha/latest', :'alpha_is_another');
SELECT model, uri FROM modelreg.resolve(:'alpha_1');
-- a retired model is out of the live ones; its permanent id and the past still find it, its aliases of then too
SELECT modelreg.retire_model('reg_search.beta', reason => 'replaced');
SELECT statement, e.state, e.reason, e.message FROM (VALUES
	('modelreg.resolve(''models:/reg_search.beta/1'')'), ('modelreg.get_version(''reg_search.beta'', 1)'), ('modelreg.set_tag(''reg_search.beta'', ''k'')'),
	('modelreg.set_alias(''reg_search.beta'', ''champion'', 1)'), ('modelreg.register_version(''reg_search.beta'')'), ('modelreg.retire_model(''reg_search.beta'')')
) s(statement), pg_temp.error_of('SELECT ' || statement) e;
SELECT model, version, uri, stage, permanent_id = :'alpha_1' AS same FROM modelreg.resolve(:'alpha_1');
SELECT model, version, uri FROM modelreg.resolve('models:/reg_search.beta@champion', :'alpha_is_beta');
SELECT count(*) AS live FROM modelreg.models WHERE model_id = :alpha;
SELECT count(*) AS aliases FROM modelreg.alias WHERE model_id = :alpha;
-- what is current is not retired
SELECT modelreg.promote('reg_search.alpha', 1, 'Production') IS NOT NULL AS decided;
SELECT e.state, e.reason, e.message, e.detail FROM pg_temp.error_of('SELECT modelreg.retire_model(''reg_search.alpha'')') e;
SELECT modelreg.promote('reg_search.alpha', 1, 'Archived', leave_none => true) IS NOT NULL AS decided;
SELECT modelreg.retire_model('reg_search.alpha', request_id => 'r2');
SELECT modelreg.retire_model('reg_search.alpha', request_id => 'r2');
SELECT modelreg.create_model('reg_search.alpha', 'open') > :second_alpha AS the_third;
SELECT modelreg.retire_model('reg_search.alpha', request_id => 'r2');
SELECT count(*) AS still_lives FROM modelreg.models WHERE model = 'reg_search.alpha';
-- a team that was renamed is found by its new name, and by its old one in the past
SELECT clock_timestamp() AS ads_is_ads \gset
SELECT modelreg.register_version('reg_ads.reco-model');
SELECT modelreg.rename_team('reg_ads', 'reg_advertising');
SELECT uri FROM modelreg.resolve('models:/reg_advertising.reco-model/1');
SELECT e.state, e.reason, e.message FROM pg_temp.error_of('SELECT modelreg.resolve(''models:/reg_ads.reco-model/1'')') e;
SELECT e.state, e.reason, e.message FROM pg_temp.error_of(format('SELECT modelreg.resolve(%L, %L)', 'models:/reg_ads.reco-model/1', :'ads_is_ads')) e;
SELECT * FROM tags_differ;

--
-- one transaction does all, and a failure in it undoes all
--
BEGIN;
SELECT modelreg.create_model('reg_search.whole', 'open') > 0 AS created;
SELECT modelreg.register_version('reg_search.whole', tags => '{"a": "1"}');
SELECT modelreg.set_tag('reg_search.whole', 'a', '2', version => 1);
SELECT modelreg.set_tag('reg_search.whole', 'a', '3', version => 1);
SELECT modelreg.remove_tag('reg_search.whole', 'a', version => 1);
SELECT modelreg.set_tag('reg_search.whole', 'a', '4', version => 1);
SELECT modelreg.set_alias('reg_search.whole', 'champion', 1) IS NOT NULL AS decided;
SELECT modelreg.remove_alias('reg_search.whole', 'champion') IS NOT NULL AS decided;
SELECT modelreg.set_alias('reg_search.whole', 'champion', 1) IS NOT NULL AS decided;
SELECT version, aliases, tags FROM modelreg.get_version('reg_search.whole', 1);
SAVEPOINT s;
SELECT modelreg.set_tag('reg_search.whole', 'a', '5', version => 1);
ROLLBACK TO s;
SELECT tags FROM modelreg.get_version('reg_search.whole', 1);
ROLLBACK;
SELECT count(*) AS left_behind FROM modelreg.model_name WHERE name = 'whole';
SELECT * FROM tags_differ;

-- all that was done adds up
SELECT * FROM modelreg.verify('reg_search') UNION ALL SELECT * FROM modelreg.verify('reg_advertising');

DROP VIEW tags_differ, tags_by_notes;
DROP TABLE verbs, permanent;
DROP ROLE regress_reg_maintainer, regress_reg_contributor, regress_reg_reader, regress_reg_group, regress_reg_member, regress_reg_noinherit,
	regress_reg_nobody, regress_reg_admin;
