\set m random(1, 40)
\set n random(1, 1000000000000)
SELECT modelreg.begin_upload('soak', size => 3000, request_id => 'u-' || :client_id::text || '-' || :n::text) AS upload \gset
SELECT modelreg.append_upload(:upload::bigint, 0, convert_to(repeat(lpad(:n::text, 20, 'x'), 100), 'UTF8'));
SELECT modelreg.append_upload(:upload::bigint, 2000, convert_to(repeat(lpad(:n::text, 20, 'y'), 50), 'UTF8'));
SELECT modelreg.finish_upload(:upload::bigint);
SELECT modelreg.register_version('soak.train-' || :m::text, artifacts => jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', :upload::bigint)));
