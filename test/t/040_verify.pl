# verify() against an independent verifier, which was written from docs/audit-format.md and reads an export; on a standby; cancelled;
# and what a late decision gets. TAP because it needs a program beside the server, a standby, and a setting of the server.
use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1, extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "modelreg.max_decision_delay = '1s'\nautovacuum = off\n");
$node->start;

my $verifier = "$FindBin::Bin/../verifier.py";
my @tables = do
{
	my $source = slurp_file($verifier);
	$source =~ /^TYPES = \{(.*?)^\}/ms or die 'no tables in the verifier';
	$1 =~ /^    "(\w+)":/mg;
};

$node->safe_psql('postgres', 'CREATE ROLE jane; CREATE ROLE joe');
$node->safe_psql('postgres', 'CREATE DATABASE registry');
$node->safe_psql('registry', slurp_file("$FindBin::Bin/../everything.sql"));
# A role that is made anew, and bound again.
$node->safe_psql('registry', 'DROP ROLE joe; CREATE ROLE joe');
$node->safe_psql('registry', q{SELECT modelreg.grant_level('search', 'joe', 'reader')});
$node->safe_psql('postgres', 'DROP ROLE joe; CREATE ROLE joe');
$node->safe_psql('registry', 'SELECT modelreg.rebind_roles()');

# Statements that write an export as docs/audit-format.md says, in a directory of its own.
sub export_to
{
	my ($dir) = @_;
	return "SET datestyle = 'ISO'; SET timezone = 'UTC'; SET bytea_output = 'hex'; SET extra_float_digits = 1;\n"
	  . join('', map { "\\copy (SELECT * FROM modelreg.$_) TO '$dir/$_.tsv' (FORMAT text, HEADER)\n" } @tables);
}

sub export
{
	my ($db) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	$node->safe_psql($db, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;\n" . export_to($dir) . 'COMMIT;');
	return $dir;
}

# What the verifier says: check and object of each finding.
sub judge
{
	my ($dir, @head) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'python3', $verifier, $dir, @head ], '>', \$out, '2>', \$err);
	my $status = $? >> 8;
	is($err, '', 'the verifier read the export');
	return $status == 0 ? $out : $out =~ s/^([^\t\n]*)\t([^\t\n]*)\t.*$/$1 $2/gmr;
}

sub sorted { my %seen; return join("\n", sort grep { !$seen{$_}++ } split(/\n/, shift)); }

# The same of verify(), without what no export shows.
my $verify = <<'SQL';
SET client_min_messages = error;
SELECT check_name || ' ' || object FROM modelreg.verify()
WHERE check_name NOT IN ('guard', 'bytes', 'sequence') AND object !~ '^(search_word|team_bytes|blob|request_id|quality_observation|rollout_evidence|instance_report) ';
SQL

is($node->safe_psql('registry', 'SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)'), '', 'verify() is clean');

# What a clean registry does not need to be asked by statements, as one pass over the events has shown it; and who tampers with one model's
# aliases gets the statement that says so.
sub asked
{
	my ($db, $before) = @_;
	my ($out, $err) = ('', '');
	$node->psql($db, "BEGIN; $before SET client_min_messages = debug1; SELECT * FROM modelreg.verify(); ROLLBACK;", stdout => \$out, stderr => \$err);
	return join ', ', grep { $err =~ /^(?:psql:<stdin>:\d+: )?DEBUG:  verify: \Q$_\E$/m } ('event', 'chains', 'heads', 'teams of events', 'production', 'stages', 'aliases', 'registrations', 'texts', 'labels');
}
is(asked('registry', ''), 'event, production, labels', 'one pass serves most statements; production are the rows');
is(asked('registry', q{SET modelreg.allow_removal = on; ALTER TABLE modelreg.alias DISABLE TRIGGER USER; UPDATE modelreg.alias SET since = now();}),
	'event, production, stages, aliases, registrations, labels', 'what it cannot show is asked');
