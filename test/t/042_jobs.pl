
# Checks of what other tools do in a database, each driven into what it can
# say: pg_cron, tools for migrations, pg_stat_statements.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use IPC::Run;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary', <<~CONF);
	max_prepared_transactions = 5
	operations_runbook.sample_interval = '10ms'
	CONF
my $row;

$node->safe_psql('postgres', <<~SQL);
	CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
	CREATE ROLE nobody LOGIN;
	GRANT USAGE ON SCHEMA ops TO nobody;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ops TO nobody;
	CREATE ROLE deployer;
	GRANT CREATE ON DATABASE postgres TO deployer;
	GRANT CREATE, USAGE ON SCHEMA public TO deployer;
	SQL

sub sql
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

sub reason_is
{
	my ($name, $reason, $claim, %how) = @_;
	my $result = status_is($node, $name, 'unknown', $claim, %how);

	is($result->{details}{reason}, $reason, "$name: because it is $reason");
	return $result;
}

# What is not there.
for my $name (qw(cron migrations slow_queries))
{
	reason_is($name, 'not_applicable', 'not there');
	reason_is($name, 'denied', 'to others', role => 'nobody');
}

# migrations.  Everything is the deployer's, everything is asked by a watcher
# who has no privilege on any of it.
sub deploy
{
	return sql("SET ROLE deployer; $_[0]");
}

sub migrations_are
{
	my ($status, $claim) = @_;

	return status_is($node, 'migrations', $status, $claim, role => 'watcher');
}

sub expect_migration
{
	my ($name) = @_;

	sql("ALTER ROLE watcher SET operations_runbook.expected_migration = '$name'"
	);
	return;
}

deploy(q(CREATE TABLE schema_migrations (something text)));
reason_is('migrations', 'not_applicable', 'a table of another shape');
deploy(q(DROP TABLE schema_migrations));

# Supabase, numbered one by one
deploy(<<~SQL);
	CREATE SCHEMA supabase_migrations;
	CREATE TABLE supabase_migrations.schema_migrations
	  (version text PRIMARY KEY, statements text[], name text);
	INSERT INTO supabase_migrations.schema_migrations (version)
	  SELECT to_char(i, 'FM000') FROM generate_series(1, 13) i;
	SQL
$row = migrations_are('ok', 'all of 001 to 013');
is($row->{message}, 'the newest migration is 013', 'the newest is named');
is($row->{value},   0,                             'nothing is counted');
deploy(
	q(DELETE FROM supabase_migrations.schema_migrations WHERE version = '009')
);
$row = migrations_are('warn', '009 is missing');
is($row->{value},                          1,     'one is counted');
is($row->{details}{culprits}[0]{name},     '009', 'and named');
is($row->{details}{culprits}[0]{relation}, 'schema_migrations', 'and where');
is( $row->{remedy},
	'SELECT * FROM supabase_migrations.schema_migrations;',
	'the remedy looks there');
deploy(
	q(INSERT INTO supabase_migrations.schema_migrations VALUES ('20240102030405'))
);
migrations_are('ok', 'dates among them are no numbering');
expect_migration('20240102030405_orders');
migrations_are('ok', 'the expected one');
expect_migration('20240809101112_invoices');
$row = migrations_are('warn', 'not yet the expected one');
like(
	$row->{message},
	qr/is 20240102030405, expected was 20240809101112_invoices/,
	'both are named');
expect_migration('');
deploy(q(DROP SCHEMA supabase_migrations CASCADE));

# Prisma, in a schema of its own
deploy(<<~SQL);
	CREATE SCHEMA "My App";
	CREATE TABLE "My App"._prisma_migrations (
	  id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL,
	  finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text,
	  rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
	  applied_steps_count int NOT NULL DEFAULT 0);
	INSERT INTO "My App"._prisma_migrations (id, checksum, finished_at, migration_name)
	  VALUES ('a', '', now(), '20240101000000_init');
	SQL
migrations_are('ok', 'one has finished');
deploy(
	q(INSERT INTO "My App"._prisma_migrations (id, checksum, migration_name, logs)
	  VALUES ('b', '', '20240201000000_orders', 'ERROR: no'))
);
$row = migrations_are('fail', 'one has not');
is($row->{details}{culprits}[0]{name}, '20240201000000_orders', 'this one');
is($row->{details}{culprits}[0]{schema_name}, 'My App',         'over there');
is( $row->{remedy},
	'SELECT * FROM "My App"._prisma_migrations;',
	'the remedy quotes the name');
