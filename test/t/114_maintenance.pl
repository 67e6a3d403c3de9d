
# ops.run_maintenance(): what it does, in its time, whoever is in the way and
# however it ends.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use IPC::Run;
use OpsCleanup;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = new_server('primary', <<~CONF, allows_streaming => 1);
	autovacuum = off
	max_worker_processes = 8
	max_prepared_transactions = 2
	max_logical_replication_workers = 0
	restart_after_crash = on
	lc_messages = 'C'
	CONF

sub sql
{
	my ($sql, %how) = @_;

	return $node->safe_psql($how{database} // 'postgres', $sql);
}

# A call in the background; what it said is there when it is finished.
sub start_run
{
	my ($arguments, %how) = @_;
	my %run = (out => '', err => '', started => time);

	$run{handle} = IPC::Run::start(
		[
			'psql', '-XqAt',
			'-v',   'VERBOSITY=verbose',
			'-U',   $how{role} // scalar getpwuid($<),
			'-c',   "CALL ops.run_maintenance($arguments)",
			'-d',   $node->connstr($how{database} // 'postgres')
		],
		'>',
		\$run{out},
		'2>',
		\$run{err},
		IPC::Run::timeout(180));
	return \%run;
}

sub finish_run
{
	my ($run) = @_;

	$run->{handle}->finish;
	$run->{seconds} = time - $run->{started};
	@$run{qw(run_id done skipped failed stopped)} =
	  split(/\|/, $run->{out} =~ s/\n\z//r, -1);
	return $run;
}

sub run_maintenance
{
	my ($arguments, %how) = @_;

	return finish_run(start_run($arguments, %how));
}

# Its run, the latest, and its steps, as they are written down.
sub last_run
{
	return one_row($node,
		'SELECT * FROM ops.maintenance_run ORDER BY run_id DESC LIMIT 1');
}

sub steps
{
	my ($condition) = @_;

	return sql(
		"SELECT task, object, status FROM ops.maintenance_step
		 WHERE run_id = (SELECT max(run_id) FROM ops.maintenance_run) AND $condition ORDER BY step_no"
	);
}

sub wait_for_step
{
	my ($object) = @_;

	$node->poll_query_until('postgres',
		"SELECT EXISTS (SELECT FROM ops.maintenance_progress WHERE active AND object = '$object')"
	) or die "no step about $object";
	return;
}

# A table with so many rows, of which so many are dead.
sub make_table
{
	my ($name, $rows, $dead) = @_;

	sql(qq{
		DROP TABLE IF EXISTS $name;
		CREATE TABLE $name (id int, body text);
		INSERT INTO $name SELECT i, repeat('x', 200) FROM generate_series(1, $rows) AS i;
		ANALYZE $name;
		DELETE FROM $name WHERE id % $rows < $dead;
		CHECKPOINT;
	});
	$node->poll_query_until('postgres',
		"SELECT pg_stat_get_dead_tuples('$name'::regclass) = $dead")
	  or die "$name: not counted";
	return;
}

# With this, VACUUM takes its time over pages that are clean.
my $slowly = 'vacuum_cost_delay => 100';

sub is_idle
{
	my ($claim) = @_;

	return is(
		sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'operations_runbook worker'}
		),
		0, $claim);
}

# The catalogs, of which installing the extension has changed some.
sql('ANALYZE');

# What there is to do, it does, and then there is nothing to do.
sql(q{
	CREATE SCHEMA "we""ird";
	CREATE TABLE "we""ird"."Ta;ble" (id int, tenant int, body text);
	INSERT INTO "we""ird"."Ta;ble" SELECT i, i % 100, repeat(md5(i::text), 6) FROM generate_series(1, 200000) AS i;
	CREATE INDEX "In dex" ON "we""ird"."Ta;ble" (id, body);
	ANALYZE "we""ird"."Ta;ble";
	DELETE FROM "we""ird"."Ta;ble" WHERE id % 5 <> 0;
	CREATE TABLE tail (id int, body text);
	INSERT INTO tail SELECT i, repeat('y', 400) FROM generate_series(1, 50000) AS i;
	ANALYZE tail;
	DELETE FROM tail WHERE id > 1000;
	CREATE TABLE fresh (id int);
	INSERT INTO fresh SELECT generate_series(1, 100000);
	VACUUM fresh;
	CREATE TABLE parted (id int) PARTITION BY RANGE (id);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000000);
	INSERT INTO parted SELECT generate_series(1, 50000);
	CREATE TABLE held (id int PRIMARY KEY);
	CREATE INDEX held_id_idx_ccnew ON held (id);
	UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'held_id_idx_ccnew'::regclass;
	CREATE TABLE quiet (id int);
	INSERT INTO quiet SELECT generate_series(1, 10000);
});

