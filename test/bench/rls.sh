#!/usr/bin/env bash
# bench/rls.sh: how fast ops.rls_audit() and ops.rls_matrix() are and what
# memory they take, against SQL that reads the text of the same policies in
# the same run; then how much of test/rls/corpus the audit finds and how often
# it is wrong.  Times are this machine's; ratios are what holds elsewhere.
# Needs root on Debian, as `make test` does.  Called by bench/run.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
source_tree=$PWD

. test/lib/setup.sh
. test/lib/suites.sh
. test/bench/lib.sh

warm_calls=${OPS_BENCH_RLS_CALLS:-7}

# Wall time of each call in milliseconds, the first in its session apart; then
# memory in kB that a later call takes at its peak beyond what the session had
# before, and what is left of it afterwards.
#     timed DATABASE STATEMENT  ->  cold, warm (median), peak, left
timed() {
	psql -XqAt -F ' ' -v ON_ERROR_STOP=1 -d "$1" <<-SQL
		SET client_min_messages = error;
		CREATE TEMP TABLE timing (call int, ms float8);
		CREATE FUNCTION pg_temp.memory(name text) RETURNS int LANGUAGE sql VOLATILE AS
		\$\$ SELECT (regexp_match(pg_read_file('/proc/self/status'), name || ':\s+(\d+) kB'))[1]::int \$\$;
		\\connect - - - -
	SQL
}
