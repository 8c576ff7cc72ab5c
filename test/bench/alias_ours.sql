SELECT version, uri, permanent_id, stage, registered_at FROM modelreg.get_by_alias('bench.model-' || :m, 'champion');
