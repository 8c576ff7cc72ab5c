SELECT modelreg.record_quality('bench.guarded-0', 2, 'latency', total => 3, count => 100, window_start => clock_timestamp());
