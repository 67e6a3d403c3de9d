-- clean
-- proved: objects
-- The tenant is the first part of the path, in a generated column.
CREATE ROLE storage_api LOGIN;
CREATE TABLE objects (path text PRIMARY KEY, tenant text NOT NULL GENERATED ALWAYS AS (split_part(path, '/', 1)) STORED);
CREATE INDEX ON objects (tenant);
INSERT INTO objects VALUES ('a/1.png'), ('b/2.png');
ALTER TABLE objects ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON objects TO storage_api USING (tenant = (SELECT current_setting('storage.tenant', true)));
GRANT SELECT, INSERT, DELETE ON objects TO storage_api;
-- prove:
SELECT proof.isolated('storage_api', 'a', 'storage.tenant=a', 'SELECT tenant FROM objects');
SELECT proof.harms('INSERT INTO objects VALUES (''b/3.png'')', 'ERROR 42501');
