
# What goes on a publisher goes on its subscribers, a lagging standby holds a
# run back, and a standby deletes nothing.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsCleanup;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

$ENV{PGOPTIONS} //= '-c statement_timeout=60s';

my $node = new_server('primary', <<~CONF, allows_streaming => 'logical');
	wal_sender_timeout = 60s
	CONF

sub sql
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

# --- logical replication

my $tables = q{
	CREATE TABLE by_key (id int PRIMARY KEY, at timestamptz, note text);
	CREATE TABLE by_all (id int, at timestamptz, note text);
	ALTER TABLE by_all REPLICA IDENTITY FULL;
	CREATE TABLE by_index (id int NOT NULL, at timestamptz, note text);
	CREATE UNIQUE INDEX by_index_id ON by_index (id);
	ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_id;
	CREATE TABLE by_nothing (id int PRIMARY KEY, at timestamptz, note text);
	ALTER TABLE by_nothing REPLICA IDENTITY NOTHING;
	CREATE TABLE no_key (id int, at timestamptz, note text);
	CREATE TABLE parted (id int, at timestamptz, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
	CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
};
my @published  = qw(by_key by_all by_index parted);
my @refused    = qw(by_nothing no_key);
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');

$subscriber->init;
$subscriber->start;
$subscriber->safe_psql('postgres', $tables);
sql($tables);
for my $table (@published, @refused)
{
	sql("INSERT INTO $table SELECT i, now() - CASE WHEN i % 2 = 1 THEN '100 days' ELSE '1 day' END::interval, 'n' || i FROM generate_series(1, 600) AS i"
	);
	sql("SELECT ops.add_retention('$table', 'at', '30 days', policy_name => '$table', overrides => '{share}')"
	);
}
sql('CREATE PUBLICATION everything FOR TABLE '
	  . join(', ', @published, @refused));
my $connection = $node->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION everything CONNECTION '$connection' PUBLICATION everything"
);
$subscriber->poll_query_until('postgres',
	q(SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's'))
) or die 'no initial copy';

# Rows of a table in full, as a digest.
my $digest =
  'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY id)) FROM %s AS t';

for my $table (@published)
{
	my $run = run_cleanup($node, "'$table'");

	is("$run->{err}|$run->{deleted}|$run->{finished}",
		'|300|t', "$table: half of it goes")
	  or diag($run->{said});
	$node->wait_for_catchup('everything');
	is( $subscriber->safe_psql('postgres', sprintf($digest, $table)),
		sql(sprintf($digest, $table)),
		"$table: the subscriber has the same");
}
for my $table (@refused)
{
	my $run = run_cleanup($node, "'$table'");

	like($run->{said}, qr/replica[_ ]identity/i, "$table: refused, and why");
	is(sql("SELECT count(*) FROM $table"), 600, "$table: nothing is gone");
	my ($code, $out, $err) = $node->psql('postgres',
		"SELECT * FROM ops.cleanup_old_rows(policy_name => '$table')");
	like("$out$err", qr/replica[_ ]identity/i,
		"$table: by the function, too");

	# Guards that are never to be overridden are not.
	($code, $out, $err) = $node->psql('postgres',
		"SELECT * FROM ops.cleanup_old_rows('$table', 'at', '30 days', overrides => '{share,replica_identity}')"
	);
	is(sql("SELECT count(*) FROM $table"),
		600, "$table: an override does not help");
}
sql('ALTER PUBLICATION everything SET (publish = \'insert\')');
is(run_cleanup($node, q('no_key'))->{deleted},
	300, 'where deletions are not published, they are allowed');

$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION everything');
$subscriber->stop;

# Where all tables are published, so is the log, which can still be written.
sql(q{
	DROP PUBLICATION everything;
	CREATE PUBLICATION everything FOR ALL TABLES;
	INSERT INTO by_key SELECT i, now() - '100 days'::interval FROM generate_series(1001, 1100) AS i;
});
my $all = run_cleanup($node, q('by_key'));
is("$all->{err}|$all->{deleted}|$all->{finished}",
	'|100|t', 'all tables published');
sql('DROP PUBLICATION everything');

# --- a standby that lags

$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'wal_receiver_status_interval = 1s');
$standby->start;
$node->wait_for_catchup($standby, 'replay');

