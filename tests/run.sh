#!/usr/bin/env bash
# Builds snapctl and runs its tests through ctest.
#   ./tests/run.sh           all tests; installs what they need (root, Debian 12 or newer)
#   ./tests/run.sh --unit    only what needs neither root nor docker
# BUILD=FOLDER puts the build elsewhere; more arguments go to ctest (-R save, -V, …).
set -euo pipefail
cd "$(dirname "$0")/.."

unit=()
level="test"
if [ "${1:-}" = --unit ]; then
    unit=(-L unit)
    level="unit"
    shift
fi
if [ ${#unit[@]} -eq 0 ] && [ "$(id -u)" -ne 0 ]; then
    echo "run.sh: the tests on the lab need root; --unit runs those that do not" >&2
    exit 2
fi

./tests/setup.sh $level
build=${BUILD:-build}
cmake -S . -B "$build" -DCMAKE_RULE_MESSAGES=OFF >/dev/null
cmake --build "$build" -j"$(nproc)"
# One more than there are processors: some tests mostly wait.
exec ctest --test-dir "$build" --output-on-failure -j$(($(nproc) + 1)) "${unit[@]}" "$@"
