# A physical standby answers every question as its primary does, refuses every verb, and never goes back in time while versions
# are registered and promoted. Then the primary is killed in the middle of that and the standby, which is synchronous, promoted:
# everything that clients were told is there, and all goes on, uploads that were begun on the primary and sessions that were
# open on the standby included. TAP because it needs a standby and kills a server. MODELREG_PROOF=full runs more failovers.

use strict;
use warnings;

use File::Temp qw(tempfile);
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $failovers = ($ENV{MODELREG_PROOF} // '') eq 'full' ? 20 : 2;

my $primary = PostgreSQL::Test::Cluster->new('first');
$primary->init(extra => [ '--encoding=UTF8', '--no-locale' ], allows_streaming => 1);
# An ANALYZE of its own would keep the VACUUM below from taking anything away, and what it changes itself would end other walks.
$primary->append_conf('postgresql.conf', "synchronous_commit = on\nautovacuum = off");
$primary->start;
$primary->safe_psql('postgres', 'CREATE ROLE jane LOGIN; CREATE ROLE joe LOGIN');
# A registry that nobody used yet, too.
$primary->safe_psql('postgres', 'CREATE DATABASE fresh');
$primary->safe_psql('fresh', 'CREATE EXTENSION modelreg');
$primary->safe_psql('postgres', slurp_file("$FindBin::Bin/../everything.sql"));
$primary->safe_psql('postgres', q{
	SELECT modelreg.set_quota('search', NULL);
	SELECT modelreg.begin_upload('search', 20000, request_id => 'long');
	SELECT modelreg.create_model('search.failover', 'open');
	SELECT modelreg.register_version('search.failover');
	SELECT modelreg.promote('search.failover', 1, 'Production');
	SELECT modelreg.create_policy('search', 'gates', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "gates": ["l", "q", "s", "a", "i"]}],
		"gates": {"l": {"kind": "lineage_complete"}, "q": {"kind": "data_quality"}, "s": {"kind": "schema_compatible"}, "a": {"kind": "artifacts", "max_age_days": 1},
			"i": {"kind": "signature", "mode": "FULL"}}}');
	SELECT modelreg.allow_policy('search', 'gates', 1);
	SELECT modelreg.create_model('search.gated', 'gates');
	SELECT modelreg.register_version('search.gated', run => 'run:search.train', artifacts => (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', name, 'digest', digest, 'size', size, 'uri', uri)))
		FROM modelreg.artifacts WHERE model = 'search.reco' AND version = 1))});

# Every standby is synchronous, once it is there.
my $count = 0;
sub follow
{
	my $standby = PostgreSQL::Test::Cluster->new('standby' . ++$count);
	$primary->append_conf('postgresql.conf', "synchronous_standby_names = ''");
	$primary->reload;
	$primary->backup("base$count");
	$standby->init_from_backup($primary, "base$count", has_streaming => 1);
	$standby->start;
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));
	$primary->append_conf('postgresql.conf', "synchronous_standby_names = '*'");
	$primary->reload;
	$primary->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'}) or die 'not synchronous';
	return $standby;
}

my $standby = follow();
is($standby->safe_psql('fresh', q{SET ROLE jane; SELECT policy, document = modelreg.policy_document(NULL, policy, revision), (SELECT count(*) FROM modelreg.policy) FROM modelreg.policies ORDER BY policy}),
	"high-risk|t|0\nopen|t|0\nstandard|t|0", 'the built-in policies of a fresh registry, on a standby');

