-- clean
-- perf_clean
-- proved: tasks
-- The helper yields the set once; the row is looked up in it.
CREATE ROLE app LOGIN;
CREATE TABLE members (team_id integer, user_id integer, PRIMARY KEY (user_id, team_id));
INSERT INTO members VALUES (1, 10), (2, 20);
CREATE FUNCTION my_teams() RETURNS SETOF integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT m.team_id FROM members m WHERE m.user_id = nullif(current_setting('app.user', true), '')::integer $$;
CREATE TABLE tasks (id bigint PRIMARY KEY, team_id integer NOT NULL);
CREATE INDEX ON tasks (team_id);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON tasks FOR SELECT TO app USING (team_id = ANY (ARRAY(SELECT my_teams())));
GRANT SELECT ON tasks TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user=10', 'SELECT team_id FROM tasks');
SELECT proof.plan('SELECT * FROM tasks', 'InitPlan', true);
