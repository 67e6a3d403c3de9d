-- clean
-- perf_clean
-- proved: orders
-- The column's default is the session's tenant; the policy checks what was written.
CREATE ROLE app LOGIN;
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id integer NOT NULL DEFAULT current_setting('app.t')::integer
);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders (tenant_id) VALUES (1), (2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM orders');
SELECT proof.holds('INSERT INTO orders DEFAULT VALUES', '1');
SELECT proof.harms('INSERT INTO orders (tenant_id) VALUES (2)', 'ERROR 42501');
