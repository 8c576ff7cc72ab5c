# What lineage_dot() returns is well formed, whatever names are in it, and to Graphviz a graph with just these nodes. TAP
# because it runs the program dot, where there is one.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION modelreg; SELECT modelreg.create_team('t')});

# Every printable character of ASCII, alone and all together, entities, escapes of labels, and other scripts.
my @names = ('t.all@' . join('', map { chr } 0x21 .. 0x7e), 't.entity@&amp;&#34;&quot;&', 't.escape@\\N\\G\\n\\l\\\\"\\',
	't.close@"]; } subgraph {', 't.html@<b>x</b>', 't.é日@😀', 't.' . 'n' x 255, map { 't.one@' . chr } 0x21 .. 0x7e);
my $list = join(', ', map { "'" . s/'/''/gr . "'" } @names);
$node->safe_psql('postgres', qq{
	SELECT modelreg.record_nodes(array_agg('commit:' || n)) FROM unnest(ARRAY[$list]) AS n;
	SELECT modelreg.record_run('t.run', (SELECT jsonb_build_object('code', jsonb_agg(address)) FROM modelreg.lineage_nodes))});
my $drawing = $node->safe_psql('postgres', q{SELECT modelreg.lineage_dot('run:t.run', max_nodes => 1000)});

# Without Graphviz: each line is one of a few forms, and each label, its escapes undone, is an address.
my $string = qr/"((?:[^"\\]|\\.)*)"/;
my @lines = split /\n/, $drawing;
is_deeply([ @lines[0, 1, -1] ], [ 'digraph lineage {', "\trankdir=LR;", '}' ], 'the frame');
my @boxes = map { /^\tn\d+ \[shape=(?:note|oval), label=$string(?:, penwidth=3)?\];$/ ? $1 : () } @lines;
my @links = grep { /^\tn\d+ -> n0 \[label="code"\];$/ } @lines;
is(@boxes + @links, @lines - 3, 'every other line is a box or a link');
is(scalar @links, scalar @names, 'a link for each input');
my %labels = map { s/\\(.)/$1/gr =~ s/&amp;/&/gr => 1 } @boxes;
is(join("\n", grep { !$labels{"commit:$_"} } @names), '', 'each label is an address');

SKIP:
{
	skip 'dot (package graphviz) is not installed: nobody to ask whether a drawing is one', 6
		unless IPC::Run::run([ 'sh', '-c', 'command -v dot' ], '>', \my $path);

	my ($plain, $svg, $err);
	ok(IPC::Run::run([ 'dot', '-Tplain' ], '<', \$drawing, '>', \$plain, '2>', \$err), 'dot accepts it');
	is($err, '', 'without a warning');
	is(scalar(() = $plain =~ /^node /mg), @names + 1, 'it sees a node for each');
	is(scalar(() = $plain =~ /^edge .* code /mg), scalar @names, 'and an edge for each');
	ok(IPC::Run::run([ 'dot', '-Tsvg' ], '<', \$drawing, '>', \$svg), 'and draws it');
	my %shown = map { s/&#(\d+);/chr $1/ger =~ s/&lt;/</gr =~ s/&gt;/>/gr =~ s/&quot;/"/gr =~ s/&amp;/&/gr => 1 }
		$svg =~ m{<text [^>]*>([^<]*)</text>}g;
	is(join("\n", grep { !$shown{"commit:$_"} } @names), '', 'with each name as it is');
}

done_testing();
