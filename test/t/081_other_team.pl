# What a reader of one team learns of another: nothing. The other one is full of marks; somebody with every level in the first,
# and somebody without any right, read and call all that there is, with the other team's names in all places too, and every
# output is searched for the marks. A call that names what the other team has must end as one that names what there is not, down
# to the line of the source that raised the error. TAP because the calls come from Faults.pm and docs/rights.md, and because
# psql shows errors in full.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../faults";
use Faults;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $mark = qr/zebra|xyzzy/i;
my $node = start_with_faults('other_team');
fill($node);
fill_team($node, 'zebra');
$node->safe_psql('postgres', q{CREATE ROLE spy; CREATE ROLE stranger; GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC;
	SELECT modelreg.grant_level('search', 'spy', level) FROM unnest('{reader,contributor,evaluator,reviewer,maintainer}'::text[]) AS level});

sub query { return split /\n/, $node->safe_psql('postgres', $_[0]); }

# Everything that a session prints, as somebody, errors at full length.
sub said
{
	my ($role, $sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql('postgres', "\\set ON_ERROR_STOP 0\n\\set VERBOSITY verbose\nSET ROLE $role;\n$sql",
		stdout => \$out, stderr => \$err, on_error_stop => 0);
	return $err =~ s/^psql:<stdin>:\d+: //mgr . "\n$out";
}

# What verbs make in the other team; free texts are marked.
my $calls = 0;
my %skipped = map { $_ => 1 } qw(drop_all_bytes declare_restore new_identity rebind_roles grant_registry_right revoke_registry_right);
for my $verb (grep { !$skipped{$_} } verbs())
{
	my ($before, $session, $call) = map { s/\bsearch\b/zebra/gr =~ s/(?<!plan => )'([a-z]+ [^'\[\]{}:]*)'/'xyzzy $1'/gr } call_of($verb, ++$calls);
	$call =~ s/request_id = '([^']*)'/request_id = '$1' AND team_id = (SELECT id FROM modelreg.team WHERE name = 'zebra')/g;
	$before =~ s/request_id = '([^']*)'/request_id = '$1' AND team_id = (SELECT id FROM modelreg.team WHERE name = 'zebra')/g;
	$node->safe_psql('postgres', "$before; RESET ROLE; $session; SELECT $call");
}
# Marks wherever a text goes in, and lineage from one team to the other and back.
my $other_bytes = 'xyzzy bytes that only the other team has';
$node->safe_psql('postgres', <<"SQL");
SET ROLE ann;
SELECT modelreg.create_model('zebra.xyzzy-model', 'open', description => 'xyzzy words');
SELECT modelreg.record_node('xyzzy-kind', 'zebra.xyzzy-node', 'xyzzy-1', inputs => '{"xyzzy-role": ["snapshot:search.events\@1"]}', uri => 's3://xyzzy/', properties => '{"xyzzy": "xyzzy"}');
SELECT modelreg.record_snapshot('zebra.xyzzy-snapshot', 'xyzzy-1', schema => '{"xyzzy": "int"}', inputs => '{"training": ["xyzzy-kind:zebra.xyzzy-node\@xyzzy-1"]}');
SELECT modelreg.record_run('zebra.xyzzy-run', inputs => '{"training": ["snapshot:zebra.xyzzy-snapshot\@xyzzy-1", "models:/search.reco/1"]}');
SELECT modelreg.append_upload(modelreg.begin_upload('zebra', length('$other_bytes'), request_id => 'xyzzy-bytes'), 0, '$other_bytes');
SELECT modelreg.finish_upload(id), modelreg.register_version('zebra.xyzzy-model', 'run:zebra.xyzzy-run', params => '{"xyzzy": "xyzzy"}', metrics => '{"xyzzy": 1}', tags => '{"xyzzy": "xyzzy"}',
	description => 'xyzzy text', request_id => 'xyzzy', artifacts => jsonb_build_array(jsonb_build_object('name', 'xyzzy-file', 'media_type', 'application/xyzzy', 'upload', id))) FROM modelreg.upload WHERE request_id = 'xyzzy-bytes';
