-- rls.sql: what a linter in SQL tells of the same catalogs, by reading the
-- text of policies: functions called for each row, several permissive
-- policies for one role and command, constant policies, row security off.
WITH policies AS MATERIALIZED (
    SELECT p.polname, p.polcmd, p.polpermissive, p.polroles, c.oid, c.relname, c.relrowsecurity, n.nspname,
           pg_get_expr(p.polqual, p.polrelid) AS qual,
           pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
      FROM pg_policy p
      JOIN pg_class c ON c.oid = p.polrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'auth')
), tables AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relrowsecurity, c.relkind, n.nspname
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
)
SELECT 'auth_rls_initplan' AS name, format('%I.%I', nspname, relname) AS relation, polname::text AS detail
  FROM policies
 WHERE relrowsecurity
   AND (qual ~ '(auth\.uid|app\.tenant|current_setting)\('
        AND lower(qual) !~ 'select\s+[a-z( ]*(auth\.uid|app\.tenant|current_setting)\('
     OR with_check ~ '(auth\.uid|app\.tenant|current_setting)\('
        AND lower(with_check) !~ 'select\s+[a-z( ]*(auth\.uid|app\.tenant|current_setting)\(')
UNION ALL
SELECT 'multiple_permissive_policies', format('%I.%I', p.nspname, p.relname),
       format('%s %s %s', r.rolname, a.command, array_agg(p.polname ORDER BY p.polname))
  FROM policies p
  JOIN pg_roles r ON p.polroles @> ARRAY[r.oid] OR p.polroles = ARRAY[0::oid]
  CROSS JOIN LATERAL unnest(CASE p.polcmd
      WHEN 'r' THEN ARRAY['SELECT'] WHEN 'a' THEN ARRAY['INSERT'] WHEN 'w' THEN ARRAY['UPDATE'] WHEN 'd' THEN ARRAY['DELETE']
      ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'] END) AS a(command)
 WHERE p.polpermissive AND r.rolname NOT LIKE 'pg\_%' AND NOT r.rolbypassrls
 GROUP BY p.nspname, p.relname, r.rolname, a.command
HAVING count(*) > 1
UNION ALL
SELECT 'rls_policy_always_true', format('%I.%I', nspname, relname), polname::text
  FROM policies
 WHERE polpermissive AND (polcmd IN ('w', 'd', '*') AND regexp_replace(qual, '[\s()]', '', 'g') IN ('true', '1=1')
                       OR polcmd IN ('a', 'w', '*') AND regexp_replace(with_check, '[\s()]', '', 'g') IN ('true', '1=1'))
UNION ALL
SELECT CASE WHEN EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid) THEN 'policy_exists_rls_disabled' ELSE 'rls_disabled' END,
       format('%I.%I', nspname, relname), NULL
  FROM tables t
 WHERE NOT relrowsecurity
   AND EXISTS (SELECT FROM unnest('{bench_app,bench_reader,bench_editor}'::text[]) AS role WHERE has_table_privilege(role, t.oid, 'SELECT'))
UNION ALL
SELECT 'rls_enabled_no_policy', format('%I.%I', nspname, relname), NULL
  FROM tables t
 WHERE relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid)
 ORDER BY 1, 2, 3
