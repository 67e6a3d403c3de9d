-- expect: policy_identity_inconsistent on jobs
-- The UPDATE policy reads another setting than its siblings: updates hit nothing.
CREATE ROLE app LOGIN;
CREATE TABLE jobs (id bigint PRIMARY KEY, org_id uuid NOT NULL, state text);
CREATE INDEX ON jobs (org_id);
INSERT INTO jobs VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'new'),
                        (2, 'b0000000-0000-0000-0000-000000000002', 'new');
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON jobs FOR SELECT TO app USING (org_id = (SELECT nullif(current_setting('app.org_id', true), '')::uuid));
CREATE POLICY add ON jobs FOR INSERT TO app WITH CHECK (org_id = (SELECT nullif(current_setting('app.org_id', true), '')::uuid));
CREATE POLICY remove ON jobs FOR DELETE TO app USING (org_id = (SELECT nullif(current_setting('app.org_id', true), '')::uuid));
CREATE POLICY change ON jobs FOR UPDATE TO app USING (org_id = (SELECT nullif(current_setting('app.organisation_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO app;
-- prove:
SELECT proof.login('app', 'a', 'app.org_id=a0000000-0000-0000-0000-000000000001');
SELECT proof.sees('SELECT left(org_id::text, 1) FROM jobs', 'a');
SELECT proof.holds('UPDATE jobs SET state = ''done''', '0');
