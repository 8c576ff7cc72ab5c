# The server's clock jumps, back and forward, by less and by more than modelreg.max_clock_skew, between decisions, inside of
# transactions, while uploads and rollbacks go on. Times of a chain go forward all the same, what cannot be is refused cleanly,
# and an answer about the past that was final stays. TAP because it needs a clock of its own (test/faults).

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../faults";
use Faults;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = start_with_faults('clock', q{
modelreg.max_clock_skew = 2s
modelreg.max_decision_delay = 5s});
fill($node);

sub sql { return $node->safe_psql('postgres', $_[0]); }
# The SQLSTATE and reason of what fails, 'ok' of what passes.
sub outcome
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql", on_error_stop => 1);
	return 'ok' if $status == 0;
	return join ' ', $err =~ /ERROR: +(\w{5})/, $err =~ /CONSTRAINT NAME: +(\w+)/;
}
my $behind = '55000 modelreg_clock_behind';
my $late = '40001 modelreg_decision_too_old';
my $clean = 'SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)';

# Every kind of chain, every way to come to an event, and what writes none.
my %writing = (
	registry => q{SELECT modelreg.grant_registry_right('bob', 'auditor'); SELECT modelreg.revoke_registry_right('bob', 'auditor')},
	team => q{SELECT modelreg.set_quota('search', 1000000 + (random() * 1000)::int)},
	'facts at commit' => q{SELECT modelreg.record_node('commit', 'search.code', gen_random_uuid()::text)},
	registration => q{SELECT modelreg.register_version('search.reco', 'run:search.train')},
	promotion => q{SELECT modelreg.promote('search.reco', 1, 'Production'); SELECT modelreg.promote('search.reco', 2, 'Production')},
	rollback => q{SELECT modelreg.rollback_model('search.reco', 'the clock')},
	alias => q{SELECT modelreg.set_alias('search.reco', 'champion', 1); SELECT modelreg.set_alias('search.reco', 'champion', 2)},
	endpoint => q{SELECT modelreg.start_rollout('search.clock', 1, plan => 'all at once'); SELECT modelreg.start_rollout('search.clock', 2, plan => 'linear over 2 hours'); SELECT modelreg.abort_rollout('search.clock')},
);
sql(q{SELECT modelreg.create_model('search.served', 'open'); SELECT modelreg.register_version('search.served') FROM generate_series(1, 2);
	SELECT modelreg.promote('search.served', v, 'Production', archive_others => false) FROM generate_series(1, 2) AS v;
	SELECT modelreg.create_endpoint('search.clock', 'search.served', 2)});
my $rollback_from = q{SELECT modelreg.promote('search.reco', 1, 'Production'); SELECT modelreg.promote('search.reco', 2, 'Production');};
sql($writing{$_}) for qw(registry team promotion alias endpoint);
sql($writing{'facts at commit'});

for my $jump ([ -1, 'ok', 'back by less than max_clock_skew' ], [ -60, $behind, 'back by a minute' ], [ 0, 'ok', 'right again' ])
{
	my ($seconds, $expected, $what) = @$jump;
	set_clock($seconds);
	is(outcome($writing{$_}), $expected, "$what: $_") for sort keys %writing;
	sql($rollback_from) if $expected eq 'ok';
	is(sql(q{SELECT version, share FROM modelreg.serving('search.clock')}), '1|1000000', "$what: serving()");
	# Uploads and reading ask for no time of a chain.
	is(outcome(qq{SELECT modelreg.begin_upload('search', 7, request_id => 'u$seconds'); SELECT modelreg.append_upload(
		(SELECT id FROM modelreg.upload WHERE request_id = 'u$seconds'), 0, 'weights'); SELECT modelreg.finish_upload((SELECT id FROM modelreg.upload WHERE request_id = 'u$seconds'))}),
		'ok', "$what: an upload");
	is(sql(q{SELECT version FROM modelreg.production('search.reco')}), '2', "$what: production()");
	is(sql($clean), '', "$what: verify() is clean");
}