# Where a session's own rows are not counted any more when it has ended.
sql('VACUUM ANALYZE quiet; VACUUM ANALYZE parted_1');
my %size_before = map { $_ => sql("SELECT pg_relation_size('$_')") }
  ('"we""ird"."In dex"', 'tail');
is( sql('SELECT task, object, action FROM ops.maintenance_plan() WHERE task IN (\'leftovers\', \'vacuum\', \'analyze\')'
	),
	join("\n",
		'leftovers|public.held_id_idx_ccnew|run',
		'vacuum|"we""ird"."Ta;ble"|run',
		'vacuum|public.tail|run',
		'analyze|"we""ird"."Ta;ble"|run',
		'analyze|public.fresh|run',
		'analyze|public.tail|run',
		'analyze|public.parted|run'),
	'the plan');
my $run = run_maintenance('');

is("$run->{done}|$run->{skipped}|$run->{failed}|$run->{stopped}",
	'8|0|0|', 'all is done')
  or diag($run->{err}, steps('true'));
is( steps(q(task <> 'report')),
	join("\n",
		'leftovers|public.held_id_idx_ccnew|done',
		'vacuum|"we""ird"."Ta;ble"|done',
		'vacuum|public.tail|done',
		'analyze|"we""ird"."Ta;ble"|done',
		'analyze|public.fresh|done',
		'analyze|public.tail|done',
		'analyze|public.parted|done',
		'reindex|"we""ird"."In dex"|done'),
	'and written down');
like(
	$run->{err},
	qr/NOTICE:  00000: step 1, DROP INDEX CONCURRENTLY public.held_id_idx_ccnew: done/,
	'the client sees how far it is');
is(steps(q(task = 'report' AND object = 'autovacuum')),
	'report|autovacuum|reported', 'what people have to do is reported');
is( sql(q(SELECT sum(n_dead_tup) FROM pg_stat_user_tables WHERE schemaname <> 'ops')
	),
	0,
	'no dead rows are left');
is( sql(q(SELECT count(*) FROM pg_stats WHERE tablename IN ('fresh', 'parted'))
	),
	2,
	'statistics are there');
is(sql(q(SELECT to_regclass('held_id_idx_ccnew') IS NULL)),
	't', 'the left-over index is gone');

for my $relation (sort keys %size_before)
{
	cmp_ok(
		sql("SELECT pg_relation_size('$relation')"),
		'<',
		$size_before{$relation} / 2,
		"$relation is smaller");
}
is( sql(q(SELECT string_agg(DISTINCT object, ',' ORDER BY object) FROM ops.maintenance_step WHERE bytes_after < bytes_before / 2)
	),
	'"we""ird"."In dex",public.tail',
	'and that is written down, too');
is(last_run()->{status}, 'done', 'the run has ended');
ok(defined last_run()->{ended_at}, 'and it is known when');
$run = run_maintenance('');
is("$run->{done}|$run->{skipped}|$run->{failed}",
	'0|0|0', 'a second run finds nothing to do')
  or diag($run->{err});
is_idle('and leaves nobody behind');

# Rules: a limit for a table, and what is left alone.
make_table('public.ruled',    10000, 800);
make_table('public.excluded', 10000, 8000);
is(sql(q(SELECT object FROM ops.maintenance_plan(tasks => '{vacuum}'))),
	'public.excluded', 'few dead rows are no matter');
sql(q{INSERT INTO ops.maintenance_rule (schema_name, relation_name, dead_rows, dead_share) VALUES ('public', 'ruled', 10, 0.01);
	INSERT INTO ops.maintenance_rule (schema_name, dead_rows) VALUES ('public', 1000000);
	INSERT INTO ops.maintenance_rule (schema_name, relation_name, dead_rows, exclude) VALUES ('public', 'excluded', 0, '{vacuum}');
});
is( sql(q(SELECT object, action, note FROM ops.maintenance_plan(tasks => '{vacuum}') ORDER BY 1)
	),
	"public.excluded|skip|excluded by ops.maintenance_rule\npublic.ruled|run|",
	'unless a rule says so');
