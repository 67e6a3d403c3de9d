-- expect_perf: perf_policy_index_defeated on projects
-- may: policy_not_tenant_bound, policy_opaque_function on projects
-- lower() on the column; CHECK keeps the names in lower case, so no tenant sees another's.
CREATE ROLE app LOGIN;
CREATE TABLE projects (id bigint PRIMARY KEY, firma text NOT NULL CHECK (firma = lower(firma)));
CREATE INDEX ON projects (firma);
INSERT INTO projects VALUES (1, 'acme'), (2, 'zeta');
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON projects FOR SELECT TO app USING (lower(firma) = (SELECT current_setting('app.firma', true)));
GRANT SELECT ON projects TO app;
-- prove:
SELECT proof.isolated('app', 'acme', 'app.firma=acme', 'SELECT firma FROM projects');
SELECT proof.plan('SELECT * FROM projects', 'Index Cond', false);
