-- What a health endpoint sees
-- health_endpoint may execute ops.health() and nothing else.  It gets an answer;
-- what it may not see is unknown, which is neither ok nor an error.
GRANT USAGE ON SCHEMA ops TO health_endpoint;
GRANT EXECUTE ON FUNCTION ops.health(text, text, text[], interval) TO health_endpoint;
\connect - health_endpoint
SELECT ops.health() AS document \gset

SELECT current_user, :'document'::jsonb ->> 'status' AS status,
       :'document'::jsonb ->> 'summary' AS summary;
SELECT value ->> 'status' AS status, value ->> 'reason' AS reason,
       string_agg(key, ', ' ORDER BY key COLLATE "C") AS checks
  FROM jsonb_each(:'document'::jsonb -> 'checks')
 GROUP BY 1, 2
 ORDER BY array_position(ARRAY['fail', 'warn', 'unknown', 'ok'], value ->> 'status'), 2;
