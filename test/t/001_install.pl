
# Installing: what a database must be like, and who may have been there before. TAP because it needs several databases,
# and the script outside CREATE EXTENSION.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;

my ($sharedir) = run_command([ 'pg_config', '--sharedir' ]);
my ($status, $out, $err) = $node->psql('postgres', "\\i $sharedir/extension/modelreg--0.1.sql");
like($out, qr/^Use "CREATE EXTENSION modelreg" to load this file\.$/, 'the script refuses to run by itself');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'modelreg'}),
	'0', 'and creates nothing');

$node->safe_psql('postgres', 'CREATE DATABASE squatted');
$node->safe_psql('squatted', 'CREATE SCHEMA modelreg');
($status, $out, $err) = $node->psql('squatted', 'CREATE EXTENSION modelreg');
like($err, qr/schema "modelreg" already exists/, 'a schema that was there before is not adopted');

$node->safe_psql('postgres', 'CREATE ROLE regress_plain LOGIN; GRANT CREATE ON DATABASE postgres TO regress_plain');
($status, $out, $err) =
  $node->psql('postgres', 'CREATE EXTENSION modelreg', extra_params => [ '-U', 'regress_plain' ]);
like($err, qr/permission denied to create extension "modelreg"/, 'only a superuser creates the extension');

$node->safe_psql('postgres', 'CREATE EXTENSION modelreg');
is($node->safe_psql('postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'modelreg'}),
	'0.1', 'a superuser does');

# Functions, operators and types of the names that the script uses, planted in a schema that comes first.
$node->safe_psql('postgres', 'CREATE DATABASE planted');
$node->safe_psql('planted', q{
	GRANT CREATE ON SCHEMA public TO regress_plain;
	SET ROLE regress_plain;
	CREATE FUNCTION public.trap() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped as %', current_user; END $$;
	CREATE FUNCTION public.format(text, regclass) RETURNS text LANGUAGE sql AS 'SELECT public.trap()';
	CREATE FUNCTION public.format(text, text, text) RETURNS text LANGUAGE sql AS 'SELECT public.trap()';
	CREATE FUNCTION public.encode(bytea, text) RETURNS text LANGUAGE sql AS 'SELECT public.trap()';
	CREATE FUNCTION public.jsonb_object_agg(text, text) RETURNS text LANGUAGE sql AS 'SELECT public.trap()';
	CREATE FUNCTION public.arrow(jsonb, text) RETURNS text LANGUAGE sql AS 'SELECT public.trap()';
	CREATE OPERATOR public.->> (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = public.arrow);
	CREATE FUNCTION public.same(oid, regnamespace) RETURNS boolean LANGUAGE sql AS 'SELECT public.trap() IS NULL';
	CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = regnamespace, FUNCTION = public.same);
	CREATE FUNCTION public.same(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT public.trap() IS NULL';
	CREATE OPERATOR public.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = public.same);
	CREATE TABLE public.pg_class (oid oid, relname name, relnamespace oid, relkind "char", relispartition boolean);
	CREATE DOMAIN public.text AS pg_catalog.text CHECK (public.trap() IS NULL);
	CREATE DOMAIN public.bigint AS pg_catalog.int8 CHECK (public.trap() IS NULL);
	RESET ROLE;
	SET search_path = public, pg_catalog;
	CREATE EXTENSION modelreg});
is($node->safe_psql('planted', q{SET search_path = pg_catalog;
	SELECT d.classid::regclass, d.objid, d.refobjid FROM pg_depend d
	WHERE (d.refclassid, d.refobjid) IN (SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace
		UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprnamespace = 'public'::regnamespace
		UNION ALL SELECT 'pg_class'::regclass, oid FROM pg_class WHERE relnamespace = 'public'::regnamespace
		UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typnamespace = 'public'::regnamespace)
		AND d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_constraint'::regclass, 'pg_class'::regclass, 'pg_attrdef'::regclass)
		AND d.objid IN (SELECT r.oid FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE c.relnamespace = 'modelreg'::regnamespace
			UNION ALL SELECT p.oid FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'modelreg'::regnamespace
			UNION ALL SELECT oid FROM pg_constraint WHERE connamespace = 'modelreg'::regnamespace
			UNION ALL SELECT oid FROM pg_class WHERE relnamespace = 'modelreg'::regnamespace)}), '', 'nothing of the extension refers to what was planted');
