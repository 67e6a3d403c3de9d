
# ops.rls_probe() sees leaks and safe tables for what they are, runs nothing
# with the caller's rights, waits for nobody and leaves nothing behind.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary', undef, allows_streaming => 1);

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE app LOGIN;
CREATE ROLE owner;
CREATE ROLE plain LOGIN;
CREATE SCHEMA shop AUTHORIZATION owner;
GRANT USAGE ON SCHEMA shop TO app;
SET ROLE owner;

CREATE FUNCTION shop.tenant() RETURNS int LANGUAGE sql STABLE
    RETURN nullif(current_setting('app.tenant_id', true), '')::int;

-- safe, with the setting and through a lookup
CREATE TABLE shop.orders (id int PRIMARY KEY, tenant_id int NOT NULL);
INSERT INTO shop.orders SELECT i, i % 3 + 1 FROM generate_series(1, 30) i;
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.orders TO app USING (tenant_id = shop.tenant());

CREATE TABLE shop."Weird ""Näme" ("the 'id'" int PRIMARY KEY, tenant_id int NOT NULL);
INSERT INTO shop."Weird ""Näme" SELECT i, i % 3 + 1 FROM generate_series(1, 30) i;
ALTER TABLE shop."Weird ""Näme" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "p'" ON shop."Weird ""Näme" TO app USING (tenant_id = shop.tenant());

CREATE TABLE shop.members (tenant_id int NOT NULL, user_id text NOT NULL, PRIMARY KEY (tenant_id, user_id));
INSERT INTO shop.members VALUES (1, 'ann'), (2, 'bob'), (3, 'ann'), (3, 'cid');
ALTER TABLE shop.members ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.members FOR SELECT TO app
    USING (user_id = current_setting('request.jwt.claims', true)::jsonb ->> 'sub');
CREATE TABLE shop.papers (id int PRIMARY KEY, tenant_id int NOT NULL);
INSERT INTO shop.papers SELECT i, i % 3 + 1 FROM generate_series(1, 30) i;
ALTER TABLE shop.papers ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.papers TO app
    USING (tenant_id IN (SELECT m.tenant_id FROM shop.members AS m
                          WHERE m.user_id = current_setting('request.jwt.claims', true)::jsonb ->> 'sub'));

