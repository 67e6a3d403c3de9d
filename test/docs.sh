#!/usr/bin/env bash
# docs.sh [--write]: the README's table of checks, from the extension itself.
# Needs a server that has the extension and that psql reaches (PGHOST, ...);
# `make docs` builds one for the purpose.
set -euo pipefail
cd "$(dirname "$0")/.."

table() {
	psql -XqAt -v ON_ERROR_STOP=1 -f test/lib/check_table.sql
}

# Everything between the two markers is generated.
write() {
	table > build/check_table.md
	awk '
		/<!-- checks: begin -->/ {
			print
			print "| check | tier | severity | what it measures | warns at | fails at | remarks |"
			print "|---|---|---|---|---|---|---|"
			while ((getline line < "build/check_table.md") > 0)
				print line
			skip = 1
		}
		/<!-- checks: end -->/ { skip = 0 }
		!skip && !/<!-- checks: begin -->/ { print }
	' README.md > build/README.md
	cat build/README.md > README.md
}

case ${1:-} in
	--write) write ;;
	*) table ;;
esac
