# Every function in surroundings that somebody else made: operators, functions and types of the server's own names planted in a
# schema that comes first; inside of SECURITY DEFINER functions, triggers, cursors, prepared statements, materialized views and
# other views of other roles; with SET ROLE in the middle. Nothing planted runs as anybody but who called, what is asked for is
# allowed to the role that asks at that moment, and the session is who it was afterwards. Errors, cancels and aborted subtransactions
# are 070_interrupts.pl's. TAP because the calls come from Faults.pm and docs/rights.md.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../faults";
use Faults;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_with_faults('hostile');
fill($node);
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE mallory;
CREATE SCHEMA planted AUTHORIZATION mallory;
GRANT USAGE ON SCHEMA planted, faults TO PUBLIC;
GRANT CREATE ON SCHEMA public TO ann, bob;
CREATE FUNCTION public.run_as_ann(statement text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN EXECUTE statement; END $$;
ALTER FUNCTION public.run_as_ann OWNER TO ann;
CREATE FUNCTION public.run_as_bob(statement text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN EXECUTE statement; END $$;
ALTER FUNCTION public.run_as_bob OWNER TO bob;
CREATE FUNCTION public.run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE NEW.statement; RETURN NEW; END $$;
CREATE TABLE public.called (statement text);
ALTER TABLE public.called OWNER TO ann;
GRANT INSERT ON public.called TO PUBLIC;
CREATE TRIGGER run BEFORE INSERT ON public.called FOR EACH ROW EXECUTE FUNCTION public.run();
CREATE TABLE public.called_late (statement text);
ALTER TABLE public.called_late OWNER TO ann;
GRANT INSERT ON public.called_late TO PUBLIC;
CREATE CONSTRAINT TRIGGER run AFTER INSERT ON public.called_late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.run();

-- Each does what the server's own does, and tells when it runs as somebody else than ann.
SET ROLE mallory;
CREATE FUNCTION planted.tell(what text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN IF current_user <> 'ann' THEN RAISE WARNING 'trapped as %: %', current_user, what; END IF; END $$;
DO $do$
DECLARE
	base oid[] = '{text,int2,int4,int8,bool,bytea,jsonb,timestamptz,float8,numeric,oid,uuid,name,regclass,regnamespace,int8[],text[],"char"}'::regtype[];
	f record;
BEGIN
	FOR f IN SELECT p.oid, p.proname, p.prorettype, p.pronargs, pg_get_function_identity_arguments(p.oid) AS args FROM pg_proc p
		WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset AND provariadic = 0 AND prorettype = ANY (base) AND proargtypes::oid[] <@ base AND proargmodes IS NULL AND has_function_privilege(p.oid, 'EXECUTE')
			AND proname NOT IN ('set_config', 'current_setting')
	LOOP
		EXECUTE format('CREATE FUNCTION planted.%I(%s) RETURNS %s LANGUAGE plpgsql AS $$ BEGIN PERFORM planted.tell(%L); RETURN pg_catalog.%I(%s); END $$',
			f.proname, (SELECT string_agg(format_type(t, NULL), ', ' ORDER BY n) FROM unnest((SELECT proargtypes::oid[] FROM pg_proc WHERE oid = f.oid)) WITH ORDINALITY AS a(t, n)),
			format_type(f.prorettype, NULL), f.proname, f.proname, (SELECT string_agg('$' || i, ', ' ORDER BY i) FROM generate_series(1, f.pronargs) i));
	END LOOP;
	FOR f IN SELECT o.oprname, format_type(oprleft, NULL) AS lefttype, format_type(oprright, NULL) AS righttype, format_type(oprresult, NULL) AS result, row_number() OVER () AS n FROM pg_operator o
		WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft = ANY (base) AND oprright = ANY (base) AND oprresult = ANY (base)
	LOOP
		EXECUTE format('CREATE FUNCTION planted.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS $$ BEGIN PERFORM planted.tell(%L); RETURN $1 OPERATOR(pg_catalog.%s) $2; END $$',
			f.n, f.lefttype, f.righttype, f.result, f.oprname, f.oprname);
		EXECUTE format('CREATE OPERATOR planted.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = planted.operator_%s)', f.oprname, f.lefttype, f.righttype, f.n);
	END LOOP;
END
$do$;
CREATE FUNCTION planted.check_value(anyelement) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM planted.tell('domain'); RETURN true; END $$;
CREATE DOMAIN planted.text AS pg_catalog.text CHECK (planted.check_value(VALUE));
CREATE DOMAIN planted.int8 AS pg_catalog.int8 CHECK (planted.check_value(VALUE));
CREATE DOMAIN planted.jsonb AS pg_catalog.jsonb CHECK (planted.check_value(VALUE));
CREATE DOMAIN planted.regclass AS pg_catalog.regclass CHECK (planted.check_value(VALUE));
CREATE TABLE planted.pg_class (oid pg_catalog.oid, relname name, relnamespace pg_catalog.oid);
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA planted TO PUBLIC;
SQL
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM pg_proc WHERE pronamespace = 'planted'::regnamespace}), '>', 500, 'there are traps');
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

