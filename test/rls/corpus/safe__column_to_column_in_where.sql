-- clean
-- proved: transfers
-- Two columns of the row are compared with each other, and the tenant with the session.
CREATE ROLE treasury LOGIN;
CREATE TABLE transfers (
    id bigint PRIMARY KEY,
    tenant_id bigint NOT NULL,
    from_account bigint NOT NULL,
    to_account bigint NOT NULL
);
CREATE INDEX ON transfers (tenant_id);
INSERT INTO transfers VALUES (1, 1, 5, 6), (2, 2, 5, 6), (3, 2, 7, 7);
ALTER TABLE transfers ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON transfers FOR ALL TO treasury
    USING (from_account <> to_account
           AND tenant_id = (SELECT current_setting('app.tenant', true)::bigint));
GRANT SELECT, INSERT ON transfers TO treasury;
-- prove:
SELECT proof.isolated('treasury', '1', 'app.tenant=1', 'SELECT tenant_id FROM transfers');
SELECT proof.harms('INSERT INTO transfers VALUES (9, 2, 1, 2)', 'ERROR 42501');
