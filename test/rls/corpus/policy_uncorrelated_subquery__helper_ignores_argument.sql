-- expect: policy_uncorrelated_subquery|policy_not_tenant_bound on reports
-- may: policy_uncorrelated_subquery, policy_not_tenant_bound, write_check_not_tenant_bound on reports
-- The helper takes the tenant, and forgets to look at it.
CREATE ROLE app LOGIN;
CREATE TABLE employees (user_id bigint NOT NULL, firma bigint NOT NULL, PRIMARY KEY (user_id, firma));
INSERT INTO employees VALUES (10, 1), (20, 2);
CREATE FUNCTION works_for(which bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM employees
                   WHERE user_id = current_setting('app.user_id')::bigint)
$$;
CREATE TABLE reports (id bigint PRIMARY KEY, firma bigint NOT NULL, body text);
CREATE INDEX ON reports (firma);
INSERT INTO reports VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE reports ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON reports FOR SELECT TO app USING (works_for(firma));
GRANT SELECT ON reports TO app;
-- prove:
SELECT proof.login('app', '1', 'app.user_id=10');
SELECT proof.sees('SELECT firma FROM reports', '1,2');
