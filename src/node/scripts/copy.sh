# Prints "BYTES SECONDS INODE" and a newline, then the snapshot from byte "first" on (the first one is 1): both of one open
# file, so that who goes on after a lost connection knows whether it is still the same. Set: name ending first, and worker:
# as long as this shell lives, the next run sees that the snapshot is being read.
# shellcheck disable=SC2016 # expanded by the shell that runs it
script='
    exec <"$1"
    stat -L -c "%s %Y %i" /proc/self/fd/0 || exit
    [ "$2" -gt 1 ] || exec cat
    exec tail -c "+$2"'
if [ "$uid" = 0 ]; then
    sh -c "$script" sh "$backup/$name$ending" "$first"
else
    in_container ro sh -c "$script" sh "/backup/$name$ending" "$first" </dev/null
fi
