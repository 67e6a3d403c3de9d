-- expect: policy_not_tenant_bound on articles
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE articles (id int PRIMARY KEY, tenant_id int NOT NULL, published boolean NOT NULL, archived boolean NOT NULL DEFAULT false);
CREATE INDEX ON articles (tenant_id);
ALTER TABLE articles ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON articles FOR SELECT TO app
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int AND published OR NOT archived);
GRANT SELECT ON articles TO app;
INSERT INTO articles VALUES (1, 1, true), (2, 2, true);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('select tenant_id from articles', '1,2');
