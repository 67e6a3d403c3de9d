-- clean
CREATE ROLE t_alpha LOGIN; CREATE ROLE t_beta LOGIN;
CREATE SCHEMA alpha; CREATE SCHEMA beta;
GRANT USAGE ON SCHEMA alpha TO t_alpha; GRANT USAGE ON SCHEMA beta TO t_beta;
CREATE TABLE alpha.orders (id int PRIMARY KEY, customer text); CREATE TABLE beta.orders (id int PRIMARY KEY, customer text);
GRANT SELECT, INSERT, UPDATE, DELETE ON alpha.orders TO t_alpha;
GRANT SELECT, INSERT, UPDATE, DELETE ON beta.orders TO t_beta;
INSERT INTO alpha.orders VALUES (1, 'a'); INSERT INTO beta.orders VALUES (1, 'b');
-- prove:
SELECT proof.login('t_alpha', 'a');
SELECT proof.sees('select customer from alpha.orders', 'a');
SELECT proof.sees('select customer from beta.orders', 'ERROR 42501');
