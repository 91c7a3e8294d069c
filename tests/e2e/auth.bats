# Every way to authenticate, against a real sshd.

setup() {
    load helpers
    common_setup
    one_node
}

# What is proven is the way in: nothing is saved.
gets_in() {
    save --dry-run "$@"
    expect_status 0
    expect_output "1 of 1 etcd hosts are ready"
}

teardown() {
    [ -z "${SSH_AGENT_PID:-}" ] || kill "$SSH_AGENT_PID"
}

# cluster.yml with another key for all nodes.
with_key() { changed_config "s|^ssh_key_path:.*|ssh_key_path: $LAB_DIR/$1|"; }

# cluster.yml with the key's text inline in every node.
with_inline_key() {
    CONFIG=$BATS_TEST_TMPDIR/cluster.yml
    cp "$LAB_DIR/cluster.rkestate" "$BATS_TEST_TMPDIR/cluster.rkestate"
    awk -v file="$LAB_DIR/$1" '
        { print }
        /^    user: / { print "    ssh_key: |-"; while ((getline line < file) > 0) print "      " line; close(file) }
    ' "$BASE" | sed '/^ssh_key_path/d' >"$CONFIG"
}

start_agent() {
    eval "$(ssh-agent -s 3>&-)" >/dev/null
    export SSH_AUTH_SOCK
    [ $# -eq 0 ] || ssh-add -q "$@" 3>&-
}

@test "every form of key, by path" {
    for key in id_ed25519 id_ecdsa id_rsa id_rsa.pem id_ecdsa.pem id_rsa.pk8 id_ecdsa.pk8 id_ed25519.pk8; do
        with_key $key
        gets_in
    done
}

@test "every form of key, inline" {
    for key in id_ed25519 id_ecdsa id_rsa id_rsa.pem id_ecdsa.pem id_rsa.pk8 id_ecdsa.pk8 id_ed25519.pk8; do
        with_inline_key $key
        gets_in
    done
}

@test "encrypted keys, with the passphrase from a file" {
    for key in id_ed25519.enc id_ecdsa.enc id_rsa.enc id_rsa.enc.pem; do
        with_key $key
        SNAPCTL_SSH_PASSPHRASE_FILE=$LAB_DIR/passphrase gets_in
        refute_anywhere "$(cat "$LAB_DIR/passphrase")"
    done
}

@test "encrypted keys without a passphrase, and with a wrong one" {
    with_key id_ed25519.enc
    save </dev/null
    expect_status 2
    expect_stderr SNAPCTL_SSH_PASSPHRASE_FILE
    echo wrong >"$BATS_TEST_TMPDIR/wrong"
    for key in id_ed25519.enc id_rsa.enc.pem; do
        with_key $key
        SNAPCTL_SSH_PASSPHRASE_FILE=$BATS_TEST_TMPDIR/wrong save
        [ "$status" -ne 0 ]
        expect_stderr passphrase
        expect_no_archive n1
    done
}

@test "an encrypted key on a terminal: asked once, not echoed" {
    all_nodes
    with_key id_ed25519.enc
    run -0 expect -c "
        set timeout 30
        spawn $LAB run $SNAPCTL save --config $CONFIG --known-hosts $LAB_DIR/known_hosts --name $NAME --dry-run
        expect -nocase passphrase
        send \"[exec cat $LAB_DIR/passphrase]\r\"
        expect eof
        lassign [wait] pid spawn os code
        exit \$code"
    [[ "$output" != *"$(cat "$LAB_DIR/passphrase")"* ]]
    [[ "$output" == *"3 of 3 etcd hosts are ready"* ]]
}

@test "certificates of every type, by path and inline" {
    for type in ed25519 ecdsa rsa; do
        with_key id_cert_$type
        sed -i "/^ssh_key_path/a ssh_cert_path: $LAB_DIR/id_cert_$type-cert.pub" "$CONFIG"
        gets_in
        with_inline_key id_cert_$type
        sed -i "/^    user: /a\\    ssh_cert: \"$(cat "$LAB_DIR/id_cert_$type-cert.pub")\"" "$CONFIG"
        gets_in
    done
}

@test "an expired certificate, and a key that needs one" {
    with_key id_cert_expired
    sed -i "/^ssh_key_path/a ssh_cert_path: $LAB_DIR/id_cert_expired-cert.pub" "$CONFIG"
    save
    [ "$status" -ne 0 ]
    expect_stderr expired
    with_key id_cert_ed25519
    save
    expect_status 1
    expect_stderr publickey
}

@test "a key that nobody knows: the error says what was tried" {
    with_key id_stranger
    save --output json
    expect_status 1
    json '[.nodes[].error.kind] | unique | join(",")' auth
    for part in id_stranger root@10.77.0.11 publickey; do
        jq -e --arg part "$part" '.nodes[0].error.text | contains($part)' <<<"$output" || { show && return 1; }
    done
}

@test "the agent, with every type of key, by flag and by file" {
    for key in id_ed25519 id_ecdsa id_rsa; do
        start_agent "$LAB_DIR/$key"
        with_key none
        gets_in --ssh-agent-auth
        sed -i '1a ssh_agent_auth: true' "$CONFIG"
        gets_in
        kill "$SSH_AGENT_PID"
    done
    SSH_AGENT_PID=
}

@test "the agent, with certificates" {
    for type in ed25519 ecdsa rsa; do
        start_agent "$LAB_DIR/id_cert_$type"
        gets_in --ssh-agent-auth
        kill "$SSH_AGENT_PID"
    done
    SSH_AGENT_PID=
}

@test "an agent without keys, one that does not answer, and none" {
    start_agent
    save --ssh-agent-auth
    expect_status 1
    expect_stderr agent
    kill -STOP "$SSH_AGENT_PID"
    save --ssh-agent-auth --name "$NAME-b"
    kill -CONT "$SSH_AGENT_PID"
    expect_status 1
    expect_stderr agent
    unset SSH_AUTH_SOCK
    gets_in --ssh-agent-auth
    expect_stderr SSH_AUTH_SOCK
}

@test "a key file that is missing, open to others, or no key" {
    with_key none
    save
    expect_status 2
    expect_stderr "$LAB_DIR/none"
    expect_stderr "$CONFIG:"
    cp "$LAB_DIR/id_ed25519" "$BATS_TEST_TMPDIR/open"
    chmod 644 "$BATS_TEST_TMPDIR/open"
    changed_config "s|^ssh_key_path:.*|ssh_key_path: $BATS_TEST_TMPDIR/open|"
    gets_in
    expect_stderr "can be read by others"
    with_key id_ed25519.pub
    save --name "$NAME-pub"
    expect_status 2
    expect_stderr "public key"
}

@test "the default key is ~/.ssh/id_rsa" {
    mkdir -m 700 "$HOME/.ssh"
    cp "$LAB_DIR/id_rsa" "$HOME/.ssh/id_rsa"
    changed_config '/^ssh_key_path/d'
    gets_in
}
