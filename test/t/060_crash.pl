# A backend, or the whole server, is killed at any moment of registering, uploading, promoting, asking for approval and approving,
# purging, rolling out and back, one endpoint and several at once, of observing what guards ask for, of promotions that endpoints follow, of quarantine,
# and of pipelines that register together with writes of their own; or the server once more, while it recovers. Each client
# keeps a ledger of what it was told, one of what it was routed to. What it was told is there afterwards, and besides at most the one step
# that it was waiting for; each split is whole and of versions that may serve, verify() is clean, each large object has a row, and all go on. TAP because servers are killed. MODELREG_PROOF=full runs more rounds.

use strict;
use warnings;

use File::Temp qw(tempfile);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = ($ENV{MODELREG_PROOF} // '') eq 'full' ? 60 : 6;
my $chunk = 100_000;

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
# Each attempt to start a server prints its log if it fails.
$node->append_conf('postgresql.conf', "restart_after_crash = on\nlog_statement = none\ntrack_commit_timestamp = on");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION modelreg;
	SELECT modelreg.create_team('search');
	SELECT modelreg.create_model('search.' || name, 'open') FROM unnest('{reco,shipped,piped,champion,purged,served,guarded,followed}'::text[]) name;
	SELECT modelreg.register_version('search.champion'), modelreg.register_version('search.champion');
	SELECT modelreg.promote('search.served', modelreg.register_version('search.served'), 'Production', archive_others => false) FROM generate_series(1, 2);
	SELECT modelreg.create_endpoint('search.home', 'search.served', 1), modelreg.start_rollout('search.home', 2, plan => 'all at once');
	SELECT modelreg.create_endpoint('search.all' || i, 'search.served', 1), modelreg.start_rollout('search.all' || i, 2, plan => 'all at once') FROM generate_series(1, 3) i;
	SELECT modelreg.grant_level('search', session_user, 'evaluator');
	SELECT modelreg.promote('search.' || model, modelreg.register_version('search.' || model), 'Production', archive_others => false) FROM unnest('{guarded,followed}'::text[]) model, generate_series(1, 2);
	SELECT modelreg.create_endpoint('search.guarded', 'search.guarded', 1), modelreg.create_endpoint('search.slow', follows => 'search.followed', plan => 'linear over 2 hours'),
		modelreg.create_endpoint('search.quick', follows => 'search.followed', plan => 'all at once');
	SELECT modelreg.create_model('search.doubted', 'open'), modelreg.record_snapshot('search.doubt', '1');
	SELECT modelreg.promote('search.doubted', modelreg.register_version('search.doubted', inputs => CASE n WHEN 2 THEN '{"training": "snapshot:search.doubt@1"}'::jsonb END), 'Production', archive_others => false)
		FROM generate_series(1, 2) n;
	SELECT modelreg.create_endpoint('search.doubted', 'search.doubted', 1);
	-- A purge waits for nobody: bytes whose lock another client happens to share are tried again.
	CREATE FUNCTION purge(version integer, request text) RETURNS bigint LANGUAGE plpgsql AS $$
	BEGIN
		LOOP
			BEGIN
				RETURN modelreg.purge_version('search.purged', version, 'too old', request_id => request);
			EXCEPTION WHEN object_in_use THEN
				PERFORM pg_sleep(0.001);
			END;
		END LOOP;
	END $$;
	-- From where guarded rollouts start, so that both versions have traffic all the time; whoever ended the last one.
	CREATE FUNCTION to_start() RETURNS bigint LANGUAGE plpgsql AS $$
	BEGIN
		LOOP
			BEGIN
				PERFORM modelreg.abort_rollout('search.guarded') FROM modelreg.rollout_status('search.guarded') WHERE state <> 'none';
				RETURN modelreg.start_rollout('search.guarded', split => '{1: 90%, 2: 10%}', plan => 'all at once');
			EXCEPTION WHEN object_not_in_prerequisite_state THEN
				NULL;	-- a guard ended it meanwhile
			END;
		END LOOP;
	END $$;
	SELECT to_start();
	SELECT modelreg.create_policy('search', 'two', '{"format": 1, "transitions": [{"from": ["Experimental", "Archived"], "to": "Production",
		"levels": ["contributor"], "approvals": 2, "approvers": ["reviewer"], "gates": ["card"]}], "gates": {"card": {"kind": "model_card"}}}');
	SELECT modelreg.allow_policy('search', 'two', 1), modelreg.create_model('search.approved', 'two');
	SELECT modelreg.set_model_card('search.approved', modelreg.register_version('search.approved'), '{"intended_use": "to be approved"}') FROM generate_series(1, 2);
	CREATE ROLE asks; CREATE ROLE first; CREATE ROLE second;
	SELECT modelreg.grant_registry_right(session_user, 'pooler'), modelreg.grant_level('search', 'asks', 'contributor'),
		modelreg.grant_level('search', 'first', 'reviewer'), modelreg.grant_level('search', 'second', 'reviewer');
	SELECT modelreg.record_run('search.train');
	CREATE TABLE job (key text, version int)});

