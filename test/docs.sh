#!/usr/bin/env bash
# docs.sh: writes the README's tables of checks, from the extension itself, on
# a private cluster, and of row security's findings (`make docs`).  Needs root
# on Debian, as `make test` does.
set -euo pipefail
cd "$(dirname "$0")/.."
source_tree=$PWD

. test/lib/setup.sh
. test/lib/suites.sh

clean_up() {
	test/lib/cluster.sh stop "$work/cluster"
	rm -rf "$work"
}

# Everything between the two markers of a name is generated.
#     insert_table NAME HEADING FILE < README.md
insert_table() {
	awk -v name="$1" -v heading="$2" -v table="$3" '
		$0 == "<!-- " name ": begin -->" {
			print
			print heading
			gsub(/[^|]+/, "---", heading)
			print heading
			while ((getline line < table) > 0)
				print line
			generated = 1
			next
		}
		$0 == "<!-- " name ": end -->" { generated = 0 }
		!generated { print }
	'
}

ops_setup demo
work=$(mktemp -d /var/tmp/operations_runbook.docs.XXXXXX)
chmod 755 "$work"
trap clean_up EXIT
build_and_install docs > "$work/build.log" 2>&1
eval "$(PRELOAD='' test/lib/cluster.sh start "$work/cluster")"
psql -XqAt -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION operations_runbook' \
	-f test/lib/check_table.sql > "$work/table.md"
perl test/lib/rls_codes.pl > "$work/codes.md"
insert_table checks '| check | tier | severity | what it measures | warns at | fails at | remarks |' "$work/table.md" < README.md |
	insert_table 'rls codes' '| code | severity | meaning |' "$work/codes.md" > "$work/README.md"
cat "$work/README.md" > README.md
