# Through a BI tool's eyes: a role that reads two of three teams queries every view with parameters that are varchar, prepared on the
# server, with psycopg 3 and with pgjdbc. TAP because these are other programs.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../faults";
use Faults;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_with_faults('bi');
fill($node);
fill_team($node, $_) for qw(ads zebra);
my $calls = 0;
for my $verb (grep { $_ ne 'drop_all_bytes' } verbs())
{
	my ($before, $session, $call) = call_of($verb, ++$calls);
	$node->safe_psql('postgres', "$before; RESET ROLE; $session; SELECT $call");
}
$node->safe_psql('postgres', q{
	ALTER ROLE ann RENAME TO anna;
	CREATE ROLE bi LOGIN; SELECT modelreg.grant_level(t, 'bi', 'reader') FROM unnest('{search,ads}'::text[]) AS t});
my $connection = $node->connstr('postgres') . ' user=bi';

# The last line is a count; what comes before is what is wrong.
sub finds_nothing
{
	my ($with, @command) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err);
	like($out, qr/^(\d{3,}) queries of (\d{2,}) views$/, "$with: every view") or diag $err;
	note $out;
	return;
}

SKIP:
{
	unless (IPC::Run::run([ 'python3', '-c', 'import psycopg' ], '2>', \my $missing))
	{
		diag 'NOT TESTED with psycopg: scripts/packages python3-psycopg';
		skip 'no psycopg', 1;
	}
	finds_nothing('psycopg', 'python3', "$FindBin::Bin/../bi_tool.py", $connection, 'purge_due');
}

SKIP:
{
	my $jar = '/usr/share/java/postgresql.jar';
	unless (-e $jar && IPC::Run::run([ 'java', '-version' ], '>&', \my $version))
	{
		diag 'NOT TESTED with pgjdbc: scripts/packages libpostgresql-jdbc-java default-jdk-headless';
		skip 'no pgjdbc', 1;
	}
	# The driver knows no sockets of Unix.
	$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\n");
	$node->restart;
	my $port = $node->port;
	finds_nothing('pgjdbc', 'java', '-cp', $jar, "$FindBin::Bin/../BiTool.java", "jdbc:postgresql://127.0.0.1:$port/postgres?user=bi&prepareThreshold=1");
}
done_testing();
