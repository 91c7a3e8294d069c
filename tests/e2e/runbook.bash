# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # variables of, and for, the tests
# Plays docs/runbook.md on the lab. Every fenced block of the page is one of
#   sh variables               values that stand in front of every block; a test gives its own to all of them
#   sh node-setup              stands in front of every block for nodes
#   sh operator, sh NODES      commands, run where the word says; each must succeed
#   text                       lines that the block before it must print; … stands for any text
# A block counts as played once it has succeeded everywhere.

RUNBOOK=$BATS_TEST_DIRNAME/../../docs/runbook.md
BLOCKS=$BATS_FILE_TMPDIR/blocks
HOME_FOLDER=$BATS_FILE_TMPDIR/home # the operator's
ORIGIN=$HOME_FOLDER/prod           # where RKE's files are kept
WORK=$HOME_FOLDER/restore          # HERE, which the page makes, and removes in the end

# Lays the page out: NNN.sh, and beside it NNN.place, NNN.section (the heading above it), NNN.text if there is one.
extract_runbook() {
    mkdir -p "$BLOCKS"
    awk -v out="$BLOCKS" '
        !open && /^#+ / { section = $0; sub(/^#+ +/, "", section) }
        /^ *```/ {
            if (open) { open = 0; close(file); next }
            open = 1
            indent = index($0, "`") - 1
            info = substr($0, indent + 4)
            if (info == "text") file = block ".text"
            else {
                block = sprintf("%s/%03d", out, ++n)
                file = block ".sh"
                print info > (block ".place"); close(block ".place")
                print section > (block ".section"); close(block ".section")
            }
            printf "" > file
            next
        }
        open { print substr($0, indent + 1) > file }
        END { if (open) { print "a block of " section " is not closed" > "/dev/stderr"; exit 1 } }' "$RUNBOOK"
}

block_at() { # PLACE: the only block of that kind
    local found
    found=$(grep -lx "sh $1" "$BLOCKS"/*.place)
    [ -f "$found" ] || { echo "not one block of sh $1: $found" >&2 && return 1; }
    echo "${found%.place}"
}

# The values of the test: VALUES[NAME]. All of the page's variables have one, and there are no others.
declare -gA VALUES

variables() {
    local name
    cat "$(block_at variables).sh"
    for name in "${!VALUES[@]}"; do printf '%s=%q\n' "$name" "${VALUES[$name]}"; done
}

expect_all_variables() {
    diff <(grep -oE '^[A-Z0-9_]+=' "$(block_at variables).sh" | tr -d = | sort) <(printf '%s\n' "${!VALUES[@]}" | sort)
}

# The nodes of a place, by their names in the lab. GOOD and BAD are the test's choice.
nodes_at() {
    case $1 in
    every-node) printf '%s\n' "${NODES[@]}" ;;
    every-member) grep -oE '10\.77\.0\.1[0-9]' <<<"${VALUES[MEMBERS]}" | sed 's/10.77.0.1/n/' ;;
    lost-node) grep -oE '10\.77\.0\.1[0-9]' <<<"${VALUES[LOST]}" | sed 's/10.77.0.1/n/' ;;
    one-member) echo "$GOOD" ;;
    bad-node) echo "$BAD" ;;
    *) echo "no such place: $1" >&2 && return 1 ;;
    esac
}

STRICT=(timeout 150 bash -euo pipefail -c)

as_operator() { (cd "$WORK" 2>/dev/null || cd "$HOME" && exec "$LAB" run "${STRICT[@]}" "$1") </dev/null; }

as_node() { # NODE SCRIPT
    "$LAB" sh "$1" "${STRICT[@]}" "$2" </dev/null
}

# play SECTION: all blocks right below that heading, in order, less those that stand in front of every block.
play() {
    local file n=0
    for file in "$BLOCKS"/*.section; do
        [ "$(<"$file")" = "$1" ] || continue
        case $(<"${file%.section}.place") in 'sh variables' | 'sh node-setup') continue ;; esac
        play_block "${file%.section}" || { echo "in the section: $1" && return 1; }
        n=$((n + 1))
    done
    [ $n -gt 0 ] || { echo "the page has no commands below: $1" && return 1; }
}

play_block() {
    local block=$1 place setup nodes node jobs=() job bad=0
    place=$(<"$block.place")
    place=${place#sh }
    if [ "$place" = operator ]; then
        run_block "$block" here as_operator "$(variables && cat "$block.sh")" || return
    else
        setup=$(block_at node-setup) || return
        mapfile -t nodes < <(nodes_at "$place")
        [ ${#nodes[@]} -gt 0 ] || { echo "nobody is at: $place" && return 1; }
        for node in "${nodes[@]}"; do
            run_block "$block" "$node" as_node "$node" "$(variables && cat "$setup.sh" "$block.sh")" &
            jobs+=($!)
        done
        for job in "${jobs[@]}"; do wait "$job" || bad=1; done
        [ $bad = 0 ] || return
        touch "$setup.played"
    fi
    touch "$block.played"
}

run_block() { # BLOCK WHERE COMMAND…
    local block=$1 where=$2 line
    local out=$block.$where.out
    shift 2
    "$@" >"$out" 2>&1 || { complain "failed with $?" || return; }
    [ -e "$block.text" ] || return 0
    while IFS= read -r line; do
        # shellcheck disable=SC2016 # no expansion is meant
        line=$(sed 's/[][\.*^$(){}+?|/]/\\&/g; s/…/.*/g' <<<"$line")
        grep -qE -- "$line" "$out" || { complain "nothing is like: $line" || return; }
    done <"$block.text"
}

complain() { # for run_block
    printf -- '--- at %s: %s\n%s\n--- it printed:\n%s\n' "$where" "$1" "$(<"$block.sh")" "$(<"$out")"
    return 1
}

# The anchors of the headings, as they are linked to, and the links without one.
dead_links() {
    comm -13 <(grep -E '^#+ ' "$RUNBOOK" | sed -E 's/^#+ //' | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9\n-' | sort -u) \
        <(grep -oE '\]\(#[^)]+\)' "$RUNBOOK" | sed -E 's/^\]\(#//; s/\)$//' | sort -u)
    local file
    grep -oE '\]\([^)#]+' "$RUNBOOK" | sed 's/^](//' | while read -r file; do
        [ -e "${RUNBOOK%/*}/$file" ] || echo "$file"
    done
}
