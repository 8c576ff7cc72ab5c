# What depends on time and on other servers: decisions that commit too late, PREPARE, answers that become final, a clock
# that fell behind, and all the same on a hot standby. TAP because it needs settings of the server, and a standby.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ], allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'modelreg'
max_prepared_transactions = 5
modelreg.max_decision_delay = 500ms
modelreg.max_clock_skew = 200ms});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION modelreg;
	CREATE ROLE regress_ann LOGIN;
	SELECT modelreg.create_team('search');
	SELECT modelreg.grant_level('search', 'regress_ann', 'reader');
	SELECT modelreg.create_model('search.reco', 'open');
	SELECT modelreg.register_version('search.reco') FROM generate_series(1, 3);
	SELECT modelreg.promote('search.reco', 1, 'Production');
	SELECT modelreg.create_model('search.served', 'open');
	SELECT modelreg.promote('search.served', modelreg.register_version('search.served'), 'Production', archive_others => false) FROM generate_series(1, 2);
	SELECT modelreg.create_endpoint('search.home', 'search.served', 1), modelreg.start_rollout('search.home', 2, plan => 'all at once')});
my $current = q{SELECT version FROM modelreg.production('search.reco')};

my ($status, $out, $err) = $node->psql('postgres', q{ALTER SYSTEM SET modelreg.max_decision_delay = '5s'; SELECT pg_reload_conf()});
is($node->safe_psql('postgres', 'SHOW modelreg.max_decision_delay'), '500ms', 'a preloaded library takes the settings of time at start alone');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET modelreg.max_decision_delay');

