# shellcheck shell=bash disable=SC2016,SC2154 # what stands in single quotes is for the shell within; set by need_lab and its kin
# The host s3: a real S3 server (Ceph's radosgw) with namespaces of its own, haproxy in front for faults, and ways to cut it off.

S3_ADDR=10.77.0.3
S3_ADDR_BEHIND=10.78.0.3 # with a bastion: where the nodes are
S3_NAMES='s3.snapctl.test snapshots.s3.snapctl.test quota.s3.snapctl.test'

s3_pid() { pid_in "$LAB_DIR/s3/init"; }
need_s3() {
    need_lab
    s3=$(s3_pid) || die "no S3 is up (s3-up)"
}

#: s3-up [--bluestore]
#:     start the host s3: a real S3 server and all that stands around it; LAB_DIR/s3/env tells where and who.
#:     --bluestore: objects are on disk, for more than 1 GiB of them
cmd_s3_up() {
    need_lab
    local store=memstore begun=$EPOCHREALTIME
    case ${1:-} in
        '') ;;
        --bluestore) store=bluestore ;;
        *) die "s3-up [--bluestore]" ;;
    esac
    s3_missing_packages
    ! s3_pid > /dev/null || { say "S3 is already up"; return 0; }
    trap 'trap - EXIT; say "S3 did not come up"; tail -n 3 "$LAB_DIR/s3/init.log" >&2; cmd_s3_down; exit 1' EXIT
    trap 'exit 130' INT TERM HUP
    s3_end
    mkdir -p "$LAB_DIR"/s3/{data,osd,log,tls,oidc} || die "cannot make $LAB_DIR/s3"
    (trap - EXIT; s3_web_identity) &
    { s3_certificates && wait $!; } || die "cannot make certificates"
    { s3_env > "$LAB_DIR/s3/env" && s3_private_env "$store" > "$LAB_DIR/s3/s3.env"; } || die "cannot write $LAB_DIR/s3"
    s3_hosts
    s3_power_on || die "S3 does not start"
    trap - EXIT INT TERM HUP
    say "S3 is up after $(((${EPOCHREALTIME/./} - ${begun/./}) / 1000)) ms: $store"
}

#: s3-down
#:     end the host s3 and remove all it had
cmd_s3_down() {
    local name
    need_lab
    s3_end
    sed -i '/ s3\.snapctl\.test/d' "$LAB_DIR/hosts"
    for name in $(all_names); do
        sed -i '/ s3\.snapctl\.test/d' "$LAB_DIR/nodes/$name/fs/etc/hosts"
        s3_heal_node "$name"
    done
    s3_heal_at "$holder"
}

s3_missing_packages() {
    local c missing=
    for c in radosgw radosgw-admin ceph-mon ceph-osd monmaptool haproxy /usr/bin/python3 curl; do
        command -v "$c" > /dev/null || missing="$missing $c"
    done
    [ -z "$missing" ] || die "missing:$missing (the Debian packages are listed in ${LAB_HOME##*/}/packages)"
}

s3_power_on() {
    local dir=$LAB_DIR/s3 child
    : > "$dir/init.log"
    spawn "$dir/init.log" nsenter --target "$holder" --mount --net --pid -- \
        unshare --pid --fork --kill-child --mount --uts --net --mount-proc bash "$LAB_HOME/s3-init.sh" "$dir" "$LAB_HOME"
    # nsenter forks once to be in the new process namespace, unshare once more.
    until_true 5 only_child "$spawned" && child=$(only_child "$spawned") &&
        until_true 5 only_child "$child" && child=$(only_child "$child") || return
    remember "$child" "$dir/init"
    wire_one s3 eth0 "$child" 02:77:00:00:00:03 br77 || return
    [ "$BASTION" = 0 ] || wire_one s3b eth1 "$child" 02:78:00:00:00:03 br78 || return
    until_true 60 s3_ready_or_dead && grep -qx ready "$dir/init.log"
}
s3_ready_or_dead() { grep -qx ready "$LAB_DIR/s3/init.log" || gone "$LAB_DIR/s3/init"; }

