#!/usr/bin/env bash
# What an upload costs, beside awscli's of the same files to the same store, in the same run.
#   tests/bench/upload.sh [BUILD]      build folder (default: build)
# The store is named by S3_ENDPOINT (http://… or https://…), S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for
# a CA of its own, S3_CA. SIZES in MiB (default "0 8 16 17 100 1024"), RUNS (default 1).
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
export AWS_DEFAULT_REGION=us-east-1 AWS_CA_BUNDLE=${S3_CA:-} AWS_REQUEST_CHECKSUM_CALCULATION=when_required
work=$(mktemp -d "${TMPDIR:-/tmp}/snapctl-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2046 # words, one option each
cc -O2 -D_GNU_SOURCE -I include tests/bench/upload.c "$build/libsnapctl_rooms.a" -Wl,--as-needed \
    $(pkg-config --libs libcurl libcrypto expat jansson) -lpthread -o "$work/upload"

for mib in ${SIZES:-0 8 16 17 100 1024}; do
    head -c "${mib}M" /dev/urandom >"$work/file"
    [ "$mib" -gt 0 ] || head -c 1000 /dev/urandom >"$work/file"
    for ((i = 0; i < ${RUNS:-1}; i++)); do
        echo "$mib MiB: $("$work/upload" "$work/file" "bench/$mib.zip")"
        command -v aws >/dev/null || continue
        began=$(date +%s%N)
        aws --endpoint-url "$S3_ENDPOINT" s3 cp --quiet "$work/file" "s3://$S3_BUCKET/bench/aws-$mib.zip"
        echo "  awscli: $((($(date +%s%N) - began) / 10000000))e-2 s"
        aws --endpoint-url "$S3_ENDPOINT" s3 cp --quiet "s3://$S3_BUCKET/bench/$mib.zip" - | cmp - "$work/file"
    done
done
