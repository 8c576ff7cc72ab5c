# examples/serving, as its page says: pipelines that scikit-learn trained, served out of the registry's bytes by processes that follow the
# endpoint by notification, by polling through pgbouncer, and when they are asked to. What each request is answered is what route()
# says, key by key; a rollout waits for the monitor, goes on with good outcomes and back with bad ones; restarts of the server and of
# pgbouncer disturb nobody. TAP because it takes other programs. How long changes took to be seen is printed, and not judged.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
unless ($pgbouncer && IPC::Run::run([ 'python3', '-c', 'import psycopg, sklearn, joblib' ], '2>', \my $missing))
{
	diag 'NOT TESTED, the example: scripts/packages python3-sklearn python3-psycopg pgbouncer';
	plan skip_all => 'no scikit-learn, psycopg or pgbouncer';
}

my $example = "$FindBin::Bin/../../examples/serving";
my $dir = tempdir(CLEANUP => 1);
@ENV{qw(PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS OPENBLAS_NUM_THREADS)} = (1, 1, 1);

# The registry as the page sets it up, and what it trains.

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]); }

my ($setup, $endpoint) = slurp_file("$example/README.md") =~ /^```sql\n(.*?)^```$/gms;
sql("CREATE EXTENSION modelreg; $setup");
my $direct = $node->connstr('postgres');
sub train { return output_of('python3', "$example/train.py", 'clinic.tumors', @_, '--registry', "$direct user=trainer", '--held-out', "$dir/held-out.json"); }

sub output_of
{
	my ($out, $err) = ('', '');
	IPC::Run::run([ @_ ], '<', \undef, '>', \$out, '2>', \$err) or die "@_: $err";
	return $out;
}

like(train(), qr/^version 1: logistic, accuracy 0\.9\d+\nversion 2: svm, accuracy 0\.9\d+\n$/, 'two pipelines are trained and registered');
like(train('exchanged'), qr/^version 3: exchanged, accuracy 0\.0\d+\n$/, 'and one that is wrong');
is(sql(q{SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM modelreg.upstream('models:/clinic.tumors/2')}), 'commit run snapshot', 'with run, snapshot and commit');
sql($endpoint =~ s/'30 seconds'/'2 seconds'/r);
my $id = sql(q{SELECT endpoint_id FROM modelreg.endpoints});

# pgbouncer in transaction mode.

my $port = $node->port + 1;
append_to_file("$dir/users", join '', map { qq{"$_" ""\n} } qw(server));
append_to_file("$dir/pgbouncer.ini", sprintf <<'INI', $node->host, $node->port, $dir, $port, $dir, $dir);
[databases]
postgres = host=%s port=%d dbname=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = %s
listen_port = %d
auth_type = trust
auth_file = %s/users
pool_mode = transaction
default_pool_size = 2
server_login_retry = 1
query_wait_timeout = 5
logfile = %s/log
INI

my @started;
END { local $?; for (@started) { eval { $_->kill_kill } if $_->pumpable } }

sub wait_for
{
	my ($what, $condition) = @_;
	my $began = time;
	while (time - $began < $PostgreSQL::Test::Utils::timeout_default)
	{
		my $found = $condition->();
		return $found if $found;
		sleep 0.02;
	}
	die "waited in vain: $what";
}

sub start_pgbouncer
{
	push @started, IPC::Run::start([ $pgbouncer, "$dir/pgbouncer.ini" ], '<', \undef, '>', \my $out, '2>', \my $err);
	wait_for('pgbouncer', sub { -S "$dir/.s.PGSQL.$port" });
	return $started[-1];
}

sub stop_pgbouncer
{
	my ($bouncer) = @_;
	$bouncer->signal('KILL');
	$bouncer->finish;
	unlink "$dir/.s.PGSQL.$port";
	return;
}

# Serving processes, each with what it printed.

my %url;
sub start_serving
{
	my ($name, @options) = @_;
	push @started, IPC::Run::start([ 'python3', "$example/serve.py", 'clinic.triage', '--port', 0, '--instance', $name, '--report', '0.1', @options ],
		'<', \undef, '>', "$dir/$name.url", '2>', "$dir/$name.log");
	return;
}

