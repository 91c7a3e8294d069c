# The program as a process: outputs, descriptors, signals, secrets. Needs neither a lab nor root.
# Environment: SNAPCTL (the binary).

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    export HOME=$BATS_TEST_TMPDIR
    unset RKE_CONFIG SNAPCTL_HOST_KEY_CHECKING SNAPCTL_SSH_PASSPHRASE_FILE SSH_AUTH_SOCK COLUMNS
}

teardown() {
    local pid
    for pid in ${server:-} ${job:-}; do
        kill -KILL "$pid" 2>/dev/null || :
        wait "$pid" 2>/dev/null || :
    done
}

# cluster.yml with a node that takes connections and says nothing: a run that lasts until it is ended.
silent_cluster() {
    local port
    /usr/bin/python3 "$BATS_TEST_DIRNAME/silent-server.py" >port 3>&- &
    server=$!
    until [ -s port ]; do sleep 0.05; done
    port=$(<port)
    ssh-keygen -q -t ed25519 -N '' -f key
    printf 'nodes:\n- {address: 127.0.0.1, port: %s, user: u, role: [etcd], ssh_key_path: %s}\n' \
        "$port" "$PWD/key" >cluster.yml
}

# Starts the program in the background and waits until it talks to the node.
start_run() {
    : >err # that of a run before would be taken for this one's
    # In a background job of a script SIGINT would be ignored; env restores what a terminal has.
    env --default-signal=INT,HUP "$SNAPCTL" save --name x --output json --host-key-checking off \
        >out 2>err 3>&- &
    job=$!
    until grep -q connecting err; do sleep 0.05; done
}

# finish_run [SECONDS]: at most so many
finish_run() {
    local until=$((SECONDS + ${1:-600}))
    while kill -0 "$job" 2>/dev/null; do
        [ $SECONDS -lt $until ] || { echo "it does not end" && return 1; }
        sleep 0.05
    done
    status=0
    wait "$job" || status=$?
    job=
}

# json FILTER EXPECTED [FILE]
json() {
    local got
    got=$(jq -r "$1" "${3:-out}")
    [ "$got" = "$2" ] || { echo "$1 is $got, expected $2" && cat "${3:-out}" && return 1; }
}

# A sanitizer's build has its own ways with dumps, see src/main.c.
sanitized() {
    grep -qE '__(asan|tsan)_init' "$SNAPCTL"
}

@test "no command: status 2, the hint on standard error, nothing on standard output" {
    run --separate-stderr "$SNAPCTL"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "${stderr_lines[0]}" = "error: no command was given" ]
}

