
# Maintenance windows: on a standby, behind a lock, through a dump, and for as
# many calls as one likes.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary', undef, allows_streaming => 1);
$node->safe_psql(
	'postgres', q{
	SELECT ops.add_runbook_windows(true);
	INSERT INTO ops.maintenance_window VALUES
	    ('last', 'quarterly', 'friday', -1, '23:30', '4 hours', 'America/Sao_Paulo', '14 days', true, 'it''s long'),
	    ('off', 'daily', NULL, NULL, '03:00', '1 hour', 'Etc/GMT+2', '0', false, NULL);
});

my $answers = q{
	SELECT * FROM ops.next_window(after => '2025-01-01+00', n => 300);
	SELECT at, o.* FROM generate_series(timestamptz '2025-03-29+00', '2025-04-01+00', '1 hour') AS at,
	       ops.window_occurrence(at => at) AS o;
	SELECT at, ops.window_open('last', at) FROM generate_series(timestamptz '2025-03-29+00', '2025-03-30+00', '1 hour') AS at;
};
my $expected = $node->safe_psql('postgres', $answers);
cmp_ok(scalar(split /\n/, $expected), '>', 330, 'there are answers');

# A standby knows the same windows.
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay');
is($standby->safe_psql('postgres', $answers),
	$expected, 'a standby answers the same');
$standby->stop;

# So does a database restored from a dump, switches and comments included.
my $dump = $node->basedir . '/dump.sql';
my $rows = 'SELECT * FROM ops.maintenance_window ORDER BY window_name';
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ],
	'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok(
	[
		'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump,
		$node->connstr('restored')
	],
	'restore');
is( $node->safe_psql('restored', $rows),
	$node->safe_psql('postgres', $rows),
	'the same windows');
is($node->safe_psql('restored', $answers), $expected, 'the same answers');

# A lock on the table is not waited for.
my $locker = $node->background_psql('postgres');
$locker->query_safe(
	'BEGIN; LOCK TABLE ops.maintenance_window IN ACCESS EXCLUSIVE MODE');
my ($status, $stdout, $stderr) = $node->psql('postgres',
	"SET statement_timeout = '60s'; SELECT ops.window_open()");
isnt($status, 0, 'no answer while the table is locked');
like(
	$stderr,
	qr/ops\.maintenance_window is locked by process \d+/,
	'but who locks it');
$locker->query_safe('COMMIT');
$locker->quit;
is($node->safe_psql('postgres', $answers),
	$expected, 'and then it is answered');

# 10,000 rounds of calls, some of which fail, leave nothing behind.
my @sizes = split /\n/, $node->safe_psql(
	'postgres', q{
	CREATE PROCEDURE pg_temp.call(n int) LANGUAGE plpgsql AS
	$$BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM ops.window_open(at => timestamptz '2025-01-01+00' + i * interval '1 hour');
			PERFORM ops.next_window(n => 3);
			PERFORM ops.window_occurrence('last', timestamptz '2025-03-29 04:00+00');
			IF i % 10 = 0 THEN
				BEGIN
					PERFORM ops.next_window('none');
				EXCEPTION WHEN undefined_object THEN
				END;
				COMMIT;
			END IF;
		END LOOP;
	END$$;
	CALL pg_temp.call(2000);
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
	CALL pg_temp.call(2000);
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
	CALL pg_temp.call(10000);
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
});
note("bytes: @sizes");
cmp_ok($sizes[2] - $sizes[1],
	'<', 65536, '10,000 rounds of calls: contexts do not grow');

# Nor within one statement.
my ($calls, $growth) = split /\|/, $node->safe_psql(
	'postgres', q{
	SELECT count(open), max(used) - min(used) FROM (
		SELECT ops.window_open(at => timestamptz '2025-01-01+00' + i * interval '1 hour') AS open,
		       CASE WHEN i IN (2000, 12000) THEN
		           (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE i > 0) END AS used
		  FROM generate_series(1, 12000) AS i OFFSET 0) AS s;
});
note("within one statement: $growth bytes");
is($calls, 12000, 'all of these calls were made');
cmp_ok($growth, '<', 65536, '10,000 calls in one statement: nor there');

$node->stop;
done_testing();
