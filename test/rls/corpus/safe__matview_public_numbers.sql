-- clean
-- tenancy: public public.signups_per_day
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE signups (id int PRIMARY KEY, tenant_id int NOT NULL, day date NOT NULL DEFAULT '2025-01-01');
CREATE INDEX ON signups (tenant_id);
ALTER TABLE signups ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON signups TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
INSERT INTO signups VALUES (1, 1), (2, 2);
CREATE MATERIALIZED VIEW signups_per_day AS SELECT day, count(*) AS n FROM signups GROUP BY day;
GRANT SELECT ON signups, signups_per_day TO app;
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from signups');

