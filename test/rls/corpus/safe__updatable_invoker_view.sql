-- clean
-- proved: tasks
CREATE ROLE app LOGIN;
CREATE TABLE tasks (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, done boolean NOT NULL DEFAULT false);
CREATE INDEX ON tasks (tenant_id);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tasks TO app USING (tenant_id = (SELECT current_setting('app.tenant', true)::bigint));
CREATE VIEW task_list WITH (security_invoker) AS SELECT * FROM tasks WHERE NOT done WITH CHECK OPTION;
GRANT SELECT, INSERT, UPDATE, DELETE ON tasks, task_list TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'SELECT tenant_id FROM task_list');
SELECT proof.harms('DELETE FROM task_list WHERE tenant_id = 2', '0');
SELECT proof.harms('INSERT INTO task_list VALUES (3, 2)', 'ERROR 42501');
