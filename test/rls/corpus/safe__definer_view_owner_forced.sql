-- clean
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE ledger (id int PRIMARY KEY, tenant_id int NOT NULL, amount int);
CREATE INDEX ON ledger (tenant_id);
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY; ALTER TABLE ledger FORCE ROW LEVEL SECURITY;
CREATE POLICY t ON ledger USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE VIEW all_ledger AS SELECT id, tenant_id, amount FROM ledger;
CREATE FUNCTION ledger_of(t int) RETURNS SETOF ledger LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ SELECT * FROM public.ledger WHERE tenant_id = t $$;
GRANT SELECT ON all_ledger TO app;
RESET ROLE;
INSERT INTO ledger VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from all_ledger');
SELECT proof.sees('select tenant_id from ledger_of(2)', '');
