# What `check` finds, and what --fix removes, on the lab's nodes and its S3.
# shellcheck disable=SC2030,SC2031 # each test has its own UNDO

setup() {
    load helpers
    load s3
    s3_setup
    UNDO=()
}

teardown() {
    local undo
    for undo in "${UNDO[@]}"; do $undo >/dev/null 2>&1 || :; done
    mend
}

check() { snapctl check --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "$@"; }

in_store() {
    check --s3-endpoint "$S3_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET" --output json "$@"
}

in_fault_store() { in_store "${KEYS[@]}" --s3 --s3-endpoint "$S3_FAULT_TLS_ENDPOINT" "$@"; }

# found PLACE CHECK: the results, one after the other.
found() { jq -r --arg place "$1" --arg check "$2" \
    '[.findings[] | select(.place == $place and .check == $check).result] | join(",")' <<<"$output"; }

expect_found() { [ "$(found "$1" "$2")" = "$3" ] || { echo "$1 $2: $(found "$1" "$2"), not $3" && show && return 1; }; }

disarm() { on n1 docker exec etcd etcdctl alarm disarm; }

@test "a cluster that is well, and nothing is left in the bucket" {
    in_store "${KEYS[@]}" --folder a/b
    expect_status 0
    json .status ok
    json '[.findings[].result] | unique | join(",")' ok
    json '[.findings[].place] | unique | join(",")' 10.77.0.11,10.77.0.12,10.77.0.13,config,s3
    for right in GetObject PutObject AbortMultipartUpload ListBucket; do expect_found s3 s3:$right ok; done
    run -1 has_uploads
    expect_clean
}

# expect_places PLACES: what the findings are about, "nodes" for all but S3.
expect_places() { json '[.findings[].place] | map(if . == "s3" then . else "nodes" end) | unique | join(",")' "$1"; }

@test "--s3 is about S3 alone, --local about the nodes, and --s3=false, too" {
    in_store "${KEYS[@]}" --local --s3
    expect_status 0
    expect_places nodes,s3
    for words in --local --s3=false; do
        in_store "${KEYS[@]}" $words
        expect_status 0
        expect_places nodes
    done
    lab sshd-stop n1
    for via in local node; do
        in_store "${KEYS[@]}" --s3 --s3-via $via
        expect_status 0
        expect_places s3
    done
    in_store --access-key "$S3_ACCESS_KEY" --secret-key wrong --s3
    expect_status 1
    expect_places s3
}

@test "troubles of nodes, and one node's hides no other's" {
    changed_config 's/x/x/'
    rm "$BATS_TEST_TMPDIR/cluster.rkestate"
    UNDO+=(disarm)
    # etcd's gateway raises it; without a quota's being reached.
    on n1 sh -c "cd /etc/kubernetes/ssl && curl -sS --cacert kube-ca.pem --cert kube-node.pem --key kube-node-key.pem \
        https://10.77.0.11:2379/v3/maintenance/alarm -d '{\"action\":\"ACTIVATE\",\"memberID\":0,\"alarm\":\"NOSPACE\"}'"
    lab etcd-stop n2
    lab sshd-stop n3
    check --output json --image rancher/rke-tools:none
    expect_status 3
    json .status failed
    expect_found config state-file warning
    expect_found 10.77.0.11 alarm warning
    expect_found 10.77.0.11 image warning
    expect_found 10.77.0.12 etcd failed
    expect_found 10.77.0.13 ssh failed
    check
    expect_status 3
    expect_output "WARN  10.77.0.11  alarm: etcd's alarm is raised: NOSPACE"
    expect_output "FAIL  10.77.0.12  etcd: etcd is not running"
}

@test "what dead runs left is told, and --fix removes it, also for who is not root" {
    for config in cluster.yml cluster-rancher.yml; do
        CONFIG=$LAB_DIR/$config
        on n1 sh -c "cd /etc/kubernetes && echo k >dead.rkestate && chmod 400 dead.rkestate
            echo k >theirs.rkestate && chmod 600 theirs.rkestate
            echo z >$BACKUP/.old.zip.ab12.before-force && echo z >$BACKUP/.both.zip.ab12.before-force && echo z >$BACKUP/both.zip
            docker run --name etcd-snapshot-once --label io.snapctl.run=ab12cd34 --label io.snapctl.snapshot=gone \
                --entrypoint false \$(docker inspect --format '{{.Config.Image}}' service-sidekick)" || :
        check --output json
        expect_status 0
        json .status warnings
        expect_found 10.77.0.11 leftovers warning,warning,warning,warning
        on n1 test -e /etc/kubernetes/dead.rkestate
        check --fix --output json
        expect_status 0
        json '[.findings[] | select(.check == "leftovers" and .place == "10.77.0.11").result] | sort | join(",")' ok,ok,ok,warning
        on n1 sh -c "rm /etc/kubernetes/theirs.rkestate $BACKUP/old.zip $BACKUP/both.zip $BACKUP/.both.zip.ab12.before-force"
        expect_clean
    done
}