# The same answers to the same questions, to who sees all and to a reader of one team.
my @questions = (
	q{SELECT * FROM modelreg.production('search.reco')}, q{SELECT version, uri, since FROM modelreg.production('search.reco', (SELECT max(at) FROM modelreg.events WHERE kind = 'rolled_back'))},
	q{SELECT * FROM modelreg.previous('search.reco')}, q{SELECT modelreg.model_card('search.reco', 1)}, q{SELECT modelreg.model_card('models:/search.reco@champion')}, q{SELECT * FROM modelreg.get_version('search.reco', 1)},
	q{SELECT * FROM modelreg.get_by_alias('search.reco', 'champion')}, q{SELECT version, uri FROM modelreg.resolve('models:/search.reco/Production')},
	q{SELECT * FROM modelreg.search_versions(team => 'search')}, q{SELECT * FROM modelreg.search_versions(words => 'second', stage => 'Production')},
	q{SELECT * FROM modelreg.search_versions(metric => 'auc', metric_min => 0)}, q{SELECT * FROM modelreg.search_versions(param_key => 'optimizer', param_value => 'adam')},
	q{SELECT * FROM modelreg.search_versions(snapshot => 'snapshot:search.events@2026-06-01', tag_key => 'family')},
	q{SELECT * FROM modelreg.upstream('models:/search.reco/2')}, q{SELECT * FROM modelreg.downstream('commit:search.code@abc')},
	q{SELECT modelreg.upstream_ids('models:/search.reco/2'), modelreg.downstream_ids('commit:search.code@abc', kinds => '{run}')},
	q{SELECT * FROM modelreg.lineage('run:search.train')}, q{SELECT * FROM modelreg.impact('snapshot:search.events@2026-06-01', true)},
	q{SELECT modelreg.is_derived_from('models:/search.reco/2', 'commit:search.code@abc')}, q{SELECT * FROM modelreg.path('models:/search.reco/2', 'commit:search.code@abc')},
	q{SELECT * FROM modelreg.common_upstream('models:/search.reco/2', 'models:/search.reco/1')}, q{SELECT * FROM modelreg.lineage_diff('models:/search.reco/1', 'models:/search.reco/2')},
	q{SELECT modelreg.lineage_dot('run:search.train'), modelreg.lineage_mermaid('run:search.train')},
	q{SELECT modelreg.read_artifact('search.reco', 1, 'weights'), modelreg.verify_artifact('search.reco', 1, 'weights')},
	q{SELECT * FROM modelreg.check_promotion('search.gated', 1, 'Production')}, q{SELECT * FROM modelreg.artifact_chunks('search.reco', 1, 'weights', 2)}, q{SELECT * FROM modelreg.verify('search', deep => true)}, q{SELECT * FROM modelreg.my_rights()},
	q{SELECT * FROM modelreg.route('search.home', 'user-991')}, q{SELECT * FROM modelreg.route('search.follower', 'user-991', '2100-01-01')},
	q{SELECT * FROM modelreg.route_batch('search.follower', ARRAY['user-1', 'user-2', 'é 😀', ''], (SELECT max(at) FROM modelreg.traffic_schedule))},
	q{SELECT etag, document FROM modelreg.serving_config('search.follower')}, q{SELECT etag, document FROM modelreg.serving_config('search.home', (SELECT etag FROM modelreg.endpoints WHERE endpoint = 'search.home'))},
	q{SELECT * FROM modelreg.serving('search.follower', '2100-01-01')}, q{SELECT * FROM modelreg.serving('search.home', (SELECT min(at) + interval '1 us' FROM modelreg.traffic_schedule))},
	q{SELECT * FROM modelreg.traffic_between('search.home', '2020-01-01', (SELECT max(at) FROM modelreg.traffic_schedule))}, q{SELECT * FROM modelreg.changes()},
	q{SELECT * FROM modelreg.rollout_status('search.follower')}, q{SELECT * FROM modelreg.fleet_status('search.home')}, q{SELECT * FROM modelreg.impact_serving('snapshot:search.events@2026-06-01')},
	q{SELECT * FROM modelreg.trace_prediction('search.home', 'user-991', (SELECT max(at) FROM modelreg.traffic_schedule))}, q{SELECT * FROM modelreg.trace_prediction('search.home', 'user-1', (SELECT max(at) FROM modelreg.predictions))},
	q{SELECT * FROM modelreg.trace_prediction('search.follower', receipt => (SELECT receipt FROM modelreg.route('search.follower', 'user-1')))},
	(map { "SELECT * FROM modelreg.$_ v ORDER BY v::text COLLATE \"C\"" } qw(models versions model_history artifacts artifact_checks uploads metric_trend production_now
		production_history transitions signing_keys attestations lineage_nodes lineage_edges events
		endpoints traffic quarantined_traffic leaving_versions quality fleet predictions)));
