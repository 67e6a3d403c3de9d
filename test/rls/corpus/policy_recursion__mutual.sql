-- expect: policy_recursion on teams
-- expect: policy_recursion on team_members
-- may: policy_opaque_function on teams
-- may: policy_opaque_function on team_members
-- Teams ask members, members ask teams.
CREATE ROLE app LOGIN;
CREATE TABLE teams (id integer PRIMARY KEY, owner_id integer NOT NULL);
CREATE TABLE team_members (team_id integer REFERENCES teams, user_id integer, PRIMARY KEY (user_id, team_id));
CREATE INDEX ON team_members (team_id);
CREATE INDEX ON teams (owner_id);
INSERT INTO teams VALUES (1, 10), (2, 20);
INSERT INTO team_members VALUES (1, 10), (2, 20);
ALTER TABLE teams ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON teams FOR SELECT TO app
    USING (EXISTS (SELECT FROM team_members m WHERE m.team_id = teams.id
                   AND m.user_id = (SELECT current_setting('app.user', true)::integer)));
CREATE POLICY owner ON team_members FOR SELECT TO app
    USING (team_id IN (SELECT t.id FROM teams t WHERE t.owner_id = (SELECT current_setting('app.user', true)::integer)));
GRANT SELECT ON teams, team_members TO app;
-- prove:
SELECT proof.login('app', '1', 'app.user=10');
SELECT proof.holds('SELECT id FROM teams', 'ERROR 42P17');
SELECT proof.holds('SELECT team_id FROM team_members', 'ERROR 42P17');
