# Back to a moment between two promotions, by a base backup and the archived WAL: the registry is as it was then, writes
# nothing until somebody says what it is, and goes on under a new identity, so that no permanent id is given twice. A
# standby that is promoted goes on by itself. TAP because it needs an archive, recovery targets and several servers.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ], allows_streaming => 1, has_archiving => 1);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION modelreg;
	CREATE ROLE regress_ann LOGIN;
	CREATE ROLE regress_admin LOGIN;
	SELECT modelreg.grant_registry_right('regress_admin', 'admin');
	SELECT modelreg.create_team('search');
	SELECT modelreg.grant_level('search', 'regress_ann', 'maintainer');
	SELECT modelreg.create_model('search.reco', 'open');
	SELECT modelreg.begin_upload('search', 7) AS upload \gset
	SELECT modelreg.append_upload(:upload, 0, 'weights');
	SELECT modelreg.finish_upload(:upload);
	SELECT modelreg.record_run('search.train');
	SELECT modelreg.register_version('search.reco', 'run:search.train', format('[{"name": "w", "upload": %s}]', :upload)::jsonb);
	SELECT modelreg.register_version('search.reco')});
$node->backup('base');

# The first promotion, the moment, the second one and all that gets lost.
$node->safe_psql('postgres', q{SELECT modelreg.promote('search.reco', 1, 'Production')});
my $before = $node->safe_psql('postgres', 'SELECT document FROM modelreg.audit_head()');
my $moment = $node->safe_psql('postgres', q{SELECT pg_create_restore_point('between'); SELECT pg_sleep(0.1); SELECT clock_timestamp()}) =~ s/.*\n//sr;
$node->safe_psql('postgres', q{
	SELECT modelreg.promote('search.reco', 2, 'Production');
	SELECT modelreg.create_team('ads');
	SELECT modelreg.create_model('ads.click', 'open');
	SELECT modelreg.record_run('search.lost')});
my $lost = $node->safe_psql('postgres', q{SELECT modelreg.register_version('search.reco', 'run:search.lost') AS version \gset
	SELECT permanent_id FROM modelreg.get_version('search.reco', :version)});
my $published = $node->safe_psql('postgres', 'SELECT document FROM modelreg.audit_head()');
my $wal = $node->safe_psql('postgres', 'SELECT pg_walfile_name(pg_switch_wal())');
$node->poll_query_until('postgres', "SELECT last_archived_wal >= '$wal' FROM pg_stat_archiver") or die 'the WAL was not archived';

sub restore
{
	my ($name, $target) = @_;
	my $restored = PostgreSQL::Test::Cluster->new($name);
	$restored->init_from_backup($node, 'base', has_restoring => 1, standby => 0);
	$restored->append_conf('postgresql.conf', "$target\nrecovery_target_action = promote\narchive_mode = off\n");
	$restored->start;
	$restored->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die "$name did not end its recovery";
	return $restored;
}

# A standby of a server that was restored, without what ended that one's recovery.
sub follow
{
	my ($server, $name) = @_;
	my $standby = PostgreSQL::Test::Cluster->new($name);
	$server->backup($name);
	$standby->init_from_backup($server, $name, has_streaming => 1);
	$standby->append_conf('postgresql.conf', "recovery_target_name = ''\nrecovery_target_time = ''");
	$standby->start;
	$server->wait_for_catchup($standby, 'replay', $server->lsn('flush'));
	return $standby;
}

sub error_of
{
	my ($server, $sql, @options) = @_;
	my ($status, $out, $err) = $server->psql('postgres', "\\set VERBOSITY verbose\n$sql", @options);
	return $err =~ s/^LOCATION:.*\n?//mgr;
}

my $undeclared = qr/ERROR:  55000: the registry was restored to an earlier time, which nobody has declared/;
my $restored = restore('restored', q{recovery_target_name = 'between'});
is($restored->safe_psql('postgres', q{SELECT version FROM modelreg.production('search.reco')}), '1', 'what was current at that moment is current');
is($restored->safe_psql('postgres', 'SELECT * FROM modelreg.verify(deep => true)'), '', 'verify() is clean');
is($restored->safe_psql('postgres', q{SELECT count(*) FROM modelreg.versions}), '2', 'what was registered later is not there');

