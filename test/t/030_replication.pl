
# Standbys, being one, and replication slots.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use IPC::Run ();
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_server(
	'primary', "
		wal_keep_size = 64MB
		max_wal_size = 64MB
		min_wal_size = 32MB
		checkpoint_timeout = 1h
		shared_buffers = 16MB
	",
	allows_streaming => 1,
	extra            => ['--wal-segsize=1']);
my $major =
  int($primary->safe_psql('postgres', 'SHOW server_version_num') / 10000);
$primary->safe_psql(
	'postgres', q(
	CREATE TABLE filler (t text);
	CREATE ROLE plain LOGIN;
	GRANT USAGE ON SCHEMA ops TO plain;
	GRANT EXECUTE ON FUNCTION ops.checks(text, text[], interval) TO plain));

# Write so many megabytes of WAL.
sub write_wal
{
	my ($mb) = @_;
	$primary->safe_psql('postgres',
		"INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, $mb * 1000)"
	);
}

# Change a setting and wait until sessions have it.  Commits may be waiting
# for a standby that does not exist.
sub set_to
{
	my ($name, $value) = @_;
	$primary->safe_psql('postgres', "ALTER SYSTEM SET $name = '$value'");
	$primary->reload;
	$primary->poll_query_until('postgres',
		"SELECT current_setting('$name') = '$value'")
	  or die "$name did not change";
}

sub reason_is
{
	my ($node, $check, $reason, $claim) = @_;
	my $row = status_is($node, $check, 'unknown', $claim);
	is($row->{details}{reason}, $reason, "$check: says why");
}

# Start pg_receivewal, which is no standby; its errors go to a file.
my $errors = PostgreSQL::Test::Utils::tempdir . '/errors';

sub receive_wal
{
	my ($count, @options) = @_;
	my $handle = IPC::Run::start(
		[
			'pg_receivewal', '--no-loop', '--status-interval=1',
			'--directory' => PostgreSQL::Test::Utils::tempdir,
			'--dbname'    => $primary->connstr . ' application_name=files',
			@options
		],
		'>'  => '/dev/null',
		'2>' => $errors);
	$primary->poll_query_until('postgres',
		"SELECT count(*) = $count FROM pg_stat_replication WHERE state = 'streaming'"
	) or die "pg_receivewal did not connect: " . slurp_file($errors);
	return $handle;
}

# Nobody is there, and nobody is missed.
reason_is($primary, $_, 'not_applicable', 'no standby')
  for qw(replication_out replication_delay standbys);
reason_is($primary, $_, 'not_applicable', 'on a primary')
  for qw(replay replay_paused);

# Somebody is missed.
set_to('operations_runbook.expected_standbys', 1);
status_is($primary, 'standbys', 'fail', 'one expected, none there');
reason_is($primary, $_, 'failed', 'nobody to measure')
  for qw(replication_out replication_delay);

# What takes WAL into files is no standby.
my $receiver = receive_wal(1);
like(
	status_is($primary, 'standbys', 'fail', 'only pg_receivewal there')
	  ->{message},
	qr/^0 standbys/,
	'standbys: pg_receivewal does not count');

# A standby arrives.
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf',
	"wal_retrieve_retry_interval = 100ms");
$standby->start;
$primary->wait_for_catchup($standby, 'replay');
ok( poll_status($primary, 'standbys', 'ok'),
	'standbys: the one expected is there');
status_is($primary, 'replication_out', 'ok', 'standby has it all');
ok( poll_status($primary, 'replication_delay', 'ok'),
	'replication_delay: standby is up to date');
ok(poll_status($standby, 'replay', 'ok'), 'replay: streaming');
status_is($standby, 'replay_paused', 'ok', 'not paused');

# The document of a standby; the backup brought the primary's settings along,
# which say nothing of standbys that the standby itself should have.
is( check($standby, 'database')->{message},
	'accepting read-only connections',
	'database: a standby says that it is one');
