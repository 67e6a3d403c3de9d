-- expect: policy_not_tenant_bound on tasks
-- expect: rls_disabled on projects
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE projects (id int PRIMARY KEY, org_id int NOT NULL);
CREATE TABLE tasks (id int PRIMARY KEY, project_id int NOT NULL REFERENCES projects, title text);
CREATE INDEX ON tasks (project_id);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible_project ON tasks FOR SELECT TO app USING (EXISTS (SELECT 1 FROM projects p WHERE p.id = tasks.project_id));
GRANT SELECT ON projects, tasks TO app;
INSERT INTO projects VALUES (1, 1), (2, 2);
INSERT INTO tasks VALUES (1, 1, 'a'), (2, 2, 'b');
CREATE TABLE comments (id int PRIMARY KEY, org_id int NOT NULL);
ALTER TABLE comments ENABLE ROW LEVEL SECURITY;
CREATE POLICY o ON comments TO app USING (org_id = nullif(current_setting('app.org', true), '')::int);
GRANT SELECT ON comments TO app;
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.org=1');
SELECT proof.sees('select project_id from tasks', '1,2');
