
# Checks of the cumulative statistics, each driven into what it can say.
#
# Samples are taken every 100 ms here, and 64 of them are kept.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my @rates =
  qw(deadlocks rollback_ratio temp_files cache_hit checkpoints growth);

my $node = new_server(
	'primary', q(
deadlock_timeout = 10ms
operations_runbook.sample_interval = 100ms
),
	allows_streaming => 1,
	extra            => ['--data-checksums']);

# Statistics are reported as soon as the session ends, which may be a little
# later: hence the waiting.
sub becomes
{
	my ($server, $name, $status, $claim) = @_;

	ok(poll_status($server, $name, $status), "$name: $claim")
	  or diag("$name says: " . check($server, $name)->{message});
	return check($server, $name);
}

# Have the server finish transactions.
sub finish
{
	my ($how, $count) = @_;

	$node->safe_psql('postgres',
		"DO 'BEGIN FOR i IN 1..$count LOOP $how; END LOOP; END'");
}

# Read a table that is larger than shared buffers.
sub read_big
{
	my ($times) = @_;

	$node->safe_psql('postgres',
		"DO 'BEGIN FOR i IN 1..$times LOOP PERFORM count(*) FROM big; END LOOP; END'"
	);
}

# Two sessions lock the same rows in different order.  Either may be the one
# that is refused.
sub deadlock
{
	my ($one, $two) = @_;

	$one->query('BEGIN; UPDATE pair SET i = i WHERE i = 1');
	$two->query('BEGIN; UPDATE pair SET i = i WHERE i = 2');
	$one->query_until(qr/waiting/,
		"\\echo waiting\nUPDATE pair SET i = i WHERE i = 2;\n");
	$two->query('UPDATE pair SET i = i WHERE i = 1');
	$two->query('ROLLBACK; SELECT pg_stat_force_next_flush()');
	$one->query('ROLLBACK; SELECT pg_stat_force_next_flush()');
}

$node->safe_psql(
	'postgres', q(
	CREATE TABLE pair AS SELECT i FROM generate_series(1, 2) i;
	CREATE TABLE big AS SELECT repeat('x', 500) FROM generate_series(1, 30000);
	CREATE TABLE small AS SELECT i FROM generate_series(1, 100) i;
	CREATE INDEX ON small (i);
	VACUUM big, small, pair;
	CHECKPOINT));

# The first look leaves a sample and no more, except for what is there since
# the statistics began.  It is one look: a second one could be late enough.
my $names = join(',', @rates);
is( $node->safe_psql(
		'postgres',
		qq(SELECT concat_ws(' ', check_name, status, message, details ->> 'reason')
		     FROM ops.checks("only" => '{$names}') ORDER BY check_name COLLATE "C")
	),
	join("\n",
		map { "$_ unknown needs a second sample too_young" } sort @rates),
	'the first look');
my $began = time;
status_is($node, 'checksum_failures', 'ok', 'no page is damaged');
my $row = status_is($node, 'conflicts', 'unknown', 'on a primary');
is($row->{details}{reason}, 'not_applicable', 'there are no conflicts');

# With a second sample there are figures.
$row = becomes($node, 'deadlocks', 'ok', 'nobody locks');
like($row->{message}, qr/^0 deadlocks in the last \d+ s$/, 'in this time');
becomes($node, 'temp_files',  'ok', 'nobody sorts');
becomes($node, 'checkpoints', 'ok', 'no checkpoint yet');

# Ratios of next to nothing are none.
$row = status_is($node, 'rollback_ratio', 'unknown', 'an idle server');
like(
	$row->{message},
	qr/^only \d+ transactions in the last \d+ s, needs 1000$/,
	'says how few transactions there were');
$row = status_is($node, 'cache_hit', 'unknown', 'an idle server');
like(
	$row->{message},
	qr/^only \d+ blocks asked for in the last \d+ s, needs 100000$/,
	'says how few blocks were read');

# rollback_ratio
finish('COMMIT', 3000);
becomes($node, 'rollback_ratio', 'ok', 'all transactions commit');
finish('ROLLBACK', 12);
becomes($node, 'rollback_ratio', 'warn', 'a few roll back');
finish('ROLLBACK', 60);
becomes($node, 'rollback_ratio', 'fail', 'many roll back');

# cache_hit
$node->safe_psql('postgres',
	'SET enable_seqscan = off; SELECT sum((SELECT i FROM small WHERE i = g % 100 + 1)) FROM generate_series(1, 300000) g'
);
becomes($node, 'cache_hit', 'ok', 'a small table');
read_big(5);
becomes($node, 'cache_hit', 'warn', 'a few scans of a large one');
read_big(40);
becomes($node, 'cache_hit', 'fail', 'many scans of a large one');

# growth: 30 sampling intervals make a window, 60 make it long enough to
# extrapolate.  Nothing has grown so far.
my $left = $began + 3.1 - time;
sleep($left) if $left > 0;
SKIP:
{
	$row = check($node, 'growth');
	skip 'this machine is too slow', 1 if time - $began > 5.5;
	like(
		$row->{message},
		qr/needs to look on for longer/,
		'growth: half of the time is too little');
}
$node->safe_psql('postgres',
	"ALTER SYSTEM SET operations_runbook.sample_interval = '10ms'");
