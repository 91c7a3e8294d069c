# shellcheck shell=bash disable=SC2016 # what stands in single quotes is for the shell within
# One function per command of `lab`; the help is made of the `#:` lines.

# --- a lab's life ---

#: up [--nodes N] [--bastion] [--sudo] [--ipv6] [--disk MB] [--quota CORES] [--owner PID]
#:     bring a lab up in LAB_DIR; --owner: it ends when process PID does
cmd_up() {
    NODES=3 BASTION=0 SUDO=0 IPV6=0 DISK_MB=2048
    local quota='' owner=''
    while [ $# -gt 0 ]; do
        case $1 in
            --nodes) NODES=$2; shift ;;
            --bastion) BASTION=1 ;;
            --sudo) SUDO=1 ;;
            --ipv6) IPV6=1 ;;
            --disk) DISK_MB=$2; shift ;;
            --quota) quota=$2; shift ;;
            --owner) owner=$2; shift ;;
            *) die "up: no such option: $1" ;;
        esac
        shift
    done
    [[ $NODES =~ ^[1-9]$ ]] || die "--nodes takes 1 to 9"
    [ "$(id -u)" = 0 ] || die "a lab needs root: it makes namespaces"
    missing_packages
    ! holder_pid > /dev/null || { say "is already up in $LAB_DIR"; return 0; }
    up_or_down "$quota" "$owner"
}

missing_packages() {
    local c missing=
    for c in /usr/sbin/dockerd "$DOCKER" /usr/sbin/sshd etcd etcdctl gcc ip bridge ssh-keygen openssl curl unzip pgrep nsenter \
        /bin/busybox flock; do
        command -v "$c" > /dev/null || missing="$missing $c"
    done
    [ "$SUDO" = 0 ] || command -v sudo > /dev/null || missing="$missing sudo"
    [ -z "$missing" ] || die "missing:$missing (the Debian packages are listed in ${LAB_HOME##*/}/packages)"
}

# A half-built lab is of no use to anyone: what fails or is interrupted on the way up is taken down again.
up_or_down() {
    local begun=$SECONDS
    if [ -e "$LAB_DIR/$MARK" ]; then cmd_down; fi
    { [ ! -e "$LAB_DIR" ] || [ -z "$(ls -A "$LAB_DIR")" ]; } || die "$LAB_DIR holds files that are not a lab's"
    { mkdir -p "$LAB_DIR"/{log,nodes} && touch "$LAB_DIR/$MARK" && chmod 0755 "$LAB_DIR"; } || die "cannot make $LAB_DIR"
    trap 'trap - EXIT; up_failed' EXIT
    trap 'exit 130' INT TERM HUP
    build_up "$1"
    trap - EXIT INT TERM HUP
    [ -z "$2" ] || watch_owner "$2"
    say "up after $((SECONDS - begun)) s: $NODES nodes, docker $(docker_version), $STORAGE, LAB_DIR=$LAB_DIR"
}

up_failed() {
    say "did not come up; taking it down (its logs: LAB_KEEP=1 keeps $LAB_DIR)"
    tail -n 3 "$LAB_DIR"/log/*.log "$LAB_DIR"/nodes/*/init.log >&2 2> /dev/null
    # A step that still runs could make files again. (Not `jobs -p`: the holder's parent is one, and ignores SIGTERM.)
    kill "${steps[@]}" 2> /dev/null && wait "${steps[@]}" 2> /dev/null
    [ -n "${LAB_KEEP:-}" ] || cmd_down
    exit 1
}

build_up() {
    local v
    CGROUP=snapctl-lab-$(printf %s "$LAB_DIR" | sha256sum | cut -c 1-12)
    choose_images
    for v in NODES BASTION SUDO IPV6 DISK_MB CGROUP STORAGE IMAGE_DIR; do echo "$v=${!v}"; done > "$LAB_DIR/lab.env"
    with_image_lock build_images || exit 1
    start_holder
    operator_net || exit 1
    { operator_keys && etcd_ca; } || die "cannot make keys"
    # shellcheck disable=SC2046
    each prepare_node $(all_names)
    operator_files
    # shellcheck disable=SC2046
    each first_start $(all_names)
    need_etcd_node n1
    etcd_up || die "etcd does not answer: $(docker_in_node logs --tail 3 etcd 2>&1)"
    [ -z "$1" ] || cmd_quota "$1"
}

start_holder() {
    spawn "$LAB_DIR/log/holder.log" unshare --pid --fork --kill-child --mount --net --mount-proc bash "$LAB_HOME/holder.sh"
    remember "$spawned" "$LAB_DIR/entry" # it takes the holder along when it is killed, so from here on `down` can end it
    until_true 10 grep -qx ready "$LAB_DIR/log/holder.log" || die "no holder: namespaces are refused here?"
    holder=$(only_child "$spawned") || die "no holder"
    remember "$holder" "$LAB_DIR/holder"
}

