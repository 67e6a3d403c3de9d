-- expect: restrictive_policy_noop on planes
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE planes (id int PRIMARY KEY, empresa_id int NOT NULL, activo boolean NOT NULL);
CREATE INDEX ON planes (empresa_id);
ALTER TABLE planes ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON planes TO app USING (empresa_id = nullif(current_setting('app.empresa', true), '')::int);
CREATE POLICY floor ON planes AS RESTRICTIVE TO app USING (activo OR NOT activo);
GRANT SELECT, INSERT, UPDATE, DELETE ON planes TO app;
INSERT INTO planes VALUES (1, 1, true), (2, 2, false);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.empresa=1');
SELECT proof.sees('select empresa_id from planes', '1');
SELECT proof.holds('update planes set activo = not activo', '1');