@test "a run at work is left alone" {
    on n1 sh -c "docker run -d --name etcd-snapshot-once --entrypoint sleep \
        \$(docker inspect --format '{{.Config.Image}}' service-sidekick) 60"
    UNDO+=("on n1 docker rm -f etcd-snapshot-once")
    check --fix --output json
    expect_status 3
    expect_found 10.77.0.11 lock failed
    container_runs n1
}

@test "an upload that was never ended is told after a day by the store's clock, and --fix aborts it" {
    lab s3-api create-multipart-upload --bucket "$S3_BUCKET" --key "$NAME.zip" >/dev/null
    lab s3-api create-multipart-upload --bucket "$S3_BUCKET" --key "$NAME.log" >/dev/null
    in_fault_store --fix
    expect_found s3 leftovers ok
    [ "$(lab s3-uploads | wc -l)" -eq 2 ]
    lab s3-fault tomorrow
    UNDO+=("lab s3-fault off")
    in_fault_store
    expect_found s3 leftovers warning
    [ "$(lab s3-uploads | wc -l)" -eq 2 ]
    in_fault_store --fix
    expect_found s3 leftovers ok
    json '[.findings[] | select(.check == "leftovers" and .place == "s3").text | contains("removed an upload")] | all' true
    [[ "$(lab s3-uploads)" == "$NAME.log "* ]]
    lab s3-empty
}

@test "S3: wrong keys, no bucket, and rights that are missing" {
    in_store --access-key "$S3_ACCESS_KEY" --secret-key wrong
    expect_status 3
    expect_found s3 reachable failed
    in_store "${KEYS[@]}" --bucket-name no-such-bucket
    expect_status 3
    expect_found s3 reachable failed
    lab s3-policy no-abort
    UNDO+=("lab s3-policy off")
    in_store --access-key "$S3_OTHER_ACCESS_KEY" --secret-key "$S3_OTHER_SECRET_KEY"
    expect_status 3
    expect_found s3 s3:PutObject ok
    expect_found s3 s3:AbortMultipartUpload failed
    json '[.findings[] | select(.check == "s3:AbortMultipartUpload").remedy | contains("upload id")] | all' true
}

# remedy_of CHECK TEXT: the remedy of S3's finding has it.
remedy_of() {
    jq -e --arg check "$1" --arg text "$2" \
        '[.findings[] | select(.place == "s3" and .check == $check and (.remedy | contains($text)))] | length == 1' <<<"$output"
}

@test "S3: options of an upload are tried as save sends them, and the one that is refused is told" {
    local bucket fault check all=(--s3-tag team=etcd --s3-object-lock governance:1 --s3-sse aws:kms:testkey-1 --s3-checksum sha256)
    bucket="locked-$(date +%s)"
    lab s3-api create-bucket --bucket "$bucket" --object-lock-enabled-for-bucket
    UNDO+=("lab s3-rb $bucket" "lab s3-fault off")
    in_store "${KEYS[@]}" --s3 --bucket-name "$bucket" "${all[@]}"
    expect_status 0
    for check in s3-tag s3-object-lock s3-sse s3-checksum s3:PutObject s3:AbortMultipartUpload; do expect_found s3 $check ok; done
    in_store "${KEYS[@]}" --s3
    json '[.findings[] | select(.check | startswith("s3-"))] | length' 0

    # The bucket, and the key.
    in_store "${KEYS[@]}" --s3 --s3-tag team=etcd --s3-object-lock governance:1
    expect_status 1
    expect_found s3 s3-tag ok
    expect_found s3 s3-object-lock failed
    remedy_of s3-object-lock 'a bucket that has object lock'
    in_store "${KEYS[@]}" --s3 --s3-tag team=etcd --s3-sse aws:kms:no-such-key
    expect_status 1
    expect_found s3 s3-tag ok
    expect_found s3 s3-sse failed

    # The rights.
    for row in deny-tags:s3-tag:s3:PutObjectTagging deny-lock:s3-object-lock:s3:PutObjectRetention deny-kms:s3-sse:kms:GenerateDataKey; do
        IFS=: read -r fault check right <<<"$row"
        lab s3-fault "$fault"
        in_fault_store --bucket-name "$bucket" "${all[@]}"
        expect_status 1
        for other in s3-tag s3-object-lock s3-sse s3-checksum; do
            expect_found s3 $other "$([ $other = "$check" ] && echo failed || echo ok)"
        done
        remedy_of "$check" "$right"
        expect_found s3 s3:PutObject ok
    done
    lab s3-fault deny-tags deny-lock
    in_fault_store --bucket-name "$bucket" "${all[@]}"
    expect_found s3 s3-tag failed
    expect_found s3 s3-object-lock failed
    expect_found s3 s3-sse ok
    expect_found s3 s3:AbortMultipartUpload ok
    run -1 has_uploads
    [ -z "$(LAB_S3_BUCKET=$bucket lab s3-uploads)$(LAB_S3_BUCKET=$bucket lab s3-ls)" ]
}

