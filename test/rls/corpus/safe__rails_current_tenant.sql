-- clean
-- proved: users posts
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE users (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, email text);
CREATE TABLE posts (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, user_id bigint REFERENCES users, body text);
CREATE INDEX ON users (tenant_id); CREATE INDEX ON posts (tenant_id);
ALTER TABLE users ENABLE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY;
ALTER TABLE posts ENABLE ROW LEVEL SECURITY; ALTER TABLE posts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation_policy ON users USING (tenant_id = NULLIF(current_setting('app.current_tenant', TRUE), '')::uuid) WITH CHECK (tenant_id = NULLIF(current_setting('app.current_tenant', TRUE), '')::uuid);
CREATE POLICY tenant_isolation_policy ON posts USING (tenant_id = NULLIF(current_setting('app.current_tenant', TRUE), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON users, posts TO app;
RESET ROLE;
INSERT INTO users VALUES (1, '00000000-0000-0000-0000-000000000001', 'a'), (2, '00000000-0000-0000-0000-000000000002', 'b');
INSERT INTO posts VALUES (1, '00000000-0000-0000-0000-000000000001', 1, 'a'), (2, '00000000-0000-0000-0000-000000000002', 2, 'b');
-- prove:
SELECT proof.isolated('app', '1', 'app.current_tenant=00000000-0000-0000-0000-000000000001', 'select right(tenant_id::text,1) from users', 'select right(tenant_id::text,1) from posts');
SELECT proof.harms('delete from posts where id = 2', '0');
