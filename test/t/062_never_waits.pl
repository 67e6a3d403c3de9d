
# No lock of anybody makes a health check wait, held or queued.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary');
$node->safe_psql(
	'postgres', q{
	CREATE TABLE orders (id bigserial PRIMARY KEY, t text);
	INSERT INTO orders (t) SELECT repeat('x', 100) FROM generate_series(1, 20000);
	CREATE TABLE schema_migrations (version text PRIMARY KEY);
	INSERT INTO schema_migrations VALUES ('001'), ('002');
	CREATE VIEW v AS SELECT * FROM orders;
	ANALYZE;
});

my @sessions;

# A session that runs the statement in a transaction and stays in it.
sub hold
{
	my ($name, $sql) = @_;
	my $session = IPC::Run::start(
		[
			'psql', '-XqAt',
			'-d',   $node->connstr('postgres') . " application_name=$name",
			'-c',   'BEGIN',
			'-c',   $sql,
			'-c',   'SELECT pg_sleep(1000)'
		],
		'<'  => \undef,
		'>'  => \my $out,
		'2>' => \my $err);

	push @sessions, $session;
	return;
}

sub wait_for
{
	my ($name, $event) = @_;

	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = '$name' AND $event"
	) or die "$name did not get there";
	return;
}

sub pid_of
{
	my ($name) = @_;

	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE application_name = '$name'");
}

sub release
{
	$node->safe_psql('postgres',
		q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'held_%')
	);
	$_->finish for @sessions;
	@sessions = ();
	$node->poll_query_until('postgres',
		q(SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'held_%')
	);
	return;
}

# Both tiers, timed by themselves, and with a guard against hanging for ever.
sub answers
{
	my ($claim) = @_;

	for my $depth (qw(fast deep))
	{
		my $answer = $node->safe_psql(
			'postgres',
			qq(SET statement_timeout = '30s';
			   SELECT (h ->> 'latency_ms')::float8 < 1000, h -> 'truncated',
			          (SELECT string_agg(key || ': ' || (value ->> 'message'), '; ') FROM jsonb_each(h -> 'checks') WHERE value ->> 'reason' = 'failed')
			     FROM ops.health('default', '$depth') AS h));

		is($answer, 't|false|', "$depth answers within a second: $claim");
	}
	return;
}

answers('nothing is locked');

my $locks = 'LOCK TABLE orders, schema_migrations IN ACCESS EXCLUSIVE MODE';
hold('held_table', $locks);
wait_for('held_table', "wait_event = 'PgSleep'");
answers('tables are locked');
my $row = check($node, 'migrations');
is($row->{details}{reason}, 'locked', 'migrations: locked');
like(
	$row->{message},
	qr/\b\Q@{[ pid_of('held_table') ]}\E\b/,
	'migrations: names the holder');
release();

hold('held_reader', 'SELECT count(*) FROM orders, schema_migrations');
wait_for('held_reader', "wait_event = 'PgSleep'");
hold('held_queued', $locks);
wait_for('held_queued', "wait_event_type = 'Lock'");
answers('a lock on a table is queued behind a reader');
threshold($node, 'blocked', warning => 0.001, critical => 1000);
is(check($node, 'blocked')->{status},
	'warn', 'blocked: says that somebody waits');
release();

# ALTER SEQUENCE holds a lock that lets readers in; this one does not.
hold('held_sequence', 'DROP SEQUENCE orders_id_seq CASCADE');
wait_for('held_sequence', "wait_event = 'PgSleep'");
answers('a sequence is being dropped');
$row = check($node, 'sequences');
is($row->{details}{reason}, 'locked', 'sequences: locked');
like(
	encode_row($row),
	qr/\b\Q@{[ pid_of('held_sequence') ]}\E\b/,
	'sequences: names the holder');
release();

hold('held_limits', 'LOCK TABLE ops.threshold IN ACCESS EXCLUSIVE MODE');
wait_for('held_limits', "wait_event = 'PgSleep'");
answers('the table of limits is locked');
like(
	$node->safe_psql('postgres', q(SELECT ops.health() ->> 'note')),
	qr/^ops.threshold is locked by process \d+/,
	'the document says so');
release();

# Everything at once, for some seconds.
my $script = $node->basedir . '/ddl.sql';
append_to_file($script, <<'SQL');
BEGIN;
DROP TABLE IF EXISTS churn_:client_id CASCADE;
CREATE TABLE churn_:client_id (id serial PRIMARY KEY, t text UNIQUE, r int REFERENCES orders (id));
COMMIT;
INSERT INTO churn_:client_id (t) SELECT i FROM generate_series(1, 100) i;
ALTER TABLE churn_:client_id ADD COLUMN c int DEFAULT 1;
CREATE INDEX ON churn_:client_id (c);
DELETE FROM churn_:client_id WHERE id % 2 = 0;
VACUUM FULL churn_:client_id;
REINDEX TABLE churn_:client_id;
TRUNCATE churn_:client_id;
SQL
my $ddl = IPC::Run::start(
	[
		'pgbench', '-n', '-c', '3', '-T', '6', '-f', $script,
		$node->connstr('postgres')
	],
	'>'  => \my $pgbench_out,
	'2>' => \my $pgbench_err);
my $worst = $node->safe_psql(
	'postgres', q{
	SET statement_timeout = '60s';
	CREATE TEMP TABLE seen (ms float8, failed text);
	DO $$
	DECLARE until timestamptz = clock_timestamp() + interval '5 s';
	BEGIN
		WHILE clock_timestamp() < until LOOP
			INSERT INTO seen
			SELECT (h ->> 'latency_ms')::float8,
			       (SELECT string_agg(key || ': ' || (value ->> 'message'), '; ')
			          FROM jsonb_each(h -> 'checks') WHERE value ->> 'reason' = 'failed')
			  FROM ops.health('default', 'deep') AS h;
			COMMIT;
		END LOOP;
	END$$;
	SELECT count(*) > 20, max(ms) < 1000, string_agg(DISTINCT failed, '; ') FROM seen;
});
is($worst, 't|t|',
	'deep answers within a second and measures, whatever is created, altered, vacuumed and dropped'
);
$ddl->finish;
is($pgbench_err =~ /ERROR/ ? $pgbench_err : '',
	'', 'nor did it get into anybody\'s way');

$node->stop;
done_testing();

sub encode_row
{
	my ($encoded) = @_;

	return JSON::PP->new->canonical->encode($encoded);
}
