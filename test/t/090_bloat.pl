# ops.bloat_report() where it is hard: nothing written, nothing waited for,
# a standby, damage, objects that come and go, thousands of tables, memory.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1, extra => ['--data-checksums']);
$primary->append_conf('postgresql.conf',
	"autovacuum = off\nmax_prepared_transactions = 5\noperations_runbook.bloat_seed = 7\nshared_buffers = 64MB"
);
$primary->start;
$primary->safe_psql(
	'postgres', q{
	CREATE EXTENSION operations_runbook;
	CREATE SCHEMA app;
	CREATE TABLE app.orders (id int PRIMARY KEY, tenant text, body text);
	INSERT INTO app.orders
	SELECT i, 'tenant ' || i % 50, repeat('x', 50 + i % 200) FROM generate_series(1, 60000) AS i;
	CREATE INDEX orders_tenant ON app.orders (tenant);
	CREATE INDEX orders_hash ON app.orders USING hash (id);
	CREATE INDEX orders_brin ON app.orders USING brin (id);
	CREATE INDEX orders_words ON app.orders USING gin (to_tsvector('simple', tenant));
	CREATE INDEX orders_point ON app.orders USING gist (point(id, id % 100));
	CREATE INDEX orders_quad ON app.orders USING spgist (point(id, id % 100));
	DELETE FROM app.orders WHERE id % 3 = 0;
});

my $figures =
  q(SELECT relation, kind, size_bytes, reclaimable_bytes, reclaimable_low, reclaimable_high, sampled_blocks, method, note FROM ops.bloat_report(min_size => 0) WHERE relation::text LIKE 'app.%' ORDER BY relation::text COLLATE "C");

# Seconds that a piece of code takes.
sub seconds(&)
{
	my ($code) = @_;
	my $begun = time;

	$code->();
	return time - $begun;
}

# Nothing is written: no hint bit, so no page and, with checksums, no WAL.
# Whoever reads a catalog leaves hints there, unless vacuum left none to leave.
$primary->safe_psql('postgres', 'CREATE EXTENSION pg_buffercache');
$primary->safe_psql('postgres',
	"SELECT format('VACUUM (FREEZE) %s', oid::regclass) FROM pg_class WHERE relkind IN ('r', 't') AND relnamespace IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace) \\gexec\nCHECKPOINT"
);
my $written = q{
	SELECT pg_current_wal_insert_lsn() - '0/0',
	       (SELECT count(*) FROM pg_buffercache AS b JOIN pg_class AS c
	            ON b.relfilenode = pg_relation_filenode(c.oid)
	         WHERE b.isdirty AND b.reldatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
	           AND c.relnamespace = 'app'::regnamespace)
};
my $before = $primary->safe_psql('postgres', $written);
my $said   = $primary->safe_psql('postgres', $figures);
is($primary->safe_psql('postgres', $written),
	$before, 'a report writes no WAL and dirties no page');
$primary->safe_psql('postgres',
	'SELECT count(*) FROM ops.bloat_report(min_size => 0, exact => true)');
is($primary->safe_psql('postgres', $written),
	$before, 'nor does an exact one');
is(scalar(split /\n/, $said), 8, 'the table and its seven indexes have rows');
unlike($said, qr/unreadable|not supported/, 'and all of them were measured');
is($primary->safe_psql('postgres', $figures),
	$said, 'the same seed, the same figures');
$primary->safe_psql('postgres', 'SELECT count(*) FROM app.orders');
isnt($primary->safe_psql('postgres', $written),
	$before, 'while a plain SELECT does write, so this would show');

# A standby sees what its primary sees.
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->safe_psql('postgres',
	'CREATE UNLOGGED TABLE app.fleeting AS SELECT generate_series(1, 1000) AS i'
);
$primary->wait_for_catchup($standby, 'replay');
my $mine = $figures =~ s/WHERE/WHERE relation::text <> 'app.fleeting' AND/r;
is( $standby->safe_psql('postgres', $mine),
	$primary->safe_psql('postgres', $mine),
	'a standby has the same figures');
like(
	$standby->safe_psql(
		'postgres', q(SELECT note FROM ops.bloat_report('app.fleeting'))),
	qr/unlogged/,
	'an unlogged table has no contents there');
is( $standby->safe_psql(
		'postgres', 'SELECT count(*) > 0 FROM ops.bloat_report()'),
	't',
	'all of it');
$standby->stop;
$primary->safe_psql('postgres', 'DROP TABLE app.fleeting');

