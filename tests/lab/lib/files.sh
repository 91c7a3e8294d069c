# shellcheck shell=bash
# The operator's files: cluster files, the state file, known_hosts, an ssh configuration.

operator_files() {
    known_hosts > "$LAB_DIR/known_hosts"
    cluster_file root id_ed25519 node_addr > "$LAB_DIR/cluster.yml"
    cluster_file rancher id_ed25519 node_addr > "$LAB_DIR/cluster-rancher.yml"
    [ "$SUDO" = 0 ] || cluster_file admin id_ed25519 node_addr > "$LAB_DIR/cluster-admin.yml"
    [ "$IPV6" = 0 ] || cluster_file root id_ed25519 node_addr6 > "$LAB_DIR/cluster-ipv6.yml"
    state_file > "$LAB_DIR/cluster.rkestate"
    chmod 0600 "$LAB_DIR/cluster.rkestate"
    cp -p "$LAB_DIR/cluster.rkestate" "$LAB_DIR/cluster-rancher.rkestate"
    [ "$SUDO" = 0 ] || cp -p "$LAB_DIR/cluster.rkestate" "$LAB_DIR/cluster-admin.rkestate"
    [ "$IPV6" = 0 ] || cp -p "$LAB_DIR/cluster.rkestate" "$LAB_DIR/cluster-ipv6.rkestate"
    ssh_config > "$LAB_DIR/ssh_config"
    hosts > "$LAB_DIR/hosts"
}

hosts() {
    local name
    echo '127.0.0.1 localhost'
    for name in $(all_names); do echo "$(node_addr "$name") $name"; done
}

# The Kubernetes version is one whose row of known good engines has Debian 12's docker 20.10.
cluster_file() { # USER KEY ADDRESS-FUNCTION
    local name
    echo "cluster_name: lab"
    echo "kubernetes_version: v1.26.15-rancher1-1"
    echo "ssh_key_path: $LAB_DIR/$2"
    echo "nodes:"
    for name in $(node_names); do
        printf '  - address: "%s"\n    internal_address: "%s"\n' "$($3 "$name")" "$($3 "$name")"
        printf '    hostname_override: %s\n    user: %s\n    role: [controlplane, worker, etcd]\n' "$name" "$1"
    done
    echo "services:"
    printf '  etcd:\n    backup_config:\n      enabled: true\n      interval_hours: 12\n      retention: 6\n'
    [ "$BASTION" = 0 ] || printf 'bastion_host:\n  address: %s\n  user: jump\n  ssh_key_path: %s\n' \
        "$(node_addr bastion)" "$LAB_DIR/id_bastion"
}

# As the real one in shape and in what matters: JSON that is full of private keys. Each carries a marker which tests can
# look for wherever it must not be.
state_file() {
    local i marker sep=
    marker=LAB-STATE-SECRET-$(openssl rand -hex 16)
    printf '{\n  "desiredState": {\n    "rkeConfig": {"cluster_name": "lab"},\n    "certificatesBundle": {\n'
    for i in kube-ca kube-node kube-admin kube-apiserver kube-etcd-1 kube-etcd-2 kube-etcd-3 kube-service-account-token; do
        printf '%s      "%s": {"commonName": "%s", "keyPEM": "-----BEGIN RSA PRIVATE KEY-----\\n%s\\n%s\\n-----END RSA PRIVATE KEY-----\\n"}' \
            "$sep" "$i" "$i" "$marker" "$(openssl rand -base64 1200 | tr -d '\n')"
        sep=$',\n'
    done
    printf '\n    }\n  },\n  "currentState": {}\n}\n'
}

# For `lab run ssh -F $LAB_DIR/ssh_config n1 …`.
ssh_config() {
    local name
    for name in $(node_names); do
        printf 'Host %s\n  HostName %s\n  User root\n' "$name" "$(node_addr "$name")"
        [ "$BASTION" = 0 ] || echo '  ProxyJump bastion'
    done
    [ "$BASTION" = 0 ] || printf 'Host bastion\n  HostName %s\n  User jump\n  IdentityFile %s\n' \
        "$(node_addr bastion)" "$LAB_DIR/id_bastion"
    printf 'Host *\n  IdentityFile %s\n  IdentitiesOnly yes\n  UserKnownHostsFile %s\n' \
        "$LAB_DIR/id_ed25519" "$LAB_DIR/known_hosts"
    printf '  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  ConnectTimeout 10\n  BatchMode yes\n'
}
