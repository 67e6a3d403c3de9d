
# Expired partitions leave their table while others use it, and however that
# is cut off, the next run finishes it.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use IPC::Run;
use OpsCleanup;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $worker = q(backend_type = 'operations_runbook worker');

my $node = new_server('primary', <<~CONF);
	max_worker_processes = 4
	max_parallel_workers = 0
	max_prepared_transactions = 2
	CONF

sub sql
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

# What is left of the old partition: attached, detaching, detached, gone.
sub fate
{
	my ($table) = @_;

	return sql(
		qq(SELECT coalesce((SELECT CASE
			WHEN NOT relispartition THEN 'detached'
			WHEN inhdetachpending THEN 'detaching'
			ELSE 'attached' END
		FROM pg_class AS c LEFT JOIN pg_inherits ON inhrelid = c.oid
		WHERE c.oid = to_regclass('$table')), 'gone')));
}

# Table "Log" of a role that is no superuser, with partitions "old 1" ... and
# one for now; a policy over it.
sub make_table
{
	my ($old, %how) = @_;
	my $role = $how{role} // 'keeper';

	sql(qq{
		SELECT ops.drop_retention(policy_name) FROM ops.retention_policy;
		DROP TABLE IF EXISTS "Log", "old 1", "old 2", kinds;
		SET ROLE $role;
		CREATE TABLE "Log" (at timestamptz NOT NULL, v int) PARTITION BY RANGE (at);
		CREATE TABLE now PARTITION OF "Log" FOR VALUES FROM ('2024-01-01') TO ('2200-01-01');
	});
	for my $i (1 .. $old)
	{
		sql(qq{
			SET ROLE $role;
			CREATE TABLE "old $i" PARTITION OF "Log" FOR VALUES FROM ('2020-01-0$i') TO ('2020-01-0$i 12:00');
			INSERT INTO "Log" SELECT '2020-01-0$i', i FROM generate_series(1, 100) AS i;
		});
	}
	sql(qq{
		CREATE INDEX ON "Log" (at);
		SELECT ops.add_retention('"Log"', 'at', '90 days', policy_name => 'log', overrides => '{share}',
			partitions => '${\($how{policy} // 'drop')}');
	});
	return;
}

sub run_policy
{
	my ($arguments) = @_;
	my $run = run_cleanup(
		$node,
		join(', ', q('log'), grep { defined } $arguments),
		role => 'keeper');

	note($run->{said});
	return $run;
}

# Somebody in a transaction that began before, with a lock on the table.
sub old_transaction
{
	my ($query) = @_;
	my $session = $node->background_psql('postgres');

	$session->query_safe('BEGIN');
	$session->query_safe($query
		  // q(LOCK TABLE ONLY "Log" IN ACCESS SHARE MODE));
	return $session;
}

sub end_session
{
	my ($session) = @_;

	$session->query_safe('COMMIT');
	$session->quit;
	return;
}

# Sessions that read and write a table all the time, and do not wait for any
# lock for long.
sub start_traffic
{
	my ($seconds, %how) = @_;
	my %traffic  = (out => '', err => '');
	my $script   = $node->basedir . '/traffic.sql';
	my $patience = $how{patience} // '20ms';

	unlink($script);
	append_to_file($script, $how{queries} // <<~'SQL');
		SELECT count(*) FROM "Log" WHERE at > now();
		INSERT INTO "Log" VALUES (now(), 1);
		SQL
	local $ENV{PGOPTIONS} = "-c lock_timeout=$patience";
	local $ENV{PGAPPNAME} = 'traffic';
	$traffic{handle} = IPC::Run::start(
		[
			'pgbench',     '-n', '-c', '2', '-T', $seconds, '-f', $script,
			'--max-tries', '1',  $node->connstr('postgres')
		],
		'<',
		\undef,
		'>',
		\$traffic{out},
		'2>',
		\$traffic{err},
		IPC::Run::timeout(60));
	wait_until($node,
		q(EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'traffic'))
	);
	return \%traffic;
}

# Queries that had to wait longer, which ends a client; undef if there were no
# queries at all.
sub blocked
{
	my ($traffic) = @_;

	$traffic->{handle}->finish;
	note("$traffic->{out}$traffic->{err}");
	my $blocked = () = $traffic->{err} =~ /lock timeout/g;

	return unless $blocked || $traffic->{out} =~ /actually processed: [1-9]/;
	return $blocked;
}

sub wait_for_detaching
{
	wait_until(
		$node,
		qq(EXISTS (SELECT FROM pg_stat_activity WHERE $worker AND wait_event IN ('virtualxid', 'transactionid'))
		AND EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending))
	);
	return;
}

