\set e random(1, 6)
\set v random(1, 4)
\set n random(1, 5)
SELECT soak.may_fail(format('SELECT modelreg.start_rollout(%L, %s, plan => %L, reason => ''soak'')', 'other.live-' || :e::text, :v::int,
	(ARRAY['all at once', 'linear over 1 second in 10 steps', 'canary 5% for 200 milliseconds, 50% for 1 second', 'shadow for 100 milliseconds', 'linear over 2 hours'])[:n::int]), '55000');
SELECT soak.may_fail(format('SELECT modelreg.%s(%L)', (ARRAY['pause_rollout', 'resume_rollout', 'complete_rollout', 'abort_rollout', 'complete_rollout'])[:n::int], 'other.live-' || :e::text), '55000');
