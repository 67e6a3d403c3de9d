-- expect: policy_not_tenant_bound on shards
-- Tenants share a remainder.
CREATE ROLE svc LOGIN;
CREATE TABLE shards (id bigint PRIMARY KEY, owner_no integer NOT NULL);
CREATE INDEX ON shards (owner_no);
INSERT INTO shards VALUES (1, 1), (2, 17);
ALTER TABLE shards ENABLE ROW LEVEL SECURITY;
CREATE POLICY bucket ON shards FOR SELECT TO svc USING (owner_no % 16 = (SELECT current_setting('svc.owner', true)::integer % 16));
GRANT SELECT ON shards TO svc;
CREATE TABLE leases (id bigint PRIMARY KEY, owner_no integer NOT NULL);
CREATE INDEX ON leases (owner_no);
ALTER TABLE leases ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON leases FOR SELECT TO svc USING (owner_no = (SELECT current_setting('svc.owner', true)::integer));
GRANT SELECT ON leases TO svc;
-- prove:
SELECT proof.login('svc', '1', 'svc.owner=1');
SELECT proof.sees('SELECT owner_no FROM shards', '1,17');
