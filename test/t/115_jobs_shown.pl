
# ops.jobs() and the check of pg_cron's jobs: windows that move, next runs, what
# goes wrong, who sees what, pg_cron where it is not expected, a standby.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsCron;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $probe = new_server('probe');
my $there = $probe->safe_psql('postgres',
	q(SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_cron'));
$probe->stop;
plan skip_all => 'pg_cron is not available' if $there eq '0';

my $node = start_cron('primary', 'off');

$node->safe_psql(
	'postgres', q{
	CREATE DATABASE elsewhere;
	CREATE ROLE neighbour LOGIN;
	GRANT USAGE ON SCHEMA cron, ops TO neighbour;
	GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ops TO neighbour;
});
$node->safe_psql('elsewhere', 'CREATE EXTENSION operations_runbook');

my $old = start_cron('old', 'off');
plan_delay($old);
test_windows($node);
test_next_run($node);
test_states($node);
test_privileges($node);
test_misplaced($node);
test_standby($node);
test_delay($old);
$node->stop;
$old->stop;
done_testing();

# Windows that are there, are missing, are switched off, or move.
sub test_windows
{
	my ($node) = @_;
	my $state = sub {
		return $node->safe_psql('postgres',
			q(SELECT state || coalesce(': ' || note, '') FROM ops.jobs() WHERE job_name = 'ops_maintenance@postgres')
		);
	};

	$node->safe_psql('postgres',
		q(INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone) VALUES ('short', 'daily', '10:01', '3 min', 'Asia/Kathmandu'))
	);
	error_is(
		$node,
		'postgres',
		q(SELECT * FROM ops.schedule_maintenance(weekly_window => 'no such')),
		qr/42704: maintenance window "no such" does not exist.*HINT: +There are: "short"/s,
		'windows: one that is not there');
	is(count_jobs($node, 'postgres'), 0, 'windows: and nothing was made');
	error_is(
		$node,
		'postgres',
		q(SELECT * FROM ops.schedule_maintenance(time_zone => 'Europa/Prag1')),
		qr/22023: time zone "Europa\/Prag1" not recognized.*pg_timezone_names/s,
		'windows: a zone that is none');
	error_is(
		$node,
		'postgres',
		q(SELECT * FROM ops.schedule_maintenance('{health, lunch}')),
		qr/22023: there is no job "lunch".*HINT: +There are: health, retention, maintenance, audit, history, cron_history/s,
		'windows: a job that is none');

	is( rows(
			$node,
			'postgres',
			undef,
			q(note),
			q[ops.schedule_maintenance(time_zone => 'Europe/Prague') WHERE note IS NOT NULL]
		),
		join("\n",
			'made maintenance window "first_sunday": the first Sunday of every month 02:00 - 06:00, Europe/Prague',
			'made maintenance window "nightly": every day 01:00 - 03:00, Europe/Prague',
			'made maintenance window "sunday": every Sunday 02:00 - 04:00, Europe/Prague'
		),
		'windows: missing ones are made');
	is( rows(
			$node,
			'postgres',
			undef,
			q(concat_ws(' ', window_name, frequency, weekday, nth, starts_at, duration, time_zone, enabled)),
			q(ops.maintenance_window WHERE time_zone = 'Europe/Prague')),
		join("\n",
			'first_sunday monthly sunday 1 02:00:00 04:00:00 Europe/Prague t',
			'nightly daily 01:00:00 02:00:00 Europe/Prague t',
			'sunday weekly sunday 02:00:00 02:00:00 Europe/Prague t'),
		'windows: as they were announced');

	# Whatever zone pg_cron has, each start is within reach of a job.
	is( $node->safe_psql('postgres', <<~SQL),
			SELECT count(*) > 700 AND bool_and(EXISTS (
			  SELECT FROM generate_series(w.starts, w.starts + interval '9 min', '1 min') t
			  WHERE extract(minute FROM t AT TIME ZONE 'GMT')::int % 5 = 0
			  AND extract(hour FROM t AT TIME ZONE 'GMT') IN (0, 1, 2, 3, 23)
			  AND extract(dow FROM t AT TIME ZONE 'GMT') IN (0, 6)))
			FROM ops.next_window('sunday', now(), 730) w
			WHERE (SELECT schedule FROM cron.job WHERE jobname = 'ops_maintenance\@postgres') = '*/5 0-3,23 * * 0,6'
			SQL
		't',
		'windows: GMT hours and weekdays reach each start in fourteen years');
	is($state->(), 'never ran', 'windows: not yet run');

	$node->safe_psql('postgres',
		q(UPDATE ops.maintenance_window SET weekday = 'wednesday' WHERE window_name = 'sunday')
	);
	like(
		$state->(),
		qr/^other times than its window: .*run ops\.schedule_maintenance\(\) again/,
		'windows: one was moved');
	my $check =
	  status_is($node, 'cron', 'warn', 'a window that no job reaches');
	is($check->{details}{culprits}[0]{name},
		'ops_maintenance@postgres', 'and it is named');
	is( rows(
			$node, 'postgres', undef,
			"job_name || ' ' || schedule",
			q(ops.schedule_maintenance() WHERE action = 'changed')),
		'ops_maintenance@postgres */5 0-3,23 * * 2-3',
		'windows: scheduling again moves the job');
	is($state->(), 'never ran', 'windows: which then fits');

	$node->safe_psql('postgres',
		q(UPDATE ops.maintenance_window SET enabled = false WHERE window_name = 'sunday')
	);
	like(
		rows(
			$node, 'postgres', undef, 'note',
			q(ops.schedule_maintenance('{maintenance}'))),
		qr/^maintenance window "sunday" is switched off$/,
		'windows: one that is switched off is said to be');
	like($state->(), qr/"sunday" is switched off$/, 'windows: there, too');
	$node->safe_psql('postgres',
		q(DELETE FROM ops.maintenance_window WHERE window_name = 'sunday'));
	like($state->(), qr/names no window/, 'windows: one that is gone');
	is( rows(
			$node,
			'postgres',
			undef,
			'action',
			q[ops.schedule_maintenance(weekly_window => NULL) WHERE window_name = 'sunday' OR job_name LIKE 'ops_maint%']
		),
		'removed',
		'windows: none, no job');

	# A short one is not passed over.
	is( rows(
			$node,
			'postgres',
			undef,
			'schedule',
			q[ops.schedule_maintenance('{maintenance}', weekly_window => 'short')]
		),
		'* 3-5 * * *',
		'windows: a short one in a zone that is 5:45 ahead');
	is($state->(), 'never ran', 'windows: which fits');
	rows($node, 'postgres', undef, 'job_name',
		'ops.unschedule_maintenance()');
	return;
}

# The next run of all that pg_cron understands, against a search through the
# minutes.  Each expression comes with what it means, written out by hand.
sub test_next_run
{
	my ($node) = @_;
	my %means = (
		'* * * * *'         => 'true',
		'7 * * * *'         => 'mi = 7',
		'*/20 3-5,22 * * *' => 'mi IN (0, 20, 40) AND h IN (3, 4, 5, 22)',
		'10-40/15 0 * * 0'  => 'mi IN (10, 25, 40) AND h = 0 AND dow = 0',
		'0 12 * * 7'        => 'mi = 0 AND h = 12 AND dow = 0',
		'0 12 * * mon-FRI'  => 'mi = 0 AND h = 12 AND dow BETWEEN 1 AND 5',
		'30 4 1,15 * 5' => 'mi = 30 AND h = 4 AND (d IN (1, 15) OR dow = 5)',
		'30 4 1-7 * *'  => 'mi = 30 AND h = 4 AND d <= 7',
		'0 0 29 feb *'  => 'mi = 0 AND h = 0 AND d = 29 AND mo = 2',
		'5 5 31 jan,mar-may *' =>
		  'mi = 5 AND h = 5 AND d = 31 AND mo IN (1, 3, 4, 5)',
		'@hourly'    => 'mi = 0',
		'@daily'     => 'mi = 0 AND h = 0',
		'@weekly'    => 'mi = 0 AND h = 0 AND dow = 0',
		'@monthly'   => 'mi = 0 AND h = 0 AND d = 1',
		'@yearly'    => 'mi = 0 AND h = 0 AND d = 1 AND mo = 1',
		'@reboot'    => 'false',
		'0 0 31 2 *' => 'false',);

	for my $zone (
		has_setting($node, 'cron.timezone') ? qw(GMT Europe/Prague) : 'GMT')
	{
		if ($zone ne 'GMT')
		{
			$means{'0 3 $ * *'} =
			  'mi = 0 AND h = 3 AND d = extract(day FROM date_trunc(\'month\', t) + interval \'1 month - 1 day\')';
			$node->append_conf('postgresql.conf', "cron.timezone = '$zone'");
			restart_cron($node);
		}
		for my $schedule (sort keys %means)
		{
			$node->safe_psql('postgres',
				"SELECT cron.schedule('job ' || ${\literal($schedule)}, ${\literal($schedule)}, 'SELECT 1')"
			);
		}
		my $values = join ', ', map {
			'(' . literal("job $_") . ", min(i) FILTER (WHERE $means{$_}))"
		} sort keys %means;
		my @columns =
		  map { "min(i) FILTER (WHERE $means{$_})" } sort keys %means;
		my @names = map { literal("job $_") } sort keys %means;

		is( $node->safe_psql('postgres', <<~SQL),
				WITH minutes AS (
				  SELECT i, i AT TIME ZONE '$zone' AS t
				  FROM generate_series(date_trunc('minute', now()) + interval '1 min', now() + interval '3 years', '1 min') i
				), parts AS MATERIALIZED (
				  SELECT i, t, extract(minute FROM t) AS mi, extract(hour FROM t) AS h, extract(day FROM t) AS d,
				    extract(month FROM t) AS mo, extract(dow FROM t) AS dow
				  FROM minutes
				), expected AS (
				  SELECT unnest(ARRAY[${\join(', ', @names)}]) AS job_name,
				    unnest(ARRAY[${\join(', ', @columns)}]) AS next_run
				  FROM parts
				)
				SELECT string_agg(job_name || ' ' || coalesce(j.next_run::text, 'never'), E'\\n' ORDER BY job_name COLLATE "C")
				  FROM expected e FULL JOIN (SELECT * FROM ops.jobs(true) WHERE job_name ~ '^job ') j USING (job_name)
				  WHERE j.next_run IS DISTINCT FROM e.next_run
				SQL
			'',
			"next run: as a search finds it, in $zone");
	}
	if (has_setting($node, 'cron.timezone'))
	{
		$node->safe_psql('postgres',
			q(SELECT cron.schedule('seconds', '5 seconds', 'SELECT 1')));
		$node->poll_query_until('postgres',
			q(SELECT state = 'ok' AND next_run - last_start BETWEEN '1 s' AND '12 s' FROM ops.jobs(true) WHERE job_name = 'seconds')
		) or die 'no job every five seconds';
		pass('next run: of seconds');
		$node->append_conf('postgresql.conf', 'cron.timezone = GMT');
		restart_cron($node);
	}
	$node->safe_psql('postgres',
		q(SELECT cron.unschedule(jobid) FROM cron.job; TRUNCATE cron.job_run_details)
	);
	return;
}

# What goes wrong.  Rows of runs are written as pg_cron writes them.
sub test_states
{
	my ($node) = @_;
	my $state = sub {
		return $node->safe_psql('postgres',
			q(SELECT concat_ws(' ', state, failures, running, last_status) FROM ops.jobs(true) WHERE job_name = 'hers')
		);
	};
	my $ran = sub {
		my ($status, $start, $end, $message) = @_;

		$node->safe_psql(
			'postgres', qq{INSERT INTO cron.job_run_details
			(jobid, job_pid, database, username, command, status, return_message, start_time, end_time)
			SELECT jobid, 1, database, username, command, '$status', '${\($message // '')}', $start, $end
			FROM cron.job WHERE jobname = 'hers'});
		return;
	};

	# Never by itself: its day is half a year away.
	my $far = $node->safe_psql('postgres',
		q(SELECT to_char(now() + interval '180 days', '"0 0" DD MM *')));
	$far =~ s/\b0(\d)/$1/g;
	$node->safe_psql('postgres',
		"SELECT cron.schedule('hers', '$far', 'SELECT 1')");
	is($state->(), 'never ran 0 0', 'states: never ran');
	$ran->('succeeded', q(now() - interval '3 s'), 'now()');
	is($state->(), 'ok 0 0 succeeded', 'states: ok');
	is( $node->safe_psql(
			'postgres',
			q(SELECT last_duration FROM ops.jobs(true) WHERE job_name = 'hers')
		),
		'00:00:03',
		'states: how long it took');
	$ran->('failed', 'now()', 'now()', 'ERROR: no');
	$ran->('failed', 'NULL',  'NULL',  'connection failed');
	is($state->(), 'failing 2 0 failed', 'states: two failures');
	$ran->('running', 'now()', 'NULL');
	is($state->(), 'failing 2 1 running', 'states: not better as it runs');
	$ran->('succeeded', 'now()', 'now()');
	is($state->(), 'ok 0 1 succeeded', 'states: but when it is done');
	$node->safe_psql('postgres',
		q(UPDATE cron.job_run_details SET status = 'succeeded', end_time = now() WHERE status = 'running')
	);
	$ran->('starting', 'NULL', 'NULL');
	$ran->(
		'running', q(pg_postmaster_start_time() - interval '1 min'), 'NULL');
	is( $state->(),
		'failing 2 0 interrupted',
		'states: cut off by a restart, one before it started');
	$ran->('succeeded', 'now()', 'now()');
	$ran->('failed', 'now()', 'now()', 'server restarted');
	is( $state->(),
		'failing 1 0 interrupted',
		'states: as later versions tell it');
	$ran->('succeeded', 'now()', 'now()');
	$node->safe_psql('postgres',
		q(SELECT cron.alter_job(jobid, active => false) FROM cron.job WHERE jobname = 'hers')
	);
	is($state->(), 'inactive 0 0 succeeded', 'states: inactive');

	$node->safe_psql('postgres',
		q(SELECT cron.alter_job(jobid, active => true) FROM cron.job WHERE jobname = 'hers')
	);

	$node->safe_psql('postgres', q(ALTER SYSTEM SET cron.log_run = off));
	restart_cron($node);
	$node->safe_psql('postgres', q(TRUNCATE cron.job_run_details));
	is($state->(), 'unknown 0 0', 'states: nothing is kept');
	$node->safe_psql('postgres', q(ALTER SYSTEM RESET cron.log_run));
	restart_cron($node);

	# The launcher is not started again when it was told to end.
	$node->safe_psql('postgres',
		q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'pg_cron launcher')
	);
	ok( $node->poll_query_until(
			'postgres',
			q(SELECT state = 'no launcher' AND next_run IS NULL FROM ops.jobs(true) WHERE job_name = 'hers')
		),
		'states: no launcher');
	restart_cron($node);
	is($state->(), 'never ran 0 0', 'states: it is back');
	return;
}

