# Databases that a real etcd wrote: what is found in them is what etcdctl finds. Needs etcd, but neither a lab nor root.
# Environment: DATABASE_FACTS (the binary of database_facts.c).

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    peer=
    start_etcd
}

teardown() {
    stop_etcd
    rm -rf "$BATS_TEST_TMPDIR"/{data,*.db}
}

free_ports() {
    /usr/bin/python3 -c 'import socket
ports = [socket.socket() for _ in range(2)]
for s in ports:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in ports))'
}

start_etcd() { # [FOLDER]
    [ -n "${peer:-}" ] || read -r port peer <<<"$(free_ports)"
    export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=http://127.0.0.1:$port
    etcd --name one --data-dir "${1:-data}" --listen-client-urls "http://127.0.0.1:$port" \
        --advertise-client-urls "http://127.0.0.1:$port" --listen-peer-urls "http://127.0.0.1:$peer" \
        --initial-advertise-peer-urls "http://127.0.0.1:$peer" --initial-cluster "one=http://127.0.0.1:$peer" \
        --max-request-bytes 10485760 --unsafe-no-fsync >etcd.log 2>&1 3>&- &
    etcd=$!
    until etcdctl endpoint health >/dev/null 2>&1; do
        kill -0 "$etcd" || { cat etcd.log && return 1; }
        sleep 0.1
    done
}

stop_etcd() {
    [ -n "${etcd:-}" ] || return 0
    kill "$etcd" 2>/dev/null || :
    wait "$etcd" 2>/dev/null || :
    etcd=
}

fill() {
    /usr/bin/python3 "$BATS_TEST_DIRNAME/etcd-fill.py" "$port" "$@"
}

# same_figures FILE: what both programs say of it, which must be the same; the facts are left in "facts". What a sift
# keeps of it must not say anything else; those facts are left in "sifted".
same_figures() {
    local ours theirs
    "$DATABASE_FACTS" "$1" >facts
    "$DATABASE_FACTS" --sifted "$1" >sifted
    diff <(jq -S 'del(.sha256)' facts) <(jq -S 'del(.sha256, .keptSize)' sifted)
    ours=$(jq -c '{hash, revision, totalKey, totalSize}' facts)
    theirs=$(etcdctl snapshot status -w json "$1")
    [ "$ours" = "$theirs" ] || { echo "$ours, but etcdctl says $theirs" && return 1; }
}

# A snapshot as the tool takes it, and the file that etcd itself works on.
check_both() {
    etcdctl "$@" snapshot save taken.db >/dev/null 2>&1
    same_figures taken.db
    [ "$(fact .sha256)" = "$(head -c -32 taken.db | sha256sum | cut -d' ' -f1)" ]
    stop_etcd
    cp data/member/snap/db raw.db
    same_figures raw.db
    [ "$(fact .sha256)" = "" ]
    "$DATABASE_FACTS" taken.db >facts
}

fact() {
    jq -r "$1" facts
}

kept_less_than_one_in() {
    jq -e --argjson n "$1" '.keptSize * $n < .totalSize' sifted
}

@test "a new cluster, and one key" {
    etcdctl snapshot save empty.db >/dev/null 2>&1
    same_figures empty.db
    [ "$(fact .revision)" = 0 ]
    etcdctl put a b
    check_both
    [ "$(fact .revision)" = 2 ]
    [ "$(fact .damagedMeta)" = -1 ]
    [ "$(fact .leases)" = 0 ]
    [ "$(fact .authEnabled)" = false ]
    [ "$(fact '.members | length')" = 1 ]
    [ "$(fact '.members[0].name')" = one ]
    [ "$(fact '.members[0].peerURLs[0]')" = "http://127.0.0.1:$peer" ]
}

@test "the member has the id that etcdctl lists" {
    id=$(etcdctl member list | cut -d, -f1)
    check_both
    [ "$(fact '.members[0].id')" = "$id" ]
}

@test "100,000 keys: branches above branches" {
    fill /registry/ 100000 40
    check_both
    [ "$(fact .totalKey)" -gt 100000 ]
    kept_less_than_one_in 25
}

@test "values of 1.5 MB: pages that reach over others" {
    fill /large/ 12 1500000
    fill /registry/ 1000 3000
    check_both
    [ "$(fact .totalSize)" -gt 18000000 ]
}

@test "after updates, deletions, compaction and defragmentation" {
    for round in 1 2 3; do
        fill /registry/ 5000 $((300 * round))
        etcdctl snapshot save "round$round.db" >/dev/null 2>&1
        same_figures "round$round.db"
    done
    etcdctl del --prefix /registry/0000 >/dev/null
    etcdctl snapshot save deleted.db >/dev/null 2>&1
    same_figures deleted.db
    before=$(fact .totalKey)
    revision=$(etcdctl get / -w json | jq .header.revision)
    etcdctl compaction --physical "$revision"
    etcdctl snapshot save compacted.db >/dev/null 2>&1
    same_figures compacted.db
    [ "$(fact .totalKey)" -lt "$before" ]
    fill /registry/0 2500 900
    etcdctl snapshot save reused.db >/dev/null 2>&1
    same_figures reused.db
    sparse=$(fact .totalSize)
    etcdctl defrag
    check_both
    [ "$(fact .totalSize)" -lt "$sparse" ]
}

@test "leases and authentication" {
    for n in 1 2 3; do
        lease=$(etcdctl lease grant 600 | cut -d' ' -f2)
        etcdctl put --lease="$lease" "leased$n" x
    done
    etcdctl user add root:secret
    etcdctl user grant-role root root
    etcdctl auth enable
    check_both --user root:secret
    [ "$(fact .leases)" = 3 ]
    [ "$(fact .authEnabled)" = true ]
}

@test "after restores: what was restored is good, and etcd 3.4 leaves the members of before in it" {
    fill /registry/ 300 2000
    for round in 1 2 3; do
        etcdctl snapshot save "round$round.db" >/dev/null 2>&1
        same_figures "round$round.db"
        [[ "$(etcd --version)" != *3.4.* ]] || [ "$(fact '.members | length')" = "$round" ]
        id=$(etcdctl member list | cut -d, -f1)
        [ "$(jq --arg id "$id" '[.members[] | select(.id == $id)] | length' facts)" = 1 ]
        stop_etcd
        etcdctl snapshot restore "round$round.db" --name one --data-dir "restored$round" \
            --initial-cluster "one=http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
            --initial-cluster-token "round-$round" >/dev/null 2>&1
        same_figures "restored$round/member/snap/db"
        start_etcd "restored$round"
    done
}

@test "what etcdctl finds damaged is found, and the page is named" {
    fill /registry/ 3000 200
    stop_etcd
    cp data/member/snap/db raw.db
    pages=$(($(stat -c %s raw.db) / 4096))
    found=0
    for ((page = 2; page < pages; page += 7)); do
        cp raw.db damaged.db
        dd if=/dev/zero of=damaged.db bs=4096 seek="$page" count=1 conv=notrunc status=none
        theirs=0
        etcdctl snapshot status damaged.db >/dev/null 2>&1 || theirs=1
        run "$DATABASE_FACTS" damaged.db
        # The first page that damage is seen at may be one that ends in the page.
        [ "$theirs" = 0 ] || [ "$status" = 1 ]
        [ "$status" = 0 ] || [[ "$output" == "page "* ]]
        verdict=$status
        run "$DATABASE_FACTS" --sifted damaged.db
        [ "$status" = "$verdict" ]
        [ "$status" = 0 ] || found=$((found + 1))
    done
    [ "$found" -gt 10 ]
}