for my $question (@questions)
{
	for my $who ('jane', undef)
	{
		my @options = defined $who ? (extra_params => [ '-U', $who ]) : ();
		my ($status, $out, $err) = $primary->psql('postgres', $question, @options);
		my (undef, $same) = $standby->psql('postgres', $question, @options);
		# What becomes final by time does so on a standby that heard of nothing since when it hears of something.
		for (1 .. 3)
		{
			last if $same eq $out;
			$primary->safe_psql('postgres', 'SELECT pg_current_xact_id()');
			$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));
			(undef, $out) = $primary->psql('postgres', $question, @options);
			(undef, $same) = $standby->psql('postgres', $question, @options);
		}
		is($status, 0, 'the primary answers ' . ($who // 'a superuser') . ": $question") or diag $err;
		is($same, $out, 'and the standby the same');
	}
}
is($standby->safe_psql('postgres', q{SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)}), '', 'the standby verifies');
for my $verb (q{register_version('search.reco')}, q{promote('search.reco', 1, 'Staging')}, q{record_run('search.more')}, q{begin_upload('search', 5)},
	q{append_upload(1, 0, 'w')}, q{finish_upload(1)}, q{create_team('more')}, q{set_tag('search.reco', 'a', 'b')}, q{set_alias('search.reco', 'champion', 1)},
	q{rollback_model('search.reco', 'x')}, q{record_evaluation('models:/search.reco/1', 'offline', '{"auc": 1}')}, q{rebind_roles()}, q{sweep_uploads('search')},
	q{set_model_card('search.reco', 1, '{"a": "b"}')}, q{revoke_key('signer', 'x')}, q{start_rollout('search.home', 2)}, q{rollback('search.home', 'x')},
	q{create_endpoint('search.more', 'search.served')}, q{report_serving('search.home', 'pod-1', '1-0123456789abcdef')}, q{record_predictions('search.home', '{user-1}', '{2}')}, q{declare_restore('x')}, q{new_identity('x')})
{
	my ($status, $out, $err) = $standby->psql('postgres', "SELECT modelreg.$verb");
	like($err, qr/ERROR:  cannot execute \w+ (in a read-only transaction|during recovery)/, "the standby refuses $verb");
}

# A walk whose snapshot the primary's VACUUM takes away ends at once, by the error that says to try again, and the session goes on.
my $runs = 20_000;
$primary->safe_psql('postgres', q{
	SELECT modelreg.create_team('wide'), modelreg.create_model('wide.model', 'open'), modelreg.record_snapshot('wide.hub', '1'), modelreg.record_run('wide.n0');
	SELECT modelreg.record_nodes(array_agg('run:wide.n' || i ORDER BY i), array_agg(jsonb_build_object('training', 'snapshot:wide.hub@1', 'base', 'run:wide.n' || i - 1) ORDER BY i))
		FROM generate_series(1, } . $runs . q{) AS i;
	SELECT modelreg.register_version('wide.model', run => 'run:wide.n} . $runs . q{'), modelreg.promote('wide.model', 1, 'Production');
	CREATE TABLE churn AS SELECT 1 AS n});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));