my $http = HTTP::Tiny->new(timeout => $PostgreSQL::Test::Utils::timeout_default);
sub ask
{
	my ($method, $name, $path) = @_;
	my $answer = $http->request($method, "$url{$name}$path", { content => '{}' });
	die "$name: $path: $answer->{status} $answer->{content}" unless $answer->{success};
	return decode_json($answer->{content});
}
sub status { return ask('GET', $_[0], '/status'); }

# A process goes by the schedule that the endpoint has, and says so. Prints how long after the event it did.
sub follows
{
	my ($name, $what) = @_;
	my $reported = qq{SELECT round(extract(epoch FROM f.reported_at - s.at) * 1000) FROM modelreg.endpoints e
		JOIN modelreg.traffic_schedule s ON s.endpoint_id = e.endpoint_id AND s.seq = split_part(e.etag, '-', 1)::bigint
		JOIN modelreg.fleet_status('clinic.triage') f ON f.etag = e.etag WHERE f.instance = '$name'};
	diag "$name: $what was seen after " . wait_for("$name: $what", sub { sql($reported) }) . ' ms';
	return;
}

# What a range of keys is answered: rows of key, version, receipt, prediction.
sub traffic
{
	my ($name, $first, $last, @options) = @_;
	return output_of('python3', "$example/traffic.py", $url{$name}, "$dir/held-out.json", $first, $last, @options);
}

# The same with route(), at the time when the step of the receipt opened.
sub routed
{
	my ($answers) = @_;
	my @keys = map { "('" . join("', '", (split /\t/)[ 0, 2 ]) . "')" } split /\n/, $answers;
	return sql("SELECT r.request_key, r.permanent_id, r.receipt FROM (SELECT row_number() OVER (), * FROM (VALUES " . join(', ', @keys) . qq{) k(key, receipt)) k
		JOIN modelreg.traffic_schedule s ON s.endpoint_id = $id AND s.seq = split_part(receipt, '.', 1)::bigint
		CROSS JOIN LATERAL (SELECT '2000-01-01 00:00:00+00'::timestamptz + (s.doc->'steps'->(split_part(receipt, '.', 2)::integer)->>'opens')::bigint * interval '1 microsecond' AS at) o
		CROSS JOIN LATERAL modelreg.route_batch('clinic.triage', ARRAY[key], o.at) r ORDER BY k.row_number});
}

sub answered_as_routed
{
	my ($answers, $what) = @_;
	my $seen = join "\n", map { join '|', (split /\t/)[ 0 .. 2 ] } split /\n/, $answers;
	is($seen, routed($answers), "$what: each key is answered as route() says");
	return;
}

# How many of them the version had.
sub answered_by { my ($answers, $version) = @_; return scalar grep { m{^\S+\t\S+/$version\t} } split /\n/, $answers; }

my $bouncer = start_pgbouncer();
my $pooled = "host=$dir port=$port dbname=postgres user=server";
start_serving('notified', '--registry', "$direct user=server", '--listen', "$direct user=server", '--poll', 3600);
start_serving('polling', '--registry', $pooled, '--poll', 0.1);
start_serving('asked', '--registry', $pooled, '--poll', 3600);
my @names = qw(notified polling asked);
for my $name (@names)
{
	wait_for("$name: start", sub { -s "$dir/$name.url" });
	chomp($url{$name} = slurp_file("$dir/$name.url"));
}
is(sql(q{SELECT string_agg(instance || ' ' || behind || ' ' || cardinality(missing), ', ' ORDER BY instance) FROM modelreg.fleet_status('clinic.triage')}),
	'asked 0 0, notified 0 0, polling 0 0', 'the fleet has what it needs');
my $answers = traffic('notified', 1, 50);
is(answered_by($answers, 1), 50, 'version 1 answers all');
answered_as_routed($answers, 'before any rollout');
is($http->post("$url{asked}/predict", { content => '{"key": "user-1", "features": [1, 2]}' })->{status}, 400, 'a request that is none is refused');

# A guarded rollout. Without outcomes it stands, whatever traffic there is, and will stand.

