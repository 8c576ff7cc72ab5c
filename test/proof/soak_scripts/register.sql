\set m random(1, 40)
\set n random(1, 1000000000)
SELECT modelreg.register_version('soak.train-' || :m::text, params => jsonb_build_object('epochs', :n::bigint % 50, 'note', 'run ' || :n::text), metrics => jsonb_build_object('auc', :n::bigint % 1000 / 1000.0), inputs => '{"training": ["snapshot:soak.events@0"], "code": ["commit:soak.code@1"]}', description => 'trained on events', request_id => 'r-' || :client_id::text || '-' || :n::text);
