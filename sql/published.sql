-- published: verify_head(), a head that was kept against what became of the registry: the same log going on, a restore to an
-- earlier state, and every way to write chains anew that leaves verify() clean.
-- In databases of their own, so that ids are what they look like and a copy is an old backup.
SELECT current_database() AS origin \gset
CREATE DATABASE regress_published TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_published
SET client_min_messages = error;
CREATE EXTENSION modelreg;
CREATE ROLE regress_published_reader;
CREATE ROLE regress_published_auditor;

-- An empty registry has an empty head, from which everything goes on.
SELECT document AS empty FROM modelreg.audit_head() \gset
SELECT :'empty' AS empty;
SELECT * FROM modelreg.verify_head(:'empty');
SELECT modelreg.create_team('search') AS search, modelreg.create_team('ads') AS ads;
SELECT modelreg.grant_level('search', 'regress_published_reader', 'reader');
SELECT modelreg.grant_registry_right('regress_published_auditor', 'auditor');
SELECT modelreg.create_model('search.reco', 'open') AS reco, modelreg.create_model('search.fraud', 'open') AS fraud, modelreg.create_model('ads.click', 'open') AS click;
SELECT modelreg.register_version('search.reco'), modelreg.register_version('search.fraud'), modelreg.register_version('ads.click');
SELECT modelreg.promote('search.reco', 1, 'Production') AS one;
SELECT * FROM modelreg.verify_head(:'empty');

-- An old backup; the first head; more; the second.
\c :origin
CREATE DATABASE regress_published_backup TEMPLATE regress_published;
\c regress_published
SET client_min_messages = error;
SELECT document AS first FROM modelreg.audit_head() \gset
SELECT modelreg.register_version('search.reco'), modelreg.record_node('commit', 'search.code', 'abc');
SELECT modelreg.promote('search.reco', 2, 'Production', reason => 'A/B') AS two;
SELECT modelreg.create_model('search.third', 'open') AS third;
SELECT document AS second FROM modelreg.audit_head() \gset
SELECT modelreg.set_alias('search.reco', 'champion', 2) > 0 AS more;

-- The log goes on from both, whoever asks who may: auditors for all, readers for their team; a document tells them nothing of others.
SELECT * FROM modelreg.verify_head(:'first');
SELECT * FROM modelreg.verify_head(:'second');
BEGIN TRANSACTION READ ONLY ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM modelreg.verify_head(:'second', 'search');
SELECT * FROM modelreg.verify_head(:'second', 'search.reco');
COMMIT;
SET ROLE regress_published_auditor;
SELECT * FROM modelreg.verify_head(:'second');
SET ROLE regress_published_reader;
SELECT * FROM modelreg.verify_head(:'second');
SELECT * FROM modelreg.verify_head(:'second', 'search');
SELECT * FROM modelreg.verify_head(:'second', 'search.reco');
SELECT * FROM modelreg.verify_head(:'second', 'ads');
SELECT * FROM modelreg.verify_head(:'second', 'ads.click');
SELECT * FROM modelreg.verify_head('7', 'nosuch');
SELECT * FROM modelreg.verify_head(jsonb_set(:'second', '{chains,1,hash}', to_jsonb(repeat('0', 64))), 'search');
SELECT object FROM modelreg.verify_head((SELECT jsonb_set(:'second', '{chains}', jsonb_agg(c || jsonb_build_object('hash', repeat('0', 64)))) FROM jsonb_array_elements(:'second'::jsonb->'chains') c), 'search');
SELECT object FROM modelreg.verify_head((SELECT jsonb_set(:'second', '{chains}', jsonb_agg(c || jsonb_build_object('hash', repeat('0', 64)))) FROM jsonb_array_elements(:'second'::jsonb->'chains') c), 'search.reco');
RESET ROLE;
-- It looks at one event for each chain, and at nothing else of them.
SELECT jsonb_array_length(:'second'::jsonb->'chains') AS chains \gset
SELECT pg_stat_force_next_flush() IS NULL AS flushed \gset
SELECT pg_stat_get_numscans('modelreg.event_pkey'::regclass) AS before \gset
SELECT * FROM modelreg.verify_head(:'second');
SELECT pg_stat_force_next_flush() IS NULL AS flushed \gset
SELECT pg_stat_get_numscans('modelreg.event_pkey'::regclass) - :before = :chains AS one_probe_each;

