# What a rollout does at every instant, against a model of it in Python that was written from docs/serving.md alone: random
# rollouts by plans of all kinds, with several arms, paused, held, resumed, passed, completed and aborted. TAP because the
# model is not SQL. SEED and ROLLOUTS may be set to look for more.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $model = "$FindBin::Bin/../schedule_model.py";
my $seed = $ENV{SEED} // 20261125;
my $rollouts = $ENV{ROLLOUTS} // 250;
my $dir = PostgreSQL::Test::Utils::tempdir();

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION modelreg;
	CREATE TABLE rollout (id int, present modelreg.traffic_split, target modelreg.traffic_split, plan text, acts jsonb)});

# A model's own words for what it is asked; dies if it fails.
sub model
{
	my ($command, $in, $out) = @_;
	local $ENV{PYTHONIOENCODING} = 'utf-8';
	return system(qq{python3 "$model" $command $seed $rollouts <"$in" >"$out" 2>"$dir/errors"}) == 0;
}

ok(model('cases', '/dev/null', "$dir/cases"), "random rollouts of seed $seed") or diag(slurp_file("$dir/errors"));
$node->safe_psql('postgres', "\\copy rollout from '$dir/cases'");
is($node->safe_psql('postgres', 'SELECT count(*) FROM rollout'), $rollouts, 'are all there');

# Times as whole microseconds since 1970; each rollout starts one later than the one before.
$node->safe_psql('postgres', qq{\\copy (SELECT (SELECT json_agg(json_build_object('schedule', p.schedule, 'step', p.step,
	'opens', (extract(epoch FROM p.opens) * 1000000)::bigint, 'split', p.split, 'shadow', p.shadow, 'warm', p.warm, 'segments', p.segments, 'state', p.state))
	FROM modelreg.preview_rollout(present, target, plan, '2026-06-01 12:00+00'::timestamptz + id * interval '1 microsecond', acts) p) FROM rollout ORDER BY id) to '$dir/said' (format csv, delimiter E'\\x01', quote E'\\x02')}
	=~ s/\s*\n\s*/ /gr);
ok(model('check', "$dir/said", "$dir/seen"),
	'at each of 1,000 random instants of each, and at every edge, the weights add up to 100%, equal the model, and only positions of arms that shrink moved, to arms that grow')
	or diag(slurp_file("$dir/errors"));
my %seen = split ' ', slurp_file("$dir/seen");
note(join ', ', map { "$_: $seen{$_}" } sort keys %seen);
cmp_ok($seen{instants}, '>=', 1000 * $rollouts, 'so many instants were looked at');
cmp_ok($seen{acts}, '>', $rollouts, 'with acts') if $rollouts >= 100;
cmp_ok($seen{waiting}, '>', 0, 'and steps that waited') if $rollouts >= 100;

# A model that cannot find anything would find this: one millionth of one step in another arm.
my $said = slurp_file("$dir/said");
(my $forged = $said) =~ s/(.*"segments" : "(?:[^":]+): )(\d+)(, [^":]+: )(\d+)/$1 . ($2 - 1) . $3 . ($4 + 1)/e;
isnt($forged, $said, 'a forged answer');
open my $file, '>', "$dir/forged" or die;
print $file $forged;
close $file;
ok(!model('check', "$dir/forged", "$dir/seen"), 'is found');

$node->stop;
done_testing();
