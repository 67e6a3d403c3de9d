-- expect: permissive_or_widening|policy_always_true on cases
CREATE ROLE staff NOLOGIN; CREATE ROLE web LOGIN IN ROLE staff;
CREATE TABLE cases (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON cases (tenant_id);
ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON cases TO web USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE POLICY staff_all ON cases FOR SELECT TO staff USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON cases TO web;
INSERT INTO cases VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.login('web', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from cases', '1,2');
