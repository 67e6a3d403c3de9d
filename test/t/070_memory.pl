
# 10,000 calls in one session take no more memory than 4,000: the first round
# fills caches, and the second those of the measurement itself.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary', 'operations_runbook.sample_interval = 1ms');
$node->safe_psql('postgres',
	'CREATE TABLE t (id bigserial PRIMARY KEY, r bigint REFERENCES t); INSERT INTO t DEFAULT VALUES'
);

# Bytes of the session's memory contexts, and of the process, after each
# round of calls: ops.health() and ops.checks() in turn.
sub growth
{
	my ($calls, $depth, $commit) = @_;
	my $sql = qq{
		CREATE TEMP TABLE used (round int, contexts bigint, rss bigint);
		CREATE PROCEDURE pg_temp.round(n int) LANGUAGE plpgsql AS
		\$\$BEGIN
			FOR i IN 1 .. $calls / 5 LOOP
				PERFORM ops.health('default', '$depth');
				PERFORM count(*) FROM ops.checks('$depth');
				$commit
			END LOOP;
			INSERT INTO used
			SELECT n, sum(total_bytes),
			       (SELECT substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\\s+(\\d+)')::bigint * 1024)
			  FROM pg_backend_memory_contexts;
			$commit
		END\$\$;
		CALL pg_temp.round(1);
		CALL pg_temp.round(2);
		CALL pg_temp.round(3);
		CALL pg_temp.round(4);
		CALL pg_temp.round(5);
		SELECT max(contexts) FILTER (WHERE round > 2) - max(contexts) FILTER (WHERE round = 2),
		       max(rss) FILTER (WHERE round > 2) - max(rss) FILTER (WHERE round = 2)
		  FROM used;
	};

	return split /\|/, $node->safe_psql('postgres', $sql);
}

my ($contexts, $process) = growth(10000, 'fast', 'COMMIT;');
note("fast: contexts grew by $contexts bytes, the process by $process");
cmp_ok($contexts, '<', 65536, '10,000 fast calls: contexts do not grow');
cmp_ok(
	$process, '<',
	1024 * 1024,
	'10,000 fast calls: the process does not grow');

($contexts, $process) = growth(10000, 'fast', '');
note(
	"fast, one transaction each round: contexts $contexts, process $process");
cmp_ok($contexts, '<', 65536, '10,000 fast calls in few transactions');

($contexts, $process) = growth(500, 'deep', 'COMMIT;');
note("deep: contexts grew by $contexts bytes, the process by $process");
cmp_ok($contexts, '<', 65536, '500 deep calls: contexts do not grow');
cmp_ok(
	$process, '<',
	2 * 1024 * 1024,
	'500 deep calls: the process does not grow');

# Nor do calls that are cut off, or that measure nothing.
my @sizes = split /\n/, $node->safe_psql(
	'postgres', q{
	CREATE PROCEDURE pg_temp.cut(n int) LANGUAGE plpgsql AS
	$$BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM ops.health('default', 'deep', NULL, '100 microseconds');
			BEGIN
				PERFORM ops.health("only" => '{nonesuch}');
			EXCEPTION WHEN OTHERS THEN
			END;
			COMMIT;
		END LOOP;
	END$$;
	CALL pg_temp.cut(500);
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
	CALL pg_temp.cut(500);
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
	CALL pg_temp.cut(2000);
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
});
note("cut off: @sizes");
cmp_ok($sizes[2] - $sizes[1],
	'<', 65536, 'calls that fail or run out of time: contexts do not grow');

# Retention: rows that go, a guard that stops, plans, and whole runs.
$node->safe_psql(
	'postgres', q{
	CREATE TABLE old (id int, at timestamptz, body text);
	INSERT INTO old SELECT i, now() - '1 hour'::interval * i, repeat('x', 50) FROM generate_series(1, 20000) AS i;
	CREATE INDEX ON old (at);
	ANALYZE old;
	SELECT ops.add_retention('old', 'at', '700 days', policy_name => 'old');
});
@sizes = split /\n/, $node->safe_psql(
	'postgres', q{
	CREATE PROCEDURE pg_temp.clean(n int) LANGUAGE plpgsql AS
	$$BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM ops.cleanup_old_rows('old', 'at', '90 days', overrides => '{share}', max_rows => 1);
			PERFORM ops.cleanup_plan('old');
			BEGIN
				PERFORM ops.cleanup_old_rows('old', 'at', '90 days');
			EXCEPTION WHEN OTHERS THEN
			END;
			COMMIT;
		END LOOP;
	END$$;
	CALL pg_temp.clean(300);
	\o /dev/null
	SELECT $$CALL ops.run_cleanup('old', progress => NULL)$$ FROM generate_series(1, 200) \gexec
	\o
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
	CALL pg_temp.clean(300);
	\o /dev/null
	SELECT $$CALL ops.run_cleanup('old', progress => NULL)$$ FROM generate_series(1, 200) \gexec
	\o
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
	CALL pg_temp.clean(600);
	\o /dev/null
	SELECT $$CALL ops.run_cleanup('old', progress => NULL)$$ FROM generate_series(1, 300) \gexec
	\o
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
});
note("retention: @sizes");
cmp_ok($sizes[2] - $sizes[1], '<', 65536, 'retention: contexts do not grow');

# Maintenance: calls while the window is closed, plans, and runs with a step.
$node->safe_psql(
	'postgres', q{
	INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
	VALUES ('closed', 'daily', (now() AT TIME ZONE 'UTC' + '12 hours'::interval)::time, '1 minute', 'UTC');
	CREATE TABLE busy (id int);
	INSERT INTO ops.maintenance_rule (schema_name, relation_name, freeze_share) VALUES ('public', 'busy', 0);
});
my $round = q{
	\o /dev/null
	SELECT $$CALL ops.run_maintenance('closed')$$ FROM generate_series(1, 1000) \gexec
	SELECT $$SELECT count(*) FROM ops.maintenance_plan()$$ FROM generate_series(1, 200) \gexec
	SELECT $$CALL ops.run_maintenance(tasks => '{vacuum}')$$ FROM generate_series(1, 50) \gexec
	\o
	SELECT sum(total_bytes), (SELECT substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s+(\d+)')::bigint * 1024)
	  FROM pg_backend_memory_contexts;
};
@sizes = split /\n/,
  $node->safe_psql('postgres',
	'SET client_min_messages = error;' . $round x 6);
note("maintenance: @sizes");

# The allocator takes some rounds until it has what it needs.
my ($first, $last) = map { [ split /\|/ ] } @sizes[ 3, 5 ];
cmp_ok($last->[0] - $first->[0],
	'<', 65536, 'maintenance: contexts do not grow');
cmp_ok(
	$last->[1] - $first->[1],
	'<',
	1024 * 1024,
	'maintenance: the process does not grow');
is( $node->safe_psql(
		'postgres',
		q(SELECT count(*) FROM ops.maintenance_step WHERE object = 'public.busy' AND status = 'done')
	),
	300,
	'maintenance: each run had a step');

$node->stop;
done_testing();
