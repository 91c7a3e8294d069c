# Waits for the container $id and says how it ended: "exit STATUS", and "archive MODE BYTES IDENTITY", the log, or
# "removed".

# A file that was just made and then synced is there after a power cut, its entry in the folder too (ext4, xfs).
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
flush='
    rm -f "$2/$3.rkestate"
    [ -f "$1/$3.zip" ] || exit 0
    dd if=/dev/null of="$1/$3.zip" conv=notrunc,fsync 2>/dev/null || exit 1
    stat -c "archive %a %s %i.%s.%Y" "$1/$3.zip"'

report() {
    status=$(d wait "$id")
    if ! d inspect --format 'exit {{.State.ExitCode}}' "$id" 2>/dev/null; then
        echo removed
    elif [ "$status" = 0 ]; then
        as_root "$flush" "$name"
    else
        echo log
        d logs --tail 200 "$id" 2>&1
    fi
}

# In the background, because a shell runs a trap only between two foreground commands.
wait_and_report() {
    report &
    wait $!
}
