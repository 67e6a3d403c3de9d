-- expect: policy_not_tenant_bound|policy_uncorrelated_subquery on tasks
-- may: policy_not_tenant_bound, policy_uncorrelated_subquery on tasks
-- A left join keeps the project whoever asks.
CREATE ROLE app LOGIN;
CREATE TABLE projects (id integer PRIMARY KEY, title text);
CREATE TABLE members (project_id integer, user_id integer, PRIMARY KEY (user_id, project_id));
INSERT INTO projects VALUES (1), (2);
INSERT INTO members VALUES (1, 10), (2, 20);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
GRANT SELECT ON members, projects TO app;
CREATE TABLE tasks (id bigint PRIMARY KEY, project_id integer NOT NULL);
CREATE INDEX ON tasks (project_id);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON tasks FOR SELECT TO app
    USING (EXISTS (SELECT FROM projects p LEFT JOIN members m
                   ON m.project_id = p.id AND m.user_id = (SELECT current_setting('app.user', true)::integer)
                   WHERE p.id = tasks.project_id));
GRANT SELECT ON tasks TO app;
-- prove:
SELECT proof.login('app', '1', 'app.user=10');
SELECT proof.sees('SELECT project_id FROM tasks', '1,2');
