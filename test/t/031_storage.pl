
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

# Devices of the data directory and pg_wal.
sub file_systems
{
	my ($server) = @_;
	my %device = map { (stat $_)[0] => 1 }
	  ($server->data_dir, $server->data_dir . '/pg_wal');
	return keys %device;
}

# Change a setting and wait until sessions have it.
sub set_to
{
	my ($name, $value) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET $name = '$value'");
	$node->reload;
	$node->poll_query_until('postgres',
		"SELECT current_setting('$name') = '$value'")
	  or die "$name did not change";
}

# Archive: works, hangs, fails, works again.
$node->safe_psql('postgres', 'SELECT pg_switch_wal()');
$node->poll_query_until('postgres',
	'SELECT archived_count > 0 FROM pg_stat_archiver');
ok(poll_status($node, 'archiver',        'ok'), 'archiver: works');
ok(poll_status($node, 'archive_backlog', 'ok'), 'archive_backlog: empty');
sleep 3;

# A command that hangs has not failed.  How long it has been quiet before
# there was anything to archive does not count.
my $release = $node->data_dir . '/release';
set_to('archive_command',
	"i=0; while [ \$i -lt 300 ]; do [ -e release ] && exit 0; sleep 0.1; i=\$((i+1)); done; exit 1"
);
write_wal(2);
threshold($node, 'archiver', warning => 0.001, critical => 1000);
ok(poll_status($node, 'archiver', 'warn'), 'archiver: hangs');
my ($message, $late, $quiet) = split /\|/, $node->safe_psql(
	'postgres', q(
	SELECT message, value, extract(epoch FROM now() - last_archived_time)
	FROM ops.checks("only" => '{archiver}'), pg_stat_archiver));
like($message, qr/^finished WAL waits/, 'archiver: says so');
cmp_ok($late, '<', $quiet - 1, 'archiver: counts from when there was WAL');
$node->safe_psql('postgres', q(SELECT pg_stat_reset_shared('archiver')));
status_is($node, 'archiver', 'warn', 'hangs, even if statistics are lost');
reset_threshold($node, 'archiver');
PostgreSQL::Test::Utils::append_to_file($release, '');
$node->poll_query_until('postgres',
	'SELECT archived_count > 0 FROM pg_stat_archiver');
ok(poll_status($node, 'archiver', 'ok'), 'archiver: goes on');
like(
	check($node, 'archiver')->{message},
	qr/^all finished WAL/,
	'archiver: has caught up');

set_to('archive_command', '');
my $row = status_is($node, 'archiver', 'warn', 'not configured');
like($row->{message}, qr/archive_library/, 'archiver: says so');

set_to('archive_command', 'false');
write_wal(5);
ok( $node->poll_query_until(
		'postgres',
		q(SELECT status = 'warn' AND message ~ '^archiving fails'
		  FROM ops.checks("only" => '{archiver}'))),
	'archiver: fails');
$row = check($node, 'archiver');
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
$node->safe_psql('postgres',
	q(SELECT pg_create_physical_replication_slot('keeps', true)));
write_wal(60);
$row = status_is($node, 'wal_dir', 'warn', 'WAL piles up');
my @culprits = @{ $row->{details}{culprits} };
is( scalar(
		grep {
			($_->{name} // '') =~ /^[0-9A-F]{24}$/
			  && $_->{note} =~ /archived$/
		} @culprits),
	1,
	'wal_dir: names the file that is not archived');
is( scalar(
		grep {
			($_->{slot} // '') eq 'keeps'
			  && $_->{note} =~ /^holds back [1-9]/
		} @culprits),
	1,
	'wal_dir: names the slot');
$node->safe_psql('postgres', q(SELECT pg_drop_replication_slot('keeps')));
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
is(check($plain, $_)->{details}{reason},
	'not_applicable', "$_: archive_mode is off")
  for qw(archiver archive_backlog);

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
is( scalar(@{ $row->{details}{culprits} }),
	scalar(file_systems($node)),
	'disk: names each file system once');

# A tablespace on the same file system is no other one; on another one it is.
$node->safe_psql('postgres',
	q(SET allow_in_place_tablespaces = on; CREATE TABLESPACE beside LOCATION '')
);
is( scalar(@{ check($node, 'disk')->{details}{culprits} }),
	scalar(file_systems($node)),
	'disk: the same file system counts once');
SKIP:
{
	my $shm    = '/dev/shm';
	my $device = (stat $shm)[0];
	skip 'no other file system at hand', 1
	  if !-w $shm
	  || !defined $device
	  || grep { $_ == $device } file_systems($node);
	my $elsewhere = "$shm/ops_test_$$";
	mkdir $elsewhere or die "mkdir: $!";
	$node->safe_psql('postgres',
		"CREATE TABLESPACE elsewhere LOCATION '$elsewhere'");
	my @named =
	  map { $_->{name} } @{ check($node, 'disk')->{details}{culprits} };
	is(scalar(grep { $_ eq 'tablespace "elsewhere"' } @named),
		1, 'disk: another file system counts by the name of its tablespace');
	$node->safe_psql('postgres', 'DROP TABLESPACE elsewhere');
	rmdir $elsewhere;
}
reset_threshold($node, 'disk');

# Forecast: needs two samples, then compares.  Others write to the same file
# system, so it may take some data to make it grow for sure.
is(check($plain, 'disk_forecast')->{details}{reason},
	'too_young', 'disk_forecast: no sample yet');
is(check($plain, 'disk_forecast')->{details}{reason},
	'too_young', 'disk_forecast: the sample is too young');
check($node, 'disk_forecast');
my $ballast = $node->data_dir . '/ballast';
for (1 .. 10)
{
	open my $file, '>>', $ballast or die "open: $!";
	print $file 'x' x (32 * 1024 * 1024);
	$file->flush;
	$file->sync;
	close $file;
	last if defined check($node, 'disk_forecast')->{value};
}
threshold($node, 'disk_forecast', warning => 1e9, critical => 1e8);
$row = status_is($node, 'disk_forecast', 'fail', 'is full before long');
like($row->{message}, qr/would be full in/, 'disk_forecast: says when');
threshold($node, 'disk_forecast', warning => 1e9, critical => 0);
status_is($node, 'disk_forecast', 'warn', 'is full some day');
threshold($node, 'disk_forecast', warning => 0, critical => 0);
status_is($node, 'disk_forecast', 'ok', 'is full later than it matters');
unlink $ballast;
my $cold = PostgreSQL::Test::Cluster->new('cold');
$cold->init;
$cold->start;
$cold->safe_psql('postgres', 'CREATE EXTENSION operations_runbook');
like(
	check($cold, 'disk_forecast')->{message},
	qr/preload operations_runbook/,
	'disk_forecast: keeps no sample unless preloaded');
$cold->stop;

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
