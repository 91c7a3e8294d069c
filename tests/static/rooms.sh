#!/usr/bin/env bash
# A room may include itself and the rooms below it, never one above or beside it (docs/ARCHITECTURE.md).
set -u
cd "$(dirname "$0")/../.." || exit 1

declare -A floor=([base]=1 [net]=2 [node]=3 [s3]=3 [snapshot]=3 [config]=4 [core]=5 [cli]=6)
bad=0
while IFS=: read -r file line include; do
    room=${file#include/snapctl/}
    room=${room#src/}
    room=${room%%/*}
    [ "$room" = main.c ] && continue
    used=$(sed -n 's/.*"snapctl\/\([a-z0-9]*\)\/.*/\1/p' <<<"$include")
    if [ -z "$used" ]; then
        # A private header stands beside its user and is included without a folder.
        [[ "$include" == *'/'* ]] || continue
        echo "$file:$line: include project headers as \"snapctl/<room>/<file>.h\": $include"
        bad=1
    elif [ -z "${floor[$room]:-}" ] || [ -z "${floor[$used]:-}" ]; then
        echo "$file:$line: unknown room in $include"
        bad=1
    elif [ "$room" != "$used" ] && [ "${floor[$room]}" -le "${floor[$used]}" ]; then
        echo "$file:$line: room $room must not include room $used"
        bad=1
    fi
done < <(grep -rnE '^ *# *include "' src include --include='*.[ch]')
exit $bad
