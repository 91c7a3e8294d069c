# shellcheck shell=bash
# What all end-to-end tests use. Environment: SNAPCTL (the binary), LAB_DIR (a lab that is up).

bats_require_minimum_version 1.5.0

LAB=$BATS_TEST_DIRNAME/../lab/lab
BACKUP=/opt/rke/etcd-snapshots
BASE=$LAB_DIR/cluster.yml # what changed configs are made of
CONFIG=$BASE
# NODES is set by a file whose lab has others.
NODES=(n1 n2 n3)

# The operator's home is empty and his own: no test sees, or writes to, the real one.
common_setup() {
    export HOME=$BATS_TEST_TMPDIR/home
    mkdir -p "$HOME"
    unset SSH_AUTH_SOCK RKE_CONFIG SNAPCTL_HOST_KEY_CHECKING SNAPCTL_SSH_PASSPHRASE_FILE
    NAME=t-${BATS_TEST_FILENAME##*/}-$BATS_TEST_NUMBER
    NAME=${NAME/.bats/}
    lab empty
}

# The commands that undo what a test did to the lab are kept for `mend`.
lab() {
    case $1 in
    tool) echo "tool $2" ;;
    shim) echo "unshim $2" ;;
    slow) echo "slow $2 0" ;;
    fill) echo "unfill $2" ;;
    imds) echo "imds $2 none" ;;
    sshd-stop) echo "sshd-start $2" ;;
    stop | cut | freeze | sshd-freeze | etcd-stop) echo "mend $2" ;;
    s3-cut) echo s3-heal ;;
    mend) : >"$BATS_TEST_TMPDIR/undo" ;;
    s3-fault | s3-policy | s3-quota) echo "$1 off" ;;
    esac >>"$BATS_TEST_TMPDIR/undo"
    "$LAB" "$@"
}

on() { "$LAB" sh "$@"; }

# flip NODE FILE BYTE: that byte of a file among the backups is another one, whatever it was, and all else as it was.
flip() {
    # shellcheck disable=SC2016 # the node's shell expands it
    on "$1" sh -ec 'time=$(stat -c %y "$1") byte=$(od -An -tu1 -j "$2" -N 1 "$1")
        printf "\\$(printf %03o $((byte ^ 255)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
        touch -d "$time" "$1"' sh "$BACKUP/$2" "$3"
}

# Runs snapctl as the operator: $status, $output (standard output), $stderr.
snapctl() { run --separate-stderr "$LAB" run "$SNAPCTL" "$@"; }

