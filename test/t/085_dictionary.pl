# Each view's columns are pinned: docs/dictionary.md is what the database says of them, so that a column that goes, moves or
# changes its type shows in a review as a line taken away. And every view of the registry that it describes can be read.

use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(__FILE__) . '/../..';
my $page = slurp_file("$top/docs/dictionary.md");

my $node = PostgreSQL::Test::Cluster->new('dictionary');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE registry TEMPLATE template0 ENCODING UTF8');
my $now = do
{
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'registry');
	my ($out) = run_command(["$top/scripts/dictionary"]);
	"$out\n";
};

# View, column and type of each column.
sub columns
{
	my ($text) = @_;
	my ($view, @columns) = ('');
	for (split /\n/, $text)
	{
		$view = $1 if /^## (\w+)/;
		push @columns, "$view.$1 $2" if /^\| `(\w+)` \| `([^`]+)` \|/;
	}
	return @columns;
}
my %now = map { $_ => 1 } columns($now);
cmp_ok(scalar(columns($page)), '>', 300, 'the page describes columns');
is(join("\n", grep { !$now{$_} } columns($page)), '', 'no column went away or changed its type');
is(join("\n", columns($page)), join("\n", grep { my $c = $_; grep { $_ eq $c } columns($page) } columns($now)), 'nor did one move');
is($now, $page, 'docs/dictionary.md is what the database says: scripts/with-server scripts/dictionary >docs/dictionary.md');

my @views = $page =~ /^## (\w+)/mg;
is($node->safe_psql('registry', join(' UNION ALL ', map { "SELECT '$_' FROM (SELECT count(*) FROM modelreg.$_) x" } @views)), join("\n", @views),
	'all views can be read');
$node->stop;
done_testing();
