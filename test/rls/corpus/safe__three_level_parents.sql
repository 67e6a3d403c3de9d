-- clean
-- proved: companies projects tasks comments
-- Comments to tasks to projects to companies, each by its parent.
CREATE ROLE app LOGIN;
CREATE TABLE companies (id integer PRIMARY KEY, owner_id integer NOT NULL);
CREATE TABLE projects (id integer PRIMARY KEY, company_id integer NOT NULL REFERENCES companies);
CREATE TABLE tasks (id integer PRIMARY KEY, project_id integer NOT NULL REFERENCES projects);
CREATE TABLE comments (id integer PRIMARY KEY, task_id integer NOT NULL REFERENCES tasks);
CREATE INDEX ON companies (owner_id);
INSERT INTO companies VALUES (1, 10), (2, 20);
INSERT INTO projects VALUES (1, 1), (2, 2);
INSERT INTO tasks VALUES (1, 1), (2, 2);
INSERT INTO comments VALUES (1, 1), (2, 2);
ALTER TABLE companies ENABLE ROW LEVEL SECURITY;
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE comments ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON companies FOR SELECT TO app USING (owner_id = (SELECT current_setting('app.user', true)::integer));
CREATE POLICY company ON projects FOR SELECT TO app USING (EXISTS (SELECT FROM companies c WHERE c.id = projects.company_id));
CREATE POLICY project ON tasks FOR SELECT TO app USING (EXISTS (SELECT FROM projects p WHERE p.id = tasks.project_id));
CREATE POLICY task ON comments TO app USING (task_id IN (SELECT t.id FROM tasks t));
GRANT SELECT ON companies, projects, tasks TO app;
GRANT SELECT, INSERT, DELETE ON comments TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user=10', 'SELECT id FROM companies', 'SELECT id FROM projects', 'SELECT id FROM tasks', 'SELECT id FROM comments');
SELECT proof.harms('INSERT INTO comments VALUES (3, 2)', 'ERROR 42501');
