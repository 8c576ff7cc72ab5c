\set m random(1, 12)
\set v random(1, 16)
SELECT soak.may_fail(format('SELECT modelreg.promote(%L, %s, %L, reason => ''soak'')', 'other.serve-' || :m::text, :v::int, (ARRAY['Production', 'Production', 'Staging', 'Archived'])[1 + :v::int % 4]), '55000');
