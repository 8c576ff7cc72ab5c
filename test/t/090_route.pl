# Routing is the same everywhere: on a primary, on its standby, and in a program that was written from docs/serving.md alone and knows
# nothing but what serving_config() returned; at every instant of a rollout, past ones and coming ones. And what a standby promises: it
# tells how far it has come, follows what is decided, and hands out no more time once it is cut off. TAP because it takes a
# standby and another language.

use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8 encode_utf8);
use File::Temp qw(tempfile);
use FindBin;
use IO::Select;
use IO::Socket::UNIX;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $router = "$FindBin::Bin/../router.py";

# What the program prints for lines of input.
sub run_router
{
	my ($input, @arguments) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'python3', $router, @arguments ], '<', \encode_utf8($input), '>', \$out, '2>', \$err) or diag $err;
	return decode_utf8($out);
}

my $vectors = run_router('', 'vectors', "$FindBin::Bin/../../docs/serving.md");
like($vectors, qr/^(1[0-9]|[2-9][0-9]) vectors, 0 wrong$/, 'the page and the program agree on the vectors');

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(extra => [ '--encoding=UTF8', '--no-locale' ], allows_streaming => 1);
$primary->append_conf('postgresql.conf', "modelreg.max_decision_delay = 2s\nmodelreg.max_clock_skew = 0\nshared_preload_libraries = 'modelreg'\nautovacuum = off");
$primary->start;
$primary->safe_psql('postgres', q{
	CREATE EXTENSION modelreg; CREATE ROLE reader LOGIN; CREATE ROLE stranger LOGIN;
	SELECT modelreg.create_team('search'), modelreg.grant_level('search', 'reader', 'reader');
	SELECT modelreg.create_model('search.reco', 'open'), modelreg.create_model('search.rank', 'open');
	SELECT modelreg.register_version('search.reco', artifacts => '[{"name": "w", "uri": "s3://m/w", "size": 3, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]') FROM generate_series(1, 3);
	SELECT modelreg.register_version('search.rank'), modelreg.promote('search.rank', 1, 'Production');
	SELECT modelreg.promote('search.reco', v, 'Production', archive_others => false) FROM generate_series(1, 3) v;
	SELECT modelreg.create_endpoint('search.home', 'search.reco', 1, max_staleness => '1 hour')});
my $standby = PostgreSQL::Test::Cluster->new('standby');
$primary->backup('base');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'wal_retrieve_retry_interval = 100ms');
$standby->start;

# As the reader, with times in UTC.
sub ask
{
	my ($node, $sql) = @_;
	return decode_utf8($node->safe_psql('postgres', encode_utf8($sql), extra_params => [ '-U', 'reader' ]));
}

