-- expect: default_privileges_exposed on *
-- The migration role grants whatever it creates to PUBLIC.
CREATE ROLE migrator NOLOGIN;
CREATE ROLE app LOGIN;
GRANT CREATE, USAGE ON SCHEMA public TO migrator;
CREATE TABLE orders (id bigint PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON orders (firma);
ALTER TABLE orders OWNER TO migrator;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON orders TO app USING (firma = (SELECT current_setting('app.firma', true)));
GRANT SELECT ON orders TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE migrator GRANT SELECT ON TABLES TO PUBLIC;
-- prove:
SET ROLE migrator;
CREATE TABLE tomorrow (id bigint, firma text);
INSERT INTO tomorrow VALUES (1, 'a'), (2, 'b');
RESET ROLE;
SELECT proof.login('app', 'a', 'app.firma=a');
SELECT proof.sees('SELECT firma FROM tomorrow', 'a,b');
