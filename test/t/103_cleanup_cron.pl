
# pg_cron runs it: in sessions of its own and in background workers, for a
# superuser and for an owner who is none.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsCleanup;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $probe = PostgreSQL::Test::Cluster->new('probe');
$probe->init;
$probe->start;
my $there = $probe->safe_psql('postgres',
	q(SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_cron'));
$probe->stop;
plan skip_all => 'pg_cron is not available' if $there eq '0';

# Both modes at once: the older pg_cron starts jobs on the minute only.
my %node;
for my $mode ('off', 'on')
{
	my $node = PostgreSQL::Test::Cluster->new("workers_$mode");

	$node->init;
	$node->append_conf('postgresql.conf', <<~CONF);
		shared_preload_libraries = 'operations_runbook, pg_cron'
		cron.database_name = 'postgres'
		cron.host = '${\$node->host}'
		cron.use_background_workers = $mode
		max_worker_processes = 20
		lc_messages = 'C'
		CONF
	$node->start;
	$node->safe_psql(
		'postgres', q{
		CREATE EXTENSION operations_runbook;
		CREATE EXTENSION pg_cron;
		CREATE ROLE janitor LOGIN;
		GRANT USAGE ON SCHEMA cron, ops TO janitor;
		GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ops TO janitor;
		CREATE SCHEMA hers AUTHORIZATION janitor;
	});
	for my $job (
		[ 'all',      'public', 'CALL ops.run_cleanup()' ],
		[ 'one_call', 'public', q(CALL ops.run_cleanup('one_call')) ],
		[
			'one_function',
			'public',
			q(SELECT * FROM ops.cleanup_old_rows(policy_name => 'one_function'))
		],
		[
			'no_policy',
			'public',
			q(SELECT * FROM ops.cleanup_old_rows('public.no_policy', 'at', '30 days', overrides => '{share}'))
		],
		[ 'her_call', 'hers', q(CALL ops.run_cleanup('her_call')) ],
		[
			'her_function',
			'hers',
			q(SELECT * FROM ops.cleanup_old_rows(policy_name => 'her_function'))
		],
		[
			'two_statements', 'public',
			q(SET work_mem = '1MB'; CALL ops.run_cleanup('two_statements'))
		])
	{
		my ($name, $schema, $command) = @$job;
		my $role    = $schema eq 'hers' ? 'janitor' : '';
		my $enabled = $name eq 'all'    ? 'true'    : 'false';

		$command =~ s/'/''/g;
		$node->safe_psql(
			'postgres',
			($role ? "SET ROLE $role; " : '') . qq{
			CREATE TABLE $schema."$name" (id int PRIMARY KEY, at timestamptz, filler text);
			INSERT INTO $schema."$name" SELECT i, now() - CASE WHEN i % 2 = 1 THEN '100 days' ELSE '1 day' END::interval, repeat('x', 500)
			  FROM generate_series(1, 2000) AS i;
			SELECT ops.add_retention('$schema."$name"', 'at', '30 days', policy_name => '$name', overrides => '{share}', enabled => $enabled)
			  WHERE '$name' <> 'no_policy';
			SELECT cron.schedule('$name', '* * * * *', '$command');
		});
	}
	$node{$mode} = $node;
}

for my $mode (sort keys %node)
{
	my $node = $node{$mode};
	my $end  = sub {
		my ($job) = @_;

		return
		  "EXISTS (SELECT FROM cron.job_run_details JOIN cron.job USING (jobid) WHERE jobname = '$job' AND end_time IS NOT NULL)";
	};
	my %table = map { $_ => "public.$_" }
	  qw(all one_call one_function no_policy two_statements);

	@table{qw(her_call her_function)} = qw(hers.her_call hers.her_function);
	$table{all} = 'public."all"';
	for my $job (sort keys %table)
	{
		$node->poll_query_until('postgres', 'SELECT ' . $end->($job))
		  or die "workers $mode: $job never ended";
		my ($status, $message) = split(
			/\|/,
			$node->safe_psql(
				'postgres',
				"SELECT status, return_message FROM cron.job_run_details JOIN cron.job USING (jobid) WHERE jobname = '$job' ORDER BY runid LIMIT 1"
			),
			2);
		my $left =
		  $node->safe_psql('postgres', "SELECT count(*) FROM $table{$job}");

		if ($job eq 'two_statements')
		{
			is("$status|$left", 'failed|2000',
				"workers $mode: $job are one transaction, refused");
			like($message, qr/transaction/, "workers $mode: $job, and why");
			next;
		}
		is("$status|$left", 'succeeded|1000', "workers $mode: $job")
		  or diag($message);
		is( $node->safe_psql(
				'postgres',
				"SELECT count(*) FROM $table{$job} WHERE at < now() - '30 days'::interval"
			),
			0,
			"workers $mode: $job, the old half");
		is( logged($node, $table{$job})->{started_by},
			$table{$job} =~ /hers/ ? 'janitor' : scalar getpwuid($<),
			"workers $mode: $job, in whose name");
	}
	$node->stop('immediate');
}

done_testing();
