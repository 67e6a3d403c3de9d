-- expect: fk_side_channel on orders
-- Whether a foreign customer's number exists shows in the error.
CREATE ROLE app LOGIN;
CREATE TABLE customers (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, customer_id bigint NOT NULL REFERENCES customers);
CREATE INDEX ON customers (tenant_id);
CREATE INDEX ON orders (tenant_id);
INSERT INTO customers VALUES (1, 1), (2, 2);
INSERT INTO orders VALUES (1, 1, 1), (2, 2, 2);
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON customers TO app USING (tenant_id = (SELECT current_setting('app.tenant', true)::integer));
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant', true)::integer));
GRANT SELECT, INSERT ON customers, orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'SELECT tenant_id FROM orders');
SELECT proof.holds('INSERT INTO orders VALUES (3, 1, 2)', '1');
SELECT proof.holds('INSERT INTO orders VALUES (3, 1, 9)', 'ERROR 23503');
