# The main job: three nodes, saved, proven, restorable.

setup() {
    load helpers
    common_setup
}

teardown() { mend; }

@test "three nodes are saved, and the table and RKE's line say so" {
    save
    expect_status 0
    expect_output "Finished saving/uploading snapshot [$NAME] on all etcd hosts"
    for node in "${NODES[@]}"; do
        expect_archive "$node"
    done
    for address in 10.77.0.11 10.77.0.12 10.77.0.13; do
        grep -qE "^ *$address +saved" <<<"$output"
    done
    expect_clean
}

@test "the JSON document tells all, and its hashes are the files' own" {
    one_node
    save --output json
    expect_status 0
    json '.schema' 1
    json '.snapshot' "$NAME"
    json '.status' ok
    json '.error' null
    json '.s3' null
    json '[.nodes[].status] | unique | join(",")' saved
    json '[.nodes[].verified] | unique | join(",")' true
    json '[.nodes[].state_file] | unique | join(",")' true
    json '[.nodes[].phase] | unique | join(",")' "done"
    json '.nodes[0].address' 10.77.0.11
    json '.nodes[0].path' "$BACKUP/$NAME.zip"
    json '.nodes[0].error' null
    json '.nodes[0].sha256' "$(on n1 sha256sum "$BACKUP/$NAME.zip" | cut -d' ' -f1)"
    json '.nodes[0].bytes' "$(on n1 stat -c %s "$BACKUP/$NAME.zip")"
    expect_archive n1
    unzip -p "$BATS_TEST_TMPDIR/archive.zip" "/backup/$NAME" >"$BATS_TEST_TMPDIR/db"
    json '.nodes[0].etcd.bytes' "$(stat -c %s "$BATS_TEST_TMPDIR/db")"
    json '.nodes[0].etcd.sha256' "$(tail -c 32 "$BATS_TEST_TMPDIR/db" | od -An -v -tx1 | tr -d ' \n')"
    jq -e '.duration_ms > 0 and (.started | test("^[0-9-]+T[0-9:]+Z$"))' <<<"$output"
    expect_clean
}

@test "etcdctl restores the archive of each node into an etcd that serves the keys" {
    save
    expect_status 0
    keys=$(lab keys n1)
    [ "$keys" -gt 0 ]
    for node in "${NODES[@]}"; do
        expect_archive "$node"
        run -0 lab restore "$BATS_TEST_TMPDIR/archive.zip"
        [[ "${lines[-1]}" == *"$keys"* ]]
    done
}

@test "the state file in the archive is the operator's" {
    one_node
    save
    expect_status 0
    expect_archive n1
    unzip -p "$BATS_TEST_TMPDIR/archive.zip" "/etc/kubernetes/$NAME.rkestate" | cmp - "$LAB_DIR/cluster.rkestate"
}

@test "a user who is only in the group docker can save" {
    CONFIG=$LAB_DIR/cluster-rancher.yml
    one_node
    save --output json
    expect_status 0
    json '[.nodes[].verified] | unique | join(",")' true
    expect_archive n1
    expect_clean
}

@test "a user who is only in the group docker can replace, where the folder is hidden from him" {
    CONFIG=$LAB_DIR/cluster-rancher.yml
    one_node
    on n1 chmod 700 $BACKUP
    save
    expect_status 0
    save
    expect_status 2
    expect_stderr "$BACKUP/$NAME.zip"
    save --force
    on n1 chmod 755 $BACKUP
    expect_status 0
    expect_archive n1
    expect_clean
}

@test "--verify quick looks at the end of the archive only, and says so" {
    one_node
    save --verify quick --output json
    expect_status 0
    json '[.nodes[].verified] | unique | join(",")' false
    json '[.nodes[].state_file] | unique | join(",")' true
    json '.nodes[0].etcd.sha256 // ""' ""
    NAME=$NAME-text
    save --verify quick
    expect_status 0
    expect_output "not verified"
}

@test "a made-up name has no colon, and is told" {
    one_node
    snapctl save --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" --output json
    expect_status 0
    name=$(jq -r .snapshot <<<"$output")
    [[ "$name" =~ ^rke_etcd_snapshot_[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}Z$ ]]
    expect_stderr "$name"
    expect_archive n1 "$name"
}