# Nothing is written until somebody says what this registry is.
for my $verb (q{register_version('search.reco')}, q{promote('search.reco', 2, 'Production')}, q{record_run('search.more')},
	q{begin_upload('search', 5)}, q{append_upload(1, 0, 'w')}, q{create_team('more')}, q{set_tag('search.reco', 'a', 'b')}, q{rebind_roles()})
{
	like(error_of($restored, "SELECT modelreg.$verb"), $undeclared, "undeclared, it refuses $verb");
}
my $refusal = error_of($restored, q{SELECT modelreg.create_team('more')});
like($refusal, qr/DETAIL:  Timeline 2 of the server: at restore point "between"\./, 'it says how it knows');
like($refusal, qr/CONSTRAINT NAME:  modelreg_restore_not_declared/, 'with a reason for programs');
is($restored->safe_psql('postgres', q{SELECT convert_from(modelreg.read_artifact('search.reco', 1, 'w'), 'UTF8')}), 'weights', 'but it answers');

# Who may declare, and with what.
like(error_of($restored, q{SELECT modelreg.declare_restore('disk lost')}, extra_params => [ '-U', 'regress_ann' ]),
	qr/42501: permission denied/, 'a maintainer does not declare a restore');
like(error_of($restored, 'SELECT modelreg.declare_restore(NULL)'), qr/22004: argument "reason" must not be null/, 'not without a reason');
for my $bad ([ '{}', 'A number "format" is missing.' ], [ '{"format": 1, "identity": "not a uuid", "chains": []}', 'Its identity "not a uuid" is no uuid.' ],
	[ '{"format": 2}', 'Its format is not 1.' ], [ '{"format": 1, "identity": null}', 'An array "chains" is missing.' ],
	[ '{"format": 1, "identity": null, "chains": [1]}', 'A chain is an object.' ], [ '{"format": 1, "identity": null, "chains": [{"chain": "weather"}]}', 'There is no chain "weather".' ],
	[ '{"format": 1, "identity": null, "chains": [{"chain": "team", "id": 1e30}]}', '"id" is 1000000000000000000000000000000.' ],
	[ '{"format": 1, "identity": null, "chains": [{"chain": "team", "id": 1, "seq": 0.5}]}', '"seq" is 0.5.' ],
	[ '{"format": 1, "identity": null, "chains": [{"chain": "team", "id": 1, "seq": 1, "hash": "00"}]}', 'A hash has 64 hexadecimal digits.' ])
{
	like(error_of($restored, "SELECT modelreg.declare_restore('disk lost', '$bad->[0]')"),
		qr/22023: that is no document of audit_head\(\)\nDETAIL:  \Q$bad->[1]\E/, "no head: $bad->[0]");
}
my $other = $published =~ s/"hash": "[0-9a-f]{8}/"hash": "00000000/r;
like(error_of($node, "SELECT modelreg.declare_restore('disk lost', '$other')"),
	qr/55000: the registry is no earlier state of the one whose head was published\nDETAIL:  Event 4 of chain registry\/1 is another one than was published\./,
	'a head with another event is refused');

# Declared, by an admin, with the last head that was published.
my $old = $restored->safe_psql('postgres', 'SELECT identity FROM modelreg.registry');
my $declare = "SELECT modelreg.declare_restore('disk lost', '$published', request_id => 'restore-1')";
my $new = $restored->safe_psql('postgres', $declare, extra_params => [ '-U', 'regress_admin' ]);
like($new, qr/^[0-9a-f-]{36}$/, 'a restore is declared');
isnt($new, $old, 'with it the registry has a new identity');
is($restored->safe_psql('postgres', $declare, extra_params => [ '-U', 'regress_admin' ]), $new, 'the same call again returns the same');
is($restored->safe_psql('postgres', "SELECT modelreg.declare_restore('disk lost', '$before') <> '$new'"), 't', 'what is behind nothing is declared too');
is($restored->safe_psql('postgres', q{SELECT role, reason, what->>'replaced' = '} . $old . q{', what->'behind' FROM modelreg.events
		WHERE kind = 'restore_declared' ORDER BY number LIMIT 1}),
	'regress_admin|disk lost|t|' . '[{"id": 1, "seq": 3, "chain": "registry", "published": 4}, {"id": 2, "seq": 0, "chain": "team", "published": 2}, '
	. '{"id": 1, "seq": 1, "chain": "facts", "published": 2}, {"id": 1, "seq": 2, "chain": "registrations", "published": 3}, '
	. '{"id": 1, "seq": 1, "chain": "decisions", "published": 2}]', 'the event tells how far behind the published head it is');
is($restored->safe_psql('postgres', q{SELECT what->>'head', what->'behind' FROM modelreg.events WHERE kind = 'restore_declared' ORDER BY number DESC LIMIT 1})
	=~ s/^sha256:[0-9a-f]{64}/digest/r, 'digest|[]', 'and its digest');

