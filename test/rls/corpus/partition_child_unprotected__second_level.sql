-- expect: partition_child_unprotected on readings_eu_1
-- may: rls_disabled on readings_eu_1
-- The first level is protected, the second was added by a script.
CREATE ROLE iot LOGIN;
CREATE TABLE readings (device bigint, customer text NOT NULL, region text NOT NULL) PARTITION BY LIST (region);
CREATE TABLE readings_eu PARTITION OF readings FOR VALUES IN ('eu') PARTITION BY HASH (device);
CREATE TABLE readings_eu_0 PARTITION OF readings_eu FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE readings_eu_1 PARTITION OF readings_eu FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON readings (customer);
INSERT INTO readings SELECT i, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END, 'eu' FROM generate_series(1, 40) i;
ALTER TABLE readings ENABLE ROW LEVEL SECURITY;
ALTER TABLE readings_eu ENABLE ROW LEVEL SECURITY;
ALTER TABLE readings_eu_0 ENABLE ROW LEVEL SECURITY;
CREATE POLICY customer ON readings FOR SELECT TO iot USING (customer = (SELECT current_setting('iot.customer', true)));
CREATE POLICY customer ON readings_eu FOR SELECT TO iot USING (customer = (SELECT current_setting('iot.customer', true)));
CREATE POLICY customer ON readings_eu_0 FOR SELECT TO iot USING (customer = (SELECT current_setting('iot.customer', true)));
GRANT SELECT ON readings, readings_eu, readings_eu_0, readings_eu_1 TO iot;
-- prove:
SELECT proof.login('iot', 'a', 'iot.customer=a');
SELECT proof.sees('SELECT customer FROM readings', 'a');
SELECT proof.sees('SELECT customer FROM readings_eu_0', 'a');
SELECT proof.sees('SELECT customer FROM readings_eu_1', 'a,b');
