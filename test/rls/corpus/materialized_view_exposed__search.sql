-- expect: materialized_view_exposed on search.documents_index
-- The search index over all tenants' titles, readable for PUBLIC.
CREATE ROLE web LOGIN;
CREATE SCHEMA search;
GRANT USAGE ON SCHEMA search TO web;
CREATE TABLE documents (id bigint PRIMARY KEY, org_id uuid NOT NULL, title text);
CREATE INDEX ON documents (org_id);
INSERT INTO documents VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'plan'), (2, 'b0000000-0000-0000-0000-000000000002', 'secret');
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON documents FOR SELECT TO web USING (org_id = (SELECT nullif(current_setting('web.org', true), '')::uuid));
CREATE MATERIALIZED VIEW search.documents_index AS SELECT d.id, to_tsvector('simple', d.title) AS words, left(org_id::text, 1) AS org FROM documents d;
GRANT SELECT ON documents TO web;
GRANT SELECT ON search.documents_index TO PUBLIC;
-- prove:
SELECT proof.login('web', 'a', 'web.org=a0000000-0000-0000-0000-000000000001');
SELECT proof.sees('SELECT org FROM search.documents_index', 'a,b');
