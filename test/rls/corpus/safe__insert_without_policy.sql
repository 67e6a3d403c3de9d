-- clean
-- proved: assets
-- INSERT is granted, no policy allows it: denied, not open.
CREATE ROLE app LOGIN;
CREATE TABLE assets (id bigint PRIMARY KEY, org_id bigint NOT NULL, label text NOT NULL);
CREATE INDEX ON assets (org_id);
INSERT INTO assets VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE assets ENABLE ROW LEVEL SECURITY;
CREATE POLICY org_select ON assets FOR SELECT TO app
    USING (org_id = (SELECT current_setting('app.org', true)::bigint));
GRANT SELECT, INSERT ON assets TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.org=1', 'SELECT org_id FROM assets');
SELECT proof.harms('INSERT INTO assets VALUES (3, 2, ''z'')', 'ERROR 42501');
SELECT proof.harms('INSERT INTO assets VALUES (3, 1, ''z'')', 'ERROR 42501');
