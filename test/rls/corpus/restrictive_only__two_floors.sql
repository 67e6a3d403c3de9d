-- expect: restrictive_only on readings
-- Two restrictive policies, written as if they were alternatives.
CREATE ROLE meter_app LOGIN;
CREATE TABLE readings (id bigint PRIMARY KEY, mandant text NOT NULL, confidential boolean NOT NULL DEFAULT false);
CREATE INDEX ON readings (mandant);
INSERT INTO readings VALUES (1, 'a'), (2, 'b');
ALTER TABLE readings ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON readings AS RESTRICTIVE FOR SELECT TO meter_app
    USING (mandant = (SELECT current_setting('meter.mandant', true)));
CREATE POLICY visible ON readings AS RESTRICTIVE FOR SELECT TO meter_app USING (NOT confidential);
GRANT SELECT ON readings TO meter_app;
-- prove:
SELECT proof.login('meter_app', 'a', 'meter.mandant=a');
SELECT proof.sees('SELECT mandant FROM readings', '');
