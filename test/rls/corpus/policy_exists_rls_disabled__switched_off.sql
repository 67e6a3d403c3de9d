-- expect: policy_exists_rls_disabled on payroll.runs
-- may: rls_disabled on payroll.runs
-- Switched off for a bulk load, and never on again.
CREATE ROLE hr LOGIN;
CREATE SCHEMA payroll;
GRANT USAGE ON SCHEMA payroll TO hr;
CREATE TABLE payroll.runs (id bigint PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON payroll.runs (firma);
INSERT INTO payroll.runs VALUES (1, 'a'), (2, 'b');
ALTER TABLE payroll.runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON payroll.runs FOR SELECT TO hr USING (firma = (SELECT current_setting('hr.firma', true)));
GRANT SELECT ON payroll.runs TO hr;
ALTER TABLE payroll.runs DISABLE ROW LEVEL SECURITY;
-- prove:
SELECT proof.login('hr', 'a', 'hr.firma=a');
SELECT proof.sees('SELECT firma FROM payroll.runs', 'a,b');
