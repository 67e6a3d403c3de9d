
# The audit of row security where it is hard: few privileges, standby, locks,
# objects that come and go, cycles, large and strange schemas.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $primary = new_server('primary', undef, allows_streaming => 1);
my @sessions;

# A session that runs the statement in a transaction and stays in it.
sub hold
{
	my ($name, $sql) = @_;
	my $session = IPC::Run::start(
		[
			'psql', '-XqAt',
			'-d',   $primary->connstr('postgres') . " application_name=$name",
			'-c',   'BEGIN', '-c', $sql, '-c', 'SELECT pg_sleep(1000)'
		],
		'<'  => \undef,
		'>'  => \my $out,
		'2>' => \my $err);

	push @sessions, $session;
	$primary->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = '$name' AND wait_event = 'PgSleep'"
	) or die "$name did not get there";
	return $primary->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE application_name = '$name'");
}

sub release
{
	$primary->safe_psql('postgres',
		q(SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name LIKE 'held_%')
	);
	$_->finish for @sessions;
	@sessions = ();
	return;
}

sub as
{
	my ($node, $role, $sql) = @_;
	my ($status, $stdout, $stderr) =
	  $node->psql('postgres', $sql, extra_params => [ '-U', $role ]);

	return $status == 0 ? $stdout : $stderr;
}

# What an audit says, all of it, in an order of its own.
my $everything =
  q(SELECT md5(string_agg(a::text, E'\n' ORDER BY a::text COLLATE "C")), count(*) > 10 FROM ops.rls_audit() a);
my $matrix =
  q(SELECT md5(string_agg(m::text, E'\n' ORDER BY m::text COLLATE "C")), count(*) > 10 FROM ops.rls_matrix() m);

# The findings of one code in a schema, as "object" in an order of its own.
sub objects
{
	my ($code, $schema, $database) = @_;

	return $primary->safe_psql(
		$database // 'postgres',
		qq(SELECT string_agg(DISTINCT object, ' ' ORDER BY object) FROM ops.rls_audit(schemas => '{$schema}') WHERE code = '$code')
	);
}

sub seconds(&)
{
	my ($work) = @_;
	my $start = time;

	$work->();
	return time - $start;
}

$primary->safe_psql(
	'postgres', q{
	CREATE ROLE monitor LOGIN;
	GRANT pg_monitor TO monitor;
	CREATE ROLE endpoint LOGIN;
	GRANT USAGE ON SCHEMA ops TO endpoint;
	GRANT EXECUTE ON FUNCTION ops.rls_audit(regrole[], text[], text[], text[], boolean) TO endpoint;
	GRANT EXECUTE ON FUNCTION ops.rls_matrix(regrole[], text[], text[], text[]) TO endpoint;
	CREATE ROLE nobody LOGIN;
	CREATE ROLE owner NOLOGIN;
	CREATE ROLE web LOGIN;
	CREATE SCHEMA app AUTHORIZATION owner;
	GRANT USAGE ON SCHEMA app TO web;
	SET ROLE owner;
	CREATE TABLE app.orders (id int PRIMARY KEY, tenant_id int NOT NULL);
	CREATE TABLE app.lines (order_id int REFERENCES app.orders, line int);
	CREATE TABLE app.notes (id int PRIMARY KEY, tenant_id int NOT NULL);
	CREATE TABLE app.leak (id int PRIMARY KEY, tenant_id int NOT NULL);
	CREATE VIEW app.report AS SELECT * FROM app.orders;
	CREATE FUNCTION app.peek() RETURNS SETOF app.orders LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
		AS 'SELECT * FROM app.orders';
	CREATE FUNCTION app.mine() RETURNS SETOF int LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
		AS 'SELECT id FROM app.orders';
	CREATE FUNCTION app.tenant() RETURNS int LANGUAGE plpgsql STABLE SET search_path = pg_catalog
		AS $$BEGIN RETURN nullif(pg_catalog.current_setting('app.tenant_id', true), '')::int; END$$;
	ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
	ALTER TABLE app.lines ENABLE ROW LEVEL SECURITY;
	ALTER TABLE app.notes ENABLE ROW LEVEL SECURITY;
	CREATE POLICY orders ON app.orders USING (tenant_id = (SELECT app.tenant()));
	CREATE POLICY lines ON app.lines USING (order_id IN (SELECT id FROM app.orders));
	CREATE POLICY helped ON app.lines USING (order_id IN (SELECT app.mine()));
	CREATE POLICY notes ON app.notes USING (tenant_id = app.tenant() OR app.tenant() IS NULL);
	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app TO web;
});

