# In front of every script but the first words of the probe. Set before it: docker socket uid image backup
# kubernetes security z run.

trap '' PIPE

d() {
    # shellcheck disable=SC2086 # "sudo -n docker" is three words
    $docker ${socket:+-H "unix://$socket"} "$@"
}

# A throw-away container: thrown_away OPTION... IMAGE ARG...
thrown_away() {
    d run --rm -i --label "io.snapctl.run=$run" --label io.snapctl.role=files --log-driver none --network none \
        ${security:+--security-opt "$security"} "$@"
}

# One of the tools image that sees the node's files: in_container MODE PROGRAM ARG...
in_container() {
    mode=$1 program=$2
    shift 2
    thrown_away -v "$backup:/backup:$mode${z:+,$z}" -v "$kubernetes:/etc/kubernetes:$mode${z:+,$z}" \
        --entrypoint "$program" "$image" "$@"
}

# Runs a script as root, with the snapshots' folder as $1, the folder of the state file as $2, and the further
# arguments behind: directly, or through a container where the user is not root.
as_root() {
    script=$1
    shift
    if [ "$uid" = 0 ]; then
        sh -c "$script" sh "$backup" "$kubernetes" "$@"
    else
        in_container rw sh -c "$script" sh /backup /etc/kubernetes "$@" </dev/null
    fi
}
