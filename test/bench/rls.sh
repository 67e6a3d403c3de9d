#!/usr/bin/env bash
# bench/rls.sh: how fast ops.rls_audit() and ops.rls_matrix() are and how much
# memory they take, against SQL that reads the text of the same policies in
# the same run; then what share of test/rls/corpus the audit finds, and how
# often it is wrong.  Called by run.sh; runs alone, too.
set -euo pipefail
cd "$(dirname "$0")/../.."
source_tree=$PWD

. test/lib/setup.sh
. test/lib/suites.sh
. test/bench/lib.sh

calls=${OPS_BENCH_RLS_CALLS:-9}
audit='SELECT count(*) FROM ops.rls_audit()'
matrix='SELECT count(*) FROM ops.rls_matrix()'
linter="SELECT count(*) FROM ($(cat test/bench/rls.sql)) AS linter"

make_database() {
	psql -Xq -d postgres -c "CREATE DATABASE $1"
	psql -Xq -d "$1" -v ON_ERROR_STOP=1 -v tables="$2" -f test/bench/rls_schema.sql > /dev/null
	psql -Xq -d "$1" -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION operations_runbook' \
		-c 'VACUUM ANALYZE pg_class, pg_attribute, pg_policy, pg_index, pg_constraint, pg_depend, pg_attrdef, pg_type, pg_proc'
}

# The first call of a session, in ms: the median of five sessions.
cold() {
	local _

	for _ in 1 2 3 4 5; do
		figure "$(measure "$1" 1 cold "$2")" cold 1
	done | sort -n | sed -n 3p
}

# Memory of a session in kB, without what it shares: what the first call took
# at its peak (the caches it fills included), and what ten more left behind.
memory() {
	psql -XqAt -F ' ' -v ON_ERROR_STOP=1 -d "$1" <<-SQL
		CREATE FUNCTION pg_temp.kb(name text) RETURNS int LANGUAGE sql AS
		\$\$ SELECT (regexp_match(pg_read_file('/proc/self/status'), name || ':\s+(\d+) kB'))[1]::int \$\$;
		SELECT pg_temp.kb('RssAnon') AS before \gset
		$2 \g /dev/null
		SELECT pg_temp.kb('VmHWM') - pg_temp.kb('RssFile') - pg_temp.kb('RssShmem') - :before AS peak,
			pg_temp.kb('RssAnon') AS after \gset
		$(for _ in 1 2 3 4 5 6 7 8 9 10; do printf '%s \\g /dev/null\n' "$2"; done)
		SELECT :peak, pg_temp.kb('RssAnon') - :after;
	SQL
}

clean_up() {
	test/lib/cluster.sh stop "$work/cluster"
	rm -rf "$work"
}

ops_setup demo
work=$(mktemp -d /var/tmp/operations_runbook.bench.XXXXXX)
chmod 755 "$work"
trap clean_up EXIT
build_and_install bench > "$work/build.log" 2>&1
eval "$(PRELOAD=operations_runbook EXTRA_CONF=$'shared_buffers = 1GB\nmax_locks_per_transaction = 256\nautovacuum = off\nmax_wal_size = 4GB' \
	test/lib/cluster.sh start "$work/cluster")"

printf '%-46s %10s %10s %10s %10s\n' '' 'cold ms' 'warm ms' 'peak MB' 'left MB'
row() {
	printf '%-46s %10.1f %10.1f %10.1f %10.1f\n' "$1" "$2" "$3" \
		"$(awk '{ print $1 / 1024 }' <<< "$4")" "$(awk '{ print $2 / 1024 }' <<< "$4")"
}

missed=
targets=
for tables in 1000 10000; do
	database=rls_$tables
	make_database "$database" "$tables"
	psql -XqAt -d "$database" -c "SELECT format('%s tables, %s policies, %s rows of ops.rls_audit(), %s of them P0', (SELECT count(*) FROM pg_class WHERE relrowsecurity),
		(SELECT count(*) FROM pg_policy), count(*), count(*) FILTER (WHERE severity = 'P0')) FROM ops.rls_audit()"
	warm=$(measure "$database" "$calls" audit "$audit" matrix "$matrix" linter "$linter")
	audit_memory=$(memory "$database" "$audit")
	matrix_memory=$(memory "$database" "$matrix")
	audit_ms=$(figure "$warm" audit 1)
	matrix_ms=$(figure "$warm" matrix 1)
	linter_ms=$(figure "$warm" linter 1)
	row 'ops.rls_audit()' "$(cold "$database" "$audit")" "$audit_ms" "$audit_memory"
	row 'ops.rls_matrix()' "$(cold "$database" "$matrix")" "$matrix_ms" "$matrix_memory"
	row 'four rules of a linter in SQL' "$(cold "$database" "$linter")" "$linter_ms" "$(memory "$database" "$linter")"
	echo "times as fast as the SQL: $(ratio "$linter_ms" "$audit_ms") (audit), $(ratio "$linter_ms" "$matrix_ms") (matrix)"
	echo
	targets+="$tables $audit_ms $matrix_ms $audit_memory $matrix_memory"$'\n'
done

# Columns of $targets: tables, audit, matrix, then peak and left of both.
target() {
	awk -v tables="$1" "\$1 == tables { print $2 }" <<< "$targets"
}
growth() {
	awk -v column="$1" 'NR == 1 { first = $column / $1 } NR == 2 { print ($column / $1) / first }' <<< "$targets"
}

for tables in 1000 10000; do
	verdict "ops.rls_audit() of $tables tables, warm, in s" "$(target "$tables" '$2 / 1000')" '<=' "$(awk -v n="$tables" 'BEGIN { print n * 0.00015 }')"
	verdict "ops.rls_matrix() of $tables tables, warm, in s" "$(target "$tables" '$3 / 1000')" '<=' "$(awk -v n="$tables" 'BEGIN { print n * 0.00015 }')"
	verdict "memory left by ten audits of $tables tables, in MB" "$(target "$tables" '$5 / 1024')" '<=' 2
	verdict "memory left by ten matrices of $tables tables, in MB" "$(target "$tables" '$7 / 1024')" '<=' 2
done
verdict 'price of a table in ops.rls_audit(), 10000 to 1000' "$(growth 2)" '<=' 1.5
verdict 'price of a table in ops.rls_matrix(), 10000 to 1000' "$(growth 3)" '<=' 1.5
verdict 'memory of a table in ops.rls_audit(), 10000 to 1000' "$(growth 4)" '<=' 1.5
echo

test/rls/corpus.sh || missed=yes
[ -z "$missed" ]
