# A cancel, a terminate and a lack of memory at every place where the server can act on one, in every verb of the catalog: the
# transaction ends cleanly, the session is who it was, nothing is locked, leaked or half written, and the same call then
# passes. TAP because it needs faults.c (test/faults) preloaded into a server. The short form tries some of the places.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../faults";
use Faults;
use File::Temp qw(tempfile);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_with_faults('interrupts');
fill($node);
is_deeply([ sort(verbs()) ], [ verbs_of_catalog($node) ], 'there is a call of every function that writes');

my %wanted = (cancel => '57014', error => '57014', memory => '53200, XX000, 22023');
# What lacks memory inside of libcrypto is an internal error to the server.
my %says = (cancel => qr/canceling statement due to user request/, terminate => qr/terminating connection due to administrator command/, error => qr/canceling statement due to user request/, 
	# The server says so of a setting that it has no memory for.
	memory => qr/out of memory|could not \w+ SHA-256|invalid value for parameter "(?:TimeZone|DateStyle)"/);
my ($calls, $places) = (0, 0);
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
# A session that looks on; one for each verb, since such a session may last for three minutes.
my $observer;

sub file_of
{
	my ($text) = @_;
	my ($handle, $file) = tempfile(UNLINK => 1);
	print $handle $text;
	close $handle;
	return $file;
}

sub run_file
{
	my ($text) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-f', file_of($text) ], '<', \undef, '>', \$out, '2>', \$err);
	return ($out, $err);
}

# The next call of a verb, with what has to be there for it.
sub prepare
{
	my ($verb) = @_;
	my ($before, $session, $call) = call_of($verb, ++$calls);
	my ($out, $err) = run_file("\\set ON_ERROR_STOP 1\n$before");
	die "$verb: $err" if $err;
	return ($session, $call);
}

# How far apart the places of a call are that are tried, so that there are about so many: those of its transaction, and where it
# is not undone of its commit, which may be most. A session that has called it before has fewer places than a new one.
sub stride
{
	my ($verb, $fault, $points, %how) = @_;
	my ($session, $call) = prepare($verb);
	my $before = $how{cold} ? '' : "BEGIN; SELECT $call; ROLLBACK;";
	my ($begin, $end) = $how{undone} ? ('BEGIN;', '\\; ROLLBACK') : ('', '');
	my ($out, $err) = run_file("$session; $before $begin SELECT faults.arm('$fault', 1000000000), $call $end;");
	die $err if $err;
	return 1 + int(counted() / $points);
}

# One session, in which one place after the other is tried, from the n-th on, until the call passes. In a savepoint the
# transaction goes on. What came of each place, what was said, and the number with which it passed.
sub try_session
{
	my ($fault, $n, $stride, $savepoint, $session, $call) = @_;
	my ($begin, $undo, $end) = $savepoint ? ('BEGIN; SAVEPOINT s;', 'ROLLBACK TO s;', 'COMMIT;') : ('', '', '');
	# What was counted may be little of it, as where a failure leaves less in caches: so steps grow.
	my $growth = ' + :n / ' . (full_size() ? 500 : 20);
	my $block = file_of(<<"END");
\\if :going
$begin
SELECT faults.arm('$fault', :n), $call;
\\set failed :ERROR
\\set code :SQLSTATE
\\if :failed
$undo
SELECT greatest(faults.acted(), :n + $stride$growth) AS next, CASE WHEN position(:'code' IN '$wanted{$fault}') = 0 THEN 'SQLSTATE ' || :'code'
	WHEN faults.session() <> :'session' THEN 'the session: ' || faults.session() WHEN md5(faults.stored()) <> :'stored' THEN 'half written' ELSE 'ok' END AS verdict \\gset
\\echo interrupted at :n: :verdict
\\set n :next
\\if :{?begun}
ROLLBACK;
\\endif
\\else
$end
\\set going 0
\\endif
\\endif
END
	my $i = "\\i $block\n" x (full_size() ? 5000 : 200);
	my ($out, $err) = run_file(<<"END" . $i . "\\echo ended :going :n\n");
$session;
BEGIN; SELECT $call; ROLLBACK;
SELECT faults.session(), faults.stored();
@{[ $savepoint ? "\\set begun 1\nBEGIN;" : '' ]}
SELECT faults.session() AS session, md5(faults.stored()) AS stored \\gset
@{[ $savepoint ? 'ROLLBACK;' : '' ]}
\\set n $n
\\set going 1
END
	return ([ $out =~ /^interrupted at \d+: (.*)$/mg ], [ $err =~ /ERROR:  (.*)/g ], $out =~ /^ended 0 (\d+)$/m);
}

