# Snapshots are removed by a rule, by name, and after a save; what is no snapshot, or another cluster's, stays. Runs on a
# lab with S3.

load helpers.bash
load s3.bash

setup() { s3_setup; }
teardown() {
    mend
    on n1 rm -rf /etc/kubernetes/.tmp "$BACKUP/pki.bundle.tar.gz"
}

prune() { snapctl prune --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "$@"; }
delete() { snapctl delete --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "$@"; }
prune_s3() { prune "${STORE[@]}" "${KEYS[@]}" "$@"; }

# place_days COUNT NODE…: archives $NAME-1 to $NAME-COUNT, a day each, the last one of 2026-01-COUNT.
place_days() {
    local count=$1 day node
    shift
    for ((day = 1; day <= count; day++)); do
        place "$NAME-$day" 400000 "$@"
        for node; do on "$node" touch -d "2026-01-0$day 12:00 UTC" "$BACKUP/$NAME-$day.zip"; done
    done
}

# A byte of the database is another, in an archive here; the result is $BATS_TEST_TMPDIR/damaged-N.
damage_copy() {
    /usr/bin/python3 - "$BATS_TEST_TMPDIR" "$NAME-$1.zip" "damaged-$1" <<'PY'
import sys
folder, name, to = sys.argv[1:]
data = bytearray(open(f"{folder}/{name}", "rb").read())
data[9000] ^= 1
open(f"{folder}/{to}", "wb").write(data)
PY
}

# All keys of the bucket that begin so, in one line.
keys() { lab s3-ls | awk '{print $1}' | grep "^${1:-}" | LC_ALL=C sort | tr '\n' ' '; }

# There is something for a bundle.
certificates_on_n1() {
    on n1 sh -c "umask 077; mkdir -p /etc/kubernetes/.tmp && cp /etc/kubernetes/ssl/*.pem /etc/kubernetes/.tmp"
}

# What is in a node's folder, in one line.
files() { on "$1" sh -c "cd $BACKUP && ls -A" | LC_ALL=C sort | tr '\n' ' '; }

statuses() { jq -r "$1"' | [.snapshots[] | .name[-1:] + ":" + .status + ":" + .reason] | join(" ")' <<<"$output"; }

@test "on nodes: the newest good one stays, and all that is no snapshot; nothing without consent" {
    place_days 4 n1 n2
    flip n1 "$NAME-4.zip" 9000
    on n1 sh -c "cd $BACKUP && echo x >README && echo x >pki.bundle.tar.gz && echo x >notes.zip && mkdir folder.zip &&
        ln -s $NAME-1.zip link.zip && cp $NAME-1.zip 2025-01-01T00:00:00Z_etcd.zip && touch -d 2025-01-01 README *.gz notes.zip 2025*"
    on n2 sh -c "cat >$BACKUP/old-0" <"$SMALL_DATABASE"
    on n2 touch -d 2025-06-01 "$BACKUP/old-0"
    before=$(files n1)

    prune --keep 1 </dev/null
    expect_status 2
    expect_stderr '--yes removes them without asking'
    prune --keep 1 --dry-run --output json
    expect_status 0
    [ "$(statuses .nodes[0])" = "4:kept:keep 3:kept:newest-good 2:planned:unwanted 1:planned:unwanted d:kept:rolling s:kept:unknown" ] ||
        { statuses .nodes[0] && show && false; }
    json '.nodes[0].snapshots[0].verified' false
    json '.nodes[1].snapshots[0].verified' true
    json '[.status, .dry_run, .s3] | tostring' '["ok",true,null]'
    [ "$(files n1)" = "$before" ]

    prune --keep 1 --yes
    expect_status 0
    expect_output '6 of 11 copies are removed'
    expect_stderr "$NAME-4 is damaged"
    [ "$(files n1)" = "2025-01-01T00:00:00Z_etcd.zip README folder.zip link.zip notes.zip pki.bundle.tar.gz $NAME-3.zip $NAME-4.zip " ]
    [ "$(files n2)" = "$NAME-4.zip " ]

    # Not one is good: nothing is removed there.
    flip n1 "$NAME-3.zip" 9000
    place "$NAME-5" 400000 n3
    prune --older-than 1d --yes --output json
    expect_status 3
    json '[.status, .nodes[0].status, .nodes[1].status] | join(" ")' 'partial failed done'
    json '.nodes[0].error.kind' corrupt
    [ "$(statuses .nodes[0])" = "4:kept:none-good 3:kept:none-good d:kept:rolling s:kept:unknown" ]
    [ "$(statuses .nodes[1])" = "4:kept:newest-good" ]
    [ "$(statuses .nodes[2])" = "5:kept:older-than" ]
}

