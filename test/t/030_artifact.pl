# Large artifacts: memory of the backend, a cancelled finish, a killed backend, a standby, vacuumlo. TAP because it looks at
# processes, kills one, and needs a second server.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $chunks = 300;    # of 1 MB
my $mb = 1024 * 1024;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1, extra => [ '--encoding=UTF8', '--no-locale' ]);
# Peak memory counts the shared buffers that a backend touched; so there are few.
$node->append_conf('postgresql.conf', "shared_buffers = 8MB\nrestart_after_crash = on\nmax_wal_size = 4GB\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION modelreg;
	SELECT modelreg.create_team('big');
	SELECT modelreg.create_model('big.m', 'open')});

# Large objects and rows that name them, one without the other.
sub stray
{
	return $node->safe_psql('postgres', q{
		SELECT count(*) FROM pg_largeobject_metadata m
			FULL JOIN (SELECT object FROM modelreg.blob WHERE object IS NOT NULL
				UNION ALL SELECT object FROM modelreg.upload WHERE object IS NOT NULL) o ON o.object = m.oid
		WHERE m.oid IS NULL OR o.object IS NULL});
}

# On a standby artifacts are read and hashed; nothing is uploaded.
$node->backup('start');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'start', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{
	SELECT modelreg.begin_upload('big', 5);
	SELECT modelreg.append_upload(1, 0, 'small');
	SELECT modelreg.finish_upload(1);
	SELECT modelreg.register_version('big.m', artifacts => '[{"name": "w", "upload": 1}]')});
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', q{
		SELECT convert_from(modelreg.read_artifact('big.m', 1, 'w', 1, 3), 'UTF8'), modelreg.verify_artifact('big.m', 1, 'w'),
			(SELECT count(*) FROM modelreg.artifact_chunks('big.m', 1, 'w', 2))}),
	'mal|ok|3', 'a standby reads and hashes');
my (undef, undef, $refusal) = $standby->psql('postgres', q{SELECT modelreg.begin_upload('big', 5)});
like($refusal, qr/cannot execute begin_upload (in a read-only transaction|during recovery)/, 'a standby uploads nothing');
$standby->stop;

# 300 MB in chunks, one session, a transaction each; the chunk differs from place to place by its first bytes.
$node->safe_psql('postgres', q{
	CREATE TABLE chunk (data bytea);
	ALTER TABLE chunk ALTER data SET STORAGE EXTERNAL;
	INSERT INTO chunk SELECT string_agg(sha512(n::text::bytea), '' ORDER BY n) FROM generate_series(1, 16384) n});

sub peak
{
	my ($pid) = @_;
	my ($kb) = slurp_file("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB/m;
	return $kb / 1024;
}

my $session = $node->background_psql('postgres');
my $pid = $session->query(q{SELECT pg_backend_pid()});
my $upload = $session->query(sprintf q{SELECT modelreg.begin_upload('big', %d)}, $chunks * $mb);
my $append = q{SELECT modelreg.append_upload(%1$d, %2$d::bigint, set_byte(data, 0, %3$d)) FROM chunk};
$session->query(sprintf $append, $upload, 0, 0);
my $before = peak($pid);
for my $n (1 .. $chunks - 1)
{
	$session->query(sprintf $append, $upload, $n * $mb, $n % 256);
}
is($node->safe_psql('postgres', qq{SELECT received, percent FROM modelreg.uploads WHERE upload = $upload}),
	$chunks * $mb . '|100', 'the chunks arrived');

# Cancelled in the middle of hashing, it is as it was; and then it is finished.
my (undef, undef, $cancelled) = $node->psql('postgres',
	"SET statement_timeout = '30ms'; SELECT modelreg.finish_upload($upload)");
like($cancelled, qr/canceling statement due to statement timeout/, 'finishing can be cancelled');
is($node->safe_psql('postgres', qq{SELECT state FROM modelreg.uploads WHERE upload = $upload}), 'open', 'it is not sealed then');
my $digest = $session->query(qq{SELECT modelreg.finish_upload($upload)});
like($digest, qr/^sha256:[0-9a-f]{64}$/, 'it is finished');
$session->query(qq{SELECT modelreg.register_version('big.m', artifacts => '[{"name": "w", "upload": $upload}]')});
is($session->query(q{SELECT sum(length((c).data)) FROM (SELECT modelreg.artifact_chunks('big.m', 2, 'w') AS c OFFSET 0) s}),
	$chunks * $mb, 'it is read in chunks');
is($session->query(q{SELECT modelreg.verify_artifact('big.m', 2, 'w')}), 'ok', 'it is hashed again');
is($node->safe_psql('postgres', q{
		SELECT get_byte(modelreg.read_artifact('big.m', 2, 'w', 200 * 1048576, 1), 0)}),
	'200', 'a range is read from the middle');
my $extra = peak($pid) - $before;
note(sprintf 'extra memory: %.1f MB', $extra);
cmp_ok($extra, '<', 64, 'all that took the backend less than 64 MB');
is($session->query(q{SELECT sum(used_bytes) < 4 * 1048576 FROM pg_backend_memory_contexts}), 't',
	'and nothing of it stays');
$session->quit;

# The largest chunk in the most expensive form: a literal.
$session = $node->background_psql('postgres');
$pid = $session->query(q{SELECT pg_backend_pid()});
$upload = $session->query(sprintf q{SELECT modelreg.begin_upload('big', %d)}, 4 * $mb);
$before = peak($pid);
is($session->query(sprintf q{SELECT modelreg.append_upload(%d, 0, '\x%s')}, $upload, 'a5' x (4 * $mb)), 4 * $mb,
	'a chunk of 4 MB as a literal');
$extra = peak($pid) - $before;
note(sprintf 'extra memory: %.1f MB', $extra);
cmp_ok($extra, '<', 64, 'takes less than 64 MB too');
$session->quit;

# A backend killed in the middle of an append: its transaction is gone, and nothing but what was there before remains.
my $begun = $node->safe_psql('postgres', q{SELECT modelreg.begin_upload('big', 3 * 1048576)});
$node->safe_psql('postgres', sprintf $append, $begun, 0, 0);
my $victim = $node->background_psql('postgres', on_error_stop => 0);
$pid = $victim->query(q{SELECT pg_backend_pid()});
$victim->query('BEGIN');
my $lost = $victim->query(q{SELECT modelreg.begin_upload('big', 1048576)});
$victim->query(sprintf $append, $begun, $mb, 1);
$victim->query(sprintf $append, $lost, 0, 0);
my $log = -s $node->logfile;
kill 'KILL', $pid or die "cannot kill $pid: $!";
$node->wait_for_log(qr/database system is ready to accept connections/, $log);
eval { $victim->quit };
is($node->safe_psql('postgres', qq{SELECT state, received FROM modelreg.uploads WHERE upload >= $begun}),
	"open|$mb", 'after a crash an upload is where its last transaction left it');
is(stray(), '0', 'and no object is there without a row');
is($node->safe_psql('postgres', sprintf $append, $begun, $mb, 1), 2 * $mb, 'it goes on from there');

# vacuumlo knows all objects that rows name.
SKIP:
{
	my $vacuumlo = (run_command([ 'pg_config', '--bindir' ]))[0] . '/vacuumlo';
	skip 'no vacuumlo here', 2 unless -x $vacuumlo;
	$node->command_ok([ $vacuumlo, 'postgres' ], 'vacuumlo runs');
	is(stray(), '0', 'and removes nothing of ours');
}
is($node->safe_psql('postgres', q{SELECT modelreg.verify_artifact('big.m', 2, 'w')}), 'ok', 'the large one is still whole');

done_testing();
