-- clean
-- proved: tickets@helpdesk
-- Everything is open to the role of the nightly export, which nobody can log in as or become.
CREATE ROLE exporter NOLOGIN;
CREATE ROLE helpdesk LOGIN;
CREATE TABLE tickets (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL,
    subject text
);
CREATE INDEX ON tickets (account_id);
INSERT INTO tickets VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY export ON tickets FOR SELECT TO exporter USING (true);
CREATE POLICY own ON tickets FOR ALL TO helpdesk
    USING (account_id = (SELECT current_setting('hd.account', true)::bigint))
    WITH CHECK (account_id = (SELECT current_setting('hd.account', true)::bigint));
GRANT SELECT ON tickets TO exporter;
GRANT SELECT, INSERT, UPDATE, DELETE ON tickets TO helpdesk;
-- prove:
SELECT proof.isolated('helpdesk', '1', 'hd.account=1', 'SELECT account_id FROM tickets');
SELECT proof.harms('UPDATE tickets SET account_id = 2', 'ERROR 42501');
