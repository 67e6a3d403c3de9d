-- expect: policy_wrong_identity on orders
-- may: policy_not_tenant_bound, policy_uncorrelated_subquery on orders
-- The lookup yields user numbers, and the row's tenant is looked for among them.
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant_id integer, user_id integer, PRIMARY KEY (user_id, tenant_id));
INSERT INTO members VALUES (1, 2), (2, 7);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user_id', true)::integer));
GRANT SELECT ON members TO app;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON orders FOR SELECT TO app
    USING (tenant_id IN (SELECT m.user_id FROM members m WHERE m.user_id = (SELECT current_setting('app.user_id', true)::integer)));
GRANT SELECT ON orders TO app;
CREATE TABLE invoices (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON invoices (tenant_id);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON invoices FOR SELECT TO app
    USING (tenant_id IN (SELECT m.tenant_id FROM members m WHERE m.user_id = (SELECT current_setting('app.user_id', true)::integer)));
GRANT SELECT ON invoices TO app;
CREATE TABLE files (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON files (tenant_id);
ALTER TABLE files ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON files FOR SELECT TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON files TO app;
-- prove:
SELECT proof.login('app', '1', 'app.user_id=2');
SELECT proof.sees('SELECT tenant_id FROM orders', '2');
