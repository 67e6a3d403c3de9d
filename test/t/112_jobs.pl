
# Jobs of pg_cron: ours are made, changed, run and removed, here and in
# another database, for a superuser and for one who is none.
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

# Without pg_cron.
error_is(
	$probe,
	'postgres',
	'SELECT * FROM ops.schedule_maintenance()',
	qr/^ERROR: +55000: pg_cron is not loaded.*HINT: .*postgresql-\d+-cron.*shared_preload_libraries.*systemd/s,
	'without pg_cron: what is to be installed');
error_is(
	$probe,
	'postgres',
	q(SET cron.database_name = 'postgres'; SELECT * FROM ops.jobs()),
	qr/55000: pg_cron is not loaded/,
	'without pg_cron: a setting of its name is not it');
is( $probe->safe_psql('postgres', <<~SQL),
		BEGIN READ ONLY;
		SELECT string_agg(job_name || ' ' || action || ' ' || schedule, E'\\n' ORDER BY job_name COLLATE "C")
		  FROM ops.schedule_maintenance(dry_run => true, time_zone => 'Europe/Prague');
		SELECT string_agg(DISTINCT note, E'\\n') FROM ops.schedule_maintenance('{health}', dry_run => true);
		SELECT count(*) FROM ops.maintenance_window;
		SQL
	<<~ROWS =~ s/\n\z//r, 'without pg_cron: a dry run shows the jobs');
	ops_audit\@postgres made */5 0-5,23 * * 0,6
	ops_health\@postgres made */5 * * * *
	ops_history\@postgres made 17 3 * * *
	ops_maintenance\@postgres made */5 0-3,23 * * 0,6
	ops_retention\@postgres made */5 0-2,22-23 * * *
	pg_cron is not loaded; the times of the schedule are in GMT
	0
	ROWS
$probe->stop;

if ($there eq '0')
{
	note 'pg_cron is not available: the rest is left out';
	done_testing();
	exit;
}

# Names that make trouble where they are not quoted; the last one is too long
# for what pg_cron 1.4 keeps of a job's name.
my $odd_database  = q(we'ird "db" \\);
my $odd_window    = q(o'pen "now" \\ $$);
my $odd_role      = q(o'b"r \\);
my $long_database = 'a' x 60 . 'b';
my $long_sibling  = 'a' x 60 . 'c';

# Both modes at once: jobs are started on the minute only.
my %node = map { $_ => start_cron("workers_$_", $_) } qw(off on);

for my $mode (sort keys %node)
{
	prepare($node{$mode});
	test_here($node{$mode}, "workers $mode");
	test_there($node{$mode}, "workers $mode");
	speed_up($node{$mode});
}
for my $mode (sort keys %node)
{
	test_runs($node{$mode}, "workers $mode");
	test_removal($node{$mode}, "workers $mode");
}
$_->stop('fast') for values %node;
done_testing();

# Databases, a role that is no superuser, a window that is open now, jobs of
# others.
sub prepare
{
	my ($node) = @_;

	for my $database ($odd_database, $long_database, $long_sibling)
	{
		$node->safe_psql('postgres',
			'CREATE DATABASE ' . identifier($database));
		$node->safe_psql($database, 'CREATE EXTENSION operations_runbook');
	}
	$node->safe_psql('postgres',
		'CREATE ROLE ' . identifier($odd_role) . ' LOGIN');
	for my $database ('postgres', $odd_database)
	{
		my $role = identifier($odd_role);

		$node->safe_psql(
			$database, qq{
			GRANT USAGE ON SCHEMA ops TO $role;
			GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ops TO $role;
			INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
			VALUES (${\literal($odd_window)}, 'daily', (now() AT TIME ZONE 'UTC' - interval '30 min')::time, '24 h', 'UTC');
		});
	}
	$node->safe_psql(
		'postgres', qq{
		CREATE ROLE neighbour LOGIN;
		GRANT USAGE ON SCHEMA cron TO neighbour;
		SELECT cron.schedule('ops_health', '0 0 30 2 *', 'SELECT 1');
		SELECT cron.schedule('ops_health\@postgres2', '0 0 30 2 *', 'SELECT 1');
		SELECT cron.schedule('xops_health\@postgres', '0 0 30 2 *', 'SELECT 1');
		SET ROLE neighbour;
		SELECT cron.schedule('ops_health\@elsewhere', '0 0 30 2 *', 'SELECT 1');
	});
	return;
}

# In pg_cron's own database, as a superuser.
sub test_here
{
	my ($node, $claim) = @_;
	my $call = sub {
		return rows(
			$node, 'postgres', undef,
			"job_name || ' ' || action",
			'ops.schedule_maintenance(' . join(', ', @_) . ')');
	};
	my $windows = join ', ',
	  map { "${_}_window => " . literal($odd_window) }
	  qw(nightly weekly monthly);
	my @names =
	  map { "ops_$_\@postgres" }
	  qw(audit cron_history health history maintenance retention);

	is( $call->($windows, 'dry_run => true'),
		join("\n", map { "$_ made" } @names),
		"$claim: a dry run");
	is(count_jobs($node, 'postgres'), 0, "$claim: and makes nothing");
	is( $call->($windows),
		join("\n", map { "$_ made" } @names),
		"$claim: all are made");
	is( $call->($windows),
		join("\n", map { "$_ kept" } @names),
		"$claim: and kept");
	is(count_jobs($node, 'postgres'), 6, "$claim: six there are");
	is( rows(
			$node,
			'postgres',
			undef,
			"schedule || ' ' || command || ' ' || (database = 'postgres') || (username = current_user)",
			q(cron.job WHERE jobname IN ('ops_retention@postgres', 'ops_history@postgres'))
		),
		join("\n",
			'*/5 * * * * CALL ops.run_maintenance('
			  . literal($odd_window)
			  . q(, tasks => '{retention}', wait => false\) truetrue),
			'17 3 * * * SELECT ops.prune_history() truetrue'),
		"$claim: what they are");
	$node->safe_psql('postgres',
		q(SELECT cron.alter_job(jobid, schedule => '1 1 1 1 *') FROM cron.job WHERE jobname = 'ops_health@postgres')
	);
	is( $call->(q('{health, history}'), $windows),
		"ops_health\@postgres changed\nops_history\@postgres kept",
		"$claim: one was changed by hand");
	is( rows(
			$node, 'postgres', undef,
			"job_name || ' ' || action",
			'ops.unschedule_maintenance(\'{audit}\')'),
		'ops_audit@postgres removed',
		"$claim: one is removed");
	is( $call->(q('{audit}'), $windows),
		'ops_audit@postgres made',
		"$claim: and made again");
	return;
}

# In another database, as a role that is no superuser.
sub test_there
{
	my ($node, $claim) = @_;
	my $role = identifier($odd_role);
	my $sql =
	  'SELECT count(*) FROM ops.schedule_maintenance(nightly_window => W, weekly_window => W, monthly_window => W)'
	  =~ s/W/literal($odd_window)/ger;

	error_is(
		$node,
		$odd_database,
		"SET ROLE $role; $sql",
		qr/42501: pg_cron in database "postgres" cannot be used: permission denied for schema cron.*HINT: .*GRANT USAGE ON SCHEMA cron TO \Q$role\E/s,
		"$claim: who may not use pg_cron");
	$node->safe_psql('postgres', "GRANT USAGE ON SCHEMA cron TO $role");
	error_is(
		$node,
		$odd_database,
		"SET ROLE $role; $sql",
		qr/42501: .*permission denied for function schedule_in_database.*GRANT EXECUTE ON FUNCTION cron.schedule_in_database/s,
		"$claim: who may not in other databases");
	is(count_jobs($node, $odd_database), 0, "$claim: all or none");
	$node->safe_psql('postgres',
		"GRANT EXECUTE ON FUNCTION cron.schedule_in_database(text, text, text, text, text, boolean) TO $role"
	);

	for my $action (qw(made kept))
	{
		is( rows(
				$node,
				$odd_database,
				$odd_role,
				'action',
				'(SELECT DISTINCT action, count(*) '
				  . substr($sql, 15)
				  . ' GROUP BY action HAVING count(*) = 6) x'),
			$action,
			"$claim: $action in another database");
	}
	is( rows(
			$node, 'postgres', undef,
			"jobname || ' ' || database",
			'cron.job WHERE username = ' . literal($odd_role)),
		join(
			"\n",
			map {
				"ops_$_\@$odd_database "
				  . ($_ eq 'cron_history' ? 'postgres' : $odd_database)
			} qw(audit cron_history health history maintenance retention)),
		"$claim: what pg_cron has of it");
	is( rows(
			$node, $odd_database, $odd_role, 'job_name',
			q(ops.jobs(everyone => true) WHERE role <> current_user)),
		'',
		"$claim: he sees his own");

	# In pg_cron's own database he needs less.
	is( rows(
			$node, 'postgres', $odd_role, 'action',
			q[ops.schedule_maintenance('{health, cron_history}')]),
		"made\nmade",
		"$claim: he has jobs beside the superuser's");

	# Two that differ past what a name can hold.
	for my $database ($long_database, $long_sibling)
	{
		is( rows(
				$node, $database, undef, 'action',
				q(ops.schedule_maintenance('{health}'))),
			'made',
			"$claim: a long name");
	}
	is( $node->safe_psql(
			'postgres',
			q(SELECT count(DISTINCT jobname) || ' ' || bool_and(octet_length(jobname::text) < 64) FROM cron.job WHERE database ~ '^aaaa')
		),
		'2 true',
		"$claim: and its sibling");
	return;
}

# Let all of ours start on the next minute.
sub speed_up
{
	my ($node) = @_;

	$node->safe_psql('postgres',
		q(SELECT cron.alter_job(jobid, schedule => '* * * * *') FROM cron.job WHERE jobname LIKE 'ops\_%@%' AND schedule <> '0 0 30 2 *')
	);
	return;
}

# What pg_cron made of them.
sub test_runs
{
	my ($node, $claim) = @_;

	for my $database ('postgres', $odd_database)
	{
		for my $job (
			qw(health retention maintenance audit history cron_history))
		{
			my $last =
			  "FROM cron.job_run_details d JOIN cron.job j USING (jobid) WHERE jobname = "
			  . literal("ops_$job\@$database")
			  . " AND d.end_time IS NOT NULL";

			$node->poll_query_until('postgres', "SELECT count(*) > 0 $last")
			  or die "$claim: $job never ended";
			is( $node->safe_psql(
					'postgres',
					"SELECT d.status $last ORDER BY runid LIMIT 1"),
				'succeeded',
				"$claim: $job ran in $database")
			  or diag(
				$node->safe_psql(
					'postgres',
					"SELECT return_message $last ORDER BY runid LIMIT 1"));
		}
		ok( $node->poll_query_until(
				$database,
				q(SELECT count(*) > 0 FROM ops.maintenance_run WHERE status = 'done')
			),
			"$claim: maintenance was done in $database");
		is( $node->safe_psql(
				$database,
				q(SELECT DISTINCT window_name || ' ' || started_by FROM ops.maintenance_run)
			),
			$odd_window . ' '
			  . ($database eq 'postgres' ? scalar getpwuid($<) : $odd_role),
			"$claim: in its window, in whose name");
		isnt(
			$node->safe_psql(
				$database, 'SELECT count(*) FROM ops.health_history'),
			0,
			"$claim: health is on record");
		ok( $node->poll_query_until($database, <<~SQL),
				SELECT count(*) >= 6 AND bool_and(state = 'ok' AND last_status = 'succeeded'
				  AND last_duration = last_end - last_start AND next_run > now() AND running = 0 AND failures = 0)
				FROM ops.jobs()
				SQL
			"$claim: and ops.jobs() of $database says so");
	}
	ok( $node->poll_query_until(
			'postgres',
			"SELECT count(*) = 2 FROM ops.jobs() WHERE database = 'postgres' AND last_status = 'succeeded' AND role = "
			  . literal($odd_role)),
		"$claim: his beside the superuser's ran, too");
	return;
}

# Ours go, others' stay.
sub test_removal
{
	my ($node, $claim) = @_;
	is( rows(
			$node,     $odd_database,
			$odd_role, 'DISTINCT action',
			'ops.unschedule_maintenance()'),
		'removed',
		"$claim: he takes his back");
	is(count_jobs($node, $odd_database), 0, "$claim: all of them");
	is(count_jobs($node, 'postgres'), 8, "$claim: none of another database");
	is( rows(
			$node,     'postgres',
			$odd_role, 'job_name',
			'ops.unschedule_maintenance()'),
		"ops_cron_history\@postgres\nops_health\@postgres",
		"$claim: those of there, too");
	is(count_jobs($node, 'postgres'), 6, "$claim: and nobody else's");

	$node->safe_psql('postgres',
		q(GRANT USAGE ON SCHEMA ops TO neighbour; GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ops TO neighbour)
	);
	is( rows(
			$node,       'postgres',
			'neighbour', 'job_name',
			'ops.unschedule_maintenance()'),
		'',
		"$claim: one who has none takes none");
	is( rows(
			$node, 'postgres', 'neighbour', 'action',
			q(ops.schedule_maintenance('{health}'))),
		'made',
		"$claim: he may have one besides");
	like(
		rows(
			$node, 'postgres', undef, 'note',
			q(ops.schedule_maintenance('{health}'))),
		qr/role neighbour has this job, too/,
		"$claim: of which a superuser is told");
	is( rows(
			$node, 'postgres', undef, 'job_name',
			'ops.unschedule_maintenance()'),
		join("\n",
			map { "ops_$_\@postgres" }
			  qw(audit cron_history health health history maintenance retention)
		),
		"$claim: a superuser takes back everybody's");
	is( rows(
			$node, 'postgres', undef, 'jobname::text',
			q(cron.job WHERE schedule = '0 0 30 2 *')),
		join("\n",
			qw(ops_health ops_health@elsewhere ops_health@postgres2 xops_health@postgres)
		),
		"$claim: similar names are left alone");
	rows($node, $_, undef, 'job_name', 'ops.unschedule_maintenance()')
	  for ($long_database, $long_sibling);
	is($node->safe_psql('postgres', 'SELECT count(*) FROM cron.job'),
		4, "$claim: nothing else is left");
	return;
}

