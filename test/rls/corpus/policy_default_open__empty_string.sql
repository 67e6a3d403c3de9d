-- expect: policy_default_open on visits
-- may: write_check_not_tenant_bound on visits
-- Closed while the setting was never set, open once it is empty.
CREATE ROLE praxis LOGIN;
CREATE TABLE visits (id bigint PRIMARY KEY, mandant text NOT NULL, note text);
CREATE INDEX ON visits (mandant);
INSERT INTO visits VALUES (1, 'nord', 'x'), (2, 'sued', 'y');
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON visits FOR SELECT TO praxis
    USING (mandant = current_setting('praxis.mandant', true)
           OR current_setting('praxis.mandant', true) = '');
GRANT SELECT ON visits TO praxis;
-- prove:
SELECT proof.login('praxis', NULL);
SELECT proof.sees('SELECT mandant FROM visits', '');
SELECT proof.login('praxis', NULL, 'praxis.mandant=');
SELECT proof.sees('SELECT mandant FROM visits', 'nord,sued');
