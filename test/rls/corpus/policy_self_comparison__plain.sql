-- expect: policy_self_comparison on accounts
-- may: policy_always_true, policy_not_tenant_bound, write_check_not_tenant_bound on accounts
-- A slip of the pen: the column stands on both sides.
CREATE ROLE bank_api LOGIN;
CREATE TABLE accounts (
    iban text PRIMARY KEY,
    customer_id bigint NOT NULL,
    balance numeric NOT NULL DEFAULT 0
);
CREATE INDEX ON accounts (customer_id);
INSERT INTO accounts VALUES ('DE1', 1), ('DE2', 2);
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON accounts FOR ALL TO bank_api
    USING (customer_id = accounts.customer_id);
GRANT SELECT, UPDATE ON accounts TO bank_api;
CREATE TABLE cards (
    pan text PRIMARY KEY,
    customer_id bigint NOT NULL
);
CREATE INDEX ON cards (customer_id);
ALTER TABLE cards ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON cards FOR ALL TO bank_api
    USING (customer_id = (SELECT current_setting('bank.customer')::bigint));
GRANT SELECT, UPDATE ON cards TO bank_api;
-- prove:
SELECT proof.login('bank_api', '1', 'bank.customer=1');
SELECT proof.sees('SELECT customer_id FROM accounts', '1,2');
SELECT proof.harms('UPDATE accounts SET balance = 1 WHERE customer_id = 2', '1');
