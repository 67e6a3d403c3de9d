-- expect: policy_self_comparison|policy_uncorrelated_subquery on notes
-- may: policy_self_comparison, policy_uncorrelated_subquery, policy_not_tenant_bound on notes
-- m.tenant = m.tenant: the alias was typed twice.
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant text, login text, PRIMARY KEY (login, tenant));
INSERT INTO members VALUES ('a', 'alice'), ('b', 'bob');
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members FOR SELECT TO app USING (login = (SELECT current_setting('app.login', true)));
GRANT SELECT ON members TO app;
CREATE TABLE notes (id bigint PRIMARY KEY, tenant text NOT NULL);
CREATE INDEX ON notes (tenant);
INSERT INTO notes VALUES (1, 'a'), (2, 'b');
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON notes FOR SELECT TO app
    USING (EXISTS (SELECT FROM members m WHERE m.login = (SELECT current_setting('app.login', true)) AND m.tenant = m.tenant));
GRANT SELECT ON notes TO app;
-- prove:
SELECT proof.login('app', 'a', 'app.login=alice');
SELECT proof.sees('SELECT tenant FROM notes', 'a,b');