sub refill
{
	sql(q{
		DROP TABLE IF EXISTS big;
		CREATE TABLE big (id int PRIMARY KEY, at timestamptz, filler text);
		INSERT INTO big SELECT i, now() - '100 days'::interval, repeat('x', 500) FROM generate_series(1, 8000) AS i;
		CREATE INDEX ON big (at);
		DELETE FROM ops.retention_policy WHERE policy_name = 'big';
		SELECT ops.add_retention('big', 'at', '30 days', policy_name => 'big', overrides => '{share}');
		CHECKPOINT;
	});
	slow_trigger($node, 'big');
	$node->wait_for_catchup($standby, 'replay');
	return;
}

sub pause
{
	$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
	$standby->poll_query_until('postgres',
		q(SELECT pg_get_wal_replay_pause_state() = 'paused'))
	  or die 'not paused';
	return;
}

refill();
pause();
my $run = run_cleanup($node,
	q('big', max_lag_bytes => 100000, on_pressure => 'stop'));
is("$run->{failed}|$run->{finished}", '0|f', 'stops when a standby lags');
like($run->{stopped} // '', qr/lag|standby/i, 'and says why')
  or diag($run->{said});
my $left = sql('SELECT count(*) FROM big');
cmp_ok($left, '>', 4000, 'soon after it does');
is(logged($node, 'big')->{summed}, 8000 - $left, 'the log counts');
is(logged($node, 'big')->{status}, 'stopped',    'and knows its end');

# Waiting holds back nothing and nobody: no snapshot from before it looked.
$run = start_cleanup($node,
	q('big', max_lag_bytes => 100000, on_pressure => 'wait'));
sleep 1;
my $xid = sql('SELECT pg_current_xact_id()');
sleep 1;
is( sql(qq(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cleanup' AND state = 'active'
		AND backend_xid IS NULL AND coalesce(backend_xmin::text::bigint, $xid + 1) > $xid)
	),
	1,
	'it waits without an old snapshot');
is( sql(q(SELECT count(*) FROM pg_locks WHERE pid = (SELECT pid FROM pg_stat_activity WHERE application_name = 'cleanup')
		AND relation = 'big'::regclass AND mode <> 'AccessShareLock')
	),
	0,
	'nor with a lock on the table');
my $waiting = sql('SELECT count(*) FROM big');
sleep 1;
is(sql('SELECT count(*) FROM big'), $waiting, 'nothing goes meanwhile');
is(sql(q(SELECT count(*) FROM ops.cleanup_progress)),
	1, 'that it runs can be seen');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
finish_cleanup($run);
is("$run->{failed}|$run->{finished}|" . sql('SELECT count(*) FROM big'),
	'0|t|0', 'it ends when the standby has caught up')
  or diag($run->{said});

# A limit on time ends a wait.
refill();
pause();
$run = run_cleanup($node,
	q('big', max_lag_bytes => 100000, max_duration => '2 s'));
cmp_ok($run->{elapsed}, '<', 8, 'a wait ends at max_duration');
is("$run->{failed}|$run->{finished}", '0|f', 'unfinished');
$run = run_cleanup($node, q('big', max_lag => '1 s', on_pressure => 'stop'));
is("$run->{failed}|$run->{finished}", '0|f', 'stops by time, too');
$run = run_cleanup($node, q('big'));
is("$run->{failed}|$run->{finished}", '0|t', 'who does not ask is not told');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');

# Cancelling reaches one that waits.
refill();
pause();
$run = start_cleanup($node, q('big', max_lag_bytes => 100000));
wait_until($node,
	q(EXISTS (SELECT FROM ops.cleanup_batch JOIN ops.cleanup_run USING (run_id) WHERE relid = 'big'::regclass))
);
sleep 1;
my $id = logged($node, 'big')->{run_id};
sql("SELECT ops.cancel_cleanup($id)");
my $since = time;
finish_cleanup($run);
cmp_ok(time - $since, '<', 5, 'ops.cancel_cleanup() ends a wait');
is(sql("SELECT status FROM ops.cleanup_run WHERE run_id = $id"),
	'cancelled', 'the log knows');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');

# --- on the standby itself

$node->wait_for_catchup($standby, 'replay');
for my $statement (
	q(CALL ops.run_cleanup('big')),
	q(SELECT * FROM ops.cleanup_old_rows(policy_name => 'big')),
	q(SELECT * FROM ops.cleanup_old_rows('big', 'at', '30 days')))
{
	my ($code, $out, $err) = $standby->psql('postgres', $statement);

	like("$out$err", qr/standby|recovery/, "on a standby: $statement");
	unlike($err, qr/XX000|server closed/, 'refused cleanly');
}

$_->stop for ($standby, $node);
done_testing();
