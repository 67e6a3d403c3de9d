-- clean
-- proved: orders drafts
-- One setting for the tenant, another for the user, each on its own column.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE drafts (id bigint PRIMARY KEY, tenant_id integer NOT NULL, author_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
CREATE INDEX ON drafts (tenant_id, author_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
INSERT INTO drafts VALUES (1, 1, 10), (2, 2, 20);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE POLICY author ON drafts TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer)
           AND author_id = (SELECT current_setting('app.user_id', true)::integer));
GRANT SELECT, INSERT ON orders, drafts TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.login('app', '1', 'app.tenant_id=1', 'app.user_id=10');
SELECT proof.sees('SELECT tenant_id FROM drafts', '1');
