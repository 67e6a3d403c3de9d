
# The check "rls" says what an audit would, and notices when that changes.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary');
my $row;

$row = status_is($node, 'rls', 'unknown', 'there is nothing to audit');
is($row->{details}{reason}, 'not_applicable', 'which is not applicable');

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE app NOLOGIN;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
CREATE TABLE orders (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON orders (tenant_id);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON orders TO app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
GRANT SELECT ON orders TO app;
SQL

# One session all along: each step changes something that it has to notice.
my $session =
  $node->background_psql('postgres', extra_params => [ '-U', 'watcher' ]);

sub says
{
	my ($status, $claim) = @_;
	my $got = $session->query_safe(
		q(SELECT status || ': ' || message FROM ops.checks('deep', '{rls}')));

	like($got, qr/^$status: /, $claim);
	return $got;
}

my $clean = says('ok|warn', 'no leak at first');
unlike($clean, qr/P0/, 'none at all');
is( $session->query_safe(q(SELECT message FROM ops.checks('deep', '{rls}'))),
	$clean =~ s/^\w+: //r,
	'the same when asked again');

$node->safe_psql('postgres',
	'CREATE POLICY wide ON orders TO app USING (true)');
like(says('fail', 'a policy that opens the table'), qr/P0/, 'is a P0');
$node->safe_psql('postgres', 'DROP POLICY wide ON orders');
unlike(says('ok|warn', 'the policy is gone'), qr/P0/, 'and the P0 with it');

$node->safe_psql('postgres', 'ALTER TABLE orders DISABLE ROW LEVEL SECURITY');
like(says('fail', 'row security switched off'), qr/P0/, 'is a P0');
$node->safe_psql('postgres', <<'SQL');
INSERT INTO ops.rls_waiver
SELECT finding_id, 'a test', now() + interval '5 seconds' FROM ops.rls_audit()
 WHERE class = 'security' AND severity IN ('P0', 'P1');
SQL
like(says('ok|warn', 'all of it waived'), qr/waived/, 'which is said');
$node->safe_psql('postgres', 'SELECT pg_sleep(5.5)');
like(says('fail', 'the waiver is over'), qr/P0/, 'and the P0 is back');
$node->safe_psql('postgres',
	q(UPDATE ops.rls_waiver SET until = now() + interval '1 day'));
like(says('ok|warn', 'waived once more'), qr/waived/, 'which is said');
$node->safe_psql('postgres', 'DELETE FROM ops.rls_waiver');
like(says('fail', 'the waiver is deleted'), qr/P0/, 'and the P0 is back');
$node->safe_psql('postgres', 'REVOKE SELECT ON orders FROM app');
unlike(says('ok|warn|unknown', 'nobody can reach it'), qr/P0/, 'so no P0');
$node->safe_psql('postgres',
	'ALTER TABLE orders ENABLE ROW LEVEL SECURITY; GRANT SELECT ON orders TO app'
);
says('ok|warn', 'as it was');

# A change that is rolled back
$session->quit;
is( $node->safe_psql(
		'postgres', q(
		BEGIN;
		ALTER TABLE orders DISABLE ROW LEVEL SECURITY;
		SELECT status FROM ops.checks('deep', '{rls}');
		ROLLBACK;
		SELECT status = 'fail' FROM ops.checks('deep', '{rls}'))
	),
	"fail\nf",
	'a leak that was rolled back');

# Never green for want of time
$node->safe_psql('postgres',
	q(DO $$ BEGIN FOR i IN 1..50 LOOP EXECUTE format('CREATE TABLE t%s (tenant_id int)', i); END LOOP; END $$)
);
is( $node->safe_psql(
		'postgres',
		q(SELECT status, details ->> 'reason' FROM ops.checks('deep', '{rls}', '10 ms'))
	),
	'unknown|out_of_budget',
	'too many relations for the budget');

# Nor by a lock on what was declared
my $holder = $node->background_psql('postgres');
$holder->query_safe(
	'BEGIN; LOCK TABLE ops.rls_waiver IN ACCESS EXCLUSIVE MODE');
is( $node->safe_psql(
		'postgres',
		q(SELECT status, details ->> 'reason' FROM ops.checks('deep', '{rls}'))
	),
	'unknown|locked',
	'nobody knows what is waived');
$holder->query_safe('ROLLBACK');
$holder->quit;

$node->stop;
done_testing();
