#!/usr/bin/env perl
# rls_codes.pl: the README's table of finding codes, from src/rls/codes.c.
use strict;
use warnings FATAL => 'all';

local $/ = undef;
open my $file, '<', 'src/rls/codes.c' or die "src/rls/codes.c: $!";
my $source = <$file>;
close $file or die $!;

while ($source =~ /^\t\[\w+\] = \{\n(.*?)^\t\},/msg)
{
	my $row        = $1;
	my ($name)     = $row =~ /\.name = "(\w+)"/;
	my ($severity) = $row =~ /\.severity = OPS_(P\d)/;
	my ($title)    = $row =~ /\.title = gettext_noop\("(.*)"\)/;

	print "| `$name` | $severity | $title |\n";
}