@test "S3: where nothing can be written, options are not blamed; where nothing can be aborted, no more than needed is begun" {
    UNDO+=("lab s3-policy off" "lab s3-fault off")
    KEYS=(--access-key "$S3_OTHER_ACCESS_KEY" --secret-key "$S3_OTHER_SECRET_KEY")
    lab s3-policy read-only
    in_store "${KEYS[@]}" --s3 --s3-tag team=etcd --s3-sse AES256
    expect_status 1
    expect_found s3 s3:PutObject failed
    expect_found s3 s3-tag warning
    expect_found s3 s3-sse warning
    lab s3-policy no-abort
    lab s3-fault deny-tags deny-kms
    in_fault_store --s3-tag team=etcd --s3-sse aws:kms:testkey-1
    expect_found s3 s3:PutObject ok
    expect_found s3 s3:AbortMultipartUpload failed
    [ "$(lab s3-uploads | wc -l)" -eq 1 ]
    lab s3-empty
}

container_of_files() { [ -n "$(on n1 docker ps -aq --filter label=io.snapctl.role=files)" ]; }
all_is_as_before() { [ "$(all_of_docker)" = "$before" ]; }
all_of_docker() { on n1 sh -c 'docker ps -aq; docker images -aq; docker volume ls -q' | sort; }

@test "a tools image of another era" {
    local era other # the image says it by itself, as no file of the node's is in the tool's sight
    for config in cluster.yml cluster-rancher.yml; do
        CONFIG=$LAB_DIR/$config
        check --local --output json
        expect_found 10.77.0.11 tool ok
    done
    for era in etcd-backup: rolling-backup:--legacy; do
        on n1 sh -c "docker create --name lacking --entrypoint true \$(docker inspect --format '{{.Config.Image}}' service-sidekick) &&
            docker commit --change 'ENV LAB_TOOL_LACKS=${era%:*}' lacking rancher/rke-tools:lacking && docker rm lacking"
        UNDO+=("on n1 docker rmi rancher/rke-tools:lacking" "on n1 docker rm lacking")
        before=$(all_of_docker)
        # shellcheck disable=SC2086 # one option, or none
        check --local --output json --image rancher/rke-tools:lacking ${era#*:}
        expect_found 10.77.0.11 tool failed
        json '[.findings[] | select(.check == "tool").text | contains("has no sub-command '"${era%:*}"'")] | all' true
        expect_found 10.77.0.12 tool ''   # it has no such image, as its finding tells
        expect_found 10.77.0.12 image warning
        all_is_as_before
        other=$([ -n "${era#*:}" ] || echo --legacy)
        # shellcheck disable=SC2086
        check --local --output json --image rancher/rke-tools:lacking $other
        expect_found 10.77.0.11 tool ok
    done
}

@test "a tool that hangs is ended after 20 s, also when nobody waits any more, and leaves nothing" {
    one_node
    printf '#!/bin/bash\nsleep 600\n' >"$BATS_TEST_TMPDIR/tool"
    on n1 sh -c "docker create --name hanging --entrypoint true \$(docker inspect --format '{{.Config.Image}}' service-sidekick)"
    UNDO+=("on n1 docker rmi rancher/rke-tools:hanging" "on n1 docker rm hanging")
    on n1 sh -c 'cat >/tmp/tool && chmod 755 /tmp/tool && docker cp /tmp/tool hanging:/opt/rke-tools/rke-etcd-backup &&
        docker commit hanging rancher/rke-tools:hanging && docker rm hanging && rm /tmp/tool' <"$BATS_TEST_TMPDIR/tool"
    before=$(all_of_docker)
    in_background check --local --image rancher/rke-tools:hanging
    eventually 20 container_of_files
    kill -KILL "$job"
    check --local --output json --image rancher/rke-tools:hanging
    expect_status 0
    expect_found 10.77.0.11 tool warning
    expect_found 10.77.0.11 leftovers ok
    eventually 60 all_is_as_before
}
