# One answer traced to its version, at several instants of a rollout over two hours, by key and time, by receipt and by the log: what
# it says of its basis, and when that is certain. TAP because it needs a clock of its own (test/faults) and a second session.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../faults";
use Faults;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_with_faults('trace', '');
sub sql { return $node->safe_psql('postgres', $_[0]); }

sql(q{SELECT modelreg.create_team('search'), modelreg.create_model('search.reco', 'open');
	SELECT modelreg.record_run('search.train', inputs => jsonb_build_object('code', modelreg.record_node('commit', 'search.code', 'abc')));
	SELECT modelreg.register_version('search.reco', 'run:search.train') FROM generate_series(1, 2);
	SELECT modelreg.promote('search.reco', 1, 'Production'), modelreg.promote('search.reco', 2, 'Production', archive_others => false);
	SELECT modelreg.create_endpoint('search.home', 'search.reco', 1)});
my $start = sql('SELECT clock_timestamp()');
set_clock(3600);
my $rollout = sql(q{SELECT modelreg.start_rollout('search.home', 2, plan => 'linear over 2 hours in 4 steps')});

# What a trace says in short: number and basis of the version, its receipt, whether it is certain, and what lies at its end.
sub traced
{
	my ($arguments) = @_;
	return sql(qq{SELECT concat_ws(' ', max(number) FILTER (WHERE part = 'version'), max(basis), max(detail->>'receipt') FILTER (WHERE part = 'traffic'),
		bool_and(certain), max(address) FILTER (WHERE kind = 'commit')) FROM modelreg.trace_prediction('search.home', $arguments)});
}
sub at { my ($minutes) = @_; return "'$start'::timestamptz + interval '$minutes minutes'"; }

# While the rollout goes on nothing about the present is certain.
my @minutes = (1, 61, 100, 130, 170, 190);
is(traced(qq{'user-1', receipt => '1.0'}), '1 receipt 1.0 t commit:search.code@abc', 'a receipt from before the rollout is certain');
is(traced(qq{'user-1', receipt => '$rollout.0'}) =~ s/^\d //r, "receipt $rollout.0 f commit:search.code\@abc", 'one of the event just now is not yet');

# When it is past, what was computed agrees with route() and is not certain; the same by route()'s receipt is.
set_clock(6 * 3600);
my %seen;
for my $key (map { "user-$_" } 1 .. 12)
{
	for my $minute (@minutes)
	{
		my ($version, $receipt) = split /\|/, sql("SELECT version, receipt FROM modelreg.route('search.home', '$key', ${\at($minute)})");
		$seen{$receipt}{$version} = 1;
		is(traced("'$key', ${\at($minute)}"), "$version computed $receipt f commit:search.code\@abc", "$key after $minute minutes, computed");
		is(traced("'$key', receipt => '$receipt'"), "$version receipt $receipt t commit:search.code\@abc", "$key by receipt $receipt");
	}
}
is(join(',', sort keys %seen), join(',', '1.0', map { "$rollout.$_" } 0 .. 4), 'every step was asked about');
is_deeply($seen{'1.0'}, { 1 => 1 }, 'before the rollout the one version');
is_deeply($seen{"$rollout.4"}, { 2 => 1 }, 'after it the other');

# What servers logged is certain, with a receipt or without; one was behind and answered by the schedule before.
sql(qq{SELECT modelreg.add_prediction_partitions(((${\at(600)}) AT TIME ZONE 'UTC')::date + 1, ('$start'::timestamptz AT TIME ZONE 'UTC')::date);
	SELECT modelreg.record_predictions('search.home', '{late,plain}', '{1,2}', ARRAY[${\at(185)}, ${\at(100)}], '{1.0,NULL}')});
is(traced("'late', ${\at(185)}"), '1 logged 1.0 t commit:search.code@abc', 'a server that was behind by two hours says so');
is(traced("'late', ${\at(184)}") =~ s/^\d //r, "computed $rollout.4 f commit:search.code\@abc", 'but only of that time on');
is(traced("'plain', ${\at(101)}"), "2 logged $rollout.1 t commit:search.code\@abc", 'what was logged without a receipt');
is(traced("'plain', receipt => '$rollout.1'") =~ s/^\d //r, "receipt $rollout.1 t commit:search.code\@abc", 'is not what was logged with one');

# One had not heard of an abort and took the next step of the rollout, which never came to stand by the registry: what it logged is certain all the same.
my $canary = sql(q{SELECT modelreg.start_rollout('search.home', 1, plan => 'canary 5% for 30 minutes')});
my $aborted = sql(q{SELECT modelreg.abort_rollout('search.home')});
sql(qq{SELECT modelreg.record_predictions('search.home', '{unheard}', '{1}', ARRAY[${\at(400)}], '{$canary.1}')});
set_clock(8 * 3600);
is(traced("'unheard', ${\at(410)}"), "1 logged $canary.1 t commit:search.code\@abc", 'a server that had not heard of the abort');
is(traced("'unheard', receipt => '$canary.1'"), "1 logged $canary.1 t commit:search.code\@abc", 'the same by its receipt');
is(traced("'unlogged', receipt => '$canary.1'"), "1 receipt $canary.1 t commit:search.code\@abc", 'and where it was not logged');
is(sql(qq{SELECT detail->>'replaced_by' FROM modelreg.trace_prediction('search.home', 'unheard', ${\at(410)}) WHERE part = 'traffic'}), $aborted, 'what had replaced it is said');

# As long as somebody changes the endpoint, nothing of it is certain; names are those of the time.
my $session = $node->background_psql('postgres', on_error_stop => 0) if $node->can('background_psql');
SKIP:
{
	skip 'no background_psql', 2 unless $session && $session->can('query');
	$session->query(q{BEGIN; SELECT modelreg.start_rollout('search.home', 1, plan => 'all at once')});
	is(traced("'plain', ${\at(101)}"), "2 logged $rollout.1 f commit:search.code\@abc", 'not while a change is open');
	$session->query('ROLLBACK');
	is(traced("'plain', ${\at(101)}"), "2 logged $rollout.1 t commit:search.code\@abc", 'but again when it is not');
	$session->quit;
}
sql(q{SELECT modelreg.retire_endpoint('search.home'), modelreg.create_endpoint('search.home', 'search.reco', 2)});
is(traced("'plain', ${\at(101)}"), "2 logged $rollout.1 t commit:search.code\@abc", 'a name means the endpoint that had it then');
like(($node->psql('postgres', qq{SELECT modelreg.trace_prediction('search.home', 'plain', receipt => '$rollout.1')}))[2],
	qr/receipt "$rollout\.1" is none of endpoint "search\.home"/, 'a receipt without a time is of the one that has it now');
like(sql(qq{SELECT share FROM modelreg.trace_prediction('search.home', 'plain', ${\at(101)}, '$rollout.1') WHERE part = 'version'}), qr/^(?:25|75)0000$/, 'with one of the one then');
is(sql('SELECT * FROM modelreg.verify()'), '', 'verify() is clean');

done_testing();