# Each client is one psql, which prints a line for each step after its commit. Each has more to do than it can before the
# kill. A step's key is ROUND-NUMBER.
sub registering
{
	my ($round) = @_;
	return join '', map { <<"END" } 1 .. 10_000;
SELECT 'version', '$round-$_', modelreg.register_version('search.reco', 'run:search.train', params => '{"n": $_}', metrics => '{"m": $_}', description => 'of round $round', request_id => '$round-$_');
END
}

sub uploading
{
	my ($round) = @_;
	my $append = "modelreg.append_upload(:id, %d, decode(repeat('%s', $chunk), 'hex'))";
	return join '', map { sprintf <<"END", 0, '61', $chunk, '62', 2 * $chunk, sprintf '%02x', $_ % 256 } 1 .. 2000;
SELECT modelreg.begin_upload('search', size => 3 * $chunk, request_id => 'upload-$round-$_') AS id \\gset
\\echo begun|$round-$_|:id
SELECT 'received', '$round-$_', $append;
SELECT 'received', '$round-$_', $append;
SELECT 'received', '$round-$_', $append;
SELECT 'finished', '$round-$_', modelreg.finish_upload(:id);
SELECT 'shipped', '$round-$_', modelreg.register_version('search.shipped', request_id => 'shipped-$round-$_', artifacts => jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', :id)));
END
}

# To the other of two versions each time, so that each call decides something.
sub promoting
{
	my ($round) = @_;
	my $current = $node->safe_psql('postgres', q{SELECT COALESCE(max(version), 2) FROM modelreg.production('search.champion')});
	return join '', map { my $version = ($current + $_) % 2 ? 1 : 2; <<"END" } 1 .. 10_000;
SELECT 'promoted', '$round-$_', modelreg.promote('search.champion', $version, 'Production', request_id => '$round-$_');
END
}

# The other of two versions each time, which somebody asks for and two others approve; the second approval moves it.
sub approving
{
	my ($round) = @_;
	my $current = $node->safe_psql('postgres', q{SELECT COALESCE(max(version), 2) FROM modelreg.production('search.approved')});
	return join '', map { my $version = ($current + $_) % 2 ? 1 : 2; <<"END" } 1 .. 5_000;
SET ROLE asks;
SELECT modelreg.request_promotion('search.approved', $version, 'Production', 'of round $round', request_id => 'ask-$round-$_') AS id \\gset
\\echo asked|$round-$_|:id
SELECT evidence FROM modelreg.review(:id) \\gset
SET ROLE first;
SELECT 'approved', '$round-$_', :id FROM modelreg.approve(:id, :'evidence', 'seen', request_id => 'first-$round-$_') decided WHERE decided IS NULL;
SET ROLE second;
SELECT 'decided', '$round-$_', modelreg.approve(:id, :'evidence', request_id => 'second-$round-$_');
END
}

# A version with bytes of its own, whose bytes are given up again.
sub purging
{
	my ($round) = @_;
	return join '', map { <<"END" } 1 .. 5_000;
BEGIN;
SELECT modelreg.begin_upload('search', size => $chunk) AS id \\gset
SELECT modelreg.append_upload(:id, 0, convert_to(rpad('$round-$_', $chunk), 'UTF8')) AS size, modelreg.finish_upload(:id) AS digest \\gset
SELECT modelreg.register_version('search.purged', request_id => 'kept-$round-$_', artifacts => jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', :id))) AS version \\gset
COMMIT;
\\echo kept|$round-$_|:version
SELECT 'purged', '$round-$_', purge(:version, 'purge-$round-$_');
END
}

# A rollout is started, and taken back; what the last round left is taken back first.
sub serving
{
	my ($round) = @_;
	return "SELECT modelreg.rollback('search.home', 'after a crash') AS ignored \\gset\n" . join '', map { <<"END" } 1 .. 10_000;
SELECT 'started', '$round-$_', modelreg.start_rollout('search.home', split => '{1: 25%, 2: 75%}', plan => 'linear over 2 hours', request_id => 'start-$round-$_');
SELECT 'back', '$round-$_', modelreg.rollback('search.home', 'worse', request_id => 'back-$round-$_')->>'number';
END
}

# Of three endpoints at once, in either order, each time all or none.
sub serving_all
{
	my ($round) = @_;
	my $all = "'{search.all1,search.all3,search.all2}'::text[]";
	return "SELECT modelreg.rollback($all, 'after a crash') AS ignored \\gset\n" . join '', map { <<"END" } 1 .. 10_000;
SELECT pg_sleep(0.02) AS ignored \\gset
SELECT 'all_started', '$round-$_', count(modelreg.start_rollout('search.all' || i, split => '{1: 25%, 2: 75%}', plan => 'linear over 2 hours', request_id => 'all-start-$round-$_-' || i)) FROM generate_series(1, 3) i;
SELECT 'all_back', '$round-$_', jsonb_array_length(modelreg.rollback($all, 'worse', request_id => 'all-back-$round-$_'));
END
}

# Rollouts with guards: figures of others open their steps, and one of its own ends each that did not come to its end.
sub guarding
{
	my ($round) = @_;
	return join '', map { <<"END" } 1 .. 10_000;
SELECT to_start() AS ignored \\gset
SELECT 'guarded', '$round-$_', modelreg.start_rollout('search.guarded', split => '{1: 40%, 2: 60%}', request_id => 'guarded-$round-$_', plan => '{"steps": [{"weight": "25%", "bake": "1 ms"}, {"weight": "75%", "bake": "1 ms"},
	{"weight": "100%"}], "guards": [{"metric": "errors", "at_most": 0.1, "min_observations": 20}]}');
SELECT pg_sleep(0.01 * ($_ % 4 + 1)) AS ignored, modelreg.record_quality('search.guarded', 2, 'errors', total => 1e9, count => 900, window_start => clock_timestamp()) AS bad \\gset
END
}

# Each client's figures are known by how many observations they are of.
sub observing
{
	my ($round, $client) = @_;
	return join '', map { <<"END" } 1 .. 10_000;
SELECT pg_sleep(0.01) AS ignored \\gset
SELECT 'observed', '$client-$round-$_', modelreg.record_quality('search.guarded', 2, 'errors', total => 0, count => $round * 1000 + $client, window_start => clock_timestamp(), request_id => 'observed-$client-$round-$_');
END
}

# What a version derives from is quarantined and not any more, and it is archived and returned, while another client rolls it out. Each is refused where it
# comes at the wrong moment, and has no line then; what always serves is never archived.
sub doubting
{
	my ($round) = @_;
	return "\\set ON_ERROR_STOP 0\n\\set VERBOSITY sqlstate\n" . join '', map { <<"END" } 1 .. 5_000;
SELECT 'doubted', 'seal-$round-$_', number FROM modelreg.quarantine('snapshot:search.doubt\@1', 'of round $round', request_id => 'seal-$round-$_') number WHERE number IS NOT NULL;
SELECT pg_sleep(0.01) AS ignored \\gset
SELECT 'doubted', 'lift-$round-$_', number FROM modelreg.lift_quarantine('snapshot:search.doubt\@1', 'of round $round', request_id => 'lift-$round-$_') number WHERE number IS NOT NULL;
SELECT 'doubted', 'archive-$round-$_', modelreg.promote('search.doubted', 2, 'Archived', leave_none => true, request_id => 'archive-$round-$_') FROM modelreg.versions WHERE model = 'search.doubted' AND version = 2 AND stage = 'Production';
SELECT 'impossible', '$round-$_', modelreg.promote('search.' || model, version, 'Archived', leave_none => true) FROM (VALUES ('doubted', 1), ('served', 2)) m (model, version);
SELECT 'doubted', 'return-$round-$_', modelreg.promote('search.doubted', 2, 'Production', archive_others => false, request_id => 'return-$round-$_') FROM modelreg.versions WHERE model = 'search.doubted' AND version = 2 AND stage = 'Archived';
SELECT pg_sleep(0.02) AS ignored \\gset
END
}

# Another split each time and in each round, so that there is something to start where the last one came to its end and could not be left.
sub wanting
{
	my ($round) = @_;
	return "\\set ON_ERROR_STOP 0\n\\set VERBOSITY sqlstate\n" . join '', map { my $rest = sprintf '%.4f', 10 + $_ % 50 + $round / 10_000; my $other = sprintf '%.4f', 100 - $rest; <<"END" } 1 .. 10_000;
SELECT 'doubted', 'want-$round-$_', number FROM modelreg.start_rollout('search.doubted', split => '{1: $rest%, 2: $other%}', plan => 'linear over 40 ms in 8 steps', request_id => 'want-$round-$_') number WHERE number IS NOT NULL;
SELECT pg_sleep(0.01 * ($_ % 6)) AS ignored \\gset
SELECT 'doubted', 'leave-$round-$_', number FROM (SELECT modelreg.rollback('search.doubted', 'worse', request_id => 'leave-$round-$_')->>'number' AS number) r WHERE number IS NOT NULL;
SELECT pg_sleep(0.005) AS ignored \\gset
END
}

# Each promotion starts a rollout of each of two endpoints.
sub following
{
	my ($round) = @_;
	my $current = $node->safe_psql('postgres', q{SELECT version FROM modelreg.production('search.followed')});
	return join '', map { my $version = ($current + $_) % 2 ? 1 : 2; <<"END" } 1 .. 10_000;
SELECT pg_sleep(0.02) AS ignored \\gset
SELECT 'followed', '$round-$_', modelreg.promote('search.followed', $version, 'Production', request_id => 'follow-$round-$_');
END
}

# What a reader was routed by was committed.
sub routing
{
	return join '', map { my $endpoint = (qw(home guarded slow quick all2))[ $_ % 5 ]; <<"END" } 1 .. 10_000;
SELECT pg_sleep(0.005) AS ignored \\gset
SELECT 'routed', '$endpoint.' || r.receipt || '.' || r.version, r.version FROM modelreg.route('search.$endpoint', 'user-$_') r;
END
}

# In one transaction: facts, a version with a tag (a fact too), and a row of the caller's.
sub piping
{
	my ($round) = @_;
	return join '', map { <<"END" } 1 .. 10_000;
BEGIN;
SELECT modelreg.record_run('search.train-$round-$_') AS run \\gset
SELECT modelreg.register_version('search.piped', :'run', tags => '{"key": "$round-$_"}', request_id => 'piped-$round-$_') AS version \\gset
INSERT INTO job VALUES ('$round-$_', :version);
COMMIT;
\\echo piped|$round-$_|:version
END
}

sub start_client
{
	my ($script) = @_;
	my ($handle, $file) = tempfile(UNLINK => 1);
	print $handle $script;
	close $handle;
	my $client = { out => '', err => '' };
	$client->{run} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $file ],
		'<', \undef, '>', \$client->{out}, '2>', \$client->{err});
	return $client;
}

