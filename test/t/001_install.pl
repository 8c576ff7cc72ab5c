
# Installing: what a database must be like, and who may have been there before. TAP because it needs several databases,
# and the script outside CREATE EXTENSION.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;

my ($sharedir) = run_command([ 'pg_config', '--sharedir' ]);
my ($status, $out, $err) = $node->psql('postgres', "\\i $sharedir/extension/modelreg--0.1.sql");
like($out, qr/^Use "CREATE EXTENSION modelreg" to load this file\.$/, 'the script refuses to run by itself');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'modelreg'}),
	'0', 'and creates nothing');

$node->safe_psql('postgres', 'CREATE DATABASE squatted');
$node->safe_psql('squatted', 'CREATE SCHEMA modelreg');
($status, $out, $err) = $node->psql('squatted', 'CREATE EXTENSION modelreg');
like($err, qr/schema "modelreg" already exists/, 'a schema that was there before is not adopted');

$node->safe_psql('postgres', 'CREATE ROLE regress_plain LOGIN; GRANT CREATE ON DATABASE postgres TO regress_plain');
($status, $out, $err) =
  $node->psql('postgres', 'CREATE EXTENSION modelreg', extra_params => [ '-U', 'regress_plain' ]);
like($err, qr/permission denied to create extension "modelreg"/, 'only a superuser creates the extension');

$node->safe_psql('postgres', 'CREATE EXTENSION modelreg');
is($node->safe_psql('postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'modelreg'}),
	'0.1', 'a superuser does');

# What a backend remembers of the registry goes with it: OIDs of tables and indexes, rights, row types.
is($node->safe_psql('postgres', q{
	SET modelreg.allow_removal = on;
	SELECT modelreg.create_team('first');
	SELECT modelreg.create_model('first.m', 'open');
	SELECT count(*) FROM modelreg.production('first.m');
	DROP EXTENSION modelreg;
	BEGIN;
	CREATE EXTENSION modelreg;
	SAVEPOINT made;
	SELECT modelreg.create_team('second');
	ROLLBACK TO made;
	COMMIT;
	DROP EXTENSION modelreg;
	CREATE EXTENSION modelreg;
	SELECT modelreg.create_team('third');
	SELECT modelreg.create_model('third.m', 'open');
	SELECT modelreg.register_version('third.m'), modelreg.promote('third.m', 1, 'Production');
	SELECT modelreg.set_alias('third.m', 'champion', 1);
	SELECT p.version, a.uri FROM modelreg.production('third.m') p, modelreg.get_by_alias('third.m', 'champion') a;
	DROP EXTENSION modelreg;
	CREATE EXTENSION modelreg;
	SELECT count(*) FROM modelreg.models;}) =~ s/.*\n(?=1\|models)//sr,
	"1|models:/third.m/1\n0", 'a session goes on with a registry made anew');

done_testing();
