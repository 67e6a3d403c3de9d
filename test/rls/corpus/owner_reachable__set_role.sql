-- expect: owner_reachable on invoices|app|migrator
-- may: rls_not_forced on invoices
-- NOINHERIT keeps the app bound until it says SET ROLE.
CREATE ROLE migrator NOLOGIN;
CREATE ROLE app LOGIN NOINHERIT IN ROLE migrator;
CREATE TABLE invoices (id bigint PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON invoices (firma);
INSERT INTO invoices VALUES (1, 'a'), (2, 'b');
ALTER TABLE invoices OWNER TO migrator;
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON invoices TO app USING (firma = (SELECT current_setting('app.firma', true)));
GRANT SELECT ON invoices TO app;
-- prove:
SELECT proof.login('app', 'a', 'app.firma=a');
SELECT proof.sees('SELECT firma FROM invoices', 'a');
SELECT proof.sees('SELECT firma FROM invoices', 'a,b', 'SET LOCAL ROLE migrator');
