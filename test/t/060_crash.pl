# A backend, or the whole server, dies at any moment of registering, uploading and promoting. What a client was told is
# there afterwards, verify() is clean, each large object has a row, and uploads go on. TAP because servers are killed.

use strict;
use warnings;

use File::Temp qw(tempfile);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = 8;
my $chunk = 100_000;

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION modelreg;
	SELECT modelreg.create_team('search');
	SELECT modelreg.create_model('search.reco', 'open');
	SELECT modelreg.create_model('search.champion', 'open');
	SELECT modelreg.register_version('search.champion'), modelreg.register_version('search.champion');
	SELECT modelreg.record_run('search.train')});

# Each client is one psql; what it has printed was committed. Each has more to do than it can before the kill.
sub registering
{
	my ($round) = @_;
	return join '', map { <<"END" } 1 .. 10_000;
SELECT 'version', '$round-$_', modelreg.register_version('search.reco', 'run:search.train', params => '{"n": $_}', metrics => '{"m": $_}', description => 'of round $round', request_id => '$round-$_');
END
}

sub uploading
{
	my ($round) = @_;
	my $append = "modelreg.append_upload(:id, %d, decode(repeat('%s', $chunk), 'hex'))";
	return join '', map { sprintf <<"END", 0, '61', $chunk, '62', 2 * $chunk, sprintf '%02x', $_ % 256 } 1 .. 2000;
SELECT modelreg.begin_upload('search', size => 3 * $chunk, request_id => 'upload-$round-$_') AS id \\gset
\\echo begun|$round-$_|:id
SELECT 'received', '$round-$_', $append;
SELECT 'received', '$round-$_', $append;
SELECT 'received', '$round-$_', $append;
SELECT 'finished', '$round-$_', modelreg.finish_upload(:id);
SELECT 'shipped', '$round-$_', modelreg.register_version('search.reco', request_id => 'shipped-$round-$_', artifacts => jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', :id)));
END
}

sub promoting
{
	my ($round) = @_;
	return join '', map { <<"END" } 1 .. 10_000;
SELECT 'promoted', '$round-$_', modelreg.promote('search.champion', 1 + $_ % 2, 'Production', request_id => '$round-$_');
END
}

sub start_client
{
	my ($script) = @_;
	my ($handle, $file) = tempfile(UNLINK => 1);
	print $handle $script;
	close $handle;
	my $client = { out => '', err => '' };
	$client->{run} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $file ],
		'<', \undef, '>', \$client->{out}, '2>', \$client->{err});
	return $client;
}

sub kill_server
{
	$node->kill9;
	# Its children have to notice before the next one may start.
	for (1 .. 100)
	{
		sleep 0.1;
		last if $node->start(fail_ok => 1);
		# What is left of its lock file is no running server.
		$node->{_pid} = undef;
	}
}

# A backend of ours that is at work, whatever it does.
sub kill_backend
{
	my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'
		AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1});
	ok($pid ne '' && kill('KILL', $pid) == 1, 'a backend was killed');
}

my %told;    # {kind}{key} = value

# The last line of what a client printed may have been cut.
sub remember
{
	my ($out) = @_;
	$out =~ s/[^\n]*\z//;
	for (split /\n/, $out)
	{
		my ($kind, $key, $value) = split /\|/;
		# A promotion that changed nothing has no number.
		$told{$kind}{$key} = $value if $value;
	}
}

sub values_of { my ($kind) = @_; return join ', ', map { "('$_', '$told{$kind}{$_}')" } sort keys %{ $told{$kind} } }

