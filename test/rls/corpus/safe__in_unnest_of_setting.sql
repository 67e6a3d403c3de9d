-- clean
-- proved: orders
-- The list of tenants as a sub-select over the setting.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2), (3, 3);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON orders FOR SELECT TO app
    USING (tenant_id IN (SELECT unnest(string_to_array(nullif(current_setting('app.tenants', true), ''), ',')::integer[])));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1,3', 'app.tenants=1,3', 'SELECT tenant_id FROM orders');
