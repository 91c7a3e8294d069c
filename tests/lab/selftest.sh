#!/bin/bash
# The lab's own test: two labs side by side, every command tried, nothing left over. Takes some minutes.
# shellcheck disable=SC2016,SC2317 # what others expand later; functions called through check
set -u
home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab=$home/lab
work=$(mktemp -d /tmp/lab-selftest.XXXXXX)
export LAB_DIR=$work/a
failed=0
trap 'LAB_DIR=$work/a "$lab" down; LAB_DIR=$work/b "$lab" down; rm -rf "$work"' EXIT

check() { # WHAT CMD…
    local what=$1 begun=$EPOCHREALTIME
    shift
    if "$@" > "$work/out" 2>&1; then
        printf 'ok      %s (%d ms)\n' "$what" $(((${EPOCHREALTIME/./} - ${begun/./}) / 1000))
    else
        failed=1
        printf 'NOT OK  %s\n' "$what"
        sed 's/^/        /' "$work/out"
    fi
}
not() { ! "$@"; }
prints() { # TEXT CMD…
    local want=$1 got
    shift
    got=$("$@") || { echo "$got"; return 1; }
    [ "$got" = "$want" ] || { echo "wanted '$want', got '$got'"; return 1; }
}
fails_with() { # PATTERN CMD…
    local want=$1 text
    shift
    text=$("$@" 2>&1) && return 1
    echo "$text"
    grep -q -- "$want" <<< "$text"
}
on() { # [USER@]NODE CMD…: by ssh
    "$lab" run timeout 30 ssh -F "$LAB_DIR/ssh_config" -o ConnectTimeout=3 "$@"
}
within() { # LOW HIGH CMD…: takes between LOW and HIGH milliseconds
    local low=$1 high=$2 begun=$EPOCHREALTIME ms
    shift 2
    "$@"
    ms=$(((${EPOCHREALTIME/./} - ${begun/./}) / 1000))
    echo "took $ms ms"
    [ "$ms" -ge "$low" ] && [ "$ms" -le "$high" ]
}

# --- the snapshot container by hand, step by step as snapctl does it ---

SAVE='/opt/rke-tools/rke-etcd-backup etcd-backup save --cacert /etc/kubernetes/ssl/kube-ca.pem
    --cert /etc/kubernetes/ssl/kube-node.pem --key /etc/kubernetes/ssl/kube-node-key.pem --once'

snapshot() { # NODE ADDRESS NAME
    on "$1" docker create --name etcd-snapshot-once --net host --restart no -v /opt/rke/etcd-snapshots/:/backup \
        -v /etc/kubernetes:/etc/kubernetes rancher/rke-tools:v0.1.90 "${SAVE//$'\n'/ }" --name "$3" "--endpoints=$2:2379" &&
        tar -C "$LAB_DIR" -c --transform "s,.*,$3.rkestate," --mode=0400 cluster.rkestate |
        on "$1" docker cp - etcd-snapshot-once:/etc/kubernetes &&
        on "$1" docker start -a etcd-snapshot-once
    local status=$?
    on "$1" docker rm -f etcd-snapshot-once
    return "$status"
}

entries() { zipinfo -1 "$1" | tr '\n' ' '; }
descriptors() { prints 2 sh -c 'zipinfo -v "$1" | grep -c "extended local header: *yes"' sh "$1"; }
same_state() { unzip -p "$1" '/etc/kubernetes/*' | cmp - "$LAB_DIR/cluster.rkestate"; }
zip_left() { on "$1" test -e "/opt/rke/etcd-snapshots/$2.zip"; }
fetch() { on "$1" "cat /opt/rke/etcd-snapshots/$2.zip" > "$work/$2.zip"; }
size_rule() { [ $(($(unzip -p "$1" '/backup/*' | wc -c) % 512)) = 32 ]; }
clean_node() { prints "" on "$1" 'ls -A /etc/kubernetes | grep -v "^ssl$"; ls /opt/rke/etcd-snapshots | grep -v "zip$"; :'; }

