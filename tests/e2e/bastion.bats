# Nodes that only a bastion reaches.

setup() {
    load helpers
    common_setup
}

teardown() { mend; }

@test "all nodes are saved through the bastion" {
    save --output json
    expect_status 0
    json '[.nodes[].verified] | unique | join(",")' true
    json '.nodes[0].address' 10.78.0.11
    expect_archive n1
    expect_archive n3
    expect_clean
}

@test "the bastion's host key is checked too" {
    one_node
    grep -v '^10\.77\.0\.2[ ,]' "$LAB_DIR/known_hosts" >"$BATS_TEST_TMPDIR/hosts"
    snapctl save --config "$CONFIG" --known-hosts "$BATS_TEST_TMPDIR/hosts" --name "$NAME" --output json
    expect_status 1
    json '[.nodes[].error.kind] | unique | join(",")' host-key
    jq -e '.nodes[0].error.text | contains("10.77.0.2")' <<<"$output"
    snapctl save --config "$CONFIG" --known-hosts "$BATS_TEST_TMPDIR/hosts" --name "$NAME" --host-key-checking accept-new --dry-run
    expect_status 0
    grep -q '^10\.77\.0\.2 ' "$BATS_TEST_TMPDIR/hosts"
}

@test "a bastion that is down, and one that refuses us" {
    lab sshd-stop bastion
    save --output json
    expect_status 1
    jq -e '.nodes[0].error.text | contains("bastion")' <<<"$output" || { show && return 1; }
    lab sshd-start bastion
    changed_config "s|$LAB_DIR/id_bastion|$LAB_DIR/id_stranger|"
    save --output json
    expect_status 1
    json '[.nodes[].error.kind] | unique | join(",")' auth
    jq -e '.nodes[0].error.text | contains("jump@10.77.0.2")' <<<"$output" || { show && return 1; }
}

@test "one node behind the bastion is off: the others are saved" {
    lab stop n2
    save --output json
    lab start n2
    expect_status 3
    json '[.nodes[].status] | join(",")' saved,failed,saved
}

@test "the bastion is lost during the snapshot and comes back" {
    one_node
    lab tool n1 delay=5
    save_in_background --output json
    eventually 40 container_runs n1
    lab sshd-kill-sessions bastion
    finish
    lab tool n1
    expect_status 0
    expect_clean
}
