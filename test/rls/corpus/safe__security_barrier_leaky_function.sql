-- clean
-- proved: orders
-- A leaky operator in the policy itself, beside the binding: it sees only what it is asked.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, note text NOT NULL DEFAULT '');
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app
    USING (tenant_id = (SELECT current_setting('app.t', true)::integer) AND note !~ '^hidden' AND length(note) < 100);
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM orders');