# Ahead, and then right: nothing comes before what was written ahead, until the clock has caught up or somebody says that it may.
set_clock(30);
is(outcome($writing{promotion}), 'ok', 'half a minute ahead it decides');
set_clock(0);
is(outcome($writing{promotion}), $behind, 'and no more when the clock is right');
is(outcome(q{SELECT modelreg.register_version('search.reco')}), 'ok', 'where nothing was written ahead it goes on');
set_clock(29);
is(outcome($writing{promotion}), 'ok', 'when the clock has caught up it decides again');
set_clock(0);
$node->append_conf('postgresql.conf', 'modelreg.max_clock_skew = 2min');
restart_with_faults($node);
is(outcome($writing{promotion}), 'ok', 'or under a setting that allows it');
is(sql($clean), '', 'and verify() is clean');
$node->append_conf('postgresql.conf', 'modelreg.max_clock_skew = 2s');
restart_with_faults($node);
set_clock(120);

# Inside of a transaction.
my $session = $node->background_psql('postgres', on_error_stop => 0);
sub inside
{
	my ($jump, $sql) = @_;
	set_clock(120);
	$session->{stderr} = '';
	$session->query('BEGIN');
	$session->query($sql);
	set_clock(120 + $jump);
	$session->query('COMMIT');
	my ($said) = $session->{stderr} =~ /ERROR: +([^\n]*)/;
	$session->{stderr} = '';
	return $said // 'ok';
}
my $decide = q{SELECT modelreg.promote('search.reco', 1, 'Production'), modelreg.rollback_model('search.reco', 'back again')};
like(inside(3600, $decide), qr/^transaction was open for too long after a decision/, 'a decision over which an hour passes is none');
is(inside(-1, $decide), 'ok', 'one over which the clock goes back a second is one');
is(inside(-3600, $decide), 'ok', 'and one over which it goes back an hour');
like(inside(-3600, q{SELECT modelreg.record_node('commit', 'search.code', 'back')}), qr/clock is behind the last event/, 'facts are refused at their commit');
is(inside(3600, q{SELECT modelreg.register_version('search.reco')}), 'ok', 'a registration may take an hour');
set_clock(3720);
is(sql(q{SELECT count(*) FROM modelreg.node WHERE version = 'back'}), '0', 'and leave nothing');
$session->quit;
is(sql($clean), '', 'verify() is clean');

# At random, and answers about times of decisions are asked again at the end.
my $seed = $ENV{MODELREG_TEST_SEED} // 42;
srand $seed;
my ($now, %final, %met, %served) = (4000);
my $began = time;
for my $round (1 .. (full_size() ? 1500 : 60))
{
	$now += (-5, -1.5, -0.5, 0, 0, 0, 0.5, 8)[ int rand 8 ];
	# However long a round takes, the clock has stood still before it.
	set_clock($now - (time - $began));
	my $kind = (sort keys %writing)[ int rand keys %writing ];
	my $result = outcome($writing{$kind});
	$met{$result}++;
	for (split /\n/, sql(q{SELECT p.at, a.version FROM (SELECT at FROM modelreg.production WHERE model_id = 1 ORDER BY seq DESC LIMIT 3) p,
		LATERAL modelreg.production('search.reco', p.at) a WHERE a.final}))
	{
		my ($at, $version) = split /\|/;
		is($final{$at}, $version, "round $round: $at is final and stays") if defined $final{$at} && $final{$at} ne $version;
		$final{$at} //= $version;
	}
	# At the events of an endpoint, and just before.
	for (split /\n/, sql(q{SELECT p.at, string_agg(a.version || ' ' || a.share, ', ' ORDER BY a.version) FROM (SELECT DISTINCT at + after * interval '1 s' AS at FROM (SELECT at FROM modelreg.traffic_schedule
		WHERE endpoint_id = (SELECT endpoint_id FROM modelreg.endpoints WHERE endpoint = 'search.clock') ORDER BY seq DESC LIMIT 4) s, unnest(ARRAY[-0.000001, 0]) AS after) p,
		LATERAL modelreg.serving('search.clock', p.at) a GROUP BY p.at HAVING bool_and(a.final)}))
	{
		my ($at, $split) = split /\|/;
		is($served{$at}, $split, "round $round: what served at $at is final and stays") if defined $served{$at} && $served{$at} ne $split;
		$served{$at} //= $split;
	}
}
# Nothing to go back to is no fault of the clock.
delete $met{'55000 modelreg_no_previous'};
is(join(', ', sort keys %met), "$behind, ok", "random jumps, seed $seed: " . join(', ', map { "$met{$_} $_" } sort keys %met));
set_clock($now + 60);
my $again = join ', ', map { "('$_', $final{$_})" } sort keys %final;
cmp_ok(scalar keys %final, '>', 5, scalar(keys %final) . ' answers were final');
is(sql("SELECT count(*) FROM (VALUES $again) f(at, version), LATERAL modelreg.production('search.reco', f.at::timestamptz) a WHERE a.version <> f.version OR NOT a.final"),
	'0', 'and are the same now');
