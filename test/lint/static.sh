#!/usr/bin/env bash
# lint/static.sh TREE: cppcheck, clang-tidy with clang's analyzer, and gcc's, over
# a copy of the tree that they may write to.
set -uo pipefail
cd "$1" || exit

pg_config=${PG_CONFIG:-pg_config}
includes=(-Isrc "-I$("$pg_config" --includedir-server)")
status=0

verdict() {
	if [ "$2" = 0 ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		status=1
	fi
}

make -s PG_CONFIG="$pg_config" build/pages.c

# The server's headers have too many configurations to follow them.
cppcheck --quiet -j "$(nproc)" --error-exitcode=1 --max-configs=1 --std=c99 \
	--enable=warning,performance,portability --inline-suppr \
	--suppress=missingInclude --suppress=unknownMacro \
	--suppress=nullPointerRedundantCheck -DOPS_VERSION='""' \
	-DPG_VERSION_NUM="$("$pg_config" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')0000" \
	-Isrc src
verdict cppcheck $?

# One process for each core; xargs fails if one of them does.
checks="-*,bugprone-*,clang-analyzer-*,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions,-bugprone-reserved-identifier,-bugprone-macro-parentheses,-bugprone-branch-clone,-bugprone-sizeof-expression,-bugprone-integer-division,-bugprone-assignment-in-if-condition,-bugprone-implicit-widening-of-multiplication-result,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-clang-analyzer-security.insecureAPI.strcpy,-clang-analyzer-valist.Uninitialized"
printf '%s\n' src/*.c src/*/*.c |
	xargs -P "$(nproc)" -I '{}' clang-tidy --quiet --warnings-as-errors='*' \
		--checks="$checks" '{}' -- -std=gnu99 -D_GNU_SOURCE \
		-DOPS_VERSION='""' "${includes[@]}" 2> /dev/null
verdict clang-tidy $?

make -s -j"$(nproc)" PG_CONFIG="$pg_config" CC=gcc with_llvm=no STRICT=1 \
	COPT='-fanalyzer -Wno-analyzer-use-of-uninitialized-value' 2>&1 | tail -60
verdict 'gcc -fanalyzer' "${PIPESTATUS[0]}"
exit $status