# What is locked is not waited for.
my $holder = $primary->background_psql('postgres', on_error_stop => 0);
$holder->query_safe('BEGIN; LOCK TABLE app.orders IN ACCESS EXCLUSIVE MODE');
my $pid  = $holder->query_safe('SELECT pg_backend_pid()');
my $took = seconds
{
	$said = $primary->safe_psql('postgres',
		"SET statement_timeout = '20s'; SELECT DISTINCT note FROM ops.bloat_report('app.orders') WHERE relation::text LIKE 'app.%'"
	);
};
cmp_ok($took, '<', 3, 'a locked table is not waited for');
is($said, "locked by process $pid", 'and the row says who holds it');

# Nor is one that somebody queues for.
$holder->query_safe('COMMIT; BEGIN; SELECT 1 FROM app.orders LIMIT 1');
my $waiter = $primary->background_psql('postgres', on_error_stop => 0);
$waiter->query_until(qr/begun/,
	"\\echo begun\nBEGIN; LOCK TABLE app.orders IN ACCESS EXCLUSIVE MODE;\n");
$primary->poll_query_until('postgres',
	q(SELECT count(*) = 1 FROM pg_locks WHERE NOT granted));
$took = seconds
{
	$said = $primary->safe_psql('postgres',
		"SET statement_timeout = '20s'; SELECT DISTINCT note LIKE 'locked%' FROM ops.bloat_report('app.orders') WHERE relation::text LIKE 'app.%'"
	);
};
cmp_ok($took, '<', 3, 'nor is one that somebody else waits for');
is($said, 't', 'and the row says so');
$holder->query_safe('COMMIT');
$waiter->query_safe('ROLLBACK');
$waiter->quit;

