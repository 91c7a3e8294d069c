#!/usr/bin/env bash
# The speed of `snapctl verify` on the archive of a large snapshot that etcd made, beside sha256sum of the snapshot and
# `unzip -p` of its archive, run one after the other.
#   tests/bench/verify.sh [BUILD]     as root; some minutes
# RUNS=N repetitions of each (default 3); the medians are printed. MIB=N megabytes of the snapshot, at least (default 1024).
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null
. tests/bench/common.bash
snapctl=$PWD/${1:-build}/snapctl
lab=$PWD/tests/lab/lab
runs=${RUNS:-3}
mib=${MIB:-1024}
work=$(mktemp -d /tmp/snapctl-bench.XXXXXX)
export LAB_DIR=$work/lab
trap '"$lab" down; rm -rf "$work"' EXIT
backup=/opt/rke/etcd-snapshots

"$lab" up --nodes 1 --disk $((mib * 3))
"$lab" put n1 $((mib * 2)) 500k >/dev/null
"$lab" run "$snapctl" save --config "$LAB_DIR/cluster.yml" --known-hosts "$LAB_DIR/known_hosts" --name s --quiet >/dev/null
"$lab" sh n1 cat "$backup/s.zip" >"$work/s.zip"
unzip -p "$work/s.zip" /backup/s >"$work/s"
for ((i = 0; i < runs; i++)); do
    seconds "$snapctl" verify "$work/s.zip" >>"$work/verify"
    peak=$(tail -n 1 "$work/peak")
    seconds sha256sum "$work/s" >>"$work/sha256sum"
    seconds unzip -p "$work/s.zip" >>"$work/unzip"
done
verify=$(median <"$work/verify") sum=$(median <"$work/sha256sum") unzip=$(median <"$work/unzip")
echo "a snapshot of $(stat -c %s "$work/s") bytes, its archive $(stat -c %s "$work/s.zip")"
echo "  snapctl verify $verify s, peak memory $peak KiB"
awk -v v="$verify" -v s="$sum" -v u="$unzip" \
    'BEGIN {printf "  sha256sum %s s + unzip -p %s s: %.2f x their speed   (at least 0.8 x)\n", s, u, (s + u) / v}'
