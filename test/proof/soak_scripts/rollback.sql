\set m random(1, 12)
SELECT soak.may_fail(format('SELECT modelreg.rollback_model(%L, reason => ''soak'')', 'other.serve-' || :m::text), '55000');
