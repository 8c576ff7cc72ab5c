# A server on a file system of its own that is really full: a tmpfs in a mount namespace. Clients upload and register until
# nothing goes any more, be it an error or a server that cannot write its WAL and goes down; with room again all that was
# acknowledged is there and what failed passes. TAP because of that. Where nobody may mount anything, as in a chroot, it is
# skipped; 072_disk_full.pl then is what there is.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Mounts a tmpfs of so many megabytes over a directory, with what is in it, and goes on as the command that follows. A child
# stays, by which the outside finds the way in.
my $enter = <<'PYTHON';
import ctypes, os, shutil, sys
path, size, pidfile = sys.argv[1:4]
libc = ctypes.CDLL(None, use_errno=True)
def mount(source, target, kind, flags, data):
    if libc.mount(source.encode(), target.encode(), kind, flags, data) != 0:
        sys.exit("mount: " + os.strerror(ctypes.get_errno()))
mount("tmpfs", path + ".small", b"tmpfs", 0, b"size=%dm,mode=700" % int(size))
if os.path.isdir(path + "/base"):
    shutil.copytree(path, path + ".small", dirs_exist_ok=True, symlinks=True)
mount(path + ".small", path, None, 4096, None)
if os.fork() == 0:
    os.setsid()
    for fd in range(3):
        os.dup2(os.open("/dev/null", os.O_RDWR), fd)
    with open(pidfile, "w") as f:
        f.write(str(os.getpid()))
    os.execvp("sleep", ["sleep", "600"])
os.execvp(sys.argv[4], sys.argv[4:])
PYTHON

my $probe = PostgreSQL::Test::Utils::tempdir();
sub inside
{
	my ($path, $size, @command) = @_;
	mkdir "$path.small";
	return ('unshare', '--user', '--map-current-user', '--keep-caps', '--mount', 'python3', '-c', $enter, $path, $size, "$path.pid", @command);
}
sub leave { my ($path) = @_; kill 'KILL', slurp_file("$path.pid") if -s "$path.pid"; unlink "$path.pid"; }

mkdir "$probe/data";
my ($out, $err) = ('', '');
my $mounted = eval { IPC::Run::run([ inside("$probe/data", 1, 'true') ], '<', \undef, '>', \$out, '2>', \$err) };
leave("$probe/data");
plan skip_all => 'nothing can be mounted here: ' . ($err || $@) =~ s/\n.*//sr if !$mounted;

my $node = PostgreSQL::Test::Cluster->new('small');
$node->init(extra => [ '--encoding=UTF8', '--no-locale', '--wal-segsize=1' ]);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'modelreg'\nrestart_after_crash = on\nmax_wal_size = 8MB\nmin_wal_size = 4MB\nautovacuum = off\n");
my $data = $node->data_dir;
my $used = (split ' ', `du -sm $data`)[0];
my $root;

# From outside, through the process that stayed there.
sub path_inside { return "/proc/" . slurp_file("$data.pid") . "/root$data/$_[0]"; }
sub start
{
	my @command = ('pg_ctl', '-w', '-D', $data, '-l', $node->logfile, '-o', '--cluster-name=small', 'start');
	# Entered once; later from inside again.
	@command = -s "$data.pid" ? ('nsenter', '--user', '--preserve-credentials', '--mount', '--target', slurp_file("$data.pid"), @command)
	  : inside($data, $used + 24, @command);
	return system(@command) == 0;
}
END
{
	if (defined $data && -s "$data.pid")
	{
		my $status = $?;
		my ($pid) = eval { slurp_file(path_inside('postmaster.pid')) =~ /^(\d+)/ };
		kill 'QUIT', $pid if $pid;
		leave($data);
		$? = $status;
	}
}

ok(start(), 'a server on a small disk');
sub sql { return $node->safe_psql('postgres', $_[0]); }
sql(q{CREATE EXTENSION modelreg; SELECT modelreg.create_team('search'); SELECT modelreg.create_model('search.reco', 'open')});
# Something to make room by.
append_to_file(path_inside('filler'), 'x' x (8 * 1048576));

# What does not compress, half a megabyte at a time, in each round with an upload that is told of.
my $chunk = q{(SELECT string_agg(sha256(convert_to(concat('%d', i), 'UTF8')), '') FROM generate_series(1, 16384) AS i)};
sub calls_of
{
	my ($round) = @_;
	return (sprintf("SELECT 'upload $round', modelreg.append_upload(modelreg.begin_upload('search', 524288, request_id => 'u$round'), 0, $chunk) IS NOT NULL", $round),
		"SELECT 'version $round', modelreg.register_version('search.reco', description => repeat('$round ', 1000), request_id => 'v$round')",
		"SELECT 'promotion $round', modelreg.promote('search.reco', (SELECT max(version) FROM modelreg.versions), 'Production', request_id => 'p$round') IS NOT NULL");
}
my (%told, %said);
for my $round (1 .. 200)
{
	my $failed = 0;
	for my $call (calls_of($round))
	{
		my ($status, $stdout, $stderr) = $node->psql('postgres', $call);
		if ($status == 0) { $told{(split /\|/, $stdout)[0]} = 1 }
		else { $failed++; $said{ $stderr =~ /(No space left on device|server closed the connection|recovery mode|starting up|shutting down|No such file|Connection refused|not yet accepting|must not be null)/ ? $1 : $stderr }++ }
	}
	last if $failed == 3;
}
cmp_ok(scalar keys %told, '>', 3, scalar(keys %told) . ' calls passed before');
is(join('; ', grep { length > 40 } sort keys %said), '', 'the others met a full disk, or a server that had: ' . join(', ', map { "$_ ($said{$_})" } sort keys %said));
like(slurp_file($node->logfile), qr/No space left on device/, 'which was full');

unlink path_inside('filler') or die "no filler: $!";
# It gives up when it has no room to recover in. One that nobody has waited for yet is there no more either.
my $there;
for my $look (1 .. 600)
{
	last if $there = $node->psql('postgres', 'SELECT true') == 0;
	my ($pid) = eval { slurp_file(path_inside('postmaster.pid')) =~ /^(\d+)/ };
	start() if !$pid || !kill(0, $pid) || $look % 100 == 0;
	select undef, undef, undef, 0.1;
}
ok($there, 'with room again the server is there, or starts');
is(sql('SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)'), '', 'verify() is clean');
is(sql(q{SELECT count(*) FROM pg_largeobject_metadata m WHERE m.oid NOT IN (SELECT object FROM modelreg.upload WHERE object IS NOT NULL)}), '0', 'no bytes of nobody');
my %there = map { $_ => 1 } split /\n/, sql(q{SELECT 'upload ' || substr(request_id, 2) FROM modelreg.upload WHERE received = 524288
	UNION ALL SELECT 'version ' || substr(request_id, 2) FROM modelreg.version
	UNION ALL SELECT 'promotion ' || substr(request_id, 2) FROM modelreg.request_id WHERE verb = 'promote'});
is(join(', ', grep { !$there{$_} } sort keys %told), '', 'all that was acknowledged is there');
for my $round (201 .. 204)
{
	is($node->psql('postgres', $_), 0, 'more of it passes') for calls_of($round);
}
is(sql('SELECT count(*) = max(version) FROM modelreg.version'), 't', 'numbers have no gap');
is(sql('SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)'), '', 'verify() is clean again');
done_testing();
