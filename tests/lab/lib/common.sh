# shellcheck shell=bash
# What every part of the lab needs: its places, how to enter its namespaces, and bounded waiting.

# The machine's own docker client may be another one than Debian's, earlier in PATH: always name Debian's.
DOCKER=/usr/bin/docker
NODE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
MARK=.snapctl-lab # stands in every folder that `down` may remove

say() { printf 'lab: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# until_true SECONDS CMD…: try CMD again until it succeeds; false when the time is over.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" > /dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# A process is remembered as "PID START-TIME", so that a number used again is never taken for it.
# No processes are started for it, as every command of the lab asks for it.
start_time() { # PID: sets $started; the fields are counted after the last ')' as the name may hold anything
    local stat=
    { read -r -d '' stat < "/proc/$1/stat"; } 2> /dev/null
    [ -n "$stat" ] || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    started=${20}
    [ "$1" != Z ]
}

remember() { # PID FILE
    local started=
    start_time "$1"
    echo "$1 $started" > "$2"
}

alive() { # FILE: sets $pid, and is true if that very process is alive
    local start started
    [ -r "$1" ] && read -r pid start < "$1" && [ -n "$start" ] && start_time "$pid" && [ "$started" = "$start" ]
}

pid_in() { # FILE: print the pid if that very process is alive
    local pid
    alive "$1" && echo "$pid"
}

only_child() { pgrep -P "$1" | head -n 1 | grep .; }

# Daemons of the lab must not keep a descriptor of the caller: a test runner waits until its pipes are closed.
close_others() {
    local fd
    for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        [ "$fd" -le 2 ] || eval "exec $fd>&-"
    done
}

# spawn LOG CMD…: start CMD in the background, detached from everything; its pid is left in $spawned.
spawn() {
    local log=$1
    shift
    (close_others; exec setsid "$@") < /dev/null >> "$log" 2>&1 &
    spawned=$!
}

holder_pid() { pid_in "$LAB_DIR/holder"; }

need_lab() {
    local pid
    alive "$LAB_DIR/holder" || die "no lab is up in $LAB_DIR (LAB_DIR tells which one)"
    holder=$pid
    # shellcheck disable=SC1091
    . "$LAB_DIR/lab.env"
}

# The operator's side: its network, and the mounts that only the lab sees.
on_holder() { nsenter --target "$holder" --mount --net -- "$@"; }

node_names() {
    local i
    for ((i = 1; i <= NODES; i++)); do echo "n$i"; done
}

all_names() {
    node_names
    [ "$BASTION" = 0 ] || echo bastion
}

need_node() { # NAME: checks it and sets $node, $node_dir
    case $1 in
        n[1-9]) [ "${1#n}" -le "$NODES" ] ;;
        bastion) [ "$BASTION" = 1 ] ;;
        *) false ;;
    esac || die "no such node: $1 (there are: $(all_names | tr '\n' ' '))"
    node=$1
    node_dir=$LAB_DIR/nodes/$1
}

need_running() { # NAME: as need_node, and $init is the node's first process
    need_node "$1"
    local pid
    alive "$node_dir/init" || die "$1 is powered off"
    init=$pid
}

need_etcd_node() {
    need_running "$1"
    [ "$node" != bastion ] || die "the bastion has no docker and no etcd"
}

# in_node CMD…: as root within the namespaces of $node, which need_running has set.
in_node() {
    nsenter --target "$init" --mount --uts --net --pid -- \
        env -i PATH="$NODE_PATH" HOME=/root LANG=C "TERM=${TERM:-dumb}" "$@"
}

# A frozen node's engine takes requests and never answers.
docker_in_node() { in_node timeout 30 "$DOCKER" "$@"; }

# One node answers for the addresses of all, so that they are written down once.
node_net() { [ "$BASTION" = 0 ] && echo 77 || echo 78; }
node_addr() { [ "$1" = bastion ] && echo 10.77.0.2 || echo "10.$(node_net).0.$((10 + ${1#n}))"; }
node_addr6() { [ "$1" = bastion ] && echo fd77::2 || echo "fd$(node_net)::$((10 + ${1#n}))"; }
node_mac() { [ "$1" = bastion ] && echo 02:77:00:00:00:02 || printf '02:77:00:00:00:%02x\n' $((10 + ${1#n})); }
node_bridge() { [ "$1" = bastion ] && echo br77 || echo "br$(node_net)"; }
