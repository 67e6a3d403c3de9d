-- expect: policy_opaque_function on deals|may_see
-- What the helper does depends on a table of rules; nobody can prove it from outside.
CREATE ROLE crm LOGIN;
CREATE TABLE rules (tenant_id integer PRIMARY KEY, expression text NOT NULL);
INSERT INTO rules VALUES (1, '$1 = current_setting(''crm.tenant'')::integer'), (2, '$1 = current_setting(''crm.tenant'')::integer');
CREATE FUNCTION may_see(tenant integer) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    verdict boolean;
BEGIN
    EXECUTE 'SELECT ' || (SELECT expression FROM rules r WHERE r.tenant_id = tenant) INTO verdict USING tenant;
    RETURN verdict;
END $$;
CREATE TABLE deals (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON deals (tenant_id);
INSERT INTO deals VALUES (1, 1), (2, 2);
ALTER TABLE deals ENABLE ROW LEVEL SECURITY;
CREATE POLICY ruled ON deals FOR SELECT TO crm USING (may_see(tenant_id));
GRANT SELECT ON deals TO crm;
-- prove:
SELECT proof.isolated('crm', '1', 'crm.tenant=1', 'SELECT tenant_id FROM deals');
