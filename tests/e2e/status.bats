# Every row of the exit status table.

setup() {
    load helpers
    common_setup
}

teardown() { mend; }

# only NODE...: these are up, the rest refuse connections.
only() {
    for node in "${NODES[@]}"; do
        [[ " $* " == *" $node "* ]] || lab sshd-stop $node
    done
}

@test "all of three saved: 0 whatever is required" {
    for require in all quorum any; do
        save --require $require --dry-run
        expect_status 0
    done
}

@test "two of three: 3 for all, 0 with a warning for quorum and any" {
    only n1 n2
    save --require all --dry-run --output json
    expect_status 3
    json .status partial
    save --require any --dry-run
    expect_status 0
    save --require quorum
    expect_status 0
    expect_stderr "not all etcd nodes were saved"
    expect_output "saved on 2 of 3 etcd hosts"
    [[ "$output" != *"Finished saving"* ]]
}

@test "one of three: 3 for all and quorum, 0 for any" {
    only n3
    for require in all quorum; do
        save --require $require --dry-run
        expect_status 3
    done
    save --require any --name "$NAME-any"
    expect_status 0
}

@test "none of three: 1 whatever is required" {
    only
    for require in all quorum any; do
        save --require $require --output json
        expect_status 1
        json .status failed
    done
    save
    expect_status 1
    [[ "$output$stderr" == *"[etcd] Failed to take snapshot on all etcd hosts: "* ]]
}

@test "usage and configuration: 2, one JSON document all the same" {
    snapctl save --no-such-flag --output json
    expect_status 2
    json .status refused
    json .error.kind usage
    json '.nodes | length' 0
    snapctl save --config "$BATS_TEST_TMPDIR/none.yml" --output json
    expect_status 2
    json .error.kind config
    snapctl save --config "$CONFIG" --s3 --bucket-name b
    expect_status 2
    snapctl nonsense
    expect_status 2
}
