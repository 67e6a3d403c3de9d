-- expect: view_bypasses_rls on ledger_view
-- The filter compares the setting with itself.
CREATE ROLE fin LOGIN;
CREATE TABLE ledger (id bigint PRIMARY KEY, entity integer NOT NULL);
CREATE INDEX ON ledger (entity);
INSERT INTO ledger VALUES (1, 1), (2, 2);
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;
CREATE POLICY entity ON ledger FOR SELECT TO fin USING (entity = (SELECT current_setting('fin.entity', true)::integer));
CREATE VIEW ledger_view WITH (security_barrier) AS
    SELECT l.* FROM ledger l, (SELECT current_setting('fin.entity', true)::integer AS e) s
    WHERE s.e = current_setting('fin.entity', true)::integer;
GRANT SELECT ON ledger, ledger_view TO fin;
-- prove:
SELECT proof.login('fin', '1', 'fin.entity=1');
SELECT proof.sees('SELECT entity FROM ledger_view', '1,2');
