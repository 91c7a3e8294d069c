# shellcheck shell=bash disable=SC2034,SC2154 # variables of, and for, the tests
# What the tests of the upload share, on a lab whose S3 is up. LAB_DIR/s3/env tells where and who.

# shellcheck source=/dev/null
. "$LAB_DIR/s3/env"

s3_setup() {
    common_setup
    unset "${!AWS_@}" https_proxy HTTPS_PROXY no_proxy NO_PROXY http_proxy all_proxy ALL_PROXY
    lab s3-empty
    # Who uploads what to where; tests change single elements.
    KEYS=(--access-key "$S3_ACCESS_KEY" --secret-key "$S3_SECRET_KEY")
    STORE=(--s3 --s3-endpoint "$S3_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET")
}

save_s3() { save "${STORE[@]}" "${KEYS[@]}" "$@"; }

# Uploads an archive that nodes have: upload NAME OPTION…
upload() {
    local name=$1
    shift
    snapctl upload "$name" --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "${STORE[@]}" "${KEYS[@]}" "$@"
}

# The same in the background, as save_in_background.
upload_in_background() {
    local name=$1
    shift
    in_background upload "$name" "${STORE[@]}" "${KEYS[@]}" "$@"
}

has_uploads() { [ -n "$(lab s3-uploads)" ]; }

# A database as etcdctl saves one, small; made once a file.
small_database() {
    SMALL_DATABASE=$BATS_FILE_TMPDIR/database
    [ ! -e "$SMALL_DATABASE" ] || return 0
    local NAME=$NAME-seed
    save
    expect_status 0
    on n1 cat "$BACKUP/$NAME.zip" >"$BATS_FILE_TMPDIR/small.zip"
    unzip -p "$BATS_FILE_TMPDIR/small.zip" "/backup/$NAME" >"$SMALL_DATABASE"
    on n1 rm "$BACKUP/$NAME.zip"
    for node in "${NODES[@]}"; do on "$node" rm -f "$BACKUP/$NAME.zip"; done
}

# place NAME SIZE NODE…: an archive of exactly so many bytes on nodes.
place() {
    local name=$1 size=$2 node
    shift 2
    small_database
    /usr/bin/python3 "$BATS_TEST_DIRNAME/make-archive.py" "$name" "$SMALL_DATABASE" "$size" \
        "$BATS_TEST_TMPDIR/$name.zip" ${GROW:+--grow-database}
    [ "$(stat -c %s "$BATS_TEST_TMPDIR/$name.zip")" = "$size" ]
    for node; do
        on "$node" sh -c "umask 077; cat >$BACKUP/$name.zip" <"$BATS_TEST_TMPDIR/$name.zip"
    done
}

# The object is there, byte for byte the archive of the node, as an independent client sees it.
expect_object() {
    local key=$1 node=$2 name=${3:-$NAME}
    lab s3-get "$key" "$BATS_TEST_TMPDIR/object.zip" || { echo "no object $key" && show && return 1; }
    on "$node" cat "$BACKUP/$name.zip" | cmp - "$BATS_TEST_TMPDIR/object.zip"
}

expect_no_object() {
    local answer
    answer=$(lab s3-head "${1:-$NAME.zip}" 2>&1) || :
    [[ "$answer" == *": 404"* ]] || { echo "there is an object, or something else: $answer" && show && return 1; }
}

expect_no_uploads() {
    local left
    left=$(lab s3-uploads)
    [ -z "$left" ] || { echo "unfinished uploads: $left" && show && return 1; }
}

# The node whose archive was uploaded, by its name in the lab.
source_node() {
    jq -r '.s3.source_node | sub("10.77.0.1"; "n")' <<<"$output"
}

# Requests to the fault endpoints, as an extended regular expression finds them.
requests() {
    grep -cE "$1" "$LAB_DIR/s3/fault.log" || :
}
