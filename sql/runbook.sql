-- a page for each check, with its sections
SELECT check_name AS without_section, section
  FROM ops.check_list(),
       unnest(ARRAY['## What it means', '## Look closer', '## What to do', '## What not to do']) AS section
 WHERE position(section IN ops.runbook(check_name)) = 0
 ORDER BY check_name COLLATE "C", section COLLATE "C";
SELECT check_name AS title_is_another_checks FROM ops.check_list()
 WHERE ops.runbook(check_name) NOT LIKE '# ' || check_name || '%'
 ORDER BY check_name COLLATE "C";

-- none for anything else
\set VERBOSITY sqlstate
SELECT ops.runbook('nonesuch');
SELECT ops.runbook('');
\set VERBOSITY default
SELECT ops.runbook(NULL) IS NULL AS null_for_null;