# each FUNCTION NODE…: for all nodes at once; fails if it failed for one of them.
steps=()
each() {
    local f=$1 name bad=0 i=0
    shift
    steps=()
    for name; do
        (trap - EXIT; "$f" "$name") &
        steps+=($!)
    done
    for name; do
        wait "${steps[i]}" || { say "$name: $f failed"; bad=1; }
        i=$((i + 1))
    done
    [ "$bad" = 0 ] || exit 1
}

prepare_node() {
    mkdir -p "$LAB_DIR/nodes/$1/fs"
    host_keys "$1" && node_folders "$1" || return
    [ "$1" = bastion ] || with_image_lock cp -a --reflink=auto "$IMAGE_DIR/docker/." "$LAB_DIR/nodes/$1/fs/var/lib/docker/"
}

docker_version() {
    init=$(pid_in "$LAB_DIR/nodes/n1/init") && docker_in_node version --format '{{.Server.Version}}' 2> /dev/null
}

watch_owner() { # PID
    spawn /dev/null env LAB_DIR="$LAB_DIR" bash -c 'tail --pid="$1" -f /dev/null; exec "$2" down' bash "$1" "$LAB_HOME/lab"
    remember "$spawned" "$LAB_DIR/owner"
}

#: down
#:     end everything of the lab and remove LAB_DIR; no lab is no error
cmd_down() {
    local pid
    [ -e "$LAB_DIR/$MARK" ] || return 0
    # The watcher leads a group of its own; it may have become this very process.
    pid=$(pid_in "$LAB_DIR/owner") && [ "$pid" != $$ ] && kill -- "-$pid"
    pid=$(pid_in "$LAB_DIR/entry") && kill -9 "$pid"
    pid=$(holder_pid) && kill -9 "$pid"
    until_true 30 gone "$LAB_DIR/holder" || die "the holder, process $pid, does not die"
    # shellcheck disable=SC1091
    . "$LAB_DIR/lab.env" 2> /dev/null || :
    [ -z "${CGROUP:-}" ] || cg_remove
    # Its mounts were the holder's and went with it; still never leave this file system.
    until_true 5 rm -rf --one-file-system "$LAB_DIR" || die "cannot remove $LAB_DIR"
}

#: status
#:     the nodes, and whether they are on, cut, slow, and what etcd says; false if no lab is up
cmd_status() {
    need_lab
    local name state
    echo "holder $holder"
    for name in $(all_names); do
        if init=$(pid_in "$LAB_DIR/nodes/$name/init"); then
            state="on pid=$init"
            [ "$(port_state "$name")" = forwarding ] || state="$state cut"
            is_slow "$name" && state="$state slow"
            if [ "$name" != bastion ]; then
                if etcdctl_quick; then state="$state etcd"; else state="$state no-etcd"; fi
            fi
        else
            state=off
        fi
        echo "$name $(node_addr "$name") $state"
    done
}

etcdctl_quick() { etcdctl_in_node --command-timeout=2s --dial-timeout=2s endpoint health > /dev/null 2>&1; }
port_state() { on_holder bridge link show dev "$(port_of "$1")" | grep -o 'state [a-z]*' | cut -d ' ' -f 2; }

# --- power, wires, freezing ---

#: stop NODE / start NODE
#:     power off (nothing says goodbye on the wire) and on again, when docker and etcd are waited for
cmd_stop() { need_lab; need_node "${1:-}"; power_off "$node"; }
cmd_start() {
    need_lab
    need_node "${1:-}"
    ! pid_in "$node_dir/init" > /dev/null || return 0
    power_on "$node" || die "$node does not start: $(tail -n 2 "$node_dir/init.log")"
    need_running "$node"
    [ "$node" = bastion ] || docker_up || die "docker does not start on $node"
    restart_etcd_if_down
}

# `--restart always` brings etcd back by itself; only waiting is left, and not for long, as a lone member may have no quorum.
restart_etcd_if_down() { [ "$node" = bastion ] || until_true 15 etcdctl_in_node endpoint health || say "etcd on $node is not healthy yet"; }

#: cut NODE / heal NODE
#:     every packet to and from the node is silently lost, until healed
cmd_cut() { need_lab; need_node "${1:-}"; cut_port "$node"; }
cmd_heal() { need_lab; need_node "${1:-}"; heal_port "$node"; }

