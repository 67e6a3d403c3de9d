
# The README tells the truth: its tables of checks and findings are the
# extension's own, and every SQL example in it runs.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $readme = slurp_file('README.md');
my $node   = new_server('primary');

my ($table) = $readme =~ /<!-- checks: begin -->\n(.*?)<!-- checks: end -->/s;
ok(defined $table, 'README has a table of checks');
$table =~ s/\A.*?\n\|---[^\n]*\n//s;
is( $table,
	$node->safe_psql('postgres', slurp_file('test/lib/check_table.sql'))
	  . "\n",
	'the table of checks is current: else run make docs');

my ($codes) =
  $readme =~ /<!-- rls codes: begin -->\n(.*?)<!-- rls codes: end -->/s;
ok(defined $codes, 'README has a table of findings');
$codes =~ s/\A.*?\n\|---[^\n]*\n//s;
is( $codes,
	(run_command([ 'perl', 'test/lib/rls_codes.pl' ]))[0] . "\n",
	'the table of findings is current: else run make docs');

# Settings are listed, all of them.
my @settings = split /\n/,
  $node->safe_psql('postgres',
	q(SELECT name FROM pg_settings WHERE name LIKE 'operations_runbook.%' ORDER BY name)
  );
cmp_ok(scalar @settings, '>', 5, 'there are settings');
like($readme, qr/`\Q$_\E`/, "README tells of $_") for @settings;

# In order, each in a session of its own, as somebody would type them.
my @examples = $readme =~ /^```sql\n(.*?)^```/msg;
cmp_ok(scalar @examples, '>=', 5, 'there are examples');
foreach my $example (@examples)
{
	next if $example =~ /^CREATE EXTENSION operations_runbook/m;
	my ($status, $stdout, $stderr) =
	  $node->psql('postgres', $example, on_error_stop => 1);
	my ($first_line) = $example =~ /\A([^\n]*)/;

	is($status, 0, "example: $first_line") or diag($stderr);
}

$node->stop;
done_testing();