run_maintenance(q(tasks => '{vacuum}'));
is( steps('true'),
	"vacuum|public.excluded|skipped\nvacuum|public.ruled|done",
	'and it is heard');
sql('DELETE FROM ops.maintenance_rule; DROP TABLE ruled, excluded');

# What a prepared transaction may still have to see, no VACUUM removes.
sql(q{BEGIN; SELECT txid_current(); PREPARE TRANSACTION 'in_doubt'});
make_table('public.kept', 20000, 10000);
my $plan =
  q(SELECT object, action, command FROM ops.maintenance_plan(tasks => '{vacuum}'));
is( sql($plan),
	q(public.kept|report|ROLLBACK PREPARED 'in_doubt'),
	'dead rows that have to stay are reported');
like(
	sql(q(SELECT reason FROM ops.maintenance_plan(tasks => '{vacuum}'))),
	qr/it is prepared transaction "in_doubt"/,
	'with who keeps them');
run_maintenance(q(tasks => '{vacuum}'));
is(steps('true'), 'vacuum|public.kept|reported', 'and nothing is done');
sql(q{ROLLBACK PREPARED 'in_doubt'});
is( sql($plan),
	'public.kept|run|VACUUM (TRUNCATE false) public.kept',
	'until it is decided');
sql('DROP TABLE kept');

# A table that somebody has locked is left alone, and nobody queues behind us.
make_table('public.locked', 20000, 10000);
make_table('public.other',  20000, 5000);
my $holder = $node->background_psql('postgres', on_error_stop => 1);
$holder->query_safe('BEGIN; LOCK TABLE locked');
$run = run_maintenance(q(tasks => '{vacuum}', lock_timeout => '200 ms'));
is( steps('true'),
	"vacuum|public.locked|skipped\nvacuum|public.other|done",
	'a locked table is skipped, the others are not');
like(
	sql(q(SELECT sqlstate || ' ' || error FROM ops.maintenance_step WHERE object = 'public.locked')
	),
	qr/^55P03 .*lock/,
	'and it is said why');
cmp_ok($run->{seconds}, '<', 5, 'after a short time');
$holder->query_safe('COMMIT');

# Somebody who wants to lock the table goes first.
make_table('public.wanted', 20000, 19000);
$run = start_run("tasks => '{vacuum}', lock_timeout => '300 ms', $slowly");
wait_for_step('public.wanted');
my $start = time;
sql('ALTER TABLE wanted ADD COLUMN more int');
cmp_ok(time - $start, '<', 5, 'the step does not keep others waiting');
finish_run($run);
like(
	sql(q(SELECT status || ': ' || error FROM ops.maintenance_step WHERE object = 'public.wanted')
	),
	qr/^cancelled: process \d+ waits for it$/,
	'which is written down');
sql('DROP TABLE wanted, locked, other');

# Time.  The step that takes longer is cancelled after the grace, the next is
# not begun.
make_table('public.slow', 40000, 39000);
make_table('public.soon', 20000, 10000);
$run = run_maintenance(
	"tasks => '{vacuum}', max_duration => '2 s', grace => '1 s', $slowly");
is( steps('true'),
	"vacuum|public.slow|cancelled\nvacuum|public.soon|skipped",
	'the step is ended, the next not begun');
cmp_ok($run->{seconds}, '<', 6, 'in time');
is(last_run()->{status},  'stopped',        'the run was stopped');
is(last_run()->{stopped}, 'the time is up', 'and says why');
$run = run_maintenance("tasks => '{vacuum}', step_timeout => '1 s', $slowly");
like(
	sql(q(SELECT error FROM ops.maintenance_step WHERE object = 'public.slow' ORDER BY run_id DESC LIMIT 1)
	),
	qr/time/,
	'a step has a time of its own');
sql(q(UPDATE ops.maintenance_step SET started_at = ended_at - '1 day'::interval, bytes_before = 10000000 WHERE task = 'vacuum' AND status = 'done')
);
run_maintenance("tasks => '{vacuum}', max_duration => '1 minute'");
is( steps('true'),
	"vacuum|public.slow|skipped\nvacuum|public.soon|skipped",
	'what does not fit is not begun: steps have been slow here');
is( sql(q(SELECT bool_and(fits) FROM ops.maintenance_plan(tasks => '{vacuum}', max_duration => '1 minute'))
	),
	'f',
	'as the plan says');
is(last_run()->{status}, 'stopped', 'and that is no complete run');
sql(q(DELETE FROM ops.maintenance_step));

