-- clean
-- proved: attachments
-- The objects have no grants; the bytes are handed out by a definer function that asks for the tenant.
CREATE ROLE app LOGIN;
CREATE TABLE attachments (id bigint PRIMARY KEY, tenant_id integer NOT NULL, content oid NOT NULL);
CREATE INDEX ON attachments (tenant_id);
SELECT lo_from_bytea(70021, 'one'), lo_from_bytea(70022, 'two');
INSERT INTO attachments VALUES (1, 1, 70021), (2, 2, 70022);
ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON attachments FOR SELECT TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON attachments TO app;
CREATE FUNCTION content(which bigint) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT lo_get(a.content) FROM attachments a
    WHERE a.id = which AND a.tenant_id = (SELECT current_setting('app.tenant_id', true)::integer)
$$;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM attachments');
SELECT proof.sees('SELECT lo_get(70022)', 'ERROR 42501');
SELECT proof.sees('SELECT content(2)', '');