# A decision that commits too late is none.
for my $how ([ 'explicit', q{BEGIN; SELECT modelreg.promote('search.reco', 2, 'Production'); SELECT pg_sleep(0.8); COMMIT} ],
	[ 'in a savepoint', q{BEGIN; SAVEPOINT s; SELECT modelreg.promote('search.reco', 2, 'Production'); RELEASE s; SELECT pg_sleep(0.8); COMMIT} ],
	[ 'in one statement', q{SELECT modelreg.promote('search.reco', 2, 'Production'), pg_sleep(0.8)} ])
{
	($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$how->[1]");
	like($err, qr/40001: transaction was open for too long after a decision/, "a decision that commits too late, $how->[0], is 40001");
	is($node->safe_psql('postgres', $current), '1', 'and changed nothing');
}
is($node->safe_psql('postgres', qq{
	BEGIN; SAVEPOINT s; SELECT modelreg.promote('search.reco', 2, 'Production') > 0; ROLLBACK TO s; SELECT pg_sleep(0.8); COMMIT; $current}),
	"t\n\n1", 'one that was rolled back to a savepoint does not count');
is($node->safe_psql('postgres', q{
	BEGIN; SELECT modelreg.register_version('search.reco'); SELECT pg_sleep(0.8); COMMIT}), "4\n", 'a registration may take its time');

# So it is with the traffic: whoever routed meanwhile was not told, and what is said of a past time does not change.
my $serves = q{SELECT string_agg(version || ': ' || share, ', ') FROM modelreg.serving('search.home')};
for my $verb (q{modelreg.start_rollout('search.home', 1, plan => 'all at once')}, q{modelreg.rollback('search.home', 'worse')}, q{modelreg.rollback('{search.home}'::text[], 'worse')},
	q{modelreg.create_endpoint('search.other', 'search.served', 1)}, q{modelreg.retire_endpoint('search.home')}, q{modelreg.follow('search.home', 'all at once')})
{
	($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nBEGIN; SELECT $verb; SELECT pg_sleep(0.8); COMMIT");
	like($err, qr/40001: transaction was open for too long after a decision/, "$verb that commits too late is 40001");
}
is($node->safe_psql('postgres', "$serves; SELECT count(*) FROM modelreg.endpoints"), "2: 1000000\n1", 'and all serves as before');

# What registered, decided or recorded is not prepared.
for my $verb (q{modelreg.register_version('search.reco')}, q{modelreg.promote('search.reco', 2, 'Production')}, q{modelreg.record_run('search.train')}, q{modelreg.set_tag('search.reco', 'a', 'b')},
	q{modelreg.start_rollout('search.home', 1, plan => 'canary')}, q{modelreg.rollback('search.home', 'worse')}, q{modelreg.rollback('{search.home}'::text[], 'worse')}, q{modelreg.create_endpoint('search.other', 'search.served', 1)},
	q{modelreg.retire_endpoint('search.home')}, q{modelreg.follow('search.home', 'all at once')})
{
	($status, $out, $err) = $node->psql('postgres', "BEGIN; SELECT $verb; PREPARE TRANSACTION 'p'");
	like($err, qr/cannot PREPARE a transaction that registered, recorded or decided something in the registry/, "PREPARE after $verb is refused");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), '0', 'and leaves nothing prepared');
is($node->safe_psql('postgres', q{BEGIN; SAVEPOINT s; SELECT modelreg.register_version('search.reco') > 0; ROLLBACK TO s; PREPARE TRANSACTION 'p';
	ROLLBACK PREPARED 'p'}), 't', 'a registration that was rolled back to a savepoint is none');

# An answer becomes final when no decision for that time can commit any more, and not while a writer is in progress.
my ($then, $just_now) = split /\|/, $node->safe_psql('postgres',
	q{SELECT at, concat_ws(' ', version, final) FROM (SELECT clock_timestamp() AS at OFFSET 0) t, modelreg.production('search.reco', at)});
is($just_now, '1 f', 'an answer of just now is not final');
$node->safe_psql('postgres', 'SELECT pg_sleep(1)');
is($node->safe_psql('postgres', qq{SELECT version, final FROM modelreg.production('search.reco', '$then')}), '1|t', 'after the delay it is');
my $writer = $node->background_psql('postgres', on_error_stop => 0);
my $meanwhile;
# Whoever is too slow to look in the time that a decision may take does it once more.
for (1 .. 20)
{
	$writer->query('BEGIN');
	$writer->query(q{SELECT modelreg.promote('search.reco', 3, 'Production')});
	$meanwhile = $node->safe_psql('postgres', qq{SELECT version, final FROM modelreg.production('search.reco', '$then')});
	$writer->query('COMMIT');
	last if $writer->{stderr} !~ /transaction was open for too long after a decision/;
	$writer->{stderr} = '';
}
is($writer->{stderr}, '', 'somebody decides');
is($meanwhile, '1|f', 'until then nothing is final');
$writer->quit;
is($node->safe_psql('postgres', qq{SELECT version, final FROM modelreg.production('search.reco', '$then')}), '1|t', 'and again when he is done');
is($node->safe_psql('postgres', $current), '3', 'who decided what is current now');
my $old = $node->background_psql('postgres');
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$old->query_safe($current);
$node->safe_psql('postgres', q{SELECT modelreg.promote('search.reco', 1, 'Production')});
$then = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
$node->safe_psql('postgres', 'SELECT pg_sleep(1)');
is($old->query_safe(qq{SELECT version, final FROM modelreg.production('search.reco', '$then')}), '3|f', 'not for a snapshot that does not see the last decision');
$old->quit;
is($node->safe_psql('postgres', qq{SELECT version, final FROM modelreg.production('search.reco', '$then')}), '1|t', 'which a new one sees');

# The last event is in the future, as after a clock that was set back: no event may come before it.
$node->safe_psql('postgres', q{
	SET session_replication_role = replica;
	SET allow_system_table_mods = on;
	UPDATE pg_trigger SET tgenabled = 'D' WHERE tgrelid = 'modelreg.model'::regclass;
	UPDATE modelreg.model SET head_at = clock_timestamp() + interval '1 hour' WHERE name = 'reco'});
($status, $out, $err) = $node->psql('postgres', q{SELECT modelreg.promote('search.reco', 2, 'Production')});
like($err, qr/the server's clock is behind the last event/, 'a clock far behind the last event is an error');
isnt($node->safe_psql('postgres', q{SELECT * FROM modelreg.verify('search.reco')}), '', 'and verify() finds the forged time');
$node->safe_psql('postgres', q{
	SET session_replication_role = replica;
	UPDATE modelreg.model SET head_at = (SELECT max(at) FROM modelreg.event WHERE chain = 5) WHERE name = 'reco';
	SET allow_system_table_mods = on;
	UPDATE pg_trigger SET tgenabled = 'A' WHERE tgrelid = 'modelreg.model'::regclass});
is($node->safe_psql('postgres', q{SELECT * FROM modelreg.verify()}), '', 'put right, it is clean');

# A hot standby answers what the primary answers, to who may read it, and writes nothing.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{SELECT modelreg.promote('search.reco', 2, 'Production')});
$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
my @reader = (extra_params => [ '-U', 'regress_ann' ]);
for my $question ($current, q{SELECT version FROM modelreg.previous('search.reco')},
	q{SELECT count(*) > 5, count(DISTINCT team) FROM modelreg.events}, q{SELECT model, version, stage FROM modelreg.versions ORDER BY 2},
	q{SELECT * FROM modelreg.production_history ORDER BY number}, q{SELECT address FROM modelreg.upstream('models:/search.reco/1')},
	qq{SELECT version, final FROM modelreg.production('search.reco', '$then')}, q{SELECT * FROM modelreg.my_rights()})
{
	is($standby->safe_psql('postgres', $question, @reader), $node->safe_psql('postgres', $question, @reader), "standby: $question");
}
is($standby->safe_psql('postgres', 'SELECT * FROM modelreg.verify(deep => true)'), '', 'standby: verify() is clean');
is($standby->safe_psql('postgres', 'SELECT digest FROM modelreg.audit_head()'), $node->safe_psql('postgres', 'SELECT digest FROM modelreg.audit_head()'), 'standby: the same head');
($status, $out, $err) = $standby->psql('postgres', q{SELECT modelreg.promote('search.reco', 1, 'Production')});
like($err, qr/cannot execute promote.* (in a read-only transaction|during recovery)/, 'standby: a verb is refused');
$node->safe_psql('postgres', q{SELECT modelreg.revoke_level('search', 'regress_ann', 'reader')});
$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
($status, $out, $err) = $standby->psql('postgres', $current, @reader);
like($err, qr/does not exist or you may not read it/, 'standby: a revoked right is gone');
$standby->promote;
is($standby->safe_psql('postgres', q{SELECT modelreg.register_version('search.reco')}), '5', 'promoted, it registers the next number');
is($standby->safe_psql('postgres', 'SELECT * FROM modelreg.verify()'), '', 'and is clean');

done_testing();
