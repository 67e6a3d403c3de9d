-- expect: partition_child_unprotected on events_2024|events_2025
-- expect: partition_child_unprotected on events_2025
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE events (tenant_id int NOT NULL, at date NOT NULL, payload text) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX ON events (tenant_id);
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::int);
INSERT INTO events VALUES (1, '2024-05-05', 'x'), (2, '2025-05-05', 'y');
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO app;
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.current_tenant=1');
SELECT proof.sees('select tenant_id from events', '1');
SELECT proof.sees('select tenant_id from events_2025', '2');
