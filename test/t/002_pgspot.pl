# The install script through pgspot's eyes: nothing that a name resolves to may be somebody else's. TAP because it is a program of
# PyPI's, which comes into a directory that is thrown away; where it cannot be had the test is left out, out loud.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
my ($sharedir) = run_command([ 'pg_config', '--sharedir' ]);
my $script = "$sharedir/extension/modelreg--0.1.sql";
my $log = '';
IPC::Run::run([ 'python3', '-m', 'venv', "$dir/venv" ], '>', \$log, '2>', \$log)
	&& IPC::Run::run([ "$dir/venv/bin/pip", 'install', '--quiet', '--disable-pip-version-check', 'pgspot==0.9.4' ], '>', \$log, '2>', \$log)
	or plan skip_all => "pgspot cannot be had from PyPI: $log";

# The list of findings that are none: empty. With a search_path of its own the script has no finding at all.
my ($out, $err) = run_command([ "$dir/venv/bin/pgspot", $script ]);
is($out =~ s/^\s+|\s+$//gr, 'Errors: 0 Warnings: 0 Unknown: 0', 'pgspot finds nothing') or diag $err;

# It would: the same script without the line that sets search_path.
my $open = slurp_file($script) =~ s/^SET LOCAL search_path[^\n]*\n//mr;
append_to_file("$dir/open.sql", $open);
($out) = run_command([ "$dir/venv/bin/pgspot", "$dir/open.sql" ]);
like($out, qr/PS\d+.*Errors: [1-9]/s, 'which it would without the search_path');

done_testing();
