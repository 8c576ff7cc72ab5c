# Retention by the clock: what is due, what purge_expired() passes by, what a retired model leaves; and a server that is killed
# in the middle of a purge. TAP because it needs a clock of its own (test/faults) and a server to kill.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../faults";
use Faults;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_with_faults('retention', "restart_after_crash = on\n");
sub sql { return $node->safe_psql('postgres', $_[0]); }
my $day = 86400;

# Of each model a version with bytes of its own, by team, name and policy.
sql(<<'SQL');
CREATE FUNCTION upload(team text, content text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := modelreg.begin_upload(team, length(content));
BEGIN
	PERFORM modelreg.append_upload(id, 0, convert_to(content, 'UTF8')), modelreg.finish_upload(id);
	RETURN id;
END $$;
CREATE FUNCTION version_of(model text) RETURNS integer LANGUAGE sql AS $$
	SELECT modelreg.register_version(model, artifacts => jsonb_build_array(jsonb_build_object('name', 'w', 'upload', upload(split_part(model, '.', 1), model || random())))) $$;
CREATE VIEW objects AS SELECT (SELECT count(*) FROM pg_largeobject_metadata) AS objects, (SELECT count(*) FROM pg_largeobject_metadata m WHERE NOT EXISTS
	(SELECT FROM modelreg.blob b WHERE b.object = m.oid) AND NOT EXISTS (SELECT FROM modelreg.upload u WHERE u.object = m.oid)) AS without_row;
SELECT modelreg.create_team('a'), modelreg.create_team('b');
SELECT modelreg.create_policy(t, 'short', '{"format": 1, "transitions": [{"from": ["Experimental", "Archived"], "to": "Staging", "levels": ["maintainer"]},
	{"from": ["Experimental", "Archived"], "to": "Production", "levels": ["maintainer"]}, {"from": ["Staging", "Production"], "to": "Archived", "levels": ["maintainer"]}],
	"return": {"levels": ["maintainer"]}, "retention_days": {"Experimental": 10, "Archived": 30, "Staging": 1, "Production": 1}}') FROM unnest('{a,b}'::text[]) t;
SELECT modelreg.create_policy('a', 'ever', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"]}],
	"retention_days": {"Experimental": 36525}}');
SELECT modelreg.allow_policy(t, 'short', 1) FROM unnest('{a,b}'::text[]) t;
SELECT modelreg.allow_policy('a', 'ever', 1);
SELECT modelreg.create_model(m, p) FROM (VALUES ('a.m', 'short'), ('a.held', 'short'), ('a.gone', 'short'), ('a.open', 'open'), ('a.ever', 'ever'), ('b.m', 'short')) v(m, p);
SELECT version_of('a.m') FROM generate_series(1, 6);
SELECT version_of(m) FROM unnest('{a.held,a.held,a.gone,a.open,a.ever,b.m}'::text[]) m;
SELECT modelreg.register_version('a.m');
SELECT modelreg.promote('a.m', 1, 'Production'), modelreg.promote('a.m', 2, 'Production'), modelreg.promote('a.m', 3, 'Production'), modelreg.promote('a.m', 4, 'Staging');
SELECT modelreg.place_hold('a.held', 1, 'a lawsuit');
SELECT modelreg.retire_model('a.gone');
CREATE ROLE ann;
SELECT modelreg.grant_level('a', 'ann', 'maintainer');
SQL
my $due = q{SELECT string_agg(model || '/' || version || CASE WHEN held THEN ' held' ELSE '' END || CASE WHEN model_retired THEN ' retired' ELSE '' END, ', ' ORDER BY model, version) FROM modelreg.purge_due};
is(sql($due), '', 'nothing is due at first');
is(sql(q{SELECT modelreg.purge_expired()}), '0', 'and nothing is purged');

