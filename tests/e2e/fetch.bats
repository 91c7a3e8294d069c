# A snapshot brought here: complete and good, or not there. Runs on a lab with S3.

load helpers.bash
load s3.bash

setup() {
    s3_setup
    DIR=$BATS_TEST_TMPDIR/here
    mkdir "$DIR"
    cd "$DIR" || return
    # Bytes that take a link of 8 Mbit/s some seconds.
    LONG=8000000
}

teardown() {
    cd /
    mend
}

fetch() { snapctl fetch --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "$@"; }

# The same in the background: $job, $OUT, $ERR as of save_in_background.
fetch_in_background() { in_background fetch "$@"; }

# Nothing is in the folder but what is named, hidden or not.
expect_here() {
    local is
    is=$(find "$DIR" -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ')
    [ "${is% }" = "$*" ] || { echo "in the folder: $is, expected: $*" && show && return 1; }
}

# expect_same FILE NAME: it is the archive that place made, for its owner alone.
expect_same() {
    cmp "$1" "$BATS_TEST_TMPDIR/$2.zip"
    [ "$(stat -c %a "$1")" = 600 ]
}

told() { grep -q "$1" "$ERR"; }

@test "from a node: into a file, a folder, or standard output, and never over another file" {
    place "$NAME" 400000 n1 n2 n3
    fetch "$NAME"
    expect_status 0
    expect_output "fetched [$NAME] from node 10.77.0.1"
    expect_output "to $NAME.zip (400"
    expect_same "$NAME.zip" "$NAME"

    before=$(stat -c '%i %y' "$NAME.zip")
    fetch "$NAME" --output json
    expect_status 2
    json '.status + " " + .error.kind' 'refused refused'
    expect_stderr "$NAME.zip exists (400"
    expect_stderr '--force'
    [ "$(stat -c '%i %y' "$NAME.zip")" = "$before" ]

    chmod 644 "$NAME.zip"
    fetch "$NAME.zip" --force --from 10.77.0.12 --output json
    expect_status 0
    json '[.copies[] | .address + " " + .status] | join(",")' '10.77.0.12 good'
    json '.files | map(.kind + " " + .path + " " + (.bytes | tostring)) | join(",")' "zip $NAME.zip 400000"
    json '.copies[0].sha256' "$(sha256sum <"$NAME.zip" | cut -d' ' -f1)"
    expect_same "$NAME.zip" "$NAME"
    expect_here "$NAME.zip"
    rm "$NAME.zip"

    mkdir sub
    fetch "$NAME" -o sub --from node
    expect_status 0
    expect_same "sub/$NAME.zip" "$NAME"
    fetch "$NAME" --to=sub/other
    expect_status 0
    expect_same sub/other "$NAME"

    status=0
    "$LAB" run "$SNAPCTL" fetch --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "$NAME" -o - -q --output json \
        >sub/piped 2>"$BATS_TEST_TMPDIR/err" || status=$?
    output=$(<"$BATS_TEST_TMPDIR/err") # the document
    expect_status 0
    json '.files[0].path' null
    cmp sub/piped "$BATS_TEST_TMPDIR/$NAME.zip"
    expect_here sub sub/other sub/piped "sub/$NAME.zip"
    expect_clean
}

@test "--extract leaves what etcdctl restores, and the state file; a plain snapshot is one already" {
    place "$NAME" 400000 n1
    fetch "$NAME" --extract --output json
    expect_status 0
    json '[.files[].path] | join(" ")' "$NAME $NAME.rkestate"
    expect_here "$NAME" "$NAME.rkestate"
    [ "$(stat -c %a "$NAME" "$NAME.rkestate" | sort -u)" = 600 ]
    unzip -p "$BATS_TEST_TMPDIR/$NAME.zip" "/etc/kubernetes/$NAME.rkestate" | cmp - "$NAME.rkestate"
    cmp "$NAME" "$SMALL_DATABASE"
    theirs=$(etcdctl snapshot status -w json "$NAME" | jq -c '[.hash, .revision, .totalKey, .totalSize]')
    json '.copies[0].etcd | [.hash, .revision, .total_keys, .total_bytes] | tostring' "$theirs"
    etcdctl snapshot restore "$NAME" --data-dir "$BATS_TEST_TMPDIR/restored" 2>/dev/null
    [ -s "$BATS_TEST_TMPDIR/restored/member/snap/db" ]
    fetch "$NAME" --extract -o .
    expect_status 2
    rm "$NAME" # both or none: the state file is still there
    fetch "$NAME" --extract
    expect_status 2
    expect_here "$NAME.rkestate"
    rm "$NAME.rkestate"
    fetch "$NAME" --extract -o -
    expect_status 2

    # As RKE before v0.2.0 left them. An archive goes first, though it is damaged.
    flip n1 "$NAME.zip" 20000
    on n2 sh -c "umask 077; cat >$BACKUP/$NAME" <"$SMALL_DATABASE"
    fetch "$NAME" --output json
    expect_status 0
    json '[.copies[] | .address + " " + (.format | tostring) + " " + .status] | sort | join(", ")' \
        '10.77.0.11 zip damaged, 10.77.0.12 plain good, 10.77.0.13 null missing'
    expect_stderr "$NAME is damaged"
    cmp "$NAME" "$SMALL_DATABASE"
    expect_here "$NAME"
}

@test "once a good copy is here, nobody waits for a node that does not answer" {
    place "$NAME" 400000 n1
    lab sshd-freeze n3
    fetch "$NAME" --output json
    expect_status 0
    json '[.copies[] | select(.status != "missing") | .address + " " + .status] | join(",")' '10.77.0.11 good'
    refute_anywhere error:
    expect_stderr 'node 10.77.0.13: not needed'
    expect_same "$NAME.zip" "$NAME"
}

@test "from S3, where no node has a good one; what is nowhere is refused" {
    place "$NAME" 400000 n1 n2 n3
    upload "$NAME"
    expect_status 0
    fetch "$NAME" "${STORE[@]:1}" "${KEYS[@]}" --from s3 --output json
    expect_status 0
    json '[.copies[] | .place + " " + .key + " " + .status] | join(",")' "s3 $NAME.zip good"
    expect_same "$NAME.zip" "$NAME"
    fetch "$NAME" "${STORE[@]:1}" "${KEYS[@]}" --from s3 --s3-via node --extract -o other
    expect_status 0
    cmp other "$SMALL_DATABASE"
    rm "$NAME.zip" other*

    for node in n1 n2 n3; do flip "$node" "$NAME.zip" 20000; done
    fetch "$NAME"
    expect_status 1
    expect_output "[$NAME] was not fetched"
    expect_here
    lab sshd-stop n2
    fetch "$NAME" "${STORE[@]:1}" "${KEYS[@]}" --output json
    expect_status 0
    json '[.copies[] | .place + " " + .status] | join(",")' 'node damaged,node failed,node damaged,s3 good'
    expect_same "$NAME.zip" "$NAME"
    lab sshd-start n2
    rm "$NAME.zip"

    # What has left cannot be taken back: the damage is far behind the first bytes.
    for node in n1 n2 n3; do
        place "$NAME" 400000 "$node"
        flip "$node" "$NAME.zip" 390000
    done
    status=0
    "$LAB" run "$SNAPCTL" fetch --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "${STORE[@]:1}" "${KEYS[@]}" \
        "$NAME" -o - >"$BATS_TEST_TMPDIR/piped" 2>"$BATS_TEST_TMPDIR/err" || status=$?
    stderr=$(<"$BATS_TEST_TMPDIR/err")
    expect_status 1
    expect_stderr 'what was written to standard output is not whole and good'

    fetch nothing-of-that-name "${STORE[@]:1}" "${KEYS[@]}"
    expect_status 2
    expect_stderr 'there is no snapshot nothing-of-that-name'
    fetch "$NAME" --from s3
    expect_status 2
    fetch "$NAME" --from 10.77.0.99
    expect_status 2
    expect_stderr '10.77.0.11, 10.77.0.12, 10.77.0.13'
    fetch "$NAME" -o /nowhere/at/all
    expect_status 2
    expect_stderr 'mkdir -p -m 700 /nowhere/at/'
    fetch "$NAME" --from node "${STORE[@]}"
    expect_status 2
    expect_stderr '--from node and --s3 contradict each other'
    fetch
    expect_status 2
    fetch "$NAME" --from s3 "${STORE[@]:1}" --access-key "$S3_ACCESS_KEY" --secret-key wrong
    expect_status 1
    refute_anywhere wrong
    expect_here
    expect_clean
}

@test "where Docker does not work root reads all the same, and who is not root is told" {
    place "$NAME" 400000 n1
    for config in cluster.yml cluster-rancher.yml; do
        sed '/^ *user: /{p;s/user: .*/docker_socket: \/run\/no-such.sock/}' "$LAB_DIR/$config" >"$BATS_TEST_TMPDIR/$config"
    done
    # What the file names beside it is there.
    for file in "$LAB_DIR"/id_*; do ln -s "$file" "$BATS_TEST_TMPDIR/"; done
    CONFIG=$BATS_TEST_TMPDIR/cluster-rancher.yml
    fetch "$NAME"
    expect_status 1
    expect_stderr 'Docker cannot be used'
    expect_here
    CONFIG=$BATS_TEST_TMPDIR/cluster.yml
    fetch "$NAME" --debug
    expect_status 0
    expect_stderr 'Docker is not asked'
    expect_same "$NAME.zip" "$NAME"
    snapctl list --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" --local --output json
    expect_status 0
    json '[.snapshots[] | .name] | index("'"$NAME"'") != null' true
    snapctl verify "$NAME" --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" --local
    expect_status 0
    upload "$NAME"
    expect_status 0
    expect_object "$NAME.zip" n1
    snapctl delete "$NAME" --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" --local --yes
    expect_status 1
    expect_stderr 'Docker cannot be used'
}

@test "a connection that breaks goes on where it was, unless there is another file" {
    one_node
    place "$NAME" "$LONG" n1
    lab slow n1 1 16
    fetch_in_background "$NAME"
    eventually 60 told 'reading back'
    sleep 1
    lab sshd-kill-sessions n1
    eventually 20 told "reading $NAME on at byte [1-9]"
    sleep 1
    lab sshd-kill-sessions n1
    finish
    expect_status 0
    [ "$(grep -c "reading $NAME on at byte [1-9]" "$ERR")" = 2 ]
    expect_same "$NAME.zip" "$NAME"
    rm "$NAME.zip"

    fetch_in_background "$NAME"
    eventually 60 told 'reading back'
    sleep 1
    on n1 sh -c "cd $BACKUP && cp $NAME.zip .new && mv .new $NAME.zip"
    lab sshd-kill-sessions n1
    finish
    expect_status 1
    expect_stderr "another file came into the place of $NAME"
    expect_here
    lab slow n1 0

    # A node whose user is not root reads through a container.
    CONFIG=$LAB_DIR/cluster-rancher.yml
    one_node
    lab slow n1 1 16
    fetch_in_background "$NAME" --from 10.77.0.11
    eventually 60 told 'reading back'
    sleep 2
    lab sshd-kill-sessions n1
    finish
    expect_status 0
    expect_stderr "reading $NAME on at byte"
    expect_same "$NAME.zip" "$NAME"
    lab slow n1 0

    expect_clean
    rm "$NAME.zip"

    # An object of five pieces.
    place "$NAME" 17000000 n1
    upload "$NAME"
    expect_status 0
    STORE=(--s3-endpoint "$S3_FAULT_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET")
    lab s3-fault slow 4000
    fetch_in_background "$NAME" "${STORE[@]}" "${KEYS[@]}" --from s3
    sleep 3
    lab s3-fault down
    eventually 20 told 'again in'
    lab s3-fault off
    finish
    expect_status 0
    expect_same "$NAME.zip" "$NAME"
    pieces=$(requests "^GET [^ ]*$NAME.zip [^ ]+ 206")
    [ "$pieces" -ge 1 ] && [ "$pieces" -lt 5 ]
    expect_here "$NAME.zip"
    rm "$NAME.zip"

    # The same through a node, whose connection breaks.
    lab s3-fault slow 4000
    fetch_in_background "$NAME" "${STORE[@]}" "${KEYS[@]}" --from s3 --s3-via node
    eventually 10 told 'S3 is reached through node'
    sleep 2
    lab sshd-kill-sessions n1
    finish
    expect_status 0
    [ "$(grep -c 'S3 is reached through node' "$ERR")" = 2 ]
    expect_same "$NAME.zip" "$NAME"
}

@test "killed at any moment it leaves nothing" {
    one_node
    place "$NAME" "$LONG" n1
    lab slow n1 1 16
    for moment in 0.2 0.8 1.4 2 3 4; do
        fetch_in_background "$NAME" --extract
        sleep "$moment"
        kill -KILL "$job"
        finish
        expect_status 137
        expect_here
    done
    fetch_in_background "$NAME"
    eventually 60 told 'reading back'
    sleep 1
    kill -INT "$job"
    finish
    expect_status 130
    expect_output "Interrupted: [$NAME] was not fetched"
    expect_here
    fetch_in_background "$NAME"
    finish
    expect_status 0
    expect_same "$NAME.zip" "$NAME"
    eventually 10 expect_clean
}
