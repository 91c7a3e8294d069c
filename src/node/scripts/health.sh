# What `check` asks beside the probe: etcd's health, the tools image, the certificates for the bundle, and what dead runs
# left. Set: look (1: the snapshots' folder can be looked into) etcd (1: its container runs) tool (the sub-command that a save
# needs; empty: it need not be asked for) bundle (1: one is wanted). Prints lines "key value"; what is missing was not to be had.

# Of the tool only its help is run, with nothing of the node's in sight. It ends by itself, also when nobody waits any more.
# shellcheck disable=SC2016 # expanded by the shell in the container
help='
    "$@" &
    pid=$!
    (sleep 20 && kill -9 $pid) >/dev/null 2>&1 &
    wait $pid'
ask_tool() {
    d image inspect --format x "$image" >/dev/null 2>&1 || return
    said=$(thrown_away --entrypoint sh "$image" -c "$help" sh /opt/rke-tools/rke-etcd-backup help "$tool" 2>&1 </dev/null)
    status=$?
    printf 'tool %s %.2000s\n' $status "$(printf %s "$said" | tr '\n' ' ')"
}
[ -z "$tool" ] || ask_tool &

ask() {
    printf '%s %s\n' "$1" "$(shift && d exec etcd etcdctl --command-timeout=5s --write-out=json "$@" 2>&1 | tr '\n' ' ')"
}
if [ "$etcd" = 1 ]; then
    ask members member list
    ask status endpoint status
    ask alarms alarm list
    d inspect --type container --format '{{json .Args}}{{json .Config.Env}}' etcd 2>/dev/null |
        grep -oE '(--quota-backend-bytes[="]|ETCD_QUOTA_BACKEND_BYTES=)[^0-9]{0,3}[0-9]+' | sed 's/.*[^0-9]/quota /' | tail -n 1
fi

# For as_root: "bundled FILES CERTIFICATES KEYS ELSEWHERE", what bundle.sh would find, by the names that RKE gives. Nothing is
# read.
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
count='
    certificates=0 keys=0
    for file in "$2"/.tmp/*.pem; do
        [ -f "$file" ] && [ ! -L "$file" ] && [ -s "$file" ] || continue
        case $file in
        *-csr.pem) ;;
        *-key.pem) keys=$((keys + 1)) ;;
        *) certificates=$((certificates + 1)) ;;
        esac
    done
    echo "bundled $(ls -A "$2/.tmp" 2>/dev/null | wc -l) $certificates $keys $(ls "$2"/ssl/*.pem 2>/dev/null | wc -l)"'
[ "$bundle" = 0 ] || [ "$look" = 0 ] || as_root "$count" </dev/null

# Before leftovers are looked for: its container is none.
wait
list_leftovers
