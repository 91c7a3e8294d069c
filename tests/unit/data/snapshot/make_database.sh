#!/usr/bin/env bash
# Makes etcd.db beside it with the etcd that is installed, and prints the figures that test_database.c expects.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
etcd=
trap '[ -z "$etcd" ] || kill "$etcd"; rm -rf "$work"' EXIT
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=http://127.0.0.1:42379
etcd --name one --data-dir "$work/data" --listen-client-urls $ETCDCTL_ENDPOINTS --advertise-client-urls $ETCDCTL_ENDPOINTS \
    --listen-peer-urls http://127.0.0.1:42380 --initial-advertise-peer-urls http://127.0.0.1:42380 \
    --initial-cluster one=http://127.0.0.1:42380 >"$work/log" 2>&1 &
etcd=$!
until etcdctl endpoint health >/dev/null 2>&1; do sleep 0.1; done

fill() {
    python3 ../../../program/etcd-fill.py 42379 "$@"
}

fill /registry/pods/ 300 30
fill /registry/secrets/ 2 9000
etcdctl del --prefix /registry/pods/000000 >/dev/null
for n in 1 2 3; do
    lease=$(etcdctl lease grant 6000 | cut -d' ' -f2)
    etcdctl put --lease="$lease" "leased$n" x >/dev/null
done
etcdctl user add root:secret >/dev/null
etcdctl user grant-role root root >/dev/null
etcdctl auth enable >/dev/null
etcdctl --user root:secret snapshot save "$work/etcd.db" >/dev/null 2>&1
mv "$work/etcd.db" .
etcdctl snapshot status -w json etcd.db
etcdctl --user root:secret member list
