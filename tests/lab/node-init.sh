#!/bin/bash
# First process of a node: `node-init.sh NODE-FOLDER`, in fresh mount, process, host name and network namespaces.
# Lays the node's own folders over the machine's, waits for its wires, starts its daemons and then only reaps.
set -u
trap '' INT HUP TERM
fs=$1/fs
# shellcheck disable=SC1091
. "$1/node.env"

die() { echo "node-init: $*" >&2; exit 1; }

# The node's folders are first seen at one neutral place: what is laid over /tmp or /root may hide where they come from.
lay_folders() {
    local to
    mount --rbind "$fs" /mnt || die "cannot bind $fs"
    for to in etc root home opt var/lib var/log usr/local/bin; do
        mount --rbind "/mnt/$to" "/$to" || die "cannot lay /$to"
    done
    umount -l /mnt
    for to in run tmp var/tmp mnt dev/shm; do
        mount -t tmpfs -o mode=755 tmpfs "/$to" || die "cannot mount /$to"
    done
    chmod 1777 /tmp /var/tmp /dev/shm
}

have_interface() { [ -e "/proc/sys/net/ipv4/conf/$1" ]; }

address() { # INTERFACE ADDRESS/LEN…
    local dev=$1 i a
    shift
    for ((i = 0; i < 200; i++)); do have_interface "$dev" && break; sleep 0.05; done
    have_interface "$dev" || die "no wire came for $dev"
    for a in "$@"; do
        case $a in
            *:*) ip addr add "$a" dev "$dev" nodad ;;
            *) ip addr add "$a" dev "$dev" ;;
        esac
    done
    ip link set "$dev" up
}

network() {
    hostname "$NODE_NAME"
    ip link set lo up
    # shellcheck disable=SC2086
    address eth0 $NODE_ETH0
    # shellcheck disable=SC2086
    [ -z "$NODE_ETH1" ] || address eth1 $NODE_ETH1
}

start_docker() {
    # Clients of the node must not find the machine's environment, nor a proxy.
    env -i PATH="$PATH" HOME=/root /usr/sbin/dockerd --bridge=none --iptables=false --ip6tables=false \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent="/$NODE_CGROUP/docker" \
        --storage-driver="$NODE_STORAGE" --data-root=/var/lib/docker --pidfile=/run/docker.pid \
        -H unix:///run/docker.sock -G docker > /var/log/dockerd.log 2>&1 &
}

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
lay_folders
network
mkdir -p /run/sshd
[ -z "$NODE_STORAGE" ] || start_docker
/usr/sbin/sshd -E /var/log/sshd.log || die "sshd did not start"
echo ready
while :; do
    sleep 1000000 &
    wait
done
