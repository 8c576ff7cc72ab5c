# What a rollout does at every instant, against a model of it in Python that was written from docs/serving.md alone: random
# rollouts by plans of all kinds, with several arms, paused, held, resumed, passed, completed and aborted. TAP because the
# model is not SQL. SEED and ROLLOUTS may be set to look for more.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $model = "$FindBin::Bin/../schedule_model.py";
my $seed = $ENV{SEED} // 20261125;
my $rollouts = $ENV{ROLLOUTS} // 250;
my $dir = PostgreSQL::Test::Utils::tempdir();

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION modelreg;
	CREATE TABLE rollout (id int, present modelreg.traffic_split, target modelreg.traffic_split, plan text, acts jsonb)});

# A model's own words for what it is asked; dies if it fails.
sub model
{
	my ($command, $in, $out) = @_;
	local $ENV{PYTHONIOENCODING} = 'utf-8';
	return system(qq{python3 "$model" $command $seed $rollouts <"$in" >"$out" 2>"$dir/errors"}) == 0;
}

ok(model('cases', '/dev/null', "$dir/cases"), "random rollouts of seed $seed") or diag(slurp_file("$dir/errors"));
$node->safe_psql('postgres', "\\copy rollout from '$dir/cases'");
is($node->safe_psql('postgres', 'SELECT count(*) FROM rollout'), $rollouts, 'are all there');

# Times as whole microseconds since 1970; each rollout starts one later than the one before.
$node->safe_psql('postgres', qq{\\copy (SELECT (SELECT json_agg(json_build_object('schedule', p.schedule, 'step', p.step,
	'opens', (extract(epoch FROM p.opens) * 1000000)::bigint, 'split', p.split, 'shadow', p.shadow, 'warm', p.warm, 'segments', p.segments, 'state', p.state))
	FROM modelreg.preview_rollout(present, target, plan, '2026-06-01 12:00+00'::timestamptz + id * interval '1 microsecond', acts) p) FROM rollout ORDER BY id) to '$dir/said' (format csv, delimiter E'\\x01', quote E'\\x02')}
	=~ s/\s*\n\s*/ /gr);
ok(model('check', "$dir/said", "$dir/seen"),
	'at each of 1,000 random instants of each, and at every edge, the weights add up to 100%, equal the model, and only positions of arms that shrink moved, to arms that grow')
	or diag(slurp_file("$dir/errors"));
my %seen = split ' ', slurp_file("$dir/seen");
note(join ', ', map { "$_: $seen{$_}" } sort keys %seen);
cmp_ok($seen{instants}, '>=', 1000 * $rollouts, 'so many instants were looked at');
cmp_ok($seen{acts}, '>', $rollouts, 'with acts') if $rollouts >= 100;
cmp_ok($seen{waiting}, '>', 0, 'and steps that waited') if $rollouts >= 100;

