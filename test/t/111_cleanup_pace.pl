
# What else goes on decides when a run works, and what it must not touch it
# says before: limits of time and load, guards that need a server to meet
# them, and the check that reads the log.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsCleanup;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary', <<~CONF);
	autovacuum = off
	max_wal_size = 256MB
	min_wal_size = 32MB
	checkpoint_timeout = 1h
	checkpoint_completion_target = 0.9
	CONF
my $run;

sub sql
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

# Old rows, and a policy of the table's name.
sub old_rows
{
	my ($table, $rows) = @_;

	sql(qq{
		CREATE TABLE $table (id int PRIMARY KEY, at timestamptz, filler text);
		INSERT INTO $table SELECT i, now() - '100 days'::interval, repeat('x', 100) FROM generate_series(1, $rows) AS i;
		CREATE INDEX ON $table (at);
		ANALYZE $table;
		SELECT ops.add_retention('$table', 'at', '30 days', policy_name => '$table', overrides => '{share}')}
	);
	return;
}

# The guard that stops deletion from a table, by the plan, and whether the
# call is refused by its name.
sub guarded
{
	my ($table,  $column, $guard)  = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres',
		"SELECT * FROM ops.cleanup_old_rows('$table', '$column', '30 days')");

	isnt($status, 0, "$guard: refused");
	like($stderr, qr/The guard "$guard" stopped it/, "$guard: by name");
	is( sql(qq{SELECT stopped_by FROM ops.cleanup_plan(target => '$table', time_column => '$column', keep => '30 days')}
		),
		$guard,
		"$guard: in the plan");
	return;
}

# Limits of time.
old_rows('times', 100000);
$run = run_cleanup($node, q('times', stop_at => now() - interval '1 s'));
is($run->{deleted}, 0, 'nothing after stop_at');
like($run->{stopped}, qr/the time is up/, 'which is why');
$run = run_cleanup($node, q('times', duty => 0.02, max_duration => '500 ms'));
like($run->{stopped}, qr/the time is up/, 'max_duration ends a run');
cmp_ok($run->{deleted}, '>', 0,      'in the middle');
cmp_ok($run->{deleted}, '<', 100000, 'of its work');
my $busy = sql(
	q{SELECT coalesce(sum(ms) / nullif(extract(epoch FROM max(ended_at) - min(ended_at)) * 1000, 0), 0) FROM ops.cleanup_batch}
);
cmp_ok($busy, '<', 0.3, 'duty leaves most of the time to others');

# As long as somebody works, batches are shorter and half of the time is his;
# who works is known by a snapshot, or by a transaction id.
sub shared_run
{
	my ($table) = @_;

	old_rows($table, 100000);
	my $one = run_cleanup($node, "'$table'");
	is($one->{deleted}, 100000, "$table: all rows go");
	return (
		$one->{batches},
		sql(qq{SELECT coalesce(sum(ms) / nullif(extract(epoch FROM max(b.ended_at) - min(b.ended_at)) * 1000, 0), 0)
			FROM ops.cleanup_batch b JOIN ops.cleanup_run r USING (run_id) WHERE r.policy_name = '$table'}
		));
}
my ($alone, $share_alone) = shared_run('alone');
my $reader = $node->background_psql('postgres');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
my ($read, $share_read) = shared_run('beside_reader');
$reader->query_safe('COMMIT');
my $stream = $node->background_psql('postgres');
$stream->query_until(qr/writing/,
	"\\echo writing\nSELECT pg_current_xact_id() \\watch 0.02\n");
my ($written, $share_written) = shared_run('beside_writer');
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_current_xact_id%' AND pid <> pg_backend_pid()}
);
eval { $stream->{run}->finish };
$reader->quit;
cmp_ok($read,          '>', 1.5 * $alone, 'smaller batches beside a reader');
cmp_ok($share_read,    '<', 0.6,          'and half of the time is his');
cmp_ok($written,       '>', 1.5 * $alone, 'smaller batches beside a writer');
cmp_ok($share_written, '<', 0.6,          'and half of the time is his');
cmp_ok($share_alone,   '>', 0.6,          'alone all of it is ours');

# Sessions that work, and sessions that wait.
old_rows('load', 2000);
my @busy = map { $node->background_psql('postgres') } 1 .. 2;
$_->query_until(qr/working/, "\\echo working\nSELECT pg_sleep(60);\n")
  for @busy;
wait_until($node,
	q{SELECT count(*) = 2 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()}
);
$run =
  run_cleanup($node, q('load', max_sessions => 1, on_pressure => 'stop'));
like($run->{stopped}, qr/2 sessions are working/, 'max_sessions');
is($run->{deleted}, 0, 'and nothing is deleted');
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()}
);
eval { $_->{run}->finish } for @busy;

sql('CREATE TABLE contended (i int)');
my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN; LOCK TABLE contended');
my @waiters = map { $node->background_psql('postgres') } 1 .. 2;
$_->query_until(qr/waiting/, "\\echo waiting\nSELECT * FROM contended;\n")
  for @waiters;
