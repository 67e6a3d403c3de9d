-- clean
-- proved: tasks
-- EXISTS over a join of two protected tables.
CREATE ROLE app LOGIN;
CREATE TABLE teams (id integer PRIMARY KEY, name text);
CREATE TABLE team_members (team_id integer REFERENCES teams, user_id integer, PRIMARY KEY (user_id, team_id));
INSERT INTO teams VALUES (1), (2);
INSERT INTO team_members VALUES (1, 10), (2, 20);
ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON team_members FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
GRANT SELECT ON team_members, teams TO app;
CREATE TABLE tasks (id bigint PRIMARY KEY, team_id integer NOT NULL);
CREATE INDEX ON tasks (team_id);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON tasks FOR SELECT TO app
    USING (EXISTS (SELECT FROM team_members m JOIN teams t ON t.id = m.team_id
                   WHERE t.id = tasks.team_id AND m.user_id = (SELECT current_setting('app.user', true)::integer)));
GRANT SELECT ON tasks TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user=10', 'SELECT team_id FROM tasks');
