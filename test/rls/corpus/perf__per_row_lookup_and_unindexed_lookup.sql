-- clean
-- expect_perf: perf_policy_per_row_function on docs
-- expect_perf: perf_policy_unindexed_column on mitglieder
-- expect_perf: perf_policy_correlated_subquery on akten
-- may: perf_policy_initplan on *
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
CREATE TABLE mitglieder (id int PRIMARY KEY, team_id int NOT NULL, user_id uuid NOT NULL);
ALTER TABLE mitglieder ENABLE ROW LEVEL SECURITY;
CREATE POLICY selbst ON mitglieder FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
CREATE FUNCTION ist_mitglied(t int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$ select exists (select from public.mitglieder m where m.team_id = t and m.user_id = auth.uid()) $$;
CREATE TABLE docs (id int PRIMARY KEY, team_id int NOT NULL);
CREATE TABLE akten (id int PRIMARY KEY, team_id int NOT NULL);
CREATE INDEX ON docs (team_id); CREATE INDEX ON akten (team_id);
ALTER TABLE docs ENABLE ROW LEVEL SECURITY; ALTER TABLE akten ENABLE ROW LEVEL SECURITY;
CREATE POLICY d ON docs FOR SELECT TO authenticated USING (ist_mitglied(team_id));
CREATE POLICY a ON akten FOR SELECT TO authenticated USING (EXISTS (SELECT FROM mitglieder m WHERE m.team_id = akten.team_id AND m.user_id = (select auth.uid())));
GRANT SELECT ON mitglieder, docs, akten TO authenticated;
INSERT INTO mitglieder VALUES (1, 1, '00000000-0000-0000-0000-000000000001'), (2, 2, '00000000-0000-0000-0000-000000000002');
INSERT INTO docs VALUES (1, 1), (2, 2); INSERT INTO akten VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}', 'select team_id from docs', 'select team_id from akten');
