# Many sessions on one model and on two: numbers without a gap, one current version, no error but the documented retryable
# ones. TAP because it needs pgbench.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "max_connections = 40\ndeadlock_timeout = 20ms");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION modelreg;
	SELECT modelreg.create_team('race');
	SELECT modelreg.create_model('race.one', 'open'), modelreg.create_model('race.two', 'open');
	SELECT modelreg.register_version('race.one') FROM generate_series(1, 8);
	SELECT modelreg.register_version('race.two') FROM generate_series(1, 8)});

# Eight clients register versions of one model, each in a transaction of its own.
$node->pgbench('--no-vacuum --client=8 --transactions=50', 0, [qr{processed: 400/400}], [qr{^$}],
	'eight clients register versions of one model without an error',
	{ '030_register' => q{SELECT modelreg.register_version('race.one', metrics => '{"auc": 0.5}', params => '{"lr": 0.1}');} });
is($node->safe_psql('postgres', q{
	SELECT count(*), min(version), max(version), count(DISTINCT version) FROM modelreg.version v JOIN modelreg.model m ON m.id = v.model_id WHERE m.name = 'one'}),
	'408|1|408|408', 'the numbers are 1..n without a gap');

# Some of the registrations are rolled back, also to a savepoint: no number is lost.
$node->pgbench('--no-vacuum --client=8 --transactions=20', 0, [qr{processed: 160/160}], [qr{^$}],
	'rolled back registrations, whole and to a savepoint',
	{ '030_rollback' => q{
		BEGIN;
		SELECT modelreg.register_version('race.one');
		ROLLBACK;
		BEGIN;
		SAVEPOINT s;
		SELECT modelreg.register_version('race.one');
		ROLLBACK TO s;
		SELECT modelreg.register_version('race.one');
		COMMIT;} });
is($node->safe_psql('postgres', q{
	SELECT count(*), max(version) FROM modelreg.version v JOIN modelreg.model m ON m.id = v.model_id WHERE m.name = 'one'}),
	'568|568', 'take no number with them');

# Eight clients promote versions of one model at once.
$node->pgbench('--no-vacuum --client=8 --transactions=50', 0, [qr{processed: 400/400}], [qr{^$}],
	'eight clients promote versions of one model without an error',
	{ '030_promote' => q{
		\set v random(1, 8)
		SELECT modelreg.promote('race.one', :v, 'Production');} });
is($node->safe_psql('postgres', q{
	SELECT count(*), bool_and(v.version = p.version) FROM modelreg.versions v JOIN modelreg.production_now p USING (model) WHERE v.model = 'race.one' AND v.stage = 'Production'}),
	'1|t', 'one version is in Production, the current one');

# Verbs on two models in opposite order inside transactions: only what is documented as retryable, and pgbench's retries end it.
$node->pgbench('--no-vacuum --client=8 --transactions=10 --max-tries=1000', 0, [qr{processed: 80/80}], [qr{^$}],
	'two models in opposite order: nothing but deadlocks, which a retry ends',
	{ '030_forth' => q{
		\set v random(1, 8)
		BEGIN;
		SELECT modelreg.promote('race.one', :v, 'Production');
		SELECT modelreg.promote('race.two', :v, 'Production');
		COMMIT;},
	  '030_back' => q{
		\set v random(1, 8)
		BEGIN;
		SELECT modelreg.promote('race.two', :v, 'Production');
		SELECT modelreg.register_version('race.one');
		SELECT modelreg.promote('race.one', :v, 'Production');
		COMMIT;} });

# REPEATABLE READ and SERIALIZABLE: 40001, which a retry ends.
for my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	(my $name = lc $level) =~ tr/ /_/;
	$node->pgbench('--no-vacuum --client=4 --transactions=20 --max-tries=1000', 0, [qr{processed: 80/80}], [qr{^$}],
		"$level: nothing but what a retry ends",
		{ "030_$name" => qq{
			\\set v random(1, 8)
			BEGIN ISOLATION LEVEL $level;
			SELECT modelreg.register_version('race.two', tags => '{"by": "pgbench"}');
			SELECT modelreg.promote('race.two', :v, 'Production');
			COMMIT;} });
}
is($node->safe_psql('postgres', q{
	SELECT count(*) - max(version) FROM modelreg.version GROUP BY model_id}), "0\n0", 'numbers are without a gap still');

# One request id, eight clients: one version.
$node->pgbench('--no-vacuum --client=8 --transactions=5', 0, [qr{processed: 40/40}], [qr{^$}],
	'a request id in eight sessions at once',
	{ '030_request' => q{SELECT modelreg.register_version('race.two', request_id => 'same');} });
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM modelreg.version WHERE request_id = 'same'}), '1', 'registers one version');

# Each client quarantines what one of eight versions derives from, and looks twice at what was promoted with it after its commit:
# nothing came meanwhile. Then it lifts it, and promotes whatever is not quarantined at the moment.
$node->safe_psql('postgres', q{
	SELECT modelreg.grant_level('race', current_user, 'reviewer');
	SELECT modelreg.create_model('race.q' || n, 'open'), modelreg.record_snapshot('race.data', n::text) FROM generate_series(0, 7) n;
	SELECT modelreg.register_version('race.q' || n, inputs => jsonb_build_object('training', 'snapshot:race.data@' || n)) FROM generate_series(0, 7) n;
	SELECT modelreg.register_version('race.q' || n) FROM generate_series(0, 7) n;
	CREATE FUNCTION try_promote(n integer, version integer) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM modelreg.promote('race.q' || n, version, 'Production');
	EXCEPTION WHEN object_not_in_prerequisite_state THEN
		NULL;
	END $$;
	CREATE FUNCTION promoted(n integer) RETURNS bigint LANGUAGE sql AS $$
		SELECT count(*) FROM modelreg.production_history WHERE model = 'race.q' || n AND version = 1 $$});
