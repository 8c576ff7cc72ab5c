# Walks while the lineage grows, is rolled back and is vacuumed, on the primary and on a standby: each equals WITH RECURSIVE under
# the same snapshot. And walks that are ended by statement_timeout and by pg_cancel_backend(): in their midst, and the session
# goes on. TAP because it needs pgbench, a standby, and one session that ends what another does. At full size (make proof)
# it takes a minute.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $seconds = ($ENV{MODELREG_PROOF} // '') eq 'full' ? 60 : 6;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1, extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "max_connections = 40\nautovacuum = off");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION modelreg;
	SELECT modelreg.create_team('walk');
	SELECT modelreg.record_snapshot('walk.hub', '1');
	SELECT modelreg.record_nodes(array_agg('run:walk.n' || i ORDER BY i), array_agg('{"training": "snapshot:walk.hub@1"}'::jsonb)) FROM generate_series(1, 500) AS i;
	CREATE TABLE checked (walked bigint);

	CREATE FUNCTION some_inputs() RETURNS jsonb LANGUAGE sql AS $$
		SELECT jsonb_build_object('training', 'snapshot:walk.hub@1', 'base', jsonb_agg('run:walk.' || name)) FROM (SELECT name FROM modelreg.node
			WHERE kind = 'run' AND id > (SELECT max(id) FROM modelreg.node) - 200 ORDER BY random() LIMIT 2) AS recent
	$$;
	-- the ids that a walk finds, and those of WITH RECURSIVE; an error unless they are the same
	CREATE FUNCTION check_walk(start text, up boolean) RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE
		walked bigint[];
		reached bigint[];
	BEGIN
		SELECT array_agg(DISTINCT w.node_id ORDER BY w.node_id) INTO walked FROM (SELECT node_id FROM modelreg.upstream(start) WHERE up
			UNION ALL SELECT node_id FROM modelreg.downstream(start) WHERE NOT up) AS w;
		WITH RECURSIVE r AS (
			SELECT node_id AS id FROM modelreg.lineage_nodes WHERE address = start
			UNION
			SELECT CASE WHEN up THEN e.parent ELSE e.child END FROM r JOIN modelreg.edge e ON r.id = CASE WHEN up THEN e.child ELSE e.parent END
		)
		SELECT array_agg(id ORDER BY id) INTO reached FROM r WHERE id <> (SELECT node_id FROM modelreg.lineage_nodes WHERE address = start);
		IF walked IS DISTINCT FROM reached THEN
			RAISE EXCEPTION 'the walk has % nodes, not %', cardinality(walked), cardinality(reached);
		END IF;
		RETURN cardinality(walked);
	END $$});

my %files = (
	'033_record@8' => q{SELECT modelreg.record_run('walk.' || gen_random_uuid(), inputs => some_inputs());},
	'033_roll_back@3' => q{
		BEGIN;
		SELECT modelreg.record_run('walk.' || gen_random_uuid(), inputs => some_inputs());
		SAVEPOINT s;
		SELECT modelreg.record_run('walk.' || gen_random_uuid(), inputs => some_inputs());
		ROLLBACK TO s;
		SELECT modelreg.record_run('walk.' || gen_random_uuid(), inputs => some_inputs());
		ROLLBACK;},
	'033_vacuum@1' => q{VACUUM (INDEX_CLEANUP on) modelreg.edge;},
	'033_walk@2' => q{
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		SELECT modelreg.record_run('walk.' || gen_random_uuid(), inputs => some_inputs());
		INSERT INTO checked SELECT check_walk('snapshot:walk.hub@1', false);
		SELECT check_walk((SELECT 'run:walk.' || name FROM modelreg.node WHERE kind = 'run' ORDER BY id DESC LIMIT 1), true);
		COMMIT;});

my $standby = PostgreSQL::Test::Cluster->new('standby');
$node->backup('base');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nmax_standby_streaming_delay = -1");
$standby->start;
my $script = $node->basedir . '/walk.sql';
append_to_file($script, q{
	BEGIN ISOLATION LEVEL REPEATABLE READ;
	SELECT check_walk('snapshot:walk.hub@1', false);
	SELECT check_walk((SELECT 'run:walk.' || name FROM modelreg.node WHERE kind = 'run' ORDER BY id DESC LIMIT 1), true);
	COMMIT;});
