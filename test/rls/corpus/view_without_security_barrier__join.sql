-- expect: view_without_security_barrier on my_tasks
-- The filter is a join with the memberships of the session.
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant_id integer, user_id integer, PRIMARY KEY (user_id, tenant_id));
CREATE TABLE tasks (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON tasks (tenant_id);
INSERT INTO members VALUES (1, 10), (2, 20);
INSERT INTO tasks VALUES (1, 1), (2, 2);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE VIEW my_tasks AS
    SELECT t.id, t.tenant_id FROM tasks t JOIN members m USING (tenant_id)
    WHERE m.user_id = (SELECT current_setting('app.user', true)::integer);
GRANT SELECT ON my_tasks TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user=10', 'SELECT tenant_id FROM my_tasks');
SELECT proof.sees('SELECT * FROM pg_temp.loot', '1,2', $$
    CREATE TEMP TABLE loot (tenant integer);
    CREATE FUNCTION pg_temp.spy(bigint, integer) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
        'BEGIN INSERT INTO loot VALUES ($2); RETURN true; END';
    SET LOCAL enable_nestloop = off;
    SELECT count(*) FROM my_tasks WHERE pg_temp.spy(id, tenant_id) $$);
