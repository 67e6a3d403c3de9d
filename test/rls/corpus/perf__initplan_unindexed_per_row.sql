-- clean
-- expect_perf: perf_policy_initplan on x
-- expect_perf: perf_policy_unindexed_column on y
-- may: policy_opaque_function,perf_policy_initplan,perf_policy_per_row_function,perf_policy_index_defeated on z
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
CREATE TABLE x (id int PRIMARY KEY, user_id uuid NOT NULL);
CREATE INDEX ON x (user_id);
ALTER TABLE x ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON x TO authenticated USING (user_id = auth.uid());
CREATE TABLE y (id int PRIMARY KEY, user_id uuid NOT NULL);
ALTER TABLE y ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON y TO authenticated USING (user_id = (select auth.uid()));
CREATE FUNCTION row_ok(u uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN u = auth.uid(); END $$;
CREATE TABLE z (id int PRIMARY KEY, user_id uuid NOT NULL);
CREATE INDEX ON z (user_id);
ALTER TABLE z ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON z TO authenticated USING (row_ok(user_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON x, y, z TO authenticated;
INSERT INTO x VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}', 'select right(user_id::text, 1) from x');
SELECT proof.plan('select * from y', 'Index', false);