@test "by days and weeks and prefix, as a user who is not root, and asked for on the terminal" {
    CONFIG=$LAB_DIR/cluster-rancher.yml
    one_node
    place_days 7 n1 # Thursday to Wednesday
    place other 400000 n1
    on n1 touch -d 2025-01-01 "$BACKUP/other.zip"
    ask() {
        run script -qec "$LAB run $SNAPCTL prune --config $CONFIG --known-hosts $LAB_DIR/known_hosts --keep-daily 2 --keep-weekly 2 --prefix t-" \
            /dev/null < <(while sleep 1 && echo "$1"; do :; done 3>&-) # what comes before the question is not heard
        stderr=
    }
    ask no
    expect_status 2
    expect_output '4 copies are to be removed, 3 stay'
    ask $'\003'
    expect_status 130
    [ "$(files n1 | wc -w)" = 8 ]
    ask yes
    expect_status 0
    expect_output '4 of 7 copies are removed'
    [ "$(files n1)" = "other.zip $NAME-4.zip $NAME-6.zip $NAME-7.zip " ]
    expect_clean n1
}

@test "in S3: only this cluster's snapshots, each proven; what is foreign stays" {
    local day key there
    for day in 1 2 3; do
        place "$NAME-$day" 400000 n1
        upload "$NAME-$day"
        expect_status 0
        sleep 1.1 # S3 tells whole seconds
    done
    changed_config 's/^cluster_name: .*/cluster_name: other/'
    place "$NAME-4" 400000 n1
    upload "$NAME-4"
    place "$NAME-5" 400000
    upload "$NAME-4" --folder mine
    CONFIG=$BASE
    echo no snapshot >"$BATS_TEST_TMPDIR/notes"
    for key in "$NAME-5.zip" "deeper/$NAME-5.zip"; do lab s3-put "$key" "$BATS_TEST_TMPDIR/$NAME-5.zip"; done
    lab s3-put notes.zip "$BATS_TEST_TMPDIR/notes"
    rolling=2025-01-01T00-00-00Z_etcd.zip
    lab s3-put $rolling "$BATS_TEST_TMPDIR/$NAME-5.zip"

    delete "$NAME-3" "${STORE[@]}" "${KEYS[@]}" --dry-run
    expect_status 0
    refute_anywhere 'no other snapshot'
    prune_s3 --keep 1 --yes --output json
    expect_status 0
    [ "$(statuses .s3)" = "d:kept:rolling 3:kept:keep 2:removed:unwanted 1:removed:unwanted" ] || { show && false; }
    json '.s3 | [.foreign, .bucket, .status] | join(" ")' "3 $S3_BUCKET done"
    json '.s3.snapshots[1] | [.verified, .key] | join(" ")' "true $NAME-3.zip"
    there=$(keys)
    [ "$there" = "$rolling deeper/$NAME-5.zip mine/$NAME-4.zip notes.zip $NAME-3.zip $NAME-4.zip $NAME-5.zip " ] || { echo "$there" && false; }

    # The others are of other clusters, or of none.
    delete "$NAME-3" "${STORE[@]}" "${KEYS[@]}" --dry-run
    expect_status 0
    expect_stderr 'S3: no other snapshot of this cluster is known there'

    # A folder that is given is this cluster's, but for what names another one. The newest is damaged.
    damage_copy 2
    damage_copy 3
    for day in 1 2; do lab s3-put "mine/$NAME-$day.zip" "$BATS_TEST_TMPDIR/$NAME-$day.zip" && sleep 1.1; done
    lab s3-put "mine/$NAME-3.zip" "$BATS_TEST_TMPDIR/damaged-3"
    lab s3-put mine/notes.zip "$BATS_TEST_TMPDIR/notes"
    prune_s3 --folder mine --keep 1 --yes
    expect_status 0
    expect_output '1 of 4 copies are removed'
    there=$(keys mine/)
    [ "$there" = "mine/notes.zip mine/$NAME-2.zip mine/$NAME-3.zip mine/$NAME-4.zip " ] || { echo "$there" && false; }

    # Not one is good: nothing is removed.
    lab s3-put "mine/$NAME-2.zip" "$BATS_TEST_TMPDIR/damaged-2"
    prune_s3 --folder mine --keep 1 --yes --output json
    expect_status 1
    json '[.status, .s3.status, .s3.error.kind] | join(" ")' 'failed failed corrupt'
    [ "$(keys mine/)" = "$there" ]
}