is( $standby->safe_psql(
		'postgres', q(
		BEGIN READ ONLY;
		SELECT ops.health() ->> 'role', ops.health(depth => 'deep') ->> 'role')),
	'standby|standby',
	'ops.health() answers on a standby, read-only');
reason_is($standby, 'standbys', 'not_applicable', 'on a standby');
reason_is($standby, 'replication_out', 'not_applicable',
	'a standby without one');

# What a plain role may not see.
for my $check (qw(replication_out replication_delay standbys slot_retained))
{
	my $row = status_is(
		$primary, $check, 'unknown',
		'to a plain role',
		role => 'plain');
	is($row->{details}{reason}, 'denied', "$check: not for everybody");
	is($row->{value},           undef,    "$check: without a figure");
}

# Commits wait for somebody who is not there, or for one more than there is.
set_to('synchronous_standby_names', 'nobody');
my $row = status_is($primary, 'standbys', 'fail', 'no synchronous standby');
like(
	$row->{message},
	qr/^commits hang.* 0 connected/,
	'standbys: says that commits wait');
set_to('synchronous_standby_names', 'FIRST 2 (standby, nobody)');
ok( $primary->poll_query_until(
		'postgres',
		q(SELECT status = 'fail' AND message ~ '^commits hang.*1 connected'
		  FROM ops.checks("only" => '{standbys}'))),
	'standbys: one of two synchronous ones');
set_to('synchronous_standby_names', 'standby');
ok( poll_status($primary, 'standbys', 'ok'),
	'standbys: synchronous one is there');
set_to('synchronous_standby_names', '');

# Replay is paused: the standby falls behind.
threshold($primary, 'replication_out', warning => 1, critical => 1000);
$primary->wait_for_catchup($standby, 'replay');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres',
	"SELECT pg_get_wal_replay_pause_state() = 'paused'");
status_is($standby, 'replay_paused', 'warn', 'paused');

write_wal(2);
$primary->wait_for_catchup($standby, 'flush');
$row = status_is($primary, 'replication_out', 'warn', 'standby is behind');
cmp_ok($row->{value}, '>', 1, 'replication_out: by more than a megabyte');
ok($row->{details}{culprits}[0]{pid}, 'replication_out: names the walsender');
is($row->{details}{culprits}[0]{name},
	'standby', 'replication_out: names the standby');
threshold($primary, 'replication_out', warning => 1, critical => 1.5);
status_is($primary, 'replication_out', 'fail', 'standby is too far behind');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
$primary->wait_for_catchup($standby, 'replay');
ok(poll_status($primary, 'replication_out', 'ok'),
	'replication_out: caught up');
reset_threshold($primary, 'replication_out');

# Limits are changed on the primary and arrive by replication.
threshold($primary, 'replay_paused', critical => 1);
$primary->wait_for_catchup($standby, 'replay');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres',
	"SELECT pg_get_wal_replay_pause_state() = 'paused'");
status_is($standby, 'replay_paused', 'fail',
	'paused, where that is a failure');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');

# A standby's clock of checkpoints is what it replays.
threshold($primary, 'checkpoint_age', warning => 1e-6, critical => 1e6);
write_wal(1);
$primary->wait_for_catchup($standby, 'replay');
like(
	status_is($standby, 'checkpoint_age', 'warn', 'no restartpoint since')
	  ->{message},
	qr/past the last restartpoint/,
	'checkpoint_age: says so');

# Delay in time, while replay is slow.
threshold($primary, 'replication_delay', warning => 0.5, critical => 1000);
threshold($primary, 'replay',            warning => 0.5, critical => 1);
$primary->wait_for_catchup($standby, 'replay');
sleep 3;
$standby->append_conf('postgresql.conf', "recovery_min_apply_delay = '5s'");
$standby->reload;
$standby->poll_query_until('postgres',
	"SELECT current_setting('recovery_min_apply_delay') = '5s'");

