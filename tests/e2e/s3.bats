# The upload to S3: what arrives, where, and over which connection. The faults are in s3_faults.bats.

setup() {
    load helpers
    load s3
    s3_setup
    one_node
}

teardown() { mend; }

@test "a save is uploaded: byte for byte the node's archive, and etcdctl restores it" {
    all_nodes
    save_s3 --output json
    expect_status 0
    json .status ok
    json .s3.status uploaded
    json .s3.endpoint "$S3_TLS_ENDPOINT"
    json .s3.bucket "$S3_BUCKET"
    json .s3.key "$NAME.zip"
    json .s3.region default # radosgw tells its zone group
    json .s3.parts 1
    json .s3.via local
    json .s3.credentials flags
    json .s3.verified true
    json .s3.error null
    node=$(source_node)
    expect_object "$NAME.zip" "$node"
    json .s3.bytes "$(stat -c %s "$BATS_TEST_TMPDIR/object.zip")"
    json .s3.sha256 "$(sha256sum <"$BATS_TEST_TMPDIR/object.zip" | cut -d' ' -f1)"
    json .s3.etag "$(md5sum <"$BATS_TEST_TMPDIR/object.zip" | cut -d' ' -f1)"
    json .s3.etcd.sha256 "$(jq -r --arg a "10.77.0.1${node#n}" '.nodes[] | select(.address == $a) | .etcd.sha256' <<<"$output")"
    keys=$(lab keys n1)
    run -0 lab restore "$BATS_TEST_TMPDIR/object.zip"
    [[ "${lines[-1]}" == *"$keys"* ]]
    head=$(lab s3-head "$NAME.zip")
    [[ "$head" == *"content-type: application/zip"* ]]
    [[ "$head" == *"x-amz-meta-snapctl-cluster: lab"* ]]
    [[ "$head" == *"x-amz-meta-snapctl-node: 10.77.0.1${node#n}"* ]]
    expect_clean
}

@test "the text tells where it is, and RKE's line follows" {
    save_s3
    expect_status 0
    expect_output "uploaded s3://$S3_BUCKET/$NAME.zip ("
    [ "$(tail -n 1 <<<"$output")" = "Finished saving/uploading snapshot [$NAME] on all etcd hosts" ]
    expect_stderr "S3: uploading"
    expect_stderr "S3: uploaded after"
}

@test "the file's settings turn it on, an option overrides one of them, --no-s3 turns it off" {
    changed_config '/^      retention: 6/a\
      s3backupconfig:\
        access_key: '"$S3_ACCESS_KEY"'\
        secret_key: '"$S3_SECRET_KEY"'\
        bucket_name: '"$S3_BUCKET"'\
        endpoint: '"$S3_TLS_ENDPOINT"'\
        folder: from-file\
        custom_ca: |\
'"$(sed 's/^/          /; s/$/\\/' "$S3_CA")"'

'
    save --output json
    expect_status 0
    json .s3.key "from-file/$NAME.zip"
    json .s3.credentials cluster.yml
    save --force --folder elsewhere --output json
    expect_status 0
    json .s3.key "elsewhere/$NAME.zip"
    save --force --no-s3 --output json
    expect_status 0
    json .s3 null
    [ "$(lab s3-ls | wc -l)" = 2 ]
}

@test "folders: slashes are made the way RKE's restore looks for them, and any UTF-8 may be in them" {
    place "$NAME" 400000 n1
    for folder in /a/b/ a//b 'föhn/山'; do
        upload "$NAME" --force --folder "$folder" --output json
        expect_status 0
        clean=${folder//\/\//\/}
        clean=${clean#/}
        key=${clean%/}/$NAME.zip
        json .s3.key "$key"
        expect_object "$key" n1
    done
}

@test "a name with + . and - arrives under that very key" {
    NAME=a+b.c-d_e
    place "$NAME" 400000 n1
    upload "$NAME" --output json
    expect_status 0
    expect_object "$NAME.zip" n1
    save_s3 --name 'with space'
    expect_status 2
}

@test "plain HTTP only when asked for, with a warning" {
    STORE=(--s3 --s3-endpoint "$S3_ENDPOINT" --bucket-name "$S3_BUCKET")
    place "$NAME" 400000 n1
    upload "$NAME" --s3-plain-http
    expect_status 0
    expect_stderr "plain HTTP to S3"
    upload "$NAME" --force --s3-insecure
    expect_status 0
    expect_object "$NAME.zip" n1
    upload "$NAME" --force
    expect_status 2
}

@test "certificates: missing, wrong, expired, of another host, and no certificate at all; nothing is touched" {
    STORE=(--s3 --s3-endpoint "$S3_TLS_ENDPOINT" --bucket-name "$S3_BUCKET")
    save_s3
    expect_status 2
    expect_stderr --s3-endpoint-ca
    save_s3 --s3-endpoint-ca "$S3_OTHER_CA"
    expect_status 2
    for endpoint in "$S3_TLS_EXPIRED:expired" "$S3_TLS_WRONG_HOST:10.77.0.3" "$S3_TLS_OTHER_CA:--s3-endpoint-ca"; do
        STORE=(--s3 --s3-endpoint "${endpoint%:*}" --bucket-name "$S3_BUCKET" --s3-endpoint-ca "$S3_CA")
        save_s3 --output json
        expect_status 2
        json .status refused
        json .error.kind certificate
        expect_stderr "${endpoint##*:}"
    done
    STORE=(--s3 --s3-endpoint "$S3_TLS_ENDPOINT" --bucket-name "$S3_BUCKET")
    echo nonsense >"$BATS_TEST_TMPDIR/ca.pem"
    save_s3 --s3-endpoint-ca "$BATS_TEST_TMPDIR/ca.pem"
    expect_status 2
    expect_stderr "holds no certificate"
    for node in "${NODES[@]}"; do expect_no_archive "$node"; done
    save_s3 --s3-skip-tls-verify
    expect_status 0
    expect_stderr "is not checked"
}

@test "virtual-host style" {
    place "$NAME" 400000 n1
    run --separate-stderr "$LAB" run --hosts "$SNAPCTL" upload "$NAME" --config "$CONFIG" \
        --known-hosts "$LAB_DIR/known_hosts" "${KEYS[@]}" --s3 --s3-endpoint "$S3_VHOST_TLS" --s3-endpoint-ca "$S3_CA" \
        --bucket-name "$S3_BUCKET" --s3-bucket-lookup dns --output json
    expect_status 0
    expect_object "$NAME.zip" n1
}

@test "a proxy for S3 alone, with a password that stays secret" {
    place "$NAME" 400000 n1
    upload "$NAME" --s3-proxy "http://$S3_PROXY_USER:$S3_PROXY_PASSWORD@$S3_PROXY_AUTH" --trace
    expect_status 0
    refute_anywhere "$S3_PROXY_PASSWORD"
    https_proxy=http://127.0.0.1:9 upload "$NAME" --force --s3-proxy "http://$S3_PROXY"
    expect_status 0
}

@test "what is wrong with the request stops the run in no time, with its hint, and nothing is touched" {
    save_s3 --secret-key wrong
    expect_status 2
    expect_stderr SignatureDoesNotMatch
    save_s3 --access-key NOBODY0000000000
    expect_status 2
    expect_stderr InvalidAccessKeyId
    save_s3 --bucket-name missing-bucket
    expect_status 2
    expect_stderr NoSuchBucket
    lab s3-put "$NAME.zip" "$S3_CA"
    save_s3
    expect_status 2
    expect_stderr "s3://$S3_BUCKET/$NAME.zip exists ("
    for node in "${NODES[@]}"; do expect_no_archive "$node"; done
    refute_anywhere LAB-S3-SECRET
    save_s3 --force --output json
    expect_status 0
    expect_object "$NAME.zip" "$(source_node)"
}

@test "a user without rights on the bucket: told as what is missing, and the snapshots are good" {
    KEYS=(--access-key "$S3_OTHER_ACCESS_KEY" --secret-key "$S3_OTHER_SECRET_KEY")
    save_s3 --output json
    expect_status 3
    json .s3.status failed
    json .s3.error.kind auth
    jq -e '.s3.error.hint | contains("s3:PutObject")' <<<"$output"
    json '[.nodes[].status] | unique | join(",")' saved
}

@test "least privilege: rights on objects alone are enough" {
    lab s3-policy put-only
    KEYS=(--access-key "$S3_OTHER_ACCESS_KEY" --secret-key "$S3_OTHER_SECRET_KEY")
    save_s3 --output json
    expect_status 0
    json .s3.status uploaded
    LAB_S3_USER=other expect_object "$NAME.zip" "$(source_node)"
}

@test "sizes around a part's: one PUT, and parts" {
    for row in 16777215:1 16777216:1 16777217:2 33554431:2 33554432:2 33554433:3; do
        size=${row%:*}
        place "$NAME" "$size" n1
        upload "$NAME" --force --output json
        expect_status 0
        json .s3.parts "${row#*:}"
        json .s3.bytes "$size"
        expect_object "$NAME.zip" n1
    done
    expect_no_uploads
}

@test "1 GiB: memory is bounded, and etcdctl restores what was uploaded" {
    GROW=1 place "$NAME" $((1 << 30)) n1
    peak=$BATS_TEST_TMPDIR/peak
    run --separate-stderr "$LAB" run /usr/bin/time -f %M -o "$peak" "$SNAPCTL" upload "$NAME" --config "$CONFIG" \
        --known-hosts "$LAB_DIR/known_hosts" "${STORE[@]}" "${KEYS[@]}" --output json
    expect_status 0
    json .s3.parts 64
    [ "$(tail -n 1 "$peak")" -le $(((32 + 5 * 16) * 1024)) ] || { cat "$peak" && return 1; }
    expect_object "$NAME.zip" n1
    run -0 lab restore "$BATS_TEST_TMPDIR/object.zip"
    expect_no_uploads
}

@test "from an etcd node, where the operator has no way to S3" {
    lab s3-cut operator
    save_s3 --s3-via local --s3-timeout 2 --output json
    expect_status 3
    save_s3 --force --output json
    expect_status 0
    json .s3.via node
    expect_stderr "from an etcd node"
    lab s3-heal
    expect_object "$NAME.zip" "$(source_node)"
    place "$NAME-parts" 40000000 n1
    # A way that swallows everything, and a region that need not be asked for.
    lab s3-cut operator --silent
    upload "$NAME-parts" --region us-east-1 --output json
    expect_status 0
    json .s3.via node
    lab s3-heal
    lab s3-rm "$NAME-parts.zip"
    lab s3-cut operator
    upload "$NAME-parts" --s3-via node --output json
    expect_status 0
    json .s3.via node
    json .s3.parts 3
    lab s3-heal
    expect_object "$NAME-parts.zip" n1 "$NAME-parts"
    expect_clean
}

@test "plain HTTP never goes through a node by itself" {
    lab s3-cut operator
    STORE=(--s3 --s3-endpoint "$S3_ENDPOINT" --bucket-name "$S3_BUCKET" --s3-plain-http --s3-timeout 2)
    save_s3 --output json
    expect_status 3
    json .s3.via local
}

@test "encryption, tags and a checksum" {
    place "$NAME" 20000000 n1
    upload "$NAME" --s3-sse aws:kms:testkey-1 --s3-tag team=etcd --s3-tag 'why=before upgrade' --s3-checksum sha256 --output json
    expect_status 0
    head=$(lab s3-head "$NAME.zip")
    [[ "$head" == *"x-amz-server-side-encryption: aws:kms"* ]]
    [[ "$head" == *"x-amz-tagging-count: 0"* ]]
    expect_stderr "the store kept 0 of the 2 tags" # radosgw 16 forgets them in a multipart upload
    place "$NAME-small" 400000 n1
    upload "$NAME-small" --s3-tag team=etcd --s3-tag 'why=before upgrade' --output json
    expect_status 0
    [[ "$(lab s3-head "$NAME-small.zip")" == *"x-amz-tagging-count: 2"* ]]
    [[ "$stderr" != *"tags"* ]]
}

@test "object lock: nobody deletes it before its time" {
    local bucket
    bucket="locked-$(date +%s)" # what is locked stays, also for the next try of this test
    lab s3-api create-bucket --bucket "$bucket" --object-lock-enabled-for-bucket
    place "$NAME" 400000 n1
    upload "$NAME" --bucket-name "$bucket" --s3-object-lock governance:1 --output json
    expect_status 0
    version=$(jq -r .s3.version_id <<<"$output")
    [ -n "$version" ] && [ "$version" != null ]
    run lab s3-api delete-object --bucket "$bucket" --key "$NAME.zip" --version-id "$version"
    [[ "$output" == *AccessDenied* ]]
}

@test "a dry run asks the bucket, and uploads nothing" {
    save_s3 --dry-run
    expect_status 0
    expect_no_object
    save_s3 --dry-run --bucket-name missing-bucket
    expect_status 2
}

@test "upload: what nodes have, as save would have sent it; what no node has is refused" {
    save
    expect_status 0
    upload "$NAME" --output json
    expect_status 0
    json .status ok
    json '[.nodes[].status] | unique | join(",")' found
    expect_object "$NAME.zip" "$(source_node)"
    upload "$NAME.zip" --force
    expect_status 0
    expect_output "Snapshot [$NAME] is uploaded"
    upload "$NAME"
    expect_status 2
    expect_stderr "exists ("
    upload nowhere
    expect_status 2
    expect_stderr "has the snapshot nowhere"
    expect_stderr 'snapctl list shows'
    upload "$NAME" --no-s3
    expect_status 2
}

@test "upload: a user who is only in the group docker" {
    save
    CONFIG=$LAB_DIR/cluster-rancher.yml
    one_node
    upload "$NAME" --output json
    expect_status 0
    expect_object "$NAME.zip" "$(source_node)"
    expect_clean
}

@test "no secret in any output at --trace, in ps here or on a node, or in a process of the node" {
    place "$NAME" 30000000 n1
    lab s3-fault 'slow 8000'
    STORE=(--s3 --s3-endpoint "$S3_FAULT_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET")
    OUT=$BATS_TEST_TMPDIR/out ERR=$BATS_TEST_TMPDIR/err
    "$LAB" run "$SNAPCTL" upload "$NAME" --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "${STORE[@]}" \
        "${KEYS[@]}" --s3-via node --trace --output json >"$OUT" 2>"$ERR" 3>&- &
    job=$!
    eventually 40 grep -q 'S3: uploading' "$ERR"
    seen=$(tr '\0' '\n' <"/proc/$job/cmdline"; tr '\0' '\n' <"/proc/$job/environ"
        for node in "${NODES[@]}"; do
            on "$node" ps -efww
            on "$node" sh -c 'cat /proc/[0-9]*/environ 2>/dev/null | tr "\0" "\n"; docker ps -a'
        done)
    finish
    expect_status 0
    refute_anywhere LAB-S3-SECRET
    [[ "$seen" != *LAB-S3-SECRET* ]] || { grep LAB-S3-SECRET <<<"$seen" && return 1; }
}
