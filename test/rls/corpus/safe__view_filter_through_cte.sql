-- clean
-- proved: ledger
CREATE ROLE fin LOGIN;
CREATE TABLE ledger (id bigint PRIMARY KEY, entity integer NOT NULL);
CREATE INDEX ON ledger (entity);
INSERT INTO ledger VALUES (1, 1), (2, 2);
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;
CREATE POLICY entity ON ledger FOR SELECT TO fin USING (entity = (SELECT current_setting('fin.entity', true)::integer));
CREATE VIEW ledger_view WITH (security_barrier) AS
    WITH mine AS (SELECT * FROM ledger WHERE entity = (SELECT current_setting('fin.entity', true)::integer))
    SELECT entity, count(*) AS n FROM mine GROUP BY entity;
GRANT SELECT ON ledger, ledger_view TO fin;
-- prove:
SELECT proof.isolated('fin', '1', 'fin.entity=1', 'SELECT entity FROM ledger_view');
