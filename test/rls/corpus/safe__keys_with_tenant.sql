-- clean
-- perf_clean
-- proved: customers orders
-- Every key leads with the tenant.
CREATE ROLE app LOGIN;
CREATE TABLE customers (tenant_id integer, id bigint, email text NOT NULL, PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, email));
CREATE TABLE orders (
    tenant_id integer,
    id bigint,
    customer_id bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers
);
INSERT INTO customers VALUES (1, 1, 'a'), (2, 1, 'a');
INSERT INTO orders VALUES (1, 1, 1), (2, 1, 1);
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON customers TO app USING (tenant_id = (SELECT current_setting('app.tenant', true)::integer));
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant', true)::integer));
GRANT SELECT, INSERT, UPDATE, DELETE ON customers, orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'SELECT tenant_id FROM orders', 'SELECT tenant_id FROM customers');
