# SIGINT and SIGTERM in each phase of the upload: an end within 10 s, and no multipart upload is left.

setup() {
    load helpers
    load s3
    s3_setup
    one_node
    STORE=(--s3 --s3-endpoint "$S3_FAULT_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET")
    PARTS=34000000
    SINGLE=400000
}

teardown() { mend; }

sends_for_a_second() { grep -q 'S3: uploading' "$ERR" && sleep 1; }

# Sends a signal once a condition holds, and expects the end within 10 s with nothing left.
interrupt() {
    local signal=$1 status_expected=$2 begun
    shift 2
    eventually 40 "$@" || { cat "$ERR" && return 1; }
    begun=$SECONDS
    kill "-$signal" "$job"
    finish
    [ $((SECONDS - begun)) -le 10 ]
    expect_status "$status_expected"
    json .status interrupted
    json .error.kind cancelled
    lab s3-heal
    expect_no_uploads
}

seen() { [ "$(requests "$1")" -ge "$2" ]; }

err_has() { grep -q "$1" "$ERR"; }

@test "SIGINT while the bucket is asked" {
    place "$NAME" $PARTS n1
    lab s3-fault slow 100000
    lab s3-cut operator --silent
    upload_in_background "$NAME" --s3-via local --output json
    interrupt INT 130 err_has "checking"
    json .s3.status skipped
    [ "$(requests .)" = 0 ]
}

@test "SIGINT during CreateMultipartUpload: its answer is awaited, and it is aborted" {
    place "$NAME" $PARTS n1
    lab s3-fault slow-create
    upload_in_background "$NAME" --output json
    interrupt INT 130 has_uploads
    json .s3.status failed
    json .s3.error.kind cancelled
    # It was the Create that was interrupted: it was answered afterwards.
    [ "$(requests '^POST .* uploads= 200$')" = 1 ]
    [ "$(requests '^PUT ')" = 0 ]
    [ "$(requests '^DELETE .* 204$')" = 1 ]
    expect_no_object
}

@test "SIGINT and SIGTERM during the parts" {
    place "$NAME" 100000000 n1
    for row in INT:130 TERM:143; do
        lab s3-fault slow 8000
        upload_in_background "$NAME" --output json
        interrupt "${row%:*}" "${row#*:}" seen '^PUT .* 200$' 1
        json .s3.status failed
        [ "$(requests '^POST .* uploadId=')" = 0 ]
        [ "$(requests '^DELETE .* 204$')" = 1 ]
        expect_no_object
    done
}

@test "SIGINT during the one PUT: broken off, or reported if it was done by then" {
    place "$NAME" 16000000 n1
    lab s3-fault slow 1000
    upload_in_background "$NAME" --output json
    interrupt INT 130 sends_for_a_second
    json .s3.status failed
    expect_no_object
    place "$NAME" $SINGLE n1
    lab s3-fault slow 200
    upload_in_background "$NAME" --output json
    interrupt INT 130 sends_for_a_second
    if [ "$(jq -r .s3.status <<<"$output")" = uploaded ]; then
        expect_object "$NAME.zip" n1
    else
        json .s3.status failed
        expect_no_object
    fi
    refute_anywhere "tried again"
}

@test "SIGINT during Complete, which fails: aborted" {
    place "$NAME" $PARTS n1
    lab s3-fault cut-complete-always
    upload_in_background "$NAME" --output json
    interrupt INT 130 seen '^POST .* uploadId=' 2
    json .s3.status failed
    [ "$(requests '^DELETE .* 204$')" = 1 ]
    expect_no_object
}

@test "SIGINT during Complete, which was done though no answer told it: the report is true" {
    place "$NAME" $PARTS n1
    lab s3-fault cut-after-complete-always
    upload_in_background "$NAME" --output json
    interrupt INT 130 seen '^POST .* uploadId=' 3
    json .s3.status uploaded
    json .s3.error null
    expect_object "$NAME.zip" n1
}

@test "SIGINT during the upload of a save: the snapshots stay, and are reported as saved" {
    lab s3-fault slow 2
    save_in_background "${STORE[@]}" "${KEYS[@]}" --output json
    all_saved() { [ "$(grep -c '^node .*: saved' "$ERR")" = ${#NODES[@]} ] && sends_for_a_second; }
    interrupt INT 130 all_saved
    json '[.nodes[].status] | join(",")' saved
    json .s3.status failed
    expect_no_object
    for node in "${NODES[@]}"; do expect_archive "$node"; done
    expect_clean
}

@test "a second signal leaves at once, and names what may be left" {
    place "$NAME" 60000000 n1
    lab s3-fault slow-create
    upload_in_background "$NAME"
    eventually 40 has_uploads
    kill -INT "$job"
    sleep 0.3
    kill -INT "$job"
    begun=$SECONDS
    finish
    [ $((SECONDS - begun)) -le 1 ]
    expect_status 130
    expect_stderr "S3: parts of s3://$S3_BUCKET/$NAME.zip, or the object itself"
}
