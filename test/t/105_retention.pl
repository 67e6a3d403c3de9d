
# Policies are made and changed without waiting for anybody, and two at a time
# do not mix.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_server('primary', undef, allows_streaming => 1);
$node->safe_psql(
	'postgres', q{
	CREATE TABLE events (id int PRIMARY KEY, created_at timestamptz);
	CREATE INDEX ON events (created_at);
	CREATE TABLE holds (id int PRIMARY KEY);
	CREATE VIEW held AS SELECT * FROM holds;
	SELECT ops.add_retention('events', 'created_at', '90 days', policy_name => 'there');
});

# A statement that has to fail at once with a message, whatever is locked.
sub refused
{
	my ($sql, $message, $claim) = @_;
	my $start = time;
	my ($status, undef, $error) = $node->psql('postgres', $sql);

	isnt($status, 0, "$claim: refused");
	like($error, $message, "$claim: says why");
	cmp_ok(time - $start, '<', 5, "$claim: does not wait");
	return;
}

my %adding = (
	'events' =>
	  q(SELECT ops.add_retention('events', 'created_at', '90 days')),
	'events of an expression' =>
	  q(SELECT ops.add_retention('events', 'coalesce(created_at, now())', '90 days')),
	'events of a pattern' =>
	  q(SELECT ops.add_retention('public.event?', 'created_at', '90 days')),
	'holds' =>
	  q(SELECT ops.add_retention('events', 'created_at', '90 days', hold => 'id IN (SELECT id FROM holds)')),
	'holds behind a view' =>
	  q(SELECT ops.add_retention('events', 'created_at', '90 days', hold => 'id IN (SELECT id FROM held)')),
);

foreach my $name (sort keys %adding)
{
	my $table  = $name =~ /^(\w+)/ ? $1 : die;
	my $locker = $node->background_psql('postgres');
	my $pid    = $locker->query_safe('SELECT pg_backend_pid()');

	$locker->query_safe("BEGIN; LOCK TABLE $table");
	refused(
		$adding{$name},
		$name =~ /view/
		? qr/canceling statement due to lock timeout/
		: qr/relation "$table" is locked\n(?:.*\n)*?DETAIL:  Process $pid holds the lock/,
		$name);
	$locker->query_safe('ROLLBACK');
	$locker->quit;
	is( $node->safe_psql(
			'postgres', 'SELECT count(*) FROM ops.retention_policy'),
		1,
		"$name: nothing made");
}

# What reads a policy needs no lock on its table.
my $locker = $node->background_psql('postgres');
$locker->query_safe('BEGIN; LOCK TABLE events');
is( $node->safe_psql(
		'postgres',
		q(SELECT predicate FROM ops.retention_predicate('there', '2026-01-31 UTC'))
	),
	q(created_at < '2025-11-02 00:00:00+00'::pg_catalog.timestamptz),
	'a column is known without a lock');
is($node->safe_psql('postgres', q(SELECT ops.drop_retention('there'))),
	't', 'dropped while its table is locked');
$locker->query_safe('ROLLBACK');

# A change that is not committed yet keeps others from their own.
$node->safe_psql('postgres',
	q(SELECT ops.add_retention('events', 'created_at', '90 days', policy_name => 'there'))
);
$locker->query_safe(
	q(BEGIN; SELECT ops.alter_retention('there', keep => '30 days')));
refused(
	q(SELECT ops.alter_retention('there', hold => 'id = 1')),
	qr/lock timeout/,
	'a second change');
$locker->query_safe('COMMIT');
$locker->quit;
$node->safe_psql('postgres',
	q(SELECT ops.alter_retention('there', hold => 'id = 1')));
is( $node->safe_psql(
		'postgres', 'SELECT keep, hold FROM ops.retention_policy'),
	'30 days|(id = 1)',
	'both changes are there');

# Policies and what they mean come through dump and restore.
my $dump = $node->backup_dir . '/dump.sql';
$node->safe_psql(
	'postgres', q{
	CREATE SCHEMA law;
	CREATE TABLE law.hold (id int);
	SET search_path = law, public;
	SELECT ops.add_retention('events', 'created_at', '1 mon', policy_name => 'law', hold => 'EXISTS (SELECT FROM hold WHERE hold.id = events.id)');
});
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ],
	'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok(
	[
		'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump,
		$node->connstr('restored')
	],
	'restored');
my $meaning =
  q(SELECT * FROM ops.retention_predicate('law', '2026-01-31 UTC'));
is( $node->safe_psql('restored', $meaning),
	$node->safe_psql('postgres', $meaning),
	'means the same');

# A standby reads policies.
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is( $standby->safe_psql('postgres', $meaning),
	$node->safe_psql('postgres', $meaning),
	'means the same on a standby');
my ($status, undef, $error) = $standby->psql('postgres',
	q(SELECT ops.add_retention('events', 'created_at', '90 days')));
like(
	$error,
	qr/cannot execute INSERT in a read-only transaction/,
	'and none is made there');
$standby->stop;
$node->stop;
done_testing();
