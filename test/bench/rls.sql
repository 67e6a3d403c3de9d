-- rls.sql: four rules of a linter in SQL over the same catalogs, each by itself
-- as linters have them: the text of policies is searched for functions that are
-- called for each row and for constants, several permissive policies for one
-- role and command are counted, and tables without row security are listed.
WITH initplan AS (
    SELECT 'auth_rls_initplan' AS name, p.polrelid AS relation,
           format('%s has a policy %s that calls a function of the session for each row', p.polrelid::regclass, p.polname) AS detail
      FROM pg_policy p
      JOIN pg_class c ON c.oid = p.polrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_policies t ON t.schemaname = n.nspname AND t.tablename = c.relname AND t.policyname = p.polname
     WHERE c.relrowsecurity
       AND (t.qual ~ '(auth\.uid|app\.tenant|current_setting)\('
            AND lower(t.qual) !~ 'select\s+[a-z( ]*(auth\.uid|app\.tenant|current_setting)\('
         OR t.with_check ~ '(auth\.uid|app\.tenant|current_setting)\('
            AND lower(t.with_check) !~ 'select\s+[a-z( ]*(auth\.uid|app\.tenant|current_setting)\(')
), multiple AS (
    SELECT 'multiple_permissive_policies', p.polrelid,
           format('%s has several permissive policies for %s of %s: %s', p.polrelid::regclass, a.command, r.rolname,
                  array_agg(p.polname ORDER BY p.polname))
      FROM pg_policy p
      JOIN pg_roles r ON p.polroles @> ARRAY[r.oid] OR p.polroles = ARRAY[0::oid]
      CROSS JOIN LATERAL unnest(CASE p.polcmd
          WHEN 'r' THEN ARRAY['SELECT'] WHEN 'a' THEN ARRAY['INSERT'] WHEN 'w' THEN ARRAY['UPDATE'] WHEN 'd' THEN ARRAY['DELETE']
          ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'] END) AS a(command)
     WHERE p.polpermissive AND r.rolname NOT LIKE 'pg\_%' AND NOT r.rolbypassrls
     GROUP BY p.polrelid, r.rolname, a.command
    HAVING count(*) > 1
), always_true AS (
    SELECT 'rls_policy_always_true', c.oid, format('%I.%I has a policy %s that is always true', t.schemaname, t.tablename, t.policyname)
      FROM pg_policies t
      JOIN pg_namespace n ON n.nspname = t.schemaname
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
     WHERE t.permissive = 'PERMISSIVE' AND c.relrowsecurity
       AND (t.cmd IN ('UPDATE', 'DELETE', 'ALL') AND regexp_replace(t.qual, '[\s()]', '', 'g') IN ('true', '1=1')
         OR t.cmd IN ('INSERT', 'UPDATE', 'ALL') AND regexp_replace(t.with_check, '[\s()]', '', 'g') IN ('true', '1=1'))
), disabled AS (
    SELECT CASE WHEN EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) THEN 'policy_exists_rls_disabled' ELSE 'rls_disabled' END,
           c.oid, format('%s has row security off', c.oid::regclass)
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relrowsecurity AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
       AND EXISTS (SELECT FROM unnest('{bench_app,bench_reader,bench_editor}'::text[]) AS role WHERE has_table_privilege(role, c.oid, 'SELECT'))
)
TABLE initplan UNION ALL TABLE multiple UNION ALL TABLE always_true UNION ALL TABLE disabled ORDER BY 1, 3
