# docs/rights.md, the catalogs and what happens: a role of each kind calls every function and reads every view and table. TAP
# because it reads that page. 001_readme.pl says what is missing there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../faults";
use Faults;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file("$FindBin::Bin/../../docs/rights.md");

# The rows of the table whose first column has this title: lists of cells.
sub table
{
	my ($title) = @_;
	my ($rows) = $page =~ /^\| \Q$title\E \|[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)/m or die "docs/rights.md has no table of \"$title\"";
	return map { [ map { s/^`|`$//gr } split /\s*\|\s*/, s/^\|\s*|\s*\|$//gr, -1 ] } split /\n/, $rows;
}

# Kinds of roles, in the order of the page, and who is who.
my @kinds = map { s/ /_/gr } split / \| /, ($page =~ /^\| who \| (.*) \|$/m)[0];
my %means = map { my ($who, @marks) = @$_; $who => { map { $kinds[$_] => 1 } grep { $marks[$_] eq 'yes' } 0 .. $#kinds } } table('who');
$means{$_}{outsider} = $means{$_}{no_right} for keys %means;
push @kinds, 'outsider';

# Whom the words of a row mean.
sub allowed
{
	my ($name, $words) = @_;
	my %allowed;
	for my $who (split /, /, $words)
	{
		fail("docs/rights.md, $name: nobody is called \"$who\""), next unless $means{$who};
		$allowed{$_} = 1 for grep { $means{$who}{$_} } keys %{ $means{$who} };
	}
	return \%allowed;
}

# Registry-wide rights are nobody's secret; a team is.
sub is_of_registry { return $_[0] =~ /^(?:(?:admins|auditors|superusers)(?:, )?)+$/; }

my $node = start_with_faults('rights');
fill($node);
# What an update of the extension and maintenance do as superuser, a role without any other right does. CREATEROLE, which setup_roles()
# needs beside a right, gives none here.
$node->safe_psql('postgres', join ";\n",
	(map { "CREATE ROLE $_ " . ($_ eq 'superuser' ? 'SUPERUSER' : 'CREATEROLE') } @kinds),
	(map { "SELECT modelreg.grant_level('search', '$_', '$_')" } qw(reader contributor evaluator reviewer maintainer)),
	(map { "SELECT modelreg.grant_registry_right('$_', '$_')" } qw(admin auditor)),
	q{SELECT modelreg.create_team('other')},
	q{SELECT modelreg.grant_level('other', 'outsider', level) FROM unnest('{contributor,evaluator,reviewer,maintainer}'::text[]) AS level});

sub query { return split /\n/, $node->safe_psql('postgres', $_[0]); }

# What each kind of role got when it ran a statement: "" or the error, in savepoints of one transaction that is rolled back.
sub outcomes
{
	my ($before, $statement) = @_;
	my $attempt = join '', map { "SET LOCAL ROLE $_;\n$statement;\n\\echo outcome $_ :SQLSTATE :LAST_ERROR_MESSAGE\nROLLBACK TO s;\n" } @kinds;
	my ($out, $err) = ('', '');
	$node->psql('postgres', "\\set ON_ERROR_STOP 0\n\\o /dev/null\nBEGIN;\n$before;\nSAVEPOINT s;\n${attempt}ROLLBACK;\n",
		stdout => \$out, stderr => \$err, on_error_stop => 0);
	my %outcome = map { /^outcome (\w+) (\w+) ?(.*)$/ ? ($1 => [ $2, $3 ]) : () } split /\n/, $out;
	is(join(' ', grep { !$outcome{$_} } @kinds), '', "$statement: every role tried") or diag $err;
	return \%outcome;
}

# Compare outcomes with the words of the page.
sub check_outcomes
{
	my ($name, $words, $outcome) = @_;
	my $allowed = allowed($name, $words);
	my @wrong;
	for my $kind (grep { $outcome->{$_} } @kinds)
	{
		my ($state, $message) = @{ $outcome->{$kind} };
		my $expected = $allowed->{$kind} ? '00000' : is_of_registry($words) || $means{readers}{$kind} ? '42501' : '42704';
		push @wrong, "$kind: $state instead of $expected $message" if $state ne $expected;
	}
	is(join("\n", @wrong), '', "$name: $words, as docs/rights.md says");
}

# What a call looks for in the registry is found before, since whoever calls may not see it.
sub with_values
{
	my ($call) = @_;
	return $call =~ s{(\((?=SELECT )(?:[^()]++|(\((?:[^()]++|(?2))*+\)))*+\))}{
		my $query = $1;
		my ($value) = $query =~ /modelreg\./ ? query("SELECT $query") : undef;
		!defined $value ? $query : $value =~ /^\d+$/ ? $value : "'" . $value =~ s/'/''/gr . "'"}ger;
}

my ($calls, %verb) = (0, map { $_ => 1 } verbs());

# A verb by its call in Faults.pm: as each kind, and at last for good, so that there is something to read.
sub walk_verb
{
	my ($verb, $words) = @_;
	my ($before, $session, $call) = call_of($verb, ++$calls);
	$node->safe_psql('postgres', $before);
	check_outcomes($verb, $words, outcomes($session =~ s/SET ROLE ann; //r, 'SELECT ' . with_values($call)));
	$node->safe_psql('postgres', "$session; SELECT $call");
}

my @functions = table('function');
my $of_types = q{EXISTS (SELECT FROM pg_type t WHERE p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend))
	OR EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid) OR EXISTS (SELECT FROM pg_amproc a WHERE a.amproc = p.oid)};
is(join(' ', query("SELECT proname FROM pg_proc p WHERE pronamespace = 'modelreg'::regnamespace AND ($of_types) AND provolatile <> 'i'")), '',
	'functions of types look at nothing but their arguments');

my %words_of = map { $verb{ $_->[0] } ? @$_ : () } @functions;
my ($remover, @verbs) = reverse verbs();
walk_verb($_, $words_of{$_}) for grep { $words_of{$_} } reverse @verbs;

for my $row (grep { !$verb{ $_->[0] } } @functions)
{
	my ($call, $words) = @$row;
	next if $words eq 'nobody';
	is($call =~ /\(/ ? '' : $call, '', "the line of $call in docs/rights.md has its call, as in `get_version('search.reco', 1)`") or next;
	check_outcomes($call, $words, outcomes('SELECT 1', "SELECT count(*) FROM modelreg.$call AS x"));
}

# Who sees rows: some, for there is a row of everything now.
sub walk_relations
{
	my ($title, $kind, $these) = @_;
	my (%who, %columns);
	for (table($title)) { $_->[0] =~ /^(\w+)(?:\((.*)\))?$/; ($who{$1}, $columns{$1}) = ($_->[1], $2 // '*') }
	my @names = query("SELECT relname FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind IN ($kind) ORDER BY 1");
	for my $name (grep { $who{$_} && (!$these || /$these/) } @names)
	{
		# No rows: an error that nothing else raises.
		my $outcome = outcomes('SELECT 1', "SELECT 1 / count(*) FROM (SELECT $columns{$name} FROM modelreg.$name) x");
		my $allowed = allowed($name, "$who{$name}, superusers");
		my $without = $who{$name} eq 'nobody' ? '42501' : '22012';
		is(join(' ', map { "$_ $outcome->{$_}[0]" } grep { $outcome->{$_}[0] ne ($allowed->{$_} ? '00000' : $without) } grep { $_ ne 'outsider' } @kinds), '',
			"$title $name: $who{$name} see rows (if nobody does, no call in Faults.pm made one)");
	}
	return;
}
walk_relations('table', q{'r', 'p'});
# Rights and requests of a role that has another name now.
$node->safe_psql('postgres', 'ALTER ROLE ann RENAME TO anna');
walk_relations('view', q{'v'}, qr/^(?!purge_due$)/);
$node->safe_psql('postgres', 'ALTER ROLE anna RENAME TO ann');
# A year later, so that there is something to purge.
set_clock(366 * 86400);
walk_relations('view', q{'v'}, qr/^purge_due$/);
set_clock(0);
walk_verb($remover, $words_of{$remover});

# Nobody but the owner may write, draw a number, or look at the sequences.
for my $name (query(q{SELECT relname FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind = 'S'}))
{
	my $outcome = outcomes('SELECT 1', "SELECT last_value FROM modelreg.$name");
	is(join(' ', grep { $outcome->{$_}[0] ne '42501' } grep { $_ ne 'superuser' } @kinds), '', "sequence $name is nobody's");
}

# What the catalogs say that PUBLIC has, and that nobody else has anything.
my %public = (
	schema => [ q{SELECT 'modelreg ' || privilege_type FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'modelreg' AND grantee = 0}, 'modelreg USAGE' ],
	'functions of the page' => [ qq{SELECT DISTINCT p.proname || ' ' || privilege_type FROM pg_proc p, aclexplode(proacl) WHERE pronamespace = 'modelreg'::regnamespace
		AND NOT ($of_types) AND grantee = 0}, map { "$_->[0] EXECUTE" =~ s/\(.*\)//r } grep { $_->[1] !~ /^(nobody|superusers)$/ } @functions ],
	'functions of types' => [ qq{SELECT DISTINCT p.proname || ' ' || privilege_type FROM pg_proc p, aclexplode(proacl) WHERE pronamespace = 'modelreg'::regnamespace
		AND ($of_types) AND grantee = 0}, map { "$_ EXECUTE" } query("SELECT DISTINCT proname FROM pg_proc p WHERE pronamespace = 'modelreg'::regnamespace AND ($of_types)") ],
	relations => [ q{SELECT relname || ' ' || privilege_type FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'modelreg'::regnamespace AND relkind IN ('r', 'p', 'v', 'S') AND grantee = 0},
		map { "$_->[0] SELECT" } grep { $_->[0] !~ /\(/ && $_->[1] ne 'nobody' } table('view'), table('table') ],
	columns => [ q{SELECT relname || '.' || attname || ' ' || privilege_type FROM pg_class c, pg_attribute, aclexplode(attacl)
		WHERE c.oid = attrelid AND relnamespace = 'modelreg'::regnamespace AND grantee = 0},
		map { my ($name, $columns) = $_->[0] =~ /^(\w+)\((.*)\)$/; map { "$name.$_ SELECT" } split /, /, $columns // '' } table('table') ],
	types => [ q{SELECT typname || ' ' || privilege_type FROM pg_type, aclexplode(coalesce(typacl, acldefault('T', typowner)))
		WHERE typnamespace = 'modelreg'::regnamespace AND typelem = 0 AND grantee = 0}, map { "$_ USAGE" } query(q{SELECT typname FROM pg_type
		WHERE typnamespace = 'modelreg'::regnamespace AND typelem = 0 AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = typrelid AND c.relkind IN ('r', 'p'))}) ],
);
for my $what (sort keys %public)
{
	my ($sql, @expected) = @{ $public{$what} };
	my %seen;
	is_deeply([ sort(query($sql)) ], [ sort grep { !$seen{$_}++ } @expected ], "PUBLIC's: $what");
}
is(join(' ', query(q{SELECT what || ' ' || acl.grantee::regrole FROM (
	SELECT relname::text, relacl, relowner FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace
	UNION ALL SELECT proname, proacl, proowner FROM pg_proc WHERE pronamespace = 'modelreg'::regnamespace
	UNION ALL SELECT typname, typacl, typowner FROM pg_type WHERE typnamespace = 'modelreg'::regnamespace
	UNION ALL SELECT attname, attacl, 10 FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'modelreg'::regnamespace
	UNION ALL SELECT nspname, nspacl, nspowner FROM pg_namespace WHERE nspname = 'modelreg') AS o(what, acl, owner), aclexplode(o.acl) AS acl
	WHERE acl.grantee NOT IN (0, o.owner) OR (acl.grantee = 0 AND acl.is_grantable)})), '', 'nobody else has anything, and PUBLIC cannot pass it on');

# SELECT is taken from PUBLIC and given to a group, as the page says: its members read and call as before, of others every table and view is
# refused, and of the functions those that the page names.
my ($taken) = $page =~ /^## Taking SELECT from PUBLIC\n.*?^```sql\n(.*?)^```/ms;
my ($as_caller) = $page =~ /that read them as their caller:\n(.*?)\. All others/s;
my @calls = grep { /\(/ } map { $_->[0] } grep { $_->[1] ne 'nobody' } @functions;
my @relations = map { $_->[0] =~ /^(\w+)(?:\((.*)\))?$/; [ $1, $2 // '*' ] } table('view'), table('table');
my @askers = grep { $_ ne 'superuser' } @kinds;
# Numbers of rows, or errors, of all that can be called and read, in its order. What some calls write is undone.
sub answers
{
	my ($role) = @_;
	my $out = '';
	$node->psql('postgres', "\\set ON_ERROR_ROLLBACK on\nBEGIN;\nSET ROLE $role;\n" . join('', map { "\\set rows ''\nSELECT count(*) AS rows FROM $_ AS x \\gset\n\\echo :SQLSTATE :rows\n" }
		(map { "modelreg.$_" } @calls), map { "(SELECT $_->[1] FROM modelreg.$_->[0])" } @relations) . 'ROLLBACK', stdout => \$out, stderr => \my $err, on_error_stop => 0);
	return [ split /\n/, $out ];
}
my %answers = map { $_ => answers($_) } @askers;
is(scalar(@{ $answers{reader} }), @calls + @relations, 'there is an answer to everything');
$node->safe_psql('postgres', $taken . 'GRANT analysts TO ' . join ', ', @askers);
is_deeply(answers($_), $answers{$_}, "$_, a member, gets what everybody got") for @askers;
$node->safe_psql('postgres', "REVOKE analysts FROM " . join ', ', @askers);
my %refused;
for my $kind (@askers)
{
	my @now = @{ answers($kind) };
	is(join(' ', grep { $_ !~ /^42501/ } splice @now, @calls), '', "$kind, no member, reads no table and no view");
	$refused{ $calls[$_] =~ s/\(.*//r } .= $now[$_] for grep { $now[$_] ne $answers{$kind}[$_] } 0 .. $#calls;
}
is(join(' ', map { "$_()" } sort keys %refused), join(' ', sort $as_caller =~ /(\w+\(\))/g), 'and calls what reads as its caller no more, but all else');
is(join(' ', grep { !/^(42501 ?)+$/ } values %refused), '', 'which is refused as the tables are');
# Each policy asks which teams one reads, as whoever reads.
$node->safe_psql('postgres', 'GRANT analysts TO reader; REVOKE EXECUTE ON FUNCTION modelreg.readable_teams() FROM PUBLIC');
is($node->psql('postgres', 'SET ROLE reader; SELECT count(*) FROM modelreg.models', stderr => \my $refusal), 3, 'without EXECUTE on readable_teams() nothing is read');
like($refusal, qr/permission denied for function readable_teams/, 'and it is said why');
$node->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION modelreg.readable_teams() TO analysts');
cmp_ok($node->safe_psql('postgres', 'SET ROLE reader; SELECT count(*) FROM modelreg.models'), '>', 0, 'with it all is as before');
# A dump has it.
my ($dump) = run_command([ 'pg_dump', '-s', '-d', $node->connstr('postgres') ]);
like($dump, qr/^REVOKE SELECT ON TABLE modelreg\.versions FROM PUBLIC;$/m, 'a dump takes it from PUBLIC');
like($dump, qr/^GRANT SELECT ON TABLE modelreg\.versions TO analysts;$/m, 'and gives it to the group');
done_testing();