# The log's last word on a partition.
sub said_of
{
	my ($table) = @_;

	return sql(
		qq(SELECT status || ', ' || method || coalesce(': ' || stopped, '')
		FROM ops.cleanup_run WHERE relation = 'public."$table"' ORDER BY run_id DESC LIMIT 1)
	);
}

sub commands
{
	return sql(
		q(SELECT string_agg(DISTINCT format('%s as %s/%s in %s', command, said, logged_in, backend), '; ')
		FROM commands));
}

sql(q{
	CREATE ROLE keeper LOGIN;
	CREATE ROLE owner_only;
	CREATE ROLE apart LOGIN;
	GRANT owner_only, apart TO keeper;
	GRANT CREATE, USAGE ON SCHEMA public TO keeper, owner_only, apart;
	GRANT USAGE ON SCHEMA ops TO keeper;
	GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ops TO keeper;
	CREATE TABLE commands (command text, said text, logged_in text, backend text);
	GRANT INSERT ON commands TO PUBLIC;
	CREATE FUNCTION note_command() RETURNS event_trigger LANGUAGE plpgsql AS '
	BEGIN
		INSERT INTO public.commands SELECT tg_tag, current_user, session_user, backend_type
		FROM pg_stat_activity WHERE pid = pg_backend_pid();
	END';
	CREATE EVENT TRIGGER note_command ON ddl_command_end
		WHEN tag IN ('ALTER TABLE', 'DROP TABLE') EXECUTE FUNCTION note_command();
});

# What the traffic below has to be free of, it would notice.
make_table(1);
my $traffic = start_traffic(1);
sql(q(BEGIN; LOCK TABLE "Log"; SELECT pg_sleep(0.1); COMMIT));
cmp_ok(blocked($traffic), '>', 0, 'a lock on the table would be noticed');

# The ordinary case, under traffic, with an old transaction to wait for.
for my $policy (qw(drop detach))
{
	make_table(2, policy => $policy);
	is( sql(q(SELECT string_agg(DISTINCT note, '') FROM ops.cleanup_plan('log') WHERE relation IN ('"old 1"'::regclass, '"old 2"'::regclass) AND stopped_by IS NULL)
		),
		'ops.run_cleanup() detaches it concurrently.',
		"$policy: the plan says how");
	sql('TRUNCATE commands');
	my $old = old_transaction();
	$traffic = start_traffic(4);
	my $run = start_cleanup($node, q('log'), role => 'keeper');

	wait_for_detaching();
	is( sql('SELECT count(*) FROM "Log" WHERE at < now() - \'1 year\'::interval'
		),
		'100',
		"$policy: a partition on its way out is out already");
	end_session($old);
	$run = finish_cleanup($run);
	note($run->{said});
	is($run->{finished},  't', "$policy: both are done");
	is(blocked($traffic), 0,   "$policy: nobody waited for it");
	is( fate('"old 1"') . fate('"old 2"'),
		$policy eq 'drop' ? 'gonegone' : 'detacheddetached',
		"$policy: what becomes of them");
	is(said_of('old 2'), "done, $policy partition", "$policy: the log");
	is( commands(),
		'ALTER TABLE as keeper/keeper in operations_runbook worker'
		  . (
			$policy eq 'drop'
			? '; DROP TABLE as keeper/keeper in client backend'
			: ''),
		"$policy: a worker detached, as nobody but the owner");
	is(sql(q(SELECT count(*) FROM pg_stat_activity WHERE ) . $worker),
		'0', "$policy: no worker is left");
}
is(sql('SELECT count(*) FROM "old 1"'),
	'100', 'what was to be kept has its rows');

# An old transaction that does not end in time.
make_table(1);
my $old = old_transaction('SELECT count(*) FROM "Log"');
$traffic = start_traffic(4);
my $run = run_policy(q(max_duration => '1 s'));
is($run->{failed}, 0, 'an old transaction is no error');
like(
	said_of('old 1'),
	qr/^stopped, drop partition: the partition is on its way out, but transactions/,
	'it is told');
