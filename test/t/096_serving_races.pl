# Many clients start, pause, resume, abort, complete and take back rollouts at four endpoints of two models, while others promote, archive,
# quarantine, observe and route. What became of it is held against rules that are written here once more, from the events and schedules alone:
# each split is whole, and whatever had traffic was in a stage that permits it at that time, and was not quarantined when it came to it. TAP
# because it needs pgbench and the times of commits. A seed is printed; MODELREG_SEED repeats it.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{MODELREG_SEED} // int rand 1_000_000;
diag "MODELREG_SEED=$seed";

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "max_connections = 40\ntrack_commit_timestamp = on\ndeadlock_timeout = 100ms\nmodelreg.max_decision_delay = 60s");
$node->start;
sub query { return $node->safe_psql('postgres', $_[0]); }

# Versions 1 and 2 of each model derive from nothing, 3, 4 and 5 from one snapshot each. The first model may serve below 100% from Staging, the second one nothing but shadows.
query(q{
	CREATE EXTENSION modelreg;
	SELECT modelreg.create_team('st'), modelreg.grant_level('st', current_user, 'evaluator');
	SELECT modelreg.create_policy('st', 'early', modelreg.policy_document(NULL, 'open', 1) || '{"traffic": {"Staging": ["shadow"], "Production": ["shadow", "canary", "linear", "full"]}}'),
		modelreg.allow_policy('st', 'early', 1);
	SELECT modelreg.create_model('st.one', 'open'), modelreg.create_model('st.two', 'early');
	SELECT modelreg.record_snapshot('st.data', n::text) FROM generate_series(3, 5) n;
	SELECT modelreg.register_version(model, inputs => CASE WHEN n > 2 THEN jsonb_build_object('training', 'snapshot:st.data@' || n) END)
		FROM unnest('{st.one,st.two}'::text[]) model, generate_series(1, 5) n ORDER BY model, n;
	SELECT modelreg.promote(model, n, 'Production', archive_others => false) FROM unnest('{st.one,st.two}'::text[]) model, generate_series(1, 4) n;
	SELECT modelreg.create_endpoint('st.e0', 'st.one', 1), modelreg.create_endpoint('st.e1', 'st.two', 1), modelreg.create_endpoint('st.e2', 'st.one', 2),
		modelreg.create_endpoint('st.e3', follows => 'st.two', plan => 'canary 20% for 30 ms, 60% for 30 ms');

	CREATE FUNCTION plan(n integer) RETURNS text LANGUAGE sql AS $$ SELECT CASE n
		WHEN 0 THEN 'all at once'
		WHEN 1 THEN 'linear over 60 ms in 6 steps'
		WHEN 2 THEN '{"warm_up": "10 ms", "shadow": "20 ms", "steps": [{"weight": "7%", "bake": "30 ms"}, {"weight": "77%", "bake": "30 ms"}, {"weight": "100%"}], "keep_warm": "20 ms"}'
		WHEN 3 THEN 'canary 33.3333% for 1 hour'
		WHEN 4 THEN 'shadow'
		ELSE '{"steps": [{"weight": "5%", "bake": "5 ms"}, {"weight": "20%", "bake": "5 ms"}, {"weight": "50%", "bake": "5 ms"}, {"weight": "100%"}], "guards": [{"metric": "errors", "at_most": 0.1, "min_observations": 20}]}' END $$;
	-- What cannot be done now is left alone, as somebody who looks first would have; what is to be repeated, pgbench repeats.
	CREATE FUNCTION act(what integer, e integer, m integer, v integer, n integer) RETURNS void LANGUAGE plpgsql AS $$
	#variable_conflict use_column
	DECLARE
		endpoint text := 'st.e' || e;
		model text := (ARRAY['st.one', 'st.two'])[m];
		node text := 'snapshot:st.data@' || 3 + n % 3;
	BEGIN
		CASE
			WHEN what < 12 THEN PERFORM modelreg.start_rollout(endpoint, split => format('{%s/%s: 100%%}', model, v)::modelreg.traffic_split, plan => plan(n));
			WHEN what < 16 THEN PERFORM modelreg.start_rollout(endpoint, split => format('{st.one/%s: 12.5%%, %s/%s: 87.5%%}', 1 + v % 5, model, v)::modelreg.traffic_split, plan => plan(n));
			WHEN what < 20 THEN PERFORM modelreg.pause_rollout(endpoint);
			WHEN what < 24 THEN PERFORM modelreg.resume_rollout(endpoint);
			WHEN what < 26 THEN PERFORM modelreg.abort_rollout(endpoint);
			WHEN what < 29 THEN PERFORM modelreg.complete_rollout(endpoint);
			WHEN what < 33 THEN PERFORM modelreg.rollback(endpoint, 'race');
			WHEN what < 36 THEN PERFORM modelreg.rollback(endpoint, 'race', further => true);
			WHEN what < 39 THEN PERFORM modelreg.rollback(ARRAY['st.e' || e, 'st.e' || (e + 1) % 4, 'st.e' || (e + 3) % 4, 'st.e' || (e + 2) % 4], 'race', further => n = 0);
			WHEN what < 44 THEN PERFORM modelreg.promote(model, v, 'Production');
			WHEN what < 50 THEN PERFORM modelreg.promote(model, v, 'Production', archive_others => false);
			WHEN what < 55 THEN PERFORM modelreg.promote(model, v, 'Archived', leave_none => true);
			WHEN what < 58 THEN PERFORM modelreg.promote(model, v, 'Staging', leave_none => true);
			WHEN what < 60 THEN PERFORM modelreg.rollback_model(model, 'race');
			WHEN what < 63 THEN PERFORM modelreg.quarantine(node, 'race');
			WHEN what < 68 THEN PERFORM modelreg.lift_quarantine(node, 'race');
			WHEN what < 70 THEN PERFORM modelreg.follow(endpoint, plan(n));
			WHEN what < 71 THEN PERFORM modelreg.unfollow(endpoint);
			-- Good figures and bad ones of what a rollout leads to.
			ELSE PERFORM modelreg.record_quality(endpoint, (arm->>1)::integer, 'errors', total => CASE WHEN what < 94 THEN 0 ELSE 20 END, count => 20,
					window_start => clock_timestamp(), model => (SELECT t.model FROM modelreg.models t WHERE t.model_id = (arm->>0)::bigint))
				FROM modelreg.endpoints p JOIN modelreg.traffic_schedule s ON s.endpoint_id = p.endpoint_id AND s.seq = p.number, jsonb_array_elements(s.doc->'target') arm WHERE p.endpoint = 'st.e' || e;
		END CASE;
	EXCEPTION WHEN object_not_in_prerequisite_state OR invalid_parameter_value THEN
		NULL;
	END $$;
	-- The split of now, as a reader finds it in the middle of all that.
	CREATE FUNCTION whole(e integer) RETURNS integer LANGUAGE sql AS $$
		SELECT 1 / (sum(share) = 1000000)::integer FROM modelreg.serving('st.e' || e) WHERE role = 'serving' $$});

