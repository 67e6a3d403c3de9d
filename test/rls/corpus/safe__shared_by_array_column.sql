-- clean
-- The row itself lists the tenants that may see it.
CREATE ROLE app LOGIN;
CREATE TABLE playlists (id bigint PRIMARY KEY, tenant_ids integer[] NOT NULL);
CREATE INDEX ON playlists USING gin (tenant_ids);
INSERT INTO playlists VALUES (1, '{1}'), (2, '{2}'), (3, '{1,2}');
ALTER TABLE playlists ENABLE ROW LEVEL SECURITY;
CREATE POLICY listed ON playlists FOR SELECT TO app
    USING ((SELECT nullif(current_setting('app.tenant_id', true), '')::integer) = ANY (tenant_ids));
GRANT SELECT ON playlists TO app;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1,3', 'app.tenant_id=1', 'SELECT id FROM playlists');