s3_end() {
    local pid
    pid=$(s3_pid) && kill -9 "$pid"
    until_true 20 gone "$LAB_DIR/s3/init" || die "S3 does not die"
    on_holder sh -c 'ip link del s3; ip link del s3b; :' 2> /dev/null
    until_true 5 rm -rf --one-file-system "$LAB_DIR/s3" || die "cannot remove $LAB_DIR/s3"
}

# The nodes behind a bastion reach S3 by the operator's address too, so that one address is good for all.
s3_hosts() {
    local name addr=$S3_ADDR
    echo "$S3_ADDR $S3_NAMES" >> "$LAB_DIR/hosts"
    for name in $(all_names); do
        [ "$BASTION" = 0 ] || [ "$name" = bastion ] || addr=$S3_ADDR_BEHIND
        echo "$addr $S3_NAMES" >> "$LAB_DIR/nodes/$name/fs/etc/hosts"
        s3_route "$name"
    done
}
s3_route() { # NODE: also called when a node is switched on
    local pid
    [ "$BASTION" = 1 ] && [ "$1" != bastion ] && [ -e "$LAB_DIR/s3" ] && pid=$(pid_in "$LAB_DIR/nodes/$1/init") || return 0
    nsenter --target "$pid" --net -- ip route replace "$S3_ADDR/32" via "$S3_ADDR_BEHIND" dev eth0
}

# --- its files ---

