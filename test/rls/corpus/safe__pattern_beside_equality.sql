-- clean
-- proved: orders
-- LIKE on another column, next to the equality that binds.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id text NOT NULL, state text NOT NULL DEFAULT 'open');
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 'acme'), (2, 'acme-holding');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)) AND state NOT LIKE 'arch%');
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', 'acme', 'app.tenant_id=acme', 'SELECT tenant_id FROM orders');
