-- the table of checks keeps its promises
SELECT check_name, count(*) FROM ops.check_list() GROUP BY 1 HAVING count(*) > 1;
SELECT check_name AS limits_out_of_order FROM ops.check_list()
 WHERE CASE WHEN lower_is_worse THEN warning < critical ELSE warning > critical END;
SELECT check_name AS without_unit FROM ops.check_list()
 WHERE unit IS NULL AND (warning IS NOT NULL OR critical IS NOT NULL);
SELECT check_name AS misnamed FROM ops.check_list() WHERE check_name !~ '^[a-z][a-z0-9_]*$';
SELECT check_name AS title_is_no_phrase FROM ops.check_list() WHERE title !~ '^\S.*[^.]$';
SELECT DISTINCT severity FROM ops.check_list() ORDER BY 1;

-- what gates readiness by itself
SELECT check_name FROM ops.check_list() WHERE gates ORDER BY check_name COLLATE "C";

-- all of them
SELECT check_name, family, depth, severity, unit, warning, critical, works_on, shown_to
  FROM ops.check_list() ORDER BY check_name COLLATE "C";
