-- clean
-- perf_clean
-- proved: tasks
-- A helper with a row argument that computes and queries nothing.
CREATE ROLE app LOGIN;
CREATE FUNCTION is_visible(state text, archived boolean) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT state <> 'deleted' AND NOT archived $$;
CREATE TABLE tasks (id bigint PRIMARY KEY, team_id integer NOT NULL, state text NOT NULL DEFAULT 'new', archived boolean NOT NULL DEFAULT false);
CREATE INDEX ON tasks (team_id);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY team ON tasks FOR SELECT TO app
    USING (team_id = (SELECT current_setting('app.team', true)::integer) AND is_visible(state, archived));
GRANT SELECT ON tasks TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.team=1', 'SELECT team_id FROM tasks');
