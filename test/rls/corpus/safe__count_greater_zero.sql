-- clean
-- The same counted and compared.
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant_id integer, user_id integer, PRIMARY KEY (user_id, tenant_id));
INSERT INTO members VALUES (1, 10), (2, 20);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
GRANT SELECT ON members TO app;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON orders FOR SELECT TO app
    USING ((SELECT count(*) FROM members m
            WHERE m.tenant_id = orders.tenant_id AND m.user_id = (SELECT current_setting('app.user', true)::integer)) > 0);
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user=10', 'SELECT tenant_id FROM orders');