is(fate('"old 1"'),   'detaching', 'and leaves the partition on its way');
is(blocked($traffic), 0,           'and nobody waited meanwhile');
cmp_ok($run->{elapsed}, '<', 10, 'nor did the run for long');
is( sql(q(SELECT relation || ', ' || method || ': ' || note FROM ops.cleanup_plan('log') WHERE relation = '"old 1"'::regclass)
	),
	'"old 1", drop partition: A run began to detach it concurrently.',
	'the plan knows of it');
end_session($old);
run_policy();
is(fate('"old 1"'),  'gone',                 'the next run finishes it');
is(said_of('old 1'), 'done, drop partition', 'and says so');

# A lock that the worker would have to queue for, before others.
make_table(1);
sql(q{
	SET ROLE keeper;
	CREATE TABLE kinds (v int PRIMARY KEY);
	INSERT INTO kinds SELECT generate_series(1, 100);
	ALTER TABLE "Log" ADD FOREIGN KEY (v) REFERENCES kinds;
});
$old     = old_transaction('UPDATE kinds SET v = v WHERE v = 1');
$traffic = start_traffic(
	4,
	queries  => "UPDATE kinds SET v = v WHERE v = 2;\n",
	patience => '250ms');
$run = run_policy();
cmp_ok($run->{elapsed}, '<', 10, 'a lock on another table is not waited for');
like(said_of('old 1'), qr/^stopped/, 'this is told');
end_session($old);
is(blocked($traffic), 0, 'nor do others have to wait behind it for long');
run_policy();
is(fate('"old 1"'), 'gone', 'the next run finishes this, too');
is( sql(q(SELECT count(*) FROM pg_trigger WHERE tgrelid = 'kinds'::regclass AND tgconstrrelid NOT IN ('"Log"'::regclass))
	),
	'0',
	'and nothing of it is left');

# Cut off while it waits; where the partition was to be kept as well.
for my $policy (qw(drop detach))
{
	for my $end (qw(cancel terminate))
	{
		make_table(1, policy => $policy);
		$old = old_transaction();
		$run = start_cleanup($node, q('log'), role => 'keeper');
		wait_for_detaching();
		sql(qq(SELECT pg_${end}_backend(pid) FROM pg_stat_activity WHERE application_name = 'cleanup' AND backend_type = 'client backend')
		);
		$run = finish_cleanup($run);
		isnt($run->{failed}, 0, "$policy, $end: the call failed");
		wait_until($node,
			"NOT EXISTS (SELECT FROM pg_stat_activity WHERE $worker)");
		is(fate('"old 1"'), 'detaching', "$policy, $end: no worker goes on");
		like(
			said_of('old 1'),
			$end eq 'cancel' ? qr/^cancelled/ : qr/^running/,
			"$policy, $end: the log");
		end_session($old);
		run_policy();
		is( fate('"old 1"'),
			$policy eq 'drop' ? 'gone' : 'detached',
			"$policy, $end: the next run finishes it");
		is( said_of('old 1'),
			"done, $policy partition",
			"$policy, $end: and says so");
	}
}

# Only the worker is ended: nobody else is in the way of finishing it.
make_table(1);
$old = old_transaction();
$run = start_cleanup($node, q('log'), role => 'keeper');
wait_for_detaching();
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $worker");
finish_cleanup($run);
is(fate('"old 1"'), 'gone', 'a partition goes without its worker');
end_session($old);

# A crash, and a transaction that outlives it.
make_table(1);
sql(q(BEGIN; LOCK TABLE ONLY "Log" IN ACCESS SHARE MODE; PREPARE TRANSACTION 'old')
);
$run = start_cleanup($node, q('log'), role => 'keeper');
wait_for_detaching();
$node->stop('immediate');
finish_cleanup($run);
$node->start;
is(fate('"old 1"'), 'detaching', 'a crash leaves the partition on its way');
like(said_of('old 1'), qr/^running/, 'the log has it');
sql(q(COMMIT PREPARED 'old'));
run_policy();
is(fate('"old 1"'), 'gone', 'the run after the crash finishes it');
is( sql(q(SELECT string_agg(status, ' ' ORDER BY run_id) FROM (
			SELECT * FROM ops.cleanup_run WHERE relation = 'public."old 1"' ORDER BY run_id DESC LIMIT 2) AS r)
	),
	'interrupted done',
	'and says so');

