-- clean
-- perf_clean
-- proved: events
-- Only the parent is granted.
CREATE ROLE app LOGIN;
CREATE TABLE events (id bigint, tenant_id integer NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX ON events (tenant_id);
INSERT INTO events VALUES (1, 1, '2024-02-03'), (2, 2, '2024-02-03');
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT ON events TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM events');
SELECT proof.sees('SELECT tenant_id FROM events_2024', 'ERROR 42501');
SELECT proof.harms('INSERT INTO events VALUES (3, 2, ''2025-01-01'')', 'ERROR 42501');
