\set e random(0, 9)
WITH observation AS (
	INSERT INTO bench.quality VALUES (nextval('bench.quality_id_seq'), 1, 1, 1, 2, 'ctr', 3, 100, clock_timestamp(), clock_timestamp(),
		'{"role": "postgres", "role_oid": 10}', clock_timestamp()))
UPDATE bench.sums SET total = total + 3, observations = observations + 100 WHERE id = :e;
