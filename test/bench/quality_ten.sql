\set e random(0, 9)
SELECT modelreg.record_quality('bench.guarded-' || :e, 2, 'ctr', total => 3, count => 100, window_start => clock_timestamp());
