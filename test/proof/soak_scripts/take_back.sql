\set e random(1, 6)
SELECT soak.may_fail(format('SELECT modelreg.rollback(%L, reason => ''soak'', further => %L)', 'other.live-' || :e::text, :e::int % 2 = 0), '55000');