SELECT modelreg.record_evaluation('models:/zebra.xyzzy-model/1', 'xyzzy-kind', '{"xyzzy": 1}', slice => 'xyzzy', properties => '{"xyzzy": 1}');
SELECT modelreg.set_alias('zebra.xyzzy-model', 'xyzzy', 1), modelreg.set_tag('zebra.xyzzy-model', 'xyzzy', 'xyzzy'), modelreg.promote('zebra.xyzzy-model', 1, 'Production', reason => 'xyzzy reason');
SELECT modelreg.record_run('search.joint', inputs => '{"training": ["snapshot:zebra.xyzzy-snapshot\@xyzzy-1", "models:/zebra.xyzzy-model/1", "snapshot:search.events\@1"]}');
SELECT modelreg.register_version('search.reco', 'run:search.joint', parents => '{models:/zebra.xyzzy-model/1}');
SELECT modelreg.record_evaluation('models:/search.reco/' || max(version), 'offline', '{"auc": 0.5}', dataset => 'snapshot:zebra.xyzzy-snapshot\@xyzzy-1') FROM modelreg.versions WHERE model = 'search.reco';
SELECT modelreg.set_discoverable('zebra', false);
RESET ROLE;
ANALYZE;
SQL
my ($joint) = query(q{SELECT 'models:/search.reco/' || max(version) FROM modelreg.versions WHERE model = 'search.reco'});
my ($zebra, $identity, $zebra_model, $zebra_digest) = query(q{SELECT unnest(ARRAY[t.id::text, (SELECT identity::text FROM modelreg.registry), m.id::text, (SELECT digest::text FROM modelreg.artifact WHERE name = 'xyzzy-file')])
	FROM modelreg.team t JOIN modelreg.model m ON m.team_id = t.id WHERE t.name = 'zebra' AND m.name = 'xyzzy-model'});

# Reading all: rows, COPY, a condition that tells what it is asked, the plan, statistics, what others are told.
my @relations = query(q{SELECT format('%I', relname) FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind IN ('r', 'p', 'v') ORDER BY 1});
my %columns = map { split / /, $_, 2 } query(q{SELECT relname || ' ' || string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE relnamespace = 'modelreg'::regnamespace AND relkind IN ('r', 'p', 'v') AND attnum > 0 AND NOT attisdropped
		AND has_column_privilege('spy', c.oid, attnum, 'SELECT') GROUP BY relname});
my $told = q{SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
	CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'told %', $1; RETURN true; END $$;};
