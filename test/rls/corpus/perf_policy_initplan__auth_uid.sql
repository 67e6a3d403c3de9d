-- expect_perf: perf_policy_initplan on todos
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
CREATE ROLE authenticated LOGIN;
GRANT USAGE ON SCHEMA auth TO authenticated;
CREATE TABLE todos (id bigint PRIMARY KEY, user_id uuid NOT NULL, title text);
CREATE INDEX ON todos (user_id);
INSERT INTO todos VALUES (1, 'a0000000-0000-0000-0000-000000000001'), (2, 'b0000000-0000-0000-0000-000000000002');
ALTER TABLE todos ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON todos FOR ALL TO authenticated USING (auth.uid() = user_id) WITH CHECK (auth.uid() = user_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON todos TO authenticated;
-- prove:
SELECT proof.isolated('authenticated', 'a', 'request.jwt.claim.sub=a0000000-0000-0000-0000-000000000001', 'SELECT left(user_id::text, 1) FROM todos');
SELECT proof.plan('SELECT * FROM todos', 'InitPlan', false);
