-- expect: security_definer_bypasses_rls on enrol
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT authenticated TO authenticator;
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
GRANT USAGE ON SCHEMA auth, public TO authenticated;
CREATE TABLE teams (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE members (team_id int NOT NULL REFERENCES teams, user_id uuid NOT NULL, PRIMARY KEY (user_id, team_id));
CREATE TABLE boards (id int PRIMARY KEY, team_id int NOT NULL REFERENCES teams);
CREATE INDEX ON members (team_id); CREATE INDEX ON boards (team_id);
ALTER TABLE teams ENABLE ROW LEVEL SECURITY; ALTER TABLE members ENABLE ROW LEVEL SECURITY; ALTER TABLE boards ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON teams FOR SELECT TO authenticated USING (id IN (SELECT team_id FROM members WHERE user_id = (SELECT auth.uid())));
CREATE POLICY m ON members FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY b ON boards FOR SELECT TO authenticated USING (team_id IN (SELECT team_id FROM members WHERE user_id = (SELECT auth.uid())));
GRANT SELECT ON teams, members, boards TO authenticated;
INSERT INTO teams (name) VALUES ('one'), ('two');
INSERT INTO members VALUES (1, '00000000-0000-0000-0000-000000000001'); INSERT INTO boards VALUES (1, 1), (2, 2);
CREATE FUNCTION enrol(team int, who uuid) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
  INSERT INTO public.members (team_id, user_id) VALUES (team, who) $$;
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claim.sub=00000000-0000-0000-0000-000000000001');
SELECT proof.sees('select team_id from boards', '1,2', 'select enrol(2, ''00000000-0000-0000-0000-000000000001'')');