# Privileges: EXECUTE is all it takes.
my $audit = $primary->safe_psql('postgres', $everything);
my $table = $primary->safe_psql('postgres', $matrix);
like($audit, qr/\|t$/, 'a superuser gets findings');
like($table, qr/\|t$/, 'and verdicts');
for my $role (qw(monitor endpoint))
{
	is(as($primary, $role, $everything),
		$audit, "$role gets the same findings");
	is(as($primary, $role, $matrix), $table, "$role gets the same verdicts");
	is( as( $primary,
			$role,
			"BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY; $everything; COMMIT"
		),
		$audit,
		"$role gets them in a read-only transaction");
}
$primary->safe_psql('postgres', 'GRANT USAGE ON SCHEMA ops TO nobody');
like(
	as($primary, 'nobody', 'SELECT FROM ops.rls_audit()'),
	qr/permission denied for function rls_audit/,
	'PUBLIC cannot audit');
like(
	as($primary, 'nobody', 'SELECT FROM ops.rls_matrix()'),
	qr/permission denied for function rls_matrix/,
	'nor see verdicts');
like(
	as($primary, 'endpoint', 'SELECT FROM ops.tenancy'),
	qr/permission denied/,
	'EXECUTE does not let one read ops.tenancy');
$primary->safe_psql('postgres',
	q(INSERT INTO ops.rls_waiver SELECT finding_id, 'known', 'infinity' FROM ops.rls_audit() WHERE object = 'app.leak' AND severity = 'P0')
);
is( as( $primary,
		'endpoint',
		q(SELECT waiver_reason FROM ops.rls_audit() WHERE object = 'app.leak' AND severity = 'P0')
	),
	'known',
	'but shows it waivers');

# A hot standby says what its primary says.
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay');
$audit = $primary->safe_psql('postgres', $everything);
is($standby->safe_psql('postgres', $everything),
	$audit, 'a standby has the same findings');
is($standby->safe_psql('postgres', $matrix),
	$table, 'a standby has the same verdicts');
is(as($standby, 'endpoint', $everything),
	$audit, 'for a role with EXECUTE and nothing else too');
$standby->stop;

# Locks: never waits, and says who holds them.
my $leaks =
  q(SELECT count(*) FROM ops.rls_audit(schemas => '{app}') WHERE severity < 'P3');
my $found = $primary->safe_psql('postgres', $leaks);

sub answers
{
	my ($claim) = @_;
	my $answer;
	my $took = seconds
	{
		$answer = $primary->safe_psql('postgres',
			"SET statement_timeout = '20s'; $leaks");
	};

	cmp_ok($took, '<', 2, "answers within two seconds: $claim");
	is($answer, $found, "and finds the same");
	return;
}

my $pid =
  hold('held_table', 'LOCK TABLE app.orders IN ACCESS EXCLUSIVE MODE');
answers('a table is locked');
for my $role (undef, 'endpoint')
{
	like(
		$primary->safe_psql(
			'postgres',
			q(SELECT severity, object, message FROM ops.rls_audit(schemas => '{app}') WHERE code = 'relation_locked'),
			extra_params => defined $role ? [ '-U', $role ] : []),
		qr/^P3\|app\.orders\|.*\b$pid\b/,
		'says which process holds it');
}
release();

# The owner that changes its policy and has not decided yet.
$pid = hold('held_ddl',
	'DROP POLICY orders ON app.orders; DROP TABLE app.leak; DROP FUNCTION app.tenant() CASCADE'
);
answers('objects are being dropped');
release();

for my $own (qw(tenancy rls_waiver))
{
	$pid = hold("held_$own", "LOCK TABLE ops.$own IN ACCESS EXCLUSIVE MODE");
	answers("ops.$own is locked");
	like(
		$primary->safe_psql(
			'postgres',
			'SELECT string_agg(message, E\'\n\') FROM ops.rls_audit()'),
		qr/ops\.$own is locked by process $pid/,
		'and says that it was not read');
	release();
}
hold('held_reader', 'SELECT FROM app.orders, app.leak, ops.tenancy');
my $waits = IPC::Run::start(
	[
		'psql',
		'-XqAt',
		'-d',
		$primary->connstr('postgres') . ' application_name=held_queued',
		'-c',
		'BEGIN',
		'-c',
		'LOCK TABLE app.orders, app.leak, ops.tenancy IN ACCESS EXCLUSIVE MODE'
	],
	'<'  => \undef,
	'>'  => \my $out,
	'2>' => \my $err);
$primary->poll_query_until('postgres',
	q(SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'held_queued' AND wait_event_type = 'Lock')
) or die 'nobody waits';
answers('a lock is queued behind a reader');
push @sessions, $waits;
release();

