#!/usr/bin/env bash
# The figures of `snapctl save`, each as a ratio to a reference that runs in turn with it on the same lab.
#   tests/bench/save.sh [BUILD]     as root; about ten minutes
# RUNS=N repetitions of each (default 5); the medians are printed.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null
. tests/bench/common.bash
snapctl=$PWD/${1:-build}/snapctl
lab=$PWD/tests/lab/lab
runs=${RUNS:-5}
LAB_DIR=$(mktemp -d /tmp/snapctl-bench.XXXXXX)/lab
export LAB_DIR
trap '"$lab" down; rm -rf "${LAB_DIR%/lab}"' EXIT

# Seconds that a command takes, and its peak memory in KiB.
measure() {
    python3 - "$@" <<'EOF'
import os, sys, time
start = time.monotonic()
pid = os.fork()
if pid == 0:
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(f"{time.monotonic() - start:.3f} {usage.ru_maxrss}")
if status:
    sys.exit(f"failed: {sys.argv[1:]}")
EOF
}

# Each snapshot has a name of its own: bench-$count.
count=0
save() { # CONFIG OPTION...
    local config=$1
    shift
    measure "$lab" run "$snapctl" save --config "$config" --known-hosts "$LAB_DIR/known_hosts" --name "bench-$count" "$@"
}

on_all() { # runs a function for each node at once
    local node pids=() pid
    for node in "${nodes[@]}"; do
        "$@" "$node" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
}

bare_run() {
    "$lab" sh "$1" docker run --rm --name bench-bare --network host -v /opt/rke/etcd-snapshots/:/backup \
        -v /etc/kubernetes:/etc/kubernetes rancher/rke-tools:v0.1.90 /opt/rke-tools/rke-etcd-backup etcd-backup save \
        --cacert /etc/kubernetes/ssl/kube-ca.pem --cert /etc/kubernetes/ssl/kube-node.pem \
        --key /etc/kubernetes/ssl/kube-node-key.pem --name "bare-$count" --endpoints="10.77.0.1${1#n}:2379" --once \
        >/dev/null 2>&1
}

ssh_cat() {
    "$lab" run ssh -F "$LAB_DIR/ssh_config" "$1" "cat /opt/rke/etcd-snapshots/bench-$count.zip" >/dev/null
}

elapsed() { # of a function
    local start=$EPOCHREALTIME
    "$@"
    awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.3f\n", b - a}'
}

empty_folders() {
    local node
    for node in "${nodes[@]}"; do
        "$lab" sh "$node" sh -c 'rm -f /opt/rke/etcd-snapshots/*'
    done
}

three_nodes() {
    nodes=(n1 n2 n3)
    "$lab" up --nodes 3
    "$lab" put n1 200 500k >/dev/null
    "$lab" quota 0.5
    local bare=() quick=() full=() cat=() memory=0 line
    for ((i = 0; i < runs; i++)); do
        bare+=("$(elapsed on_all bare_run)")
        empty_folders
        count=$((count + 1))
        line=$(save "$LAB_DIR/cluster.yml" --verify quick)
        quick+=("${line% *}")
        empty_folders
        count=$((count + 1))
        line=$(save "$LAB_DIR/cluster.yml")
        full+=("${line% *}")
        [ "${line#* }" -le "$memory" ] || memory=${line#* }
        cat+=("$(elapsed on_all ssh_cat)")
        empty_folders
    done
    local b q f c
    b=$(printf '%s\n' "${bare[@]}" | median)
    q=$(printf '%s\n' "${quick[@]}" | median)
    f=$(printf '%s\n' "${full[@]}" | median)
    c=$(printf '%s\n' "${cat[@]}" | median)
    echo "three nodes, half a core for each"
    echo "  slowest bare docker run        $b s"
    echo "  save --verify quick            $q s   (limit 1.05 x + 0.5 s = $(awk -v b="$b" 'BEGIN {print 1.05 * b + 0.5}') s)"
    echo "  save --verify full             $f s"
    echo "  full adds                      $(awk -v f="$f" -v q="$q" 'BEGIN {print f - q}') s"
    echo "  ssh cat of the three archives  $c s   (full adds $(awk -v f="$f" -v q="$q" -v c="$c" 'BEGIN {printf "%.2f", (f - q) / c}') x, limit 1.25 x)"
    echo "  peak memory                    $memory KiB   (limit $(((20 + 3 * 6) * 1024)) KiB)"
    "$lab" down
}

nine_nodes() {
    nodes=(n1 n2 n3 n4 n5 n6 n7 n8 n9)
    "$lab" up --nodes 9
    local one=() nine=() memory=0 line node share
    for node in "${nodes[@]}"; do "$lab" tool "$node" instant=1; done
    # Real nodes have processors of their own: here each has the share that leaves nine of them side by side.
    share=$(awk -v n="$(nproc)" 'BEGIN {printf "%.2f", 0.9 * n / 9}')
    "$lab" quota "$share"
    awk '/^  - address/ {n++} n > 1 && /^services/ {n = 0} n <= 1' "$LAB_DIR/cluster.yml" >"$LAB_DIR/one.yml"
    cp "$LAB_DIR/cluster.rkestate" "$LAB_DIR/one.rkestate"
    for ((i = 0; i < runs; i++)); do
        count=$((count + 1))
        line=$(save "$LAB_DIR/one.yml")
        one+=("${line% *}")
        count=$((count + 1))
        line=$(save "$LAB_DIR/cluster.yml")
        nine+=("${line% *}")
        [ "${line#* }" -le "$memory" ] || memory=${line#* }
    done
    local o n
    o=$(printf '%s\n' "${one[@]}" | median)
    n=$(printf '%s\n' "${nine[@]}" | median)
    echo "nine nodes, instant snapshot tool, $share of a core for each"
    echo "  one node $o s, nine nodes $n s: $(ratio "$n" "$o") x   (limit 1.5 x)"
    echo "  peak memory $memory KiB   (limit $(((20 + 9 * 6) * 1024)) KiB)"
    "$lab" down
}

start_up() {
    local ours=() curls=() line stripped
    for ((i = 0; i < 20; i++)); do
        line=$(measure "$snapctl" --version)
        ours+=("${line% *}")
        line=$(measure curl --version)
        curls+=("${line% *}")
    done
    stripped=$(mktemp)
    strip -o "$stripped" "$snapctl"
    echo "start-up"
    echo "  snapctl --version $(printf '%s\n' "${ours[@]}" | median) s, curl --version $(printf '%s\n' "${curls[@]}" | median) s"
    echo "  stripped binary $(stat -c %s "$stripped") bytes   (limit 2097152)"
    rm -f "$stripped"
}

start_up
three_nodes
nine_nodes
