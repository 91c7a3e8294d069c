# What goes wrong on one node: told with its reason, and nothing lost on the others.

setup() {
    load helpers
    common_setup
}

teardown() { mend; }

@test "an sshd that is stopped" {
    lab sshd-stop n1
    save --output json
    expect_only_n1_failed network refused
}

@test "etcd is stopped" {
    one_node
    lab etcd-stop n1
    save --output json
    expect_only_n1_failed etcd "etcd is not running on host [10.77.0.11]"
}

@test "too little room for the database and its archive" {
    one_node
    lab fill n1 100
    save --output json
    expect_only_n1_failed space "not enough room"
    expect_no_archive n1
}

@test "the disk fills up while the snapshot is taken" {
    lab tool n1 delay=3 tries=1
    save_in_background --output json
    eventually 40 container_runs n1
    lab fill n1 8
    finish
    lab unfill n1
    expect_only_n1_failed snapshot ""
    expect_no_archive n1
    expect_clean n1
}

@test "the snapshot tool fails: its own reason is told, and --debug shows its log" {
    one_node
    lab tool n1 "fail=etcdserver: mvcc: database space exceeded" tries=2 retry=0
    save --output json
    expect_only_n1_failed snapshot "database space exceeded"
    expect_no_archive n1
    expect_clean n1
    NAME=$NAME-debug
    save --debug
    expect_stderr "snapshot container: "
}

@test "one flipped byte in the archive: never called saved, and removed" {
    lab tool n1 corrupt=1
    save --output json
    expect_only_n1_failed corrupt ""
    expect_no_archive n1
    expect_clean n1
}

@test "an archive whose end is cut: found by the quick look too" {
    one_node
    lab tool n1 truncate=100
    save --output json --verify quick
    expect_only_n1_failed corrupt ""
    expect_no_archive n1
}

@test "an archive without the state file that was placed" {
    one_node
    lab tool n1 nostate=1
    save --output json
    expect_only_n1_failed corrupt rkestate
}

@test "a tool that ends well and leaves no archive" {
    one_node
    lab tool n1 nozip=1
    save --output json
    expect_only_n1_failed corrupt "is not there"
    expect_clean n1
}

@test "a state file that the tool leaves behind is removed" {
    one_node
    lab tool n1 keepstate=1
    save
    expect_status 0
    expect_clean
}

@test "another run's container is running: respected, and named" {
    one_node
    lab tool n1 delay=30
    save_in_background
    first=$job
    eventually 40 container_runs n1
    NAME=$NAME-second
    save --output json
    second=$output
    kill -TERM "$first"
    wait "$first" || :
    output=$second
    expect_only_n1_failed busy "takes the snapshot ${NAME%-second} on this node since 20"
    jq -e --arg who "$(id -un)@$(hostname)" '.nodes[0].error.text | contains($who)' <<<"$output"
    expect_no_archive n1
}

@test "RKE's own container is running" {
    one_node
    on n1 docker run -d --name etcd-snapshot-once --network none --entrypoint sleep rancher/rke-tools:v0.1.90 60
    save --output json
    expect_only_n1_failed busy "RKE or another tool"
    container_runs n1
    on n1 docker rm -f etcd-snapshot-once
}

@test "a container that has just been created is respected, one of long ago is not" {
    one_node
    on n1 docker create --name etcd-snapshot-once --network none --entrypoint sleep rancher/rke-tools:v0.1.90 60
    save --output json
    expect_only_n1_failed busy ""
    on n1 docker inspect etcd-snapshot-once
    # The node's clock, 11 minutes on, as far as snapctl can see.
    shim n1 <<'EOF'
#!/bin/sh
[ "$1" = inspect ] || exec /usr/bin/docker "$@"
then=$(/usr/bin/date -u -d '-11 minutes' +%Y-%m-%dT%H:%M:%S)
/usr/bin/docker "$@" | sed "/etcd-snapshot-once/s/\"created\":\"[^.\"]*/\"created\":\"$then/"
EOF
    NAME=$NAME-later
    save
    expect_status 0
    expect_stderr "removing what an older run left"
    expect_clean
}

@test "a container that has ended is removed" {
    one_node
    on n1 docker run --name etcd-snapshot-once --network none --entrypoint true rancher/rke-tools:v0.1.90
    save
    expect_status 0
    expect_clean
}

@test "an image that is missing and cannot be pulled" {
    one_node
    save --image 127.0.0.1:9/rancher/rke-tools:v9 --output json
    expect_status 1
    json .status failed
    json '[.nodes[].error.kind] | unique | join(",")' image
    jq -e '.nodes[0].error.text | contains("127.0.0.1:9/rancher/rke-tools:v9")' <<<"$output"
    for node in "${NODES[@]}"; do
        expect_no_archive "$node"
    done
    expect_clean
}

