-- expect: policy_recursion on members
-- may: policy_opaque_function, policy_lookup_writable on members
-- The policy of members asks members: every query fails.
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant_id integer, user_id integer, PRIMARY KEY (user_id, tenant_id));
INSERT INTO members VALUES (1, 10), (2, 20);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY fellows ON members FOR SELECT TO app
    USING (tenant_id IN (SELECT m.tenant_id FROM members m
                         WHERE m.user_id = (SELECT current_setting('app.user_id', true)::integer)));
GRANT SELECT ON members TO app;
-- prove:
SELECT proof.login('app', '1', 'app.user_id=10');
SELECT proof.sees('SELECT tenant_id FROM members', 'ERROR 42P17');
