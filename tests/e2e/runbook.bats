# docs/runbook.md, all of its commands, on a lab of its own with S3: one lost member, a lost quorum, a whole lost cluster.
# The tests follow one another: each goes on with the cluster that the one before has mended.
# shellcheck disable=SC2015,SC2030,SC2031,SC2016 # each test has its own values; what is in single quotes is for nodes

load helpers.bash
load s3.bash
load runbook.bash

SAVED=before-upgrade

setup_file() {
    operator_environment
    extract_runbook
    mkdir -p "$ORIGIN" "$HOME/.ssh"
    cp "$LAB_DIR/known_hosts" "$HOME/.ssh"
    cp "$BASE" "$ORIGIN/cluster.yml"
    state_file >"$ORIGIN/cluster.rkestate"
    echo 'for kubectl' >"$ORIGIN/kube_config_cluster.yml"
    "$LAB" empty
    "$LAB" s3-empty
    "$LAB" put n1 30 3k
    # The cluster as RKE leaves it.
    as_operator 'cd prod && rke up --config cluster.yml'
    cp "$ORIGIN/cluster.rkestate" "$BATS_FILE_TMPDIR/rkestate"
    kubernetes_objects
    contents n1 >"$BATS_FILE_TMPDIR/saved"
    member_ids >"$BATS_FILE_TMPDIR/ids"
    (cd "$ORIGIN" && "$LAB" run snapctl save --config cluster.yml --name $SAVED --s3-endpoint "$S3_TLS_ENDPOINT" \
        --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET" --s3)
    "$LAB" put n2 5 1k # after the snapshot
    contents n1 >"$BATS_FILE_TMPDIR/later"
}

setup() {
    operator_environment
    # shellcheck disable=SC2034 # for the runner
    GOOD=n1 BAD=n2
    VALUES=(
        [CONFIG]=cluster.yml [ORIGIN]=$ORIGIN [HERE]=$WORK [NAME]=$SAVED [NODES]='10.77.0.11 10.77.0.12 10.77.0.13'
        [MEMBERS]=$(members n1 n2 n3) [LOST]=$(members n3) [TOKEN]=restored-$EPOCHSECONDS [FROM]=10.77.0.11
        [HASH_CHECK]='' [SSH]="-o User=root -F $LAB_DIR/ssh_config" [SUDO]='' [PREFIX]='' [ROOM]=/opt
        [S3]="--s3-endpoint $S3_TLS_ENDPOINT --s3-endpoint-ca $S3_CA --bucket-name $S3_BUCKET"
        [AWS]="/usr/bin/aws --endpoint-url https://$S3_TLS_ENDPOINT" [OBJECTS]=s3://$S3_BUCKET
        [IMAGE]=rancher/mirrored-coreos-etcd:v3.4.23
    )
    rm -rf "$WORK/restore"
}

operator_environment() {
    export HOME=$HOME_FOLDER PATH=${SNAPCTL%/*}:${LAB%/*}:$PATH AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY \
        AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY AWS_CA_BUNDLE=$S3_CA AWS_DEFAULT_REGION=$S3_REGION
    unset SSH_AUTH_SOCK RKE_CONFIG
}

members() { # NODE…: as etcd's --initial-cluster
    local node list=
    for node; do list=$list,etcd-$node=https://10.77.0.1${node#n}:2380; done
    echo "${list#,}"
}

# RKE's state file, as far as etcd is concerned, with the certificates that the nodes have. `rke up` does the rest.
state_file() {
    local name
    for name in kube-ca kube-node kube-etcd-10-77-0-1{1,2,3}; do
        jq -n --arg name "$name" --rawfile cert <(certificate "$name.pem") --rawfile key <(certificate "$name-key.pem") \
            '{($name): {name: $name, certificatePEM: $cert, keyPEM: $key}}'
    done | jq -s '{desiredState: {certificatesBundle: add}, currentState: {}}'
}

certificate() { # FILE: no etcd node has the CA's key, and the page leaves it out
    local node=n1
    [[ $1 != kube-etcd-10-77-0-1* ]] || node=n${1:19:1}
    case $1 in
    kube-ca-key.pem) echo 'the CA key' ;;
    *) on "$node" cat "/etc/kubernetes/ssl/$1" ;;
    esac
}

# There is no Kubernetes here. What the page asks etcd for is where an API server keeps it.
kubernetes_objects() {
    local key
    for key in minions/n{1,2,3} pods/kube-system/coredns-1 pods/default/web-1; do
        on n1 docker exec etcd etcdctl put "/registry/$key" "k8s $key"
    done
}

# What the page stops and starts again is a container of that name, as rke makes it.
control_plane() { # NODE
    on "$1" sh -c 'docker rm -f kube-apiserver 2>/dev/null
        docker run -d --name kube-apiserver --network none --stop-signal KILL --entrypoint sleep \
        "$(docker inspect --format "{{.Config.Image}}" service-sidekick)" 1000000' >/dev/null
}
expect_control_plane() { # running|exited
    local node state
    for node in "${NODES[@]}"; do
        state=$(on "$node" docker inspect --format '{{.State.Status}}' kube-apiserver)
        [ "$state" = "$1" ] || { echo "kube-apiserver on $node: $state" && return 1; }
    done
}

# All keys and values, as this very member has them, but for the state that RKE keeps there, and writes again each time.
contents() {
    local all
    all=$(on "$1" docker exec etcd etcdctl get '' --from-key --consistency=s) || return
    awk '$0 == "/registry/secrets/kube-system/full-cluster-state" { getline; next } 1' <<<"$all" | sha256sum
}

member_ids() { on n1 docker exec etcd etcdctl member list | cut -d , -f 1,3 | sort; }

# The state file beside cluster.yml is, byte for byte, what it was when the snapshot was saved.
expect_state_file() {
    cmp "$BATS_FILE_TMPDIR/rkestate" "$WORK/cluster.rkestate"
    [ "$(stat -c %a "$WORK/cluster.rkestate")" = 600 ]
}

# cluster.yml, edited: all nodes but these.
without() {
    local node script=
    for node; do script+="/- address: \"10.77.0.1${node#n}\"/,/role:/d;"; done
    sed "$script" "$BASE" >"$WORK/cluster.yml"
}

# Makes the node's archive one whose checksums are right, but those of the database in it.
spoil() {
    on "$1" cat "$BACKUP/$SAVED.zip" >"$BATS_TEST_TMPDIR/good.zip"
    /usr/bin/python3 "$BATS_TEST_DIRNAME/spoil-archive.py" "$SAVED" "$BATS_TEST_TMPDIR/good.zip" "$BATS_TEST_TMPDIR/bad.zip"
    on "$1" sh -c "cat >$BACKUP/$SAVED.zip" <"$BATS_TEST_TMPDIR/bad.zip"
}

# expect_well WHAT: three members, all healthy, and each has exactly what there was when WHAT was written down.
expect_well() {
    local node list health
    list=$(on n2 docker exec etcd etcdctl member list)
    [ "$(grep -c ', started, etcd-n[123], https://10.77.0.1[123]:2380,' <<<"$list")" = 3 ] &&
        [ "$(wc -l <<<"$list")" = 3 ] || { echo "members: $list" && return 1; }
    health=$(on n3 docker exec etcd etcdctl endpoint health --cluster 2>&1)
    [ "$(grep -c 'is healthy' <<<"$health")" = 3 ] || { echo "health: $health" && return 1; }
    for node in "${NODES[@]}"; do
        [ "$(contents "$node")" = "$(<"$BATS_FILE_TMPDIR/$1")" ] ||
            { echo "$node has other contents than $1" && return 1; }
        [ "$(on "$node" docker ps --format '{{.Names}}' --filter name=etcd)" = etcd ]
    done
}

# The member's data is gone; its etcd goes on trying to start.
lose_data() { on "$1" sh -c 'docker stop -t 3 etcd && rm -rf /var/lib/etcd/member && docker start etcd'; }

# As a machine that was set up again: Docker, its images, and nothing else.
empty_machine() {
    on "$1" sh -c 'docker rm -f etcd kube-apiserver &&
        rm -rf /var/lib/etcd /etc/kubernetes/ssl /opt/rke/etcd-snapshots/* /opt/etcd-restore'
}

on_all() { # FUNCTION: on all nodes at once
    local node jobs=() job
    for node in "${NODES[@]}"; do
        "$1" "$node" >/dev/null &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait "$job"; done
}

# The node's Docker says that it has SELinux, and makes no container without the option for it.
selinux() {
    cat >"$BATS_TEST_TMPDIR/docker" <<'EOF'
#!/bin/sh
case $1 in
info) echo '[name=selinux]' && exit ;;
run | create)
    case $* in
    *' --security-opt label=type:rke_container_t '*) ;;
    *) echo "no label: $*" >&2 && exit 1 ;;
    esac
    ;;
esac
exec /usr/bin/docker "$@"
EOF
    "$LAB" shim "$1" "$BATS_TEST_TMPDIR/docker"
}
no_selinux() { "$LAB" unshim "$1"; }

restore() {
    play 'Stop what writes'
    expect_control_plane exited
    on n1 mkdir -p /var/lib/etcd/restored/member # as a restore that was broken off leaves it
    play 'Restore the members'
    play 'Is it well?'
    play 'Start what was stopped'
    expect_control_plane running
}

restore_with_rke() { as_operator "$(variables; echo 'rke etcd snapshot-restore --config "$CONFIG" --name "$NAME"')"; }

@test "every block of the page is of a known kind, all variables have a value, and links lead somewhere" {
    run -1 grep -vxhE 'sh (variables|node-setup|operator|every-node|every-member|one-member|lost-node|bad-node)' "$BLOCKS"/*.place
    expect_all_variables
    [ -z "$(dead_links)" ] || { dead_links && return 1; }
    touch "$(block_at variables).played"
}

@test "before it begins, RKE's files are copied" {
    play 'Before you begin'
    diff -r "$ORIGIN" "$WORK"
    [ "$(stat -c %a "$WORK")" = 700 ]
}

@test "one lost member" {
    lose_data n3
    play Look
    play 'Set its data aside'
    play 'Save what is there'
    play 'Take it out'
    play 'Announce it'
    run -1 play 'Announce it' # it is listed, and not added again
    [[ "$output" == *', unstarted, '* && "$output" == *'nothing is like: Member'* ]]
    selinux n3
    VALUES[MEMBERS]=$(members n1 n3)
    run -1 play 'Put it in'
    [[ "$output" == *'error validating peerURLs'* ]]
    VALUES[MEMBERS]=$(members n1 n2 n3)
    play 'Put it in'
    no_selinux n3
    play 'Is it well?'
    expect_well later
}

@test "a lost quorum: what is left is copied, and the others join it" {
    on n2 sh -c 'docker stop -t 3 etcd && rm -rf /var/lib/etcd/member'
    on n3 sh -c 'docker stop -t 3 etcd && rm -rf /var/lib/etcd/member'
    VALUES[NAME]='left-over'
    play 'Copy what is left'
    play 'Prove it'
    play 'Put it on the nodes'
    # The other way replaces that copy, so what is restored here is the database as it lay in the folder.
    play 'Copy the database of a dead member'
    VALUES[HASH_CHECK]=--skip-hash-check
    VALUES[MEMBERS]=$(members n1)
    restore
    VALUES[MEMBERS]=$(members n1 n2)
    VALUES[LOST]=$(members n2)
    play 'Set its data aside'
    play 'Announce it'
    play 'Put it in'
    play 'Is it well?'
    VALUES[MEMBERS]=$(members n1 n2 n3)
    VALUES[LOST]=$(members n3)
    play 'Set its data aside'
    play 'Announce it'
    play 'Put it in'
    play 'Is it well?'
    expect_well later
}

@test "a whole lost cluster, from a node's snapshot: what was written after it is gone" {
    on_all lose_data
    play 'Get it by hand from a node'
    play 'Unpack it by hand'
    mv "$WORK/restore" "$WORK/by-hand"
    play 'Get it from a node'
    # Another member's copy would do as well, but differs.
    snapctl verify "$WORK/by-hand/$SAVED"
    expect_status 0
    cmp "$WORK/by-hand/$SAVED.rkestate" "$WORK/restore/$SAVED.rkestate"
    cmp "$WORK/cluster.rkestate" "$WORK/restore/$SAVED.rkestate"
    play 'Prove it'
    play 'Put it on the nodes'
    restore
    expect_well saved
}

@test "a bad snapshot, nodes that disagree, a missing state file" {
    on n2 sh -c "printf damaged | dd of=$BACKUP/$SAVED.zip bs=1 seek=2000 conv=notrunc 2>/dev/null"
    play 'A snapshot is bad'
    play 'Prove it'
    on n2 test -e "$BACKUP/$SAVED.zip.damaged"
    play 'Nodes disagree'
    rm "$WORK/cluster.rkestate"
    play 'The state file is missing'
    play 'Get it from a node' # over the one that came with the good copy
    play 'The state file of another snapshot'
    expect_state_file
    rm "$WORK/cluster.rkestate"
    play 'The state file of the cluster'
    expect_state_file
    for node in 11 12 13; do tar -tf "$WORK/restore/ssl-10.77.0.$node.tar" "ssl/kube-etcd-10-77-0-$node-key.pem"; done
    expect_well saved
}

@test "a whole lost cluster, from S3, on empty machines" {
    on_all empty_machine
    rm "$WORK/cluster.rkestate"
    play 'Get it by hand from S3'
    play 'Unpack it by hand'
    mv "$WORK/restore" "$WORK/by-hand-from-s3"
    play 'Get it from S3'
    cmp "$WORK/by-hand-from-s3/$SAVED" "$WORK/restore/$SAVED"
    on_all control_plane
    selinux n1
    play 'Empty machines'
    play 'Prove it'
    play 'Put it on the nodes'
    restore
    no_selinux n1
    expect_well saved
    play 'Build Kubernetes on it'
    play 'Is it well?'
    expect_well saved
    expect_state_file
}

@test "with RKE: a whole lost cluster, from S3, on empty machines, without the state file" {
    on_all empty_machine
    rm "$WORK/cluster.rkestate"
    play 'From S3, with RKE'
    play 'Is it well?'
    expect_well saved
    expect_state_file
    expect_control_plane running
    # RKE's token is always the same, so the members are, too: one with old data would fit.
    [ "$(member_ids)" = "$(<"$BATS_FILE_TMPDIR/ids")" ]
    # What was restored is snapctl's own archive, and nothing else.
    "$LAB" s3-get "$SAVED.zip" "$BATS_TEST_TMPDIR/object.zip"
    for node in "${NODES[@]}"; do
        on "$node" cat "$BACKUP/$SAVED.zip" | cmp - "$BATS_TEST_TMPDIR/object.zip"
        [ "$(on "$node" ls "$BACKUP")" = "$SAVED.zip" ]
    done
}

@test "with RKE: one lost member" {
    "$LAB" put n2 5 1k
    contents n1 >"$BATS_FILE_TMPDIR/newest"
    lose_data n3
    on n3 touch /var/lib/etcd/set-aside
    without n3
    play 'Take its node out'
    [ "$(on n1 docker exec etcd etcdctl member list | wc -l)" = 2 ]
    [ -z "$(on n3 docker ps -aq)" ]
    [ -z "$(on n3 sh -c 'ls -A /etc/kubernetes/ssl /var/lib/etcd | grep -v :')" ]
    on n3 test -e "/var/lib/etcd-before-${VALUES[TOKEN]}/set-aside"
    without
    play 'Put its node in'
    play 'Is it well?'
    expect_well newest
}

@test "with RKE: a lost quorum, from the nodes; RKE breaks off, and fails on a damaged snapshot, which is moved out of its way" {
    on n2 sh -c 'docker stop -t 3 etcd && rm -rf /var/lib/etcd/member'
    on n3 docker stop -t 3 etcd
    without n3
    # What is not the same on all nodes is not restored, nor what a node has no room for; and nothing was removed.
    on n2 ln -s /dev/null "$BACKUP/$SAVED"
    run -1 restore_with_rke
    [[ "$output" == *'etcd snapshots are not consistent'* ]]
    on n2 rm "$BACKUP/$SAVED"
    "$LAB" fill n2
    run -1 restore_with_rke
    "$LAB" unfill n2
    [[ "$output" == *'Failed to download etcd snapshot'* ]]
    on n1 docker inspect etcd-Serve-backup >/dev/null
    NODES=(n1 n2)
    play "Go back from RKE's restore"
    [ "$(on n1 docker ps --format '{{.Names}}' --filter name=etcd)" = etcd ]
    [ -z "$(on n2 docker ps -q --filter name=etcd)" ] # it has no data
    cmp "$ORIGIN/cluster.rkestate" "$WORK/cluster.rkestate"
    spoil n1
    run -1 restore_with_rke
    [[ "$output" == *'expected sha256'* ]]
    [ -z "$(on n1 docker ps -aq --filter name='^etcd$')" ] # the old data is gone by then, as the page says
    # shellcheck disable=SC2034 # for the runner
    GOOD=n2 BAD=n1 VALUES[FROM]=10.77.0.12
    play 'A snapshot is bad'
    play 'Set aside what RKE has unpacked'
    [ "$(on n1 ls "$BACKUP")" = "$SAVED.zip.damaged" ]
    [ "$(on n2 ls "$BACKUP")" = "$SAVED.zip" ]
    # Now none of the nodes has the archive, as new machines.
    on n2 cat "$BACKUP/$SAVED.zip" >"$WORK/restore/$SAVED.zip"
    on n2 rm "$BACKUP/$SAVED.zip"
    VALUES[FROM]=10.77.0.11
    play 'Bring the archive to a new machine'
    play 'From the nodes, with RKE'
    [ "$(on n1 docker exec etcd etcdctl member list | wc -l)" = 2 ]
    NODES=(n1 n2 n3)
    play 'Clear the way for RKE'
    without
    play 'Put its node in'
    play 'Is it well?'
    expect_well saved
    expect_state_file
}

@test "all is tidied up" {
    # What was restored in between has left more than this test's token tells.
    on n3 sh -c 'ls -d /var/lib/etcd/before-* /var/lib/etcd-before-*'
    on n2 test -e "$BACKUP/$SAVED"
    cp "$WORK/cluster.rkestate" "$BATS_TEST_TMPDIR"
    play 'Set aside what RKE has unpacked'
    play 'Tidy up'
    for node in "${NODES[@]}"; do
        expect_archive "$node" "after-${VALUES[TOKEN]}"
        [ -z "$(on "$node" sh -c "ls -d /var/lib/etcd-* /opt/etcd-restore; ls /var/lib/etcd $BACKUP | grep -vE ':|^member|zip$'")" ]
    done
    cmp "$ORIGIN/cluster.rkestate" "$BATS_TEST_TMPDIR/cluster.rkestate"
    cmp "$ORIGIN/cluster.rkestate.~1~" "$BATS_FILE_TMPDIR/rkestate"
    [ ! -e "$WORK" ]
}

@test "no block of the page was left out" {
    for block in "$BLOCKS"/*.sh; do
        [ -e "${block%.sh}.played" ] || { cat "${block%.sh}.section" "$block" && left=1; }
    done
    [ -z "${left:-}" ]
}
