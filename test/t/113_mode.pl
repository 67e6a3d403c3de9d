
# Maintenance mode and history: on a standby, behind locks, for roles with few
# rights, and two at a time.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary', undef, allows_streaming => 1);
threshold($node, 'restarts', warning => 1000000000);
$node->safe_psql(
	'postgres', q{
	INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
	VALUES ('always', 'daily', '00:00', '1 day', 'UTC');
	SELECT ops.set_maintenance(true, '2100-01-01', 'new disk');
	CREATE ROLE endpoint LOGIN;
	CREATE ROLE jobs LOGIN;
	GRANT USAGE ON SCHEMA ops TO endpoint, jobs;
	GRANT EXECUTE ON FUNCTION ops.health(text, text, text[], interval) TO endpoint;
	GRANT EXECUTE ON FUNCTION ops.record_health(text) TO jobs;
});

# Kinds that are on, and those nobody can tell of, in the document.
sub maintenance
{
	my ($server, @how) = @_;

	return $server->safe_psql(
		'postgres',
		q{SELECT string_agg(format('%s %s', m ->> 'kind', m ->> 'status'), ', ')
		    FROM jsonb_array_elements(ops.health() -> 'maintenance') AS m},
		extra_params => \@how);
}

# Message of a statement that has to fail, and must not take long over it.
sub refusal
{
	my ($server, $sql) = @_;
	my ($status, $stdout, $stderr) = $server->psql('postgres',
		"SET statement_timeout = '20s'; SET lock_timeout = '20s'; $sql");

	isnt($status, 0, "refused: $sql");
	return $stderr;
}

# A standby knows what is on, and changes nothing.
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay');
my $state = 'SELECT * FROM ops.maintenance_state()';
is( $standby->safe_psql('postgres', $state),
	$node->safe_psql('postgres', $state),
	'a standby has the same state');
is(maintenance($standby), 'mode on, window on', 'and its health tells of it');
is( $standby->safe_psql(
		'postgres',
		q{BEGIN READ ONLY; SELECT details -> 'during_maintenance' FROM ops.checks("only" => '{restarts}'); COMMIT}
	),
	'true',
	'in a read-only transaction, too');
