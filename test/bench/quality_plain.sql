SELECT modelreg.record_quality('bench.plain', 2, 'ctr', total => 3, count => 100, window_start => clock_timestamp());
