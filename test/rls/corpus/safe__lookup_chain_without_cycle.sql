-- clean
-- proved: tasks projects team_members
-- Tasks ask projects, projects ask members, members ask the session.
CREATE ROLE app LOGIN;
CREATE TABLE team_members (team_id integer, user_id integer, PRIMARY KEY (user_id, team_id));
CREATE TABLE projects (id integer PRIMARY KEY, team_id integer NOT NULL);
CREATE TABLE tasks (id integer PRIMARY KEY, project_id integer NOT NULL REFERENCES projects);
CREATE INDEX ON projects (team_id);
CREATE INDEX ON tasks (project_id);
INSERT INTO team_members VALUES (1, 10), (2, 20);
INSERT INTO projects VALUES (1, 1), (2, 2);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON team_members FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
CREATE POLICY team ON projects FOR SELECT TO app USING (team_id IN (SELECT m.team_id FROM team_members m));
CREATE POLICY project ON tasks FOR SELECT TO app USING (project_id IN (SELECT p.id FROM projects p));
GRANT SELECT ON team_members, projects, tasks TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user=10', 'SELECT id FROM tasks', 'SELECT id FROM projects');
