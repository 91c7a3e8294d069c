# The command line as scripts written for RKE use it.

setup() {
    load helpers
    common_setup
    one_node
    HOSTS=$LAB_DIR/known_hosts
}

@test "every spelling of RKE's command" {
    cd "${CONFIG%/*}"
    local -a spellings=(
        "etcd snapshot-save --config cluster.yml --name @"
        "etcd snapshot-save -config cluster.yml -name @"
        "etcd snapshot-save --config=cluster.yml --name=@"
        "--debug etcd snapshot-save --config cluster.yml --name @"
        "-d etcd snapshot-save --config cluster.yml --name @"
        "--quiet etcd snapshot-save --config cluster.yml --name @"
        "-q etcd snapshot-save --name @"
        "--trace etcd snapshot-save --name @"
        "etcd snapshot-save --debug --name @"
        "etcd snapshot-save --name @ --s3=false"
        "etcd snapshot-save --name @ --ignore-docker-version --ssh-agent-auth=false"
        "etcd snapshot-save --name @ --ignore-docker-version=true"
        "save -name=@ -config=cluster.yml"
    )
    # shellcheck disable=SC2086 # words on purpose
    for number in "${!spellings[@]}"; do
        snapctl ${spellings[number]/@/$NAME-$number} --known-hosts "$HOSTS" --dry-run
        expect_status 0
        expect_output "1 of 1 etcd hosts are ready for snapshot [$NAME-$number]"
    done
    snapctl ${spellings[0]/@/$NAME} --known-hosts "$HOSTS"
    expect_status 0
    expect_archive n1
}

@test "RKE_CONFIG names the file" {
    RKE_CONFIG=$CONFIG snapctl save --known-hosts "$HOSTS" --name "$NAME" --dry-run
    expect_status 0
    expect_output "1 of 1 etcd hosts are ready for snapshot [$NAME]"
}

@test "--quiet prints nothing but results and errors" {
    save --quiet
    expect_status 0
    [ -z "$stderr" ]
}

@test "a full standard output is an error, not a lost result" {
    run "$LAB" run sh -c "'$SNAPCTL' save --config '$CONFIG' --known-hosts '$HOSTS' --name '$NAME' --output json >/dev/full"
    [ "$status" -ne 0 ]
    [[ "$output" == *"standard output"* ]]
}

@test "a bad cluster.yml: file and line, status 2, nothing dialled" {
    changed_config 's/role: \[controlplane, worker, etcd\]/role: [controlplane]/'
    save
    expect_status 2
    expect_stderr "$CONFIG:"
    changed_config '3i s3_backup_config: {}'
    save --dry-run
    expect_stderr s3backupconfig
}
