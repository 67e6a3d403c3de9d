-- clean
-- proved: customers
-- REFERENCES, but nowhere to create a table, not even a temporary one.
CREATE ROLE app LOGIN;
DO $$ BEGIN EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database()); END $$;
CREATE TABLE customers (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON customers (tenant_id);
INSERT INTO customers VALUES (1, 1), (2, 2);
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON customers FOR SELECT TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, REFERENCES ON customers TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM customers');
SELECT proof.holds('CREATE TABLE guess (id bigint REFERENCES customers)', 'ERROR 42501');
SELECT proof.holds('CREATE TEMP TABLE guess (id bigint)', 'ERROR 42501');