@test "in S3 a bundle of certificates goes with its snapshot; refused and interrupted, nothing is done by halves" {
    one_node
    certificates_on_n1
    local n there other=(--access-key "$S3_OTHER_ACCESS_KEY" --secret-key "$S3_OTHER_SECRET_KEY")
    NAME=$NAME-1 save_s3 --pki-bundle
    expect_status 0
    for n in 2 3 4 5 6; do
        sleep 1.1
        place "$NAME-$n" 400000 n1
        upload "$NAME-$n" --pki-bundle
        expect_status 0
    done
    # Somebody else's, and one that a plain snapshot needs.
    lab s3-rm "$NAME-5.pki.bundle.tar.gz"
    lab s3-put "$NAME-5.pki.bundle.tar.gz" "$BATS_TEST_TMPDIR/$NAME-5.zip"
    lab s3-api put-object --bucket "$S3_BUCKET" --key "$NAME-6" --metadata "snapctl-snapshot=$NAME-6,snapctl-cluster=lab"
    there=$(keys)

    lab s3-policy read-only
    delete "$NAME-1" "${STORE[@]}" "${other[@]}" --yes --output json
    lab s3-policy off
    expect_status 1
    json '.s3.snapshots[0] | [.status, .error.kind, .pki_bundle.key] | join(" ")' "failed auth $NAME-1.pki.bundle.tar.gz"
    expect_stderr 's3:DeleteObject'
    [ "$(keys)" = "$there" ]

    OUT=$BATS_TEST_TMPDIR/out
    ERR=$BATS_TEST_TMPDIR/err
    lab s3-fault slow 100000 # for its log
    lab slow n1 90
    "$LAB" run env --default-signal=INT "$SNAPCTL" delete "$NAME-1" "$NAME-2" "$NAME-3" "$NAME-4" --config "$CONFIG" \
        --known-hosts "$LAB_DIR/known_hosts" "${KEYS[@]}" --s3 --s3-endpoint "$S3_FAULT_TLS_ENDPOINT" \
        --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET" --s3-via node --yes --output json >"$OUT" 2>"$ERR" 3>&- &
    job=$!
    eventually 60 grep -q '^DELETE ' "$LAB_DIR/s3/fault.log"
    kill -INT "$job"
    finish
    lab s3-fault off
    lab slow n1 0
    expect_status 130
    json .status interrupted
    json '[.s3.snapshots[].status] | unique | join(" ")' 'planned removed'
    for n in 1 2 3 4; do
        case $(keys "$NAME-$n") in
        '' | "$NAME-$n.pki.bundle.tar.gz $NAME-$n.zip ") ;;
        *) keys && show && false ;;
        esac
    done

    prune_s3 --keep 1 --yes --output json
    expect_status 0
    [ "$(keys)" = "$NAME-5.pki.bundle.tar.gz $NAME-6 $NAME-6.pki.bundle.tar.gz $NAME-6.zip " ] || { keys && show && false; }
    on n1 rm "$BACKUP/$NAME-1.zip"
    NAME=$NAME-1 save_s3 --pki-bundle --keep 1
    expect_status 0
    expect_output "pruned S3: $NAME-6"
    [ "$(keys)" = "$NAME-1.pki.bundle.tar.gz $NAME-1.zip $NAME-5.pki.bundle.tar.gz $NAME-6 $NAME-6.pki.bundle.tar.gz " ] || { keys && false; }
}