# A REINDEX that is cut off leaves nothing behind.
sql(q{
	CREATE TABLE indexed (id int, body text);
	INSERT INTO indexed SELECT i, repeat(md5(i::text), 6) FROM generate_series(1, 200000) AS i;
	CREATE INDEX indexed_body ON indexed (id, body);
	DELETE FROM indexed WHERE id % 5 <> 0;
});
sql('VACUUM ANALYZE indexed');
my $old = $node->background_psql('postgres', on_error_stop => 1);
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
run_maintenance(q(tasks => '{reindex}', step_timeout => '3 s'));
is( steps('true'),
	"reindex|public.indexed_body|cancelled\nleftovers|public.indexed_body_ccnew|done",
	'a REINDEX waits for an old transaction, until its time is up, and is cleared up'
);
$old->query_safe('COMMIT');
run_maintenance(q(tasks => '{leftovers,reindex}'));
is(steps('true'), 'reindex|public.indexed_body|done', 'the next run does it');
is(sql(q(SELECT count(*) FROM pg_index WHERE NOT indisvalid)),
	0, 'and no invalid index is left');
sql('DROP TABLE indexed');

# Windows.
sql(q{
	INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
	VALUES ('closed', 'daily', (now() AT TIME ZONE 'UTC' + '6 hours'::interval)::time, '1 hour', 'UTC'),
	       ('open', 'daily', (now() AT TIME ZONE 'UTC' - '10 minutes'::interval)::time, '2 hours', 'UTC'),
	       ('off', 'daily', '00:00', '1 day', 'UTC');
	UPDATE ops.maintenance_window SET enabled = false WHERE window_name = 'off';
});
for my $case (
	[ 'closed', qr/"closed" is closed until/ ],
	[ 'off',    qr/"off" is switched off/ ])
{
	my ($window, $reason) = @$case;

	$run = run_maintenance("'$window'");
	like(
		$run->{err},
		qr/NOTICE:  00000: nothing was done: /,
		"$window: nothing");
	like($run->{stopped}, $reason, "$window: and why");
}
$run = run_maintenance(q('none'));
like(
	$run->{err},
	qr/ERROR:  42704: maintenance window "none" does not exist/,
	'no such window');
$run = run_maintenance(q('open', tasks => '{vacuum}'));
is($run->{done}, 2, 'an open one');
make_table('public.again', 20000, 10000);
$run = run_maintenance(q('open', tasks => '{vacuum}'));
like(
	$run->{stopped},
	qr/this occurrence of maintenance window "open" has had its run/,
	'once in each occurrence');
$run = run_maintenance(q('open', tasks => '{analyze}'));
isnt($run->{run_id}, '', 'for the same tasks');
$run = run_maintenance(q('open', tasks => '{vacuum}', again => true));
is($run->{done}, 1, 'unless it is told to');

# A window that closes in the meantime.
sql('DROP TABLE slow, soon, again');
make_table('public.slow', 40000, 39000);
make_table('public.soon', 20000, 10000);
sql(q{INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
	VALUES ('closing', 'daily', (clock_timestamp() AT TIME ZONE 'UTC' - '1 minute'::interval)::time, '63 s', 'UTC')}
);
$run = run_maintenance(
	"'closing', tasks => '{vacuum}', grace => '500 ms', $slowly");
is( steps('true'),
	"vacuum|public.slow|cancelled\nvacuum|public.soon|skipped",
	'a window closes');
cmp_ok($run->{seconds}, '<', 7, 'and that is the end');

# Two at once.
$run = start_run("tasks => '{vacuum}', $slowly");
wait_for_step('public.slow');
my $second = run_maintenance(q(tasks => '{vacuum}'));
like(
	$second->{stopped},
	qr/^another run is at work in this database, process \d+$/,
	'one works, the other says so');
like(
	sql('SELECT step_no, steps, ended, task, phase, percent IS NOT NULL FROM ops.maintenance_progress'
	),
	qr/^1\|2\|0\|vacuum\|(scanning heap|vacuuming heap|initializing)\|/,
	'others see how far it is');

# Cancelled.
is(sql('SELECT ops.cancel_maintenance()'), 't', 'it can be cancelled');
finish_run($run);
like(
	$run->{err},
	qr/ERROR:  57014: canceling statement due to user request/,
	'the client is told');
is(last_run()->{status}, 'cancelled', 'it is written down');
is( steps('true'),
	"vacuum|public.slow|cancelled\nvacuum|public.soon|skipped",
	'for the steps, too');
