-- expect: rls_not_forced|owner_reachable on notes
-- may: rls_not_forced, owner_reachable on notes|django
-- The framework's only role created the tables and serves the requests.
CREATE ROLE django LOGIN;
CREATE TABLE notes (id bigint PRIMARY KEY, account_id bigint NOT NULL);
CREATE INDEX ON notes (account_id);
INSERT INTO notes VALUES (1, 1), (2, 2);
ALTER TABLE notes OWNER TO django;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY account ON notes USING (account_id = (SELECT current_setting('django.account', true)::bigint));
-- prove:
SELECT proof.login('django', '1', 'django.account=1');
SELECT proof.sees('SELECT account_id FROM notes', '1,2');
