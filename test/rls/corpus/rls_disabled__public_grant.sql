-- expect: rls_disabled on billing.subscriptions
-- A schema of its own, usable by and readable for PUBLIC.
CREATE ROLE web LOGIN;
CREATE SCHEMA billing;
GRANT USAGE ON SCHEMA billing TO PUBLIC;
CREATE TABLE billing.subscriptions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), account_id bigint NOT NULL, plan text);
CREATE INDEX ON billing.subscriptions (account_id);
INSERT INTO billing.subscriptions (account_id, plan) VALUES (1, 'free'), (2, 'pro');
GRANT SELECT ON billing.subscriptions TO PUBLIC;
CREATE TABLE billing.invoices (id uuid PRIMARY KEY, account_id bigint NOT NULL);
CREATE INDEX ON billing.invoices (account_id);
ALTER TABLE billing.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON billing.invoices FOR SELECT TO web USING (account_id = (SELECT current_setting('web.account', true)::bigint));
GRANT SELECT ON billing.invoices TO web;
-- prove:
SELECT proof.login('web', '1', 'web.account=1');
SELECT proof.sees('SELECT account_id FROM billing.subscriptions', '1,2');
