-- expect: policy_always_true on saldos
-- may: restrictive_policy_noop on saldos
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE saldos (id int PRIMARY KEY, empresa_id int NOT NULL);
CREATE INDEX ON saldos (empresa_id);
ALTER TABLE saldos ENABLE ROW LEVEL SECURITY;
CREATE POLICY todos ON saldos TO app USING (true);
CREATE POLICY piso ON saldos AS RESTRICTIVE FOR SELECT TO app USING (empresa_id = nullif(current_setting('app.empresa', true), '')::int);
GRANT SELECT, DELETE ON saldos TO app;
INSERT INTO saldos VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.empresa=1');
SELECT proof.sees('select empresa_id from saldos', '1');
SELECT proof.harms('delete from saldos', '2');
