
# Sequences near their end, locked ones, and schemas that change meanwhile.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_server('primary', 'autovacuum = off', allows_streaming => 1);
my $row;

sub sql
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

sub wait_until
{
	my ($sql) = @_;

	$node->poll_query_until('postgres', $sql) or die "never true: $sql";
}

# Test what is said of one sequence alone, and drop what it was made with.
sub sequence_is
{
	my ($setup, $status, $value, $claim) = @_;
	my $found;

	sql("CREATE SCHEMA one; SET search_path = one; $setup");
	$found = status_is($node, 'sequences', $status, $claim);
	cmp_ok(abs($found->{value} - $value), '<', 0.1, "$claim: value")
	  or diag("$found->{value} is not $value");
	sql('DROP SCHEMA one CASCADE');
	return $found;
}

sub culprit
{
	my ($row) = @_;

	return $row->{details}{culprits}[0];
}

$row = status_is($node, 'sequences', 'ok', 'none');
is($row->{value}, 0, 'none: value');

# What a sequence ends by.
sequence_is('CREATE SEQUENCE s', 'ok', 0, 'never used');
sequence_is(q(CREATE SEQUENCE s MAXVALUE 100; SELECT setval('s', 50)),
	'ok', 50, 'half used');
$row = sequence_is(q(CREATE SEQUENCE s MAXVALUE 100; SELECT setval('s', 80)),
	'warn', 80, 'own maximum');
is($row->{remedy}, 'ALTER SEQUENCE one.s NO MAXVALUE;',
	'own maximum: remedy');
sequence_is(q(CREATE SEQUENCE s MAXVALUE 100; SELECT setval('s', 80, false)),
	'ok', 79, 'value not given out yet');
sequence_is(q(CREATE SEQUENCE s MAXVALUE 100; SELECT setval('s', 100)),
	'fail', 100, 'at its end');
$row =
  sequence_is(q(CREATE SEQUENCE s AS smallint; SELECT setval('s', 31200)),
	'fail', 95.2, 'smallint sequence');
is( $row->{remedy},
	'ALTER SEQUENCE one.s AS bigint;',
	'smallint sequence: remedy');

# What its columns can take.
$row = sequence_is(
	q(CREATE TABLE "we""ird.Table" ("I d" int);
	CREATE SEQUENCE "S.q" OWNED BY "we""ird.Table"."I d";
	SELECT setval('"S.q"', 2000000000)),
	'warn', 93.1, 'owned by an integer column');
is( $row->{remedy},
	q(ALTER TABLE one."we""ird.Table" ALTER COLUMN "I d" TYPE bigint;),
	'owned by an integer column: remedy');
is(culprit($row)->{relation}, 'S.q', 'the sequence is named');
is( culprit($row)->{note},
	'fills column "I d" of "we"ird.Table", of type integer',
	'and its column');
sequence_is(
	q(CREATE SEQUENCE s; CREATE TABLE t (id int DEFAULT nextval('s'));
	SELECT setval('s', 2100000000)),
	'fail', 97.8, 'default of an integer column');
sequence_is(
	q(CREATE SEQUENCE s; CREATE DOMAIN d AS int; CREATE DOMAIN e AS d;
	CREATE TABLE t (id e DEFAULT nextval('s')); SELECT setval('s', 2100000000)),
	'fail', 97.8, 'default of a domain over a domain');
sequence_is(
	q(CREATE SEQUENCE s; CREATE TABLE t (id bigint DEFAULT nextval('s'));
	ALTER SEQUENCE s OWNED BY t.id;
	CREATE TABLE u (a text DEFAULT nextval('s'), b smallint DEFAULT 1 + nextval('s'));
	SELECT setval('s', 32000)),
	'fail', 97.7, 'the narrowest of several columns counts');
$row = sequence_is(
	q(CREATE TABLE t (id serial); SELECT setval('t_id_seq', 2000000000)),
	'warn', 93.1, 'serial');
is( $row->{remedy},
	'ALTER SEQUENCE one.t_id_seq AS bigint; ALTER TABLE one.t ALTER COLUMN id TYPE bigint;',
	'serial: remedy');
$row = sequence_is(
	q(CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY);
	SELECT setval('t_id_seq', 2000000000)),
	'warn', 93.1, 'identity');
sequence_is(
	q(CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY);
	SELECT setval('t_id_seq', 2000000000)),
	'ok', 0, 'bigint identity');

