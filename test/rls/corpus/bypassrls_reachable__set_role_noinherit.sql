-- expect: bypassrls_reachable on *
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE kontakte (id int PRIMARY KEY, firma_id int NOT NULL);
CREATE INDEX ON kontakte (firma_id);
ALTER TABLE kontakte ENABLE ROW LEVEL SECURITY;
CREATE POLICY f ON kontakte TO app USING (firma_id = nullif(current_setting('app.firma', true), '')::int);
INSERT INTO kontakte VALUES (1, 1), (2, 2);
RESET ROLE;
CREATE ROLE support_tools NOLOGIN BYPASSRLS;
ALTER ROLE app NOINHERIT;
GRANT support_tools TO app;
GRANT SELECT ON kontakte TO app, support_tools;
-- prove:
SELECT proof.login('app', '1', 'app.firma=1');
SELECT proof.sees('select firma_id from kontakte', '1');
SELECT proof.sees('select firma_id from kontakte', '1,2', 'set local role support_tools');
