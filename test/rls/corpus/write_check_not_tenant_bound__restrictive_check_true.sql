-- expect: write_check_not_tenant_bound on entries
-- The floor has a WITH CHECK of its own, which says true.
CREATE ROLE till LOGIN;
CREATE TABLE entries (id bigint PRIMARY KEY, filiale text NOT NULL);
CREATE INDEX ON entries (filiale);
INSERT INTO entries VALUES (1, 'nord'), (2, 'sued');
ALTER TABLE entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY any_row ON entries TO till USING (true);
CREATE POLICY floor ON entries AS RESTRICTIVE TO till USING (filiale = (SELECT current_setting('till.filiale', true))) WITH CHECK (true);
GRANT SELECT, INSERT ON entries TO till;
-- may: policy_always_true, restrictive_policy_noop on entries
-- prove:
SELECT proof.login('till', 'nord', 'till.filiale=nord');
SELECT proof.sees('SELECT filiale FROM entries', 'nord');
SELECT proof.harms('INSERT INTO entries VALUES (3, ''sued'')', '1');
