-- expect: partition_child_unprotected on hist.orders_2023
-- may: rls_disabled on hist.orders_2023
-- An old table with its old grants, attached.
CREATE ROLE shop LOGIN;
CREATE SCHEMA hist;
GRANT USAGE ON SCHEMA hist TO shop;
CREATE TABLE orders (id bigint NOT NULL, shop_id integer NOT NULL, year integer NOT NULL) PARTITION BY LIST (year);
CREATE TABLE hist.orders_2023 (id bigint NOT NULL, shop_id integer NOT NULL, year integer NOT NULL);
GRANT SELECT ON hist.orders_2023 TO shop;
ALTER TABLE orders ATTACH PARTITION hist.orders_2023 FOR VALUES IN (2023);
CREATE INDEX ON orders (shop_id);
INSERT INTO orders VALUES (1, 1, 2023), (2, 2, 2023);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY shop ON orders FOR SELECT TO shop USING (shop_id = (SELECT current_setting('shop.id', true)::integer));
GRANT SELECT ON orders TO shop;
-- prove:
SELECT proof.login('shop', '1', 'shop.id=1');
SELECT proof.sees('SELECT shop_id FROM orders', '1');
SELECT proof.sees('SELECT shop_id FROM hist.orders_2023', '1,2');
