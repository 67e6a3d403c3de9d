#!/usr/bin/env bash
# lint/source.sh: habits of this house that no compiler knows.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

status=0
complain() {
	echo "$*"
	status=1
}

grep -n operations_runbook pgxs.mk && complain 'pgxs.mk names the project'

version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" operations_runbook.control)
grep -rnF "'$version'" --include='*.c' --include='*.h' --include='*.sql' --include='Makefile' --include='*.mk' src Makefile pgxs.mk &&
	complain 'the version stands elsewhere than in the control file'

grep -rniE 'CREATE OR REPLACE|IF NOT EXISTS' src --include='*.sql' |
	grep -v -e upgrade/ -e ':-- ' && complain 'install SQL would accept a planted object'

for file in sql/*.sql; do
	[ -e "expected/$(basename "$file" .sql).out" ] || complain "$file has no expected output"
done
for file in test/specs/*.spec; do
	[ -e "test/expected/$(basename "$file" .spec).out" ] || complain "$file has no expected output"
done

# Every check has its page, and every page its check.
for name in $(sed -n 's/^\t\t\.name = "\(.*\)",$/\1/p' src/health/checks_*.c); do
	[ -e "src/health/pages/$name.md" ] || complain "check $name has no page"
done
for page in src/health/pages/*.md; do
	grep -q "\.name = \"$(basename "$page" .md)\"" src/health/checks_*.c ||
		complain "$page is the page of no check"
done

# A file that long asks to be split by idea.
wc -l src/*.c src/*/*.c | awk '$2 != "total" && $1 > 800 { print $2 ": " $1 " lines"; bad = 1 } END { exit bad }' ||
	complain 'files past 800 lines'

grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' src sql test/t Makefile pgxs.mk README.md &&
	complain 'unfinished words'

# Whatever the library exports is named after us.
if [ -e operations_runbook.so ]; then
	nm -D --defined-only operations_runbook.so | awk '{ print $3 }' |
		grep -vE '^(ops_|pg_finfo_ops_|_PG_init$|Pg_magic_func$|_init$|_fini$|__|_edata$|_end$)' &&
		complain 'exported symbols of another name'
fi
exit $status
