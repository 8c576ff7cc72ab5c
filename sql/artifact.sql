-- Artifacts: uploads in chunks, resumed and repeated, sealed, deduplicated, read in ranges; quotas, sweeps, what others learn.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET search_path = public, modelreg;
SELECT setval('modelreg.upload_id_seq', 1000);
SELECT count(*) AS objects_before FROM pg_largeobject_metadata \gset
CREATE ROLE regress_art_alice;
CREATE ROLE regress_art_bob;
CREATE ROLE regress_art_reader;
CREATE ROLE regress_art_nobody;
SELECT modelreg.create_team('art') > 0 AS created, modelreg.create_team('artother') > 0 AS created;
SELECT modelreg.grant_level('art', 'regress_art_alice', 'maintainer');
SELECT modelreg.grant_level('art', 'regress_art_reader', 'reader');
SELECT modelreg.grant_level('artother', 'regress_art_bob', 'contributor');
SELECT modelreg.create_model('art.reco', 'open') > 0 AS created;
SELECT modelreg.create_model('artother.copy', 'open') > 0 AS created;

-- What is stored, for the superuser who tests: objects, and rows that name them. They always agree.
CREATE FUNCTION pg_temp.objects(OUT objects bigint, OUT unnamed bigint, OUT dangling bigint) LANGUAGE sql AS $$
	WITH named AS (
		SELECT object FROM modelreg.blob WHERE object IS NOT NULL UNION ALL
		SELECT object FROM modelreg.upload WHERE object IS NOT NULL)
	SELECT (SELECT count(*) FROM named),
		(SELECT count(*) FROM pg_largeobject_metadata m WHERE m.lomacl IS NULL AND m.oid NOT IN (SELECT object FROM named)
			AND m.oid NOT BETWEEN 424200 AND 424299),
		(SELECT count(*) FROM named n WHERE NOT EXISTS (SELECT FROM pg_largeobject_metadata m WHERE m.oid = n.object))
$$;
CREATE FUNCTION pg_temp.charged(team text) RETURNS bigint LANGUAGE sql AS
	$$ SELECT bytes FROM modelreg.team_bytes b JOIN modelreg.team t ON t.id = b.team_id WHERE t.name = $1 $$;
SELECT objects AS named_before, unnamed AS unnamed_before FROM pg_temp.objects() \gset

-- An upload in chunks, by somebody who may.
SET ROLE regress_art_alice;
SELECT modelreg.begin_upload('art', size => 26, digest => 'sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73',
	request_id => 'letters') AS letters \gset
SELECT modelreg.append_upload(:letters, 0, 'abcdefghij');
SELECT modelreg.append_upload(:letters, 10, 'klmnop');
SELECT state, received, size, round(percent::numeric, 1) AS percent, request_id, role FROM modelreg.uploads WHERE upload = :letters;
-- Begun again under its request id: the same; with other arguments, another matter.
SELECT modelreg.begin_upload('art', size => 26, digest => 'sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73',
	request_id => 'letters') = :letters AS same;
SELECT modelreg.begin_upload('art', size => 27, request_id => 'letters');
-- The acknowledgement was lost: again the same bytes, in other pieces too; the answer is where to go on.
SELECT modelreg.append_upload(:letters, 10, 'klmnop');
SELECT modelreg.append_upload(:letters, 0, 'abc');
SELECT modelreg.append_upload(:letters, 14, 'opqr');
SELECT modelreg.append_upload(:letters, 18, '');
-- Not so: a gap, other bytes, more than was declared, too early, no sense.
SELECT modelreg.append_upload(:letters, 19, 't');
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.append_upload(:letters, 16, 'xyz');
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.append_upload(:letters, 18, 'stuvwxyz!');
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.append_upload(:letters, 9223372036854775807, 'x');
SELECT modelreg.append_upload(:letters, -1, 'x');
SELECT modelreg.append_upload(:letters, 18, convert_to(repeat('x', 4 * 1024 * 1024 + 1), 'UTF8'));
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.finish_upload(:letters);
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.append_upload(:letters, 18, 'stuvwxyz');
SELECT modelreg.finish_upload(:letters);
-- Repeated, all of it is no error.
SELECT modelreg.finish_upload(:letters);
SELECT modelreg.append_upload(:letters, 18, 'stuvwxyz');
SELECT modelreg.append_upload(:letters, 18, 'STUVWXYZ');
SELECT modelreg.abort_upload(:letters);
SELECT state, received, percent FROM modelreg.uploads WHERE upload = :letters;

