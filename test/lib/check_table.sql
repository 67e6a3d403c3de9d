-- The table of all checks as it stands in the README.
SELECT format('| `%s` | %s | %s | %s | %s | %s | %s |%s',
              check_name, depth, severity, title,
              CASE WHEN warning IS NULL THEN '' ELSE concat(CASE WHEN lower_is_worse THEN '≤ ' ELSE '' END, warning, ' ', unit) END,
              CASE WHEN critical IS NULL THEN '' ELSE concat(CASE WHEN lower_is_worse THEN '≤ ' ELSE '' END, critical, ' ', unit) END,
              concat_ws(', ', CASE works_on WHEN 'everywhere' THEN NULL ELSE works_on || ' only' END,
                        CASE shown_to WHEN 'anybody' THEN NULL ELSE 'needs ' || shown_to END,
                        CASE WHEN gates THEN 'gates readiness' END),
              '')
  FROM ops.check_list()
 ORDER BY array_position(ARRAY['activity','horizon','statistics','replication','replication_slots','storage','configuration','security','row_security','vacuum','indexes','schema','sequences','jobs'], family),
          depth DESC, check_name COLLATE "C";
