
# Checks of sessions and processes, each driven into what it can say.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server(
	'primary', q(
max_connections = 20
max_prepared_transactions = 5
max_locks_per_transaction = 10
max_worker_processes = 1
autovacuum_max_workers = 1
autovacuum_vacuum_cost_delay = 100ms
autovacuum_vacuum_cost_limit = 1
restart_after_crash = on
));
my $version = $node->safe_psql('postgres', 'SHOW server_version_num');
my $row;

# A queue as small as can be; before 17 its size is fixed.
if ($version >= 170000)
{
	$node->append_conf('postgresql.conf', 'max_notify_queue_pages = 64');
	$node->restart;
}

# What a session of its own says of a check.
sub session_status
{
	my ($session, $name) = @_;

	return $session->query_safe(
		qq(SELECT status FROM ops.checks("only" => ARRAY['$name'])));
}

# Let a session wait for a lock.
sub wait_in
{
	my ($session, $statement) = @_;

	$session->query_until(qr/waiting/, "\\echo waiting\n$statement;\n");
}

sub pid_of
{
	my ($session) = @_;

	return $session->query_safe('SELECT pg_backend_pid()');
}

# The notes and names of culprits, in order.
sub culprits
{
	my ($field) = @_;

	return join ', ',
	  map { $_->{$field} // '-' } @{ $row->{details}{culprits} // [] };
}

# database
status_is($node, 'database', 'ok', 'a new server');
my $inside = $node->background_psql('postgres');
$node->safe_psql('template1',
	'ALTER DATABASE postgres ALLOW_CONNECTIONS false');
is(session_status($inside, 'database'), 'fail', 'database: no connections');
$node->safe_psql('template1',
	'ALTER DATABASE postgres ALLOW_CONNECTIONS true');
$node->safe_psql('postgres', 'ALTER DATABASE postgres CONNECTION LIMIT 0');
$row = status_is($node, 'database', 'fail', 'a connection limit of nothing');
like($row->{remedy}, qr/^ALTER DATABASE postgres /, 'remedy lets them in');
$node->safe_psql('postgres', $row->{remedy});
status_is($node, 'database', 'ok', 'the remedy helped');
$node->safe_psql('postgres',
	'ALTER DATABASE postgres SET default_transaction_read_only = on');
status_is($node, 'database', 'warn', 'read-only by default');
$node->safe_psql('postgres',
	'SET default_transaction_read_only = off; ALTER DATABASE postgres RESET default_transaction_read_only'
);
$inside->quit;

# connections, overall: 20 of which 3 are for superusers.
status_is($node, 'connections', 'ok', 'nobody here');
my @crowd = map { $node->background_psql('postgres') } (1 .. 13);
$row = status_is($node, 'connections', 'warn', '14 of 17');
is($row->{message}, '14 of 17 slots in use', 'counts us, too');
push @crowd, map { $node->background_psql('postgres') } (1 .. 2);
$row = status_is($node, 'connections', 'fail', '16 of 17');
is($row->{severity}, 'P1', 'there is one left');
push @crowd, $node->background_psql('postgres');
$row = status_is($node, 'connections', 'fail', '17 of 17');
is($row->{severity}, 'P0', 'ordinary roles are refused');
$_->quit for @crowd;
poll_status($node, 'connections', 'ok') or die 'the crowd stays';

# connections, of a role and of a database.
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN CONNECTION LIMIT 2');
my $app = $node->background_psql('postgres', extra_params => [ '-U', 'app' ]);
status_is($node, 'connections', 'ok', "half of a role's limit");
my $app2 =
  $node->background_psql('postgres', extra_params => [ '-U', 'app' ]);
$row = status_is($node, 'connections', 'fail', "all of a role's limit");
is( $row->{message},
	'2 of 2 connections of role "app" in use',
	'names the role');
like(culprits('role'), qr/^app\b/, 'which comes first');
$node->safe_psql('postgres', 'ALTER ROLE app SUPERUSER');
status_is($node, 'connections', 'ok', 'superusers have no limit');
$node->safe_psql('postgres',
	'ALTER ROLE app NOSUPERUSER CONNECTION LIMIT -1');
$app2->quit;
$node->safe_psql('postgres', 'ALTER DATABASE postgres CONNECTION LIMIT 2');
$row = status_is($node, 'connections', 'fail', "all of a database's limit");
like(
	$row->{message},
	qr/ of 2 connections of database "postgres" in use$/,
	'names the database');
$node->safe_psql('postgres', 'ALTER DATABASE postgres CONNECTION LIMIT -1');
$app->quit;

# idle_in_tx, long_tx
status_is($node, $_, 'ok', 'nobody here')
  for qw(idle_in_tx long_tx long_query);
my $holder = $node->background_psql('postgres');
my $pid    = pid_of($holder);
$node->safe_psql('postgres', 'CREATE TABLE t (i int)');
$holder->query_safe('BEGIN; LOCK TABLE t IN ACCESS SHARE MODE');
for my $name (qw(idle_in_tx long_tx))
{
	threshold($node, $name, warning => 0.001, critical => 1000);
	$row = status_is($node, $name, 'warn', 'an open transaction');
	is(culprits('pid'), $pid, "$name names the session");
	is( $row->{remedy},
		"SELECT pg_terminate_backend($pid);",
		"$name says how to end it");
	threshold($node, $name, warning => 0.001, critical => 0.002);
	status_is($node, $name, 'fail', 'an old transaction');
}
$row = check($node, 'idle_in_tx');
is(culprits('note'), 'holds locks only', 'vacuum need not mind it');
$holder->query_safe('INSERT INTO t VALUES (1)');
$row = check($node, 'idle_in_tx');
is(culprits('note'), 'holds back vacuum', 'vacuum has to mind it');

# Who may not see other sessions is told nothing of them.
$node->safe_psql('postgres',
	'GRANT USAGE ON SCHEMA ops TO app; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ops TO app'
);
for my $name (qw(idle_in_tx long_tx long_query blocked autovacuum_workers))
{
	$row = status_is($node, $name, 'unknown', 'for others', role => 'app');
	is($row->{details}{reason}, 'denied', "$name is denied them");
	is( $row->{remedy},
		'GRANT pg_monitor TO app;',
		"$name says what is missing");
}

# blocked: one waits, then others behind it.
my @waiting = map { $node->background_psql('postgres') } (1 .. 3);
my @pids    = map { pid_of($_) } @waiting;
status_is($node, 'blocked', 'ok', 'nobody waits');
threshold($node, 'blocked', warning => 0.001, critical => 1000);
wait_in($waiting[0], 'BEGIN; LOCK TABLE t; COMMIT');
ok(poll_status($node, 'blocked', 'warn'), 'blocked: one waits');
$row = check($node, 'blocked');
is(culprits('pid'), $pids[0], 'names who waits');
is( $row->{remedy},
	"SELECT pg_terminate_backend($pid);",
	'remedy ends who is in the way, and idle');
threshold($node, 'blocked', warning => 0.001, critical => 0.002);
status_is($node, 'blocked', 'fail', 'one waits for too long');
threshold($node, 'blocked', warning => 0.001, critical => 1000);
wait_in($waiting[1], 'SELECT * FROM t');
wait_in($waiting[2], 'SELECT * FROM t');
ok(poll_status($node, 'blocked', 'fail'), 'blocked: three wait');
$node->poll_query_until('postgres',
	q(SELECT details->'culprits'->2 ? 'note' FROM ops.checks("only" => ARRAY['blocked']))
) or die 'nobody knows who is in the way';
$row = check($node, 'blocked');
is( culprits('note'),
	"blocked by $pid, blocked by $pids[0], blocked by $pids[0]",
	'each names who is in the way');

# long_query: those who wait are running.
threshold($node, 'long_query', warning => 0.001, critical => 1000);
$row = status_is($node, 'long_query', 'warn', 'statements that wait');
is( $row->{remedy},
	"SELECT pg_cancel_backend($pids[0]);",
	'remedy cancels the oldest');
threshold($node, 'long_query', warning => 0.001, critical => 0.002);
status_is($node, 'long_query', 'fail', 'statements that wait for long');

$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
$_->query('SELECT 1') for @waiting;
for my $name (qw(idle_in_tx long_tx long_query blocked))
{
	ok(poll_status($node, $name, 'ok'), "$name: all went home");
}

# A prepared transaction can be in the way as well, and has no process.
$node->safe_psql('postgres',
	"BEGIN; LOCK TABLE t; PREPARE TRANSACTION 'in the way'");
wait_in($waiting[0], 'SELECT * FROM t');
$node->poll_query_until('postgres',
	q(SELECT details->'culprits'->0->>'note' = 'blocked by a prepared transaction' FROM ops.checks("only" => ARRAY['blocked']))
) or die 'nobody knows what is in the way';
like(check($node, 'blocked')->{remedy},
	qr/pg_blocking_pids/, 'shows the queue');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'in the way'");
$_->quit for @waiting;

# Sessions that keep no times could have done anything.
my $untracked = $node->background_psql('postgres');
$untracked->query_safe('SET track_activities = off');
for my $name (qw(idle_in_tx long_tx long_query))
{
	status_is($node, $name, 'unknown', 'a session keeps no times');
}
$untracked->quit;

# prepared
status_is($node, 'prepared', 'ok', 'none prepared');
$node->safe_psql('postgres',
	q(BEGIN; CREATE TABLE p (i int); PREPARE TRANSACTION 'left''over'));
threshold($node, 'prepared', warning => 0.001, critical => 1000);
$row = status_is($node, 'prepared', 'warn', 'one prepared');
is( $row->{remedy},
	q(ROLLBACK PREPARED 'left''over';),
	'remedy quotes the name');
threshold($node, 'prepared', warning => 0.001, critical => 0.002);
status_is($node, 'prepared', 'fail', 'one prepared for too long');
$node->safe_psql('postgres', q(ROLLBACK PREPARED 'left''over'));
status_is($node, 'prepared', 'ok', 'finished');

# notify_queue: a listener that is not done with its transaction holds it up.
status_is($node, 'notify_queue', 'ok', 'nobody listens');
my $listener = $node->background_psql('postgres');
$listener->query_safe('LISTEN news');
$listener->query_safe('BEGIN');

sub notify
{
	my ($pages) = @_;

	$node->safe_psql('postgres',
		"SELECT count(pg_notify('news', repeat('x', 7900) || g)) FROM generate_series(1, $pages) g"
	);
}

notify(36);
threshold($node, 'notify_queue', warning => 0.001, critical => 50)
  if $version < 170000;
status_is($node, 'notify_queue', 'warn', 'the queue fills');
notify(16);
threshold($node, 'notify_queue', warning => 0.001, critical => 0.002)
  if $version < 170000;
status_is($node, 'notify_queue', 'fail', 'the queue is almost full');
$listener->quit;
ok(poll_status($node, 'notify_queue', 'ok'), 'the listener is gone');

# lock_table: 10 places for each session, prepared transaction and so on.
status_is($node, 'lock_table', 'ok', 'no locks');
my $places = check($node, 'lock_table')->{message} =~ /about (\d+)/ && $1;
my $locker = $node->background_psql('postgres');

sub take
{
	my ($from, $to) = @_;

	$locker->query_safe(
		"DO 'BEGIN PERFORM pg_advisory_lock(g) FROM generate_series($from, $to) g; END'"
	);
}

take(1, int($places * 0.7));
status_is($node, 'lock_table', 'warn', 'two thirds of the places taken');
take(int($places * 0.7) + 1, int($places * 0.9));
status_is($node, 'lock_table', 'fail', 'most of the places taken');
$locker->quit;
ok(poll_status($node, 'lock_table', 'ok'), 'the locks are gone');

# autovacuum_workers
status_is($node, 'autovacuum_workers', 'ok', 'no worker is busy');
$node->safe_psql('postgres',
	'CREATE TABLE much AS SELECT g FROM generate_series(1, 100000) g; DELETE FROM much; ALTER SYSTEM SET autovacuum_naptime = 1'
);
threshold($node, 'autovacuum_workers', warning => 0.001);
$node->reload;
ok(poll_status($node, 'autovacuum_workers', 'warn'),
	'the only worker is busy');
$row = check($node, 'autovacuum_workers');
is($row->{message} =~ /^all 1 autovacuum workers have been busy/,
	1, 'and so on');
$node->safe_psql('postgres',
	'ALTER SYSTEM SET autovacuum = off; ALTER SYSTEM RESET autovacuum_naptime'
);
$node->reload;
ok(poll_status($node, 'autovacuum_workers', 'fail'), 'autovacuum is off');
reset_threshold($node, 'autovacuum_workers');
$node->safe_psql('postgres',
	'DROP TABLE much; ALTER SYSTEM RESET autovacuum');
$node->reload;
ok(poll_status($node, 'autovacuum_workers', 'ok'), 'autovacuum is on');

# restarts
status_is($node, 'restarts', 'warn', 'the server has just started');
threshold($node, 'restarts', warning => 0.001);
status_is($node, 'restarts', 'ok', 'it has not crashed');
$node->poll_query_until('postgres',
	"SELECT now() - pg_postmaster_start_time() > '4 seconds'");
my $victim = $node->background_psql('postgres');
kill 'KILL', pid_of($victim);
$node->poll_query_until('postgres',
	q(SELECT status = 'fail' FROM ops.checks("only" => ARRAY['restarts'])));
$row = status_is($node, 'restarts', 'fail', 'a process was killed');
like($row->{message}, qr/^restarted after a crash \d+ s ago$/, 'and when');
eval { $victim->quit };

$node->stop;
done_testing();
