#!/usr/bin/env bash
# run.sh [SUITE ...]: sets up a bare Debian machine and runs every suite, or
# the named ones.  Needs root.  Works on a copy of the tree that belongs to
# user postgres, so the checkout stays as it is; leaves the system's own
# clusters alone.  The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.." || exit
source_tree=$PWD

. test/lib/setup.sh
. test/lib/suites.sh
. test/lib/matrix.sh

all_suites=(lint build_gcc build_clang static install regress isolation tap
	rls rls_fuzz demo dist deb fuzz asan valgrind coverage matrix)

passed=0
failed=0
work=

# Count what a suite says of itself: lines "ok - name" and "not ok - name";
# one that says nothing counts as one, by its exit status.
run_suite() {
	local suite=$1 log=$work/$1.log start=$SECONDS status=0 ok not_ok

	"suite_$suite" > "$log" 2>&1 < /dev/null || status=$?
	ok=$(grep -c '^ok - ' "$log")
	not_ok=$(grep -c '^not ok - ' "$log")
	if [ "$((ok + not_ok))" = 0 ]; then
		if [ "$status" = 0 ]; then ok=1; else not_ok=1; fi
	elif [ "$status" != 0 ] && [ "$not_ok" = 0 ]; then
		not_ok=1
	fi
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	if [ "$not_ok" = 0 ]; then
		echo "ok - $suite: $ok passed ($((SECONDS - start)) s)"
		grep -h '^# ' "$log" | sed 's/^/    /'
	else
		echo "not ok - $suite: $not_ok failed ($((SECONDS - start)) s)"
		grep -h '^not ok - ' "$log" | sed 's/^/    /'
		{
			tap_failures "$log"
			tail -60 "$log"
		} | sed 's/^/    | /'
	fi
}

# What runs in the background in a process group of its own, and may not heed
# the first signal.
end_jobs() {
	local group

	for group in $(jobs -pr); do
		kill -TERM -- "-$group" && sleep 1 && kill -KILL -- "-$group"
	done 2> /dev/null
}

clean_up() {
	[ -n "$work" ] || return 0
	end_jobs
	[ ! -e "$work/cluster/data" ] || test/lib/cluster.sh stop "$work/cluster"
	[ -n "${OPS_KEEP:-}" ] || rm -rf "$work"
}

suites=("${@:-${all_suites[@]}}")
if [ $# = 0 ]; then suites=("${all_suites[@]}"); fi
for suite in "${suites[@]}"; do
	declare -F "suite_$suite" > /dev/null || {
		echo "run.sh: no suite is named $suite; there are: ${all_suites[*]}" >&2
		exit 2
	}
done

ops_setup test
work=$(mktemp -d /var/tmp/operations_runbook.test.XXXXXX)
chmod 755 "$work"
trap clean_up EXIT
trap 'exit 130' INT TERM

for suite in "${suites[@]}"; do
	run_suite "$suite"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
