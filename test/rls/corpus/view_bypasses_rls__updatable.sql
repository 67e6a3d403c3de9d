-- expect: view_bypasses_rls on task_list
-- An automatically updatable view writes as its owner, too.
CREATE ROLE app LOGIN;
CREATE TABLE tasks (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, done boolean NOT NULL DEFAULT false);
CREATE INDEX ON tasks (tenant_id);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tasks TO app USING (tenant_id = (SELECT current_setting('app.tenant', true)::bigint));
CREATE VIEW task_list AS SELECT * FROM tasks WHERE NOT done WITH CHECK OPTION;
GRANT SELECT ON tasks TO app;
GRANT SELECT, INSERT, UPDATE, DELETE ON task_list TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('SELECT tenant_id FROM task_list', '1,2');
SELECT proof.harms('DELETE FROM task_list', '2');
