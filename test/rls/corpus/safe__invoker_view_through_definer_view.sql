-- clean
-- proved: orders
-- An invoker view inside a definer view is checked as the session's user.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT SELECT ON orders TO app;
CREATE VIEW inner_orders WITH (security_invoker) AS SELECT * FROM orders;
CREATE VIEW outer_orders AS SELECT * FROM inner_orders;
GRANT SELECT ON outer_orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM outer_orders');