my $read = $told . join '', map { my $columns = $columns{$_}; <<"SQL" } grep { $columns{$_} } @relations;
SELECT $columns FROM modelreg.$_;
COPY (SELECT $columns FROM modelreg.$_) TO STDOUT;
SELECT count(*) FROM (SELECT $columns FROM modelreg.$_) x WHERE pg_temp.tell(x::text);
SELECT count(*) FROM (SELECT $columns FROM modelreg.$_) x WHERE x::text LIKE '%search%' AND pg_temp.tell(x::text);
SELECT count(*) FROM (SELECT $columns FROM modelreg.$_) x JOIN (VALUES ('a'), ('b')) y(c) ON pg_temp.tell(x::text || y.c);
EXPLAIN (VERBOSE) SELECT $columns FROM modelreg.$_;
BEGIN; DECLARE c SCROLL CURSOR FOR SELECT $columns FROM modelreg.$_; FETCH ALL FROM c; FETCH BACKWARD ALL FROM c; COMMIT;
SELECT $columns FROM modelreg.$_ WHERE set_config('enable_seqscan', 'off', false) <> ''; SELECT $columns FROM modelreg.$_; RESET enable_seqscan;
SQL
$read .= <<'SQL';
SELECT * FROM pg_stats WHERE schemaname = 'modelreg';
SELECT * FROM pg_stats_ext WHERE schemaname = 'modelreg';
SELECT * FROM pg_stats_ext_exprs WHERE schemaname = 'modelreg';
SELECT * FROM pg_stat_activity;
SELECT * FROM pg_prepared_xacts;
SELECT * FROM pg_largeobject;
SELECT lo_get(oid) FROM pg_largeobject_metadata;
SQL
for my $role (qw(spy stranger))
{
	my $said = said($role, $read);
	unlike($said, $mark, "$role reads all");
	unlike($said, qr/^(?!.*permission denied).*ERROR:/m, "$role: and all that there is can be read") if $role eq 'spy';
	like($said, qr/told .*search/, 'the condition tells rows of the own team') if $role eq 'spy';
	unlike($said, qr/told (?!\([0-9a-f-]{36}\)|\(,(?:open|standard|high-risk),|\((?:\d+,0|signer,),signer,)/, 'and to a stranger none but the identity, the policies that come with the extension, and the registry\'s keys')
		if $role eq 'stranger';
	my @teams = query(q{SELECT relname || ' ' || attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE relnamespace = 'modelreg'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND attname IN ('team_id', 'child_team') AND relname NOT IN ('blob')});
	is(said($role, join '', map { my ($table, $column) = split ' '; "SELECT '$table' FROM modelreg.$table WHERE $column = $zebra LIMIT 1;\n" } @teams), "\n", "$role: no table has a row of the other team");
}

# The calls of the page and of Faults.pm, and some that a page does not need.
my $page = slurp_file("$FindBin::Bin/../../docs/rights.md");
my @reads = grep { /\bsearch\b/ } $page =~ /^\| `(\w+\([^|]*\))` \| (?!everybody)/mg;
push @reads, q{search_versions(model => 'search.reco')}, q{search_versions(team => 'search', words => 'text')}, q{search_versions(snapshot => 'snapshot:search.events@1')},
	q{search_versions(commit => 'commit:search.code@abc')}, q{search_versions(run => 'run:search.train')}, q{resolve('models:/search.reco/1', now())},
	q{resolve('models:/search.reco/latest')}, q{resolve('models:/search.reco/Production')}, q{impact('snapshot:search.events@1', true)},
	q{verify('search', true)}, q{read_artifact('search.reco', 1, 'prep')}, q{upstream('models:/search.reco@champion')};
my @joint = ((map { "$_('$joint')" } qw(upstream downstream lineage upstream_ids downstream_ids impact lineage_dot lineage_mermaid)), (map { "$_('run:search.joint')" } qw(upstream upstream_ids lineage lineage_dot lineage_mermaid)),
	(map { ("$_('$joint', 'models:/search.reco/1')", "$_('$joint', 'snapshot:search.events\@1')") } qw(is_derived_from path path_nodes common_upstream)),
	qq{lineage_diff('models:/search.reco/1', '$joint')}, qq{lineage_diff('$joint', 'models:/search.reco/1')}, q{impact('snapshot:search.events@1')}, q{downstream('snapshot:search.events@1')},
	q{search_versions()}, q{search_versions(words => 'text')}, q{search_versions(name_pattern => '*model*')}, q{search_versions(metric => 'auc')}, q{my_rights()}, q{readable_teams()});
for my $role (qw(spy stranger))
{
	my $said = said($role, join '', map { "SELECT * FROM modelreg.$_;\n" } @joint, @reads);
	unlike($said, $mark, "$role calls all that reads");
	like($said, qr/"models:\/search.reco\/1"|models:\/search.reco\/1/, 'and sees what is of the own team') if $role eq 'spy';
}

# Places of a call that name something: a team, or an upload.
my $place = qr/\bsearch\b|\(SELECT id FROM modelreg\.upload[^()]*\)/;

sub upload_of
{
	my ($team, $subquery) = @_;
	my ($request_id) = $subquery =~ /request_id = '([^']*)'/;
	return (query("SELECT id FROM modelreg.upload WHERE request_id = '$request_id' AND team_id = (SELECT id FROM modelreg.team WHERE name = '$team')"))[0];
}

# A call with the places of which the set has the number named after the other team, or after one that there is not.
sub aimed
{
	my ($call, $set, $exists) = @_;
	my $n = 0;
	return $call =~ s{($place)}{
		my ($what, $hit) = ($1, $set->{ $n++ });
		$what eq 'search' ? (!$hit ? 'search' : $exists ? 'zebra' : 'nobra')
			: !$hit ? upload_of('search', $what) : $exists ? upload_of('zebra', $what) : upload_of('zebra', $what) =~ s/^/77000/r }ger;
}

