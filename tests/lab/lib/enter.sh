# shellcheck shell=bash disable=SC2016,SC2154 # what stands in single quotes is for the shell within; set by need_lab
# Being somewhere in the lab: the commands that tests use most.

#: run [--hosts] CMD...
#:     be the operator: CMD in the lab's network, all else as where you are. Replaces this process, so signals, terminal,
#:     descriptors, working folder and exit status are CMD's own. --hosts: the nodes' names resolve
cmd_run() {
    need_lab
    local enter=(nsenter --target "$holder" --net --)
    # Not the holder's mounts: there /proc/self would be missing for a process of the outside.
    if [ "${1:-}" = --hosts ]; then
        shift
        enter+=(unshare --mount sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$LAB_DIR/hosts")
    fi
    [ $# -gt 0 ] || die "run: what?"
    exec "${enter[@]}" "$@"
}

#: sh NODE [CMD...]
#:     be root on the node, not by ssh
cmd_sh() {
    need_lab
    need_running "${1:-}"
    shift
    [ $# -gt 0 ] || set -- bash
    in_node "$@"
}

#: empty
#:     remove all that is in the folders of archives of all nodes, a powered-off one's too
cmd_empty() {
    need_lab
    # shellcheck disable=SC2046
    on_holder sh -c 'dir=$1; shift
        for node; do
            at=$dir/nodes/$node/fs/opt/rke/etcd-snapshots
            rm -rf "$at"/* "$at"/.[!.]*
        done' sh "$LAB_DIR" $(node_names)
}
