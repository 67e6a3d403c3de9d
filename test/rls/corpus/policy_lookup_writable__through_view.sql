-- expect: policy_lookup_writable on crew|crew_edit|voyages
-- may: view_bypasses_rls, write_check_not_tenant_bound on crew|crew_edit
-- The crew list is closed; an updatable definer view over it is not.
CREATE ROLE ship LOGIN;
CREATE TABLE crew (vessel integer, sailor integer, PRIMARY KEY (sailor, vessel));
INSERT INTO crew VALUES (1, 10), (2, 20);
ALTER TABLE crew ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON crew FOR SELECT TO ship USING (sailor = (SELECT current_setting('ship.sailor', true)::integer));
GRANT SELECT ON crew TO ship;
CREATE VIEW crew_edit WITH (security_barrier) AS SELECT * FROM crew WHERE sailor = (SELECT current_setting('ship.sailor', true)::integer);
GRANT SELECT, INSERT ON crew_edit TO ship;
CREATE TABLE voyages (id bigint PRIMARY KEY, vessel integer NOT NULL);
CREATE INDEX ON voyages (vessel);
INSERT INTO voyages VALUES (1, 1), (2, 2);
ALTER TABLE voyages ENABLE ROW LEVEL SECURITY;
CREATE POLICY crew ON voyages FOR SELECT TO ship
    USING (vessel IN (SELECT c.vessel FROM crew c WHERE c.sailor = (SELECT current_setting('ship.sailor', true)::integer)));
GRANT SELECT ON voyages TO ship;
-- prove:
SELECT proof.login('ship', '1', 'ship.sailor=10');
SELECT proof.sees('SELECT vessel FROM voyages', '1');
SELECT proof.sees('SELECT vessel FROM voyages', '1,2', 'INSERT INTO crew_edit VALUES (2, 10)');
