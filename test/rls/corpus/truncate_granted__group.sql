-- expect: truncate_granted on sensor_data
CREATE ROLE writers NOLOGIN;
CREATE ROLE collector LOGIN IN ROLE writers;
CREATE TABLE sensor_data (id bigint PRIMARY KEY, customer text NOT NULL);
CREATE INDEX ON sensor_data (customer);
INSERT INTO sensor_data VALUES (1, 'a'), (2, 'b');
ALTER TABLE sensor_data ENABLE ROW LEVEL SECURITY;
CREATE POLICY customer ON sensor_data TO writers USING (customer = (SELECT current_setting('c.customer', true)));
GRANT SELECT, INSERT, TRUNCATE ON sensor_data TO writers;
-- prove:
SELECT proof.login('collector', 'a', 'c.customer=a');
SELECT proof.holds('TRUNCATE sensor_data', '0');
