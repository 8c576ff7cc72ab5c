
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

done_testing();
