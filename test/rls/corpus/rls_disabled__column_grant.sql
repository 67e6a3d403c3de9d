-- expect: rls_disabled on customers
-- Only two columns are granted; they are enough.
CREATE ROLE app LOGIN;
CREATE TABLE customers (id bigint PRIMARY KEY, mandant text NOT NULL, name text, iban text);
CREATE INDEX ON customers (mandant);
INSERT INTO customers VALUES (1, 'a', 'A', 'DE1'), (2, 'b', 'B', 'DE2');
GRANT SELECT (mandant, name) ON customers TO app;
CREATE TABLE orders (id bigint PRIMARY KEY, mandant text NOT NULL);
CREATE INDEX ON orders (mandant);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON orders TO app USING (mandant = (SELECT current_setting('app.mandant', true)));
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.login('app', 'a', 'app.mandant=a');
SELECT proof.sees('SELECT mandant FROM customers', 'a,b');
SELECT proof.holds('SELECT iban FROM customers', 'ERROR 42501');
