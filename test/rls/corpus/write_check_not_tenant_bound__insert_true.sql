-- expect: write_check_not_tenant_bound on journal
-- Reads are closed; anybody may write into anybody's journal.
CREATE ROLE ledger_api LOGIN;
CREATE TABLE journal (
    id bigint PRIMARY KEY,
    tenant_id integer NOT NULL,
    amount numeric NOT NULL
);
CREATE INDEX ON journal (tenant_id);
INSERT INTO journal VALUES (1, 1, 5), (2, 2, 6);
ALTER TABLE journal ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_own ON journal FOR SELECT TO ledger_api
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE POLICY append ON journal FOR INSERT TO ledger_api WITH CHECK (true);
GRANT SELECT, INSERT ON journal TO ledger_api;
-- prove:
SELECT proof.login('ledger_api', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM journal', '1');
SELECT proof.harms('INSERT INTO journal VALUES (3, 2, 7)', '1');