@test "help and version: status 0 on standard output" {
    for words in --help -h help 'help save' 'help etcd snapshot-save' 'save --help' 'etcd snapshot-save -h' \
        --version -v version; do
        # shellcheck disable=SC2086 # words on purpose
        run --separate-stderr "$SNAPCTL" $words
        [ "$status" -eq 0 ]
        [ -n "$output" ]
        [ -z "$stderr" ]
    done
    run --separate-stderr "$SNAPCTL" --version
    [[ "${lines[0]}" =~ ^snapctl\ version\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    for library in libssh2 libcurl OpenSSL libyaml zlib jansson expat; do
        [[ "${lines[1]}" =~ $library/[0-9]+\.[0-9]+ ]]
    done
    run -2 --separate-stderr "$SNAPCTL" help frobnicate
    [[ "$stderr" == *'there is no command "frobnicate"'* ]]
}

@test "help is as wide as COLUMNS says" {
    for columns in 40 80 100; do
        COLUMNS=$columns "$SNAPCTL" save --help >out
        widest=$(grep -v snapctl out | wc -L)
        [ "$widest" -le "$columns" ]
        [ "$widest" -gt $((columns - 15)) ]
    done
}

@test "errors on the command line and in the configuration are JSON where JSON was asked for" {
    run -2 --separate-stderr "$SNAPCTL" save --bogus --name x --output=json
    echo "$output" >out
    json .status refused
    json .error.kind usage
    json '.error.text' 'unknown option --bogus'
    json '.nodes | length' 0
    json .schema 1
    run -2 --separate-stderr "$SNAPCTL" -output json save --config missing.yml --name x
    echo "$output" >out
    json .error.kind config
    json .snapshot x
    run -2 --separate-stderr "$SNAPCTL" save --output json --require most
    echo "$output" >out
    json .error.kind usage
}

@test "an upload that cannot work is refused before anything is dialled" {
    silent_cluster
    run -2 --separate-stderr "$SNAPCTL" save --name x --s3
    [ -z "$output" ]
    [[ "$stderr" == *"no bucket is named for S3"* ]]
    [[ "$stderr" != *connecting* ]]
    printf 'services: {etcd: {backup_config: {s3backupconfig: {bucket_name: a}}}}\n' >>cluster.yml
    run -2 --separate-stderr "$SNAPCTL" save --name x --output json
    echo "$output" >out
    json .status refused
    [[ "$stderr" != *connecting* ]]
    run -2 --separate-stderr "$SNAPCTL" save --name x --s3 --no-s3
    [[ "$stderr" == *contradict* ]]
}

@test "standard output that cannot be written to is an error" {
    for words in --help --version 'save --help'; do
        # shellcheck disable=SC2086 # words on purpose
        run -4 --separate-stderr sh -c '"$@" >/dev/full' - "$SNAPCTL" $words
        [ "$stderr" = "error: cannot write to standard output: No space left on device" ]
    done
    # A reader that went away is no reason to die of SIGPIPE in the middle of a run.
    run --separate-stderr bash -c '"$@" 2>err | true; echo "${PIPESTATUS[0]}"' - "$SNAPCTL" --help
    [ "$output" = 4 ] || [ "$output" = 0 ]
    # A status that says more stays.
    run -2 --separate-stderr sh -c '"$@" >/dev/full' - "$SNAPCTL" save --bogus --output json
}

@test "a file that is no snapshot is told from one that is damaged" {
    echo hello >notes.txt
    run -1 --separate-stderr "$SNAPCTL" verify notes.txt
    [[ "$stderr" == *"neither a zip archive nor a database of etcd"*"what \`etcdctl snapshot save\` wrote"* ]]
    printf 'PK\3\4 cut' >cut.zip
    run -1 --separate-stderr "$SNAPCTL" verify cut.zip
    [[ "$stderr" != *"neither"* ]]
    [[ "$stderr" == *cut.zip* ]]
}

@test "missing descriptors are made up for" {
    run -0 sh -c '"$@" 2>&- <&-' - "$SNAPCTL" --version
    run -4 sh -c '"$@" >&- 2>&- <&-' - "$SNAPCTL" --version
    silent_cluster
    # Descriptor 1 would else be the configuration, and the report would go into it.
    chmod 600 cluster.yml
    cp cluster.yml before.yml
    run -2 sh -c '"$@" >&- 2>&-' - "$SNAPCTL" save --s3 --bucket-name abc --output json
    cmp cluster.yml before.yml
}

@test "the secret key is gone from the argument list, and from every output" {
    mkfifo pipe
    exec 9<>pipe
    "$SNAPCTL" --trace save --config - --secret-key hunter2secret --access-key=AKIDEXAMPLE --s3 \
        --bucket-name abc -secret-key=hunter3secret <pipe >out 2>err 3>&- 9>&- &
    job=$!
    for _ in $(seq 100); do
        grep -qz bucket-name "/proc/$job/cmdline" && ! grep -q 'hunter[23]' "/proc/$job/cmdline" && break
        sleep 0.02
    done
    tr '\0' '\n' <"/proc/$job/cmdline" >arguments
    grep -qx -- --secret-key arguments
    grep -q AKIDEXAMPLE arguments
    run ! grep -q 'hunter[23]' arguments
    sanitized || [ "$(awk '/Max core file size/ {print $5}' "/proc/$job/limits")" = 0 ]
    printf 'nodes: [{address: hunter3secret, user: u, role: [etcd]}]\n' >&9
    exec 9>&-
    finish_run
    [ "$status" -eq 2 ]
    run ! grep -q 'hunter[23]' out err
}

@test "the process may not be dumped by its own user" {
    ! sanitized || skip "a sanitizer's build may be"
    local user=()
    [ "$(id -u)" -ne 0 ] || user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    mkfifo pipe
    chmod 666 pipe
    chmod 755 "$BATS_TEST_TMPDIR"
    exec 9<>pipe
    "${user[@]}" "$SNAPCTL" save --config - <&9 >/dev/null 2>&1 3>&- 9>&- &
    job=$!
    for _ in $(seq 100); do
        [ "$(cat "/proc/$job/comm")" = snapctl ] && [ "$(stat -c %u "/proc/$job/environ")" = 0 ] && break
        sleep 0.02
    done
    [ "$(cat "/proc/$job/comm")" = snapctl ]
    [ "$(stat -c %u "/proc/$job/environ")" = 0 ]
    kill -TERM "$job"
    finish_run
    [ "$status" -eq 143 ]
}

@test "a configuration from a shell's pipe" {
    run -2 --separate-stderr bash -c '"$1" save --config <(echo "nodes: []")' - "$SNAPCTL"
    [[ "$stderr" == *etcd* ]]
    run -2 --separate-stderr sh -c 'echo "nodes: []" | "$1" save --config -' - "$SNAPCTL"
    [[ "$stderr" == *etcd* ]]
}

@test "SIGINT, SIGTERM and SIGHUP: status, and a whole document" {
    silent_cluster
    for signal in INT:130 TERM:143 HUP:129; do
        start_run
        kill "-${signal%:*}" "$job"
        finish_run
        [ "$status" -eq "${signal#*:}" ]
        json .status interrupted
        json .error.kind cancelled
        json '.nodes[0].status' failed
        json '.error.text' "interrupted by SIG${signal%:*}"
    done
}

@test "a signal that is ignored stays ignored" {
    silent_cluster
    (trap '' HUP && exec "$SNAPCTL" save --name x --host-key-checking off >out 2>err 3>&-) &
    job=$!
    until grep -q connecting err; do sleep 0.05; done
    kill -HUP "$job"
    sleep 0.5
    kill -TERM "$job"
    finish_run
    [ "$status" -eq 143 ]
}

# A named pipe that takes nothing more, and has a reader that reads nothing, as descriptor 9.
full_pipe() {
    mkfifo "$1"
    exec 9<>"$1"
    timeout 5 dd if=/dev/zero of="$1" bs=4096 oflag=nonblock 2>/dev/null || [ $? -eq 1 ]
}

@test "nobody reads standard error: a signal ends the run, and its document is whole" {
    silent_cluster
    full_pipe stuck
    start=$SECONDS
    env --default-signal=INT "$SNAPCTL" save --name x --output json --host-key-checking off --debug \
        >out 2>stuck 3>&- 9>&- &
    job=$!
    sleep 2
    kill -INT "$job"
    finish_run 10
    [ "$status" -eq 130 ]
    [ $((SECONDS - start)) -le 6 ]
    json .status interrupted
    json '.nodes[0].status' failed
}

@test "nobody reads standard output: it is waited for, and the next signal ends that" {
    silent_cluster
    full_pipe stuck
    : >err
    env --default-signal=INT "$SNAPCTL" save --name x --output json --host-key-checking off \
        >stuck 2>err 3>&- 9>&- &
    job=$!
    until grep -q connecting err; do sleep 0.05; done
    kill -INT "$job"
    until grep -q "interrupted by SIGINT" err; do sleep 0.05; done
    sleep 2
    kill -TERM "$job"
    finish_run 5
    [ "$status" -eq 143 ]
    grep -qx "error: interrupted by SIGTERM, as nobody read standard output" err
}

@test "no terminal: unknown hosts and locked keys are not asked about" {
    silent_cluster
    ssh-keygen -q -p -P '' -N secret -f key
    run -2 --separate-stderr setsid --wait "$SNAPCTL" save --name x
    [[ "$stderr" == *SNAPCTL_SSH_PASSPHRASE_FILE* ]]
    echo wrong >passphrase
    SNAPCTL_SSH_PASSPHRASE_FILE=passphrase run -2 --separate-stderr setsid --wait "$SNAPCTL" save --name x
    SNAPCTL_SSH_PASSPHRASE_FILE=missing run -2 --separate-stderr setsid --wait "$SNAPCTL" save --name x
    [[ "$stderr" == *"cannot read missing"* ]]
}

@test "a snapshot is not shown on a terminal, nor a document put where a snapshot was to go" {
    echo 'nodes: []' >cluster.yml
    run -2 script -qec "$SNAPCTL fetch x -o -" /dev/null
    [[ "$output" == *"standard output is a terminal"* ]]
    run -2 --separate-stderr "$SNAPCTL" fetch x -o - --output json
    [ -z "$output" ]
    [ "$(sed -n '/^{/,$p' <<<"$stderr" | jq -r .status)" = refused ]
    run -2 --separate-stderr "$SNAPCTL" fetch x --output json
    [ "$(jq -r .status <<<"$output")" = refused ]
    [ ! -e x.zip ]
}
