-- expect: policy_default_open on stock
-- may: write_check_not_tenant_bound on stock
-- COALESCE with the column itself: without a setting the row equals itself.
CREATE ROLE lager LOGIN;
CREATE TABLE stock (sku text, firma integer NOT NULL, quantity integer, PRIMARY KEY (firma, sku));
INSERT INTO stock VALUES ('a', 1, 3), ('a', 2, 4);
ALTER TABLE stock ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON stock FOR ALL TO lager
    USING (firma = coalesce(nullif(current_setting('lager.firma', true), '')::integer, firma));
GRANT SELECT, UPDATE ON stock TO lager;
-- prove:
SELECT proof.login('lager', NULL);
SELECT proof.sees('SELECT firma FROM stock', '1,2');
SELECT proof.login('lager', NULL, 'lager.firma=');
SELECT proof.sees('SELECT firma FROM stock', '1,2');
SELECT proof.login('lager', '1', 'lager.firma=1');
SELECT proof.sees('SELECT firma FROM stock', '1');
