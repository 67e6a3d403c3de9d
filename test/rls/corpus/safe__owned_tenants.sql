-- clean
-- proved: shops products
-- A shop belongs to a user, its products to the shop.
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
    $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
CREATE ROLE authenticated LOGIN;
GRANT USAGE ON SCHEMA auth TO authenticated;
CREATE TABLE shops (id integer PRIMARY KEY, owner_id uuid NOT NULL);
CREATE TABLE products (id integer PRIMARY KEY, shop_id integer NOT NULL REFERENCES shops);
CREATE INDEX ON shops (owner_id);
CREATE INDEX ON products (shop_id);
INSERT INTO shops VALUES (1, 'a0000000-0000-0000-0000-000000000001'), (2, 'b0000000-0000-0000-0000-000000000002');
INSERT INTO products VALUES (1, 1), (2, 2);
ALTER TABLE shops ENABLE ROW LEVEL SECURITY;
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shops FOR SELECT TO authenticated USING (owner_id = (SELECT auth.uid()));
CREATE POLICY own ON products TO authenticated
    USING (shop_id IN (SELECT s.id FROM shops s WHERE s.owner_id = (SELECT auth.uid())));
GRANT SELECT ON shops TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON products TO authenticated;
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"a0000000-0000-0000-0000-000000000001"}', 'SELECT shop_id FROM products');
SELECT proof.harms('UPDATE products SET shop_id = 2', 'ERROR 42501');
