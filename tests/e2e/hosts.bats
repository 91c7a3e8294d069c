# Host keys: the state file holds the cluster's private keys, so whoever answers must be known.

setup() {
    load helpers
    common_setup
    HOSTS=$BATS_TEST_TMPDIR/known_hosts
}

save_with() { snapctl save --config "$CONFIG" --known-hosts "$HOSTS" --name "$NAME" "$@"; }

@test "unknown hosts are refused where nobody can be asked, with the remedy to copy" {
    : >"$HOSTS"
    save_with --output json </dev/null
    expect_status 1
    json '[.nodes[].error.kind] | unique | join(",")' host-key
    jq -e '.nodes[0].error.hint | contains("ssh-keyscan") or contains("accept-new")' <<<"$output"
    expect_no_archive n1
    [ ! -s "$HOSTS" ]
}

@test "accept-new learns them, and strict then accepts" {
    save_with --host-key-checking accept-new --dry-run
    expect_status 0
    [ "$(grep -c '^10\.77\.0\.1' "$HOSTS")" -eq 3 ]
    [ "$(stat -c %a "$HOSTS")" = 600 ]
    save_with --host-key-checking strict --dry-run
    expect_status 0
}

@test "strict refuses unknown hosts, also by the environment" {
    : >"$HOSTS"
    SNAPCTL_HOST_KEY_CHECKING=strict save_with --output json
    expect_status 1
    json '[.nodes[].error.kind] | unique | join(",")' host-key
}

@test "off takes unknown hosts, with a warning" {
    one_node
    : >"$HOSTS"
    save_with --host-key-checking off --dry-run
    expect_status 0
    expect_stderr "host keys are not checked"
    [ ! -s "$HOSTS" ]
}

@test "a changed key is fatal in every mode" {
    one_node
    ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/other"
    ssh-keygen -q -t ecdsa -N '' -f "$BATS_TEST_TMPDIR/other2"
    ssh-keygen -q -t rsa -N '' -f "$BATS_TEST_TMPDIR/other3"
    grep -v '^10\.77\.0\.11[ ,]' "$LAB_DIR/known_hosts" >"$HOSTS"
    for key in other other2 other3; do
        echo "10.77.0.11 $(cut -d' ' -f1,2 "$BATS_TEST_TMPDIR/$key.pub")" >>"$HOSTS"
    done
    for mode in ask accept-new strict off; do
        save_with --host-key-checking $mode --output json --name "$NAME-$mode"
        expect_status 1
        json '.nodes[0].error.kind' host-key
        jq -e '.nodes[0].error.text | test("changed"; "i")' <<<"$output" || { show && return 1; }
        expect_no_archive n1 "$NAME-$mode"
    done
}

@test "a revoked key is fatal, though a plain line has it too" {
    one_node
    { cat "$LAB_DIR/known_hosts"; grep '^10\.77\.0\.11[ ,]' "$LAB_DIR/known_hosts" | sed 's/^/@revoked /'; } >"$HOSTS"
    for mode in accept-new off; do
        save_with --host-key-checking $mode --output json --name "$NAME-$mode"
        expect_status 1
        json '.nodes[0].error.kind' host-key
        jq -e '.nodes[0].error.text | test("revoked"; "i")' <<<"$output" || { show && return 1; }
    done
}

@test "a host that is known by another key type only is no new host" {
    one_node
    { grep -v '^10\.77\.0\.11[ ,]' "$LAB_DIR/known_hosts"; echo "10.77.0.11 ssh-dss AAAAB3NzaC1kc3MAAAAA"; } >"$HOSTS"
    save_with --host-key-checking accept-new --output json
    expect_status 1
    json '.nodes[0].error.kind' host-key
}

@test "hashed names and another key type first" {
    grep -E 'rsa' "$LAB_DIR/known_hosts" >"$HOSTS"
    ssh-keygen -q -H -f "$HOSTS"
    save_with --host-key-checking strict --dry-run
    expect_status 0
}

@test "on a terminal all unknown hosts are shown and asked for once" {
    : >"$HOSTS"
    run -0 expect -c "
        set timeout 30
        spawn $LAB run $SNAPCTL save --config $CONFIG --known-hosts $HOSTS --name $NAME --dry-run
        expect {
            -re {10\.77\.0\.11.*SHA256:.*10\.77\.0\.13.*SHA256:.*yes} { send \"yes\r\" }
            timeout { exit 90 }
        }
        expect eof
        lassign [wait] pid spawn os code
        exit \$code"
    [ "$(wc -l <"$HOSTS")" -eq 3 ]
    [[ "$output" == *"3 of 3 etcd hosts are ready"* ]]

    : >"$HOSTS"
    NAME=$NAME-no
    run -1 expect -c "
        set timeout 30
        spawn $LAB run $SNAPCTL save --config $CONFIG --known-hosts $HOSTS --name $NAME
        expect -re {yes}
        send \"no\r\"
        expect eof
        lassign [wait] pid spawn os code
        exit \$code"
    [ ! -s "$HOSTS" ]
    stderr=
    expect_no_archive n1
}
