# What the README says of operations: who can dump, what a dump of the schema saves, what happens while the library's file is
# missing, and how to be rid of the registry then and otherwise. TAP because it needs pg_dump and several databases.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;

sub sql { return $node->safe_psql('registry', $_[0]); }

# What a statement says on stderr, '' if it passed.
sub attempt
{
	my ($status, $out, $err) = $node->psql('registry', $_[0]);
	return $status == 0 ? '' : $err;
}

# The same of pg_dump; what it wrote goes into a file.
sub dump_as
{
	my ($role, @options) = @_;
	my $file = $node->basedir . '/dump.sql';
	my ($out, $err);
	my $ok = IPC::Run::run([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-U', $role, '-f', $file, @options, 'registry' ],
		'>', \$out, '2>', \$err);
	return ($ok ? '' : $err, $ok ? slurp_file($file) : '');
}

sub fill
{
	$node->safe_psql('postgres', 'CREATE DATABASE registry');
	sql(q{CREATE EXTENSION modelreg; SELECT modelreg.create_team('search'); SELECT modelreg.create_model('search.m', 'open');
		SELECT modelreg.begin_upload('search', 7); SELECT modelreg.append_upload(1, 0, 'weights'); SELECT modelreg.finish_upload(1);
		SELECT modelreg.register_version('search.m', artifacts => '[{"name": "w", "upload": 1}]')});
}

fill();
$node->safe_psql('postgres', 'CREATE ROLE boss SUPERUSER LOGIN; CREATE ROLE reader LOGIN IN ROLE pg_read_all_data;
	CREATE ROLE bypass LOGIN BYPASSRLS IN ROLE pg_read_all_data');

# Backup.
my ($err, $dump) = dump_as('reader');
like($err, qr/query would be affected by row-level security policy/, 'pg_read_all_data does not dump');
($err, $dump) = dump_as('bypass');
like($err, qr/permission denied for large object/, 'with BYPASSRLS it stops at the bytes');
($err, $dump) = dump_as('bypass', '--no-blobs');
is($err, '', 'and dumps without them');
like($dump, qr/COPY modelreg\.version /, 'all rows');
unlike($dump, qr/lowrite/, 'but no bytes');
($err, $dump) = dump_as('boss');
is($err, '', 'a superuser dumps');
like($dump, qr/lowrite/, 'the bytes too');
($err, $dump) = dump_as('boss', '-n', 'modelreg');
is($err, '', 'a dump of the schema is no error');
unlike($dump, qr/COPY|CREATE|lowrite/, 'and empty');

# The file is missing: simulated, since a test must not remove it.
my $gone = qr/could not access file ".*modelreg_gone"/;
sql(q{UPDATE pg_proc SET probin = '$libdir/modelreg_gone' WHERE probin = '$libdir/modelreg'});
like(attempt('CREATE TABLE t ()'), $gone, 'without the library: DDL fails');
like(attempt(q{SELECT modelreg.create_team('x')}), $gone, 'functions fail');
like(attempt('SET ROLE reader; SELECT count(*) FROM modelreg.event'), $gone, 'reading fails');
is(sql('SELECT count(*) > 0 FROM modelreg.event'), 't', 'but for a superuser');
like((dump_as('boss'))[0], $gone, 'pg_dump fails');
like(attempt('DROP EXTENSION modelreg'), $gone, 'DROP EXTENSION fails');
is(attempt('ALTER EVENT TRIGGER modelreg_ddl_start DISABLE; ALTER EVENT TRIGGER modelreg_ddl_end DISABLE;
	DROP EXTENSION modelreg'), '', 'until the event triggers are disabled');
is(sql('SELECT count(*) FROM pg_largeobject_metadata'), '1', 'the bytes are left behind');
$node->command_ok([ 'vacuumlo', '-h', $node->host, '-p', $node->port, 'registry' ], 'vacuumlo');
is(sql('SELECT count(*) FROM pg_largeobject_metadata'), '0', 'removes them');

# Removal.
$node->safe_psql('postgres', 'DROP DATABASE registry');
fill();
is(sql(q{SET modelreg.allow_removal = on; SELECT modelreg.drop_all_bytes('registry'); DROP EXTENSION modelreg;
	SELECT count(*) FROM pg_largeobject_metadata}), "1\n0", 'drop_all_bytes() and DROP EXTENSION leave nothing');

done_testing();
