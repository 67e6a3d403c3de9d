-- pgbench script: one request of the application, as the API would do it.
-- Connects as authenticator, becomes authenticated, sees what row security
-- lets the signed-in person see.  One request in twenty fails and rolls back.
\set person random_zipfian(1, :people, 1.05)
\set task random(1, :tasks)
\set luck random(1, 20)
BEGIN;
SELECT app.sign_in(:person);
SET LOCAL ROLE authenticated;
SELECT count(*) FROM public.notifications WHERE NOT read;
SELECT t.title, p.name FROM public.tasks AS t JOIN public.projects AS p ON p.id = t.project_id WHERE t.id = :task;
UPDATE public.tasks SET done = NOT done WHERE id = :task;
INSERT INTO public.events (tenant_id, user_id, kind, payload) VALUES (app.current_tenant(), auth.uid(), 'task_done', '{"path": "/app/tasks"}');
\if :luck = 1
ROLLBACK;
\else
COMMIT;
\endif
