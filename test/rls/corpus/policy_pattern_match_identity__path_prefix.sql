-- expect: policy_pattern_match_identity on files
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE files (id int PRIMARY KEY, tenant_id text NOT NULL, path text);
CREATE INDEX ON files (tenant_id);
ALTER TABLE files ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON files TO app USING (tenant_id LIKE current_setting('app.tenant', true) || '%');
GRANT SELECT, INSERT, UPDATE, DELETE ON files TO app;
INSERT INTO files VALUES (1, '1', 'a'), (2, '12', 'b');
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from files', '1,12');