like(
	refusal($standby, "SELECT $_"),
	qr/cannot execute \Q@{[ s{\(.*}{}r ]}\E\(\) during recovery/,
	"a standby says why it cannot: $_")
  for ('ops.set_maintenance(false)', 'ops.record_health()',
	'ops.prune_history()');
like(
	refusal($standby, 'SELECT * FROM ops.record_audit()'),
	qr/cannot execute ops\.record_audit\(\) during recovery/,
	'a standby says why it cannot: ops.record_audit()');

# Of what is switched off it hears, too.
$node->safe_psql('postgres', 'SELECT ops.set_maintenance(false)');
$node->wait_for_catchup($standby, 'replay');
is(maintenance($standby), 'window on', 'a standby hears that it is over');
$node->safe_psql('postgres', 'SELECT ops.set_maintenance(true)');
$standby->stop;

# A locked table makes its kind unknown; nothing waits and nothing else
# changes.
my $locker   = $node->background_psql('postgres');
my $lock_pid = $locker->query_safe('SELECT pg_backend_pid()');
my %lock     = (
	maintenance_mode   => [ 'mode unknown, window on', 'mode' ],
	maintenance_window => [ 'mode on, window unknown', 'window' ]);
for my $table (sort keys %lock)
{
	my ($expected, $kind) = @{ $lock{$table} };

	$locker->query_safe(
		"BEGIN; LOCK TABLE ops.$table IN ACCESS EXCLUSIVE MODE");
	is(maintenance($node), $expected, "$table is locked: health says so");
	is( $node->safe_psql(
			'postgres',
			qq{SELECT m ->> 'message' FROM jsonb_array_elements(ops.health() -> 'maintenance') AS m WHERE m ->> 'kind' = '$kind'}
		),
		"ops.$table is locked by process $lock_pid",
		'and by whom');
	is( $node->safe_psql(
			'postgres',
			q{SELECT (h ->> 'latency_ms')::float8 < 1000, h #> '{checks,restarts,during_maintenance}' FROM ops.health() AS h}
		),
		't|true',
		'soon, with what it knows');
	like(
		refusal($node, $state),
		qr/ops\.$table is locked by process $lock_pid/,
		'the state is not guessed');
	$locker->query_safe('COMMIT');
}
is(maintenance($node), 'mode on, window on', 'no lock, nothing unknown');

# Neither known, so nothing is annotated, and by setting nothing is 503.
$locker->query_safe(
	'BEGIN; LOCK TABLE ops.maintenance_mode, ops.maintenance_window IN ACCESS EXCLUSIVE MODE'
);
is( $node->safe_psql(
		'postgres', q{
	BEGIN;
	SET LOCAL request.method = 'GET';
	SET LOCAL operations_runbook.maintenance_unavailable = on;
	SELECT ops.health() #> '{checks,restarts}' ? 'during_maintenance';
	SELECT coalesce(current_setting('response.status', true), '');
	COMMIT;
}),
	"f\n",
	'what is unknown is not taken for on');
$locker->query_safe('COMMIT');

# Somebody who is about to change it keeps others from doing so, and lets
# those in who look.
$locker->query_safe(
	q{BEGIN; SELECT ops.set_maintenance(true, reason => 'first')});
for my $change ('true', 'false')
{
	like(
		refusal($node, "SELECT ops.set_maintenance($change)"),
		qr/ops\.maintenance_mode is locked by process $lock_pid/,
		"two at a time: the second is told, by whom it is kept");
}
is(maintenance($node), 'mode on, window on', 'who looks is let in');
$locker->query_safe('COMMIT');
is($node->safe_psql('postgres', 'SELECT reason FROM ops.maintenance_mode'),
	'first', 'the first one stands');

# History behind a lock.
for my $call (
	[ 'health_history', 'ops.record_health()' ],
	[ 'audit_history',  'ops.record_audit()' ])
{
	my ($table, $function) = @$call;

	$locker->query_safe("BEGIN; LOCK TABLE ops.$table IN SHARE MODE");
	like(
		refusal($node, "SELECT $function"),
		qr/ops\.$table is locked by process $lock_pid/,
		"$function does not wait");
	is( $node->safe_psql(
			'postgres',
			"SELECT note FROM ops.prune_history() WHERE relation = 'ops.$table'"
		),
		"locked by process $lock_pid",
		'and pruning leaves the table alone');
	is( $node->safe_psql(
			'postgres',
			'SELECT count(*) FILTER (WHERE note IS NULL) = count(*) - 1 FROM ops.prune_history()'
		),
		't',
		'but not the others');
	$locker->query_safe('COMMIT');
}

# Writing goes on while somebody prunes.
$node->safe_psql('postgres', 'SELECT ops.record_health()');
$locker->query_safe('BEGIN; SELECT ops.prune_history()');
is($node->safe_psql('postgres', 'SELECT ops.record_health()'),
	'warn', 'health is recorded while history is pruned');
is( $node->safe_psql(
		'postgres',
		'SELECT count(*) FILTER (WHERE note IS NULL) FROM ops.prune_history()'
	),
	0,
	'two that prune do not meet');
$locker->query_safe('COMMIT');
$locker->quit;

# Roles with one right each.
is( maintenance($node, '-U', 'endpoint'),
	'mode on, window on',
	'a role that may ask for health is told');
is( $node->safe_psql(
		'postgres',
		'SELECT ops.record_health()',
		extra_params => [ '-U', 'jobs' ]),
	'warn',
	'a role that may record needs no other right');
is( $node->safe_psql(
		'postgres',
		q{SELECT document -> 'maintenance' -> 0 ? 'name', document #>> '{checks,long_tx,reason}'
		    FROM ops.health_history ORDER BY recorded_at DESC LIMIT 1}),
	'f|denied',
	'and what it recorded is what it may see');

# Objects that a role planted in the way of the owner's statements.
$node->safe_psql(
	'postgres', q{
	CREATE ROLE mallory LOGIN;
	GRANT CREATE ON SCHEMA public TO mallory;
	GRANT USAGE ON SCHEMA ops TO mallory;
	GRANT EXECUTE ON FUNCTION ops.set_maintenance(boolean, timestamptz, text),
		ops.record_health(text), ops.record_audit(), ops.prune_history(interval),
		ops.rls_audit(regrole[], text[], text[], text[], boolean) TO mallory;
});
$node->safe_psql(
	'postgres', q{
	CREATE FUNCTION public.grab(text) RETURNS text LANGUAGE plpgsql AS
	$$BEGIN EXECUTE 'ALTER ROLE mallory SUPERUSER'; RETURN $1; END$$;
	CREATE FUNCTION public.max(timestamptz) RETURNS timestamptz LANGUAGE sql AS
	$$SELECT public.grab('x')::timestamptz$$;
	CREATE FUNCTION public.count(bigint) RETURNS bigint LANGUAGE sql AS $$SELECT public.grab('1')::bigint$$;
	CREATE FUNCTION public.less(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS
	$$SELECT public.grab('t')::boolean$$;
	CREATE OPERATOR public.< (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = public.less);
	CREATE TEMP TABLE before AS SELECT 1 AS recorded_at;
	SET search_path = public, pg_catalog, pg_temp;
	SELECT ops.set_maintenance(true, '2100-01-01', 'planted');
	SELECT ops.record_health();
	SELECT ops.record_audit();
	SELECT ops.record_audit();
	SELECT ops.prune_history('1 microsecond');
	SELECT ops.set_maintenance(false);
}, extra_params => [ '-U', 'mallory' ]);
is( $node->safe_psql(
		'postgres',
		q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}),
	'f',
	'a role that may call gains nothing by it');
is( $node->safe_psql(
		'postgres',
		'SELECT (SELECT count(*) FROM ops.health_history), (SELECT count(*) FROM ops.audit_history)'
	),
	'1|1',
	'and what it pruned is gone, but for the last of each');

# A thousand calls leave nothing behind.
my @sizes = split /\n/, $node->safe_psql(
	'postgres', q{
	CREATE PROCEDURE pg_temp.call(n int) LANGUAGE plpgsql AS
	$$BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM ops.set_maintenance(i % 2 = 0);
			PERFORM ops.maintenance_state();
			PERFORM ops.record_health();
			PERFORM ops.prune_history('1 day');
			COMMIT;
		END LOOP;
	END$$;
	CALL pg_temp.call(300);
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
	CALL pg_temp.call(1000);
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
});
note("bytes: @sizes");
cmp_ok($sizes[1] - $sizes[0],
	'<', 65536, 'a thousand calls leave nothing behind');

# Killed in the middle: what was committed stays.
$node->safe_psql('postgres',
	q{SELECT ops.set_maintenance(true, reason => 'crash')});
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', 'SELECT reason FROM ops.maintenance_mode'),
	'crash', 'the mode survives a crash');

# State is not carried along by a dump, windows are.
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ],
	'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok(
	[
		'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump,
		$node->connstr('restored')
	],
	'restore');
is( $node->safe_psql('restored', 'SELECT kind FROM ops.maintenance_state()'),
	'window',
	'a restored database is not in maintenance mode');

$node->stop;
done_testing();
