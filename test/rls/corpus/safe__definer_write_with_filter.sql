-- clean
-- proved: tickets
-- The function writes as its owner, and names the session's account in its WHERE.
CREATE ROLE helpdesk LOGIN;
CREATE TABLE tickets (id bigint PRIMARY KEY, account_id bigint NOT NULL, state text NOT NULL DEFAULT 'open');
CREATE INDEX ON tickets (account_id);
INSERT INTO tickets VALUES (1, 1), (2, 2);
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tickets FOR SELECT TO helpdesk USING (account_id = (SELECT current_setting('hd.account', true)::bigint));
GRANT SELECT ON tickets TO helpdesk;
CREATE FUNCTION close_ticket(which bigint) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE tickets SET state = 'closed'
    WHERE id = which AND account_id = (SELECT nullif(current_setting('hd.account', true), '')::bigint)
    RETURNING account_id
$$;
-- prove:
SELECT proof.isolated('helpdesk', '1', 'hd.account=1', 'SELECT account_id FROM tickets', 'SELECT close_ticket(1)');
SELECT proof.sees('SELECT close_ticket(2)', '');
