-- clean
-- proved: readings
-- The partitions lie where the application has no USAGE, whatever is granted on them.
CREATE ROLE iot LOGIN;
CREATE SCHEMA parts;
CREATE TABLE readings (device bigint, customer text NOT NULL) PARTITION BY HASH (device);
CREATE TABLE parts.readings_0 PARTITION OF readings FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts.readings_1 PARTITION OF readings FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON readings (customer);
INSERT INTO readings SELECT i, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 40) i;
ALTER TABLE readings ENABLE ROW LEVEL SECURITY;
CREATE POLICY customer ON readings FOR SELECT TO iot USING (customer = (SELECT current_setting('iot.customer', true)));
GRANT SELECT ON readings, parts.readings_0, parts.readings_1 TO iot;
-- prove:
SELECT proof.isolated('iot', 'a', 'iot.customer=a', 'SELECT customer FROM readings');
SELECT proof.sees('SELECT customer FROM parts.readings_0', 'ERROR 42501');
