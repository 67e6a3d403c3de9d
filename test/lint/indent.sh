#!/usr/bin/env bash
# lint/indent.sh [--write]: C in PostgreSQL's own layout, Perl in its too.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

write=${1:-}
status=0

# Our own types, which pg_bsd_indent cannot guess; the server's by list.
typedefs() {
	cat test/lint/typedefs.list
	sed -n -E 's/^\} ([A-Z][A-Za-z]+);.*/\1/p' src/*/*.[ch]
	sed -n -E 's/^typedef struct [A-Za-z]+ ([A-Z][A-Za-z]+);.*/\1/p' src/*/*.[ch]
	grep -ohE '\(\*(Ops[A-Za-z]+)\)' src/*/*.h | tr -d '(*)'
}

# Compare with, or replace by, what a formatter printed.
settle() {
	local file=$1 formatted=$2

	if [ "$write" = --write ]; then
		cmp -s "$file" "$formatted" || cat "$formatted" > "$file"
	elif ! diff -u "$file" "$formatted"; then
		status=1
	fi
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if command -v pg_bsd_indent > /dev/null; then
	typedefs | sort -u > "$scratch/typedefs"
	for file in src/*.[ch] src/*/*.[ch] test/lib/*.c; do
		pg_bsd_indent -bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce -d0 -di12 \
			-nfc1 -i4 -l79 -lp -lpl -nip -npro -sac -tpg -ts4 \
			-U"$scratch/typedefs" "$file" "$scratch/raw" > /dev/null || status=1
		# As pgindent does: no tab between a result's type and its star.
		sed -E 's/^([A-Za-z_][A-Za-z0-9_ ]*[A-Za-z0-9_])[ \t]+\*$/\1 */' \
			"$scratch/raw" > "$scratch/out"
		settle "$file" "$scratch/out"
	done
else
	echo "# pg_bsd_indent is not packaged here: C layout not checked"
fi

# Its versions differ in taste; the one beside pg_bsd_indent is ours.
if command -v pg_bsd_indent > /dev/null && command -v perltidy > /dev/null; then
	for file in test/t/*.pl test/lib/*.pm; do
		perltidy --profile=test/lint/perltidyrc "$file" -o "$scratch/out" || status=1
		settle "$file" "$scratch/out"
	done
else
	echo "# perltidy is not the one of Debian 12: Perl layout not checked"
fi
exit $status
