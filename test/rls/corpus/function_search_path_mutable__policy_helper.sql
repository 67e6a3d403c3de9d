-- expect: function_search_path_mutable on is_member
-- An invoker helper, resolved through the caller's path.
CREATE ROLE app LOGIN;
CREATE TABLE members (team_id integer, user_id integer, PRIMARY KEY (user_id, team_id));
INSERT INTO members VALUES (1, 10), (2, 20);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
GRANT SELECT ON members TO app;
CREATE FUNCTION is_member(team integer) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM members m WHERE m.team_id = team AND m.user_id = current_setting('app.user', true)::integer);
END $$;
CREATE TABLE tasks (id bigint PRIMARY KEY, team_id integer NOT NULL);
CREATE INDEX ON tasks (team_id);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON tasks FOR SELECT TO app USING (is_member(team_id));
GRANT SELECT ON tasks TO app;
-- may: policy_opaque_function on tasks|is_member
-- prove:
SELECT proof.login('app', '1', 'app.user=10');
SELECT proof.sees('SELECT team_id FROM tasks', '1');
SELECT proof.sees('SELECT team_id FROM tasks', '1,2', 'CREATE TEMP TABLE members AS SELECT t AS team_id, 10 AS user_id FROM generate_series(1, 2) t');
