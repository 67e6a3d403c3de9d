#!/usr/bin/env bash
# lint/includes.sh: who may include whom, and in which form.
#     core includes only itself and the server, rooms include core and
#     themselves, health may include any room, nothing knows test.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

status=0
complain() {
	echo "$*"
	status=1
}

# Our own headers by their path below src.
ours() {
	grep -oE '^#include "[a-z_]+/[a-z_]+\.h"' "$1" | sed 's/.*"\(.*\)"/\1/' |
		while read -r header; do
			[ -e "src/$header" ] && echo "$header"
		done
}

for file in src/*.[ch] src/*/*.[ch]; do
	room=$(basename "$(dirname "$file")")
	for header in $(ours "$file"); do
		target=${header%%/*}
		case $room:$target in
			src:* | *:core | health:*) ;;
			"$target:$target") ;;
			*) complain "$file: $room must not include $header" ;;
		esac
	done
	grep -n 'test/' "$file" | grep include && complain "$file: src must not know test"
	if [ "$file" != src/core/compat.h ] && grep -n 'PG_VERSION_NUM' "$file"; then
		complain "$file: only core/compat.h looks at the version"
	fi
	sorted=$(grep '^#include "' "$file" | grep -v '"postgres.h"')
	if [ "$sorted" != "$(printf '%s\n' "$sorted" | LC_ALL=C sort)" ]; then
		complain "$file: includes are not sorted"
	fi
done

for file in src/*.c src/*/*.c; do
	[ "$(grep -m1 '^#include' "$file")" = '#include "postgres.h"' ] ||
		complain "$file: postgres.h comes first"
done

includedir=$("${PG_CONFIG:-pg_config}" --includedir-server)
for file in src/*/*.h; do
	guard=OPS_$(basename "$file" .h | tr a-z A-Z)_H
	grep -q "^#ifndef $guard$" "$file" || complain "$file: guard is not $guard"
	grep -q '"postgres.h"' "$file" && complain "$file: a header does not include postgres.h"
	printf '#include "postgres.h"\n#include "%s"\n' "${file#src/}" |
		gcc -fsyntax-only -D_GNU_SOURCE -DOPS_VERSION='""' -Isrc -I"$includedir" -x c - ||
		complain "$file: does not compile alone"
done
exit $status
