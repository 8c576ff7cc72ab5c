# A dump restores, plain and in parallel, into another cluster whose roles were made anew; verify() is clean there and
# registering goes on. TAP because it needs two clusters and the dump programs.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

sub make_node
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
	$node->start;
	return $node;
}

my $roles = 'CREATE ROLE regress_ann LOGIN; CREATE ROLE regress_bob LOGIN';
my $source = make_node('source');
$source->safe_psql('postgres', $roles);
$source->safe_psql('postgres', q{
	CREATE EXTENSION modelreg;
	SELECT modelreg.create_team('search');
	SELECT modelreg.grant_level('search', 'regress_ann', 'maintainer');
	SELECT modelreg.grant_level('search', 'regress_bob', 'evaluator')});
$source->safe_psql('postgres', q{
	SELECT modelreg.create_model('search.reco', 'open', 'ranks "the" home page');
	SELECT modelreg.record_snapshot('search.events', '2026-06-01', schema => '{"user_age": "integer"}', rows => 81230114);
	SELECT modelreg.record_run('search.train', inputs => '{"training": ["snapshot:search.events@2026-06-01"]}');
	SELECT modelreg.begin_upload('search', request_id => 'w', size => 10);
	SELECT modelreg.append_upload(1, 0, '0123456789');
	SELECT modelreg.finish_upload(1);
	SELECT modelreg.register_version('search.reco', run => 'run:search.train', artifacts => '[{"name": "weights", "upload": 1}]',
		metrics => '{"ndcg@10": 0.42, "loss": "NaN", "best": "-Infinity"}', params => '{"lr": 1e-3}', tags => '{"by": "ann"}',
		description => 'first', request_id => 'train-1');
	SELECT modelreg.register_version('search.reco', run => 'run:search.train');
	SELECT modelreg.promote('search.reco', 1, 'Production');
	SELECT modelreg.promote('search.reco', 2, 'Production', 'better');
	SELECT modelreg.set_alias('search.reco', 'champion', 2);
	SELECT modelreg.create_endpoint('search.home', 'search.reco', 2, prediction_days => 30), modelreg.create_endpoint('search.side', 'search.reco', 2);
	SELECT modelreg.promote('search.reco', 1, 'Production', archive_others => false), modelreg.promote('search.reco', 2, 'Production', archive_others => false);
	SELECT modelreg.start_rollout('search.side', split => '{1: 12.5%, 2: 87.5%}', plan => 'linear over 2 hours')},
	extra_params => [ '-U', 'regress_ann' ]);
$source->safe_psql('postgres', q{SELECT modelreg.add_prediction_partitions('2026-06-04', '2026-06-01'), modelreg.add_prediction_partitions('2026-07-01', '2026-06-01', 'month')});
$source->safe_psql('postgres', q{
	SELECT modelreg.record_predictions('search.home', '{"user \"1\"",user-2,user-3}', '{1,2,2}', '{2026-06-01 12:00+00,2026-06-02 00:00+00,2026-06-30 23:59:59+00}',
		'{1.0,NULL,NULL}', ARRAY['{"score": 0.5}', NULL, '"\\\\N"']::jsonb[])},
	extra_params => [ '-U', 'regress_ann' ]);
$source->safe_psql('postgres', q{
	SELECT modelreg.record_evaluation('models:/search.reco/1', 'offline', '{"auc": 0.9}', dataset => 'snapshot:search.events@2026-06-01')},
	extra_params => [ '-U', 'regress_bob' ]);
is($source->safe_psql('postgres', 'SELECT * FROM modelreg.verify(deep => true)'), '', 'the source is clean');
my $question = q{
	SELECT digest FROM modelreg.audit_head();
	SELECT version, uri, permanent_id, etag FROM modelreg.production('search.reco');
	SELECT version, key, value FROM modelreg.tag;
	SELECT endpoint, etag, kind, since FROM modelreg.endpoints ORDER BY endpoint;
	SELECT seq, step, version, share, opens FROM modelreg.traffic_arm ORDER BY endpoint_id, seq, step, version;
	SELECT depth, role, address FROM modelreg.upstream('models:/search.reco/1') ORDER BY 1, 2, 3;
	SELECT p.endpoint, p.request_key, p.at, p.version, p.receipt, p.output, p.recorded_at, b.tableoid::regclass FROM modelreg.predictions p JOIN modelreg.prediction b USING (request_key) ORDER BY p.at};
my $before = $source->safe_psql('postgres', $question);