sub check_all
{
	my ($round) = @_;
	is($node->safe_psql('postgres', 'SELECT * FROM modelreg.verify(deep => true)'), '', "round $round: verify() is clean");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_largeobject_metadata m WHERE m.oid NOT IN
		(SELECT object FROM modelreg.blob WHERE object IS NOT NULL UNION ALL SELECT object FROM modelreg.upload WHERE object IS NOT NULL)}),
		'0', "round $round: each large object has a row");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM (VALUES ' . values_of('version') . q{) t(key, version)
		WHERE NOT EXISTS (SELECT FROM modelreg.version v JOIN modelreg.model m ON m.id = v.model_id
			WHERE m.name = 'reco' AND v.version = t.version::int AND v.request_id = t.key)}),
		'0', "round $round: every version that was told of is there");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM (VALUES ' . values_of('promoted') . q{) t(key, seq)
		WHERE NOT EXISTS (SELECT FROM modelreg.event e JOIN modelreg.model m ON m.id = e.chain_id
			WHERE m.name = 'champion' AND e.chain = 5 AND e.seq = t.seq::bigint AND e.request_id = t.key)}),
		'0', "round $round: and every promotion");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM (VALUES ' . values_of('received') . q{) t(key, received)
		WHERE NOT EXISTS (SELECT FROM modelreg.upload u WHERE u.request_id = 'upload-' || t.key AND u.received >= t.received::bigint)}),
		'0', "round $round: and all bytes");
}

for my $round (1 .. $rounds)
{
	my @clients = map { start_client($_->($round)) } (\&registering, \&uploading, \&promoting);
	$node->poll_query_until('postgres', q{SELECT count(*) >= 3 FROM pg_stat_activity WHERE backend_type = 'client backend'
		AND pid <> pg_backend_pid()}) or die 'the clients did not connect';
	sleep 0.15 + rand 0.4;
	if ($round % 2) { kill_server() } else { kill_backend() }
	for my $client (@clients)
	{
		eval { IPC::Run::finish($client->{run}) };
		like($client->{err}, qr/server closed the connection|terminating connection|connection to server was lost|recovery mode|starting up|No such file/, "round $round: a client lost its server") or diag $client->{err};
		remember($client->{out});
	}
	ok($node->poll_query_until('postgres', 'SELECT true'), "round $round: the server is back");
	check_all($round);
}
cmp_ok(scalar keys %{ $told{$_} }, '>', $rounds, "$_ was told often enough") for qw(version promoted received);

# Whoever asks once more is told the same.
my ($again, $version) = %{ $told{version} };
is($node->safe_psql('postgres', "SELECT modelreg.register_version('search.reco', 'run:search.train', params => '{\"n\": "
	. ($again =~ s/.*-//r) . "}', metrics => '{\"m\": " . ($again =~ s/.*-//r) . "}', description => 'of round "
	. ($again =~ s/-.*//r) . "', request_id => '$again')"), $version, 'a registration is repeated');

# Every upload that was broken off is finished from where it stands.
for my $key (sort keys %{ $told{begun} })
{
	my $id = $told{begun}{$key};
	my $received = $node->safe_psql('postgres', "SELECT CASE state WHEN 'open' THEN received END FROM modelreg.uploads WHERE upload = $id");
	next if $received eq '';
	my $last = sprintf '%02x', $key =~ s/.*-//r;
	$node->safe_psql('postgres', sprintf q{SELECT modelreg.append_upload(%d, %d, decode(repeat('%s', %d), 'hex'))}, $id, $_, $_ == 0 ? '61' : $_ == $chunk ? '62' : $last, $chunk)
		for grep { $_ >= $received } (0, $chunk, 2 * $chunk);
	is($node->safe_psql('postgres', "SELECT modelreg.finish_upload($id)::text = 'sha256:' || encode(sha256(decode(repeat('61', $chunk) || repeat('62', $chunk) || repeat('$last', $chunk), 'hex')), 'hex')"),
		't', "upload $key is finished");
}
check_all('last');
is($node->safe_psql('postgres', q{SELECT count(*) = max(version) FROM modelreg.versions WHERE model = 'search.reco'}), 't', 'versions are numbered without a gap');
done_testing();
