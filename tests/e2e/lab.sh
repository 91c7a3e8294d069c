#!/usr/bin/env bash
# The lab of the end-to-end tests as a ctest fixture: lab.sh up|down FOLDER [lab up's options].
# Of options that are not up's, --s3 starts S3 as well. It ends with ctest (our parent) at the latest, also when that is killed.
set -eu
lab=$(cd "$(dirname "$0")/../lab" && pwd)/lab
verb=$1
export LAB_DIR=$2
shift 2
case $verb in
up)
    "$lab" down
    s3=
    [ "${1:-}" != --s3 ] || { s3=1 && shift; }
    "$lab" up --owner "$PPID" "$@"
    [ -z "$s3" ] || "$lab" s3-up
    "$lab" put n1 20 10k
    ;;
down) "$lab" down ;;
esac
