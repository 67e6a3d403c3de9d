-- clean
-- proved: teams members projects tasks
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT anon, authenticated TO authenticator;
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
  select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid $$;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$
  select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
GRANT USAGE ON SCHEMA auth, public TO anon, authenticated;
CREATE SCHEMA private;
GRANT USAGE ON SCHEMA private TO authenticated;
CREATE TABLE teams (id int PRIMARY KEY, name text);
CREATE TABLE members (team_id int NOT NULL REFERENCES teams, user_id uuid NOT NULL, role text NOT NULL, PRIMARY KEY (user_id, team_id));
CREATE TABLE projects (id int PRIMARY KEY, team_id int NOT NULL REFERENCES teams, name text);
CREATE TABLE tasks (id int PRIMARY KEY, project_id int NOT NULL REFERENCES projects, title text);
CREATE INDEX ON projects (team_id); CREATE INDEX ON tasks (project_id); CREATE INDEX ON members (team_id);
CREATE FUNCTION private.my_teams() RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$ select m.team_id from public.members m where m.user_id = (select auth.uid()) $$;
CREATE FUNCTION private.my_admin_teams() RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$ select m.team_id from public.members m where m.user_id = (select auth.uid()) and m.role = 'admin' $$;
ALTER TABLE teams ENABLE ROW LEVEL SECURITY; ALTER TABLE members ENABLE ROW LEVEL SECURITY; ALTER TABLE projects ENABLE ROW LEVEL SECURITY; ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON teams FOR SELECT TO authenticated USING (id IN (SELECT private.my_teams()));
CREATE POLICY m ON members FOR SELECT TO authenticated USING (team_id IN (SELECT private.my_teams()));
CREATE POLICY mi ON members FOR INSERT TO authenticated WITH CHECK (team_id IN (SELECT private.my_admin_teams()));
CREATE POLICY md ON members FOR DELETE TO authenticated USING (team_id IN (SELECT private.my_admin_teams()));
CREATE POLICY p ON projects TO authenticated USING (team_id IN (SELECT private.my_teams()));
CREATE POLICY k ON tasks TO authenticated USING (project_id IN (SELECT p.id FROM projects p WHERE p.team_id IN (SELECT private.my_teams())));
GRANT SELECT ON teams TO authenticated; GRANT SELECT, INSERT, DELETE ON members TO authenticated; GRANT SELECT, INSERT, UPDATE, DELETE ON projects, tasks TO authenticated;
INSERT INTO teams VALUES (1), (2); INSERT INTO members VALUES (1, '00000000-0000-0000-0000-000000000001', 'admin'), (2, '00000000-0000-0000-0000-000000000002', 'admin');
INSERT INTO projects VALUES (1, 1), (2, 2); INSERT INTO tasks VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}', 'select id from teams', 'select team_id from members', 'select team_id from projects', 'select project_id from tasks');
SELECT proof.harms('insert into members values (2, ''00000000-0000-0000-0000-000000000001'', ''admin'')', 'ERROR 42501');
SELECT proof.harms('insert into tasks values (9, 2)', 'ERROR 42501');