-- Another digest than was declared: not sealed, and nothing is lost.
SELECT modelreg.begin_upload('art', 3, 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad') AS abc \gset
SELECT modelreg.append_upload(:abc, 0, 'abd');
SELECT modelreg.finish_upload(:abc);
\echo :LAST_ERROR_SQLSTATE
SELECT state FROM modelreg.uploads WHERE upload = :abc;
SELECT modelreg.abort_upload(:abc);
SELECT modelreg.abort_upload(:abc);
SELECT modelreg.append_upload(:abc, 0, 'abc');
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.finish_upload(:abc);
SELECT state FROM modelreg.uploads WHERE upload = :abc;

-- Nothing at all is something, too.
SELECT modelreg.begin_upload('art', 0) AS empty \gset
SELECT percent FROM modelreg.uploads WHERE upload = :empty;
SELECT modelreg.finish_upload(:empty);

-- Arguments that make no sense.
SELECT modelreg.begin_upload(NULL, 1);
SELECT modelreg.begin_upload('art', NULL);
SELECT modelreg.begin_upload('art', -1);
SELECT modelreg.begin_upload('art', 9223372036854775807);
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.begin_upload('art', 1, 'md5:d41d8cd98f00b204e9800998ecf8427e');
SELECT modelreg.begin_upload('art', 1, request_id => '');
SELECT modelreg.begin_upload('nosuchteam', 1);
SELECT modelreg.append_upload(NULL, 0, 'x');
SELECT modelreg.append_upload(:letters, NULL, 'x');
SELECT modelreg.append_upload(:letters, 0, NULL);
SELECT modelreg.finish_upload(NULL);
SELECT modelreg.finish_upload(-1);
SELECT modelreg.abort_upload(NULL);
SELECT modelreg.copy_large_object('art', NULL);
SELECT modelreg.sweep_uploads('art', NULL);
SELECT modelreg.sweep_uploads('art', '-1 day');
SELECT modelreg.sweep_uploads('art', '-100000 years');
SELECT modelreg.sweep_uploads('art', '1 day', 0);

-- Who may not: a reader looks on, for others it does not exist.
SET ROLE regress_art_reader;
SELECT state, received FROM modelreg.uploads WHERE upload = :letters;
SELECT modelreg.begin_upload('art', 1);
SELECT modelreg.append_upload(:letters, 0, 'a');
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.finish_upload(:letters);
SELECT modelreg.abort_upload(:empty);
SELECT modelreg.sweep_uploads('art');
SET ROLE regress_art_bob;
SELECT count(*) FROM modelreg.uploads;
SELECT modelreg.append_upload(:letters, 0, 'a');
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.finish_upload(:letters);
SELECT modelreg.abort_upload(:letters);
SELECT modelreg.begin_upload('art', 1);
SELECT modelreg.sweep_uploads();
SELECT count(*) FROM modelreg.blob;
SET ROLE regress_art_nobody;
SELECT modelreg.begin_upload('artother', 1);
SELECT count(*) FROM modelreg.upload;
RESET ROLE;

-- Versions. All mistakes come in one error.
SET ROLE regress_art_alice;
SELECT modelreg.register_version('art.reco', artifacts => jsonb_build_array(
	jsonb_build_object('name', 'weights', 'upload', :letters),
	jsonb_build_object('name', 'conf/empty.json', 'upload', :empty, 'media_type', 'application/json'),
	jsonb_build_object('name', 'prep.pkl', 'uri', 's3://models/reco/prep.pkl', 'store_version', 'v7', 'size', 3,
		'digest', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')));
SELECT name, digest, size, media_type, uri, store_version FROM modelreg.artifacts WHERE model = 'art.reco' ORDER BY name;
SELECT modelreg.register_version('art.reco', artifacts => '[
	{"name": "/weights", "uri": "s3://a/b", "size": 1, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"name": "a//b", "uri": "no uri", "size": 1, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"name": "../../etc/passwd", "uri": "https://user:secret@host/", "size": 1, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"name": "a\\b", "uri": "s3://a b", "size": -1, "digest": "sha256:00"},
	{"uri": "s3://a/b"},
	{"name": 7, "upload": "8"},
	{"name": "bare"},
	{"name": "both", "upload": 1, "uri": "s3://a/b", "size": 1, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"name": "odd", "store_version": "1", "upload": 99999999},
	{"name": "unknown", "upload": 99999999},
	{"name": "bytes", "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"name": "more", "colour": "red"},
	{"name": "", "upload": 1.5},
	null, "text", []]');
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.register_version('art.reco', artifacts => jsonb_build_array(
	jsonb_build_object('name', 'a', 'upload', :letters, 'size', 27), jsonb_build_object('name', 'b', 'upload', :abc),
	jsonb_build_object('name', 'c', 'upload', :letters, 'digest', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
	jsonb_build_object('name', 'c', 'upload', :letters)));
SELECT modelreg.register_version('art.reco', artifacts => '{}');
SELECT modelreg.register_version('art.reco', artifacts => '"weights"');
SELECT modelreg.register_version('art.reco', artifacts => (SELECT jsonb_agg(1) FROM generate_series(1, 10001)));
\echo :LAST_ERROR_SQLSTATE
-- By their digest: what the team uploaded.
SELECT modelreg.register_version('art.reco',
	artifacts => '[{"name": "weights", "digest": "sha256:71C480DF93D6AE2F1EFAD1447C66C9525E316218CF51FC8D9ED832F2DAF18B73"}]');

-- Reading: whole, a range, chunks; never more than a chunk.
SET ROLE regress_art_reader;
SELECT convert_from(modelreg.read_artifact('art.reco', 1, 'weights'), 'UTF8');
SELECT convert_from(modelreg.read_artifact('art.reco', 1, 'weights', 20), 'UTF8');
SELECT convert_from(modelreg.read_artifact('art.reco', 1, 'weights', 2, 3), 'UTF8');
SELECT modelreg.read_artifact('art.reco', 1, 'weights', 26, 3), modelreg.read_artifact('art.reco', 1, 'weights', 9223372036854775807, 1),
	modelreg.read_artifact('art.reco', 1, 'weights', 0, 0), modelreg.read_artifact('art.reco', 1, 'conf/empty.json');
SELECT at_offset, convert_from(data, 'UTF8') FROM modelreg.artifact_chunks('art.reco', 1, 'weights', 10);
SELECT count(*) FROM modelreg.artifact_chunks('art.reco', 1, 'conf/empty.json');
SELECT modelreg.artifact_chunks('art.reco', 1, 'weights', 10) LIMIT 1;
BEGIN;
DECLARE piecewise CURSOR FOR SELECT modelreg.artifact_chunks('art.reco', 1, 'weights', 9);
FETCH piecewise;
FETCH piecewise;
SAVEPOINT s;
SELECT modelreg.read_artifact('art.reco', 1, 'prep.pkl');
ROLLBACK TO s;
FETCH piecewise;
FETCH piecewise;
COMMIT;
SELECT name, modelreg.verify_artifact(model, version, name) FROM modelreg.artifacts WHERE model = 'art.reco' AND version = 1 ORDER BY name;
SELECT modelreg.read_artifact('art.reco', 1, 'prep.pkl');
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.read_artifact('art.reco', 1, 'nothing');
SELECT modelreg.read_artifact('art.reco', 9, 'weights');
SELECT modelreg.read_artifact('art.reco', 1, 'weights', -1);
SELECT modelreg.read_artifact('art.reco', 1, 'weights', 0, -1);
SELECT modelreg.read_artifact('art.reco', 1, 'weights', 0, 4 * 1024 * 1024 + 1);
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.artifact_chunks('art.reco', 1, 'weights', 0);
SELECT modelreg.artifact_chunks('art.reco', 1, 'weights', 2147483647);
SELECT modelreg.read_artifact('art.reco', NULL, 'weights');
SELECT modelreg.verify_artifact('art.reco', 1, NULL);
SET ROLE regress_art_bob;
SELECT modelreg.read_artifact('art.reco', 1, 'weights');
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.verify_artifact('art.reco', 1, 'weights');
SELECT * FROM modelreg.artifact_chunks('art.reco', 1, 'weights');
SELECT count(*) FROM modelreg.artifacts;

-- Knowing a digest gives no right to the bytes, and nobody learns that they are here.
SELECT modelreg.register_version('artother.copy',
	artifacts => '[{"name": "w", "digest": "sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73"}]');
SELECT modelreg.register_version('artother.copy',
	artifacts => '[{"name": "w", "digest": "sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b74"}]');
SELECT modelreg.register_version('artother.copy', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', :letters)));
-- The same bytes, uploaded by another team: all of them have to come, and they are stored once.
RESET ROLE;
SELECT objects - :named_before AS objects FROM pg_temp.objects();
SET ROLE regress_art_bob;
SELECT modelreg.begin_upload('artother', 26, 'sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73') AS again \gset
SELECT state, received FROM modelreg.uploads;
SELECT modelreg.finish_upload(:again);
SELECT modelreg.append_upload(:again, 0, 'abcdefghijklmnopqrstuvwxyz');
SELECT modelreg.finish_upload(:again);
SELECT object, state FROM modelreg.upload WHERE id = :again;
SELECT modelreg.register_version('artother.copy',
	artifacts => '[{"name": "w", "digest": "sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73"}]');
SELECT convert_from(modelreg.read_artifact('artother.copy', 1, 'w', 23), 'UTF8');
RESET ROLE;
SELECT objects - :named_before AS objects, unnamed = :unnamed_before AS none_unnamed, dangling FROM pg_temp.objects();
-- Each team is charged for its own uploads.
SELECT pg_temp.charged('art') AS art, pg_temp.charged('artother') AS artother;
-- Who may read a version may use its bytes for another.
SELECT modelreg.grant_level('artother', 'regress_art_alice', 'reader');
SET ROLE regress_art_alice;
SELECT lo_from_bytea(424200, 'of my own');
SELECT modelreg.copy_large_object('art', 424200) > 0 AS copied;
SELECT lo_unlink(424200);
SET ROLE regress_art_bob;
SELECT modelreg.begin_upload('artother', 1) AS theirs \gset
SELECT modelreg.append_upload(:theirs, 0, 'z');
SELECT modelreg.finish_upload(:theirs);
SELECT modelreg.register_version('artother.copy', artifacts => jsonb_build_array(jsonb_build_object('name', 'z', 'upload', :theirs)));
SET ROLE regress_art_alice;
SELECT modelreg.register_version('art.reco', artifacts => '[{"name": "z", "digest": "sha256:594e519ae499312b29433b7dd8a97ff068defcba9755b6d5d00e84c524d67b06"}]');
SELECT convert_from(modelreg.read_artifact('art.reco', 3, 'z'), 'UTF8');

-- Copying a large object in: the caller's own rights on it count.
RESET ROLE;
SELECT lo_from_bytea(424201, 'secret of the superuser');
GRANT SELECT ON LARGE OBJECT 424201 TO regress_art_bob;
SET ROLE regress_art_alice;
SELECT modelreg.copy_large_object('art', 424201);
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.copy_large_object('art', 424202);
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_art_bob;
SELECT modelreg.copy_large_object('artother', 424201, request_id => 'copy') AS copied \gset
SELECT state, size, digest FROM modelreg.uploads WHERE upload = :copied;
SELECT modelreg.copy_large_object('artother', 424201, 'sha256:594e519ae499312b29433b7dd8a97ff068defcba9755b6d5d00e84c524d67b06');
RESET ROLE;
SELECT lo_unlink(424201);
SET ROLE regress_art_bob;
SELECT modelreg.copy_large_object('artother', 424201, request_id => 'copy') = :copied AS same;
RESET ROLE;

-- External ones: who fetched them says what came.
SET ROLE regress_art_alice;
SELECT modelreg.record_artifact_check('art.reco', 1, 'prep.pkl', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 3);
SELECT modelreg.record_artifact_check('art.reco', 1, 'prep.pkl', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 4, request_id => 'c');
SELECT modelreg.record_artifact_check('art.reco', 1, 'prep.pkl', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 4, request_id => 'c');
SELECT modelreg.record_artifact_check('art.reco', 1, 'weights', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 4);
SELECT modelreg.record_artifact_check('art.reco', 1, 'prep.pkl', NULL, 4);
SET ROLE regress_art_reader;
SELECT modelreg.record_artifact_check('art.reco', 1, 'prep.pkl', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 3);
SELECT model, version, name, matches, size, role FROM modelreg.artifact_checks ORDER BY recorded_at;
RESET ROLE;

-- The quota counts what is declared, before deduplication, and what is aborted no more.
SELECT pg_temp.charged('art') AS charged \gset
SELECT modelreg.set_quota('art', :charged + 10);
SET ROLE regress_art_alice;
SELECT modelreg.begin_upload('art', 10) AS ten \gset
SELECT modelreg.begin_upload('art', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.begin_upload('art', 0) AS none \gset
SELECT modelreg.abort_upload(:ten);
SELECT modelreg.abort_upload(:none);
SELECT lo_from_bytea(424203, '0123456789a');
SELECT modelreg.copy_large_object('art', 424203);
\echo :LAST_ERROR_SQLSTATE
SELECT lo_unlink(424203);
RESET ROLE;
SELECT modelreg.set_quota('art', NULL);
SELECT pg_temp.charged('art') = :charged AS as_before;
SELECT t.name, b.bytes = (SELECT sum(size) FROM modelreg.upload u WHERE u.team_id = t.id AND u.state <> 'aborted') AS exact
FROM modelreg.team_bytes b JOIN modelreg.team t ON t.id = b.team_id WHERE t.name LIKE 'art%' ORDER BY 1;
SET modelreg.max_artifact_size = '1MB';
SET ROLE regress_art_alice;
SELECT modelreg.begin_upload('art', 1024 * 1024 + 1);
RESET ROLE;
RESET modelreg.max_artifact_size;

-- A transaction that fails leaves no object; neither does a savepoint.
BEGIN;
SELECT modelreg.begin_upload('art', 5) AS lost \gset
SELECT modelreg.append_upload(:lost, 0, 'lost');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT modelreg.begin_upload('art', 4) AS lost \gset
SELECT modelreg.append_upload(:lost, 0, 'lost');
ROLLBACK TO s;
SELECT modelreg.begin_upload('art', 4) AS kept \gset
SELECT modelreg.append_upload(:kept, 0, 'kept');
SAVEPOINT s;
SELECT modelreg.finish_upload(:kept);
ROLLBACK TO s;
SELECT modelreg.append_upload(:kept, 0, 'kEpt');
ROLLBACK TO s;
SELECT modelreg.finish_upload(:kept);
COMMIT;
SELECT unnamed = :unnamed_before AS none_unnamed, dangling FROM pg_temp.objects();
BEGIN TRANSACTION READ ONLY;
SELECT modelreg.begin_upload('art', 5);
ROLLBACK;

-- With lo_compat_privileges everybody could write to every object.
SET lo_compat_privileges = on;
SELECT modelreg.begin_upload('art', 5);
\echo :LAST_ERROR_SQLSTATE
SELECT modelreg.append_upload(:kept, 0, 'kept');
SELECT modelreg.finish_upload(:kept);
SELECT modelreg.abort_upload(:kept);
SELECT modelreg.copy_large_object('art', 424204);
RESET lo_compat_privileges;

-- Objects are the registry's: nobody else reads or drops them, and who could is told not to.
SET ROLE regress_art_alice;
SELECT modelreg.begin_upload('art', 5) AS open \gset
SELECT object AS object FROM modelreg.upload WHERE id = :open \gset
\set VERBOSITY sqlstate
SELECT lo_get(:object);
SELECT lo_put(:object, 0, 'x');
SELECT lo_unlink(:object);
RESET ROLE;
SELECT lo_unlink(:object);
\set VERBOSITY default
-- A superuser's writing is found.
SELECT lo_put(object, 0, 'A') FROM modelreg.blob WHERE digest = 'sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73';
SELECT modelreg.verify_artifact('art.reco', 1, 'weights');
SELECT lo_put(object, 0, 'a') FROM modelreg.blob WHERE digest = 'sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73';
SELECT modelreg.verify_artifact('art.reco', 1, 'weights');
DO $$
BEGIN
	EXECUTE (SELECT format('GRANT UPDATE ON LARGE OBJECT %s TO regress_art_bob', object) FROM modelreg.blob WHERE digest = 'sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73');
END $$;
SELECT modelreg.verify_artifact('art.reco', 1, 'weights');
DO $$
BEGIN
	EXECUTE (SELECT format('REVOKE ALL ON LARGE OBJECT %s FROM regress_art_bob', object) FROM modelreg.blob WHERE digest = 'sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73');
	EXECUTE (SELECT format('REVOKE ALL ON LARGE OBJECT %s FROM CURRENT_USER', object) FROM modelreg.blob WHERE digest = 'sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73');
END $$;
-- Nobody else has rights on it any more.
SELECT modelreg.verify_artifact('art.reco', 1, 'weights');
BEGIN;
DO $$
BEGIN
	EXECUTE (SELECT format('ALTER LARGE OBJECT %s OWNER TO regress_art_bob', object) FROM modelreg.blob
		WHERE digest = 'sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73');
END $$;
SELECT modelreg.verify_artifact('art.reco', 1, 'weights');
ALTER ROLE regress_art_bob SUPERUSER;
SELECT modelreg.verify_artifact('art.reco', 1, 'weights');
ROLLBACK;

-- Sweeping: what is stale goes in batches; what a version uses stays, also by another team's upload of the same bytes.
SET ROLE regress_art_alice;
SELECT modelreg.sweep_uploads('art', '1 day');
SELECT modelreg.sweep_uploads('art', '10000 years'), modelreg.sweep_uploads('art', '178000000 years'), modelreg.sweep_uploads('art', '100000 years -36000000 days');
SELECT modelreg.sweep_uploads('art', '0', 2) > 0 AS some;
SELECT modelreg.sweep_uploads('art', '0') > 0 AS some;
SELECT modelreg.sweep_uploads('art', '0');
SELECT state, count(*) FROM modelreg.uploads WHERE team = 'art' GROUP BY 1 ORDER BY 1;
SELECT modelreg.append_upload(:open, 0, 'x');
SELECT convert_from(modelreg.read_artifact('art.reco', 1, 'weights'), 'UTF8');
RESET ROLE;
SELECT unnamed = :unnamed_before AS none_unnamed, dangling, (SELECT count(*) FROM modelreg.blob WHERE digest = 'sha256:79f076abdd19a752db7267bfff2f9022161d120dea919fdaca2ffdfc24ca8c96') AS kept
FROM pg_temp.objects();
SELECT pg_temp.charged('art') AS art, pg_temp.charged('artother') AS artother;
SELECT count(*) FROM modelreg.blob b WHERE NOT EXISTS (SELECT FROM modelreg.artifact a WHERE a.digest = b.digest AND a.uri IS NULL)
	AND NOT EXISTS (SELECT FROM modelreg.upload u WHERE u.digest = b.digest AND u.state = 'sealed');
-- What was swept can be uploaded again.
SELECT lo_from_bytea(424205, 'kept');
SELECT modelreg.copy_large_object('art', 424205) > 0 AS copied;
SELECT modelreg.sweep_uploads('artother', '0') > 0 AS some;
SELECT modelreg.sweep_uploads(older_than => '0') > 0 AS some;
SELECT lo_unlink(424205);
SELECT objects - :named_before AS objects, unnamed = :unnamed_before AS none_unnamed, dangling FROM pg_temp.objects();
SELECT pg_temp.charged('art') AS art, pg_temp.charged('artother') AS artother;

-- The rows are hashed and cannot be changed.
SELECT count(*) AS wrong FROM modelreg.artifact a WHERE a.hash IS DISTINCT FROM modelreg.row_hash('artifact', a.format, a.model_id, a.version, a.name,
	a.team_id, a.digest, a.size, a.media_type, a.uri, a.store_version);
UPDATE modelreg.artifact SET size = 0;
DELETE FROM modelreg.blob;
UPDATE modelreg.upload SET state = 'open';

-- All bytes go before the extension does, if somebody means it.
SET ROLE regress_art_alice;
SELECT modelreg.drop_all_bytes(current_database());
RESET ROLE;
SELECT modelreg.drop_all_bytes(current_database());
BEGIN;
SET LOCAL modelreg.allow_removal = on;
SAVEPOINT s;
SELECT modelreg.drop_all_bytes('yes');
ROLLBACK TO s;
SELECT modelreg.drop_all_bytes(NULL);
ROLLBACK TO s;
SELECT modelreg.drop_all_bytes(current_database(), 1);
SELECT modelreg.drop_all_bytes(current_database()) > 0 AS some;
SELECT modelreg.drop_all_bytes(current_database());
SELECT count(*) FROM modelreg.blob WHERE object IS NOT NULL;
SELECT modelreg.read_artifact('art.reco', 1, 'weights');
ROLLBACK TO s;
SELECT modelreg.drop_all_bytes(current_database()) > 0 AS some;
SELECT modelreg.verify_artifact('art.reco', 1, 'weights');
-- Bytes that come again are there again.
SELECT lo_from_bytea(424206, 'abcdefghijklmnopqrstuvwxyz');
SELECT modelreg.copy_large_object('art', 424206) > 0 AS copied;
SELECT modelreg.verify_artifact('art.reco', 1, 'weights');
ROLLBACK;
SELECT modelreg.verify_artifact('art.reco', 1, 'weights');
SELECT count(*) - :objects_before AS objects FROM pg_largeobject_metadata;
SELECT modelreg.revoke_level('art', 'regress_art_alice', 'maintainer');
SELECT modelreg.revoke_level('artother', 'regress_art_alice', 'reader');
SELECT modelreg.revoke_level('art', 'regress_art_reader', 'reader');
SELECT modelreg.revoke_level('artother', 'regress_art_bob', 'contributor');
DROP ROLE regress_art_alice, regress_art_bob, regress_art_reader, regress_art_nobody;
