-- expect: policy_not_tenant_bound|policy_pattern_match_identity on a
-- expect: policy_not_tenant_bound on b
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE a (id int PRIMARY KEY, tenant_id text NOT NULL);
CREATE TABLE b (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON a (tenant_id); CREATE INDEX ON b (tenant_id);
ALTER TABLE a ENABLE ROW LEVEL SECURITY; ALTER TABLE b ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON a TO app USING (left(tenant_id, 2) = left(current_setting('app.tenant', true), 2));
CREATE POLICY t ON b TO app USING (tenant_id >= nullif(current_setting('app.num', true), '')::int);
GRANT SELECT ON a, b TO app;
INSERT INTO a VALUES (1, '101'), (2, '102'); INSERT INTO b VALUES (1, 101), (2, 102);
RESET ROLE;
-- prove:
SELECT proof.login('app', '101', 'app.tenant=101', 'app.num=101');
SELECT proof.sees('select tenant_id from a', '101,102');
SELECT proof.sees('select tenant_id from b', '101,102');
