# Others at work on the same node: no run takes away, or believes in, what another one made.

setup() {
    load helpers
    common_setup
}

teardown() { mend; }

reading_back() { grep -q '10.77.0.11: reading back' "$ERR"; }

# A save whose reading back of n1 takes some seconds.
save_slowly() {
    lab put n1 4 500k >/dev/null
    lab slow n1 1 4
    save_in_background --output json "$@"
    eventually 40 reading_back
}

# Whether the second run still finds the first one at work depends on what is under way in the buffers of the network.
# Either way, what is called saved is what stands there.
@test "another run while an archive is read back: nobody is told what is not so, with --force too" {
    one_node
    save
    expect_status 0
    for option in --no-s3 --force; do
        [ $option = --force ] || NAME=$NAME-first
        save_slowly $option
        first=$NAME
        snapctl save --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" --name "$NAME-second$option" --output json
        jq -e '[.nodes[] | select(.status == "failed" and .error.kind != "busy")] == []' <<<"$output" || { show && return 1; }
        finish
        lab slow n1 0
        while read -r address sha256; do
            node=n${address##*.1}
            [ "$(on "$node" sha256sum "$BACKUP/$first.zip" | cut -d' ' -f1)" = "$sha256" ]
        done < <(jq -r '.nodes[] | select(.status == "saved") | .address + " " + .sha256' <<<"$output")
        expect_clean
    done
}

@test "an archive that is replaced while it is read back is not called saved" {
    one_node
    save_slowly
    on n1 sh -c "cp $BACKUP/$NAME.zip $BACKUP/other && mv $BACKUP/other $BACKUP/$NAME.zip"
    finish
    expect_only_n1_failed corrupt "another file came"
    on n1 test -e "$BACKUP/$NAME.zip"
    expect_clean

    # Neither what came nor what was to be replaced is lost.
    old=$(on n1 stat -c %i "$BACKUP/$NAME.zip")
    save_slowly --force
    on n1 sh -c "cp $BACKUP/$NAME.zip $BACKUP/other && mv $BACKUP/other $BACKUP/$NAME.zip"
    other=$(on n1 stat -c %i "$BACKUP/$NAME.zip")
    finish
    expect_only_n1_failed corrupt "another file came"
    expect_stderr "before-force, as another file is in its place"
    [ "$(on n1 sh -c "stat -c %i $BACKUP/$NAME.zip $BACKUP/.$NAME.zip.*.before-force" | paste -sd ' ')" = "$other $old" ]
}

@test "a container that is removed by force leaves no state file and no archive" {
    one_node
    lab tool n1 delay=5
    save_in_background --output json
    eventually 40 container_runs n1
    on n1 docker rm -f etcd-snapshot-once
    finish
    expect_only_n1_failed snapshot "was removed while it ran"
    expect_no_archive n1
    expect_clean
}

@test "a container that Docker creates slowly is gone too after SIGTERM" {
    one_node
    shim n1 <<'EOF'
#!/bin/sh
[ "$1" != create ] || { touch /tmp/creating; sleep 5; }
exec /usr/bin/docker "$@"
EOF
    save_in_background
    eventually 40 on n1 test -e /tmp/creating
    kill -TERM "$job"
    finish
    on n1 rm -f /tmp/creating
    expect_status 143
    eventually 10 expect_clean
}

@test "what a dead run left is removed by the one that gets the lock, and by no other" {
    for node in "${NODES[@]}"; do lab tool $node delay=30; done
    save_in_background
    eventually 40 container_runs n2
    kill -KILL "$job"
    wait "$job" || :
    for node in "${NODES[@]}"; do
        lab tool $node
        on $node docker kill etcd-snapshot-once
        eventually 40 on $node sh -c '! ps -ef | grep -q "[w]orker="'
    done
    # The late run has seen the dead one on n2, and gets there after the quick one saved under the dead one's name.
    dead=$NAME
    lab tool n1 delay=6
    NAME=$dead-late
    save_in_background --parallel 1 --output json
    late=$job late_out=$OUT
    eventually 40 container_runs n1
    NAME=$dead
    save --require any --output json
    expect_status 0
    json '.nodes[1].status' saved
    wait "$late" || :
    lab tool n1
    on n2 test -e "$BACKUP/$dead.zip"
    json '.nodes[1].sha256' "$(on n2 sha256sum "$BACKUP/$dead.zip" | cut -d' ' -f1)"
    output=$(<"$late_out")
    expect_clean
}

@test "a name that would be another snapshot's archive is refused" {
    one_node
    save
    expect_status 0
    save --name "$NAME.zip.zip" --force
    expect_status 2
    expect_archive n1
}

@test "an image that would be an option is refused" {
    one_node
    save --image=--privileged
    expect_status 2
    expect_stderr "cannot be the name of an image"
}
