-- a small business with leaks, and with what looks like leaks and is none
SET client_min_messages = warning;
CREATE ROLE regress_ops_owner NOLOGIN;
CREATE ROLE regress_ops_app LOGIN;
CREATE ROLE regress_ops_staff LOGIN;
GRANT regress_ops_app TO regress_ops_staff;
CREATE SCHEMA shop AUTHORIZATION regress_ops_owner;
GRANT USAGE ON SCHEMA shop TO regress_ops_app;
SET ROLE regress_ops_owner;
SET search_path = shop;

-- sound: the setting, written in several ways, with and without FORCE
CREATE TABLE orders (id int PRIMARY KEY, tenant_id int NOT NULL, total int, UNIQUE (tenant_id, id));
CREATE INDEX ON orders (tenant_id);
CREATE POLICY orders_tenant ON orders TO regress_ops_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE TABLE customers (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON customers (tenant_id);
ALTER TABLE customers FORCE ROW LEVEL SECURITY;
CREATE POLICY customers_tenant ON customers TO regress_ops_app
    USING (tenant_id IN (SELECT nullif(current_setting('app.tenant_id', true), '')::int))
    WITH CHECK ((SELECT nullif(current_setting('app.tenant_id', true), '')::int) = tenant_id);
-- sound: by the parent
CREATE TABLE order_lines (order_id int NOT NULL REFERENCES orders, line int, PRIMARY KEY (order_id, line));
CREATE POLICY order_lines_tenant ON order_lines TO regress_ops_app
    USING (EXISTS (SELECT FROM orders o WHERE o.id = order_lines.order_id
                      AND o.tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int)));
-- sound: a helper, and a restrictive floor under what looks wide
CREATE FUNCTION current_tenant() RETURNS int LANGUAGE sql STABLE SET search_path = pg_catalog
    RETURN nullif(pg_catalog.current_setting('app.tenant_id', true), '')::int;
