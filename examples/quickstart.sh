#!/usr/bin/env bash
# Shows snapctl at work: builds it, starts a local cluster of three nodes with real sshd, Docker and etcd and a local
# S3 server, saves a snapshot of each and uploads one, restores it with etcdctl and counts its keys. Debian 12 or newer,
# as root.
#   ./examples/quickstart.sh           takes the cluster down at the end
#   ./examples/quickstart.sh --keep    leaves it up, and says how to go on
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
'' | --keep) ;;
*)
    sed -n 2,6p "$0" >&2
    exit 2
    ;;
esac
if [ "$(id -u)" -ne 0 ]; then
    echo "quickstart.sh: the cluster needs root" >&2
    exit 2
fi

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() {
    printf '$ %s\n' "$*"
    "$@"
}

say "Installing what is missing, and building snapctl"
./tests/setup.sh test
cmake -S . -B build >/dev/null
cmake --build build -j"$(nproc)" --target snapctl | tail -n 1

lab=tests/lab/lab
export LAB_DIR=${LAB_DIR:-/tmp/snapctl-quickstart}
say "Starting a cluster of three nodes"
"$lab" up --nodes 3
[ "${1:-}" = --keep ] || trap '"$lab" down' EXIT
"$lab" put n1 200 10k
say "Starting an S3 server (Ceph's radosgw)"
"$lab" s3-up
# shellcheck source=/dev/null
. "$LAB_DIR/s3/env"
export AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY

name=before-upgrade
say "Saving a snapshot of every etcd node, and uploading one (the keys are in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
show "$lab" run build/snapctl save --config "$LAB_DIR/cluster.yml" --known-hosts "$LAB_DIR/known_hosts" --name $name \
    --s3 --s3-endpoint "$S3_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET" --folder nightly

say "The snapshots on the nodes"
for node in n1 n2 n3; do
    show "$lab" sh $node ls -l /opt/rke/etcd-snapshots/$name.zip
done

say "The one in the bucket, as another client sees it"
export AWS_CA_BUNDLE=$S3_CA AWS_DEFAULT_REGION=$S3_REGION AWS_REQUEST_CHECKSUM_CALCULATION=when_required
show "$lab" run aws --endpoint-url "https://$S3_TLS_ENDPOINT" s3 ls --recursive "s3://$S3_BUCKET/"
archive=$(mktemp)
"$lab" run aws --endpoint-url "https://$S3_TLS_ENDPOINT" s3 cp --quiet "s3://$S3_BUCKET/nightly/$name.zip" "$archive"

say "Restoring that one into a new etcd"
unzip -l "$archive" || [ $? -eq 1 ] # 1: it warns of the leading slash in the names
restored=$("$lab" restore "$archive" | tail -n 1)
rm -f "$archive"
live=$("$lab" keys n1)
echo "keys in the restored etcd: $restored; in the cluster: $live"
[[ $restored == *"$live"* ]]

if [ "${1:-}" = --keep ]; then
    say "The cluster is up; to play with it:"
    cat <<EOF
export LAB_DIR=$LAB_DIR
. $LAB_DIR/s3/env
$lab run build/snapctl save --config $LAB_DIR/cluster.yml --known-hosts $LAB_DIR/known_hosts --name second
$lab run build/snapctl upload second --config $LAB_DIR/cluster.yml --known-hosts $LAB_DIR/known_hosts \\
    --s3-endpoint \$S3_TLS_ENDPOINT --s3-endpoint-ca \$S3_CA --bucket-name \$S3_BUCKET \\
    --access-key \$S3_ACCESS_KEY --secret-key \$S3_SECRET_KEY
$lab run ssh -F $LAB_DIR/ssh_config n1 docker ps
$lab cut n2        # a node in a black hole; heal n2 brings it back
$lab help          # all commands
$lab down
EOF
else
    say "Done; the cluster goes down."
fi
