-- clean
-- proved: tasks members
-- A body parsed at creation is bound to the tables it named then.
CREATE ROLE app LOGIN;
CREATE TABLE members (team_id integer, user_id integer, PRIMARY KEY (user_id, team_id));
INSERT INTO members VALUES (1, 10), (2, 20);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
GRANT SELECT ON members TO app;
CREATE FUNCTION is_member(team integer) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM members m WHERE m.team_id = team AND m.user_id = (SELECT current_setting('app.user', true)::integer));
CREATE TABLE tasks (id bigint PRIMARY KEY, team_id integer NOT NULL);
CREATE INDEX ON tasks (team_id);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON tasks FOR SELECT TO app USING (is_member(team_id));
GRANT SELECT ON tasks TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user=10', 'SELECT team_id FROM tasks');
SELECT proof.sees('SELECT team_id FROM tasks', '1', 'CREATE TEMP TABLE members AS SELECT t AS team_id, 10 AS user_id FROM generate_series(1, 2) t');
