-- expect: policy_wrong_identity on inbox
-- may: write_check_not_tenant_bound on inbox
-- The user column is bound to the tenant's number: tenant 2 reads the inbox of user 2, who works for tenant 1.
CREATE ROLE app LOGIN;
CREATE TABLE inbox (id bigint PRIMARY KEY, user_id integer NOT NULL, body text);
CREATE INDEX ON inbox (user_id);
INSERT INTO inbox VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON inbox FOR SELECT TO app
    USING (user_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON inbox TO app;
CREATE TABLE outbox (id bigint PRIMARY KEY, user_id integer NOT NULL, body text);
CREATE INDEX ON outbox (user_id);
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON outbox FOR SELECT TO app
    USING (user_id = (SELECT current_setting('app.user_id', true)::integer));
GRANT SELECT ON outbox TO app;
CREATE TABLE lists (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON lists (tenant_id);
ALTER TABLE lists ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON lists FOR SELECT TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON lists TO app;
-- prove:
SELECT proof.login('app', '9', 'app.tenant_id=2', 'app.user_id=9');
SELECT proof.sees('SELECT user_id FROM inbox', '2');