# Who sees what.
sub test_privileges
{
	my ($node) = @_;
	my $names = sub {
		my ($role) = @_;

		return rows($node, 'postgres', $role, 'job_name', 'ops.jobs(true)')
		  =~ tr/\n/ /r;
	};

	$node->safe_psql(
		'postgres', q{
		CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
		CREATE ROLE guest LOGIN;
		CREATE ROLE fixed;
		GRANT USAGE ON SCHEMA ops TO guest, fixed;
		GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ops TO guest, fixed;
		SET ROLE neighbour;
		SELECT cron.schedule('his', '0 0 30 2 *', 'SELECT 1');
	});
	is($names->('watcher'),   'hers his', 'privileges: pg_monitor sees all');
	is($names->('neighbour'), 'his',      'privileges: others see their own');
	error_is(
		$node,
		'postgres',
		'SET ROLE guest; SELECT * FROM ops.jobs(true)',
		qr/42501: .*permission denied for schema cron.*GRANT USAGE ON SCHEMA cron TO guest/s,
		'privileges: who may not look there');
	error_is(
		$node,
		'postgres',
		'SET ROLE fixed; SELECT * FROM ops.schedule_maintenance()',
		qr/28000: role "fixed" may not log in/,
		'privileges: a role that pg_cron could not be');
	$node->safe_psql('postgres', 'CREATE ROLE stranger LOGIN');
	for my $call (qw(schedule_maintenance unschedule_maintenance jobs))
	{
		is( $node->safe_psql(
				'postgres',
				"SELECT has_function_privilege('stranger', p.oid, 'EXECUTE') FROM pg_proc p WHERE proname = '$call'"
			),
			'f',
			"privileges: $call is not for everybody");
	}

	# Nobody waits.
	my $holder = $node->background_psql('postgres');
	$holder->query_safe('BEGIN; LOCK cron.job');
	error_is(
		$node,
		'postgres',
		'SELECT * FROM ops.jobs()',
		qr/55P03: table cron\.job is locked by process \d+/,
		'privileges: a locked table is not waited for');
	is(check($node, 'cron')->{details}{reason},
		'locked', 'privileges: nor by the check');
	error_is(
		$node, 'elsewhere',
		'SELECT * FROM ops.jobs()',
		qr/55P03: .*lock timeout/,
		'privileges: nor over there');
	$holder->quit;
	return;
}