$node->reload;
becomes($node, 'growth', 'ok', 'nothing has grown');
threshold($node, 'growth', critical => 1e9);
$node->safe_psql('postgres',
	"CREATE TABLE more AS SELECT repeat('x', 500) FROM generate_series(1, 30000)"
);
becomes($node, 'growth', 'warn', 'a table has come');
reset_threshold($node, 'growth');
$row = status_is($node, 'growth', 'fail', 'and so on all day long');
cmp_ok($row->{value}, '>', 100, 'would multiply the database');
$node->safe_psql('postgres',
	"ALTER SYSTEM RESET operations_runbook.sample_interval");
$node->reload;

# temp_files: real files, but not gigabytes of them.
$node->safe_psql('postgres',
	q(SET work_mem = '64kB'; SELECT count(*) FROM (SELECT g FROM generate_series(1, 300000) g ORDER BY g DESC OFFSET 1) s)
);
threshold($node, 'temp_files', warning => 0.001, critical => 1000);
becomes($node, 'temp_files', 'warn', 'a sort on disk');
threshold($node, 'temp_files', warning => 0.001, critical => 0.002);
$row = status_is($node, 'temp_files', 'fail', 'a sort on disk');
like($row->{message}, qr/^\d+ temporary files?, /, 'counts the files');

# deadlocks
my $one = $node->background_psql('postgres', on_error_stop => 0);
my $two = $node->background_psql('postgres', on_error_stop => 0);
deadlock($one, $two);
becomes($node, 'deadlocks', 'warn', 'one deadlock');
deadlock($one, $two) for (1 .. 5);
$row = becomes($node, 'deadlocks', 'fail', 'six deadlocks');
like($row->{message}, qr/^6 deadlocks in the last/, 'counts them all');
$one->quit;
$two->quit;

# checkpoints
$node->safe_psql('postgres', 'CHECKPOINT') for (1 .. 2);
sleep 0.2;
status_is($node, 'checkpoints', 'ok', 'two requested are an accident');
$node->safe_psql('postgres', 'CHECKPOINT') for (1 .. 2);
$row = becomes($node, 'checkpoints', 'fail', 'all of them requested');
is($row->{value}, 100, 'that is all');
threshold($node, 'checkpoints', critical => 101);
status_is($node, 'checkpoints', 'warn', 'all of them requested');

# conflicts
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'max_standby_streaming_delay = 0');
$standby->start;
$node->wait_for_catchup($standby);
status_is($standby, 'conflicts', 'unknown', 'the first look');
becomes($standby, 'conflicts', 'ok', 'no query cancelled');
status_is($standby, 'checkpoints', 'unknown', 'the first look');
becomes($standby, 'checkpoints', 'ok', 'on a standby, too');

my $reader = $standby->background_psql('postgres', on_error_stop => 0);
$reader->query('BEGIN ISOLATION LEVEL REPEATABLE READ');
$reader->query('SELECT count(*) FROM pair');
$node->safe_psql('postgres', 'DELETE FROM pair');
$node->safe_psql('postgres', 'VACUUM pair');
becomes($standby, 'conflicts', 'warn', 'a query cancelled');
threshold($node, 'conflicts', critical => 1);
$node->wait_for_catchup($standby);
$row = status_is($standby, 'conflicts', 'fail', 'a query cancelled');
like($row->{message}, qr/^1 query cancelled by replay/, 'one it was');
$reader->quit;
$standby->stop;

# A reset makes all samples useless.
$node->safe_psql('postgres', 'SELECT pg_stat_reset()');
status_is($node, 'deadlocks', 'unknown', 'after a reset');
becomes($node, 'deadlocks', 'ok', 'a new beginning');

# checksum_failures, here and in the shared catalogs; nothing to see when
# there are no checksums.
my ($file, $shared) = split /\n/,
  $node->safe_psql('postgres',
	q(SELECT pg_relation_filepath('big'); SELECT pg_relation_filepath('pg_shdescription'))
  );
$node->stop;
$node->corrupt_page_checksum($_, 0) for ($file, $shared);
$node->append_conf('postgresql.conf', q(shared_preload_libraries = ''));
$node->start;
$node->psql('postgres', 'SELECT count(*) FROM big', stderr => \my $stderr);
like($stderr, qr/invalid page/, 'a page is damaged');
$row = becomes($node, 'checksum_failures', 'fail', 'a page is damaged');
is($row->{details}{culprits}[0]{database}, 'postgres', 'in this database');
$node->psql('postgres', 'SELECT * FROM pg_shdescription');
$node->poll_query_until('postgres',
	q(SELECT value = 2 FROM ops.checks("only" => ARRAY['checksum_failures'])))
  or die 'the second page is not counted';
$row = check($node, 'checksum_failures');
is( $row->{message},
	'2 damaged pages read since the statistics began',
	'those of shared catalogs are added');

# Before 18, whoever reads a shared catalog is charged with it.
is( $row->{details}{culprits}[1]{name} // 'none',
	$node->pg_version >= 18 ? 'shared catalogs' : 'none',
	'and told apart');

# Nobody keeps samples unless the library is preloaded.
for my $name (@rates)
{
	check($node, $name);
	$row = status_is($node, $name, 'unknown', 'not preloaded');
	is( $row->{message},
		'needs a second sample: preload operations_runbook to keep one',
		"$name says what to do");
}

$node->stop;
system_or_bail('pg_checksums', '--disable', '-D', $node->data_dir);
$node->start;
status_is($node, 'checksum_failures', 'warn', 'checksums are off');

$node->stop;
done_testing();
