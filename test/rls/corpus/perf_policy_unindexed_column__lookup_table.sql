-- expect_perf: perf_policy_unindexed_column on team_members
-- The membership is looked up by user, and its key leads with the team.
CREATE ROLE app LOGIN;
CREATE TABLE team_members (team_id integer, user_id integer, PRIMARY KEY (team_id, user_id));
INSERT INTO team_members VALUES (1, 10), (2, 20);
ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON team_members FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
GRANT SELECT ON team_members TO app;
CREATE TABLE tasks (id bigint PRIMARY KEY, team_id integer NOT NULL);
CREATE INDEX ON tasks (team_id);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON tasks FOR SELECT TO app
    USING (team_id IN (SELECT m.team_id FROM team_members m WHERE m.user_id = (SELECT current_setting('app.user', true)::integer)));
GRANT SELECT ON tasks TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user=10', 'SELECT team_id FROM tasks');
