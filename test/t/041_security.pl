
# Checks of roles and of what everybody may do, each driven into what it can
# say.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary');
my $row;

# roles
$node->safe_psql('postgres', 'CREATE ROLE watcher LOGIN IN ROLE pg_monitor');
$row = status_is($node, 'roles', 'ok', 'only the one who made the cluster');
is($row->{value}, 0, 'who is not counted');
$node->safe_psql('postgres', 'CREATE ROLE vault SUPERUSER NOLOGIN');
status_is($node, 'roles', 'ok', 'nobody can log in as that one');
$node->safe_psql('postgres', 'CREATE ROLE reader LOGIN BYPASSRLS');
$row = status_is($node, 'roles', 'warn', 'one bypasses row security');
is( $row->{remedy},
	'ALTER ROLE reader NOSUPERUSER NOBYPASSRLS;',
	'the remedy names it');
$node->safe_psql('postgres', 'CREATE ROLE "The Boss" LOGIN SUPERUSER');
$row = status_is($node, 'roles', 'warn', 'and one is superuser');
is($row->{value},                      2,          'both are counted');
is($row->{details}{culprits}[0]{role}, 'The Boss', 'the superuser first');
threshold($node, 'roles', critical => 2);
status_is($node, 'roles', 'fail', 'two are too many', role => 'watcher');
reset_threshold($node, 'roles');

$node->safe_psql('postgres',
	q(ALTER SYSTEM SET operations_runbook.superusers = '"The Boss"', 'reader')
);
$node->reload;
ok(poll_status($node, 'roles', 'ok'), 'roles: both are on the list');
$node->safe_psql('postgres',
	q(ALTER SYSTEM SET operations_runbook.superusers = reader));
$node->reload;
ok(poll_status($node, 'roles', 'warn'), 'roles: one is no longer');
$node->safe_psql('postgres', check($node, 'roles')->{remedy});
status_is($node, 'roles', 'ok', 'the remedy helps');

# password_expiry
$row = status_is($node, 'password_expiry', 'ok', 'none expires');
is($row->{value}, undef, 'so there is nothing to measure');
$node->safe_psql('postgres', <<~SQL);
	CREATE ROLE forever LOGIN PASSWORD 'x' VALID UNTIL 'infinity';
	CREATE ROLE retired NOLOGIN VALID UNTIL '2001-01-01';
	CREATE ROLE app LOGIN PASSWORD 'x';
	SQL
status_is($node, 'password_expiry', 'ok', 'those do not count');

sub valid_until
{
	my ($interval) = @_;

	$node->safe_psql('postgres',
		qq(SELECT format('ALTER ROLE app VALID UNTIL %L', now() + '$interval') \\gexec)
	);
	return;
}

valid_until('15 days');
$row = status_is($node, 'password_expiry', 'ok', 'in 15 days');
cmp_ok(abs($row->{value} - 15), '<', 0.1, 'the days are counted');
valid_until('13 days');
$row = status_is($node, 'password_expiry', 'warn', 'in 13 days');
is($row->{details}{culprits}[0]{role}, 'app', 'the role is named');
valid_until('-3 days');
$row = status_is($node, 'password_expiry', 'fail', '3 days ago');
cmp_ok(abs($row->{value} + 3), '<', 0.1, 'the days are counted');
like($row->{message}, qr/"app" [23] d \d+ h ago/, 'in words, too');
$node->safe_psql('postgres', $row->{remedy});
$row = status_is($node, 'password_expiry', 'warn', 'the remedy buys time');
$node->safe_psql('postgres', 'ALTER ROLE app NOLOGIN');
status_is($node, 'password_expiry', 'ok', 'no longer a login role');

# md5_passwords
$row = status_is($node, 'md5_passwords', 'ok', 'none');
is($row->{value}, 0, 'none is counted');
$node->safe_psql('postgres', <<~SQL);
	SET password_encryption = 'md5';
	CREATE ROLE "old App" LOGIN PASSWORD 'x';
	CREATE ROLE old_group NOLOGIN PASSWORD 'x';
	SQL
$row = status_is($node, 'md5_passwords', 'warn', 'one');
is($row->{value},                      1, 'only the login role is counted');
is($row->{details}{culprits}[0]{role}, 'old App', 'and named');
threshold($node, 'md5_passwords', critical => 1);
status_is($node, 'md5_passwords', 'fail', 'one is too many');
$row =
  status_is($node, 'md5_passwords', 'unknown', 'to others',
	role => 'watcher');
is($row->{details}{reason}, 'denied', 'because it is denied');
unlike($row->{message}, qr/old App/, 'and nobody is named');
$node->safe_psql('postgres',
	q(SET password_encryption = 'scram-sha-256'; ALTER ROLE "old App" PASSWORD 'y')
);
status_is($node, 'md5_passwords', 'ok', 'changed');

# public_schema_create
status_is($node, 'public_schema_create', 'ok', 'as the server makes it');
$node->safe_psql('postgres', 'GRANT CREATE ON SCHEMA public TO watcher');
$row = status_is($node, 'public_schema_create', 'ok', 'one role is not all');
is($row->{value}, 0, 'so nothing is found');
$node->safe_psql('postgres', 'GRANT CREATE ON SCHEMA public TO PUBLIC');
$row = status_is($node, 'public_schema_create', 'warn', 'everybody');
is($row->{value}, 1, 'found');
threshold($node, 'public_schema_create', critical => 1);
status_is($node, 'public_schema_create', 'fail', 'if so wished');
$node->safe_psql('postgres', $row->{remedy});
status_is($node, 'public_schema_create', 'ok', 'the remedy helps');
$node->safe_psql('postgres', 'DROP SCHEMA public');
status_is($node, 'public_schema_create', 'ok', 'there is no such schema');

$node->stop;
done_testing();