# The server does without some of the memory that it asks for. Then the call passes, and the next one goes on from there.
sub sweep
{
	my ($verb, $fault, $points, $savepoint) = @_;
	my ($n, $tried, %bad) = (1, 0);
	my $stride = stride($verb, $fault, $points, undone => $savepoint);
	do
	{
		my ($session, $call) = prepare($verb);
		my ($verdicts, $said, $passed) = try_session($fault, $n, $stride, $savepoint, $session, $call);
		$bad{$_}++ for grep({ $_ ne 'ok' } @$verdicts), grep({ !/$says{$fault}/ } @$said), defined $passed ? () : 'it never passed';
		$tried += @$verdicts;
		$n = ($passed // 0) + $stride;
	} while ($fault eq 'memory' && acted() && !%bad);
	$places += $tried;
	is(join('; ', sort keys %bad), '', "$verb: $fault" . ($savepoint ? ' in a savepoint' : '') . ": $tried places, and it passes then");
	return;
}

# The same in a new session for each place, where everything is loaded and planned for the first time.
sub sweep_cold
{
	my ($verb, $fault, $points) = @_;
	my $stride = stride($verb, $fault, $points, cold => 1);
	my ($session, $call) = prepare($verb);
	my $stored = $observer->query_safe('SELECT md5(faults.stored())');
	my ($n, $tried, %bad) = (1, 0);
	while (1)
	{
		my ($out, $err) = run_file("$session; SELECT faults.arm('$fault', $n), $call;\nSELECT 'is ' || current_user || ' ' || current_setting('search_path')");
		my $next = acted();
		if ($err eq '')
		{
			last if $fault ne 'memory' || !$next;
			($session, $call) = prepare($verb);
			$stored = $observer->query_safe('SELECT md5(faults.stored())');
		}
		else
		{
			$tried++;
			$bad{$err}++ if $err !~ $says{$fault};
			$bad{"it is $1"}++ if $out =~ /^is (.*)/m && $1 !~ /^(ann|\Q$superuser\E) public$/;
			if ($observer->query_safe('SELECT md5(faults.stored())') ne $stored)
			{
				# Between its commit and the answer: the client repeats the call, and learns of it.
				$bad{"after $n: half written"}++ if $fault ne 'terminate';
				($out, $err) = run_file("$session; SELECT $call");
				$bad{"repeated after $n: $err"}++ if $err ne '';
				last;
			}
		}
		last if keys %bad > 3;
		$n = $next > $n + $stride ? $next : $n + $stride;
	}
	$places += $tried;
	is(join('; ', sort keys %bad), '', "$verb: $fault in new sessions: $tried places");
	return;
}

for my $verb (verbs())
{
	my $from = -s $node->logfile;
	my $began = time;
	$observer = $node->background_psql('postgres');
	sweep($verb, 'cancel', full_size() ? 1000 : 10);
	sweep($verb, 'error', full_size() ? 1000 : 20);
	sweep($verb, 'error', full_size() ? 1000 : 5, 1);
	sweep_cold($verb, 'terminate', full_size() ? 60 : 3);
	# What drops a table removes its files behind its commit, where the server has no way back and no memory set aside: it goes down, and recovers.
	my $drops = $verb =~ /^(?:drop_prediction_partitions|expire_predictions)$/;
	sweep_cold($verb, 'memory', full_size() ? 200 : 5) unless $drops;
	if (full_size())
	{
		sweep($verb, 'cancel', 1000, 1);
		sweep($verb, 'memory', 1000) unless $drops;
	}
	is($observer->query_safe('SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND database IS NOT NULL'), '0', "$verb: nothing is locked");
	is($node->safe_psql('postgres', 'SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)'), '', "$verb: verify() is clean");
	# Without memory for what its commit has to tell of new tables the server aborts, and says this.
	is(join("\n", grep { !/AbortTransaction while in COMMIT state/ } split /\n/, leaks($node, $from)), '', "$verb: nothing leaked");
	$observer->quit;
	$node->safe_psql('postgres', 'VACUUM');	# what failed left dead rows
	note "$verb took ", time - $began, ' s';
}
note "$places places";

# A backend that the system gives no more memory: large calls fail, small ones go on, and with memory again so do the large.
my $poor = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $poor->query_safe('SELECT pg_backend_pid()');
$poor->query_safe(q{SELECT modelreg.create_team('poor'), modelreg.create_model('poor.model', 'open'); SELECT modelreg.begin_upload('poor', 4000000, request_id => 'large')});
my @large = (q{SELECT modelreg.append_upload((SELECT id FROM modelreg.upload WHERE request_id = 'large'), 0, convert_to(repeat('weights ', 500000), 'UTF8'))},
	q{SELECT modelreg.register_version('poor.model', description => repeat('words ', 2000000), request_id => 'large')},
	q{SELECT modelreg.record_nodes(array_agg('commit:poor.history@' || i), request_id => 'large') FROM generate_series(1, 20000) AS i});
my $stored = $node->safe_psql('postgres', 'SELECT faults.stored()');
my ($size) = slurp_file("/proc/$pid/status") =~ /^VmSize:\s+(\d+) kB/m;
system('prlimit', '--pid', $pid, '--as=' . 1024 * ($size + 1024) . ':') == 0 or die 'no prlimit';
for my $call (@large)
{
	$poor->{stderr} = '';
	$poor->query($call);
	like($poor->{stderr}, qr/ERROR: +(out of memory|could not \w+ SHA-256)/, 'a backend without memory: ' . substr $call, 16, 16);
	$poor->{stderr} = '';
}
is($node->safe_psql('postgres', 'SELECT faults.stored()'), $stored, 'nothing of them is there');
is($poor->query_safe(q{SELECT modelreg.register_version('poor.model')}), '1', 'a small call passes');
system('prlimit', '--pid', $pid, '--as=unlimited:') == 0 or die 'no prlimit';
for my $call (@large)
{
	$poor->query($call);
	is($poor->{stderr} =~ /ERROR:/ ? $poor->{stderr} : '', '', 'with memory again the same backend passes: ' . substr $call, 16, 16);
}
$poor->quit;
is($node->safe_psql('postgres', 'SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)'), '', 'verify() is clean');
done_testing();
