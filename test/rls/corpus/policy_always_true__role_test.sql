-- expect: policy_always_true|policy_not_tenant_bound on orders
-- may: policy_always_true, policy_not_tenant_bound, write_check_not_tenant_bound on orders
-- "Signed in" is no tenant: everybody of the pool role passes.
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE gateway LOGIN NOINHERIT IN ROLE authenticated;
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    company_id bigint NOT NULL,
    placed timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON orders (company_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY signed_in ON orders FOR ALL TO authenticated
    USING (current_user IS NOT NULL);
GRANT SELECT, INSERT, UPDATE ON orders TO authenticated;
CREATE TABLE order_lines (id bigint PRIMARY KEY, company_id bigint NOT NULL, sku text);
CREATE INDEX ON order_lines (company_id);
ALTER TABLE order_lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON order_lines FOR ALL TO authenticated
    USING (company_id = (SELECT current_setting('app.company')::bigint));
GRANT SELECT, INSERT, UPDATE ON order_lines TO authenticated;
-- prove:
SELECT proof.login('gateway', '1', 'app.company=1');
SELECT proof.sees('SELECT company_id FROM orders', '1,2', 'SET LOCAL ROLE authenticated');
