-- clean
-- expect_perf: perf_policy_volatile_function on b
-- may: perf_policy_initplan on b
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE FUNCTION tidv() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN nullif(current_setting('app.tenant', true), '')::int; END $$;
CREATE TABLE b (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON b (tenant_id);
ALTER TABLE b ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON b TO app USING (tenant_id = tidv());
GRANT SELECT ON b TO app;
INSERT INTO b VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from b');
SELECT proof.plan('select * from b', 'Index Cond', false);
