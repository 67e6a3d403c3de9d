-- clean
-- proved: data.items
CREATE ROLE web_anon NOLOGIN; CREATE ROLE webuser NOLOGIN;
CREATE ROLE authenticator LOGIN NOINHERIT; GRANT web_anon, webuser TO authenticator;
CREATE SCHEMA api; GRANT USAGE ON SCHEMA api TO webuser, web_anon;
CREATE SCHEMA data; GRANT USAGE ON SCHEMA data TO webuser;
CREATE TABLE data.items (id int PRIMARY KEY, account_id text NOT NULL, label text);
CREATE INDEX ON data.items (account_id);
ALTER TABLE data.items ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON data.items TO webuser USING (account_id = (SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> 'account_id'));
CREATE VIEW api.items WITH (security_invoker = true) AS SELECT id, account_id, label FROM data.items;
GRANT SELECT, INSERT, UPDATE, DELETE ON data.items, api.items TO webuser;
INSERT INTO data.items VALUES (1, '1', 'a'), (2, '2', 'b');
-- prove:
SELECT proof.isolated('webuser', '1', 'request.jwt.claims={"account_id":"1"}', 'select account_id from api.items', 'select account_id from data.items');
SELECT proof.harms('update api.items set account_id = ''2''', 'ERROR 42501');
