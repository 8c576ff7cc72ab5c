# Every lock that a verb of the catalog takes is held by somebody else, in turn: lock_timeout, statement_timeout and a deadlock
# end the call there, and at one of them pg_cancel_backend() and pg_terminate_backend(), cleanly, and it then passes. TAP
# because it takes several sessions, and locks that it finds out itself.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../faults";
use Faults;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_with_faults('locks');
fill($node);
my $calls = 0;
my $locks = 0;
# Anew for each verb, since such a session may last for three minutes.
my %session;

sub ask { my ($who, $sql) = @_; return $session{$who}->query_safe($sql); }

# What a call would lock, each as a statement that locks it away: tables, keys, and all rows of a table whose rows it locks.
sub locks_of
{
	my ($session, $call) = @_;
	my $pid = ask('caller', 'SELECT pg_backend_pid()');
	ask('caller', "$session; BEGIN; SELECT $call");
	my @found = split /\n/, ask('observer', <<"SQL");
SELECT CASE locktype WHEN 'advisory' THEN format('SELECT faults.lock(%s, %s, %s)', classid, objid, objsubid)
	ELSE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation::regclass) END
FROM pg_locks LEFT JOIN pg_class c ON c.oid = relation WHERE pid = $pid AND (locktype = 'advisory' OR locktype = 'relation' AND c.relkind = 'r'
	AND c.relnamespace = 'modelreg'::regnamespace) GROUP BY 1
UNION ALL
SELECT format('SELECT count(*) FROM (SELECT FROM %s FOR UPDATE) t', relation::regclass) FROM pg_locks JOIN pg_class c ON c.oid = relation
WHERE pid = $pid AND mode = 'RowShareLock' OR pid = $pid AND mode = 'RowExclusiveLock' AND c.relkind = 'r' AND c.relnamespace = 'modelreg'::regnamespace GROUP BY 1
ORDER BY 1
SQL
	ask('caller', 'ROLLBACK; RESET ALL; RESET ROLE');
	return @found;
}

# The call under a setting in the open transaction; the error that it ends with, '' if it passed. It is undone.
sub try_call
{
	my ($session, $setting, $call) = @_;
	my $caller = $session{caller};
	$caller->{stderr} = '';
	$caller->query("$setting; $session");
	$caller->query("SELECT $call");
	my ($error) = $caller->{stderr} =~ /ERROR: +([^\n]*)/;
	$caller->query('ROLLBACK');
	$caller->{stderr} = '';
	# A purge does not wait for bytes that somebody uses: it refuses.
	return ($error // '') =~ s/^bytes of version \d+ of "[^"]+" are being used$//r;
}

my %ends = (
	q{SET lock_timeout = '5ms'} => qr/^canceling statement due to lock timeout$/,
	q{SET statement_timeout = '40ms'} => qr/^canceling statement due to statement timeout$/,
	q{SET deadlock_timeout = '1ms'} => qr/^deadlock detected$/,
);
my @timeouts = grep { !/deadlock/ && (full_size() || /lock_timeout/) } sort keys %ends;

# The holder comes to wait for what the caller holds, and the caller notices.
sub try_deadlock
{
	my ($session, $call) = @_;
	ask('caller', 'BEGIN; SELECT pg_advisory_xact_lock(7)');
	$session{holder}->query_until(qr/^asked$/m, "\\echo asked\nSELECT pg_advisory_xact_lock(7);\n");
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted});
	my $error = try_call($session, q{SET deadlock_timeout = '1ms'}, $call);
	$session{holder}->query('');
	return $error;
}

# Hold a lock, and let the call meet it in each way; what went wrong, and how often it waited.
sub meet
{
	my ($lock, $session, $call) = @_;
	my ($waited, @bad) = (0);
	my %said;
	ask('holder', "BEGIN; $lock");
	for (@timeouts)
	{
		ask('caller', 'BEGIN');
		$said{$_} = try_call($session, $_, $call);
	}
	$said{q{SET deadlock_timeout = '1ms'}} = try_deadlock($session, $call);
	ask('holder', 'ROLLBACK');
	for (sort keys %said)
	{
		$waited++ if $said{$_} ne '';
		push @bad, "$lock: $said{$_}" if $said{$_} ne '' && $said{$_} !~ $ends{$_};
	}
	return ($waited > 0, @bad);
}

# A backend that waits for the lock is sent a signal; what its client was told.
sub signal_at
{
	my ($function, $lock, $session, $call) = @_;
	my ($out, $err) = ('', '');
	ask('holder', "BEGIN; $lock");
	my $run = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres') . ' application_name=waiting', '-c', $session, '-c', "SELECT $call" ],
		'<', \undef, '>', \$out, '2>', \$err);
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'waiting' AND wait_event_type = 'Lock'});
	ask('observer', "SELECT $function(pid) FROM pg_stat_activity WHERE application_name = 'waiting'");
	eval { IPC::Run::finish($run) };
	ask('holder', 'ROLLBACK');
	return $err;
}

# At its commit a verb that recorded facts waits for their head, which the holder has; the others pass.
sub meet_at_commit
{
	my ($session, $call, $stored) = @_;
	ask('holder', 'BEGIN; SELECT id FROM modelreg.fact_head FOR UPDATE');
	my ($status, $out, $err) = $node->psql('postgres', "$session; SET lock_timeout = '5ms'; SELECT $call");
	ask('holder', 'ROLLBACK');
	return ('pass', '') if $status == 0;
	return ('wait', $err =~ /ERROR: +canceling statement due to lock timeout/ && ask('observer', 'SELECT faults.stored()') eq $stored ? '' : "half written, or $err");
}

for my $verb (verbs())
{
	%session = map { $_ => $node->background_psql('postgres', on_error_stop => 0) } qw(caller holder observer);
	ask('holder', q{SET deadlock_timeout = '1min'});
	my ($before, $session, $call) = call_of($verb, ++$calls);
	$node->safe_psql('postgres', $before);
	my @locks = locks_of($session, $call);
	my $stored = ask('observer', 'SELECT faults.stored()');
	my $known = ask('caller', 'SELECT faults.session()');
	my ($waits, $last, @bad) = (0);
	for my $lock (@locks)
	{
		my ($waited, @wrong) = meet($lock, $session, $call);
		$waits += $waited;
		$last = $lock if $waited;
		push @bad, @wrong;
		push @bad, "$lock: half written" if ask('observer', 'SELECT faults.stored()') ne $stored;
	}
	$locks += $waits;
	cmp_ok($waits, '>', 0, "$verb: waits at $waits of " . @locks . ' locks');
	is(join('; ', @bad), '', "$verb: and each ends it cleanly");
	is(ask('caller', 'RESET ALL; RESET ROLE; SELECT faults.session()'), $known, "$verb: nothing is left of it");
	like(signal_at('pg_cancel_backend', $last, $session, $call), qr/^ERROR: +canceling statement due to user request/, "$verb: canceled");
	like(signal_at('pg_terminate_backend', $last, $session, $call), qr/^FATAL: +terminating connection due to administrator command/, "$verb: terminated");
	is(ask('observer', 'SELECT faults.stored()'), $stored, "$verb: and neither left anything");
	my ($how, $wrong) = meet_at_commit($session, $call, $stored);
	is($wrong, '', "$verb: the facts' head at its commit: $how");
	is($how eq 'pass' ? 0 : $node->psql('postgres', "$session; SELECT $call"), 0, "$verb: and passes then");
	$_->quit for values %session;
}
is($node->safe_psql('postgres', 'SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)'), '', 'verify() is clean');
is(leaks($node), '', 'nothing leaked');
note "$locks locks";
done_testing();
