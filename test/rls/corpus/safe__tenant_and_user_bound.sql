-- clean
-- proved: carts
-- Tenant to tenant, user to user.
CREATE ROLE app LOGIN;
CREATE TABLE carts (id bigint PRIMARY KEY, tenant_id integer NOT NULL, user_id integer NOT NULL);
CREATE INDEX ON carts (tenant_id, user_id);
INSERT INTO carts VALUES (1, 1, 10), (2, 2, 20), (3, 1, 11);
ALTER TABLE carts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON carts FOR ALL TO app
    USING ((tenant_id, user_id) = ((SELECT current_setting('app.tenant_id', true)::integer),
                                   (SELECT current_setting('app.user_id', true)::integer)));
GRANT SELECT, INSERT ON carts TO app;
CREATE TABLE lists (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON lists (tenant_id);
ALTER TABLE lists ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON lists FOR SELECT TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON lists TO app;
-- prove:
SELECT proof.login('app', '10', 'app.tenant_id=1', 'app.user_id=10');
SELECT proof.sees('SELECT user_id FROM carts', '10');
SELECT proof.harms('INSERT INTO carts VALUES (4, 2, 10)', 'ERROR 42501');
