-- clean
-- proved: projects
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE projects (id int PRIMARY KEY, org_id int NOT NULL);
CREATE INDEX ON projects (org_id);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY o ON projects TO app USING (org_id = ANY (string_to_array(nullif(current_setting('app.orgs', true), ''), ',')::int[]));
GRANT SELECT, INSERT, UPDATE, DELETE ON projects TO app;
INSERT INTO projects VALUES (1, 1), (2, 2), (3, 3);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1,3', 'app.orgs=1,3', 'select org_id from projects');
