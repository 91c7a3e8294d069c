# No secret in any output, in ps here or on a node, in docker inspect, in a container's log, or in a core dump.

setup() {
    load helpers
    common_setup
    one_node
}

teardown() { mend; }

@test "at --trace, during a whole run, with every secret that a file can hold" {
    changed_config '$a\
private_registries:\
  - url: 127.0.0.1:9\
    user: puller\
    password: registry-password-1'
    marker=$(grep -o 'LAB-STATE-SECRET-[A-Za-z0-9]*' "$LAB_DIR/cluster.rkestate" | head -n 1)
    key_line=$(sed -n 3p "$LAB_DIR/id_ed25519")
    [ -n "$marker" ]
    [ -n "$key_line" ]
    lab tool n1 delay=2
    save_in_background --trace --output json
    eventually 40 container_runs n1
    seen=$(ps -efww; cat /proc/"$job"/environ | tr '\0' '\n'
        for node in "${NODES[@]}"; do
            on $node ps -efww
            on $node sh -c 'cat /proc/[0-9]*/environ 2>/dev/null | tr "\0" "\n"'
            on $node sh -c 'docker inspect etcd-snapshot-once; docker logs etcd-snapshot-once 2>&1' || :
        done)
    finish
    expect_status 0
    for secret in registry-password-1 "$marker" "$key_line"; do
        refute_anywhere "$secret"
        [[ "$seen" != *"$secret"* ]] || { echo "seen in ps, an environment or docker: $secret" && return 1; }
    done
}

@test "a secret key on the command line is gone from ps at once" {
    lab tool n1 delay=2
    save_in_background --no-s3 --access-key AKIDEXAMPLE --secret-key command-line-secret-key
    eventually 40 container_runs n1
    seen=$(tr '\0' ' ' </proc/"$job"/cmdline)
    finish
    expect_status 0
    [[ "$seen" != *command-line-secret-key* ]]
    refute_anywhere command-line-secret-key
}

@test "no core dump" {
    lab tool n1 delay=3
    save_in_background
    eventually 40 container_runs n1
    [ "$(awk '/^Max core file size/ {print $5}' /proc/"$job"/limits)" = 0 ]
    # Not dumpable: the files of the process belong to root, whoever runs it.
    kill -ABRT "$job"
    finish
    [ "$status" -eq 134 ]
    [ -z "$(find . "$BATS_TEST_TMPDIR" -maxdepth 1 -name 'core*' -print)" ]
    for node in "${NODES[@]}"; do
        on $node docker wait etcd-snapshot-once >/dev/null 2>&1 || :
    done
    NAME=$NAME-next
    save
    expect_status 0
    expect_clean
}
