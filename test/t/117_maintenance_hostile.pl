
# ops.run_maintenance() where somebody is against it: cancelled at any moment,
# called in odd ways and by odd roles, with objects that come and go.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use IPC::Run;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = new_server('primary', <<~CONF);
	autovacuum = off
	max_worker_processes = 8
	max_prepared_transactions = 5
	max_logical_replication_workers = 0
	CONF

sub sql
{
	my ($sql, @more) = @_;

	return $node->safe_psql('postgres', $sql, @more);
}

# What a session says to it, errors and all.
sub says
{
	my ($sql, $role) = @_;
	my ($code, $out, $err) = $node->psql(
		'postgres', $sql,
		on_error_stop => 0,
		extra_params  =>
		  [ '-v', 'VERBOSITY=verbose', '-U', $role // scalar getpwuid($<) ]);

	return "$out\n$err";
}

sub steps
{
	return sql(
		'SELECT task, object, status FROM ops.maintenance_step
		 WHERE run_id = (SELECT max(run_id) FROM ops.maintenance_run) ORDER BY step_no'
	);
}

sub last_status
{
	return sql(
		'SELECT status FROM ops.maintenance_run ORDER BY run_id DESC LIMIT 1'
	);
}

# A table that wants VACUUM.
sub make_table
{
	my ($name, $role) = @_;

	sql(qq{
		CREATE TABLE $name (id int, body text);
		INSERT INTO $name SELECT i, repeat('x', 20) FROM generate_series(1, 5000) AS i;
		ANALYZE $name;
		DELETE FROM $name WHERE id <= 4000;
	}, extra_params => [ '-U', $role // scalar getpwuid($<) ]);
	return;
}

sub nobody_has_the_lock
{
	my ($claim) = @_;

	return is(
		sql(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}),
		0, $claim);
}

# Cancelled at any moment, the client is told that and nothing else; the
# session goes on, with no lock; and what is written down is true.
sql(q{SELECT format('CREATE TABLE many_%s AS SELECT i AS a, i AS b, i AS c FROM generate_series(1, 1000) AS i', i) FROM generate_series(1, 200) AS i \gexec}
);
my $call =
  q(CALL ops.run_maintenance(tasks => '{leftovers,vacuum,analyze,reindex}', max_lag_bytes => 1000000000););
my $cut = says(
	join('',
		map { "SET statement_timeout = '${_}ms'; $call\n" }
		map { ($_ * 7, $_ + 20) } 1 .. 40)
	  . q(SET statement_timeout = 0; SELECT 'locks: ' || count(*) FROM pg_locks WHERE locktype = 'advisory')
);
my %errors = map { $_ => 1 } $cut =~ /((?:ERROR|FATAL|PANIC|WARNING): .*)/g;
is( join("\n", sort keys %errors),
	'ERROR:  57014: canceling statement due to statement timeout',
	'cancelled at any moment, the client is told so');
like($cut, qr/^locks: 0$/m, 'no lock is left');
cmp_ok(
	sql(q(SELECT count(*) FROM ops.maintenance_run WHERE status = 'cancelled')
	),
	'>', 20,
	'most were cancelled in the middle');
is( sql(q(SELECT count(*) FROM ops.maintenance_run r JOIN ops.maintenance_step s USING (run_id)
		WHERE r.status <> 'running' AND s.status IN ('planned', 'running'))
	),
	0,
	'no step of a run that has ended is open');
is( sql(q(SELECT string_agg(DISTINCT status, ',') FROM ops.maintenance_run WHERE status NOT IN ('cancelled', 'done', 'interrupted'))
	),
	'',
	'and none is still called running');

# Nor has a run made work for the next one but one, where statistics have
# changed a lot.
my $usual = 'leftovers,vacuum,analyze,reindex,learn';
says("CALL ops.run_maintenance(tasks => '{$usual}');") for 1 .. 2;
is( sql(q(SELECT pg_stat_get_mod_since_analyze('pg_statistic'::regclass) > 500)
	),
	't',
	'ANALYZE passes over its own table');
is(sql("SELECT object FROM ops.maintenance_plan(tasks => '{$usual}')"),
	'', 'and is not asked to come back');
sql(q{SELECT format('DROP TABLE many_%s', i) FROM generate_series(1, 200) AS i \gexec}
);

# Called in odd ways.
sub in_plpgsql
{
	my ($sql) = @_;

	$sql =~ s/:out/a bigint; b int; c int; d int; e text;/;
	$sql =~
	  s/:call/CALL ops.run_maintenance(tasks => '{vacuum}', run_id => a, done => b, skipped => c, failed => d, stopped => e);/;
	return $sql;
}

for my $case (
	[
		'a block with an exception handler',
		q(DO $$DECLARE :out BEGIN :call EXCEPTION WHEN division_by_zero THEN END$$),
		qr/ERROR:  25001: .*cannot run inside a transaction block/
	],
	[
		'a function',
		q(CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE plpgsql AS $$DECLARE :out BEGIN :call END$$; SELECT pg_temp.f()),
		qr/ERROR:  25001: .*cannot run inside a transaction block/
	],
	[
		'a procedure of its owner',
		q(CREATE PROCEDURE pg_temp.p() LANGUAGE plpgsql SECURITY DEFINER AS $$DECLARE :out BEGIN :call END$$; CALL pg_temp.p()),
		qr/ERROR:  25001: .*cannot run inside a transaction block/
	],
	[
		'no task',
		q(CALL ops.run_maintenance(tasks => '{}')),
		qr/ERROR:  22023: no task is named/
	],
	[
		'a task that is null',
		q(CALL ops.run_maintenance(tasks => '{NULL}')),
		qr/ERROR:  22023: no task is named/
	],
	[
		'a plan of no task',
		q(SELECT FROM ops.maintenance_plan(tasks => '{}')),
		qr/ERROR:  22023: no task is named/
	],
	[
		'fewer than no sessions',
		q(CALL ops.run_maintenance(max_sessions => -1)),
		qr/ERROR:  22023: max_sessions must be greater than zero/
	],
	[
		'no waiters',
		q(CALL ops.run_maintenance(max_waiters => 0)),
		qr/ERROR:  22023: max_waiters must be greater than zero/
	],
	[
		'odd times',
		q(CALL ops.run_maintenance(tasks => array_fill('report'::text, ARRAY[1000, 100]), max_duration => '178000000 years', grace => '178000000 years', step_timeout => '178000000 years', lock_timeout => '1 microsecond')),
		qr/ERROR:  22023: lock_timeout must be/
	])
{
	my ($way, $sql, $message) = @$case;

	like(says(in_plpgsql($sql)), $message, $way);
}
nobody_has_the_lock('a call that cannot be leaves no lock');
like(
	says(
		q(CALL ops.run_maintenance(tasks => array_fill('report'::text, ARRAY[1000, 100]), max_duration => '178000000 years', grace => '178000000 years', step_timeout => '1 microsecond'))
	),
	qr/^\d+\|0\|0\|0\|$/m,
	'as long as it takes, and as often as it is said');
make_table('public.once');
like(
	says(
		in_plpgsql(
			q(DO $$DECLARE r record; :out BEGIN FOR r IN SELECT generate_series(1, 2) LOOP :call END LOOP; END$$)
		)),
	qr/NOTICE:  00000: step \d+, VACUUM \S+ \S+ public.once: done/,
	'a loop over a query');
is( sql(q(SELECT count(*) FROM ops.maintenance_step WHERE object = 'public.once')
	),
	1,
	'does it once');

# Settings of a role do not make a step another role's, nor come in its way.
sql(q{
	CREATE ROLE other;
	CREATE ROLE keeper LOGIN;
	GRANT other TO keeper;
	GRANT USAGE ON SCHEMA ops TO keeper;
	GRANT EXECUTE ON PROCEDURE ops.run_maintenance TO keeper;
	CREATE SCHEMA hers AUTHORIZATION keeper;
	ALTER ROLE keeper SET role = 'other';
	ALTER ROLE keeper SET default_transaction_read_only = on;
	ALTER ROLE keeper SET default_transaction_isolation = 'serializable';
	ALTER ROLE keeper SET search_path = 'nowhere';
	ALTER ROLE keeper SET statement_timeout = '1ms';
	ALTER ROLE keeper SET lock_timeout = '1ms';
});
for my $wait ('true', 'false')
{
	sql(q{
		SET SESSION AUTHORIZATION keeper;
		DROP TABLE IF EXISTS hers.kept;
		CREATE TABLE hers.kept (id int);
		INSERT INTO hers.kept SELECT generate_series(1, 5000);
		ANALYZE hers.kept;
		DELETE FROM hers.kept WHERE id <= 4000;
	});
	my $said = says(
		"SET SESSION AUTHORIZATION keeper; SET IntervalStyle = 'sql_standard'; CALL ops.run_maintenance(tasks => '{vacuum}', wait => $wait, max_duration => '1 day 2:03:04')"
	);
	$node->poll_query_until('postgres',
		q(SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'operations_runbook worker'))
	) or die 'never done';
	like(steps(), qr/^vacuum\|hers.kept\|done$/m, "wait => $wait: is done")
	  or diag($said);
	is(sql(q(SELECT pg_stat_get_dead_tuples('hers.kept'::regclass))),
		0, 'really');
	is( sql(q(SELECT started_by, status, round(extract(epoch FROM stop_at - started_at)) FROM ops.maintenance_run ORDER BY run_id DESC LIMIT 1)
		),
		'keeper|done|93784',
		'in her name and for so long');
}
sql('DROP TABLE hers.kept, once');

# A time in a command is the same time where it is read.
sql(q{
	CREATE TABLE aged (id int PRIMARY KEY, at timestamptz);
	INSERT INTO aged SELECT i, now() - '100 days'::interval FROM generate_series(1, 100) AS i;
	SELECT ops.add_retention('aged', 'at', '30 days', policy_name => 'aged', overrides => '{share}');
});
for my $style ('Postgres, DMY', 'SQL, DMY', 'German', 'ISO, YMD')
{
	sql(q(TRUNCATE aged; INSERT INTO aged SELECT i, now() - '100 days'::interval FROM generate_series(1, 100) AS i)
	);
	my $said = says(
		"SET DateStyle = '$style'; SET TimeZone = 'Asia/Kolkata'; CALL ops.run_maintenance(tasks => '{retention}', max_duration => '1 hour')"
	);
	is(sql('SELECT count(*) FROM aged'), 0, "retention with $style")
	  or diag($said);
	is( sql(q(SELECT (regexp_match(s.command, $$'([^']*)'$$))[1]::timestamptz = r.stop_at
			FROM ops.maintenance_step s JOIN ops.maintenance_run r USING (run_id) ORDER BY run_id DESC LIMIT 1)
		),
		't',
		'it ends with the run');
}

# What a role may not do is not tried in its name.
sql(q(TRUNCATE aged; INSERT INTO aged SELECT i, now() - '100 days'::interval FROM generate_series(1, 100) AS i;
	CREATE TABLE words (w int[]); INSERT INTO words SELECT ARRAY[i, i + 1] FROM generate_series(1, 50000) AS i; CREATE INDEX ON words USING gin (w); ANALYZE words)
);
says(
	q(SET SESSION AUTHORIZATION keeper; CALL ops.run_maintenance(tasks => '{retention,learn}'))
);
is( sql(q(SELECT task, status, sqlstate, error FROM ops.maintenance_step WHERE run_id = (SELECT max(run_id) FROM ops.maintenance_run) ORDER BY step_no)
	),
	join("\n",
		'retention|skipped||the role may not execute it',
		'learn|skipped||the role may not execute it'),
	'what a role may not do is not tried in its name');

# Tables that others have for themselves alone.
my $holder = $node->background_psql('postgres', on_error_stop => 1);
$holder->query_safe(
	q{
	CREATE TEMP TABLE mine (id int) PARTITION BY RANGE (id);
	CREATE TEMP TABLE mine_1 PARTITION OF mine FOR VALUES FROM (0) TO (100000);
	INSERT INTO mine SELECT generate_series(1, 50000);
	DELETE FROM mine WHERE id > 10000;
	ANALYZE mine_1;
});
unlike(sql(q(SELECT object FROM ops.maintenance_plan())),
	qr/mine/, 'temporary tables are their owners\' business');

# A run that waits for a table, and what it says in the end.
sub start_run
{
	my ($object) = @_;
	my %run = (out => '', err => '');

	$run{handle} = IPC::Run::start(
		[
			'psql',
			'-XqAt',
			'-d',
			$node->connstr('postgres'),
			'-c',
			q(CALL ops.run_maintenance(tasks => '{vacuum}', lock_timeout => '3 s')),
			'-c',
			q(SELECT 'locks: ' || count(*) FROM pg_locks WHERE locktype = 'advisory')
		],
		'>',
		\$run{out},
		'2>',
		\$run{err},
		IPC::Run::timeout(60));
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM ops.maintenance_progress WHERE object = '$object' AND active"
	) or die 'no step';
	return \%run;
}

# What comes and goes between the plan and its turn.
make_table("public.$_") for qw(first dropped renamed);
sql(q(INSERT INTO first SELECT i, '' FROM generate_series(1, 3000) AS i; DELETE FROM first WHERE body = '')
);
$holder->query_safe('BEGIN; LOCK TABLE first');
my $run = start_run('public.first');
sql(q(DROP TABLE dropped; ALTER TABLE renamed RENAME TO "; DROP TABLE first"; CREATE TABLE dropped (id int))
);
$run->{handle}->finish;
$holder->query_safe('ROLLBACK');
is( sql(q(SELECT object, status, sqlstate, error FROM ops.maintenance_step WHERE run_id = (SELECT max(run_id) FROM ops.maintenance_run) AND object LIKE 'public.%' ORDER BY step_no)
	),
	join("\n",
		'public.first|skipped|55P03|canceling statement due to lock timeout',
		'public.dropped|skipped||it was dropped',
		'public.renamed|failed|42P01|relation "public.renamed" does not exist'
	),
	'what is gone is left alone');
like(
	says(q(CALL ops.run_maintenance(tasks => '{vacuum}'))),
	qr/VACUUM \(TRUNCATE false\) public."; DROP TABLE first": done/,
	'any name will do');

# The extension goes in the middle.
make_table('public.last');
$holder->query_safe('BEGIN; LOCK TABLE last');
$run = start_run('public.last');
sql('DROP EXTENSION operations_runbook');
$run->{handle}->finish;
$holder->query_safe('ROLLBACK');
like(
	$run->{err},
	qr/^ERROR:  relation "ops.maintenance_run" does not exist$/m,
	'the extension is dropped in the middle');
like($run->{out}, qr/^locks: 0$/m, 'which leaves no lock');
$holder->quit;
$node->stop;

done_testing();
