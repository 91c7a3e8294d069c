# Copies that there are, proven: on nodes, in S3, and files here. Runs on a lab with S3.

load helpers.bash
load s3.bash

setup() { s3_setup; }

verify() { snapctl verify --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "$@"; }

# damage FILE OUT: the root page's flags, with the trailing hash made anew, so that only the database's reader can notice.
damage() {
    /usr/bin/python3 - "$1" "$2" <<'PY'
import hashlib, struct, sys
data = bytearray(open(sys.argv[1], "rb").read()[:-32])
page = struct.unpack_from("<I", data, 24)[0]
metas = [struct.unpack_from("<IIIIQQQQQQ", data, at + 16) for at in (0, page)]
root = max(metas, key=lambda meta: meta[8])[4]
data[root * page + 8] = 0x20
open(sys.argv[2], "wb").write(bytes(data) + hashlib.sha256(data).digest())
PY
}

@test "save looks into the database and tells what is in it, room or not" {
    save --output json
    expect_status 0
    json '[.nodes[].etcd | .hash > 0 and .total_keys > 0 and .total_bytes > 0] | unique | .[]' true
    json '[.nodes[].etcd.members | length] | unique | .[]' "${#NODES[@]}"
    cluster=$(on n1 docker exec etcd etcdctl endpoint status -w json | grep -oE '"cluster_id":[0-9]+' | cut -d : -f 2)
    json '[.nodes[].etcd.cluster_id] | unique | .[]' "$(printf %x "$cluster")"
    on n1 cat "$BACKUP/$NAME.zip" >"$BATS_TEST_TMPDIR/$NAME.zip"
    unzip -p "$BATS_TEST_TMPDIR/$NAME.zip" "/backup/$NAME" >"$BATS_TEST_TMPDIR/plain"
    theirs=$(etcdctl snapshot status -w json "$BATS_TEST_TMPDIR/plain" | jq -c '[.hash, .revision, .totalKey, .totalSize]')
    json '.nodes[0].etcd | [.hash, .revision, .total_keys, .total_bytes] | tostring' "$theirs"

    # Without room for the temporary file it is saved all the same.
    NAME=$NAME-b
    TMPDIR=/nowhere save --output json
    expect_status 0
    json '[.nodes[].etcd.hash] | unique | .[]' null
    expect_stderr 'was not looked into'
    NAME=$NAME-c
    TMPDIR=/nowhere save -q
    expect_status 0
    expect_output 'database not looked into'
}

@test "each copy is verified where it is: nodes, S3, files; a damaged one is told with its page" {
    place "$NAME" 400000 n1 n2
    upload "$NAME"
    expect_status 0
    verify "$NAME" "${STORE[@]}" "${KEYS[@]}" --local --output json
    expect_status 0
    json '[.copies[] | select(.status == "good") | .place] | sort | join(" ")' 'node node s3'
    json '[.copies[] | .etcd.hash | values] | unique | length' 1
    json '.copies[] | select(.place == "s3").key' "$NAME.zip"

    damage "$SMALL_DATABASE" "$BATS_TEST_TMPDIR/damaged"
    /usr/bin/python3 "$BATS_TEST_DIRNAME/make-archive.py" "$NAME" "$BATS_TEST_TMPDIR/damaged" 400000 \
        "$BATS_TEST_TMPDIR/$NAME.zip"
    on n2 sh -c "cat >$BACKUP/$NAME.zip" <"$BATS_TEST_TMPDIR/$NAME.zip"
    verify "$NAME"
    expect_status 3
    expect_output '1 of 2 copies are good'
    expect_output "/backup/$NAME: page "
    expect_stderr 'node 10.77.0.11: verified after'
    expect_stderr 'node 10.77.0.13: missing after'
    snapctl upload "$NAME" --force --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "${STORE[@]}" "${KEYS[@]}"
    expect_status 0 # the other node's
    snapctl verify "$BATS_TEST_TMPDIR/$NAME.zip"
    expect_status 1
    expect_output 'damaged'
    snapctl verify "$SMALL_DATABASE" --output json
    expect_status 0
    json '.copies[0] | .place + " " + .format' 'file plain'

    on n1 sh -c "cat >$BACKUP/old-$NAME" <"$SMALL_DATABASE"
    on n1 sh -c "echo no snapshot >$BACKUP/README"
    verify --all "${STORE[@]}" "${KEYS[@]}" --local --output json # "old-" before "t-"
    expect_status 3
    json '[.copies[] | .place + ":" + .snapshot + ":" + .status] | sort | join(" ")' \
        "node:old-$NAME:good node:$NAME:damaged node:$NAME:good s3:$NAME:good"
    verify "old-$NAME"
    expect_status 0
    expect_output missing
    # What cannot be looked into here is not damaged there.
    TMPDIR=/nowhere verify "$NAME" --s3 "${STORE[@]}" "${KEYS[@]}"
    expect_status 1
    expect_stderr "error: S3: $NAME could not be verified: cannot keep a temporary file"
    expect_stderr '; set TMPDIR to a folder'
    expect_stderr 'S3: reading'
    expect_stderr 'S3: failed after'
    refute_anywhere damaged
    verify --all "${STORE[@]}" "${KEYS[@]}"
    expect_status 0 # S3 alone
    expect_clean_but_snapshots
}

# expect_clean for folders that hold more than archives.
expect_clean_but_snapshots() {
    local node
    for node in "${NODES[@]}"; do
        [ -z "$(on "$node" sh -c "docker ps -a --format '{{.Names}}' | grep -vxE 'etcd|service-sidekick'")" ]
        run -1 on "$node" sh -c "ps -ef | grep -q '[w]orker='"
    done
}

@test "verify refuses what is not there, and says which keys may not read" {
    verify nothing-of-that-name
    expect_status 2
    expect_stderr 'there is no snapshot nothing-of-that-name'
    verify
    expect_status 2
    verify a b
    expect_status 2
    snapctl verify /nowhere/at/all
    expect_status 2
    verify "$NAME" "${STORE[@]}" --access-key "$S3_ACCESS_KEY" --secret-key wrong
    expect_status 1
    refute_anywhere wrong
}
