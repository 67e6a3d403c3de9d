-- expect: references_trigger_granted on customers
-- A foreign key of one's own answers whether a number exists.
CREATE ROLE app LOGIN;
CREATE SCHEMA custom;
GRANT USAGE, CREATE ON SCHEMA custom TO app;
CREATE TABLE customers (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON customers (tenant_id);
INSERT INTO customers VALUES (1, 1), (2, 2);
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON customers FOR SELECT TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, REFERENCES ON customers TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.holds('INSERT INTO custom.guess VALUES (2)', '1', 'CREATE TABLE custom.guess (id bigint REFERENCES public.customers)');
SELECT proof.holds('INSERT INTO custom.guess VALUES (9)', 'ERROR 23503', 'CREATE TABLE custom.guess (id bigint REFERENCES public.customers)');
