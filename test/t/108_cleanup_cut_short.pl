
# A run that is cut short or kept from its rows: what it says of itself is
# what it did, and it holds nothing afterwards.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use IPC::Run;
use OpsCleanup;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Nothing here may hang for ever.
$ENV{PGOPTIONS} //= '-c statement_timeout=60s';

my $node = new_server('primary', <<~CONF);
	max_prepared_transactions = 5
	CONF
my $run;

sub sql
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

sub policy
{
	my ($table, $more) = @_;

	sql(qq{SELECT ops.add_retention('$table', 'at', '30 days', policy_name => '$table', overrides => '{share}' $more)}
	);
	return;
}

# Ten old rows on a page; body is what happens before one of them goes.
sub ten_rows
{
	my ($table, $body) = @_;

	sql(qq{
		CREATE TABLE $table (id int PRIMARY KEY, at timestamptz);
		INSERT INTO $table SELECT i, now() - '100 days'::interval FROM generate_series(1, 10) AS i;
		CREATE FUNCTION fires_$table() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN $body RETURN old; END \$\$;
		CREATE TRIGGER fires BEFORE DELETE ON $table FOR EACH ROW EXECUTE FUNCTION fires_$table()}
	);
	policy($table, '');
	return;
}

sub cancel
{
	return sql(
		q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'cleanup'}
	);
}


# Locked rows of neighbouring pages that an index gives in turn: the condition
# has a query in it, so that the planner may choose the index.
sql(q{
	CREATE TABLE held (id int, at timestamptz, filler text);
	CREATE TABLE hold (on_hold boolean);
	INSERT INTO held SELECT i, now(), repeat('x', 300) FROM generate_series(1, 200000) AS i;
	UPDATE held SET at = now() - '100 days'::interval
	       - (row_number * 10 + CASE block % 2 WHEN 0 THEN 0 ELSE 5 END) * '1 minute'::interval
	  FROM (SELECT ctid AS place, (ctid::text::point)[0]::int AS block,
	               row_number() OVER (PARTITION BY (ctid::text::point)[0])
	          FROM held WHERE ctid >= '(100,1)' AND ctid < '(102,1)') AS q
	 WHERE held.ctid = q.place;
	VACUUM FULL held;
	CREATE INDEX ON held (at);
	ANALYZE held;
});
policy('held', q{, hold => 'EXISTS (SELECT FROM hold WHERE on_hold)'});
my $old =
  sql(q{SELECT count(*) FROM held WHERE at < now() - '30 days'::interval});
like(
	sql(q{
		SET plan_cache_mode = force_generic_plan;
		PREPARE rows(tid, tid) AS SELECT ctid FROM held WHERE ctid >= $1 AND ctid <= $2
		  AND at < now() - '30 days'::interval AND EXISTS (SELECT FROM hold WHERE on_hold) IS FALSE;
		EXPLAIN EXECUTE rows('(0,1)', '(2,1)')}),
	qr/Index Scan/,
	'the planner does');
sql(q{BEGIN; SELECT count(*) FROM (SELECT FROM held WHERE at < now() - '30 days'::interval FOR UPDATE) AS q; PREPARE TRANSACTION 'held'}
);
$run = run_cleanup($node, q('held'));
is("$run->{deleted}|$run->{skipped}",
	"0|$old", 'locked rows are counted once');
cmp_ok($run->{pages}, '<', 100, 'and their pages visited a few times');
sql(q{ROLLBACK PREPARED 'held'});
$run = run_cleanup($node, q('held'));
is("$run->{deleted}|$run->{finished}", "$old|t", 'then they go');

# Cancelled between two rows of a page that go one by one.
ten_rows('single',
	q{IF old.id = 1 THEN RAISE EXCEPTION 'kept'; END IF; IF old.id = 5 THEN PERFORM pg_sleep(50); END IF;}
);
$run = start_cleanup($node, q('single'));
wait_until($node,
	q{EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'cleanup' AND wait_event = 'PgSleep')}
);
cancel();
finish_cleanup($run);
like($run->{err}, qr/canceling statement/, 'a run is cancelled');
my $log = logged($node, 'single');
is(10 - sql('SELECT count(*) FROM single'),
	$log->{summed}, 'what is gone is in the log');
is($log->{status}, 'cancelled', 'which says how it ended');
sql(q{SELECT ops.drop_retention('single')});

# Cancelled while nobody can write the log.
sql(q{
	CREATE TABLE slow (id int, at timestamptz, filler text);
	INSERT INTO slow SELECT i, now() - '100 days'::interval, repeat('x', 1000) FROM generate_series(1, 20000) AS i}
);
policy('slow', '');
my ($in, $out, $err) =
  ("CALL ops.run_cleanup('slow', duty => 0.001);\n", '', '');
my $session = IPC::Run::start(
	[
		'psql', '-XqAt',
		'-d',   $node->connstr('postgres') . ' application_name=cleanup'
	],
	'<',
	\$in,
	'>',
	\$out,
	'2>',
	\$err,
	IPC::Run::timeout(120));