# Its children have to notice before the next one may start.
sub start_again
{
	for (1 .. 100)
	{
		sleep 0.1;
		return if $node->start(fail_ok => 1);
		# What is left of its lock file is no running server.
		$node->{_pid} = undef;
	}
}

sub kill_server
{
	$node->kill9;
	start_again();
}

# Killed once more while it replays.
sub kill_in_recovery
{
	my $logged = -s $node->logfile;
	$node->kill9;
	my $killed = 0;
	for (1 .. 50_000)
	{
		# It does not start before the children of the last one are gone.
		IPC::Run::run([ 'pg_ctl', '-D', $node->data_dir, '-l', $node->logfile, '-W', 'start' ], '>', \my $out, '2>', \my $err)
			if $_ % 100 == 1;
		sleep 0.001;
		next unless slurp_file($node->logfile, $logged) =~ /redo starts at/;
		sleep rand 0.03;
		my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
		$killed = kill 'KILL', $pid;
		last;
	}
	is($killed, 1, 'and once more while it recovered');
	start_again();
}

# A backend of ours that is at work, whatever it does.
sub kill_backend
{
	my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'
		AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1});
	ok($pid ne '' && kill('KILL', $pid) == 1, 'a backend was killed');
}

my %told;     # {kind}{key} = value
my %steps;    # how many lines a client printed in this round
my ($sum_told, $sum_untold) = (0, 0);

