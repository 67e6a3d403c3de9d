-- expect: restrictive_only on eventos
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE eventos (id int PRIMARY KEY, empresa_id int NOT NULL);
CREATE INDEX ON eventos (empresa_id);
ALTER TABLE eventos ENABLE ROW LEVEL SECURITY;
CREATE POLICY piso ON eventos AS RESTRICTIVE TO app USING (empresa_id = nullif(current_setting('app.empresa', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON eventos TO app;
INSERT INTO eventos VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.empresa=1');
SELECT proof.sees('select empresa_id from eventos', '');
