-- expect: security_definer_bypasses_rls|rls_disabled|policy_always_true on list_changes|changes
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE items (id int PRIMARY KEY, tenant_id int NOT NULL, v text);
CREATE INDEX ON items (tenant_id);
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON items TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON items TO app;
CREATE TABLE changes (id serial PRIMARY KEY, tenant_id int NOT NULL, v text);
CREATE FUNCTION log_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN INSERT INTO public.changes (tenant_id, v) VALUES (NEW.tenant_id, NEW.v); RETURN NEW; END $$;
CREATE TRIGGER log AFTER INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION log_change();
GRANT SELECT ON changes TO app;
INSERT INTO items VALUES (1, 1, 'a'), (2, 2, 'b');
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from items', '1');
SELECT proof.sees('select tenant_id from changes', '1,2');
