-- Limits for a demo: what takes minutes in earnest takes seconds here.
-- ops.threshold holds only what differs from the built-in limits.
INSERT INTO ops.threshold (check_name, warning, critical, reason)
SELECT name, warning, critical, 'minutes are seconds in the demo'
  FROM (VALUES ('idle_in_tx', 5, 60),
               ('long_tx', 5, 60),
               ('blocked', 5, 60),
               ('prepared', 5, 10)) AS demo (name, warning, critical)
 WHERE ops.check_exists(name);
