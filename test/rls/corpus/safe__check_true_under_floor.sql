-- clean
-- proved: journal
-- WITH CHECK (true), held by a restrictive policy without WITH CHECK (which uses its USING).
CREATE ROLE ledger_api LOGIN;
CREATE TABLE journal (id bigint PRIMARY KEY, tenant_id integer NOT NULL, amount numeric NOT NULL);
CREATE INDEX ON journal (tenant_id);
INSERT INTO journal VALUES (1, 1, 5), (2, 2, 6);
ALTER TABLE journal ENABLE ROW LEVEL SECURITY;
CREATE POLICY any_read ON journal FOR SELECT TO ledger_api USING (true);
CREATE POLICY any_append ON journal FOR INSERT TO ledger_api WITH CHECK (true);
CREATE POLICY floor ON journal AS RESTRICTIVE TO ledger_api
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT ON journal TO ledger_api;
-- prove:
SELECT proof.isolated('ledger_api', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM journal');
SELECT proof.harms('INSERT INTO journal VALUES (3, 2, 7)', 'ERROR 42501');
