# shellcheck shell=bash disable=SC2016 # what stands in single quotes is for the shell within
# Nodes: their folders, power on, power off, etcd.

# --- a node's own folders, made once; they survive power off ---

# Of the machine's /etc a node gets only what programs need to run.
ETC_ENTRIES='alternatives bash.bashrc debian_version environment host.conf ld.so.cache ld.so.conf ld.so.conf.d localtime
    login.defs nsswitch.conf os-release pam.conf pam.d profile protocols rpc security selinux services shells skel
    ssl/openssl.cnf sudo.conf timezone'

node_folders() { # NODE
    local fs=$LAB_DIR/nodes/$1/fs entry
    mkdir -p "$fs"/{etc/ssl,etc/ssh,root,home,opt,var/lib/docker,var/lib/etcd,var/log,usr/local/bin}
    chmod 0700 "$fs/root"
    for entry in $ETC_ENTRIES; do
        [ ! -e "/etc/$entry" ] || cp -a "/etc/$entry" "$fs/etc/$entry" || return
    done
    : > "$fs/etc/resolv.conf" # no name server: names outside the lab fail at once
    echo "$1" > "$fs/etc/hostname"
    tr -d - < /proc/sys/kernel/random/uuid > "$fs/etc/machine-id"
    hosts > "$fs/etc/hosts"
    if [ "$1" = bastion ]; then bastion_users "$fs"; else node_users "$fs"; fi || return
    sshd_config > "$fs/etc/ssh/sshd_config"
    cp "$LAB_DIR/user_ca.pub" "$fs/etc/ssh/user_ca.pub"
    node_env "$1" > "$LAB_DIR/nodes/$1/node.env"
    [ "$1" = bastion ] || etcd_node_folders "$1"
}

etcd_node_folders() { # NODE
    local fs=$LAB_DIR/nodes/$1/fs
    mkdir -p "$fs/opt/rke"
    chmod 0700 "$fs/var/lib/etcd"
    # A file system of its own that can be filled. It belongs to the holder, so power off does not empty it.
    on_holder mount -t tmpfs -o "mode=755,size=${DISK_MB}m" lab-rke "$fs/opt/rke" || return
    on_holder mkdir -m 0755 "$fs/opt/rke/etcd-snapshots"
    node_certificates "$1"
}

node_env() { # NODE
    local storage eth1=
    storage=$STORAGE
    [ "$1" != bastion ] || { storage=; eth1=10.78.0.1/24; }
    [ "$1$IPV6" != bastion1 ] || eth1="$eth1 fd78::1/64"
    printf 'NODE_NAME=%s\nNODE_CGROUP=%s\nNODE_STORAGE=%s\nNODE_ETH1="%s"\n' "$1" "$CGROUP/$1" "$storage" "$eth1"
    printf 'NODE_ETH0="%s%s"\n' "$(node_addr "$1")/24" "$([ "$IPV6" = 0 ] || echo " $(node_addr6 "$1")/64")"
}

sshd_config() {
    printf 'HostKey /etc/ssh/ssh_host_%s_key\n' ed25519 ecdsa rsa
    printf '%s\n' 'PidFile /run/sshd.pid' 'UsePAM no' 'PermitRootLogin prohibit-password' 'PasswordAuthentication no' \
        'KbdInteractiveAuthentication no' 'TrustedUserCAKeys /etc/ssh/user_ca.pub' 'LogLevel VERBOSE' 'PrintLastLog no'
}

# --- users: root, rancher (only in group docker), admin (only sudo), jump (the bastion's) ---

DOCKER_GID=990

user_files() { # FS [USER:ID]…: account files with root, sshd and the given users, none of which has a password
    local fs=$1 user
    shift
    printf '%s\n' 'root:x:0:0:root:/root:/bin/bash' 'sshd:x:103:65534::/run/sshd:/usr/sbin/nologin' \
        'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' > "$fs/etc/passwd"
    printf '%s\n' 'root:x:0:' 'tty:x:5:' 'nogroup:x:65534:' "docker:x:$DOCKER_GID:rancher" > "$fs/etc/group"
    printf '%s:*:19000:0:99999:7:::\n' root sshd nobody > "$fs/etc/shadow"
    for user; do
        echo "${user%:*}:x:${user#*:}:${user#*:}::/home/${user%:*}:/bin/bash" >> "$fs/etc/passwd"
        echo "${user%:*}:x:${user#*:}:" >> "$fs/etc/group"
        echo "${user%:*}:*:19000:0:99999:7:::" >> "$fs/etc/shadow"
        mkdir -p "$fs/home/${user%:*}"
        chown "${user#*:}:${user#*:}" "$fs/home/${user%:*}"
    done
    chmod 0600 "$fs/etc/shadow"
}

