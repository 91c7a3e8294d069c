# RKE before v0.2.0: plain snapshots, and the bundle of certificates. Runs on a lab with S3.

load helpers.bash
load s3.bash

BUNDLE=$BACKUP/pki.bundle.tar.gz
KEY_MARK=LAB-BUNDLE-SECRET

setup() {
    s3_setup
    for node in n1 n2 n3; do
        on "$node" sh -c "rm -rf $BUNDLE; umask 077; mkdir -p /etc/kubernetes/.tmp && cd /etc/kubernetes/.tmp &&
            cp ../ssl/kube-ca.pem ../ssl/kube-node.pem ../ssl/kube-node-key.pem . && echo $KEY_MARK >>kube-node-key.pem"
    done
}

teardown() {
    mend
    for node in n1 n2 n3; do
        on "$node" sh -c "rm -rf /etc/kubernetes/.tmp $BUNDLE $BACKUP/$NAME*; chmod 755 $BACKUP"
    done
}

# n3 has no etcd in it.
with_controlplane() {
    changed_config '/hostname_override: n3/,/role:/s/controlplane, worker, etcd/controlplane/'
}

# Whether the bundle is there, for root alone, and holds what was to be bundled.
expect_bundle() {
    local node=$1
    [ "$(on "$node" stat -c '%a %u' $BUNDLE)" = '600 0' ] || { echo "no bundle on $node, or not for root alone" && show && return 1; }
    [ "$(on "$node" tar -xzOf $BUNDLE etc/kubernetes/.tmp/kube-ca.pem)" = "$(on "$node" cat /etc/kubernetes/ssl/kube-ca.pem)" ]
    [ "$(on "$node" tar -xzOf $BUNDLE etc/kubernetes/.tmp/kube-node-key.pem)" = "$(on "$node" cat /etc/kubernetes/.tmp/kube-node-key.pem)" ]
}