# Stored in any other order too.
$node->safe_psql('postgres', 'CREATE DATABASE shuffled TEMPLATE registry');
$node->safe_psql('shuffled', q{SET modelreg.allow_removal = on; CREATE TEMP TABLE stored AS SELECT * FROM modelreg.event; ALTER TABLE modelreg.event DISABLE TRIGGER USER;
	DELETE FROM modelreg.event; INSERT INTO modelreg.event SELECT * FROM stored ORDER BY hash; ALTER TABLE modelreg.event ENABLE ALWAYS TRIGGER guard_row, ENABLE ALWAYS TRIGGER guard_truncate;});
is(asked('shuffled', ''), 'event, production, labels', 'whatever the order in which events are stored');

my $clean = export('registry');
is(judge($clean), "clean\n", 'and so is the export');

# Without their triggers and CHECKs tables are open to everything.
my $open = <<'SQL';
SET modelreg.allow_removal = on;
DO $$
DECLARE item record;
BEGIN
	FOR item IN SELECT c.oid::regclass AS name FROM pg_class c WHERE relnamespace = 'modelreg'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', item.name);
	END LOOP;
	FOR item IN SELECT conrelid::regclass AS name, conname FROM pg_constraint WHERE connamespace = 'modelreg'::regnamespace AND contype = 'c' LOOP
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', item.name, item.conname);
	END LOOP;
