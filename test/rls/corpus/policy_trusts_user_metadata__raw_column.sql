-- expect: policy_trusts_user_metadata|policy_lookup_writable on campaigns
-- may: policy_lookup_writable on campaigns|auth.users
-- may: security_definer_bypasses_rls on my_agency
-- The users table, which the service lets users edit, says which agency they belong to.
CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, raw_user_meta_data jsonb, raw_app_meta_data jsonb);
INSERT INTO auth.users VALUES ('a0000000-0000-0000-0000-000000000001', '{"agency": 2}', '{"agency": 1}');
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
    $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
CREATE FUNCTION my_agency() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS
    $$ SELECT (raw_user_meta_data ->> 'agency')::integer FROM auth.users WHERE id = auth.uid() $$;
CREATE ROLE authenticated LOGIN;
GRANT USAGE ON SCHEMA auth TO authenticated;
CREATE TABLE campaigns (id bigint PRIMARY KEY, agency_id integer NOT NULL);
CREATE INDEX ON campaigns (agency_id);
INSERT INTO campaigns VALUES (1, 1), (2, 2);
ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
CREATE POLICY agency ON campaigns FOR SELECT TO authenticated USING (agency_id = (SELECT my_agency()));
GRANT SELECT ON campaigns TO authenticated;
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"a0000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('SELECT agency_id FROM campaigns', '2');
