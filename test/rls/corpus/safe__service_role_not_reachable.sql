-- clean
-- proved: notes
CREATE ROLE web LOGIN;
CREATE ROLE backup_agent LOGIN BYPASSRLS;
CREATE ROLE etl LOGIN;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON notes (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO web USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO web;
GRANT USAGE ON SCHEMA public TO backup_agent;
INSERT INTO notes VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('web', '1', 'app.tenant=1', 'select tenant_id from notes');
