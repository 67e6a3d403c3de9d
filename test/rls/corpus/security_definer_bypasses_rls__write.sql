-- expect: security_definer_bypasses_rls on close_ticket
-- plpgsql, and it writes: any ticket by its number.
CREATE ROLE helpdesk LOGIN;
CREATE TABLE tickets (id bigint PRIMARY KEY, account_id bigint NOT NULL, state text NOT NULL DEFAULT 'open');
CREATE INDEX ON tickets (account_id);
INSERT INTO tickets VALUES (1, 1), (2, 2);
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tickets TO helpdesk USING (account_id = (SELECT current_setting('hd.account', true)::bigint));
GRANT SELECT ON tickets TO helpdesk;
CREATE FUNCTION close_ticket(which bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    whose bigint;
BEGIN
    UPDATE tickets SET state = 'closed' WHERE id = which RETURNING account_id INTO whose;
    RETURN whose;
END $$;
REVOKE EXECUTE ON FUNCTION close_ticket(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION close_ticket(bigint) TO helpdesk;
-- prove:
SELECT proof.login('helpdesk', '1', 'hd.account=1');
SELECT proof.sees('SELECT close_ticket(2)', '2');