@test "the ending .zip is dropped with a note, a colon is warned about" {
    one_node
    save --name "$NAME.zip"
    expect_status 0
    expect_stderr ".zip is dropped"
    expect_archive n1
    save --name "$NAME:b"
    expect_status 0
    expect_stderr colon
    expect_archive n1 "$NAME:b"
}

@test "the longest name that is allowed works, with its state file" {
    one_node
    NAME=$(printf 'n%.0s' {1..200})
    save
    expect_status 0
    expect_archive n1
    NAME=${NAME}x
    save
    expect_status 2
}

@test "--parallel 1 saves one node after the other" {
    save --parallel 1 --output json
    expect_status 0
    json '[.nodes[].status] | unique | join(",")' saved
}

@test "--dry-run shows the commands and changes nothing" {
    changed_config 's/^    backup_config:/    extra_env: ["LAB_TOKEN=extra-env-value"]\n&/'
    save --dry-run
    expect_status 0
    expect_output "docker"
    expect_output "etcd-snapshot-once"
    refute_anywhere extra-env-value
    for node in "${NODES[@]}"; do
        expect_no_archive "$node"
    done
    expect_clean
    save --dry-run --output json
    expect_status 0
    json '.dry_run' true
    json '[.nodes[].status] | unique | join(",")' checked
}

@test "extra_env reaches the container, and no command line" {
    one_node
    changed_config 's/^    backup_config:/    extra_env: ["LAB_TOKEN=extra env value #1"]\n&/'
    lab tool n1 delay=3
    save_in_background
    eventually 40 container_runs n1
    env=$(on n1 docker inspect --format '{{json .Config.Env}}' etcd-snapshot-once)
    processes=$(on n1 ps -ef)
    lab tool n1
    finish
    expect_status 0
    [[ "$env" == *'LAB_TOKEN=extra env value #1'* ]]
    [[ "$processes" != *"extra env value"* ]]

    changed_config 's/^    backup_config:/    extra_env: ["LAB_TOKEN=extra-env-value"]\n&/'
    lab tool n1 fail=extra-env-value tries=1
    NAME=${NAME}x save --debug
    expect_status 1
    expect_stderr '***'
    refute_anywhere extra-env-value
}

@test "the snapshot container gives way to etcd, and its labels tell who runs it" {
    one_node
    lab tool n1 delay=3
    save_in_background
    eventually 40 container_runs n1
    facts=$(on n1 docker inspect --format \
        '{{.HostConfig.CpuShares}} {{.HostConfig.Privileged}} {{.HostConfig.NetworkMode}} {{json .Config.Labels}}' \
        etcd-snapshot-once)
    lab tool n1
    finish
    expect_status 0
    [[ "$facts" == "256 false host "* ]]
    [[ "$facts" == *"\"io.snapctl.snapshot\":\"$NAME\""* ]]
    [[ "$facts" == *"\"io.snapctl.by\":\"$(id -un)@$(hostname)"* ]]
}

@test "without a state file there is a warning, with --require-state a refusal" {
    one_node
    changed_config ''
    rm "$BATS_TEST_TMPDIR/cluster.rkestate"
    save --require-state
    expect_status 2
    expect_stderr cluster.rkestate
    expect_no_archive n1
    save --output json
    expect_status 0
    expect_stderr "cluster.rkestate does not exist"
    json '[.nodes[].state_file] | unique | join(",")' false
    expect_archive n1 "$NAME" nostate
}

@test "a state file that cannot be used is an error before anything is touched" {
    one_node
    changed_config ''
    rm "$BATS_TEST_TMPDIR/cluster.rkestate"
    mkdir "$BATS_TEST_TMPDIR/cluster.rkestate"
    save
    expect_status 2
    expect_stderr "state file"
    : >"$BATS_TEST_TMPDIR/empty"
    save --state-file "$BATS_TEST_TMPDIR/empty"
    expect_status 2
    expect_stderr "is empty"
    save --state-file "$BATS_TEST_TMPDIR/none"
    expect_status 2
    expect_no_archive n1
}

