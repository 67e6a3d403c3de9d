
# Whatever a schema contains, an audit executes none of it: every object here
# that could run code is a trap that says who sprang it.
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
	CREATE ROLE mallory LOGIN;
	CREATE ROLE monitor LOGIN;
	GRANT pg_monitor TO monitor;
	CREATE ROLE web LOGIN;
	CREATE DATABASE hostile OWNER mallory;
});
$node->safe_psql('hostile', 'CREATE EXTENSION operations_runbook');

sub as
{
	my ($role, $sql) = @_;

	return $node->psql('hostile', $sql, extra_params => [ '-U', $role ]);
}

# A sequence tells even of a trap that was sprung and rolled back.
my ($status, $stdout, $stderr) = as(
	'mallory', q{
	CREATE SCHEMA trap;
	GRANT USAGE ON SCHEMA trap TO PUBLIC;
	CREATE SEQUENCE trap.sprung;
	GRANT ALL ON SEQUENCE trap.sprung TO PUBLIC;
	CREATE FUNCTION trap.grab() RETURNS text LANGUAGE plpgsql AS
	$$DECLARE how text = 'restricted';
	BEGIN
		BEGIN
			EXECUTE 'CREATE TEMP TABLE grabbed ()';
			EXECUTE 'DROP TABLE grabbed';
			how = 'free';
		EXCEPTION WHEN OTHERS THEN
		END;
		BEGIN
			EXECUTE 'ALTER ROLE mallory SUPERUSER';
		EXCEPTION WHEN OTHERS THEN
		END;
		RETURN how;
	END$$;
	CREATE FUNCTION trap.spring(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN
		PERFORM pg_catalog.nextval('trap.sprung');
		RAISE WARNING 'trap % sprung by %, %', $1, current_user, trap.grab();
		RETURN false;
	END$$;
	CREATE FUNCTION trap.text(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring($1); RETURN $1; END$$;
	CREATE FUNCTION trap.number(text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring($1); RETURN 1; END$$;
	CREATE FUNCTION trap.configured(text) RETURNS int LANGUAGE plpgsql IMMUTABLE SET search_path = trap SET work_mem = '1MB' AS
	$$BEGIN PERFORM trap.spring($1); RETURN 1; END$$;
	CREATE FUNCTION trap.definer(text) RETURNS int LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER AS
	$$BEGIN PERFORM trap.spring($1); RETURN 1; END$$;
	CREATE FUNCTION trap.strict(text) RETURNS int LANGUAGE plpgsql IMMUTABLE STRICT COST 0.0001 AS
	$$BEGIN PERFORM trap.spring($1); RETURN 1; END$$;
	CREATE FUNCTION trap.rows(text) RETURNS SETOF int LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring($1); RETURN NEXT 1; END$$;
	CREATE FUNCTION trap.defaulted(a text DEFAULT trap.text('argument default'), VARIADIC b text[] DEFAULT ARRAY[trap.text('variadic default')])
		RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN PERFORM trap.spring($1); RETURN 1; END$$;
	CREATE FUNCTION trap.helper(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS
	$$SELECT $1 = trap.number('in a helper') OR current_setting('app.tenant_id', true) IS NULL$$;
	CREATE FUNCTION trap.standard(int) RETURNS boolean LANGUAGE sql IMMUTABLE
	RETURN $1 = trap.number('in a standard helper');
	CREATE FUNCTION trap.constant() RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT trap.number('in a constant')$$;

	-- domains: their checks run when a literal is read
	CREATE DOMAIN trap.word AS text CHECK (NOT trap.spring('domain check of ' || VALUE));
	CREATE DOMAIN trap.counted AS int CHECK (VALUE > 0 OR trap.spring('domain check') IS NULL);
	CREATE TYPE trap.pair AS (a trap.word, b int);
	CREATE FUNCTION trap.literals(int) RETURNS boolean LANGUAGE sql STABLE AS
	$$SELECT $1 = 1 OR '{literal}'::trap.word[] IS NULL OR '(literal,1)'::trap.pair IS NULL OR 'literal' :: trap.word IS NULL$$;
	CREATE FUNCTION trap.plain_literals(int) RETURNS boolean LANGUAGE plpgsql STABLE AS
	$$BEGIN RETURN $1 = 1 OR '{literal}'::trap.word[] IS NULL OR '(literal,1)'::trap.pair IS NULL; END$$;
	CREATE FUNCTION trap.definer_literals() RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER AS
	$$SELECT 1 WHERE '{literal in a definer}'::trap.word[] IS NOT NULL AND ROW('x', 1)::trap.pair IS NOT NULL$$;
	CREATE FUNCTION trap.typed(text) RETURNS trap.word[] LANGUAGE sql IMMUTABLE AS $$SELECT ARRAY[$1]$$;

	-- casts, operators, and what shadows builtin ones
	CREATE TYPE trap.id AS (v int);
	CREATE FUNCTION trap.to_id(text) RETURNS trap.id LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring('cast ' || $1); RETURN ROW(1); END$$;
	CREATE FUNCTION trap.from_id(trap.id) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring('cast back'); RETURN 1; END$$;
	CREATE CAST (text AS trap.id) WITH FUNCTION trap.to_id(text) AS IMPLICIT;
	CREATE CAST (trap.id AS int) WITH FUNCTION trap.from_id(trap.id) AS IMPLICIT;
	CREATE FUNCTION trap.eq(int, int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring('operator'); RETURN true; END$$;
	CREATE FUNCTION trap.eq(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring('operator'); RETURN true; END$$;
	CREATE FUNCTION trap.eq(oid, oid) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring('operator'); RETURN true; END$$;
	CREATE FUNCTION trap.eq(name, name) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring('operator'); RETURN true; END$$;
	CREATE FUNCTION trap.ne(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring('operator'); RETURN false; END$$;
	CREATE OPERATOR trap.= (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.eq, COMMUTATOR = OPERATOR(trap.=), MERGES, HASHES);
	CREATE OPERATOR trap.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.ne, NEGATOR = OPERATOR(trap.=));
	CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.eq, RESTRICT = eqsel, JOIN = eqjoinsel);
	CREATE OPERATOR trap.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = trap.eq);
	CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = name, FUNCTION = trap.eq);
	CREATE FUNCTION trap.current_setting(text, boolean) RETURNS text LANGUAGE plpgsql AS
	$$BEGIN PERFORM trap.spring('current_setting'); RETURN '1'; END$$;
	CREATE FUNCTION trap.pg_get_expr(pg_node_tree, oid) RETURNS text LANGUAGE plpgsql AS
	$$BEGIN PERFORM trap.spring('pg_get_expr'); RETURN '1'; END$$;
	CREATE FUNCTION trap.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS
	$$BEGIN PERFORM trap.spring('format'); RETURN '1'; END$$;
	CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS
	$$BEGIN PERFORM trap.spring('now'); RETURN NULL; END$$;
	CREATE VIEW trap.pg_policy AS SELECT trap.number('pg_policy') AS oid;
	CREATE VIEW trap.pg_class AS SELECT trap.number('pg_class') AS oid, trap.text('pg_class') AS relname;
	CREATE VIEW trap.pg_proc AS SELECT trap.number('pg_proc') AS oid;
	CREATE VIEW trap.tenancy AS SELECT trap.text('tenancy') AS kind;
	CREATE TABLE trap.rls_waiver (finding_id text, reason text, until timestamptz);
	CREATE RULE r AS ON UPDATE TO trap.rls_waiver DO INSTEAD SELECT trap.text('rule');

	-- tables with traps all over
	CREATE TABLE trap.t (
		id int PRIMARY KEY DEFAULT trap.number('default'),
		tenant_id int NOT NULL CHECK (tenant_id = trap.number('check') OR true),
		word trap.word DEFAULT 'x',
		made int GENERATED ALWAYS AS (trap.strict('generated')) STORED);
	CREATE INDEX ON trap.t ((trap.number('index of ' || id::text)));
	CREATE INDEX ON trap.t (tenant_id) WHERE trap.strict('index predicate') = 1;
	CREATE STATISTICS trap.s ON (trap.number('statistics of ' || id::text)), tenant_id FROM trap.t;
	CREATE FUNCTION trap.fired() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN PERFORM trap.spring('trigger'); RETURN NEW; END$$;
	CREATE TRIGGER fired BEFORE INSERT OR UPDATE OR DELETE ON trap.t FOR EACH ROW WHEN (pg_trigger_depth() >= 0) EXECUTE FUNCTION trap.fired();
	CREATE TRIGGER fired_too BEFORE TRUNCATE ON trap.t EXECUTE FUNCTION trap.fired();
	CREATE TABLE trap.parted (id int, tenant_id int) PARTITION BY LIST ((trap.number('partition key ' || id::text)));
	CREATE TABLE trap.part PARTITION OF trap.parted FOR VALUES IN (1);
	CREATE VIEW trap.v AS SELECT * FROM trap.t WHERE tenant_id = trap.number('view') AND trap.strict('view too') = 1;
	CREATE VIEW trap.invoker WITH (security_invoker) AS SELECT * FROM trap.t WHERE trap.spring('invoker view');
	CREATE VIEW trap.computed AS SELECT trap.number('target list') AS tenant_id, t.id FROM trap.t, trap.rows('range function') r;
});
is($status, 0, 'traps are set') or diag($stderr);

# One policy for each way to say something that can be folded.
my @conditions = (
	q(trap.spring('constant argument')),
	q(trap.spring('with OR') OR tenant_id = 1),
	q(NOT trap.spring('with NOT')),
	q(tenant_id = trap.number('equal')),
	q(tenant_id = trap.configured('with SET clauses')),
	q(tenant_id = trap.definer('definer')),
	q(tenant_id = trap.strict('strict')),
	q(tenant_id = trap.strict(NULL)),
	q(tenant_id = trap.defaulted()),
	q(tenant_id IN (SELECT trap.rows('rows'))),
	q(tenant_id IN (SELECT r FROM trap.rows('range') r WHERE trap.spring('inner where'))),
	q(tenant_id = (SELECT trap.number('sub-select'))),
	q(tenant_id = ANY (ARRAY[trap.number('array'), 1])),
	q(tenant_id = (ARRAY[1, 2])[trap.number('subscript')]),
	q((tenant_id, id) = (trap.number('row'), 1)),
	q(ROW(tenant_id, id) IS NOT DISTINCT FROM ROW(trap.number('distinct'), 1)),
	q(CASE WHEN trap.spring('case') THEN true ELSE tenant_id = 1 END),
	q(CASE trap.number('simple case') WHEN 1 THEN true ELSE false END),
	q(coalesce(trap.spring('coalesce'), true)),
	q(nullif(trap.number('nullif'), 1) IS NULL),
	q(greatest(tenant_id, trap.number('greatest')) = 1),
	q(trap.spring('is true') IS TRUE),
	q(trap.spring('is null') IS NULL),
	q(tenant_id = current_setting(trap.text('setting name'), true)::int),
	q(current_setting('app.tenant_id', true) = trap.text('text')),
	q('1'::text::trap.id IS NOT NULL),
	q(tenant_id = ('1'::text)::trap.id),
	q(tenant_id OPERATOR(trap.=) 1),
	q(1 OPERATOR(trap.=) 1),
	q('a'::text OPERATOR(trap.=) 'b'::text),
	q('a'::text OPERATOR(trap.<>) ALL (ARRAY['a', 'b'])),
	q(nullif('a'::text, 'b'::text) IS NULL),
	q('x'::text::trap.word IS NOT NULL),
	q(0::trap.counted IS NOT NULL),
	q(trap.helper(tenant_id)),
	q(trap.helper(1)),
	q(trap.standard(tenant_id)),
	q(trap.standard(1)),
	q(tenant_id = trap.constant()),
	q(trap.literals(tenant_id)),
	q(trap.literals(1)),
	q(trap.plain_literals(tenant_id)),
	q(trap.typed('typed') IS NOT NULL),
	q(tenant_id IN (SELECT v.tenant_id FROM trap.v v)),
	q(EXISTS (SELECT FROM trap.computed c WHERE c.tenant_id = t.tenant_id)),
	q(tenant_id = trap.definer('nested ' || trap.text(trap.text('twice')))),
	q(trap.text('like') LIKE trap.text('pattern')),
	q(tenant_id = length(trap.text('length'))),
	q((SELECT count(*) FROM trap.rows('aggregate')) = tenant_id),
	q(tenant_id = (SELECT x FROM (VALUES (trap.number('values'))) v(x) ORDER BY trap.number('order by') LIMIT trap.number('limit')))
);
my $policies = '';
my $number   = 0;

for my $condition (@conditions)
{
	$number++;
	$policies .=
		"CREATE TABLE trap.t$number (id int, tenant_id int NOT NULL);\n"
	  . "ALTER TABLE trap.t$number ENABLE ROW LEVEL SECURITY;\n"
	  . "CREATE POLICY p ON trap.t$number AS t USING ($condition);\n" =~
	  s/ AS t / /r =~ s/\bt\.tenant_id/t$number.tenant_id/gr;
}
($status, $stdout, $stderr) = as('mallory', $policies);
is($status, 0, 'every condition can be written') or diag($stderr);
($status, $stdout, $stderr) = as(
	'mallory', q{
	CREATE POLICY p ON trap.t USING (trap.spring('policy'));
	ALTER TABLE trap.t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA trap TO web, PUBLIC;
	ALTER DATABASE hostile SET search_path = trap, public, pg_catalog;
	CREATE SCHEMA AUTHORIZATION mallory;
	ALTER DEFAULT PRIVILEGES IN SCHEMA trap GRANT ALL ON TABLES TO PUBLIC;
});
is($status, 0, 'tables are open to all') or diag($stderr);
$node->safe_psql(
	'hostile', q{
	SET search_path = public, pg_catalog;
	GRANT CREATE ON SCHEMA public TO mallory;
	SET ROLE mallory;
	CREATE FUNCTION public.current_setting(text, boolean) RETURNS text LANGUAGE plpgsql AS
	$$BEGIN PERFORM trap.spring('public.current_setting'); RETURN '1'; END$$;
	CREATE OPERATOR public.= (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.eq);
	CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = name, FUNCTION = trap.eq);
	CREATE VIEW public.pg_policies AS SELECT trap.text('pg_policies') AS policyname;
	RESET ROLE;
	-- what only a superuser can set up, by mallory's functions
	CREATE FUNCTION trap.compare(trap.id, trap.id) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring('operator class'); RETURN 0; END$$;
	CREATE FUNCTION trap.id_eq(trap.id, trap.id) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
	$$BEGIN PERFORM trap.spring('operator of the class'); RETURN true; END$$;
	CREATE OPERATOR trap.=== (LEFTARG = trap.id, RIGHTARG = trap.id, FUNCTION = trap.id_eq, COMMUTATOR = OPERATOR(trap.===));
	CREATE OPERATOR CLASS trap.ids DEFAULT FOR TYPE trap.id USING btree AS
		OPERATOR 3 trap.===, FUNCTION 1 trap.compare(trap.id, trap.id);
	CREATE TABLE trap.keyed (tenant_id trap.id NOT NULL PRIMARY KEY, other int);
	CREATE POLICY p ON trap.keyed USING (tenant_id OPERATOR(trap.===) current_setting('app.tenant_id', true)::trap.id);
	CREATE POLICY q ON trap.keyed USING (ROW(1)::trap.id OPERATOR(trap.===) ROW(2)::trap.id);
	ALTER TABLE trap.keyed ENABLE ROW LEVEL SECURITY;
	GRANT SELECT ON trap.keyed TO PUBLIC;
	ALTER TABLE trap.keyed OWNER TO mallory;
	-- a superuser's function with a literal of mallory's type, which she changes
	CREATE DOMAIN trap.late AS text;
	ALTER DOMAIN trap.late OWNER TO mallory;
	CREATE FUNCTION trap.trusting(int) RETURNS boolean LANGUAGE sql STABLE AS
	$$SELECT $1 = 1 OR '{late}'::trap.late[] IS NULL$$;
	CREATE FUNCTION trap.trusting_too(int) RETURNS boolean LANGUAGE plpgsql STABLE AS
	$$BEGIN RETURN $1 = 1 OR '{late}'::trap.late[] IS NULL; END$$;
	CREATE FUNCTION trap.trusting_definer() RETURNS SETOF trap.t LANGUAGE sql STABLE SECURITY DEFINER AS
	$$SELECT * FROM trap.t WHERE '{late}'::trap.late[] IS NOT NULL$$;
	CREATE TABLE trap.trusted (id int, tenant_id int NOT NULL);
	CREATE POLICY p ON trap.trusted USING (trap.trusting(tenant_id));
	CREATE POLICY q ON trap.trusted USING (trap.trusting_too(tenant_id));
	ALTER TABLE trap.trusted ENABLE ROW LEVEL SECURITY;
	GRANT SELECT ON trap.trusted TO PUBLIC;
	SET ROLE mallory;
	ALTER DOMAIN trap.late ADD CHECK (NOT trap.spring('late check'));
});

# The traps work: who uses the tables springs them.
my $sprung = 'SELECT last_value, is_called FROM trap.sprung';
my $before = $node->safe_psql('hostile', $sprung);
my $quiet  = 0;

for my $table ('t', 'v', map { "t$_" } 1 .. $number)
{
	($status, $stdout, $stderr) = as('web',
		"EXPLAIN (COSTS off) SELECT * FROM trap.$table; SELECT * FROM trap.$table"
	);
	$quiet++ unless $stderr =~ /trap .* sprung by web/;
}
cmp_ok(
	$quiet, '<',
	$number / 4,
	"all but $quiet of $number conditions bite whoever plans or runs them");
isnt($node->safe_psql('hostile', $sprung), $before, 'and are counted');

# Nobody's audit springs one.
my $calls = join('; ',
	'SELECT count(*) FROM ops.rls_audit()',
	q(SELECT count(*) FROM ops.rls_audit(schemas => '{trap}')),
	'SELECT count(*) FROM ops.rls_audit(with_proofs => false)',
	'SELECT count(*) FROM ops.rls_matrix()',
	q(SELECT count(*) FROM ops.checks('deep', '{rls}')),
	q(SELECT ops.health('default', 'deep') IS NOT NULL));
my %settings = (
	'by default'       => '',
	'search_path'      => 'SET search_path = trap, public, pg_catalog',
	'temporary tables' => q{
		CREATE TEMP TABLE pg_class (oid int, relname text CHECK (pg_catalog.length(relname) > 0));
		CREATE TEMP TABLE pg_policy (oid int);
		CREATE TEMP TABLE tenancy (kind text);
		CREATE TEMP TABLE rls_waiver (finding_id text);
		SET search_path = pg_temp, trap, pg_catalog},
	'declared identities' => q{
		BEGIN;
		INSERT INTO ops.tenancy VALUES
			('tenant_identities', DEFAULT, '{trap.number,trap.text,trap.current_setting,app.tenant_id}'),
			('tenant_columns', DEFAULT, '{tenant_id,word}'),
			('public', 'trap.v', DEFAULT)});
$before = $node->safe_psql('hostile', $sprung);

for my $role (scalar getpwuid($<), 'monitor')
{
	for my $setting (sort keys %settings)
	{
		next if $role eq 'monitor' && $setting eq 'declared identities';

		($status, $stdout, $stderr) = as($role,
			"SET client_min_messages = error; $settings{$setting}; SET client_min_messages = warning; $calls"
		);
		is($status, 0, "$role, $setting: audits") or diag($stderr);
		is( join("\n",
				grep { /trap/ && !/sprung by mallory, restricted/ }
				  split /\n/,
				$stderr =~ s/^(LINE|\s).*\n?//gmr),
			'',
			"$role, $setting: nothing runs with another's rights");
	}
}
is($node->safe_psql('hostile', $sprung), $before, 'nothing runs at all');
is( $node->safe_psql(
		'hostile',
		q(SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) 'mallory')
	),
	'f',
	'mallory gained nothing');

# It was not for want of looking.
cmp_ok(
	$node->safe_psql(
		'hostile',
		q(SELECT count(DISTINCT relation) FROM ops.rls_matrix(schemas => '{trap}'))
	),
	'>=', $number,
	'every table was judged');
is( $node->safe_psql(
		'hostile',
		q(SELECT pg_catalog.string_agg(DISTINCT relation, ' ') FROM ops.rls_matrix(schemas => '{trap}') WHERE verdict OPERATOR(pg_catalog.=) 'proved')
	),
	'',
	'and none was proved');

$node->stop;
done_testing();
