#!/usr/bin/env bash
# What the check of an archive costs, as a ratio to sha256sum and to unzip of the same file, in the same run.
#   tests/bench/archive.sh [BUILD...]     build folders (default: build)
# RUNS=N repetitions of each (default 5); the medians of the processor times are printed.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null
. tests/bench/common.bash
runs=${RUNS:-5}
[ $# -gt 0 ] || set -- build
work=$(mktemp -d "${TMPDIR:-/tmp}/snapctl-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# An archive like that of a cluster's etcd: 118 MB of base64 pack into 88 MB.
python3 - "$work/bench.zip" <<'EOF'
import base64, hashlib, os, struct, sys, zipfile

page_size, pages = 4096, 28809
meta = struct.pack("<IIIIQQQQQ", 0xED0CDAED, 2, page_size, 0, 0, 0, 0, pages, 0)
checksum = 0xcbf29ce484222325
for byte in meta:
    checksum = (checksum ^ byte) * 0x100000001b3 % 2**64
first = struct.pack("<QHHI", 0, 4, 0, 0) + meta + struct.pack("<Q", checksum)
text = base64.b64encode(os.urandom(page_size * pages * 3 // 4))
database = first + text[:page_size * pages - len(first)]
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    info = zipfile.ZipInfo("/backup/bench")
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, database + hashlib.sha256(database).digest())
EOF

# Seconds of processor time that a command takes.
cost() {
    python3 - "$@" <<'EOF'
import os, resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{usage.ru_utime + usage.ru_stime:.3f}")
EOF
}

n=0
for build; do
    n=$((n + 1))
    # shellcheck disable=SC2046 # words, one option each
    cc -O2 -D_GNU_SOURCE -I include tests/bench/archive.c "$build/libsnapctl_rooms.a" -Wl,--as-needed \
        $(pkg-config --libs libcrypto libdeflate) -o "$work/check$n"
done

declare -A times=()
for ((i = 0; i < runs; i++)); do
    times[sha256sum]+=" $(cost sha256sum "$work/bench.zip")"
    times[unzip]+=" $(cost unzip -p "$work/bench.zip")"
    for ((b = 1; b <= n; b++)); do
        times[check$b]+=" $(cost "$work/check$b" "$work/bench.zip" bench 32768)"
    done
done

middle() { tr ' ' '\n' <<<"${times[$1]# }" | median; }
sha=$(middle sha256sum)
unzip=$(middle unzip)
echo "an archive of $(stat -c %s "$work/bench.zip") bytes: sha256sum $sha s, unzip -p $unzip s"
for ((b = 1; b <= n; b++)); do
    awk -v t="$(middle "check$b")" -v s="$sha" -v u="$unzip" -v name="${!b}" \
        'BEGIN {printf "  check of %s: %.3f s, %.2f x sha256sum, %.2f x unzip -p\n", name, t, t / s, t / u}'
done