sub remember
{
	my ($name, $out) = @_;
	$out =~ s/[^\n]*\z//;
	my @lines = split /\n/, $out;
	$steps{$name} = @lines;
	for (@lines)
	{
		my ($kind, $key, $value) = split /\|/;
		$told{$kind}{$key} = $value;
	}
}

# The ledger of a kind as a table t(key, value).
sub ledger { my ($kind) = @_; return '(VALUES ' . join(', ', "('', '')", map { "('$_', '$told{$kind}{$_}')" } sort keys %{ $told{$kind} }) . ') t (key, value)' }

sub is_zero
{
	my ($sql, $what) = @_;
	is($node->safe_psql('postgres', "SELECT count(*) FROM $sql"), '0', $what);
}

# Everything that anybody was told is there, with the number that he was told.
sub check_told
{
	my ($round) = @_;
	my $version = q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.version v JOIN modelreg.model m ON m.id = v.model_id
		WHERE m.name = '%s' AND v.version = value::int AND v.request_id = '%s' || key)};
	is_zero(ledger('version') . sprintf($version, 'reco', ''), "$round: every version that was told of is there");
	is_zero(ledger('shipped') . sprintf($version, 'shipped', 'shipped-'), "$round: those with uploaded bytes");
	is_zero(ledger('piped') . sprintf($version, 'piped', 'piped-'), "$round: those of pipelines");
	is_zero(ledger('promoted') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.event e JOIN modelreg.model m ON m.id = e.chain_id
		WHERE m.name = 'champion' AND e.chain = 5 AND e.seq = value::bigint AND e.request_id = key)}, "$round: every promotion");
	is_zero(ledger('asked') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.approval_request r JOIN modelreg.event e ON e.chain = 5 AND e.chain_id = r.model_id AND e.seq = r.seq
		WHERE r.id = value::bigint AND e.request_id = 'ask-' || key)}, "$round: every request");
	is_zero(ledger('approved') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.approval a JOIN modelreg.event e ON e.chain = 5 AND e.seq = a.seq AND e.kind = 'request_approved'
		WHERE a.request_id = value::bigint AND a.who->>'role' = 'first' AND e.request_id = 'first-' || key)}, "$round: every approval");
	is_zero(ledger('decided') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.approval_request r JOIN modelreg.event e ON e.chain = 5 AND e.chain_id = r.model_id AND e.seq = r.closed_seq
		WHERE r.state = 'done' AND e.seq = value::bigint AND e.kind = 'promoted' AND e.request_id = 'second-' || key AND jsonb_array_length(e.what->'approvals') = 2)},
		"$round: every decision that the last one was");
	is_zero(ledger($_->[0]) . qq{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.event e JOIN modelreg.traffic_schedule s ON s.endpoint_id = e.chain_id AND s.seq = e.seq
		WHERE e.chain = 6 AND e.seq = value::bigint AND e.kind = '$_->[1]' AND e.request_id = '$_->[2]-' || key)}, "$round: $_->[1], as was told")
		for [ 'started', 'rollout_started', 'start' ], [ 'back', 'rolled_back', 'back' ];
	is_zero(ledger('doubted') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.event e WHERE e.seq = value::bigint AND e.request_id = key AND e.kind = '{"seal": "quarantined",
		"lift": "quarantine_lifted", "archive": "stage_changed", "return": "promoted", "want": "rollout_started", "leave": "rolled_back"}'::jsonb->>split_part(key, '-', 1))},
		"$round: each quarantine and its end, and what was done meanwhile with what it touches");
	is(scalar keys %{ $told{impossible} // {} }, 0, "$round: nothing that serves was archived");
	is_zero(ledger('all_started') . q{LEFT JOIN (SELECT substring(request_id, '^all-start-(.*)-.$') AS key, count(*) FROM modelreg.event WHERE chain = 6 AND kind = 'rollout_started' GROUP BY 1) e USING (key)
		WHERE key <> '' AND (value <> '3' OR e.count IS DISTINCT FROM 3)},
		"$round: all three rollouts that were started at once");
	is_zero(ledger('all_back') . q{LEFT JOIN (SELECT substring(request_id, '^all-back-(.*)$') AS key, count(*) FROM modelreg.event WHERE chain = 6 AND kind = 'rolled_back' GROUP BY 1) e USING (key)
		WHERE key <> '' AND (value <> '3' OR e.count IS DISTINCT FROM 3)},
		"$round: and all three rollbacks");
	is_zero(ledger('guarded') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.event e JOIN modelreg.traffic_schedule s ON s.endpoint_id = e.chain_id AND s.seq = e.seq
		WHERE e.chain = 6 AND e.seq = value::bigint AND e.kind = 'rollout_started' AND e.request_id = 'guarded-' || key)}, "$round: every guarded rollout");
	is_zero(ledger('observed') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.quality_observation o
		WHERE o.id = value::bigint AND o.observations = split_part(key, '-', 2)::bigint * 1000 + split_part(key, '-', 1)::bigint)}, "$round: every figure");
	is_zero(ledger('followed') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.event e WHERE e.chain = 5 AND e.seq = value::bigint AND e.kind = 'promoted' AND e.request_id = 'follow-' || key)},
		"$round: every promotion that is followed");
	is_zero(ledger('routed') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.endpoint e JOIN modelreg.traffic_arm a ON a.endpoint_id = e.id
		WHERE e.name = split_part(key, '.', 1) AND a.seq = split_part(key, '.', 2)::bigint AND a.step = split_part(key, '.', 3)::integer AND a.version = value::integer AND a.share > 0)},
		"$round: every step that a reader was routed by");
	is_zero(ledger('kept') . sprintf($version, 'purged', 'kept-'), "$round: every version that was to be purged");
	is_zero(ledger('purged') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.purged_version p JOIN modelreg.event e ON e.chain = 2 AND e.chain_id = p.team_id AND e.seq = p.seq
		WHERE p.seq = value::bigint AND e.request_id = 'purge-' || key)}, "$round: every purge");
	is_zero(ledger('begun') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.upload u WHERE u.id = value::bigint AND u.request_id = 'upload-' || key)},
		"$round: every upload");
	is_zero(ledger('received') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.upload u WHERE u.request_id = 'upload-' || key AND u.received >= value::bigint)},
		"$round: all bytes");
	is_zero(ledger('finished') . q{WHERE key <> '' AND NOT EXISTS (SELECT FROM modelreg.upload u WHERE u.request_id = 'upload-' || key
		AND u.state = 'sealed' AND u.digest::text = value)}, "$round: every digest");
}