# Saves $NAME with the lab's config and known_hosts; more options may follow.
save() { snapctl save --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" --name "$NAME" "$@"; }

# The same in the background.
save_in_background() { in_background save --name "$NAME" "$@"; }

# A command in the background, with the lab's config and known_hosts: the pid is $job, the outputs go to $OUT and $ERR.
in_background() { # COMMAND [OPTION…]
    OUT=$BATS_TEST_TMPDIR/out
    ERR=$BATS_TEST_TMPDIR/err
    # Opened here, so that they are there at once.
    exec 8>"$OUT" 9>"$ERR"
    # 3>&-: bats waits for all that hold its descriptor.
    # A shell starts background commands with SIGINT ignored, which snapctl would respect.
    "$LAB" run env --default-signal=INT "$SNAPCTL" "$@" --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" \
        >&8 2>&9 3>&- 8>&- 9>&- &
    job=$!
    exec 8>&- 9>&-
}

# Ends what is in the background: $status, $output, $stderr as after `run`.
finish() {
    status=0
    wait "$job" || status=$?
    output=$(<"$OUT")
    stderr=$(<"$ERR")
}

show() {
    printf 'status %s\n--- standard output\n%s\n--- standard error\n%s\n' "$status" "$output" "$stderr"
}

expect_status() {
    [ "$status" -eq "$1" ] || { echo "expected status $1" && show && return 1; }
}

# expect_output TEXT, expect_stderr TEXT: literal text somewhere.
expect_output() {
    [[ "$output" == *"$1"* ]] || { echo "standard output lacks: $1" && show && return 1; }
}

expect_stderr() {
    [[ "$stderr" == *"$1"* ]] || { echo "standard error lacks: $1" && show && return 1; }
}

refute_anywhere() {
    [[ "$output$stderr" != *"$1"* ]] || { echo "somewhere is: $1" && show && return 1; }
}

# json FILTER EXPECTED: a jq filter on the JSON document that is the standard output.
json() {
    local got
    got=$(jq -r "$1" <<<"$output") || { show && return 1; }
    [ "$got" = "$2" ] || { echo "$1 is $got, expected $2" && show && return 1; }
}

# The archive stands on the node, whole, with its state file (or without: `nostate`), and for root alone.
expect_archive() {
    local node=$1 name=${2:-$NAME} list
    [ "$(on "$node" sh -c "stat -c %a '$BACKUP/$name.zip' && cat '$BACKUP/$name.zip' >&3" 3>"$BATS_TEST_TMPDIR/archive.zip")" = 600 ] ||
        { echo "no $name.zip on $node, or not for root alone" && show && return 1; }
    unzip -tqq "$BATS_TEST_TMPDIR/archive.zip" 2>/dev/null || [ $? -eq 1 ] # 1: it warns of the leading slash
    list=$(unzip -Z1 "$BATS_TEST_TMPDIR/archive.zip")
    grep -qx "/backup/$name" <<<"$list"
    [ "${3:-state}" = nostate ] || grep -qx "/etc/kubernetes/$name.rkestate" <<<"$list"
}

expect_no_archive() {
    run -1 on "$1" test -e "$BACKUP/${2:-$NAME}.zip"
}

# Nothing of any run is left on the nodes but archives.
expect_clean() {
    local node left
    for node in "${@:-${NODES[@]}}"; do
        left=$(on "$node" sh -c "
            docker ps -a --format '{{.Names}}' | grep -vxE 'etcd|service-sidekick'
            for path in $BACKUP/* $BACKUP/.[!.]* /etc/kubernetes/*rkestate* /dev/shm/snapctl.* /tmp/tmp.*; do
                case \$path in
                $BACKUP/[!.]*.zip) ;;
                *) [ ! -e \"\$path\" ] || echo \"\$path\" ;;
                esac
            done
            pgrep -fa '[w]orker='" || :)
        [ -z "$left" ] || { echo "left on $node: $left" && show && return 1; }
    done
}

# Waits until a command succeeds, at most so many seconds.
eventually() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || { echo "never happened: $*" && return 1; }
        sleep 0.1
    done
}

all_containers_run() {
    local node
    for node in "${NODES[@]}"; do container_runs "$node" || return; done
}

# By what the engine writes down, as this is asked again and again.
container_runs() {
    grep -qs '"State":{"Running":true.*"Name":"/etcd-snapshot-once"' \
        "$LAB_DIR/nodes/$1"/fs/var/lib/docker/containers/*/config.v2.json
}

# A docker in front of the real one, for sessions on a node: shim NODE <<script.
shim() {
    cat >"$BATS_TEST_TMPDIR/shim"
    chmod 755 "$BATS_TEST_TMPDIR/shim"
    lab shim "$1" "$BATS_TEST_TMPDIR/shim"
}

# A shim that lets the engine report another version, and passes all else on.
shim_version() {
    shim "$1" <<EOF
#!/bin/sh
[ "\$1" = info ] || exec /usr/bin/docker "\$@"
/usr/bin/docker "\$@" | sed 's/^engine [^|]*/engine $2/'
EOF
}

# A copy of cluster.yml, changed by a sed program.
changed_config() {
    CONFIG=$BATS_TEST_TMPDIR/cluster.yml
    sed "$1" "$BASE" >"$CONFIG"
    cp "$LAB_DIR/cluster.rkestate" "$BATS_TEST_TMPDIR/cluster.rkestate"
}

# From here on the cluster has n1, or another node, alone: for what one node is enough to prove.
one_node() {
    local from=$CONFIG
    NODES=("${1:-n1}")
    mkdir -p "$BATS_TEST_TMPDIR/${NODES[0]}"
    BASE=$BATS_TEST_TMPDIR/${NODES[0]}/${from##*/}
    awk -v keep="hostname_override: ${NODES[0]}" '
        /^  - address:/ { entry = $0; wanted = 0; next }
        entry { entry = entry "\n" $0; wanted = wanted || index($0, keep) }
        entry && /^    role:/ { if (wanted) print entry; entry = ""; next }
        !entry' "$from" >"$BASE"
    cp "${from%.yml}.rkestate" "${BASE%/*}"
    CONFIG=$BASE
}

# It has all nodes again.
all_nodes() {
    BASE=$LAB_DIR/cluster.yml
    CONFIG=$BASE
    NODES=(n1 n2 n3)
}

# For teardown: whatever the test broke by `lab` is mended, and all if it failed.
mend() {
    local undo=()
    if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
        [ -z "${job:-}" ] || kill -KILL "$job"
        "$LAB" mend
    elif [ -e "$BATS_TEST_TMPDIR/undo" ]; then
        while read -r -a undo; do "$LAB" "${undo[@]}" </dev/null; done < <(sort -u "$BATS_TEST_TMPDIR/undo")
    fi >/dev/null 2>&1
}

# Node n1 failed with this kind and text; if there are others, they are saved.
expect_only_n1_failed() {
    if [ ${#NODES[@]} -eq 1 ]; then
        expect_status 1
        json .status failed
        json '[.nodes[].status] | join(",")' failed
    else
        expect_status 3
        json .status partial
        json '[.nodes[].status] | join(",")' failed,saved,saved
        expect_archive n2
        expect_archive n3
        expect_clean n2 n3
    fi
    json '.nodes[0].error.kind' "$1"
    jq -e --arg text "$2" '.nodes[0].error.text | contains($text)' <<<"$output" || { show && return 1; }
}
