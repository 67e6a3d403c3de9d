-- expect: rls_disabled on clients
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE clients (id int PRIMARY KEY, societe_id int NOT NULL, nom text, iban text);
INSERT INTO clients VALUES (1, 1, 'Dupont', 'FR1'), (2, 2, 'Durand', 'FR2');
GRANT SELECT (id, societe_id, nom) ON clients TO app;
CREATE TABLE factures (id int PRIMARY KEY, societe_id int NOT NULL, total int);
ALTER TABLE factures ENABLE ROW LEVEL SECURITY;
CREATE POLICY p_factures ON factures TO app USING (societe_id = nullif(current_setting('app.societe', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON factures TO app;
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.societe=1');
SELECT proof.sees('select societe_id from clients', '1,2');
