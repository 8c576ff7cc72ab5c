\set e random(1, 6)
\set v random(1, 4)
\set k random(1, 1000000)
SELECT modelreg.record_predictions('other.live-' || :e::text, ARRAY['user-' || :k::text, 'user-' || :v::text], ARRAY[:v::int, :v::int]);
SELECT soak.may_fail(format('SELECT modelreg.record_quality(%L, %s, ''ctr'', clock_timestamp(), value => 0.1)', 'other.live-' || :e::text, :v::int), '55000');
