-- clean
-- proved: drafts
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE drafts (id int PRIMARY KEY, tenant_id int NOT NULL, author_id int NOT NULL, visible boolean NOT NULL DEFAULT false);
CREATE INDEX ON drafts (tenant_id, author_id);
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON drafts TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int
  AND (visible OR author_id = nullif(current_setting('app.user', true), '')::int)) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::int AND author_id = nullif(current_setting('app.user', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON drafts TO app;
INSERT INTO drafts VALUES (1, 1, 5, true), (2, 2, 6, true);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from drafts');
