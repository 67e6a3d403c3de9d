
# Verdicts of ops.bloat_report() on rows that are held back: each kind of
# holder is named, to those who may know, with what to do about it.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server(
	'primary', q(
autovacuum = off
wal_level = logical
max_prepared_transactions = 5
wal_receiver_status_interval = 1s
hot_standby_feedback = on
), allows_streaming => 1);

# Make rows that whoever holds the horizon by now may have to see.
sub kill_rows
{
	my ($table) = @_;

	$node->safe_psql('postgres', "UPDATE $table SET note = note || '.'");
}

# The verdict on a table, as "action|command|reason".
sub verdict
{
	my ($server, $table, %options) = @_;
	my $role = $options{role} ? "SET ROLE $options{role}; " : '';

	return $server->safe_psql(
		$options{database} // 'postgres',
		"${role}SELECT action, command, reason FROM ops.bloat_report('$table', min_size => 0) WHERE relation = '$table'::regclass"
	);
}

$node->safe_psql(
	'postgres', q(
CREATE TABLE t (id int, note text) WITH (fillfactor = 40);
INSERT INTO t SELECT i, repeat('x', 50) FROM generate_series(1, 5000) AS i;
CREATE TABLE cataloged (LIKE t) WITH (user_catalog_table = true);
INSERT INTO cataloged SELECT * FROM t;
CREATE ROLE watcher;
GRANT pg_stat_scan_tables TO watcher;
GRANT USAGE ON SCHEMA ops TO watcher;
GRANT EXECUTE ON FUNCTION ops.bloat_report TO watcher;
GRANT SELECT ON t TO watcher;
CREATE DATABASE other;
));

# Nobody holds them.
kill_rows('t');
like(
	verdict($node, 't'),
	qr/^VACUUM\|VACUUM \(VERBOSE\) public.t;\|/,
	'dead rows that nobody holds are for a VACUUM');
$node->safe_psql('postgres', 'VACUUM t');

# A session of another database holds nothing here, one of this does.
my $stranger = $node->background_psql('other');
$stranger->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$stranger->query_safe('SELECT 1 FROM pg_class LIMIT 1');
kill_rows('t');
like(verdict($node, 't'), qr/^VACUUM\|/, 'nor does another database');
$node->safe_psql('postgres', 'VACUUM t');

# The report's own snapshot goes back to its transaction, and with the report.
$stranger->query_safe('SELECT pg_current_xact_id()');
kill_rows('t');
like(verdict($node, 't'), qr/^VACUUM\|/, 'not with a transaction id either');
like(
	$node->safe_psql(
		'postgres',
		q(BEGIN; SELECT pg_current_xact_id();
			SELECT action FROM ops.bloat_report('t', min_size => 0) WHERE relation = 't'::regclass)
	),
	qr/^VACUUM$/m,
	'nor for somebody who has one himself');
$node->safe_psql('postgres', 'VACUUM t');

my $session = $node->background_psql('postgres');
my $pid     = $session->query_safe('SELECT pg_backend_pid()');
$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$session->query_safe('SELECT 1 FROM pg_class LIMIT 1');
kill_rows('t');
like(
	verdict($node, 't'),
	qr/^UNBLOCK\|SELECT pg_terminate_backend\($pid\);\|.* a transaction of process $pid, \d+ transactions old, begun \d+ s ago$/,
	'a session is named');
like(
	verdict($node, 't', role => 'watcher'),
	qr/^UNBLOCK\|\|.* members of pg_read_all_stats$/,
	'but not to everybody');
$session->query_safe('COMMIT');
like(verdict($node, 't'), qr/^VACUUM\|/, 'it has ended');
$session->quit;
$stranger->quit;
$node->safe_psql('postgres', 'VACUUM t');

# The asking transaction itself.
my $asker = $node->background_psql('postgres');
$asker->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$asker->query_safe('SELECT 1 FROM pg_class LIMIT 1');
kill_rows('t');
like(
	$asker->query_safe(
		q(SELECT action, command, reason FROM ops.bloat_report('t', min_size => 0) WHERE relation = 't'::regclass)
	),
	qr/^UNBLOCK\|COMMIT;\|.* it is the transaction that asks$/,
	'one can be in the way oneself');
$asker->query_safe('COMMIT');
$asker->quit;
$node->safe_psql('postgres', 'VACUUM t');

# A prepared transaction.
$node->safe_psql('postgres',
	"CREATE TABLE u (i int); BEGIN; INSERT INTO u VALUES (1); PREPARE TRANSACTION 'it''s'"
);
kill_rows('t');
like(
	verdict($node, 't', role => 'watcher'),
	qr/^UNBLOCK\|ROLLBACK PREPARED 'it''s';\|.* prepared transaction "it's", /,
	'a prepared transaction is named');
my $bystander = $node->background_psql('postgres');
$bystander->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$bystander->query_safe('SELECT 1 FROM pg_class LIMIT 1');
like(
	verdict($node, 't'),
	qr/^UNBLOCK\|ROLLBACK PREPARED 'it''s';\|/,
	'and nobody whose snapshot goes back to it');
$bystander->query_safe('COMMIT');
$bystander->quit;
$node->safe_psql('postgres', "ROLLBACK PREPARED 'it''s'");
$node->safe_psql('postgres', 'VACUUM t, cataloged');

# A logical slot holds catalogs, and tables used as such.
$node->safe_psql('postgres',
	"SELECT pg_create_logical_replication_slot('decoder', 'pgoutput')");
kill_rows('t');
kill_rows('cataloged');
like(verdict($node, 't'), qr/^VACUUM\|/, 'a logical slot holds no data');
like(
	verdict($node, 'cataloged'),
	qr/^UNBLOCK\|SELECT .* WHERE slot_name = 'decoder';\|.* inactive replication slot "decoder", \d+ transactions old$/,
	'but tables used as catalogs');
$node->safe_psql('postgres', "SELECT pg_drop_replication_slot('decoder')");
$node->safe_psql('postgres', 'VACUUM t, cataloged');

# A standby's feedback.
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
kill_rows('t');
like(
	verdict($node, 't'),
	qr/^UNBLOCK\|SELECT .* FROM pg_stat_replication;\|.* a standby's feedback, received by process \d+, /,
	'a standby is named');
$node->wait_for_catchup($standby);
like(
	verdict($standby, 't'),
	qr/^UNBLOCK\|\|.* who that is, the primary knows$/,
	'a standby cannot know who else there is');
$reader->quit;

# Commands are for the primary.
$standby->append_conf('postgresql.conf', 'hot_standby_feedback = off');
$standby->reload;
$node->poll_query_until('postgres',
	'SELECT backend_xmin IS NULL FROM pg_stat_replication')
  or die 'feedback remains';
like(
	verdict($standby, 't'),
	qr/^VACUUM\|VACUUM \(VERBOSE\) public.t;\|.* to be run on the primary$/,
	'a command for the primary');

$standby->stop;
$node->stop;
done_testing();
