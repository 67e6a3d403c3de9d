-- clean
-- perf_clean
-- proved: projects
CREATE ROLE authenticated LOGIN;
CREATE TABLE projects (id bigint PRIMARY KEY, workspace uuid NOT NULL);
CREATE INDEX ON projects (workspace);
INSERT INTO projects VALUES (1, 'a0000000-0000-0000-0000-000000000001'), (2, 'b0000000-0000-0000-0000-000000000002');
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY workspace ON projects TO authenticated
    USING (workspace = (SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb #>> '{app_metadata,workspace}')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON projects TO authenticated;
-- prove:
SELECT proof.isolated('authenticated', 'a', 'request.jwt.claims={"app_metadata":{"workspace":"a0000000-0000-0000-0000-000000000001"}}', 'SELECT left(workspace::text, 1) FROM projects');
