-- expect_perf: perf_policy_per_row_function on tasks
CREATE ROLE app LOGIN;
CREATE TABLE members (team_id integer, user_id integer, PRIMARY KEY (user_id, team_id));
INSERT INTO members VALUES (1, 10), (2, 20);
CREATE FUNCTION is_member(team integer) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM members m WHERE m.team_id = team AND m.user_id = nullif(current_setting('app.user', true), '')::integer)
$$;
CREATE TABLE tasks (id bigint PRIMARY KEY, team_id integer NOT NULL);
CREATE INDEX ON tasks (team_id);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON tasks FOR SELECT TO app USING (is_member(team_id));
GRANT SELECT ON tasks TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user=10', 'SELECT team_id FROM tasks');
SELECT proof.plan('SELECT * FROM tasks', 'Filter: is_member', true);
