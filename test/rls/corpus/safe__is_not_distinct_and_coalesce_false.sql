-- clean
-- proved: notes memos
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE TABLE memos (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON notes (tenant_id); CREATE INDEX ON memos (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE memos ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO app USING (tenant_id IS NOT DISTINCT FROM nullif(current_setting('app.tenant', true), '')::int);
CREATE POLICY t ON memos TO app USING (coalesce(tenant_id = nullif(current_setting('app.tenant', true), '')::int, false));
GRANT SELECT, INSERT, UPDATE, DELETE ON notes, memos TO app;
INSERT INTO notes VALUES (1, 1), (2, 2); INSERT INTO memos VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from notes', 'select tenant_id from memos');
