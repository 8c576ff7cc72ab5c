# Faults: a server with faults.c preloaded, what a test arms in it and changes while it runs, and a call of each verb.
package Faults;

use strict;
use warnings;

use Exporter 'import';
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(start_with_faults restart_with_faults fill verbs call_of verbs_of_catalog set_clock set_disk_full acted counted full_size leaks fill_team);

my $control;

sub full_size { return ($ENV{MODELREG_PROOF} // '') eq 'full'; }

sub read_control { my @values = unpack 'q4', slurp_file($control); return @values; }

# One member of the file, in place: the server has it mapped.
sub write_control
{
	my ($member, $value) = @_;
	open my $file, '+<:raw', $control or die "$control: $!";
	sysseek $file, 8 * $member, 0;
	syswrite $file, pack('q', $value);
	close $file;
}

sub set_clock { write_control(0, int($_[0] * 1_000_000)); }
sub set_disk_full { write_control(1, $_[0] ? 1 : 0); }
# When the server acted on the fault that was armed last; 0 for not.
sub acted { return (read_control())[2]; }
# How far the last count came.
sub counted { return (read_control())[3]; }

sub pg_config { my ($what) = @_; my $value = `pg_config --$what`; chomp $value; return $value; }

sub compile
{
	my ($library) = @_;
	my @cc = split ' ', $ENV{CC} // 'cc';
	system(@cc, split(' ', '-O2 -D_GNU_SOURCE -fno-builtin -fno-tree-loop-distribute-patterns -fPIC -shared -Wl,-z,lazy -isystem'),
		pg_config('includedir-server'), "$FindBin::Bin/../faults/faults.c", '-o', $library) == 0 or die 'faults.c was not compiled';
}

# What a fault must not change: everything that is stored, but for sequences. A row is never changed in its place, so the
# places of rows and who wrote them tell, in a tenth of the time that their contents would take. Whoever asks may be anybody.
my $stored = <<'SQL';
DO $do$
BEGIN
	EXECUTE (SELECT format($f$CREATE FUNCTION faults.stored() RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET max_parallel_workers_per_gather = 0 AS $$
		BEGIN RETURN (SELECT string_agg(concat_ws(' ', t.name, t.count, t.rows), ', ' ORDER BY t.name) FROM (%s) t(name, count, rows)); END $$ $f$,
		string_agg(format('SELECT %L, count(*), bit_xor(hashtidextended(ctid, xmin::text::bigint)) FROM %s', c.oid::regclass, c.oid::regclass), ' UNION ALL '))
		FROM pg_class c WHERE relkind = 'r' AND (relnamespace = 'modelreg'::regnamespace OR oid IN ('pg_largeobject'::regclass, 'pg_largeobject_metadata'::regclass)));
END
$do$;
-- And the session: who it is, its settings, and the locks that it holds beside those of reading.
CREATE FUNCTION faults.session() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws('; ', current_user, session_user, current_setting('search_path'),
		(SELECT md5(string_agg(name || '=' || setting, ',' ORDER BY name)) FROM pg_settings),
		(SELECT string_agg(concat_ws(' ', locktype, relation::regclass, mode), ', ') FROM pg_locks
			WHERE pid = pg_backend_pid() AND locktype NOT IN ('virtualxid', 'transactionid') AND mode <> 'AccessShareLock'
			-- These the server holds to the end of the transaction.
			AND coalesce(relation::regclass::text !~ '_seq$|^pg_largeobject', true)))
$$;
SQL

sub restart_with_faults
{
	my ($node) = @_;
	local $ENV{LD_PRELOAD} = join ' ', $node->basedir . '/faults.so', grep { defined } $ENV{LD_PRELOAD};
	local $ENV{FAULTS_CONTROL} = $control;
	$node->stop;
	$node->start;
}

# A started server with these settings, whose database postgres has the extension and the schema faults.
sub start_with_faults
{
	my ($name, $settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => [ '--encoding=UTF8', '--no-locale' ], allows_streaming => 1);
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'modelreg'\nautovacuum = off\nshared_buffers = 64MB\n" . ($settings // ''));
	my $library = $node->basedir . '/faults.so';
	$control = $node->basedir . '/faults.control';
	compile($library);
	append_to_file($control, pack 'q4', 0, 0, 0, 0);
	restart_with_faults($node);
	$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION modelreg;
CREATE SCHEMA faults;
CREATE FUNCTION faults.arm(fault text, n bigint) RETURNS void AS '$library', 'faults_arm' LANGUAGE c;
CREATE FUNCTION faults.acted() RETURNS bigint AS '$library', 'faults_acted' LANGUAGE c;
CREATE FUNCTION faults.lock(classid bigint, objid bigint, objsubid integer) RETURNS void AS '$library', 'faults_lock' LANGUAGE c;
$stored
SQL
	return $node;
}

# A registry in which every verb has something to do, with ann, who may do everything that needs no superuser.
sub fill
{
	my ($node) = @_;
	$node->safe_psql('postgres', <<'SQL');
CREATE ROLE ann CREATEROLE;
CREATE ROLE bob;
CREATE ROLE joe;
GRANT USAGE ON SCHEMA faults TO ann;
SELECT modelreg.grant_registry_right('ann', level) FROM unnest('{admin,auditor}'::text[]) AS level;
SELECT modelreg.register_key('signer', E'-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAM+zkgW7N1O0jjBZeNn6755pCLa9gPveHpRIMlkxU41U=\n-----END PUBLIC KEY-----');
SQL
	fill_team($node, 'search');
	return;
}

# A team of ann's.
sub fill_team
{
	my ($node, $team) = @_;
	$node->safe_psql('postgres', <<"SQL");
SELECT modelreg.create_team('$team');
SELECT modelreg.grant_level('$team', 'ann', level) FROM unnest('{maintainer,evaluator,reviewer}'::text[]) AS level;
SET ROLE ann;
SELECT modelreg.create_model('$team.reco', 'open', description => 'home page');
SELECT modelreg.record_node('commit', '$team.code', 'abc');
SELECT modelreg.record_snapshot('$team.events', '1', rows => 10);
SELECT modelreg.record_run('$team.train', inputs => '{"code": ["commit:$team.code\@abc"], "training": ["snapshot:$team.events\@1"]}');
SELECT modelreg.register_version('$team.reco', 'run:$team.train', metrics => '{"auc": 0.5}', artifacts => '[{"name": "prep", "uri": "s3://m/prep",
	"size": 3, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]') FROM generate_series(1, 3);
SELECT modelreg.record_snapshot('$team.odd', '1'), modelreg.record_snapshot('$team.odd', '2'), modelreg.create_model('$team.odd', 'open');
SELECT modelreg.register_version('$team.odd', inputs => '{"training": "snapshot:$team.odd\@1"}'), modelreg.promote('$team.odd', 1, 'Production'), modelreg.create_endpoint('$team.odd', '$team.odd');
SELECT modelreg.create_model('$team.home', 'open'), modelreg.register_version('$team.home'), modelreg.promote('$team.home', 1, 'Production'), modelreg.create_endpoint('$team.home', '$team.home');
SELECT modelreg.create_model('$team.ill', 'open'), modelreg.register_version('$team.ill'), modelreg.promote('$team.ill', 1, 'Production'), modelreg.create_endpoint('$team.ill', '$team.ill'),
	modelreg.quarantine('models:/$team.ill/1', 'serves all the same');
SELECT modelreg.append_upload(modelreg.begin_upload('$team', 4, request_id => 'aged'), 0, 'aged'), modelreg.create_model('$team.aged', 'standard');
SELECT modelreg.finish_upload(id), modelreg.register_version('$team.aged', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', id)))
	FROM modelreg.upload WHERE request_id = 'aged' AND team_id = (SELECT id FROM modelreg.team WHERE name = '$team');
SQL
	return;
}

# The n-th of many keys; and what fill()'s key "signer" signed: about the artifact prep, and about the head of a log that is empty, from which
# every log goes on.
my $key = q{E'-----BEGIN PUBLIC KEY-----\n' || encode(decode('302a300506032b6570032100', 'hex') || sha256('%d'), 'base64') || E'\n-----END PUBLIC KEY-----'};
my $provenance = q{'{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoicHJlcCIsImRpZ2VzdCI6eyJzaGEyNTYiOiJiYTc4MTZiZjhmMDFjZmVhNDE0MTQwZGU1ZGFlMjIyM2IwMDM2MWEzOTYxNzdhOWNiNDEwZmY2MWYyMDAxNWFkIn19XSwicHJlZGljYXRlVHlwZSI6Imh0dHBzOi8vc2xzYS5kZXYvcHJvdmVuYW5jZS92MSIsInByZWRpY2F0ZSI6e319","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"4Ls12v3Qb5aEXRPXtxQ7eWqtayJkRtAwadKdEUAKpB062pJPlsFnyI+t0qP5SWDRAJuwafbfAGgoypsNiSY8Cg=="}]}'};
my $empty_head = q{'{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoibG9nIiwiZGlnZXN0Ijp7InNoYTI1NiI6IjYzYTk3OTdjNDRmY2RmYTI1MDE4YjZlNzc0OWQwMzY2ODk2NjVmYTlkZjdhYmIwOTBiOWZiYmQxNzBkYzU4YmMifX1dLCJwcmVkaWNhdGVUeXBlIjoibW9kZWxyZWc6YXVkaXRfaGVhZC8xIiwicHJlZGljYXRlIjp7ImNoYWlucyI6W10sImZvcm1hdCI6MSwiaWRlbnRpdHkiOm51bGx9fQ==","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"Gt6wvAOf6LEO+0/cxprSn3YKF3TuT8RKnlu6bcRTq+TcdLuP8aOW1/W+RN9v39QX2tUMRhldE7dEC4TI7lYTDw=="}]}'};

# By verb: what has to be there first, and a call; the n-th of them changes something once more. Those of whom a superuser is needed say so.
my $upload = q{(SELECT id FROM modelreg.upload WHERE request_id = 'upload-%d')};
my $begin = q{SELECT modelreg.begin_upload('search', 40000, request_id => 'upload-%d');};
my $bytes = q{convert_to(rpad('%d', 40000, 'weights'), 'UTF8')};
my $append = "$begin SELECT modelreg.append_upload($upload, 0, $bytes);";
my $ask = q{RESET ROLE; SELECT modelreg.grant_registry_right(session_user, 'pooler'), modelreg.grant_level('search', 'joe', 'contributor'); SET ROLE ann; SELECT modelreg.create_model('search.ask%d', 'standard');
	SET ROLE joe; SELECT modelreg.register_version('search.ask%d'); SET ROLE ann; SELECT modelreg.record_evaluation('models:/search.ask%d/1', 'offline', '{}', passed => true);
	SET ROLE joe; SELECT modelreg.request_promotion('search.ask%d', 1, 'Production', request_id => 'ask-%d'); SET ROLE ann;};
my $asked = q{(SELECT max(request) FROM modelreg.promotion_requests WHERE model = 'search.ask%d')};
# A model whose versions 1 and 2 may serve, an endpoint where 1 does, and a rollout that leads to 2.
my $serving = q{SELECT modelreg.create_model('search.ep%d', 'open'), modelreg.register_version('search.ep%d'), modelreg.register_version('search.ep%d'),
	modelreg.promote('search.ep%d', 2, 'Production'), modelreg.promote('search.ep%d', 1, 'Production', archive_others => false);};
my $endpoint = "$serving SELECT modelreg.create_endpoint('search.ep%d', 'search.ep%d');";
my $rollout = $endpoint . q{SELECT modelreg.start_rollout('search.ep%d', 2, plan => '{"linear": "2 hours"}');};
my $guarded = q{SELECT modelreg.start_rollout('search.ep%d', 2, plan => '{"steps": [{"weight": "5%", "bake": "1 hour"}, {"weight": "100%"}], "guards": [{"metric": "errors", "at_most": 0.01}]}');};
my %calls = (
	create_endpoint => [ $serving, q{create_endpoint('search.ep%d', follows => 'search.ep%d', plan => 'canary', max_staleness => '5 minutes', prediction_days => 7, reason => 'new', request_id => 'r%d')} ],
	report_serving => [ '', q{report_serving('search.home', 'pod-%d', '1-0123456789abcdef', '{modelreg:00000000-0000-4000-8000-000000000000/1/%d}')} ],
	set_endpoint => [ $endpoint, q{set_endpoint('search.ep%d', '1 hour', 30, reason => 'slow network', request_id => 'r%d')} ],
	retire_endpoint => [ $endpoint, q{retire_endpoint('search.ep%d', 'closed', request_id => 'r%d')} ],
	start_rollout => [ $endpoint, q{start_rollout('search.ep%d', split => '{1: 25%, 2: 75%}', plan => '{"linear": "2 hours"}', reason => 'better', request_id => 'r%d')} ],
	pause_rollout => [ $rollout, q{pause_rollout('search.ep%d', 'lunch', request_id => 'r%d')} ],
	resume_rollout => [ "$rollout SELECT modelreg.pause_rollout('search.ep%d');", q{resume_rollout('search.ep%d', 'lunch is over', request_id => 'r%d')} ],
	complete_rollout => [ $rollout, q{complete_rollout('search.ep%d', 'good enough', request_id => 'r%d')} ],
	rollback => [ "$endpoint SELECT modelreg.start_rollout('search.ep%d', 2, plan => 'all at once'); SELECT modelreg.promote('search.ep%d', 1, 'Archived', leave_none => true);",
		q{rollback('search.ep%d', 'worse', request_id => 'r%d')} ],
	abort_rollout => [ $rollout, q{abort_rollout('search.ep%d', 'worse', request_id => 'r%d')} ],
	record_quality => [ "$endpoint $guarded", q{record_quality('search.ep%d', 2, 'errors', (SELECT s.at FROM modelreg.traffic_schedule s JOIN modelreg.endpoints e USING (endpoint_id) WHERE e.endpoint = 'search.ep%d' AND s.kind = 'rollout_started'), 1, request_id => 'r%d')} ],
	follow => [ "$endpoint SELECT modelreg.promote('search.ep%d', 2, 'Production');", q{follow('search.ep%d', plan => 'linear over 2 hours', reason => 'as the model', request_id => 'r%d')} ],
	unfollow => [ "$serving SELECT modelreg.create_endpoint('search.ep%d', follows => 'search.ep%d', plan => 'canary');", q{unfollow('search.ep%d', 'by hand', request_id => 'r%d')} ],
	record_predictions => [ "$endpoint SELECT modelreg.add_prediction_partitions(current_date + 2, current_date - 1);",
		q{record_predictions('search.ep%d', '{user-1,user-2}', '{1,1}', receipts => '{1.0,NULL}', outputs => ARRAY[NULL, '{"score": 0.5}'::jsonb], request_id => 'r%d')} ],
	add_prediction_partitions => [ '', q{add_prediction_partitions('2100-01-01'::date + %d + 1, '2100-01-01'::date + %d)} ],
	drop_prediction_partitions => [ q{SELECT modelreg.add_prediction_partitions('1980-01-03', '1980-01-01');}, q{drop_prediction_partitions('1980-01-03')} ],
	expire_predictions => [ $serving . q{SELECT modelreg.create_endpoint('search.ep%d', 'search.ep%d', prediction_days => 30), modelreg.add_prediction_partitions('1980-01-02', '1980-01-01');
		SELECT modelreg.record_predictions('search.ep%d', '{old}', '{1}', '{1980-01-01 00:00+00}');}, q{expire_predictions()} ],
	create_team => [ '', q{create_team('team-%d', request_id => 'r%d')} ],
	rename_team => [ q{SELECT modelreg.create_team('old-%d');}, q{rename_team('old-%d', 'new-%d', request_id => 'r%d')} ],
	retire_team => [ q{SELECT modelreg.create_team('retired-%d');}, q{retire_team('retired-%d', 'why not', request_id => 'r%d')} ],
	set_quota => [ '', q{set_quota('search', 1000000000 + %d, request_id => 'r%d')} ],
	set_discoverable => [ q{SELECT modelreg.set_discoverable('search', false);}, q{set_discoverable('search', true, request_id => 'r%d')} ],
	grant_level => [ q{SELECT modelreg.revoke_level('search', 'bob', 'reader');}, q{grant_level('search', 'bob', 'reader', request_id => 'r%d')} ],
	revoke_level => [ q{SELECT modelreg.grant_level('search', 'bob', 'reader');}, q{revoke_level('search', 'bob', 'reader', request_id => 'r%d')} ],
	grant_registry_right => [ q{RESET ROLE; SELECT modelreg.revoke_registry_right('bob', 'auditor');}, q{grant_registry_right('bob', 'auditor', request_id => 'r%d')}, 'superuser' ],
	revoke_registry_right => [ q{RESET ROLE; SELECT modelreg.grant_registry_right('bob', 'auditor');}, q{revoke_registry_right('bob', 'auditor', request_id => 'r%d')}, 'superuser' ],
	declare_restore => [ '', q{declare_restore('disk lost', jsonb_build_object('format', 1, 'identity', '00000000-0000-4000-8000-000000000000',
		'chains', (SELECT jsonb_agg(jsonb_build_object('chain', chain, 'id', 1, 'seq', 100000, 'hash', repeat('0', 64))) FROM unnest(ARRAY['registry', 'team']) chain)), request_id => 'r%d')} ],
	new_identity => [ '', q{new_identity('a copy', request_id => 'r%d')} ],
	rebind_roles => [ q{SELECT modelreg.grant_level('search', 'joe', 'reader'); RESET ROLE; DROP ROLE joe; CREATE ROLE joe;}, q{rebind_roles()}, 'superuser' ],
	setup_roles => [ '', q{setup_roles('search', 'group-%d')} ],
	create_model => [ '', q{create_model('search.m%d', 'open', description => 'one of many', request_id => 'r%d')} ],
	rename_model => [ q{SELECT modelreg.create_model('search.old%d', 'open');}, q{rename_model('search.old%d', 'new%d', request_id => 'r%d')} ],
	retire_model => [ q{SELECT modelreg.create_model('search.gone%d', 'open');}, q{retire_model('search.gone%d', 'why not', request_id => 'r%d')} ],
	register_version => [ $append . "SELECT modelreg.finish_upload($upload);", q{register_version('search.reco', 'run:search.train', description => 'the best', params => '{"lr": 0.1}',
		signature => '{"inputs": [{"name": "age", "type": "double"}]}', metrics => '{"auc": 0.9}', tags => '{"n": "%d"}', parents => '{models:/search.reco/1}', request_id => 'r%d',
		artifacts => jsonb_build_array(jsonb_build_object('name', 'weights', 'upload', } . $upload . ')))' ],
	record_evaluation => [ '', q{record_evaluation('models:/search.reco/1', 'offline', '{"auc": 0.%d}', dataset => 'snapshot:search.events@1', properties => '{"by": "ann"}', request_id => 'r%d')} ],
	set_tag => [ '', q{set_tag('search.reco', 'n', '%d', 1, request_id => 'r%d')} ],
	remove_tag => [ q{SELECT modelreg.set_tag('search.reco', 'n', '%d', 2);}, q{remove_tag('search.reco', 'n', 2, request_id => 'r%d')} ],
	set_description => [ '', q{set_description('search.reco', 'words %d', 1, request_id => 'r%d')} ],
	set_model_card => [ '', q{set_model_card('search.reco', 1, '{"intended_use": "words %d"}', request_id => 'r%d')} ],
	set_alias => [ q{SELECT modelreg.set_alias('search.reco', 'champion', 1);}, q{set_alias('search.reco', 'champion', 2, reason => 'better', request_id => 'r%d')} ],
	remove_alias => [ q{SELECT modelreg.set_alias('search.reco', 'challenger', 1);}, q{remove_alias('search.reco', 'challenger', reason => 'gone', request_id => 'r%d')} ],
	promote => [ q{SELECT modelreg.promote('search.reco', 1, 'Production');}, q{promote('search.reco', 2, 'Production', reason => 'A/B', request_id => 'r%d')} ],
	rollback_model => [ q{SELECT modelreg.promote('search.reco', 1, 'Production'), modelreg.promote('search.reco', 2, 'Production');}, q{rollback_model('search.reco', 'worse', request_id => 'r%d')} ],
	quarantine => [ q{SELECT modelreg.lift_quarantine('snapshot:search.odd@1', 'mended');}, q{quarantine('snapshot:search.odd@1', 'broken', request_id => 'r%d')} ],
	lift_quarantine => [ q{SELECT modelreg.quarantine('snapshot:search.odd@2', 'broken');}, q{lift_quarantine('snapshot:search.odd@2', 'mended', request_id => 'r%d')} ],
	attempt_promotion => [ q{SELECT modelreg.create_model('search.strict%d', 'standard'), modelreg.register_version('search.strict%d');}, q{attempt_promotion('search.strict%d', 1, 'Staging', reason => 'A/B', request_id => 'r%d')} ],
	emergency_promote => [ q{SELECT modelreg.create_model('search.fire%d', 'standard'), modelreg.register_version('search.fire%d');}, q{emergency_promote('search.fire%d', 1, 'Production', 'it burns', request_id => 'r%d')} ],
	request_promotion => [ q{SELECT modelreg.create_model('search.ask%d', 'standard'), modelreg.register_version('search.ask%d'); SELECT modelreg.record_evaluation('models:/search.ask%d/1', 'offline', '{}', passed => true);},
		q{request_promotion('search.ask%d', 1, 'Production', reason => 'better', request_id => 'r%d')} ],
	request_policy => [ q{SELECT modelreg.create_model('search.ask%d', 'open');}, q{request_policy('search.ask%d', 'standard', 1, reason => 'stricter', request_id => 'r%d')} ],
	# review() shows no evidence of a request that is done, as it is where the call is repeated.
	approve => [ $ask, "approve($asked, coalesce((SELECT evidence FROM modelreg.review($asked)), (SELECT evidence FROM modelreg.approvals WHERE request = $asked)), 'seen', request_id => 'r%d')" ],
	reject => [ $ask, "reject($asked, 'not now', request_id => 'r%d')" ],
	withdraw_request => [ $ask, "withdraw_request($asked, 'no longer', request_id => 'r%d')" ],
	create_policy => [ '', q{create_policy('search', 'ours', jsonb_set(modelreg.policy_document(NULL, 'standard', 1), '{retention_days,Archived}', to_jsonb(%d + 1)), request_id => 'r%d')} ],
	allow_policy => [ q{SELECT modelreg.forbid_policy('search', 'high-risk');}, q{allow_policy('search', 'high-risk', 1, request_id => 'r%d')} ],
	forbid_policy => [ q{SELECT modelreg.allow_policy('search', 'high-risk', 1);}, q{forbid_policy('search', 'high-risk', request_id => 'r%d')} ],
	place_hold => [ q{RESET ROLE; SELECT modelreg.lift_hold('search.reco', 2, 'settled');}, q{place_hold('search.reco', 2, 'a lawsuit', request_id => 'r%d')} ],
	lift_hold => [ q{SELECT modelreg.place_hold('search.reco', 1, 'a lawsuit');}, q{lift_hold('search.reco', 1, 'settled', request_id => 'r%d')} ],
	purge_version => [ $append . "SELECT modelreg.finish_upload($upload); SELECT modelreg.register_version('search.odd', artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', $upload)), request_id => 'purge-%d');",
		q{purge_version('search.odd', (SELECT (result->>'version')::integer FROM modelreg.request_id WHERE request_id = 'purge-%d'), 'a customer asked', request_id => 'r%d')} ],
	purge_expired => [ '', q{purge_expired('search')} ],
	record_node => [ '', q{record_node('commit', 'search.code', 'c%d', inputs => '{"base": ["commit:search.code@abc"]}', properties => '{"by": "ann"}', request_id => 'r%d')} ],
	record_snapshot => [ '', q{record_snapshot('search.events', 's%d', schema => '{"age": "int"}', supersedes => 'snapshot:search.events@1', request_id => 'r%d')} ],
	record_table_snapshot => [ '', q{record_table_snapshot('pg_catalog.pg_am', 'search.table', 'v%d', with_digest => true, request_id => 'r%d')} ],
	record_run => [ '', q{record_run('search.run%d', inputs => '{"training": ["snapshot:search.events@1"]}', request_id => 'r%d')} ],
	record_nodes => [ '', q{record_nodes('{commit:search.bulk@%d,run:search.bulk-%d}', inputs => ARRAY[NULL, '{"code": ["commit:search.bulk@%d"]}'::jsonb], request_id => 'r%d')} ],
	begin_upload => [ '', q{begin_upload('search', 40000, request_id => 'r%d')} ],
	append_upload => [ $begin, "append_upload($upload, 0, $bytes)" ],
	finish_upload => [ $append, "finish_upload($upload)" ],
	abort_upload => [ $append, "abort_upload($upload)" ],
	copy_large_object => [ q{SELECT lo_from_bytea(7000%d, 'a model %d'); GRANT SELECT ON LARGE OBJECT 7000%d TO PUBLIC;}, q{copy_large_object('search', 7000%d, request_id => 'r%d')} ],
	sweep_uploads => [ $append, q{sweep_uploads('search', '0 seconds')} ],
	record_artifact_check => [ '', q{record_artifact_check('search.reco', 1, 'prep', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', %d, request_id => 'r%d')} ],
	register_key => [ '', qq{register_key('key-%d', $key, 'search', valid_until => '2200-01-01', request_id => 'r%d')} ],
	revoke_key => [ "SELECT modelreg.register_key('key-%d', $key, 'search');", q{revoke_key('key-%d', 'lost', 'search', compromised_since => '2020-01-01', request_id => 'r%d')} ],
	record_attestation => [ '', qq{record_attestation('search.reco', 1, $provenance, request_id => 'r%d')} ],
	attest_head => [ '', qq{attest_head($empty_head, request_id => 'r%d')} ],
	redact => [ q{SELECT modelreg.set_description('search.reco', 'secret %d', 3);}, q{redact((SELECT encode(value, 'hex') FROM modelreg.note WHERE kind = 'description' AND version = 3 ORDER BY id DESC LIMIT 1), 'a person', request_id => 'r%d')} ],
	drop_all_bytes => [ $append . q{}, q{drop_all_bytes('postgres')}, 'superuser' ],
);

# Those that end what the others need come last.
sub verbs { return ((sort grep { $_ ne 'drop_all_bytes' } keys %calls), 'drop_all_bytes'); }

# The n-th call of a verb: what has to be there first, what a session sets, and the call.
sub call_of
{
	my ($verb, $n) = @_;
	my ($before, $call, $who) = @{ $calls{$verb} };
	return map { s/%d/$n/gr } "SET ROLE ann; $before", ($who ? '' : 'SET ROLE ann; ') . 'SET search_path = public' . ($verb eq 'drop_all_bytes' ? '; SET modelreg.allow_removal = on' : ''), "modelreg.$call";
}

# Every function that writes, by the catalog: a new one needs a call here.
sub verbs_of_catalog
{
	my ($node) = @_;
	return split /\n/, $node->safe_psql('postgres', q{SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'modelreg'::regnamespace AND provolatile = 'v'
		AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) ORDER BY 1});
}

# What the log says of things that a transaction left behind, or worse.
sub leaks
{
	my ($node, $from) = @_;
	return join "\n", grep { /WARNING|leak|TRAP|PANIC|was terminated/ } split /\n/, substr slurp_file($node->logfile), $from // 0;
}

1;
