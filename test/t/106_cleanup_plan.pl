
# A plan waits for no lock, says who holds one, knows who else will feel the
# cleanup, and estimates what it does not count.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_server(
	'primary', q(
wal_level = logical
autovacuum = off
), allows_streaming => 'logical');
my $plan =
  q(ops.cleanup_plan(target => 'event', time_column => 'at', keep => '30 days'));

$node->safe_psql(
	'postgres', q(
CREATE TABLE event (id int PRIMARY KEY, at timestamptz, read boolean);
INSERT INTO event SELECT i, now() - i * interval '1 day', i % 2 = 0 FROM generate_series(1, 50) AS i;
CREATE TABLE waiver (event_id int);
));

# A lock on the table, on one that a condition reads, and one that is queued.
my $locker = $node->background_psql('postgres');
my $pid    = $locker->query_safe('SELECT pg_backend_pid()');
$locker->query_safe('BEGIN; LOCK TABLE event');
my $start = time;
is( $node->safe_psql(
		'postgres',
		"SELECT method, rows IS NULL, note LIKE '%Process $pid %' FROM $plan"
	),
	'block sweep|t|t',
	'a locked table is planned without its rows, and says who locked it');
$locker->query_safe('ROLLBACK; BEGIN; LOCK TABLE waiver');
my ($status, $stdout, $stderr) = $node->psql(
	'postgres',
	q(SELECT * FROM ops.cleanup_plan(target => 'event', time_column => 'at', keep => '30 days',
		condition => 'id NOT IN (SELECT event_id FROM waiver)')));
like(
	$stderr,
	qr/relation "waiver" is locked/,
	'a condition over a locked table is refused');
$locker->query_safe('ROLLBACK; BEGIN; SELECT FROM event LIMIT 1');
my $queued = $node->background_psql('postgres');
$queued->query_until(qr/queued/,
	"\\echo queued\nBEGIN;\nLOCK TABLE event;\n");
$node->poll_query_until('postgres',
	q(SELECT count(*) = 1 FROM pg_locks WHERE NOT granted AND relation = 'event'::regclass)
) or die 'no lock is awaited';
is( $node->safe_psql(
		'postgres', "SELECT rows IS NULL, note LIKE '%locked%' FROM $plan"),
	't|t',
	'nor does it join a queue');
cmp_ok(time - $start, '<', 20, 'none of it waits');
$locker->query_safe('ROLLBACK');
$queued->quit;
$locker->quit;
is( $node->safe_psql('postgres', "SELECT method, rows FROM $plan"),
	'block sweep|21',
	'then they are counted');

# Its own locks are gone once it has returned.
is( $node->safe_psql(
		'postgres',
		"BEGIN; SELECT count(*) FROM $plan;
		 SELECT count(*) FROM pg_locks WHERE relation IN ('event'::regclass, 'waiver'::regclass); COMMIT"
	),
	"1\n0",
	'no lock is kept');

# Estimates of old rows that lie together, anywhere, and in a few pages.
$node->safe_psql(
	'postgres', q(
CREATE TABLE layout (at timestamptz, scattered timestamptz, rare timestamptz, filling text);
INSERT INTO layout
SELECT now() - i * interval '1 minute',
	now() - (i::bigint * 7919 % 100000) * interval '1 minute',
	now() - CASE WHEN i % 50000 = 0 THEN interval '60 days' ELSE interval '1 day' END,
	repeat('x', 100)
FROM generate_series(1, 100000) AS i;
));
foreach my $column (qw(at scattered rare))
{
	is( $node->safe_psql(
			'postgres',
			qq(SELECT abs(rows - truth) <= 2 * greatest(rows_high - rows, rows - rows_low), rows_low < rows_high,
				rows_high - rows_low < 12000, bytes >= rows * 100, (details ->> 'exact')::boolean
			   FROM ops.cleanup_plan(target => 'layout', time_column => '$column', keep => '30 days'),
				(SELECT count(*) FROM layout WHERE $column < now() - interval '30 days') AS t (truth))
		),
		't|t|t|t|f',
		"$column: near the truth, within an interval that says something");
}

# Who else will feel it.
$node->safe_psql(
	'postgres', q(
CREATE PUBLICATION all_of_it FOR ALL TABLES;
CREATE PUBLICATION inserts FOR TABLE event WITH (publish = 'insert');
SELECT pg_create_logical_replication_slot('subscriber', 'pgoutput');
));
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay');
my $effects = "SELECT array_to_string(replication, '; ') FROM $plan";
is( $node->safe_psql('postgres', $effects),
	'1 standby or WAL receiver replays it; slot "subscriber" decodes it; publication "all_of_it" publishes it',
	'standbys, slots and publications are named');
$node->safe_psql('postgres', 'ALTER TABLE event REPLICA IDENTITY FULL');
like(
	$node->safe_psql('postgres', $effects),
	qr/REPLICA IDENTITY FULL/,
	'and whole rows in the WAL');
$node->safe_psql('postgres', 'CREATE UNLOGGED TABLE fleeting (at date)');
is( $node->safe_psql(
		'postgres',
		q(SELECT replication IS NULL, wal_bytes FROM ops.cleanup_plan(target => 'fleeting', time_column => 'at', keep => '30 days'))
	),
	't|0',
	'an unlogged table is nobody else\'s matter');

# On a standby there is a plan, and a guard.
$node->wait_for_catchup($standby, 'replay');
is( $standby->safe_psql(
		'postgres', "SELECT method, rows, stopped_by FROM $plan"),
	'refused|21|standby',
	'a standby plans and refuses');

$_->stop for ($standby, $node);
done_testing();
