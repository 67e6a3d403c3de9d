-- expect: policy_pattern_match_identity on tickets
-- may: policy_not_tenant_bound, policy_default_open, write_check_not_tenant_bound on tickets
-- The list of tenants is used as a regular expression: "1|3" matches 13 as well.
CREATE ROLE helpdesk LOGIN;
CREATE TABLE tickets (id bigint PRIMARY KEY, account_id integer NOT NULL, subject text);
CREATE INDEX ON tickets (account_id);
INSERT INTO tickets VALUES (1, 1, 'x'), (2, 13, 'y');
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY accounts ON tickets FOR SELECT TO helpdesk
    USING (account_id::text ~ (SELECT current_setting('hd.accounts', true)));
GRANT SELECT ON tickets TO helpdesk;
-- prove:
SELECT proof.login('helpdesk', '1', 'hd.accounts=1');
SELECT proof.sees('SELECT account_id FROM tickets', '1,13');