deploy(
	q(UPDATE "My App"._prisma_migrations SET rolled_back_at = now() WHERE id = 'b')
);
$row = migrations_are('ok', 'marked as rolled back');
is( $row->{message},
	'the newest migration is 20240101000000_init',
	'the newest is the one before');
deploy(q(DROP SCHEMA "My App" CASCADE));

# golang-migrate, then Rails, by the same name
deploy(<<~SQL);
	CREATE TABLE public.schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);
	INSERT INTO public.schema_migrations VALUES (42, false);
	SQL
migrations_are('ok', 'not dirty');
deploy(q(UPDATE public.schema_migrations SET dirty = true));
migrations_are('fail', 'dirty');
deploy(<<~SQL);
	DROP TABLE public.schema_migrations;
	CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY);
	INSERT INTO public.schema_migrations
	  VALUES ('20240101000000'), ('20240201000000'), ('20240301000000');
	SQL
migrations_are('ok', 'dates have no gaps');
deploy(q(DROP TABLE public.schema_migrations));

# Flyway
deploy(<<~SQL);
	CREATE TABLE flyway_schema_history (
	  installed_rank int PRIMARY KEY, version varchar(50), description varchar(200),
	  type varchar(20), script varchar(1000), success boolean NOT NULL);
	INSERT INTO flyway_schema_history VALUES
	  (1, '1', 'init', 'SQL', 'V1__init.sql', true),
	  (2, '1.1', 'fix', 'SQL', 'V1.1__fix.sql', true),
	  (3, NULL, 'views', 'SQL', 'R__views.sql', true),
	  (4, '4', 'more', 'SQL', 'V4__more.sql', true);
	SQL
migrations_are('ok', 'dots are no numbering');
deploy(
	q(INSERT INTO flyway_schema_history VALUES (5, NULL, 'views', 'SQL', 'R__views.sql', false))
);
$row = migrations_are('fail', 'a repeatable one failed');
is($row->{details}{culprits}[0]{name}, 'R__views.sql', 'this one');
deploy(q(DROP TABLE flyway_schema_history));

# Knex and Drizzle, side by side
deploy(<<~SQL);
	CREATE TABLE knex_migrations (id serial PRIMARY KEY, name varchar(255), batch int, migration_time timestamptz);
	INSERT INTO knex_migrations (name) VALUES ('001_a.js'), ('002_b.js'), ('004_d.js');
	CREATE SCHEMA drizzle;
	CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint);
	INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('x', 1704067200000);
	SQL
$row = migrations_are('warn', '003 is missing');
is($row->{details}{culprits}[0]{name}, '003', 'this one');
threshold($node, 'migrations', critical => 1);
migrations_are('fail', 'one missing is too many');
reset_threshold($node, 'migrations');
deploy(q(INSERT INTO knex_migrations (name) VALUES ('003_c.js')));
migrations_are('ok', 'none is missing');
expect_migration('1704067200000');
migrations_are('ok', 'expected of either tool');
expect_migration('');

# Locked, by a process and by a prepared transaction
my $output = '';
my $locker = IPC::Run::start(
	[
		'psql', '-XAtq', '-d', $node->connstr('postgres'),
		'-c',   'BEGIN; LOCK TABLE knex_migrations; SELECT pg_sleep(180)'
	],
	'>',
	\$output,
	'2>',
	\$output);
$node->poll_query_until(
	'postgres',
	q(SELECT count(*) = 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock'
	  AND relation = 'knex_migrations'::regclass AND granted)
) or die 'no lock';
$row = reason_is('migrations', 'locked', 'behind a lock', role => 'watcher');
my $pid = sql(
	q(SELECT pid FROM pg_locks WHERE mode = 'AccessExclusiveLock'
	AND relation = 'knex_migrations'::regclass));
is($row->{message}, "table public.knex_migrations is locked by process $pid",
	'and by whom');
sql("SELECT pg_terminate_backend($pid)");
$locker->finish;
sql(q(BEGIN; LOCK TABLE knex_migrations; PREPARE TRANSACTION 'lock'));
$row = reason_is('migrations', 'locked', 'behind a lock of nobody');
sql(q(ROLLBACK PREPARED 'lock'));
migrations_are('ok', 'not locked any more');

# What the owner cannot see is not called good, and a superuser who asks lends
# no privilege to the owner's code.
deploy(<<~SQL);
	CREATE FUNCTION grab() RETURNS boolean LANGUAGE plpgsql AS
	  'BEGIN EXECUTE ''ALTER ROLE deployer SUPERUSER''; RETURN true; END';
	ALTER TABLE knex_migrations ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON knex_migrations USING (grab());
	SQL
