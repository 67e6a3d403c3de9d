-- expect: owner_reachable on *
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE tickets (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON tickets (tenant_id);
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE tickets FORCE ROW LEVEL SECURITY;
CREATE POLICY t ON tickets TO app USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
GRANT SELECT ON tickets TO app;
RESET ROLE;
INSERT INTO tickets VALUES (1, 1), (2, 2);
CREATE ROLE deploy NOLOGIN NOINHERIT;
GRANT app_owner TO deploy;
GRANT deploy TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('select tenant_id from tickets', '1');
SELECT proof.sees('select tenant_id from tickets', '1,2', 'set local role app_owner; alter table tickets no force row level security');
