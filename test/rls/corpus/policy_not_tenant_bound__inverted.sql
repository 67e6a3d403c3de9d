-- expect: policy_not_tenant_bound on contracts
-- may: write_check_not_tenant_bound on contracts
-- <> where = was meant.
CREATE ROLE app LOGIN;
CREATE TABLE contracts (id bigint PRIMARY KEY, tenant_id text NOT NULL, terms text);
CREATE INDEX ON contracts (tenant_id);
INSERT INTO contracts VALUES (1, 'acme', 'x'), (2, 'zeta', 'y');
ALTER TABLE contracts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contracts FOR ALL TO app
    USING (tenant_id <> (SELECT current_setting('app.tenant', true)))
    WITH CHECK (tenant_id = (SELECT current_setting('app.tenant', true)));
GRANT SELECT, DELETE ON contracts TO app;
-- prove:
SELECT proof.login('app', 'acme', 'app.tenant=acme');
SELECT proof.sees('SELECT tenant_id FROM contracts', 'zeta');
SELECT proof.harms('DELETE FROM contracts', '1');
