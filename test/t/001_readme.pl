# The README against the extension: its tour is in the regress test "tour", and its reference has each function, view, setting
# and reason of an error, with its SQLSTATEs, that there is, and none that there is not. TAP because it reads files.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Find;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(__FILE__) . '/../..';
my $readme = slurp_file("$top/README.md");

# The text of a section, by its heading, up to the next one of the same level.
sub section
{
	my ($heading) = @_;
	my ($level) = $heading =~ /^(#+)/;
	my ($text) = $readme =~ /^\Q$heading\E\n(.*?)(?=^\Q$level\E [^#]|\z)/ms;
	die "README.md has no section \"$heading\"" unless defined $text;
	return $text;
}

sub missing
{
	my ($wanted, $given) = @_;
	my %given = map { $_ => 1 } @$given;
	return join(' ', sort grep { !$given{$_} } @$wanted);
}

# Links within the project lead somewhere.
for my $page ('README.md', 'CHANGELOG.md', map { s{^\Q$top\E/}{}r } glob("$top/docs/*.md"), glob("$top/examples/*/*.md"))
{
	my ($folder) = $page =~ m{^(.*/)?};
	my @links = grep { !/^\w+:/ } slurp_file("$top/$page") =~ /\]\(([^)#]+)/g;
	is(join(' ', grep { !-e "$top/" . ($folder // '') . $_ } @links), '', "$page: links");
}

# A statement ends with a semicolon or \gset at the end of a line.
my $tour = slurp_file("$top/sql/tour.sql");
my @statements = map { /\G\s*(.+?(?:;|\\gset))$/gms } section('## Getting started') =~ /^```sql\n(.*?)^```$/gms;
cmp_ok(scalar @statements, '>', 20, 'the tour has statements');
is_deeply([ grep { index($tour, "\n$_\n") < 0 } @statements ], [], 'each is in sql/tour.sql');

my $reference = section('## Reference');
my @documented_functions = $reference =~ /^\| `(\w+)\(/mg;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION modelreg');

# What belongs to a type, an operator, a trigger or the planner is not called by name.
my @functions = split /\n/, $node->safe_psql('postgres', q{
	SELECT DISTINCT p.proname FROM pg_proc p
	WHERE p.pronamespace = 'modelreg'::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
		AND NOT EXISTS (SELECT FROM pg_type t WHERE p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend))
		AND NOT EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid)
		AND NOT EXISTS (SELECT FROM pg_amproc a WHERE a.amproc = p.oid)});
cmp_ok(scalar @functions, '>', 40, 'the schema has functions');
is(missing(\@functions, \@documented_functions), '', 'each function is in the reference');
is(missing(\@documented_functions, \@functions), '', 'each function of the reference exists');

# The arguments of the reference are those of the function.
my %arguments = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', q{
	SELECT p.proname, (SELECT string_agg(p.proargnames[i], ', ' ORDER BY i) FROM generate_series(1, p.pronargs) i)
	FROM pg_proc p WHERE p.pronamespace = 'modelreg'::regnamespace});
my @documented = map { join '|', $_->[0], $_->[1] =~ s/[\[\]]//gr } pairs_of($reference =~ /^\| `(\w+)\(([^`]*)\)`/mg);
is(join(' ', grep { !$arguments{$_} && !/^row_hash\|/ } @documented), '', 'with its arguments');

my @views = split /\n/, $node->safe_psql('postgres',
	q{SELECT relname FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind = 'v'});
my ($view_table) = $reference =~ /^### Views\n(.*?)(?=^###|\z)/ms;
my @documented_views = $view_table =~ /^\| `(\w+)` \|/mg;
is(missing(\@views, \@documented_views), '', 'each view is in the reference');
is(missing(\@documented_views, \@views), '', 'each view of the reference exists');

# The page of rights, which 080_rights.pl holds against what happens.
my $rights = slurp_file("$top/docs/rights.md");
my %kinds = (function => \@functions, view => \@views, table => [ split /\n/, $node->safe_psql('postgres',
	q{SELECT relname FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind IN ('r', 'p')}) ]);
push @{ $kinds{function} }, split /\n/, $node->safe_psql('postgres',
	q{SELECT proname FROM pg_proc WHERE pronamespace = 'modelreg'::regnamespace AND prorettype IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)});
for my $kind (sort keys %kinds)
{
	my ($rows) = $rights =~ /^\| $kind \| who \|\n(.*?)^$/ms or die "no table of each $kind";
	my @listed = $rows =~ /^\| `(\w+)/mg;
	is(missing($kinds{$kind}, \@listed), '', qq{each $kind has a line in docs/rights.md: add "| `name` | who |"}
		. ($kind eq 'function' ? ', with a call, "`name(...)`", if it only reads' : ''));
	is(missing(\@listed, $kinds{$kind}), '', "each $kind there exists");
}

my @settings = split /\n/, $node->safe_psql('postgres',
	q{LOAD 'modelreg'; SELECT name || ' ' || boot_val || COALESCE(unit, '') FROM pg_settings WHERE name LIKE 'modelreg.%'});
my @documented_settings = map { "$_->[0] $_->[1]" } pairs_of($reference =~ /^\| `(modelreg\.\w+)` \| `(\w+)`/mg);
is_deeply([ sort @documented_settings ], [ sort @settings ], 'each setting, with its default');

my %reasons;
find({ wanted => sub { if (/\.[ch]$/) { $reasons{"modelreg_$_"} = 1 for slurp_file($_) =~ /mr_reason\("(\w+)"\)/g } },
	no_chdir => 1 }, "$top/src");
my @documented_reasons = $reference =~ /^\| `(modelreg_\w+)` \|/mg;
is(missing([ keys %reasons ], \@documented_reasons), '', 'each reason of an error');
is(missing(\@documented_reasons, [ keys %reasons ]), '', 'and no other');

# With the SQLSTATEs that reports of the source raise it with: each names its code before its reason.
my %sqlstate = map { s/[', ]//gr } slurp_file($node->config_data('--includedir-server') . '/utils/errcodes.h')
	=~ /^#define ERRCODE_(\w+) MAKE_SQLSTATE\(([^)]+)\)/mg;
my %raised;
find({ wanted => sub {
	return unless /\.[ch]$/;
	my $source = slurp_file($_);
	$raised{"modelreg_$2"}{ $sqlstate{$1} } = 1
		while $source =~ /errcode\(ERRCODE_(\w+)\)(?:(?!ereport|errcode).)*?mr_reason\("(\w+)"\)/gs;
}, no_chdir => 1 }, "$top/src");
my %documented_states = $reference =~ /^\| `(modelreg_\w+)` \| ([0-9A-Z, ]+) \|/mg;
is_deeply({ map { $_ => join(' ', sort split /, /, $documented_states{$_}) } keys %documented_states },
	{ map { $_ => join(' ', sort keys %{ $raised{$_} }) } keys %raised }, 'each with its SQLSTATEs');

done_testing();

sub pairs_of
{
	my @pairs;
	while (my ($a, $b) = splice(@_, 0, 2)) { push @pairs, [ $a, $b ] }
	return @pairs;
}