is_idle('nobody works on');
is(sql('SELECT ops.cancel_maintenance()'), 'f', 'once');

# Terminated: the session has no more say, but the next run has.
$run = start_run("tasks => '{vacuum}', $slowly");
wait_for_step('public.slow');
sql('SELECT pg_terminate_backend(pid) FROM ops.maintenance_progress');
finish_run($run);
$node->poll_query_until('postgres',
	q(SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'operations_runbook worker'))
) or die 'the worker goes on';
is(sql('SELECT active FROM ops.maintenance_progress'),
	'f', 'terminated: not at work any more');

# Killed.
$run = start_run("tasks => '{vacuum}', $slowly");
wait_for_step('public.slow');
is( sql(q(SELECT string_agg(status, ',' ORDER BY run_id) FROM ops.maintenance_run WHERE run_id > (SELECT max(run_id) - 2 FROM ops.maintenance_run))
	),
	'interrupted,running',
	'the next run knows of it');
kill(
	'KILL',
	sql(q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'operations_runbook worker')
	));
finish_run($run);
$node->poll_query_until('postgres', 'SELECT true') or die 'no server';
is(last_run()->{status}, 'running', 'killed: the record is as it was');
is(steps('true'), "vacuum|public.slow|running\nvacuum|public.soon|planned",
	'step by step');
$run = run_maintenance(q(tasks => '{vacuum}'));
is($run->{done}, 2, 'the next run does what is left');
is( sql(q(SELECT r.status, string_agg(s.status, ',' ORDER BY s.step_no) FROM ops.maintenance_run r JOIN ops.maintenance_step s USING (run_id)
	WHERE r.run_id = (SELECT run_id FROM ops.maintenance_run ORDER BY 1 DESC OFFSET 1 LIMIT 1) GROUP BY 1)
	),
	'interrupted|interrupted,skipped',
	'and calls it by its name');

# On its own: the caller goes, it goes on.
make_table('public.slow', 40000, 39000);
$run = run_maintenance(
	"tasks => '{vacuum}', wait => false, vacuum_cost_delay => 20");
cmp_ok($run->{seconds}, '<', 3, 'the caller does not wait');
like(
	$run->{err},
	qr/maintenance goes on in process \d+/,
	'he is told who works');
$node->poll_query_until('postgres',
	q(SELECT count(*) = 1 FROM ops.maintenance_run WHERE run_id = (SELECT max(run_id) FROM ops.maintenance_run) AND status = 'done')
) or die 'never done';
is(steps('true'), 'vacuum|public.slow|done', 'and does it');
is_idle('then it is gone');
$run = run_maintenance(q('open', tasks => '{vacuum}', wait => false));
like($run->{stopped}, qr/has had its run/, 'nobody is started for nothing');

# Load.
my @busy;

