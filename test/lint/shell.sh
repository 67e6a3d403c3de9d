#!/usr/bin/env bash
# lint/shell.sh: shell scripts parse, and shellcheck has nothing to say.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

mapfile -t scripts < <(find test examples .ci -name '*.sh' -type f; echo .ci/run)
status=0
for script in "${scripts[@]}"; do
	bash -n "$script" || status=1
done
if command -v shellcheck > /dev/null; then
	shellcheck --severity=warning --shell=bash --exclude=SC1090,SC1091,SC2034,SC2154 "${scripts[@]}" || status=1
fi
exit $status
