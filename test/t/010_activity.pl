
# Checks of sessions and processes, each driven into what it can say.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary', 'max_prepared_transactions = 5');

# prepared
status_is($node, 'prepared', 'ok', 'none prepared');
$node->safe_psql('postgres',
	q(BEGIN; CREATE TABLE p (i int); PREPARE TRANSACTION 'left''over'));
threshold($node, 'prepared', warning => 0.001, critical => 1000);
my $row = status_is($node, 'prepared', 'warn', 'one prepared');
is( $row->{remedy},
	q(ROLLBACK PREPARED 'left''over';),
	'remedy quotes the name');
threshold($node, 'prepared', warning => 0.001, critical => 0.002);
status_is($node, 'prepared', 'fail', 'one prepared for too long');
$node->safe_psql('postgres', q(ROLLBACK PREPARED 'left''over'));
status_is($node, 'prepared', 'ok', 'finished');

$node->stop;
done_testing();
