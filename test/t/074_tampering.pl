# What a superuser does past the guard, each really done and committed, in a copy of the database of its own: verify() names the
# first bad place, and tells nothing of a registry that is only older; a head that was published does. The registry itself
# goes on. TAP because it takes sessions without the library, files of the server, and pg_dump. (Chains that were written anew from end
# to end are in sql/published.sql, every table and column in sql/guard_verify.sql.)

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale', '--data-checksums' ]);
$node->append_conf('postgresql.conf', "autovacuum = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE registry');

sub sql { my ($db, $sql) = @_; return $node->safe_psql($db, $sql); }

sql('registry', <<'SQL');
CREATE EXTENSION modelreg;
SELECT modelreg.create_team('search');
SELECT modelreg.create_model('search.reco', 'open'), modelreg.create_model('search.fraud', 'open');
SELECT modelreg.begin_upload('search', 7);
SELECT modelreg.append_upload(1, 0, 'weights');
SELECT modelreg.finish_upload(1);
SELECT modelreg.register_version('search.reco', artifacts => '[{"name": "weights", "upload": 1}]'), modelreg.register_version('search.fraud');
SELECT modelreg.promote('search.reco', 1, 'Production');
SQL
command_ok([ 'pg_dump', '-Fc', '-d', $node->connstr('registry'), '-f', $node->basedir . '/old.dump' ], 'an old backup');
sql('registry', <<'SQL');
SELECT modelreg.register_version('search.reco', description => 'the new one');
SELECT modelreg.promote('search.reco', 2, 'Production', reason => 'A/B test won');
SELECT modelreg.set_tag('search.reco', 'owner', 'the-ranking-team', 2);
SQL
my $head = sql('registry', 'SELECT document FROM modelreg.audit_head()');

# The first finding that is not about the guard itself, which stands again in each case but where it says so, and the head's.
sub findings
{
	my ($db, $deep) = @_;
	my @found = split /\n/, sql($db, qq{SET client_min_messages = error; SELECT check_name || ' ' || object FROM modelreg.verify(deep => @{[ $deep ? 'true' : 'false' ]})});
	return ($found[0] // 'clean', sql($db, "SELECT string_agg(concat(object, ': ', detail), '; ') FROM modelreg.verify_head('$head')"));
}

# In a session that never loaded the library its event triggers are only rows.
my $past_ddl = q{ALTER EVENT TRIGGER modelreg_ddl_start DISABLE; ALTER EVENT TRIGGER modelreg_ddl_end DISABLE;};
my $back_ddl = q{ALTER EVENT TRIGGER modelreg_ddl_start ENABLE ALWAYS; ALTER EVENT TRIGGER modelreg_ddl_end ENABLE ALWAYS;};
my @roads = (
	[ 'event triggers disabled, a row changed, all put back', "$past_ddl ALTER TABLE modelreg.event DISABLE TRIGGER USER, DROP CONSTRAINT event_hash;
		UPDATE modelreg.event SET application_name = 'somebody else' WHERE chain = 5 AND chain_id = 1 AND seq = 2;
		ALTER TABLE modelreg.event ENABLE ALWAYS TRIGGER guard_row, ENABLE ALWAYS TRIGGER guard_truncate; $back_ddl",
		'row event decisions/1/2', '' ],
	[ 'a trigger switched off in the catalog, the last event removed', q{SET allow_system_table_mods = on;
		UPDATE pg_trigger SET tgenabled = 'D' WHERE tgrelid = 'modelreg.event'::regclass; DELETE FROM modelreg.event WHERE chain = 5 AND seq = 2;
		UPDATE pg_trigger SET tgenabled = 'A' WHERE tgrelid = 'modelreg.event'::regclass},
		'head head decisions/1', 'chain decisions/1: it differs from the published head: event 2 is not the one that was published' ],
	[ 'a table whose triggers the catalog denies, another version made current', q{SET allow_system_table_mods = on;
		UPDATE pg_class SET relhastriggers = false WHERE oid = 'modelreg.model'::regclass; UPDATE modelreg.model SET current_version = 1 WHERE id = 1;
		UPDATE pg_class SET relhastriggers = true WHERE oid = 'modelreg.model'::regclass},
		'fold model 1', '' ],
	[ 'a decision forged, with a hash that fits', q{INSERT INTO modelreg.event SELECT chain, chain_id, 3, at + interval '1 s', kind, team_id, who, application_name, client_addr, NULL, what, NULL, hash,
		modelreg.row_hash('event', format, chain, chain_id, 3::bigint, at + interval '1 s', kind, team_id, who, application_name, client_addr, NULL::text, what, NULL::bytea, hash), format
		FROM modelreg.event WHERE chain = 5 AND chain_id = 1 AND seq = 2},
		'head head decisions/1', '' ],
	[ 'a large object written to', q{SELECT lo_put(object, 0, 'Weights') FROM modelreg.blob}, 'clean', '' ],
	[ 'a role made maintainer by a row', q{INSERT INTO modelreg.membership VALUES (1, 'pg_monitor', 'pg_monitor'::regrole, 'maintainer')},
		'fold membership 1/pg_monitor/maintainer', '' ],
);
my $n = 0;
for my $road (@roads)
{
	my ($name, $statements, $first, $published) = @$road;
	my $db = 'copy' . ++$n;
	sql('postgres', "CREATE DATABASE $db TEMPLATE registry");
	is($node->psql($db, $statements), 0, "$name: nothing stops it");
	my ($verify, $compared) = findings($db);
	is($verify, $first, "$name: verify() names the first bad place");
	is($compared, $published, "$name: the published head");
}
is((findings('copy5', 1))[0], 'bytes artifact 1/1/weights', 'a deep verify() names the bytes that were written to');
sql('copy5', q{SELECT lo_put(object, 0, 'weights') FROM modelreg.blob});
is((findings('copy5', 1))[0], 'clean', 'put back, they are clean');

# On disk, while the server is down: a name that an event tells.
sql('postgres', 'CREATE DATABASE ondisk TEMPLATE registry');
my $file = $node->data_dir . '/' . sql('ondisk', q{CHECKPOINT; SELECT pg_relation_filepath('modelreg.payload')});
$node->stop;
my $bytes = slurp_file($file);
my $at = index $bytes, 'A/B test won';
cmp_ok($at, '>', 0, 'the reason of a promotion on disk');
open my $handle, '+<:raw', $file or die "$file: $!";
sysseek $handle, $at, 0;
syswrite $handle, 'A/B test new';
close $handle;
$node->start;
my $found = q{SET client_min_messages = error; SELECT string_agg(DISTINCT concat_ws(' ', check_name, regexp_replace(object, '[0-9a-f]{64}', '<digest>'), %s), '; ') FROM modelreg.verify()};
like(sql('ondisk', sprintf $found, 'detail'), qr/unreadable payload invalid page in block 0 of relation/, 'the page does not fit its checksum: verify() goes on, and says so');
is(sql('ondisk', 'SET ignore_checksum_failure = on; ' . sprintf $found, 'NULL'), 'row payload <digest>', 'where nothing asks for checksums, the text that was written over is the one finding');

# An old backup restored: nothing was tampered with, and the head that was published says how far behind it is.
sql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
command_ok([ 'pg_restore', '-d', $node->connstr('restored'), $node->basedir . '/old.dump' ], 'an old backup is restored');
my ($verify, $compared) = findings('restored', 1);
is($verify, 'clean', 'verify() has nothing against it');
is($compared, join('; ', map { "chain $_->[0]: it is behind the published head: it ends at event $_->[1] instead of $_->[2]" }
	[ 'facts/1', 0, 1 ], [ 'registrations/1', 1, 2 ], [ 'decisions/1', 1, 2 ]), 'the head that was published has more');
sql('restored', sprintf "SELECT modelreg.declare_restore('disk lost', '%s')", $head);
is(sql('restored', q{SELECT modelreg.register_version('search.reco')}), '2', 'declared, it registers again');
like((findings('restored'))[1], qr/^registry: its identity was another one; event registry\/1\/\d+ replaced it \(restore_declared\)/, 'and the head says that it was');
my $next = sql('restored', 'SELECT document FROM modelreg.audit_head()');
is(sql('restored', "SELECT * FROM modelreg.verify_head('$next')"), '', 'of which the next one goes on');

# The registry itself.
is(sql('registry', q{SELECT modelreg.register_version('search.reco')}), '3', 'registering goes on');
is(join(' ', findings('registry', 1)), 'clean ', 'and all of it is clean');
done_testing();