test_snapshot() {
    check "put" "$lab" put n1 20 2k
    check "keys" prints 20 "$lab" keys n2
    check "snapshot by hand" snapshot n1 10.77.0.11 s1
    check "fetch" fetch n1 s1
    check "entry names" prints "/backup/s1 /etc/kubernetes/s1.rkestate " entries "$work/s1.zip"
    check "data descriptors" descriptors "$work/s1.zip"
    check "unzip -t" unzip -tq "$work/s1.zip"
    check "size is 32 modulo 512" size_rule "$work/s1.zip"
    check "state file" same_state "$work/s1.zip"
    check "mode and owner" prints "600 root" on n1 stat -c "'%a %U'" /opt/rke/etcd-snapshots/s1.zip
    check "nothing else is left" clean_node n1
    check "restore" prints 20 "$lab" restore "$work/s1.zip"
}

test_stand_in() {
    "$lab" tool n1 fail="no room today" tries=1
    check "stand-in fails and says why" fails_with 'level=fatal.*no room today' snapshot n1 10.77.0.11 s2
    "$lab" tool n1 instant=1
    check "stand-in is instant" within 0 4000 snapshot n1 10.77.0.11 s3
    check "fetch" fetch n1 s3
    check "the ready snapshot restores" prints 10 "$lab" restore "$work/s3.zip"
    "$lab" tool n1 instant=1 corrupt=1
    check "stand-in corrupts" snapshot n1 10.77.0.11 s4
    check "fetch" fetch n1 s4
    check "that is seen" not unzip -tq "$work/s4.zip"
    "$lab" tool n1 instant=1 truncate=30 nostate=1
    check "stand-in truncates" snapshot n1 10.77.0.11 s5
    check "fetch" fetch n1 s5
    check "that is seen" not unzip -tq "$work/s5.zip"
    "$lab" tool n1 instant=1 delay=2
    check "stand-in delays" within 2000 8000 snapshot n1 10.77.0.11 s6
    "$lab" tool n1
}

test_users() {
    local k
    for k in id_ecdsa id_rsa id_rsa.pem id_rsa.pk8 id_ecdsa.pem id_ecdsa.pk8 id_cert_ed25519 id_cert_ecdsa id_cert_rsa; do
        check "ssh with $k" on rancher@n1 -i "$LAB_DIR/$k" -o IdentityFile=none true
    done
    check "Ed25519 in PKCS#8 is the same key" prints "$(cut -d ' ' -f 2 "$LAB_DIR/id_ed25519.pub")" pkcs8_public "$LAB_DIR/id_ed25519.pk8"
    for k in id_stranger id_cert_expired; do
        check "not with $k" not ssh_only "$k"
    done
    check "encrypted key and passphrase" ssh-keygen -y -P "$(cat "$LAB_DIR/passphrase")" -f "$LAB_DIR/id_rsa.enc"
    check "rancher uses docker" on rancher@n1 docker ps
    check "rancher reads no archive" not on rancher@n1 cat /opt/rke/etcd-snapshots/s1.zip
}

ssh_only() { "$lab" run timeout 10 ssh -F none -i "$LAB_DIR/$1" -o IdentitiesOnly=yes -o UserKnownHostsFile="$LAB_DIR/known_hosts" \
    -o BatchMode=yes rancher@10.77.0.11 true; }
pkcs8_public() { # the last 32 bytes of the DER form, with the head of OpenSSH's form
    { printf '\0\0\0\013ssh-ed25519\0\0\0 '; openssl pkey -in "$1" -pubout -outform DER | tail -c 32; } | base64 -w 0
}

# --- breaking and mending ---

