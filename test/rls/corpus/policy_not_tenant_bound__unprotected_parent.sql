-- expect: policy_not_tenant_bound on order_items
-- EXISTS through the foreign key, but the parent has no policy for reading that binds.
CREATE ROLE shop LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, shop_id integer NOT NULL);
CREATE INDEX ON orders (shop_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
GRANT SELECT (id) ON orders TO shop;
CREATE TABLE customers (id bigint PRIMARY KEY, shop_id integer NOT NULL);
CREATE INDEX ON customers (shop_id);
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON customers FOR SELECT TO shop
    USING (shop_id = (SELECT current_setting('shop.id')::integer));
GRANT SELECT ON customers TO shop;
CREATE TABLE order_items (
    order_id bigint NOT NULL REFERENCES orders,
    line integer NOT NULL,
    shop_id integer NOT NULL,
    sku text,
    PRIMARY KEY (order_id, line)
);
CREATE INDEX ON order_items (shop_id);
INSERT INTO order_items VALUES (1, 1, 1, 'x'), (2, 1, 2, 'y');
ALTER TABLE order_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY via_order ON order_items FOR SELECT TO shop
    USING (EXISTS (SELECT FROM orders o WHERE o.id = order_items.order_id));
GRANT SELECT ON order_items TO shop;
-- may: rls_disabled on orders
-- prove:
SELECT proof.login('shop', '1', 'shop.id=1');
SELECT proof.sees('SELECT shop_id FROM order_items', '1,2');
