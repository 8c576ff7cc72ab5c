# Dropping the registry, by mistake and on purpose. TAP because it needs sessions in which the library is not loaded yet,
# pg_restore, a server that is configured otherwise, an apply worker, and a superuser who owns nothing but the registry.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical', extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "wal_retrieve_retry_interval = 100ms\nautovacuum = off\n");
$node->start;

my $own = qr/belongs to modelreg and cannot be (altered or )?dropped/;

# One statement in a session of its own; returns what it said on stderr, '' if it passed.
sub attempt
{
	my ($db, $sql, %opt) = @_;
	local $ENV{PGOPTIONS} = $opt{options} // '';
	my ($status, $out, $err) = $node->psql($db, $sql, extra_params => [ '-U', $opt{user} // 'keeper' ]);
	return $status == 0 ? '' : $err;
}

sub teams { return $node->safe_psql($_[0], 'SELECT string_agg(name, \',\' ORDER BY name) FROM modelreg.team'); }

sub findings { return $node->safe_psql($_[0], 'SELECT object, detail FROM modelreg.verify(NULL, true)'); }

sub fill
{
	my ($db) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db OWNER keeper");
	is(attempt($db, q{CREATE EXTENSION modelreg; SELECT modelreg.create_team('search'); SELECT modelreg.create_team('ads');
		SELECT modelreg.create_model('search.model', policy => 'open');
		SELECT modelreg.begin_upload('search', 7) AS upload \gset
		SELECT modelreg.append_upload(:upload, 0, 'weights');
		SELECT modelreg.finish_upload(:upload);
		SELECT modelreg.register_version('search.model', artifacts => format('[{"name": "w", "upload": %s}]', :upload)::jsonb)}),
		'', "a registry in $db");
}

$node->safe_psql('postgres', 'CREATE ROLE keeper SUPERUSER LOGIN; CREATE ROLE other SUPERUSER LOGIN; CREATE ROLE plain LOGIN');
fill('registry');

# Every session begins without the library: the first command must be refused already.
like(attempt('registry', 'DROP EXTENSION modelreg'), $own, 'DROP EXTENSION');
like(attempt('registry', 'DROP EXTENSION IF EXISTS modelreg CASCADE'), $own, 'DROP EXTENSION CASCADE');
like(attempt('registry', 'DROP OWNED BY keeper CASCADE'), $own, 'DROP OWNED by the owner');
like(attempt('registry', 'DROP OWNED BY keeper CASCADE', user => 'other'), $own, 'and by another superuser');
like(attempt('registry', 'DROP SCHEMA modelreg CASCADE'), qr/cannot drop schema modelreg/, 'DROP SCHEMA CASCADE');
is(attempt('registry', q{BEGIN; DROP EXTENSION plpgsql; SELECT modelreg.create_team('more'); ROLLBACK}), '',
	'nothing of ours needs PL/pgSQL once it is installed');
like(attempt('registry', 'REASSIGN OWNED BY keeper TO plain'),
	qr/permission denied to change owner of event trigger/, 'REASSIGN OWNED to somebody who is no superuser');
like(attempt('registry', 'CREATE TEMP TABLE t (); REASSIGN OWNED BY keeper TO other'),
	qr/belongs to modelreg and cannot be altered/, 'and to one who is, once the library is loaded');
is(teams('registry'), 'ads,search', 'all is still there');

# What fires no event trigger needs the library to be loaded beforehand.
like(attempt('registry', 'ALTER EVENT TRIGGER modelreg_ddl_start DISABLE', options => '-c session_preload_libraries=modelreg'),
	qr/belongs to modelreg and cannot be altered/, 'ALTER EVENT TRIGGER with session_preload_libraries');
like(attempt('registry', 'REASSIGN OWNED BY keeper TO other', options => '-c session_preload_libraries=modelreg'),
	qr/belongs to modelreg and cannot be altered/, 'REASSIGN OWNED with it');

my $unlink = 'SELECT lo_unlink(object) FROM modelreg.blob';
like(attempt('registry', $unlink, options => '-c session_preload_libraries=modelreg'), $own, 'lo_unlink with it');
like(attempt('registry', "CREATE TEMP TABLE t (); $unlink"), $own, 'or once the library is loaded');
like($node->safe_psql('registry', "BEGIN; SET client_min_messages = warning; $unlink;
	SELECT object, detail FROM modelreg.verify(); ROLLBACK"), qr/missing/, 'else verify() tells what was lost');

# A restore on top of what is there drops the extension first.
my $dump = $node->backup_dir . '/registry.dump';
$node->run_log([ 'mkdir', '-p', $node->backup_dir ]);
$node->command_ok([ 'pg_dump', '-Fc', '-U', 'keeper', '-f', $dump, 'registry' ], 'pg_dump');
$node->safe_psql('registry', q{SELECT modelreg.create_team('late')});
my @restore = ('pg_restore', '--clean', '--if-exists', '--exit-on-error', '-U', 'keeper', '-d', 'registry', $dump);
$node->command_fails_like(\@restore, $own, 'pg_restore --clean is refused');
is(teams('registry'), 'ads,late,search', 'before anything was lost');
{
	local $ENV{PGOPTIONS} = '-c modelreg.allow_removal=on';
	$node->command_ok(\@restore, 'pg_restore --clean with modelreg.allow_removal');
}
is(teams('registry'), 'ads,search', 'and everything is as it was dumped');
is(findings('registry'), '', 'bytes included');
like(attempt('registry', 'DROP EXTENSION modelreg'), $own, 'the guard stands again');
like(attempt('registry', 'UPDATE modelreg.team SET name = name'), qr/rows of modelreg\.team cannot be changed/, 'over the rows as well');
is(attempt('registry', q{SELECT modelreg.create_team('later')}), '', 'and writing goes on');

# A restore into an empty database asks for nothing, in one transaction or several.
$node->safe_psql('postgres', 'CREATE DATABASE restored OWNER keeper');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--single-transaction', '-U', 'keeper', '-d', 'restored', $dump ],
	'pg_restore into an empty database');
is(teams('restored'), 'ads,search', 'brings the rows');
is(findings('restored'), '', 'and the bytes');

# An apply worker changes rows under session_replication_role = replica.
$node->safe_psql('registry', q{CREATE PUBLICATION all_of_it FOR TABLE modelreg.team;
	SELECT pg_create_logical_replication_slot('copy', 'pgoutput')});
my $connection = $node->connstr . ' dbname=registry user=keeper';
my $log = -s $node->logfile;
$node->safe_psql('restored', "CREATE SUBSCRIPTION copy CONNECTION '$connection' PUBLICATION all_of_it
	WITH (create_slot = false, slot_name = 'copy', copy_data = false)");
$node->safe_psql('registry', q{SELECT modelreg.rename_team('ads', 'adverts')});
ok($node->wait_for_log(qr/rows of modelreg\.team cannot be changed/, $log), 'an apply worker changes no row');
is(teams('restored'), 'ads,search', 'in fact');
$node->safe_psql('restored', 'ALTER SUBSCRIPTION copy DISABLE; ALTER SUBSCRIPTION copy SET (slot_name = NONE); DROP SUBSCRIPTION copy');
$node->poll_query_until('postgres', q{SELECT NOT active FROM pg_replication_slots WHERE slot_name = 'copy'});
$node->safe_psql('postgres', q{SELECT pg_drop_replication_slot('copy')});

# Removal on purpose: the setting is a superuser's, and of one session.
like(attempt('registry', 'DROP EXTENSION modelreg', user => 'plain', options => '-c modelreg.allow_removal=on'),
	qr/permission denied to set parameter|must be owner of extension/, 'the setting is of no use to others');
is(attempt('registry', 'SET modelreg.allow_removal = on; DROP PUBLICATION all_of_it; DROP EXTENSION modelreg'), '', 'DROP EXTENSION on purpose');
is($node->safe_psql('registry', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'modelreg'}), '0', 'leaves nothing');
is($node->safe_psql('registry', q{SELECT count(*) FROM pg_event_trigger}), '0', 'no event trigger either');
is(attempt('registry', q{CREATE EXTENSION modelreg; SELECT modelreg.create_team('search')}), '', 'and it can be created anew');

# The library's file is missing: played by naming another, in this database alone.
$node->safe_psql('restored', q{UPDATE pg_proc SET probin = '$libdir/modelreg-gone' WHERE probin = '$libdir/modelreg'});
my $gone = qr/could not access file "(\$libdir\/)?modelreg-gone"/;
like(attempt('restored', 'CREATE TABLE t ()'), $gone, 'without its library all DDL is refused');
like(attempt('restored', 'DELETE FROM modelreg.team'), $gone, 'and every change of a row');
like(attempt('restored', 'DROP EXTENSION modelreg CASCADE'), $gone, 'and removal');
is(attempt('restored', 'ALTER EVENT TRIGGER modelreg_ddl_start DISABLE; ALTER EVENT TRIGGER modelreg_ddl_end DISABLE;
	DROP EXTENSION modelreg CASCADE'), '', 'the way out that is documented');
is(attempt('restored', 'CREATE TABLE t ()'), '', 'leads out');

done_testing();