test_breaks() {
    check "cut" "$lab" cut n2
    check "silence while cut" within 2500 6000 not on n2 true
    check "heal" "$lab" heal n2
    check "healed" on n2 true
    check "power off says no goodbye" silent_session stop n3
    check "off" not on n3 true
    check "a stopped node's command fails" not "$lab" sh n3 true
    check "start" "$lab" start n3
    check "on, with its data" prints 20 "$lab" keys n3
    check "freeze" "$lab" freeze n2
    check "frozen" not on n2 true
    check "thaw" "$lab" thaw n2
    check "thawed" on n2 docker ps
    check "stop while frozen" sh -c '"$1" freeze n2 && "$1" stop n2 && "$1" start n2' sh "$lab"
    check "on again" on n2 docker ps
    check "sshd-stop" "$lab" sshd-stop n1
    check "refused at once" within 0 2000 not on n1 true
    check "sshd-start" "$lab" sshd-start n1
    check "sshd is back" on n1 true
    check "sshd-kill-sessions" killed_session
    check "sshd-freeze" "$lab" sshd-freeze n1
    check "no banner" within 2500 6000 not on n1 true
    check "sshd-thaw" "$lab" sshd-thaw n1
    check "sshd answers" on n1 true
    check "etcd-stop" "$lab" etcd-stop n3
    check "etcd is down" not on n3 'docker ps | grep etcd'
    check "etcd-start" "$lab" etcd-start n3
    check "etcd is up" prints 20 "$lab" keys n3
    check "fill" "$lab" fill n1 64
    check "full" not on n1 dd if=/dev/zero of=/opt/rke/big bs=1k count=200
    check "unfill" "$lab" unfill n1
    check "room again" on n1 'dd if=/dev/zero of=/opt/rke/big bs=1k count=200 && rm /opt/rke/big'
    check "slow" "$lab" slow n2 40
    check "slowed" round_trip n2 38 60
    check "cut while slow" "$lab" cut n2
    check "silence" within 2500 6000 not on n2 true
    check "heal while slow" "$lab" heal n2
    check "slowed as before" round_trip n2 38 60
    check "fast" "$lab" slow n2 0
    check "as fast as ever" round_trip n2 0 5
    check "rekey" "$lab" rekey n2
    check "the change is seen" not on n2 true
    check "known-hosts" sh -c '"$1" known-hosts > "$LAB_DIR/known_hosts"' sh "$lab"
    check "known again" on n2 true
    printf '#!/bin/sh\necho shimmed "$@"\n' > "$work/shim"
    check "shim" "$lab" shim n1 "$work/shim"
    check "shimmed" prints "shimmed ps" on n1 docker ps
    check "unshim" "$lab" unshim n1
    check "real docker" on n1 docker ps
    "$lab" cut n1 && "$lab" cut n2
    check "mend one node" "$lab" mend n1
    check "mended" on n1 true
    check "the other one is as it was" not on n2 true
    check "mend all" "$lab" mend
    check "mended too" on n2 docker ps
    check "empty" "$lab" empty
    check "no archive is left" prints "" on n1 ls -A /opt/rke/etcd-snapshots
}

silent_session() { # COMMAND NODE: a session that stands while COMMAND is done must neither end nor be told
    local pid
    on "$2" sleep 20 &
    pid=$!
    sleep 1
    "$lab" "$1" "$2" && sleep 1 && kill "$pid"
}

killed_session() { # sshd's end of a session goes, so its client must see a lost connection: status 255
    local pid
    on n1 sleep 20 &
    pid=$!
    sleep 1
    "$lab" sshd-kill-sessions n1 || return
    wait "$pid"
    [ $? = 255 ] && on n1 true
}

# A TCP connection takes one round trip; the best of five, without the cost of a shell's start.
round_trip() { # NODE LOW HIGH
    "$lab" run bash -c '
        best=999999
        for i in 1 2 3 4 5; do
            t=$EPOCHREALTIME
            exec 3<> "/dev/tcp/$1/22" || exit 1
            d=$(((${EPOCHREALTIME/./} - ${t/./}) / 1000))
            exec 3>&-
            [ "$d" -ge "$best" ] || best=$d
        done
        echo "$best ms"
        [ "$best" -ge "$2" ] && [ "$best" -le "$3" ]' bash "10.77.0.1${1#n}" "$2" "$3"
}

# --- being in the lab ---

