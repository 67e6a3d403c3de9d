-- expect: unique_side_channel on vehicles
CREATE ROLE fleet LOGIN;
CREATE TABLE vehicles (plate text PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON vehicles (firma);
INSERT INTO vehicles VALUES ('B-1', 'a'), ('B-2', 'b');
ALTER TABLE vehicles ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON vehicles FOR ALL TO fleet USING (firma = (SELECT current_setting('fleet.firma', true)));
GRANT SELECT, INSERT ON vehicles TO fleet;
-- prove:
SELECT proof.isolated('fleet', 'a', 'fleet.firma=a', 'SELECT firma FROM vehicles');
SELECT proof.holds('INSERT INTO vehicles VALUES (''B-2'', ''a'')', 'ERROR 23505');
