-- expect: security_definer_bypasses_rls on search_documents
-- Full-text search "needs to be fast", so it runs as its owner.
CREATE ROLE web LOGIN;
CREATE TABLE documents (id bigint PRIMARY KEY, org_id uuid NOT NULL, title text NOT NULL);
CREATE INDEX ON documents (org_id);
INSERT INTO documents VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'plan'), (2, 'b0000000-0000-0000-0000-000000000002', 'plan b');
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON documents FOR SELECT TO web USING (org_id = (SELECT nullif(current_setting('web.org', true), '')::uuid));
GRANT SELECT ON documents TO web;
CREATE FUNCTION search_documents(words text) RETURNS TABLE (id bigint, org text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT d.id, left(d.org_id::text, 1) FROM documents d WHERE d.title LIKE '%' || words || '%';
END $$;
-- prove:
SELECT proof.login('web', 'a', 'web.org=a0000000-0000-0000-0000-000000000001');
SELECT proof.sees('SELECT org FROM search_documents(''plan'')', 'a,b');
