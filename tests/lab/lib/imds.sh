# shellcheck shell=bash disable=SC2154 # set by need_lab and its kin
# A fake metadata service of EC2 on a node.

IMDS_ADDR=169.254.169.254

#: imds NODE v2|v2-hop|v1|v1-hop|refuse [--expires SECONDS] [--sts] / imds NODE none
#:     a metadata service on the node, whose role etcd-role has the keys of the user of S3, or with --sts session keys, good
#:     at S3_STS_ENDPOINT only. Begins a new LAB_DIR/nodes/NODE/imds.log. It ends when the node is stopped
cmd_imds() {
    need_lab
    need_running "${1:-}"
    local mode=${2:-} expires=21600 sts=0
    shift 2 || die "imds NODE MODE"
    while [ $# -gt 0 ]; do
        case $1 in
            --expires) expires=${2:-}; shift ;;
            --sts) sts=1 ;;
            *) die "imds: no such option: $1" ;;
        esac
        shift
    done
    [[ $expires =~ ^-?[0-9]+$ ]] || die "--expires takes seconds"
    case $mode in
        none) imds_end ;;
        v2 | v2-hop | v1 | v1-hop | refuse) imds_end && imds_start "$mode" "$expires" "$sts" ;;
        *) die "imds: no such mode: $mode" ;;
    esac
}

imds_start() { # MODE EXPIRES STS
    imds_keys "$3" || die "no keys"
    : > "$node_dir/imds.log"
    : > "$node_dir/imds.out"
    nsenter --target "$init" --net -- ip addr replace $IMDS_ADDR/32 dev lo || return
    # Of the node's, only its network and its processes are entered: its folders hide the lab's programs. It must become a
    # child of the node's first process: nsenter itself would stop with a frozen child and then never reap it.
    spawn "$node_dir/imds.out" nsenter --target "$init" --net --pid -- setsid --fork /usr/bin/python3 -I -S \
        "$LAB_HOME/s3/imds.py" "$node_dir/imds.keys" "$node_dir/imds.log" "$1" "$2"
    until_true 10 grep -q '^ready' "$node_dir/imds.out" || die "no metadata service: $(tail -n 1 "$node_dir/imds.out")"
    remember "$(sed -n 's/^ready //p' "$node_dir/imds.out")" "$node_dir/imds"
}

imds_end() {
    local pid
    pid=$(pid_in "$node_dir/imds") && kill -9 "$pid"
    until_true 5 gone "$node_dir/imds" || die "the metadata service does not die"
    nsenter --target "$init" --net -- ip addr del $IMDS_ADDR/32 dev lo 2> /dev/null
    rm -f "$node_dir"/imds "$node_dir"/imds.{log,out,keys}
}

imds_keys() { # STS
    local found
    need_s3
    if [ "$1" = 1 ]; then
        found=$(cmd_s3_sts) || return
        mapfile -t found <<< "$found"
    else
        s3_as tester
        found=("$access" "$secret")
    fi
    (
        umask 077
        printf '{"AccessKeyId": "%s", "SecretAccessKey": "%s"' "${found[@]:0:2}"
        [ "$1" = 0 ] || printf ', "Token": "%s"' "${found[2]}"
        echo '}'
    ) > "$node_dir/imds.keys"
}
