#!/bin/bash
# First process of the host s3: `s3-init.sh FOLDER LAB`, in fresh mount, process, host name and network namespaces. Starts one
# monitor, one OSD and one radosgw (a real S3 server, but small and without any redundancy), haproxy and the relay, then only
# reaps.
set -u
trap '' INT HUP TERM
dir=$1 home=$2
# shellcheck disable=SC1091,SC2153
. "$dir/s3.env"
# shellcheck disable=SC1091
. "$dir/env"

die() { echo "s3-init: $*" >&2; exit 1; }

# Everything but the objects of bluestore is in memory, and goes with the mounts.
folders() {
    { mount -t tmpfs -o mode=755 tmpfs /run && mount --bind "$dir/../hosts" /etc/hosts &&
        mount -t tmpfs -o mode=755 lab-s3 "$dir/data" && mkdir -p "$dir"/data/{mon,rgw,log}; } || die "cannot mount"
    [ "$S3_STORE" = bluestore ] || mkdir "$dir/data/osd"
    cd "$dir/data" || die "no folder"
}

network() {
    local i dev
    hostname s3
    ip link set lo up
    for dev in eth0 ${S3_ETH1:+eth1}; do
        for ((i = 0; i < 200; i++)); do [ -e "/proc/sys/net/ipv4/conf/$dev" ] && break; sleep 0.05; done
        ip link set "$dev" up || die "no wire came for $dev"
    done
    # shellcheck disable=SC2153
    ip addr add "$S3_ETH0" dev eth0
    [ -z "$S3_ETH1" ] || ip addr add "$S3_ETH1" dev eth1
}

configuration() {
    local osd=$dir/data/osd tls="ssl_certificate=$dir/tls/server.pem ssl_private_key=$dir/tls/server.pem.key"
    [ "$S3_STORE" = memstore ] || osd=$dir/osd
    fsid=$(cat /proc/sys/kernel/random/uuid)
    cat > ceph.conf << EOF
[global]
fsid = $fsid
mon host = $MON
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
mon data = $dir/data/mon
osd data = $osd
log file = $dir/data/log/\$name.log
admin socket =
mon cluster log to file = false
# one OSD, one copy
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
mon data avail crit = 0
mon data avail warn = 0
# changes of the maps are waited for at every step of the start
paxos propose interval = 0.02
paxos min wait = 0.01
osd objectstore = $S3_STORE
memstore device bytes = 8589934592
bluestore block size = 21474836480
bluestore fsck on mkfs = false
osd memory target = 939524096
osd op num shards = 2
[client]
ms mon client mode = crc
rgw data = $dir/data/rgw
rgw dns name = s3.snapctl.test
rgw num rados handles = 1
rgw thread pool size = 64
rgw enable gc threads = false
rgw enable lc threads = false
# a quota holds at once
rgw bucket quota ttl = 0
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=
[client.rgw]
rgw frontends = beast endpoint=0.0.0.0:9000 endpoint=0.0.0.0:80 ssl_endpoint=0.0.0.0:9443 ssl_endpoint=0.0.0.0:443 $tls
# It knows session keys, but calls every error of a signature AccessDenied, so it is not the only one.
[client.sts]
rgw frontends = beast endpoint=0.0.0.0:9002 ssl_endpoint=0.0.0.0:9448 $tls
rgw s3 auth use sts = true
rgw sts key = 0123456789abcdef
EOF
}

start_store() {
    local id
    id=$(cat /proc/sys/kernel/random/uuid)
    { monmaptool --create --clobber --fsid "$fsid" --addv a "$MON" monmap &&
        ceph-mon --mkfs -i a --monmap monmap; } > log/start 2>&1 || die "no monitor: $(tail -n 1 log/start)"
    ceph-mon -f -i a > log/mon 2>&1 &
    timeout 20 /usr/bin/python3 -I -c '
import json, rados, sys
cluster = rados.Rados(conffile=sys.argv[1], rados_id="admin")
cluster.connect(timeout=15)
status, _, text = cluster.mon_command(json.dumps({"prefix": "osd new", "uuid": sys.argv[2]}), b"", timeout=10)
sys.exit(text if status else 0)' "$CEPH_CONF" "$id" >> log/start 2>&1 || die "no OSD: $(tail -n 1 log/start)"
    ceph-osd -i 0 --mkfs --osd-uuid "$id" >> log/start 2>&1 || die "no OSD: $(tail -n 1 log/start)"
    ceph-osd -f -i 0 > log/osd 2>&1 &
}

answers() { curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$1/"; }

start_gateway() { # NAME PORT
    local i
    radosgw -f -n "client.$1" > "log/$1" 2>&1 &
    for ((i = 0; i < 600; i++)); do ! answers "$2" || return 0; sleep 0.05; done
    die "no gateway: $(tail -n 1 "log/$1")"
}

start_gateways() {
    start_gateway rgw 9000
    timeout 60 radosgw-admin -n client.rgw user create --uid=admin --display-name=admin --access-key="$S3_ADMIN_ACCESS_KEY" \
        --secret-key="$S3_ADMIN_SECRET_KEY" --caps='users=*;roles=*;oidc-provider=*' > log/admin 2>&1 &
    local admin=$!
    start_gateway sts 9002
    wait "$admin" || die "no user: $(tail -n 1 log/admin)"
    timeout 60 /usr/bin/python3 -I -S "$home/s3/client.py" "$dir" setup "$S3_ISSUER" "$S3_THUMBPRINT" || die "no users, no roles"
}

start_front() {
    : > faults.map
    LAB_HOME=$home haproxy -db -f "$home/s3/haproxy.cfg" > log/haproxy 2>&1 &
    front=$!
    /usr/bin/python3 -I -S -u "$home/s3/relay.py" "$dir" > "$dir/log/relay" 2>&1 &
}

export CEPH_ARGS='' CEPH_CONF=$dir/data/ceph.conf PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C
MON='[v2:127.0.0.1:3300,v1:127.0.0.1:6789]'
folders
network
configuration
start_front
start_store
start_gateways
kill -0 "$front" 2> /dev/null || die "no haproxy: $(grep -m 1 ALERT log/haproxy)"
echo ready
while :; do
    sleep 1000000 &
    wait
done
