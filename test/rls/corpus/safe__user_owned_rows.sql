-- clean
-- perf_clean
-- proved: notes
-- A single-user application: the user is the tenant.
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
    $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
CREATE ROLE authenticated LOGIN;
GRANT USAGE ON SCHEMA auth TO authenticated;
CREATE TABLE notes (id bigint PRIMARY KEY, user_id uuid NOT NULL, body text);
CREATE INDEX ON notes (user_id);
INSERT INTO notes VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'x'),
                         (2, 'b0000000-0000-0000-0000-000000000002', 'y');
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_select ON notes FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY own_insert ON notes FOR INSERT TO authenticated WITH CHECK (user_id = (SELECT auth.uid()));
CREATE POLICY own_update ON notes FOR UPDATE TO authenticated
    USING (user_id = (SELECT auth.uid())) WITH CHECK (user_id = (SELECT auth.uid()));
CREATE POLICY own_delete ON notes FOR DELETE TO authenticated USING (user_id = (SELECT auth.uid()));
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO authenticated;
-- prove:
SELECT proof.isolated('authenticated', 'a', 'request.jwt.claims={"sub":"a0000000-0000-0000-0000-000000000001"}', 'SELECT left(user_id::text, 1) FROM notes');
SELECT proof.harms('DELETE FROM notes WHERE user_id = ''b0000000-0000-0000-0000-000000000002''', '0');
