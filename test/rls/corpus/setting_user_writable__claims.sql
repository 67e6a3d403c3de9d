-- expect: setting_user_writable on *
CREATE ROLE authenticated LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, org text NOT NULL);
CREATE INDEX ON orders (org);
INSERT INTO orders VALUES (1, 'a'), (2, 'b');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON orders TO authenticated
    USING (org = (SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> 'org'));
GRANT SELECT ON orders TO authenticated;
-- prove:
SELECT proof.isolated('authenticated', 'a', 'request.jwt.claims={"org":"a"}', 'SELECT org FROM orders');
SELECT proof.holds('SELECT org FROM orders', 'b', 'SET LOCAL request.jwt.claims = ''{"org":"b"}''');
