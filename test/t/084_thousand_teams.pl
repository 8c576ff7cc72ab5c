# A role that reads three of a thousand teams pays for three. What a statement looks at is counted, by the pages that it reads and the
# rows that its plan passes by, here and in a registry of these three teams alone; no time is measured. TAP because it takes
# two registries, and a clock that is put on: some of what a view shows comes with time.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../faults";
use Faults qw(start_with_faults set_clock);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_with_faults('main', "fsync = off\n");
$node->safe_psql('postgres', 'CREATE ROLE three; CREATE ROLE ann; CREATE ROLE joe; CREATE ROLE leaver; CREATE ROLE grp; GRANT grp TO three');

# A key, and what it signed of the artifact that all versions here name.
my $key = q{E'-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAM+zkgW7N1O0jjBZeNn6755pCLa9gPveHpRIMlkxU41U=\n-----END PUBLIC KEY-----'};
my $statement = q{'{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoicHJlcCIsImRpZ2VzdCI6eyJzaGEyNTYiOiJiYTc4MTZiZjhmMDFjZmVhNDE0MTQwZGU1ZGFlMjIyM2IwMDM2MWEzOTYxNzdhOWNiNDEwZmY2MWYyMDAxNWFkIn19XSwicHJlZGljYXRlVHlwZSI6Imh0dHBzOi8vc2xzYS5kZXYvcHJvdmVuYW5jZS92MSIsInByZWRpY2F0ZSI6e319","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"4Ls12v3Qb5aEXRPXtxQ7eWqtayJkRtAwadKdEUAKpB062pJPlsFnyI+t0qP5SWDRAJuwafbfAGgoypsNiSY8Cg=="}]}'};

