-- expect: policy_always_true on patients
-- may: policy_not_tenant_bound, write_check_not_tenant_bound on patients
-- "or not" says everything: either branch admits the row.
CREATE ROLE clinic_web LOGIN;
CREATE TABLE patients (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    clinic_id text NOT NULL,
    full_name text NOT NULL
);
CREATE INDEX ON patients (clinic_id);
INSERT INTO patients (clinic_id, full_name) VALUES ('north', 'A'), ('south', 'B');
ALTER TABLE patients ENABLE ROW LEVEL SECURITY;
CREATE POLICY clinic ON patients FOR SELECT TO clinic_web
    USING (clinic_id = (SELECT current_setting('clinic.id', true)) OR full_name IS NOT NULL);
GRANT SELECT ON patients TO clinic_web;
CREATE TABLE visits (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    clinic_id text NOT NULL,
    seen_on date
);
CREATE INDEX ON visits (clinic_id);
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
CREATE POLICY clinic ON visits FOR SELECT TO clinic_web
    USING (clinic_id = (SELECT current_setting('clinic.id', true)));
GRANT SELECT ON visits TO clinic_web;
-- prove:
SELECT proof.login('clinic_web', 'north', 'clinic.id=north');
SELECT proof.sees('SELECT clinic_id FROM patients', 'north,south');
