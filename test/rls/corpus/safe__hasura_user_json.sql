-- clean
-- proved: orders
CREATE ROLE hasura_app LOGIN;
CREATE FUNCTION hasura_session(k text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('hasura.user', true), '')::json ->> k $$;
CREATE TABLE orders (id int PRIMARY KEY, org_id int NOT NULL, total int);
CREATE INDEX ON orders (org_id);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON orders TO hasura_app USING (org_id = (SELECT hasura_session('x-hasura-org-id')::int));
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO hasura_app;
INSERT INTO orders VALUES (1, 1, 5), (2, 2, 6);
-- prove:
SELECT proof.isolated('hasura_app', '1', 'hasura.user={"x-hasura-org-id":"1"}', 'select org_id from orders');