test_run() {
    check "exit status" prints 7 sh -c '"$1" run sh -c "exit 7"; echo $?' sh "$lab"
    check "same process" prints yes sh -c '"$1" run sleep 5 & p=$!; sleep 0.3; kill -0 $p && kill $p && wait $p; [ $? = 143 ] && echo yes' sh "$lab"
    check "working folder and descriptors" prints "$work here" sh -c 'cd "$2" && "$1" run bash -c "echo \"\$PWD \$(cat <(echo here))\""' sh "$lab" "$work"
    check "names" "$lab" run --hosts bash -c ': < /dev/tcp/n2/22'
    check "no way out" prints "" "$lab" run ip route show default
    check "nor from a node" prints "" "$lab" sh n1 ip route show default
    check "sh" prints n2 "$lab" sh n2 hostname
    check "up again is fine" "$lab" up
    check "status" "$lab" status
    check "help" "$lab" help
    check "bad command" not "$lab" nonsense
    check "bad node" not "$lab" cut n9
}

# The share of a processor that a container gets in one second of its own clock.
test_quota() {
    check "quota" "$lab" quota 0.2
    check "held in a container" sh -c '
        s=$("$1" sh n1 docker run --rm --net none rancher/rke-tools:v0.1.90 bash -c "t=\$SECONDS; while [ \$((SECONDS - t)) -lt 3 ]; do :; done; times" | head -n 1)
        echo "$s"; echo "$s" | awk "{ split(\$1, m, /[ms]/); exit !(m[2] < 1.2) }"' sh "$lab"
    check "no quota" "$lab" quota max
    check "containers alone" "$lab" quota 0.2 --containers
    check "no quota" "$lab" quota max --containers
}

# --- S3 ---

# By curl, as the operator: METHOD-OPTIONS… URL; prints the status.
s3_curl() {
    "$lab" run --hosts curl -s -o "$work/answer" -w '%{http_code}' --max-time "${MAX_TIME:-10}" --cacert "$S3_CA" \
        --aws-sigv4 "aws:amz:${REGION:-us-east-1}:s3" -u "$S3_ACCESS_KEY:$S3_SECRET_KEY" \
        -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@"
}
s3_put() { s3_curl -T "$work/object" "http://$S3_FAULT_ENDPOINT/snapshots/${1:-o}"; }
s3_upload() { # by the fault endpoint; prints the status of Complete
    local url=http://$S3_FAULT_ENDPOINT/snapshots/m id etag
    s3_curl -X POST "$url?uploads=" > /dev/null
    id=$(sed -n 's/.*<UploadId>\(.*\)<\/UploadId>.*/\1/p' "$work/answer")
    etag=$(s3_curl -D - -T "$work/object" "$url?partNumber=1&uploadId=$id" | sed -n 's/^etag: *"\(.*\)".*/\1/Ip')
    s3_curl -d "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>$etag</ETag></Part></CompleteMultipartUpload>" \
        "$url?uploadId=$id"
}
s3_from() { # NODE
    "$lab" sh "$1" curl -s -o /dev/null --max-time 3 "http://$S3_ENDPOINT/"
}