is($node->safe_psql('planted', q{SET search_path = public, pg_catalog; SELECT modelreg.create_team('t'); SELECT modelreg.create_model('t.m', 'open'), modelreg.register_version('t.m', tags => '{"a": "b"}');
	SELECT model, version, tags FROM modelreg.versions; SHOW search_path; SELECT * FROM modelreg.verify()}) =~ s/^\d+(?:\|\d+)?\n//mgr, "t.m|1|{\"a\": \"b\"}\npublic, pg_catalog", 'and it works beside that');

# The built-in policies are there before anything was written and where nothing can be: in the transaction that creates the extension, in one
# that is read only, by default or not, and for who has no right. 062_standby.pl asks on a standby.
my $tiers = q{SELECT policy, revision, document = modelreg.policy_document(NULL, policy, revision) AND jsonb_array_length(document->'transitions') > 1, (SELECT count(*) FROM modelreg.policy)
	FROM modelreg.policies ORDER BY policy};
my $three = "high-risk|1|t|0\nopen|1|t|0\nstandard|1|t|0";
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
is($node->safe_psql('fresh', "BEGIN; CREATE EXTENSION modelreg; SET TRANSACTION READ ONLY; $tiers; COMMIT"), $three, 'the built-in policies in the transaction that creates the extension');
$node->safe_psql('postgres', 'ALTER DATABASE fresh SET default_transaction_read_only = on');
is($node->safe_psql('fresh', "SET ROLE regress_plain; SHOW transaction_read_only; $tiers; SELECT modelreg.policy_document(NULL, 'high-risk', 1)->'transitions'->1->>'approvals'"), "on\n$three\n2",
	'and on a fresh registry in which nothing can be written');
($status, $out, $err) = $node->psql('fresh', q{SELECT modelreg.create_team('t')});
like($err, qr/cannot execute create_team in a read-only transaction/, 'as indeed nothing can');

# What a backend remembers of the registry goes with it: OIDs of tables and indexes, rights, row types.
is($node->safe_psql('postgres', q{
	SET modelreg.allow_removal = on;
	SELECT modelreg.create_team('first');
	SELECT modelreg.create_model('first.m', 'open');
	SELECT count(*) FROM modelreg.production('first.m');
	DROP EXTENSION modelreg;
	BEGIN;
	CREATE EXTENSION modelreg;
	SAVEPOINT made;
	SELECT modelreg.create_team('second');
	ROLLBACK TO made;
	COMMIT;
	DROP EXTENSION modelreg;
	CREATE EXTENSION modelreg;
	SELECT modelreg.create_team('third');
	SELECT modelreg.create_model('third.m', 'open');
	SELECT modelreg.register_version('third.m'), modelreg.promote('third.m', 1, 'Production');
	SELECT modelreg.set_alias('third.m', 'champion', 1);
	SELECT p.version, a.uri FROM modelreg.production('third.m') p, modelreg.get_by_alias('third.m', 'champion') a;
	DROP EXTENSION modelreg;
	CREATE EXTENSION modelreg;
	SELECT count(*) FROM modelreg.models;}) =~ s/.*\n(?=1\|models)//sr,
	"1|models:/third.m/1\n0", 'a session goes on with a registry made anew');

# Hashes are over UTF-8, so there is no registry in a database with another encoding.
for my $encoding (qw(LATIN1 SQL_ASCII))
{
	$node->safe_psql('postgres', "CREATE DATABASE \"other_$encoding\" TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
	(undef, undef, my $refused) = $node->psql("other_$encoding", '\set VERBOSITY verbose' . "\nCREATE EXTENSION modelreg");
	like($refused, qr/ERROR:  0A000: modelreg needs a database with encoding UTF8.*This one has $encoding.*createdb -T template0 -E UTF8/s, "$encoding is refused");
	is($node->safe_psql("other_$encoding", q{SELECT count(*) FROM pg_namespace WHERE nspname = 'modelreg'}), 0, 'and nothing is left');
}

done_testing();
