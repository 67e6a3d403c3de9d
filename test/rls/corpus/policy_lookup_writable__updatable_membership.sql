-- expect: policy_lookup_writable on memberships|boards
-- may: write_check_not_tenant_bound on memberships
-- One may change one's role in a workspace, and the workspace along with it.
CREATE ROLE app LOGIN;
CREATE TABLE memberships (
    id bigint PRIMARY KEY,
    workspace_id integer NOT NULL,
    user_id integer NOT NULL,
    nickname text
);
CREATE INDEX ON memberships (user_id);
INSERT INTO memberships VALUES (1, 1, 10), (2, 2, 20);
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_own ON memberships FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
CREATE POLICY edit_own ON memberships FOR UPDATE TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
GRANT SELECT, UPDATE ON memberships TO app;
CREATE TABLE boards (id bigint PRIMARY KEY, workspace_id integer NOT NULL);
CREATE INDEX ON boards (workspace_id);
INSERT INTO boards VALUES (1, 1), (2, 2);
ALTER TABLE boards ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON boards FOR SELECT TO app
    USING (workspace_id = ANY (ARRAY(SELECT m.workspace_id FROM memberships m
                                     WHERE m.user_id = (SELECT current_setting('app.user', true)::integer))));
GRANT SELECT ON boards TO app;
-- prove:
SELECT proof.login('app', '1', 'app.user=10');
SELECT proof.sees('SELECT workspace_id FROM boards', '1');
SELECT proof.sees('SELECT workspace_id FROM boards', '2', 'UPDATE memberships SET workspace_id = 2');
