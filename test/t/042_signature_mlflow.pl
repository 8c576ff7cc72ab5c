# signature_compatibility() against MLflow: where it says that callers of one signature work with a model of another, MLflow accepts
# data of the one by the other. TAP because MLflow is asked, which comes from PyPI into a directory that is thrown away; where it cannot
# be had nothing is tested, out loud. MODELREG_PROOF=full asks more.

use strict;
use warnings;

use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $pairs = ($ENV{MODELREG_PROOF} // '') eq 'full' ? 50000 : 2000;
my $seed = $ENV{SEED} // 1;
my $dir = PostgreSQL::Test::Utils::tempdir;
my $log = '';
unless (IPC::Run::run([ 'python3', '-m', 'venv', "$dir/venv" ], '>', \$log, '2>', \$log)
	&& IPC::Run::run([ "$dir/venv/bin/pip", 'install', '--quiet', '--disable-pip-version-check', 'mlflow-skinny', 'pandas', 'numpy' ], '>', \$log, '2>', \$log))
{
	diag "NOT TESTED with MLflow: it could not be installed. $log";
	plan skip_all => 'MLflow could not be installed';
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION modelreg');

my ($lines, $err);
IPC::Run::run([ "$dir/venv/bin/python", "$FindBin::Bin/../signature_mlflow.py", $seed, $pairs ], '>', \$lines, '2>', \$err) or die $err;
my $file = "$dir/pairs";
append_to_file($file, $lines =~ s/\\/\\\\/gr);
$node->safe_psql('postgres', qq{
	CREATE TABLE pair (j jsonb);
	COPY pair FROM '$file';
	CREATE TABLE verdict AS SELECT j->'old' AS old, j->'new' AS new, j->>'refused' AS refused,
		(SELECT string_agg(concat_ws(' ', c.side, c.item, c.detail), '; ') FROM modelreg.signature_compatibility(j->'old', j->'new', 'BACKWARD') c) AS why FROM pair;
});
sub count { return $node->safe_psql('postgres', "SELECT count(*) FROM verdict WHERE $_[0]") }

is(count('true'), $pairs, "pairs, seed $seed");
is($node->safe_psql('postgres', 'SELECT old, new, refused FROM verdict WHERE why IS NULL AND refused IS NOT NULL LIMIT 5'), '', 'what is compatible MLflow accepts');
# What MLflow refuses and accepts both come up often enough for that to say something.
cmp_ok(count('why IS NULL'), '>', $pairs / 5, 'compatible');
cmp_ok(count('refused IS NOT NULL AND why IS NOT NULL'), '>', $pairs / 3, 'not compatible, for both');
note('refused here and accepted by MLflow: ', count('refused IS NULL AND why IS NOT NULL'));

done_testing();