# Which way it goes and where it began.
sequence_is(
	q(CREATE SEQUENCE s INCREMENT -1 MINVALUE -100 MAXVALUE -1; SELECT setval('s', -97)),
	'fail', 97, 'descending');
sequence_is(
	q(CREATE SEQUENCE s INCREMENT -1; CREATE TABLE t (id int DEFAULT nextval('s'));
	SELECT setval('s', -2100000000)),
	'fail', 97.8, 'descending, default of an integer column');
sequence_is(
	q(CREATE SEQUENCE s INCREMENT -1 MINVALUE 1 MAXVALUE 100; SELECT setval('s', 90)),
	'ok', 11, 'descending, just begun');
sequence_is(q(CREATE SEQUENCE s START 91 MAXVALUE 100; SELECT nextval('s')),
	'ok', 10, 'started close to its end');
sequence_is(q(CREATE SEQUENCE s START 91 MAXVALUE 100; SELECT setval('s', 5)),
	'ok', 0, 'set back behind its start');
sequence_is(
	q(CREATE SEQUENCE s MINVALUE -9223372036854775808 START -9223372036854775808;
	SELECT setval('s', 9000000000000000000)),
	'fail', 98.8, 'the whole range of bigint');
sequence_is(
	q(CREATE SEQUENCE s INCREMENT 10 MAXVALUE 105; SELECT setval('s', 101)),
	'fail', 100, 'no room for another step');
sequence_is(q(CREATE SEQUENCE s MAXVALUE 100 CYCLE; SELECT setval('s', 100)),
	'ok', 0, 'one that cycles never ends');
sequence_is(q(CREATE TEMP SEQUENCE s MAXVALUE 100; SELECT setval('s', 100)),
	'ok', 0, 'a temporary one is nobody else\'s business');

# Somebody who may see no values.
sql(q(CREATE ROLE nobody LOGIN; GRANT USAGE ON SCHEMA ops TO nobody;
	GRANT EXECUTE ON FUNCTION ops.checks(text, text[], interval) TO nobody));
$row = status_is(
	$node, 'sequences', 'unknown',
	'shown to nobody',
	role => 'nobody');
is($row->{details}{reason}, 'denied', 'and that is said');