make_table('public.slow', 20000, 10000);
for my $session (map { $node->background_psql('postgres') } 1 .. 2)
{
	push(@busy, $session);
	$session->query_until(qr//, "SELECT pg_sleep(100);\n");
}
$run = run_maintenance(
	q(tasks => '{vacuum}', max_sessions => 1, on_pressure => 'stop'));
like(
	$run->{stopped},
	qr/^\d+ sessions are working$/,
	'it stops when others work');
$run = start_run(q(tasks => '{vacuum}', max_sessions => 1));
$node->poll_query_until('postgres',
	q(SELECT status = 'running' FROM ops.maintenance_run ORDER BY run_id DESC LIMIT 1)
) or die 'never began';
usleep(500_000);
is(steps('true'), 'vacuum|public.slow|planned', 'or waits');
sql(q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%')
);
is(finish_run($run)->{done}, 1, 'until they are done');

# Not everybody's.
make_table('public.mine', 20000, 10000);
sql(q{
	CREATE ROLE keeper LOGIN;
	GRANT USAGE ON SCHEMA ops TO keeper;
	GRANT EXECUTE ON PROCEDURE ops.run_maintenance TO keeper;
	CREATE SCHEMA hers AUTHORIZATION keeper;
	SET ROLE keeper;
	CREATE TABLE hers.own (id int, body text);
	INSERT INTO hers.own SELECT i, repeat('x', 200) FROM generate_series(1, 20000) AS i;
	ANALYZE hers.own;
	DELETE FROM hers.own WHERE id > 5000;
});
run_maintenance(q(tasks => '{vacuum}'), role => 'keeper');
is( steps('true'),
	"vacuum|hers.own|done\nvacuum|public.mine|skipped",
	'a role maintains what is its own');
is(last_run()->{started_by}, 'keeper', 'in its own name');
sql('CREATE ROLE nobody LOGIN; GRANT USAGE ON SCHEMA ops TO nobody');
like(
	run_maintenance('', role => 'nobody')->{err},
	qr/permission denied for procedure run_maintenance/,
	'who may not');

# Where it cannot be.
my ($code, $out, $err) =
  $node->psql('postgres', 'BEGIN; CALL ops.run_maintenance(); COMMIT');
like(
	$err,
	qr/cannot run inside a transaction block/,
	'not in a transaction block');
($code, $out, $err) = $node->psql('postgres',
	'SET default_transaction_read_only = on; CALL ops.run_maintenance()');
like($err, qr/read-only transaction/, 'not in a read-only one');
for my $case (
	[ q(tasks => '{vacuum,dust}'),   qr/22023: there is no task "dust"/ ],
	[ q(max_duration => '-1 s'),     qr/22023: max_duration must be/ ],
	[ q(lock_timeout => NULL),       qr/22023: lock_timeout must be/ ],
	[ q(vacuum_cost_delay => 'NaN'), qr/22023: vacuum_cost_delay must be/ ],
	[ q(on_pressure => 'cry'),       qr/22023: on_pressure must be/ ])
{
	my ($arguments, $message) = @$case;

	like(run_maintenance($arguments)->{err}, $message, $arguments);
}

# Retention comes first, and what it leaves is vacuumed.
sql(q{
	CREATE TABLE aged (id int PRIMARY KEY, at timestamptz);
	INSERT INTO aged SELECT i, now() - '100 days'::interval FROM generate_series(1, 20000) AS i;
	ANALYZE aged;
	SELECT ops.add_retention('aged', 'at', '30 days', policy_name => 'aged', overrides => '{share}');
});
run_maintenance(q(tasks => '{vacuum,retention}'));
is( steps(q(object IS NULL OR object = 'public.aged')),
	"retention||done\nvacuum|public.aged|done",
	'old rows go before VACUUM comes');
is(sql('SELECT count(*) FROM aged'), 0, 'they are gone');

# A database that is dropped.
sql('CREATE DATABASE doomed');
sql('CREATE EXTENSION operations_runbook', database => 'doomed');
sql(q{CREATE TABLE slow (id int, body text);
	INSERT INTO slow SELECT i, repeat('x', 200) FROM generate_series(1, 40000) AS i; ANALYZE slow;
	DELETE FROM slow WHERE id > 100}, database => 'doomed');
sql("CALL ops.run_maintenance(tasks => '{vacuum}', wait => false, $slowly)",
	database => 'doomed');
$node->poll_query_until('postgres',
	q(SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'operations_runbook worker')
) or die 'no workers';
sql('DROP DATABASE doomed WITH (FORCE)');
is_idle('a database is dropped, and nobody works on in it');

# No worker to be had.
make_table('public.slow', 20000, 10000);
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->restart;
$run = run_maintenance('');
like(
	$run->{err},
	qr/ERROR:  53000: maintenance could not be done: no background worker can be started/,
	'without workers: an error');
like($run->{err}, qr/HINT:.*max_worker_processes/, 'with a hint');
$node->append_conf('postgresql.conf', 'max_worker_processes = 1');
$node->restart;
$run = run_maintenance(q(tasks => '{vacuum}', wait => false));
$node->poll_query_until('postgres',
	q(SELECT status = 'failed' FROM ops.maintenance_run ORDER BY run_id DESC LIMIT 1)
) or die 'never failed';
like(
	last_run()->{error},
	qr/no background worker can be started/,
	'one worker is not enough for one that works alone');
is(run_maintenance(q(tasks => '{vacuum}'))->{done},
	1, 'it is for one who waits');

# On a standby.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
($code, $out, $err) =
  $standby->psql('postgres', 'CALL ops.run_maintenance()');
like($err, qr/cannot run during recovery/, 'not on a standby');
($code, $out, $err) =
  $standby->psql('postgres', 'CALL ops.run_maintenance(wait => false)');
like($err, qr/cannot run during recovery/, 'nor later');
is( $standby->safe_psql(
		'postgres',
		q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'operations_runbook worker')
	),
	0,
	'nobody waits there for its promotion');
$standby->stop;
$node->stop;

done_testing();
