-- expect: policy_uncorrelated_subquery on hojokin
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
CREATE TABLE kaiin (kaisha_id int NOT NULL, user_id uuid NOT NULL, yakuwari text NOT NULL, PRIMARY KEY (user_id, kaisha_id));
ALTER TABLE kaiin ENABLE ROW LEVEL SECURITY;
CREATE POLICY jibun ON kaiin FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
GRANT SELECT ON kaiin TO authenticated;
CREATE FUNCTION kanrisha_desu_ka() RETURNS boolean LANGUAGE sql STABLE AS $$
  select exists (select 1 from public.kaiin k where k.user_id = auth.uid() and k.yakuwari = 'kanrisha') $$;
CREATE TABLE hojokin (id int PRIMARY KEY, kaisha_id int NOT NULL);
CREATE INDEX ON hojokin (kaisha_id);
ALTER TABLE hojokin ENABLE ROW LEVEL SECURITY;
CREATE POLICY kanrisha ON hojokin FOR SELECT TO authenticated USING ((select kanrisha_desu_ka()));
GRANT SELECT ON hojokin TO authenticated;
INSERT INTO kaiin VALUES (1, '00000000-0000-0000-0000-000000000001', 'kanrisha');
INSERT INTO hojokin VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select kaisha_id from hojokin', '1,2');
