# Prints the archive, or what else reader makes of it ("cat", "tail -c N"). Set: reader name ending,
# and worker: as long as this shell lives, the next run sees that the archive is being read.
# shellcheck disable=SC2086 # a reader is a program and its options
if [ "$uid" = 0 ]; then
    $reader "$backup/$name$ending"
else
    set -- $reader
    program=$1
    shift
    in_container ro "$program" "$@" "/backup/$name$ending" </dev/null
fi
