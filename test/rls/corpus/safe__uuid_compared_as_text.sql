-- clean
-- proved: orders lines
-- Casts that keep what they cast apart: uuid and bigint to text.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id uuid NOT NULL);
CREATE TABLE lines (id bigint PRIMARY KEY, tenant_no bigint NOT NULL);
INSERT INTO orders VALUES (1, 'a0000000-0000-0000-0000-000000000001'), (2, 'b0000000-0000-0000-0000-000000000002');
INSERT INTO lines VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id::text = (SELECT current_setting('app.tenant', true)));
CREATE POLICY tenant ON lines TO app USING (tenant_no::text = (SELECT current_setting('app.no', true)));
GRANT SELECT, INSERT ON orders, lines TO app;
-- prove:
SELECT proof.isolated('app', 'a', 'app.tenant=a0000000-0000-0000-0000-000000000001', 'SELECT left(tenant_id::text, 1) FROM orders');
SELECT proof.isolated('app', '1', 'app.no=1', 'SELECT tenant_no FROM lines');