my $splits = join ', ', map { "('$_', '$served{$_}')" } sort keys %served;
cmp_ok(scalar keys %served, '>', 5, scalar(keys %served) . ' answers of what served were final');
is(sql("SELECT f.at, f.split, a.split, a.final FROM (VALUES $splits) f(at, split), LATERAL (SELECT string_agg(version || ' ' || share, ', ' ORDER BY version) AS split, bool_and(final) AS final
	FROM modelreg.serving('search.clock', f.at::timestamptz)) a WHERE f.split <> a.split OR NOT a.final"), '', 'and are the same now');
is(sql(q{SELECT count(*) FROM (SELECT at - lag(at) OVER (PARTITION BY chain, chain_id ORDER BY seq) AS step FROM modelreg.event) e WHERE step <= interval '0'}), '0', 'times of every chain go forward');
is(sql($clean), '', 'verify() is clean');

# A jump forward makes uploads old, and those that come after it are not.
sql(q{SELECT modelreg.begin_upload('search', 7, request_id => 'before')});
set_clock($now + 3 * 86400);
sql(q{SELECT modelreg.begin_upload('search', 7, request_id => 'after')});
sql(q{SELECT modelreg.sweep_uploads('search', '1 day')});
is(sql(q{SELECT request_id, state FROM modelreg.upload WHERE request_id IN ('before', 'after') ORDER BY 1}), qq{after|open\nbefore|aborted}, 'sweeping goes by the clock');
set_clock($now - 86400);
is(outcome(q{SELECT modelreg.sweep_uploads('search', '0 seconds')}), 'ok', 'an upload of tomorrow');
is(sql(q{SELECT request_id, state FROM modelreg.upload WHERE request_id IN ('before', 'after') ORDER BY 1}), qq{after|open\nbefore|aborted}, 'is not old');
set_clock($now + 3 * 86400);
is(sql(q{SELECT modelreg.register_version('search.reco') > 1}), 't', 'registering goes on');

# In the midst of a rollout. What serves at a time is by the schedule, whatever the clock does; only what is asked for "now" goes by it.
my $begin = $now + 3 * 86400 + 10;
set_clock($begin);
sql(q{SELECT modelreg.create_endpoint('search.ramp', 'search.served', 1); SELECT modelreg.start_rollout('search.ramp', 2, plan => 'linear over 100 minutes in 10 steps')});
my $started = sql(q{SELECT s.at FROM modelreg.traffic_schedule s JOIN modelreg.endpoints e USING (endpoint_id) WHERE e.endpoint = 'search.ramp' AND s.kind = 'rollout_started'});
# The share of version 2 so many minutes after the beginning.
sub shares
{
	my (@minutes) = @_;
	return sql("SELECT string_agg(coalesce((SELECT share / 10000 FROM modelreg.serving('search.ramp', '$started'::timestamptz + m * interval '1 minute') WHERE version = 2 AND role = 'serving'), 0)::text, ' ' ORDER BY m)
		FROM unnest(ARRAY[" . join(', ', @minutes) . ']::numeric[]) AS m');
}
my @minutes = (0, 5, 15, 25, 35, 45, 55, 95, 105);
my $now_serves = q{SELECT coalesce((SELECT share / 10000 FROM modelreg.serving('search.ramp') WHERE version = 2 AND role = 'serving'), 0)};
my $planned = shares(@minutes);
is($planned, '0 0 10 20 30 40 50 90 100', 'a ramp');
for my $minutes (25, -60, 45, -1)
{
	set_clock($begin + 60 * $minutes);
	is(sql($now_serves), $minutes == 25 ? '20' : $minutes == 45 ? '40' : '0', "at $minutes minutes of the clock serves what the schedule has there, before it its first step");
	is(sql(q{SELECT sum(share) FROM modelreg.serving('search.ramp')}), '1000000', 'which is all of the traffic');
	is(sql(q{SELECT count(*) FROM modelreg.route_batch('search.ramp', (SELECT array_agg('user-' || i) FROM generate_series(1, 1000) AS i)) r, modelreg.serving('search.ramp') s
		WHERE s.version = r.version AND s.share = r.share AND s.role = 'serving'}), '1000', 'and keys go there');
	is(shares(@minutes), $planned, 'what serves at a time is the same');
}
is(outcome(q{SELECT modelreg.pause_rollout('search.ramp')}), $behind, 'a minute before its beginning it is not paused');
set_clock($begin + 60 * 25);
is(outcome(q{SELECT modelreg.pause_rollout('search.ramp')}), 'ok', 'in its third step it is');
is(shares(@minutes), '0 0 10 20 20 20 20 20 20', 'and stays there, with the same before');
set_clock($begin + 60 * 25 - 1);
is(outcome(q{SELECT modelreg.resume_rollout('search.ramp')}), 'ok', 'it goes on by a clock that went back a second');
is(shares(@minutes), $planned, 'as planned, with the same before');
set_clock($begin + 60 * 52);
is(outcome(q{SELECT modelreg.rollback('search.ramp', 'worse')}), 'ok', 'in its sixth step all is taken back');
is(shares(@minutes), '0 0 10 20 30 40 0 0 0', 'from then on');
set_clock($begin);
is(outcome(q{SELECT modelreg.start_rollout('search.ramp', 2)}), $behind, 'with the clock back where it began nothing is started');
is(shares(@minutes), '0 0 10 20 30 40 0 0 0', 'and nothing changes');
set_clock($begin + 60 * 60);

# A version that was moved when the clock was ahead: whether it was before or after is not known until the clock has caught up.
set_clock($begin + 60 * 61);
sql(q{SELECT modelreg.create_model('search.ahead', 'open'); SELECT modelreg.register_version('search.ahead'); SELECT modelreg.promote('search.ahead', 1, 'Production')});
set_clock($begin + 60 * 60);
my $takes = q{SELECT modelreg.start_rollout('search.ramp', split => '{search.ahead/1: 100%}', plan => 'all at once')};
is(outcome($takes), $behind, 'what was moved ahead of the clock takes no traffic');
set_clock($begin + 60 * 61 - 1);
is(outcome($takes), 'ok', 'and does when the clock has caught up');
is(sql(q{SELECT count(*) FROM (SELECT at - lag(at) OVER (PARTITION BY chain, chain_id ORDER BY seq) AS step FROM modelreg.event) e WHERE step <= interval '0'}), '0', 'times of every chain went forward');
is(sql($clean), '', 'verify() is clean');
is(leaks($node), '', 'nothing leaked');
done_testing();
