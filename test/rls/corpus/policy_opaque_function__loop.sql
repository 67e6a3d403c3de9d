-- expect: policy_opaque_function on cases|allowed
-- A loop over the session's list, written by hand.
CREATE ROLE law LOGIN;
CREATE FUNCTION allowed(firm text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    item text;
    total integer := 0;
BEGIN
    FOREACH item IN ARRAY string_to_array(current_setting('law.firms', true), ',') LOOP
        IF md5(item) = md5(firm) THEN
            total := total + 1;
        END IF;
    END LOOP;
    RETURN total > 0;
END $$;
CREATE TABLE cases (id bigint PRIMARY KEY, firm text NOT NULL);
CREATE INDEX ON cases (firm);
INSERT INTO cases VALUES (1, 'acme'), (2, 'zeta');
ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
CREATE POLICY firms ON cases FOR SELECT TO law USING (allowed(firm));
GRANT SELECT ON cases TO law;
-- prove:
SELECT proof.isolated('law', 'acme', 'law.firms=acme', 'SELECT firm FROM cases');
