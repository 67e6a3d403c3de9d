-- expect: view_bypasses_rls on open_tickets
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE tickets (id int PRIMARY KEY, tenant_id int NOT NULL, state text NOT NULL DEFAULT 'open');
CREATE INDEX ON tickets (tenant_id);
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON tickets TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE VIEW open_tickets WITH (security_barrier) AS SELECT * FROM tickets WHERE tenant_id = nullif(current_setting('app.tenant', true), '')::int;
GRANT SELECT, INSERT, UPDATE, DELETE ON tickets, open_tickets TO app;
INSERT INTO tickets VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from open_tickets', '1');
SELECT proof.harms('update open_tickets set tenant_id = 2', '1');
SELECT proof.harms('insert into open_tickets values (9, 2)', '1');
