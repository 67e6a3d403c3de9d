-- expect: policy_pattern_match_identity on devices
-- may: policy_not_tenant_bound, policy_default_open, write_check_not_tenant_bound on devices
-- The row's own text is the pattern: a row with '%' belongs to all, and strpos finds '1' in '12'.
CREATE ROLE iot LOGIN;
CREATE TABLE devices (id bigint PRIMARY KEY, customer text NOT NULL);
CREATE INDEX ON devices (customer);
INSERT INTO devices VALUES (1, 'acme'), (2, 'a%');
ALTER TABLE devices ENABLE ROW LEVEL SECURITY;
CREATE POLICY customer ON devices FOR SELECT TO iot
    USING ((SELECT current_setting('iot.customer', true)) ILIKE customer);
GRANT SELECT ON devices TO iot;
-- prove:
SELECT proof.login('iot', 'acme', 'iot.customer=acme');
SELECT proof.sees('SELECT customer FROM devices', 'a%,acme');
