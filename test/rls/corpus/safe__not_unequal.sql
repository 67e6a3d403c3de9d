-- clean
-- proved: orders lines
-- De Morgan by hand.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, deleted boolean NOT NULL DEFAULT false);
CREATE TABLE lines (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
CREATE INDEX ON lines (tenant_id);
INSERT INTO orders VALUES (1, 1, false), (2, 2, false), (3, 1, true);
INSERT INTO lines VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (NOT (deleted OR tenant_id <> (SELECT current_setting('app.t', true)::integer)));
CREATE POLICY tenant ON lines TO app USING (NOT (tenant_id IS DISTINCT FROM (SELECT nullif(current_setting('app.t', true), '')::integer)));
GRANT SELECT, INSERT ON orders, lines TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM orders', 'SELECT tenant_id FROM lines');
SELECT proof.harms('INSERT INTO orders VALUES (4, 2)', 'ERROR 42501');