# pg_cron that is not where it should be, and workers that cannot be had.
sub test_misplaced
{
	my ($node) = @_;
	my $sql = 'SELECT * FROM ops.jobs()';

	$node->safe_psql('postgres',
		"ALTER SYSTEM SET cron.database_name = 'nowhere'");
	$node->restart;
	error_is(
		$node, 'postgres', $sql,
		qr/3D000: .*database "nowhere" does not exist/,
		'misplaced: no such database');
	$node->safe_psql('postgres', 'CREATE DATABASE nowhere');
	error_is(
		$node,
		'postgres',
		$sql,
		qr/55000: pg_cron is loaded, but not installed in database "nowhere".*HINT: .*CREATE EXTENSION pg_cron/s,
		'misplaced: not installed there');
	error_is(
		$node,
		'nowhere',
		"CREATE EXTENSION operations_runbook; $sql",
		qr/55000: pg_cron is loaded, but not installed in database "nowhere".*CREATE EXTENSION pg_cron/s,
		'misplaced: not installed here');

	# Somebody has made what looks like it, to be run by a superuser.
	$node->safe_psql('postgres',
		'CREATE ROLE mallory LOGIN; ALTER DATABASE nowhere OWNER TO mallory');
	$node->safe_psql(
		'nowhere', q{
		SET ROLE mallory;
		CREATE SCHEMA cron;
		CREATE FUNCTION cron.spring() RETURNS bigint LANGUAGE plpgsql AS
		$$BEGIN CREATE TABLE cron.sprung AS SELECT current_user; RETURN 1; END$$;
		CREATE VIEW cron.job AS SELECT cron.spring() AS jobid, 'x' AS jobname, 'x' AS database, 'x' AS username,
		  'x' AS schedule, 'x' AS command, true AS active;
		CREATE TABLE cron.job_run_details (jobid bigint, runid bigint, status text, return_message text,
		  start_time timestamptz, end_time timestamptz);
		CREATE FUNCTION cron.schedule_in_database(text, text, text, text) RETURNS bigint LANGUAGE sql AS 'SELECT cron.spring()';
		GRANT ALL ON SCHEMA cron TO PUBLIC;
		GRANT ALL ON ALL TABLES IN SCHEMA cron TO PUBLIC});
	for my $trap ($sql, q(SELECT ops.schedule_maintenance('{health}')))
	{
		error_is(
			$node, 'postgres', $trap,
			qr/55000: pg_cron is loaded, but not installed/,
			'misplaced: it only looks so');
	}
	is( $node->safe_psql(
			'nowhere', q(SELECT to_regclass('cron.sprung') IS NULL)),
		't',
		'misplaced: no trap was sprung');
	$node->safe_psql('postgres',
		'REVOKE CONNECT ON DATABASE nowhere FROM PUBLIC');
	error_is(
		$node, 'postgres',
		"SET ROLE neighbour; $sql",
		qr/42501: .*no CONNECT privilege/,
		'misplaced: no way there');
	$node->safe_psql('postgres',
		'ALTER DATABASE nowhere ALLOW_CONNECTIONS false');
	error_is(
		$node, 'postgres', $sql,
		qr/(08006|55000): /,
		'misplaced: nobody gets there');
	$node->safe_psql('postgres', 'ALTER SYSTEM SET max_worker_processes = 1');
	$node->safe_psql('postgres',
		"ALTER SYSTEM SET cron.database_name = 'template1'");
	$node->restart;
	error_is(
		$node,
		'postgres',
		$sql,
		qr/53000: .*no background worker can be started.*max_worker_processes/s,
		'misplaced: all workers are taken');
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET max_worker_processes');
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET cron.database_name');
	restart_cron($node);
	return;
}

