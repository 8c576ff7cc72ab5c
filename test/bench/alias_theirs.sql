SELECT version, uri, permanent_id, stage, registered_at FROM bench.pointed WHERE name = 'bench.model-' || :m || '@champion';
