-- expect: policy_identity_inconsistent on payments
-- Five tables read app.tenant_id, one reads app.tenant.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE lines (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE payments (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
CREATE INDEX ON lines (tenant_id);
CREATE INDEX ON payments (tenant_id);
INSERT INTO payments VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE POLICY tenant ON lines TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE POLICY tenant ON payments TO app USING (tenant_id = (SELECT current_setting('app.tenant', true)::integer));
GRANT SELECT, INSERT, UPDATE ON orders, lines, payments TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM payments', '');