my ($out, $err) = ('', '');
my $reader = IPC::Run::start([ 'pgbench', '-n', '-c', '2', '-T', $seconds, '-f', $script, '-h', $standby->host, '-p', $standby->port, 'postgres' ], '>', \$out, '2>', \$err);

$node->pgbench("--no-vacuum --client=6 --time=$seconds", 0, [qr{number of failed transactions: 0|actually processed}], [qr{^$}],
	'walks on the primary equal WITH RECURSIVE while others record, roll back and vacuum', \%files);
ok($reader->finish, 'and so do walks on a standby') or diag($err);
my ($processed) = $out =~ /actually processed: (\d+)/;
cmp_ok($processed // 0, '>', 0, 'which were some');
note("standby: $processed walks; primary: " . $node->safe_psql('postgres', q{SELECT count(*) || ' walks, of ' || max(walked) || ' nodes at last' FROM checked}));
cmp_ok($node->safe_psql('postgres', 'SELECT count(DISTINCT walked) FROM checked'), '>', 1, 'the lineage grew meanwhile');
is($node->safe_psql('postgres', 'SELECT * FROM modelreg.verify()'), '', 'verify() is clean');
$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
is($standby->safe_psql('postgres', q{SELECT check_walk('snapshot:walk.hub@1', false)}), $node->safe_psql('postgres', q{SELECT check_walk('snapshot:walk.hub@1', false)}),
	'both have the same nodes at the end');

# A chain of runs, each made from one snapshot as well: every walk below goes over all of it.
my $runs = 80_000;
$node->safe_psql('postgres', q{
	SELECT modelreg.create_team('wide'), modelreg.create_model('wide.model', 'open'), modelreg.record_snapshot('wide.hub', '1'), modelreg.record_run('wide.n0');
	SELECT modelreg.record_nodes(array_agg('run:wide.n' || i ORDER BY i), array_agg(jsonb_build_object('training', 'snapshot:wide.hub@1', 'base', 'run:wide.n' || i - 1) ORDER BY i))
		FROM generate_series(1, } . $runs . q{) AS i;
	SELECT modelreg.register_version('wide.model', run => 'run:wide.n' || i) FROM unnest(ARRAY[1, } . $runs . q{]) AS i;
	SELECT modelreg.promote('wide.model', 2, 'Production');
	VACUUM ANALYZE modelreg.edge;
	CREATE EXTENSION pg_buffercache});
my $last = "run:wide.n$runs";
# Each walk, and how many rows it has; 'again' makes each call one of its own, and comes from the select list: in FROM all rows
# of generate_series() would be made before the first walk begins.
my %walks = (
	upstream => "(SELECT count(*) FROM modelreg.upstream('$last' || again))",
	downstream => "(SELECT count(*) FROM modelreg.downstream('snapshot:wide.hub\@1' || again))",
	upstream_ids => "cardinality(modelreg.upstream_ids('$last' || again))",
	downstream_ids => "cardinality(modelreg.downstream_ids('snapshot:wide.hub\@1' || again, roles => '{training,run}'))",
	lineage => "(SELECT count(*) FROM modelreg.lineage('run:wide.n9' || again))",
	path => "(SELECT count(*) FROM modelreg.path('$last' || again, 'run:wide.n0'))",
	path_nodes => "(SELECT count(*) FROM modelreg.path_nodes('$last' || again, 'run:wide.n0'))",
	is_derived_from => "modelreg.is_derived_from('$last' || again, 'run:wide.n0')",
	common_upstream => "(SELECT count(*) FROM modelreg.common_upstream('$last' || again, 'models:/wide.model/2'))",
	impact => "(SELECT count(*) FROM modelreg.impact('run:wide.n0' || again))",
	'impact of what is current' => "(SELECT count(*) FROM modelreg.impact('run:wide.n0' || again, true))",
	lineage_diff => "(SELECT count(*) FROM modelreg.lineage_diff('models:/wide.model/1' || again, 'models:/wide.model/2'))",
	search_versions => "(SELECT count(*) FROM modelreg.search_versions(snapshot => 'snapshot:wide.hub\@1' || again))");
sub answer { my ($walk) = @_; return "SELECT $walks{$walk} FROM (VALUES ('')) AS a(again)"; }
sub for_ever { my ($walk) = @_; return "SELECT count($walks{$walk}) FROM (SELECT left(generate_series(1, 1000000000)::text, 0) AS again) AS a"; }
unlike($node->safe_psql('postgres', 'EXPLAIN ' . for_ever('upstream')), qr/Scan on generate_series/, 'what goes on for ever begins with a walk');
my %answers = map { $_ => $node->safe_psql('postgres', answer($_)) } sort keys %walks;
is(join(' ', map { "$_ $answers{$_}," } sort keys %answers), join(' ', map { "$_," } "common_upstream " . ($runs + 2), "downstream " . ($runs + 2), "downstream_ids " . ($runs + 2), 'impact 2', 'impact of what is current 1',
	'is_derived_from t', 'lineage ' . ($runs + 2), "lineage_diff $runs", "path " . ($runs + 1), "path_nodes " . ($runs + 1), 'search_versions 2', "upstream " . ($runs + 1), "upstream_ids " . ($runs + 1)), 'what the walks answer');

my $from = -s $node->logfile;
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $other = $node->background_psql('postgres');
my $pid = $session->query_safe('SELECT pg_backend_pid()');
# What the session said when a statement failed, with the SQLSTATE.
sub error
{
	my ($error) = $session->{stderr} =~ /ERROR:  (\w{5}: [^\n]*)/;
	$session->{stderr} = '';
	return $error // 'nothing';
}
sub said { my ($sql) = @_; $session->query($sql); return error(); }
# Of the lineage the session locks nothing and pins no page.
my $held = q{SELECT (SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'modelreg'::regnamespace),
	(SELECT count(*) FROM pg_buffercache b JOIN pg_class c ON b.relfilenode = pg_relation_filenode(c.oid) WHERE c.relnamespace = 'modelreg'::regnamespace AND b.pinning_backends > 0)};
$session->query_safe('\set VERBOSITY verbose');
# Who writes a page for the server pins it too, for a moment.
sub held
{
	my $found;
	for (1 .. 100)
	{
		$found = $session->query_safe($held);
		last if $found eq '0|0';
		sleep 0.1;
	}
	return $found;
}

# A walk that would see too many nodes ends by that error, unless the time is over first: so it was ended in its midst.
for my $walk (qw(upstream downstream upstream_ids downstream_ids path path_nodes is_derived_from common_upstream impact lineage_diff))
{
	is(said(answer($walk)), 'nothing', "$walk passes");
	$session->query_safe("SET modelreg.max_lineage_nodes = $runs");
	like(said(answer($walk)), qr/^54000: the walk visits more than $runs nodes/, "$walk ends at its last node");
	# Local, so that no other statement is under it.
	$session->query_safe('BEGIN; SET LOCAL statement_timeout = 1');
	is(said(answer($walk)), '57014: canceling statement due to statement timeout', "$walk is ended before by statement_timeout");
	$session->query_safe('ROLLBACK; RESET modelreg.max_lineage_nodes');
}

# By another session, while one walk goes after the other: alone, and in a cursor in a savepoint, whose transaction goes on.
sub cancelled
{
	my ($sql) = @_;
	$session->query_until(qr/begun/, "\\echo begun\n$sql;\n");
	$node->poll_query_until('postgres', "SELECT state = 'active' AND query ~ '1000000000|FETCH' FROM pg_stat_activity WHERE pid = $pid") or die 'it does not run';
	sleep(rand 0.1);
	$other->query_safe("SELECT pg_cancel_backend($pid)");
	$session->query('');
	return error();
}
for my $walk (sort keys %walks)
{
	for my $round (1 .. (($ENV{MODELREG_PROOF} // '') eq 'full' ? 20 : 1))
	{
		is(cancelled(for_ever($walk)), '57014: canceling statement due to user request', "$walk is cancelled");
		is($session->query_safe(answer($walk)), $answers{$walk}, 'and answers as before');
		$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SAVEPOINT s; DECLARE c CURSOR FOR ' . for_ever($walk));
		is(cancelled('FETCH c'), '57014: canceling statement due to user request', 'it is cancelled in a cursor');
		$session->query_safe('ROLLBACK TO s');
		is(held(), '0|0', 'of which nothing stays');
		is($session->query_safe(answer($walk)), $answers{$walk}, 'and answers in the same transaction');
		$session->query_safe('COMMIT');
	}
}
$session->quit;
$other->quit;
unlike(substr(slurp_file($node->logfile), $from), qr/WARNING|leak|PANIC|TRAP|was terminated/, 'nothing leaked');
is($node->safe_psql('postgres', 'SELECT * FROM modelreg.verify()'), '', 'verify() is clean');

done_testing();
