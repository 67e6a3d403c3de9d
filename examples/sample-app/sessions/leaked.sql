-- pgbench script: a connection the pool forgot.
SELECT 1;
\sleep 600 s
