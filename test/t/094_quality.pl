# Many clients record what a rollout's guards ask for, while others end rollouts, pause them and go back: a step opens once, a rollout ends
# once, nobody meets an error but the documented ones, and what nobody reports on stays as it is. TAP because it needs pgbench and a standby.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ], allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_connections = 60\nmax_prepared_transactions = 5\ndeadlock_timeout = 20ms");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION modelreg;
	SELECT modelreg.create_team('many'), modelreg.grant_level('many', current_user, 'evaluator');
	SELECT modelreg.create_model('many.reco', 'open');
	SELECT modelreg.register_version('many.reco') FROM generate_series(1, 2);
	SELECT modelreg.promote('many.reco', v, 'Production', archive_others => false) FROM generate_series(1, 2) v;
	SELECT modelreg.create_endpoint('many.e' || i, model => 'many.reco', version => 1) FROM generate_series(0, 9) i;
	CREATE FUNCTION start(endpoint text) RETURNS bigint LANGUAGE sql AS $$
		SELECT modelreg.start_rollout(endpoint, version => 2, plan => '{"steps": [{"weight": "5%", "bake": "1 ms"}, {"weight": "20%", "bake": "1 ms"}, {"weight": "50%", "bake": "1 ms"}, {"weight": "100%"}],
			"guards": [{"metric": "errors", "at_most": 0.01, "min_observations": 400}, {"metric": "ctr", "at_least": 0.9, "of": "baseline", "min_observations": 200}]}') $$;
	CREATE VIEW kinds AS SELECT e.endpoint, string_agg(s.kind, ' ' ORDER BY s.seq) AS kinds, count(*) FILTER (WHERE s.kind = 'rollout_aborted') AS aborted
		FROM modelreg.endpoints e JOIN modelreg.traffic_schedule s ON s.endpoint_id = e.endpoint_id GROUP BY 1;
	SELECT start('many.e0'), start('many.e1')});

sub query { return $node->safe_psql('postgres', $_[0]); }

# Silence first: nothing that is stored opens anything at any later time.
is(query(q{SELECT state, split, next_opens IS NULL FROM modelreg.rollout_status('many.e1')}), 'running|{1: 95%, 2: 5%}|t', 'the first step is open');
my $later = q{SELECT count(*) FROM modelreg.traffic_arm a JOIN modelreg.endpoints e ON e.endpoint_id = a.endpoint_id AND a.seq = e.number
	WHERE e.endpoint = 'many.e1' AND a.opens > (SELECT since FROM modelreg.endpoints WHERE endpoint = 'many.e1')};
is(query($later), '0', 'and no other has a time');

# Good figures from 16 clients: all steps open, one after the other, each once. A call that comes after the last step has no version 1 to speak of.
my $observe = q{
	CREATE FUNCTION observe(endpoint text, version integer, metric text, total float8, count bigint) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM modelreg.record_quality(endpoint, version, metric, total => total, count => count, window_start => clock_timestamp());
	EXCEPTION WHEN object_not_in_prerequisite_state THEN
		NULL;	-- it has no traffic any more
	END $$};
query($observe);
$node->pgbench('--no-vacuum --client=16 --jobs=2 --transactions=60', 0, [qr{processed: 960/960}], [qr{^$}],
	'sixteen clients record good figures without an error',
	{ '094_good' => q{
		BEGIN;
		SELECT observe('many.e0', 2, 'errors', 0, 10);
		SELECT observe('many.e0', 2, 'ctr', 1, 10);
		SELECT observe('many.e0', 1, 'ctr', 1, 10);
		COMMIT;} });
is(query(q{SELECT kinds FROM kinds WHERE endpoint = 'many.e0'}), 'created rollout_started rollout_step_opened rollout_step_opened rollout_step_opened', 'each step opened once');
is(query(q{SELECT state, split FROM modelreg.rollout_status('many.e0')}), 'none|{2: 100%}', 'to the last');
is(query($later), '0', 'what nobody reported on stands still');
is(query(q{SELECT split FROM modelreg.rollout_status('many.e1')}), '{1: 95%, 2: 5%}', 'with the split that it had');

# What counted for each step is what the rows say.
is(query(q{
	SELECT count(*) FROM modelreg.rollout_evidence v JOIN modelreg.traffic_schedule s ON s.endpoint_id = v.endpoint_id AND s.seq = v.schedule_seq
		JOIN LATERAL (SELECT sum(q.total) AS total, sum(q.observations) AS n FROM modelreg.quality_observation q
			WHERE q.endpoint_id = v.endpoint_id AND q.model_id = v.model_id AND q.version = v.version AND q.metric = v.metric AND q.window_start >= s.at) q ON true
	WHERE v.observations > q.n}), '0', 'no sum is more than what was observed since');

# Bad figures from 16 clients at once, in rollouts that start again and again: each ends once.
query(q{SELECT start('many.e2')});
for my $round (1 .. 5)
{
	$node->pgbench('--no-vacuum --client=16 --jobs=2 --transactions=4', 0, [qr{processed: 64/64}], [qr{^$}], "bad figures at once, round $round",
		{ "094_bad_$round" => q{SELECT observe('many.e2', 2, 'errors', 300, 400);} });
	is(query(q{SELECT split FROM modelreg.rollout_status('many.e2')}), '{1: 100%}', 'the traffic is back');
	query(q{SELECT start('many.e2')});
}
is(query(q{SELECT aborted FROM kinds WHERE endpoint = 'many.e2'}), '5', 'five rollouts ended five times');

