-- clean
-- proved: orders
-- The first tenant of the user, by a scalar sub-select.
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
CREATE POLICY first_tenant ON orders TO app
    USING (tenant_id = (SELECT m.tenant_id FROM members m
                        WHERE m.user_id = (SELECT current_setting('app.user', true)::integer)
                        ORDER BY m.tenant_id LIMIT 1));
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user=10', 'SELECT tenant_id FROM orders');
SELECT proof.harms('INSERT INTO orders VALUES (3, 2)', 'ERROR 42501');