# A model that cannot find anything would find this: one millionth of one step in another arm.
my $said = slurp_file("$dir/said");
(my $forged = $said) =~ s/(.*"segments" : "(?:[^":]+): )(\d+)(, [^":]+: )(\d+)/$1 . ($2 - 1) . $3 . ($4 + 1)/e;
isnt($forged, $said, 'a forged answer');
open my $file, '>', "$dir/forged" or die;
print $file $forged;
close $file;
ok(!model('check', "$dir/forged", "$dir/seen"), 'is found');

# The same of real endpoints: what the verbs lay down, in the document of each schedule and in the rows of its arms, is what the
# preview says for the times of their events. Rollouts whose arms are all of one model; the acts are those that verbs do.
$node->safe_psql('postgres', q{
	SELECT modelreg.create_team('search'), modelreg.create_model('search.reco', 'open');
	SELECT modelreg.promote('search.reco', modelreg.register_version('search.reco'), 'Production', archive_others => false) FROM generate_series(1, 6);
	CREATE PROCEDURE act(endpoint text, verb text) LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM pg_sleep(0.002);
		EXECUTE format('SELECT modelreg.%I_rollout($1)', verb) USING endpoint;
	EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL;	-- it was over
	END $$;
	CREATE PROCEDURE live(id int, present modelreg.traffic_split, target modelreg.traffic_split, plan text) LANGUAGE plpgsql AS $$
	DECLARE
		endpoint text := 'search.e' || id;
	BEGIN
		PERFORM modelreg.create_endpoint(endpoint, 'search.reco', version => 1);
		PERFORM modelreg.start_rollout(endpoint, split => present, plan => 'all at once');
		PERFORM pg_sleep(0.002);
		PERFORM modelreg.start_rollout(endpoint, split => target, plan => plan);
		CALL act(endpoint, 'pause');
		CALL act(endpoint, 'resume');
		CALL act(endpoint, (ARRAY['complete', 'abort', 'pause'])[1 + id % 3]);
	END $$});
my @lives = split /\n/, $node->safe_psql('postgres', q{
	SELECT format('CALL live(%s, %L, %L, %L)', id, present, target, plan) FROM rollout
	WHERE strpos(present::text || target::text, '/') = 0 AND present::text <> target::text AND plan <> 'all at once' ORDER BY id LIMIT 60});
$node->safe_psql('postgres', join(";\n", @lives));
$node->safe_psql('postgres', q{
	CREATE VIEW laid AS
	SELECT substr(e.name, 2)::int AS id, row_number() OVER (PARTITION BY s.endpoint_id ORDER BY s.seq) - 1 AS schedule, s.*, min(s.at) OVER (PARTITION BY s.endpoint_id) AS starts
	FROM modelreg.traffic_schedule s JOIN modelreg.endpoint e ON e.id = s.endpoint_id
	WHERE s.seq >= (SELECT max(r.seq) FROM modelreg.traffic_schedule r WHERE r.endpoint_id = s.endpoint_id AND r.kind = 'rollout_started');
	CREATE VIEW kept AS
	SELECT l.id, l.schedule, k.step - 1 AS step, '2000-01-01 00:00+00'::timestamptz + (k.doc->>'opens')::bigint * interval '1 microsecond' AS opens,
		(SELECT string_agg(concat(g.v->>1, ': ', g.v->>2), ', ' ORDER BY g.n) FROM jsonb_array_elements(k.doc->'segments') WITH ORDINALITY g(v, n)) AS segments,
		ARRAY(SELECT g.v->>1 FROM jsonb_array_elements(k.doc->'shadow') WITH ORDINALITY g(v, n) ORDER BY g.n) AS shadow,
		ARRAY(SELECT g.v->>1 FROM jsonb_array_elements(k.doc->'warm') WITH ORDINALITY g(v, n) ORDER BY g.n) AS warm, l.doc->>'state' AS state
	FROM laid l, jsonb_array_elements((l.doc->'steps') || COALESCE(l.doc->'waiting', '[]')) WITH ORDINALITY k(doc, step);
	CREATE VIEW previewed AS
	SELECT r.id, p.schedule, p.step, p.opens, p.segments, p.shadow, p.warm, p.state, p.split
	FROM rollout r JOIN laid l ON l.id = r.id AND l.schedule = 0, modelreg.preview_rollout(r.present, r.target, r.plan, l.at,
		(SELECT jsonb_agg(jsonb_build_object('act', regexp_replace(regexp_replace(a.kind, '^rollout_', ''), 'e?d$', CASE WHEN a.kind ~ '(paus|resum|complet)ed$' THEN 'e' ELSE '' END),
			'after', extract(epoch FROM a.at - l.at) || ' seconds') ORDER BY a.seq) FROM laid a WHERE a.id = l.id AND a.schedule > 0)) p});
my $counts = $node->safe_psql('postgres', q{SELECT string_agg(kind || ' ' || n, ', ' ORDER BY kind) FROM (SELECT kind, count(*) n FROM laid GROUP BY kind) k});
note($counts);
like($counts, qr/rollout_aborted \d+, rollout_completed \d+, rollout_paused \d+, rollout_resumed \d+, rollout_started \d\d/, 'verbs laid down schedules');
is($node->safe_psql('postgres', q{(SELECT id, schedule, step, opens, segments, shadow, warm, state FROM previewed EXCEPT TABLE kept)
	UNION ALL (TABLE kept EXCEPT SELECT id, schedule, step, opens, segments, shadow, warm, state FROM previewed) LIMIT 10}), '', 'which are what the preview says');
is($node->safe_psql('postgres', q{
	WITH arm AS (SELECT l.id, l.schedule, a.step, a.version::text, a.share, a.opens FROM modelreg.traffic_arm a JOIN laid l ON (l.endpoint_id, l.seq) = (a.endpoint_id, a.seq)),
		said AS (SELECT p.id, p.schedule, p.step, s.arm, s.share, p.opens FROM previewed p, modelreg.arms(p.split) s WHERE p.opens IS NOT NULL
			UNION ALL SELECT p.id, p.schedule, p.step, s.arm, 0, p.opens FROM previewed p, unnest(p.shadow) s(arm) WHERE p.opens IS NOT NULL)
	(TABLE arm EXCEPT TABLE said) UNION ALL (TABLE said EXCEPT TABLE arm) LIMIT 10}), '', 'and so are their arms');
is($node->safe_psql('postgres', 'SELECT check_name, object, detail FROM modelreg.verify()'), '', 'verify() finds nothing');

$node->stop;
done_testing();
