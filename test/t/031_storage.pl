
# WAL on disk, its archive, file systems, checkpoints.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server(
	'primary', "
		wal_level = replica
		archive_mode = on
		archive_command = 'true'
		max_wal_size = 32MB
		min_wal_size = 32MB
		checkpoint_timeout = 30s
		operations_runbook.sample_interval = 10ms
	",
	extra => ['--wal-segsize=1']);
$node->safe_psql('postgres', 'CREATE TABLE filler (t text)');

sub write_wal
{
	my ($mb) = @_;
	$node->safe_psql('postgres',
		"INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, $mb * 1000)"
	);
}

# Archive: works, stops working, works again.
$node->safe_psql('postgres', 'SELECT pg_switch_wal()');
$node->poll_query_until('postgres',
	'SELECT archived_count > 0 FROM pg_stat_archiver');
ok(poll_status($node, 'archiver',        'ok'), 'archiver: works');
ok(poll_status($node, 'archive_backlog', 'ok'), 'archive_backlog: empty');

$node->safe_psql('postgres', q(ALTER SYSTEM SET archive_command = 'false'));
$node->reload;
$node->poll_query_until('postgres',
	"SELECT current_setting('archive_command') = 'false'");
write_wal(5);
ok(poll_status($node, 'archiver', 'warn'), 'archiver: fails');
my $row = check($node, 'archiver');
like($row->{message}, qr/^archiving fails/, 'archiver: says so');
like($row->{details}{culprits}[0]{name},
	qr/^[0-9A-F]{24}$/, 'archiver: names the file');
threshold($node, 'archiver', warning => 0.001, critical => 0.002);
status_is($node, 'archiver', 'fail', 'has failed for too long');
reset_threshold($node, 'archiver');

threshold($node, 'archive_backlog', warning => 2, critical => 1000);
status_is($node, 'archive_backlog', 'warn', 'files wait');
threshold($node, 'archive_backlog', warning => 2, critical => 3);
status_is($node, 'archive_backlog', 'fail', 'too many files wait');

# What is not archived stays in pg_wal.
ok(poll_status($node, 'wal_dir', 'ok'), 'wal_dir: within its limits');
write_wal(60);
$row = status_is($node, 'wal_dir', 'warn', 'WAL piles up');
write_wal(60);
$row = status_is($node, 'wal_dir', 'fail', 'WAL has piled up');
like(
	$row->{message},
	qr/32 MB allowed/,
	'wal_dir: says how much there may be');

$node->safe_psql('postgres', 'ALTER SYSTEM RESET archive_command');
$node->reload;
ok(poll_status($node, 'archiver',        'ok'), 'archiver: works again');
ok(poll_status($node, 'archive_backlog', 'ok'), 'archive_backlog: gone');
$node->safe_psql('postgres', 'CHECKPOINT');
$node->safe_psql('postgres', 'CHECKPOINT');
ok(poll_status($node, 'wal_dir', 'ok'), 'wal_dir: recycled');

# Without an archive there is nothing to say.
my $plain = new_server('plain', "checkpoint_timeout = 1h");
is(check($plain, 'archiver')->{details}{reason},
	'not_applicable', 'archiver: archive_mode is off');

# Disk: how full it is, is as it is; only the limits can be moved.
$row = status_is($node, 'disk', 'ok', 'as the limits are')
  if check($node, 'disk')->{value} < 85;
my $used = check($node, 'disk')->{value};
cmp_ok($used, '>', 0,   'disk: something is used');
cmp_ok($used, '<', 100, 'disk: not everything');
threshold($node, 'disk', warning => $used / 2, critical => 100);
status_is($node, 'disk', 'warn', 'past the limit');
threshold($node, 'disk', warning => $used / 4, critical => $used / 2);
$row = status_is($node, 'disk', 'fail', 'past both limits');
like($row->{details}{culprits}[0]{note},
	qr/GB free/, 'disk: says what is free');
is($node->safe_psql('postgres', q(SELECT ops.health() ->> 'status')),
	'fail', 'a full disk takes no traffic');
reset_threshold($node, 'disk');

# Forecast: needs two samples, then compares.
is(check($plain, 'disk_forecast')->{details}{reason},
	'too_young', 'disk_forecast: no sample yet');
is(check($plain, 'disk_forecast')->{details}{reason},
	'too_young', 'disk_forecast: the sample is too young');
status_is($node, 'disk_forecast', $_->{status}, 'second sample')
  for grep { $_->{status} ne 'unknown' } check($node, 'disk_forecast');
write_wal(60);
ok( $node->poll_query_until(
		'postgres',
		q(SELECT status <> 'unknown' FROM ops.checks("only" => '{disk_forecast}'))
	),
	'disk_forecast: has two samples');
threshold($node, 'disk_forecast', warning => 'Infinity', critical => 0);
SKIP:
{
	$row = check($node, 'disk_forecast');
	skip 'something else freed more than was written', 2
	  unless defined $row->{value};
	is($row->{status}, 'warn', 'disk_forecast: will be full some day');
	threshold($node, 'disk_forecast', warning => 'Infinity', critical => 1e9);
	status_is($node, 'disk_forecast', 'fail', 'will be full too soon');
}

# Checkpoints: WAL is written and none comes.
ok(poll_status($plain, 'checkpoint_age', 'ok'), 'checkpoint_age: young');
my $stale = new_server(
	'stale',
	"checkpoint_timeout = 30s\nmax_wal_size = 1GB",
	extra => ['--wal-segsize=1']);
$stale->safe_psql('postgres', 'CREATE TABLE filler (t text); CHECKPOINT');
status_is($stale, 'checkpoint_age', 'ok', 'hardly any WAL since');
$stale->safe_psql('postgres',
	"INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 5000)"
);
threshold($stale, 'checkpoint_age', warning => 0.001, critical => 1000);
sleep 1;
status_is($stale, 'checkpoint_age', 'warn', 'WAL since, and some time');
threshold($stale, 'checkpoint_age', warning => 0.001, critical => 0.002);
status_is($stale, 'checkpoint_age', 'fail', 'WAL since, and too much time');
$stale->safe_psql('postgres', 'CHECKPOINT');
status_is($stale, 'checkpoint_age', 'ok', 'checkpointed');

$_->stop for ($node, $plain, $stale);
done_testing();
