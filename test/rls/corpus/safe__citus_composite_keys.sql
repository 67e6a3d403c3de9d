-- clean
-- proved: campaigns ads
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE campaigns (company_id int NOT NULL, id int NOT NULL, name text, PRIMARY KEY (company_id, id), UNIQUE (company_id, name));
CREATE TABLE ads (company_id int NOT NULL, id int NOT NULL, campaign_id int NOT NULL, PRIMARY KEY (company_id, id), FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns);
ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY; ALTER TABLE ads ENABLE ROW LEVEL SECURITY;
CREATE POLICY c ON campaigns TO app USING (company_id = nullif(current_setting('app.company_id', true), '')::int);
CREATE POLICY c ON ads TO app USING (company_id = nullif(current_setting('app.company_id', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON campaigns, ads TO app;
INSERT INTO campaigns VALUES (1, 1, 'a'), (2, 1, 'a');
INSERT INTO ads VALUES (1, 1, 1), (2, 1, 1);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.company_id=1', 'select company_id from campaigns', 'select company_id from ads');
