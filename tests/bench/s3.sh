#!/usr/bin/env bash
# The figures of the upload to S3, each as a ratio to a reference that runs in turn with it on the same lab: TLS, radosgw.
#   tests/bench/s3.sh [BUILD]     as root; needs s3cmd beside the lab's packages; about fifteen minutes
# RUNS=N repetitions of each (default 3); the medians are printed. MIB=N megabytes of the large database, about (default 1024).
# Its values are base64 of noise, which deflates to three quarters, all of it literals: what takes longest to be inflated.
# KINDS="deflated": of the two archives that one alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null
. tests/bench/common.bash
snapctl=$PWD/${1:-build}/snapctl
lab=$PWD/tests/lab/lab
runs=${RUNS:-3}
mib=${MIB:-1024}
work=$(mktemp -d /tmp/snapctl-bench.XXXXXX)
export LAB_DIR=$work/lab HOME=$work
trap '"$lab" down; rm -rf "$work"' EXIT

# A store that is empty: it takes hours to give back the room of what was removed.
new_store() {
    "$lab" s3-down
    "$lab" s3-up --bluestore
    # shellcheck source=/dev/null
    . "$LAB_DIR/s3/env"
    export AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY AWS_CA_BUNDLE=$S3_CA
    s3cmd_put=(s3cmd --no-progress --host "$S3_TLS_ENDPOINT" --host-bucket "$S3_TLS_ENDPOINT" --ca-certs "$S3_CA"
        --access_key "$S3_ACCESS_KEY" --secret_key "$S3_SECRET_KEY" put)
}

"$lab" up --nodes 3 --disk $((mib * 5))
new_store
export AWS_DEFAULT_REGION=us-east-1 AWS_REQUEST_CHECKSUM_CALCULATION=when_required
backup=/opt/rke/etcd-snapshots
common=(--config "$LAB_DIR/cluster.yml" --known-hosts "$LAB_DIR/known_hosts")
store=(--s3 --s3-endpoint "$S3_TLS_ENDPOINT" --s3-endpoint-ca "$S3_CA" --bucket-name "$S3_BUCKET")

ssh_n1=(ssh -F "$LAB_DIR/ssh_config" n1)
aws_s3=(aws --endpoint-url "https://$S3_TLS_ENDPOINT" s3 cp --quiet)

# Two archives of one database that etcd made: "deflated" is the snapshot tool's own, "stored" has the same unpacked.
make_archives() {
    "$lab" put n1 $((mib * 3 / 2)) 500k >/dev/null
    "$lab" run "$snapctl" save "${common[@]}" --name deflated --quiet >/dev/null
    "$lab" sh n1 cat "$backup/deflated.zip" >"$work/deflated.zip"
    for node in n1 n2 n3; do "$lab" sh $node rm "$backup/deflated.zip"; done
    unzip -p "$work/deflated.zip" /backup/deflated >"$work/db"
    python3 tests/e2e/make-archive.py stored "$work/db" $(($(stat -c %s "$work/db") + 4096)) "$work/stored.zip"
    rm "$work/db"
}

large() { # NAME of an archive
    local name=$1 line times key
    declare -A times
    new_store
    "$lab" sh n1 sh -c "umask 077; cat >$backup/$name.zip" <"$work/$name.zip"
    for ((i = 0; i < runs; i++)); do
        times[ours]+="$(seconds "$lab" run "$snapctl" upload "$name" "${common[@]}" "${store[@]}" --force) "
        memory=$(tail -n 1 "$work/peak")
        times[cat]+="$(seconds "$lab" run "${ssh_n1[@]}" "cat $backup/$name.zip") "
        times[local]+="$(seconds "$lab" run "${aws_s3[@]}" "$work/$name.zip" "s3://$S3_BUCKET/local.zip") "
        times[aws]+="$(seconds "$lab" run sh -c \
            "ssh -F '$LAB_DIR/ssh_config' n1 'cat $backup/$name.zip' | ${aws_s3[*]} - s3://$S3_BUCKET/piped.zip") "
        times[s3cmd]+="$(seconds "$lab" run sh -c \
            "ssh -F '$LAB_DIR/ssh_config' n1 'cat $backup/$name.zip' | ${s3cmd_put[*]} - s3://$S3_BUCKET/s3cmd.zip") "
        "$lab" s3-empty
    done
    "$lab" sh n1 rm "$backup/$name.zip"
    for key in ours cat local aws s3cmd; do
        # shellcheck disable=SC2086 # a list of numbers
        times[$key]=$(printf '%s\n' ${times[$key]} | median)
    done
    line=${times[cat]}
    awk -v a="$line" -v b="${times[local]}" 'BEGIN {exit !(b > a)}' && line=${times[local]}
    echo "$(stat -c %s "$work/$name.zip") bytes, $name, from a node to S3 on TLS"
    echo "  snapctl upload (verified)        ${times[ours]} s, peak memory $memory KiB   (limit $(((32 + 5 * 16) * 1024)) KiB)"
    echo "  ssh cat | aws s3 cp -            ${times[aws]} s: $(ratio "${times[ours]}" "${times[aws]}") x"
    echo "  ssh cat | s3cmd put -            ${times[s3cmd]} s: $(ratio "${times[ours]}" "${times[s3cmd]}") x"
    echo "  ssh cat >/dev/null               ${times[cat]} s"
    echo "  aws s3 cp of a local file        ${times[local]} s"
    echo "  … the slower of these two        $line s: $(ratio "${times[ours]}" "$line") x   (limit 1.25 x)"
}

three_nodes() {
    local with=() without=() cat=() i
    "$lab" put n1 200 500k >/dev/null
    for ((i = 0; i < runs; i++)); do
        without+=("$(seconds "$lab" run "$snapctl" save "${common[@]}" --name "plain-$i")")
        with+=("$(seconds "$lab" run "$snapctl" save "${common[@]}" "${store[@]}" --name "stored-$i")")
        cat+=("$(seconds "$lab" run sh -c \
            "ssh -F '$LAB_DIR/ssh_config' n1 'cat $backup/stored-$i.zip' | ${aws_s3[*]} - s3://$S3_BUCKET/once.zip")")
        for node in n1 n2 n3; do "$lab" sh $node sh -c "rm -f $backup/*"; done
        "$lab" s3-empty
    done
    local w o c
    w=$(printf '%s\n' "${with[@]}" | median)
    o=$(printf '%s\n' "${without[@]}" | median)
    c=$(printf '%s\n' "${cat[@]}" | median)
    echo "save on three nodes, 118 MB each"
    echo "  save $o s, save --s3 $w s: $(awk -v a="$w" -v b="$o" 'BEGIN {print a - b}') s more"
    echo "  one archive moved once (ssh cat | aws s3 cp -) $c s" \
        "($(awk -v a="$w" -v b="$o" -v c="$c" 'BEGIN {printf "%.2f", (a - b) / c}') x, limit 1.25 x)"
}

three_nodes
make_archives
for kind in ${KINDS:-stored deflated}; do large "$kind"; done