# Teams each of which has something in every view; ann, joe and leaver work in all, three reads three of them, one through a group. Each
# call is made for all teams at once.
sub fill
{
	my ($database, $teams) = @_;
	my $call = sub { my ($call, $versions) = @_; $call =~ s/~(\w+)/' || t || '.$1/g; $call =~ s/'' \|\| //g; $call =~ s/~/t/g; return "SELECT count($call) FROM teams" . ($versions ? ", generate_series(1, $versions) v" : '') . ";\n"; };
	my $calls = sub { my ($role, @calls) = @_; return "SET ROLE $role;\n" . join '', map { $call->(ref $_ ? @$_ : $_) } @calls; };
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION modelreg;
		CREATE TABLE public.teams AS SELECT 't' || i AS t FROM unnest(ARRAY[$teams]) AS i;
		GRANT SELECT ON public.teams TO PUBLIC;
		SELECT modelreg.grant_registry_right('ann', 'admin'), modelreg.grant_registry_right(session_user, 'pooler');"
	. $calls->('ann', 'modelreg.create_team(~)', (map { "modelreg.grant_level(~, 'ann', '$_')" } qw(evaluator reviewer)), (map { "modelreg.grant_level(~, '$_', 'contributor')" } qw(joe leaver)),
		# models, versions, lineage, artifacts
		q{modelreg.create_model('~m', 'open', description => 'some words')},
		q{modelreg.record_snapshot('~s', '1', schema => '{"a": "int"}')},
		q{modelreg.record_run('~r', inputs => ('{"training": "snapshot:~s@1"}')::jsonb)},
		[ q{modelreg.register_version('~m', 'run:~r', description => 'some words', params => '{"lr": 1}', metrics => '{"auc": 1}', tags => '{"a": "b"}',
			artifacts => '[{"name": "a", "uri": "s3://a", "size": 1, "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]')}, 2 ],
		q{modelreg.record_artifact_check('~m', 1, 'a', 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 1)},
		q{modelreg.promote('~m', 1, 'Production')}, q{modelreg.set_alias('~m', 'champion', 1)}, q{modelreg.begin_upload(~, 5)}, q{modelreg.place_hold('~m', 1, 'a lawsuit')},
		# bytes that are to go, and that went
		q{modelreg.create_policy(~, 'short', modelreg.policy_document(NULL, 'open', 1) || '{"retention_days": {"Experimental": 1}}')}, q{modelreg.allow_policy(~, 'short', 1)}, q{modelreg.create_model('~old', 'short')},
		[ q{modelreg.append_upload(modelreg.begin_upload(~, 8, request_id => 'bytes-' || v), 0, convert_to(lpad(~ || v, 8), 'UTF8'))}, 2 ])
	. q{SELECT count(modelreg.finish_upload(id)) FROM modelreg.upload WHERE request_id LIKE 'bytes-%';
		SELECT count(modelreg.register_version(t.name || '.old', artifacts => jsonb_build_array(jsonb_build_object('name', 'a', 'upload', u.id)))) FROM modelreg.upload u JOIN modelreg.team t ON t.id = u.team_id WHERE request_id LIKE 'bytes-%';}
	. $calls->('ann',
		# what serves, one rollout, one rollback, observations and predictions
		q{modelreg.create_model('~live', 'open')}, [ q{modelreg.register_version('~live', 'run:~r')}, 2 ], q{modelreg.promote('~live', 1, 'Production')},
		q{modelreg.create_endpoint('~e', '~live')}, q{modelreg.create_endpoint('~f', '~live')}, q{modelreg.promote('~live', 2, 'Production')},
		q{modelreg.start_rollout('~e', 2, plan => '{"steps": [{"weight": "5%", "bake": "1 hour"}, {"weight": "100%"}], "guards": [{"metric": "errors", "at_most": 0.01}]}')},
		q{modelreg.start_rollout('~f', 2, plan => 'all at once')}, q{modelreg.rollback('~f', 'worse')},
		[ q{modelreg.record_quality('~e', v, 'errors', now(), 1)}, 2 ], q{modelreg.report_serving('~e', 'pod', '1-0123456789abcdef')})
	. 'SELECT modelreg.add_prediction_partitions(current_date + 1, current_date - 1);'
	. $calls->('ann', q{modelreg.record_predictions('~e', '{user-1,user-2}', '{1,2}')})
	# requests, approvals, decisions
	. $calls->('ann', q{modelreg.create_model('~ask', 'standard')})
	. $calls->('joe', [ q{modelreg.register_version('~ask')}, 3 ], q{modelreg.attempt_promotion('~ask', 1, 'Staging')})
	. $calls->('ann', [ q{modelreg.record_evaluation('models:/~ask/' || v, 'offline', '{}', passed => true)}, 2 ], q{modelreg.emergency_promote('~ask', 3, 'Production', 'fire')})
	. $calls->('joe', q{modelreg.request_promotion('~ask', 1, 'Production')})
	. 'SET ROLE ann; SELECT count(modelreg.approve(r.request, v.evidence)) FROM modelreg.promotion_requests r, modelreg.review(r.request) v;'
	. $calls->('leaver', q{modelreg.request_promotion('~ask', 2, 'Production')})
	# keys and statements, and what is quarantined
	. "RESET ROLE; SELECT modelreg.register_key('signer', $key);"
	. $calls->('ann', "modelreg.register_key('key', $key, ~)", "modelreg.record_attestation('~m', 1, $statement)", q{modelreg.quarantine('snapshot:~s@1', 'broken')})
	. q{SELECT modelreg.set_discoverable('t' || i, true), modelreg.grant_level('t' || i, CASE i WHEN 402 THEN 'grp' ELSE 'three' END, 'reader') FROM unnest(ARRAY[400, 401, 402]) AS i;
		RESET ROLE;});
	set_clock(2 * 86400);
	$node->safe_psql($database, $calls->('ann', q{modelreg.purge_version('~old', 2, 'a customer asked')}) . 'RESET ROLE; DROP TABLE public.teams; VACUUM ANALYZE;');
	set_clock(0);
}
fill('few', '400, 401, 402');
fill('thousand', join ', ', 1 .. 1000);
$node->safe_psql('few', 'DROP ROLE leaver');
set_clock(2 * 86400);

# The plan of a statement as somebody ran it, in a session that has run it before. Of so few rows in memory a planner reads all of
# a table rather than to go by an index; with rows that cost more it does what it does with many.
sub plan_of
{
	my ($database, $role, $statement, $before) = @_;
	$before //= $statement;
	my $text = $node->safe_psql($database, "SET ROLE $role;\nSET enable_seqscan = off;\nSET jit = off;\nSET cpu_tuple_cost = 1;\nSET cpu_index_tuple_cost = 1;\n\\o /dev/null\n$before;\n\\o\nEXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) $statement");
	return decode_json($text)->[0]{Plan};
}

