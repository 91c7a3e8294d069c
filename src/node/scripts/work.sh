# Takes the lock, makes the bundle, places the state file, starts the snapshot and waits for it. Set: worker name archive
# legacy tool (the sub-command) bundle bundle_only (1: the node has no etcd, so all else is left out) by started endpoint
# env_bytes state_bytes force visible, and of an ended container that has the lock's name: dead (id, or empty)
# dead_run dead_name (empty if it was not snapctl's) dead_owned. Standard input: env_bytes of environment lines, then
# a tar archive of state_bytes with the state file.

# A SIGTERM from cleanup.sh ends it after the command it is in. What that command made, and cleanup.sh may have looked
# for too early, is undone here.
stopped=0 owned=0
trap 'stopped=1' TERM
go_on() {
    [ $stopped = 1 ] || return 0
    d kill "$id" >/dev/null 2>&1
    as_root "$undo" "$name" "$run" $owned
    d rm -f -v "$id" >/dev/null 2>&1
    exit 143
}

# Only one of several runs that saw the dead container wins: renaming it to what it is called already fails.
if [ -n "$dead" ]; then
    d rename "$dead" "etcd-snapshot-dead-${dead%"${dead#????????????}"}" 2>/dev/null || dead=
fi

# dd reads no byte too many; head may.
# shellcheck disable=SC2086 # a tool's sub-command is two words
id=$(dd bs=1 count="$env_bytes" 2>/dev/null | d create --name etcd-snapshot-once \
    --label "io.snapctl.run=$run" --label io.snapctl.role=snapshot --label "io.snapctl.snapshot=$name" \
    --label "io.snapctl.by=$by" --label "io.snapctl.started=$started" --label "io.snapctl.state=$state_bytes" \
    --network host --restart no --cpu-shares 256 --blkio-weight 100 --log-driver json-file --log-opt max-size=1m \
    ${security:+--security-opt "$security"} --env-file /dev/stdin \
    -v "$backup/:/backup${z:+:$z}" -v "$kubernetes:/etc/kubernetes${z:+:$z}" "$image" \
    /opt/rke-tools/rke-etcd-backup $tool --cacert /etc/kubernetes/ssl/kube-ca.pem \
    --cert /etc/kubernetes/ssl/kube-node.pem --key /etc/kubernetes/ssl/kube-node-key.pem \
    --name "$name" "--endpoints=$endpoint" --once) || exit 125
go_on
echo "created $id"

# What the dead run left is removed under the lock, so nobody else's files can have come under its name meanwhile.
if [ -n "$dead" ]; then
    [ -z "$dead_name" ] || as_root "$undo" "$dead_name" "$dead_run" "$dead_owned" </dev/null || echo "kept the files of $dead"
    d rm -v "$dead" >/dev/null 2>&1
fi

# Under the lock once more: another run may have finished with this name since the check.
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
taken='
    for file in "$3" "$3.zip"; do
        [ -e "$1/$file" ] || continue
        [ "$5" = 1 ] || exit 17
        mv "$1/$file" "$1/.$file.$4.before-force" || exit 18
    done'
if [ "$bundle_only" = 1 ]; then
    true
elif [ "$force" = 1 ] || [ "$visible" = 0 ]; then
    as_root "$taken" "$name" "$run" "$force" </dev/null
else
    sh -c "$taken" sh "$backup" "$kubernetes" "$name" "$run" 0
fi
status=$?
go_on
if [ $status -ne 0 ]; then
    echo "taken $status"
    exit 0
fi

# From here on, what stands under the name is this run's.
owned=$((1 - bundle_only))

if [ "$bundle" = 1 ]; then
    make_bundle
    status=$?
    go_on
    if [ $status -ne 0 ]; then
        echo unbundled
        exit 0
    fi
fi
[ "$bundle_only" = 0 ] || exit 0

if [ "$state_bytes" != 0 ]; then
    head -c "$state_bytes" | d cp - "$id:/etc/kubernetes" >/dev/null || exit 126
    go_on
fi
d start "$id" >/dev/null </dev/null || exit 127
go_on
echo started
trap 'exit 143' TERM
wait_and_report </dev/null