s3_certificates() {
    (
        set -e
        cd "$LAB_DIR/s3/tls"
        umask 077
        s3_ca ca lab-s3-ca
        s3_ca other-ca unrelated-ca
        s3_certificate server ca "$S3_SAN"
        s3_certificate wrong-host ca DNS:elsewhere.snapctl.test,IP:10.77.0.99
        s3_certificate other-signed other-ca "$S3_SAN"
        s3_expired ca "$S3_SAN"
        cp ca.pem other-ca.pem ..
        chmod 0644 ../*.pem
    ) > "$LAB_DIR/s3/log/certificates" 2>&1
}
S3_SAN="IP:$S3_ADDR,IP:$S3_ADDR_BEHIND,IP:127.0.0.1,DNS:s3.snapctl.test,DNS:*.s3.snapctl.test"

s3_ca() { # NAME SUBJECT
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$2" \
        -keyout "$1.pem.key" -out "$1.pem" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
}

s3_certificate() { # NAME CA NAMES
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$1" -keyout "$1.pem.key" \
        -out "$1.pem" -CA "$2.pem" -CAkey "$2.pem.key" -addext "subjectAltName=$3" -addext extendedKeyUsage=serverAuth \
        -addext basicConstraints=critical,CA:FALSE
}

s3_expired() { # CA NAMES
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=expired -keyout expired.pem.key -out expired.csr
    openssl x509 -req -in expired.csr -CA "$1.pem" -CAkey "$1.pem.key" -set_serial 77 -days -1 \
        -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$2") -out expired.pem
}

base64url() { base64 -w 0 | tr '+/' '-_' | tr -d =; }

S3_ISSUER=http://127.0.0.1:8088
# A provider of identities: its key, the two documents that radosgw asks for, and one token good for a day.
s3_web_identity() {
    (
        set -e
        cd "$LAB_DIR/s3/oidc"
        umask 077
        openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 3650 -subj /CN=oidc
        printf '{"issuer":"%s","jwks_uri":"%s/certs"}' "$S3_ISSUER" "$S3_ISSUER" > openid.json
        printf '{"keys":[{"kid":"k1","kty":"RSA","alg":"RS256","use":"sig","x5c":["%s"]}]}' \
            "$(openssl x509 -in cert.pem -outform der | base64 -w 0)" > jwks.json
        s3_web_token 86400 > token
        s3_web_token -3600 > token-expired
    ) > "$LAB_DIR/s3/log/oidc" 2>&1
}
s3_web_token() { # SECONDS
    local now=$EPOCHSECONDS text
    text=$(printf '{"alg":"RS256","typ":"JWT","kid":"k1"}' | base64url).$(
        printf '{"iss":"%s","sub":"system:serviceaccount:kube-system:etcd","aud":"sts.amazonaws.com","iat":%d,"exp":%d}' \
            "$S3_ISSUER" $((now - 7200)) $((now + $1)) | base64url)
    printf '%s.%s' "$text" "$(printf %s "$text" | openssl dgst -sha256 -sign key.pem -binary | base64url)"
}

# Every secret carries a marker that tests can look for wherever it must not be.
s3_env() {
    local user
    printf 'S3_ENDPOINT=%s\nS3_TLS_ENDPOINT=%s\n' $S3_ADDR:9000 $S3_ADDR:9443
    printf 'S3_STS_ENDPOINT=%s\nS3_STS_TLS_ENDPOINT=%s\n' $S3_ADDR:9002 $S3_ADDR:9448
    printf 'S3_VHOST=%s\nS3_VHOST_TLS=%s\n' s3.snapctl.test:9000 s3.snapctl.test:9443
    printf 'S3_TLS_EXPIRED=%s\nS3_TLS_WRONG_HOST=%s\nS3_TLS_OTHER_CA=%s\n' $S3_ADDR:9445 $S3_ADDR:9446 $S3_ADDR:9447
    printf 'S3_FAULT_ENDPOINT=%s\nS3_FAULT_TLS_ENDPOINT=%s\n' $S3_ADDR:9001 $S3_ADDR:9444
    printf 'S3_PROXY=%s\nS3_PROXY_AUTH=%s\n' $S3_ADDR:3128 $S3_ADDR:3129
    printf 'S3_PROXY_USER=lab\nS3_PROXY_PASSWORD=LAB-PROXY-SECRET-0001\n'
    printf 'S3_CA=%s\nS3_OTHER_CA=%s\n' "$LAB_DIR/s3/ca.pem" "$LAB_DIR/s3/other-ca.pem"
    printf 'S3_REGION=us-east-1\nS3_BUCKET=snapshots\nS3_QUOTA_BUCKET=quota\n'
    for user in '' OTHER_ QUOTA_ ADMIN_; do
        printf 'S3_%sACCESS_KEY=LABS3KEY%s\n' "$user" "$(openssl rand -hex 6 | tr a-f A-F)"
        printf 'S3_%sSECRET_KEY=LAB-S3-SECRET-%s\n' "$user" "$(openssl rand -hex 13)"
    done
    printf 'S3_ROLE_ARN=arn:aws:iam:::role/etcd-role\nS3_WEB_ROLE_ARN=arn:aws:iam:::role/web-role\n'
    printf 'S3_WEB_TOKEN_FILE=%s\nS3_WEB_EXPIRED_TOKEN_FILE=%s\n' "$LAB_DIR/s3/oidc/token" "$LAB_DIR/s3/oidc/token-expired"
}

s3_private_env() { # STORE
    local eth1=
    [ "$BASTION" = 0 ] || eth1=$S3_ADDR_BEHIND/24
    printf 'S3_STORE=%s\nS3_ETH0=%s\nS3_ETH1=%s\nS3_ISSUER=%s\nS3_THUMBPRINT=%s\n' "$1" $S3_ADDR/24 "$eth1" "$S3_ISSUER" \
        "$(openssl x509 -in "$LAB_DIR/s3/oidc/cert.pem" -outform der | sha1sum | cut -c 1-40 | tr a-f A-F)"
}

# --- what tests ask of it ---

# A small client that shares nothing with snapctl and starts fast.
s3_client() {
    need_s3
    exec nsenter --target "$holder" --net -- /usr/bin/python3 -I -S "$LAB_HOME/s3/client.py" "$LAB_DIR/s3" "$@"
}

#: s3-ls [BUCKET] / s3-uploads / s3-empty
#:     keys and sizes; keys and ids of pending multipart uploads; remove all that and all versions.
#:     LAB_S3_BUCKET: of another bucket than snapshots; LAB_S3_USER=tester|other|quota|admin: as another user
cmd_s3_ls() { s3_client ls "$@"; }
cmd_s3_uploads() { s3_client uploads; }
cmd_s3_empty() { s3_client empty; }

#: s3-get KEY [FILE] / s3-put KEY FILE / s3-head KEY / s3-rm KEY
#:     an object whole (FILE is made when all is there), its headers in lower case
cmd_s3_get() { s3_client get "$@"; }
cmd_s3_put() { s3_client put "$@"; }
cmd_s3_head() { s3_client head "$@"; }
cmd_s3_rm() { s3_client rm "$@"; }

#: s3-fill COUNT PREFIX
#:     objects of one byte, PREFIX0.zip, PREFIX1.zip, …
cmd_s3_fill() { s3_client fill "$@"; }

#: s3-mb BUCKET / s3-rb BUCKET
#:     make a bucket; empty and remove it
cmd_s3_mb() { s3_client mb "$@"; }
cmd_s3_rb() { s3_client rb "$@"; }

#: s3-policy no-abort|put-only|read-only|FILE|off
#:     what the user `other` may do in the bucket: no-abort is s3:ListBucket and s3:*Object, so AbortMultipartUpload is refused
cmd_s3_policy() { s3_client policy "$@"; }

#: s3-quota BYTES|off
#:     the room of the user `quota`, whose bucket is `quota`
cmd_s3_quota() { s3_client quota "$@"; }

#: s3-sts [SECONDS]
#:     session keys of the role: access key, secret key, token, and their end, one a line
cmd_s3_sts() { s3_client sts "$@"; }

#: s3-api ARGS... / s3-admin ARGS...
#:     `aws s3api` as the user (slow to start), radosgw-admin
cmd_s3_api() {
    need_s3
    s3_as "${LAB_S3_USER:-tester}"
    exec nsenter --target "$holder" --net -- env -u AWS_PROFILE -u AWS_SESSION_TOKEN AWS_CONFIG_FILE=/dev/null \
        AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=us-east-1 AWS_PAGER='' \
        AWS_ACCESS_KEY_ID="$access" AWS_SECRET_ACCESS_KEY="$secret" \
        /usr/bin/aws --endpoint-url "http://$S3_ENDPOINT" s3api "$@"
}
cmd_s3_admin() {
    need_s3
    exec nsenter --target "$s3" --mount --net --pid -- env CEPH_ARGS= CEPH_CONF="$LAB_DIR/s3/data/ceph.conf" \
        radosgw-admin -n client.rgw "$@"
}
s3_as() { # USER: sets $access and $secret
    local prefix=S3_${1^^}_
    [ "$1" != tester ] || prefix=S3_
    # shellcheck disable=SC1091
    . "$LAB_DIR/s3/env"
    access=${prefix}ACCESS_KEY secret=${prefix}SECRET_KEY
    access=${!access:?no such user} secret=${!secret}
}

# --- faults ---

#: s3-fault NAME... / s3-fault off
#:     what befalls requests to S3_FAULT_ENDPOINT and S3_FAULT_TLS_ENDPOINT (README.md tells the names); begins a new
#:     LAB_DIR/s3/fault.log, which `off` keeps
cmd_s3_fault() {
    need_s3
    [ $# -gt 0 ] || die "s3-fault NAME... | off"
    local entries='' front='enable frontend fault' name times
    # shellcheck disable=SC2048,SC2086 # several names may come as one word
    set -- $*
    if [ "$*" != off ]; then
        while [ $# -gt 0 ]; do
            s3_parse_fault "$@"
            [ "$1" != slow ] || shift
            [ "$name" != down ] || front='disable frontend fault; shutdown sessions server relay/relay'
            [ "$times" = 0 ] || entries+="add map faults.map /$name/ $name:$times; "
            shift
        done
        : > "$LAB_DIR/s3/fault.log"
    fi
    s3_tell_haproxy "clear map faults.map; $entries$front; shutdown sessions server relay/held"
}

# Each fault, and how often it happens if that is not told. One that always happens is never counted down to its end.
declare -A S3_FAULTS=(
    [slowdown]=always [put-500]=always [cut-part]=1 [stall]=1 [wrong-etag]=1 [cut-answer]=1 [slow-create]=always
    [cut-complete]=1 [cut-after-complete]=1 [complete-error]=1 [abort-403]=always [head-403]=always [deny-kms]=always [deny-lock]=always
    [deny-tags]=always [region]=always [region-malformed]=always
    [500]=always [503]=always [tomorrow]=always [down]=always)

s3_parse_fault() { # NAME[-N|-always] or slow KB; sets $name, and $times (or KB)
    name=$1 times=${S3_FAULTS[$1]:-}
    [ -n "$times" ] || name=${1%-*} times=${1##*-}
    [ "$1" != slow ] || times=${2:-}
    [[ ($1 = slow || -n ${S3_FAULTS[$name]:-}) && $times =~ ^([0-9]{1,9}|always)$ ]] ||
        die "no such fault: $1; there are: slow KB ${!S3_FAULTS[*]}"
    [ "$times" != always ] || times=1000000000
}

s3_tell_haproxy() { # COMMANDS
    nsenter --target "$s3" --net -- timeout 10 bash -c '
        exec 3<> /dev/tcp/127.0.0.1/9009 && echo "$1" >&3 || exit
        while read -r line <&3; do
            case $line in "" | *" already "*) ;; *) echo "lab: haproxy: $line" >&2; exit 1 ;; esac
        done' bash "$1"
}

#: s3-cut operator|NODE [--silent] / s3-heal
#:     the operator or the node has no way to S3: "no route to host" at once, or with --silent packets vanish;
#:     s3-heal: all have one again
cmd_s3_cut() {
    need_s3
    local pid=$holder dev=br77 addr
    [ "${1:-}" = operator ] || { need_running "${1:-}"; pid=$init; dev=eth0; }
    case ${2:-} in
        '')
            s3_heal_at "$pid"
            for addr in $S3_ADDR $S3_ADDR_BEHIND; do s3_net "$pid" ip rule add pref 1 to "$addr" unreachable || return; done
            ;;
        --silent)
            addr=$S3_ADDR
            [ "$BASTION" = 0 ] || [ "$1" = operator ] || [ "$1" = bastion ] || addr=$S3_ADDR_BEHIND
            # An address that no one has: ARP is not asked, and the frames go nowhere.
            s3_net "$pid" ip neigh replace "$addr" lladdr 02:77:00:00:00:ff nud permanent dev "$dev"
            ;;
        *) die "s3-cut operator|NODE [--silent]" ;;
    esac
}
cmd_s3_heal() {
    local name
    need_lab
    s3_heal_at "$holder"
    for name in $(all_names); do s3_heal_node "$name"; done
}
s3_net() { local pid=$1; shift; nsenter --target "$pid" --net -- "$@"; }
s3_heal_node() { local pid; pid=$(pid_in "$LAB_DIR/nodes/$1/init") && s3_heal_at "$pid"; :; }
s3_heal_at() { # PID
    s3_net "$1" sh -c '
        while ip rule del pref 1; do :; done
        for dev in br77 eth0; do for addr; do ip neigh del "$addr" dev "$dev"; done; done; :' sh $S3_ADDR $S3_ADDR_BEHIND 2> /dev/null
}
