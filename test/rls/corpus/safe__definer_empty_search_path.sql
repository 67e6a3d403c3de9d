-- clean
-- proved: cases
-- An empty path and qualified names.
CREATE ROLE app LOGIN;
CREATE TABLE users (login text PRIMARY KEY, firm text NOT NULL);
INSERT INTO users VALUES ('alice', 'acme'), ('bob', 'zeta');
CREATE FUNCTION my_firm() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS
    $$ SELECT firm FROM public.users WHERE login = current_setting('app.login', true) $$;
CREATE TABLE cases (id bigint PRIMARY KEY, firm text NOT NULL);
CREATE INDEX ON cases (firm);
INSERT INTO cases VALUES (1, 'acme'), (2, 'zeta');
ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
CREATE POLICY firm ON cases FOR SELECT TO app USING (firm = (SELECT my_firm()));
GRANT SELECT ON cases TO app;
-- prove:
SELECT proof.isolated('app', 'acme', 'app.login=alice', 'SELECT firm FROM cases');
SELECT proof.sees('SELECT firm FROM cases', 'acme', 'CREATE TEMP TABLE users AS SELECT ''alice'' AS login, ''zeta'' AS firm; GRANT ALL ON users TO PUBLIC');
