-- expect: bypassrls_reachable on *
CREATE ROLE django LOGIN SUPERUSER;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON notes (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY t ON notes USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT ON notes TO django;
INSERT INTO notes VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.login('django', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from notes', '1,2');