# A standby shows what it has.
sub test_standby
{
	my ($node) = @_;
	my $standby = PostgreSQL::Test::Cluster->new('standby');

	$node->backup('copy');
	$standby->init_from_backup($node, 'copy', has_streaming => 1);
	$standby->start;
	$node->wait_for_catchup($standby);
	is( rows(
			$standby, 'postgres', undef,
			"job_name || ' ' || state || ' ' || note",
			'ops.jobs(true)'),
		"hers no launcher pg_cron starts no jobs on a standby\nhis no launcher pg_cron starts no jobs on a standby",
		'standby: what it has');
	error_is($standby, 'postgres', 'SELECT * FROM ops.schedule_maintenance()',
		qr/25006: /, 'standby: nothing is made');
	is( rows(
			$standby, 'postgres', undef,
			'DISTINCT action',
			'ops.schedule_maintenance(dry_run => true)'),
		'made',
		'standby: a dry run works');
	error_is(
		$standby,
		'elsewhere',
		'SELECT * FROM ops.jobs()',
		qr/55000: pg_cron keeps its jobs in database "postgres".*HINT: /s,
		'standby: no worker to ask elsewhere');
	$standby->stop;
	return;
}

# A job that is due on the next two minutes, but switched off.
sub plan_delay
{
	my ($node) = @_;

	$node->safe_psql(
		'postgres', q{
		CREATE TABLE due AS SELECT date_trunc('minute', now()) + interval '1 min' AS at, clock_timestamp() AS started;
		SELECT cron.schedule('delayed', extract(minute FROM at) || ',' || extract(minute FROM at + interval '1 min') || ' * * * *', 'SELECT 1') FROM due;
		SELECT cron.alter_job(jobid, active => false) FROM cron.job WHERE jobname = 'delayed';
	});
	return;
}