$node->pgbench('--no-vacuum --client=8 --transactions=40 --max-tries=1000', 0, [qr{processed: 320/320}], [qr{^$}],
	'eight clients quarantine and promote: nothing is promoted after a quarantine is committed',
	{ '030_quarantine' => q{
		\set n :client_id
		\set other random(0, 7)
		\set v random(1, 2)
		SELECT modelreg.quarantine('snapshot:race.data@' || :n, 'race');
		SELECT promoted(:n) AS before \gset
		SELECT try_promote(:other, :v);
		SELECT try_promote(:other, 3 - :v);
		SELECT 1 / (promoted(:n) = :before)::integer;
		SELECT modelreg.lift_quarantine('snapshot:race.data@' || :n, 'race');
		BEGIN;
		SELECT try_promote(:n, 1);
		SELECT try_promote(:other, :v);
		COMMIT;} });
is($node->safe_psql('postgres', q{
	SELECT count(*) > 20 FROM modelreg.production_history WHERE model LIKE 'race.q%' AND version = 1}), 't', 'and something was promoted');

# Those who LISTEN are told by ids: of the node, and of the model whose current version derives from it, and of no other.
$node->safe_psql('postgres', q{
	SELECT modelreg.promote('race.q' || n, n % 2 + 1, 'Production') FROM generate_series(0, 7) n});
my ($data, $other, $model) = split /\|/, $node->safe_psql('postgres', q{
	SELECT (SELECT node_id FROM modelreg.lineage_nodes WHERE address = 'snapshot:race.data@0'), (SELECT node_id FROM modelreg.lineage_nodes WHERE address = 'snapshot:race.data@1'),
		(SELECT model_id FROM modelreg.models WHERE model = 'race.q0')});
my @told = $node->safe_psql('postgres', q{
	LISTEN modelreg;
	LISTEN modelreg_quarantine;
	SELECT modelreg.quarantine('snapshot:race.data@0', 'told') > 0;
	SELECT modelreg.quarantine('snapshot:race.data@1', 'told') > 0}) =~ /notification "(\w+)" with payload "(\d+)"/g;
is("@told", "modelreg_quarantine $data modelreg $model modelreg_quarantine $other", 'who listens is told of the nodes, and of the model that has one in Production');

# So they are of an emergency and of endpoints: each change of one is told to those who listen for it, and to those who listen for all;
# a subtransaction that is undone says nothing.
my ($endpoint, $elsewhere) = split /\|/, $node->safe_psql('postgres', q{
	SELECT modelreg.create_policy('race', 'fire', modelreg.policy_document(NULL, 'open', 1) || '{"emergency": {"levels": ["maintainer"]}}');
	SELECT modelreg.allow_policy('race', 'fire', 1);
	SELECT modelreg.create_model('race.fire', 'fire') > 0, modelreg.register_version('race.fire'), modelreg.register_version('race.fire'), modelreg.promote('race.fire', 1, 'Production') > 0;
	SELECT modelreg.create_endpoint('race.home', model => 'race.fire') || '|' || modelreg.create_endpoint('race.away', model => 'race.fire');
}) =~ /(\d+\|\d+)$/ ? $1 : ();
my $fire = $node->safe_psql('postgres', q{SELECT model_id FROM modelreg.models WHERE model = 'race.fire'});
@told = $node->safe_psql('postgres', q{
	LISTEN modelreg_emergency;
	SELECT modelreg.emergency_promote('race.fire', 2, 'Production', 'fire') > 0;
	SELECT modelreg.emergency_promote('race.fire', 2, 'Production', 'fire') > 0;
	BEGIN;
	SAVEPOINT s;
	SELECT modelreg.emergency_promote('race.fire', 1, 'Production', 'fire again') > 0;
	ROLLBACK TO s;
	COMMIT}) =~ /notification "(\w+)" with payload "(.*?)"/g;
is("@told", "modelreg_emergency $fire", 'who listens is told of the model that an emergency was about, once');
@told = $node->safe_psql('postgres', qq{
	LISTEN modelreg_endpoints;
	LISTEN modelreg_endpoint_$endpoint;
	SELECT modelreg.start_rollout('race.home', version => 2, plan => 'all at once');
	SELECT modelreg.start_rollout('race.home', version => 2, plan => 'all at once');
	SELECT modelreg.start_rollout('race.away', version => 2, plan => 'all at once');
	BEGIN;
	SAVEPOINT s;
	SELECT modelreg.retire_endpoint('race.away');
	ROLLBACK TO s;
	COMMIT;
	SELECT modelreg.retire_endpoint('race.home')}) =~ /notification "(\w+)" with payload "(.*?)"/g;
is("@told", "modelreg_endpoint_$endpoint $endpoint 2 modelreg_endpoints $endpoint 2 modelreg_endpoints $elsewhere 2 modelreg_endpoint_$endpoint $endpoint 2 modelreg_endpoints $endpoint 2",
	'who listens for an endpoint is told of its changes alone, and who listens for all of all');

# A history is imported in one transaction: locks do not pile up.
is($node->safe_psql('postgres', q{
	SELECT count(modelreg.record_run('race.run-' || i, request_id => 'run-' || i)) FROM generate_series(1, 20000) AS i}),
	'20000', '20,000 nodes with request ids in one transaction');

is($node->safe_psql('postgres', 'SELECT * FROM modelreg.verify()'), '', 'verify() finds nothing');

done_testing();
