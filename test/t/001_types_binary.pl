# Hostile binary input of the types. It needs TAP because receive functions
# cannot be called from SQL: only the protocol and COPY BINARY reach them, and
# malformed COPY data can be made only outside the server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION modelreg;
	CREATE TABLE one_digest (value modelreg.digest);
	CREATE TABLE one_stage (value modelreg.stage);
	CREATE TABLE one_model_uri (value modelreg.model_uri);
	CREATE TABLE one_traffic_split (value modelreg.traffic_split)});

my $dir = PostgreSQL::Test::Utils::tempdir();
my $header = "PGCOPY\n\xff\r\n\0" . pack('NN', 0, 0);
my $trailer = pack('n', 0xffff);

# A COPY file with one row of one field.
sub copy_data
{
	my ($field) = @_;
	return $header . pack('nN', 1, length $field) . $field . $trailer;
}

sub write_file
{
	my ($name, $data) = @_;
	open my $file, '>:raw', "$dir/$name" or die "$dir/$name: $!";
	print $file $data;
	close $file or die "$dir/$name: $!";
	return "$dir/$name";
}

sub copy_in
{
	my ($type, $data) = @_;
	my $path = write_file('data', $data);
	my ($status, $out, $err) = $node->psql('postgres',
		"\\set VERBOSITY verbose\n"
		  . "\\copy one_$type from '$path' (format binary)\n");
	return $err;
}

# A field that the type must refuse, with what error.
sub refused
{
	my ($type, $field, $error, $name) = @_;
	like(copy_in($type, copy_data($field)), $error, "$type: $name");
}

# A field that the type must take, and how it is printed.
sub taken
{
	my ($type, $field, $text, $name) = @_;
	is(copy_in($type, copy_data($field)), '', "$type: $name is taken");
	is( $node->safe_psql('postgres', "DELETE FROM one_$type RETURNING value"),
		$text, "$type: $name is stored as it should be");
}

# digest: one byte of algorithm, 1, and 32 bytes
my $hash = join '', map { chr } 0xe0 .. 0xff;
taken('digest', "\1$hash", 'sha256:' . unpack('H*', $hash), 'a digest');
taken('digest', "\1" . "\0" x 32, 'sha256:' . '0' x 64, 'a digest of zeros');
refused('digest', '', qr/ERROR:  08P01: no data left in message/, 'nothing');
refused('digest', "\1", qr/22P03: .*\n.*sha256 has 32 bytes, not 0\./,
	'only an algorithm');
refused('digest', "\1" . substr($hash, 1),
	qr/22P03: invalid binary format for type modelreg\.digest\n.*sha256 has 32 bytes, not 31\./,
	'one byte less');
refused('digest', "\1$hash!", qr/22P03: .*\n.*has 32 bytes, not 33\./,
	'one byte more');
refused('digest', "\1" . 'x' x 1_000_000,
	qr/22P03: .*\n.*has 32 bytes, not 1000000\./, 'a megabyte');
refused('digest', chr($_) . $hash,
	qr/22P03: .*\n.*Digest algorithm number $_ is not known\./,
	"algorithm $_")
  for 0, 2, 128, 255;
refused('digest', 'sha256:' . '0' x 64,
	qr/22P03: .*\n.*Digest algorithm number 115 is not known\./,
	'the text form');

# stage: the name
taken('stage', 'Production', 'Production', 'a name');
taken('stage', 'aRCHIVED', 'Archived', 'a name in another case');
refused('stage', '', qr/22P02: invalid input syntax/, 'nothing');
refused('stage', "\3", qr/22P02: invalid input syntax/, 'our number');
refused('stage', "\0\3", qr/22021: invalid byte sequence/, 'an integer');
refused('stage', "Staging\0", qr/22021: invalid byte sequence/,
	'a zero byte at the end');
refused('stage', "\xff\xfe", qr/22021: invalid byte sequence/, 'no UTF-8');
refused('stage', 'Staging' x 100_000,
	qr/22P02: invalid input syntax for type modelreg\.stage: "(Staging){11}Sta\.\.\."/,
	'much of it');

# model_uri: the text, checked and made canonical again
taken('model_uri', 'models:/a.b/PRODUCTION', 'models:/a.b/Production',
	'an address in another case');
taken('model_uri', "models:/gr\xc3\xb6\xc3\x9fe.b",
	"models:/gr\xc3\xb6\xc3\x9fe.b", 'a name in UTF-8');
refused('model_uri', '', qr/22P02: .*\n.*At character 1: an address begins/,
	'nothing');
refused('model_uri', 'models:/a.b/0', qr/22P02: .*\n.*At character 13:/,
	'what the text form refuses');
refused('model_uri', "models:/a.b\0", qr/22021: invalid byte sequence/,
	'a zero byte at the end');
refused('model_uri', "models:/a\0.b", qr/22021: invalid byte sequence/,
	'a zero byte within');
