-- expect: policy_not_tenant_bound on rates
-- The tenant of the developer's own test data, left in.
CREATE ROLE app LOGIN;
CREATE TABLE rates (id bigint PRIMARY KEY, tenant_id integer NOT NULL, rate numeric);
CREATE INDEX ON rates (tenant_id);
INSERT INTO rates VALUES (1, 1, 0.1), (2, 2, 0.2);
ALTER TABLE rates ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON rates FOR SELECT TO app
    USING (tenant_id = 2 OR tenant_id = (SELECT current_setting('app.tenant_id')::integer));
GRANT SELECT ON rates TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM rates', '1,2');
