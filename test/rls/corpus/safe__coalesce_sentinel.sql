-- clean
-- proved: stock
-- COALESCE with a number no firm has; a CHECK keeps it that way.
CREATE ROLE lager LOGIN;
CREATE TABLE stock (
    sku text,
    firma integer NOT NULL CHECK (firma > 0),
    quantity integer,
    PRIMARY KEY (firma, sku)
);
INSERT INTO stock VALUES ('a', 1, 3), ('a', 2, 4);
ALTER TABLE stock ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON stock FOR ALL TO lager
    USING (firma = (SELECT coalesce(nullif(current_setting('lager.firma', true), '')::integer, -1)));
GRANT SELECT, UPDATE ON stock TO lager;
-- prove:
SELECT proof.isolated('lager', '1', 'lager.firma=1', 'SELECT firma FROM stock');
