-- clean
-- proved: comments
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE comments (id int PRIMARY KEY, tenant_id int NOT NULL, body text);
CREATE INDEX ON comments (tenant_id);
ALTER TABLE comments ENABLE ROW LEVEL SECURITY;
CREATE POLICY r ON comments FOR SELECT TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE POLICY u ON comments FOR UPDATE TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int) WITH CHECK (true);
GRANT SELECT, UPDATE (body) ON comments TO app;
INSERT INTO comments VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from comments');
SELECT proof.harms('update comments set tenant_id = 2', 'ERROR 42501');
SELECT proof.holds('update comments set body = ''x''', '1');
