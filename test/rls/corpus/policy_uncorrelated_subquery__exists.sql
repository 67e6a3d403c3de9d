-- expect: policy_uncorrelated_subquery on tasks
-- may: policy_not_tenant_bound, write_check_not_tenant_bound on tasks
-- Anybody who is a member of something sees everything.
CREATE ROLE app LOGIN;
CREATE TABLE team_members (
    team_id uuid NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (user_id, team_id)
);
INSERT INTO team_members VALUES ('a0000000-0000-0000-0000-000000000001', '10000000-0000-0000-0000-000000000000'),
                                ('b0000000-0000-0000-0000-000000000002', '20000000-0000-0000-0000-000000000000');
ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON team_members FOR SELECT TO app
    USING (user_id = (SELECT current_setting('app.user', true)::uuid));
GRANT SELECT ON team_members TO app;
CREATE TABLE tasks (id bigint PRIMARY KEY, team_id uuid NOT NULL, title text);
CREATE INDEX ON tasks (team_id);
INSERT INTO tasks VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'x'),
                         (2, 'b0000000-0000-0000-0000-000000000002', 'y');
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON tasks FOR SELECT TO app
    USING (EXISTS (SELECT 1 FROM team_members
                   WHERE user_id = (SELECT current_setting('app.user', true)::uuid)));
GRANT SELECT ON tasks TO app;
-- prove:
SELECT proof.login('app', 'a0000000-0000-0000-0000-000000000001', 'app.user=10000000-0000-0000-0000-000000000000');
SELECT proof.sees('SELECT left(team_id::text, 1) FROM tasks', 'a,b');
