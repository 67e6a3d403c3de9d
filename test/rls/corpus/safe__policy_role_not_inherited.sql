-- clean
-- proved: orders
-- The policy is for a role the app does not inherit from: it does not apply, and nothing else does.
CREATE ROLE staff NOLOGIN;
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON orders TO staff USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
CREATE POLICY app_reads ON orders FOR SELECT TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM orders');
SELECT proof.harms('INSERT INTO orders VALUES (3, 2)', 'ERROR 42501');