# Rows that any part of a plan gave or passed by.
sub rows_seen
{
	my ($plan) = @_;
	my $rows = ($plan->{'Actual Rows'} + ($plan->{'Rows Removed by Filter'} // 0) + ($plan->{'Rows Removed by Join Filter'} // 0) + ($plan->{'Rows Removed by Index Recheck'} // 0)) * $plan->{'Actual Loops'};
	$rows += rows_seen($_) for @{ $plan->{Plans} // [] };
	return $rows;
}

# Rights are looked up anew in a new session; the statement before fills the server's own caches with all but them.
my $look = 'SELECT cardinality(modelreg.readable_teams())';
sub pages { my ($database, $role) = @_; my $plan = plan_of($database, $role, $look, 'SELECT count(*) FROM modelreg.team WHERE false'); return $plan->{'Shared Hit Blocks'} + $plan->{'Shared Read Blocks'}; }
my ($few, $thousand, $all) = (pages('few', 'three'), pages('thousand', 'three'), pages('thousand', 'ann'));
note "pages to look up rights: $few of three teams, $thousand of a thousand; $all by who has levels in all";
cmp_ok($thousand, '<=', $few + 20, 'looking up the rights of three of a thousand teams takes what three take');
cmp_ok($all, '>', 10 * $thousand, 'and not what who has a thousand pays');

for my $view (split /\n/, $node->safe_psql('few', q{SELECT relname FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind = 'v' ORDER BY 1}))
{
	isnt($node->safe_psql('few', "SET ROLE three; SELECT count(*) FROM modelreg.$view"), '0', "$view has something to show");
	my ($few, $thousand) = map { rows_seen(plan_of($_, 'three', "SELECT * FROM modelreg.$view")) } qw(few thousand);
	note "$view: $few, $thousand";
	cmp_ok($thousand, '<=', 3 * $few + 50, "$view passes by as many rows ($thousand, and $few without the others)");
}
for my $call (q{production('t400.m')}, q{get_version('t401.m', 1)}, q{upstream('models:/t402.m/1')}, q{search_versions()}, q{impact('snapshot:t400.s@1')})
{
	my ($few, $thousand) = map { my $plan = plan_of($_, 'three', "SELECT * FROM modelreg.$call"); $plan->{'Shared Hit Blocks'} + $plan->{'Shared Read Blocks'} } qw(few thousand);
	cmp_ok($thousand, '<=', 2 * $few + 20, "$call reads as many pages ($thousand, and $few)");
}

# Who asks about one model or endpoint, or about what was taken back, pays for that, and not for what else happened: ten times as much
# to another model and another endpoint of the team. docs/bi.md says by which columns of which view.
$node->safe_psql('postgres', 'CREATE DATABASE busy');
$node->safe_psql('busy', q{CREATE EXTENSION modelreg; SELECT modelreg.create_team('t'), modelreg.grant_level('t', 'three', 'reader'), modelreg.grant_level('t', current_user, 'evaluator');
	SELECT modelreg.create_model('t.' || m, 'open'), modelreg.register_version('t.' || m), modelreg.register_version('t.' || m), modelreg.promote('t.' || m, 1, 'Production'), modelreg.promote('t.' || m, 2, 'Production', archive_others => false),
		modelreg.create_endpoint('t.' || m, 't.' || m, 1), modelreg.record_evaluation(format('models:/t.%s/1', m), 'offline', '{"auc": 1}') FROM unnest('{m,other}'::text[]) m;
	SELECT modelreg.start_rollout('t.m', 2, plan => 'canary 5% for 1 hour'), modelreg.abort_rollout('t.m'), modelreg.start_rollout('t.m', 2, plan => 'all at once'), modelreg.rollback('t.m', 'worse'), modelreg.rollback_model('t.m', 'worse');
	SELECT modelreg.record_quality('t.m', 1, 'ctr', now(), 1);
	SELECT modelreg.add_prediction_partitions(current_date + 1, current_date - 1);
	SELECT modelreg.record_predictions('t.m', '{user-1}', '{1}')});
my $until = $node->safe_psql('busy', 'SELECT clock_timestamp()');
sub happen
{
	my ($times) = @_;
	$node->safe_psql('busy', "DO \$\$ BEGIN FOR i IN 1..$times LOOP PERFORM modelreg.promote('t.other', 1 + i % 2, 'Production', archive_others => false); PERFORM modelreg.start_rollout('t.other', 1 + i % 2, plan => 'all at once');
		PERFORM modelreg.record_quality('t.other', 1 + i % 2, 'ctr', now(), 1), modelreg.record_predictions('t.other', ARRAY['user-' || i], ARRAY[1 + i % 2]);
		IF i % 5 = 0 THEN PERFORM modelreg.register_version('t.other', metrics => '{\"auc\": 1}'); END IF;
		COMMIT; END LOOP; END \$\$; VACUUM ANALYZE");
	return $node->safe_psql('busy', 'SELECT count(*) FROM modelreg.event');
}
my %asked = (rollbacks => q{SELECT * FROM modelreg.rollbacks}, 'rollbacks of a team' => q{SELECT * FROM modelreg.rollbacks WHERE team = 't'}, traffic_between => q{SELECT * FROM modelreg.traffic_between('t.m', '2001-01-01')});
my %conditions = (endpoint_id => '= 1', endpoint => q{= 't.m'}, model_id => '= 1', model => q{= 't.m'}, at => "< '$until'", started_at => "< '$until'");
for my $line (grep { /^\| `/ } split /\n/, slurp_file("$FindBin::Bin/../../docs/bi.md") =~ s/.*^## What is looked at$//msr)
{
	my ($view, @columns) = $line =~ /`(\w+)`/g;
	$asked{"$view by $_"} = "SELECT * FROM modelreg.$view WHERE $_ $conditions{$_}" for @columns;
}
is(scalar(grep { /^(traffic|versions_served|ab_results) by endpoint/ } keys %asked), 6, 'what served at one endpoint is among what is asked');
sub looked_at { return map { my $plan = plan_of('busy', 'three', $asked{$_}); ($_ => [ $plan->{'Actual Rows'}, rows_seen($plan), $plan->{'Shared Hit Blocks'} + $plan->{'Shared Read Blocks'} ]) } keys %asked; }
cmp_ok(happen(500), '>=', 1000, 'a thousand events');
my %before = looked_at();
cmp_ok(happen(4500), '>', 10_000, 'ten thousand');
my %after = looked_at();
for my $what (sort keys %asked)
{
	note "$what: rows given, rows passed by, pages: @{ $before{$what} }; then @{ $after{$what} }";
	cmp_ok($after{$what}[0], '>', 0, "$what has an answer");
	is($after{$what}[0], $before{$what}[0], 'the same one');
	cmp_ok($after{$what}[1], '<=', $before{$what}[1] + 100, "$what passes by what it did, but for another plan");
	cmp_ok($after{$what}[2], '<=', 1.5 * $before{$what}[2] + 5, 'and reads no pages but for a level more of an index');
}

# Three hundred models that are retrained every night need no hand: each goes to Production when it has passed, and its traffic after it.
$node->safe_psql('busy', q{SELECT modelreg.create_policy('t', 'nightly', '{"format": 1, "transitions": [{"from": ["Experimental"], "to": "Production", "levels": ["maintainer"], "automatic": true, "gates": ["offline"]}],
	"gates": {"offline": {"kind": "evaluation", "evaluation": "offline", "passed": true}}, "return": {"levels": ["maintainer"]}}');
	SELECT modelreg.allow_policy('t', 'nightly', 1);
	SELECT modelreg.create_model('t.night-' || i, 'nightly') FROM generate_series(1, 300) i;
	CREATE PROCEDURE night(night integer) LANGUAGE plpgsql AS $$ BEGIN
		FOR i IN 1..300 LOOP PERFORM modelreg.register_version('t.night-' || i), modelreg.record_evaluation(format('models:/t.night-%s/%s', i, night), 'offline', '{}', passed => true); COMMIT; END LOOP;
	END $$;
	CALL night(1);
	SELECT modelreg.create_endpoint('t.night-' || i, follows => 't.night-' || i, plan => 'all at once') FROM generate_series(1, 300) i;
	CALL night(2);
	CALL night(3)});
is($node->safe_psql('busy', q{SELECT count(*), min(s.version), max(s.version), min(s.share), count(*) FILTER (WHERE p.version = s.version) FROM generate_series(1, 300) i, modelreg.serving('t.night-' || i) s, modelreg.production('t.night-' || i) p}),
	'300|3|3|1000000|300', 'each model has its third version in Production, and all of its traffic');
is($node->safe_psql('busy', q{SELECT stage, count(*) FROM modelreg.versions WHERE model LIKE 't.night-%' GROUP BY 1 ORDER BY 1}), "Archived|600\nProduction|300", 'the versions before are in the archive');
is($node->safe_psql('busy', 'SELECT * FROM modelreg.verify()'), '', 'and verify() finds nothing');
done_testing();
