-- expect: policy_lookup_writable on staff|cases
-- may: write_check_not_tenant_bound on staff
-- The helper is sound; the table it trusts takes inserts from its readers.
CREATE ROLE law LOGIN;
CREATE TABLE staff (firm text NOT NULL, login text NOT NULL, PRIMARY KEY (login, firm));
INSERT INTO staff VALUES ('acme', 'alice'), ('zeta', 'bob');
ALTER TABLE staff ENABLE ROW LEVEL SECURITY;
CREATE POLICY enrol ON staff FOR INSERT TO law WITH CHECK (login = (SELECT current_setting('law.login', true)));
GRANT INSERT ON staff TO law;
CREATE FUNCTION in_firm(which text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
RETURN EXISTS (SELECT FROM staff s WHERE s.firm = which AND s.login = current_setting('law.login', true));
CREATE TABLE cases (id bigint PRIMARY KEY, firm text NOT NULL);
CREATE INDEX ON cases (firm);
INSERT INTO cases VALUES (1, 'acme'), (2, 'zeta');
ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
CREATE POLICY firm ON cases FOR SELECT TO law USING (in_firm(firm));
GRANT SELECT ON cases TO law;
-- prove:
SELECT proof.login('law', 'acme', 'law.login=alice');
SELECT proof.sees('SELECT firm FROM cases', 'acme');
SELECT proof.sees('SELECT firm FROM cases', 'acme,zeta', 'INSERT INTO staff VALUES (''zeta'', ''alice'')');
