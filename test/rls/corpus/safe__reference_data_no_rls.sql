-- clean
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE countries (code text PRIMARY KEY, name text);
CREATE TABLE currencies (code text PRIMARY KEY);
CREATE TABLE schema_migrations (version text PRIMARY KEY);
CREATE TABLE shops (id int PRIMARY KEY, tenant_id int NOT NULL, country text REFERENCES countries);
CREATE INDEX ON shops (tenant_id);
ALTER TABLE shops ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON shops TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT ON countries, currencies, schema_migrations TO app;
GRANT SELECT, INSERT, UPDATE, DELETE ON shops TO app;
INSERT INTO shops VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from shops');