#: freeze NODE / thaw NODE
#:     stop every process of the node where it stands (its kernel goes on answering), and let them go on
cmd_freeze() { need_lab; need_running "${1:-}"; in_node bash -c 'kill -STOP -1'; }
cmd_thaw() { need_lab; need_running "${1:-}"; in_node bash -c 'kill -CONT -1'; }

#: slow NODE MS [MBIT] / slow NODE 0
#:     MS more for each round trip, and a wire of MBIT per second; 0 takes it away
cmd_slow() {
    need_lab
    need_running "${1:-}"
    local us
    us=$(awk -v ms="${2:-}" 'BEGIN { if (ms !~ /^[0-9.]+$/) exit 1; print int(ms * 500) }') || die "slow NODE MS [MBIT]"
    fast_port "$node"
    [ "$us" = 0 ] || slow_port "$node" "$us" "${3:-}"
}

#: mend [NODE...]
#:     undo all of the above and below on all nodes at once, also S3's faults, policy and quota; or on these nodes alone
cmd_mend() {
    need_lab
    if [ $# -gt 0 ]; then
        each mend_node "$@"
        return
    fi
    # shellcheck disable=SC2046
    each mend_node $(all_names)
    [ ! -e "$LAB_DIR/s3/env" ] || mend_s3
}

mend_node() { # NODE
    need_node "$1"
    pid_in "$node_dir/init" > /dev/null || cmd_start "$1"
    need_running "$1"
    [ "$(port_state "$1")" = forwarding ] || heal_port "$1"
    ! is_slow "$1" || fast_port "$1"
    rm -f "$node_dir/fs/usr/local/bin/docker" "$node_dir/fs/etc/kubernetes/.lab-tool"
    in_node sh -c 'kill -CONT -1; [ -e /run/sshd.pid ]' || cmd_sshd_start "$1"
    [ "$1" != bastion ] || return 0
    imds_end
    resize_rke "${DISK_MB}m"
    in_node timeout 30 sh -c '
        containers=$(docker ps -a --format "{{.Names}} {{.State}}")
        case $containers in *etcd-snapshot-once*) docker rm -f etcd-snapshot-once ;; esac
        case $containers in *"etcd running"*) ;; *) docker start etcd ;; esac' > /dev/null
    restart_etcd_if_down
}

mend_s3() {
    cmd_s3_heal
    (cmd_s3_fault off) && (cmd_s3_policy off) && (cmd_s3_quota off)
}

# --- sshd ---

#: sshd-stop NODE / sshd-start NODE
#:     connections are refused; sessions go on
cmd_sshd_stop() { need_lab; need_running "${1:-}"; in_node bash -c '[ ! -e /run/sshd.pid ] || { kill "$(cat /run/sshd.pid)"; rm -f /run/sshd.pid; }'; }
cmd_sshd_start() {
    need_lab
    need_running "${1:-}"
    # It stays, so it must count as the node's for the quota.
    (cg_join "$node"; in_node bash -c '[ -e /run/sshd.pid ] || /usr/sbin/sshd -E /var/log/sshd.log')
}

# The processes of sshd are told by their program, not their name, and only within the node. Newer versions have a
# program of its own for sessions.
SSHD_PIDS='sshd_pids() {
    local p exe
    for p in /proc/[0-9]*; do
        exe=$(readlink "$p/exe") || continue
        case $exe in */sshd | */sshd-session | */sshd-auth) echo "${p#/proc/}" ;; esac
    done
}
'

#: sshd-kill-sessions NODE
#:     end every session at once; the listener stays
cmd_sshd_kill_sessions() {
    need_lab
    need_running "${1:-}"
    in_node bash -c "$SSHD_PIDS"'kill -9 $(sshd_pids | grep -vx "$(cat /run/sshd.pid 2> /dev/null || echo 0)") 2> /dev/null; :'
}

#: sshd-freeze NODE / sshd-thaw NODE
#:     connections are taken and never answered
cmd_sshd_freeze() { need_lab; need_running "${1:-}"; in_node bash -c "$SSHD_PIDS"'kill -STOP $(sshd_pids)'; }
cmd_sshd_thaw() { need_lab; need_running "${1:-}"; in_node bash -c "$SSHD_PIDS"'kill -CONT $(sshd_pids)'; }

#: rekey NODE
#:     new host keys; known_hosts is left as it was (`known-hosts` prints the right one)
cmd_rekey() {
    need_lab
    need_running "${1:-}"
    cmd_sshd_stop "$node"
    host_keys "$node" || die "cannot make keys"
    cmd_sshd_start "$node"
}

#: known-hosts
#:     print the host keys of all nodes as they are now
cmd_known_hosts() { need_lab; known_hosts; }

# --- docker, etcd, disk ---

