-- expect: rls_disabled on invoices
-- The newest table: the migration forgot row security.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE TABLE invoices (id bigint PRIMARY KEY, tenant_id integer NOT NULL, total numeric);
CREATE INDEX ON invoices (tenant_id);
INSERT INTO invoices VALUES (1, 1, 10), (2, 2, 20);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM invoices', '1,2');
