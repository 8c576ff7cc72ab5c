# Rooms: who may include whom, and who may open whose tables. A room may call those before it in the Makefile's ROOMS, never
# those after it; docs/architecture.md says why. TAP because it reads the sources; it needs no server.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Find;
use Test::More;

my $top = dirname(__FILE__) . '/../..';

sub slurp
{
	my ($path) = @_;
	open(my $in, '<', $path) or die "$path: $!";
	local $/;
	return scalar <$in>;
}

sub without_comments
{
	my ($text) = @_;
	$text =~ s{/\*.*?\*/}{}gs;
	return $text;
}

my ($list) = slurp("$top/Makefile") =~ /^ROOMS = (.+)$/m;
my @rooms = split ' ', $list;
my %place = map { $rooms[$_] => $_ } 0 .. $#rooms;

my @files;
find({ wanted => sub { push @files, $File::Find::name if /\.(?:c|h|sql)$/ }, no_chdir => 1 }, "$top/src");
my %text = map { my $path = $_; $path =~ s{^\Q$top\E/}{}; $path => slurp($_) } sort @files;

# Which room each table and view stands in.
my %owner;
for my $path (grep { /\.sql$/ } keys %text)
{
	my ($room) = $path =~ m{^src/(\w+)/};
	$owner{$1} = $room while $text{$path} =~ /^CREATE (?:TABLE|VIEW|SEQUENCE) modelreg\.(\w+)/mg;
}

my (@wrong_room, @upward, @tables, @postgres);
my ($includes, $opened) = (0, 0);
for my $path (sort keys %text)
{
	my ($room) = $path =~ m{^src/(\w+)/} or next;
	push @wrong_room, $path unless exists $place{$room};
	next if $path =~ /\.sql$/;
	my $code = without_comments($text{$path});
	while ($code =~ /^#include "(\w+)\/(\w+\.h)"/mg)
	{
		# the server has a folder "access" too
		next unless exists $text{"src/$1/$2"};
		$includes++;
		push @upward, "$path includes $1" if $place{$1} > $place{$room};
	}
	while ($code =~ /\bmr_(?:table_open(?:_read)?|insert_row|nextval)\("(\w+)"/g)
	{
		$opened++;
		if (!exists $owner{$1}) { push @tables, "$path opens $1, which no room made" }
		elsif ($place{ $owner{$1} } > $place{$room}) { push @tables, "$path opens $1 of $owner{$1}" }
	}
	push @postgres, $path if $path =~ /\.h$/ && $code =~ /^#include "(?:postgres|c)\.h"/m;
}

cmp_ok($includes, '>', 100, 'includes were found');
cmp_ok($opened, '>', 40, 'opened tables were found');
is_deeply(\@wrong_room, [], 'every folder is one of the rooms');
is_deeply(\@upward, [], 'no room includes a header of a later room');
is_deeply(\@tables, [], 'no room opens a table of a later room');
is_deeply(\@postgres, [], 'no header includes postgres.h');

done_testing();