@test "an image that is missing is pulled, with the registry's password by standard input only" {
    one_node
    # The engine of the lab has no registry to ask: the shim plays the part of login and pull, and keeps what it saw.
    shim n1 <<'EOF'
#!/bin/sh
echo "$@" >>/tmp/lab-shim.log
case "$*" in
*login*) cat >/tmp/lab-shim.password; ls -d "$2" >>/tmp/lab-shim.log ;;
*pull*) exec /usr/bin/docker tag rancher/rke-tools:v0.1.90 127.0.0.1:9/rancher/rke-tools:v1 ;;
*) exec /usr/bin/docker "$@" ;;
esac
EOF
    changed_config '$a\
private_registries:\
  - url: 127.0.0.1:9\
    user: puller\
    password: registry-password'
    save --image 127.0.0.1:9/rancher/rke-tools:v1 --debug
    log=$(on n1 cat /tmp/lab-shim.log)
    password=$(on n1 cat /tmp/lab-shim.password)
    on n1 rm /tmp/lab-shim.log /tmp/lab-shim.password
    for node in "${NODES[@]}"; do
        on $node docker rmi 127.0.0.1:9/rancher/rke-tools:v1
    done
    expect_status 0
    [ "$password" = registry-password ]
    [[ "$log" == *"login -u puller --password-stdin 127.0.0.1:9"* ]]
    [[ "$log" != *registry-password* ]]
    refute_anywhere registry-password
    expect_clean
}

@test "no image is known" {
    one_node
    on n1 docker rm service-sidekick
    shim n1 <<'EOF'
#!/bin/sh
[ "$1" != images ] || exit 0
exec /usr/bin/docker "$@"
EOF
    save --output json
    on n1 docker create --name service-sidekick rancher/rke-tools:v0.1.90 /bin/bash
    expect_only_n1_failed image "no rancher/rke-tools image"
}

@test "Docker too old, unknown, and newer; with the flag and with the key" {
    one_node
    shim_version n1 1.12.6
    save --output json
    expect_only_n1_failed docker "Unsupported Docker version found [1.12.6] on host [10.77.0.11], supported versions are [1.13.x"
    expect_no_archive n1

    NAME=$NAME-b
    shim_version n1 18.03.1-ce
    save --output json
    expect_only_n1_failed docker "[18.03.1-ce]"

    NAME=$NAME-c
    save --ignore-docker-version --dry-run
    expect_status 0

    NAME=$NAME-d
    changed_config '1a ignore_docker_version: true'
    save --dry-run
    expect_status 0

    NAME=$NAME-e
    CONFIG=$BASE
    shim_version n1 28.2.2
    save --dry-run
    expect_status 0
    expect_stderr "Docker 28.2.2 is newer"
}

@test "no way to use Docker: every way is told" {
    one_node
    changed_config 's/user: root/user: rancher/;s/id_ed25519/id_ed25519/'
    on n1 gpasswd -d rancher docker
    save --output json
    on n1 gpasswd -a rancher docker
    expect_only_n1_failed docker "Docker cannot be used"
    jq -e '.nodes[0].error.text | contains("sudo -n docker")' <<<"$output"
}

@test "docker by its full path, where it is not in PATH" {
    one_node
    shim n1 <<'EOF'
#!/bin/sh
echo "no docker here" >&2
exit 127
EOF
    save --debug
    expect_status 0
    expect_stderr "/usr/bin/docker"
}

@test "the network is lost during the snapshot and comes back" {
    one_node
    lab tool n1 delay=6
    save_in_background --output json
    eventually 40 container_runs n1
    lab cut n1
    sleep 3
    lab heal n1
    finish
    expect_status 0
    json '[.nodes[].status] | unique | join(",")' saved
    expect_clean
}

@test "the session is killed during the snapshot, and the wait is taken up again" {
    one_node
    lab tool n1 delay=5
    save_in_background --output json
    eventually 40 container_runs n1
    lab sshd-kill-sessions n1
    finish
    expect_status 0
    expect_stderr "connection was lost"
    json '[.nodes[].verified] | unique | join(",")' true
    expect_archive n1
    expect_clean
}

@test "the state file is not left when the container cannot start" {
    one_node
    shim n1 <<'EOF'
#!/bin/sh
[ "$1" != start ] || { echo "Error response from daemon: no room for it" >&2; exit 1; }
exec /usr/bin/docker "$@"
EOF
    save --output json
    expect_only_n1_failed docker "no room for it"
    lab unshim n1
    expect_clean n1
}

@test "hostile text from a node is made visible" {
    one_node
    shim n1 <<'EOF'
#!/bin/sh
printf '\033[2J\033]0;title\007 gone \377\n' >&2
exit 1
EOF
    on n1 mv /usr/bin/docker /usr/bin/docker.away 2>/dev/null || skip_shim=1
    save
    [ -n "${skip_shim:-}" ] || on n1 mv /usr/bin/docker.away /usr/bin/docker
    lab tool n1 "fail=$(printf '\033[31mred')" tries=1
    lab unshim n1
    NAME=$NAME-b
    save --debug
    expect_status 1
    [[ "$output$stderr" != *$'\033'* ]]
    expect_stderr '\x1b[31mred'
}
