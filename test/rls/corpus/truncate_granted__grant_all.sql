-- expect: truncate_granted on pedidos
-- may: references_trigger_granted on pedidos
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE pedidos (id int PRIMARY KEY, empresa_id int NOT NULL);
CREATE INDEX ON pedidos (empresa_id);
ALTER TABLE pedidos ENABLE ROW LEVEL SECURITY;
CREATE POLICY e ON pedidos TO app USING (empresa_id = nullif(current_setting('app.empresa', true), '')::int);
GRANT ALL ON pedidos TO app;
INSERT INTO pedidos VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.empresa=1');
SELECT proof.holds('select count(*) from pedidos', '0', 'truncate pedidos');
