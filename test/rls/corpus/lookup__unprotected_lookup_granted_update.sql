-- expect: policy_lookup_writable,rls_disabled on org_users|orders
-- may: rls_disabled,policy_lookup_writable on org_users
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE org_users (username text PRIMARY KEY, org_id int NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, org_id int NOT NULL);
CREATE INDEX ON orders (org_id);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY o ON orders TO app USING (org_id = (SELECT u.org_id FROM org_users u WHERE u.username = current_setting('app.user', true)));
GRANT SELECT, UPDATE ON org_users TO app; GRANT SELECT ON orders TO app;
INSERT INTO org_users VALUES ('u1', 1), ('u2', 2); INSERT INTO orders VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.user=u1');
SELECT proof.sees('select org_id from orders', '1');
SELECT proof.sees('select org_id from orders', '2', 'update org_users set org_id = 2');
