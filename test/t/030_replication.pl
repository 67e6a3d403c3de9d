
# Standbys, being one, and replication slots.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_server(
	'primary',
	"wal_keep_size = 0\nmax_wal_size = 64MB\nmin_wal_size = 32MB",
	allows_streaming => 1,
	extra => ['--wal-segsize=1']);
$primary->safe_psql('postgres', 'CREATE TABLE filler (t text)');

# Write so many megabytes of WAL.
sub write_wal
{
	my ($mb) = @_;
	$primary->safe_psql('postgres',
		"INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, $mb * 1000)"
	);
}

# Nobody is there, and nobody is missed.
for my $check (qw(replication_out replication_delay standbys))
{
	my $row = status_is($primary, $check, 'unknown', 'no standby');
	is($row->{details}{reason}, 'not_applicable', "$check: says why");
}
for my $check (qw(replay replay_paused))
{
	my $row = status_is($primary, $check, 'unknown', 'on a primary');
	is($row->{details}{reason}, 'not_applicable', "$check: says why");
}

# Somebody is missed.
$primary->safe_psql('postgres',
	'ALTER SYSTEM SET operations_runbook.expected_standbys = 1');
$primary->reload;
$primary->poll_query_until('postgres',
	"SELECT current_setting('operations_runbook.expected_standbys') = '1'");
status_is($primary, 'standbys', 'fail', 'one expected, none there');

# A standby arrives.
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay');
ok(poll_status($primary, 'standbys', 'ok'), 'standbys: the one expected is there');
status_is($primary, 'replication_out', 'ok', 'standby has it all');
status_is($primary, 'replication_delay', 'ok', 'standby is up to date');
ok(poll_status($standby, 'replay', 'ok'), 'replay: streaming');
status_is($standby, 'replay_paused', 'ok', 'not paused');
is(check($standby, 'database')->{message},
	'accepting read-only connections',
	'a standby says that it is one');

# Commits wait for somebody who is not there.
$primary->safe_psql('postgres',
	q(SET synchronous_commit = local; ALTER SYSTEM SET synchronous_standby_names = 'nobody'));
$primary->reload;
$primary->poll_query_until('postgres',
	"SELECT current_setting('synchronous_standby_names') = 'nobody'");
like(status_is($primary, 'standbys', 'fail', 'no synchronous standby')->{message},
	qr/synchronous/, 'standbys: says that commits wait');
$primary->safe_psql('postgres',
	'SET synchronous_commit = local; ALTER SYSTEM RESET synchronous_standby_names');
$primary->reload;
$primary->poll_query_until('postgres',
	"SELECT current_setting('synchronous_standby_names') = ''");

# Replay is paused: the standby falls behind.
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres',
	"SELECT pg_get_wal_replay_pause_state() = 'paused'");
status_is($standby, 'replay_paused', 'warn', 'paused');
write_wal(2);
$primary->wait_for_catchup($standby, 'flush');
threshold($primary, 'replication_out', warning => 1, critical => 1000);
my $row = status_is($primary, 'replication_out', 'warn', 'standby is behind');
cmp_ok($row->{value}, '>', 1, 'replication_out: by more than a megabyte');
ok($row->{details}{culprits}[0]{pid}, 'replication_out: names the walsender');
threshold($primary, 'replication_out', warning => 1, critical => 1.5);
status_is($primary, 'replication_out', 'fail', 'standby is too far behind');

# Its limits come from the primary, and those are not replayed: so the
# standby's own delay is shown by its value.
cmp_ok(check($standby, 'replay')->{value}, '>', 0, 'replay: behind');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
$primary->wait_for_catchup($standby, 'replay');
ok(poll_status($primary, 'replication_out', 'ok'), 'replication_out: caught up');

# Delay in time, while replay is slow.
threshold($primary, 'replication_delay', warning => 0.5, critical => 1000);
threshold($primary, 'replay', warning => 0.5, critical => 1);
$primary->wait_for_catchup($standby, 'replay');
$standby->append_conf('postgresql.conf', "recovery_min_apply_delay = '3s'");
$standby->reload;
for (1 .. 4)
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
is($standby->safe_psql('postgres', q(SELECT ops.health() ->> 'status')),
	'fail', 'a standby that is too far behind takes no traffic');
$standby->append_conf('postgresql.conf', 'recovery_min_apply_delay = 0');
$standby->reload;
reset_threshold($primary, $_) for qw(replay replication_delay replication_out);
$primary->wait_for_catchup($standby, 'replay');
ok(poll_status($standby, 'replay', 'ok'), 'replay: caught up');

# The primary is gone.
$primary->stop;
ok(poll_status($standby, 'replay', 'warn'), 'replay: not streaming');
like(check($standby, 'replay')->{message}, qr/^not streaming/, 'and says so');
$standby->stop;
$primary->append_conf('postgresql.conf', "max_slot_wal_keep_size = 4MB");
$primary->start;

# Slots: none, one that is safe.
status_is($primary, $_, 'ok', 'no slot')
  for qw(slots slot_inactive slot_retained);
$primary->safe_psql('postgres',
	q(SELECT pg_create_physical_replication_slot('forgotten', true)));
status_is($primary, 'slots', 'ok', 'a slot within its limits');

# Nobody uses it.  Its file's time is what counts before 17.
threshold($primary, 'slot_inactive', warning => 0.001, critical => 1000);
$row = status_is($primary, 'slot_inactive', 'warn', 'unused');
is($row->{details}{culprits}[0]{slot}, 'forgotten', 'slot_inactive: names it');
is( $row->{remedy},
	"SELECT pg_drop_replication_slot('forgotten');",
	'slot_inactive: says how to drop it');
threshold($primary, 'slot_inactive', warning => 0.001, critical => 0.002);
status_is($primary, 'slot_inactive', 'fail', 'unused for too long');
reset_threshold($primary, 'slot_inactive');
status_is($primary, 'slot_inactive', 'ok', 'unused for a moment');

# It keeps WAL.
write_wal(2);
threshold($primary, 'slot_retained', warning => 1e-9, critical => 99);
$row = status_is($primary, 'slot_retained', 'warn', 'keeps WAL');
like($row->{message}, qr/retain [1-9]/, 'slot_retained: says how much');
threshold($primary, 'slot_retained', warning => 1e-9, critical => 1e-8);
status_is($primary, 'slot_retained', 'fail', 'keeps too much WAL');

# Its WAL may go, its WAL is gone.
write_wal(8);
ok(poll_status($primary, 'slots', 'warn'), 'slots: unreserved');
like(check($primary, 'slots')->{details}{culprits}[0]{note},
	qr/^unreserved/, 'slots: says so');
write_wal(10);
$primary->safe_psql('postgres', 'CHECKPOINT');
$row = status_is($primary, 'slots', 'fail', 'lost');
like($row->{details}{culprits}[0]{note}, qr/^lost/, 'slots: says so');
is( $row->{remedy},
	"SELECT pg_drop_replication_slot('forgotten');",
	'slots: says how to drop it');
$primary->safe_psql('postgres',
	q(SELECT pg_drop_replication_slot('forgotten')));
status_is($primary, 'slots', 'ok', 'dropped');

$primary->stop;
done_testing();
