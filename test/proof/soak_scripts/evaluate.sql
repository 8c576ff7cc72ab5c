\set m random(1, 12)
\set v random(1, 16)
\set n random(1, 1000)
SELECT modelreg.record_evaluation('models:/other.serve-' || :m::text || '/' || :v::text, 'offline', jsonb_build_object('auc', :n::bigint / 1000.0, 'loss', :n::bigint), dataset => 'snapshot:soak.events@0', slice => 'all', passed => true);
