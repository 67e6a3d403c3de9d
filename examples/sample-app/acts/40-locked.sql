-- It does not get stuck where others do
-- Somebody holds public.invoices in ACCESS EXCLUSIVE MODE and two requests queue
-- behind it.  A tool that asks for the size of that table queues as well:
\echo 'SELECT pg_total_relation_size(''public.invoices'');'
SET statement_timeout = '1s';
\unset ON_ERROR_STOP
SELECT pg_total_relation_size('public.invoices');
\set ON_ERROR_STOP 1
RESET statement_timeout;

\echo
\echo 'The checks, all of them, including who waits for how long:'
SELECT count(*) AS checks,
       round(extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000, 1)
           AS milliseconds,
       max(message) FILTER (WHERE check_name = 'blocked') AS blocked
  FROM ops.checks('deep');
