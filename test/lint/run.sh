#!/usr/bin/env bash
# lint/run.sh: what is asked of the source beyond compiling.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

status=0
for script in indent includes source shell; do
	if output=$(test/lint/$script.sh 2>&1); then
		echo "ok - lint $script"
	else
		echo "not ok - lint $script"
		status=1
	fi
	[ -z "$output" ] || printf '%s\n' "$output"
done
exit $status