test_s3() {
    check "s3-up" "$lab" s3-up
    check "s3-up again is fine" "$lab" s3-up
    # shellcheck disable=SC1091
    . "$LAB_DIR/s3/env"
    head -c 1000000 /dev/urandom > "$work/object"
    check "s3-put" "$lab" s3-put a/b "$work/object"
    check "s3-ls" prints "a/b 1000000" "$lab" s3-ls
    check "s3-fill" sh -c '"$1" s3-fill 3 many/ && [ "$("$1" s3-ls | grep -c ^many/)" = 3 ]' sh "$lab"
    check "s3-get" sh -c '"$1" s3-get a/b "$2/got" && cmp "$2/object" "$2/got"' sh "$lab" "$work"
    check "s3-head" sh -c '"$1" s3-head a/b | grep -qx "content-length: 1000000"' sh "$lab"
    check "s3-head of nothing fails" not "$lab" s3-head nothing
    check "s3-api" "$lab" s3-api create-multipart-upload --bucket snapshots --key pending
    check "s3-uploads" sh -c '"$1" s3-uploads | grep -q "^pending "' sh "$lab"
    check "s3-empty" "$lab" s3-empty
    check "nothing is left" prints "" sh -c '"$1" s3-ls && "$1" s3-uploads' sh "$lab"
    check "s3-admin" sh -c '"$1" s3-admin user list | grep -q tester' sh "$lab"
    check "s3-quota" env LAB_S3_USER=quota LAB_S3_BUCKET=quota sh -c '"$1" s3-quota 1500000 && "$1" s3-put 1 "$2" &&
        ! "$1" s3-put 2 "$2" && "$1" s3-quota off && "$1" s3-put 2 "$2" && "$1" s3-empty' sh "$lab" "$work/object"
    check "others have no rights" not env LAB_S3_USER=other "$lab" s3-ls
    check "s3-policy" "$lab" s3-policy no-abort
    check "others have some" env LAB_S3_USER=other "$lab" s3-put o "$work/object"
    check "s3-policy off" "$lab" s3-policy off
    check "none again" not env LAB_S3_USER=other "$lab" s3-ls
    check "TLS" prints 200 s3_curl "https://$S3_TLS_ENDPOINT/snapshots"
    check "TLS by the bucket's name" prints 200 s3_curl "https://snapshots.$S3_VHOST_TLS/"
    local at
    for at in "$S3_TLS_EXPIRED" "$S3_TLS_WRONG_HOST" "$S3_TLS_OTHER_CA"; do
        check "bad certificate at $at" not s3_curl "https://$at/snapshots"
        check "which is all that is wrong" prints 200 s3_curl -k "https://$at/snapshots"
    done
    check "proxy" prints 200 s3_curl -x "http://$S3_PROXY" "https://$S3_TLS_ENDPOINT/snapshots"
    check "it is logged" grep -qx "CONNECT $S3_TLS_ENDPOINT 200" "$LAB_DIR/s3/proxy.log"
    check "proxy wants a password" not s3_curl -x "http://$S3_PROXY_AUTH" "https://$S3_TLS_ENDPOINT/snapshots"
    check "session keys" sh -c '"$1" s3-sts | grep -c . | grep -qx 4' sh "$lab"
    check "web identity" prints 200 "$lab" run curl -s -o "$work/answer" -w '%{http_code}' -d "Action=AssumeRoleWithWebIdentity" \
        -d "Version=2011-06-15&RoleArn=$S3_WEB_ROLE_ARN&RoleSessionName=test&WebIdentityToken=$(cat "$S3_WEB_TOKEN_FILE")" \
        "http://$S3_STS_ENDPOINT/"
    check "wrong clock" prints 403 s3_late
    test_s3_faults
    check "s3-cut operator" "$lab" s3-cut operator
    check "the operator has no way" within 0 1500 not s3_curl "http://$S3_ENDPOINT/"
    check "a node has" s3_from n1
    check "s3-cut NODE --silent" "$lab" s3-cut n2 --silent
    check "silence" within 2500 6000 not s3_from n2
    check "s3-heal" "$lab" s3-heal
    check "ways again" sh -c '"$1" s3-ls && "$1" sh n2 curl -s -o /dev/null "http://$2/"' sh "$lab" "$S3_ENDPOINT"
    test_imds
}
s3_late() {
    "$lab" run env FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f -20m curl -s -o "$work/answer" -w '%{http_code}' \
        --aws-sigv4 aws:amz:us-east-1:s3 -u "$S3_ACCESS_KEY:$S3_SECRET_KEY" "http://$S3_ENDPOINT/snapshots"
    grep -q '<Code>RequestTimeTooSkewed' "$work/answer"
}

fault_is() { # NAME WANTED CMD…
    local fault=$1 want=$2
    shift 2
    # shellcheck disable=SC2086
    check "fault $fault" "$lab" s3-fault $fault
    check "it happens" prints "$want" sh -c '"$@"; :' sh bash -c "$(declare -f s3_curl s3_put s3_upload); lab=$lab work=$work; \"\$@\"" bash "$@"
}