sub check_restored
{
	my ($node, $how) = @_;
	is($node->safe_psql('postgres', 'SELECT * FROM modelreg.verify(deep => true)'), '', "$how: verify() is clean");
	is($node->safe_psql('postgres', $question), $before, "$how: the answers are those of the source");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind IN ('r', 'p')
		AND NOT relispartition AND has_type_privilege('public', reltype, 'USAGE')}), '0', "$how: row types of tables are nobody's");
	my ($status, $out, $err) = $node->psql('postgres', q{SELECT modelreg.register_version('search.reco')},
		extra_params => [ '-U', 'regress_ann' ]);
	like($err, qr/does not exist or you may not read it/, "$how: a role that was made anew has no right by its name alone");
	$node->safe_psql('postgres', 'SELECT * FROM modelreg.rebind_roles()');
	is($node->safe_psql('postgres', q{SELECT modelreg.register_version('search.reco', artifacts => '[{"name": "weights", "upload": 1}]', tags => '{"after": "restore"}')},
		extra_params => [ '-U', 'regress_ann' ]), '3', "$how: after rebind_roles() registering goes on");
	is($node->safe_psql('postgres', q{SELECT modelreg.register_version('search.reco', run => 'run:search.train', artifacts => '[{"name": "weights", "upload": 1}]',
		metrics => '{"ndcg@10": 0.42, "loss": "NaN", "best": "-Infinity"}', params => '{"lr": 1e-3}', tags => '{"by": "ann"}',
		description => 'first', request_id => 'train-1')}, extra_params => [ '-U', 'regress_ann' ]), '1', "$how: a request id from before the dump still counts");
	is($node->safe_psql('postgres', q{SELECT modelreg.record_run('search.again', inputs => '{"training": ["snapshot:search.events@2026-06-01"]}')},
		extra_params => [ '-U', 'regress_ann' ]), 'run:search.again', "$how: sequences go on");
	is($node->safe_psql('postgres', q{SELECT modelreg.complete_rollout('search.side'), modelreg.rollback('search.side', 'after a restore')->>'split'},
		extra_params => [ '-U', 'regress_ann' ]), '3|{2: 100%}', "$how: a rollout goes on, and back");
	check_partitions($node, $how);
	is($node->safe_psql('postgres', 'SELECT * FROM modelreg.verify(deep => true)'), '', "$how: and verify() is clean still");
}

# Partitions are protected, found, made and dropped as before.
sub check_partitions
{
	my ($node, $how) = @_;
	for my $command ('TRUNCATE modelreg.prediction_20260601', 'DELETE FROM modelreg.prediction_20260601', 'DROP TABLE modelreg.prediction_20260601',
		'ALTER TABLE modelreg.prediction DETACH PARTITION modelreg.prediction_20260601')
	{
		my ($status, $out, $err) = $node->psql('postgres', $command);
		like($err, qr/cannot be (?:truncated|deleted|altered)/, "$how: $command is refused");
	}
	is($node->safe_psql('postgres', q{SELECT modelreg.record_predictions('search.home', '{user-4}', '{1}', '{2026-06-03 00:00+00}')},
		extra_params => [ '-U', 'regress_ann' ]), '1', "$how: predictions are recorded");
	is($node->safe_psql('postgres', q{SELECT modelreg.add_prediction_partitions('2026-07-01', '2026-05-31'), modelreg.drop_prediction_partitions('2026-06-01')}),
		'1|1', "$how: what is missing is made, and dropped");
	is($node->safe_psql('postgres', q{SET ROLE regress_bob; SET enable_seqscan = off;
		EXPLAIN (COSTS OFF) SELECT FROM modelreg.predictions WHERE endpoint_id = 1 AND request_key = 'user-2' AND at >= '2026-06-02' AND at < '2026-06-03'})
		=~ /Index Scan using (\w+) on (\w+)/ ? "$1 $2" : '', 'prediction_20260602_key prediction_20260602', "$how: and found by their index");
}

# Other roles come first in the target, so that OIDs differ.
sub make_target
{
	my ($name) = @_;
	my $node = make_node($name);
	$node->safe_psql('postgres', "CREATE ROLE regress_first; CREATE ROLE regress_second; $roles");
	return $node;
}

my $dir = PostgreSQL::Test::Utils::tempdir();
$source->command_checks_all([ 'pg_dump', '-f', "$dir/plain.sql", 'postgres' ], 0, [qr/^$/],
	[qr/\A(?:pg_dump: warning: unsupported pg_init_privs entry: 1247 \d+ 0\n)*\z/], 'pg_dump, plain, warns of nothing but the row types of tables');