status_is($node, 'migrations', 'ok', 'the owner sees all rows');
deploy(q(ALTER TABLE knex_migrations FORCE ROW LEVEL SECURITY));
reason_is('migrations', 'denied', 'the owner does not see all rows');
is(sql(q(SELECT rolsuper FROM pg_roles WHERE rolname = 'deployer')),
	'f', 'and has gained nothing');
deploy(q(DROP TABLE knex_migrations; DROP SCHEMA drizzle CASCADE));

# slow_queries
sql(q(ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements));
SKIP:
{
	skip 'pg_stat_statements is not available', 24
	  if sql(
		q(SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements')
	  ) eq '0';

	sql(q(CREATE EXTENSION pg_stat_statements));
	$row = reason_is('slow_queries', 'not_applicable', 'not preloaded');
	like($row->{message}, qr/not preloaded/, 'and says so');
	sql(q(DROP EXTENSION pg_stat_statements));
	$node->restart;
	$row = reason_is('slow_queries', 'not_applicable', 'not installed');
	is( $row->{remedy},
		'CREATE EXTENSION pg_stat_statements;',
		'the remedy installs it');
	sql($row->{remedy});
	$row = reason_is('slow_queries', 'too_young', 'no sample kept');
	like($row->{message}, qr/preload operations_runbook/, 'and why');

	sql(q(ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements, operations_runbook)
	);
	$node->restart;
	sql(q(CREATE SCHEMA "Odd Place"));
	sql(q(ALTER EXTENSION pg_stat_statements SET SCHEMA "Odd Place"));

	# Run a statement that often, by several clients at once.
	my $script = $node->basedir . '/slow.sql';
	my $run    = sub {
		my ($sql, $clients, $times) = @_;

		open my $file, '>', $script or die "$script: $!";
		print $file "$sql;\n";
		close $file or die "$script: $!";
		$node->command_ok(
			[
				'pgbench', '-n',     '-f', $script,
				'-c',      $clients, '-t', $times,
				'postgres'
			],
			"pgbench: $sql");
		return;
	};

	reason_is(
		'slow_queries', 'denied',
		'in a closed schema',
		role => 'watcher');
	sql(q(GRANT USAGE ON SCHEMA "Odd Place" TO watcher));
	$row = reason_is('slow_queries', 'too_young', 'no sample yet');
	is($row->{message}, 'needs a second sample', 'and says so');
	$run->('SELECT 1',             1,  60);
	$run->('SELECT pg_sleep(1.5)', 10, 1);
	$row = status_is($node, 'slow_queries', 'ok',
		'quick ones, and a slow one ten times');
	cmp_ok($row->{value}, '<', 100, 'the quick one is measured');
	like($row->{message}, qr/^\d+ statements? ran often/, 'as one of some');
	$run->('SELECT pg_sleep(0.12), now()', 10, 6);
	$row = status_is(
		$node, 'slow_queries', 'warn',
		'one takes 120 ms',
		role => 'watcher');
	cmp_ok($row->{value}, '>', 119, 'of which all is measured');
	is( sql(qq(SELECT query LIKE '%, now()' FROM "Odd Place".pg_stat_statements
			WHERE queryid = $row->{details}{culprits}[0]{name})),
		't',
		'it is named');
	is($row->{details}{culprits}[0]{note}, '60 calls', 'with its calls');
	like(sql($row->{remedy}), qr/^60\|.*, now\(\)$/, 'the remedy shows it');
	$run->('SELECT pg_sleep(1.01), random()', 30, 2);
	$row = status_is($node, 'slow_queries', 'fail', 'one takes a second');
	cmp_ok($row->{value}, '>', 1000, 'of which all is measured');

	# Half an hour, here 300 ms, after the first round there is another one,
	# and after the second the first one is forgotten.
	for (1 .. 3)
	{
		sleep 1;
		check($node, 'slow_queries');
	}
	status_is($node, 'slow_queries', 'ok', 'nothing slow lately');
	sql(q(SELECT "Odd Place".pg_stat_statements_reset()));
	reason_is('slow_queries', 'too_young', 'counting from zero');

	sql(q(ALTER SYSTEM SET pg_stat_statements.track = none));
	$node->reload;
	$node->poll_query_until('postgres',
		q(SELECT current_setting('pg_stat_statements.track') = 'none'));
	reason_is('slow_queries', 'not_applicable', 'nothing is recorded');
}

# cron
SKIP:
{
	skip 'pg_cron is not available', 20
	  if sql(
		q(SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_cron')
	  ) eq '0';

	sql(q(ALTER SYSTEM SET shared_preload_libraries = operations_runbook, pg_cron)
	);
	$node->restart;
	sql(q(CREATE EXTENSION pg_cron));
	sql(q(CREATE DATABASE elsewhere));
	$node->safe_psql('elsewhere', 'CREATE EXTENSION operations_runbook');
	$row = check($node, 'cron', database => 'elsewhere');
	like($row->{message}, qr/ask database "postgres"/, 'cron: where to ask');

	$node->poll_query_until('postgres',
		q(SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pg_cron launcher')
	) or die 'no launcher';
	$row = status_is($node, 'cron', 'ok', 'no job');
	# These dates never come.
	sql(q(SELECT cron.schedule('nightly', '0 3 30 2 *', 'VACUUM')));
	sql(q(SELECT cron.schedule('weekly', '0 4 31 2 *', 'SELECT 1')));
	$row = status_is($node, 'cron', 'ok', 'no job has run');
	like($row->{message}, qr/2 have no finished run/, 'and says so');

	# Rows as pg_cron writes them, which would do so only on the minute.
	my $ran = sub {
		my ($job, $status, $start) = @_;
		my $end = $status eq 'running' ? 'NULL' : 'now()';

		sql(qq(INSERT INTO cron.job_run_details
			(jobid, job_pid, database, username, command, status, start_time, end_time)
			SELECT jobid, 1, database, username, command, '$status', $start, $end
			FROM cron.job WHERE jobname = '$job'));
		return;
	};

	$ran->('nightly', 'failed',    'now()');
	$ran->('nightly', 'succeeded', 'now()');
	$ran->('nightly', 'running',   'now()');
	$row = status_is(
		$node, 'cron', 'ok',
		'one failed, then succeeded',
		role => 'watcher');
	is($row->{value}, 0, 'none is counted');
	$ran->('weekly',  'failed',  'now()');
	$ran->('nightly', 'failed',  'now()');
	$ran->('nightly', 'running', 'now()');
	$row = status_is($node, 'cron', 'warn', 'two failed', role => 'watcher');
	is($row->{value}, 2, 'both are counted');
	is( join(' ', sort map { $_->{name} } @{ $row->{details}{culprits} }),
		'nightly weekly',
		'and named');
	like(sql($row->{remedy}), qr/failed/, 'the remedy shows the run');
	threshold($node, 'cron', critical => 2);
	status_is($node, 'cron', 'fail', 'two are too many');
	reset_threshold($node, 'cron');
	sql(q(SELECT cron.alter_job(jobid, active => false) FROM cron.job WHERE jobname = 'nightly')
	);
	$row = status_is($node, 'cron', 'warn', 'one is switched off');
	is($row->{value}, 1, 'so it no longer counts');
	$ran->('weekly', 'succeeded', 'now()');
	status_is($node, 'cron', 'ok', 'the other one succeeded');
	$ran->(
		'weekly', 'running', q(pg_postmaster_start_time() - '1 h'::interval));
	$row = status_is($node, 'cron', 'warn', 'it ran when the server stopped');
	is( $row->{details}{culprits}[0]{note},
		'cut off by a restart',
		'and says so');
	$ran->('weekly', 'succeeded', 'now()');

	sql(q(INSERT INTO cron.job_run_details (jobid) SELECT -1 FROM generate_series(1, 1001000);
		ANALYZE cron.job_run_details));
	$ran->('weekly', 'succeeded', 'now()');
	$row = status_is($node, 'cron', 'warn', 'a million rows of history');
	like($row->{remedy}, qr/^DELETE FROM cron\.job_run_details/, 'are many');
	sql(q(TRUNCATE cron.job_run_details));
	status_is($node, 'cron', 'ok', 'cleaned up');

	sql(q(ALTER SYSTEM SET cron.log_run = off));
	$node->restart;
	$node->poll_query_until('postgres',
		q(SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pg_cron launcher')
	) or die 'no launcher';
	reason_is('cron', 'not_applicable', 'nothing is recorded');
	sql(q(ALTER SYSTEM SET shared_preload_libraries = operations_runbook));
	$node->restart;
	$row = status_is($node, 'cron', 'fail', 'pg_cron is not running');
	like($row->{message}, qr/launcher is not running/, 'and says so');
}

$node->stop;
done_testing();