# Rows that an old snapshot holds back are no gain, and it is named.
my $old = $primary->background_psql('postgres', on_error_stop => 0);
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
$primary->safe_psql('postgres',
	'CREATE TABLE app.held (id int, body text); INSERT INTO app.held SELECT i, repeat($$x$$, 200) FROM generate_series(1, 20000) AS i'
);
$old->query_safe('COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
my $old_pid = $old->query_safe('SELECT pg_backend_pid()');
$primary->safe_psql('postgres', 'DELETE FROM app.held WHERE id % 2 = 0');
my ($held, $gain, $action, $reason) = split /\|/,
  $primary->safe_psql(
	'postgres',
	q(SELECT held_back_bytes > 0.4 * size_bytes, reclaimable_pct < 2, action, replace(reason, E'\n', ' ') FROM ops.bloat_report('app.held') WHERE kind = 'heap')
  );
is($held,   't',       'rows that a snapshot still sees are held back');
is($gain,   't',       'and not counted as a gain');
is($action, 'UNBLOCK', 'what to do is to end it');
like($reason, qr/\b$old_pid\b/, 'and it is named');
$old->query_safe('COMMIT');
$old->quit;
is( $primary->safe_psql(
		'postgres',
		q(SELECT held_back_bytes, dead_bytes > 0.4 * size_bytes, reclaimable_pct > 45 FROM ops.bloat_report('app.held') WHERE kind = 'heap')
	),
	'0|t|t',
	'once it is gone they are');

# Trees whose build goes by what is next to what: the same value many times,
# one room's days, words that begin alike.  A REINDEX has the last word.
$primary->safe_psql(
	'postgres', q{
	CREATE TABLE app.trees AS
	SELECT i AS id, hashint4(i) & 65535 AS x, hashint4(i + 1000000) & 65535 AS y FROM generate_series(1, 60000) AS i;
	CREATE INDEX trees_grid ON app.trees USING spgist (point(x % 40, y % 40));
	CREATE INDEX trees_text ON app.trees USING spgist (('https://example.com/' || x % 7 || '/' || md5(y::text)));
	CREATE INDEX trees_sorted ON app.trees USING gist (point(x % 40, y % 40));
	CREATE INDEX trees_box ON app.trees USING gist (box(point(x % 50, y % 50), point(x % 50 + 1, y % 50 + 1)));
	DELETE FROM app.trees WHERE id % 20 < 12;
	VACUUM app.trees;
	CREATE TABLE app.said AS SELECT relation, size_bytes, reclaimable_bytes FROM ops.bloat_report('app.trees', min_size => 0) WHERE kind LIKE '%gist';
	REINDEX TABLE app.trees;
});
is( $primary->safe_psql(
		'postgres',
		q(SELECT relation, size_bytes, reclaimable_bytes, pg_relation_size(relation) FROM app.said WHERE abs(size_bytes - pg_relation_size(relation) - reclaimable_bytes) > 0.08 * size_bytes)
	),
	'',
	'what trees would give back is close to what they do');
is($primary->safe_psql('postgres', 'SELECT count(*) FROM app.said'),
	'4', 'all of them were measured');
$primary->safe_psql('postgres', 'DROP TABLE app.trees, app.said');

# A damaged page is a note, and the rest goes on.
$primary->safe_psql('postgres',
	'CREATE TABLE app.damaged AS SELECT i AS id, repeat($$x$$, 100)::varchar(100) AS body FROM generate_series(1, 5000) AS i; CREATE INDEX damaged_id ON app.damaged (id); CREATE INDEX damaged_hash ON app.damaged USING hash (id); CREATE INDEX damaged_words ON app.damaged USING gin (to_tsvector($$simple$$, body || id)); CREATE INDEX damaged_tree ON app.damaged USING gist (to_tsvector($$simple$$, body || id)); CREATE INDEX damaged_box ON app.damaged USING gist (box(point(id, id % 100), point(id % 70, id))); CREATE INDEX damaged_quad ON app.damaged USING spgist (point(id, id % 100)); CREATE INDEX damaged_text ON app.damaged USING spgist (md5(id::text)); CREATE INDEX damaged_sorted ON app.damaged USING gist (point(id % 70, id)); DELETE FROM app.damaged WHERE id % 9 = 0; CHECKPOINT'
);
my %file = map {
		$_ => $primary->data_dir . '/'
	  . $primary->safe_psql('postgres', "SELECT pg_relation_filepath('$_')")
  } map { "app.damaged$_" } '',
  qw(_id _hash _words _tree _box _quad _text _sorted);
$primary->stop;
foreach my $file (values %file)
{
	open my $handle, '+<', $file or die "$file: $!";
	binmode $handle;
	seek $handle, 8192 * 5 + 3000, 0;
	print $handle 'damage' x 20;
	close $handle;
}
$primary->start;
is( $primary->safe_psql(
		'postgres',
		q(SELECT kind, reclaimable_bytes IS NULL, note LIKE 'unreadable: invalid page in block 5%' FROM ops.bloat_report('app.damaged') WHERE kind IN ('heap', 'btree') ORDER BY 1)
	),
	"btree|t|t\nheap|t|t",
	'a damaged page makes a note');
$primary->safe_psql('postgres',
	'ALTER SYSTEM SET ignore_checksum_failure = on; SELECT pg_reload_conf()');
is( $primary->safe_psql(
		'postgres', q(SELECT count(*) FROM ops.bloat_report('app.damaged'))),
	'9',
	'and with the checksum ignored no crash');

# Pages of nothing but noise, whatever their headers claim.
$primary->stop;
srand(42);
for my $round (1 .. 20)
{
	foreach my $file (values %file)
	{
		open my $handle, '+<', $file or die "$file: $!";
		binmode $handle;
		for (1 .. 3)
		{
			seek $handle, 8192 * int(rand 8) + int(rand 8000), 0;
			print $handle pack 'C*', map { int rand 256 } 1 .. 40;
		}
		seek $handle, 8192 * int(rand 8), 0;
		print $handle pack 'C*', map { int rand 256 } 1 .. 24
		  if $round % 4 == 0;
		close $handle;
	}
	$primary->start;
	is( $primary->safe_psql(
			'postgres',
			q(SELECT count(*) FROM ops.bloat_report('app.damaged', exact => true))
		),
		'9',
		"noise, round $round: no crash");
	$primary->stop;
}
$primary->start;
$primary->safe_psql('postgres',
	'ALTER SYSTEM RESET ignore_checksum_failure; SELECT pg_reload_conf(); DROP TABLE app.damaged'
);

# Tables come, change and go while reports run.
$primary->safe_psql('postgres', 'CREATE TABLE app.busy (id int, body text)');
my @traffic = (
	'INSERT INTO app.busy SELECT i, repeat($$x$$, 100) FROM generate_series(1, 3000) AS i',
	'DELETE FROM app.busy WHERE id % 2 = 0',
	'VACUUM app.busy',
	'CREATE INDEX IF NOT EXISTS busy_id ON app.busy (id)',
	'REINDEX TABLE app.busy',
	'VACUUM FULL app.busy',
	'DROP INDEX IF EXISTS app.busy_id',
	'TRUNCATE app.busy',
	'DROP TABLE app.busy; CREATE TABLE app.busy (id int, body text)');
my $script = PostgreSQL::Test::Utils::tempdir() . '/traffic.sql';
append_to_file($script, join('', map { "$_;\n" } (@traffic) x 30));
my $traffic = IPC::Run::start(
	[ 'psql', '-Xq', '-f', $script, $primary->connstr('postgres') ],
	'>', '/dev/null', '2>', \my $traffic_errors);
my ($reports, $failed) = (0, '');
my $until = time + 10;

while (time < $until)
{
	my ($status, $stdout, $stderr) = $primary->psql('postgres',
		q(SELECT count(*) FROM ops.bloat_report(min_size => 0) WHERE relation::text LIKE 'app.%')
		  . ';' x 1);

	$failed .= $stderr if $status;
	$reports++;
}
$traffic->kill_kill;
cmp_ok($reports, '>', 3, "$reports reports among the traffic");
is($failed, '', 'none of them failed');

# What is not decided yet stays.
is( $primary->safe_psql(
		'postgres',
		'BEGIN; CREATE TABLE app.mine AS SELECT generate_series(1, 5000) AS i; DELETE FROM app.mine WHERE i > 100; SELECT kind, live_rows, reclaimable_pct > 90 FROM ops.bloat_report($$app.mine$$); ROLLBACK'
	),
	'heap|5000|f',
	'what the own transaction deleted it can still bring back');

# Thousands of small ones.
$primary->safe_psql('postgres',
	'DO $$BEGIN FOR i IN 1 .. 5000 LOOP EXECUTE format($f$CREATE TABLE app.%I (id int, body text)$f$, $f$small $f$ || i); IF i % 500 = 0 THEN COMMIT; END IF; END LOOP; END$$'
);
$primary->safe_psql('postgres', 'SELECT count(*) FROM ops.bloat_report()');
my $tables;
$took = seconds
{
	$tables = $primary->safe_psql('postgres',
		'SELECT count(*) FROM ops.bloat_report(min_size => 0)');
};
cmp_ok($tables, '>', 10000, 'thousands of tables, TOAST tables and indexes');
note("$tables relations in $took seconds");
is($primary->safe_psql('postgres', 'SELECT count(*) FROM pg_locks') < 20,
	1, 'their locks are given back');

# Interrupts are heeded.
my ($status, undef, $stderr) = $primary->psql('postgres',
	'SET statement_timeout = 50; SELECT count(*) FROM ops.bloat_report(min_size => 0, exact => true)'
);
like($stderr, qr/statement timeout/, 'a report can be cancelled');
$primary->safe_psql('postgres',
	'DO $$BEGIN FOR i IN 1 .. 5000 LOOP EXECUTE format($f$DROP TABLE app.%I$f$, $f$small $f$ || i); IF i % 500 = 0 THEN COMMIT; END IF; END LOOP; END$$'
);

# Memory: a thousand reports take what the first hundred took.
my @sizes = split /\n/, $primary->safe_psql(
	'postgres', q{
	CREATE TABLE app.parts AS
	SELECT i AS id, 'part ' || i % 50 AS name, repeat('x', 50 + i % 200) AS body FROM generate_series(1, 5000) AS i;
	CREATE INDEX parts_id ON app.parts (id);
	CREATE INDEX parts_hash ON app.parts USING hash (id);
	CREATE INDEX parts_words ON app.parts USING gin (to_tsvector('simple', name));
	CREATE INDEX parts_point ON app.parts USING gist (point(id, id % 100));
	CREATE INDEX parts_box ON app.parts USING gist (box(point(id % 70, id % 90), point(id % 70 + 1, id % 90 + 1)));
	CREATE INDEX parts_quad ON app.parts USING spgist (point(id, id % 100));
	CREATE INDEX parts_text ON app.parts USING spgist ((name || id));
	DELETE FROM app.parts WHERE id % 3 = 0;
	CREATE PROCEDURE pg_temp.reports(n int) LANGUAGE plpgsql AS
	$$BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM count(*) FROM ops.bloat_report('app.parts', min_size => 0);
			COMMIT;
		END LOOP;
	END$$;
	CALL pg_temp.reports(100);
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
	CALL pg_temp.reports(1000);
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
});
note("contexts after 100 and 1,100 reports: @sizes");
cmp_ok($sizes[1] - $sizes[0], '<', 65536, 'memory does not grow');

$holder->quit;
$primary->stop;
done_testing();
