-- clean
-- proved: orders
-- CASE keeps the cast away from an empty setting.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app
    USING (CASE WHEN coalesce(current_setting('app.tenant_id', true), '') = '' THEN false
                ELSE tenant_id = current_setting('app.tenant_id', true)::integer END);
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.harms('UPDATE orders SET tenant_id = 2', 'ERROR 42501');