# And nothing else: of each client's steps, one after the other, those that it was told of and at most the next one.
my %there = (
	registering => q{SELECT count(*), max(split_part(request_id, '-', 2)::int) FROM modelreg.version
		WHERE model_id = (SELECT id FROM modelreg.model WHERE name = 'reco') AND request_id LIKE '%d-%%'},
	promoting => q{SELECT count(*), max(split_part(request_id, '-', 2)::int) FROM modelreg.event
		WHERE chain = 5 AND chain_id = (SELECT id FROM modelreg.model WHERE name = 'champion') AND request_id LIKE '%d-%%'},
	approving => q{SELECT COALESCE(sum(steps), 0), COALESCE(max((number - 1) * 3 + steps), 0) FROM (
		SELECT split_part(e.request_id, '-', 3)::int AS number, 1 + (SELECT count(*) FROM modelreg.approval a WHERE a.request_id = (e.what->>'request')::bigint) AS steps
		FROM modelreg.event e WHERE e.chain = 5 AND e.kind = 'promotion_requested' AND e.request_id LIKE 'ask-%d-%%') s},
	purging => q{SELECT COALESCE(sum(steps), 0), COALESCE(max((number - 1) * 2 + steps), 0) FROM (
		SELECT split_part(v.request_id, '-', 3)::int AS number, 1 + (p.version IS NOT NULL)::int AS steps
		FROM modelreg.version v LEFT JOIN modelreg.purged_version p USING (model_id, version) WHERE v.request_id LIKE 'kept-%d-%%') s},
	serving_all => q{SELECT count(*), max(step) FROM (SELECT DISTINCT (split_part(request_id, '-', 4)::int - 1) * 2 + CASE kind WHEN 'rolled_back' THEN 2 ELSE 1 END AS step
		FROM modelreg.event WHERE chain = 6 AND request_id ~ '^all-(start|back)-%d-') s},
	guarding => q{SELECT count(*), max(split_part(request_id, '-', 3)::int) FROM modelreg.event WHERE chain = 6 AND request_id LIKE 'guarded-%d-%%'},
	observing_1 => q{SELECT count(*), count(*) FROM modelreg.quality_observation WHERE observations = %d001},
	observing_2 => q{SELECT count(*), count(*) FROM modelreg.quality_observation WHERE observations = %d002},
	following => q{SELECT count(*), max(split_part(request_id, '-', 3)::int) FROM modelreg.event WHERE chain = 5 AND request_id LIKE 'follow-%d-%%'},
	doubting => q{SELECT count(*), count(*) FROM modelreg.event WHERE request_id ~ '^(seal|lift|archive|return)-%d-'},
	wanting => q{SELECT count(*), count(*) FROM modelreg.event WHERE request_id ~ '^(want|leave)-%d-'},
	serving => q{SELECT count(*), max((split_part(request_id, '-', 3)::int - 1) * 2 + CASE kind WHEN 'rolled_back' THEN 2 ELSE 1 END)
		FROM modelreg.event WHERE chain = 6 AND request_id ~ '^(start|back)-%d-'},
	piping => q{SELECT count(*), max(split_part(key, '-', 2)::int) FROM job WHERE key LIKE '%d-%%'},
	uploading => q{SELECT COALESCE(sum(steps), 0), COALESCE(max((number - 1) * 6 + steps), 0) FROM (
		SELECT split_part(u.request_id, '-', 3)::int AS number, 1 + u.received / 100000 + (u.state = 'sealed')::int + (v.version IS NOT NULL)::int AS steps
		FROM modelreg.upload u LEFT JOIN modelreg.version v ON v.request_id = replace(u.request_id, 'upload', 'shipped')
			AND v.model_id = (SELECT id FROM modelreg.model WHERE name = 'shipped')
		WHERE u.request_id LIKE 'upload-%d-%%') s});