sub sets
{
	my ($call) = @_;
	my $n = () = $call =~ /$place/g;
	return ($n > 1 ? { map { $_ => 1 } 0 .. $n - 1 } : (), map { { $_ => 1 } } 0 .. $n - 1);
}

# Both ways of a call must say the same, but for the name.
sub compare
{
	my ($name, $session, $pairs) = @_;
	for my $role (qw(spy stranger))
	{
		my @said = map {
			my $which = $_;
			said($role, join '', map { "$session;\nBEGIN;\nSELECT modelreg.$_->[$which];\nROLLBACK;\n\\echo ---\n" } @$pairs) =~ s/nobra/zebra/gr =~ s/\b77000(?=\d)//gr =~ s/^LINE \d+:.*\n\s*\^\n//mgr } 0, 1;
		is($said[0], $said[1], "$role: $name: what another team has is what there is not");
		unlike($said[0], qr/xyzzy/i, "$role: $name: no mark");
		fail("$role: $name: nothing was refused: $said[0]") if $said[0] !~ /ERROR/ && $name !~ /^search_versions/;
	}
	return;
}

for my $verb (grep { !/^(drop_all_bytes|rebind_roles)$/ } verbs())
{
	my ($before, $session, $call) = call_of($verb, ++$calls);
	my @sets = sets($call) or next;
	for my $team (qw(search zebra))
	{
		$node->safe_psql('postgres', $before =~ s/\bsearch\b/$team/gr =~ s/request_id = '([^']*)'/request_id = '$1' AND team_id = (SELECT id FROM modelreg.team WHERE name = '$team')/gr)
			if $team eq 'search' || $before =~ /\bsearch\b/;
	}
	compare($verb, 'SET search_path = public', [ map { [ aimed($call, $_, 1), aimed($call, $_, 0) ] } @sets ]);
}
for my $call (@reads)
{
	compare($call, 'SET search_path = public', [ map { [ aimed($call, $_, 1), aimed($call, $_, 0) ] } sets($call) ]);
}

# What is named by a number or a digest: permanent ids, and bytes.
my $digest = 'sha256:' . '0' x 64;
compare('permanent ids', 'SELECT 1', [ map { my $call = $_; [ $call =~ s/%s/modelreg:$identity\/$zebra_model\/1/r, $call =~ s/%s/modelreg:$identity\/77000$zebra_model\/1/r ] }
	q{resolve('%s')}, q{resolve('%s', '2100-01-01')}, q{upstream('%s')}, q{impact('%s')}, q{is_derived_from('models:/search.reco/1', '%s')}, q{record_run('search.x', inputs => '{"base": ["%s"]}')},
	q{record_evaluation('%s', 'offline', '{"a": 1}')}, q{lineage_diff('models:/search.reco/1', '%s')} ]);
my @by_digest = map { said('spy', qq{BEGIN; SELECT modelreg.register_version('search.reco', artifacts => '[{"name": "a", "digest": "$_"}]'); ROLLBACK;}) =~ s/\Q$_\E/DIGEST/gr } $zebra_digest, $digest;
is($by_digest[0], $by_digest[1], 'a digest that one happens to know is no way to bytes');
like($by_digest[0], qr/ERROR/, 'which are refused');

# Bytes that the other team has, and bytes that nobody has: uploading them looks the same.
my @uploads = map { said('spy', <<"SQL") =~ s/\b[0-9a-f]{64}\b/HASH/gr } $other_bytes, $other_bytes =~ s/only/just/r;
BEGIN;
SELECT id FROM modelreg.begin_upload('search', length('$_')) AS id \\gset
SELECT modelreg.append_upload(:id, 0, '$_');
SELECT modelreg.finish_upload(:id);
SELECT team, state, size, received, percent, role FROM modelreg.uploads WHERE upload = :id;
SELECT object IS NULL, used FROM modelreg.upload WHERE id = :id;
SELECT modelreg.register_version('search.reco', artifacts => format('[{"name": "a", "upload": %s}]', :id)::jsonb) AS version \\gset
SELECT * FROM modelreg.artifacts WHERE model = 'search.reco' AND version = :version;
SELECT modelreg.verify_artifact('search.reco', :version, 'a');
SELECT bytes FROM modelreg.team_bytes;
ROLLBACK;
SQL
is($uploads[0], $uploads[1], 'uploading bytes that another team has');