$session->pump_nb;
wait_until($node,
	q{EXISTS (SELECT FROM ops.cleanup_progress WHERE relation = 'public.slow' AND batches > 0)}
);
sql(q{BEGIN; LOCK TABLE ops.cleanup_run IN EXCLUSIVE MODE; SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'cleanup'; SELECT pg_sleep(1); COMMIT}
);
$in .=
  "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();\n\\q\n";
$session->finish;
like(
	$err,
	qr/canceling statement due to user request/,
	'the error is that of the cancel');
is($out, "0\n", 'and the session holds nothing');
sql(q{SELECT ops.drop_retention('slow')});

# Whose role is gone, does not keep others from their work.
sql(q{
	CREATE ROLE gone;
	CREATE TABLE a_gone (at timestamptz);
	CREATE TABLE after (at timestamptz);
	INSERT INTO a_gone VALUES (now() - '1 year'::interval);
	INSERT INTO after VALUES (now() - '1 year'::interval);
	ALTER TABLE a_gone OWNER TO gone});
policy('a_gone', '');
policy('after',  '');
sql('REASSIGN OWNED BY gone TO CURRENT_USER; DROP ROLE gone');
$run = run_cleanup($node, '');
is($run->{failed}, 0, 'a policy of a role that is gone is no error of others')
  or diag($run->{err});
is(sql('SELECT count(*) FROM after'),  '0', 'the next one runs');
is(sql('SELECT count(*) FROM a_gone'), '1', 'and that one does not');
like(
	logged($node, 'a_gone')->{stopped},
	qr/does not exist any more/,
	'the log says why');

# The limit is met on the last page.
ten_rows('limited', q{IF old.id = 1 THEN RAISE EXCEPTION 'kept'; END IF;});
$run = run_cleanup($node, q('limited', max_rows => 3));
is("$run->{deleted}|$run->{finished}",
	'3|f', 'with rows left it is not finished');
like($run->{stopped}, qr/max_rows/, 'but stopped by max_rows');

# A policy that is changed while the ones before it run.
ten_rows('changed_a', q{PERFORM pg_sleep(0.3);});
ten_rows('changed_b', '');
ten_rows('changed_c', '');
ten_rows('changed_d', '');
sql(q{UPDATE ops.retention_policy SET enabled = policy_name LIKE 'changed%'});
$run = start_cleanup($node, '');
wait_until($node,
	q{EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'cleanup' AND wait_event = 'PgSleep')}
);
sql(q{SELECT ops.alter_retention('changed_b', hold => 'id < 9'), ops.drop_retention('changed_c'), ops.alter_retention('changed_d', enabled => false)}
);
finish_cleanup($run);
is( join('|', map { sql("SELECT count(*) FROM changed_$_") } qw(a b c d)),
	'0|8|10|10',
	'a hold that comes in time holds, and a policy that is dropped or disabled does nothing'
) or diag($run->{err});

# Vacuum waits for nobody who sleeps.
ten_rows('sleepy', q{PERFORM pg_sleep(0.01);});
$run = start_cleanup($node, q('sleepy', duty => 0.02));
wait_until($node,
	q{EXISTS (SELECT FROM ops.cleanup_batch b JOIN ops.cleanup_run r USING (run_id) WHERE policy_name = 'sleepy' AND status = 'running')}
);
is( sql(q{SELECT wait_event, backend_xmin IS NULL FROM pg_stat_activity WHERE application_name = 'cleanup'}
	),
	'Extension|t',
	'a run that sleeps holds no snapshot');
cancel();
finish_cleanup($run);
is(join('|', @{ logged($node, 'sleepy') }{qw(status summed deleted)}),
	'cancelled|10|10', 'and can be cancelled');

# Whose table refers to a superuser's gains nothing from the cascade.
sql(q{
	CREATE ROLE borrower;
	CREATE TABLE referred (id int PRIMARY KEY, at timestamptz);
	GRANT REFERENCES ON referred TO borrower;
	GRANT CREATE ON SCHEMA public TO borrower;
	INSERT INTO referred SELECT i, now() - '100 days'::interval FROM generate_series(1, 3) AS i;
	SET ROLE borrower;
	CREATE TABLE refers (id int PRIMARY KEY REFERENCES referred ON DELETE CASCADE);
	INSERT INTO refers VALUES (1);
	CREATE FUNCTION refers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE borrower SUPERUSER; RETURN NULL; END $$;
	CREATE TRIGGER refers AFTER DELETE ON refers FOR EACH ROW EXECUTE FUNCTION refers()}
);
policy('referred', '');
$run = run_cleanup($node, q('referred'));
like(
	$run->{err},
	qr/guard "untrusted_code"/,
	'a trigger behind a cascade is seen');
is(sql(q{SELECT rolsuper FROM pg_roles WHERE rolname = 'borrower'}),
	'f', 'and does not run as superuser');
sql('ALTER TABLE referred OWNER TO borrower');
sql(q{SELECT ops.alter_retention('referred', run_as => 'borrower')});
$run = run_cleanup($node, q('referred'));
like(
	$run->{err},
	qr/permission denied|must be superuser/,
	'as its own role it runs, with that role\'s rights');

$node->stop;
done_testing();
