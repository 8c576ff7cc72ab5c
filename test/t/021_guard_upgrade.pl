# pg_upgrade makes every object of the extension anew, triggers and event triggers included, in a server in which the guard
# has to stand aside; afterwards it stands again. TAP because it needs two servers.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @init = (extra => [ '--encoding=UTF8', '--no-locale' ]);
my $old = PostgreSQL::Test::Cluster->new('old');
$old->init(@init);
$old->start;
$old->safe_psql('postgres', q{CREATE EXTENSION modelreg;
	SELECT modelreg.create_team('search');
	SELECT modelreg.create_model('search.model', policy => 'open');
	SELECT modelreg.begin_upload('search', 7) AS upload \gset
	SELECT modelreg.append_upload(:upload, 0, 'weights');
	SELECT modelreg.finish_upload(:upload);
	SELECT modelreg.register_version('search.model', artifacts => format('[{"name": "w", "upload": %s}]', :upload)::jsonb);
	SELECT modelreg.promote('search.model', 1, 'Production');
	SELECT modelreg.create_endpoint('search.home', 'search.model');
	SELECT modelreg.add_prediction_partitions('2026-06-03', '2026-06-01');
	SELECT modelreg.record_predictions('search.home', '{user-1,user-2}', '{1,1}', '{2026-06-01 12:00+00,2026-06-02 12:00+00}');
	CREATE INDEX added ON modelreg.event (kind)});
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init(@init);
my ($bindir) = run_command([ 'pg_config', '--bindir' ]);
chdir ${PostgreSQL::Test::Utils::tmp_check};
command_ok(
	[
		'pg_upgrade', '--no-sync',
		'-b' => $bindir, '-B' => $bindir,
		'-d' => $old->data_dir, '-D' => $new->data_dir,
		'-p' => $old->port, '-P' => $new->port,
		'-s' => $new->host
	],
	'pg_upgrade');

$new->start;
is($new->safe_psql('postgres', 'SELECT object, detail FROM modelreg.verify(NULL, true)'), '', 'verify() is clean');
is($new->safe_psql('postgres', q{SELECT version FROM modelreg.production('search.model')}), '1', 'production() answers');
like(($new->psql('postgres', 'DROP EXTENSION modelreg'))[2], qr/belongs to modelreg and cannot be (altered or )?dropped/, 'drops are refused');
like(($new->psql('postgres', 'DELETE FROM modelreg.event'))[2], qr/rows of modelreg\.event cannot be deleted/, 'changes too');
like(($new->psql('postgres', 'DROP INDEX modelreg.event_team_at'))[2],
	qr/index modelreg\.event_team_at belongs to modelreg/, 'our indexes are still known');
is(($new->psql('postgres', 'DROP INDEX modelreg.added'))[0], 0, 'and those of others');
is($new->safe_psql('postgres', q{SELECT modelreg.register_version('search.model')}), '2', 'registering goes on');
is($new->safe_psql('postgres', q{SELECT string_agg(request_key, ',' ORDER BY at) FROM modelreg.predictions}), 'user-1,user-2', 'predictions are there');
like(($new->psql('postgres', 'TRUNCATE modelreg.prediction_20260601'))[2], qr/cannot be truncated/, 'and protected');
like(($new->psql('postgres', 'DROP TABLE modelreg.prediction_20260601'))[2], qr/belongs to modelreg/, 'so are their partitions');
is($new->safe_psql('postgres', q{SELECT modelreg.add_prediction_partitions('2026-06-04', '2026-06-01'), modelreg.drop_prediction_partitions('2026-06-02')}),
	'1|1', 'which are made and dropped');
is($new->safe_psql('postgres', 'SELECT object, detail FROM modelreg.verify(NULL, true)'), '', 'verify() is clean still');

done_testing();
