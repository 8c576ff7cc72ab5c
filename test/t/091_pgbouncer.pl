# Serving processes behind pgbouncer in transaction mode, where a session of a client's own is not to be had: all that they ask works,
# with rights of whoever asks in this transaction, on one connection of the server that is handed round; polling with an etag tells of every
# change; pgbouncer and the server may be restarted in between. TAP because it takes pgbouncer.

use strict;
use warnings;

use File::Temp qw(tempdir);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
unless ($pgbouncer)
{
	diag 'NOT TESTED with pgbouncer: scripts/packages pgbouncer';
	plan skip_all => 'no pgbouncer';
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION modelreg; CREATE ROLE pod LOGIN; CREATE ROLE stranger LOGIN; CREATE ROLE app LOGIN; GRANT pod, stranger TO app;
	SELECT modelreg.create_team('search'), modelreg.grant_level('search', 'pod', 'contributor');
	SELECT modelreg.create_model('search.reco', 'open'), modelreg.register_version('search.reco'), modelreg.register_version('search.reco');
	SELECT modelreg.promote('search.reco', v, 'Production', archive_others => false) FROM generate_series(1, 2) v;
	SELECT modelreg.create_endpoint('search.home', 'search.reco', 1)});

# One connection of the server for all clients of a user.
my $dir = tempdir(CLEANUP => 1);
my $port = $node->port + 1;
my $host = $node->host;
open my $ini, '>', "$dir/pgbouncer.ini" or die $!;
printf $ini <<'INI', $host, $node->port, $dir, $port, $dir, $dir, $dir;
[databases]
postgres = host=%s port=%d dbname=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = %s
listen_port = %d
auth_type = trust
auth_file = %s/users
pool_mode = transaction
default_pool_size = 1
server_login_retry = 1
logfile = %s/log
pidfile = %s/pid
INI
close $ini;
append_to_file("$dir/users", join '', map { qq{"$_" ""\n} } qw(pod stranger app));

my $bouncer;
sub start_pgbouncer
{
	my ($out, $err) = ('', '');
	$bouncer = IPC::Run::start([ $pgbouncer, "$dir/pgbouncer.ini" ], '<', \undef, '>', \$out, '2>', \$err);
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if -S "$dir/.s.PGSQL.$port";
		select undef, undef, undef, 0.1;
	}
	die "pgbouncer did not start: $out $err";
}

sub stop_pgbouncer
{
	$bouncer->signal('TERM');
	$bouncer->finish;
	unlink "$dir/.s.PGSQL.$port";
	return;
}
END { eval { $bouncer->kill_kill } if $bouncer && $bouncer->pumpable; }

# What a client of pgbouncer's prints, who may be connected for several transactions.
sub client
{
	my ($user, $sql) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'psql', '-XqAt', '-h', $dir, '-p', $port, '-U', $user, '-d', 'postgres' ], '<', \$sql, '>', \$out, '2>', \$err);
	return $out . $err =~ s/^psql:<stdin>:\d+: //mgr;
}

start_pgbouncer();
my $poll = q{SELECT etag, document IS NULL FROM modelreg.serving_config('search.home', '%s');};
my ($etag) = split /\|/, client('pod', sprintf $poll, '');
like($etag, qr/^1-[0-9a-f]{16}$/, 'the first fetch');
is(client('pod', sprintf $poll, $etag), "$etag|t\n", 'the next poll: unchanged');
is(client('pod', q{SELECT version, receipt FROM modelreg.route('search.home', 'user-1');}), "1|1.0\n", 'a request is routed');

# Clients take turns on one connection; in the same transaction modes of rights change, and none is left behind for the next.
my $as = q{BEGIN; SET LOCAL ROLE %s; SELECT version FROM modelreg.route('search.home', 'user-1'); COMMIT; };
for (1 .. 3)
{
	is(client('app', sprintf $as, 'pod'), "1\n", 'who may read is answered');
	like(client('app', sprintf $as, 'stranger'), qr/does not exist or you may not read it/, 'who may not is not, on the same connection');
	is(client('app', q{SELECT pg_backend_pid();}), client('app', q{SELECT pg_backend_pid();}), 'which it is');
}
like(client('stranger', sprintf $poll, $etag), qr/does not exist or you may not read it/, 'nor is one who logged in');

# Every change is seen by the next poll, whoever made it, and whoever had the connection in between.
my @acts = (q{start_rollout('search.home', 2, plan => 'linear over 2 hours')}, q{pause_rollout('search.home')}, q{resume_rollout('search.home')}, q{abort_rollout('search.home')});
for my $act (@acts)
{
	$node->safe_psql('postgres', "SELECT modelreg.$act");
	my ($now, $unchanged) = split /\|/, client('pod', sprintf $poll, $etag);
	is($unchanged, "f\n", "$act: one poll");
	is($now, $node->safe_psql('postgres', q{SELECT etag FROM modelreg.endpoints}), "$act: has it");
	is(client('pod', "SELECT receipt LIKE split_part('$now', '-', 1) || '.%' FROM modelreg.route('search.home', 'user-1');"), "t\n", "$act: and goes by it");
	$etag = $now;
}
is(client('pod', qq{SELECT endpoint_id, last_event FROM modelreg.changes('{"1": 1}'); SELECT modelreg.report_serving('search.home', 'pod-1', '$etag'); SELECT instance, behind FROM modelreg.fleet_status('search.home');}),
	"1|5\nt\npod-1|0\n", 'what changed, a report, and the fleet');

# A restart of the server, and of pgbouncer, with changes while they are away.
$node->restart;
$node->safe_psql('postgres', q{SELECT modelreg.start_rollout('search.home', 2, plan => 'all at once')});
my $answer = '';
for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	$answer = client('pod', sprintf $poll, $etag);
	last if $answer =~ /\|f$/;
	select undef, undef, undef, 0.1;
}
like($answer, qr/^6-[0-9a-f]{16}\|f$/, 'after a restart of the server a poll has what was missed');
stop_pgbouncer();
$node->safe_psql('postgres', q{SELECT modelreg.start_rollout('search.home', 1, plan => 'all at once')});
start_pgbouncer();
like(client('pod', sprintf $poll, $etag), qr/^7-[0-9a-f]{16}\|f$/, 'after one of pgbouncer too');
stop_pgbouncer();
done_testing();