# What a session prints: results, errors with their SQLSTATE.
sub said
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql('postgres', "\\set ON_ERROR_STOP 0\n\\set VERBOSITY verbose\n$sql", stdout => \$out, stderr => \$err, on_error_stop => 0);
	return ($out, $err);
}

sub literal { my ($text) = @_; return "'" . $text =~ s/'/''/gr . "'"; }

# A call as somebody in some surrounding, rolled back, and who the session is after it. Its SQLSTATE, or that of its first error.
sub outcome
{
	my ($settings, $statements) = @_;
	my ($out, $err) = said("$settings;\nBEGIN;\n$statements\nROLLBACK;\nSELECT 'is ' || current_user || ' ' || session_user;");
	my ($state) = $err =~ /ERROR:\s+(\w+)/;
	return ($state // 'passed', $out =~ /^is (.*)$/m ? $1 : '?', $err);
}

like((outcome('SET search_path = planted, pg_catalog', "SET LOCAL ROLE bob; SELECT lower('A'), 1::int8 = 2::int8, 'a'::text;"))[2], qr/trapped as bob: lower\n.*trapped as bob: =\n/s, 'who looks for trouble finds it');

my $page = slurp_file("$FindBin::Bin/../../docs/rights.md");
my $calls = 0;

# Every surrounding, for a call that ann may make and bob may not.
sub attack
{
	my ($name, $call, $setting, $everybodys) = @_;
	my $refused = $everybodys ? qr/^passed$/ : qr/^42(?:501|704)$/;
	my $select = "SELECT count(*) FROM modelreg.$call AS x";
	my $quoted = literal($select);
	my ($state, $who, $said) = outcome("$setting; SET ROLE ann; SET search_path = planted, pg_catalog, public", "$select;");
	is("$state $who", "passed ann $superuser", "$name: between traps") or diag $said;
	unlike($said, qr/trapped/, "$name: none of which runs as anybody else") or diag $said;
	($state, $who) = outcome("$setting; SET ROLE bob", "SELECT public.run_as_ann($quoted);");
	is("$state $who", "passed bob $superuser", "$name: inside of ann's function bob is ann");
	($state, $who) = outcome("$setting; SET ROLE ann", "SELECT public.run_as_bob($quoted);");
	like($state, $refused, "$name: inside of bob's function ann is bob");
	is($who, "ann $superuser", "$name: and ann again after it");
	($state, $who) = outcome("$setting; SET ROLE bob", "INSERT INTO public.called VALUES ($quoted);");
	like($state, $refused, "$name: in a trigger of ann's table bob is bob");
	($state, $who) = outcome("$setting; SET ROLE ann", "INSERT INTO public.called VALUES ($quoted);");
	is("$state $who", "passed ann $superuser", "$name: and ann is ann");
	($state, $who) = outcome("$setting; SET ROLE ann", "INSERT INTO public.called_late VALUES ($quoted);\nSET ROLE bob;\nSET CONSTRAINTS ALL IMMEDIATE;");
	# Since 18 a trigger runs as who was current when it was queued.
	like($state, $node->pg_version < 18 ? $refused : qr/^passed$/, "$name: in a deferred trigger the server's choice counts");
	($state, $who) = outcome("$setting; SET ROLE bob", "DECLARE c CURSOR FOR $select;\nSET LOCAL ROLE ann;\nFETCH c;\nCLOSE c;") if $name !~ /^verb/;
	is($state, 'passed', "$name: in a cursor too") if $name !~ /^verb/;
	($state) = outcome("$setting; SET ROLE ann", "DECLARE c CURSOR FOR $select;\nSET LOCAL ROLE bob;\nFETCH c;") if $name !~ /^verb/;
	like($state, $refused, "$name: and in one that ann left to bob") if $name !~ /^verb/;
	($state, $who) = outcome("$setting; SET ROLE ann", "PREPARE p AS $select;\nEXECUTE p;\nSET LOCAL ROLE bob;\nEXECUTE p;");
	like($state, $refused, "$name: in a prepared statement");
	return;
}

for my $verb (grep { !/^(?:drop_all_bytes|rebind_roles|grant_registry_right|revoke_registry_right)$/ } verbs())
{
	my ($before, $session, $call) = call_of($verb, ++$calls);
	$node->safe_psql('postgres', $before);
	# What a call looks for in the registry bob does not see; a number or a digest is what he would know.
	$call =~ s{(\((?=SELECT )(?:[^()]++|(\((?:[^()]++|(?2))*+\)))*+\))}{my $query = $1; $query =~ /modelreg\./ ? do { my $value = $node->safe_psql('postgres', "SELECT $query"); $value =~ /^\d+$/ ? $value : literal($value) } : $query}ge;
	attack("verb $verb", $call =~ s/^modelreg\.//r, 'SELECT 1');
	$node->safe_psql('postgres', "$session; SELECT $call");
}
($page) = split /^## Views and tables$/m, $page;
my %everybodys = map { $_ => 1 } $page =~ /^\| `(\w+\([^|]*\))` \| everybody/mg;
# What belongs to the types is called with traps that have their names.
for my $call (grep { !/^(?:uri_|digest_|sha256|sweep_uploads|set_description)/ } $page =~ /^\| `(\w+\([^|]*\))` \|/mg)
{
	attack($call, $call, 'SELECT 1', $everybodys{$call});
}

# Rows: a view, a cursor, a prepared statement and a materialized view of somebody's show what the one who looks may read.
sub rows_are
{
	my ($expected, $what, $sql) = @_;
	my ($out, $err) = said($sql);
	is($out . $err, $expected, $what);
}
$node->safe_psql('postgres', q{SET ROLE ann; CREATE VIEW public.of_ann AS SELECT model FROM modelreg.models; GRANT SELECT ON public.of_ann TO PUBLIC;
	SET ROLE bob; CREATE MATERIALIZED VIEW public.of_bob AS SELECT model FROM modelreg.models; CREATE VIEW public.view_of_bob AS SELECT model FROM modelreg.models; GRANT SELECT ON public.view_of_bob TO ann;
	RESET ROLE; CREATE FUNCTION public.open_cursor() RETURNS refcursor LANGUAGE plpgsql SECURITY DEFINER AS $$ DECLARE c refcursor = 'c'; BEGIN OPEN c FOR SELECT count(*) > 0 FROM modelreg.models; RETURN c; END $$;
	ALTER FUNCTION public.open_cursor OWNER TO ann});
rows_are("t\nf", 'through a view of ann\'s ann sees rows and bob none', "SET ROLE ann; SELECT count(*) > 0 FROM public.of_ann; SET ROLE bob; SELECT count(*) > 0 FROM public.of_ann;");
rows_are("f", 'through a view of bob\'s too, who sees none', "SET ROLE bob; SELECT count(*) > 0 FROM public.view_of_bob;");
rows_are("f", 'a materialized view of bob\'s is filled with what bob may read, whoever refreshes it', "REFRESH MATERIALIZED VIEW public.of_bob; SELECT count(*) > 0 FROM public.of_bob;");
rows_are("c\nf", 'a cursor that ann opened for bob shows what bob may read', "SET ROLE bob; BEGIN; SELECT public.open_cursor(); FETCH c; COMMIT;");
rows_are("t\nf\nt", 'a prepared statement asks anew', "SET plan_cache_mode = force_generic_plan; PREPARE p AS SELECT count(*) > 0 FROM modelreg.models; SET ROLE ann; EXECUTE p; SET ROLE bob; EXECUTE p; SET ROLE ann; EXECUTE p;");

# Beside parallel workers a role reads the same.
my @views = split /\n/, $node->safe_psql('postgres', q{SELECT relname FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace AND relkind = 'v'
	AND relname NOT IN ('ab_results', 'versions_served') ORDER BY 1});	# which count up to the present
my $reading = "SET ROLE %s;\n" . join '', map { "SELECT '$_', count(*), md5(string_agg(x::text, ',' ORDER BY x::text)) FROM modelreg.$_ x;\n" } @views;
my $parallel = q{SELECT set_config(name, 'on', false) <> '' AS on FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \gset
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
};
for my $role (qw(ann bob))
{
	my @read;
	# Between the two a step of a rollout may have opened; not three times.
	for (1 .. 3)
	{
		@read = map { [ said($_ . sprintf $reading, $role) ] } $parallel, '';
		last if "@{ $read[0] }" eq "@{ $read[1] }";
	}
	is_deeply($read[0], $read[1], "$role reads the same with parallel workers");
}

# SET ROLE in the middle of a transaction: what was recorded is whose it was when it was, and the end of the transaction is nobody's.
my ($out, $err) = said(<<'SQL');
SET ROLE ann;
BEGIN;
SELECT modelreg.record_node('commit', 'search.code', 'mid1');
SET LOCAL ROLE bob;
SELECT modelreg.record_node('commit', 'search.code', 'mid2');
ROLLBACK;
BEGIN;
SELECT modelreg.record_node('commit', 'search.code', 'mid3');
SELECT modelreg.set_tag('search.reco', 'mid', 'x');
SET ROLE bob;
COMMIT;
SELECT current_user;
SET ROLE ann;
SELECT version, role FROM modelreg.lineage_nodes WHERE version LIKE 'mid%';
SELECT who->>'role' FROM modelreg.event WHERE kind = 'facts_recorded' ORDER BY at DESC LIMIT 1;
SQL
is($out, "commit:search.code\@mid1\ncommit:search.code\@mid3\nt\nbob\nmid3|ann\nann", 'SET ROLE in the middle');
like($err, qr/^[^\n]*ERROR:  42704: team "search" does not exist/, 'and bob records nothing');

is($node->safe_psql('postgres', 'SET client_min_messages = error; SELECT * FROM modelreg.verify(deep => true)'), '', 'verify() is clean');
done_testing();