test_s3_faults() {
    set -a
    # shellcheck disable=SC1091
    . "$LAB_DIR/s3/env"
    set +a
    fault_is "slowdown-1" 503 s3_put
    check "once" prints 200 s3_put
    check "both are logged" prints "PUT /snapshots/o - 503
PUT /snapshots/o - 200" cat "$LAB_DIR/s3/fault.log"
    fault_is "cut-part slowdown-1" 100 s3_put
    check "then the second" prints 503 s3_put
    check "then none" prints 200 s3_put
    check "all are logged" prints "PUT /snapshots/o - -
PUT /snapshots/o - 503
PUT /snapshots/o - 200" cat "$LAB_DIR/s3/fault.log"
    fault_is "put-500" 500 s3_put
    fault_is "cut-part" 100 s3_put
    fault_is "cut-complete" 000 s3_upload
    check "not done" sh -c '"$1" s3-uploads | grep -q "^m " && "$1" s3-empty' sh "$lab"
    fault_is "cut-after-complete" 000 s3_upload
    check "done" prints "m 1000000" "$lab" s3-ls
    fault_is "complete-error" 200 s3_upload
    check "in the body" grep -q '<Code>InternalError' "$work/answer"
    fault_is "wrong-etag" 400 s3_upload
    fault_is "region" 301 s3_put
    check "not from the right one" prints 200 env REGION=eu-central-1 bash -c "$(declare -f s3_curl s3_put); lab=$lab work=$work; s3_put"
    fault_is "region-malformed" 400 s3_put
    check "with its region" grep -q '<Region>eu-central-1' "$work/answer"
    check "stall" "$lab" s3-fault stall
    check "silence" within 1800 5000 not env MAX_TIME=2 bash -c "$(declare -f s3_curl s3_put); lab=$lab work=$work; s3_put"
    fault_is "slow 2000 slow-create" 200 s3_put
    fault_is "down" 000 s3_put
    check "nothing is logged" prints "" cat "$LAB_DIR/s3/fault.log"
    fault_is "500" 500 s3_put
    check "unknown fault" not "$lab" s3-fault nonsense
    check "in no time" within 0 400 "$lab" s3-fault abort-403 region-malformed-2
    fault_is "head-403-1" 403 s3_curl -I "http://$S3_FAULT_ENDPOINT/snapshots/o"
    check "once" prints 200 s3_curl -I "http://$S3_FAULT_ENDPOINT/snapshots/o"
    fault_is "off" 200 s3_put
    check "s3-empty" "$lab" s3-empty
}

test_imds() {
    local at=http://169.254.169.254/latest
    check "imds v2" "$lab" imds n1 v2
    check "a token is needed" not "$lab" sh n1 curl -sf --max-time 3 $at/meta-data/iam/security-credentials/
    check "with it there are keys" "$lab" sh n1 bash -c 'curl -sf -H "X-aws-ec2-metadata-token: $(curl -sf -X PUT \
        -H "X-aws-ec2-metadata-token-ttl-seconds: 60" "$0/api/token")" "$0/meta-data/iam/security-credentials/etcd-role" |
        grep -q LAB-S3-SECRET-' $at
    check "imds v2-hop" "$lab" imds n1 v2-hop
    check "silence" within 1800 5000 not "$lab" sh n1 curl -s --max-time 2 -X PUT $at/api/token
    check "imds v1 --sts" "$lab" imds n1 v1 --sts
    check "a session token" "$lab" sh n1 bash -c 'curl -sf "$0/meta-data/iam/security-credentials/etcd-role" | grep -q Token' $at
    check "imds refuse" "$lab" imds n1 refuse
    check "freezing with it" sh -c '"$1" freeze n1 && "$1" thaw n1 && "$1" stop n1 && "$1" start n1' sh "$lab"
    check "imds v1" "$lab" imds n1 v1
    check "imds none" "$lab" imds n1 none
    check "it is gone" not "$lab" sh n1 curl -s --max-time 3 $at/
}

# --- the second lab: bastion, sudo, IPv6 ---

