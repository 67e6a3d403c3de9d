-- expect: large_object_exposed on *
CREATE ROLE scans LOGIN;
CREATE TABLE scans (id bigint PRIMARY KEY, praxis text NOT NULL, image oid);
CREATE INDEX ON scans (praxis);
SELECT lo_from_bytea(70011, 'bild');
INSERT INTO scans VALUES (1, 'a', NULL), (2, 'b', 70011);
GRANT SELECT ON LARGE OBJECT 70011 TO scans;
ALTER TABLE scans ENABLE ROW LEVEL SECURITY;
CREATE POLICY praxis ON scans FOR SELECT TO scans USING (praxis = (SELECT current_setting('s.praxis', true)));
GRANT SELECT ON scans TO scans;
-- prove:
SELECT proof.login('scans', 'a', 's.praxis=a');
SELECT proof.sees('SELECT praxis FROM scans', 'a');
SELECT proof.holds('SELECT convert_from(lo_get(70011), ''UTF8'')', 'bild');
