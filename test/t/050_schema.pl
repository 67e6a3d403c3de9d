
# Checks of tables, indexes, constraints and of what vacuum left undone.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary', 'autovacuum = off');

sub sql
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

# Wait until a query says true.
sub wait_until
{
	my ($sql) = @_;

	$node->poll_query_until('postgres', $sql) or die "never true: $sql";
}

# Change a setting for all sessions to come.
sub setting
{
	my ($name, $value) = @_;

	sql("ALTER DATABASE postgres SET $name = '$value'");
}

# The culprits of a row, by the given field and sorted.
sub culprits
{
	my ($row, $field) = @_;

	return join(' ',
		sort map { $_->{$field} // '-' }
		  @{ $row->{details}{culprits} // [] });
}

foreach my $name (
	qw(autovacuum_lag table_freeze_age stale_stats invalid_index
	not_valid_constraint duplicate_index fk_no_index no_pk))
{
	status_is($node, $name, 'ok', 'empty database');
}

# no_pk
sql(q(CREATE SCHEMA "S""x"));
sql(q(CREATE TABLE "S""x"."we""ird.Table" (i int);
	CREATE TABLE with_pk (i int PRIMARY KEY);
	CREATE TABLE parent (i int) PARTITION BY RANGE (i);
	CREATE TABLE child PARTITION OF parent FOR VALUES FROM (0) TO (9);
	CREATE UNLOGGED TABLE unlogged (i int)));
my $row = status_is($node, 'no_pk', 'warn', 'tables without');
is($row->{value}, 3, 'a partition and a table with one do not count');
is( culprits($row, 'relation'),
	'parent unlogged we"ird.Table',
	'tables are named');
is(sql($row->{remedy}), '', 'remedy can be run');
threshold($node, 'no_pk', critical => 3);
status_is($node, 'no_pk', 'fail', 'tables without, limit lowered');
reset_threshold($node, 'no_pk');
sql(q(ALTER TABLE "S""x"."we""ird.Table" ADD PRIMARY KEY (i);
	ALTER TABLE parent ADD PRIMARY KEY (i);
	ALTER TABLE unlogged ADD PRIMARY KEY (i)));
status_is($node, 'no_pk', 'ok', 'primary keys added');

# A table that belongs to an extension is the extension's matter.
sql('CREATE TABLE member (i int); ALTER EXTENSION operations_runbook ADD TABLE member'
);
status_is($node, 'no_pk', 'ok', 'a table of an extension');
sql('ALTER EXTENSION operations_runbook DROP TABLE member; DROP TABLE member'
);

# invalid_index
sql(q(CREATE TABLE "S""x".dup (a int, "B b" int, PRIMARY KEY ("B b"));
	INSERT INTO "S""x".dup VALUES (1, 1), (1, 2)));
$node->psql('postgres',
	q(CREATE UNIQUE INDEX CONCURRENTLY "in""dex" ON "S""x".dup (a)));
$row = status_is($node, 'invalid_index', 'warn', 'a failed build');
is(culprits($row, 'name'), 'in"dex', 'the index is named');
is( $row->{remedy},
	q(REINDEX INDEX CONCURRENTLY "S""x"."in""dex"; -- or DROP INDEX CONCURRENTLY "S""x"."in""dex";),
	'remedy quotes the name');
threshold($node, 'invalid_index', critical => 1);
status_is($node, 'invalid_index', 'fail', 'a failed build, limit lowered');
reset_threshold($node, 'invalid_index');
$node->psql('postgres', $row->{remedy});
$row = status_is($node, 'invalid_index', 'warn', 'rebuilding failed too');
is(culprits($row, 'name'), 'in"dex in"dex_ccnew', 'both are named');
like($row->{message}, qr/^2 indexes/, 'both count');
sql(q(DELETE FROM "S""x".dup WHERE "B b" = 2));
sql(q(DROP INDEX CONCURRENTLY "S""x"."in""dex_ccnew"));
sql($row->{remedy} =~ s/;.*//r);
status_is($node, 'invalid_index', 'ok', 'rebuilt by the remedy');

# An index that somebody builds waits for a transaction to end meanwhile.
my $open    = $node->background_psql('postgres');
my $builder = $node->background_psql('postgres', on_error_stop => 0);
$open->query_safe(q(BEGIN; INSERT INTO "S""x".dup VALUES (7, 7)));
$builder->query_until(
	qr/go/,
	q(\echo go
	CREATE INDEX CONCURRENTLY waiting ON "S""x".dup (a, "B b");
	\echo built
));
wait_until(q(SELECT count(*) = 1 FROM pg_index WHERE NOT indisvalid));
status_is($node, 'invalid_index', 'ok', 'an index being built');
sql(q(SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index));
wait_until(q(SELECT count(*) = 0 FROM pg_stat_progress_create_index));
status_is($node, 'invalid_index', 'warn', 'the build was canceled');
$open->query_safe('ROLLBACK');
sql(q(DROP INDEX CONCURRENTLY "S""x".waiting));
status_is($node, 'invalid_index', 'ok', 'index dropped');

# not_valid_constraint
sql(q(ALTER TABLE "S""x".dup ADD CONSTRAINT "po""s" CHECK (a > 0) NOT VALID;
	CREATE DOMAIN "S""x"."Dom" AS int;
	CREATE TABLE domains (d "S""x"."Dom" PRIMARY KEY);
	ALTER DOMAIN "S""x"."Dom" ADD CONSTRAINT even CHECK (VALUE % 2 = 0) NOT VALID)
);
$row = status_is($node, 'not_valid_constraint', 'warn', 'two of them');
is($row->{value},          2, 'those of tables and of domains count');
is(culprits($row, 'name'), 'even po"s', 'constraints are named');
is( $row->{remedy},
	q(ALTER TABLE "S""x".dup VALIDATE CONSTRAINT "po""s";),
	'remedy quotes the name');
threshold($node, 'not_valid_constraint', critical => 2);
status_is($node, 'not_valid_constraint', 'fail', 'two, limit lowered');
reset_threshold($node, 'not_valid_constraint');
sql($row->{remedy});
$row = status_is($node, 'not_valid_constraint', 'warn', 'one of them');
sql($row->{remedy});
status_is($node, 'not_valid_constraint', 'ok', 'validated by the remedies');

# duplicate_index
sql(q(CREATE TABLE d (a int PRIMARY KEY, b text, c int, CONSTRAINT d_ukey UNIQUE (c));
	CREATE INDEX d_desc ON d (b DESC);
	CREATE INDEX d_plain ON d (b);
	CREATE INDEX d_c ON d (b COLLATE "C");
	CREATE INDEX d_pattern ON d (b text_pattern_ops);
	CREATE INDEX d_include ON d (b) INCLUDE (a);
	CREATE INDEX d_two ON d (b, a);
	CREATE INDEX d_hash ON d USING hash (b);
	CREATE INDEX d_part ON d (b) WHERE c > 0;
	CREATE INDEX d_part2 ON d (b) WHERE c > 1;
	CREATE INDEX d_lower ON d (lower(b));
	CREATE INDEX d_upper ON d (upper(b))));
status_is($node, 'duplicate_index', 'ok', 'indexes that look alike');
sql(q(CREATE UNIQUE INDEX "d""pkey" ON d (a)));
$row =
  status_is($node, 'duplicate_index', 'warn', 'primary key indexed twice');
is(culprits($row, 'name'), 'd"pkey', 'not the constraint is to blame');
is( $row->{remedy},
	q(DROP INDEX CONCURRENTLY public."d""pkey";),
	'remedy quotes the name');
sql($row->{remedy});
sql(q(CREATE INDEX d_not_unique ON d (c);
	CREATE INDEX d_lower_again ON d      (lower( b ));
	CREATE INDEX d_part_again ON d (b)      WHERE  c>1));
$row = status_is($node, 'duplicate_index', 'warn', 'three duplicates');
is( culprits($row, 'name'),
	'd_lower_again d_not_unique d_part_again',
	'expressions and predicates are compared');
threshold($node, 'duplicate_index', critical => 3);
status_is($node, 'duplicate_index', 'fail', 'three, limit lowered');
reset_threshold($node, 'duplicate_index');
sql('DROP INDEX d_not_unique, d_lower_again, d_part_again');
status_is($node, 'duplicate_index', 'ok', 'dropped');
sql('ALTER TABLE d ADD CONSTRAINT d_again UNIQUE (c)');
$row = status_is($node, 'duplicate_index', 'warn', 'two unique constraints');
sql($row->{remedy});
status_is($node, 'duplicate_index', 'ok', 'dropped by the remedy');
sql('ALTER TABLE d ADD CONSTRAINT d_later UNIQUE (c) DEFERRABLE');
status_is($node, 'duplicate_index', 'ok',
	'one that is checked later differs');
sql('CREATE INDEX ON parent (i); CREATE INDEX ON parent (i) INCLUDE (i)');
$row = status_is($node, 'duplicate_index', 'warn', 'partitioned index');
is($row->{value}, 1, 'its partitions do not count');
sql($row->{remedy});
status_is($node, 'duplicate_index', 'ok', 'dropped by the remedy');
sql('DROP TABLE d, parent');

# fk_no_index
sql(q(CREATE TABLE pk (a int, b int, PRIMARY KEY (a, b));
	CREATE TABLE "re""f" (id int PRIMARY KEY, "X x" int, y int,
		CONSTRAINT "k""ey" FOREIGN KEY ("X x", y) REFERENCES pk,
		CONSTRAINT again FOREIGN KEY ("X x", y) REFERENCES pk)));
status_is($node, 'fk_no_index', 'ok', 'small tables do not count');
sql(q(INSERT INTO pk VALUES (1, 1);
	INSERT INTO "re""f" SELECT i, 1, 1 FROM generate_series(1, 2000) i;
	ANALYZE "re""f"));
$row = status_is($node, 'fk_no_index', 'warn', 'no index at all');
is($row->{value}, 1, 'columns count once');
is( $row->{remedy},
	q{CREATE INDEX CONCURRENTLY ON public."re""f" ("X x", y);},
	'remedy quotes the names');
threshold($node, 'fk_no_index', critical => 1);
status_is($node, 'fk_no_index', 'fail', 'no index, limit lowered');
reset_threshold($node, 'fk_no_index');
sql(q{CREATE INDEX ON "re""f" (y)});
status_is($node, 'fk_no_index', 'warn', 'index on one column only');
sql(q{CREATE INDEX ON "re""f" (y, "X x") WHERE y > 0});
status_is($node, 'fk_no_index', 'warn', 'partial index');
sql(q{CREATE INDEX ON "re""f" (y, id, "X x")});
status_is($node, 'fk_no_index', 'warn', 'another column in between');
sql(q{CREATE INDEX ON "re""f" (y) INCLUDE ("X x")});
status_is($node, 'fk_no_index', 'warn', 'column only included');
sql(q{CREATE INDEX swapped ON "re""f" (y, "X x", id)});
status_is($node, 'fk_no_index', 'ok', 'the other way round');
sql('DROP INDEX swapped');
sql($row->{remedy});
status_is($node, 'fk_no_index', 'ok', 'created by the remedy');
sql('DROP TABLE "re""f"');

# unused_index
sql(q(CREATE TABLE big (id int PRIMARY KEY, a int, r int REFERENCES with_pk, u int);
	INSERT INTO big SELECT i, i, NULL, i FROM generate_series(1, 70000) i;
	CREATE INDEX "un""used" ON big (a);
	CREATE INDEX for_key ON big (r);
	CREATE UNIQUE INDEX enforces ON big (u)));
sql('ANALYZE big');
$row = status_is($node, 'unused_index', 'unknown', 'young statistics');
is($row->{details}{reason}, 'too_young', 'and that is said');
setting('operations_runbook.statistics_min_age', '0');
status_is($node, 'unused_index', 'ok', 'less than the limit');
threshold($node, 'unused_index', warning => 1);
$row = status_is($node, 'unused_index', 'warn', 'never scanned');
is(culprits($row, 'name'),
	'un"used', 'those that enforce something are left out');
cmp_ok($row->{value}, '>=', 1, 'size in MB');
is( $row->{remedy},
	q(DROP INDEX CONCURRENTLY public."un""used";),
	'remedy quotes the name');
sql('CREATE INDEX for_key_too ON big (r, a)');
is(check($node, 'unused_index')->{value} > $row->{value},
	1, 'one of two that serve a foreign key can go');
sql('DROP INDEX for_key_too');
threshold($node, 'unused_index', warning => 1, critical => 1);
status_is($node, 'unused_index', 'fail', 'never scanned, limit lowered');
sql(q(SET enable_seqscan = off; SET enable_bitmapscan = off;
	SELECT count(*) FROM big WHERE a = 7;
	SELECT pg_stat_force_next_flush()));
wait_until(
	q(SELECT idx_scan > 0 FROM pg_stat_user_indexes WHERE indexrelname = 'un"used')
);
status_is($node, 'unused_index', 'ok', 'scanned');
reset_threshold($node, 'unused_index');
setting('operations_runbook.statistics_min_age', '7d');

# stale_stats
sql(q(CREATE TABLE stale (id int PRIMARY KEY, a int);
	INSERT INTO stale SELECT i, i FROM generate_series(1, 1000) i));
status_is($node, 'stale_stats', 'ok', 'few rows');
sql('INSERT INTO stale SELECT i, i FROM generate_series(1001, 5000) i');
wait_until(
	q(SELECT n_live_tup = 5000 FROM pg_stat_user_tables WHERE relname = 'stale')
);
$row = status_is($node, 'stale_stats', 'warn', 'never analyzed');
is(culprits($row, 'relation'), 'stale', 'the table is named');
threshold($node, 'stale_stats', critical => 1);
status_is($node, 'stale_stats', 'fail', 'never analyzed, limit lowered');
reset_threshold($node, 'stale_stats');
is($row->{remedy}, 'ANALYZE public.stale;', 'remedy');
sql($row->{remedy});
status_is($node, 'stale_stats', 'ok', 'analyzed by the remedy');
sql('UPDATE stale SET a = 0 WHERE id <= 900');
setting('operations_runbook.statistics_min_age', '0');
wait_until(
	q(SELECT n_mod_since_analyze = 900 FROM pg_stat_user_tables WHERE relname = 'stale')
);
status_is($node, 'stale_stats', 'ok', 'less than a fifth modified');
sql('UPDATE stale SET a = 0 WHERE id <= 900');
wait_until(
	q(SELECT n_mod_since_analyze = 1800 FROM pg_stat_user_tables WHERE relname = 'stale')
);
status_is($node, 'stale_stats', 'warn', 'more than a fifth modified');
setting('operations_runbook.statistics_min_age', '7d');
status_is($node, 'stale_stats', 'ok', 'but only just now');
sql(q(SELECT pg_stat_reset_single_table_counters('stale'::regclass)));
status_is($node, 'stale_stats', 'ok', 'lost counters do not mean never');
sql('VACUUM ANALYZE stale');

# autovacuum_lag: the threshold is 50 + 0.2 * 5000
my $dead =
  q(SELECT n_dead_tup >= %d FROM pg_stat_user_tables WHERE relname = 'stale');
status_is($node, 'autovacuum_lag', 'ok', 'no dead rows');
sql(q(SELECT pg_stat_reset_single_table_counters('stale'::regclass);
	UPDATE stale SET a = 1 WHERE id <= 2500));
wait_until(sprintf($dead, 2500));
$row = status_is($node, 'autovacuum_lag', 'warn', 'dead rows');
cmp_ok(abs($row->{value} - 2500 / 1050), '<', 0.1, 'ratio to the threshold');
is($row->{remedy}, 'VACUUM (ANALYZE) public.stale;', 'remedy');
sql('ALTER TABLE stale SET (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0)'
);
$row =
  status_is($node, 'autovacuum_lag', 'fail', 'options of the table count');
is($row->{value}, 12.5, 'ratio to the threshold of the table');
SKIP:
{
	skip 'no autovacuum_vacuum_max_threshold before 18', 1
	  if $node->pg_version->major < 18;
	sql('ALTER TABLE stale SET (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_max_threshold = 250)'
	);
	is(check($node, 'autovacuum_lag')->{value}, 10, 'upper limit counts');
	sql('ALTER TABLE stale RESET (autovacuum_vacuum_max_threshold); ALTER TABLE stale SET (autovacuum_vacuum_threshold = 200)'
	);
}
my $vacuum = $node->background_psql('postgres', on_error_stop => 0);
$vacuum->query_until(
	qr/go/, q(\echo go
	SET vacuum_cost_delay = 100;
	SET vacuum_cost_limit = 1;
	VACUUM stale;
));
wait_until(q(SELECT count(*) = 1 FROM pg_stat_progress_vacuum));
status_is($node, 'autovacuum_lag', 'ok', 'is being vacuumed');
sql('SELECT pg_cancel_backend(pid) FROM pg_stat_progress_vacuum');
wait_until(q(SELECT count(*) = 0 FROM pg_stat_progress_vacuum));
status_is($node, 'autovacuum_lag', 'fail', 'vacuum was canceled');
sql($row->{remedy});
status_is($node, 'autovacuum_lag', 'ok', 'vacuumed by the remedy');
sql('UPDATE stale SET a = 2 WHERE id <= 1500');
wait_until(sprintf($dead, 1500));
status_is($node, 'autovacuum_lag', 'ok', 'not bad, and vacuumed recently');
sql('UPDATE stale SET a = 3');
wait_until(sprintf($dead, 2000));
status_is($node, 'autovacuum_lag', 'fail', 'bad, though vacuumed recently');
sql('DROP TABLE stale');

# table_freeze_age
sql(q(CREATE TABLE burnt (i int PRIMARY KEY);
	CREATE PROCEDURE burn(n int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1..n LOOP
			BEGIN
				INSERT INTO burnt VALUES (i);
			EXCEPTION WHEN unique_violation THEN
			END;
		END LOOP;
		TRUNCATE burnt;
	END $$));
sql(q(CREATE TABLE "S""x"."Old" (i int PRIMARY KEY, t text)
	WITH (autovacuum_freeze_max_age = 100000)));
sql('CALL burn(112000)');
$row = status_is($node, 'table_freeze_age', 'warn', 'an old table');
is($row->{remedy}, q(VACUUM (FREEZE) "S""x"."Old";),
	'remedy quotes the name');
is(culprits($row, 'relation'), 'Old Old', 'with its TOAST table');
$open->query_safe(
	'CREATE TEMP TABLE t (i int) WITH (autovacuum_freeze_max_age = 100000)');
sql('CALL burn(40000)');
status_is($node, 'table_freeze_age', 'fail', 'a very old table');
sql($row->{remedy});
status_is($node, 'table_freeze_age', 'ok', 'frozen by the remedy');
sql('CALL burn(72000)');
$row = status_is($node, 'table_freeze_age', 'warn', 'an old temporary table');
my $pid = $open->query_safe('SELECT pg_backend_pid()');
is( $row->{remedy},
	"SELECT pg_terminate_backend($pid);",
	'its session is the problem');
$open->quit;
$builder->quit;
$vacuum->quit;
wait_until(q(SELECT count(*) = 0 FROM pg_class WHERE relpersistence = 't'));
status_is($node, 'table_freeze_age', 'ok', 'gone with its session');

# An index can be younger than the statistics; a crash makes these young again.
sql('CREATE INDEX never ON big (a, id)');
setting('operations_runbook.statistics_min_age', '10s');
wait_until(
	q(SELECT details->>'reason' IS NULL FROM ops.checks("only" => '{unused_index}'))
);
SKIP:
{
	my ($file) = sql(q(SELECT pg_relation_filepath('for_key'))) =~ /(.*)/;
	my $born = qx(stat -c %W ${\ $node->data_dir }/$file);

	skip 'the file system does not know when files were made', 1
	  if $born <= 1;
	threshold($node, 'unused_index', warning => 1);
	wait_until(
		q(SELECT status = 'warn' FROM ops.checks("only" => '{unused_index}'))
	);
	sql('REINDEX TABLE big');
	status_is($node, 'unused_index', 'ok', 'indexes too young to be judged');
}
$node->stop('immediate');
$node->start;
$row = status_is($node, 'unused_index', 'unknown', 'after a crash');
is($row->{details}{reason}, 'too_young', 'statistics are young again');

# Without counters nothing is known of what they would have counted.
setting('track_counts', 'off');
foreach my $name (qw(autovacuum_lag stale_stats unused_index))
{
	$row = status_is($node, $name, 'unknown', 'counters switched off');
	is($row->{details}{reason}, 'not_applicable', 'and that is said');
}

$node->stop;
done_testing();
