-- Can one tenant see another's rows?
-- ops.rls_audit() reads policies, grants and roles as the server does and reports
-- what gets past them: which session, which row, and the SQL that closes it.
\pset format wrapped
SELECT severity, code, count(DISTINCT object) AS objects,
       min(object) AS "for example", min(counterexample) AS counterexample
  FROM ops.rls_audit(schemas => '{public}')
 WHERE class = 'security' AND severity = 'P0'
 GROUP BY severity, code
 ORDER BY code COLLATE "C";

\echo 'One of them in full, with the fix:'
\pset expanded on
SELECT code, object, policy, role_name, command, predicate, counterexample, message, remediation
  FROM ops.rls_audit(schemas => '{public}')
 WHERE object_name = 'usage_metrics' AND code = 'policy_default_open'
 ORDER BY command = 'SELECT' DESC
 LIMIT 1;

\pset expanded off
\echo 'What is not reported has been proved.  ops.rls_matrix() says so, and why not where not:'
SELECT relation, command, gate, verdict, tenant_key, predicate
  FROM ops.rls_matrix(roles => '{authenticated}', schemas => '{public}')
 WHERE relation IN ('projects', 'tasks', 'usage_metrics')
   AND command IN ('SELECT', 'INSERT')
 ORDER BY relation COLLATE "C", command DESC;

-- In a session of its own, in which no setting has been set before.
\connect
\echo 'And seen with one''s own eyes: ops.rls_probe() looks as the role, read only, for two tenants,'
\echo 'with the token empty, and without one:'
SELECT relation,
       max(outcome) FILTER (WHERE identity_state = 'A') AS tenant_a,
       max(outcome) FILTER (WHERE identity_state = 'B') AS tenant_b,
       max(outcome) FILTER (WHERE identity_state = 'empty') AS empty,
       max(outcome) FILTER (WHERE identity_state = 'unset') AS unset,
       bool_or(contradicts) AS contradicts_the_proof
  FROM ops.rls_probe(roles => '{authenticated}', schemas => '{public}')
 WHERE relation IN ('projects', 'documents', 'invoices', 'notes', 'usage_metrics', 'member_directory', 'api_keys')
 GROUP BY relation
 ORDER BY relation COLLATE "C";
