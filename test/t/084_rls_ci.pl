# The README's section on row security: what it shows is what comes out, and
# its line for CI fails on a leak and on nothing else.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $readme = slurp_file('README.md');
my ($section) = $readme =~ /^(## Row security: .*?)^## /ms;
ok(defined $section, 'README has the section');

my ($recipe) = $section =~ /^```sh\n(psql [^\n]*)\n```/m;
ok(defined $recipe, 'and a line for CI');

my $node = new_server('primary');
local $ENV{PGHOST}     = $node->host;
local $ENV{PGPORT}     = $node->port;
local $ENV{PGDATABASE} = 'postgres';

sub waive
{
	my ($code, $until) = @_;

	$node->safe_psql(
		'postgres',
		"INSERT INTO ops.rls_waiver (finding_id, reason, until)
		 SELECT finding_id, 'test', $until FROM ops.rls_audit() WHERE code = '$code'
		 ON CONFLICT (finding_id) DO UPDATE SET until = EXCLUDED.until");
	return;
}

# Exit status of the line, and what it printed.
sub run_recipe
{
	my ($stdout, $stderr) = run_command([ 'sh', '-c', $recipe ]);

	return ($? >> 8, "$stdout$stderr");
}

# The same, but for what is said of the server's age, which is no matter of
# the schema.
sub in_ci
{
	waive('server_rls_cve', 'now() + interval $$1 hour$$');
	return run_recipe();
}

my ($status, $said) = in_ci();
is($status, 0, 'an empty database passes') or diag($said);

# The examples in order, each with the output that follows it, if one does.
my @parts = split /^```sql\n/m, $section;
shift @parts;
foreach my $part (@parts)
{
	my ($sql, $rest) = $part =~ /\A(.*?)^```\n(.*)/ms;
	my ($first_line) = $sql =~ /\A([^\n]*)/;
	my ($stdout, $stderr) =
	  run_command([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-c', $sql ]);

	is($? >> 8, 0, "runs: $first_line") or diag($stderr);
	if ($rest =~ /\A\s*```\n(.*?)^```/ms)
	{
		my $shown = $1;

		s/\s+$//mg for $shown, $stdout;
		is($stdout, $shown, "shows what it says: $first_line");
	}

	($status, $said) = in_ci();
	if ($sql =~ /CREATE POLICY/)
	{
		isnt($status, 0, 'a leak fails');
		like(
			$said,
			qr/P0 policy_default_open .*orders.* [0-9a-f]{16}$/m,
			'and is named, with its id');

		waive('policy_default_open', 'now() + interval $$1 hour$$');
		($status, $said) = in_ci();
		is($status, 0, 'waived, it passes') or diag($said);

		waive('policy_default_open', 'now()');
		($status, $said) = in_ci();
		isnt($status, 0, 'when its time is over, it fails again');
	}
	elsif ($sql =~ /ALTER POLICY/)
	{
		is($status, 0, 'mended, it passes') or diag($said);
	}
}

# P1 fails like P0, what is less does not.
$node->safe_psql('postgres', 'GRANT TRUNCATE ON orders TO shop_api');
($status, $said) = in_ci();
isnt($status, 0, 'a P1 fails');
like($said, qr/P1 truncate_granted /, 'and is named');
$node->safe_psql('postgres',
	'REVOKE TRUNCATE ON orders FROM shop_api; CREATE TABLE later (id int, tenant_id uuid); ALTER TABLE later ENABLE ROW LEVEL SECURITY; GRANT SELECT ON later TO shop_api'
);
is( $node->safe_psql(
		'postgres',
		q(SELECT severity, code FROM ops.rls_audit() WHERE object_name = 'later' AND severity < 'P3')
	),
	'P2|rls_enabled_no_policy',
	'there is a P2');
($status, $said) = in_ci();
is($status, 0, 'and it passes') or diag($said);

# Nothing is taken for clean that was not looked at.
$node->safe_psql('postgres', 'CREATE ROLE nobody_much LOGIN');
{
	local $ENV{PGUSER} = 'nobody_much';

	($status, $said) = run_recipe();
	isnt($status, 0, 'who may not audit fails');
}
$node->stop;
($status, $said) = run_recipe();
isnt($status, 0, 'a server that is not there fails');

done_testing();
