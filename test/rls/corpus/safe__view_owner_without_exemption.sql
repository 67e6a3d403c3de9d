-- clean
-- proved: orders
-- The view belongs to a role that is neither owner of the table nor exempt.
CREATE ROLE app LOGIN;
CREATE ROLE views_owner NOLOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app, views_owner USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app, views_owner;
CREATE VIEW order_list AS SELECT * FROM orders;
ALTER VIEW order_list OWNER TO views_owner;
GRANT SELECT ON order_list TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM order_list');
