-- clean
-- proved: order_items orders
-- The parent binds, and runs under the same role.
CREATE ROLE shop LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, shop_id integer NOT NULL);
CREATE INDEX ON orders (shop_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders FOR ALL TO shop
    USING (shop_id = (SELECT current_setting('shop.id', true)::integer));
GRANT SELECT, INSERT ON orders TO shop;
CREATE TABLE order_items (
    order_id bigint NOT NULL REFERENCES orders,
    line integer NOT NULL,
    sku text,
    PRIMARY KEY (order_id, line)
);
INSERT INTO order_items VALUES (1, 1, 'x'), (2, 1, 'y');
ALTER TABLE order_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY via_order ON order_items FOR ALL TO shop
    USING (EXISTS (SELECT FROM orders o WHERE o.id = order_items.order_id));
GRANT SELECT, INSERT, DELETE ON order_items TO shop;
-- prove:
SELECT proof.isolated('shop', '1', 'shop.id=1', 'SELECT order_id FROM order_items');
SELECT proof.harms('INSERT INTO order_items VALUES (2, 2, ''z'')', 'ERROR 42501');