sub check_nothing_else
{
	my ($round) = @_;
	for my $name (sort keys %there)
	{
		my ($count, $last) = split /\|/, $node->safe_psql('postgres', sprintf $there{$name}, $round);
		is($last || 0, $count, "round $round, $name: no step was left out");
		ok($count == $steps{$name} || $count == $steps{$name} + 1, "round $round, $name: what is there is what was told, or one step more")
			or diag "$count are there, $steps{$name} were told";
		$sum_told += $steps{$name};
		$sum_untold += $count - $steps{$name};
	}
	is($node->safe_psql('postgres', q{SELECT count(*) FROM modelreg.version WHERE request_id IS NULL}), '12', "round $round: and nothing that nobody asked for");
}

sub check_whole
{
	my ($round) = @_;
	is($node->safe_psql('postgres', 'SELECT * FROM modelreg.verify(deep => true)'), '', "$round: verify() is clean");
	is_zero(q{(SELECT oid FROM pg_largeobject_metadata UNION SELECT loid FROM pg_largeobject) o WHERE oid NOT IN
		(SELECT object FROM modelreg.blob WHERE object IS NOT NULL UNION ALL SELECT object FROM modelreg.upload WHERE object IS NOT NULL)},
		"$round: each large object has a row");
	is_zero(q{job j FULL JOIN (SELECT v.version, v.request_id, n.name FROM modelreg.version v JOIN modelreg.model m ON m.id = v.model_id
			LEFT JOIN modelreg.node n ON n.id = v.run_id WHERE m.name = 'piped') v ON v.version = j.version AND v.request_id = 'piped-' || j.key
		LEFT JOIN modelreg.tag t ON t.key = 'key' AND t.value = j.key AND t.version = j.version
		WHERE j.key IS NULL OR v.version IS NULL OR t.value IS NULL OR v.name NOT LIKE '%train-' || j.key},
		"$round: a pipeline's version, run, tag and own row are there together or not at all");
	is_zero(q{modelreg.approval_request r WHERE (r.state = 'done') <> ((SELECT count(*) FROM modelreg.approval a WHERE a.request_id = r.id) = 2)},
		"$round: a request is done with its second approval, and not before");
	is_zero(q{modelreg.version v JOIN modelreg.model m ON m.id = v.model_id AND m.name = 'purged' JOIN modelreg.artifact a ON a.model_id = v.model_id AND a.version = v.version
		LEFT JOIN modelreg.purged_version p ON p.model_id = v.model_id AND p.version = v.version
		LEFT JOIN modelreg.blob b ON b.digest::text = a.digest::text LEFT JOIN pg_largeobject_metadata o ON o.oid = b.object WHERE (o.oid IS NULL) <> (p.version IS NOT NULL)},
		"$round: bytes are there, or were purged by an event");
	is_zero(q{(SELECT t.step FROM modelreg.traffic_schedule s, LATERAL (SELECT jsonb_array_elements(s.doc->'steps') UNION ALL SELECT jsonb_array_elements(s.doc->'waiting')) t (step)
		WHERE (SELECT sum((g->>2)::integer) FROM jsonb_array_elements(t.step->'segments') g) IS DISTINCT FROM 1000000) x}, "$round: each split is whole, in each step");
	is_zero(q{(SELECT g FROM modelreg.endpoints e JOIN modelreg.traffic_schedule s ON s.endpoint_id = e.endpoint_id AND s.seq = e.number,
			LATERAL (SELECT jsonb_array_elements(s.doc->'steps') UNION ALL SELECT jsonb_array_elements(s.doc->'waiting')) t (step), jsonb_array_elements(t.step->'segments') g
		WHERE NOT EXISTS (SELECT FROM modelreg.version_stage v WHERE v.model_id = (g->>0)::bigint AND v.version = (g->>1)::integer AND v.stage::text = 'Production')) x},
		"$round: of versions that may serve");
	# While something is quarantined no rollout towards it is started, and none goes on.
	is_zero(q{(SELECT pg_xact_commit_timestamp(e.xmin) AS since, COALESCE(lead(pg_xact_commit_timestamp(e.xmin)) OVER (ORDER BY e.seq), 'infinity') AS until, e.kind
			FROM modelreg.event e WHERE e.chain = 2 AND e.kind IN ('quarantined', 'quarantine_lifted')) q,
		(SELECT s.kind, s.doc, pg_xact_commit_timestamp(s.xmin) AS since, COALESCE(lead(pg_xact_commit_timestamp(s.xmin)) OVER (ORDER BY s.seq), 'infinity') AS until
			FROM modelreg.traffic_schedule s JOIN modelreg.endpoint e ON e.id = s.endpoint_id WHERE e.name = 'doubted') s
		WHERE q.kind = 'quarantined' AND s.until > q.since AND s.since < q.until AND (s.kind = 'rollout_started' AND s.since > q.since
			OR EXISTS (SELECT FROM jsonb_array_elements(s.doc->'steps') WITH ORDINALITY t (step, n), LATERAL (SELECT timestamptz '2000-01-01 00:00+00' + (t.step->>'opens')::bigint * interval '1 microsecond' AS opens) o
				WHERE t.n > 1 AND o.opens > GREATEST(s.since, q.since) AND o.opens < LEAST(s.until, q.until)))}, "$round: nothing grew towards what was quarantined");
	is_zero(q{modelreg.endpoint e WHERE e.follows AND (SELECT count(*) FROM modelreg.event s WHERE s.chain = 6 AND s.chain_id = e.id AND s.kind = 'rollout_started')
		<> (SELECT count(*) FROM modelreg.event p WHERE p.chain = 5 AND p.chain_id = e.model_id AND p.request_id LIKE 'follow-%')}, "$round: each promotion has a rollout of each follower");
	is_zero(q{(SELECT 1 FROM modelreg.event WHERE chain = 6 AND request_id LIKE 'all-%' GROUP BY regexp_replace(request_id, '^(all-start.*)-.$', '\1') HAVING count(*) <> 3) x},
		"$round: three endpoints went on and back together");
	is_zero(q{modelreg.registration_head h WHERE h.last_version <> (SELECT count(*) FROM modelreg.version v WHERE v.model_id = h.id)},
		"$round: versions are numbered without a gap");
}

