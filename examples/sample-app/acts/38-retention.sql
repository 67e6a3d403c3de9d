-- Old rows go, and nobody notices.
-- The paper runbook says: notifications older than 90 days that were read go, monitoring data
-- after 90 days.  Two customers are in court: theirs stay, whatever their age.
\pset format aligned
CREATE TABLE app.legal_holds (tenant_id uuid PRIMARY KEY, reason text NOT NULL);
ALTER TABLE app.legal_holds OWNER TO app_owner;
INSERT INTO app.legal_holds
SELECT id, 'letter of counsel' FROM public.tenants ORDER BY slug COLLATE "C" LIMIT 2;

SELECT ops.add_retention('public.notifications', 'created_at', '90 days', condition => 'read',
                         hold => 'EXISTS (SELECT FROM app.legal_holds AS h WHERE h.tenant_id = notifications.tenant_id)');
SELECT ops.add_retention('app.api_metrics', 'created_at', '90 days');

\echo 'What would go, and how:'
SELECT policy_name, method, rows, round(share_pct::numeric) AS share, batches, stopped_by, remedy
  FROM ops.cleanup_plan(exact => true)
 ORDER BY policy_name COLLATE "C";

\echo 'The guard is right to ask: most of the notifications were never cleaned up.  Once, then:'
SELECT ops.alter_retention('public.notifications', max_share => 90);
CALL ops.run_cleanup();

SELECT policy_name, status, deleted, batches, round(longest_ms::numeric, 1) AS longest_ms
  FROM ops.cleanup_run
 ORDER BY run_id;

\echo 'What is left of what was old and read is what is held:'
SELECT count(*) AS old_and_read,
       count(*) FILTER (WHERE tenant_id IN (SELECT tenant_id FROM app.legal_holds)) AS held
  FROM public.notifications
 WHERE read AND created_at < now() - interval '90 days';
