# Where the keys come from: each place of the chain, on the real server.

setup() {
    load helpers
    load s3
    s3_setup
    one_node
    KEYS=()
    export AWS_EC2_METADATA_DISABLED=true
    place "$NAME" 400000 n1
}

teardown() { mend; }

uploaded_with() {
    expect_status 0
    json .s3.status uploaded
    json .s3.credentials "$1"
    refute_anywhere LAB-S3-SECRET
}

@test "the environment, the shared files, and a file with the secret key" {
    AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY upload "$NAME" --output json
    uploaded_with environment
    mkdir -p "$HOME/.aws"
    printf '[default]\naws_access_key_id = NOBODY\naws_secret_access_key = x\n[lab]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
        "$S3_ACCESS_KEY" "$S3_SECRET_KEY" >"$HOME/.aws/credentials"
    AWS_PROFILE=lab upload "$NAME" --force --output json
    uploaded_with profile
    echo "$S3_SECRET_KEY" >"$BATS_TEST_TMPDIR/secret"
    upload "$NAME" --force --access-key "$S3_ACCESS_KEY" --secret-key-file "$BATS_TEST_TMPDIR/secret" --output json
    uploaded_with flags
}

@test "session keys" {
    mapfile -t session < <(lab s3-sts)
    STORE=(--s3 --s3-endpoint "$S3_STS_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET")
    upload "$NAME" --access-key "${session[0]}" --secret-key "${session[1]}" --session-token "${session[2]}" --output json --trace
    uploaded_with flags
    refute_anywhere "${session[1]}"
    refute_anywhere "${session[2]}"
    AWS_ACCESS_KEY_ID=${session[0]} AWS_SECRET_ACCESS_KEY=${session[1]} AWS_SESSION_TOKEN=${session[2]} \
        upload "$NAME" --force --output json
    uploaded_with environment
}

@test "web identity, as CI jobs have it" {
    STORE=(--s3 --s3-endpoint "$S3_STS_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET")
    export AWS_ENDPOINT_URL_STS=https://$S3_STS_TLS_ENDPOINT AWS_ROLE_ARN=$S3_WEB_ROLE_ARN
    AWS_WEB_IDENTITY_TOKEN_FILE=$S3_WEB_TOKEN_FILE upload "$NAME" --output json --trace
    uploaded_with web-identity
    refute_anywhere "$(<"$S3_WEB_TOKEN_FILE")"
    AWS_WEB_IDENTITY_TOKEN_FILE=$S3_WEB_EXPIRED_TOKEN_FILE upload "$NAME" --force
    expect_status 2
    expect_stderr "web identity"
}

@test "the etcd node's IAM role: version 2, version 1, and a hop limit that lets no token through" {
    unset AWS_EC2_METADATA_DISABLED
    for how in v2 v1 v2-hop; do
        for node in "${NODES[@]}"; do lab imds "$node" $how; done
        upload "$NAME" --force --output json
        if [ $how = v2-hop ]; then
            # No token can be had, and this service answers to nobody else.
            expect_status 2
            expect_stderr "no credentials for S3 were found"
        else
            uploaded_with node-role
            json .s3.via node
            expect_object "$NAME.zip" "$(source_node)"
        fi
    done
    for node in "${NODES[@]}"; do lab imds "$node" refuse; done
    upload "$NAME" --force
    expect_status 2
    expect_stderr "the etcd node's IAM role"
}

@test "the role's session keys, which end during the upload, are asked for again" {
    unset AWS_EC2_METADATA_DISABLED
    for node in "${NODES[@]}"; do lab imds "$node" v2 --sts --expires 2; done
    STORE=(--s3 --s3-endpoint "$S3_STS_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET")
    place "$NAME" 40000000 n1
    upload "$NAME" --output json
    uploaded_with node-role
    asked=$(cat "$LAB_DIR"/nodes/n*/imds.log | grep -c 'security-credentials/etcd-role')
    [ "$asked" -gt 1 ] || { echo "asked $asked times" && return 1; }
    expect_object "$NAME.zip" n1
}

@test "no keys anywhere: all places are told, with what each said" {
    upload "$NAME"
    expect_status 2
    for place in 'the flags:' 'cluster.yml:' 'the environment:' 'web identity:' "AWS's shared files:" \
        "the container's role:" "the etcd node's IAM role:" "this machine's IAM role:"; do
        expect_stderr "$place"
    done
    upload "$NAME" --access-key "$S3_ACCESS_KEY"
    expect_status 2
    expect_stderr "secret key"
}