# What the user `other` may do in the bucket: all, but not to get or delete the objects that match.
# policy_but Get|Delete PATTERN…
policy_but() {
    local action=$1
    shift
    jq -n --arg bucket "arn:aws:s3:::$S3_BUCKET" --arg action "s3:${action}Object" '
        def rule($effect; $actions; $resources): {Effect: $effect, Principal: {AWS: ["arn:aws:iam:::user/other"]},
            Action: $actions, Resource: $resources};
        {Version: "2012-10-17", Statement: [rule("Allow"; ["s3:ListBucket"]; $bucket),
            rule("Allow"; ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"]; $bucket + "/*"),
            rule("Deny"; [$action]; [$ARGS.positional[] | $bucket + "/" + .])]}' --args "$@" >"$BATS_TEST_TMPDIR/policy"
    lab s3-policy "$BATS_TEST_TMPDIR/policy"
    OTHER=(--access-key "$S3_OTHER_ACCESS_KEY" --secret-key "$S3_OTHER_SECRET_KEY")
}

# As `save --legacy` leaves them: plain $NAME-1 to $NAME-COUNT on n1 and in S3, each with its bundle.
plain_days() {
    local day
    certificates_on_n1
    NAME=$NAME-1 save_s3 --legacy
    expect_status 0
    for ((day = 2; day <= $1; day++)); do
        on n1 cp -p "$BACKUP/$NAME-1" "$BACKUP/$NAME-$day"
        sleep 1.1 # S3 tells whole seconds
        upload "$NAME-$day" --legacy
        expect_status 0
    done
}

# An object with the marks of our upload: put_marked KEY SNAPSHOT FILE [CLUSTER]
put_marked() {
    lab s3-api put-object --bucket "$S3_BUCKET" --key "$1" --body "$3" \
        --metadata "snapctl-snapshot=$2,snapctl-cluster=${4:-lab}" >/dev/null
}

@test "in S3 plain snapshots are kept and removed with their bundles, and nothing that only looks like one" {
    one_node
    local here=$BATS_TEST_TMPDIR foreign plain key
    plain_days 4
    lab s3-get "$NAME-1" "$here/plain"
    lab s3-get "$NAME-1.pki.bundle.tar.gz" "$here/bundle"
    echo notes >"$here/notes"

    # Somebody's files; another cluster's; a bundle that was copied with its marks; a snapshot whose bundle is not there;
    # one under another name; a database that nobody marked; what lies deeper.
    for key in notes mine/notes; do
        lab s3-put $key "$here/notes"
        lab s3-put $key.pki.bundle.tar.gz "$here/notes"
    done
    for key in other mine/a; do
        put_marked $key "${key#*/}" "$here/plain" elsewhere
        put_marked $key.pki.bundle.tar.gz "${key#*/}" "$here/bundle" elsewhere
    done
    put_marked copied copied "$here/bundle"
    put_marked copied.pki.bundle.tar.gz copied "$here/bundle"
    put_marked alone alone "$here/plain"
    put_marked renamed "$NAME-1" "$here/plain"
    put_marked renamed.pki.bundle.tar.gz "$NAME-1" "$here/bundle"
    lab s3-put unmarked "$here/plain"
    lab s3-put unmarked.pki.bundle.tar.gz "$here/bundle"
    foreign=$(keys | tr ' ' '\n' | grep -v "^$NAME-")

    # The newest is damaged, and the next one has something else for a bundle: neither is the last good one.
    sleep 1.1
    { head -c 5000 "$here/plain" && echo x && tail -c +5003 "$here/plain"; } >"$here/damaged"
    put_marked "$NAME-4" "$NAME-4" "$here/damaged"
    put_marked "$NAME-3.pki.bundle.tar.gz" "$NAME-3" "$here/notes"
    plain=$(keys "$NAME-")
    prune_s3 --keep 1 --dry-run --output json
    expect_status 0
    [ "$(statuses .s3)" = "4:kept:keep d:kept:unknown 3:planned:unwanted 2:kept:newest-good 1:planned:unwanted" ] ||
        { show && false; }
    json '[.s3.snapshots[].format] | unique | tostring' '["plain"]'
    json '[.s3.snapshots[].verified] | tostring' '[false,null,false,true,null]'
    json '.s3.snapshots[4] | [.key, .pki_bundle.key, .plain] | tostring' "[\"$NAME-1\",\"$NAME-1.pki.bundle.tar.gz\",null]"
    json .s3.foreign 1
    expect_stderr "$NAME-3 is damaged: its bundle of certificates"
    [ "$(keys "$NAME-")" = "$plain" ]
    prune_s3 --keep 1 --yes
    expect_status 0
    expect_output '2 of 5 copies are removed'
    [ "$(keys | tr ' ' '\n' | grep -v "^$NAME-")" = "$foreign" ] || { keys && false; }
    [ "$(keys "$NAME-")" = "$NAME-2 $NAME-2.pki.bundle.tar.gz $NAME-4 $NAME-4.pki.bundle.tar.gz " ] || { keys && false; }

    # Below a folder that is given what names no cluster is this one's, but still has to name its snapshot.
    prune_s3 --folder mine --keep 1 --yes --output json
    expect_status 0
    json '.s3 | [.foreign, (.snapshots | length)] | tostring' '[1,0]'

    # Not one is good: nothing is removed.
    put_marked "$NAME-2" "$NAME-2" "$here/damaged"
    prune_s3 --keep 1 --yes --output json
    expect_status 1
    json '.s3.error.kind' corrupt

    # By name, and no other.
    delete "$NAME-2" "$NAME-4" "${STORE[@]}" "${KEYS[@]}" --yes --output json
    expect_status 0
    json '[.s3.snapshots[].status] | tostring' '["removed","removed"]'
    for key in notes unmarked alone renamed other; do
        delete $key "${STORE[@]}" "${KEYS[@]}" --yes
        expect_status 2
    done
    expect_stderr 'the object other names another cluster'
    [ "$(keys | tr ' ' '\n' | grep .)" = "$(grep . <<<"$foreign")" ] || { keys && false; }
}

@test "in S3 a plain snapshot goes before its bundle, and an archive of its name with it" {
    one_node
    plain_days 3

    # Whatever is refused, no plain snapshot is left without its bundle.
    policy_but Delete '*'
    delete "$NAME-1" "${STORE[@]}" "${OTHER[@]}" --yes --output json
    expect_status 1
    json '.s3.snapshots[0] | [.status, .error.kind] | join(" ")' 'failed auth'
    [ "$(keys "$NAME-1")" = "$NAME-1 $NAME-1.pki.bundle.tar.gz " ] || { keys && false; }
    policy_but Delete "$NAME-1.pki.bundle.tar.gz"
    delete "$NAME-1" "${STORE[@]}" "${OTHER[@]}" --yes --output json
    lab s3-policy off
    expect_status 1
    jq -e '.s3.snapshots[0].error.text | contains("the plain snapshot is gone, but not its bundle")' <<<"$output"
    [ "$(keys "$NAME-1")" = "$NAME-1.pki.bundle.tar.gz " ] || { keys && false; }

    # Of one name: one snapshot, as old as the newer of both, good if one of both is.
    place "$NAME-2" 400000
    lab s3-put "$NAME-2.zip" "$BATS_TEST_TMPDIR/$NAME-2.zip"
    snapctl list --config "$CONFIG" --known-hosts "$LAB_DIR/known_hosts" "${STORE[@]}" "${KEYS[@]}" --output json
    json ".snapshots[] | select(.name == \"$NAME-2\").s3 | [.key, .format] | join(\" \")" "$NAME-2.zip zip"
    prune_s3 --prefix t- --keep 1 --dry-run --output json
    [ "$(statuses .s3)" = "2:kept:keep 3:planned:unwanted" ] || { show && false; }
    json '.s3.snapshots[0] | [.key, .format, .plain.key] | join(" ")' "$NAME-2.zip zip $NAME-2"
    damage_copy 2
    lab s3-put "$NAME-2.zip" "$BATS_TEST_TMPDIR/damaged-2"
    prune_s3 --prefix t- --keep 1 --dry-run --output json
    [ "$(statuses .s3)" = "2:kept:keep 3:planned:unwanted" ] || { show && false; }
    json '.s3.snapshots[0].verified' true

    # Without a prefix the archive is nobody's: it does not go, nor does it make the other younger.
    prune_s3 --keep 1 --dry-run --output json
    [ "$(statuses .s3)" = "3:kept:keep 2:planned:unwanted" ] || { show && false; }
    json '.s3.snapshots[1] | [.key, .format] | join(" ")' "$NAME-2 plain"
    json .s3.foreign 1
    delete "$NAME-2" "${STORE[@]}" "${KEYS[@]}" --yes
    expect_status 0
    [ "$(keys "$NAME-2")" = "$NAME-2.zip " ] || { keys && false; }
    put_marked "$NAME-3.zip" "$NAME-3" "$BATS_TEST_TMPDIR/damaged-2"
    delete "$NAME-3" "${STORE[@]}" "${KEYS[@]}" --yes
    expect_status 0
    expect_output 'an archive and a plain snapshot, with its bundle of certificates'
    [ "$(keys "$NAME-3")" = '' ] || { keys && false; }
}

@test "after a legacy save its plain snapshot counts in S3, and an older archive of its name proves nothing" {
    one_node
    certificates_on_n1
    local n
    for n in 1 2; do
        place "$NAME-$n" 400000
        lab s3-put "$NAME-$n.zip" "$BATS_TEST_TMPDIR/$NAME-$n.zip"
        sleep 1.1
    done
    damage_copy 2
    lab s3-put "$NAME-2.zip" "$BATS_TEST_TMPDIR/damaged-2"

    # Where the plain one may not be looked at, only the archive is left, which is damaged.
    policy_but Get "$NAME-2"
    NAME=$NAME-2 save "${STORE[@]}" "${OTHER[@]}" --legacy --keep 1 --prefix t- --output json
    lab s3-policy off
    expect_status 0
    expect_stderr '1 object may be a plain snapshot, but cannot be looked at'
    [ "$(statuses .pruned.s3)" = "2:kept:keep 1:kept:newest-good" ] || { show && false; }

    NAME=$NAME-2 save_s3 --legacy --force --keep 1 --prefix t- --output json
    expect_status 0
    [ "$(statuses .pruned.s3)" = "2:kept:keep 1:removed:unwanted" ] || { show && false; }
    json '[.pruned.s3.snapshots[].verified] | unique | tostring' '[null]' # nothing was read again
    [ "$(keys)" = "$NAME-2 $NAME-2.pki.bundle.tar.gz $NAME-2.zip " ] || { keys && false; }
    sleep 1.1 # of two of one second the name decides which is newer
    NAME=$NAME-3 save_s3 --legacy --keep 1 --dry-run --output json
    expect_status 0
    [ "$(statuses .pruned.s3)" = "3:kept:keep 2:planned:unwanted" ] || { show && false; }
    json '.pruned.s3.snapshots[1] | [.key, .pki_bundle.key] | join(" ")' "$NAME-2 $NAME-2.pki.bundle.tar.gz"
    NAME=$NAME-3 save_s3 --legacy --keep 1
    expect_status 0
    [ "$(keys)" = "$NAME-2.zip $NAME-3 $NAME-3.pki.bundle.tar.gz " ] || { keys && false; }
}

@test "versions and locks in S3: a delete marker is told, what is locked stays" {
    local bucket
    bucket="prune-$(date +%s)"
    lab s3-api create-bucket --bucket "$bucket" --object-lock-enabled-for-bucket
    place "$NAME-1" 400000 n1
    place "$NAME-2" 400000 n1
    place "$NAME-3" 400000 n1
    upload "$NAME-1" --bucket-name "$bucket" --s3-object-lock governance:1
    expect_status 0
    sleep 1.1
    upload "$NAME-2" --bucket-name "$bucket"
    sleep 1.1
    upload "$NAME-3" --bucket-name "$bucket"
    expect_status 0
    prune_s3 --bucket-name "$bucket" --keep 1 --yes --output json
    expect_status 0
    [ "$(statuses .s3)" = "3:kept:keep 2:removed:unwanted 1:kept:locked" ] || { show && false; }
    json '.s3.snapshots[1] | .delete_marker and (.version_id | length > 0)' true
    jq -e '.s3.snapshots[2].locked | startswith("GOVERNANCE until 20")' <<<"$output"
    delete "$NAME-1" "${STORE[@]}" "${KEYS[@]}" --bucket-name "$bucket" --yes
    expect_status 2
    expect_stderr 'is locked: GOVERNANCE until'
    delete "$NAME-3" "${STORE[@]}" "${KEYS[@]}" --bucket-name "$bucket" --yes
    expect_status 0
    expect_output 'hidden by a delete marker, kept as version'

    # Plain ones; of the first the bundle alone is locked.
    one_node
    certificates_on_n1
    NAME=$NAME-4 save_s3 --legacy --bucket-name "$bucket"
    expect_status 0
    on n1 cp -p "$BACKUP/$NAME-4" "$BACKUP/$NAME-5"
    upload "$NAME-5" --legacy --bucket-name "$bucket" --s3-object-lock governance:1
    expect_status 0
    hold() { lab s3-api put-object-legal-hold --bucket "$bucket" --key "$NAME-4.pki.bundle.tar.gz" --legal-hold "Status=$1"; }
    hold ON
    delete "$NAME-4" "${STORE[@]}" "${KEYS[@]}" --bucket-name "$bucket" --yes
    expect_status 2
    expect_stderr "$NAME-4 is locked: its bundle of certificates, legal hold"
    delete "$NAME-5" "${STORE[@]}" "${KEYS[@]}" --bucket-name "$bucket" --yes
    expect_status 2
    expect_stderr "$NAME-5 is locked: GOVERNANCE until"
    hold OFF
    delete "$NAME-4" "${STORE[@]}" "${KEYS[@]}" --bucket-name "$bucket" --yes --output json
    expect_status 0
    json '.s3.snapshots[0] | [.delete_marker, .pki_bundle.delete_marker] | tostring' '[true,true]'
}

@test "delete: by name from all places; not while the lock is on it, nor if one name is nowhere" {
    place "$NAME-1" 400000 n1 n2
    place "$NAME-2" 400000 n1
    upload "$NAME-1"
    all=("${STORE[@]}" "${KEYS[@]}" --local --yes)
    delete "$NAME-1" "$NAME-x" "${all[@]}"
    expect_status 2
    expect_stderr "no place that could be asked has the snapshot $NAME-x"
    delete "$NAME-1" "${all[@]}" --dry-run
    expect_status 0
    expect_output 'Dry run: 3 of 3 copies would be removed'
    on n1 test -e "$BACKUP/$NAME-1.zip"

    # By a rule nothing goes where a run is at work: what it makes may be taken back, and would have counted.
    lock_n1() { on n1 docker create --name etcd-snapshot-once --network none --entrypoint true rancher/rke-tools:v0.1.90 --name "$1" --once; }
    lock_n1 another
    prune --keep 1 --local --yes --output json
    on n1 docker rm etcd-snapshot-once
    expect_status 3
    json '.nodes[0] | [.status, .error.kind] | join(" ")' 'failed busy'
    on n1 test -e "$BACKUP/$NAME-1.zip" -a -e "$BACKUP/$NAME-2.zip"

    lock_n1 "$NAME-1"
    delete "$NAME-1" "${all[@]}" --output json
    on n1 docker rm etcd-snapshot-once
    expect_status 3
    json '[.nodes[].status, .s3.status] | join(" ")' 'failed done done done'
    json '.nodes[0].snapshots[0] | [.status, .error.kind] | join(" ")' 'failed busy'
    on n1 test -e "$BACKUP/$NAME-1.zip"
    expect_no_archive n2 "$NAME-1"
    expect_no_object "$NAME-1.zip"

    delete "$NAME-1.zip" "$NAME-2" --yes
    expect_status 0
    expect_stderr 'no other snapshot is there'
    expect_no_archive n1 "$NAME-1"
    expect_no_archive n1 "$NAME-2"
    lab sshd-stop n2
    delete "$NAME-1" --yes --output json
    expect_status 2
    json .status refused
}

@test "more names than fit into one command" {
    one_node
    local long
    long=$NAME-$(printf 'x%.0s' {1..150})
    place "$NAME" 400000 n1
    on n1 sh -c "cd $BACKUP && for i in \$(seq 400); do ln $NAME.zip $long-\$i.zip; done"
    # shellcheck disable=SC2046 # names
    delete $(seq -f "$long-%.0f" 400) --yes
    expect_status 0
    expect_output '400 of 400 copies are removed'
    [ "$(files n1)" = "$NAME.zip " ]
}

@test "save with a rule prunes where it saved, after a success alone" {
    place_days 2 n1 n2
    place_days 1 n3
    upload "$NAME-1"
    sleep 1.1
    NAME=$NAME-9 save_s3 --keep 2 --prefix t- --dry-run --output json
    expect_status 0
    [ "$(statuses .pruned.nodes[0])" = "9:kept:keep 2:kept:keep 1:planned:unwanted" ] || { show && false; }
    [ "$(statuses .pruned.s3)" = "9:kept:keep 1:kept:keep" ] || { show && false; }
    on n1 test -e "$BACKUP/$NAME-1.zip"
    NAME=$NAME-9 save_s3 --keep 2 --prefix t- --output json
    expect_status 0
    json '.pruned | [.status, (.nodes[].status), .s3.status] | join(" ")' 'ok done done done done'
    [ "$(statuses .pruned.nodes[0])" = "9:kept:keep 2:kept:keep 1:removed:unwanted" ] || { show && false; }
    json '[.pruned.nodes[].snapshots[].verified] | unique | tostring' '[null]' # nothing was read again
    json '[.pruned.s3.snapshots[].name] | length' 2
    expect_no_archive n1 "$NAME-1"
    on n3 test -e "$BACKUP/$NAME-1.zip"

    # What the store does not tell of is no proof: it is read before anything older is removed.
    lab s3-fault head-403-1
    NAME=$NAME-8 save_s3 --s3-endpoint "$S3_FAULT_TLS_ENDPOINT" --keep 2 --prefix t- --output json
    expect_status 0
    expect_stderr 'could not be looked at'
    json '.pruned.s3.snapshots[0] | .name, .verified | tostring' "$NAME-8"$'\n'true
    lab s3-fault off

    # One that fails prunes nothing.
    lab tool n2 fail=broken tries=1
    NAME=$NAME-7 save --keep 1
    expect_status 3
    expect_stderr 'nothing is pruned'
    on n1 test -e "$BACKUP/$NAME-9.zip"
    lab tool n2

    # Trouble with pruning is a warning.
    on n3 mount --bind "$BACKUP/$NAME-9.zip" "$BACKUP/$NAME-9.zip"
    NAME=$NAME-6 save --keep 1 --known-hosts "$BATS_TEST_TMPDIR/known_hosts" --host-key-checking accept-new
    on n3 umount "$BACKUP/$NAME-9.zip"
    expect_status 0
    expect_stderr 'the snapshot is saved, but pruning failed'
    [ "$(grep -c 'added the host key' <<<"$stderr")" = 3 ]
    expect_output "pruned 10.77.0.11: "
    expect_output "Finished saving/uploading snapshot [$NAME-6] on all etcd hosts"

    NAME=$NAME-5 save --keep 1 --prefix other
    expect_status 2
}