# The first WAL after a quiet time does not make the standby late by all of it.
my $before = $primary->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');
$primary->safe_psql('postgres',
	q(INSERT INTO filler VALUES ('after a quiet time')));
$standby->poll_query_until('postgres',
	"SELECT pg_last_wal_receive_lsn() > '$before'");
my ($late, $age) = split /\|/, $standby->safe_psql(
	'postgres', q(
	SELECT value, extract(epoch FROM now() - pg_last_xact_replay_timestamp())
	FROM ops.checks("only" => '{replay}')));
cmp_ok($late, '>', 0,        'replay: behind');
cmp_ok($late, '<', $age - 1, 'replay: but not since before the quiet time');

for (1 .. 3)
{
	$primary->safe_psql('postgres', 'INSERT INTO filler VALUES (1)');
	sleep 1;
}
ok(poll_status($primary, 'replication_delay', 'warn'),
	'replication_delay: replay is slow');
threshold($primary, 'replication_delay', warning => 0.5, critical => 1);
$primary->safe_psql('postgres', 'INSERT INTO filler VALUES (1)');
ok(poll_status($primary, 'replication_delay', 'fail'),
	'replication_delay: too slow');
$primary->safe_psql('postgres', 'INSERT INTO filler VALUES (1)');
ok(poll_status($standby, 'replay', 'fail'), 'replay: too slow');
$primary->safe_psql('postgres', 'INSERT INTO filler VALUES (1)');
ok( $standby->poll_query_until(
		'postgres', q(SELECT ops.health() ->> 'status' = 'fail')),
	'a standby that is too far behind takes no traffic');
$standby->append_conf('postgresql.conf', 'recovery_min_apply_delay = 0');
$standby->reload;

# The lag that the server keeps for pg_receivewal grows for ever.
threshold($primary, 'replication_delay', warning => 3, critical => 1000);
$primary->wait_for_catchup($standby, 'replay');
ok( $primary->poll_query_until(
		'postgres',
		q(SELECT replay_lag > '4 s' FROM pg_stat_replication WHERE application_name = 'files')
	),
	'pg_receivewal applies nothing'
) or diag('pg_receivewal says: ' . slurp_file($errors));
ok( poll_status($primary, 'replication_delay', 'ok'),
	'replication_delay: does not mind pg_receivewal');
$receiver->kill_kill;
reset_threshold($primary, 'replication_delay');

# The primary is gone.  Restarts and vain attempts to connect do not make the
# data any younger.
threshold($primary, 'replay', warning => 1, critical => 5);
$primary->wait_for_catchup($standby, 'replay');
ok(poll_status($standby, 'replay', 'ok'), 'replay: caught up');
$primary->stop;
ok( $standby->poll_query_until(
		'postgres',
		q(SELECT status <> 'ok' AND message ~ '^not streaming'
		  FROM ops.checks("only" => '{replay}'))),
	'replay: not streaming');
ok( poll_status($standby, 'replay', 'fail'),
	'replay: not streaming for too long');
$standby->restart;
status_is($standby, 'replay', 'fail', 'no better after a restart');
$standby->stop;
$primary->start;
reset_threshold($primary, $_) for qw(replay replay_paused checkpoint_age);

# With the limits as they are, a standby that has lost its primary only
# warns at first.
$standby->start;
ok(poll_status($standby, 'replay', 'ok'), 'replay: streaming again');
$primary->wait_for_catchup($standby, 'replay');
$primary->stop;
ok(poll_status($standby, 'replay', 'warn'), 'replay: warns at once');
$standby->stop;
$primary->append_conf('postgresql.conf',
	"max_slot_wal_keep_size = 4MB\nwal_keep_size = 0");
$primary->start;
set_to('operations_runbook.expected_standbys', 0);

# Slots: none, one that is safe.
status_is($primary, $_, 'ok', 'no slot')
  for qw(slots slot_inactive slot_retained);
