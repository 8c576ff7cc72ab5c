\set m random(1, 12)
SELECT soak.may_fail(format('SELECT modelreg.register_version(%L, metrics => ''{"a": "b"}'')', 'soak.train-' || :m::text), '22023');
SELECT soak.may_fail(format('SELECT modelreg.promote(%L, 99, ''Production'')', 'other.serve-' || :m::text), '42704');
SELECT soak.may_fail('SELECT modelreg.create_team(''x'')', '42501');
SELECT soak.may_fail('SELECT * FROM modelreg.upstream(''run:nobody.knows'')', '42704');
