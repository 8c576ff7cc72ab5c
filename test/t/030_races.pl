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

# A history is imported in one transaction: locks do not pile up.
is($node->safe_psql('postgres', q{
	SELECT count(modelreg.record_run('race.run-' || i, request_id => 'run-' || i)) FROM generate_series(1, 20000) AS i}),
	'20000', '20,000 nodes with request ids in one transaction');

is($node->safe_psql('postgres', 'SELECT * FROM modelreg.verify()'), '', 'verify() finds nothing');

done_testing();
