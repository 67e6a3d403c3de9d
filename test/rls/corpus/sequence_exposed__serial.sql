-- expect: sequence_exposed on orders_id_seq|orders
-- The global counter tells how much business all tenants do together.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigserial PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders (tenant_id) VALUES (1), (2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant', true)::integer));
GRANT SELECT, INSERT ON orders TO app;
GRANT USAGE, SELECT ON SEQUENCE orders_id_seq TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'SELECT tenant_id FROM orders');
SELECT proof.holds('SELECT last_value FROM orders_id_seq', '2');
