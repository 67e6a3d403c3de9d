-- expect: restrictive_policy_noop on claims
-- A floor that every row of the table passes: the key is never NULL.
CREATE ROLE insurer LOGIN;
CREATE TABLE claims (id bigint PRIMARY KEY, broker_id bigint NOT NULL, state text);
CREATE INDEX ON claims (broker_id);
INSERT INTO claims VALUES (1, 1, 'new'), (2, 2, 'new');
ALTER TABLE claims ENABLE ROW LEVEL SECURITY;
CREATE POLICY broker ON claims FOR SELECT TO insurer USING (broker_id = (SELECT current_setting('ins.broker', true)::bigint));
CREATE POLICY floor ON claims AS RESTRICTIVE FOR SELECT TO insurer USING (broker_id IS NOT NULL);
GRANT SELECT ON claims TO insurer;
-- prove:
SELECT proof.isolated('insurer', '1', 'ins.broker=1', 'SELECT broker_id FROM claims');