# What was not yet told of, or did not happen, more than once a round.
sub seldom
{
	my @seldom = ((grep { keys %{ $told{$_} // {} } <= $rounds } qw(version promoted received piped decided purged started back all_back guarded observed followed routed)),
		(grep { my $step = $_; !grep { /^$step-/ } keys %{ $told{doubted} // {} } } qw(seal lift archive return want leave)),
		# what opened steps, and what ended rollouts
		(grep { $node->safe_psql('postgres', "SELECT count(*) FROM modelreg.traffic_schedule WHERE kind = '$_'") <= $rounds } qw(rollout_step_opened rollout_aborted rollout_held)));
	return @seldom;
}

# A machine on which a round comes to little has more of them.
my $round;
for ($round = 1; $round <= $rounds || $round <= 5 * $rounds && seldom(); $round++)
{
	my %clients = (registering => start_client(registering($round)), uploading => start_client(uploading($round)),
		promoting => start_client(promoting($round)), piping => start_client(piping($round)),
		approving => start_client(approving($round)), purging => start_client(purging($round)),
		serving => start_client(serving($round)), serving_all => start_client(serving_all($round)), guarding => start_client(guarding($round)),
		observing_1 => start_client(observing($round, 1)), observing_2 => start_client(observing($round, 2)),
		doubting => start_client(doubting($round)), wanting => start_client(wanting($round)),
		following => start_client(following($round)), routing => start_client(routing($round)));
	$node->poll_query_until('postgres', q{SELECT count(*) >= 15 FROM pg_stat_activity WHERE backend_type = 'client backend'
		AND pid <> pg_backend_pid()}) or die 'the clients did not connect: ' . join '', map { $_->{err} } values %clients;
	sleep 0.15 + rand 0.4;
	(\&kill_server, \&kill_backend, \&kill_in_recovery)[ $round % 3 ]->();
	for my $name (sort keys %clients)
	{
		my $client = $clients{$name};
		eval { IPC::Run::finish($client->{run}) };
		like($client->{err}, qr/server closed the connection|terminating connection|connection to server was lost|recovery mode|starting up|No such file|Connection refused/,
			"round $round: $name lost its server") or diag $client->{err};
		unlike($client->{err}, qr/ERROR:  (?!55000|40001)/, "round $round: $name was refused nothing else than what came at the wrong moment") if $name =~ /^(doubting|wanting)$/;
		remember($name, $client->{out});
	}
	ok($node->poll_query_until('postgres', 'SELECT true'), "round $round: the server is back");
	check_told("round $round");
	check_nothing_else($round);
	check_whole("round $round");
}
is(join(' ', seldom()), '', 'all was told of, or happened, often enough');
note(($round - 1) . " rounds: $sum_told steps were told of and are there; of what was in flight $sum_untold steps are there too");

# Whoever asks once more is told the same.
my ($again, $version) = %{ $told{version} };
is($node->safe_psql('postgres', "SELECT modelreg.register_version('search.reco', 'run:search.train', params => '{\"n\": "
	. ($again =~ s/.*-//r) . "}', metrics => '{\"m\": " . ($again =~ s/.*-//r) . "}', description => 'of round "
	. ($again =~ s/-.*//r) . "', request_id => '$again')"), $version, 'a registration is repeated');

# Every upload that was broken off is finished from where it stands.
for (split /\n/, $node->safe_psql('postgres', q{SELECT upload, received, substr(request_id, 8) FROM modelreg.uploads WHERE state = 'open' ORDER BY upload}))
{
	my ($id, $received, $key) = split /\|/;
	my $last = sprintf '%02x', ($key =~ s/.*-//r) % 256;
	$node->safe_psql('postgres', sprintf q{SELECT modelreg.append_upload(%d, %d, decode(repeat('%s', %d), 'hex'))}, $id, $_, $_ == 0 ? '61' : $_ == $chunk ? '62' : $last, $chunk)
		for grep { $_ >= $received } (0, $chunk, 2 * $chunk);
	is($node->safe_psql('postgres', "SELECT modelreg.finish_upload($id)::text = 'sha256:' || encode(sha256(decode(repeat('61', $chunk) || repeat('62', $chunk) || repeat('$last', $chunk), 'hex')), 'hex')"),
		't', "upload $key is finished");
}
check_told('last');
check_whole('last');
done_testing();