# Keys of all sorts; a long one, the empty one and one that JSON has to escape among them.
my @keys = ((map { "user-$_" } 1 .. 60), '', ' ', 'é', "e\x{301}", '😀', '"\\', "tab\there", 'x' x 5000);
my $keys = 'ARRAY[' . join(', ', map { "E'" . s/([\\'])/\\$1/gr . "'" } @keys) . ']';

# Each step's opening, the microsecond before, and times between and beyond.
my $moments = q{SELECT to_char(m AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS moment
	FROM modelreg.traffic_schedule s JOIN modelreg.endpoint e ON e.id = s.endpoint_id AND e.schedule_seq = s.seq, jsonb_array_elements(s.doc->'steps') x,
		unnest(ARRAY[0, -1, 1, 1000000, 3600000000]) us,
		LATERAL (SELECT timestamptz '2000-01-01 00:00:00+00' + ((x->>'opens')::bigint + us) * interval '1 microsecond') m(m)
	WHERE e.name = 'home' AND m >= s.at};

# All answers of an endpoint's present schedule, by the server and by the program.
sub compare
{
	my ($node, $what) = @_;
	my $asked = ask($node, qq{SELECT m.moment, to_json(r.request_key)::text, r.permanent_id, r.share, r.position, r.receipt, array_to_string(r.shadow, ',')
		FROM ($moments) m, modelreg.route_batch('search.home', $keys, m.moment::timestamptz) r ORDER BY 1, 2, 3});
	my @rows = map { [ split /\|/, $_, -1 ] } split /\n/, $asked;
	cmp_ok(scalar @rows, '>=', 4 * @keys, "$what: there is something to compare");
	my ($handle, $file) = tempfile(UNLINK => 1);
	print $handle encode_utf8(ask($node, q{SELECT document FROM modelreg.serving_config('search.home')}));
	close $handle;
	my $routed = run_router(join('', map { "$_->[0]\t$_->[1]\n" } @rows), 'route', $file);
	is($routed, join('', map { join("\t", @$_[ 2 .. 6 ]) . "\n" } @rows), "$what: " . @rows . ' answers are the same');
	return $asked;
}

sub both
{
	my ($what) = @_;
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));
	is(compare($standby, "$what, standby"), compare($primary, "$what, primary"), "$what: on both");
	is(ask($standby, q{SELECT etag FROM modelreg.serving_config('search.home')}), ask($primary, q{SELECT etag FROM modelreg.serving_config('search.home')}), "$what: one etag");
	return;
}

both('before any rollout');
# A session that stays sees each change, whatever it knows of before.
my $session = $standby->background_psql('postgres');
my $receipt = q{SELECT receipt FROM modelreg.route('search.home', 'user-1')};
my $before = $session->query_safe($receipt);
for my $rollout (q{'search.home', 2, plan => 'linear over 2 hours in 7 steps'}, q{'search.home', split => '{1: 20%, 2: 33.3333%, 3: 6.6667%, search.rank/1: 40%}', plan => 'canary'},
	q{'search.home', split => '{1: 50%, 3: 0.0001%, search.rank/1: 49.9999%}', plan => '{"warm_up": "5 minutes", "shadow": "1 hour", "steps": [{"weight": "1%", "bake": "1 hour"}, {"weight": "100%"}], "keep_warm": "1 hour"}'})
{
	$primary->safe_psql('postgres', "SELECT modelreg.start_rollout($rollout)");
	both($rollout);
	my $now = $session->query_safe($receipt);
	isnt($now, $before, 'a session of the standby goes by it');
	$before = $now;
	$primary->safe_psql('postgres', q{SELECT modelreg.complete_rollout('search.home')});
	both("$rollout, completed");
}

# What was then is answered alike for ever: by each schedule's own time, and it is final.
my $then = q{SELECT s.seq, r.request_key, r.permanent_id, r.position, r.receipt FROM modelreg.traffic_schedule s, modelreg.route_batch('search.home', '{user-1,user-2,user-3}', s.at) r ORDER BY 1, 2};
my $answers = ask($primary, $then);
is(() = $answers =~ /\n/g, 20, 'seven schedules were');
$primary->safe_psql('postgres', q{SELECT modelreg.start_rollout('search.home', 1, plan => 'all at once')});
is(ask($primary, $then =~ s/ORDER BY/WHERE s.seq < (SELECT max(seq) FROM modelreg.traffic_schedule) ORDER BY/r), $answers, 'what was then stays');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));
is(ask($standby, $then =~ s/ORDER BY/WHERE s.seq < (SELECT max(seq) FROM modelreg.traffic_schedule) ORDER BY/r), $answers, 'on the standby too');
my $final = q{SELECT bool_and(r.final) FROM modelreg.traffic_schedule s, modelreg.route('search.home', 'user-1', s.at) r};
ok($primary->poll_query_until('postgres', $final), 'and is final');
is($primary->safe_psql('postgres', q{SELECT final FROM modelreg.route('search.home', 'user-1', now() + interval '1 hour') UNION ALL SELECT final FROM modelreg.route('search.home', 'user-1')}), "f\nf", 'what is now and what is to come is not');
# While somebody changes the endpoint nothing of it is.
my $writer = $primary->background_psql('postgres');
$writer->query_safe(q{BEGIN; SELECT modelreg.start_rollout('search.home', 2, plan => 'all at once')});
is($primary->safe_psql('postgres', $final), 'f', 'while somebody changes the endpoint it is not final');
$writer->query_safe('ROLLBACK');
$writer->quit;
is($primary->safe_psql('postgres', $final), 't', 'and afterwards it is again');

# The standby's own: reading, no report; its position; who may not read.
is(ask($standby, q{SELECT replayed IS NOT NULL, valid_until IS NOT NULL, document->'endpoint'->>'name' FROM modelreg.serving_config('search.home')}), 't|t|search.home', 'the standby says where it is');
is(ask($standby, q{SELECT count(*) FROM modelreg.changes()}) . ask($standby, q{SELECT count(*) FROM modelreg.fleet}) . ask($standby, q{SELECT count(*) FROM modelreg.serving('search.home')}), '101', 'all that reads can be asked');
my ($status, undef, $err) = $standby->psql('postgres', q{SELECT modelreg.report_serving('search.home', 'pod', '1-ab')});
like($err, qr/cannot execute report_serving/, 'a report is refused');
# A poll of what is unchanged is three probes there, of the endpoint's row, of a later schedule, and of its end; nothing else of the registry is
# looked at at each. Counted in one transaction, whose own counts nobody else's work adds to.
my $looked = q{SELECT json_object_agg(relname, json_build_array(pg_stat_get_xact_numscans(oid), CASE relkind WHEN 'i' THEN pg_stat_get_xact_tuples_fetched(oid) ELSE pg_stat_get_xact_tuples_returned(oid) END)) AS looked
	FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind IN ('r', 'i')};
is($standby->safe_psql('postgres', qq{SELECT etag FROM modelreg.serving_config('search.home') \\gset
	SET ROLE reader;
	SELECT document IS NULL AS unchanged FROM modelreg.serving_config('search.home', :'etag') \\gset
	BEGIN;
	RESET ROLE;
	$looked \\gset
	SET LOCAL ROLE reader;
	SELECT count(*), count(document), count(replayed) FROM generate_series(1, 100) i, LATERAL modelreg.serving_config('search.home', CASE WHEN i > 0 THEN :'etag' END);
	RESET ROLE;
	SELECT a.key, (a.value->>0)::int - (b.value->>0)::int AS probes, (a.value->>1)::int - (b.value->>1)::int AS rows FROM json_each(($looked)) a JOIN json_each(:'looked') b USING (key)
		WHERE (a.value->>0)::int - (b.value->>0)::int >= 100 OR (a.value->>1)::int - (b.value->>1)::int >= 100 ORDER BY 1;
	ROLLBACK}), "100|0|100\nendpoint_live_name|100|100\nendpoint_pkey|100|100\ntraffic_schedule_pkey|100|0", 'an unchanged poll is three probes of indexes');
($status, undef, $err) = $standby->psql('postgres', q{SELECT modelreg.route('search.home', 'user-1')}, extra_params => [ '-U', 'stranger' ]);
like($err, qr/does not exist or you may not read it/, 'who may not read learns nothing');

# Cut off, it answers on, and the time until which that holds stands still.
my $valid = q{SELECT valid_until FROM modelreg.serving_config('search.home')};
my $known = ask($primary, q{SELECT etag FROM modelreg.serving_config('search.home')});
$primary->stop('fast');
ok($standby->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_stat_wal_receiver'), 'the primary is gone');
my @until = map { ask($standby, $valid) } 1 .. 2;
is($until[1], $until[0], 'no more time is handed out');
is(ask($standby, q{SELECT valid_until <= now() + interval '1 hour' FROM modelreg.serving_config('search.home')}), 't', 'nor more than there was');
# Somebody takes the connection who never says anything, as a network that swallows everything would.
my $silent = IO::Socket::UNIX->new(Local => $primary->host . '/.s.PGSQL.' . $primary->port, Listen => 5) or die $!;
IO::Select->new($silent)->can_read($PostgreSQL::Test::Utils::timeout_default) or die 'the standby does not try to connect';
is(ask($standby, $valid), $until[1], 'none while it tries to connect');
$silent->close;
is(ask($standby, "SELECT document IS NULL FROM modelreg.serving_config('search.home', '$known')"), 't', 'what it has is right');
$standby->promote;
is(ask($standby, q{SELECT replayed IS NULL, valid_until = now() + interval '1 hour' FROM modelreg.serving_config('search.home')}), 't|t', 'promoted, it hands out time again');
$standby->safe_psql('postgres', q{SELECT modelreg.start_rollout('search.home', 2, plan => 'all at once'), modelreg.report_serving('search.home', 'pod', '1-ab')});
isnt($session->query_safe($receipt), $before, 'and a session of before goes by what it decides');
$session->quit;
is($standby->safe_psql('postgres', q{SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)}), '', 'verify() is clean');
done_testing();