# Everything at once on eight endpoints. Whatever happens, a rollout that ended ends once, and nothing but retries is needed.
query(q{
	CREATE FUNCTION act(endpoint text, what integer) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		CASE what
			WHEN 0, 1, 2 THEN PERFORM start(endpoint);
			WHEN 3 THEN PERFORM modelreg.rollback(endpoint, 'race');
			WHEN 4 THEN PERFORM modelreg.pause_rollout(endpoint);
			WHEN 5 THEN PERFORM modelreg.resume_rollout(endpoint);
			WHEN 6 THEN PERFORM modelreg.abort_rollout(endpoint);
			ELSE PERFORM modelreg.complete_rollout(endpoint);
		END CASE;
	EXCEPTION WHEN object_not_in_prerequisite_state OR invalid_parameter_value THEN
		NULL;	-- there is nothing to end, or something that runs
	END $$});
for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	(my $name = lc $level) =~ tr/ /_/;
	$node->pgbench('--no-vacuum --client=12 --jobs=2 --transactions=30 --max-tries=1000', 0, [qr{processed: 360/360}], [qr{^$}],
		"$level: figures and decisions, nothing but what a retry ends",
		{ "094_$name\_figures\@3" => qq{
			\\set e random(2, 9)
			\\set bad random(0, 9)
			BEGIN ISOLATION LEVEL $level;
			SELECT observe('many.e' || :e, 2, 'errors', CASE :bad WHEN 0 THEN 300 ELSE 0 END, 400);
			SELECT observe('many.e' || :e, 2, 'ctr', 20, 200), observe('many.e' || :e, 1, 'ctr', 20, 200);
			COMMIT;},
		  "094_$name\_decisions\@1" => qq{
			\\set e random(2, 9)
			\\set what random(0, 7)
			BEGIN ISOLATION LEVEL $level;
			SELECT act('many.e' || :e, :what);
			COMMIT;} });
}
is(query(q{SELECT count(*) FROM modelreg.endpoints e, modelreg.traffic_schedule s
	WHERE s.endpoint_id = e.endpoint_id AND s.kind IN ('rollout_aborted', 'rollout_step_opened', 'rollout_completed')
	AND NOT EXISTS (SELECT FROM modelreg.traffic_schedule b WHERE b.endpoint_id = s.endpoint_id AND b.rollout IS NOT NULL
		AND b.seq = (SELECT max(seq) FROM modelreg.traffic_schedule c WHERE c.endpoint_id = s.endpoint_id AND c.seq < s.seq))}), '0',
	'what ended or went on was a rollout each time');
cmp_ok(query(q{SELECT sum(aborted) FROM kinds}), '>', 5, 'and some were ended');
is(query(q{SELECT count(*) FROM (SELECT endpoint_id, seq, step FROM modelreg.traffic_arm GROUP BY 1, 2, 3 HAVING sum(share) <> 1000000) s}), '0', 'each split is whole');

# What a guard asks for cannot be prepared; what none does, can.
query(q{SELECT act('many.e3', 3), act('many.e3', 6)});
query(q{SELECT start('many.e3') FROM modelreg.rollout_status('many.e3') WHERE state = 'none' AND split = '{1: 100%}'});
my (undef, undef, $error) = $node->psql('postgres', q{BEGIN; SELECT modelreg.record_quality('many.e1', 2, 'errors', value => 0, window_start => clock_timestamp()); PREPARE TRANSACTION 'guarded'});
like($error, qr/cannot PREPARE a transaction/, 'a guarded figure cannot be prepared');
query(q{BEGIN; SELECT modelreg.record_quality('many.e1', 2, 'latency', value => 0, window_start => clock_timestamp()); PREPARE TRANSACTION 'plain'; COMMIT PREPARED 'plain'});
is(query(q{SELECT observations FROM modelreg.ab_results WHERE endpoint = 'many.e1' AND metric = 'latency'}), '1', 'another one can');

# A transaction that stays open for long keeps nobody waiting, and its figures count when they are committed.
my $slow = $node->background_psql('postgres');
$slow->query_safe(q{BEGIN; SELECT modelreg.record_quality('many.e1', 2, 'errors', total => 0, count => 300, window_start => clock_timestamp())});
query(q{SET lock_timeout = '10s'; SELECT observe('many.e1', 2, 'errors', 0, 300), observe('many.e1', 2, 'ctr', 20, 200), observe('many.e1', 1, 'ctr', 20, 200)});
is(query(q{SELECT waits_for FROM modelreg.rollout_status('many.e1')}), 'errors of 2: 300 of 400 observations', 'what is not committed does not count');
$slow->query_safe('COMMIT');
$slow->quit;
is(query(q{SELECT kind, split FROM modelreg.rollout_status('many.e1')}), 'rollout_step_opened|{1: 80%, 2: 20%}', 'what is, does');

# A standby shows how it stands, and records nothing.
$node->backup('b');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'b', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
my $stands = q{SELECT s FROM modelreg.endpoints e, modelreg.rollout_status(e.endpoint) s ORDER BY e.endpoint};
is($standby->safe_psql('postgres', $stands), query($stands), 'a standby says the same');
(undef, undef, $error) = $standby->psql('postgres', q{SELECT modelreg.record_quality('many.e1', 2, 'errors', value => 0, window_start => clock_timestamp())});
like($error, qr/cannot execute record_quality\(?\)? (?:during recovery|in a read-only transaction)/, 'and takes no figures');

is(query('SELECT * FROM modelreg.verify()'), '', 'verify() finds nothing');

done_testing();
