-- clean
-- proved: readings
CREATE ROLE app LOGIN;
CREATE TYPE site AS ENUM ('nord', 'sued');
CREATE TABLE readings (id bigint PRIMARY KEY, werk site NOT NULL);
CREATE INDEX ON readings (werk);
INSERT INTO readings VALUES (1, 'nord'), (2, 'sued');
ALTER TABLE readings ENABLE ROW LEVEL SECURITY;
CREATE POLICY werk ON readings TO app USING (werk = (SELECT nullif(current_setting('app.werk', true), '')::site));
GRANT SELECT, INSERT ON readings TO app;
-- prove:
SELECT proof.isolated('app', 'nord', 'app.werk=nord', 'SELECT werk FROM readings');