# A snapshot of the registry's own tables is what its taker sees.
is(said('spy', q{BEGIN; SELECT modelreg.record_table_snapshot('modelreg.node', 'search.nodes', '1', with_digest => true);
	SELECT rows = (SELECT count(*) - 1 FROM modelreg.node) FROM modelreg.lineage_nodes WHERE name = 'nodes'; ROLLBACK;}), "\nsnapshot:search.nodes\@1\nt", 'a snapshot of the registry');

# Nor is that of a foreign table, alone, as a partition or behind a view, more than its taker may read: it is as that of a table with the same rows.
SKIP:
{
	skip 'file_fdw is not installed: no snapshot of a foreign table', 12 unless query(q{SELECT name FROM pg_available_extensions WHERE name = 'file_fdw'});
	my $file = PostgreSQL::Test::Utils::tempdir() . '/rows.csv';
	$node->safe_psql('postgres', qq{SET search_path = public;
		CREATE TABLE near (id integer NOT NULL, name text, at timestamptz, score float8, list integer[]) PARTITION BY RANGE (id);
		CREATE TABLE near_1 PARTITION OF near FOR VALUES FROM (1) TO (100);
		INSERT INTO near VALUES (1, E'é, "quoted"\\n\\\\N', '2026-06-01 10:00:00.000001+02', 0.1, '{1,NULL}'), (2, NULL, NULL, '-0', NULL), (3, '', 'infinity', 'NaN', '{}'), (3, '', 'infinity', 'NaN', '{}');
		COPY (SELECT * FROM near) TO '$file' (FORMAT csv);
		CREATE EXTENSION file_fdw;
		CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
		CREATE FOREIGN TABLE far (id integer NOT NULL, name text, at timestamptz, score float8, list integer[]) SERVER files OPTIONS (filename '$file', format 'csv');
		CREATE TABLE mixed (LIKE near) PARTITION BY RANGE (id);
		CREATE FOREIGN TABLE mixed_1 PARTITION OF mixed FOR VALUES FROM (1) TO (100) SERVER files OPTIONS (filename '$file', format 'csv');
		CREATE TABLE mixed_2 PARTITION OF mixed FOR VALUES FROM (100) TO (200);
		INSERT INTO mixed VALUES (100);
		CREATE VIEW seen AS SELECT * FROM mixed WHERE id < 100;
		GRANT SELECT ON near, far, mixed, seen TO spy});
	my $record = sub { my ($relation, $version) = @_; return "SELECT modelreg.record_table_snapshot('public.$relation', 'search.$relation', '$version', with_digest => true);\n" };
	like(said('spy', join '', map { $record->($_, 1) } qw(near far mixed seen)), qr/^\nsnapshot:search\.near\@1\nsnapshot:search\.far\@1\nsnapshot:search\.mixed\@1\nsnapshot:search\.seen\@1$/, 'foreign tables are recorded');
	my $of = q{FROM modelreg.lineage_nodes WHERE team = 'search' AND name IN ('near', 'far', 'mixed', 'seen')};
	is(join(' ', query("SELECT name, rows, digest = (SELECT digest $of AND name = 'near'), schema - 0 = (SELECT schema - 0 $of AND name = 'near'), properties->>'relation' $of ORDER BY name")),
		'far|4|t|t|public.far mixed|5|f|t|public.mixed near|4|t|t|public.near seen|4|t|t|public.seen', 'with the rows, the digest and the columns of a table that has the same');
	like(said('spy', $record->('far', 1)), qr/^\nsnapshot:search\.far\@1$/, 'again is no change');
	# What the file says is read anew each time; what cannot be read is recorded by nobody.
	$node->safe_psql('postgres', "COPY (SELECT * FROM public.near WHERE name IS NOT NULL) TO '$file' (FORMAT csv)");
	like(said('spy', $record->('far', 1)), qr/ERROR:  23505: node "snapshot:search\.far\@1" is recorded already, with other content\nDETAIL:  What differs: .*rows/, 'other rows under the same name are refused');
	like(said('spy', $record->('far', 2)), qr/^\nsnapshot:search\.far\@2$/, 'and are another version');
	is(join(' ', query("SELECT rows $of AND name = 'far' ORDER BY version")), '4 3', 'of as many as there are then');
	like(said('spy', "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT 1;\n" . $record->('far', 3) . "COMMIT;\n"), qr/^\n1\nsnapshot:search\.far\@3$/, 'under REPEATABLE READ too');
	$node->safe_psql('postgres', "COPY (SELECT 'one', 2) TO '$file' (FORMAT csv)");
	like(said('spy', $record->('far', 4)), qr/ERROR:  22P02: invalid input syntax for type integer: "one"/, 'a file with something else in it is an error');
	unlink $file or die $!;
	like(said('spy', $record->('far', 4) . $record->('seen', 4)), qr/ERROR:  58P01: .*ERROR:  58P01: /s, 'and so is none');
	is(join(' ', query("SELECT name || version $of AND version = '4'")), '', 'nothing was recorded then');
	like(said('stranger', $record->('far', 4)), qr/ERROR:  42704: /, 'who has no right in the team learns nothing of the table');
	$node->safe_psql('postgres', 'REVOKE SELECT ON public.far FROM spy');
	like(said('spy', $record->('far', 4)), qr/ERROR:  42501: permission denied for foreign table far/, 'who may not read it does not record it');
	$node->safe_psql('postgres', 'SET client_min_messages = warning; DROP EXTENSION file_fdw CASCADE; DROP TABLE public.near, public.mixed CASCADE');
}

