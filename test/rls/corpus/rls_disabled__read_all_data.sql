-- expect: rls_disabled on messages
-- No grant on any table, but pg_read_all_data.
CREATE ROLE bi LOGIN IN ROLE pg_read_all_data;
CREATE TABLE messages (id bigint PRIMARY KEY, workspace_id uuid NOT NULL, body text);
CREATE INDEX ON messages (workspace_id);
INSERT INTO messages VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'x'), (2, 'b0000000-0000-0000-0000-000000000002', 'y');
CREATE TABLE channels (id bigint PRIMARY KEY, workspace_id uuid NOT NULL);
CREATE INDEX ON channels (workspace_id);
ALTER TABLE channels ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON channels FOR SELECT TO bi
    USING (workspace_id = (SELECT nullif(current_setting('bi.workspace', true), '')::uuid));
-- prove:
SELECT proof.login('bi', 'a', 'bi.workspace=a0000000-0000-0000-0000-000000000001');
SELECT proof.sees('SELECT left(workspace_id::text, 1) FROM messages', 'a,b');
