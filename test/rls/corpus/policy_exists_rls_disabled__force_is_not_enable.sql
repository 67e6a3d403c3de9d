-- expect: policy_exists_rls_disabled on tickets
-- may: rls_disabled on tickets
-- FORCE without ENABLE does nothing.
CREATE ROLE helpdesk LOGIN;
CREATE TABLE tickets (id bigint PRIMARY KEY, account_id bigint NOT NULL);
CREATE INDEX ON tickets (account_id);
INSERT INTO tickets VALUES (1, 1), (2, 2);
ALTER TABLE tickets FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tickets FOR ALL TO helpdesk USING (account_id = (SELECT current_setting('hd.account', true)::bigint));
GRANT SELECT, UPDATE ON tickets TO helpdesk;
-- prove:
SELECT proof.login('helpdesk', '1', 'hd.account=1');
SELECT proof.sees('SELECT account_id FROM tickets', '1,2');
