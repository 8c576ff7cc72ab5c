WITH h AS MATERIALIZED (
	SELECT seq + 1 AS seq, last_version + 1 AS version, head_hash AS prev FROM bench.registration_head WHERE id = (:m)::bigint FOR UPDATE
), ids AS MATERIALIZED (
	SELECT h.*, nextval('bench.node_seq') AS node_id, nextval('bench.evaluation_seq') AS evaluation_id, clock_timestamp() AS at,
		'{"role": "postgres", "role_oid": 10}'::jsonb AS who, gen_random_uuid() AS identity,
		uuid_send(gen_random_uuid()) AS salt1, uuid_send(gen_random_uuid()) AS salt2, uuid_send(gen_random_uuid()) AS salt3
	FROM h
), p AS MATERIALIZED (
	SELECT ids.*,
		modelreg.row_hash('payload', 1::smallint, salt1, 'nightly'::text) AS description,
		modelreg.row_hash('payload', 1::smallint, salt2, '{"inputs":[{"name":"x","type":"double"}]}'::text) AS signature,
		modelreg.row_hash('payload', 1::smallint, salt3, U&'{"depth"\003a6,"lr"\003a0.1}'::text) AS params,
		modelreg.row_hash('node', 1::smallint, node_id, 1::bigint, NULL::bigint, 'version'::text, ((:m)::bigint)::text, version::text, NULL::bigint, 1, 1::bigint,
			'{run}'::text[], '{1}'::bigint[], NULL::text, NULL::text, NULL::bigint, NULL::bytea, who, at, NULL::timestamptz) AS node_hash,
		modelreg.row_hash('evaluation', 1::smallint, evaluation_id, 1::bigint, NULL::bigint, node_id, 'training'::text, NULL::bigint, ''::text,
			'{ndcg@10}'::text[], '{0.42}'::float8[], NULL::boolean, NULL::bytea, who, at, NULL::timestamptz) AS training_hash,
		modelreg.row_hash('artifact', 1::smallint, (:m)::bigint, version, 'weights'::text, 1::bigint,
			U&'sha256\003a9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'::modelreg.digest, 4::bigint, NULL::text, 's3://models/w'::text, NULL::text) AS artifact1,
		modelreg.row_hash('artifact', 1::smallint, (:m)::bigint, version, 'preprocessing'::text, 1::bigint,
			U&'sha256\003a60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752'::modelreg.digest, 5::bigint, NULL::text, 's3://models/p'::text, NULL::text) AS artifact2
	FROM ids
), v AS MATERIALIZED (
	SELECT p.*, a.artifacts_hash, modelreg.row_hash('version', 1::smallint, (:m)::bigint, version, 1::bigint, node_id, identity, 1::bigint, at, NULL::timestamptz,
		who, NULL::text, description, signature, params, node_hash, training_hash, a.artifacts_hash) AS version_hash
	FROM p CROSS JOIN LATERAL (SELECT modelreg.row_hash('artifacts', 1::smallint, artifact2, artifact1) AS artifacts_hash) a
), e AS MATERIALIZED (
	SELECT v.*, w.what, modelreg.row_hash('event', 1::smallint, 4::smallint, (:m)::bigint, seq, at, 'version_registered'::text, 1::bigint, who, 'pgbench'::text,
		NULL::text, NULL::text, w.what, NULL::bytea, prev) AS event_hash
	FROM v CROSS JOIN LATERAL (SELECT jsonb_build_object('hash', encode(version_hash, 'hex'), 'version', version) AS what) w
), i1 AS (INSERT INTO bench.payload SELECT description, 1, salt1, 'nightly' FROM e
	UNION ALL SELECT signature, 1, salt2, '{"inputs":[{"name":"x","type":"double"}]}' FROM e
	UNION ALL SELECT params, 1, salt3, U&'{"depth"\003a6,"lr"\003a0.1}' FROM e
), i2 AS (INSERT INTO bench.node SELECT node_id, 1, NULL, 'version', ((:m)::bigint)::text, version::text, NULL, 1, 1, '{run}', '{1}', NULL, NULL, NULL, NULL, who, at, NULL, node_hash FROM e
), i3 AS (INSERT INTO bench.edge SELECT node_id, 1, 1, 1, 1, 0, 'run', 'version', 'run' FROM e
), i4 AS (INSERT INTO bench.evaluation SELECT evaluation_id, 1, NULL, node_id, 'training', NULL, '', '{ndcg@10}', '{0.42}', NULL, NULL, who, at, NULL, training_hash FROM e
), i5 AS (INSERT INTO bench.metric SELECT (:m)::bigint, version, 'training', 0, '', 'ndcg@10', 1, 0.42, evaluation_id FROM e
), i6 AS (INSERT INTO bench.param SELECT (:m)::bigint, version, 'lr', 1, '0.1' FROM e UNION ALL SELECT (:m)::bigint, version, 'depth', 1, '6' FROM e
), i7 AS (INSERT INTO bench.artifact
	SELECT (:m)::bigint, version, 'weights', 1, U&'sha256\003a9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'::modelreg.digest, 4, NULL, 's3://models/w', NULL, artifact1 FROM e
	UNION ALL SELECT (:m)::bigint, version, 'preprocessing', 1, U&'sha256\003a60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752'::modelreg.digest, 5, NULL, 's3://models/p', NULL, artifact2 FROM e
), i8 AS (INSERT INTO bench.version_stage SELECT (:m)::bigint, version, 1, 'Experimental', at FROM e
), i9 AS (INSERT INTO bench.version SELECT (:m)::bigint, version, 1, node_id, identity, 1, at, NULL, who, NULL, description, signature, params, node_hash, training_hash, artifacts_hash, version_hash FROM e
), i10 AS (INSERT INTO bench.event SELECT 4, (:m)::bigint, seq, at, 'version_registered', 1, who, 'pgbench', NULL, NULL, what, NULL, prev, event_hash FROM e
)
UPDATE bench.registration_head r SET seq = e.seq, last_version = e.version, head_hash = e.event_hash, head_at = e.at FROM e WHERE r.id = (:m)::bigint RETURNING last_version;
