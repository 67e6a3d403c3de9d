-- clean
-- proved: events
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE events (tenant_id int NOT NULL, at date NOT NULL) PARTITION BY LIST (tenant_id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
ALTER TABLE events ENABLE ROW LEVEL SECURITY; ALTER TABLE events_1 ENABLE ROW LEVEL SECURITY; ALTER TABLE events_2 ENABLE ROW LEVEL SECURITY;
CREATE INDEX ON events (tenant_id);
CREATE POLICY tenant ON events USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::int);
INSERT INTO events VALUES (1, '2024-05-05'), (2, '2025-05-05');
GRANT SELECT, INSERT ON events TO app;
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.current_tenant=1', 'select tenant_id from events');
