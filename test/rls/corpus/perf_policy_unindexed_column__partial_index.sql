-- expect_perf: perf_policy_unindexed_column on jobs
-- The only index covers open jobs; the policy asks for all.
CREATE ROLE app LOGIN;
CREATE TABLE jobs (id bigint PRIMARY KEY, firma text NOT NULL, open boolean NOT NULL DEFAULT true);
CREATE INDEX ON jobs (firma) WHERE open;
INSERT INTO jobs VALUES (1, 'a'), (2, 'b');
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON jobs TO app USING (firma = (SELECT current_setting('app.firma', true)));
GRANT SELECT, INSERT ON jobs TO app;
-- prove:
SELECT proof.isolated('app', 'a', 'app.firma=a', 'SELECT firma FROM jobs');
SELECT proof.plan('SELECT * FROM jobs', 'Seq Scan', true);
