-- clean
-- proved: members
-- The usual cure: a definer function reads members past the policy.
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant_id integer, user_id integer, PRIMARY KEY (user_id, tenant_id));
CREATE INDEX ON members (tenant_id);
INSERT INTO members VALUES (1, 10), (1, 11), (2, 20);
CREATE FUNCTION my_tenants() RETURNS SETOF integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT tenant_id FROM members WHERE user_id = nullif(current_setting('app.user_id', true), '')::integer $$;
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY fellows ON members FOR SELECT TO app USING (tenant_id IN (SELECT my_tenants()));
GRANT SELECT ON members TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user_id=10', 'SELECT tenant_id FROM members');
SELECT proof.holds('SELECT user_id FROM members', '10,11');