$standby->append_conf('postgresql.conf', 'max_standby_streaming_delay = 0');
$standby->reload;
my $from = -s $standby->logfile;
my ($walker, $walker_pid);
sub start_walker
{
	$walker = $standby->background_psql('postgres', on_error_stop => 0);
	$walker_pid = $walker->query_safe('SELECT pg_backend_pid()');
	$walker->query_safe('\set VERBOSITY verbose');
}
start_walker();
# 'again' makes each call one of its own, row by row, as in 033.
for my $walk ("(SELECT count(*) FROM modelreg.upstream('run:wide.n$runs' || again))", q{(SELECT count(*) FROM modelreg.downstream('snapshot:wide.hub@1' || again))},
	"(SELECT count(*) FROM modelreg.path('run:wide.n$runs' || again, 'run:wide.n0'))", "modelreg.is_derived_from('run:wide.n$runs' || again, 'run:wide.n0')",
	q{(SELECT count(*) FROM modelreg.impact('run:wide.n0' || again, true))}, "(SELECT count(*) FROM modelreg.common_upstream('run:wide.n$runs', 'models:/wide.model/1' || again))",
	q{(SELECT count(*) FROM modelreg.search_versions(snapshot => 'snapshot:wide.hub@1' || again))})
{
	my ($name) = $walk =~ /modelreg\.(\w+)/;
	my $answer = "SELECT $walk FROM (VALUES ('')) AS a(again)";
	$walker->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT n FROM churn');
	$walker->query_until(qr/begun/, "\\echo begun\nSELECT count($walk) FROM (SELECT left(generate_series(1, 1000000000)::text, 0) AS again) AS a;\n");
	$standby->poll_query_until('postgres', "SELECT state = 'active' AND query LIKE '%1000000000%' FROM pg_stat_activity WHERE pid = $walker_pid") or die 'it does not run';
	$primary->safe_psql('postgres', "UPDATE churn SET n = n + 1;\nVACUUM churn;");
	my $ended = !eval { $walker->query(''); 1 };
	like($walker->{stderr}, qr/ERROR:  40001: canceling statement due to conflict with recovery/, "$name on the standby gives way to recovery");
	$walker->{stderr} = '';
	# The server asks again while the statement ends; a session that waits for its client by then is ended, as one in plain SQL.
	if ($ended) { start_walker() } else { $walker->query_safe('ROLLBACK') }
	is($walker->query_safe($answer), $primary->safe_psql('postgres', $answer), 'and answers as the primary does after it');
}
$walker->quit;
unlike(substr(slurp_file($standby->logfile), $from), qr/WARNING|leak|PANIC|TRAP|was terminated/, 'nothing leaked');
$standby->append_conf('postgresql.conf', 'max_standby_streaming_delay = 30s');
$standby->reload;

# A client registers and promotes, and prints what it was told; a step is a line.
sub start_client
{
	my ($round) = @_;
	my ($handle, $file) = tempfile(UNLINK => 1);
	print $handle map { <<"END" } 1 .. 20_000;
SELECT modelreg.register_version('search.failover', params => '{"n": $_}', request_id => '$round-$_') AS version \\gset
\\echo registered|$round-$_|:version
SELECT 'promoted', '$round-$_', modelreg.promote('search.failover', :version, 'Production', request_id => '$round-$_');
END
	close $handle;
	my $client = { out => '', err => '' };
	$client->{run} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $primary->connstr('postgres'), '-f', $file ],
		'<', \undef, '>', \$client->{out}, '2>', \$client->{err});
	return $client;
}

# What the client was told and the standby does not have; and how many versions and promotions of the round it has.
sub compare
{
	my ($round, $out) = @_;
	$out =~ s/[^\n]*\z//;
	my @told = map { [ split /\|/ ] } split /\n/, $out;
	my $ledger = join ', ', "('', '', 0)", map { "('$_->[0]', '$_->[1]', $_->[2])" } @told;
	is($primary->safe_psql('postgres', qq{SELECT count(*) FROM (VALUES $ledger) t (kind, key, value), modelreg.model m WHERE m.name = 'failover' AND key <> '' AND CASE kind
		WHEN 'registered' THEN NOT EXISTS (SELECT FROM modelreg.version v WHERE v.model_id = m.id AND v.version = value AND v.request_id = key)
		ELSE NOT EXISTS (SELECT FROM modelreg.event e WHERE e.chain = 5 AND e.chain_id = m.id AND e.seq = value AND e.request_id = key) END}),
		'0', "failover $round: everything that the client was told is there");
	my $there = $primary->safe_psql('postgres', qq{SELECT (SELECT count(*) FROM modelreg.version WHERE request_id LIKE '$round-%')
		+ (SELECT count(*) FROM modelreg.event WHERE chain = 5 AND request_id LIKE '$round-%')});
	ok($there == @told || $there == @told + 1, "failover $round: and at most the step that it waited for")
		or diag "$there are there, " . @told . ' were told';
	cmp_ok(scalar @told, '>', 2, "failover $round: it was told something");
	return scalar @told;
}

