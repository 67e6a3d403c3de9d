-- one table for each verdict
SET client_min_messages = warning;
CREATE ROLE regress_ops_owner NOLOGIN;
CREATE ROLE regress_ops_app LOGIN;
CREATE ROLE regress_ops_reader LOGIN;
CREATE ROLE regress_ops_etl LOGIN NOINHERIT;
GRANT regress_ops_app TO regress_ops_etl;
CREATE SCHEMA books AUTHORIZATION regress_ops_owner;
GRANT USAGE ON SCHEMA books TO regress_ops_app, regress_ops_reader, regress_ops_etl;
SET ROLE regress_ops_owner;
SET search_path = books;

-- proved, by column privileges too: nobody can change the tenant
CREATE TABLE proved (id int PRIMARY KEY, tenant_id int NOT NULL, body text);
CREATE POLICY p ON proved USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE TABLE by_column (id int PRIMARY KEY, tenant_id int NOT NULL, body text);
CREATE POLICY p ON by_column USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int)) WITH CHECK (true);
GRANT SELECT, UPDATE (body) ON by_column TO regress_ops_app;
-- denied
CREATE TABLE denied (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE TABLE denied_by_policy (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE POLICY p ON denied_by_policy USING (tenant_id = 1 AND tenant_id = 2);
CREATE TABLE other_command (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE POLICY p ON other_command FOR SELECT
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
-- open
CREATE TABLE open (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE POLICY p ON open USING (tenant_id > 0);
CREATE TABLE unprotected (id int PRIMARY KEY, tenant_id int NOT NULL);
-- open where the session says nothing, each in its own way
CREATE TABLE open_on_null (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE POLICY p ON open_on_null
    USING (tenant_id = coalesce(current_setting('app.tenant_id', true)::int, tenant_id));
CREATE TABLE open_on_empty (id int PRIMARY KEY, tenant_id text NOT NULL);
CREATE POLICY p ON open_on_empty
    USING (tenant_id = current_setting('app.tenant_id', true) OR current_setting('app.tenant_id', true) = '');
-- rows without a tenant
CREATE TABLE null_visible (id int PRIMARY KEY, tenant_id int);
CREATE POLICY p ON null_visible
    USING (tenant_id IS NOT DISTINCT FROM (SELECT nullif(current_setting('app.tenant_id', true), '')::int) OR tenant_id IS NULL);
CREATE TABLE null_not_there (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE POLICY p ON null_not_there
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int) OR tenant_id IS NULL);
-- unproved, and by what
CREATE FUNCTION opaque(tenant int) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS
$$DECLARE b boolean; BEGIN EXECUTE 'SELECT $1 = 1' INTO b USING tenant; RETURN b; END$$;
CREATE TABLE unproved (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE POLICY p ON unproved USING (opaque(tenant_id));
-- a floor, a second key, one policy for each command, by parent
CREATE TABLE floor (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE POLICY wide ON floor USING (true);
CREATE POLICY p ON floor AS RESTRICTIVE
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE TABLE commands (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE POLICY s ON commands FOR SELECT USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE POLICY i ON commands FOR INSERT WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE POLICY u ON commands FOR UPDATE USING (true) WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE POLICY d ON commands FOR DELETE USING (true);
CREATE TABLE by_parent (proved_id int NOT NULL REFERENCES proved, line int);
CREATE POLICY p ON by_parent USING (proved_id IN (SELECT id FROM proved));
-- partitions: by the parent and by name
CREATE TABLE parted (tenant_id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE POLICY p ON parted USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
-- one role per tenant is for the role graph to decide
CREATE TABLE by_role (id int PRIMARY KEY, tenant_id name NOT NULL);
CREATE POLICY p ON by_role USING (tenant_id = current_user);

DO $$
DECLARE t regclass;
BEGIN
    FOR t IN SELECT oid FROM pg_class
              WHERE relnamespace = 'books'::regnamespace AND relkind IN ('r', 'p')
                AND relname NOT IN ('unprotected', 'parted_1', 'parted_2')
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('GRANT SELECT ON %s TO regress_ops_reader', t);
        CONTINUE WHEN t = 'books.by_column'::regclass;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO regress_ops_app', t);
    END LOOP;
END$$;
GRANT SELECT ON unprotected TO regress_ops_reader;
GRANT INSERT (id, tenant_id) ON unprotected TO regress_ops_app;
GRANT SELECT (at) ON parted_2 TO regress_ops_reader;
RESET search_path;
RESET ROLE;

SELECT relation COLLATE "C" AS relation, role_name, command, gate, verdict, tenant_key, obstacle, counterexample
  FROM ops.rls_matrix('{regress_ops_app,regress_ops_reader}', '{books}')
 WHERE schema_name = 'books'
 ORDER BY 1, role_name COLLATE "C", command COLLATE "C", gate COLLATE "C";

-- what proves it, and how a role comes to it
SELECT relation COLLATE "C" AS relation, command, gate, policy, reach, predicate
  FROM ops.rls_matrix('{regress_ops_app}', '{books}')
 WHERE relation IN ('proved', 'by_parent', 'floor', 'by_column') AND command IN ('SELECT', 'UPDATE')
 ORDER BY 1, command COLLATE "C", gate COLLATE "C";

-- by SET ROLE
SELECT relation COLLATE "C" AS relation, role_name, command COLLATE "C" AS command, verdict, reach FROM ops.rls_matrix('{regress_ops_etl}', '{books}')
 WHERE relation IN ('proved', 'open') ORDER BY 1, 3;

-- the audit says nothing else
SELECT m.relation, m.command, m.gate, m.verdict
  FROM ops.rls_matrix('{regress_ops_app,regress_ops_reader}', '{books}') m
 WHERE m.verdict IN ('open', 'default_open', 'null_visible', 'unproved')
   AND NOT EXISTS (SELECT FROM ops.rls_audit('{regress_ops_app,regress_ops_reader}', '{books}') a
                    WHERE a.object_name = m.relation AND a.severity < 'P3'
                      AND a.verdict IS NOT DISTINCT FROM m.verdict)
 ORDER BY 1, 2, 3;
SELECT a.object, a.code, a.command, a.gate
  FROM ops.rls_audit('{regress_ops_app,regress_ops_reader}', '{books}') a
 WHERE a.severity < 'P3' AND a.class = 'security' AND a.gate IS NOT NULL
   AND EXISTS (SELECT FROM ops.rls_matrix('{regress_ops_app,regress_ops_reader}', '{books}') m
                WHERE m.relation = a.object_name AND m.command = a.command AND m.gate = a.gate
                  AND m.role_name = a.role_name AND m.verdict IN ('proved', 'denied'))
 ORDER BY 1, 2, 3, 4;

-- nothing to say where there is no tenant
CREATE SCHEMA books_empty;
SELECT count(*) FROM ops.rls_matrix('{regress_ops_app}', '{books_empty}');
DROP SCHEMA books_empty;

DROP SCHEMA books CASCADE;
DROP ROLE regress_ops_etl, regress_ops_reader, regress_ops_app, regress_ops_owner;