-- A document may hold anything.
SELECT * FROM modelreg.verify_head(NULL);
SELECT * FROM modelreg.verify_head('null');
SELECT * FROM modelreg.verify_head('[]');
SELECT * FROM modelreg.verify_head('{}');
SELECT * FROM modelreg.verify_head('{"format": 2, "identity": null, "chains": []}');
SELECT * FROM modelreg.verify_head('{"format": "1", "identity": null, "chains": []}');
SELECT * FROM modelreg.verify_head('{"format": 1e1000, "identity": null, "chains": []}');
SELECT * FROM modelreg.verify_head('{"format": 1, "chains": []}');
SELECT * FROM modelreg.verify_head('{"format": 1, "identity": 7, "chains": []}');
SELECT * FROM modelreg.verify_head('{"format": 1, "identity": null}');
SELECT * FROM modelreg.verify_head('{"format": 1, "identity": null, "chains": 1}');
SELECT * FROM modelreg.verify_head('{"format": 1, "identity": null, "chains": {"chain": "team"}}');
CREATE FUNCTION said(document jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	more text;
BEGIN
	RETURN (SELECT string_agg(object || ': ' || detail, '; ') FROM modelreg.verify_head(document));
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS more = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || more;
END
$$;
SELECT left(element, 70) AS element, said(jsonb_set(:'second', '{chains}', jsonb_build_array(:'second'::jsonb->'chains'->0, element::jsonb))) FROM (VALUES
	('[]'), ('null'), ('{}'), ('{"chain": 1}'), ('{"chain": "endpoints"}'), ('{"chain": "' || repeat('é', 100000) || '"}'),
	('{"chain": "team"}'), ('{"chain": "team", "id": "1"}'), ('{"chain": "team", "id": -1}'), ('{"chain": "team", "id": 1.5}'),
	('{"chain": "team", "id": 9223372036854775808}'), ('{"chain": "team", "id": 1e300}'), ('{"chain": "team", "id": 1, "seq": null}'),
	('{"chain": "team", "id": 1, "seq": 1}'), ('{"chain": "team", "id": 1, "seq": 1, "hash": "00"}'),
	('{"chain": "team", "id": 1, "seq": 1, "hash": "' || repeat('G', 64) || '"}'),
	('{"chain": "team", "id": 1, "seq": 1, "hash": "' || repeat(' 0', 32) || '"}'),
	('{"chain": "team", "id": 9223372036854775807, "seq": 9223372036854775807, "hash": "' || repeat('0', 64) || '"}'),
	('{"chain": "team", "id": 77, "seq": 0, "hash": "' || repeat('0', 64) || '"}'),
	('{"chain": "team", "id": 1, "seq": 0, "hash": "' || repeat('0', 64) || '"}'),
	('{"chain": "team", "id": 1, "seq": 0, "hash": "' || repeat('1', 64) || '"}')
) AS v(element);
-- What audit_head() does not write.
SELECT said(jsonb_set(:'second', '{identity}', to_jsonb(repeat('x', 100000)))) AS long_identity;
SELECT identity, said(jsonb_set(:'second', '{identity}', identity)) FROM (VALUES ('""'::jsonb), ('"not a uuid"'), ('"00000000-0000-4000-8000-0000000000000"'),
	('"00000000-0000-4000-8000-00000000000"'), ('"00000000-0000-4000-8000 000000000000"'), ('"00000000-0000-4000-8000-00000000000G"'),
	('"00000000-0000-4000-8000-00000000000A"'), ('"{0000000-0000-4000-8000-00000000000}"'), ('null')) AS v(identity);
SELECT what, said(jsonb_set(:'second', '{chains}', chains)) FROM jsonb_path_query_array(:'second', '$.chains[*]') c, LATERAL (VALUES
	('none', '[]'), ('without the registry''s', c - 0), ('another one for the registry''s', jsonb_set(c, '{0,id}', '2')),
	('a second registry', jsonb_insert(c, '{1}', jsonb_set(c->0, '{id}', '2'))), ('one twice', jsonb_insert(c, '{1}', c->1)),
	('one twice, apart', c || (c->1)), ('two exchanged', (c - 1) || (c->1)), ('all', c)) AS v(what, chains);
SELECT said(jsonb_set(:'empty', '{chains}', :'second'::jsonb->'chains')) AS without_identity;
-- A large one, in little memory.
SELECT count(*) FROM modelreg.verify_head(jsonb_set(:'second', '{chains}',
	(SELECT jsonb_build_array(:'second'::jsonb->'chains'->0) || jsonb_agg(jsonb_build_object('chain', 'decisions', 'id', i, 'seq', 1, 'hash', repeat('0', 64))) FROM generate_series(1000, 50999) i)));

-- Restored from the old backup: behind what was published since, and all of it at once; not behind the head of its time.
\c regress_published_backup
SET client_min_messages = error;
SELECT * FROM modelreg.verify();
SELECT * FROM modelreg.verify_head(:'first');
SELECT object, detail FROM modelreg.verify_head(:'second');
SELECT object, detail FROM modelreg.verify_head(:'second', 'search.reco');
-- Once it goes on, what was written in the place of what was lost differs.
SELECT modelreg.register_version('search.reco');
SELECT modelreg.promote('search.reco', 2, 'Production') AS two;
SELECT object, detail FROM modelreg.verify_head(:'second');
-- Declared, it says so, and a head published after that is the one to keep.
SELECT modelreg.new_identity('a copy') IS NOT NULL AS declared;
SELECT object, detail FROM modelreg.verify_head(:'first');
SELECT document AS third FROM modelreg.audit_head() \gset
SELECT * FROM modelreg.verify_head(:'third');
SELECT * FROM modelreg.verify();
-- Another registry's.
SELECT object, regexp_replace(detail, '[0-9a-f-]{36}', '<identity>') AS detail FROM modelreg.verify_head(jsonb_set(:'third', '{identity}', to_jsonb(gen_random_uuid())));

-- Written anew. Nothing is left to verify(), and yet each is found.
\c regress_published
SET client_min_messages = error;
CREATE VIEW findings AS SELECT check_name, object, detail FROM modelreg.verify() WHERE check_name <> 'guard';
CREATE PROCEDURE open() LANGUAGE plpgsql AS $$
DECLARE
	item record;
BEGIN
	SET LOCAL modelreg.allow_removal = on;
	FOR item IN SELECT c.oid::regclass AS name FROM pg_class c WHERE relnamespace = 'modelreg'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', item.name);
	END LOOP;
	FOR item IN SELECT conrelid::regclass AS name, conname FROM pg_constraint WHERE connamespace = 'modelreg'::regnamespace AND contype = 'c' LOOP
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', item.name, item.conname);
	END LOOP;
END
$$;
-- Numbers, links and hashes of a chain's events as if it had always been so, and its head.
CREATE PROCEDURE rewrite(which smallint, id bigint, head regclass) LANGUAGE plpgsql AS $$
DECLARE
	item record;
	n bigint := 0;
	last bytea := decode(repeat('00', 32), 'hex');
	at timestamptz := '-infinity';
BEGIN
	FOR item IN SELECT e.ctid, e.* FROM modelreg.event e WHERE chain = which AND chain_id = id ORDER BY seq LOOP
		n := n + 1;
		item.hash := modelreg.row_hash('event', item.format, item.chain, item.chain_id, n, item.at, item.kind, item.team_id,
			item.who, item.application_name, item.client_addr, item.request_id, item.what, item.prose, last);
		UPDATE modelreg.event SET seq = n, prev = last, hash = item.hash WHERE ctid = item.ctid;
		last := item.hash;
		at := item.at;
	END LOOP;
	EXECUTE format('UPDATE %s SET seq = $1, head_hash = $2, head_at = $3 WHERE id = $4', head) USING n, last, at, id;
END
$$;

-- A reason that nobody gave, in a suffix with hashes that fit.
BEGIN;
CALL open();
UPDATE modelreg.event SET application_name = 'somebody else' WHERE chain = 5 AND chain_id = 1 AND seq = 2;
CALL rewrite(5::smallint, 1, 'modelreg.model');
SELECT * FROM findings;
SELECT object, detail FROM modelreg.verify_head(:'first');
SELECT object, detail FROM modelreg.verify_head(:'second');
ROLLBACK;
-- The end of a chain cut, and what follows from it put back: behind, and alone in that.
BEGIN;
CALL open();
DELETE FROM modelreg.event WHERE chain = 5 AND chain_id = 1 AND seq > 1;
CALL rewrite(5::smallint, 1, 'modelreg.model');
DELETE FROM modelreg.production WHERE model_id = 1 AND seq > 1;
DELETE FROM modelreg.alias;
DELETE FROM modelreg.payload WHERE body = 'A/B';
UPDATE modelreg.model m SET current_version = 1, current_since = p.at, current_registered_at = v.registered_at, current_node_id = v.node_id
	FROM modelreg.production p, modelreg.version v WHERE m.id = 1 AND p.model_id = 1 AND v.model_id = 1 AND v.version = 1;
UPDATE modelreg.version_stage s SET stage = CASE s.version WHEN 1 THEN 'Production' ELSE 'Experimental' END::modelreg.stage,
	since = CASE s.version WHEN 1 THEN (SELECT at FROM modelreg.production p WHERE p.model_id = 1)
		ELSE (SELECT registered_at FROM modelreg.version v WHERE v.model_id = 1 AND v.version = s.version) END WHERE s.model_id = 1;
DELETE FROM modelreg.evidence WHERE model_id = 1 AND version <> 1;
SELECT * FROM findings;
SELECT object, detail FROM modelreg.verify_head(:'first');
SELECT object, detail FROM modelreg.verify_head(:'second');
ROLLBACK;
-- A model removed with its whole chain, and its birth.
BEGIN;
CALL open();
DELETE FROM modelreg.event WHERE chain IN (4, 5) AND chain_id = 2 OR kind = 'model_created' AND what->>'model_id' = '2';
CALL rewrite(2::smallint, 1, 'modelreg.team');
DELETE FROM modelreg.node WHERE id = (SELECT node_id FROM modelreg.version WHERE model_id = 2);
DELETE FROM modelreg.version WHERE model_id = 2;
DELETE FROM modelreg.version_stage WHERE model_id = 2;
DELETE FROM modelreg.registration_head WHERE id = 2;
DELETE FROM modelreg.model_name WHERE model_id = 2;
DELETE FROM modelreg.model WHERE id = 2;
SELECT * FROM findings;
SELECT object, detail FROM modelreg.verify_head(:'first');
SELECT object, detail FROM modelreg.verify_head(:'first', 'search');
ROLLBACK;
-- An event of a published head taken out, and not even the links put right; its hash taken away.
BEGIN;
CALL open();
DELETE FROM modelreg.event WHERE chain = 5 AND chain_id = 1 AND seq = 1;
SELECT object, detail FROM modelreg.verify_head(:'first');
ALTER TABLE modelreg.event ALTER COLUMN hash DROP NOT NULL;
UPDATE modelreg.event SET hash = NULL WHERE chain = 4 AND chain_id = 1 AND seq = 1;
SELECT object, detail FROM modelreg.verify_head(:'first');
UPDATE modelreg.registry SET identity = gen_random_uuid();
SELECT object, detail FROM modelreg.verify_head(:'first') WHERE object = 'registry';
DELETE FROM modelreg.registry;
SELECT object, detail FROM modelreg.verify_head(:'first') WHERE object ~ 'registry';
ROLLBACK;

-- Nothing of this stayed, and registering goes on.
SELECT modelreg.register_version('search.reco');
SELECT * FROM modelreg.verify(deep => true);
SELECT * FROM modelreg.verify_head(:'second');
\c :origin
DROP DATABASE regress_published;
DROP DATABASE regress_published_backup;
DROP ROLE regress_published_reader, regress_published_auditor;