# The hint that a decision was made has a number alone.
my $listener = $node->background_psql('postgres');
$listener->query_safe('SET ROLE spy; LISTEN modelreg');
$node->safe_psql('postgres', q{SET ROLE ann; SELECT modelreg.promote('zebra.reco', 3, 'Production', reason => 'xyzzy')});
my $heard = $listener->query('SELECT 1');
like($heard, qr/Asynchronous notification/, 'everybody is told that something was decided');
unlike($heard, $mark, 'and not of what');
$listener->quit;

# EXPLAIN tells of values that the policies hide: by estimates, and by counting what a condition chose before they were asked. So it is refused, from the first
# statement of a session on, whatever it reads and however it comes there. Here they log in themselves.
$node->safe_psql('postgres', q{CREATE ROLE aud LOGIN; SELECT modelreg.grant_registry_right('aud', 'auditor'); ALTER ROLE spy LOGIN; ALTER ROLE stranger LOGIN; CREATE ROLE passer LOGIN BYPASSRLS;
	SET ROLE stranger; CREATE VIEW public.seen AS SELECT name FROM modelreg.team_name; CREATE TABLE public.own AS SELECT 1 AS i; GRANT SELECT ON public.seen TO PUBLIC;
	CREATE FUNCTION public.explained(query text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE line text; BEGIN EXECUTE 'EXPLAIN (ANALYZE) ' || query INTO line; RETURN 'a plan'; END $$;
	CREATE FUNCTION public.lent(query text) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT public.explained(query)'});
sub logged_in
{
	my ($role, $sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql('postgres', $sql, stdout => \$out, stderr => \$err, on_error_stop => 0, extra_params => [ '-U', $role ]);
	return $err =~ /EXPLAIN of what reads/ ? 'refused' : $err ne '' ? $err : $out =~ /cost=|actual|a plan/ ? 'a plan' : $out;
}
my $guess = q{SELECT FROM modelreg.team_name WHERE name COLLATE "C" >= 'z'};
my @explains = ("EXPLAIN $guess", "EXPLAIN ANALYZE $guess", "EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON) $guess", "PREPARE p AS $guess; EXPLAIN EXECUTE p", "PREPARE p AS $guess; EXECUTE p; EXPLAIN ANALYZE EXECUTE p",
	"EXPLAIN ANALYZE CREATE TEMP TABLE t AS $guess", "EXPLAIN DECLARE c CURSOR FOR $guess", "SELECT public.explained('$guess')" =~ s/'z'/''z''/r, "EXPLAIN SELECT * FROM modelreg.versions WHERE model = 'zebra.reco'",
	q{EXPLAIN SELECT FROM public.seen WHERE name = 'zebra'}, q{EXPLAIN SELECT 1 WHERE EXISTS (SELECT FROM modelreg.payload WHERE body > 'x')}, q{EXPLAIN INSERT INTO public.own SELECT 1 FROM modelreg.tag WHERE value > 'x'},
	q{BEGIN; SET LOCAL row_security = on; EXPLAIN SELECT FROM modelreg.metric WHERE value > 0.8}, q{SELECT modelreg.my_rights(); EXPLAIN (ANALYZE, BUFFERS) SELECT FROM modelreg.prediction WHERE request_key = 'user-1'},
	q{WITH w AS MATERIALIZED (SELECT 1) SELECT FROM w; EXPLAIN WITH w AS MATERIALIZED (SELECT name FROM modelreg.team) SELECT FROM w WHERE name > 'x'});
push @explains, "EXPLAIN (GENERIC_PLAN) SELECT FROM modelreg.team_name WHERE name > \$1" if $node->pg_version->major >= 16;
push @explains, "EXPLAIN (ANALYZE, SERIALIZE) SELECT name FROM modelreg.team_name" if $node->pg_version->major >= 17;
for my $role (qw(spy stranger))
{
	is(logged_in($role, $_), 'refused', "$role: $_") for @explains;
	is(logged_in($role, $_), 'a plan', "$role: $_") for 'EXPLAIN ANALYZE SELECT FROM pg_class', q{EXPLAIN ANALYZE SELECT * FROM modelreg.search_versions()}, 'EXPLAIN SELECT modelreg.readable_teams()';
}
is(logged_in('stranger', 'EXPLAIN ANALYZE SELECT FROM public.own'), 'a plan', 'their own tables are theirs');
is(logged_in($_, "EXPLAIN ANALYZE $guess"), 'a plan', "$_ may, who may read everything") for qw(aud passer);
my $superuser = (query('SELECT rolname FROM pg_roles WHERE oid = 10'))[0];
is(logged_in($superuser, "SET ROLE spy; EXPLAIN ANALYZE $guess"), 'a plan', 'so does who took a role on and may lay it down');
is(logged_in('spy', "SET ROLE spy; EXPLAIN ANALYZE $guess"), 'refused', 'nobody else does');
is(logged_in($superuser, "SELECT public.lent('$guess')" =~ s/'z'/''z''/r), 'refused', 'and not a function that somebody lends to a superuser');
is(logged_in('spy', "SELECT count(*) FROM modelreg.team_name WHERE name >= 'search'"), 1, 'while reading goes on');

# Where rows are handed out to somebody nothing is explained, though auto_explain counts them; its log is not for them.
is($node->safe_psql('postgres', q{LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on; SET auto_explain.log_nested_statements = on; SET SESSION AUTHORIZATION spy;
	SELECT count(*) FROM modelreg.team; COPY (SELECT count(*) FROM modelreg.team) TO STDOUT; SELECT count(*) FROM modelreg.search_versions(team => 'nobra') x WHERE false}), "1\n1\n0", 'auto_explain is no hindrance');

# What the page says to take away from everybody takes the server's counters away.
my ($recipe) = $page =~ /^  ```sql\n(  DO .*?)^  ```/ms;
my $counters = "BEGIN; SET enable_seqscan = off; $guess; SELECT CASE WHEN sum(idx_tup_fetch) > 0 THEN 'counted' END FROM pg_stat_xact_all_tables WHERE relname = 'team_name'; COMMIT";
like(logged_in('stranger', $counters), qr/counted/, 'counters tell what a condition found');
$node->safe_psql('postgres', $recipe);
like(logged_in('stranger', $_), qr/permission denied for function pg_stat_get/, 'and no more, behind what the page says to revoke') for $counters, 'SELECT * FROM pg_stat_all_tables', 'SELECT * FROM pg_stat_all_indexes',
	'SELECT * FROM pg_statio_all_indexes', q{SELECT pg_stat_get_xact_tuples_fetched('modelreg.team_name_pkey'::regclass)};
$node->safe_psql('postgres', 'GRANT pg_monitor TO aud');
like(logged_in('aud', 'SELECT count(*) > 0 FROM pg_stat_all_tables'), qr/^t$/, 'pg_monitor has them');

done_testing();
