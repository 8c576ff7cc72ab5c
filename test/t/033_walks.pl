# Walks while the lineage grows, is rolled back and is vacuumed, on the primary and on a standby: each equals WITH RECURSIVE under
# the same snapshot. TAP because it needs pgbench and a standby. At full size (make proof) it takes a minute.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

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

done_testing();
