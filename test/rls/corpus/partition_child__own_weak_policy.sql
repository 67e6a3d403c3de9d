-- expect: partition_child_unprotected|policy_always_true|policy_not_tenant_bound on events_a
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE events (tenant_id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_a PARTITION OF events DEFAULT;
CREATE INDEX ON events (tenant_id);
ALTER TABLE events ENABLE ROW LEVEL SECURITY; ALTER TABLE events_a ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON events TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE POLICY t ON events_a TO app USING (at > '2000-01-01');
GRANT SELECT ON events, events_a TO app;
INSERT INTO events VALUES (1, '2024-01-01'), (2, '2024-01-01');
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from events', '1');
SELECT proof.sees('select tenant_id from events_a', '1,2');
