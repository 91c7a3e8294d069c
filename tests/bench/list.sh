#!/usr/bin/env bash
# The time of `snapctl list` with 1,000 snapshots on each of three nodes and 10,000 objects in S3, beside the slower of
# what lists only one of the two: `ssh node ls -l` on the nodes at once, and awscli's list of the objects.
#   tests/bench/list.sh [BUILD]     as root; some minutes
# RUNS=N repetitions of each (default 5); the medians are printed.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null
. tests/bench/common.bash
snapctl=$PWD/${1:-build}/snapctl
lab=$PWD/tests/lab/lab
runs=${RUNS:-5}
work=$(mktemp -d /tmp/snapctl-bench.XXXXXX)
export LAB_DIR=$work/lab HOME=$work
trap '"$lab" down; rm -rf "$work"' EXIT
backup=/opt/rke/etcd-snapshots

elapsed() { # of a function, what it printed is left in $work/out
    local start=$EPOCHREALTIME
    "$@" >"$work/out" 2>&1 || { cat "$work/out" >&2 && return 1; }
    awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.3f\n", b - a}'
}

"$lab" up --nodes 3
"$lab" s3-up
# shellcheck source=/dev/null
. "$LAB_DIR/s3/env"
export AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY AWS_DEFAULT_REGION=us-east-1 AWS_CA_BUNDLE=$S3_CA
common=(--config "$LAB_DIR/cluster.yml" --known-hosts "$LAB_DIR/known_hosts")
store=(--s3-endpoint "$S3_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET")

"$lab" run "$snapctl" save "${common[@]}" --name s --quiet >/dev/null
for node in n1 n2 n3; do
    "$lab" sh $node python3 -c "import os; [os.link('$backup/s.zip', f'$backup/s{i}.zip') for i in range(999)]"
done
"$lab" s3-fill 10000 s

list() { "$lab" run "$snapctl" list "${common[@]}" "${store[@]}" --output json --quiet; }
ssh_ls() {
    local node pids=() pid
    for node in n1 n2 n3; do
        "$lab" run ssh -F "$LAB_DIR/ssh_config" $node ls -l $backup &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
}
aws_list() { "$lab" run aws --endpoint-url "https://$S3_TLS_ENDPOINT" s3api list-objects-v2 --bucket "$S3_BUCKET"; }

for ((i = 0; i < runs; i++)); do
    elapsed list >>"$work/list"
    [ "$(jq '[.snapshots[] | select(.s3)] | length' "$work/out" 2>/dev/null)" = 10000 ] || { echo "not 10,000 objects" >&2 && exit 1; }
    elapsed ssh_ls >>"$work/ssh_ls"
    elapsed aws_list >>"$work/aws_list"
done
echo "3 x 1,000 snapshots on nodes, 10,000 objects in S3"
echo "  snapctl list          $(median <"$work/list") s"
echo "  ssh ls, all at once   $(median <"$work/ssh_ls") s"
echo "  aws list-objects-v2   $(median <"$work/aws_list") s"
