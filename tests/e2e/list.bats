# What `list` shows, on the lab's nodes and its S3.

setup() {
    load helpers
    load s3
    s3_setup
}

teardown() { mend; }

list() { snapctl list --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "$@"; }

in_store() { list --s3-endpoint "$S3_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET" "${KEYS[@]}" "$@"; }

@test "all places, the newest first, and nothing but snapshots" {
    place "$NAME" 400000 n1 n3
    place "$NAME-old" 500000 n2
    on n2 touch -d '2026-01-02 03:04:05 UTC' "$BACKUP/$NAME-old.zip"
    on n2 sh -c "cd $BACKUP && cp $NAME-old.zip 2026-01-01T00:00:00Z_etcd.zip && touch -d 2026-01-01 2026-01-01T00:00:00Z_etcd.zip &&
        echo x >pki.bundle.tar.gz && echo x >'a b.zip' && mkdir folder.zip && ln -s $NAME-old.zip link.zip"
    lab s3-put "cluster/$NAME.zip" "$BATS_TEST_TMPDIR/$NAME.zip"
    lab s3-put "cluster/deeper/other.zip" "$BATS_TEST_TMPDIR/$NAME.zip"
    lab s3-put "cluster/notes" "$BATS_TEST_TMPDIR/$NAME.zip"
    in_store --folder /cluster/ --output json
    expect_status 0
    json .status ok
    json '[.snapshots[].name] | join(",")' "$NAME,$NAME-old,2026-01-01T00:00:00Z_etcd"
    json '[.snapshots[0].nodes[].address] | join(",")' 10.77.0.11,10.77.0.13
    json .snapshots[0].bytes 400000
    json .snapshots[0].s3.key "cluster/$NAME.zip"
    json .snapshots[0].s3.bytes 400000
    json .snapshots[1].time 2026-01-02T03:04:05Z
    json .snapshots[1].s3 null
    json '[.snapshots[].kind] | join(",")' one-time,one-time,rolling
    json .s3.status listed
    in_store --folder cluster
    expect_status 0
    expect_output "3 snapshots"
    [[ "$output" =~ "$NAME "+2026.*10.77.0.11,10.77.0.13\ +yes ]]
}

@test "plain snapshots in S3: by their marks and bundles, and told where the keys may not look" {
    one_node
    on n1 sh -c "umask 077; mkdir -p /etc/kubernetes/.tmp && cp /etc/kubernetes/ssl/*.pem /etc/kubernetes/.tmp"
    save_s3 --legacy
    expect_status 0
    on n1 rm -r /etc/kubernetes/.tmp "$BACKUP/pki.bundle.tar.gz" "$BACKUP/$NAME"
    lab s3-get "$NAME" "$BATS_TEST_TMPDIR/plain"
    for key in notes notes.pki.bundle.tar.gz; do lab s3-put $key "$BATS_TEST_TMPDIR/plain"; done
    in_store --output json
    expect_status 0
    json '[.snapshots[].name] | join(" ")' "$NAME"
    json '.snapshots[0] | [.state_file, .s3.key, .s3.format, .s3.bytes] | tostring' \
        "[false,\"$NAME\",\"plain\",$(stat -c %s "$BATS_TEST_TMPDIR/plain")]"
    in_store
    [[ "$output" =~ "$NAME "+2026.*\ yes\ +no\  ]]

    # The user `other` may list the bucket, and nothing else.
    jq -n --arg bucket "arn:aws:s3:::$S3_BUCKET" '{Version: "2012-10-17", Statement: [{Effect: "Allow",
        Principal: {AWS: ["arn:aws:iam:::user/other"]}, Action: ["s3:ListBucket"], Resource: $bucket}]}' \
        >"$BATS_TEST_TMPDIR/policy"
    lab s3-policy "$BATS_TEST_TMPDIR/policy"
    KEYS=(--access-key "$S3_OTHER_ACCESS_KEY" --secret-key "$S3_OTHER_SECRET_KEY")
    in_store --output json
    lab s3-policy off
    expect_status 0
    json '.snapshots | length' 0
    json .s3.status listed
    expect_stderr 'S3: 2 objects may be plain snapshots, but cannot be looked at, and are left out: '
    expect_stderr s3:GetObject
    [ "$(grep -c 'looked at' <<<"$stderr")" = 1 ]
}

@test "the state file is looked for inside, as root and through a container" {
    place "$NAME-with" 400000 n1
    CONFIG=$BATS_TEST_TMPDIR/cluster.yml
    cp "$LAB_DIR/cluster.yml" "$CONFIG" # and no state file beside it
    save --verify quick
    for config in cluster.yml cluster-rancher.yml; do
        CONFIG=$LAB_DIR/$config
        list --output json
        expect_status 0
        json ".snapshots[] | select(.name == \"$NAME\") | [.state_file, (.nodes | length)] | join(\",\")" false,3
        json ".snapshots[] | select(.name == \"$NAME-with\").state_file" true
    done
}

@test "S3 alone needs no node, nodes alone no S3, and a place that is down hides no other" {
    place "$NAME" 400000 n1
    lab s3-put "$NAME.zip" "$BATS_TEST_TMPDIR/$NAME.zip"
    lab sshd-stop n2
    in_store --output json
    expect_status 3
    json .status partial
    json '[.nodes[].status] | join(",")' listed,failed,listed
    json '.snapshots | length' 1
    for node in "${NODES[@]}"; do lab cut $node; done
    in_store --s3 --output json
    expect_status 0
    json '[.nodes[].status] | unique | join(",")' skipped
    json '.snapshots[0].nodes | length' 0
    lab mend
    in_store --s3 --s3-via node --output json
    expect_status 0
    json .s3.via node
    lab s3-cut operator
    in_store --local --output json
    expect_status 0
    json .s3 null
    in_store --s3-via local --output json
    expect_status 3
    json .s3.status failed
    json '.snapshots | length' 1
}

@test "places that cannot be asked are not told as if they had nothing" {
    place "$NAME" 400000 n1
    in_store --local --s3 --access-key "$S3_ACCESS_KEY" --secret-key wrong
    expect_status 3
    expect_output '1 snapshot; not all places could be listed'
    in_store --s3 --access-key "$S3_ACCESS_KEY" --secret-key wrong
    expect_status 1
    expect_output 'no place could be listed'
    refute_anywhere '0 snapshots'
    list --s3
    expect_status 2
    expect_stderr 'no bucket is named for S3'
}

@test "1,000 snapshots on each node" {
    place "$NAME" 400000 n1
    for node in "${NODES[@]}"; do
        on $node sh -c "cat >$BACKUP/s.zip" <"$BATS_TEST_TMPDIR/$NAME.zip"
        on $node /usr/bin/python3 -c "import os; [os.link('$BACKUP/s.zip', f'$BACKUP/s{i}.zip') for i in range(999)]"
    done
    list --output json
    expect_status 0
    json '.snapshots | length' 1001
    json '[.snapshots[] | select(.nodes | length == 3)] | length' 1000
}
