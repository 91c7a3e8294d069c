# shellcheck shell=bash disable=SC2016 # what stands in single quotes is for the shell within
# The images and the lab's own two programs are built once and kept: a docker data folder that already holds both images
# is copied to each node, which is ten times faster than an import per node.

CACHE=${LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/snapctl-lab}
ETCD_IMAGE=rancher/mirrored-coreos-etcd:v3.4.23
TOOLS_IMAGE=rancher/rke-tools:v0.1.90

# choose_images: sets STORAGE and IMAGE_DIR. The cache is good for these very inputs only.
choose_images() {
    STORAGE=$(storage_driver)
    IMAGE_DIR=$CACHE/$({
        cat "$LAB_HOME/lib/images.sh" "$LAB_HOME"/image/*
        stat -Lc '%n %s %Y' /usr/bin/{etcd,etcdctl,curl,openssl} /bin/busybox /bin/bash /usr/sbin/dockerd
        echo "$STORAGE $(uname -m)"
    } | sha256sum | cut -c 1-16)
}

# overlay2 where the kernel and the file system below LAB_DIR can do it, else plain copies.
storage_driver() {
    local t=$LAB_DIR/.overlay
    mkdir -p "$t/l" "$t/u" "$t/w" "$t/m"
    if unshare --mount mount -t overlay -o "lowerdir=$t/l,upperdir=$t/u,workdir=$t/w" overlay "$t/m" 2> /dev/null; then
        echo overlay2
    else
        echo vfs
    fi
    rm -rf "$t"
}

# with_libs ROOT PROGRAM…: put programs into ROOT/usr/local/bin together with the libraries they load.
with_libs() {
    local root=$1 lib
    shift
    mkdir -p "$root/usr/local/bin"
    cp -L "$@" "$root/usr/local/bin/"
    for lib in $(ldd "$@" 2> /dev/null | grep -o '/[^ ]*\.so[^ ]*' | sort -u); do
        mkdir -p "$root${lib%/*}"
        cp -nL "$lib" "$root$lib"
    done
}

busybox_tree() { # ROOT
    local applet
    mkdir -p "$1/bin"
    cp -L /bin/busybox "$1/bin/busybox"
    for applet in $(/bin/busybox --list); do
        [ -e "$1/bin/$applet" ] || ln -s busybox "$1/bin/$applet"
    done
}

# The etcd image holds etcd and etcdctl and no shell, as newer ones of RKE: snapctl must not need one there.
etcd_tree() { # ROOT
    with_libs "$1" /usr/bin/etcd /usr/bin/etcdctl
    mkdir -p "$1/tmp" "$1/etc" "$1/var"
}

tools_tree() { # ROOT
    busybox_tree "$1"
    with_libs "$1" /bin/bash /usr/bin/etcdctl /usr/bin/curl /usr/bin/openssl
    ln -s /usr/local/bin/bash "$1/bin/bash.new" && mv -T "$1/bin/bash.new" "$1/bin/bash"
    mkdir -p "$1/opt/rke-tools" "$1/tmp" "$1/etc" "$1/var" "$1/root"
    chmod 1777 "$1/tmp"
    echo 'root:x:0:0:root:/root:/bin/bash' > "$1/etc/passwd"
    echo 'root:x:0:' > "$1/etc/group"
    cp "$LAB_HOME/image/rke-etcd-backup" "$1/opt/rke-tools/"
    chmod 0755 "$1/opt/rke-tools/rke-etcd-backup"
    gcc -O2 -Wall -static -o "$1/opt/rke-tools/labzip" "$LAB_HOME/image/labzip.c" -lz
    ready_snapshot "$1/opt/rke-tools/ready-snapshot"
}

# For instant archives: a real snapshot of a real etcd with ten keys. Runs alone, with a loopback of its own.
ready_snapshot() { # FILE
    unshare --net --pid --fork --kill-child bash -c '
        set -eu
        dir=$(mktemp -d); trap "rm -rf $dir" EXIT
        ip link set lo up
        etcd --data-dir "$dir/d" --log-level error > "$dir/log" 2>&1 &
        for i in $(seq 100); do ETCDCTL_API=3 etcdctl endpoint health > /dev/null 2>&1 && break; sleep 0.1; done
        for i in 1 2 3 4 5 6 7 8 9 10; do ETCDCTL_API=3 etcdctl put "/lab/ready/$i" "value $i" > /dev/null; done
        ETCDCTL_API=3 etcdctl snapshot save "$1" > /dev/null 2>&1
        kill %1' bash "$1"
}

# Runs within namespaces of its own (see build_images): a short-lived dockerd takes the images in.
import_images() { # WORK-FOLDER
    local work=$1 pid
    mount -t tmpfs tmpfs /run
    ip link set lo up
    dockerd --bridge=none --iptables=false --exec-opt native.cgroupdriver=cgroupfs --storage-driver="$STORAGE" \
        --data-root="$work/docker" -H unix:///run/docker.sock > "$work/dockerd.log" 2>&1 &
    pid=$!
    until_true 30 "$DOCKER" version || die "dockerd did not come up: $(tail -n 3 "$work/dockerd.log")"
    tar -C "$work/etcd" -c . | "$DOCKER" import - "$ETCD_IMAGE" || die "import failed"
    tar -C "$work/tools" -c . | "$DOCKER" import - "$TOOLS_IMAGE" || die "import failed"
    kill "$pid"
    wait "$pid"
    # Only images may be shared by nodes, not what makes up an engine's identity.
    find "$work/docker" -mindepth 1 -maxdepth 1 ! -name image ! -name overlay2 ! -name vfs -exec rm -rf {} +
}

build_images() {
    local work
    [ ! -e "$IMAGE_DIR/done" ] || return 0
    say "building the images (once; kept in $CACHE)"
    work=$CACHE/building
    rm -rf "$work" "$IMAGE_DIR"
    find "$CACHE" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} + # those of older versions
    mkdir -p "$work/bin" "$work/etcd" "$work/tools"
    gcc -O2 -Wall -o "$work/bin/labdelay" "$LAB_HOME/image/labdelay.c" || return
    (set -e; etcd_tree "$work/etcd"; tools_tree "$work/tools") || return
    unshare --pid --fork --kill-child --mount --net --mount-proc \
        env LAB_DIR="$LAB_DIR" LAB_CACHE="$CACHE" STORAGE="$STORAGE" \
        "$LAB_HOME/lab" import-images "$work" > "$work/import.log" 2>&1 ||
        die "cannot build the images: $(tail -n 3 "$work/import.log")"
    rm -rf "$work/etcd" "$work/tools"
    touch "$work/done"
    mv "$work" "$IMAGE_DIR"
}

# Two labs that start at once build only once, and nobody's folder is removed while it is copied.
with_image_lock() {
    mkdir -p "$CACHE"
    (
        flock -w 120 9 || die "another lab holds $CACHE/lock"
        "$@"
    ) 9> "$CACHE/lock"
}
