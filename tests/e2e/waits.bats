# Faults that are found by waiting for a deadline. They have a lab of their own, to wait beside the other tests.

setup() {
    load helpers
    common_setup
}

teardown() { mend; }

@test "a node that is off" {
    lab stop n1
    save --output json
    expect_only_n1_failed network ""
}

@test "a node behind a black hole" {
    lab cut n1
    save --output json
    expect_only_n1_failed network "root@10.77.0.11:22: no answer"
}

@test "a node that is frozen" {
    one_node
    lab freeze n1
    save --output json
    expect_only_n1_failed timeout ""
}

@test "an sshd that takes connections and never answers" {
    one_node
    lab sshd-freeze n1
    save --output json
    expect_only_n1_failed timeout ""
}

@test "sshd is stopped with its sessions during the snapshot, and is back later" {
    one_node
    lab tool n1 delay=4
    save_in_background --output json
    eventually 40 container_runs n1
    lab sshd-stop n1
    lab sshd-kill-sessions n1
    sleep 6
    lab sshd-start n1
    finish
    expect_status 0
    expect_archive n1
    expect_clean
}

@test "a node is powered off during the snapshot: unknown, and the others are saved" {
    lab tool n1 delay=30
    save_in_background --output json --timeout 60
    eventually 40 container_runs n1
    lab stop n1
    finish
    expect_status 3
    json '[.nodes[].status] | join(",")' unknown,saved,saved
    json '.nodes[0].phase' snapshot
    json '.nodes[0].error.retryable' true
    lab start n1
    lab tool n1
    # The next run finds the container that died with the node, and cleans up.
    NAME=$NAME-next
    save
    expect_status 0
    expect_clean
}

@test "a snapshot that does not end is given up" {
    one_node
    lab tool n1 delay=600
    save --timeout 1 --output json
    expect_only_n1_failed timeout "1 min"
    expect_clean n1
}

@test "a signal while a lost node is being cleaned up ends the run in 10 s" {
    one_node
    lab tool n1 delay=600
    save_in_background --timeout 1 --output json
    eventually 40 container_runs n1
    lab cut n1
    eventually 100 grep -q "given up\|cleaning up failed\|connection was lost" "$ERR"
    sleep 1
    start=$SECONDS
    kill -TERM "$job"
    finish
    [ $((SECONDS - start)) -le 10 ]
    expect_status 143
    json '.nodes[0].status' unknown
    lab heal n1
    on n1 docker rm -f etcd-snapshot-once
    on n1 sh -c 'rm -f /etc/kubernetes/*.rkestate'
}
