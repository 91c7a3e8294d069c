#!/usr/bin/env bash
# Every option, command, variable and exit status that the program knows is in its help, man page and
# completion, and the man page is well-formed; docs/s3.md has every error of S3, and the IAM policies are JSON; docs/runbook.md has
# its commands in blocks. Usage: docs.sh SNAPCTL FOLDER-OF-THE-GENERATED-PAGES
set -u
root=$(realpath "$(dirname "$0")/../..")
snapctl=$1 pages=$(realpath "$2")
bad=0

complain() {
    echo "docs: $*"
    bad=1
}

# What RKE.md's users and the exit statuses' readers rely on, apart from the program's own tables.
options=(name config s3 s3-endpoint s3-endpoint-ca access-key secret-key bucket-name folder region
    ssh-agent-auth ignore-docker-version image state-file require-state timeout parallel require force
    verify host-key-checking known-hosts output dry-run no-s3 keep keep-daily keep-weekly older-than prefix
    session-token s3-bucket-lookup s3-plain-http s3-skip-tls-verify s3-proxy s3-timeout s3-sse s3-concurrency
    legacy pki-bundle s3-checksum s3-insecure s3-object-lock s3-tag s3-via secret-key-file debug quiet trace help)
statuses=(0 1 2 3 4 129 130 143)
variables=(RKE_CONFIG SNAPCTL_HOST_KEY_CHECKING SNAPCTL_SSH_PASSPHRASE_FILE SSH_AUTH_SOCK NO_COLOR TMPDIR
    https_proxy no_proxy)

help=$(COLUMNS=100 "$snapctl" save --help) || complain "save --help fails"
manual=$(mandoc -Tutf8 "$pages/snapctl.1" | sed 's/.\x08//g; s/‐/-/g') || complain "the man page cannot be shown"
completion=$(cat "$pages/snapctl.bash") || complain "there is no completion"

# Options that the program lists and this test does not know are to be added above, and the other way round.
listed=$(grep -oE '^  (-[a-z], )?--[a-z0-9-]+' <<<"$help" | grep -oE '[a-z0-9][a-z0-9-]+$' | sort)
known=$(printf '%s\n' "${options[@]}" | sort)
[ "$listed" = "$known" ] || complain "options of save: $(diff <(echo "$known") <(echo "$listed"))"

for option in "${options[@]}" all extract fix from local to version yes; do
    grep -qE -- "^     (-[a-z], )?--$option( |\$)" <<<"$manual" || complain "--$option is not in the man page"
    grep -qE -- "words='([^']* )?--${option}[ ']" <<<"$completion" || complain "--$option is not completed"
done
for status in "${statuses[@]}"; do
    grep -qE "^  $status  " <<<"$help" || complain "status $status is not in the help"
    grep -qE "^     $status( |\$)" <<<"$manual" || complain "status $status is not in the man page"
done
[ "$(grep -cE '^  [0-9]+  ' <<<"$help")" = ${#statuses[@]} ] || complain "the help has other exit statuses"
for variable in "${variables[@]}"; do
    grep -q "$variable" <<<"$help" || complain "$variable is not in the help"
    grep -qE "^     $variable" <<<"$manual" || complain "$variable is not in the man page"
done

# AWS's variables: help has one line for all.
[ "$(grep -c '^  AWS_' <<<"$help")" = 1 ] || complain "the help has no line, or several, for AWS's variables"
read_aws=$(grep -rhoE '"AWS_[A-Z0-9_]+"' "$root/src/s3" "$root/src/core" | tr -d '"' | sort -u)
told_aws=$(grep -oE '^     AWS_[A-Z0-9_]+' <<<"$manual" | tr -d ' ' | sort -u)
[ -n "$read_aws" ] || complain "the sources read none of AWS's variables"
[ "$read_aws" = "$told_aws" ] ||
    complain "AWS's variables: $(diff <(echo "$read_aws") <(echo "$told_aws"))"
"$snapctl" upload --help | grep -q '^  AWS_' || complain "upload --help has no environment"

# The table of S3's errors is what the program's own table says.
wanted=$("$pages/generate" errors) || complain "generate errors fails"
written=$(sed -n '/^### Codes of the store/,/^### Connections/p' "$root/docs/s3.md" | grep '^| `')
[ "$wanted" = "$written" ] ||
    complain "docs/s3.md is to have what 'generate errors' prints: $(diff <(echo "$wanted") <(echo "$written"))"

# What is said of connections and certificates is there too: text and hints, up to what is filled in.
page=$(tr -d '`' <"$root/docs/s3.md")
while IFS= read -r text; do
    grep -qF -- "$text" <<<"$page" || complain "docs/s3.md lacks: $text"
done < <(grep -v '^#include' "$root/src/net/http_error.c" | grep -oE '"[^"]*[a-z] [^"]*"' |
    sed -E 's/^"(%s: )?//; s/[ :(]*%.*//; s/"$//' | grep -vE '^(Failed to connect|Unsupported proxy)')

for policy in "$root"/examples/iam/*.json; do
    jq empty "$policy" || complain "$policy is not JSON"
    grep -qF "${policy##*/}" "$root/docs/s3.md" || complain "docs/s3.md does not mention ${policy##*/}"
done

# Each block of the runbook is run by tests/e2e/runbook.bats, and nothing else: so code within sentences must be no command.
# Whatever has an argument is taken for one, but for headings of tables. A span may go on in the next line.
prose=$(awk '/^ *```/ { block = !block; next } !block' "$root/docs/runbook.md" | tr '\n' ' ')
ticks=${prose//[!\`]/}
[ $((${#ticks} % 2)) = 0 ] || complain "docs/runbook.md: a span of code is not closed"
# shellcheck disable=SC2016 # no expansion is meant
while IFS= read -r span; do
    complain "docs/runbook.md: a command outside of blocks: $span"
done < <(grep -oE '`[^`]+`' <<<"$prose" | grep -vE '^`([^ ]+|[A-Z ]+)`$')

# Whether other manuals are in this machine's database is not the page's fault.
lint=$(mandoc -Tlint "$pages/snapctl.1" 2>&1 | grep -v 'mandoc.db lacks')
[ -z "$lint" ] || complain "$lint"
bash -n "$pages/snapctl.bash" || complain "the completion is not bash"

# complete WORD... prints what bash would offer for the last word.
complete_words() {
    bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _snapctl; echo "${COMPREPLY[*]}"' \
        - "$pages/snapctl.bash" "$@"
}

expect() {
    local wanted=$1 offered
    shift
    offered=$(complete_words "$@")
    [ "$offered" = "$wanted" ] || complain "completing '$*' offers '$offered', not '$wanted'"
}

cd "$pages" || exit 1
expect 'save upload list verify fetch check prune delete help version' snapctl ''
expect 'save' snapctl sa
expect 'snapshot-save' snapctl etcd ''
expect '--require --require-state' snapctl save --requ
expect '--require --require-state' snapctl etcd snapshot-save --requ
expect 'all quorum any' snapctl save --require ''
expect 'quorum' snapctl save --require = q
expect 'all quorum any' snapctl save -require =
expect 'snapctl.1 snapctl.bash' snapctl save --config snapctl.
expect '' snapctl save --name sa
expect 'save upload list verify fetch check prune delete help version' snapctl help ''
expect 'snapctl.1 snapctl.bash' snapctl fetch -o snapctl.
exit $bad