CREATE TABLE payments (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON payments (tenant_id);
CREATE POLICY payments_all ON payments TO regress_ops_app USING (true);
CREATE POLICY payments_floor ON payments AS RESTRICTIVE TO regress_ops_app
    USING (tenant_id = (SELECT current_tenant()));
-- sound: members are looked up in a table that nobody writes
CREATE TABLE members (tenant_id int NOT NULL, user_id int NOT NULL, PRIMARY KEY (user_id, tenant_id));
CREATE POLICY members_own ON members FOR SELECT TO regress_ops_app
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')::int));
CREATE TABLE campaigns (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON campaigns (tenant_id);
CREATE POLICY campaigns_member ON campaigns TO regress_ops_app
    USING (tenant_id IN (SELECT m.tenant_id FROM members m
                          WHERE m.user_id = (SELECT nullif(current_setting('app.user_id', true), '')::int)));
-- sound: a view with its reader's rights, nobody's business, everybody's
CREATE VIEW own_orders WITH (security_invoker) AS SELECT * FROM orders;
CREATE TABLE secrets (id int PRIMARY KEY, tenant_id int);
CREATE TABLE countries (code text PRIMARY KEY, name text);

-- leaks
CREATE TABLE invoices (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE TABLE tickets (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON tickets (tenant_id);
CREATE POLICY tickets_tenant ON tickets TO regress_ops_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE TABLE documents (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON documents (tenant_id);
CREATE POLICY documents_tenant ON documents TO regress_ops_app
    USING (current_setting('app.tenant_id', true) IS NULL
           OR tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE POLICY notes_all ON notes TO regress_ops_app USING (id = id OR true);
CREATE TABLE files (id int PRIMARY KEY, tenant_id int NOT NULL, shared boolean);
CREATE INDEX ON files (tenant_id);
CREATE POLICY files_tenant ON files TO regress_ops_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE POLICY files_shared ON files FOR SELECT TO regress_ops_app USING (shared);
CREATE TABLE comments (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON comments (tenant_id);
CREATE POLICY comments_tenant ON comments TO regress_ops_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int)) WITH CHECK (true);
CREATE TABLE templates (id int PRIMARY KEY, tenant_id int);
CREATE INDEX ON templates (tenant_id);
CREATE POLICY templates_tenant ON templates TO regress_ops_app
    USING (tenant_id IS NULL OR tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE TABLE projects (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON projects (tenant_id);
CREATE POLICY projects_member ON projects TO regress_ops_app
    USING (EXISTS (SELECT FROM members m WHERE m.tenant_id = tenant_id
                      AND m.user_id = (SELECT nullif(current_setting('app.user_id', true), '')::int)));
CREATE TABLE enrolments (tenant_id int NOT NULL, user_id int NOT NULL, PRIMARY KEY (user_id, tenant_id));
CREATE POLICY enrolments_own ON enrolments TO regress_ops_app
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')::int));
CREATE TABLE courses (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON courses (tenant_id);
CREATE POLICY courses_member ON courses FOR SELECT TO regress_ops_app
    USING (tenant_id IN (SELECT e.tenant_id FROM enrolments e
                          WHERE e.user_id = (SELECT nullif(current_setting('app.user_id', true), '')::int)));
CREATE TABLE events (tenant_id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX ON events (tenant_id);
CREATE POLICY events_tenant ON events TO regress_ops_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE TABLE queue (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON queue (tenant_id);
CREATE POLICY queue_tenant ON queue TO regress_ops_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
CREATE FUNCTION may_see(tenant int) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS
$$BEGIN RETURN tenant > 0 OR pg_catalog.current_setting('app.tenant_id', true) = tenant::text; END$$;
CREATE TABLE reviews (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE POLICY reviews_tenant ON reviews TO regress_ops_app USING (may_see(tenant_id));
-- no leak that anybody knows of, and no proof
CREATE FUNCTION knows(tenant int) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS
$$DECLARE answer boolean; BEGIN EXECUTE 'SELECT $1 = 1' INTO answer USING tenant; RETURN answer; END$$;
CREATE TABLE ratings (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE POLICY ratings_tenant ON ratings TO regress_ops_app USING (knows(tenant_id));
CREATE TABLE drafts (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE VIEW order_report AS SELECT tenant_id, sum(total) AS total FROM orders GROUP BY 1;
CREATE MATERIALIZED VIEW order_totals AS SELECT tenant_id, sum(total) AS total FROM orders GROUP BY 1;
CREATE FUNCTION all_orders() RETURNS SETOF orders LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT * FROM shop.orders';

DO $$
DECLARE t regclass;
BEGIN
    FOR t IN SELECT oid FROM pg_class
              WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'p')
                AND relname NOT IN ('secrets', 'countries', 'invoices', 'tickets', 'events_2024')
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
    END LOOP;
END$$;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO regress_ops_app;
REVOKE INSERT, UPDATE, DELETE ON members, countries, courses, order_report, own_orders FROM regress_ops_app;
REVOKE ALL ON secrets, order_totals FROM regress_ops_app;
GRANT SELECT ON order_totals TO regress_ops_app;
GRANT TRUNCATE ON queue TO regress_ops_app;
RESET search_path;
RESET ROLE;

-- what is found; the server's own release is not this test's matter
CREATE VIEW found AS
SELECT severity COLLATE "C" AS severity, code COLLATE "C" AS code, object COLLATE "C" AS object,
       policy, role_name, command COLLATE "C" AS command, gate COLLATE "C" AS gate, verdict, counterexample,
       reach, message, remediation, class, splinter_name, object_type, finding_id, waived_until, waiver_reason,
       predicate, probe, schema_name, object_name, evidence, doc_ref
  FROM ops.rls_audit(roles => '{regress_ops_app,regress_ops_staff}', schemas => '{shop}')
 WHERE code <> 'server_rls_cve';
SELECT severity, code, object, policy, role_name, command, gate, verdict, counterexample
  FROM found WHERE class = 'security' ORDER BY 1, 2, 3, 6, 7;
SELECT severity, code, object, policy, role_name
  FROM found WHERE class = 'performance' ORDER BY 1, 2, 3;

-- what it says of it, and what helps
SELECT DISTINCT code, object_type, object, reach, splinter_name
  FROM found WHERE severity < 'P3' ORDER BY 1, 2, 3, 4;
\pset format unaligned
\pset tuples_only on
SELECT code, message COLLATE "C" FROM found WHERE severity < 'P3' ORDER BY 1, 2;
SELECT DISTINCT code, remediation COLLATE "C" FROM found WHERE severity < 'P3' AND class = 'security' ORDER BY 1, 2;
\pset format aligned
\pset tuples_only off

-- every row keeps what the page of codes promises
SELECT code, object FROM found WHERE severity = 'P0' AND counterexample IS NULL ORDER BY 1, 2;
SELECT code, object FROM found WHERE severity < 'P3' AND class = 'security' AND remediation IS NULL ORDER BY 1, 2;
SELECT code, object FROM found WHERE message IS NULL OR message ~ '^[[:upper:]][[:lower:]]' OR message ~ '\.$' ORDER BY 1, 2;
SELECT count(*) = count(DISTINCT finding_id) AS ids_differ, bool_and(finding_id ~ '^[0-9a-f]{16}$') AS ids_look_alike FROM found;
SELECT count(*) FILTER (WHERE a.finding_id IS NULL OR b.finding_id IS NULL) AS ids_changed
  FROM found a FULL JOIN found b USING (finding_id);
SELECT object FROM found
 WHERE severity < 'P3' AND object_name IN ('orders', 'customers', 'order_lines', 'payments', 'members', 'campaigns', 'own_orders', 'secrets', 'countries')
 ORDER BY 1;
SELECT DISTINCT class, severity FROM found ORDER BY 1, 2;

-- the same from a transaction that can write nothing
BEGIN READ ONLY;
SELECT count(*) > 20 AS answers FROM found;
COMMIT;

-- without proofs there is no predicate, and nothing else is missing
SELECT count(*) FILTER (WHERE predicate IS NOT NULL) AS predicates,
       count(*) - (SELECT count(*) FROM found) AS fewer
  FROM ops.rls_audit(roles => '{regress_ops_app,regress_ops_staff}', schemas => '{shop}', with_proofs => false)
 WHERE code <> 'server_rls_cve';

-- waivers: accepted for a time, and back when it is over
INSERT INTO ops.rls_waiver
SELECT finding_id, 'totals are public', 'infinity' FROM found WHERE code = 'materialized_view_exposed';
INSERT INTO ops.rls_waiver
SELECT finding_id, 'until the move', '2001-01-01' FROM found WHERE code = 'view_bypasses_rls';
INSERT INTO ops.rls_waiver VALUES ('0000000000000000', 'of nothing', 'infinity');
SELECT severity, code, object, waived_until, waiver_reason
  FROM found WHERE code IN ('materialized_view_exposed', 'view_bypasses_rls') ORDER BY 1, 2, 3;
DELETE FROM ops.rls_waiver;

-- repaired: the finding goes, and nothing else does
CREATE TEMP TABLE before AS SELECT finding_id, code, object FROM found;
ALTER TABLE shop.tickets ENABLE ROW LEVEL SECURITY;
DROP POLICY files_shared ON shop.files;
REVOKE TRUNCATE ON shop.queue FROM regress_ops_app;
ALTER VIEW shop.order_report SET (security_invoker);
SELECT CASE WHEN f.finding_id IS NULL THEN 'gone' ELSE 'new' END AS change,
       coalesce(f.code, b.code) AS code, coalesce(f.object, b.object) AS object
  FROM before b FULL JOIN found f USING (finding_id)
 WHERE f.finding_id IS NULL OR b.finding_id IS NULL ORDER BY 1, 2, 3;

DROP VIEW found;
SET client_min_messages = warning;
DROP SCHEMA shop CASCADE;
DROP ROLE regress_ops_staff, regress_ops_app, regress_ops_owner;