my $total = 0;
for my $round (1 .. $failovers)
{
	# Opened while it is a standby; what it knew of rights and of the server's history goes on being true.
	my $session = $standby->background_psql('postgres');
	$session->query_safe(q{SELECT version FROM modelreg.production('search.failover')});
	my $client = start_client($round);
	my ($last, $looks, $until) = (0, 0, Time::HiRes::time() + 0.5 + rand 0.5);
	my $latest = $until + $PostgreSQL::Test::Utils::timeout_default;
	while (Time::HiRes::time() < $until || ($looks < 4 || ($client->{out} =~ tr/\n//) < 4) && Time::HiRes::time() < $latest)
	{
		$client->{run}->pump_nb if $client->{run}->pumpable;
		my $version = $session->query_safe(q{SELECT version FROM modelreg.production('search.failover')});
		fail("failover $round: production() went back from $last to $version") if $version < $last;
		($last, $looks) = ($version, $looks + 1);
	}
	cmp_ok($looks, '>', 3, "failover $round: the standby was asked while the primary decided");
	$primary->kill9;
	eval { IPC::Run::finish($client->{run}) };
	$standby->append_conf('postgresql.conf', "synchronous_standby_names = ''");
	$standby->promote;
	$primary = $standby;
	$total += compare($round, $client->{out});
	is($primary->safe_psql('postgres', q{SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)}), '', "failover $round: verify() is clean");
	my $next = 1 + $primary->safe_psql('postgres', q{SELECT last_version FROM modelreg.registration_head h JOIN modelreg.model m USING (id) WHERE m.name = 'failover'});
	is($session->query_safe(qq{SELECT modelreg.register_version('search.failover', run => modelreg.record_run('search.after-$round'))}), $next, "failover $round: a session of the standby registers the next number");
	is($session->query_safe(qq{SELECT modelreg.promote('search.failover', $next, 'Production') > 0}), 't', "failover $round: and promotes it");
	is($session->query_safe(q{SELECT modelreg.register_version('search.failover', params => '{"n": 1}', request_id => '1-1')}), '2', "failover $round: a request id of before counts");
	is($session->query_safe(q{SELECT modelreg.append_upload(upload, received, convert_to(repeat('.', 1000), 'UTF8')) - received FROM modelreg.uploads WHERE request_id = 'long'}),
		'1000', "failover $round: an upload goes on");
	$session->quit;
	$standby = follow();
}
note("$failovers failovers: $total steps were told of and are there");
is($primary->safe_psql('postgres', q{SELECT modelreg.append_upload(upload, received, convert_to(repeat('.', (size - received)::int), 'UTF8')) = size FROM modelreg.uploads WHERE request_id = 'long';
	SELECT modelreg.finish_upload(upload)::text = 'sha256:' || encode(sha256(convert_to(repeat('.', 20000), 'UTF8')), 'hex') FROM modelreg.uploads WHERE request_id = 'long'}),
	"t\nt", 'the upload is finished, several servers later');
is($primary->safe_psql('postgres', q{SELECT count(DISTINCT split_part(permanent_id, '/', 1)) FROM modelreg.versions WHERE model = 'search.failover'}), '1', 'all under one identity');
is($primary->safe_psql('postgres', q{SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)}), '', 'verify() is clean');
done_testing();