#: shim NODE FILE / unshim NODE
#:     put FILE before the docker client of ssh sessions, as /usr/local/bin/docker; the real one stays /usr/bin/docker
cmd_shim() {
    need_lab
    need_node "${1:-}"
    [ -r "${2:-}" ] || die "shim NODE FILE"
    install -m 0755 "$2" "$node_dir/fs/usr/local/bin/.docker.new" &&
        mv "$node_dir/fs/usr/local/bin/.docker.new" "$node_dir/fs/usr/local/bin/docker"
}
cmd_unshim() { need_lab; need_node "${1:-}"; rm -f "$node_dir/fs/usr/local/bin/docker"; }

#: tool NODE [KEY=VALUE...]
#:     set the switches of the rke-tools stand-in on the node (see image/rke-etcd-backup); none: its plain ways
cmd_tool() {
    need_lab
    need_node "${1:-}"
    shift
    local file=$node_dir/fs/etc/kubernetes/.lab-tool
    if [ $# -gt 0 ]; then printf '%s\n' "$@" > "$file"; else rm -f "$file"; fi
}

#: etcd-stop NODE / etcd-start NODE
#:     the etcd container
cmd_etcd_stop() { need_lab; need_etcd_node "${1:-}"; docker_in_node stop -t 3 etcd > /dev/null; }
cmd_etcd_start() { need_lab; need_etcd_node "${1:-}"; docker_in_node start etcd > /dev/null && restart_etcd_if_down; }

#: fill NODE [LEAVE_KB] / unfill NODE
#:     leave LEAVE_KB (0) free in the node's /opt/rke, and give the room back
cmd_fill() {
    need_lab
    need_node "${1:-}"
    local used
    used=$(on_holder df -k --output=used "$node_dir/fs/opt/rke" | tail -n 1)
    # The file system is made as small as what it holds: that takes no time and no memory.
    resize_rke "$((used + ${2:-0}))k"
}
cmd_unfill() { need_lab; need_node "${1:-}"; resize_rke "${DISK_MB}m"; }
resize_rke() { on_holder mount -o "remount,size=$1" "$node_dir/fs/opt/rke"; }

#: put NODE COUNT SIZE
#:     write COUNT keys below /lab/ with SIZE bytes (or 500k) of random text each
cmd_put() {
    need_lab
    need_etcd_node "${1:-}"
    local count=${2:-} size=${3:-}
    size=${size/%k/000}
    [[ $count =~ ^[0-9]+$ && $size =~ ^[0-9]+$ ]] || die "put NODE COUNT SIZE"
        in_node timeout 300 env ETCDCTL_API=3 ETCDCTL_ENDPOINTS=https://127.0.0.1:2379 ETCDCTL_CACERT=/etc/kubernetes/ssl/kube-ca.pem \
        ETCDCTL_CERT=/etc/kubernetes/ssl/kube-node.pem ETCDCTL_KEY=/etc/kubernetes/ssl/kube-node-key.pem bash -c '
        run=$(head -c 6 /dev/urandom | od -An -tx1 | tr -d " \n")
        for ((i = 1; i <= $1; i++)); do
            head -c "$2" /dev/urandom | base64 -w 0 | head -c "$2" | etcdctl put "/lab/$run/$i" > /dev/null || exit 1
        done' bash "$count" "$size"
}

#: keys NODE
#:     the number of keys in etcd
cmd_keys() {
    need_lab
    need_etcd_node "${1:-}"
    etcdctl_in_node --command-timeout=60s get '' --from-key --keys-only | grep -c . || :
}

#: restore ZIP
#:     put the snapshot of an archive into a fresh etcd and print its number of keys. Needs no lab
cmd_restore() {
    [ -r "${1:-}" ] || die "restore ZIP"
    local zip
    zip=$(realpath "$1")
    timeout 120 unshare --net --pid --fork --kill-child bash -c '
        set -eu
        export ETCDCTL_API=3
        dir=$(mktemp -d)
        trap "rm -rf $dir" EXIT
        ip link set lo up
        unzip -p "$1" "/backup/*" > "$dir/snapshot"
        etcdctl snapshot restore "$dir/snapshot" --data-dir "$dir/data" > "$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
        etcd --data-dir "$dir/data" --log-level error > "$dir/log" 2>&1 &
        for i in $(seq 200); do etcdctl endpoint health > /dev/null 2>&1 && break; sleep 0.1; done
        etcdctl get "" --from-key --keys-only | grep -c . || :
        kill %1' bash "$zip"
}

#: quota CORES|max [--containers]
#:     processor time of each whole node, or with --containers of its containers alone
cmd_quota() {
    need_lab
    local name part=
    [ "${2:-}" != --containers ] || part=/docker
    for name in $(node_names); do cg_limit "$name$part" "${1:-}" || die "no quota for $name"; done
}