sub start_guarded
{
	my ($version, @weights) = @_;
	my $steps = join ', ', (map { qq({"weight": "$_", "bake": "1 ms"}) } @weights), '{"weight": "100%"}';
	return sql(qq{SELECT modelreg.start_rollout('clinic.triage', version => $version, plan => '{"steps": [$steps],
		"guards": [{"metric": "accuracy", "at_least": 0.8, "of": "baseline", "min_observations": 40}]}')});
}

start_guarded(2, '20%', '50%');
follows($_, 'a rollout') for qw(notified polling);
my $event = status('polling')->{receipt};
$answers = traffic('polling', 1, 600);
answered_as_routed($answers, 'a fifth for version 2');
my $planned = sql(q{SELECT count(*) FROM modelreg.route_batch('clinic.triage', ARRAY(SELECT 'user-' || i FROM generate_series(1, 600) i)) WHERE version = 2});
my ($key, undef, $receipt) = split /\t/, (grep { m{/2\t} } split /\n/, $answers)[0];
is(sql(qq{SELECT string_agg(DISTINCT CASE part WHEN 'lineage' THEN kind WHEN 'version' THEN address ELSE part END, ' ') FROM modelreg.trace_prediction('clinic.triage', '$key', receipt => '$receipt')}),
	'commit decision models:/clinic.tumors/2 run snapshot traffic', 'an answer is traced to the commit by its receipt');
is(answered_by($answers, 2), $planned, 'the observed share is that of the plan');
cmp_ok(abs($planned - 120), '<', 60, "about a fifth: $planned of 600");
is((traffic('notified', 1, 600) =~ s/\t\d\n/\n/gr), ($answers =~ s/\t\d\n/\n/gr), 'every process answers a key alike');
is(status('polling')->{receipt}, $event, 'a silent monitor opens no step');
is(sql(q{SELECT split, next_opens IS NULL, waits_for FROM modelreg.rollout_status('clinic.triage')}), '{1: 80%, 2: 20%}|t|accuracy of 2: 0 of 40 observations',
	'the rollout waits for it');
is(sql(qq{SELECT count(*) FROM modelreg.route_batch('clinic.triage', ARRAY(SELECT 'user-' || i FROM generate_series(1, 600) i), now() + interval '10 years') WHERE version = 2}), $planned,
	'and would wait for years');

# With outcomes it goes on, step by step; who was among the first stays.

my %first = map { (split /\t/)[0] => 1 } grep { m{/2\t} } split /\n/, $answers;
my ($round, $later) = (0, '');
until (sql(q{SELECT state FROM modelreg.rollout_status('clinic.triage')}) eq 'none')
{
	die 'the rollout does not go on: ' . sql(q{SELECT waits_for FROM modelreg.rollout_status('clinic.triage')}) . slurp_file("$dir/polling.log") if ++$round > 30;
	$later .= traffic('polling', 1, 400, '--outcomes');
	sleep 0.3;
}
is(join(' ', grep { $first{ (split /\t/)[0] } && !m{/2\t} } split /\n/, $later), '', 'who was among the first stays');
answered_as_routed($later, 'while steps open');
is(sql(q{SELECT string_agg(kind, ' ' ORDER BY seq) FROM modelreg.traffic_schedule}), 'created rollout_started rollout_step_opened rollout_step_opened', 'good outcomes open each step');
follows($_, 'the last step') for qw(notified polling);
$answers = traffic('notified', 1, 50);
is(answered_by($answers, 2), 50, 'version 2 answers all');
is(sql(q{SELECT string_agg(concat_ws(' ', metric, version, mean BETWEEN 0.7 AND 1), ', ' ORDER BY metric, version) FROM (SELECT metric, version, sum(total) / sum(observations) AS mean FROM modelreg.quality GROUP BY 1, 2) q}),
	'accuracy 1 t, accuracy 2 t', 'what was recorded is an accuracy');

# The one that is wrong trips the guard.

start_guarded(3, '50%');
follows($_, 'another rollout') for qw(notified polling);
traffic('polling', 1, 400, '--outcomes');
wait_for('the guard', sub { sql(q{SELECT kind FROM modelreg.rollout_status('clinic.triage')}) eq 'rollout_aborted' });
follows($_, 'a tripped guard') for qw(notified polling);
for my $name (qw(notified polling))
{
	$answers = traffic($name, 1, 100);
	is(answered_by($answers, 2), 100, "$name: bad outcomes give the traffic back");
	answered_as_routed($answers, $name);
}

# Going back further than the guard did: by notification, without a poll of its own; and with one poll, without a notification.

ask('POST', 'asked', '/refresh');
my $polls = status('asked')->{polls};
sql(q{SELECT modelreg.rollback('clinic.triage', reason => 'clinicians complain', further => true)});
follows('notified', 'a rollback, by NOTIFY,');
follows('polling', 'a rollback, by polling every 100 ms,');
is(answered_by(traffic('notified', 1, 20), 1), 20, 'version 1 is back by notification');
is(answered_by(traffic('asked', 1, 20), 2), 20, 'who has not asked does not know');
is(sql(q{SELECT behind FROM modelreg.fleet_status('clinic.triage') WHERE instance = 'asked'}), 1, 'which the fleet shows');
my $began = time;
ok(ask('POST', 'asked', '/refresh')->{refreshed}, 'a poll');
diag sprintf 'asked: a poll through pgbouncer that loads another version took %.0f ms', 1000 * (time - $began);
is(answered_by(traffic('asked', 1, 20), 1), 20, 'version 1 is back');
is(status('asked')->{polls}, $polls + 1, 'in one poll');

# From here on no outcome comes but of answers while the server is away.
my $since = sql('SELECT clock_timestamp()');

# Cut off, a process answers on; by the weights of the last instant until which it had been told, though another step has opened since.

sql(q{SELECT modelreg.start_rollout('clinic.triage', version => 2, plan => 'canary 20% for 6 seconds')});
follows('polling', 'a rollout by the clock');
stop_pgbouncer($bouncer);
my $alone = traffic('polling', 1, 200);
answered_as_routed($alone, 'cut off');
my $opens = sql(qq{SELECT s.opens FROM modelreg.traffic_arm s JOIN modelreg.endpoints e ON e.endpoint_id = s.endpoint_id AND e.number = s.seq ORDER BY opens DESC LIMIT 1});
SKIP:
{
	skip 'this machine is too slow to cut a process off before the next step', 3
		if sql("SELECT timestamptz '" . status('polling')->{valid_until} . "' >= '$opens'") eq 't';
	wait_for('the next step', sub { sql("SELECT now() > '$opens'") eq 't' });
	is(sql(q{SELECT split FROM modelreg.rollout_status('clinic.triage')}), '{2: 100%}', 'the next step has opened');
	ok(!ask('POST', 'asked', '/refresh')->{refreshed}, 'nobody can ask');
	is(traffic('polling', 1, 200), $alone, 'past its time a process keeps the weights');
}
start_pgbouncer();
wait_for('pgbouncer', sub { answered_by(traffic('polling', 1, 50), 2) == 50 });
pass('pgbouncer is back, and with it the step that opened meanwhile');

# The server away, and back with another split.

ask('POST', 'notified', '/refresh');
$node->stop('fast');
for my $name (qw(notified polling))
{
	is(answered_by(traffic($name, 1, 50, '--outcomes'), 2), 50, "$name: a server that is down disturbs no request");
}
$node->start;
sql(q{SELECT modelreg.rollback('clinic.triage', reason => 'as before')});
for my $name (qw(notified polling))
{
	follows($name, 'a rollback right after the server was back');
	is(answered_by(traffic($name, 1, 50), 1), 50, "$name: version 1 is back");
}
my $kept = qq{SELECT sum(observations) FROM modelreg.quality WHERE window_start > '$since' AND version = 2};
wait_for('outcomes of meanwhile', sub { (sql($kept) || 0) >= 100 });
is(sql($kept), 100, 'outcomes that could not be recorded then are recorded later, once');
is(sql('SELECT * FROM modelreg.verify(deep => true)'), '', 'verify() is clean');

# Bytes that somebody altered are not served, and what is served stays.

sql(q{SELECT lo_put(object, 1000, '\xdeadbeef') FROM modelreg.blob; SELECT modelreg.start_rollout('clinic.triage', version => 2, plan => 'all at once')});
wait_for('the digest', sub { slurp_file("$dir/polling.log") =~ m{clinic\.tumors/2: pipeline is not what was registered} });
is(answered_by(traffic('polling', 1, 50), 1), 50, 'altered bytes are not served');
is(sql(q{SELECT behind FROM modelreg.fleet_status('clinic.triage') WHERE instance = 'polling'}), 1, 'and the fleet shows who stays behind');

done_testing();
