-- clean
-- proved: customers
CREATE ROLE app LOGIN;
CREATE TABLE customers (id bigint PRIMARY KEY, mandant text NOT NULL, name text, iban text);
CREATE INDEX ON customers (mandant);
INSERT INTO customers VALUES (1, 'a', 'A', 'x'), (2, 'b', 'B', 'y');
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON customers TO app USING (mandant = (SELECT current_setting('app.mandant', true)));
GRANT SELECT (id, mandant, name), INSERT (id, mandant, name), UPDATE (name) ON customers TO app;
-- prove:
SELECT proof.isolated('app', 'a', 'app.mandant=a', 'SELECT mandant FROM customers');
SELECT proof.harms('INSERT INTO customers (id, mandant) VALUES (3, ''b'')', 'ERROR 42501');
