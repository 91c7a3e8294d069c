# SIGINT, SIGTERM and SIGKILL at any moment, and the next run.

setup() {
    load helpers
    common_setup
}

teardown() { mend; }

# Sends a signal once a condition holds, and expects the end within 10 s with nothing left.
interrupt() {
    local signal=$1 status_expected=$2 start
    shift 2
    eventually 40 "$@"
    start=$SECONDS
    kill "-$signal" "$job"
    finish
    [ $((SECONDS - start)) -le 10 ]
    expect_status "$status_expected"
    expect_clean
    for node in "${NODES[@]}"; do
        expect_no_archive "$node"
    done
}

phase_is() { grep -q "$1" "$ERR"; }

@test "SIGINT while connecting" {
    one_node
    for node in "${NODES[@]}"; do lab sshd-freeze $node; done
    save_in_background --output json
    sleep 1
    kill -INT "$job"
    finish
    for node in "${NODES[@]}"; do lab sshd-thaw $node; done
    expect_status 130
    json .status interrupted
    json .error.kind cancelled
}

@test "SIGINT while checking" {
    one_node
    for node in "${NODES[@]}"; do
        shim $node <<'EOF'
#!/bin/sh
[ "$1" != images ] || sleep 4
exec /usr/bin/docker "$@"
EOF
    done
    save_in_background
    interrupt INT 130 phase_is checking
}

@test "SIGTERM while creating the container" {
    for node in "${NODES[@]}"; do
        shim $node <<'EOF'
#!/bin/sh
[ "$1" != create ] || { touch /tmp/creating; sleep 2; }
exec /usr/bin/docker "$@"
EOF
    done
    save_in_background
    interrupt TERM 143 on n1 test -e /tmp/creating
    for node in "${NODES[@]}"; do on $node rm -f /tmp/creating; done
}

@test "SIGINT while placing the state file" {
    one_node
    for node in "${NODES[@]}"; do
        shim $node <<'EOF'
#!/bin/sh
[ "$1" != cp ] || { /usr/bin/docker "$@"; touch /tmp/placing; sleep 2; exit 0; }
exec /usr/bin/docker "$@"
EOF
    done
    save_in_background
    interrupt INT 130 on n1 test -e /tmp/placing
    for node in "${NODES[@]}"; do on $node rm -f /tmp/placing; done
}

@test "SIGINT while the snapshot is taken" {
    for node in "${NODES[@]}"; do lab tool $node delay=20; done
    save_in_background
    interrupt INT 130 container_runs n1
}

@test "SIGTERM after the archive is made, before the container ends" {
    one_node
    for node in "${NODES[@]}"; do lab tool $node late=20; done
    save_in_background
    interrupt TERM 143 on n1 test -e "$BACKUP/$NAME.zip"
}

@test "SIGINT while the archive is read back, as root and through a container" {
    lab put n1 4 500k >/dev/null
    for config in cluster.yml cluster-rancher.yml; do
        CONFIG=$LAB_DIR/$config
        one_node
        for node in "${NODES[@]}"; do lab slow $node 1 4; done
        save_in_background --debug
        interrupt INT 130 phase_is "reading back"
        for node in "${NODES[@]}"; do lab slow $node 0; done
    done
}

@test "SIGINT with --force puts the old archive back" {
    one_node
    save
    expect_status 0
    old=$(on n1 sha256sum "$BACKUP/$NAME.zip")
    for node in "${NODES[@]}"; do lab tool $node late=20; done
    save_in_background --force
    eventually 40 on n1 sh -c "ls $BACKUP/.$NAME.zip.*.before-force"
    eventually 40 on n1 test -e "$BACKUP/$NAME.zip"
    kill -INT "$job"
    finish
    expect_status 130
    expect_clean
    [ "$(on n1 sha256sum "$BACKUP/$NAME.zip")" = "$old" ]
}

@test "a second signal leaves at once and names what may be left" {
    one_node
    for node in "${NODES[@]}"; do lab tool $node delay=30; done
    save_in_background
    eventually 40 container_runs n1
    lab cut n1
    kill -INT "$job"
    sleep 2
    kill -INT "$job"
    start=$SECONDS
    finish
    lab heal n1
    [ $((SECONDS - start)) -le 1 ]
    expect_status 130
    expect_stderr "10.77.0.11: container etcd-snapshot-once"
    expect_stderr "$NAME.rkestate"
    # The next run respects what still runs there; then it is gone.
    on n1 docker kill etcd-snapshot-once
    lab tool n1
    NAME=$NAME-next
    save
    expect_status 0
    expect_clean
}

@test "nobody reads standard error: the run goes on, and SIGTERM leaves nothing" {
    one_node
    lab tool n1 delay=20
    mkfifo "$BATS_TEST_TMPDIR/err"
    exec 7<>"$BATS_TEST_TMPDIR/err" # a reader that reads nothing
    timeout 5 dd if=/dev/zero of="$BATS_TEST_TMPDIR/err" bs=4096 oflag=nonblock 2>/dev/null || [ $? -eq 1 ]
    save_in_background --debug --output json
    eventually 10 container_runs n1
    kill -TERM "$job"
    eventually 10 expect_ended
    ERR=/dev/null finish
    expect_status 143
    json .status interrupted
    expect_clean
    expect_no_archive n1
}

