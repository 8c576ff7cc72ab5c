SELECT version, since, uri, permanent_id, registered_at, etag FROM bench.current WHERE name = 'bench.model-' || :m;
