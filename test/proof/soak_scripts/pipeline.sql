\set m random(1, 40)
\set n random(1, 1000000000000)
BEGIN;
SELECT modelreg.record_snapshot('soak.events', :client_id || '-' || :n::text, uri => 's3://lake/events', schema => '{"user_age": "integer"}', rows => :n::bigint);
SELECT modelreg.record_run('soak.train-' || :client_id::text || '-' || :n::text, inputs => jsonb_build_object('training', ARRAY['snapshot:soak.events@' || :client_id::text || '-' || :n::text], 'code', ARRAY['commit:soak.code@1']));
SELECT modelreg.register_version('soak.train-' || :m::text, run => 'run:soak.train-' || :client_id::text || '-' || :n::text, tags => '{"owner": "ranking"}');
COMMIT;