# Nothing is left but these files: expect_left NODE FILE…
expect_left() {
    local node=$1 left wanted=
    shift
    [ $# -eq 0 ] || wanted=$(printf '%s\n' "$@" | sort | tr '\n' ' ')
    left=$(on "$node" sh -c "docker ps -a --format '{{.Names}}' | grep -vxE 'etcd|service-sidekick'
        ls -A $BACKUP; ls /etc/kubernetes | grep rkestate; pgrep -fa '[w]orker='" | sort | tr '\n' ' ')
    [ "$left" = "$wanted" ] || { echo "left on $node: $left" && show && return 1; }
}

@test "a legacy save: plain snapshots that etcdctl knows, the bundle on all nodes, also those of the control plane alone" {
    with_controlplane
    save --legacy --output json
    expect_status 0
    json .status ok
    json '[.nodes[] | .role + ":" + .status] | join(" ")' 'etcd:saved etcd:saved controlplane:bundled'
    json '[.nodes[].pki_bundle.certificates | join(" ")] | unique | join(",")' 'kube-ca.pem kube-node.pem'
    json '.nodes[2] | [.path, .bytes, .etcd] | map(tostring) | join(",")' null,null,null
    refute_anywhere "$KEY_MARK"
    refute_anywhere 'PRIVATE KEY'
    refute_anywhere rkestate
    json '.nodes[0].sha256' "$(on n1 sha256sum "$BACKUP/$NAME" | cut -d' ' -f1)"
    json '.nodes[0].pki_bundle.sha256' "$(on n1 sha256sum $BUNDLE | cut -d' ' -f1)"
    json '.nodes[2].pki_bundle.bytes' "$(on n3 stat -c %s $BUNDLE)"
    for node in n1 n2; do
        [ "$(on $node stat -c '%a %u' "$BACKUP/$NAME")" = '600 0' ]
        expect_bundle $node
        expect_left $node "$NAME" pki.bundle.tar.gz
    done
    expect_bundle n3
    expect_left n3 pki.bundle.tar.gz
    on n1 cat "$BACKUP/$NAME" >"$BATS_TEST_TMPDIR/plain"
    theirs=$(etcdctl snapshot status -w json "$BATS_TEST_TMPDIR/plain" | jq -c '[.hash, .revision, .totalKey, .totalSize]')
    json '.nodes[0].etcd | [.hash, .revision, .total_keys, .total_bytes] | tostring' "$theirs"
    ETCDCTL_API=3 etcdctl snapshot restore "$BATS_TEST_TMPDIR/plain" --data-dir "$BATS_TEST_TMPDIR/data"

    snapctl verify "$NAME" --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts"
    expect_status 0
    save --legacy
    expect_status 2
    expect_stderr "$BACKUP/$NAME "
    old=$(on n3 sha256sum $BUNDLE)
    save --legacy --force
    expect_status 0
    expect_output 'pki.bundle.tar.gz on 10.77.0.11, 10.77.0.12, 10.77.0.13: kube-ca.pem, kube-node.pem'
    expect_output "Finished saving/uploading snapshot [$NAME] on all etcd hosts"
    expect_left n1 "$NAME" pki.bundle.tar.gz
    [ "$(on n3 sha256sum $BUNDLE)" != "$old" ] || [ -n "$old" ]
}

@test "as a user who is not root, and where the folder is hidden from him; --pki-bundle with a snapshot of today" {
    CONFIG=$LAB_DIR/cluster-rancher.yml
    one_node
    on n1 chmod 700 $BACKUP
    save --legacy
    expect_status 0
    expect_bundle n1
    expect_left n1 "$NAME" pki.bundle.tar.gz
    on n1 rm "$BACKUP/$NAME" $BUNDLE
    save --pki-bundle --output json
    expect_status 0
    json '.nodes[0] | [.state_file, .verified, (.pki_bundle.certificates | length)] | map(tostring) | join(",")' true,true,2
    expect_archive n1
    expect_bundle n1
    expect_left n1 "$NAME.zip" pki.bundle.tar.gz
}

@test "no bundle, no success: the old one and nothing else stays" {
    with_controlplane
    on n2 sh -c "echo old >$BUNDLE; rm -r /etc/kubernetes/.tmp"
    on n3 sh -c 'rm /etc/kubernetes/.tmp/*'
    save --legacy --output json
    expect_status 3
    json '[.nodes[].status] | join(",")' saved,failed,failed
    json '[.nodes[].pki_bundle != null] | map(tostring) | join(",")' true,false,false
    expect_stderr '/etc/kubernetes/.tmp, where RKE before v0.2.0 keeps'
    expect_stderr "are this node's alone"
    expect_left n1 "$NAME" pki.bundle.tar.gz
    expect_left n2 pki.bundle.tar.gz
    expect_left n3
    [ "$(on n2 cat $BUNDLE)" = old ]
    # One that is enough for a restore is enough.
    on n2 sh -c "umask 077; mkdir /etc/kubernetes/.tmp; cp /etc/kubernetes/ssl/*.pem /etc/kubernetes/.tmp"
    save --legacy --force --require quorum
    expect_status 0
    expect_output 'but not all bundles of certificates are made'
    expect_stderr 'not all nodes have the bundle'

    # Keys that are not there, a snapshot that is damaged, a tool that ends with 0 all the same, a disk that is full.
    one_node
    on n1 sh -c "rm /etc/kubernetes/.tmp/*key.pem"
    save --legacy --force
    expect_status 1
    expect_output 'there is no private key in it'
    on n1 cp /etc/kubernetes/ssl/kube-node-key.pem /etc/kubernetes/.tmp
    bundle=$(on n1 sha256sum $BUNDLE) snapshot=$(on n1 sha256sum "$BACKUP/$NAME")
    for way in corrupt=1 fail=broken; do
        lab tool n1 $way tries=1
        save --legacy --force --output json
        expect_status 1
        [ $way != corrupt=1 ] || json '.nodes[0].error.kind' corrupt
        [ $way = corrupt=1 ] || jq -e '.nodes[0].error.text | contains("left no snapshot") and contains("broken")' <<<"$output"
        [ "$(on n1 sha256sum $BUNDLE)" = "$bundle" ]
        [ "$(on n1 sha256sum "$BACKUP/$NAME")" = "$snapshot" ]
        expect_left n1 "$NAME" pki.bundle.tar.gz
    done
}

@test "at no moment others can read the bundle; a signal leaves nothing; a killed run's is found and removed" {
    one_node
    # All modes that any bundle ever had while it was written.
    on n1 sh -c "dd if=/dev/urandom bs=1M count=12 2>/dev/null | base64 >/etc/kubernetes/.tmp/large"
    lab tool n1 delay=20
    save_in_background --legacy
    modes=
    until container_runs n1; do
        modes="$modes $(on n1 sh -c "stat -c %a $BACKUP/.pki.bundle.tar.gz.* $BUNDLE 2>/dev/null || :")"
    done
    [ -n "$(tr -d ' \n' <<<"$modes$(on n1 sh -c "stat -c %a $BACKUP/.pki.bundle.tar.gz.*")")" ]
    [ -z "$(tr ' ' '\n' <<<"$modes" | grep -vx -e 600 -e '')" ]
    run -1 on n1 test -e $BUNDLE
    kill -INT "$job"
    finish
    expect_status 130
    expect_left n1
    rm_large() { on n1 rm -f /etc/kubernetes/.tmp/large; }
    rm_large

    save_in_background --pki-bundle
    eventually 40 container_runs n1
    kill -KILL "$job"
    finish
    lab tool n1
    on n1 sh -c 'docker rm -f etcd-snapshot-once' # as RKE does
    eventually 20 run -1 on n1 sh -c "pgrep -f '[w]orker='"
    snapctl check --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts"
    expect_output 'a bundle of certificates, with private keys'
    snapctl check --fix --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts"
    expect_output 'removed a bundle of certificates'
    expect_left n1

    # A lost connection, in the middle and with what was made before it.
    lab tool n1 delay=4
    save_in_background --legacy --output json
    eventually 40 container_runs n1
    lab sshd-kill-sessions n1
    finish
    lab tool n1
    expect_status 0
    expect_stderr 'the connection was lost'
    json '.nodes[0].pki_bundle.sha256' "$(on n1 sha256sum $BUNDLE | cut -d' ' -f1)"
    expect_left n1 "$NAME" pki.bundle.tar.gz
    on n1 rm "$BACKUP/$NAME" $BUNDLE

    # What a killed run left with its lock, the next run removes.
    lab tool n1 delay=20
    save_in_background --pki-bundle
    eventually 40 container_runs n1
    kill -KILL "$job"
    finish
    on n1 docker kill etcd-snapshot-once
    eventually 20 run -1 on n1 sh -c "pgrep -f '[w]orker='"
    lab tool n1
    save --pki-bundle
    expect_status 0
    expect_left n1 "$NAME.zip" pki.bundle.tar.gz
}

@test "S3 gets both, names that are taken refuse the run, and no bundle stays without its snapshot" {
    one_node
    save_s3 --legacy --folder f --output json
    expect_status 0
    json '.s3 | [.status, .key, .pki_bundle.key] | join(" ")' "uploaded f/$NAME f/$NAME.pki.bundle.tar.gz"
    lab s3-get "f/$NAME" "$BATS_TEST_TMPDIR/object"
    on n1 cat "$BACKUP/$NAME" | cmp - "$BATS_TEST_TMPDIR/object"
    lab s3-get "f/$NAME.pki.bundle.tar.gz" "$BATS_TEST_TMPDIR/object"
    on n1 cat $BUNDLE | cmp - "$BATS_TEST_TMPDIR/object"
    lab s3-head "f/$NAME.pki.bundle.tar.gz" | grep -qi 'content-\?type.*application/gzip'
    lab s3-head "f/$NAME" | grep -qi 'content-\?type.*application/octet-stream'

    # The bundle's name alone is enough.
    lab s3-rm "f/$NAME"
    on n1 rm "$BACKUP/$NAME"
    save_s3 --legacy --folder f
    expect_status 2
    expect_stderr "f/$NAME.pki.bundle.tar.gz exists"
    expect_left n1 pki.bundle.tar.gz
    save_s3 --pki-bundle --folder f --force
    expect_status 0
    expect_output "uploaded s3://$S3_BUCKET/f/$NAME.pki.bundle.tar.gz"
    expect_object "f/$NAME.zip" n1

    # A snapshot that is damaged takes its bundle along.
    lab s3-empty
    NAME=$NAME-bad
    lab tool n1 corrupt=1
    save_s3 --pki-bundle
    lab tool n1
    expect_status 1
    [ -z "$(lab s3-ls)" ] || { lab s3-ls && show && false; }

    # What could not be sent is sent later, as the command says.
    NAME=$NAME-later
    STORE=(--s3 --s3-endpoint "$S3_FAULT_ENDPOINT" --s3-plain-http --bucket-name "$S3_BUCKET")
    lab s3-fault put-500
    save_s3 --legacy --s3-timeout 5 --output json
    lab s3-fault off
    expect_status 3
    json '.s3.pki_bundle' null
    expect_stderr "snapctl upload $NAME"
    expect_stderr ' --legacy'
    upload "$NAME" --legacy
    expect_status 0
    [ "$(lab s3-ls | awk '{print $1}' | sort | tr '\n' ' ')" = "$NAME $NAME.pki.bundle.tar.gz " ] || { lab s3-ls && false; }
    # An answer that is lost, but not the object: it is not in its own way.
    lab s3-empty
    lab s3-fault cut-answer
    upload "$NAME" --legacy --output json
    lab s3-fault off
    expect_status 0
    json '.s3.pki_bundle.key' "$NAME.pki.bundle.tar.gz"

    # It is found there by its name, if its metadata has that.
    from_s3=(--config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "${STORE[@]}" "${KEYS[@]}")
    snapctl verify "$NAME" "${from_s3[@]}" --output json
    expect_status 0
    json '[.copies[] | .place + ":" + .status] | tostring' '["s3:good"]'
    snapctl verify --all "${from_s3[@]}" --s3 --output json
    expect_status 0
    json '[.copies[] | .key + ":" + .format + ":" + .status] | tostring' "[\"$NAME:plain:good\"]"
    snapctl fetch "$NAME" "${from_s3[@]}" --from s3 -o "$BATS_TEST_TMPDIR/fetched"
    expect_status 0
    on n1 cat "$BACKUP/$NAME" | cmp - "$BATS_TEST_TMPDIR/fetched"
    lab s3-put "$NAME-x" "$BATS_TEST_TMPDIR/fetched"
    snapctl verify "$NAME-x" "${from_s3[@]}"
    expect_status 2
}

@test "an image of another time says which way to go; options that do not fit are refused" {
    one_node
    lab tool n1 lacks=etcd-backup
    save --output json
    expect_status 1
    json '.nodes[0].error.kind' image
    jq -e '.nodes[0].error | (.text | contains("no sub-command etcd-backup")) and (.hint | contains("--legacy"))' <<<"$output"
    save --legacy
    expect_status 0
    lab tool n1 lacks=rolling-backup
    save --legacy --force
    expect_status 1
    expect_stderr 'no sub-command rolling-backup'
    expect_left n1 "$NAME" pki.bundle.tar.gz
    for option in --require-state --state-file=/dev/null --verify=quick; do
        save --legacy --force $option
        expect_status 2
        expect_stderr "--legacy: "
    done
    save --name pki.bundle.tar.gz
    expect_status 2
    save --legacy --force --dry-run
    expect_status 0
    expect_output rolling-backup
    expect_output 'tar czf'
    expect_left n1 "$NAME" pki.bundle.tar.gz
}

# found PLACE CHECK: the results of `check`.
found() { jq -r --arg place "$1" --arg check "$2" \
    '[.findings[] | select(.place == $place and .check == $check).result] | join(",")' <<<"$output"; }

@test "check --legacy and --pki-bundle: certificates on every etcd and control plane node, and no state file" {
    local config
    with_controlplane
    check() { snapctl check --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" --local --output json "$@"; }
    check --pki-bundle
    expect_status 0
    json '[.findings[].place] | unique | join(",")' 10.77.0.11,10.77.0.12,10.77.0.13,config
    for node in 11 12 13; do [ "$(found 10.77.0.$node pki-bundle)" = ok ]; done
    [ "$(found 10.77.0.13 etcd),$(found 10.77.0.13 tool)" = , ]
    [ "$(found config state-file)" = ok ]
    refute_anywhere "$KEY_MARK"
    check
    json '[.findings[].place] | unique | join(",")' 10.77.0.11,10.77.0.12,config
    [ -z "$(found 10.77.0.11 pki-bundle)" ]

    on n1 sh -c 'rm /etc/kubernetes/.tmp/*-key.pem'
    on n2 sh -c 'rm -r /etc/kubernetes/.tmp'
    on n3 sh -c 'cd /etc/kubernetes/.tmp && : >kube-ca.pem && mv kube-node.pem kube-node-csr.pem'
    check --legacy
    expect_status 1
    [ -z "$(found config state-file)" ]
    for node in 11 12 13; do [ "$(found 10.77.0.$node pki-bundle)" = failed ]; done
    json '.findings[] | select(.place == "10.77.0.11" and .check == "pki-bundle").text | contains(" has 2 and 0")' true
    json '.findings[] | select(.place == "10.77.0.12" and .check == "pki-bundle").remedy | contains("rke up") and contains("this node")' true
    json '.findings[] | select(.place == "10.77.0.13" and .check == "pki-bundle").text | contains(" has 0 and 1")' true

    check --legacy --require-state
    expect_status 2
    expect_stderr 'knows no state file'
    # Who is not root looks through a container.
    CONFIG=$LAB_DIR/cluster-rancher.yml
    on n1 chmod 700 /etc/kubernetes/.tmp
    check --pki-bundle
    [ "$(found 10.77.0.11 pki-bundle)" = failed ]
    on n1 cp /etc/kubernetes/ssl/kube-node-key.pem /etc/kubernetes/.tmp
    check --pki-bundle
    [ "$(found 10.77.0.11 pki-bundle)" = ok ]
    expect_left n1
}
