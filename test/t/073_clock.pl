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
);
my $rollback_from = q{SELECT modelreg.promote('search.reco', 1, 'Production'); SELECT modelreg.promote('search.reco', 2, 'Production');};
sql($writing{$_}) for qw(registry team promotion alias);
sql($writing{'facts at commit'});

for my $jump ([ -1, 'ok', 'back by less than max_clock_skew' ], [ -60, $behind, 'back by a minute' ], [ 0, 'ok', 'right again' ])
{
	my ($seconds, $expected, $what) = @$jump;
	set_clock($seconds);
	is(outcome($writing{$_}), $expected, "$what: $_") for sort keys %writing;
	sql($rollback_from) if $expected eq 'ok';
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
my ($now, %final, %met) = (4000);
for my $round (1 .. (full_size() ? 1500 : 60))
{
	$now += (-5, -1.5, -0.5, 0, 0, 0, 0.5, 8)[ int rand 8 ];
	set_clock($now);
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
}
# Nothing to go back to is no fault of the clock.
delete $met{'55000 modelreg_no_previous'};
is(join(', ', sort keys %met), "$behind, ok", "random jumps, seed $seed: " . join(', ', map { "$met{$_} $_" } sort keys %met));
set_clock($now + 60);
my $again = join ', ', map { "('$_', $final{$_})" } sort keys %final;
cmp_ok(scalar keys %final, '>', 5, scalar(keys %final) . ' answers were final');
is(sql("SELECT count(*) FROM (VALUES $again) f(at, version), LATERAL modelreg.production('search.reco', f.at::timestamptz) a WHERE a.version <> f.version OR NOT a.final"),
	'0', 'and are the same now');
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
is(sql($clean), '', 'verify() is clean');
is(leaks($node), '', 'nothing leaked');
done_testing();
