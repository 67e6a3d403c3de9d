-- clean
-- proved: orders
-- An immutable helper that computes, and a stable one that reads the session.
CREATE ROLE app LOGIN;
CREATE FUNCTION is_open(state text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT state IN ('new', 'paid') $$;
CREATE FUNCTION current_tenant() RETURNS integer LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('app.tenant_id', true), '')::integer $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, state text NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1, 'new'), (2, 2, 'paid');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app
    USING (tenant_id = (SELECT current_tenant()) AND is_open(state));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