my $plain = make_target('plain');
$plain->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/plain.sql", 'postgres' ], 'psql restores it');
check_restored($plain, 'plain');
$plain->stop;

$source->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/custom.dump", 'postgres' ], 'pg_dump, custom');
my $custom = make_target('custom');
$custom->command_ok([ 'pg_restore', '-e', '-j2', '-d', 'postgres', "$dir/custom.dump" ], 'pg_restore -j2 restores it');
check_restored($custom, 'custom with -j2');

# What a word is depends on the locale: a search may miss old words in a database of another one, but nobody tampered.
my $described = q{SELECT modelreg.set_description('search.reco', E'\\u00c9COLE \\u0130stanbul 300 \\u212a Stra\\u00dfe a\\u2013b 100%%', %d)};
my $from = 'postgres';
my $version = 1;
foreach my $locale ('C', 'C.UTF-8', 'C')
{
	my $to = "locale$version";
	$custom->safe_psql($from, sprintf($described, $version), extra_params => [ '-U', 'regress_ann' ]);
	$custom->safe_psql('postgres', "CREATE DATABASE $to TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE '$locale'");
	$custom->command_ok([ 'pg_dump', '-f', "$dir/$to.sql", $from ], "pg_dump of $from");
	$custom->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/$to.sql", $to ], "psql restores it under locale $locale");
	is($custom->safe_psql($to, 'SELECT * FROM modelreg.verify()'), '', "verify() is clean under locale $locale");
	$from = $to;
	$version++;
}

# Other ways, each into a database of its own in that cluster.
$custom->safe_psql('postgres', 'CREATE ROLE regress_restorer SUPERUSER LOGIN');

sub check_variant
{
	my ($how, $database, @restores) = @_;
	$custom->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0");
	$custom->command_ok([ @$_ ], "$how: " . join ' ', grep { !m{/} } @$_) for @restores;
	is($custom->safe_psql($database, 'SELECT * FROM modelreg.verify(deep => true)'), '', "$how: verify() is clean");
	is($custom->safe_psql($database, $question), $before, "$how: the answers are those of the source");
	is($custom->safe_psql($database, q{SELECT modelreg.create_team('after') > 0}), 't', "$how: a team can be created");
}

for my $option ('--inserts', '--column-inserts')
{
	my $database = 'as' . $option =~ tr/-/_/r;
	$source->command_ok([ 'pg_dump', $option, '-f', "$dir/$database.sql", 'postgres' ], "pg_dump $option");
	check_variant($option, $database, [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/$database.sql", $database ]);
}
$source->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$dir/directory", 'postgres' ], 'pg_dump -Fd -j2');
check_variant('directory', 'directory', [ 'pg_restore', '-e', '-j2', '-d', 'directory', "$dir/directory" ]);
check_variant('in sections', 'sections', map { [ 'pg_restore', '-e', "--section=$_", '-d', 'sections', "$dir/custom.dump" ] } qw(pre-data data post-data));
check_variant('in one transaction', 'single', [ 'pg_restore', '-1', '-d', 'single', "$dir/custom.dump" ]);
$source->command_ok([ 'pg_dump', '-Fc', '--load-via-partition-root', '-f', "$dir/root.dump", 'postgres' ], 'pg_dump --load-via-partition-root');
check_variant('through the root of partitions', 'root', [ 'pg_restore', '-e', '-j2', '-d', 'root', "$dir/root.dump" ]);
check_variant('rows into an extension that is there', 'data_only', [ 'psql', '-X', '-q', '-c', 'CREATE EXTENSION modelreg',
		'-c', q{SELECT modelreg.add_prediction_partitions('2026-06-04', '2026-06-01')}, '-c', q{SELECT modelreg.add_prediction_partitions('2026-07-01', '2026-06-01', 'month')}, 'data_only' ],
	[ 'pg_restore', '-e', '--data-only', '-d', 'data_only', "$dir/custom.dump" ]);
check_variant('by another superuser', 'another', [ 'pg_restore', '-e', '-U', 'regress_restorer', '--no-owner', '--no-acl', '-d', 'another', "$dir/custom.dump" ]);
check_variant('by another superuser, who leaves partitions to theirs', 'owned', [ 'pg_restore', '-e', '-U', 'regress_restorer', '-d', 'owned', "$dir/custom.dump" ]);
check_variant('over another one', 'over', [ 'pg_restore', '-e', '-d', 'over', "$dir/custom.dump" ],
	[ 'env', 'PGOPTIONS=-c modelreg.allow_removal=on', 'pg_restore', '-e', '--clean', '--if-exists', '-d', 'over', "$dir/custom.dump" ]);

done_testing();
