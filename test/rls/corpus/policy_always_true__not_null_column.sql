-- expect: policy_always_true|policy_not_tenant_bound on vehicles
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE vehicles (id int PRIMARY KEY, org_id int NOT NULL, plate text);
CREATE INDEX ON vehicles (org_id);
ALTER TABLE vehicles ENABLE ROW LEVEL SECURITY;
CREATE POLICY sel ON vehicles FOR SELECT TO app USING (org_id IS NOT NULL);
CREATE POLICY ins ON vehicles FOR INSERT TO app WITH CHECK (org_id = nullif(current_setting('app.org_id', true), '')::int);
GRANT SELECT, INSERT ON vehicles TO app;
INSERT INTO vehicles VALUES (1, 1, 'a'), (2, 2, 'b');
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.org_id=1');
SELECT proof.sees('select org_id from vehicles', '1,2');