-- leaks
CREATE TABLE shop.notes (id int PRIMARY KEY, tenant_id int NOT NULL);
INSERT INTO shop.notes SELECT i, i % 3 + 1 FROM generate_series(1, 30) i;
CREATE TABLE shop.fallback (id int PRIMARY KEY, tenant_id int NOT NULL);
INSERT INTO shop.fallback SELECT i, i % 3 + 1 FROM generate_series(1, 30) i;
ALTER TABLE shop.fallback ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.fallback TO app USING (tenant_id = coalesce(shop.tenant(), tenant_id));
CREATE TABLE shop.shared (id int PRIMARY KEY, tenant_id int);
INSERT INTO shop.shared VALUES (1, 1), (2, 2), (3, NULL);
ALTER TABLE shop.shared ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.shared TO app USING (tenant_id = shop.tenant() OR tenant_id IS NULL);
CREATE VIEW shop.all_orders AS SELECT id, tenant_id FROM shop.orders;
CREATE VIEW shop.my_orders WITH (security_invoker = true) AS SELECT id, tenant_id FROM shop.orders;
CREATE MATERIALIZED VIEW shop.order_counts AS SELECT tenant_id, count(*) FROM shop.orders GROUP BY 1;
CREATE TABLE shop.activity (tenant_id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE shop.activity_1 PARTITION OF shop.activity FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
INSERT INTO shop.activity SELECT i % 3 + 1, '2020-02-02' FROM generate_series(1, 9) i;
ALTER TABLE shop.activity ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.activity TO app USING (tenant_id = shop.tenant());

CREATE TABLE shop.forged (id int PRIMARY KEY, tenant_id int NOT NULL);
INSERT INTO shop.forged SELECT i, i % 3 + 1 FROM generate_series(1, 30) i;
ALTER TABLE shop.forged ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.forged TO app
    USING (tenant_id = (current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> 'tenant_id')::int);
CREATE TABLE shop.lines (id int PRIMARY KEY, order_id int NOT NULL REFERENCES shop.orders);
INSERT INTO shop.lines SELECT i, i FROM generate_series(1, 30) i;
CREATE TABLE shop.own_lines (id int PRIMARY KEY, order_id int NOT NULL REFERENCES shop.orders);
INSERT INTO shop.own_lines SELECT i, i FROM generate_series(1, 30) i;
ALTER TABLE shop.own_lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.own_lines TO app
    USING (order_id IN (SELECT o.id FROM shop.orders AS o WHERE o.tenant_id = shop.tenant()));

-- neither
CREATE TABLE shop.closed (id int PRIMARY KEY, tenant_id int NOT NULL);
INSERT INTO shop.closed VALUES (1, 1), (2, 2);
ALTER TABLE shop.closed ENABLE ROW LEVEL SECURITY;
CREATE TABLE shop.single (id int PRIMARY KEY, tenant_id int NOT NULL);
INSERT INTO shop.single VALUES (1, 1), (2, 1);
ALTER TABLE shop.single ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.single TO app USING (tenant_id = shop.tenant());
CREATE TABLE shop.columns_only (id int PRIMARY KEY, tenant_id int NOT NULL);
INSERT INTO shop.columns_only VALUES (1, 1), (2, 2);
ALTER TABLE shop.columns_only ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.columns_only TO app USING (tenant_id = shop.tenant());

GRANT SELECT ON ALL TABLES IN SCHEMA shop TO app;
REVOKE SELECT ON shop.columns_only FROM app;
GRANT SELECT (id) ON shop.columns_only TO app;
SQL

my $probe =
  q(SELECT * FROM ops.rls_probe(schemas => '{shop}', roles => '{app}'));

# relation/state => row, from a session of its own.
sub probe
{
	my ($server, $query, @how) = @_;
	my %row;
	my $json = $server->safe_psql('postgres',
		"SELECT coalesce(json_agg(p), '[]') FROM ($query) p", @how);

	for my $row (@{ JSON::PP::decode_json($json) })
	{
		my $name = $row->{relation} // '-';

		utf8::encode($name);
		$row{ join '/', $name, $row->{identity_state} // '-' } = $row;
	}
	return \%row;
}

sub outcomes
{
	my ($rows, $relation) = @_;

	return join ' ',
	  map { $rows->{"$relation/$_"} ? $rows->{"$relation/$_"}{outcome} : '-' }
	  qw(A B empty unset);
}

my $rows = probe($node, $probe);

for my $safe (
	'orders',   'papers',      'members', 'my_orders',
	'activity', 'Weird "Näme', 'own_lines')
{
	# An empty document is none that claims could be read from.
	my $when_empty = $safe =~ /papers|members/ ? 'denied' : 'isolated';

	is( outcomes($rows, $safe),
		"isolated isolated $when_empty isolated",
		"$safe: isolated"
	) or diag(explain($rows->{"$safe/A"}, $rows->{"$safe/empty"}));
	ok(!$rows->{"$safe/A"}{foreign_rows} && $rows->{"$safe/A"}{own_rows},
		"$safe: own rows and no others");
}
for my $leak (qw(notes all_orders order_counts activity_1 lines))
{
	is(outcomes($rows, $leak), 'leaks leaks leaks leaks', "$leak: leaks")
	  or diag(explain($rows->{"$leak/A"}));
	ok($rows->{"$leak/A"}{foreign_rows}, "$leak: rows of others");
}
is( outcomes($rows, 'fallback'),
	'isolated isolated leaks leaks',
	'a default that opens');
like($rows->{'fallback/unset'}{message}, qr/^P0: /, 'is said to be P0');
is(outcomes($rows, 'shared'), 'leaks leaks leaks leaks', 'rows of nobody');
ok( !$rows->{'shared/A'}{foreign_rows}
	  && $rows->{'shared/A'}{details}{rows_without_tenant},
	'which are told from rows of others');
is( outcomes($rows, 'forged'),
	'leaks leaks denied isolated',
	'a claim that users edit');
like($rows->{'forged/A'}{message}, qr/users edit/, 'is said to be that');
is( outcomes($rows, 'closed'),
	'denied denied isolated isolated',
	'no row at all is no isolation');
is( outcomes($rows, 'single'),
	join(' ', ('not_testable') x 4),
	'one tenant is not enough');
is( outcomes($rows, 'columns_only'),
	join(' ', ('not_testable') x 4),
	'the role cannot read the column');
is(scalar(grep { $_->{contradicts} } values %$rows),
	0, 'the prover is contradicted nowhere');
is($rows->{'orders/A'}{verdict}, 'proved', 'the verdict is the prover\'s');

# Arguments
$rows = probe($node,
	q(SELECT * FROM ops.rls_probe(schemas => '{shop}', roles => '{app}', tenants => '{3,1}'))
);
is( outcomes($rows, 'orders'),
	'isolated isolated isolated isolated',
	'tenants that were named');
$rows = probe($node,
	q(SELECT * FROM ops.rls_probe(schemas => '{shop}', roles => '{app}', tenants => '{3,99}'))
);
is($rows->{'orders/A'}{outcome},
	'not_testable', 'a tenant without rows shows nothing');
$rows = probe($node,
	q(SELECT * FROM ops.rls_probe(schemas => '{shop}', roles => '{app}', max_relations => 2))
);
like(
	$rows->{'-/-'}{message},
	qr/^\d+ more relations were not probed/,
	'what did not fit is a row');
my ($status, $out, $err) =
  $node->psql('postgres', q(SELECT ops.rls_probe(tenants => '{1,1}')));
like($err, qr/must name two different tenants/, 'the same tenant twice');

# A second call in a session cannot unset the settings.
is( $node->safe_psql(
		'postgres', qq(
		SET client_min_messages = error;
		SELECT count(*) > 0 FROM ($probe) p;
		SELECT string_agg(DISTINCT outcome, ',' ORDER BY outcome) FROM ($probe) p
		 WHERE identity_state = 'unset' AND relation IN ('orders', 'fallback'))
	),
	"t\ncovered_by_proof,not_testable",
	'unset only once in a session');

# Nothing is left behind.
is( $node->safe_psql(
		'postgres', qq(
		SET app.tenant_id = '7';
		BEGIN;
		SELECT count(*) > 0 FROM ($probe) p;
		SELECT current_user, current_setting('transaction_read_only'),
		       current_setting('app.tenant_id'), current_setting('row_security'),
		       current_setting('client_min_messages'), current_setting('lock_timeout');
		CREATE TABLE written (i int);
		SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'shop.orders'::regclass;
		ROLLBACK;)
	),
	"t\npostgres|off|7|on|notice|0\n0" =~ s/postgres\|/getpwuid($<) . '|'/er,
	'role, settings and transaction are as before');

# What policies do, they do as the role, and not for long.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE public.trace (who name);
GRANT INSERT ON public.trace TO PUBLIC;
CREATE SEQUENCE public.counter;
GRANT ALL ON public.counter TO PUBLIC;
SET ROLE owner;
CREATE FUNCTION shop.spy(int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'spy runs as %', current_user;
    IF current_user <> 'app' THEN
        RAISE EXCEPTION 'caught %', current_user;
    END IF;
    RETURN true;
END $$;
CREATE FUNCTION shop.writer(int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('public.counter');
    INSERT INTO public.trace VALUES (current_user);
    RETURN true;
END $$;
CREATE FUNCTION shop.escape(int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    SET ROLE NONE;
    RETURN true;
END $$;
CREATE FUNCTION shop.trap(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    IF current_user NOT IN ('owner', 'app') THEN
        RAISE EXCEPTION 'caught %', current_user;
    END IF;
    RETURN $1;
END $$;
CREATE FUNCTION shop.sleep(int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(60);
    RETURN true;
END $$;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['spy', 'writer', 'escape', 'sleep'] LOOP
        EXECUTE format('CREATE TABLE shop.by_%s (id int PRIMARY KEY, tenant_id int NOT NULL)', name);
        EXECUTE format('INSERT INTO shop.by_%s VALUES (1, 1), (2, 2)', name);
        EXECUTE format('ALTER TABLE shop.by_%s ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY p ON shop.by_%s TO app USING (shop.%s(tenant_id) AND tenant_id = shop.tenant())', name, name);
    END LOOP;
END $$;
CREATE TABLE shop.trapped (id int PRIMARY KEY, tenant_id int NOT NULL CHECK (shop.trap(1) > 0));
INSERT INTO shop.trapped VALUES (1, 1), (2, 2);
CREATE INDEX ON shop.trapped (shop.trap(id)) WHERE shop.trap(2) > 0;
ALTER TABLE shop.trapped ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.trapped TO app USING (tenant_id = shop.tenant());
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO app;
SQL
my $before = $node->safe_psql('postgres',
	'SELECT last_value, is_called FROM public.counter');
(undef, $out, $err) = $node->psql('postgres',
	"SELECT relation || ' ' || identity_state || ' ' || outcome || ' ' || message FROM ($probe) p"
);
unlike($err, qr/spy runs/, 'no notices come through');
unlike($out, qr/caught/,   'nothing runs as the caller');
like($out, qr/^by_spy A isolated/m, 'a function that looks who it is');
like(
	$out,
	qr/^by_writer A failed .*read-only transaction/m,
	'a function that writes');
like(
	$out,
	qr/^by_escape A denied .*cannot set parameter "role"/m,
	'a function that changes the role');
like(
	$out,
	qr/^by_sleep A failed .*longer than/m,
	'a function that takes its time');
like($out, qr/^trapped A isolated/m, 'traps for whoever plans a query');
is($node->safe_psql('postgres', 'SELECT count(*) FROM public.trace'),
	0, 'nothing was written');
is( $node->safe_psql(
		'postgres', 'SELECT last_value, is_called FROM public.counter'),
	$before,
	'nor counted');

# Cancelling is not swallowed, and neither is the caller's own timeout.
(undef, undef, $err) = $node->psql('postgres',
	"SET statement_timeout = '300ms'; SELECT count(*) FROM ($probe) p");
like($err, qr/statement timeout/, 'statement_timeout holds');
$node->safe_psql('postgres',
	'DROP TABLE shop.by_spy, shop.by_writer, shop.by_escape, shop.by_sleep');

# Locks: of the table itself, and of one that a view reads.
my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN; LOCK TABLE shop.orders IN ACCESS EXCLUSIVE MODE');
$rows = probe($node, $probe);
is(outcomes($rows, 'orders'), join(' ', ('locked') x 4), 'locked');
like($rows->{'orders/A'}{message}, qr/process \d+/, 'by whom');
is($rows->{'my_orders/A'}{outcome}, 'locked',   'and so is the view on it');
is($rows->{'papers/A'}{outcome},    'isolated', 'but nothing else');
$holder->query_safe('ROLLBACK');
$holder->quit;

# Tables that go away meanwhile make no error.
$node->safe_psql('postgres', 'GRANT owner TO plain');
$node->pgbench(
	'--no-vacuum --client=2 --transactions=8',
	0,
	[qr{processed: 16/16}],
	[qr{^$}],
	'tables come and go',
	{
		'082_probe' => "SELECT count(*) FROM ($probe) p;",
		'082_churn' => q{
			CREATE TABLE shop.t:client_id (tenant_id int NOT NULL);
			INSERT INTO shop.t:client_id VALUES (1), (2);
			GRANT SELECT ON shop.t:client_id TO app;
			DROP TABLE shop.t:client_id;}
	});

# A plain caller: only roles that it can become, only rows that it can see.
($status, $out, $err) =
  $node->psql('postgres', $probe, extra_params => [ '-U', 'plain' ]);
like($err, qr/permission denied/, 'nobody may unless granted');
$node->safe_psql('postgres',
	'GRANT USAGE ON SCHEMA ops TO plain; GRANT EXECUTE ON FUNCTION ops.rls_probe TO plain; REVOKE owner FROM plain'
);
$rows = probe($node, $probe, extra_params => [ '-U', 'plain' ]);
is(scalar(keys %$rows),     1, 'not as a role that one cannot become');
is($rows->{'-/-'}{outcome}, 'not_testable',        'which is said');
is($rows->{'-/-'}{remedy},  'GRANT app TO plain;', 'with the way to it');
$node->safe_psql('postgres', $rows->{'-/-'}{remedy});
$rows = probe($node, $probe, extra_params => [ '-U', 'plain' ]);
is($rows->{'orders/A'}{outcome},
	'not_testable', 'row security hides the tenants');
is($rows->{'notes/A'}{outcome}, 'leaks', 'where it does not, a leak is seen');

# On a standby
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay');
$rows = probe($standby, $probe);
is( outcomes($rows, 'orders'),
	'isolated isolated isolated isolated',
	'standby: isolated');
is(outcomes($rows, 'notes'), 'leaks leaks leaks leaks', 'standby: leaks');

$standby->stop;
$node->stop;
done_testing();