# A locked sequence is named, with who locks it, and not waited for.
sub answers_at_once
{
	my ($status, $pid, $claim) = @_;
	my $started = time;
	my $found   = status_is($node, 'sequences', $status, $claim);
	my @named =
	  grep { ($_->{pid} // 0) == $pid } @{ $found->{details}{culprits} };

	# Most of the second is psql's.
	cmp_ok(time - $started, '<', 1, "$claim: at once");
	is(scalar(@named),      1,         "$claim: process is named");
	is($named[0]{relation}, 'lo"cked', "$claim: sequence is named");
	return $found;
}

sql(q(CREATE SEQUENCE "lo""cked" MAXVALUE 100; CREATE SEQUENCE other MAXVALUE 100)
);
my $holder     = $node->background_psql('postgres');
my $waiter     = $node->background_psql('postgres', on_error_stop => 0);
my $holder_pid = $holder->query_safe('SELECT pg_backend_pid()');
my $waiter_pid = $waiter->query_safe('SELECT pg_backend_pid()');
$holder->query_safe('BEGIN; ALTER SEQUENCE "lo""cked" RENAME TO renamed');
$row = answers_at_once('unknown', $holder_pid, 'locked');
is($row->{details}{reason}, 'locked', 'locked: reason');
like(
	$row->{message},
	qr/"lo"cked" is locked by process $holder_pid/,
	'locked: message');
sql(q(SELECT setval('other', 90)));
$row =
  answers_at_once('warn', $holder_pid, 'locked, another is near its end');
like($row->{message}, qr/1 other/,
	'locked, another is near its end: message');
is(culprit($row)->{relation}, 'other', 'the one that is known comes first');
sql(q(SELECT setval('other', 9)));
$holder->query_safe('ROLLBACK');
status_is($node, 'sequences', 'ok', 'lock released');

$holder->query_safe('BEGIN; ALTER SEQUENCE "lo""cked" RESTART WITH 99');
$row = status_is($node, 'sequences', 'unknown', 'being changed');
is($row->{details}{reason}, 'locked', 'being changed: reason');
$holder->query_safe('ROLLBACK');

$holder->query_safe('BEGIN; SELECT * FROM "lo""cked"');
$waiter->query_until(
	qr/go/, q(\echo go
	ALTER SEQUENCE "lo""cked" RENAME TO renamed;
));
wait_until("SELECT cardinality(pg_blocking_pids($waiter_pid)) > 0");
answers_at_once('unknown', $waiter_pid, 'queued behind a reader');
sql("SELECT pg_cancel_backend($waiter_pid)");
wait_until(
	"SELECT state = 'idle' FROM pg_stat_activity WHERE pid = $waiter_pid");
$holder->query_safe('COMMIT');
status_is($node, 'sequences', 'ok', 'queue gone');

# Many locked ones: a few are named, all are counted.
sql(join('', map { "CREATE SEQUENCE s$_;" } 1 .. 20));
my $many = join(', ', map { "s$_" } 1 .. 20);
$holder->query_safe("BEGIN; DROP SEQUENCE $many");
$row = status_is($node, 'sequences', 'unknown', 'many locked');
like($row->{message}, qr/^20 sequences/, 'many locked: message');
is(scalar(@{ $row->{details}{culprits} }), 5, 'many locked: some are named');
$holder->query_safe('ROLLBACK');
sql("DROP SEQUENCE $many");
$holder->quit;
$waiter->quit;

# On a standby unlogged sequences have no values.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
sql('CREATE TABLE logged (id smallserial);
	CREATE UNLOGGED TABLE unlogged (id smallserial)');
sql('CREATE UNLOGGED SEQUENCE unlogged_seq MAXVALUE 100');
sql(q(SELECT setval('unlogged_seq', 100)));
$node->wait_for_catchup($standby, 'replay', $node->lsn('write'));
status_is($node, 'sequences', 'fail', 'unlogged, on the primary');
$row = status_is($standby, 'sequences', 'ok', 'unlogged, on the standby');
like($row->{message}, qr/2 unlogged/, 'and that is said');
sql(q(SELECT setval('logged_id_seq', 32000)));
$node->wait_for_catchup($standby, 'replay', $node->lsn('write'));
status_is($standby, 'sequences', 'fail', 'logged, on the standby');
$standby->stop;
sql('DROP TABLE logged, unlogged; DROP SEQUENCE unlogged_seq');

# While tables come and go no check fails.  Every step commits.
my $churn = $node->basedir . '/churn.sql';
append_to_file($churn, <<'SQL');
\set n random(1, 3) * 10 + :client_id
DROP TABLE IF EXISTS churn:n CASCADE;
CREATE TABLE churn:n (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s serial, a int REFERENCES anchor, b text, CHECK (a > 0));
INSERT INTO churn:n (a, b) SELECT 1, repeat('x', 100) FROM generate_series(1, 1500);
CREATE INDEX churn_b:n ON churn:n (lower(b)) WHERE a > 0;
ALTER TABLE churn:n ADD CHECK (a > 2) NOT VALID;
ALTER TABLE churn:n ALTER COLUMN id RESTART WITH 10000;
ALTER TABLE churn:n ALTER COLUMN id TYPE bigint;
VACUUM FULL churn:n;
CREATE INDEX CONCURRENTLY churn_c:n ON churn:n (a);
REINDEX TABLE CONCURRENTLY churn:n;
SQL
sql('CREATE TABLE anchor (id int PRIMARY KEY); INSERT INTO anchor VALUES (1)'
);
sql(q(ALTER DATABASE postgres SET client_min_messages = error));
my $pgbench = IPC::Run::start(
	[
		$node->installed_command('pgbench'),
		'-n', '-c',        '3',  '-T',        '5', '-f', $churn,
		'-h', $node->host, '-p', $node->port, 'postgres'
	],
	'<',
	\undef,
	'>',
	\my $stdout,
	'2>',
	\my $stderr);
my $failed = '';
my $runs   = 0;
my $until  = time + 5;

while (time < $until)
{
	$failed .= sql(
		q(SELECT check_name, message FROM ops.checks('deep')
		WHERE (details->>'reason' = 'failed' OR (check_name, status) = ('no_pk', 'warn'))
		AND check_name IN (SELECT check_name FROM ops.check_list() WHERE family IN ('schema', 'sequences', 'vacuum')))
	);
	$runs++;
}
$pgbench->finish;
is($failed, '', 'no check fails or is misled while tables come and go');
cmp_ok($runs, '>', 3, 'they were asked more than once');
like($stdout, qr/processed: [1-9]/, 'tables did come and go');

$node->stop;
done_testing();
