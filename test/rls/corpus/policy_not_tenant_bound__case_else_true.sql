-- expect: policy_not_tenant_bound on notas
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE notas (id int PRIMARY KEY, empresa_id int NOT NULL, privada boolean NOT NULL);
CREATE INDEX ON notas (empresa_id);
ALTER TABLE notas ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON notas TO app USING (CASE WHEN privada THEN empresa_id = nullif(current_setting('app.empresa', true), '')::int ELSE true END);
GRANT SELECT ON notas TO app;
INSERT INTO notas VALUES (1, 1, true), (2, 2, false);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.empresa=1');
SELECT proof.sees('select empresa_id from notas', '1,2');
