-- expect: policy_uncorrelated_subquery on messages
-- may: policy_not_tenant_bound, write_check_not_tenant_bound on messages
-- Asks whether the user is in the members table, not whether of this channel.
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS integer LANGUAGE sql STABLE
    AS $$ SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::integer $$;
CREATE ROLE authenticated LOGIN;
GRANT USAGE ON SCHEMA auth TO authenticated;
CREATE TABLE workspace_members (workspace_id integer, user_id integer, PRIMARY KEY (workspace_id, user_id));
CREATE INDEX ON workspace_members (user_id);
INSERT INTO workspace_members VALUES (1, 10), (2, 20);
ALTER TABLE workspace_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY self ON workspace_members FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
GRANT SELECT ON workspace_members TO authenticated;
CREATE TABLE messages (id bigint PRIMARY KEY, workspace_id integer NOT NULL, body text);
CREATE INDEX ON messages (workspace_id);
INSERT INTO messages VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON messages FOR ALL TO authenticated
    USING ((SELECT auth.uid()) IN (SELECT user_id FROM workspace_members));
GRANT SELECT, INSERT ON messages TO authenticated;
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claim.sub=10');
SELECT proof.sees('SELECT workspace_id FROM messages', '1,2');
SELECT proof.harms('INSERT INTO messages VALUES (3, 2, ''spam'')', '1');