END
$$;
CREATE FUNCTION rehash(tbl text, condition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('UPDATE modelreg.%I SET hash = modelreg.row_hash(%L, format, %s) WHERE %s', tbl, tbl,
		(SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute a WHERE attrelid = format('modelreg.%I', tbl)::regclass
			AND attnum > 0 AND attnum < (SELECT attnum FROM pg_attribute WHERE attrelid = a.attrelid AND attname = 'hash')), condition);
END
$$;
SQL
$node->safe_psql('postgres', 'CREATE DATABASE opened TEMPLATE registry');
$node->safe_psql('opened', $open);

my @tampering = (
	[ 'an event changed', q{UPDATE modelreg.event SET application_name = 'x' WHERE chain = 5 AND seq = 2} ],
	[ 'an event changed with its hash', q{UPDATE modelreg.event SET application_name = 'x' WHERE chain = 5 AND chain_id = 1 AND seq = 2; PERFORM rehash('event', 'chain = 5 AND chain_id = 1 AND seq = 2')} ],
	[ 'the last event changed with its hash', q{UPDATE modelreg.event SET application_name = 'x' WHERE chain = 4 AND chain_id = 1 AND seq = 2; PERFORM rehash('event', 'chain = 4 AND chain_id = 1 AND seq = 2')} ],
	[ 'an event\'s time changed', q{UPDATE modelreg.event SET at = '2020-01-01' WHERE chain = 1 AND seq = 4; PERFORM rehash('event', 'chain = 1 AND seq = 4')} ],
	[ 'events removed', q{DELETE FROM modelreg.event WHERE chain = 5 AND seq IN (2, 3)} ],
	[ 'the first event removed', q{DELETE FROM modelreg.event WHERE chain = 2 AND chain_id = 1 AND seq = 1} ],
	[ 'the last event removed', q{DELETE FROM modelreg.event WHERE chain = 3 AND seq = (SELECT seq FROM modelreg.fact_head WHERE id = 1)} ],
	[ 'an event shown to another team', q{UPDATE modelreg.event SET team_id = 2 WHERE chain = 2 AND chain_id = 1 AND seq = 3} ],
	[ 'births removed', q{DELETE FROM modelreg.event WHERE kind = 'model_created'} ],
	[ 'heads removed', q{DELETE FROM modelreg.model WHERE id = 1; DELETE FROM modelreg.fact_head WHERE id = 2} ],
	[ 'a chain removed with its head', q{DELETE FROM modelreg.event WHERE chain = 5; UPDATE modelreg.model SET seq = 0, head_hash = decode(repeat('00', 32), 'hex')} ],
	[ 'a head of no birth', q{INSERT INTO modelreg.registration_head VALUES (99, 0, decode(repeat('00', 32), 'hex'), now(), 1, 0)} ],
	[ 'a node changed', q{UPDATE modelreg.node SET uri = NULL WHERE uri IS NOT NULL} ],
	[ 'a node changed with its hash', q{UPDATE modelreg.node SET rows = rows + 1 WHERE rows IS NOT NULL; PERFORM rehash('node', 'rows IS NOT NULL')} ],
	[ 'a version\'s node changed with its hash', q{UPDATE modelreg.node SET occurred_at = now() WHERE kind = 'version'; PERFORM rehash('node', $$kind = 'version'$$)} ],
	[ 'nodes removed', q{DELETE FROM modelreg.node WHERE id IN (1, 2)} ],
	[ 'facts moved to another batch', q{UPDATE modelreg.node SET batch = batch + 1 WHERE kind = 'run'; PERFORM rehash('node', $$kind = 'run'$$)} ],
	[ 'facts of no batch', q{UPDATE modelreg.note SET batch = NULL WHERE id = 1; PERFORM rehash('note', 'id = 1'); UPDATE modelreg.evaluation SET batch = NULL WHERE id = 3; PERFORM rehash('evaluation', 'id = 3')} ],
	[ 'facts of a batch that no event names', q{UPDATE modelreg.note SET batch = 1000 WHERE id = 1; PERFORM rehash('note', 'id = 1')} ],
	[ 'labels changed', q{UPDATE modelreg.node SET level = 9, low = 1 WHERE kind = 'snapshot'; PERFORM rehash('node', $$kind = 'snapshot'$$)} ],
	[ 'a superseding of another kind', q{UPDATE modelreg.node SET supersedes = 1 WHERE kind = 'run'; PERFORM rehash('node', $$kind = 'run'$$)} ],
	[ 'edges changed, removed and added', q{UPDATE modelreg.edge SET parent_team = 2 WHERE role = 'code'; DELETE FROM modelreg.edge WHERE role = 'base'; INSERT INTO modelreg.edge VALUES (4, 1, 1, 1, 1, 0, 'teacher', 'run', 'commit')} ],
	[ 'a version changed', q{UPDATE modelreg.version SET occurred_at = NULL WHERE model_id = 1 AND version = 1} ],
	[ 'a version changed with its hash', q{UPDATE modelreg.version SET registered_at = '2026-01-01', run_id = 1, identity = gen_random_uuid() WHERE model_id = 1 AND version = 1; PERFORM rehash('version', 'true')} ],
	[ 'versions removed', q{DELETE FROM modelreg.version WHERE version = 1} ],
	[ 'a version added', q{INSERT INTO modelreg.version SELECT model_id, 3, team_id, node_id + 100, identity, run_id, registered_at, occurred_at, who, NULL, NULL, NULL, NULL, node_hash, NULL, artifacts_hash, hash, format FROM modelreg.version WHERE model_id = 1 AND version = 2; PERFORM rehash('version', 'version = 3')} ],
	[ 'an artifact changed', q{UPDATE modelreg.artifact SET size = 4 WHERE name = 'a'} ],
	[ 'an artifact changed with its hash', q{UPDATE modelreg.artifact SET size = 4 WHERE name = 'a'; PERFORM rehash('artifact', 'true')} ],
	[ 'an artifact removed', q{DELETE FROM modelreg.artifact WHERE name = 'a'} ],
	[ 'artifacts of no version', q{UPDATE modelreg.artifact SET version = 9 WHERE name = 'a'; PERFORM rehash('artifact', 'true')} ],
	[ 'evaluations changed', q{UPDATE modelreg.evaluation SET metric_values[1] = 0.9 WHERE kind <> 'data_quality'} ],
	[ 'evaluations changed with their hashes', q{UPDATE modelreg.evaluation SET metric_values[1] = 0.9 WHERE kind <> 'data_quality'; PERFORM rehash('evaluation', 'true')} ],
	[ 'evaluations of nothing', q{UPDATE modelreg.evaluation SET node_id = 999, dataset_id = 998; PERFORM rehash('evaluation', 'true')} ],
	[ 'notes removed', q{DELETE FROM modelreg.note WHERE key = 'family' OR kind = 'description'} ],
	[ 'texts changed', q{UPDATE modelreg.payload SET body = body || '!' WHERE body IN ('worse', 'ranker')} ],
	[ 'texts removed', q{DELETE FROM modelreg.payload WHERE body IN ('worse', 'ranker')} ],
	[ 'texts emptied', q{UPDATE modelreg.payload SET body = NULL, salt = NULL WHERE body LIKE '%adam%'} ],
	[ 'texts shown to another team', q{UPDATE modelreg.payload SET team_id = 2 WHERE body = 'worse'} ],
	[ 'texts of nobody', q{INSERT INTO modelreg.payload VALUES (modelreg.row_hash('payload', 1::smallint, '\x00'::bytea, 'x'::text), 1, '\x00', 'x')} ],
	[ 'redactions removed', q{DELETE FROM modelreg.payload WHERE body IS NULL} ],
	[ 'memberships changed', q{UPDATE modelreg.membership SET level = 'maintainer' WHERE role_name = 'jane' AND team_id = 1; UPDATE modelreg.membership SET role_oid = 1 WHERE role_name = 'joe'; INSERT INTO modelreg.membership VALUES (2, 'joe', 1, 'reader')} ],
	[ 'holds and purges changed', q{UPDATE modelreg.legal_hold SET since = now() WHERE team_id = 2; DELETE FROM modelreg.legal_hold WHERE team_id = 1; INSERT INTO modelreg.legal_hold VALUES (1, 99, 1, now(), 1);
		UPDATE modelreg.purged_version SET version = 1 WHERE version = 2; INSERT INTO modelreg.purged_version VALUES (1, 1, 1, now(), 3)} ],
	[ 'teams changed', q{UPDATE modelreg.team SET name = 'x', byte_quota = 5, retired_at = now(), discoverable = NOT discoverable} ],
	[ 'quarantines changed', q{UPDATE modelreg.quarantine SET since = now() WHERE team_id = 2; DELETE FROM modelreg.quarantine WHERE team_id = 1; INSERT INTO modelreg.quarantine VALUES (3, 1, now(), 1), (999, 2, now(), 2)} ],
	[ 'a quarantine of another team', q{UPDATE modelreg.event SET what = '{"node_id": 1}' WHERE kind = 'quarantined' AND chain_id = 2; PERFORM rehash('event', $$kind = 'quarantined'$$); UPDATE modelreg.quarantine SET node_id = 1 WHERE team_id = 2} ],
	[ 'names of teams changed', q{DELETE FROM modelreg.team_name WHERE name = 'ads'; UPDATE modelreg.team_name SET until = now() WHERE name = 'search'; INSERT INTO modelreg.team_name VALUES ('x', 1, now())} ],
	[ 'models changed', q{UPDATE modelreg.model SET name = 'x' || id, policy = 'y', policy_digest = 'z', created_at = now(), retired_at = now()} ],
	[ 'names of models changed', q{UPDATE modelreg.model_name SET until = now() WHERE name = 'reco'; DELETE FROM modelreg.model_name WHERE name = 'older'; INSERT INTO modelreg.model_name VALUES (1, 'x', 1, now())} ],
	[ 'the current version changed', q{UPDATE modelreg.model SET current_version = 1 WHERE id = 1} ],
	[ 'the history of Production changed', q{UPDATE modelreg.production SET version = 2 WHERE seq = 3; DELETE FROM modelreg.production WHERE seq = 1; PERFORM rehash('production', 'true')} ],
	[ 'endpoints changed', q{UPDATE modelreg.endpoint SET name = 'x' || id, follows = NOT follows, plan = '{}', max_staleness = '1 second', prediction_days = 1, retired_at = now(), model_id = 1,
		created_at = now(), schedule_seq = 1, schedule_hash = sha256('')} ],
	[ 'an endpoint removed', q{DELETE FROM modelreg.endpoint WHERE id = 1} ],
	[ 'births of endpoints removed', q{DELETE FROM modelreg.event WHERE kind = 'endpoint_created'} ],
	[ 'names of endpoints changed', q{UPDATE modelreg.endpoint_name SET until = now() WHERE name = 'home'; DELETE FROM modelreg.endpoint_name WHERE name = 'follower'; INSERT INTO modelreg.endpoint_name VALUES (1, 'x', 1, now())} ],
	[ 'schedules changed', q{UPDATE modelreg.traffic_schedule SET doc = doc || '{"state": "paused"}' WHERE seq = 1} ],
	[ 'schedules changed with their hashes', q{UPDATE modelreg.traffic_schedule SET doc = replace(doc::text, '1000000', '999999')::jsonb; PERFORM rehash('traffic_schedule', 'true')} ],
	[ 'schedules removed and added', q{DELETE FROM modelreg.traffic_schedule WHERE seq = 2; INSERT INTO modelreg.traffic_schedule SELECT endpoint_id, 99, team_id, at, kind, rollout, restored, salt, doc, hash, format
		FROM modelreg.traffic_schedule WHERE seq = 1; PERFORM rehash('traffic_schedule', 'seq = 99')} ],
	[ 'schedules in other forms', q{UPDATE modelreg.traffic_schedule SET salt = '\x01' WHERE endpoint_id = 1 AND seq = 3; UPDATE modelreg.traffic_schedule SET kind = 'weird' WHERE endpoint_id = 1 AND seq = 5;
		UPDATE modelreg.traffic_schedule SET salt = substr(hash, 1, 16) WHERE endpoint_id = 1 AND kind = 'rollout_aborted'; UPDATE modelreg.traffic_schedule SET restored = 777 WHERE endpoint_id = 5 AND kind = 'rolled_back';
		UPDATE modelreg.traffic_schedule SET doc = jsonb_set(doc, '{steps,0,opens}', '5') WHERE endpoint_id = 3 AND seq = 2; UPDATE modelreg.traffic_schedule SET doc = doc || '{"more": 1}' WHERE endpoint_id = 2;
		UPDATE modelreg.traffic_schedule SET rollout = 1 WHERE endpoint_id = 6 AND seq = 2; PERFORM rehash('traffic_schedule', 'true')} ],
	[ 'schedules of other rollouts', q{UPDATE modelreg.traffic_schedule SET doc = jsonb_set(doc, '{target}', '[[1, 1, 1000000]]') WHERE endpoint_id = 1 AND kind = 'rollout_paused';
		UPDATE modelreg.traffic_schedule SET doc = doc - 'plan' WHERE endpoint_id = 6 AND seq = 2; UPDATE modelreg.traffic_schedule SET kind = 'rollout_aborted' WHERE endpoint_id = 5 AND kind = 'rolled_back';
		DELETE FROM modelreg.traffic_schedule WHERE endpoint_id = 4; UPDATE modelreg.traffic_schedule SET seq = seq + 90 WHERE endpoint_id = 2; PERFORM rehash('traffic_schedule', 'true')} ],
	[ 'steps of other versions', q{UPDATE modelreg.traffic_schedule SET doc = jsonb_set(doc, '{waiting,0,segments}', '[[1, 99, 1000000]]') WHERE doc ? 'waiting'; UPDATE modelreg.traffic_schedule SET doc = jsonb_set(doc, '{steps,0,warm}', '[[2, 1]]') WHERE kind = 'created';
		UPDATE modelreg.traffic_schedule SET doc = jsonb_set(doc, '{from}', '[[1, 98, 1000000]]') WHERE kind = 'rollout_started'; PERFORM rehash('traffic_schedule', 'true')} ],
	[ 'segments cut anew', q{UPDATE modelreg.traffic_schedule SET doc = jsonb_set(doc, '{steps,0,segments}', jsonb_build_array(jsonb_set(doc#>'{steps,0,segments,0}', '{2}', '1'), jsonb_set(doc#>'{steps,0,segments,0}', '{2}', '999999'))) WHERE kind = 'created'; PERFORM rehash('traffic_schedule', 'true')} ],
	[ 'arms changed', q{UPDATE modelreg.traffic_arm SET share = share + 1 WHERE seq = 1; DELETE FROM modelreg.traffic_arm WHERE seq = 2; UPDATE modelreg.traffic_arm SET version = version + 100 WHERE seq = 3} ],
	[ 'stages changed', q{UPDATE modelreg.version_stage SET stage = 'Production'; DELETE FROM modelreg.version_stage WHERE model_id <> 1; INSERT INTO modelreg.version_stage VALUES (1, 9, 1, 'Staging', now())} ],
	[ 'a decision forged', q{INSERT INTO modelreg.event SELECT chain, chain_id, seq + 1, at + interval '1 s', 'promoted', team_id, who, NULL, NULL, NULL,
		'{"moves": [{"version": 1, "from": "Staging", "to": "Production"}], "current": 1, "replaced": 7, "previous_seq": null}', NULL, hash, hash, format
		FROM modelreg.event WHERE chain = 5 AND chain_id = 1 ORDER BY seq DESC LIMIT 1} ],
	[ 'keys changed', q{UPDATE modelreg.signing_key SET name = 'x' WHERE id = 1; UPDATE modelreg.signing_key SET compromised_since = NULL, revoked_at = NULL WHERE id = 2} ],
	[ 'a key exchanged', q{UPDATE modelreg.signing_key SET public_key = sha256('x'), keyid = encode(sha256(sha256('x')), 'hex') WHERE id = 1} ],
	[ 'keys removed and added', q{DELETE FROM modelreg.signing_key WHERE id = 2; INSERT INTO modelreg.signing_key SELECT 9, 1, 'x', keyid, algorithm, public_key, now() FROM modelreg.signing_key WHERE id = 1} ],
	[ 'attestations changed', q{UPDATE modelreg.attestation SET who = '{}'} ],
	[ 'attestations of another digest', q{UPDATE modelreg.attestation SET digest = repeat('0', 64); PERFORM rehash('attestation', 'true')} ],
	[ 'an attestation of another version', q{UPDATE modelreg.attestation SET version = 2 WHERE id = 2; PERFORM rehash('attestation', 'id = 2')} ],
	[ 'attestations of another key', q{UPDATE modelreg.attestation SET keys = '{2}'; PERFORM rehash('attestation', 'true')} ],
	[ 'attestations of a time before the key', q{UPDATE modelreg.attestation SET recorded_at = '2020-01-01'; PERFORM rehash('attestation', 'true')} ],
	[ 'attestations removed', q{DELETE FROM modelreg.attestation} ],
	[ 'what leaves changed', q{UPDATE modelreg.leaving SET seq = 1 WHERE version = 1; DELETE FROM modelreg.leaving WHERE version = 2; INSERT INTO modelreg.leaving SELECT model_id, 3, team_id, since, seq FROM modelreg.leaving} ],
	[ 'aliases changed', q{UPDATE modelreg.alias SET version = 1; INSERT INTO modelreg.alias SELECT 1, 'shadow', 1, 1, now(), gen_random_uuid(), now()} ],
	[ 'tags changed', q{UPDATE modelreg.tag SET value = 'x'; INSERT INTO modelreg.tag VALUES (1, 0, 'owner', 1, 'Jane Doe', '\x00')} ],
	[ 'descriptions changed', q{DELETE FROM modelreg.description WHERE version = 2; INSERT INTO modelreg.description VALUES (1, 1, 1, '\x00', '{}')} ],
	[ 'metrics changed', q{UPDATE modelreg.metric SET value = 0 WHERE metric = 'loss'; DELETE FROM modelreg.metric WHERE metric = 'min'; INSERT INTO modelreg.metric VALUES (1, 2, 'x', 0, '', 'y', 1, 0, 1)} ],
	[ 'params changed', q{UPDATE modelreg.param SET value = 'x' WHERE key = 'long'; DELETE FROM modelreg.param WHERE key = 'lr'; INSERT INTO modelreg.param VALUES (1, 2, 'x', 1, 'y')} ],
	[ 'the identity changed', q{UPDATE modelreg.registry SET identity = gen_random_uuid()} ],
	[ 'an identity told of twice', q{UPDATE modelreg.event SET what = what || (SELECT jsonb_build_object('identity', c.what->'identity') FROM modelreg.event c WHERE c.kind = 'registry_created')
		WHERE kind = 'identity_begun'; PERFORM rehash('event', $$kind = 'identity_begun'$$)} ],
	[ 'a declared restore removed', q{DELETE FROM modelreg.event WHERE kind = 'restore_declared'} ],
	[ 'an identity of no restore', q{UPDATE modelreg.event SET what = what - 'replaced' WHERE kind = 'restore_declared'} ],
	[ 'absurd events', q{INSERT INTO modelreg.event SELECT e.chain, e.chain_id, e.seq + k.n, e.at + k.n * interval '1 s', k.kind, e.team_id, 'null', NULL, NULL, NULL, k.what, NULL, e.hash, e.hash, e.format
		FROM (SELECT DISTINCT ON (chain, chain_id) * FROM modelreg.event ORDER BY chain, chain_id, seq DESC) e,
		(VALUES (1, 'team_created', '[]'::jsonb), (8, 'identity_begun', '[]'), (2, 'model_created', '{"model_id": -1}'), (3, 'facts_recorded', '{"batch": 1e30}'), (4, 'version_registered', '7'), (5, 'promoted', '{"moves": {}}'),
			(6, 'level_granted', '{"role": [], "level": 1}'), (7, 'quota_set', 'null'), (9, 'quarantined', '{"node_id": [7]}'), (10, 'hold_placed', '[]'), (11, 'version_purged', '{"model_id": [1], "version": "x"}')) AS k(n, kind, what)} ],
);

foreach my $case (@tampering)
{
	my ($name, $sql) = @$case;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $ours = sorted($node->safe_psql('opened', "BEGIN;\nDO \$do\$ BEGIN $sql; END \$do\$;\n$verify" . export_to($dir) . 'ROLLBACK;'));
	isnt($ours, '', "$name: found");
	is(sorted(judge($dir)), $ours, "$name: the verifier finds the same");
}

# A chain that was written anew from end to end is consistent in itself; a head that was kept elsewhere tells.
my $head = PostgreSQL::Test::Utils::tempdir() . '/head.json';
append_to_file($head, $node->safe_psql('registry', 'SELECT document FROM modelreg.audit_head()'));
is(judge($clean, $head), "clean\n", 'the export has the chains of the head that was kept');
$node->safe_psql('opened', <<'SQL');
UPDATE modelreg.event SET application_name = 'nobody' WHERE chain = 2 AND chain_id = 2;
DO $$
BEGIN
	FOR n IN 1..(SELECT seq FROM modelreg.team WHERE id = 2) LOOP
		UPDATE modelreg.event e SET prev = b.hash FROM modelreg.event b
		WHERE e.chain = 2 AND e.chain_id = 2 AND e.seq = n AND b.chain = 2 AND b.chain_id = 2 AND b.seq = n - 1;
		PERFORM rehash('event', 'chain = 2 AND chain_id = 2 AND seq = ' || n);
	END LOOP;
END
$$;
UPDATE modelreg.team SET head_hash = e.hash FROM modelreg.event e WHERE e.chain = 2 AND e.chain_id = 2 AND e.seq = team.seq AND team.id = 2;
SQL
is($node->safe_psql('opened', $verify), '', 'verify() cannot see a chain that was written anew');
is(judge(export('opened'), $head), "published chain team/2\n", 'but the head that was kept shows it');
my $kept = slurp_file($head);
is($node->safe_psql('opened', "SELECT check_name, object FROM modelreg.verify_head('$kept')"), 'published|chain team/2', 'and verify_head() finds the same');
$node->safe_psql('postgres', 'DROP DATABASE opened WITH (FORCE)');

# Random values have one canonical JSON and one row hash in both.
my $rows = PostgreSQL::Test::Utils::tempdir() . '/rows.tsv';
my $seed = $ENV{MODELREG_TEST_SEED} // 42;
IPC::Run::run([ 'python3', "$FindBin::Bin/../random_rows.py", $seed, 3000 ], '>', $rows) or die 'no random rows';
is($node->safe_psql('registry', <<"SQL"), "3000|3000|3000", "random rows, seed $seed");
CREATE TEMP TABLE t (j jsonb, s text, f float8, at timestamptz, a text[], n bigint, canonical text, hash text);
\\copy t FROM '$rows' (ENCODING 'UTF8')
SELECT count(*), count(*) FILTER (WHERE modelreg.canonical_json(j) = canonical),
	count(*) FILTER (WHERE encode(modelreg.row_hash('t', 1::smallint, j, s, f, at, a, n), 'hex') = hash) FROM t;
SQL

# Cancelled: no finding, an error.
my ($status, $out, $err) = $node->psql('registry', 'SET statement_timeout = 5; SELECT * FROM modelreg.verify(deep => true)');
like($err, qr/canceling statement due to statement timeout/, 'verify() can be cancelled');

# On a standby, and in its snapshot.
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('registry', 'SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)'), '', 'a standby verifies');
is($standby->safe_psql('registry', "SELECT * FROM modelreg.verify_head('$kept')"), '', 'and compares a head');
is( $standby->safe_psql('registry', 'SELECT digest FROM modelreg.audit_head()'),
	$node->safe_psql('registry', 'SELECT digest FROM modelreg.audit_head()'),
	'and has the same head');

# A decision that comes to its commit too late is not made.
($status, $out, $err) = $node->psql('registry', <<'SQL', on_error_stop => 1);
\set VERBOSITY verbose
BEGIN;
SELECT modelreg.promote('search.reco', 1, 'Staging');
SELECT pg_sleep(1.3);
COMMIT;
SQL
like($err, qr/ERROR:  40001: transaction was open for too long after a decision/, 'a late decision is refused');
like($err, qr/CONSTRAINT NAME:  modelreg_decision_too_old/, 'with its reason');
is($node->safe_psql('registry', "SELECT stage FROM modelreg.version_stage WHERE model_id = 1 AND version = 1"), 'Archived', 'and changed nothing');
# So is the end of an endpoint, which the team's chain tells.
($status, $out, $err) = $node->psql('registry', <<'SQL');
\set VERBOSITY verbose
BEGIN;
SELECT modelreg.retire_endpoint('search.home');
SELECT pg_sleep(1.3);
COMMIT;
SQL
like($err, qr/ERROR:  40001: transaction was open for too long after a decision/, 'an endpoint that was retired late is not retired');
is($node->safe_psql('registry', "SELECT count(*) FROM modelreg.endpoints WHERE endpoint = 'search.home'"), 1, 'and serves on');
# One whose savepoint was rolled back does not count, nor do facts.
is( $node->psql('registry', <<'SQL'), 0, 'a decision that was rolled back does not count');
\set ON_ERROR_STOP on
BEGIN;
SAVEPOINT one;
SELECT modelreg.promote('search.reco', 1, 'Staging');
ROLLBACK TO one;
SELECT modelreg.record_node('commit', 'search.code', 'late');
SELECT pg_sleep(1.3);
COMMIT;
SQL
is($node->safe_psql('registry', 'SET client_min_messages = error; SELECT * FROM modelreg.verify()'), '', 'all is clean at the end');

$standby->stop;
$node->stop;
done_testing();
