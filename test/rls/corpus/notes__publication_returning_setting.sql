-- expect: publication_ignores_rls on signups
-- expect: insert_returning_denied on signups
-- expect: setting_user_writable on *
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE signups (id int PRIMARY KEY, tenant_id int NOT NULL, email text);
CREATE INDEX ON signups (tenant_id);
ALTER TABLE signups ENABLE ROW LEVEL SECURITY;
CREATE POLICY ins ON signups FOR INSERT TO app WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT, INSERT ON signups TO app;
RESET ROLE;
CREATE PUBLICATION pub FOR TABLE signups;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.holds('insert into signups values (1, 1)', '1');
SELECT proof.holds('insert into signups values (1, 1) returning id', 'ERROR 42501');