expect_ended() { ! kill -0 "$job" 2>/dev/null; }

@test "SIGKILL while the snapshot is taken: the next run waits for its end, then cleans up" {
    for node in "${NODES[@]}"; do lab tool $node delay=5; done
    save_in_background
    eventually 40 all_containers_run
    kill -KILL "$job"
    wait "$job" || :
    for node in "${NODES[@]}"; do lab tool $node; done
    killed=$NAME
    NAME=$NAME-next
    save --output json
    expect_status 1
    json '[.nodes[].error.kind] | unique | join(",")' busy
    for node in "${NODES[@]}"; do
        on $node docker wait etcd-snapshot-once
    done
    save
    expect_status 0
    expect_clean
    # What the killed run's containers made is whole, so it stays.
    expect_archive n1 "$killed"
}

@test "SIGKILL, and the killed run's snapshot fails: its files go too" {
    one_node
    for node in "${NODES[@]}"; do lab tool $node delay=2 fail=broken tries=1; done
    save_in_background
    eventually 40 container_runs n1
    kill -KILL "$job"
    wait "$job" || :
    for node in "${NODES[@]}"; do
        on $node docker wait etcd-snapshot-once
        lab tool $node
    done
    killed=$NAME
    NAME=$NAME-next
    save
    expect_status 0
    expect_clean
    expect_no_archive n1 "$killed"
}

@test "SIGKILL with --force: the next run puts the old archive back" {
    one_node
    save
    expect_status 0
    old=$(on n1 sha256sum "$BACKUP/$NAME.zip")
    for node in "${NODES[@]}"; do lab tool $node delay=2; done
    save_in_background --force
    eventually 40 container_runs n1
    kill -KILL "$job"
    wait "$job" || :
    for node in "${NODES[@]}"; do
        on $node docker wait etcd-snapshot-once
        lab tool $node
    done
    killed=$NAME
    NAME=$NAME-next
    save
    expect_status 0
    expect_clean
    [ "$(on n1 sha256sum "$BACKUP/$killed.zip")" = "$old" ]
}

@test "SIGTERM while a node is asked, etcd is examined, and a copy is read: list, check and verify" {
    one_node
    lab put n1 4 500k >/dev/null
    save
    expect_status 0
    # It stops at the word that the file names.
    shim n1 <<'EOF'
#!/bin/sh
[ "$1" != "$(cat /tmp/stop-at)" ] || { touch /tmp/stopped; sleep 12; }
exec /usr/bin/docker "$@"
EOF
    local all=$CONFIG
    for row in "info list" "exec check" "nowhere verify $NAME"; do
        read -r -a words <<<"$row"
        on n1 sh -c "rm -f /tmp/stopped; echo ${words[0]} >/tmp/stop-at"
        reached=(on n1 test -e /tmp/stopped)
        if [ "${words[0]}" = nowhere ]; then
            lab slow n1 1 4
            reached=(phase_is "reading back")
        fi
        # Root lists without Docker.
        CONFIG=$all
        [ "${words[1]}" != list ] || { CONFIG=$LAB_DIR/cluster-rancher.yml && one_node; }
        in_background "${words[@]:1}" --output json
        eventually 40 "${reached[@]}"
        start=$SECONDS
        kill -TERM "$job"
        finish
        [ $((SECONDS - start)) -le 10 ]
        expect_status 143
        json '.status + " " + .error.kind' 'interrupted cancelled'
    done
    on n1 rm -f /tmp/stopped /tmp/stop-at
    expect_archive n1
    eventually 10 expect_clean n1
}

@test "two runs at once: no node ends with half of both" {
    for node in "${NODES[@]}"; do lab tool $node delay=1; done
    for round in 1 2; do
        name=$NAME-$round
        pids=()
        for run in a b; do
            "$LAB" run "$SNAPCTL" save --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" --name "$name" \
                --output json >"$BATS_TEST_TMPDIR/$run.json" 2>/dev/null 3>&- &
            pids+=($!)
        done
        for pid in "${pids[@]}"; do
            wait "$pid" || :
        done
        # Whoever says saved is right, and never do both say it of one node.
        saved=$(jq -r '.nodes[] | select(.status == "saved") | .address + " " + .sha256' "$BATS_TEST_TMPDIR"/[ab].json)
        [ "$(cut -d' ' -f1 <<<"$saved" | sort | uniq -d)" = "" ]
        while read -r address sha256; do
            [ -n "$address" ] || continue
            node=n${address##*.1}
            [ "$(on "$node" sha256sum "$BACKUP/$name.zip" | cut -d' ' -f1)" = "$sha256" ]
        done <<<"$saved"
        output=$saved
        expect_clean
    done
}
