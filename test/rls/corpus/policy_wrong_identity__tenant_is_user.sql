-- expect: policy_wrong_identity on orders
-- User 2 of tenant 1 sees the orders of tenant 2.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders FOR SELECT TO app
    USING (tenant_id = (SELECT current_setting('app.user_id', true)::integer));
GRANT SELECT ON orders TO app;
CREATE TABLE carts (id bigint PRIMARY KEY, tenant_id integer NOT NULL, user_id integer NOT NULL);
CREATE INDEX ON carts (tenant_id, user_id);
ALTER TABLE carts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON carts FOR SELECT TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer)
           AND user_id = (SELECT current_setting('app.user_id', true)::integer));
GRANT SELECT ON carts TO app;
CREATE TABLE lists (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON lists (tenant_id);
ALTER TABLE lists ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON lists FOR SELECT TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON lists TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1', 'app.user_id=2');
SELECT proof.sees('SELECT tenant_id FROM orders', '2');
