-- expect: policy_role_identity on orders
-- may: policy_not_tenant_bound on orders
-- The members table names the database role; all tenants come as the same one.
CREATE ROLE pool LOGIN;
CREATE TABLE access (tenant_id integer, db_role name, PRIMARY KEY (db_role, tenant_id));
INSERT INTO access VALUES (1, 'pool'), (2, 'pool');
ALTER TABLE access ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON access FOR SELECT TO pool USING (db_role = current_user);
GRANT SELECT ON access TO pool;
-- may: policy_role_identity on access
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON orders FOR SELECT TO pool
    USING (tenant_id IN (SELECT a.tenant_id FROM access a WHERE a.db_role = current_user));
GRANT SELECT ON orders TO pool;
CREATE TABLE lines (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON lines (tenant_id);
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON lines FOR SELECT TO pool USING (tenant_id = (SELECT current_setting('pool.tenant', true)::integer));
GRANT SELECT ON lines TO pool;
-- prove:
SELECT proof.login('pool', '1', 'pool.tenant=1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2');