wait_until($node, q{SELECT count(*) = 2 FROM pg_locks WHERE NOT granted});
$run = run_cleanup($node, q('load', max_waiters => 1, on_pressure => 'stop'));
like($run->{stopped}, qr/2 sessions wait for locks/, 'max_waiters');
$holder->query_safe('COMMIT');
$holder->quit;
$_->quit for @waiters;

# WAL: how fast it is written, and how far the next checkpoint is.
old_rows('logged', 60000);
old_rows('near',   1000);
sql('CHECKPOINT');
$run = run_cleanup($node,
	q('logged', max_wal_rate => 1000, duty => 0.03, on_pressure => 'stop'));
like($run->{stopped}, qr/bytes of WAL are written a second/, 'max_wal_rate');
sql('CHECKPOINT');
$run = run_cleanup($node,
	q('near', yield_to_checkpoints => true, on_pressure => 'stop', max_rows => 10)
);
like($run->{stopped}, qr/max_rows/, 'a checkpoint that is far is no reason');

# The next one begins with the seventh file from where the last one stood.
sql('SELECT pg_switch_wal()');
sql('CHECKPOINT');
sql(q{CREATE TABLE written (filler text);
	DO $$ BEGIN
		WHILE pg_current_wal_insert_lsn() - (SELECT redo_lsn FROM pg_control_checkpoint()) < 105 * 1024 * 1024 LOOP
			INSERT INTO written SELECT repeat(md5(i::text), 30) FROM generate_series(1, 500) AS i;
		END LOOP;
	END $$}
);
$run = run_cleanup($node,
	q('near', yield_to_checkpoints => true, on_pressure => 'stop'));
like($run->{stopped}, qr/since the last checkpoint/, 'one that is near is');

# Guards that need more than a regression test has.
guarded('ops.cleanup_run', 'started_at', 'extension_table');
sql(q{CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
	CREATE FOREIGN TABLE far (id int, at timestamptz) SERVER nowhere});
guarded('far', 'at', 'foreign_table');
sql(q{CREATE TABLE parent (id int PRIMARY KEY, at timestamptz); CREATE TABLE child (id int, parent int REFERENCES parent);
	INSERT INTO parent SELECT i, now() - '1 day'::interval * i FROM generate_series(1, 100) AS i;
	INSERT INTO child SELECT i, 1 FROM generate_series(1, 5000) AS i; ANALYZE}
);
guarded('parent', 'at', 'slow_foreign_key');
my $other = $node->background_psql('postgres');
$other->query_safe(
	q{CREATE TEMP TABLE theirs AS SELECT now() - '1 year'::interval AS at});
guarded(
	sql(q{SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'theirs'}
	),
	'at',
	'other_temp');
$other->quit;

# Nothing but holes, so it takes no space.
sql('CREATE TABLE huge (at timestamptz); CHECKPOINT');
my $path =
  $node->data_dir . '/' . sql(q{SELECT pg_relation_filepath('huge')});
foreach
  my $file ([ $path, 1024 * 1024 * 1024 ], [ "$path.1", 64 * 1024 * 1024 ])
{
	open(my $handle, '>>', $file->[0]) or die "$file->[0]: $!";
	truncate($handle, $file->[1])      or die "$file->[0]: $!";
	close($handle)                     or die "$file->[0]: $!";
}
guarded('huge', 'at', 'no_index');

# The check reads what became of it.
sub retention_check
{
	return sql(
		q{SELECT status || '|' || coalesce(message, '') || '|' || coalesce(details::text, '') FROM ops.checks('deep', '{retention}')}
	);
}
sql('DELETE FROM ops.retention_policy');
like(retention_check(), qr/^unknown\|there is no policy/, 'no policy');
old_rows('watched', 100);
like(
	retention_check(),
	qr/^ok\|policy "watched" was made 0 h ago/,
	'a new one is not late');
sql(q{UPDATE ops.retention_policy SET created_at = now() - interval '5 days'}
);
like(retention_check(), qr/^warn\|.*never finished/, 'one that never ran is');
run_cleanup($node, q('watched'));
like(
	retention_check(),
	qr/^ok\|1 policy; it last finished 0 h ago/,
	'one that ran is not');
sql(q{UPDATE ops.cleanup_run SET ended_at = now() - interval '3 days' WHERE policy_name = 'watched'}
);
like(retention_check(), qr/^warn\|.*last finished 72 h ago/, 'until it is');
sql(q{SELECT ops.alter_retention('watched', overrides => '{}'); INSERT INTO watched SELECT 1000, now() - interval '1 year'}
);
run_cleanup($node, q('watched'));
like(
	retention_check(),
	qr/^warn\|1 policy could not.*guard share/,
	'a guard is told');
sql(q{UPDATE ops.retention_policy SET enabled = false});
like(
	retention_check(),
	qr/^unknown\|there is no policy/,
	'one that is off is not looked at');

$node->stop;
done_testing();
