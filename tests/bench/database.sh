#!/usr/bin/env bash
# What the check of a database costs, as a ratio to sha256sum of the same file, in the same run.
#   tests/bench/database.sh SNAPSHOT [BUILD]     a snapshot (some 500 MB tell enough), and a build folder (default: build)
# RUNS=N repetitions of each (default 5); the medians of the wall-clock times are printed.
set -euo pipefail
# shellcheck source=/dev/null
. "$(dirname "$0")/common.bash"
snapshot=$1
facts=$(cd "$(dirname "$0")/../.." && realpath "${2:-build}")/tests/database_facts
runs=${RUNS:-5}

# Seconds that a command takes.
cost() {
    python3 - "$@" <<'PY'
import subprocess, sys, time
start = time.monotonic()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(f"{time.monotonic() - start:.3f}")
PY
}

cat "$snapshot" >/dev/null
for ((i = 0; i < runs; i++)); do
    sums[i]=$(cost sha256sum "$snapshot")
    checks[i]=$(cost "$facts" "$snapshot")
done
sum=$(printf '%s\n' "${sums[@]}" | median)
check=$(printf '%s\n' "${checks[@]}" | median)
awk -v n="$(stat -c %s "$snapshot")" -v s="$sum" -v c="$check" \
    'BEGIN {printf "a database of %d bytes: sha256sum %.3f s, check %.3f s, %.2f x sha256sum\n", n, s, c, c / s}'
