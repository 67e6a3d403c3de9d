-- clean
-- proved: clientes
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE clientes (id int PRIMARY KEY, empresa_id int NOT NULL, borrado timestamptz);
CREATE INDEX ON clientes (empresa_id);
ALTER TABLE clientes ENABLE ROW LEVEL SECURITY;
CREATE POLICY por_empresa ON clientes TO app USING (empresa_id = nullif(current_setting('app.empresa', true), '')::int);
CREATE POLICY no_borrados ON clientes AS RESTRICTIVE FOR SELECT TO app USING (borrado IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON clientes TO app;
INSERT INTO clientes VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.empresa=1', 'select empresa_id from clientes');
