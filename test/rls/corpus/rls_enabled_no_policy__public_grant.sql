-- expect: rls_enabled_no_policy on sessions
CREATE ROLE web LOGIN;
CREATE TABLE sessions (token text PRIMARY KEY, user_id uuid NOT NULL);
INSERT INTO sessions VALUES ('t', 'a0000000-0000-0000-0000-000000000001');
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON sessions TO PUBLIC;
-- prove:
SELECT proof.login('web', NULL);
SELECT proof.sees('SELECT user_id FROM sessions', '');
