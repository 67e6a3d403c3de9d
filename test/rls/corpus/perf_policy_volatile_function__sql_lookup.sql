-- expect_perf: perf_policy_volatile_function on cases
-- may: perf_policy_initplan on cases
-- may: policy_opaque_function on cases|my_firm
CREATE ROLE law LOGIN;
CREATE TABLE users (login text PRIMARY KEY, firm text NOT NULL);
INSERT INTO users VALUES ('alice', 'acme'), ('bob', 'zeta');
CREATE FUNCTION my_firm() RETURNS text LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT u.firm FROM users u WHERE u.login = current_setting('law.login', true) $$;
CREATE TABLE cases (id bigint PRIMARY KEY, firm text NOT NULL);
CREATE INDEX ON cases (firm);
INSERT INTO cases VALUES (1, 'acme'), (2, 'zeta');
ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
CREATE POLICY firm ON cases FOR SELECT TO law USING (my_firm() = firm);
GRANT SELECT ON cases TO law;
-- prove:
SELECT proof.isolated('law', 'acme', 'law.login=alice', 'SELECT firm FROM cases');
SELECT proof.plan('SELECT * FROM cases', 'Index Cond', false);
