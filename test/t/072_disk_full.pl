# The disk is full: no file of the database grows while uploads and verbs go on, and WAL cannot be written when a verb commits. What
# fails leaves nothing behind, and passes when there is room again. TAP because it needs faults.c (test/faults), and because
# a server that cannot write its WAL goes down.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../faults";
use Faults;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_with_faults('full', 'restart_after_crash = on');
fill($node);

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub clean
{
	my ($what) = @_;
	is(sql('SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)'), '', "$what: verify() is clean");
	is(sql(q{SELECT count(*) FROM pg_largeobject_metadata m WHERE m.oid NOT IN
		(SELECT object FROM modelreg.blob WHERE object IS NOT NULL UNION ALL SELECT object FROM modelreg.upload WHERE object IS NOT NULL)}),
		'0', "$what: no bytes of nobody");
}

# A chunk of 2 MB, which does not compress and grows the file of large objects again and again: full at the n-th time.
my $chunk = q{(SELECT string_agg(sha256(convert_to(concat('%s', i), 'UTF8')), '') FROM generate_series(1, 65536) AS i)};
my $upload = sql(q{SELECT modelreg.begin_upload('search', 2097152, request_id => 'large')});
my $stored = sql('SELECT faults.stored()');
my ($n, $failed, @bad) = (1, 0);
while (1)
{
	my ($status, $out, $err) = $node->psql('postgres', "SELECT faults.arm('disk', $n), modelreg.append_upload($upload, 0, " . sprintf($chunk, 'chunk') . ')');
	last if $status == 0;
	$failed++;
	push @bad, "at $n: $err" if $err !~ /could not extend file "base.*: No space left on device/;
	push @bad, "at $n: half written" if sql('SELECT faults.stored()') ne $stored;
	last if @bad;
	$n += full_size() ? 1 : 40;
}
is(join('; ', @bad), '', "an upload's chunk meets a full disk at $failed places");
cmp_ok($failed, '>', 3, 'they are many');
like(sql("SELECT modelreg.finish_upload($upload)"), qr/^sha256:/, 'and it is finished then');
clean('upload');

# A disk that stays full: of many calls some find room in a page. Each either is there as a whole or is not.
my $rounds = full_size() ? 300 : 40;
my @calls;
for my $i (1 .. $rounds)
{
	push @calls, "SELECT modelreg.register_version('search.reco', 'run:search.train', description => repeat('$i ', 500), metrics => '{\"auc\": 0.5}', tags => '{\"n\": \"$i\"}', request_id => 'v$i')",
	  "SELECT modelreg.record_node('commit', 'search.code', 'n$i', properties => jsonb_build_object('text', repeat('$i ', 1000)), request_id => 'n$i')",
	  "SELECT modelreg.promote('search.reco', 1 + $i % 3, 'Production', reason => repeat('x', 1000), request_id => 'p$i')",
	  "SELECT modelreg.begin_upload('search', 2097152, request_id => 'u$i')",
	  "SELECT modelreg.append_upload((SELECT id FROM modelreg.upload WHERE request_id = 'u$i'), 0, " . sprintf($chunk, $i) . ")";
}
set_disk_full(1);
my ($status, $out, $err) = $node->psql('postgres', join(";\n", @calls), on_error_stop => 0);
my @errors = $err =~ /ERROR: +([^\n]*)/g;
cmp_ok(scalar @errors, '>=', $rounds, scalar(@errors) . ' of ' . scalar(@calls) . ' calls met a full disk');
# Without its upload there is nothing to append to.
is(join('; ', grep { !/^could not extend file "base.*: No space left on device|^argument "upload" must not be null/ } @errors), '', 'and said so');
is(sql('SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)'), '', 'reading goes on: verify() is clean');
set_disk_full(0);
clean('full disk');
is($node->psql('postgres', join(";\n", @calls)), 0, 'with room again the same calls pass');
is(sql(q{SELECT count(*) FILTER (WHERE request_id ~ '^v'), count(*) = max(version) FROM modelreg.version WHERE model_id = (SELECT id FROM modelreg.model WHERE name = 'reco')}), "$rounds|t", 'and each version is there once, without a gap');
is(sql(q{SELECT count(*) FROM modelreg.upload WHERE request_id ~ '^u' AND received = 2097152}), $rounds, 'and each upload whole');
clean('room again');

# WAL that cannot be written: the server goes down at a verb's commit, and comes back without it.
my $calls = 0;
my @down;
my @verbs = full_size() ? verbs() : qw(append_upload finish_upload register_version promote record_node);
for my $verb (@verbs)
{
	my ($before, $session, $call) = call_of($verb, ++$calls);
	sql($before);
	$stored = sql('SELECT faults.stored()');
	my $from = -s $node->logfile;
	($status, $out, $err) = $node->psql('postgres', "$session; SELECT faults.arm('wal', 1), $call");
	# What finds nothing to do, as purge_expired() here, writes no WAL.
	is(sql('SELECT faults.stored()'), $stored, "$verb: there was nothing to write"), next if $status == 0;
	push @down, $verb;
	# Not before it knows that it is to go.
	$node->wait_for_log(qr/all server processes terminated/, $from);
	ok($node->poll_query_until('postgres', 'SELECT true'), "$verb: the server comes back");
	like(leaks($node, $from), qr/PANIC:.*No space left on device/, "$verb: after it went down");
	is(sql('SELECT faults.stored()'), $stored, "$verb: nothing of it is there");
	is($node->psql('postgres', "$session; SELECT $call"), 0, "$verb: and it passes then");
	# What is copied stays its owner's.
	sql("SELECT lo_unlink(7000$calls)") if $verb eq 'copy_large_object';
}
cmp_ok(scalar @down, '>', 0.9 * @verbs, scalar(@down) . ' of ' . scalar(@verbs) . ' verbs met WAL that cannot be written');
clean('WAL');
like(sql(q{SELECT modelreg.register_version('search.reco')}), qr/^\d+$/, 'registering goes on');
done_testing();