# What the command sets off can fail.
make_table(1);
sql(q{
	CREATE FUNCTION object() RETURNS event_trigger LANGUAGE plpgsql AS '
	BEGIN
		IF (SELECT backend_type FROM pg_stat_activity WHERE pid = pg_backend_pid()) <> ''client backend'' THEN
			RAISE EXCEPTION ''not here'';
		END IF;
	END';
	CREATE EVENT TRIGGER object ON ddl_command_start EXECUTE FUNCTION object();
});
run_policy();
is(fate('"old 1"'), 'gone', 'a partition goes with a lock if it must');
is( sql(q(SELECT detaching FROM ops.cleanup_run WHERE relation = 'public."old 1"' ORDER BY run_id DESC LIMIT 1)
	),
	'f',
	'the log knows that nothing was begun');
sql(q(DROP EVENT TRIGGER object));

# Detached, but not dropped yet.
for my $young (0, 1)
{
	make_table(1);
	$old = old_transaction();
	$run = start_cleanup($node, q('log'), role => 'keeper');
	wait_for_detaching();
	sql(q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cleanup')
	);
	finish_cleanup($run);
	end_session($old);
	wait_until($node,
		"NOT EXISTS (SELECT FROM pg_stat_activity WHERE $worker)");
	sql(q(ALTER TABLE "Log" DETACH PARTITION "old 1" FINALIZE));

	if ($young)
	{
		sql(q{
			DO $$
			BEGIN
				EXECUTE (SELECT format('ALTER TABLE "old 1" DROP CONSTRAINT %I', conname)
					FROM pg_constraint WHERE conrelid = '"old 1"'::regclass AND contype = 'c');
			END $$;
			INSERT INTO "old 1" VALUES (now(), 1);
		});
	}
	run_policy();
	is( fate('"old 1"'),
		$young ? 'detached' : 'gone',
		$young
		? 'a table with new rows in it is left alone'
		: 'a table that was to be dropped is');
}

# What somebody else began is his.
make_table(2);
$old = old_transaction();
my ($code, $out, $err) = $node->psql('postgres',
	q(SET lock_timeout = '100ms'; ALTER TABLE "Log" DETACH PARTITION "old 1" CONCURRENTLY)
);
end_session($old);
is(fate('"old 1"'), 'detaching', 'somebody detaches a partition');
run_policy();
is(fate('"old 1"'), 'detaching', 'and we do not interfere');
is(fate('"old 2"'), 'gone',      'another one goes with a lock');

# Where it cannot be done concurrently.
sub goes_plainly
{
	my ($claim, $note) = @_;

	is( sql(q(SELECT note FROM ops.cleanup_plan('log') WHERE relation = '"old 1"'::regclass)
		),
		$note,
		"$claim: the plan says so");
	sql('TRUNCATE commands');
	run_policy();
	is(fate('"old 1"'), 'gone', "$claim: the partition goes");
	unlike(commands(), qr/worker/, "$claim: no worker did it");
	return;
}

make_table(1);
sql(q(SET ROLE keeper; CREATE TABLE other PARTITION OF "Log" DEFAULT));
goes_plainly('default partition',
	'It is not detached concurrently: the table has a default partition.');

make_table(1, role => 'apart');
sql(q(REVOKE CONNECT ON DATABASE postgres FROM PUBLIC; GRANT CONNECT ON DATABASE postgres TO keeper)
);
goes_plainly(
	'no CONNECT',
	'It is not detached concurrently: the role has no CONNECT privilege for the database.'
);

sql(q(GRANT CONNECT ON DATABASE postgres TO PUBLIC));
make_table(1, role => 'owner_only');
if ($node->pg_version < 17)
{
	goes_plainly(
		'no login',
		'It is not detached concurrently: a background worker cannot run as a role that may not log in before PostgreSQL 17.'
	);
}
else
{
	sql('TRUNCATE commands');
	run_policy();
	is(fate('"old 1"'), 'gone', 'no login: the partition goes');
	like(
		commands(),
		qr{owner_only/owner_only in operations_runbook worker},
		'no login: a worker did it');
}

for my $slots (0, 1)
{
	$node->append_conf('postgresql.conf', "max_worker_processes = $slots");
	$node->restart;
	make_table(1);
	goes_plainly(
		"$slots workers",
		$slots == 0
		? 'It is not detached concurrently: no background worker can be started.'
		: 'ops.run_cleanup() detaches it concurrently.');
}

$node->stop;
done_testing();
