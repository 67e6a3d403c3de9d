-- clean
-- proved: voyages crew
-- The view over the lookup is for reading only.
CREATE ROLE ship LOGIN;
CREATE TABLE crew (vessel integer, sailor integer, PRIMARY KEY (sailor, vessel));
INSERT INTO crew VALUES (1, 10), (2, 20);
ALTER TABLE crew ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON crew FOR SELECT TO ship USING (sailor = (SELECT current_setting('ship.sailor', true)::integer));
GRANT SELECT ON crew TO ship;
CREATE VIEW crew_list WITH (security_barrier) AS SELECT * FROM crew WHERE sailor = (SELECT current_setting('ship.sailor', true)::integer);
GRANT SELECT ON crew_list TO ship;
CREATE TABLE voyages (id bigint PRIMARY KEY, vessel integer NOT NULL);
CREATE INDEX ON voyages (vessel);
INSERT INTO voyages VALUES (1, 1), (2, 2);
ALTER TABLE voyages ENABLE ROW LEVEL SECURITY;
CREATE POLICY crew ON voyages FOR SELECT TO ship
    USING (vessel IN (SELECT c.vessel FROM crew c WHERE c.sailor = (SELECT current_setting('ship.sailor', true)::integer)));
GRANT SELECT ON voyages TO ship;
-- prove:
SELECT proof.isolated('ship', '1', 'ship.sailor=10', 'SELECT vessel FROM voyages', 'SELECT vessel FROM crew_list');
SELECT proof.holds('INSERT INTO crew_list VALUES (2, 10)', 'ERROR 42501');