@test "--state-file names another" {
    one_node
    echo '{"other":"state"}' >"$BATS_TEST_TMPDIR/other.json"
    save --state-file "$BATS_TEST_TMPDIR/other.json"
    expect_status 0
    expect_archive n1
    unzip -p "$BATS_TEST_TMPDIR/archive.zip" "/etc/kubernetes/$NAME.rkestate" | cmp - "$BATS_TEST_TMPDIR/other.json"
}

@test "the configuration can come by standard input" {
    one_node
    run --separate-stderr "$LAB" run "$SNAPCTL" save --config - --known-hosts "$LAB_DIR/known_hosts" --name "$NAME" \
        --state-file "$LAB_DIR/cluster.rkestate" <"$CONFIG"
    expect_status 0
    expect_archive n1
}

@test "a name that is taken anywhere stops the run with nothing touched" {
    on n2 sh -c "echo old >$BACKUP/$NAME.zip"
    save --output json
    expect_status 2
    json .status refused
    json .error.kind refused
    jq -e '.error.text | contains("10.77.0.12")' <<<"$output"
    jq -e '.error.hint | contains("--force")' <<<"$output"
    expect_no_archive n1
    [ "$(on n2 cat "$BACKUP/$NAME.zip")" = old ]
    on n2 rm "$BACKUP/$NAME.zip"
    expect_clean
}

@test "a plain snapshot of the name counts as taken too" {
    on n3 sh -c "echo plain >$BACKUP/$NAME"
    save
    expect_status 2
    expect_stderr "$BACKUP/$NAME"
    on n3 rm "$BACKUP/$NAME"
}

@test "--force replaces, and keeps the old one until the new one is good" {
    save
    expect_status 0
    old=$(on n1 sha256sum "$BACKUP/$NAME.zip")
    lab put n1 1 1k
    save --force
    expect_status 0
    expect_archive n1
    [ "$(on n1 sha256sum "$BACKUP/$NAME.zip")" != "$old" ]
    expect_clean

    old=$(on n1 sha256sum "$BACKUP/$NAME.zip")
    lab tool n1 fail=broken tries=1
    lab tool n2 corrupt=1
    save --force --output json
    lab tool n1
    lab tool n2
    expect_status 3
    json '[.nodes[].status] | join(",")' failed,failed,saved
    [ "$(on n1 sha256sum "$BACKUP/$NAME.zip")" = "$old" ]
    expect_archive n2
    expect_clean
}

@test "--force: an undo whose answer is lost is not done twice" {
    one_node
    save
    expect_status 0
    old=$(on n1 sha256sum "$BACKUP/$NAME.zip")
    lab tool n1 fail=broken tries=1
    shim n1 <<'EOF'
#!/bin/sh
/usr/bin/docker "$@" || exit
[ "$1 $2 $3" != 'rm -f -v' ] || ! rm /tmp/cut-once 2>/dev/null || pkill -9 -f '^sshd: root@notty'
EOF
    on n1 touch /tmp/cut-once
    save --force
    expect_status 1
    on n1 sh -c '[ ! -e /tmp/cut-once ]'
    [ "$(on n1 sha256sum "$BACKUP/$NAME.zip")" = "$old" ]
    expect_clean
}

@test "--force: what replaced the old one is not removed, also where nobody can tell that it counts" {
    one_node
    save
    expect_status 0
    old=$(on n1 sha256sum "$BACKUP/$NAME.zip")
    lab put n1 1 1k
    on n1 sh -c 'cat >/usr/local/bin/dd && chmod +x /usr/local/bin/dd' <<'EOF'
#!/bin/sh
case "$*" in *.sync*) exit 1 ;; esac
exec /usr/bin/dd "$@"
EOF
    save --force --output json
    on n1 rm /usr/local/bin/dd
    expect_status 1
    json '.nodes[0] | .status, .error.kind' $'unknown\ndocker'
    json '.nodes[0].error.hint | contains("snapctl list")' true
    expect_archive n1
    [ "$(on n1 sha256sum "$BACKUP/$NAME.zip")" != "$old" ]
    expect_clean
}

@test "in a folder that is not there yet" {
    one_node
    on n1 mv $BACKUP $BACKUP.away
    save
    expect_status 0
    expect_archive n1
    on n1 sh -c "mv $BACKUP/* $BACKUP.away/ && rmdir $BACKUP && mv $BACKUP.away $BACKUP"
}
