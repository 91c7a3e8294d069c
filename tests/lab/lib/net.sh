# shellcheck shell=bash disable=SC2016 # what stands in single quotes is for the shell within
# The lab's wires. The holder's network namespace is the operator's: it has br77 (10.77.0.1) and, with a bastion, br78,
# on which it has no address, so that only the bastion reaches the nodes there. There is no default route anywhere.

operator_net() {
    on_holder sh -c '
        set -e
        ip link set lo up
        # With br_netfilter the machine'\''s filter rules would see bridged frames.
        for f in /proc/sys/net/bridge/bridge-nf-call-*tables; do [ ! -e "$f" ] || echo 0 > "$f"; done 2> /dev/null || :
        for b in br77 br78; do
            ip link add "$b" type bridge stp_state 0 forward_delay 0 mcast_snooping 0
            ip link set "$b" up
        done
        ip addr add 10.77.0.1/24 dev br77
        [ "$1" = 0 ] || ip addr add fd77::1/64 dev br77 nodad' sh "$IPV6"
}

# wire NODE PID: a pair of interfaces, one end in the namespace of PID as eth0. Each end of a bastion's second pair
# is eth1. The operator's end is named after the node.
wire() {
    local pid=$2
    wire_one "$1" eth0 "$pid" "$(node_mac "$1")" "$(node_bridge "$1")" || return
    [ "$1" != bastion ] || wire_one bastion1 eth1 "$pid" 02:78:00:00:00:01 br78
}

wire_one() { # PORT INTERFACE PID MAC BRIDGE
    # Only the network is entered, not the holder's processes: PID is a number of the outside.
    nsenter --target "$holder" --net -- ip link add "$1" type veth peer name "$2" address "$4" netns "$3" &&
        on_holder ip link set "$1" master "$5" &&
        on_holder ip link set "$1" up
}

# Whoever talks to the node first hand: the operator, or the bastion for the nodes behind it.
on_neighbour() { # NODE CMD…
    local name=$1 pid
    shift
    if [ "$name" = bastion ] || [ "$BASTION" = 0 ]; then
        nsenter --target "$holder" --net -- "$@"
    else
        pid=$(pid_in "$LAB_DIR/nodes/bastion/init") || return 0
        nsenter --target "$pid" --net -- "$@"
    fi
}

neighbour_dev() { # NODE
    if [ "$1" = bastion ] || [ "$BASTION" = 0 ]; then echo br77; else echo eth1; fi
}

# A cut port drops every frame, both ways, and tells nobody. The neighbour's address entry is pinned meanwhile, else the
# kernel would give up on ARP after three seconds and say "no route to host", which a far black hole never does.
cut_port() { # NODE
    on_neighbour "$1" ip neigh replace "$(node_addr "$1")" lladdr "$(node_mac "$1")" nud permanent dev "$(neighbour_dev "$1")"
    [ "$IPV6" = 0 ] ||
        on_neighbour "$1" ip neigh replace "$(node_addr6 "$1")" lladdr "$(node_mac "$1")" nud permanent dev "$(neighbour_dev "$1")"
    on_holder bridge link set dev "$(port_of "$1")" state 0
}

heal_port() { # NODE
    local addr
    on_holder bridge link set dev "$(port_of "$1")" state 3
    for addr in "$(node_addr "$1")" "$(node_addr6 "$1")"; do
        on_neighbour "$1" ip neigh del "$addr" dev "$(neighbour_dev "$1")" 2> /dev/null || :
    done
}

# A slowed node hangs on a bridge of its own with one end of the delaying wire, whose other end is in the real bridge.
port_of() { if on_holder test -e "/sys/class/net/$1-s" 2> /dev/null || is_slow "$1"; then echo "$1-b"; else echo "$1"; fi; }
is_slow() { local pid; alive "$LAB_DIR/nodes/$1/delay"; }

slow_port() { # NODE MICROSECONDS-EACH-WAY [MBIT]
    local name=$1 us=$2 mbit=${3:-}
    fast_port "$name"
    on_holder sh -c '
        set -e
        ip link add "$1-s" type bridge stp_state 0 forward_delay 0 mcast_snooping 0
        ip tuntap add dev "$1-a" mode tap
        ip tuntap add dev "$1-b" mode tap
        ip link set "$1-a" txqueuelen 10000 master "$1-s" up
        ip link set "$1-b" txqueuelen 10000 master "$2" up
        ip link set "$1-s" up
        ip link set "$1" master "$1-s"' sh "$name" "$(node_bridge "$name")" || return
    # shellcheck disable=SC2086
    spawn "$LAB_DIR/log/delay.log" nsenter --target "$holder" --net -- \
        "$IMAGE_DIR/bin/labdelay" "$name-a" "$name-b" "$us" $mbit
    remember "$spawned" "$LAB_DIR/nodes/$name/delay"
}

fast_port() { # NODE
    local pid
    pid=$(pid_in "$LAB_DIR/nodes/$1/delay") && kill "$pid"
    rm -f "$LAB_DIR/nodes/$1/delay"
    on_holder sh -c '
        [ ! -e "/proc/sys/net/ipv4/conf/$1" ] || ip link set "$1" master "$2"
        for l in "$1-a" "$1-b" "$1-s"; do ip link del "$l" 2> /dev/null; done; :' sh "$1" "$(node_bridge "$1")"
}
