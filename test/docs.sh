#!/usr/bin/env bash
# docs.sh: writes the README's table of checks, from the extension itself, on
# a private cluster (`make docs`).  Needs root on Debian, as `make test` does.
set -euo pipefail
cd "$(dirname "$0")/.."
source_tree=$PWD

. test/lib/setup.sh
. test/lib/suites.sh

clean_up() {
	test/lib/cluster.sh stop "$work/cluster"
	rm -rf "$work"
}

# Everything between the two markers is generated.
insert_table() {
	awk -v table="$1" '
		/<!-- checks: begin -->/ {
			print
			print "| check | tier | severity | what it measures | warns at | fails at | remarks |"
			print "|---|---|---|---|---|---|---|"
			while ((getline line < table) > 0)
				print line
			generated = 1
			next
		}
		/<!-- checks: end -->/ { generated = 0 }
		!generated { print }
	' README.md
}

ops_setup demo
work=$(mktemp -d /var/tmp/operations_runbook.docs.XXXXXX)
chmod 755 "$work"
trap clean_up EXIT
build_and_install docs > "$work/build.log" 2>&1
eval "$(PRELOAD='' test/lib/cluster.sh start "$work/cluster")"
psql -XqAt -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION operations_runbook' \
	-f test/lib/check_table.sql > "$work/table.md"
insert_table "$work/table.md" > "$work/README.md"
cat "$work/README.md" > README.md
