-- clean
-- perf_clean
-- proved: orders
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, deleted_at timestamptz);
CREATE INDEX ON orders (tenant_id) WHERE deleted_at IS NULL;
INSERT INTO orders VALUES (1, 1, NULL), (2, 2, NULL), (3, 1, now());
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app
    USING (deleted_at IS NULL AND tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM orders');
