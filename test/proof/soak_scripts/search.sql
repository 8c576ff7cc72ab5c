\set n random(1, 900)
SELECT count(*) FROM modelreg.search_versions(team => 'soak', metric => 'auc', metric_min => :n::bigint / 1000.0, page_size => 20);
SELECT count(*) FROM modelreg.search_versions(words => 'trained', param_key => 'epochs', param_value => (:n::bigint % 50)::text, page_size => 20);
