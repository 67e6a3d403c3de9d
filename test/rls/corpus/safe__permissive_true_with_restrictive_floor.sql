-- clean
-- proved: saldos
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE saldos (id int PRIMARY KEY, empresa_id int NOT NULL);
CREATE INDEX ON saldos (empresa_id);
ALTER TABLE saldos ENABLE ROW LEVEL SECURITY;
CREATE POLICY todos ON saldos TO app USING (true);
CREATE POLICY piso ON saldos AS RESTRICTIVE TO app USING (empresa_id = nullif(current_setting('app.empresa', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON saldos TO app;
INSERT INTO saldos VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.empresa=1', 'select empresa_id from saldos');
SELECT proof.harms('delete from saldos where empresa_id = 2', '0');
