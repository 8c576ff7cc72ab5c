SELECT version, since, uri, permanent_id, registered_at, etag FROM modelreg.production('bench.model-' || :m);