refused('model_uri', "models:/a.b\xc3", qr/22021: invalid byte sequence/,
	'half a character');
refused('model_uri', "models:/a.b\xed\xa0\x80",
	qr/22021: invalid byte sequence/, 'a surrogate');
refused('model_uri', 'models:/a.' . 'x' x 1_000_000,
	qr/22P02: .*\n.*the name has 1000000 bytes, more than 255\./, 'a megabyte');

# traffic_split: the text, checked and made canonical again
taken('traffic_split', '{14:5.00%,13: 95%}', '{13: 95%, 14: 5%}',
	'a split in another order');
taken('traffic_split', "{gr\xc3\xb6\xc3\x9fe.b/1: 100%}",
	"{gr\xc3\xb6\xc3\x9fe.b/1: 100%}", 'a name in UTF-8');
refused('traffic_split', '', qr/22P02: .*\n.*At character 1: a split begins/,
	'nothing');
refused('traffic_split', '{1: 99%}', qr/22P02: .*\n.*add up to 99%, not 100%/,
	'what the text form refuses');
refused('traffic_split', "{1: 100%}\0", qr/22021: invalid byte sequence/,
	'a zero byte at the end');
refused('traffic_split', "{1\0: 100%}", qr/22021: invalid byte sequence/,
	'a zero byte within');
refused('traffic_split', "{a.b\xc3/1: 100%}",
	qr/22021: invalid byte sequence/, 'half a character');
refused('traffic_split', '{a.b/1: 100%, ' . '2: 0.0001%, ' x 80_000 . '}',
	qr/22P02: .*\n.*arm 2 is there twice/, 'a megabyte');
refused('traffic_split', '{' . join(', ', map { "$_: 1%" } 1 .. 100) . '}',
	qr/22P02: .*\n.*at most 64 arms/, 'a hundred arms');

# a file that does not keep its promise, whatever the type
foreach my $type ('digest', 'stage', 'model_uri', 'traffic_split')
{
	like(copy_in($type, $header . pack('nN', 1, 33) . "\1abc"),
		qr/22P04: unexpected EOF/, "$type: a field cut off");
	like(copy_in($type, $header . pack('nN', 1, 0xfffffffe) . "\1$hash"),
		qr/22P04: invalid field size/, "$type: a negative length");
	like(copy_in($type, $header . pack('nN', 1, 0x7fffffff) . "\1$hash"),
		qr/ERROR/, "$type: a length beyond any memory");
	is(copy_in($type, $header . pack('nN', 1, 0xffffffff) . $trailer),
		'', "$type: NULL is taken");
	$node->safe_psql('postgres', "TRUNCATE one_$type");
}

# Mutations of good fields, all in one session: each is refused or means
# something that prints and reads again as itself.
srand(20260601);
my %good = (
	digest => [ "\1$hash" ],
	stage => [qw(Experimental Staging Production Archived)],
	model_uri => [
		'models:/a.b', 'models:/a.b/14', 'models:/a.b/latest',
		"models:/\xc3\xa9.b\@x",
		'modelreg:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/31/14' ],
	traffic_split => [
		'{1: 100%}', '{13: 95%, 14: 5%}', '{1:50%,2:25.5%,3:24.5%}',
		"{\xc3\xa9.b/1: 50%, 7: 50%}" ]);
my $script = '';
foreach my $type (sort keys %good)
{
	foreach my $i (1 .. 250)
	{
		my @fields = @{ $good{$type} };
		my $field = $fields[ rand @fields ];
		foreach (0 .. rand 3)
		{
			my $at = int rand length $field;
			my $action = int rand 3;
			substr($field, $at, 1) = chr rand 256 if $action == 0;
			substr($field, $at, rand 4) = '' if $action == 1;
			substr($field, $at, 0) = substr $field, rand length $field, 3
			  if $action == 2;
			last if $field eq '';
		}
		my $path = write_file("$type$i", copy_data($field));
		$script .= "\\copy one_$type from '$path' (format binary)\n";
	}
}
my $err;
$node->psql('postgres', $script, on_error_stop => 0, stderr => \$err);
unlike($err, qr/closed the connection|server process/, 'mutations: no crash');
cmp_ok(scalar(() = $err =~ /ERROR:/g), '>', 200, 'mutations: many are refused');
foreach my $type (sort keys %good)
{
	my ($rows, $stable) = split /\|/, $node->safe_psql('postgres',
		"SELECT count(*), bool_and(value::text::modelreg.$type OPERATOR(modelreg.=) value) FROM one_$type");
	cmp_ok($rows, '>', 0, "mutations: some $type is taken");
	is($stable, 't', "mutations: what is taken as $type reads again as itself");
}
unlike(slurp_file($node->logfile),
	qr/was terminated by signal|PANIC|TRAP/, 'the server is well');

$node->stop;
done_testing();