my $races = 0;
sub race
{
	my ($name, $options, $what) = @_;
	my $vars = "\\set what random(0, 99)\n\\set e random(0, 3)\n\\set m random(1, 2)\n\\set v random(1, 5)\n\\set n random(0, 7)\n";
	my $other = "\\set what2 random(0, 99)\n\\set e2 random(0, 3)\n\\set v2 random(1, 5)\n";
	my %script = (
		single => $vars . 'SELECT act(:what, :e, :m, :v, :n);',
		pair => "$vars${other}BEGIN;\nSELECT act(:what, :e, :m, :v, :n);\nSELECT act(:what2, :e2, :m, :v2, :n);\nCOMMIT;",
		undone => "$vars${other}BEGIN;\nSAVEPOINT s;\nSELECT act(:what, :e, :m, :v, :n);\nROLLBACK TO s;\nSELECT act(:what2, :e2, :m, :v2, :n);\nCOMMIT;",
		strict => "$vars${other}BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT act(:what, :e, :m, :v, :n);\nSELECT act(:what2, :e2, :m, :v2, :n);\nCOMMIT;",
		reader => "\\set e random(0, 3)\n\\set key random(1, 1000000)\nSELECT whole(:e);\nSELECT 1 / ((modelreg.route('st.e' || :e, 'user-' || :key)).share > 0)::integer;");
	$node->pgbench("--no-vacuum --client=10 --jobs=2 --max-tries=1000 --random-seed=@{[ $seed + $races++ ]} $options", 0, [qr{processed: (\d+)/\g1\b}], [qr{^(?:pgbench: setting random seed.*\n)?$}], $name,
		{ map { ("096_$name\_$_\@$what->{$_}" => $script{$_}) } sort keys %$what });
}
sub deadlocks { return query(q{SELECT pg_stat_force_next_flush(); SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()}) =~ s/\s//gr }

# One verb a transaction: each takes its locks in one order, so nothing deadlocks.
race('verbs', '--transactions=400', { single => 9, reader => 1 });
is(deadlocks(), '0', 'verbs alone never deadlock');
# Several verbs a transaction can, as documented; pgbench repeats.
race('transactions', '--transactions=100', { pair => 3, undone => 2, strict => 2, single => 2, reader => 1 });

# It was a race: each kind of event is there. Some are rare, and come with more of it.
my $counted = q{SELECT string_agg(kind || ' ' || n, ', ' ORDER BY kind) FROM (SELECT kind || CASE WHEN what ? 'guard' THEN ' (guard)' ELSE '' END AS kind, count(*) AS n
	FROM modelreg.event WHERE chain IN (2, 5, 6) GROUP BY 1) x};
sub missing
{
	my $kinds = query($counted);
	return grep { $kinds !~ /\b\Q$_\E \d/ } qw(rollout_started rollout_paused rollout_resumed rollout_completed rollout_step_opened rollout_held
		rolled_back followed unfollowed promoted stage_changed quarantined quarantine_lifted), 'rollout_aborted', 'rollout_aborted (guard)';
}
for my $more (1 .. 20)
{
	last unless missing();
	race("more$more", '--transactions=100', { single => 1 });
}
is(join(', ', missing()), '', 'each kind of event was there');
note(query($counted));

# All that happened, each event with the time of its commit, by which its transaction is known too. The rules are the documentation's.
query(q{
	CREATE TABLE happened AS SELECT e.chain, e.chain_id, e.seq, e.at, e.kind, e.what, pg_xact_commit_timestamp(e.xmin) AS committed FROM modelreg.event e;
	CREATE TABLE laid AS SELECT s.endpoint_id, s.seq, s.kind, s.at, s.doc, h.committed, COALESCE(lead(s.at) OVER w, 'infinity') AS replaced,
			s.kind = 'rollout_held' AND lead(s.kind) OVER w = 'rollout_held' AND lead(h.committed) OVER w = h.committed AS held_anew
		FROM modelreg.traffic_schedule s JOIN happened h ON h.chain = 6 AND h.chain_id = s.endpoint_id AND h.seq = s.seq
		WINDOW w AS (PARTITION BY s.endpoint_id ORDER BY s.seq);
	CREATE TABLE step AS SELECT l.endpoint_id, l.seq, l.kind, l.committed, l.held_anew, o.n - 1 AS step, o.step AS doc, t.opens,
			LEAST(l.replaced, timestamptz '2000-01-01 00:00+00' + (l.doc->'steps'->o.n::integer->>'opens')::bigint * interval '1 microsecond') AS until, l.at
		FROM laid l, jsonb_array_elements(l.doc->'steps') WITH ORDINALITY o (step, n),
			LATERAL (SELECT timestamptz '2000-01-01 00:00+00' + (o.step->>'opens')::bigint * interval '1 microsecond' AS opens) t;
	-- Only what came to pass; a shadow is an arm with a share of 0. What a quarantine laid down anew at its commit never held, though that is what answers about the past say.
	CREATE TABLE told AS SELECT s.endpoint_id, s.seq, s.step, s.kind, s.committed, s.held_anew, s.opens, s.until, (a.arm->>0)::bigint AS model_id, (a.arm->>1)::integer AS version, sum(a.width)::integer AS share
		FROM step s, LATERAL (SELECT g AS arm, (g->>2)::integer AS width FROM jsonb_array_elements(s.doc->'segments') g
			UNION ALL SELECT g, 0 FROM jsonb_array_elements(s.doc->'shadow') g) a
		WHERE s.opens < s.until GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;
	CREATE TABLE arm AS SELECT * FROM told WHERE NOT COALESCE(held_anew, false);
	-- Moves; a transaction's own events are of one time, since nobody saw what was between them.
	CREATE TABLE moved AS SELECT h.chain_id AS model_id, (m->>'version')::integer AS version, m->>'to' AS stage, h.at, h.committed,
			(SELECT min(x.at) FROM happened x WHERE x.committed = h.committed) AS begins, (SELECT max(x.at) FROM happened x WHERE x.committed = h.committed) AS ends
		FROM happened h, jsonb_array_elements(h.what->'moves') m WHERE h.chain = 5;
	CREATE TABLE stayed AS SELECT model_id, version, stage, ends AS since, COALESCE(lead(begins) OVER (PARTITION BY model_id, version ORDER BY at), 'infinity') AS until FROM moved
		UNION ALL SELECT v.model_id, v.version, 'Experimental', '-infinity', COALESCE((SELECT min(begins) FROM moved m WHERE m.model_id = v.model_id AND m.version = v.version), 'infinity') FROM modelreg.version v;
	CREATE TABLE sealed AS SELECT n.version::integer AS version, h.seq, h.kind = 'quarantined' AS quarantined, h.at, h.committed
		FROM happened h JOIN modelreg.node n ON n.id = (h.what->>'node_id')::bigint WHERE h.chain = 2 AND h.kind IN ('quarantined', 'quarantine_lifted')});
sub none { my ($sql, $what) = @_; is(query("SELECT count(*) FROM $sql"), '0', $what) or diag query("SELECT * FROM $sql LIMIT 10"); }

none(q{(SELECT o.step FROM laid l, LATERAL (SELECT jsonb_array_elements(l.doc->'steps') UNION ALL SELECT jsonb_array_elements(l.doc->'waiting')) o (step)
	WHERE (SELECT sum((g->>2)::integer) FROM jsonb_array_elements(o.step->'segments') g) IS DISTINCT FROM 1000000
		OR (SELECT min((g->>2)::integer) FROM jsonb_array_elements(o.step->'segments') g) < 1) x},
	'the widths of each step of each schedule add up to 1000000, also of those that never came');
none(q{(SELECT endpoint_id, seq, step, opens, at FROM step s WHERE (step = 0 AND opens <> at)
	OR opens <= (SELECT b.opens FROM step b WHERE b.endpoint_id = s.endpoint_id AND b.seq = s.seq AND b.step = s.step - 1)
	OR at <= (SELECT max(b.at) FROM laid b WHERE b.endpoint_id = s.endpoint_id AND b.seq < s.seq)) x}, 'schedules follow each other, and their steps');
none(q{(SELECT a.*, y.stage, y.since, y.until AS left_at FROM arm a JOIN stayed y USING (model_id, version) JOIN modelreg.model m ON m.id = a.model_id JOIN modelreg.policy p ON p.name = m.policy AND p.digest = m.policy_digest
	WHERE a.opens < y.until AND y.since < a.until
		AND NOT (p.document->'traffic'->y.stage ?| CASE a.share WHEN 0 THEN '{shadow}' WHEN 1000000 THEN '{full}' ELSE '{canary,linear}' END::text[]) IS TRUE) x}, 'whatever had traffic was in a stage that permits it, all the time');
none(q{(SELECT a.*, q.seq AS quarantine, q.committed AS since, h.what FROM arm a JOIN happened h ON h.chain = 6 AND h.chain_id = a.endpoint_id AND h.seq = a.seq,
		LATERAL (SELECT max(b.opens) AS opens FROM arm b WHERE b.endpoint_id = a.endpoint_id AND b.opens < a.opens) before,
		LATERAL (SELECT z.* FROM sealed z WHERE z.version = a.version AND (z.committed < GREATEST(a.committed, CASE WHEN a.step > 0 THEN a.opens END) OR z.committed = a.committed AND z.at < a.opens) ORDER BY z.seq DESC LIMIT 1) q
	WHERE q.quarantined AND NOT COALESCE(h.what->'unpermitted', '[]') @> jsonb_build_array(jsonb_build_object('model_id', a.model_id, 'version', a.version))
		AND NOT EXISTS (SELECT FROM arm b WHERE b.endpoint_id = a.endpoint_id AND b.opens = before.opens
		AND b.model_id = a.model_id AND b.version = a.version AND b.share >= a.share)) x}, 'nothing came to more traffic while it was quarantined, but by an abort that says so');

# Answers about the past are what was laid down.
my $probe = query(qq{SELECT setseed(@{[ $seed / 1_000_000 ]});
	CREATE TEMP TABLE probe AS SELECT e.id AS endpoint_id, 'st.' || e.name AS endpoint, e.created_at + random() * (clock_timestamp() - e.created_at) AS at FROM modelreg.endpoint e, generate_series(1, 50);
	SELECT count(*), count(*) FILTER (WHERE (SELECT jsonb_object_agg(s.model_id || '/' || s.version, s.share) FROM modelreg.serving(p.endpoint, p.at) s WHERE s.role <> 'warm')
		IS DISTINCT FROM (SELECT jsonb_object_agg(a.model_id || '/' || a.version, a.share) FROM told a WHERE a.endpoint_id = p.endpoint_id AND a.opens <= p.at AND p.at < a.until)) FROM probe p});
is($probe =~ s/^\s+//r, '200|0', 'serving() says the same of 200 instants');

is(query(q{SELECT * FROM modelreg.verify(deep => true)}), '', 'verify() finds nothing');

# Who LISTENs to all endpoints, or to one, is told of each change that is committed: the endpoint's id and the number of the event.
query(q{SELECT modelreg.lift_quarantine(node, 'over') FROM modelreg.quarantined;
	SELECT modelreg.unfollow(endpoint) FROM modelreg.endpoints WHERE follows;
	SELECT modelreg.promote('st.two', 1, 'Production', archive_others => false);
	SELECT modelreg.create_endpoint('st.' || n, 'st.two', 1) FROM unnest('{heard,other}'::text[]) n;
	SELECT modelreg.promote('st.two', 2, 'Production', archive_others => false)});
my %id = map { $_ => query("SELECT endpoint_id FROM modelreg.endpoints WHERE endpoint = 'st.$_'") } qw(heard other);
# The messages of one command come together: for all, and for the one that is listened to.
sub heard
{
	my ($commands) = @_;
	my ($status, $out) = $node->psql('postgres', "LISTEN modelreg_endpoints; LISTEN modelreg_endpoint_$id{heard}; $commands", on_error_stop => 0);
	return join ', ', map { s/modelreg_endpoints/all/r =~ s/modelreg_endpoint_$id{heard}/one/r } $out =~ /notification "(\w+)" with payload "(\d+ \d+)"/g;
}
is(heard(q{SELECT modelreg.start_rollout('st.heard', 2, plan => 'canary')}), "one, $id{heard} 2, all, $id{heard} 2", 'a change is heard on both channels');
is(heard(q{SELECT modelreg.start_rollout('st.other', 2, plan => 'canary')}), "all, $id{other} 2", 'one of another endpoint on that of all');
is(heard(q{BEGIN; SELECT modelreg.pause_rollout('st.heard'); ROLLBACK; BEGIN; SAVEPOINT s; SELECT modelreg.pause_rollout('st.heard'); ROLLBACK TO s; COMMIT; SELECT modelreg.resume_rollout('st.heard')}), '', 'what was undone, and what changes nothing, is not');
is(heard(q{SELECT modelreg.rollback('{st.heard,st.other}'::text[], 'worse')}), "one, $id{heard} 3, all, $id{heard} 3, all, $id{other} 3", 'a rollback of both');
is(heard(q{SELECT modelreg.follow('st.heard', 'all at once')}), join(', ', map { ("one, $id{heard} $_", "all, $id{heard} $_") } 4, 5), 'who follows goes to what is current');
is(heard(q{SELECT modelreg.promote('st.two', 1, 'Production', archive_others => false)}), "one, $id{heard} 6, all, $id{heard} 6", 'a promotion that a follower follows');
is(heard(q{SELECT modelreg.retire_endpoint('st.heard')}), "one, $id{heard} 6, all, $id{heard} 6", 'and its end, an event of the team');

done_testing();
