-- clean
-- No row security at all: each tenant has its own schema, and a login that can use only that.
CREATE ROLE acme LOGIN;
CREATE ROLE zeta LOGIN;
CREATE SCHEMA acme AUTHORIZATION acme;
CREATE SCHEMA zeta AUTHORIZATION zeta;
CREATE TABLE acme.orders (id bigint PRIMARY KEY, total numeric);
CREATE TABLE zeta.orders (id bigint PRIMARY KEY, total numeric);
INSERT INTO acme.orders VALUES (1, 10);
INSERT INTO zeta.orders VALUES (2, 20);
ALTER TABLE acme.orders OWNER TO acme;
ALTER TABLE zeta.orders OWNER TO zeta;
-- prove:
SELECT proof.login('acme', '1');
SELECT proof.sees('SELECT id FROM acme.orders', '1');
SELECT proof.sees('SELECT id FROM zeta.orders', 'ERROR 42501');