# The number is given again, the permanent id is not.
is($restored->safe_psql('postgres', q{SELECT modelreg.register_version('search.reco', 'run:search.train')}), '3', 'registering goes on, without a gap');
my $id = $restored->safe_psql('postgres', q{SELECT permanent_id FROM modelreg.get_version('search.reco', 3)});
isnt($id, $lost, 'under another permanent id than the lost one');
like($lost, qr/^modelreg:$old\/1\/3$/, 'which began with the old identity');
is($restored->safe_psql('postgres', "SELECT version FROM modelreg.resolve('$id')"), '3', 'the new one resolves');
is($restored->safe_psql('postgres', "SELECT version FROM modelreg.resolve('modelreg:$old/1/1')"), '1', 'one of before does');
like(error_of($restored, "SELECT version FROM modelreg.resolve('$lost')"), qr/42704: /, 'the lost one does not');
is($restored->safe_psql('postgres', q{SELECT modelreg.promote('search.reco', 3, 'Production') > 0; SELECT permanent_id FROM modelreg.production('search.reco')}),
	"t\n$id", 'it is promoted');
is($restored->safe_psql('postgres', 'SELECT * FROM modelreg.verify(deep => true)'), '', 'verify() is clean');
like(error_of($restored, "SELECT modelreg.declare_restore('again', '$published')"),
	qr/55000: the registry is no earlier state.*DETAIL:  Event 4 of chain registry\/1 is another one than was published\.\n.*Event 3 of chain registrations\/1/s,
	'a head whose events were written anew since is another history');

# Its standby goes on by itself when it is promoted, under the same identity.
my $identity = $restored->safe_psql('postgres', 'SELECT identity FROM modelreg.registry');
my $standby = follow($restored, 'standby');
$restored->stop;
$standby->promote;
is($standby->safe_psql('postgres', q{SELECT modelreg.register_version('search.reco')}), '4', 'a promoted standby goes on without being asked');
is($standby->safe_psql('postgres', 'SELECT identity FROM modelreg.registry'), $identity, 'under the same identity');
# How its timeline began cannot be known without the file that says so.
unlink glob $standby->data_dir . '/pg_wal/*.history' or die 'no history file';
like(error_of($standby, q{SELECT modelreg.create_team('more')}), qr/$undeclared\nDETAIL:  Timeline 3 of the server: the file "pg_wal\/00000003.history" cannot be read/,
	'without the history of its timelines it asks');
is($standby->safe_psql('postgres', q{SELECT modelreg.declare_restore('history file lost') IS NOT NULL; SELECT modelreg.create_team('more') > 0}), "t\nt", 'and is told');
is($standby->safe_psql('postgres', 'SELECT * FROM modelreg.verify()'), '', 'verify() is clean');
$standby->stop;

# A copy of the registry as it was at a time, beside the other that goes on; promoting a standby of it declares nothing.
my $copy = restore('copy', "recovery_target_time = '$moment'");
is($copy->safe_psql('postgres', q{SELECT version FROM modelreg.production('search.reco')}), '1', 'restored to a time, it is as it was then');
like(error_of($copy, q{SELECT modelreg.register_version('search.reco')}), qr/$undeclared\nDETAIL:  Timeline 2 of the server: before /, 'and refuses as well');
my $follower = follow($copy, 'follower');
$follower->promote;
like(error_of($follower, q{SELECT modelreg.register_version('search.reco')}), $undeclared, 'its standby, promoted, too');
like(error_of($copy, q{BEGIN; SELECT modelreg.new_identity('by mistake'); SELECT modelreg.register_version('search.reco'); ROLLBACK; SELECT modelreg.register_version('search.reco')}),
	$undeclared, 'what was declared and rolled back was never declared');
my @identities = map { $_->safe_psql('postgres', q{SELECT modelreg.new_identity('for tests')}) } $copy, $follower;
for my $server ($node, $copy, $follower)
{
	is($server->safe_psql('postgres', q{SELECT modelreg.register_version('search.reco') > 2; SELECT * FROM modelreg.verify()}), 't', $server->name . ' goes on and is clean');
	push @identities, $server->safe_psql('postgres', q{SELECT DISTINCT split_part(permanent_id, '/', 1) FROM modelreg.versions WHERE version = (SELECT max(version) FROM modelreg.versions)});
}
is(join(' ', @identities[3, 4]), join(' ', map { "modelreg:$_" } @identities[0, 1]), 'each copy under its own identity');
isnt($identities[$_], $identities[2], 'and not the first one\'s') for 3, 4;
is($copy->safe_psql('postgres', q{SELECT what->>'replaced' = '} . $old . q{', reason FROM modelreg.events WHERE kind = 'identity_begun'}), 't|for tests', 'an event tells of it');

done_testing();