# When it was due twice, it is switched on as if it had been all the time.
sub test_delay
{
	my ($node) = @_;
	my $state =
	  q(SELECT state FROM ops.jobs(true) WHERE job_name = 'delayed');
	my $run =
	  q(INSERT INTO cron.job_run_details (jobid, status, start_time, end_time) SELECT jobid, 'succeeded', started, started FROM due, cron.job WHERE jobname = 'delayed');
	my $time = q(SELECT now() > at + interval '155 s' FROM due);
	my $check;

	$node->poll_query_until('postgres', $time)
	  or $node->poll_query_until('postgres', $time)
	  or die 'the time has not come';
	$node->safe_psql('postgres',
		"$run; SELECT cron.alter_job(jobid, active => true) FROM cron.job WHERE jobname = 'delayed'"
	);
	is($node->safe_psql('postgres', $state), 'late', 'delay: late');
	$check = status_is($node, 'cron', 'warn', 'a job is late');
	like(
		$check->{message},
		qr/^1 job of \d+ does not run as it should: delayed$/,
		'delay: which is named');
	is($node->safe_psql('postgres', $check->{remedy}) =~ s/\|.*//sr,
		'delayed', 'delay: by the remedy, too');
	$node->safe_psql('postgres',
		q(UPDATE cron.job_run_details SET status = 'running', end_time = NULL WHERE jobid = (SELECT jobid FROM cron.job WHERE jobname = 'delayed'))
	);
	is($node->safe_psql('postgres', $state),
		'piling up', 'delay: or still running');
	status_is($node, 'cron', 'warn', 'a job piles up');
	$node->safe_psql('postgres',
		$run =~ s/, started, started/, now(), now()/r);
	$node->safe_psql('postgres',
		q(DELETE FROM cron.job_run_details WHERE status = 'running'));
	is($node->safe_psql('postgres', $state), 'ok', 'delay: until it ran');
	status_is($node, 'cron', 'ok', 'a job is back');
	return;
}