# Catalogs that lost something: what a crash or a clumsy superuser leaves.
$primary->safe_psql('postgres', 'CREATE DATABASE torn');
$primary->safe_psql(
	'torn', q{
	CREATE EXTENSION operations_runbook;
	CREATE SCHEMA torn;
	GRANT USAGE ON SCHEMA torn TO web;
	CREATE FUNCTION torn.gone(int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
	CREATE FUNCTION torn.equal(int, int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
	CREATE OPERATOR torn.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = torn.equal);
	CREATE TABLE torn.a (id int, tenant_id int);
	CREATE TABLE torn.b (id int, tenant_id int);
	CREATE TABLE torn.c (id int, tenant_id int);
	ALTER TABLE torn.a ENABLE ROW LEVEL SECURITY;
	ALTER TABLE torn.b ENABLE ROW LEVEL SECURITY;
	ALTER TABLE torn.c ENABLE ROW LEVEL SECURITY;
	CREATE POLICY a ON torn.a USING (torn.gone(tenant_id));
	CREATE POLICY b ON torn.b USING (tenant_id OPERATOR(torn.===) 1);
	CREATE POLICY c ON torn.c USING (tenant_id IN (SELECT b.tenant_id FROM torn.b));
	CREATE VIEW torn.v AS SELECT torn.gone(id) FROM torn.a;
	CREATE FUNCTION torn.orphan() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT id FROM torn.a';
	CREATE ROLE leaver LOGIN;
	GRANT USAGE ON SCHEMA torn TO leaver;
	GRANT SELECT ON ALL TABLES IN SCHEMA torn TO web, leaver;
	CREATE POLICY left_behind ON torn.a TO leaver USING (true);
	CREATE TYPE torn.mood AS ENUM ('good');
	CREATE TABLE torn.d (id int, tenant_id int, mood torn.mood);
	ALTER TABLE torn.d ENABLE ROW LEVEL SECURITY;
	CREATE POLICY d ON torn.d USING (mood = 'good');
	GRANT SELECT ON torn.d TO web;
});
for my $row (
	q(pg_proc WHERE oid = 'torn.gone(int)'::regprocedure),
	q(pg_proc WHERE oid = 'torn.orphan()'::regprocedure),
	q(pg_operator WHERE oid = 'torn.===(int, int)'::regoperator),
	q(pg_proc WHERE oid = 'torn.equal(int, int)'::regprocedure),
	q(pg_authid WHERE rolname = 'leaver'),
	q(pg_class WHERE oid = 'torn.v'::regclass),
	q(pg_class WHERE oid = 'torn.b'::regclass),
	q(pg_attribute WHERE attrelid = 'torn.b'::regclass),
	q(pg_rewrite WHERE ev_class = 'torn.v'::regclass),
	q(pg_type WHERE oid = 'torn.mood'::regtype),
	q(pg_enum WHERE enumtypid = 'torn.mood'::regtype),
	q(pg_namespace WHERE nspname = 'torn'),
	q(pg_language WHERE lanname = 'plpgsql'))
{
	my ($status, $stdout, $stderr) = $primary->psql(
		'torn', qq{
		SET allow_system_table_mods = on;
		BEGIN;
		DELETE FROM $row;
		SELECT FROM ops.rls_audit();
		SELECT DISTINCT 'proved: ' || relation FROM ops.rls_matrix('{web}') WHERE verdict = 'proved';
		ROLLBACK});

	is($stderr,              '', "audits without the row of $row");
	is($stdout =~ s/^\n*//r, '', 'and proves nothing that is not so');
}
$primary->safe_psql('postgres', 'DROP DATABASE torn');
$primary->safe_psql('postgres', 'DROP ROLE leaver');

# Objects that come, change and go while audits run.
my $churn = $primary->basedir . '/churn.sql';
append_to_file($churn, <<'SQL');
BEGIN;
CREATE SCHEMA churn_:client_id;
CREATE FUNCTION churn_:client_id.f(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 = 1';
CREATE FUNCTION churn_:client_id.same(int, int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 = $2';
CREATE OPERATOR churn_:client_id.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = churn_:client_id.same);
CREATE TYPE churn_:client_id.mood AS ENUM ('good');
CREATE TABLE churn_:client_id.p (id int PRIMARY KEY, tenant_id int) PARTITION BY LIST (id);
CREATE TABLE churn_:client_id.c PARTITION OF churn_:client_id.p FOR VALUES IN (1);
CREATE TABLE churn_:client_id.t (id int PRIMARY KEY, tenant_id int);
CREATE VIEW churn_:client_id.v AS SELECT * FROM churn_:client_id.t;
GRANT USAGE ON SCHEMA churn_:client_id TO web;
GRANT ALL ON ALL TABLES IN SCHEMA churn_:client_id TO web;
COMMIT;
ALTER TABLE churn_:client_id.t ENABLE ROW LEVEL SECURITY;
CREATE POLICY a ON churn_:client_id.t USING (churn_:client_id.f(tenant_id));
CREATE POLICY b ON churn_:client_id.t USING (tenant_id IN (SELECT tenant_id FROM churn_:client_id.p));
CREATE OR REPLACE FUNCTION churn_:client_id.f(int) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN EXISTS (SELECT FROM app.orders WHERE id = $1); END';
CREATE POLICY c ON churn_:client_id.t USING (tenant_id OPERATOR(churn_:client_id.===) 1 OR 'good'::churn_:client_id.mood IS NULL);
ALTER TABLE churn_:client_id.t ADD COLUMN more text;
DROP OPERATOR churn_:client_id.=== (int, int) CASCADE;
DROP TYPE churn_:client_id.mood CASCADE;
ALTER TABLE churn_:client_id.t DROP COLUMN id CASCADE;
CREATE ROLE churn_role_:client_id;
GRANT churn_role_:client_id TO web;
GRANT SELECT ON churn_:client_id.t TO churn_role_:client_id;
ALTER POLICY a ON churn_:client_id.t TO churn_role_:client_id;
DROP FUNCTION churn_:client_id.f(int) CASCADE;
DROP TABLE churn_:client_id.p CASCADE;
DROP OWNED BY churn_role_:client_id;
DROP ROLE churn_role_:client_id;
DROP SCHEMA churn_:client_id CASCADE;
SQL
my $ddl = IPC::Run::start(
	[
		'pgbench', '-n', '-c', '2', '-T', '5', '-f', $churn,
		$primary->connstr('postgres')
	],
	'>'  => \my $pgbench_out,
	'2>' => \my $pgbench_err);
my ($status, $stdout, $stderr) = $primary->psql(
	'postgres', q{
	SET client_min_messages = warning;
	DO $$
	DECLARE until timestamptz = clock_timestamp() + interval '4 s';
			n int = 0;
	BEGIN
		WHILE clock_timestamp() < until LOOP
			PERFORM FROM ops.rls_audit();
			PERFORM FROM ops.rls_matrix();
			n = n + 1;
			COMMIT;
		END LOOP;
		RAISE WARNING 'audits: %', n;
	END$$;
});
is($status, 0, 'audits do not fail whatever is created, changed and dropped')
  or diag($stderr);
my ($audits) = $stderr =~ /audits: (\d+)/;
cmp_ok($audits // 0, '>', 10, 'and there were some');
is( $primary->safe_psql(
		'postgres',
		q(SELECT string_agg(message, '; ') FROM ops.checks('deep', '{rls}') WHERE details ->> 'reason' = 'failed')
	),
	'',
	'the check does not fail either');
$ddl->finish;
is($pgbench_err =~ /ERROR/ ? $pgbench_err : '',
	'', 'nor did it get into anybody\'s way');

# Cycles: the server refuses the query, and the audit says so beforehand.
$primary->safe_psql(
	'postgres', q{
	CREATE SCHEMA cycle;
	GRANT USAGE ON SCHEMA cycle TO web;
	SET search_path = cycle;
	CREATE TABLE self (id int, tenant_id int);
	CREATE TABLE two_a (id int, tenant_id int);
	CREATE TABLE two_b (id int, tenant_id int);
	CREATE TABLE three_a (id int, tenant_id int);
	CREATE TABLE three_b (id int, tenant_id int);
	CREATE TABLE three_c (id int, tenant_id int);
	CREATE TABLE by_function (id int, tenant_id int);
	CREATE TABLE by_view (id int, tenant_id int);
	CREATE TABLE leads_there (id int, tenant_id int);
	CREATE TABLE definer (id int, tenant_id int);
	CREATE TABLE calls_itself (id int, tenant_id int);
	CREATE POLICY p ON self USING (tenant_id IN (SELECT s.tenant_id FROM self s));
	CREATE POLICY p ON two_a USING (tenant_id IN (SELECT tenant_id FROM two_b));
	CREATE POLICY p ON two_b USING (tenant_id IN (SELECT tenant_id FROM two_a));
	CREATE POLICY p ON three_a USING (EXISTS (SELECT FROM three_b b WHERE b.tenant_id = three_a.tenant_id));
	CREATE POLICY p ON three_b USING (EXISTS (SELECT FROM three_c c WHERE c.tenant_id = three_b.tenant_id));
	CREATE POLICY p ON three_c USING (EXISTS (SELECT FROM three_a a WHERE a.tenant_id = three_c.tenant_id));
	CREATE FUNCTION mine() RETURNS SETOF int LANGUAGE sql STABLE SET search_path = pg_catalog AS 'SELECT tenant_id FROM cycle.by_function';
	CREATE POLICY p ON by_function USING (tenant_id IN (SELECT cycle.mine()));
	CREATE VIEW seen WITH (security_invoker) AS SELECT tenant_id FROM by_view;
	CREATE POLICY p ON by_view USING (tenant_id IN (SELECT tenant_id FROM seen));
	CREATE POLICY p ON leads_there USING (tenant_id IN (SELECT tenant_id FROM self));
	CREATE FUNCTION theirs() RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT tenant_id FROM cycle.definer WHERE id = current_setting(''app.user_id'', true)::int';
	CREATE POLICY p ON definer USING (tenant_id IN (SELECT cycle.theirs()));
	CREATE FUNCTION ping(int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN RETURN true; END';
	CREATE FUNCTION pong(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT cycle.ping($1)';
	CREATE OR REPLACE FUNCTION ping(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT cycle.pong($1)';
	CREATE POLICY p ON calls_itself USING (cycle.ping(tenant_id));
	DO $$DECLARE t regclass; BEGIN
		FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'cycle'::regnamespace AND relkind = 'r' LOOP
			EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY; INSERT INTO %1$s VALUES (1, 1); GRANT SELECT ON %1$s TO web', t);
		END LOOP;
	END$$;
	GRANT SELECT ON seen TO web;
});
my @cyclic;
for my $relation (
	qw(by_function by_view calls_itself definer leads_there self three_a three_b three_c two_a two_b)
  )
{
	push @cyclic, "cycle.$relation"
	  if as($primary, 'web', "SELECT FROM cycle.$relation") =~
	  /infinite recursion|stack depth limit/;
}
is( objects('policy_recursion', 'cycle'),
	join(' ', grep { $_ ne 'cycle.calls_itself' } @cyclic),
	'policy_recursion: just those that the server refuses');
is(scalar @cyclic, 10, 'which are as many as they should be');
is( $primary->safe_psql(
		'postgres',
		q(SELECT count(*) FROM ops.rls_matrix('{web}', '{cycle}') WHERE relation = 'calls_itself' AND verdict = 'proved')
	),
	'0',
	'functions that call each other for ever prove nothing');

# Deep things: expressions, chains of tables, of views and of functions.
my $nots = 'NOT (' x 1500 . 'id = 1' . ')' x 1500;
my $ors  = '(' x 500 . 'id = 0' . join('', map { " OR id = $_)" } 1 .. 500);
$primary->safe_psql(
	'postgres', qq{
	CREATE SCHEMA deep;
	GRANT USAGE ON SCHEMA deep TO web;
	CREATE TABLE deep.nots (id int, tenant_id int);
	CREATE POLICY p ON deep.nots USING ($nots);
	CREATE TABLE deep.ors (id int, tenant_id int);
	CREATE POLICY p ON deep.ors USING ($ors);
	CREATE TABLE deep.t0 (id int, tenant_id int NOT NULL);
	CREATE POLICY p ON deep.t0 USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
	CREATE VIEW deep.v0 AS SELECT * FROM deep.t0;
	CREATE FUNCTION deep.f0() RETURNS int LANGUAGE sql STABLE AS 'SELECT nullif(current_setting(''app.tenant_id'', true), '''')::int';
	DO \$\$BEGIN
		FOR i IN 1 .. 200 LOOP
			EXECUTE format('CREATE TABLE deep.t%s (id int, parent int NOT NULL)', i);
			EXECUTE format('CREATE POLICY p ON deep.t%s USING (parent IN (SELECT id FROM deep.t%s))', i, i - 1);
			EXECUTE format('CREATE VIEW deep.v%s AS SELECT * FROM deep.v%s', i, i - 1);
			EXECUTE format('CREATE FUNCTION deep.f%s() RETURNS int LANGUAGE sql STABLE AS ''SELECT deep.f%s()''', i, i - 1);
		END LOOP;
	END\$\$;
	CREATE TABLE deep.helped (id int, tenant_id int NOT NULL);
	CREATE POLICY p ON deep.helped USING (tenant_id = deep.f200());
	DO \$\$DECLARE t regclass; BEGIN
		FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'deep'::regnamespace AND relkind = 'r' LOOP
			EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
		END LOOP;
	END\$\$;
	GRANT SELECT ON ALL TABLES IN SCHEMA deep TO web;
});
my $took = seconds
{
	is( $primary->safe_psql(
			'postgres',
			q(SET statement_timeout = '60s'; SELECT verdict FROM ops.rls_matrix('{web}', '{deep}') WHERE relation = 't0')
		),
		'proved',
		'deep expressions, tables, views and functions');
};
cmp_ok($took, '<', 10, 'within seconds');
($status, $stdout, $stderr) = $primary->psql('postgres',
	q(SET max_stack_depth = '100kB'; SELECT FROM ops.rls_audit()));
like(
	$stderr,
	qr/^$|stack depth limit exceeded/,
	'too small a stack is an error and no more');
is($primary->safe_psql('postgres', $leaks), $found, 'and the server lives');

# Conditions that say the same thing twice at each of many levels.
$primary->safe_psql('postgres',
	'CREATE SCHEMA doubled; GRANT USAGE ON SCHEMA doubled TO web');
for my $nested (
	'coalesce(((%s) IS NULL), true)',
	'(%s) IS DISTINCT FROM (tenant_id = 1)',
	'(%s) = (tenant_id = 1)',
	'CASE WHEN %s THEN tenant_id = 1 ELSE id = 2 END',
	'NOT ((%s) AND tenant_id = 1) OR id = 3')
{
	my $condition = 'id = 1';

	$condition = sprintf($nested, $condition) for 1 .. 20;
	$primary->safe_psql('postgres',
		"CREATE TABLE doubled.t (id int, tenant_id int); ALTER TABLE doubled.t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON doubled.t TO web; CREATE POLICY p ON doubled.t USING ($condition)"
	);
	$took = seconds
	{
		($status, $stdout, $stderr) = $primary->psql('postgres',
			q(SET statement_timeout = '5s'; SELECT count(*) FROM ops.rls_matrix('{web}', '{doubled}') WHERE relation = 't' AND verdict <> 'proved')
		);
	};
	is($stdout, '1', "judges twenty levels of $nested")
	  or diag(substr($stderr, 0, 200));
	cmp_ok($took, '<', 1.5, 'at once');
	$primary->safe_psql('postgres', 'DROP TABLE doubled.t');
}

# Many policies on one table, the last of which opens it.
$primary->safe_psql(
	'postgres', q{
	CREATE SCHEMA many;
	GRANT USAGE ON SCHEMA many TO web;
	CREATE TABLE many.t (id int, kind int, tenant_id int NOT NULL);
	ALTER TABLE many.t ENABLE ROW LEVEL SECURITY;
	GRANT SELECT, UPDATE ON many.t TO web;
	DO $$BEGIN
		FOR i IN 1 .. 999 LOOP
			EXECUTE format('CREATE POLICY p%s ON many.t USING (kind = %s AND tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::int)', i, i);
		END LOOP;
	END$$;
});
$took = seconds
{
	is( $primary->safe_psql(
			'postgres',
			q(SELECT string_agg(DISTINCT verdict, ' ') FROM ops.rls_matrix('{web}', '{many}'))
		),
		'proved',
		'a thousand policies are proved');
};
cmp_ok($took, '<', 5, 'within seconds');
$primary->safe_psql('postgres',
	'CREATE POLICY z ON many.t FOR SELECT USING (kind = 1000)');
$took = seconds
{
	is( $primary->safe_psql(
			'postgres',
			q(SELECT DISTINCT policy, command FROM ops.rls_audit('{web}', '{many}') WHERE severity = 'P0')
		),
		'{z}|SELECT',
		'the one that opens the table is named');
};
cmp_ok($took, '<', 5, 'within seconds');

# A long chain of roles, and one with 2^100 ways through it.
$primary->safe_psql(
	'postgres', q{
	CREATE SCHEMA graph;
	CREATE TABLE graph.reached (id int, tenant_id int);
	CREATE TABLE graph.bound (id int, tenant_id int NOT NULL);
	ALTER TABLE graph.bound ENABLE ROW LEVEL SECURITY;
	DO $$BEGIN
		CREATE ROLE chain_0;
		CREATE ROLE left_0;
		CREATE ROLE right_0;
		FOR i IN 1 .. 200 LOOP
			EXECUTE format('CREATE ROLE chain_%s IN ROLE chain_%s', i, i - 1);
		END LOOP;
		FOR i IN 1 .. 50 LOOP
			EXECUTE format('CREATE ROLE left_%s IN ROLE left_%s, right_%2$s', i, i - 1);
			EXECUTE format('CREATE ROLE right_%s IN ROLE left_%s, right_%2$s', i, i - 1);
		END LOOP;
	END$$;
	CREATE ROLE chained LOGIN IN ROLE chain_200;
	CREATE ROLE meshed LOGIN IN ROLE left_50;
	GRANT USAGE ON SCHEMA graph TO chain_0, right_0;
	GRANT SELECT ON graph.reached, graph.bound TO chain_0, right_0;
	CREATE POLICY p ON graph.bound TO chain_0, left_0
		USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
});
$took = seconds
{
	is( $primary->safe_psql(
			'postgres', q(
			SELECT relation, role_name, verdict FROM ops.rls_matrix('{chained,meshed}', '{graph}')
			 ORDER BY relation COLLATE "C", role_name COLLATE "C")),
		"bound|chained|proved\nbound|meshed|proved\nreached|chained|open\nreached|meshed|open",
		'rights and policies of roles two hundred levels away');
	is(objects('rls_disabled', 'graph'),
		'graph.reached', 'also among all roles');
};
cmp_ok($took, '<', 5, 'within seconds');

# A partitioned table with 2,000 partitions in two levels.
$primary->safe_psql(
	'postgres', q{
	CREATE SCHEMA parts;
	GRANT USAGE ON SCHEMA parts TO web;
	CREATE TABLE parts.p (tenant_id int NOT NULL, at int NOT NULL) PARTITION BY RANGE (at);
	ALTER TABLE parts.p ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON parts.p USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
});
$primary->safe_psql(
	'postgres', qq{
	SET synchronous_commit = off;
	DO \$\$BEGIN
		FOR j IN $_ .. $_ + 4 LOOP
			EXECUTE format('CREATE TABLE parts.p_%s PARTITION OF parts.p FOR VALUES FROM (%s) TO (%s) PARTITION BY RANGE (at)', j, j * 100, j * 100 + 100);
			FOR i IN 0 .. 98 LOOP
				EXECUTE format('CREATE TABLE parts.p_%1\$s_%2\$s PARTITION OF parts.p_%1\$s FOR VALUES FROM (%3\$s) TO (%4\$s)', j, i, j * 100 + i, j * 100 + i + 1);
			END LOOP;
		END LOOP;
	END\$\$}) for (0, 5, 10, 15);
$primary->safe_psql('postgres',
	'GRANT SELECT ON parts.p, parts.p_7, parts.p_12_34 TO web');
$took = seconds
{
	is( objects('partition_child_unprotected', 'parts'),
		'parts.p_12_34 parts.p_7',
		'two of two thousand partitions are reachable by name');
};
cmp_ok($took, '<', 5, 'within seconds');
is( $primary->safe_psql(
		'postgres',
		q(SELECT count(*) FROM ops.rls_audit(schemas => '{parts}') WHERE severity < 'P3' AND class = 'security' AND object <> ALL ('{parts.p_7,parts.p_12_34}') AND code <> 'server_rls_cve')
	),
	'0',
	'and nothing is said against the others');

# Interrupts, on what takes longest.
my $milliseconds = 1000 * seconds
{
	$primary->safe_psql('postgres', 'SELECT FROM ops.rls_audit()');
};
note("an audit of it all takes $milliseconds ms");
($status, $stdout, $stderr) =
  $primary->psql('postgres',
	"SET statement_timeout = '5ms'; SELECT FROM ops.rls_audit()");
like(
	$stderr,
	qr/canceling statement due to statement timeout/,
	'statement_timeout stops it');
my $endless = IPC::Run::start(
	[
		'psql',
		'-XqAt',
		'-d',
		$primary->connstr('postgres') . ' application_name=endless',
		'-c',
		'SELECT (SELECT count(*) FROM ops.rls_audit(with_proofs => g > 0)) FROM generate_series(1, 1000000) g'
	],
	'<'  => \undef,
	'>'  => \my $endless_out,
	'2>' => \my $endless_err);
$primary->poll_query_until('postgres',
	q(SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'endless' AND query LIKE '%generate_series%' AND query_start < clock_timestamp() - interval '0.5 s')
);
$took = seconds
{
	$primary->safe_psql('postgres',
		q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'endless')
	);
	$endless->finish;
};
like(
	$endless_err,
	qr/canceling statement due to user request/,
	'a cancel stops it');
cmp_ok($took, '<', 2, 'at once');

# Memory: three hundred audits take what the first fifty took.
my ($contexts, $process) = split /\|/, $primary->safe_psql(
	'postgres', q{
	CREATE TEMP TABLE used (round int, contexts bigint, rss bigint);
	CREATE PROCEDURE pg_temp.round(n int) LANGUAGE plpgsql AS
	$$BEGIN
		FOR i IN 1 .. 50 LOOP
			PERFORM FROM ops.rls_audit(schemas => '{app,cycle}');
			PERFORM FROM ops.rls_matrix(schemas => '{app}');
			COMMIT;
		END LOOP;
		INSERT INTO used
		SELECT n, sum(total_bytes),
		       (SELECT substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s+(\d+)')::bigint * 1024)
		  FROM pg_backend_memory_contexts;
		COMMIT;
	END$$;
	CALL pg_temp.round(1);
	CALL pg_temp.round(2);
	CALL pg_temp.round(3);
	CALL pg_temp.round(4);
	CALL pg_temp.round(5);
	CALL pg_temp.round(6);
	SELECT max(contexts) FILTER (WHERE round > 2) - max(contexts) FILTER (WHERE round = 2),
	       max(rss) FILTER (WHERE round > 2) - max(rss) FILTER (WHERE round = 2)
	  FROM used;
});
note("contexts grew by $contexts bytes, the process by $process");
cmp_ok($contexts, '<', 65536, 'three hundred audits: contexts do not grow');
cmp_ok(
	$process, '<',
	2 * 1024 * 1024,
	'three hundred audits: the process does not grow');

# Strange names: what is to be pasted can be pasted, and helps.
my $long = 'x' x 60 . "\x{c3}\x{a9}";
$primary->safe_psql(
	'postgres', qq{
	CREATE ROLE "we""ird.Owner" NOLOGIN;
	CREATE ROLE "we""ird 'Role'; --" LOGIN;
	CREATE SCHEMA "we""ird.Schema" AUTHORIZATION "we""ird.Owner";
	GRANT USAGE ON SCHEMA "we""ird.Schema" TO "we""ird 'Role'; --";
	SET ROLE "we""ird.Owner";
	SET search_path = "we""ird.Schema";
	CREATE TABLE "we""ird.Table" ("tenant""Id" int NOT NULL, "select" int, PRIMARY KEY ("tenant""Id", "select"));
	CREATE TABLE "new\nline" ("tenant""Id" int NOT NULL);
	CREATE TABLE "$long" ("tenant""Id" int NOT NULL);
	CREATE TABLE "\x{c3}\x{9c}n\x{c3}\x{ae}c\x{c3}\x{b6}d\x{c3}\x{a9} \x{e8}\x{a1}\x{a8}" ("tenant""Id" int NOT NULL);
	CREATE TABLE "a'; DROP TABLE x; --" ("tenant""Id" int NOT NULL, "\\" int);
	CREATE TABLE "user" ("tenant""Id" int NOT NULL);
	CREATE TABLE "q%s%n" ("tenant""Id" int NOT NULL);
	CREATE VIEW "vi""ew\n" AS SELECT * FROM "we""ird.Table";
	CREATE MATERIALIZED VIEW "mat; view" AS SELECT * FROM "we""ird.Table";
	CREATE TABLE "parent table" ("tenant""Id" int NOT NULL) PARTITION BY LIST ("tenant""Id");
	CREATE TABLE "child ""table" PARTITION OF "parent table" DEFAULT;
	CREATE FUNCTION "fun""ction; "(a "we""ird.Table", b int[], VARIADIC c text[]) RETURNS SETOF "we""ird.Table"
		LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
		AS 'SELECT * FROM "we""ird.Schema"."we""ird.Table"';
	CREATE POLICY "po""licy; --" ON "we""ird.Table" TO "we""ird 'Role'; --"
		USING ("tenant""Id" = nullif(current_setting('we.ird', true), '')::int);
	CREATE POLICY "\n" ON "we""ird.Table" FOR SELECT TO "we""ird 'Role'; --" USING ("select" = 1);
	CREATE POLICY "dormant'" ON "new\nline" USING ("tenant""Id" = nullif(current_setting('we.ird', true), '')::int);
	CREATE POLICY "all" ON "$long" USING (true);
	CREATE POLICY "p\\" ON "a'; DROP TABLE x; --"
		USING ("tenant""Id" = nullif(current_setting('we.ird', true), '')::int OR current_setting('we.ird', true) IS NULL);
	CREATE POLICY "user" ON "user"
		USING ("tenant""Id" = nullif(current_setting('we.ird', true), '')::int) WITH CHECK ("tenant""Id" > 0);
	CREATE POLICY "%s" ON "parent table" USING ("tenant""Id" = nullif(current_setting('we.ird', true), '')::int);
	ALTER TABLE "we""ird.Table" ENABLE ROW LEVEL SECURITY;
	ALTER TABLE "$long" ENABLE ROW LEVEL SECURITY;
	ALTER TABLE "a'; DROP TABLE x; --" ENABLE ROW LEVEL SECURITY;
	ALTER TABLE "user" ENABLE ROW LEVEL SECURITY;
	ALTER TABLE "parent table" ENABLE ROW LEVEL SECURITY;
	GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA "we""ird.Schema" TO "we""ird 'Role'; --";
});
my $weird = q(ops.rls_audit(schemas => ARRAY['we"ird.Schema']));
my $serious =
  "$weird WHERE severity < 'P3' AND class = 'security' AND code <> 'server_rls_cve'";
is( $primary->safe_psql(
		'postgres',
		qq(SELECT count(*) FROM $weird WHERE CASE WHEN object_type IN ('table', 'view', 'materialized view') THEN to_regclass(object) IS NULL END)
	),
	'0',
	'every object is named as SQL names it');
cmp_ok(
	$primary->safe_psql(
		'postgres', "SELECT count(DISTINCT code) FROM $serious"),
	'>', 9,
	'strange names are audited');

# A table whose row security has just been switched on has new questions.
my %gone;
for my $round (1 .. 3)
{
	for (
		split /\0/,
		$primary->safe_psql(
			'postgres',
			"SELECT finding_id, code, object, remediation FROM $serious ORDER BY code, object, command, gate",
			extra_params => [ '-0', '-F', "\x{1}" ]))
	{
		my ($id, $code, $object, $remedy) = split /\x{1}/;

		next unless $remedy;
		($status, $stdout, $stderr) = $primary->psql('postgres', $remedy);
		is($status, 0, "round $round, $code: what helps runs")
		  or diag("$remedy\n$stderr");
		$gone{$id} = "$code of $object: $remedy";
	}
	is( join(
			"\n",
			map { $gone{$_} // () } split /\n/,
			$primary->safe_psql(
				'postgres', "SELECT finding_id FROM $serious")),
		'',
		"round $round: and the finding is gone");
}
is( $primary->safe_psql(
		'postgres',
		"SELECT string_agg(code || ' of ' || object || ': ' || message, E'\\n') FROM $serious"
	),
	'',
	'in the end nothing is left');
($status, $stdout, $stderr) = $primary->psql('postgres',
	qq(SELECT string_agg('BEGIN READ ONLY; ' || rtrim(probe, ';') || '; ROLLBACK;', E'\n') FROM ops.rls_audit(schemas => ARRAY['we"ird.Schema','app']) WHERE probe IS NOT NULL)
);
($status, $stdout, $stderr) =
  $primary->psql('postgres', $stdout, on_error_stop => 1);
is($status, 0, 'every probe runs in a read-only transaction')
  or diag($stderr);

$primary->stop;
done_testing();
