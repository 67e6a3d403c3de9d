-- expect: policy_role_identity on orders
-- may: write_check_not_tenant_bound on orders
-- Every row is created by the pool role, so every row is "mine".
CREATE ROLE app LOGIN;
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    tenant_id integer NOT NULL,
    created_by text NOT NULL DEFAULT current_user
);
CREATE INDEX ON orders (tenant_id);
CREATE INDEX ON orders (created_by);
INSERT INTO orders VALUES (1, 1, 'app'), (2, 2, 'app');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON orders FOR ALL TO app USING (created_by = current_user);
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app;
CREATE TABLE invoices (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON invoices (tenant_id);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invoices FOR ALL TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id')::integer));
GRANT SELECT, INSERT ON invoices TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2');
SELECT proof.harms('DELETE FROM orders WHERE tenant_id = 2', '1');
