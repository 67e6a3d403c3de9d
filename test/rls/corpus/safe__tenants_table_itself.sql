-- clean
-- perf_clean
-- proved: tenants users
-- The table of tenants shows each tenant itself.
CREATE ROLE app LOGIN;
CREATE TABLE tenants (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE users (id integer PRIMARY KEY, tenant_id integer NOT NULL REFERENCES tenants);
CREATE INDEX ON users (tenant_id);
INSERT INTO tenants VALUES (1, 'A'), (2, 'B');
INSERT INTO users VALUES (10, 1), (20, 2);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY self ON tenants FOR SELECT TO app USING (id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE POLICY tenant ON users TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON tenants TO app;
GRANT SELECT, INSERT, UPDATE ON users TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT id FROM tenants', 'SELECT tenant_id FROM users');
