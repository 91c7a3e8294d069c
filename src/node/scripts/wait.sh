# Waits for the container $id and says how it ended: "exit STATUS", and "archive MODE BYTES IDENTITY", the log (also of a
# tool that told nothing of its failure by its status), or "removed". Set: name archive legacy.

# A file that was just made and then synced is there after a power cut, its entry in the folder too (ext4, xfs). That of
# etcdctl 3.3, which was RKE's before v0.2.0, can be read by all.
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
flush='
    rm -f "$2/$3.rkestate"
    [ -f "$1/$4" ] || exit 1
    [ "$5" = 0 ] || chmod 600 "$1/$4" || exit 1
    dd if=/dev/null of="$1/$4" conv=notrunc,fsync 2>/dev/null || exit 1
    stat -c "archive %a %s %i.%s.%Y" "$1/$4"'

report() {
    status=$(d wait "$id")
    if ! d inspect --format 'exit {{.State.ExitCode}}' "$id" 2>/dev/null; then
        echo removed
    elif [ "$status" != 0 ] || ! as_root "$flush" "$name" "$archive" "$legacy"; then
        echo log
        d logs --tail 200 "$id" 2>&1
    fi
}

# In the background, because a shell runs a trap only between two foreground commands.
wait_and_report() {
    report &
    wait $!
}