set_clock(9.9 * $day);
is(sql($due), '', 'nor after nine days');
set_clock(10.1 * $day);
is(sql($due), 'a.gone/1 retired, a.held/1 held, a.held/2, a.m/5, a.m/6, b.m/1', 'after ten days what is in Experimental, whatever became of its model');
is(sql(q{SELECT stage || ' ' || retention_days || ' ' || (due_since < now()) || ' ' || (bytes > 0) FROM modelreg.purge_due WHERE model = 'b.m'}), 'Experimental 10 true true', 'with the days that its policy says');
is(sql(q{SET ROLE ann; SELECT string_agg(DISTINCT team, ', ') FROM modelreg.purge_due}), 'a', 'a maintainer sees what is due in his team');
is(sql(q{SET ROLE ann; SELECT modelreg.purge_expired('a', 1)}), '1', 'one at a time');
is(sql(q{SET ROLE ann; SELECT modelreg.purge_expired('a')}), '3', 'the others of his team');
is(sql($due), 'a.held/1 held, b.m/1', 'but what is held, or another team\'s');
is(sql(q{SELECT modelreg.purge_expired()}), '1', 'all teams, for an admin');
is(sql($due), 'a.held/1 held', 'and what is held stays');
is(sql(q{SELECT DISTINCT reason FROM modelreg.purged_versions}), 'retention is over', 'events say why');

set_clock(31 * $day);
is(sql($due), 'a.held/1 held, a.m/1, a.m/2', 'after a month what is archived');
is(sql(q{SELECT modelreg.purge_expired('a')}), '1', 'which is purged, but not what a rollback would go back to');
is(sql(q{SELECT string_agg(version::text, ', ') FROM modelreg.purged_versions WHERE model = 'a.m' AND version < 5}), '1', 'that is');
is(sql(q{SELECT modelreg.rollback_model('a.m', 'to what was kept')}), '2', 'and it can go there');
is(sql(q{SELECT modelreg.lift_hold('a.held', 1, 'settled') IS NOT NULL, modelreg.purge_expired('a')}), 't|1', 'a hold that is lifted');
is(sql(q{SELECT modelreg.purge_version('a.open', 1, 'by hand') IS NOT NULL}), 't', 'where a policy says nothing, by hand at any time');
is(sql(q{SELECT without_row FROM objects}), '0', 'no object is without its row');
is(sql(q{SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)}), '', 'verify() is clean');

# Without a team it purges those of one, the first that has some; and what would be refused anyway it does not lock.
sql(q{SELECT version_of(m) FROM unnest('{a.m,b.m}'::text[]) m});
set_clock(50 * $day);
is(sql(q{SELECT modelreg.purge_expired()}), '1', 'of the first team');
is(sql(q{SELECT string_agg(DISTINCT team, ', ') FROM modelreg.purge_due}), 'b', 'then the other is left');
sql(q{SELECT modelreg.promote('a.m', 3, 'Production')}); # a comes to have something due that a rollback needs
set_clock(100 * $day);
is(sql($due), 'a.m/2, b.m/2', 'one that a rollback needs, and one that nobody does');
my $locks = $node->background_psql('postgres');
$locks->query_safe(q{BEGIN; SELECT FROM modelreg.team WHERE name = 'a' FOR UPDATE});
is(sql(q{SET lock_timeout = '60s'; SELECT modelreg.purge_expired()}), '1', 'of the other team, while the first is locked');
$locks->quit;

# Killed before the commit: nothing happened. After it: it is done.
my $before = sql(q{SELECT version_of('a.open'); SELECT objects FROM objects});
my $session = $node->background_psql('postgres');
kill_backend($session->query_safe(q{BEGIN; SELECT modelreg.purge_version('a.open', 2, 'killed') IS NULL; SELECT pg_backend_pid()}) =~ /(\d+)\s*$/);
is("2\n" . sql(q{SELECT objects FROM objects WHERE without_row = 0}), $before, 'killed in a purge: the object is here, and no other');
is(sql(q{SELECT length(modelreg.read_artifact('a.open', 2, 'w')) > 0}), 't', 'with its bytes');
$session = $node->background_psql('postgres');
kill_backend($session->query_safe(q{SELECT modelreg.purge_version('a.open', 2, 'again') IS NULL; SELECT pg_backend_pid()}) =~ /(\d+)\s*$/);
is(sql(q{SELECT objects FROM objects WHERE without_row = 0}) + 1, (split /\n/, $before)[1], 'killed after it: the object is gone');
is(sql(q{SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)}), '', 'verify() is clean');

done_testing();

# The server throws every session out and recovers.
sub kill_backend
{
	my ($pid) = @_;
	is(kill('KILL', $pid), 1, 'a backend was killed');
	$session->{run}->kill_kill;
	$node->poll_query_until('postgres', qq{SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)});
	return;
}
