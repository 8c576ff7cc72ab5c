# A role that reads three of a thousand teams pays for three. What a statement looks at is counted, by the pages that it reads and the
# rows that its plan passes by, here and in a registry of these three teams alone; no time is measured. TAP because it takes
# two registries.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "autovacuum = off\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE three; CREATE ROLE ann; CREATE ROLE grp; GRANT grp TO three');

# Teams with a model, two versions, a run and a snapshot each; ann works in all, three reads three of them, one through a group.
sub fill
{
	my ($database, $teams) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, <<"SQL");
CREATE EXTENSION modelreg;
SELECT modelreg.grant_registry_right('ann', 'admin');
SET ROLE ann;
SELECT count(modelreg.create_team('t' || i)) FROM unnest(ARRAY[$teams]) AS i;
SELECT count(modelreg.create_model('t' || i || '.m', 'open', description => 'some words')) FROM unnest(ARRAY[$teams]) AS i;
SELECT count(modelreg.record_snapshot('t' || i || '.s', '1', schema => '{"a": "int"}')) FROM unnest(ARRAY[$teams]) AS i;
SELECT count(modelreg.record_run('t' || i || '.r', inputs => format('{"training": "snapshot:t%s.s\@1"}', i)::jsonb)) FROM unnest(ARRAY[$teams]) AS i;
SELECT count(modelreg.register_version('t' || i || '.m', format('run:t%s.r', i), description => 'some words', params => '{"lr": 1}', metrics => '{"auc": 1}', tags => '{"a": "b"}',
	artifacts => '[{"name": "a", "uri": "s3://a", "size": 1, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]'))
	FROM unnest(ARRAY[$teams]) AS i, generate_series(1, 2);
SELECT count(modelreg.promote('t' || i || '.m', 1, 'Production')) FROM unnest(ARRAY[$teams]) AS i;
SELECT count(modelreg.set_alias('t' || i || '.m', 'champion', 1)) FROM unnest(ARRAY[$teams]) AS i;
SELECT count(modelreg.begin_upload('t' || i, 5)) FROM unnest(ARRAY[$teams]) AS i;
SELECT modelreg.grant_level('t' || i, 'three', 'reader') FROM unnest(ARRAY[400, 401]) AS i;
SELECT modelreg.grant_level('t402', 'grp', 'reader');
RESET ROLE;
VACUUM ANALYZE;
SQL
}
fill('few', '400, 401, 402');
fill('thousand', join ', ', 1 .. 1000);

# The plan of a statement as somebody ran it, in a session that has run it before. Of so few rows in memory a planner reads all of
# a table rather than to go by an index; with rows that cost more it does what it does with many.
sub plan_of
{
	my ($database, $role, $statement, $before) = @_;
	$before //= $statement;
	my $text = $node->safe_psql($database, "SET ROLE $role;\nSET enable_seqscan = off;\nSET jit = off;\nSET cpu_tuple_cost = 1;\nSET cpu_index_tuple_cost = 1;\n\\o /dev/null\n$before;\n\\o\nEXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) $statement");
	return decode_json($text)->[0]{Plan};
}

# Rows that any part of a plan gave or passed by.
sub rows_seen
{
	my ($plan) = @_;
	my $rows = ($plan->{'Actual Rows'} + ($plan->{'Rows Removed by Filter'} // 0) + ($plan->{'Rows Removed by Join Filter'} // 0) + ($plan->{'Rows Removed by Index Recheck'} // 0)) * $plan->{'Actual Loops'};
	$rows += rows_seen($_) for @{ $plan->{Plans} // [] };
	return $rows;
}

# Rights are looked up anew in a new session; the statement before fills the server's own caches with all but them.
my $look = 'SELECT cardinality(modelreg.readable_teams())';
sub pages { my ($database, $role) = @_; my $plan = plan_of($database, $role, $look, 'SELECT count(*) FROM modelreg.team WHERE false'); return $plan->{'Shared Hit Blocks'} + $plan->{'Shared Read Blocks'}; }
my ($few, $thousand, $all) = (pages('few', 'three'), pages('thousand', 'three'), pages('thousand', 'ann'));
note "pages to look up rights: $few of three teams, $thousand of a thousand; $all by who has levels in all";
cmp_ok($thousand, '<=', $few + 20, 'looking up the rights of three of a thousand teams takes what three take');
cmp_ok($all, '>', 10 * $thousand, 'and not what who has a thousand pays');

for my $view (split /\n/, $node->safe_psql('few', q{SELECT relname FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind = 'v' ORDER BY 1}))
{
	my ($few, $thousand) = map { rows_seen(plan_of($_, 'three', "SELECT * FROM modelreg.$view")) } qw(few thousand);
	note "$view: $few, $thousand";
	cmp_ok($thousand, '<=', 3 * $few + 50, "$view passes by as many rows ($thousand, and $few without the others)");
}
for my $call (q{production('t400.m')}, q{get_version('t401.m', 1)}, q{upstream('models:/t402.m/1')}, q{search_versions()}, q{impact('snapshot:t400.s@1')})
{
	my ($few, $thousand) = map { my $plan = plan_of($_, 'three', "SELECT * FROM modelreg.$call"); $plan->{'Shared Hit Blocks'} + $plan->{'Shared Read Blocks'} } qw(few thousand);
	cmp_ok($thousand, '<=', 2 * $few + 20, "$call reads as many pages ($thousand, and $few)");
}
done_testing();