let_in() { # HOME OWNER KEY-FILE
    mkdir -p "$1/.ssh"
    cp "$3" "$1/.ssh/authorized_keys"
    chmod 0700 "$1/.ssh"
    chmod 0600 "$1/.ssh/authorized_keys"
    chown -R "$2:$2" "$1/.ssh"
}

node_users() { # FS
    local users=(rancher:1000)
    [ "$SUDO" = 0 ] || users+=(admin:1001)
    user_files "$1" "${users[@]}"
    let_in "$1/root" 0 "$LAB_DIR/authorized_keys"
    let_in "$1/home/rancher" 1000 "$LAB_DIR/authorized_keys"
    [ "$SUDO" = 0 ] || {
        let_in "$1/home/admin" 1001 "$LAB_DIR/authorized_keys"
        printf '%s\n' "Defaults secure_path=$NODE_PATH" 'root ALL=(ALL) ALL' 'admin ALL=(ALL) NOPASSWD: ALL' > "$1/etc/sudoers"
        chmod 0440 "$1/etc/sudoers"
    }
}

bastion_users() { # FS
    user_files "$1" jump:1000
    let_in "$1/home/jump" 1000 "$LAB_DIR/id_bastion.pub"
}

# --- power ---

power_on() { # NODE
    local name=$1 dir=$LAB_DIR/nodes/$1 child
    cg_create "$name" || return
    : > "$dir/init.log"
    (
        cg_join "$name"
        spawn "$dir/init.log" nsenter --target "$holder" --mount --net --pid -- \
            unshare --pid --fork --kill-child --mount --uts --net --mount-proc bash "$LAB_HOME/node-init.sh" "$dir"
        echo "$spawned" > "$dir/entry"
    ) || return
    # nsenter forks once to be in the new process namespace, unshare once more.
    until_true 5 only_child "$(cat "$dir/entry")" && child=$(only_child "$(cat "$dir/entry")") &&
        until_true 5 only_child "$child" && child=$(only_child "$child") || return
    rm -f "$dir/entry"
    remember "$child" "$dir/init"
    wire "$name" "$child" && until_true 15 grep -qx ready "$dir/init.log" && s3_route "$name"
}

# As a power cut: the wire goes first, so that no dying process can say goodbye on it.
power_off() { # NODE
    local pid
    pid=$(pid_in "$LAB_DIR/nodes/$1/init") || return 0
    fast_port "$1"
    on_holder ip link set "$1" down
    kill -9 "$pid"
    until_true 20 gone "$LAB_DIR/nodes/$1/init" || die "$1 does not die"
    rm -f "$LAB_DIR/nodes/$1/init"
    # The namespace of a dead node is taken down later by the kernel; its interfaces must not stand in a new one's way.
    on_holder sh -c 'ip link del "$1"; ip link del "$1"1; :' sh "$1" 2> /dev/null
}

gone() { ! pid_in "$1"; }

# --- docker and etcd on a running node ($init is set) ---

docker_up() { until_true 40 in_node timeout 5 "$DOCKER" version; }

etcd_cluster() { # initial-cluster of etcd
    local name list=
    for name in $(node_names); do list=$list,etcd-$name=https://$(node_addr "$name"):2380; done
    echo "${list#,}"
}

create_containers() {
    local any=0.0.0.0 etcd
    [ "$IPV6" = 0 ] || any='[::]'
    mapfile -t etcd < <(etcd_container "etcd-$node" "$(node_addr "$node")" "$(etcd_cluster)" new "$any")
    docker_in_node create --name service-sidekick "$TOOLS_IMAGE" /bin/bash > /dev/null &&
        docker_in_node run -d "${etcd[@]}" > /dev/null
}

# The machine's etcdctl on the node, with the node's certificate.
etcdctl_in_node() {
    in_node env ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/ssl/kube-ca.pem \
        --cert=/etc/kubernetes/ssl/kube-node.pem --key=/etc/kubernetes/ssl/kube-node-key.pem "$@"
}

etcd_up() { until_true 40 etcdctl_in_node endpoint health; }

first_start() { # NODE: power on with empty folders
    power_on "$1" || return
    [ "$1" != bastion ] || return 0
    need_running "$1"
    docker_up && create_containers
}
