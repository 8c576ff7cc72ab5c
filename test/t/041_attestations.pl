# Statements that are signed outside of the database: with the openssl command, and with the field's own tools in Python, which
# also verify what the registry kept; the head of the log; and what verify() says of keys, rows and envelopes that were forged. TAP because it takes
# programs beside the server. The tools come from PyPI into a directory that is thrown away; where they cannot be had their part is left out, out loud.
# (What makes a signature or a statement no good is in sql/attestation.sql.)

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use FindBin;
use JSON::PP;
use MIME::Base64;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $type = 'application/vnd.in-toto+json';
my $dir = PostgreSQL::Test::Utils::tempdir();
my $json = JSON::PP->new->canonical->latin1;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "autovacuum = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE registry');

sub sql { return $node->safe_psql('registry', "SET client_min_messages = error; $_[0]"); }
sub literal { return "'" . $_[0] =~ s/'/''/gr . "'"; }
sub write_file { my ($path, $bytes) = @_; open(my $out, '>:raw', $path) or die "$path: $!"; print $out $bytes; close $out; return; }
sub run { my ($out, $err); IPC::Run::run([ @_ ], '<', \undef, '>', \$out, '2>', \$err) or die "@_: $err"; return $out; }
# SQLSTATE and message of a call that fails, "" if it does not.
sub refusal
{
	my (undef, undef, $err) = $node->psql('registry', "\\set VERBOSITY verbose\n$_[0]");
	return $err =~ /ERROR:  (\w+: [^\n]*)/ ? $1 : '';
}

# A model whose files are artifacts, by names whose order is another by bytes than by paths.
my %files = ('weights' => "\0\1\2", 'tokenizer.json' => '{}', 'tokenizer/vocab' => "a\nb\n", 'tokenizer/merges' => '', 'Readme' => 'é');
for my $name (keys %files)
{
	make_path(dirname("$dir/model/$name"));
	write_file("$dir/model/$name", $files{$name});
}
my $artifacts = $json->encode([ map { { name => $_, uri => "s3://m/$_", size => length $files{$_}, digest => 'sha256:' . sha256_hex($files{$_}) } } sort keys %files ]);
sql(qq{CREATE EXTENSION modelreg; SELECT modelreg.create_team('search'); SELECT modelreg.create_model('search.reco', 'open');
	SELECT modelreg.register_version('search.reco', artifacts => '$artifacts'), modelreg.register_version('search.reco')});
my $hash = sql(q{SELECT hash FROM modelreg.versions WHERE version = 1});

# With openssl.

my %keys = (ed => [ '-algorithm', 'ed25519' ], p256 => [ qw(-algorithm EC -pkeyopt ec_paramgen_curve:P-256) ]);
for my $key (sort keys %keys)
{
	run('openssl', 'genpkey', @{ $keys{$key} }, '-out', "$dir/$key.pem");
	run('openssl', 'pkey', '-in', "$dir/$key.pem", '-pubout', '-out', "$dir/$key.pub");
	my $keyid = sql("SELECT modelreg.register_key('$key', " . literal(slurp_file("$dir/$key.pub")) . ')');
	is($keyid, sha256_hex(run('openssl', 'pkey', '-in', "$dir/$key.pem", '-pubout', '-outform', 'DER')), "$key: the keyid is the hash of the DER form");
	like(refusal("SELECT modelreg.register_key('private', " . literal(slurp_file("$dir/$key.pem")) . ')'), qr/^22023: that is a private key$/, "$key: the private half is refused");
}

sub sign
{
	my ($key, $payload) = @_;
	write_file("$dir/signed", join(' ', 'DSSEv1', length $type, $type, length $payload, $payload));
	run('openssl', 'pkeyutl', '-sign', '-inkey', "$dir/ed.pem", '-rawin', '-in', "$dir/signed", '-out', "$dir/signature") if $key eq 'ed';
	run('openssl', 'dgst', '-sha256', '-sign', "$dir/p256.pem", '-out', "$dir/signature", "$dir/signed") if $key eq 'p256';
	return slurp_file("$dir/signature");
}

sub statement
{
	my ($sha256, $predicate_type, $predicate) = @_;
	return $json->encode({ _type => 'https://in-toto.io/Statement/v1', subject => [ { name => 'a subject', digest => { sha256 => $sha256 } } ],
		predicateType => $predicate_type, predicate => $predicate });
}

sub envelope
{
	my ($payload, @signers) = @_;
	return $json->encode({ payload => encode_base64($payload, ''), payloadType => $type, signatures => [ map { { sig => encode_base64(sign($_, $payload), '') } } @signers ] });
}

sub record { my ($envelope) = @_; return "SELECT modelreg.record_attestation('search.reco', 1, " . literal($envelope) . ')'; }

my $statement = statement($hash, 'https://example.com/approval/v1', { comment => "d'accord" });
for my $signers ([ 'ed' ], [ 'p256' ], [ 'p256', 'ed' ])
{
	my $id = sql(record(envelope($statement, @$signers)));
	is(sql("SELECT subject, trusted, keys FROM modelreg.attestations WHERE id = $id"), 'version|t|' . '["' . join('", "', @$signers) . '"]', "openssl: @$signers");
}
like(refusal(record(envelope($statement =~ s/accord/iscord/r, 'ed') =~ s/"payload":"[^"]*"/'"payload":"' . encode_base64($statement, '') . '"'/er)),
	qr/^22023: no registered key made signature 1/, 'a signature of another statement');
like(refusal("SELECT modelreg.record_attestation('search.reco', 2, " . literal(envelope($statement, 'ed')) . ')'), qr/^22023: the statement is not about version 2/, 'another version');
# What was signed for one version, whose hash another one gives to an artifact of its own.
my $replay = sql(qq{SELECT modelreg.register_version('search.reco', artifacts => '[{"name": "w", "uri": "s3://m/w", "size": 1, "digest": "sha256:$hash"}]')});
like(refusal("SELECT modelreg.record_attestation('search.reco', $replay, " . literal(envelope($statement, 'ed')) . ')'), qr/^22023: the statement is not about version $replay/, 'replayed as an artifact');

# And as the README has it, in a database of its own.

my ($commands) = slurp_file("$FindBin::Bin/../../README.md") =~ /^### Attestations\n.*?^```sh\n(.*?)^```$/ms or die 'README.md signs nothing';
$node->safe_psql('postgres', 'CREATE DATABASE mydb');
$node->safe_psql('mydb', q{CREATE EXTENSION modelreg; SELECT modelreg.create_team('search'); SELECT modelreg.create_model('search.reco-model', 'open');
	SELECT modelreg.register_version('search.reco-model') FROM generate_series(1, 14)});
{
	local @ENV{qw(PGHOST PGPORT)} = ($node->host, $node->port);
	run('bash', '-ec', "mkdir '$dir/readme' && cd '$dir/readme' && $commands");
}
is($node->safe_psql('mydb', 'SELECT version, subject, keys, trusted FROM modelreg.attestations'), '14|version|["search.ci"]|t', 'the commands of the README');

# The head of the log, which goes on meanwhile.

my $head = sql('SELECT document FROM modelreg.audit_head()');
sub about_head { my ($document) = @_; return statement(sql("SELECT substr(modelreg.sha256_digest(convert_to(modelreg.canonical_json(" . literal($document) . "), 'UTF8'))::text, 8)"), 'modelreg:audit_head/1', $json->decode($document)); }
sub attest { my ($envelope) = @_; return 'SELECT modelreg.attest_head(' . literal($envelope) . ')'; }
sql(q{SELECT modelreg.set_tag('search.reco', 'a', 'b')});
my $attested = sql(attest(envelope(about_head($head), 'ed', 'p256')));
is(sql("SELECT team IS NULL, model IS NULL, subject, keys, statement->'predicate' = " . literal($head) . "::jsonb FROM modelreg.attestations WHERE id = $attested"),
	't|t|head|["ed", "p256"]|t', 'a head is attested');
is(sql("SELECT count(*) FROM modelreg.attestations a, modelreg.verify_head(a.statement->'predicate') WHERE a.id = $attested"), '0', 'and is one to compare the log with');
like(refusal(attest(envelope(about_head($head =~ s/("hash": ")[0-9a-f]{8}/$1ffffffff/r), 'ed'))), qr/^55000: the log does not go on from that head$/, 'of another log');
like(refusal(attest(envelope(about_head($head =~ s/("seq": )\d+/${1}99/r), 'ed'))), qr/^55000: the log does not go on from that head$/, 'of the future');
like(refusal(attest(envelope(about_head($head =~ s/("identity": ")[0-9a-f]{8}/${1}00000000/r), 'ed'))), qr/^55000: the log does not go on from that head$/, 'of another registry');
like(refusal(attest(envelope(statement('0' x 64, 'modelreg:audit_head/1', $json->decode($head)), 'ed'))), qr/^22023: the statement is not about a head of the log$/, 'with another digest');
like(refusal(attest(envelope(statement('0' x 64, 'modelreg:audit_head/1', { format => 2 }), 'ed'))), qr/^22023: that is no document of audit_head\(\)$/, 'of another format');
# A team's keys do not sign for the registry.
run('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', "$dir/ed.pem");
run('openssl', 'pkey', '-in', "$dir/ed.pem", '-pubout', '-out', "$dir/team.pub");
sql("SELECT modelreg.register_key('team', " . literal(slurp_file("$dir/team.pub")) . ", 'search')");
like(refusal(attest(envelope(about_head($head), 'ed'))), qr/^22023: no registered key made signature 1/, "with a team's key");
isnt(sql(record(envelope($statement, 'ed'))), '', 'which signs for the team');

# With the field's tools.

my $venv = "$dir/venv";
my $python = "$venv/bin/python";
my $log = '';
my $installed = IPC::Run::run([ 'python3', '-m', 'venv', $venv ], '>', \$log, '2>', \$log)
	&& IPC::Run::run([ "$venv/bin/pip", 'install', '--quiet', '--disable-pip-version-check', 'securesystemslib[crypto]', 'in-toto-attestation', 'model-signing', 'pyOpenSSL', 'linkify-it-py' ], '>', \$log, '2>', \$log);
SKIP:
{
	unless ($installed)
	{
		diag "NOT TESTED with securesystemslib, in-toto and model-signing: they could not be installed. $log";
		skip 'the tools could not be installed', 1;
	}
	my $tools = "$FindBin::Bin/../attestation_tools.py";
	my $made = $json->decode(run($python, $tools, 'sign', "$dir/model", $hash, sha256_hex($files{weights})));
	sql("SELECT modelreg.register_key('$_', " . literal($made->{keys}{$_}) . ", 'search')") for sort keys %{ $made->{keys} };
	my %expected = ('approval, Ed25519' => 'version|["search.tools-ed"]', 'provenance, P-256' => 'artifact|["search.tools-p256"]',
		'evaluation, both' => 'version|["search.tools-p256", "search.tools-ed"]', 'model-signing' => 'artifacts|["search.tools-p256"]');
	for my $name (sort keys %expected)
	{
		my $id = sql(record($json->encode($made->{envelopes}{$name})));
		is(sql("SELECT subject, keys FROM modelreg.attestations WHERE id = $id"), $expected{$name}, "the tools' $name");
	}
	is(sql(q{SELECT count(DISTINCT statement->'predicate'->>'by') FROM modelreg.attestations WHERE keys ? 'search.tools-ed'}), '1', 'their text is as they wrote it');
	# Hostile texts in Markdown read as what they are, alone and in a card.
	my $ask = sub { my ($mode, $in) = @_; my ($out, $err); IPC::Run::run([ $python, $tools, $mode ], '<', \$in, '>', \$out, '2>', \$err) or diag $err; return $out; };
	srand(1);
	my @pieces = (split(//, ' #=-*_+>|\\`~<>[]()!&;:/.@"\'1a'), "\n", "\n", "\t", '    ', '  ', '```', 'http://e.com', 'www.e.com', 'me@e.com', '&amp;', '&#124;', '<b>', '</script>', '<!--', '---', '===', '| a |', '|-|', '1. ', '[a]: /b', '![x](y)', 'é');
	my @texts = map { join '', map { $pieces[ rand @pieces ] } 1 .. 1 + rand 12 } 1 .. 5000;
	my $texts = literal($json->encode(\@texts));
	is($ask->('read', sql("SELECT jsonb_agg(jsonb_build_array(t, modelreg.markdown_text(t), modelreg.markdown_text(t, true))) FROM jsonb_array_elements_text(${texts}::jsonb) t")), "[]\n", 'texts in Markdown read as texts');
	my $hostile = "# a\n===\n| b | c |\n|---|---|\n    d\n<h1>e</h1>\n[f](http://g)\n```\n1. h";
	sql("SELECT modelreg.grant_level('search', current_user, 'evaluator'); SELECT modelreg.set_description('search.reco', " . literal($hostile) . ", 1), modelreg.set_tag('search.reco', 'a', " . literal($hostile) . ", 1),
		modelreg.record_evaluation('models:/search.reco/1', 'offline', jsonb_build_object(" . literal($hostile) . ", 1), slice => " . literal($hostile) . "),
		modelreg.set_model_card('search.reco', 1, jsonb_build_object('intended_use', " . literal($hostile) . ", 'limitations', " . literal($hostile) . ")),
		modelreg.promote('search.reco', 1, 'Production', " . literal($hostile) . ")");
	is($ask->('headings', sql(q{SELECT modelreg.model_card('search.reco', 1)})), $json->encode([ 'h1 search.reco, version 1', 'h2 Description', 'h2 Intended use', 'h2 Limitations', 'h2 Metrics', 5,
		'h2 Attestations', 5, 'h2 Decisions', 8 ]) =~ s/,(?=["\d])/, /gr . "\n", 'nothing in a card forges a heading, a table or anything else');
	# And they verify what the registry kept, those that openssl signed included.
	my $kept = sql(q{SELECT jsonb_agg(jsonb_build_object('envelope', a.envelope, 'keys', (SELECT jsonb_agg(k.public_key ORDER BY u.nr)
		FROM jsonb_array_elements_text(a.keys) WITH ORDINALITY u (key, nr) JOIN modelreg.signing_keys k USING (key))) ORDER BY a.id) FROM modelreg.attestations a});
	my ($out, $err);
	IPC::Run::run([ $python, $tools, 'verify' ], '<', \$kept, '>', \$out, '2>', \$err) or diag $err;
	is($out, sql('SELECT jsonb_agg(jsonb_array_length(keys) ORDER BY id) FROM modelreg.attestations') . "\n", 'what was kept verifies with securesystemslib');
}

# What was forged: the row fits its hash, and nobody but verify() tells.

is(sql('SELECT * FROM modelreg.verify(deep => true)'), '', 'all of it verifies');
my $open = q{SET modelreg.allow_removal = on; ALTER TABLE modelreg.attestation DISABLE TRIGGER ALL, DROP CONSTRAINT attestation_hash; ALTER TABLE modelreg.signing_key DISABLE TRIGGER ALL;
	ALTER TABLE modelreg.payload DISABLE TRIGGER ALL;};
my $rehash = q{UPDATE modelreg.attestation SET hash = modelreg.row_hash('attestation', format, id, team_id, batch, model_id, version, subject, digest, predicate_type, keys,
	envelope, who, recorded_at);};
# Of the envelope of attestation 1: another text, whose salted digest fits.
sub other_envelope
{
	my ($path, $value) = @_;
	return qq{CREATE TEMP TABLE other AS SELECT digest AS old, salt, modelreg.canonical_json(jsonb_set(body::jsonb, '$path', to_jsonb($value))) AS body FROM modelreg.payload WHERE digest = (SELECT envelope FROM modelreg.attestation WHERE id = 1);
		UPDATE modelreg.payload p SET body = o.body, digest = modelreg.row_hash('payload', 1::smallint, o.salt, o.body) FROM other o WHERE p.digest = o.old;
		UPDATE modelreg.attestation SET envelope = (SELECT modelreg.row_hash('payload', 1::smallint, salt, body) FROM other) WHERE id = 1; $rehash};
}
sub payload_of { return "replace(encode(convert_to(" . literal($_[0]) . ", 'UTF8'), 'base64'), E'\\n', '')"; }
for my $case (
	[ 'another signature', other_envelope('{signatures,0,sig}', "repeat('A', 86) || '=='"), 'a signature is not its key\'s' ],
	[ 'another predicate', other_envelope('{payload}', payload_of($statement =~ s/accord/iscord/r)), 'a signature is not its key\'s' ],
	[ 'another type of predicate', other_envelope('{payload}', payload_of($statement =~ s/approval/refusal/r)), 'its statement is another one' ],
	[ 'another subject', other_envelope('{payload}', payload_of($statement =~ s/$hash/'0' x 64/er)), 'its statement is another one' ],
	[ 'a payload that is none', other_envelope('{payload}', "'!'::text"), 'its envelope is none' ],
	[ 'base64 in another form', other_envelope('{payload}', 'translate(' . payload_of($statement) . qq{, '+/=', '-_')}), 'its envelope is none' ],
	[ 'another key', "UPDATE modelreg.attestation SET keys = '{2}' WHERE id = 1; $rehash", 'a signature is not its key\'s' ],
	[ 'one key more', "UPDATE modelreg.attestation SET keys = '{1,2}' WHERE id = 1; $rehash", 'a signature is not its key\'s' ],
	[ 'a key that is gone', "UPDATE modelreg.attestation SET keys = '{99}' WHERE id = 1; $rehash", 'a key of it is missing, or was not valid when it was recorded' ],
	[ 'recorded before the key was there', "UPDATE modelreg.attestation SET recorded_at = '2020-01-01' WHERE id = 1; $rehash", 'a key of it is missing, or was not valid when it was recorded' ],
	[ 'recorded after it had expired', "UPDATE modelreg.signing_key SET valid_until = registered_at - interval '1 hour'", 'a key of it is missing, or was not valid when it was recorded' ],
	[ 'the key in the row', q{UPDATE modelreg.signing_key SET public_key = sha256('x') WHERE id = 1}, 'a signature is not its key\'s' ],
	[ 'the key and its keyid', q{UPDATE modelreg.signing_key SET public_key = sha256('x'), keyid = encode(sha256(sha256('x')), 'hex') WHERE id = 1}, 'it is not as the events tell' ],
	[ 'of another version', "UPDATE modelreg.attestation SET version = 2 WHERE id = 1; $rehash", 'its digest is not that of its subject' ],
	[ 'of a version that is not there', "UPDATE modelreg.attestation SET version = 9 WHERE id = 1; $rehash", 'its version is missing' ],
	[ 'a head without its event', "UPDATE modelreg.attestation SET recorded_at = recorded_at + interval '1 s' WHERE id = $attested; $rehash", 'no event tells of it' ],
	[ 'a head that is gone', "DELETE FROM modelreg.attestation WHERE id = $attested", 'event registry/1/[0-9]+ tells of it, but the row is missing' ],
	[ 'a revocation undone', undef, 'it is not as the events tell' ])
{
	my ($name, $forge, $detail) = @$case;
	unless (defined $forge)
	{
		sql(q{SELECT modelreg.revoke_key('ed', 'lost')});
		$forge = q{UPDATE modelreg.signing_key SET revoked_at = NULL WHERE name = 'ed'};
	}
	my $found = sql("BEGIN; $open $forge; SELECT string_agg(detail, E'\\n') FROM modelreg.verify(deep => true) WHERE check_name IN ('signature', 'fold', 'reference'); ROLLBACK");
	like($found, qr/^$detail$/m, "found: $name");
}
is(sql('SELECT * FROM modelreg.verify(deep => true)'), '', 'and nothing of it is left');

done_testing();
