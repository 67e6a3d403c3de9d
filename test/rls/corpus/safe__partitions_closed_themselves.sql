-- clean
-- proved: events
-- The partitions are granted, with row security on and no policy: deny-all by name, on purpose.
CREATE ROLE app LOGIN;
CREATE TABLE events (id bigint, tenant_id integer NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX ON events (tenant_id);
INSERT INTO events VALUES (1, 1, '2024-02-03'), (2, 2, '2024-02-03');
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events_2024 ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT ON events, events_2024 TO app;
-- may: rls_enabled_no_policy on events_2024
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM events');
SELECT proof.sees('SELECT tenant_id FROM events_2024', '');
