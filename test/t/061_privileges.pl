
# Who sees what, and that nobody gains anything.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary', 'max_prepared_transactions = 5');
$node->safe_psql(
	'postgres', q{
	CREATE ROLE monitor LOGIN;
	GRANT pg_monitor TO monitor;
	CREATE ROLE endpoint LOGIN;
	GRANT USAGE ON SCHEMA ops TO endpoint;
	GRANT EXECUTE ON FUNCTION ops.health(text, text, text[], interval) TO endpoint;
	GRANT EXECUTE ON FUNCTION ops.checks(text, text[], interval) TO endpoint;
	CREATE ROLE nobody LOGIN;
});

sub as
{
	my ($role, $sql) = @_;
	my ($status, $stdout, $stderr) =
	  $node->psql('postgres', $sql, extra_params => [ '-U', $role ]);

	return $status == 0 ? $stdout : $stderr;
}

# Somebody to be seen.
my $idle = IPC::Run::start(
	[
		'psql', '-XqAt',
		'-d',   $node->connstr('postgres'),
		'-c',   'BEGIN',
		'-c',   'CREATE TABLE seen (i int)',
		'-c',   'SELECT pg_sleep(1000)'
	],
	'<'  => \undef,
	'>'  => \my $out,
	'2>' => \my $err);
$node->poll_query_until('postgres',
	"SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
threshold($node, $_, warning => 0.0001, critical => 0.0002)
  for qw(long_tx long_query xmin_horizon);

# A monitor sees what a superuser sees, but for what is a superuser's.
is(as('monitor', q(SELECT status FROM ops.checks("only" => '{long_tx}'))),
	'fail', 'pg_monitor sees other sessions');
is( as( 'monitor',
		q(SELECT string_agg(check_name, ' ' ORDER BY check_name) FROM ops.checks('deep') WHERE details ->> 'reason' = 'failed')
	),
	'',
	'nothing fails for pg_monitor');
is(as('monitor', 'SELECT count(*) FROM ops.threshold'),
	3, 'pg_monitor reads limits');
like(
	as('monitor', 'DELETE FROM ops.threshold'),
	qr/permission denied/,
	'pg_monitor does not change them');

# An endpoint's role gets an answer, and no figure that is not its business.
like(as('endpoint', q(SELECT ops.health() ->> 'status')),
	qr/^(ok|unknown|warn|fail)$/,
	'a role with EXECUTE and nothing else gets a status');
is( as( 'endpoint',
		q(SELECT string_agg(check_name, ' ') FROM ops.checks('deep') WHERE details ->> 'reason' = 'failed')
	),
	'',
	'nothing fails for it');
my $guarded = $node->safe_psql('postgres',
	q(SELECT quote_literal(array_agg(check_name)::text) FROM ops.check_list() WHERE shown_to <> 'anybody' AND works_on <> 'standby')
);
is( as( 'endpoint',
		"SELECT string_agg(check_name, ' ') FROM ops.checks('deep', $guarded)
		  WHERE status <> 'unknown' OR value IS NOT NULL OR details ->> 'reason' <> 'denied'
		     OR details ? 'culprits' OR message NOT IN ('needs pg_monitor', 'needs superuser')"
	),
	'',
	'all that needs pg_monitor is denied to it, without a figure');
is( as('endpoint', q(SELECT remedy FROM ops.checks("only" => '{long_tx}'))),
	'GRANT pg_monitor TO endpoint;',
	'and it says what would help');
is( as( 'endpoint',
		q(SELECT string_agg(check_name, ' ') FROM ops.checks('deep'), jsonb_array_elements(details -> 'culprits') c WHERE c ? 'pid')
	),
	'',
	'no process is named to it');
like(
	as('endpoint', 'SELECT * FROM ops.threshold'),
	qr/permission denied/,
	'it does not read limits');
like(
	as('endpoint', 'SELECT * FROM ops.check_list()'),
	qr/permission denied/,
	'it executes nothing else');

# Nobody gets nothing.
like(
	as('nobody', 'SELECT ops.health()'),
	qr/permission denied for schema ops/,
	'PUBLIC cannot use the schema');
$node->safe_psql('postgres', 'GRANT USAGE ON SCHEMA ops TO nobody');
like(
	as('nobody', 'SELECT ops.health()'),
	qr/permission denied for function health/,
	'PUBLIC cannot execute');

# As PostgREST does it for GET.
is( $node->safe_psql(
		'postgres',
		q(BEGIN READ ONLY; SET LOCAL ROLE endpoint; SELECT ops.health() ? 'status'; COMMIT)
	),
	't',
	'a read-only transaction with a role set');

# Traps: things that a malicious role put in the way of a superuser.
$node->safe_psql('postgres',
	'CREATE ROLE mallory LOGIN; GRANT CREATE ON DATABASE postgres TO mallory; GRANT CREATE ON SCHEMA public TO mallory'
);
as( 'mallory', q{
	CREATE FUNCTION public.grab(text) RETURNS text LANGUAGE plpgsql AS
	$$BEGIN EXECUTE 'ALTER ROLE mallory SUPERUSER'; RETURN $1; END$$;
	CREATE FUNCTION public.count() RETURNS bigint LANGUAGE plpgsql AS
	$$BEGIN EXECUTE 'ALTER ROLE mallory SUPERUSER'; RETURN 1; END$$;
	CREATE SCHEMA supabase_migrations;
	CREATE VIEW supabase_migrations.schema_migrations AS SELECT public.grab('1') AS version;
	CREATE TABLE public.schema_migrations (version text, dirty boolean);
	INSERT INTO public.schema_migrations VALUES ('1', false);
	ALTER TABLE public.schema_migrations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	CREATE POLICY p ON public.schema_migrations USING (public.grab(version) IS NOT NULL);
	CREATE TABLE public."_prisma_migrations" (migration_name text, finished_at timestamptz, rolled_back_at timestamptz);
	ALTER TABLE public."_prisma_migrations" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	CREATE POLICY p ON public."_prisma_migrations" USING (public.grab(migration_name) IS NOT NULL);
	INSERT INTO public."_prisma_migrations" VALUES ('001', now(), NULL);
	CREATE TABLE public.indexed (t text);
	CREATE SCHEMA cron;
	CREATE VIEW cron.job AS SELECT 1 AS jobid, public.grab('x') AS jobname, true AS active;
});
is( $node->safe_psql(
		'postgres',
		q(SET search_path = public, pg_catalog; SELECT ops.health('default', 'deep') ? 'status')
	),
	't',
	'a superuser asks');
is( $node->safe_psql(
		'postgres',
		q(SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory')),
	'f',
	'mallory gained nothing');
isnt(check($node, 'migrations')->{details}{reason} // '',
	'not_applicable', 'though her tables were looked at');

# A planted schema stops the install.
$node->safe_psql('postgres', 'CREATE DATABASE planted');
$node->safe_psql('planted',
	'CREATE SCHEMA ops AUTHORIZATION mallory; SET ROLE mallory; CREATE FUNCTION ops.health() RETURNS int LANGUAGE sql AS $$SELECT 1$$'
);
my ($status, $stdout, $stderr) =
  $node->psql('planted', 'CREATE EXTENSION operations_runbook');
isnt($status, 0, 'a planted schema stops the install');
like($stderr, qr/schema "ops" already exists/, 'and it says why');

$idle->signal('TERM');
$idle->finish;
$node->stop;
done_testing();
