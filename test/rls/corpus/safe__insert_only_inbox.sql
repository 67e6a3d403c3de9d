-- clean
-- proved: messages
-- Write-only: inserts under the own tenant, nothing can be read.
CREATE ROLE app LOGIN;
CREATE TABLE messages (id bigint PRIMARY KEY, tenant_id integer NOT NULL, body text);
CREATE INDEX ON messages (tenant_id);
INSERT INTO messages VALUES (1, 1), (2, 2);
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY send ON messages FOR INSERT TO app WITH CHECK (tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT INSERT ON messages TO app;
-- prove:
SELECT proof.login('app', '1', 'app.t=1');
SELECT proof.sees('SELECT tenant_id FROM messages', 'ERROR 42501');
SELECT proof.holds('INSERT INTO messages VALUES (3, 1)', '1');
SELECT proof.harms('INSERT INTO messages VALUES (3, 2)', 'ERROR 42501');