$primary->safe_psql('postgres',
	q(SELECT pg_create_physical_replication_slot('forgotten', true)));
status_is($primary, 'slots',         'ok', 'a slot within its limits');
status_is($primary, 'slot_inactive', 'ok', 'unused for a moment');

# Nobody uses it.  The slot's file is what tells before 17.
write_wal(2);
my $state = $primary->data_dir . '/pg_replslot/forgotten/state';
if ($major < 17)
{
	utime(time - 7200, time - 7200, $state) or die "utime: $!";
}
else
{
	threshold($primary, 'slot_inactive', warning => 0.001, critical => 1000);
}
$row = status_is($primary, 'slot_inactive', 'warn', 'unused');
is($row->{details}{culprits}[0]{slot}, 'forgotten',
	'slot_inactive: names it');
is( $row->{remedy},
	"SELECT pg_drop_replication_slot('forgotten');",
	'slot_inactive: says how to drop it');
if ($major < 17)
{
	utime(time - 200000, time - 200000, $state) or die "utime: $!";
}
else
{
	threshold($primary, 'slot_inactive', warning => 0.001, critical => 0.002);
}
status_is($primary, 'slot_inactive', 'fail', 'unused for too long');
reset_threshold($primary, 'slot_inactive');

# It keeps WAL.
threshold($primary, 'slot_retained', warning => 1e-9, critical => 99);
$row = status_is($primary, 'slot_retained', 'warn', 'keeps WAL');
like(
	$row->{details}{culprits}[0]{note},
	qr/^retains [1-9]/,
	'slot_retained: says how much');
is( $row->{remedy},
	"SELECT pg_drop_replication_slot('forgotten');",
	'slot_retained: says how to drop it');
threshold($primary, 'slot_retained', warning => 1e-9, critical => 1e-8);
status_is($primary, 'slot_retained', 'fail', 'keeps too much WAL');
reset_threshold($primary, 'slot_retained');

# Its WAL may go, its WAL is gone.
write_wal(6);
ok(poll_status($primary, 'slots', 'warn'), 'slots: unreserved');
like(check($primary, 'slots')->{details}{culprits}[0]{note},
	qr/^unreserved/, 'slots: says so');
$primary->safe_psql('postgres', 'CHECKPOINT');
$row = status_is($primary, 'slots', 'fail', 'lost', role => 'plain');
like(
	$row->{details}{culprits}[0]{note},
	qr/^lost: its WAL is gone/,
	'slots: says so');
is( $row->{remedy},
	"SELECT pg_drop_replication_slot('forgotten');",
	'slots: says how to drop it');
status_is($primary, 'slot_inactive', 'ok', 'a lost slot is left to "slots"');
$primary->safe_psql('postgres',
	q(SELECT pg_drop_replication_slot('forgotten')));
status_is($primary, 'slots', 'ok', 'dropped');

# One in use that cannot keep up is not to be dropped, whoever asks; its
# process is for those to see who may.
$primary->safe_psql('postgres',
	q(SELECT pg_create_physical_replication_slot('busy', true)));
$receiver = receive_wal(1, '--slot=busy');
my $pid = $primary->safe_psql('postgres',
	q(SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'busy'));
status_is($primary, 'slot_inactive', 'ok', 'in use');
kill 'STOP', $pid;
write_wal(6);
ok(poll_status($primary, 'slots', 'warn'), 'slots: in use and unreserved');
$row = check($primary, 'slots');
is($row->{details}{culprits}[0]{pid}, $pid, 'slots: names the process');
unlike($row->{remedy}, qr/drop/, 'slots: one in use is not to be dropped');
$row = check($primary, 'slots', role => 'plain');
is($row->{details}{culprits}[0]{pid},
	undef, 'slots: no process for a plain role');
unlike($row->{remedy}, qr/drop/, 'slots: not by a plain role either');
kill 'CONT', $pid;
$receiver->kill_kill;

$primary->stop;
done_testing();
