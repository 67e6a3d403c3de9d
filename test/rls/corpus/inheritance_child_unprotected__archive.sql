-- expect: inheritance_child_unprotected on orders_archive
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE orders (id int, account_id int NOT NULL, total int);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY by_account ON orders USING (account_id = nullif(current_setting('app.account', true), '')::int);
CREATE TABLE orders_archive () INHERITS (orders);
RESET ROLE;
INSERT INTO orders VALUES (1, 1, 5);
INSERT INTO orders_archive VALUES (2, 2, 6);
GRANT SELECT ON orders, orders_archive TO app;
-- prove:
SELECT proof.login('app', '1', 'app.account=1');
SELECT proof.sees('select account_id from orders', '1');
SELECT proof.sees('select account_id from orders_archive', '2');
