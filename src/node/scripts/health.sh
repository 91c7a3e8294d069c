# What `check` asks beside the probe: etcd's health, and what dead runs left. Set: look (1: the snapshots' folder can be
# looked into) etcd (1: its container runs). Prints lines "key value"; what is missing was not to be had.

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
list_leftovers
