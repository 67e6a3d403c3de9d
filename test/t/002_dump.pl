
# What is different here survives dump and restore.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary');
my $dump = $node->basedir . '/dump.sql';

threshold(
	$node, 'connections',
	warning  => 61,
	critical => 'Infinity',
	severity => 'P2',
	gates    => 'true',
	reason   => q(we''re small));
threshold($node, 'prepared', enabled => 'false');

my $rows   = 'SELECT * FROM ops.threshold ORDER BY check_name COLLATE "C"';
my $before = $node->safe_psql('postgres', $rows);

$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ],
	'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok(
	[
		'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump,
		$node->connstr('restored')
	],
	'restore');
is($node->safe_psql('restored', $rows), $before, 'the same rows');
is(check($node, 'connections', database => 'restored')->{warning},
	61, 'and they are heeded');

$node->stop;
done_testing();
