# shellcheck shell=bash
# Keys and certificates: of the operator, of every sshd, and of etcd. All are made fresh for each lab.

# --- the operator's SSH keys: every form a person may have them in ---

operator_keys() {
    (
        set -e
        cd "$LAB_DIR"
        umask 077
        ssh-keygen -q -t ed25519 -N '' -C lab -f id_ed25519
        ssh-keygen -q -t ecdsa -N '' -C lab -f id_ecdsa
        ssh-keygen -q -t rsa -b 2048 -N '' -C lab -f id_rsa
        ssh-keygen -q -t ed25519 -N '' -C bastion -f id_bastion
        ssh-keygen -q -t ed25519 -N '' -C nobody -f id_stranger # no node knows it
        other_forms
        encrypted_forms
        user_certificates
        cat id_ed25519.pub id_ecdsa.pub id_rsa.pub > authorized_keys
    )
}

copy_key() { cp "$1" "$2" && cp "$1.pub" "$2.pub"; }

other_forms() {
    local type
    for type in rsa ecdsa; do
        copy_key id_$type id_$type.pem
        ssh-keygen -q -p -m PEM -N '' -f id_$type.pem > /dev/null
        copy_key id_$type.pem id_$type.pk8
        openssl pkcs8 -topk8 -nocrypt -in id_$type.pem -out id_$type.pk8
    done
    copy_key id_ed25519 id_ed25519.pk8
    ed25519_to_pkcs8 < id_ed25519 > id_ed25519.pk8
}

# ssh-keygen cannot do this one. In an OpenSSH file the public key stands once more right before seed and public key,
# and PKCS#8 is a fixed head and the seed.
ed25519_to_pkcs8() {
    local seed
    seed=$(sed '/^-/d' | base64 -d | od -An -v -tx1 | tr -d ' \n' |
        sed -nE 's/.*00000020([0-9a-f]{64})00000040([0-9a-f]{64})\1.*/\2/p')
    echo '-----BEGIN PRIVATE KEY-----'
    # shellcheck disable=SC2001 # each two digits, which no replacement of bash keeps
    printf '%b' "$(sed 's/../\\x&/g' <<< "302e020100300506032b657004220420$seed")" | base64 -w 64
    echo '-----END PRIVATE KEY-----'
}

encrypted_forms() {
    local type
    echo 'a pass phrase of the lab' > passphrase
    for type in ed25519 ecdsa rsa; do
        copy_key id_$type id_$type.enc
        ssh-keygen -q -p -P '' -N "$(cat passphrase)" -f id_$type.enc > /dev/null
    done
    copy_key id_rsa.pem id_rsa.enc.pem
    ssh-keygen -q -p -m PEM -P '' -N "$(cat passphrase)" -f id_rsa.enc.pem > /dev/null
}

# The keys below are in no authorized_keys: who gets in with one was let in by its certificate.
user_certificates() {
    local type
    ssh-keygen -q -t ed25519 -N '' -C user-ca -f user_ca
    ssh-keygen -q -t ed25519 -N '' -C cert -f id_cert_ed25519
    ssh-keygen -q -t ecdsa -N '' -C cert -f id_cert_ecdsa
    ssh-keygen -q -t rsa -b 2048 -N '' -C cert -f id_cert_rsa
    ssh-keygen -q -t ed25519 -N '' -C cert -f id_cert_expired
    for type in ed25519 ecdsa rsa; do
        ssh-keygen -q -s user_ca -I "lab-$type" -n root,rancher,jump -V -1h:+52w id_cert_$type.pub
    done
    ssh-keygen -q -s user_ca -I lab-expired -n root,rancher -V -2h:-1h id_cert_expired.pub
}

# --- host keys ---

host_keys() { # NODE
    local dir=$LAB_DIR/nodes/$1/fs/etc/ssh type
    mkdir -p "$dir"
    rm -f "$dir"/ssh_host_*
    for type in ed25519 ecdsa rsa; do
        ssh-keygen -q -t $type -N '' -C "$1" -f "$dir/ssh_host_${type}_key" || return
    done
}

known_hosts() {
    local name names
    for name in $(all_names); do
        names=$(node_addr "$name"),$name
        [ "$IPV6" = 0 ] || names=$names,$(node_addr6 "$name")
        sed "s/^/$names /; s/ [^ ]*\$//" "$LAB_DIR/nodes/$name/fs/etc/ssh"/ssh_host_*_key.pub
    done
}

# --- etcd's certificates, named as RKE names them ---

etcd_ca() {
    local dir=$LAB_DIR/pki
    mkdir -p "$dir"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=kube-ca \
        -keyout "$dir/kube-ca-key.pem" -out "$dir/kube-ca.pem" 2> /dev/null &&
        certificate "$dir/kube-node" /O=system:nodes/CN=system:node "extendedKeyUsage=clientAuth"
}

certificate() { # PATH-LESS-.pem SUBJECT EXTENSIONS
    local ca=$LAB_DIR/pki/kube-ca
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$1-key.pem" -out "$1.csr" \
        2> /dev/null &&
        openssl x509 -req -in "$1.csr" -CA "$ca.pem" -CAkey "$ca-key.pem" -set_serial "0x$(openssl rand -hex 8)" \
            -days 3650 -extfile <(printf '%b\n' "$3") -out "$1.pem" 2> /dev/null && rm -f "$1.csr"
}

node_certificates() { # NODE
    local dir=$LAB_DIR/nodes/$1/fs/etc/kubernetes/ssl addr
    addr=$(node_addr "$1")
    mkdir -p "$dir"
    cp "$LAB_DIR"/pki/kube-ca.pem "$LAB_DIR"/pki/kube-node*.pem "$dir/" &&
        certificate "$dir/kube-etcd-${addr//./-}" /CN=kube-etcd \
            "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:localhost,DNS:$1,IP:127.0.0.1,IP:::1,IP:$addr,IP:$(node_addr6 "$1")"
    chmod 0600 "$dir"/*-key.pem
}