test_second() {
    export LAB_DIR=$work/b
    check "second lab" "$lab" up --nodes 1 --bastion --sudo --ipv6 --disk 64
    check "status" "$lab" status
    check "through the bastion" prints n1 on n1 hostname
    check "not past it" not "$lab" run timeout 3 bash -c ': < /dev/tcp/10.78.0.11/22'
    check "bastion has no docker" not on bastion docker ps
    check "admin has no docker" not on admin@n1 docker ps
    check "admin has sudo" on admin@n1 sudo -n docker ps
    check "IPv6 through the bastion" on -J bastion -o HostName=fd78::11 n1 true
    check "IPv6 to the bastion" on -o HostName=fd77::2 bastion true
    check "etcd over IPv6" snapshot n1 '[fd78::11]' v6
    check "cut behind the bastion" "$lab" cut n1
    check "silence" not on n1 true
    check "heal" "$lab" heal n1
    check "healed" on n1 true
    check "slow bastion" "$lab" slow bastion 30
    check "still there" on n1 true
    check "S3 and a bastion" "$lab" s3-up --bluestore
    check "by name from the operator" "$lab" run --hosts curl -s -o /dev/null --max-time 3 http://s3.snapctl.test/
    check "by the one address from a node" s3_from n1
    check "s3-down" "$lab" s3-down
    check "nothing there" not s3_from n1
    check "stop the bastion" "$lab" stop bastion
    check "start the bastion" "$lab" start bastion
    check "through it again" on n1 true
    export LAB_DIR=$work/a
    check "the first lab did not notice" on n1 true
}

# --- the end ---

groups() { # of these two labs; another one may come and go meanwhile
    local l
    for l in a b; do
        find /sys/fs/cgroup -maxdepth 3 -name "snapctl-lab-$(printf %s "$work/$l" | sha256sum | cut -c 1-12)"
    done
}
# Everything that has a file open, a root or a mount below the labs' folders, or is in a namespace of theirs.
holders_of() { # NETNS…
    local p ns
    for p in /proc/[0-9]*; do
        ns=$(readlink "$p/ns/net") || continue
        for want; do [ "$ns" != "$want" ] || echo "$p $ns"; done
    done
    grep -l "$LAB_DIR/" /proc/[0-9]*/mountinfo 2> /dev/null
    :
}
namespaces() { "$lab" run readlink /proc/self/ns/net; "$lab" sh n1 readlink /proc/self/ns/net; "$lab" sh n3 readlink /proc/self/ns/net
    readlink "/proc/$(cut -d ' ' -f 1 "$LAB_DIR/s3/init")/ns/net"; }

test_end() {
    local nets pid
    mapfile -t nets < <(namespaces)
    check "four namespaces known" [ "${#nets[@]}" = 4 ]
    check "down" "$lab" down
    check "no process, no mount" prints "" holders_of "${nets[@]}"
    check "no folder" not [ -e "$LAB_DIR" ]
    check "down again is fine" "$lab" down
    check "run without a lab fails" not "$lab" run true
    LAB_DIR=$work/b
    mapfile -t nets < <("$lab" run readlink /proc/self/ns/net)
    read -r pid _ < "$LAB_DIR/holder"
    check "the holder is killed" kill -9 "$pid"
    sleep 1
    check "all went with it" prints "" holders_of "${nets[@]}"
    check "down cleans up" "$lab" down
    sleep 30 &
    pid=$!
    check "lab with an owner" "$lab" up --nodes 1 --owner "$pid"
    kill "$pid"
    check "it ends with its owner" sh -c 'for i in $(seq 100); do [ -e "$LAB_DIR" ] || exit 0; sleep 0.1; done; exit 1'
    check "interrupted on the way up" interrupted
    check "killed while S3 comes up" killed_with_s3
    check "no control group" prints "" groups
}

interrupted() {
    local pid
    "$lab" up > "$work/up.log" 2>&1 &
    pid=$!
    sleep 2
    kill -TERM "$pid"
    wait "$pid"
    cat "$work/up.log"
    [ ! -e "$LAB_DIR" ]
}

killed_with_s3() {
    local pid
    "$lab" up --nodes 1 || return
    "$lab" s3-up &
    sleep 3
    read -r pid _ < "$LAB_DIR/holder"
    kill -9 "$pid"
    wait $! # it must not succeed, nor leave anything
    prints "" holders_of && "$lab" down && [ ! -e "$LAB_DIR" ]
}

check "up" "$lab" up
test_snapshot
test_stand_in
test_users
test_breaks
test_run
test_quota
test_s3
test_second
test_end
[ "$failed" = 0 ] && echo "all is well" || echo "something is NOT well"
exit "$failed"
