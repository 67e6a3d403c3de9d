-- clean
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
CREATE TABLE notes (id int PRIMARY KEY, user_id uuid NOT NULL, body text);
CREATE INDEX ON notes (user_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes TO authenticated USING (user_id = (select auth.uid()));
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO authenticated;
CREATE FUNCTION my_note_count() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$ select count(*) from public.notes n where n.user_id = (select auth.uid()) $$;
CREATE FUNCTION rename_mine(p int, t text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
  UPDATE public.notes SET body = t WHERE id = p AND user_id = auth.uid();
  IF NOT FOUND THEN RAISE EXCEPTION 'not found'; END IF;
END $$;
INSERT INTO notes VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}', 'select right(user_id::text, 1) from notes');
SELECT proof.holds('select my_note_count()', '1');
SELECT proof.holds('select rename_mine(2, ''x'')', 'ERROR P0001');
