SELECT 'finding', severity, class, code, coalesce(object, ''), coalesce(schema_name || '.' || object_name, object_name, ''),
       coalesce(role_name, ''), coalesce(command, ''), coalesce(gate, ''), replace(coalesce(message, ''), E'\t', ' ')
FROM ops.rls_audit(with_proofs => true);
SELECT 'verdict', schema_name || '.' || relation, role_name, command, gate, verdict, coalesce(replace(obstacle, E'\t', ' '), '')
FROM ops.rls_matrix();
