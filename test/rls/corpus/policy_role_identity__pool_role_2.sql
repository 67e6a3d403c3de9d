-- expect: policy_role_identity on dossiers
-- may: policy_not_tenant_bound on dossiers
CREATE ROLE pool LOGIN;
CREATE TABLE dossiers (id int PRIMARY KEY, tenant_id int NOT NULL, cree_par name NOT NULL DEFAULT current_user);
CREATE INDEX ON dossiers (cree_par);
ALTER TABLE dossiers ENABLE ROW LEVEL SECURITY;
CREATE POLICY createur ON dossiers TO pool USING (cree_par = current_user);
GRANT SELECT, INSERT, UPDATE, DELETE ON dossiers TO pool;
INSERT INTO dossiers VALUES (1, 1, 'pool'), (2, 2, 'pool');
-- prove:
SELECT proof.login('pool', '1');
SELECT proof.sees('select tenant_id from dossiers', '1,2');
