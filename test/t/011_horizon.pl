
# Checks of the horizon and of wraparound, each driven into what it can say.
#
# The counters of transactions are moved on by pg_resetwal, and a replication
# slot and a prepared transaction keep vacuum from catching up with them.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# No file of these has more than one page in use.
use constant SEGMENT_SIZE           => 32 * 8192;
use constant XIDS_PER_SEGMENT       => SEGMENT_SIZE * 4;
use constant MULTIXACTS_PER_SEGMENT => SEGMENT_SIZE / 4;
use constant MEMBERS_PER_SEGMENT    => 32 * 1636;

# The culprits of a row, each as a string of the fields asked for.
sub culprits
{
	my ($row, @fields) = @_;

	return join ', ', map {
		my $culprit = $_;
		join ' ', map { $culprit->{$_} // '-' } @fields
	} @{ $row->{details}{culprits} // [] };
}

# Use up transaction ids.
sub consume
{
	my ($server, $count) = @_;

	$server->safe_psql('postgres',
		"DO 'BEGIN FOR i IN 1..$count LOOP PERFORM txid_current(); COMMIT; END LOOP; END'"
	);
}

# Put a file of zeros where the server will look for this id.
sub make_segment
{
	my ($server, $directory, $id, $per_segment) = @_;
	my $path = sprintf('%s/%s/%04X',
		$server->data_dir, $directory, int($id / $per_segment));

	return if -e $path;
	open(my $file, '>', $path) or die "$path: $!";
	binmode $file;
	print $file "\0" x SEGMENT_SIZE;
	close $file;
}

# Move counters on while the server is down, and settings along with them.
sub restart_with
{
	my ($server, $options, $settings) = @_;

	$server->stop;
	$server->append_conf('postgresql.conf', $settings) if $settings;
	system_or_bail('pg_resetwal', @$options, '-D', $server->data_dir)
	  if @$options;
	$server->start;
}

sub move_multixacts
{
	my ($server, $next, $offset) = @_;

	make_segment($server, 'pg_multixact/offsets', $next,
		MULTIXACTS_PER_SEGMENT);
	make_segment($server, 'pg_multixact/members', $offset,
		MEMBERS_PER_SEGMENT);
	restart_with($server, [ '-m', "$next,1", '-O', $offset ]);
}

sub move_xids
{
	my ($server, $next, $freeze_max_age) = @_;

	make_segment($server, 'pg_xact', $next, XIDS_PER_SEGMENT);
	restart_with(
		$server,
		[ '-x', $next ],
		"autovacuum_freeze_max_age = $freeze_max_age");
}

my $node = new_server(
	'primary', q(
wal_level = logical
max_prepared_transactions = 5
wal_receiver_status_interval = 1s
hot_standby_feedback = on
), allows_streaming => 1);

# Everything is well.
status_is($node, $_, 'ok', 'new server')
  for qw(xmin_horizon xmin_horizon_xids xid_wraparound freeze_age
  mxid_wraparound mxid_members);

# A session holds a snapshot.
my $session = $node->background_psql('postgres');
my $pid     = $session->query_safe('SELECT pg_backend_pid()');
$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$session->query_safe('SELECT 1 FROM pg_class LIMIT 1');
consume($node, 50);

threshold($node, 'xmin_horizon', warning => 0.001, critical => 1000);
my $row = status_is($node, 'xmin_horizon', 'warn', 'a snapshot is held');
is(culprits($row, 'pid', 'database'), "$pid postgres",   'by this session');
is($row->{remedy}, "SELECT pg_terminate_backend($pid);", 'that can be ended');
threshold($node, 'xmin_horizon', warning => 0.001, critical => 0.002);
status_is($node, 'xmin_horizon', 'fail', 'a snapshot is held for too long');

threshold($node, 'xmin_horizon_xids', warning => 50, critical => 1000);
$row = status_is($node, 'xmin_horizon_xids', 'warn', 'a snapshot is held');
is(culprits($row, 'pid', 'note'), "$pid transaction", 'by this session');
threshold($node, 'xmin_horizon_xids', warning => 20, critical => 50);
status_is($node, 'xmin_horizon_xids', 'fail', 'for too many transactions');

# That is nobody else's business.
$node->safe_psql('postgres',
	'CREATE ROLE nobody LOGIN; GRANT USAGE ON SCHEMA ops TO nobody; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ops TO nobody'
);
for my $name (qw(xmin_horizon xmin_horizon_xids))
{
	$row = status_is($node, $name, 'unknown', 'for others', role => 'nobody');
	is($row->{details}{reason}, 'denied', "$name is denied them");
	unlike($row->{message}, qr/\d/, "$name does not leak a number");
}

$session->query_safe('COMMIT');
status_is($node, 'xmin_horizon',      'ok', 'the snapshot is gone');
status_is($node, 'xmin_horizon_xids', 'ok', 'the snapshot is gone');

# A session that does not tell its times could hold anything.
$session->query_safe('SET track_activities = off');
$row =
  status_is($node, 'xmin_horizon', 'unknown', 'a session keeps no times');
like($row->{message}, qr/^1 session keeps no times/, 'and that is said');
$session->quit;

# A prepared transaction.
$node->safe_psql('postgres',
	"CREATE TABLE t (i int); INSERT INTO t VALUES (1)");
$node->safe_psql('postgres',
	"BEGIN; UPDATE t SET i = 2; PREPARE TRANSACTION 'forgotten'");
consume($node, 50);
$row = status_is($node, 'xmin_horizon', 'fail', 'a prepared transaction');
is(culprits($row, 'name'), 'forgotten', 'of this name');
$row =
  status_is($node, 'xmin_horizon_xids', 'fail', 'a prepared transaction');
is( culprits($row, 'name', 'note'),
	'forgotten prepared transaction',
	'of this name');
is($row->{remedy}, "ROLLBACK PREPARED 'forgotten';", 'to roll back');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'forgotten'");
status_is($node, 'xmin_horizon_xids', 'ok', 'rolled back');

# A standby's feedback, first by its connection and then by a slot.
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);

my $reader = $standby->background_psql('postgres');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$reader->query_safe('SELECT 1 FROM pg_class LIMIT 1');
$node->poll_query_until('postgres',
	'SELECT backend_xmin IS NOT NULL FROM pg_stat_replication')
  or die 'no feedback';
consume($node, 50);
$node->safe_psql('postgres', 'UPDATE t SET i = i');
$row = status_is($node, 'xmin_horizon_xids', 'fail', 'a reader on a standby');
is(culprits($row, 'note'), "standby's feedback", 'by its feedback');

# The standby sees it as its own, and knows how far the counters are.
$node->wait_for_catchup($standby);
status_is($standby, 'xmin_horizon_xids', 'fail',
	'the reader, on the standby');
status_is($standby, 'xmin_horizon', 'fail', 'the reader, on the standby');
status_is($standby, $_,             'ok',   'on a standby')
  for qw(xid_wraparound freeze_age mxid_wraparound);
status_is($standby, 'mxid_members', 'unknown', 'on a standby');

$node->safe_psql('postgres',
	"SELECT pg_create_physical_replication_slot('paused')");
$standby->append_conf('postgresql.conf', "primary_slot_name = 'paused'");
$standby->reload;
$node->poll_query_until('postgres',
	'SELECT xmin IS NOT NULL FROM pg_replication_slots')
  or die 'no feedback to the slot';
$reader->quit;
$standby->stop;
consume($node, 50);
$row =
  status_is($node, 'xmin_horizon_xids', 'fail', 'a standby that is gone');
is( culprits($row, 'slot', 'note'),
	'paused inactive slot',
	'holds the horizon by its slot');
$node->safe_psql('postgres', "SELECT pg_drop_replication_slot('paused')");
status_is($node, 'xmin_horizon_xids', 'ok', 'the slot is gone');
reset_threshold($node, $_) for qw(xmin_horizon xmin_horizon_xids);

# Multixacts: half of the space for their members is in use, then more; and
# half of the way of their ids is gone, then more.  A prepared transaction keeps them from being frozen.
$node->safe_psql('postgres',
	"BEGIN; UPDATE t SET i = 3; PREPARE TRANSACTION 'forgotten'");
move_multixacts($node, 10_000_000, 2_400_000_000);
status_is($node, 'mxid_wraparound', 'ok', 'few ids gone');
$row = status_is($node, 'mxid_members', 'warn', 'half of the space taken');
cmp_ok(abs($row->{value} - 23.5),
	'<', 0.5, 'a quarter of the way to three quarters');
move_multixacts($node, 10_000_000, 3_000_000_000);
status_is($node, 'mxid_members', 'fail', 'almost three quarters taken');
move_multixacts($node, 1_200_000_000, 3_500_000_000);
status_is($node, 'mxid_wraparound', 'warn', 'half of the ids gone');
$row = status_is($node, 'mxid_members', 'fail', 'three quarters taken');
is($row->{value}, 100, 'the server assumes the worst');
move_multixacts($node, 1_700_000_000, 3_500_000_000);
status_is($node, 'mxid_wraparound', 'fail', 'three quarters of the ids gone');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'forgotten'");

# Transaction ids, the same way.  A logical slot keeps the catalogs from being
# frozen.
$node->safe_psql('postgres',
	"SELECT pg_create_logical_replication_slot('stuck', 'pgoutput')");
move_xids($node, 1_200_000_000, 2_000_000_000);
status_is($node, 'xid_wraparound', 'warn', 'half of the ids gone');
status_is($node, 'freeze_age',     'ok',   'autovacuum need not act');
$row = status_is($node, 'xmin_horizon_xids', 'fail', 'a logical slot');
is(culprits($row, 'slot'), 'stuck', 'of this name');
move_xids($node, 1_700_000_000, 1_500_000_000);
$row = status_is($node, 'xid_wraparound', 'fail', 'three quarters gone');
ok($row->{gates}, 'which stops traffic');
status_is($node, 'freeze_age', 'warn', 'autovacuum falls behind');
move_xids($node, 1_700_000_000, 1_000_000_000);
status_is($node, 'freeze_age', 'fail', 'autovacuum does not keep up');

# What the pages say to do helps.
$node->safe_psql('postgres',  "SELECT pg_drop_replication_slot('stuck')");
$node->safe_psql('template1', 'VACUUM (FREEZE)');
$node->safe_psql('postgres',
	"ALTER DATABASE template0 ALLOW_CONNECTIONS true");
$node->safe_psql('template0', 'VACUUM (FREEZE)');
$node->safe_psql('postgres',  'VACUUM (FREEZE)');
status_is($node, $_, 'ok', 'after the slot is gone and all is frozen')
  for qw(xid_wraparound freeze_age xmin_horizon_xids);

$node->stop;
done_testing();
