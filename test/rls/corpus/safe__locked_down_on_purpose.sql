-- clean
-- proved: orders
-- Row security without a policy and without a grant: only the backend's functions go there.
CREATE ROLE app LOGIN;
CREATE TABLE secrets (id bigint PRIMARY KEY, tenant_id integer NOT NULL, secret text);
INSERT INTO secrets VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM secrets', 'ERROR 42501');
