# The faults of the sample application are those its README lists: all of
# them are found, and nothing of P0 or P1 besides.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $app  = 'examples/sample-app';
my $node = new_server('primary');
$node->safe_psql('postgres', slurp_file("$app/$_.sql"))
  foreach qw(10-roles 20-schema 40-security);

my %known =
  map { $_ => 1 } slurp_file('src/rls/codes.c') =~ /\.name = "(\w+)"/g;
my %found;
foreach my $line (
	split /\n/,
	$node->safe_psql(
		'postgres',
		'SELECT severity, code, coalesce(schema_name, $$$$), object_name, object FROM ops.rls_audit()'
	))
{
	my ($severity, $code, $schema, $name, $object) = split /\|/, $line;

	push @{ $found{$code} },
	  { names => [ $name, "$schema.$name", $object ], severity => $severity };
}
my $secure = grep { $_->{severity} lt 'P2' }
  map { @{ $found{$_} } } grep { !/^server_/ } keys %found;
cmp_ok($secure, '>', 10, 'the audit found something');

# | `object`, `object` | code, code |
my ($table) = slurp_file("$app/README.md") =~
  /^\| object \| fault \|\n(.*?rls_disabled.*?)\n\n/ms;
my $listed = 0;
foreach my $row (split /\n/, $table)
{
	my (undef, $objects, $faults) = split /\s*\|\s*/, $row;
	my @codes = grep { $known{$_} } $faults =~ /(\w+)/g;

	next unless @codes;
	$objects =~ s/, through .*//;
	foreach my $object ($objects =~ /`([^`]+)`/g)
	{
		my $pattern = join '.*', map { quotemeta } split /\*|\(\)/, $object;
		my $of      = qr/^(?:public\.|.* in )?$pattern(?:\w*|\(.*\))$/;

		foreach my $code (@codes)
		{
			my @here = grep {
				grep { $_ =~ $of }
				  @{ $_->{names} }
			} @{ $found{$code} };

			ok(scalar @here, "$code: $object");
			$listed += grep { $_->{severity} lt 'P2' && !$_->{seen}++ } @here;
		}
	}
}
is($listed, $secure, 'there is nothing of P0 or P1 that is not listed')
  or diag(
	explain(
		[
			grep { $_->{severity} lt 'P2' && !$_->{seen} }
			map  { @{ $found{$_} } } keys %found
		]));

done_testing();
