-- schema.sql: a database of :tables tables.  Each has a serial column, a TOAST
-- table and two or three indexes; 2,000 tables make 5,000 indexes.
SELECT format('CREATE TABLE bench_%s (id serial PRIMARY KEY, tenant_id int, body text%s)', i,
              CASE WHEN i % 2 = 0 THEN ', email text UNIQUE' ELSE '' END),
       format('CREATE INDEX ON bench_%s (tenant_id)', i)
  FROM generate_series(1, :tables) AS i
\gexec
